"""Pages of the gallery: what a scenario shows, what came out, and its main figure."""

from __future__ import annotations

from collections.abc import Sequence

from mpnet.record import Record
from mpnet.scenario.library import Shipped
from mpnet.story import sentences

LISTED = 40
"""Events told on a page, at most."""


def main_figure(record: Record) -> str:
    """The figure that says most about a run: that of its experiment, else convergence."""
    from mpnet.plots.contents import has_content

    if record.findings is not None and _has_figure(record.findings.experiment):
        return record.findings.experiment
    for name in ("confusion", "reconstructions"):
        if has_content(name, record):
            return name
    return "convergence"


def _has_figure(name: str) -> bool:
    from mpnet.plots import FIGURES

    return name in FIGURES


def page(shipped: Shipped, record: Record, figure: str | None) -> str:
    """One page in Markdown.

    Parameters
    ----------
    shipped : Shipped
        The scenario.
    record : Record
        A run of it.
    figure : str or None
        File name of its picture, beside the page.

    """
    lines = [f"# {shipped.name}", "", shipped.shows, "", record.description, ""]
    lines += ["```console", f"$ mpnet run {shipped.name}", "```", ""]
    if figure is not None:
        lines += [f"![{shipped.name}]({figure})", ""]
    told = [*sentences(record), *(record.findings.notes if record.findings else ())]
    lines += [f"- {_plain(text)}" for text in [record.verdict, *told, *record.notes]]
    if record.phases:
        lines += ["", *_events(record)]
    lines += ["", "| expected | got | |", "| --- | --- | --- |"]
    for claim in record.expectations:
        lines.append(
            f"| {_cell(claim.text)} | {_cell(claim.got)} | {'met' if claim.met else '**not met**'} |"
        )
    return "\n".join(lines) + "\n"


def _events(record: Record) -> list[str]:
    lines = ["| iteration | event | |  nats |", "| --- | --- | --- | --- |"]
    for event in record.events[:LISTED]:
        effect = "" if event.effect is None else f"{event.effect:+.2f}"
        lines.append(f"| {event.iteration} | {event.kind} | {_cell(event.text)} | {effect} |")
    return lines


def index(entries: Sequence[tuple[Shipped, str]]) -> str:
    """The table of contents, from scenarios and the names of their pages."""
    lines = ["# Gallery", "", "Made by `mpnet gallery`; every scenario is its own test.", ""]
    lines += ["| scenario | shows |", "| --- | --- |"]
    lines += [f"| [{one.name}]({name}) | {_cell(one.shows)} |" for one, name in entries]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    return text.replace("\n", " ")


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")
