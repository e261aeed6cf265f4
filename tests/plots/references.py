"""Reference images of the figures. Make them anew, after looking at the changes, with

    python -m tests.plots.references

from the root of the repository; ``git diff --stat`` then says which of them changed.
"""

from io import BytesIO
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

from mpnet import plots
from mpnet.plots import style
from tests.plots.looks import RECORDS, pictures

FOLDER = Path(__file__).parent / "references"
DPI = 50
"""Half of what is written: a page of references stays small, and texts can still be told."""
STEP = 8
"""Levels of red, green and blue are this far apart in the references, which halves the files."""
BLOCK = 8
"""Side of the squares whose mean colours are compared, in pixels: about two letters."""
VERSION = FOLDER / "matplotlib.txt"
"""Version of matplotlib that the images were made with: another sets letters elsewhere."""


def picture(name, case, theme):
    """Pixels of a figure, shape (H, W, 3)."""
    figure = plots.draw(name, RECORDS[case], theme)
    buffer = BytesIO()
    with style.context():
        figure.savefig(buffer, format="png", dpi=DPI)
    return np.asarray(Image.open(buffer).convert("RGB"))


def path_of(name, case, theme):
    return FOLDER / f"{name}-{case}-{theme}.png"


def reference(name, case, theme):
    """Pixels of what a figure should look like."""
    return np.asarray(Image.open(path_of(name, case, theme)).convert("RGB"))


def difference(one, other):
    """Largest difference of the mean colours of two pictures' squares, in 0 to 255."""
    if one.shape != other.shape:
        return 255.0
    return float(np.abs(_blocks(one) - _blocks(other)).max())


def _blocks(pixels):
    height, width = (side // BLOCK * BLOCK for side in pixels.shape[:2])
    cut = pixels[:height, :width].astype(np.float64)
    return cut.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3).mean(axis=(1, 3))


def same_matplotlib():
    """Whether this matplotlib is, but for fixes, the one that the references were made with."""
    made = VERSION.read_text(encoding="utf-8").strip()
    return made.split(".")[:2] == matplotlib.__version__.split(".")[:2]


def main():
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    VERSION.write_text(f"{matplotlib.__version__}\n", encoding="utf-8")
    for case in pictures():
        coarse = np.minimum(picture(*case) // STEP * STEP + STEP // 2, 255).astype(np.uint8)
        Image.fromarray(coarse).save(path_of(*case), optimize=True)


if __name__ == "__main__":
    main()
