"""Why a node is believed: its log-odds as shares with names, and the reason in one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from mpnet.errors import GraphError, TooLargeError
from mpnet.estimators.explaining import EXACT_ENTRIES, Question, Split, split
from mpnet.estimators.surroundings import Manners, observed_state
from mpnet.explanation import KINDS, Explanation, Share
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray
from mpnet.nodes.base import ACTIVATION
from mpnet.nodes.explaining import noisy_ors
from mpnet.simulation.naming import named_shares, own_shares
from mpnet.simulation.reasons import headline, sleeping
from mpnet.simulation.scene import Scene, checked_node, checked_state
from mpnet.society import Society

CHEAP_NODES = 12
"""Nodes in question that a run explains by itself, at most."""
CHEAP_VARIABLES = 64
"""Variables of a graph of which a run explains nodes by itself, at most."""
CHEAP_ENTRIES = 2**12
"""Entries of a table on the way to a share, at most, where a run explains by itself."""
UNDERFLOW = 600.0
"""Nats from which a belief may be 0 as a number though it is not impossible."""
EQUAL = 1e-9
"""Nats by which an estimator may differ from the reference without a share of its own."""


@dataclass(frozen=True)
class Wanted:
    """What is asked about a node.

    ``state`` and ``against`` are None where they are to be chosen; ``limit`` is how many entries a
    table may have on the way to exact shares; ``clamped`` whether propagation may take over.
    """

    node: str
    state: str | None = None
    against: str | None = None
    limit: int = EXACT_ENTRIES
    clamped: bool = True


def explain(scene: Scene, wanted: Wanted) -> Explanation:
    """Split the log-odds of a node's belief.

    Parameters
    ----------
    scene : Scene
        The end of a run, which must not be inconsistent.
    wanted : Wanted
        The node and its two states. Left out, they are active against inactive, or the state that
        is believed most against the next one.

    Raises
    ------
    UsageError
        If there is no such node or state.
    TooLargeError
        If exact shares are out of reach and nothing else is wanted.
    GraphError
        If neither state is possible.

    """
    name = checked_node(scene, wanted.node)
    for state in (wanted.state, wanted.against):
        if state is not None:
            checked_state(scene, name, state)
    if name not in scene.graph.index and scene.lived is not None:
        return _asleep(scene, wanted)
    beliefs = scene.record.beliefs[name]
    state, against = chosen(beliefs, wanted.state, wanted.against)
    return _explained(scene, wanted, state, against)


def explain_in_question(scene: Scene, cheap: bool = False) -> tuple[Explanation, ...]:
    """Explanations of the nodes in question.

    Parameters
    ----------
    scene : Scene
        The end of a run.
    cheap : bool
        Only where it takes next to no time, and with exact shares.

    """
    names = [n.name for n in scene.record.nodes if n.in_question and n.states]
    if cheap and (len(names) > CHEAP_NODES or len(scene.graph.variables) > CHEAP_VARIABLES):
        return ()
    limit = CHEAP_ENTRIES if cheap else EXACT_ENTRIES
    found = []
    for name in names:
        if cheap and name not in scene.graph.index:
            continue
        try:
            found.append(explain(scene, Wanted(name, limit=limit, clamped=not cheap)))
        except (TooLargeError, GraphError):
            if not cheap:
                raise
    return tuple(found)


def chosen(beliefs: Mapping[str, float], state: str | None, against: str | None) -> tuple[str, str]:
    """Which two states are compared; see ``Wanted``."""
    ranked = sorted(beliefs, key=lambda s: -beliefs[s])
    if tuple(beliefs) == ACTIVATION and state is None and against is None:
        return ACTIVATION[1], ACTIVATION[0]
    if state is None:
        state = next((s for s in ranked if s != against), ranked[0])
    if against is None or against == state:
        against = next((s for s in ranked if s != state), state)
    return state, against


def _explained(scene: Scene, wanted: Wanted, state: str, against: str) -> Explanation:
    """The explanation of a node that has a variable in the scene's graph."""
    if state == against:
        return _only_one(wanted.node, state)
    beliefs = scene.record.beliefs[wanted.node]
    question = _question(scene, wanted, state, against)
    found = split(question)
    log_odds, remark = _reconciled(_log_odds(beliefs[state], beliefs[against]), found.total)
    shares = [*own_shares(scene, question, found), *named_shares(scene, question, found)]
    if math.isfinite(log_odds):
        shares += _of_estimator(scene, log_odds - math.fsum(s.nats for s in shares))
    explanation = Explanation(
        node=wanted.node,
        state=state,
        against=against,
        log_odds=log_odds,
        belief=beliefs[state],
        shares=_in_order(_with_beliefs(shares, log_odds, len(beliefs))),
        reference=found.reference,
        headline="",
        notes=(*_notes(scene, found), *remark),
    )
    return replace(explanation, headline=headline(scene, explanation))


