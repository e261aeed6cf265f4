"""Pictures to MP4, by the program ffmpeg."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mpnet.errors import OutputError, shown

RATE = 10
"""Pictures per second; those that are shown for longer are repeated."""


def encode_mp4(pictures: Sequence[NDArray[np.uint8]], times: Sequence[int], program: str) -> bytes:
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
