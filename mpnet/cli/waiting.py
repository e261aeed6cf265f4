"""Words for whoever waits: compiling kernels, and the cases of a batch."""

from __future__ import annotations

import sys
import time

import click

from mpnet.cli.output import print_error
from mpnet.simulation.running import Progress

PAUSE = 10.0
"""Seconds between two words about a long run where there is no terminal."""


def watch(quiet: bool) -> Progress:
    """Say on stderr what takes long: compiling kernels, and the cases of a batch."""
    if quiet:
        return Progress()
    last = time.monotonic()

    def compiling() -> None:
        print_error("compiling kernels (first run on this machine, about 10 s) ...")

    def case(done: int, of: int) -> None:
        nonlocal last
        pause = 0.1 if sys.stderr.isatty() else PAUSE
        if time.monotonic() - last > pause and done < of:
            last = time.monotonic()
            end = "\r" if sys.stderr.isatty() else "\n"
            click.echo(f"case {done} of {of}", nl=False, err=True)
            click.echo(end, nl=False, err=True)

    return Progress(compiling, case, print_error)
