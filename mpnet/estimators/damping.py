"""Damping that is computed: none where none is needed, else the smallest that converges.

A damped step multiplies each mode of a small error by a + (1 - a) l, with l an eigenvalue of the
undamped step. Where undamped messages swing, strong damping finds the fixed point that they swing
around, the eigenvalues there say how little damping would do, and the run is done again with that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mpnet.estimators.base import Options
from mpnet.estimators.loop import propagate
from mpnet.estimators.verdicts import Outcome
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages

STRONG = (0.5, 0.9, 0.99)
"""Dampings that look for a fixed point, one after another."""

MARGIN = 0.1
"""Part of what is left to 1 that is added to the computed damping: at it, errors stay for ever."""

LARGEST = 200_000
"""Message entries for which eigenvalues are computed, at most."""


def propagate_auto(
    messages: Messages, options: Options, after_sweep: Callable[[float], None]
) -> Outcome:
    """Run undamped; where that fails, with the smallest damping that is computed to converge.

    Parameters
    ----------
    messages : Messages
        Where to start; holds the final messages afterwards.
    options : Options
        As for ``propagate``.
    after_sweep : callable
        Called with the residual after each sweep of every try.

    Returns
    -------
    Outcome
        Of the last try; ``damping`` is the one it used, ``notes`` tell the tries before.

    """
    start = messages.log_messages()
    outcome = propagate(messages, replace(options, damping=0.0), after_sweep)
    tries = [(0.0, outcome)]
    for damping in STRONG:
        if outcome.status in ("converged", "inconsistent"):
            break
        messages.restart(start)
        outcome = propagate(messages, replace(options, damping=damping), after_sweep)
        tries.append((damping, outcome))
    note = ""
    if outcome.status == "converged" and len(tries) > 1:
        note = _least(messages, options, tries, start, after_sweep)
    damping, outcome = tries[-1]
    told = ", ".join(f"{a:g} ({o.status.replace('_', ' ')})" for a, o in tries[:-1])
    notes = (f"damping tried before: {told}",) if told else ()
    return replace(
        outcome,
        damping=damping,
        notes=(*notes, note) if note else notes,
        iterations=sum(o.iterations for _, o in tries),
        updates=sum(o.updates for _, o in tries),
    )


def _least(
    messages: Messages,
    options: Options,
    tries: list[tuple[float, Outcome]],
    start: FloatArray,
    after_sweep: Callable[[float], None],
) -> str:
    """Run again with the least damping that the eigenvalues allow; what there is to say of it.

    The strong run's answer stays where the new one does not converge.
    """
    least = _smallest(messages)
    if least is None:
        return ""
    note = f"smallest damping that converges at this fixed point: {least:.3f}"
    damping = round(least + MARGIN * (1.0 - least), 3)
    if damping >= tries[-1][0]:
        return note
    found = messages.log_messages()
    messages.restart(start)
    outcome = propagate(messages, replace(options, damping=damping), after_sweep)
    tries.insert(-1 if outcome.status != "converged" else len(tries), (damping, outcome))
    if outcome.status != "converged":
        messages.restart(found)
    return note


def _smallest(messages: Messages) -> float | None:
    """The smallest damping at the present fixed point, or None where it is not to be had."""
    if messages.maximise or messages.to_variable.size > LARGEST:
        return None
    from mpnet.analysis.stability import smallest_damping

    return smallest_damping(messages)
