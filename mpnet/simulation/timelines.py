"""A timeline as it is checked: what happens at each moment, read and found possible."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from mpnet.errors import Fault
from mpnet.names import suggestion
from mpnet.nodes.base import ACTIVATION, NodeFaults, Observation
from mpnet.scenario.spec import Entry, ScenarioSpec
from mpnet.society import Society
from mpnet.unrolling import Unrolled, step_of

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Moment:
    """One moment of a run: everything in it happens at once.

    ``at`` is an iteration, or None for once all has settled; ``place`` is where it is written.
    """

    label: str
    at: int | None
    evidence: Mapping[str, Observation]
    withdraw: tuple[str, ...] = ()
    do: Mapping[str, int] | None = None
    undo: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    place: Path = ()


def added_nodes(spec: ScenarioSpec) -> dict[str, tuple[Mapping[str, object], Path]]:
    """Nodes that join later, each with where it is written; the first of those of one name."""
    found: dict[str, tuple[Mapping[str, object], Path]] = {}
    for number, entry in enumerate(spec.timeline):
        for name, keys in entry.add.items():
            found.setdefault(name, (keys, ("timeline", number, "add", name)))
    return found


def late_nodes(spec: ScenarioSpec, society: Society) -> dict[str, tuple[str, ...]]:
    """Nodes that join later, each with those that it brings and that nobody has by then."""
    late = {name: None for name in added_nodes(spec) if name not in spec.nodes}
    there = set(spec.nodes).union(
        *(society.nodes[n].brings(n) for n in spec.nodes if n in society.nodes)
    )
    found: dict[str, tuple[str, ...]] = {}
    for name in late:
        brought = society.nodes[name].brings(name) if name in society.nodes else {}
        found[name] = (name, *(n for n in brought if n not in there and n not in late))
        there |= set(found[name])
    return found


def library_of(spec: ScenarioSpec, society: Society) -> tuple[str, ...]:
    """Models that begin asleep and may wake and go, in the order of the society."""
    if spec.lifecycle is None:
        return ()
    late = {name for names in late_nodes(spec, society).values() for name in names}
    models = [n for n, s in society.domains.items() if s == ACTIVATION and n not in late]
    if spec.lifecycle.asleep == "all":
        return tuple(models)
    return tuple(n for n in models if n in set(spec.lifecycle.asleep))


def read_timeline(
    spec: ScenarioSpec,
    society: Society,
    seen: Mapping[str, Observation],
    missing: Collection[str],
    faults: list[Fault],
) -> tuple[Moment, ...]:
    """Every moment of a run, the start included; faults are added to ``faults``.

    Parameters
    ----------
    spec : ScenarioSpec
        With a timeline, a lifecycle, or both.
    society : Society
        With every node that there may ever be.
    seen : mapping of str to Observation
        Evidence at the start, and that of the stream.
    missing : collection of str
        Nodes that are there but faulty.
    faults : list of Fault
        What is wrong so far.

    """
    library = set(library_of(spec, society))
    faults += _unknown_sleepers(spec, society, missing)
    for name in spec.evidence:
        if name in library:
            faults.append(Fault(("evidence", name), *_ASLEEP(name), True))
    streamed = {n: o for n, o in seen.items() if step_of(n) and n not in spec.evidence}
    start = {n: o for n, o in seen.items() if n not in streamed}
    moments = [Moment("start", 0, start), *_inputs(streamed)]
    late = late_nodes(spec, society)
    walker = _Walker(society, library, missing, faults, set(start) | set(streamed), late)
    for name in spec.evidence:
        walker.is_there(name, ("evidence", name), True)
    faults += _late_in_time(spec, society, late)
    for number, entry in enumerate(spec.timeline):
        moments.append(walker.read(entry, ("timeline", number)))
    _clashing_labels(moments, faults)
    return tuple(moments)


def _late_in_time(spec: ScenarioSpec, society: Society, late: Mapping[str, object]) -> list[Fault]:
    """Whoever changes along the stream is there from its first step on."""
    temporal = society.temporal if isinstance(society, Unrolled) else ()
    places = added_nodes(spec)
    what = "{!r} changes along the stream, so it can't join later"
    return [
        Fault(places[name][1], what.format(name), "move it to nodes", True)
        for name in late
        if name in temporal
    ]


def _ASLEEP(name: str) -> tuple[str, str]:  # noqa: N802  two texts for one fault
    return (
        f"{name!r} may be asleep, and nothing can be seen of a sleeping model",
        "observe what it predicts, or leave it out of lifecycle.asleep",
    )


def _inputs(streamed: Mapping[str, Observation]) -> list[Moment]:
    """One moment for each step of the stream."""
    steps = sorted({step_of(name) or 0 for name in streamed})
    return [
        Moment(f"step {step}", None, {n: o for n, o in streamed.items() if step_of(n) == step})
        for step in steps
    ]


def _unknown_sleepers(
    spec: ScenarioSpec, society: Society, missing: Collection[str]
) -> list[Fault]:
    faults = []
    asleep = spec.lifecycle.asleep if spec.lifecycle is not None else "all"
    for number, name in enumerate([] if isinstance(asleep, str) else asleep):
        path: Path = ("lifecycle", "asleep", number)
        if name in missing:
            continue
        if name not in society.nodes:
            hint = suggestion(name, society.nodes, "nodes")
            faults.append(Fault(path, f"there is no node {name!r}", hint))
        elif society.domains[name] != ACTIVATION:
            faults.append(Fault(path, f"{name!r} can't be active or inactive, so it can't sleep"))
    return faults


def _clashing_labels(moments: Sequence[Moment], faults: list[Fault]) -> None:
    seen: set[str] = set()
    for moment in moments:
        if moment.label in seen:
            what = f"another moment is called {moment.label!r} already"
            faults.append(Fault((*moment.place, "label"), what, "labels must differ"))
        seen.add(moment.label)


class _Walker:
    """Reads entries one after another, and knows what is observed, done and absent by then."""

    def __init__(
        self,
        society: Society,
        library: set[str],
        missing: Collection[str],
        faults: list[Fault],
        observed: set[str],
        late: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.society, self.library, self.missing = society, library, set(missing)
        self.faults, self.observed, self.late = faults, observed, late
        self.done: set[str] = set()
        self.absent = {name for names in late.values() for name in names}
        self.gone: set[str] = set()
        self.joined: set[str] = set()
        self.now = 0

    def read(self, entry: Entry, path: Path) -> Moment:
        """One entry; what is wrong with it is added to the faults."""
        at = entry.at if isinstance(entry.at, int) else None
        if at is not None:
            if at < self.now:
                what = f"iteration {at} is past: what stands before happens at {self.now}"
                self._fault((*path, "at"), what, f"a later one, or settled ({self.now} or more)")
            self.now = max(self.now, at)
        # Who leaves makes room for who joins, not the other way round.
        remove = tuple(
            n for i, n in enumerate(entry.remove) if self._leave(n, (*path, "remove", i))
        )
        add = tuple(n for name in entry.add for n in self._join(name, path))
        withdraw = tuple(
            n for i, n in enumerate(entry.withdraw) if self._withdraw(n, (*path, "withdraw", i))
        )
        undo = tuple(n for i, n in enumerate(entry.undo) if self._undo(n, (*path, "undo", i)))
        evidence = self._observe(entry, path)
        do = self._do(entry, path)
        label = entry.label or f"moment {path[-1] + 1}"  # type: ignore[operator]
        return Moment(label, at, evidence, withdraw, do, undo, add, remove, path)

    def _fault(self, path: Path, what: str, hint: str = "", on_key: bool = False) -> bool:
        self.faults.append(Fault(path, what, hint, on_key))
        return False

    def is_there(self, name: str, path: Path, on_key: bool = False) -> bool:
        """Whether a node is there by now; a fault where it is not."""
        if name in self.missing:
            return False
        if name not in self.society.nodes:
            near = suggestion(name, self.society.nodes, "nodes")
            return self._fault(path, f"there is no node {name!r}", near, on_key)
        if name in self.absent:
            return self._fault(path, f"{name!r} has not joined by then", "add it before", on_key)
        if name in self.gone:
            return self._fault(path, f"{name!r} has left by then", "", on_key)
        return True

    def _join(self, name: str, path: Path) -> tuple[str, ...]:
        """Whoever joins under that name."""
        if name not in self.absent and (name not in self.missing or name in self.joined):
            what = f"{name!r} is there already"
            if name in self.gone or name in self.joined:
                what = f"{name!r} joined before, and a node joins once"
            self._fault((*path, "add", name), what, "another name", True)
            return ()
        self.joined.add(name)
        self.absent.difference_update(self.late[name])
        return () if name in self.missing else self.late[name]

    def _leave(self, name: str, path: Path) -> bool:
        if not self.is_there(name, path):
            return False
        self.gone.add(name)
        self.observed.discard(name)
        self.done.discard(name)
        return True

    def _withdraw(self, name: str, path: Path) -> bool:
        if not self.is_there(name, path):
            return False
        if name not in self.observed:
            return self._fault(
                path, f"{name!r} is not observed by then, so nothing can be withdrawn"
            )
        self.observed.discard(name)
        return True

    def _undo(self, name: str, path: Path) -> bool:
        if not self.is_there(name, path):
            return False
        if name not in self.done:
            return self._fault(path, f"{name!r} is not set by a do by then", "do it before")
        self.done.discard(name)
        return True

    def _observe(self, entry: Entry, path: Path) -> dict[str, Observation]:
        wanted = {}
        for name, value in entry.evidence.items():
            where = (*path, "evidence", name)
            if not self.is_there(name, where, True):
                continue
            if name in self.library:
                self._fault(where, *_ASLEEP(name), True)
            elif name in self.done:
                self._fault(where, f"{name!r} is set by a do", "undo it first", True)
            else:
                wanted[name] = value
        self.observed |= set(wanted)
        try:
            return self.society.observe(wanted)
        except NodeFaults as error:
            self.faults += [replace(f, path=(*path, "evidence", *f.path)) for f in error.faults]
        return {}

    def _do(self, entry: Entry, path: Path) -> dict[str, int]:
        found = {}
        for name, state in entry.do.items():
            where = (*path, "do", name)
            if not self.is_there(name, where, True):
                continue
            states = self.society.domains[name]
            if name in self.observed:
                self._fault(
                    where,
                    f"{name!r} is observed, and can't be set as well",
                    "withdraw it first",
                    True,
                )
            elif state not in states:
                near = suggestion(state, states, "states")
                self._fault(where, f"{name!r} has no state {state!r}", near)
            else:
                found[name] = states.index(state)
                self.done.add(name)
        return found
