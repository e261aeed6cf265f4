"""What a name may look like: it ends up in messages, figures, files and terminals."""

from __future__ import annotations

import difflib
import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator

NAME_LIMIT = 100

_LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТХаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABESIJKMHOPCTXaeopcyxijsABEZHIKMNOPTYXo"
)


def checked_name(name: str) -> str:
    """Return the name, NFC-normalised.

    Raises
    ------
    ValueError
        If it is empty, longer than 100 characters, starts or ends with a space, could be read
        as a path, or holds a character that can't be seen.

    """
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise ValueError("a name must have at least one character")
    if len(name) > NAME_LIMIT:
        raise ValueError(f"this name has {len(name)} characters; at most {NAME_LIMIT} are allowed")
    if name != name.strip():
        raise ValueError(f"{name!r} starts or ends with a space; leave it out")
    for character in name:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
            raise ValueError(
                f"the name holds U+{ord(character):04X}, which can't be seen; leave it out"
            )
    if name in (".", "..") or "/" in name or "\\" in name:
        raise ValueError(
            f"{name!r} could be read as a path; names hold no '/' or '\\' and are not '.' or '..'"
        )
    return name


Name = Annotated[str, AfterValidator(checked_name)]


def file_name(name: str) -> str:
    """A name as a file or folder: shortened and marked by a hash where a file system could object."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in name)
    if plain == name and len(name) <= 60 and not name.startswith("-"):
        return name
    return f"{plain[:50].lstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def lookalikes(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of different names that look the same in most fonts."""
    seen: dict[str, str] = {}
    pairs = []
    for name in names:
        folded = name.translate(_LOOKALIKES)
        if seen.setdefault(folded, name) != name:
            pairs.append((seen[folded], name))
    return pairs


class Suggestion(str):
    """A hint with the name that was given, and the one known name that it must have meant.

    ``instead`` is empty unless one known name is near, and no other nearly as near.
    """

    given: str = ""
    instead: str = ""


def suggestion(name: str, known: Iterable[str], kind: str = "known") -> str:
    """Say which known name was probably meant, and list the known ones if they are few.

    What is returned is a ``Suggestion``.
    """
    choices = [str(k) for k in known]
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.6)
    shown = ", ".join(choices[:12]) + (", ..." if len(choices) > 12 else "")
    text = f"{kind}: {shown}" if choices else f"{kind}: none"
    if close:
        text = f"did you mean {close[0]!r}? ({kind}: {shown})" if shown else ""
    found = Suggestion(text)
    found.given, found.instead = name, surely_meant(name, choices)
    return found


def surely_meant(name: str, known: Iterable[str]) -> str:
    """The one known name that differs from ``name`` by a slip of the pen; empty if there is none.

    A slip is another case, or one letter left out, added, changed or swapped with the next (two in
    names of 8 letters and more); names of fewer than 4 letters must differ in case only.
    """
    slips = 0 if len(name) < 4 else 1 if len(name) < 8 else 2
    near = sorted((_slips(name, other, slips + 1), other) for other in set(known))
    if not near or near[0][0] > slips:
        return ""
    if len(near) > 1 and near[1][0] <= min(near[0][0] + 1, slips):
        return ""
    return near[0][1]


def _slips(one: str, other: str, most: int) -> int:
    """Fewest letters to leave out, add, change or swap, whatever their case; ``most`` if as many."""
    a, b = one.casefold(), other.casefold()
    if abs(len(a) - len(b)) >= most:
        return most
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        longer = [i]
        for j, wanted in enumerate(b, start=1):
            cost = min(row[j] + 1, longer[-1] + 1, row[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            longer.append(cost)
        before, row = row, longer
    return min(row[-1], most)
