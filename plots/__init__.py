"""Figures of a finished run, each drawn from its record alone.

Importing this package is cheap: matplotlib is loaded when the first figure is drawn.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING

from mpnet.errors import UsageError, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mpnet.record import Record

if __name__ != "mpnet.plots":
    raise ImportError(f"import this package as 'mpnet.plots', not as {__name__!r}")

__all__ = [
    "FIGURES",
    "FORMATS",
    "THEMES",
    "check_choice",
    "default_figures",
    "draw",
    "save",
    "takes",
]

FIGURES: dict[str, str] = {
    "convergence": "Beliefs, residual, log Z and messages over the iterations, in one figure.",
    "heat": "Belief in every node by iteration, as one heat map.",
    "multiples": "One small panel for each node, those that move most, by iteration.",
    "confidence": "How sure each node is over the iterations, winners above and losers below.",
    "compatibility": "Derived compatibility of every pair of models, in nats, as a heat map.",
    "estimators": "The flat, clamped and exact answer for each node in question, in nats.",
    "waterfall": "Why nodes are believed: log-odds from the prior, up by support, down by protest.",
    "protest": "Who supports each node in question and who protests, in nats.",
    "society": "The graph of nodes and predictions, with beliefs and evidence.",
    "beliefs": "A box for each node with a bar for each state: belief, prior and exact value.",
    "messages": "What reaches one node in the end: every message in nats, and what they add up to.",
    "residuals": "Which links keep a run from converging: residuals on the graph and over iterations.",
    "staircase": "Log Z step by step along a timeline, with the effect of each event in nats.",
    "phases": "In which phase each multi-step model is at each step of a stream.",
    "reconstructions": "The image seen and what each model thought it saw, side by side.",
    "confusion": "Confusion matrix of a batch, with its accuracy and its errors.",
    "generalisation": "Seen and unseen combinations recognised, by separate models and by flat ones.",
    "mirrors": "A relation in an image: where its places are, and how sure it is when mirrored.",
    "superiority": "Letters in a word, alone and among others: choices, and beliefs over iterations.",
    "recognition": "Accuracy against the share of features seen, beside naive Bayes and 1-NN.",
    "bifurcation": "Fixed points of a fight as a number moves, and its loop under moving evidence.",
    "removal": "What it costs to do without each model: explanations against the product of experts.",
    "prediction": "Phases of sequences along a stream, then and afterwards, and the loss of each input.",
    "surprise": "How unusual log Z is for scenes that are explained and that are not, and the ROC.",
    "contexts": "Beliefs in several contexts, and the shares in nats that their log-odds add up from.",
    "ablation": "What each class of predictions contributes: beliefs with the class cut.",
    "laws": "Rivals under several laws of competition, and who is believed in each context.",
    "sampling": "Who wins how often over many runs, after how many cycles, from which basin.",
    "losses": "Time to settle against the share of messages that get lost.",
    "everyone": "Free energy while models of a library wake, beside everybody awake from the start.",
}
"""Name of each figure, which is also its module in this package, and what it shows."""


FORMATS = ("png", "svg", "pdf")
"""File formats that a figure can be written in."""

THEMES = ("light", "dark")
"""Looks that every figure can have."""


def default_figures(record: Record) -> tuple[str, ...]:
    """Names of the figures that are drawn of this record unless others are asked for, in order.

    *Evolving.*
    """
    from mpnet.plots.contents import figures_with

    return figures_with(record, unasked=True)


def draw(
    name: str,
    record: Record,
    theme: str = "light",
    node: str | None = None,
    at: int | None = None,
) -> Figure | None:
    """Draw one figure.

    *Evolving.*

    Parameters
    ----------
    name : str
        One of ``FIGURES``.
    record : Record
        The run; not modified.
    theme : str
        One of ``THEMES``.
    node : str, optional
        The node to draw, for figures about one.
    at : int, optional
        The iteration to draw, for figures of one moment.

    Returns
    -------
    Figure or None
        None where the record holds nothing that the figure could show.

    Raises
    ------
    UsageError
        If there is no figure, theme, node or iteration like that, or the figure takes no node or
        moment; the message says what would be right.

    """
    chosen = {key: value for key, value in (("node", node), ("at", at)) if value is not None}
    check_choice(name, theme, chosen)
    _check_subject(record, node, at)
    figure: Figure | None = import_module(f"mpnet.plots.{name}").draw(record, **chosen)
    if figure is None or theme == "light":
        return figure
    from mpnet.plots.dark import darken

    return darken(figure)


def takes(name: str) -> frozenset[str]:
    """What a figure can be told beside the record: ``node``, ``at``, both, or neither.

    *Evolving.*
    """
    parameters = signature(import_module(f"mpnet.plots.{name}").draw).parameters
    return frozenset(parameters) & {"node", "at"}


def check_choice(name: str, theme: str, chosen: Collection[str] = ()) -> None:
    """Raise a UsageError where there is no such figure or theme, or it does not take a choice.

    *Evolving.*
    """
    if name not in FIGURES:
        near = difflib.get_close_matches(name, FIGURES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"unknown figure {shown(name)!r}{hint} (known: {', '.join(FIGURES)})")
    if theme not in THEMES:
        raise UsageError(f"unknown theme {shown(theme)!r} (known: {', '.join(THEMES)})")
    for key in chosen:
        if key not in takes(name):
            able = [other for other in FIGURES if key in takes(other)]
            raise UsageError(
                f"figure {name} takes no {key}; those that do: {', '.join(able) or 'none'}"
            )


def _check_subject(record: Record, node: str | None, at: int | None) -> None:
    from mpnet.names import suggestion

    known = [info.name for info in record.nodes]
    if node is not None and node not in known:
        raise UsageError(f"there is no node {shown(node)!r}; {suggestion(node, known, 'nodes')}")
    if at is not None and not 0 <= at <= record.trace.last:
        raise UsageError(f"there is no iteration {at}; the run has 0 to {record.trace.last}")


def save(
    figure: Figure, path_stem: Path, record: Record, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Write a figure as ``path_stem.png``, ``path_stem.svg``, ... and return the paths.

    *Evolving.*

    Files appear whole or not at all, carry a description in words, and have the same bytes
    whenever the record is the same.

    Raises
    ------
    UsageError
        If a format is none of ``png``, ``svg`` and ``pdf``.
    OutputError
        If a file can't be written.

    """
    from mpnet.plots.files import save_figure

    return save_figure(figure, path_stem, record, formats)
