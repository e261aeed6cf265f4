"""Messages and their ends: labels told apart into the nodes that they name."""

from __future__ import annotations

from collections.abc import Collection

ARROWS = (" → ", " -> ")


def split_names(text: str, known: Collection[str]) -> tuple[str, ...]:
    """Tell names joined by commas apart; empty where some of them are not known.

    A name may hold a comma itself, so the known ones decide.

    Parameters
    ----------
    text : str
        As ``cat, dog``.
    known : collection of str
        Names of nodes.

    """
    pieces = text.split(", ")
    most = 1 + max((name.count(", ") for name in known), default=0)
    names = set(known)
    best: list[tuple[str, ...] | None] = [None] * len(pieces) + [()]
    for start in range(len(pieces) - 1, -1, -1):
        for stop in range(start + 1, min(len(pieces), start + most) + 1):
            name, rest = ", ".join(pieces[start:stop]), best[stop]
            if rest is not None and name in names:
                best[start] = (name, *rest)
                break
    return best[0] or ()


def ends(label: str, known: Collection[str]) -> tuple[tuple[str, ...], str] | None:
    """Sources and target of a message from its label ``a, b → c``; None where they are unknown."""
    for arrow in ARROWS:
        at = label.find(arrow)
        while at >= 0:
            target = label[at + len(arrow) :]
            sources = split_names(label[:at], known) if target in known else ()
            if sources:
                return sources, target
            at = label.find(arrow, at + 1)
    return None
