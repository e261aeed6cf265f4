"""Names, numbers and sentences as the figures write them."""

from __future__ import annotations

import math

from mpnet.errors import shown
from mpnet.record import Record

MINUS = "\N{MINUS SIGN}"
INFINITY = "\N{INFINITY}"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def short(name: str, limit: int = 20) -> str:
    """Cut a name to ``limit`` characters; control characters are spelled out."""
    return shown(name, limit)


def middle(name: str, limit: int = 20) -> str:
    """Cut the middle out of a name, for names that begin alike often differ at the end."""
    clean = shown(name, 4 * limit)
    if len(clean) <= limit:
        return clean
    tail = (limit - 1) // 2
    return f"{clean[: limit - 1 - tail]}…{clean[len(clean) - tail :]}"


def short_edge(name: str, limit: int = 24) -> str:
    """Cut ``source -> target`` so that something of both names stays."""
    clean = shown(name, 4 * limit).replace(" -> ", "→").replace("->", "→")
    if len(clean) <= limit:
        return clean
    source, arrow, target = clean.partition("→")
    if not arrow:
        return shown(clean, limit)
    room = limit - 1
    left = max(room // 2, room - len(target))
    return f"{middle(source, left)}→{middle(target, max(room // 2, room - len(source)))}"


def nats(value: float, digits: int = 2, sign: bool = True) -> str:
    """Write a number of nats: ``+1.25``, ``−0.30``, ``−∞``; exactly 0 is ``0``."""
    if math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    mark = MINUS if value < 0 else "+" if sign else ""
    return mark + (INFINITY if math.isinf(value) else f"{abs(value):.{digits}f}")


def probability(value: float) -> str:
    """Write a probability with two digits, but never round to certainty."""
    if 0 < value < 1e-4:
        return power(math.floor(math.log10(value))) if value >= 1e-300 else "≈0"
    if 0 < value < 0.0095:
        return f"{value:.4f}".rstrip("0")
    return ">0.99" if 0.995 <= value < 1 else f"{value:.2f}"


def power(exponent: float) -> str:
    """Write a power of ten: ``10⁻³``."""
    return "10" + f"{round(exponent)}".translate(_SUPERSCRIPT)


def ordinal(number: int) -> str:
    """Write a place in a row: ``1st``, ``2nd``, ``3rd``, ``11th``."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def state_label(node: str, state: str, limit: int = 20) -> str:
    """Name a belief: the node alone for ``active``, else ``node = state``."""
    if state == "active":
        return middle(node, limit)
    half = max(4, limit // 2)
    return f"{middle(node, max(half, limit - 3 - len(state)))} = {short(state, half)}"


def headline(record: Record, what: str) -> str:
    """Title of a figure; says so when the run did not converge."""
    mark = "" if record.status == "converged" else "NOT CONVERGED · "
    return f"{mark}{short(record.scenario, 40)} · {what}"


def footer(record: Record) -> str:
    """Everything that a figure needs to be made again, on one line."""
    environment = record.environment
    parts = [
        f"scenario {short(record.scenario, 30)}",
        f"estimator {short(record.estimator)}",
        f"schedule {short(record.schedule)}",
        f"damping {record.damping:g}",
        f"tolerance {record.tolerance:g}",
        f"seed {record.seed}",
    ]
    if environment.get("mpnet"):
        parts.append(f"mpnet {short(environment['mpnet'])}")
    if environment.get("scenario_sha256"):
        parts.append(f"sha256 {short(environment['scenario_sha256'][:12], 12)}")
    return " · ".join(parts)


def alt_text(record: Record, limit: int = 8) -> str:
    """Describe a run in words, for readers who can't see the figure."""
    mark = "" if record.status == "converged" else "NOT CONVERGED: "
    verdict = shown(record.verdict, 200).rstrip(".")
    asked = [node for node in record.nodes if node.in_question and node.name in record.beliefs]
    parts = []
    for node in asked[:limit]:
        state, belief = leading(record, node.name)
        exact = (record.exact or {}).get(node.name, {}).get(state)
        tail = "" if exact is None else f" (exact {probability(exact)})"
        parts.append(f"{short(node.name, 30)} is {short(state, 30)} {probability(belief)}{tail}")
    if len(asked) > limit:
        parts.append(f"and {len(asked) - limit} more")
    if record.batch is not None:
        batch = record.batch
        parts.append(f"{batch.cases} cases, accuracy {batch.accuracy:.3f}")
    beliefs = f" Beliefs: {'; '.join(parts)}." if parts else ""
    return f"{short(record.scenario, 40)}: {mark}{verdict}.{beliefs}"


def leading(record: Record, node: str) -> tuple[str, float]:
    """Return the state that has most of a node's belief, and how much."""
    beliefs = record.beliefs[node]
    state = max(beliefs, key=lambda name: beliefs[name])
    return state, beliefs[state]
