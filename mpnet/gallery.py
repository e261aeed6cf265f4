"""Pages of the gallery: what a scenario shows, what came out, and all figures that apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mpnet.record import Record
from mpnet.scenario.library import Shipped
from mpnet.story import sentences

LISTED = 40
"""Events told on a page, at most."""

LINKED = 4
"""Pages that the index names for each figure, at most."""


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


def figures_of(record: Record) -> list[str]:
    """All figures that have something to show of a run, the one that says most first."""
    from mpnet.plots import FIGURES
    from mpnet.plots.contents import has_content

    first = main_figure(record)
    names = [name for name in FIGURES if has_content(name, record)]
    return sorted(names, key=lambda name: name != first)


def page(shipped: Shipped, record: Record, pictures: Mapping[str, str]) -> str:
    """One page in Markdown.

    Parameters
    ----------
    shipped : Shipped
        The scenario.
    record : Record
        A run of it.
    pictures : mapping of str to str
        By name of the figure, its file as seen from the page; the main one first.

    """
    from mpnet.plots import FIGURES

    lines = [f"# {shipped.name}", "", shipped.shows, "", record.description, ""]
    lines += ["```console", f"$ mpnet run {shipped.name}", "```", ""]
    for name, file in list(pictures.items())[:1]:
        lines += [f"## {name}", "", FIGURES[name], "", _picture(record, name, file), ""]
    lines += ["## What came out", ""]
    told = [*sentences(record), *(record.findings.notes if record.findings else ())]
    lines += [f"- {_plain(text)}" for text in [record.verdict, *told, *record.notes]]
    if record.phases:
        lines += ["", *_events(record)]
    lines += ["", "| expected | got | |", "| --- | --- | --- |"]
    for claim in record.expectations:
        lines.append(
            f"| {_cell(claim.text)} | {_cell(claim.got)} | {'met' if claim.met else '**not met**'} |"
        )
    for name, file in list(pictures.items())[1:]:
        lines += ["", f"## {name}", "", FIGURES[name], "", _picture(record, name, file)]
    return "\n".join(lines) + "\n"


def _picture(record: Record, name: str, file: str) -> str:
    from mpnet.plots.wording import alt_text

    said = alt_text(record).translate(str.maketrans("[]\n", "() "))
    return f"![{name}: {said}]({file})"


def _events(record: Record) -> list[str]:
    lines = ["| iteration | event | |  nats |", "| --- | --- | --- | --- |"]
    for event in record.events[:LISTED]:
        effect = "" if event.effect is None else f"{event.effect:+.2f}"
        lines.append(f"| {event.iteration} | {event.kind} | {_cell(event.text)} | {effect} |")
    return lines


def index(entries: Sequence[tuple[Shipped, str]], shown: Mapping[str, Sequence[str]]) -> str:
    """The table of contents.

    Parameters
    ----------
    entries : sequence of (Shipped, str)
        Scenarios and the names of their pages.
    shown : mapping of str to sequence of str
        By name of a figure, the scenarios whose pages show it.

    """
    from mpnet.plots import FIGURES

    lines = ["# Gallery", "", "Made by `mpnet gallery`; every scenario is its own test.", ""]
    lines += ["| scenario | shows |", "| --- | --- |"]
    lines += [f"| [{one.name}]({name}) | {_cell(one.shows)} |" for one, name in entries]
    lines += ["", "## Figures", "", "| figure | shows | drawn for |", "| --- | --- | --- |"]
    pages = {one.name: name for one, name in entries}
    for figure in FIGURES:
        found = [f"[{name}]({pages[name]}#{figure})" for name in shown.get(figure, ())]
        more = f" and {len(found) - LINKED} more" if len(found) > LINKED else ""
        lines.append(f"| {figure} | {FIGURES[figure]} | {', '.join(found[:LINKED])}{more} |")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    return text.replace("\n", " ")


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")
