"""The shares of a belief with names and words: what was seen, who supports it and who protests."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from mpnet.errors import shown
from mpnet.estimators.explaining import NOTHING, Question, Split, Term
from mpnet.explanation import Share, near
from mpnet.kernels.layout import FloatArray
from mpnet.nodes.base import ACTIVATION
from mpnet.record import Compatibility
from mpnet.simulation.scene import Scene
from mpnet.unrolling import step_of

SLIGHT = 0.05
"""Nats of compatibility that are not worth a word."""
MANY = 6
"""Names in a row, at most."""


def own_shares(scene: Scene, question: Question, found: Split) -> list[Share]:
    """Prior, what was observed of the node itself, and what those who sleep say."""
    own = next((t for t in found.terms if t.kind == "own"), None)
    if own is None:
        return []
    name = question.graph.variables[question.variable].name
    shares = _own_parts(scene, question, name)
    if not math.isfinite(own.nats):
        shares = [s for s in shares if s.nats == own.nats] or [Share("prior", (name,), own.nats)]
    left = own.nats - math.fsum(s.nats for s in shares)
    if math.isfinite(left) and abs(left) > NOTHING:
        shares.append(Share("evidence", (name,), left, left, "what else is known of it"))
    return shares


def _own_parts(scene: Scene, question: Question, name: str) -> list[Share]:
    society, shares = scene.society, []
    if name in scene.done:
        text = f"{shown_step(name)} is set to {scene.done[name]}"
        return [
            Share(
                "evidence",
                (name,),
                _between(question, question.graph.unary_of(question.variable)),
                None,
                text,
            )
        ]
    if all(cause.target != name for cause in society.causes):
        nats = _between(question, society.nodes[name].unary(society))
        if nats or society.domains[name] == ACTIVATION:
            shares.append(Share("prior", (name,), nats, None, "before any evidence"))
    for names, logs, text in _observed(scene, name):
        nats = _between(question, logs)
        shares.append(Share("evidence", names, nats, _finite(nats), text))
    for others, logs in scene.said_by_sleepers(name).items():
        nats = _between(question, logs)
        if nats:
            text = f"{others} sleeps" if "," not in others else "they sleep"
            shares.append(Share("neighbour", (others,), nats, _finite(nats), text))
    return shares


def _observed(scene: Scene, name: str) -> Iterator[tuple[tuple[str, ...], FloatArray, str]]:
    """What was observed of a node itself, and of data that it looks at."""
    society, node = scene.society, scene.society.nodes[name]
    own = scene.seen.get(name)
    if own is not None and own.log_likelihood is not None:
        yield (name,), own.log_likelihood, seen_as(scene, name)
    logs = node.log_likelihood(scene.seen, society)
    if logs is not None:
        data = tuple(r.name for r in node.references() if r.name in scene.seen)
        text = "; ".join(seen_as(scene, n) for n in data) or "the data that it looks at"
        yield data or (name,), np.asarray(logs), text


def named_shares(scene: Scene, question: Question, found: Split) -> list[Share]:
    """Everything that comes from other nodes."""
    shares = []
    for term in found.terms:
        if term.kind == "own":
            continue
        names = tuple(question.graph.variables[v].name for v in term.members)
        share = _share(scene, question, term, names)
        if abs(share.nats) > NOTHING or share.kind == "evidence" or share.left_out:
            shares.append(share)
    return shares


def _share(scene: Scene, question: Question, term: Term, names: tuple[str, ...]) -> Share:
    about = question.graph.variables[question.variable].name
    left_out = None if term.left_out is None or abs(term.left_out) <= NOTHING else term.left_out
    nats = 0.0 if abs(term.nats) <= NOTHING else term.nats
    if term.kind == "fixed":
        seen = tuple(n for n in names if n in scene.seen or n in scene.done)
        kind, names = ("evidence", seen) if seen else ("neighbour", names)
        text = "; ".join(seen_as(scene, n) for n in names[:MANY]) if seen else "whatever it is"
        return Share(kind, names, nats, left_out, text)
    society = scene.society
    known = tuple(n for n in names if n in society.domains) or names
    if term.kind == "alone" and len(known) == 1 and _seen_feature(scene, known[0]):
        return Share("evidence", known, nats, left_out, seen_as(scene, known[0]))
    if term.kind == "alone" and len(known) == 1:
        return Share(
            "neighbour", known, nats, left_out, _alone(scene, question, nats, left_out, known[0])
        )
    if term.kind == "others":
        return Share("neighbour", known, nats, left_out, f"{term.count} others")
    if term.kind == "alone":
        return Share("neighbour", known, nats, left_out, f"{stance(nats, left_out)}as one")
    return Share("together", known, nats, left_out, _together(scene, about, known, nats))


def _alone(
    scene: Scene, question: Question, nats: float, left_out: float | None, other: str
) -> str:
    """What a neighbour does, and how."""
    about = question.graph.variables[question.variable]
    if scene.society.nodes[about.name].kind == "choice" and other in about.states:
        if other == about.states[question.state]:
            return f"{other} by itself has {nats:+.2f} nats"
        if other == about.states[question.against]:
            return f"{other} by itself has {-nats:+.2f} nats"
        return "another rival"
    return f"{stance(nats, left_out)}{manner(scene, about.name, other)}"


def stance(nats: float, left_out: float | None) -> str:
    """Whether a neighbour speaks for the state, taken with the others where alone it says nothing."""
    told = nats if abs(nats) > NOTHING or left_out is None else left_out
    return "supports it, " if told > NOTHING else "protests, " if told < -NOTHING else ""


def manner(scene: Scene, about: str, other: str) -> str:
    """How a neighbour speaks to a node, in a few words."""
    society = scene.society
    outgoing = {k.target for k in society.links if k.source == other}
    own = {k.target for k in society.links if k.source == about}
    if about in outgoing:
        return f"predicts it{_belief_of(scene, other)}"
    if other in own:
        return f"is predicted by it{_belief_of(scene, other)}"
    causes = {c.target for c in society.causes if c.source == other}
    shared = sorted(
        (own & outgoing) | (causes & {c.target for c in society.causes if c.source == about})
    )
    shared = [t for t in shared if t in causes or not _certain(scene, t)]
    if step_of(about) is not None and other.rpartition("@")[0] == about.rpartition("@")[0]:
        when = "next" if (step_of(other) or 0) > (step_of(about) or 0) else "last"
        return f"its own {when} step{_belief_of(scene, other)}"
    if about in causes:
        return f"explains it{_belief_of(scene, other)}"
    if shared:
        verb = "explains" if causes.issuperset(shared) else "speaks of"
        return f"{verb} {joined(shared)} too{_belief_of(scene, other)}"
    rules = [r for r in society.rules if other in r.scope]
    for rule in rules:
        owner = rule.by or rule.scope[0]
        ruled = {n for r in society.rules if (r.by or r.scope[0]) == owner for n in r.scope}
        if about in ruled:
            return f"by the rule of {shown_step(owner)}{_belief_of(scene, other)}"
    return f"a neighbour{_belief_of(scene, other)}"


def _seen_feature(scene: Scene, name: str) -> bool:
    """Whether a node is a feature of which something was observed, if not for certain."""
    return name in scene.seen and scene.society.nodes[name].kind == "feature"


def _certain(scene: Scene, name: str) -> bool:
    """Whether what was observed of a node leaves one state."""
    logs = scene.seen[name].log_likelihood if name in scene.seen else None
    return logs is not None and int((logs > -np.inf).sum()) == 1


def _belief_of(scene: Scene, name: str) -> str:
    beliefs = scene.record.beliefs.get(name, {})
    if not beliefs:
        return ""
    state = "active" if "active" in beliefs else max(beliefs, key=lambda s: beliefs[s])
    told = "" if state == "active" else f"{state} "
    return f" (believed {told}{near(beliefs[state])})"


def seen_as(scene: Scene, name: str) -> str:
    """A node with what was observed of it: ``wings: not seen``."""
    if name in scene.done:
        return f"{shown_step(name)} set to {scene.done[name]}"
    if name not in scene.seen:
        return shown_step(name)
    text = scene.seen[name].text
    if scene.society.domains.get(name) == ("no", "yes"):
        text = {"no": "not seen", "yes": "seen"}.get(text, text)
    return f"{shown_step(name)}: {text}"


def shown_step(name: str) -> str:
    """A name, cut where it is very long, with the step of a stream in words."""
    step = step_of(name)
    return shown(name) if step is None else f"{shown(name.rpartition('@')[0])} at step {step}"


def joined(names: Sequence[str]) -> str:
    """Names in a sentence: ``a, b and c``."""
    if len(names) > MANY:
        return f"{', '.join(names[:MANY])} and {len(names) - MANY} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _together(scene: Scene, about: str, names: tuple[str, ...], nats: float) -> str:
    """Why several say more or less together than each alone."""
    society = scene.society
    models = {n for n in names if society.domains.get(n) == ACTIVATION}
    if not 1 < len(models) <= MANY:
        return "together, beyond what each says alone"
    found = society.compatibility(among=models)
    # What two say of the node itself they say alone already.
    told = clash(found, names, nats, about)
    if told:
        return told
    return "together, more than each alone" if nats > 0 else "together, less than each alone"


def clash(found: Compatibility, names: Iterable[str], nats: float, about: str) -> str | None:
    """Of the pairs that explain the sign of a share, the strongest one in words."""
    places = [found.names.index(n) for n in names if n in found.names]
    pairs = []
    for a in places:
        for b in places:
            shared = {t: m[a][b] for t, m in found.by_target.items() if t != about}
            c = math.fsum(shared.values()) if -math.inf not in shared.values() else -math.inf
            if a < b and abs(c) > SLIGHT and (c > 0) == (nats > 0):
                pairs.append((abs(c), c, a, b, [t for t, v in shared.items() if abs(v) > SLIGHT]))
    if not pairs:
        return None
    _, c, a, b, where = max(pairs, key=lambda pair: (pair[0], -pair[2], -pair[3]))
    verb = "contradict each other" if c < 0 else "agree"
    return f"{found.names[a]} and {found.names[b]} {verb} about {joined(where)} (C = {c:+.2f})"


def _between(question: Question, logs: FloatArray) -> float:
    one, other = float(logs[question.state]), float(logs[question.against])
    return 0.0 if one == other else one - other


def _finite(nats: float) -> float | None:
    return nats if math.isfinite(nats) else None