def _asleep(scene: Scene, wanted: Wanted) -> Explanation:
    """The explanation of a model that sleeps: what it would be if it alone woke."""
    lived = scene.lived
    assert lived is not None  # noqa: S101 - by the caller
    population, name = lived.population, wanted.node
    state, against = chosen(dict.fromkeys(ACTIVATION, 0.5), wanted.state, wanted.against)
    population.wake(name)
    try:
        awake = replace(scene, graph=population.as_graph(), society=population.society)
        question = _question(awake, wanted, state, against)
        found = split(question)
        shares = [*own_shares(awake, question, found), *named_shares(awake, question, found)]
    finally:
        population.sleep(name)
    explanation = Explanation(
        node=name,
        state=state,
        against=against,
        log_odds=found.total,
        belief=_logistic(found.total),
        shares=_in_order(_with_beliefs(shares, found.total, len(ACTIVATION))),
        reference=found.reference,
        headline="",
        notes=("it sleeps, and so counts as inactive; told is what it would be if it woke",),
    )
    return replace(explanation, headline=sleeping(scene, explanation))


def _question(scene: Scene, wanted: Wanted, state: str, against: str) -> Question:
    graph = scene.graph
    variable = graph.index[wanted.node]
    states = graph.variables[variable].states
    return Question(
        graph=graph,
        variable=variable,
        state=states.index(state),
        against=states.index(against),
        manners=manners_of(scene.society, graph, wanted.node),
        beliefs=_in_a_row(graph, scene.record.beliefs),
        limit=wanted.limit,
        clamped=wanted.clamped,
    )


def _reconciled(run: float, reference: float) -> tuple[float, tuple[str, ...]]:
    """Log-odds (nats) that shares can add up to, and a remark where the run's are others."""
    if math.isfinite(run) and math.isfinite(reference):
        return run, ()
    if math.isfinite(reference):
        # Beyond some hundreds of nats a belief is 0 as a number, though it is not impossible.
        lost = math.isnan(run) or abs(reference) > UNDERFLOW
        return reference, () if lost else (f"the run's own log-odds are {run:+g}",)
    told = f"the run does not see what forces it: its own log-odds are {run:+.3g} nats"
    return reference, (told,) if math.isfinite(run) else ()


def manners_of(society: Society, graph: FactorGraph, name: str) -> Manners:
    """How the neighbours of a node are silent, and which are seen through.

    Others are seen through features that nobody observed, and through a choice between the node and
    its rivals. A prediction is silent if it is not there; a rival or a cause, if it is inactive.
    """
    variable = graph.index[name]
    choices = {n for n in _choosing(society) if n != name and name in society.domains[n]}
    leaves = {n for n in society.leaves() if society.nodes[n].kind == "feature"}
    through: set[int] = set()
    quiet: dict[tuple[int, int], int] = {}
    beside = {v for f in graph.factors_at[variable] for v in graph.factors[f].scope}
    for v in beside - {variable}:
        if graph.variables[v].name in leaves | choices and observed_state(graph, v) is None:
            through.add(v)
    hidden = frozenset(
        v for v, about in enumerate(graph.variables) if about.name not in society.domains
    )
    near = {f for v in {variable, *through, *hidden} for f in graph.factors_at[v]}
    if society.domains[name] == ACTIVATION or name not in _choosing(society):
        children = {k.name: token for token, k in noisy_ors(society.causes, society.bases).items()}
        abouts = {rule.name: rule.about for rule in society.rules if rule.about}
        for f in near:
            quiet |= dict(_quiet_in(society, graph, f, {**abouts, **children}, variable))
    return Manners(frozenset(through), hidden, quiet)


