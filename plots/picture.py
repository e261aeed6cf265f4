"""A figure that shows itself in a notebook, without pyplot."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpnet.errors import OutputError, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Picture:
    """A drawn figure with its title and its description in words.

    In a notebook it shows as an image whose alternative text is the description.

    Parameters
    ----------
    figure : Figure
        The figure, free to be changed before it is shown or saved.
    title : str
        What it is.
    description : str
        What it shows, in words.

    """

    def __init__(self, figure: Figure, title: str, description: str) -> None:
        self.figure = figure
        self.title = title
        self.description = description

    def __repr__(self) -> str:
        """Title and size."""
        width, height = self.figure.get_size_inches()
        return f"<Picture {shown(self.title, 100)}: {width:g} by {height:g} inches>"

    def save(self, path: str | Path, formats: Sequence[str] = ("png", "svg")) -> list[Path]:
        """Write the figure and return the paths.

        Parameters
        ----------
        path : str or Path
            ``figure.png`` writes that one file; ``figure`` writes one a format.
        formats : sequence of str
            ``png``, ``svg``; not read where the path has such an ending.

        Raises
        ------
        UsageError
            If a format is unknown.
        OutputError
            If a file can't be written.

        """
        from mpnet.plots import FORMATS
        from mpnet.plots.files import save_described

        stem = Path(path)
        if stem.suffix.lstrip(".") in FORMATS:
            stem, formats = stem.with_suffix(""), (stem.suffix.lstrip("."),)
        try:
            stem.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{stem.parent} can't be made ({error.strerror})") from error
        return save_described(self.figure, stem, (self.title, self.description), formats)

    def png(self) -> bytes:
        """The figure as PNG."""
        from mpnet.plots.files import render

        return render(self.figure, "png", self.title, self.description)

    def svg(self) -> str:
        """The figure as SVG."""
        from mpnet.plots.files import render

        return render(self.figure, "svg", self.title, self.description).decode()

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """For notebooks: the image, and its description as alternative text."""
        data = {"text/plain": self.description}
        if "image/png" not in (exclude or ()) and (not include or "image/png" in include):
            data["image/png"] = b64encode(self.png()).decode()
        return data, {"image/png": {"alt": self.description}}
