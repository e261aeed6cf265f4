"""The reason for a belief in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from mpnet.explanation import Explanation, Share, near
from mpnet.lifecycle.scoring import gain_of, score
from mpnet.nodes.base import ACTIVATION
from mpnet.simulation.naming import joined, shown_step
from mpnet.simulation.scene import Scene

WORTH = 0.05
"""Nats that are not worth a word in a headline."""
SPOKEN = ("evidence", "neighbour", "together")
"""Kinds of shares that can be a reason."""


def headline(scene: Scene, found: Explanation) -> str:
    """Who wins, by how much, and why: the largest support or protest."""
    told = shown_step(found.node)
    if found.forced:
        return _forced(scene, found, told)
    if _is_model(found):
        return _of_model(found, told)
    if found.log_odds >= 0.0:
        first = f"{told} is {found.state} rather than {found.against} ({found.log_odds:+.2f} nats)"
    else:
        first = f"{told} is {found.against} rather than {found.state} ({-found.log_odds:+.2f} nats)"
    if scene.society.nodes[found.node].kind == "choice":
        return f"{first}{_of_choice(found)}"
    mine, others = _reasons(found, 1), _reasons(found, -1)
    return f"{first}{_because(mine, others) if found.log_odds >= 0.0 else _because(others, mine)}"


def sleeping(scene: Scene, found: Explanation) -> str:
    """Why a model sleeps at the end of a run: its score, and what came of it."""
    lived = scene.lived
    assert lived is not None  # noqa: S101 - only a run along a timeline has sleepers
    guess = score(lived.population, found.node)
    told = [event for event in lived.events if event.node == found.node]
    went = [event for event in told if event.kind in ("retire", "refuse")]
    first = f"{shown_step(found.node)} is asleep (feed-forward score {guess:+.2f} nats)"
    if went:
        text = went[-1].text.removeprefix(f"{found.node} sleeps on: ")
        return f"{first}: {text.replace(f'{found.node} goes: ', 'it went, for ', 1)}"
    gain = gain_of(guess)
    asked = "" if scene.threshold is None else f" ({scene.threshold:g} are asked for)"
    why = f"it never woke, for waking it would raise log Z by {gain:.2g} nats{asked}"
    if scene.threshold is not None and gain > scene.threshold:
        why = "it never woke, though its score would do: the run ended before its turn"
    return f"{first}: {why}{_because_protest(found)}"


def _is_model(found: Explanation) -> bool:
    return (found.state, found.against) == ACTIVATION[::-1]


def _of_model(found: Explanation, told: str) -> str:
    supports, protests = _reasons(found, 1), _reasons(found, -1)
    if found.belief >= 0.5:
        return f"{told} is active (belief {near(found.belief)}){_because(supports, protests)}"
    first = f"{told} stays asleep (belief {near(found.belief)})"
    if not protests:
        prior = next((s.nats for s in found.shares if s.kind == "prior"), 0.0)
        if supports:
            return (
                f"{first}: {_said(supports[0])} is not enough against its prior ({prior:+.2f} nats)"
            )
        return f"{first}: nothing speaks for it against its prior ({prior:+.2f} nats)"
    return f"{first}{_because_protest(found)}"


def _of_choice(found: Explanation) -> str:
    """What each of the two rivals has by itself, and what else is worth a word."""
    rivals = (found.state, found.against) if found.log_odds >= 0.0 else (found.against, found.state)
    alone = [
        share
        for rival in rivals
        for share in found.shares
        if share.kind == "neighbour" and share.names == (rival,)
    ]
    more = [s for s in _reasons(found, 1) + _reasons(found, -1) if s not in alone]
    more = [s for s in more if abs(s.nats) > 0.2 * abs(found.log_odds)]
    words = [share.text for share in alone]
    words += [_said(share) for share in sorted(more, key=lambda s: -abs(s.nats))[:2]]
    return f": {joined(words)}" if words else ""


def _because_protest(found: Explanation) -> str:
    protests = _reasons(found, -1)
    if not protests:
        return ""
    worst = protests[0]
    if worst.without is None or len(worst.names) != 1:
        return f": {_verbal(worst)}"
    return f": {_verbal(worst)}; without {_who(worst)} its belief would be {near(worst.without)}"


def _because(mine: Sequence[Share], others: Sequence[Share]) -> str:
    """The largest reasons on this side, and the largest on the other."""
    if not mine:
        return ""
    text = ": " + " and ".join(_said(share) for share in mine[:2])
    if others and others[0].nats and abs(others[0].nats) > 0.2 * abs(mine[0].nats):
        text += f", against {_said(others[0])}"
    return text


def _reasons(found: Explanation, sign: int) -> list[Share]:
    shares = [
        s
        for s in found.shares
        if s.kind in SPOKEN
        and sign * s.nats > WORTH
        # What would change nothing by its absence is no reason.
        and (s.kind != "neighbour" or sign * (s.left_out or 0.0) > 0.0)
    ]
    return sorted(shares, key=lambda s: -abs(s.nats))


def _verbal(share: Share) -> str:
    """A share as a clause, with its verb."""
    if share.kind == "together":
        if "contradict" in share.text or "agree" in share.text:
            return f"{share.text}, {share.nats:+.2f} nats"
        return f"{_who(share)} together protest ({share.nats:+.2f} nats)"
    if share.kind == "evidence":
        return f"{share.text or _who(share)} speaks against it ({share.nats:+.2f} nats)"
    verb = "protests" if len(share.names) == 1 else "protest"
    return f"{_who(share)} {verb} ({share.nats:+.2f} nats)"


def _said(share: Share) -> str:
    """A share as a noun, with its size."""
    told = share.text if share.kind == "evidence" and share.text else _who(share)
    if share.kind == "together":
        told = f"{told} together"
    return f"{told} ({share.nats:+.2f} nats)"


def _who(share: Share) -> str:
    if share.text.endswith(" others"):
        return share.text
    return joined([shown_step(name) for name in share.names])


def _forced(scene: Scene, found: Explanation, told: str) -> str:
    winner = found.state if found.log_odds > 0 else found.against
    loser = found.against if found.log_odds > 0 else found.state
    if found.node in scene.done:
        return f"{told} is {winner}: that is what it is set to"
    own = next(
        (s for s in found.shares if s.kind in ("evidence", "prior") and s.names == (found.node,)),
        None,
    )
    if own is not None and own.kind == "evidence":
        return f"{told} is observed: {own.text.partition(': ')[2] or winner}"
    if own is not None:
        return f"{told} can't be {loser}: its prior rules that out"
    reasons = [s.text if s.kind == "evidence" else _who(s) for s in found.shares]
    kinds = {s.kind for s in found.shares}
    verb = "together rule that out" if kinds == {"together"} else "rule that out"
    if len(reasons) == 1 and kinds != {"together"}:
        verb = "rules that out"
    return f"{told} can't be {loser}: {joined(reasons)} {verb}"
