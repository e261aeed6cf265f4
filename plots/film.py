"""Pictures to a film: GIF in colours chosen beforehand, MP4 by the program ffmpeg."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image

from mpnet.errors import OutputError, shown
from mpnet.plots import style
from mpnet.plots.society import BELIEF

Pixels = NDArray[np.uint8]

RATE = 10
"""Pictures per second; those that are shown for longer are repeated."""


def encode_gif(pictures: Sequence[Pixels], times: Sequence[int]) -> bytes:
    """Pictures as a GIF that plays again and again; the same bytes from the same pictures.

    Parameters
    ----------
    pictures : sequence of uint8[H, W, 3]
        Red, green, blue.
    times : sequence of int
        How long each is shown, in milliseconds.

    """
    colors = _palette()
    nearest = _nearest()
    frames = []
    for picture in pictures:
        red, green, blue = (picture[..., i].astype(np.int64) >> 3 for i in range(3))
        frame = Image.fromarray(nearest[(red << 10) | (green << 5) | blue])
        frame.putpalette(colors.tobytes())
        frames.append(frame)
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=frames[1:],
        duration=list(times),
        loop=0,
        optimize=False,
    )
    return buffer.getvalue()


@cache
def _palette() -> Pixels:
    """Every colour of the graph and its shades to white, shape (n, 3)."""
    greys = np.repeat(np.linspace(0, 1, 40)[:, None], 3, axis=1)
    beliefs = np.array([BELIEF(share)[:3] for share in np.linspace(0, 1, 56)])
    shades = [
        1 - np.linspace(1, 0.1, 14)[:, None] * (1 - np.array(to_rgb(color)))
        for color in (style.BLUE, style.ORANGE, style.PINK, style.VERMILLION)
    ]
    colors: Pixels = (np.concatenate([greys, beliefs, *shades]) * 255).round().astype(np.uint8)
    return colors


@cache
def _nearest() -> Pixels:
    """Index of the nearest colour for red, green and blue of 5 bits each, shape (32768,)."""
    levels = np.arange(32)
    levels = (levels << 3) | (levels >> 2)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    found = np.empty(len(grid), dtype=np.uint8)
    colors = _palette().astype(np.int64)
    for start in range(0, len(grid), 4096):
        part = grid[start : start + 4096, None, :] - colors[None]
        found[start : start + 4096] = (part**2).sum(axis=2).argmin(axis=1)
    return found


def encode_mp4(pictures: Sequence[Pixels], times: Sequence[int], program: str) -> bytes:
    """Pictures as an MP4 that every player shows; the same bytes from the same pictures.

    Parameters
    ----------
    pictures : sequence of uint8[H, W, 3]
        Red, green, blue.
    times : sequence of int
        How long each is shown, in milliseconds.
    program : str
        Path of ffmpeg.

    Raises
    ------
    OutputError
        If ffmpeg fails; with its last line.

    """
    height, width = (size - size % 2 for size in pictures[0].shape[:2])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        frames = b"".join(
            picture[:height, :width].tobytes() * max(1, round(time * RATE / 1000))
            for picture, time in zip(pictures, times, strict=True)
        )
        order = [program, *_options(width, height), str(path)]
        done = subprocess.run(order, input=frames, capture_output=True, check=False)  # noqa: S603
        if done.returncode or not path.is_file():
            lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
            raise OutputError(f"ffmpeg can't write the animation: {shown(lines[-1], 200)}")
        return path.read_bytes()


def _options(width: int, height: int) -> list[str]:
    """Options that leave dates and versions out, in one thread, so that bytes are the same."""
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(RATE)]
    codec = ["-c:v", "libx264", "-preset", "medium", "-crf", "23", "-pix_fmt", "yuv420p"]
    same = ["-threads", "1", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"]
    flow = ["-movflags", "+faststart"]
    return ["-y", "-loglevel", "error", *source, "-i", "-", *codec, *same, *flow]