def _choosing(society: Society) -> set[str]:
    return {n for n, node in society.nodes.items() if node.kind == "choice"}


def _quiet_in(
    society: Society, graph: FactorGraph, number: int, abouts: Mapping[str, str], asked: int
) -> Iterator[tuple[tuple[int, int], int]]:
    """Who says nothing in a factor by being inactive."""
    factor = graph.factors[number]
    names = [graph.variables[v].name for v in factor.scope]
    if len(names) == 2 and factor.name in (" → ".join(names), " → ".join(names[::-1])):
        return
    for v, name in zip(factor.scope, names, strict=True):
        known = society.domains.get(name) == ACTIVATION
        if known and v != asked and abouts.get(factor.name) != name:
            yield (number, v), 0


def _in_a_row(graph: FactorGraph, beliefs: Mapping[str, Mapping[str, float]]) -> FloatArray:
    """Beliefs of all variables of a graph; those without a belief are uniform."""
    row = np.ones(graph.unary.size)
    for number, about in enumerate(graph.variables):
        found = beliefs.get(about.name)
        if found is not None:
            row[graph.states_of(number)] = [found[state] for state in about.states]
    return row


def _log_odds(state: float, against: float) -> float:
    if not (state >= 0.0 and against >= 0.0) or state == against == 0.0:
        return math.nan
    if against == 0.0:
        return math.inf
    return math.log(state) - math.log(against) if state > 0.0 else -math.inf


def _only_one(name: str, state: str) -> Explanation:
    text = f"{name} has only the state {state}"
    return Explanation(name, state, state, math.inf, 1.0, (), "exact", text)


def _notes(scene: Scene, found: Split) -> Iterator[str]:
    status = scene.record.status
    if status != "converged":
        yield f"the run did not converge ({status}): its beliefs can't be trusted"
    if found.reference == "clamped":
        yield "exact shares are out of reach: these come from propagation with the node held"
    if not found.settled:
        yield "propagation did not converge with the node held: nor can the shares"


def _of_estimator(scene: Scene, nats: float) -> list[Share]:
    """By how much the run differs from the reference, if it does."""
    if not abs(nats) > EQUAL:
        return []
    record = scene.record
    if record.status != "converged":
        text = "the run did not converge"
    elif record.estimator == "flat":
        text = "flat propagation counts a loop twice"
    else:
        text = f"by how much the estimator {record.estimator} differs from the reference"
    return [Share("estimator", (), nats, None, text)]


def _with_beliefs(shares: list[Share], log_odds: float, states: int) -> Iterator[Share]:
    """Shares with the belief that there would be without them; for two states alone."""
    for share in shares:
        if share.left_out is None or states != 2 or not math.isfinite(log_odds - share.left_out):
            yield share
            continue
        yield replace(share, without=_logistic(log_odds - share.left_out))


def _logistic(log_odds: float) -> float:
    """The probability that has these log-odds (nats)."""
    with np.errstate(over="ignore"):
        return float(1.0 / (1.0 + np.exp(-log_odds)))


def _in_order(shares: Iterator[Share]) -> tuple[Share, ...]:
    """By kind, and the largest first within each."""
    return tuple(sorted(shares, key=lambda s: (KINDS.index(s.kind), -abs(s.nats), s.names)))
