"""How runs, societies and scenarios show themselves: one line in a terminal, a table in a notebook.

The three classes inherit these; nothing here computes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from mpnet import markup
from mpnet.errors import shown
from mpnet.markup import Html

STATES = 3
"""States of a node with many, at most."""


class _Record(Protocol):
    """What a record is asked for."""

    @property
    def scenario(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def estimator(self) -> str: ...
    @property
    def schedule(self) -> str: ...
    @property
    def damping(self) -> float: ...
    @property
    def iterations(self) -> int: ...
    @property
    def log_z(self) -> float | None: ...
    @property
    def exact_log_z(self) -> float | None: ...
    @property
    def seed(self) -> int: ...
    @property
    def nodes(self) -> Sequence[Any]: ...
    @property
    def beliefs(self) -> Mapping[str, Mapping[str, float]]: ...
    @property
    def exact(self) -> Mapping[str, Mapping[str, float]] | None: ...
    @property
    def expectations(self) -> Sequence[Any]: ...
    @property
    def notes(self) -> Sequence[str]: ...
    @property
    def findings(self) -> Any: ...


class RecordDisplay:
    """A run in one line, and as headline, beliefs, notes and expectations."""

    __slots__ = ()

    def __repr__(self: _Record) -> str:
        """Name, verdict in a word, iterations, log Z, nodes."""
        log_z = "" if self.log_z is None else f", log Z {self.log_z:.6g} nats"
        unmet = sum(not claim.met for claim in self.expectations)
        claims = f", {unmet} of {len(self.expectations)} expectations not met" if unmet else ""
        return (
            f"<{type(self).__name__} {shown(self.scenario)}: {self.status} after "
            f"{self.iterations} iterations{log_z}, {len(self.nodes)} nodes{claims}>"
        )

    def _repr_html_(self: _Record) -> str:
        """For notebooks."""
        return run_html(self)


def run_html(record: _Record) -> Html:
    """A run as HTML: how it ended, what is believed, what to know about it."""
    kind = "good" if record.status == "converged" else "bad"
    unmet = [claim for claim in record.expectations if not claim.met]
    badges = [markup.badge(record.status, kind)]
    if record.expectations:
        met = len(record.expectations) - len(unmet)
        said = f"{met} of {len(record.expectations)} expectations met"
        badges.append(markup.badge(said, "bad" if unmet else "good"))
    method = f"{record.estimator} · {record.schedule} · damping {record.damping:g}"
    facts = [method, f"seed {record.seed}", *_log_z(record)]
    found = record.findings.notes if record.findings is not None else ()
    return markup.box(
        markup.headline(markup.text(record.scenario, 80), *badges),
        markup.element("div", markup.text(record.verdict, 500)),
        markup.quiet(markup.text(" · ".join(facts), 300)),
        _beliefs(record),
        markup.lines("Found", found),
        markup.lines("Notes", record.notes),
        markup.lines("Expectations not met", [f"{c.text} (got {c.got})" for c in unmet]),
    )


def _log_z(record: _Record) -> list[str]:
    known = [("log Z", record.log_z), ("exact", record.exact_log_z)]
    return [f"{name} {value:.6g} nats" for name, value in known if value is not None]


def _beliefs(record: _Record) -> Html:
    if not record.beliefs:
        return markup.quiet("no beliefs")
    nodes = [node for node in record.nodes if node.name in record.beliefs]
    nodes.sort(key=lambda node: (not node.in_question, node.kind == "feature"))
    rows = [row for node in nodes[: markup.ROWS] for row in _node_rows(record, node)]
    titles = ["node", "state", "", "belief", *(["exact"] if record.exact else [])]
    total = sum(len(_states(record.beliefs[node.name])) for node in nodes)
    return markup.table(titles, rows, (3, 4), total)


def _states(belief: Mapping[str, float]) -> list[str]:
    """The states to show: active alone, else the most believed."""
    if len(belief) == 2 and "active" in belief:
        return ["active"]
    return sorted(belief, key=lambda state: -belief[state])[:STATES]


def _node_rows(record: _Record, node: Any) -> Iterator[list[str]]:
    belief = record.beliefs[node.name]
    exact = (record.exact or {}).get(node.name, {})
    for number, state in enumerate(_states(belief)):
        seen = markup.joined(Html(" "), markup.badge("seen")) if node.evidence else Html("")
        name = markup.joined(markup.text(node.name, 40), seen) if number == 0 else Html("")
        cells = [
            name,
            markup.text(state, 30),
            markup.bar(belief[state]),
            number_text(belief[state]),
        ]
        yield cells + (
            [number_text(exact[state]) if state in exact else ""] if record.exact else []
        )


def number_text(value: float) -> str:
    """A probability that is never rounded to certainty."""
    return f"{value:.3f}" if 0.0005 <= value <= 0.9995 or value in (0.0, 1.0) else f"{value:.3g}"


class _Society(Protocol):
    """What a society is asked for."""

    @property
    def types(self) -> Mapping[str, str]: ...
    @property
    def domains(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def bases(self) -> Mapping[str, Any]: ...
    @property
    def links(self) -> Sequence[Any]: ...
    @property
    def rules(self) -> Sequence[Any]: ...
    @property
    def causes(self) -> Sequence[Any]: ...


class SocietyDisplay:
    """A society in one line, and as its nodes and what predicts what."""

    __slots__ = ()

    def __repr__(self: _Society) -> str:
        """How many of what."""
        return f"<Society: {_counts(self)}>"

    def _repr_html_(self: _Society) -> str:
        """For notebooks."""
        head = markup.headline("Society")
        return markup.box(head, markup.quiet(_counts(self)), society_html(self))


def _counts(society: _Society) -> str:
    kinds = Counter(society.types[name] for name in society.domains)
    nodes = ", ".join(f"{count} {shown(kind, 30)}" for kind, count in kinds.items())
    counts = [f"{len(society.domains)} nodes ({nodes})", f"{len(society.links)} predictions"]
    counts += [f"{len(society.causes)} explanations"] if society.causes else []
    counts += [f"{len(society.rules)} rules"] if society.rules else []
    return ", ".join(counts)


def society_html(society: _Society) -> Html:
    """The nodes of a society and its predictions, as two tables."""
    nodes = [_society_row(society, name) for name in list(society.domains)[: markup.ROWS]]
    rows = [_link_row(society, link) for link in society.links[: markup.ROWS]]
    tables = markup.table(("node", "type", "states"), nodes, (), len(society.domains))
    if rows:
        titles = ("prediction", "log ratio of each state to its base rate (nats)")
        tables = markup.joined(tables, markup.table(titles, rows, (), len(society.links)))
    return tables


def _society_row(society: _Society, name: str) -> list[str]:
    states = society.domains[name]
    base = society.bases.get(name)
    shares = [] if base is None else [number_text(float(b)) for b in base[: len(states)]]
    said = ", ".join(f"{s} {p}" for s, p in zip(states[:8], shares)) or "data"
    more = f", {len(states) - 8} more" if len(states) > 8 else ""
    return [markup.text(name, 40), markup.text(society.types[name], 30), markup.text(said + more)]


def _link_row(society: _Society, link: Any) -> list[str]:
    """A prediction: the log ratio of each state that it moves, the largest first."""
    pair = f"{shown(link.source, 40)} → {shown(link.target, 40)}"
    terms = zip(society.domains[link.target], map(float, link.log_ratio))
    ranked = sorted(terms, key=lambda term: -term[1])
    said = ", ".join(f"{shown(state, 30)} {ratio:+.2f}" for state, ratio in ranked[:4])
    more = f", {len(ranked) - 4} more" if len(ranked) > 4 else ""
    return [markup.text(pair, 90), markup.text(said + more)]


class ComparisonDisplay:
    """A comparison in one line, and as what differs in the scenario and in the beliefs."""

    __slots__ = ()

    def __repr__(self: Any) -> str:
        """Whether the answers are the same, and how many beliefs are not."""
        pair = f"{shown(self.before)} → {shown(self.after)}"
        if self.same:
            return f"<Comparison {pair}: same answers within {self.tolerance:g}>"
        count = f"{len(self.differing)} of {len(self.beliefs)} beliefs differ"
        return f"<Comparison {pair}: {count}, {len(self.overtaken)} other winners>"

    def _repr_html_(self: Any) -> str:
        """For notebooks."""
        return comparison_html(self)


def comparison_html(found: Any) -> Html:
    """What differs between two runs, as HTML."""
    verdict = "same answers" if found.same else f"{len(found.differing)} beliefs differ"
    rows = [_moved_row(belief) for belief in found.differing[: markup.ROWS]]
    runs = [shown(label, 24) for label in (found.before, found.after)]
    titles = ("node", "state", *runs, "total variation", "other winner")
    table = markup.table(titles, rows, (2, 3, 4), len(found.differing)) if rows else Html("")
    return markup.box(
        markup.headline(
            markup.text(f"{found.before} → {found.after}", 120),
            markup.badge(verdict, "good" if found.same else "plain"),
        ),
        markup.lines("Scenario", [_change(change) for change in found.settings]),
        markup.lines("Outcome", [_change(change) for change in found.outcome]),
        table,
    )


def _change(change: Any) -> str:
    ends = [end for end in (change.before, change.after) if end is not None]
    words = [shown(f"{end:.6g}" if isinstance(end, float) else str(end)) for end in ends]
    return f"{change.path} {change.kind}: {' → '.join(words)}"


def _moved_row(belief: Any) -> list[str]:
    state = belief.moved
    ends = (beliefs.get(state) for beliefs in (belief.before, belief.after))
    cells = [markup.text(belief.node, 40), markup.text(state, 30)]
    cells += [Html("–") if end is None else Html(number_text(end)) for end in ends]
    winners = " → ".join(shown(winner, 30) for winner in belief.winners)
    won = winners if belief.overtaken else ""
    return [*cells, Html(f"{belief.total_variation:.3g}"), markup.text(won)]


class ExplanationDisplay:
    """An explanation in one line, and as a table of its shares."""

    __slots__ = ()

    def __repr__(self: Any) -> str:
        """Whose belief it is, and the sum."""
        pair = f"{shown(self.node)}: {shown(self.state)} against {shown(self.against)}"
        return f"<Explanation {pair}, {self.log_odds:+.4f} nats, {len(self.shares)} shares>"

    def _repr_html_(self: Any) -> str:
        """For notebooks."""
        return explanation_html(self)


def explanation_html(found: Any) -> Html:
    """The shares of a belief, as HTML."""
    rows = [
        [
            markup.text(share.kind),
            markup.text(", ".join(share.names), 60),
            markup.text(f"{share.nats:+.4f}"),
            markup.text("" if share.without is None else f"{share.without:.3g}"),
            markup.text(share.text, 120),
        ]
        for share in found.shares[: markup.ROWS]
    ]
    titles = ("share", "of", "nats", "belief without", "")
    return markup.box(
        markup.headline(markup.text(found.headline, 200)),
        markup.table(titles, rows, (2, 3), len(found.shares)),
        markup.quiet(
            markup.text(
                f"sum {found.log_odds:+.4f} nats, belief {found.belief:.3g}, "
                f"shares {found.reference}"
            )
        ),
        markup.lines("Notes", list(found.notes)),
    )


class _Scenario(Protocol):
    """What a scenario is asked for."""

    @property
    def spec(self) -> Any: ...
    @property
    def society(self) -> Any: ...
    @property
    def seen(self) -> Mapping[str, Any]: ...
    @property
    def in_question(self) -> tuple[str, ...]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def cases(self) -> Sequence[Any]: ...
    @property
    def timeline(self) -> Sequence[Any]: ...


class ScenarioDisplay:
    """A scenario in one line, and as its description, evidence, settings and society."""

    __slots__ = ()

    def __repr__(self: _Scenario) -> str:
        """Name, size, how much is seen."""
        return (
            f"<Scenario {shown(self.spec.name)}: {_counts(self.society.as_written())}, "
            f"{len(self.seen)} seen, {len(self.in_question)} in question>"
        )

    def _repr_html_(self: _Scenario) -> str:
        """For notebooks."""
        return scenario_html(self)


def scenario_html(scenario: _Scenario) -> Html:
    """A scenario before it runs."""
    spec, inference = scenario.spec, scenario.spec.inference
    society = scenario.society.as_written()
    settings = [inference.estimator, inference.schedule, f"damping {_plain(inference.damping)}"]
    settings += [f"tolerance {inference.tolerance:g}", f"seed {inference.seed}"]
    settings += [f"experiment {spec.experiment['type']}"] if spec.experiment else []
    settings += [f"{len(scenario.cases)} cases"] if scenario.cases else []
    settings += [f"{len(scenario.timeline)} moments"] if scenario.timeline else []
    seen = [f"{shown(n, 60)}: {observed.text}" for n, observed in scenario.seen.items()]
    asked = [markup.badge(shown(name, 40)) for name in scenario.in_question[: markup.ROWS]]
    left = len(scenario.in_question) - len(asked)
    return markup.box(
        markup.headline(markup.text(spec.name, 80)),
        markup.element("div", markup.text(spec.description, 1000)),
        markup.quiet(markup.text(" · ".join(settings), 300)),
        markup.lines("Evidence", seen),
        _asked(asked, left),
        markup.lines("Notes", scenario.notes),
        markup.quiet(_counts(society)),
        society_html(society),
    )


def _plain(damping: float | str) -> str:
    return damping if isinstance(damping, str) else f"{damping:g}"


def _asked(asked: Sequence[Html], left: int) -> Html:
    if not asked:
        return Html("")
    spaced = markup.joined(*(markup.joined(Html(" "), one) for one in asked))
    more = f" and {left} more" if left else ""
    return markup.element("div", markup.joined("In question:", spaced, more), "margin:6px 0")
