"""``mpnet infer``: marginals or the partition sum of a model file, with a status."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mpnet.cli.output import print_error, print_result

if TYPE_CHECKING:
    from mpnet.answer import Result
    from mpnet.graph import FactorGraph
    from mpnet.interchange import Model

EXIT_NOT_CONVERGED, EXIT_INCONSISTENT = 4, 7
PAUSE = 10.0
"""Seconds between two words about a run that takes long."""

TRUST = {
    "flat": "Bethe approximation: the graph has loops",
    "clamped": "Bethe approximation: the graph has loops",
    "mixture": "sum of the Bethe approximations at all fixed points found",
    "region": "join-graph approximation",
    "trw": "tree-reweighted upper bound",
    "mean_field": "mean-field lower bound",
    "double_loop": "Bethe approximation: the graph has loops",
}
"""What log Z is, by estimator, where it is not exact."""

LISTED_STATES = 4
"""States of one variable that are told, at most."""


@click.command(name="infer")
@click.argument("model")
@click.option("--evidence", metavar="FILE", help="UAI evidence file.")
@click.option("--observe", multiple=True, metavar="VAR=STATE", help="Observe one more variable.")
@click.option(
    "--task",
    type=click.Choice(["MAR", "PR", "MPE", "MAP"], case_sensitive=False),
    default="MAR",
    help="Marginals, partition sum, or the likeliest states.",
)
@click.option("--estimator", default="flat", help="flat, exact, ... (mpnet list estimators).")
@click.option("--schedule", help="Order in which messages move (mpnet list schedules).")
@click.option("--damping", default="auto", help="Weight of the old message, in [0, 1), or auto.")
@click.option("--tolerance", type=float, help="Undamped residual to converge at, in nats.")
@click.option("--max-iterations", type=int, help="Sweeps before giving up.")
@click.option("--memory", metavar="SIZE", help="Most memory for tables, such as 2GB.")
@click.option("--i-bound", type=int, help="Most variables of a cluster.")
@click.option("--seed", type=int, help="Seed of every random choice.")
@click.option("--temperature", type=float, help="1 sums, 0 maximises; between: power means.")
@click.option("--dtype", help="float64 or float32.")
@click.option("--threads", type=int, help="Threads that share a sweep.")
@click.option("--starts", type=int, help="Starts of the estimator mixture.")
@click.option("--loss", type=float, help="Share of messages that get lost (asynchronous).")
@click.option("--delay", type=float, help="Mean delay of a message, in iterations (asynchronous).")
@click.option("--time-limit", type=float, help="Seconds for one run of propagation.")
@click.option("--on-failure", type=click.Choice(["stop", "ladder"]), help="If not converged.")
@click.option("--decoder", help="auto, argmax, decimation or reinforcement (MPE, MAP).")
@click.option("--certify", is_flag=True, help="Say before the run whether it must converge.")
@click.option("--bounds", is_flag=True, help="Bracket log Z: mean field below, TRW above.")
@click.option(
    "--evidence-format",
    type=click.Choice(["auto", "2014", "2010"]),
    default="auto",
    help="2014: pairs; 2010: the number of samples first.",
)
@click.option("--sample", type=int, help="Which sample of a 2010 evidence file, from 1.")
@click.option("--model-format", help="uai, fg or bif; else by name or content.")
@click.option("--out", metavar="PATH", help="File or folder for the answer.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["uai", "json"]),
    default="uai",
    help="What --out writes: UAI 2014 (.PR, .MAR, .MPE) or JSON.",
)
@click.option("--overwrite", is_flag=True, help="Let --out replace a file.")
@click.option("--allow-unconverged", is_flag=True, help="Exit 0, and write, though not converged.")
@click.option("--ask", multiple=True, metavar="VAR", help="Show this variable (repeatable).")
@click.option("--top", type=click.IntRange(0), default=20, help="Variables to show, at most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(model: str, **options: Any) -> int:
    """Infer on MODEL: a UAI, BIF or libDAI .fg file, - for standard input, or a shipped model.

    Exit codes: 0 converged, 3 a file at fault, 4 not converged, 5 can't write, 7 evidence that
    contradicts the model.
    """
    from mpnet.inference import infer
    from mpnet.interchange import read_model

    settings = _settings(options)
    target = _checked_target(model, options)
    read = read_model(model, options["model_format"])
    evidence = _evidence(read, options)
    asked = _asked(read, options["ask"])
    loud = not (options["quiet"] or options["as_json"])
    result = infer(
        read,
        evidence,
        task=options["task"],
        estimator=options["estimator"],
        certify=options["certify"],
        bounds=options["bounds"],
        observer=_observer(loud, read.graph),
        **settings,
    )
    code = _code(result, options["allow_unconverged"])
    if target is not None:
        _write(result, target, options)
    _tell(result, options, asked, code, target)
    return code


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    """What was given, as arguments of ``infer``."""
    from mpnet.inference import SETTINGS

    found = {name: options[name] for name in SETTINGS if options.get(name) is not None}
    found["damping"] = options["damping"]
    if options["memory"] is not None:
        found["memory"] = _bytes(options["memory"])
    return found


def _bytes(text: str) -> int:
    from mpnet.quantities import bytes_of

    try:
        return bytes_of(text)
    except ValueError as error:
        raise click.UsageError(f"--memory {text}: {error}") from None


def _evidence(read: Model, options: dict[str, Any]) -> Any:
    """Evidence of the file and of the options together, by index."""
    from mpnet.errors import GraphError
    from mpnet.interchange.evidence import observe, read_evidence
    from mpnet.interchange.files import read_bytes

    seen: dict[Any, Any] = {}
    if options["evidence"] is not None:
        name = options["evidence"]
        found = read_evidence(
            read_bytes(Path(name)),
            name,
            read.graph.cardinalities,
            dialect=options["evidence_format"],
            sample=options["sample"],
        )
        if found.note and not options["quiet"]:
            print_error(f"note: {found.note}")
        seen.update(found.states)
    for pair in options["observe"]:
        variable, equals, state = pair.partition("=")
        if not equals or not variable:
            raise click.UsageError(f"--observe {pair}: write VAR=STATE")
        for index, value in observe(read.graph, {variable: state}).items():
            if seen.setdefault(index, value) != value:
                raise GraphError(f"--observe {pair}: {variable!r} is observed in another state")
    return seen


def _asked(read: Model, names: tuple[str, ...]) -> list[int]:
    from mpnet.interchange.evidence import find_variable

    return [find_variable(read.graph, name) for name in names]


def _observer(loud: bool, graph: FactorGraph) -> Any:
    """Compile if need be, and say now and then how far a long run is."""
    from mpnet.messages import compile_kernels

    if not loud:
        compile_kernels(graph=graph)
        return lambda _: None
    compile_kernels(
        lambda: print_error("compiling kernels (first run on this machine, about 10 s) ..."),
        graph,
    )
    last, seen = time.monotonic(), 0

    def observer(snapshot: Any) -> None:
        nonlocal last, seen
        seen += 1
        if time.monotonic() - last > PAUSE:
            last = time.monotonic()
            print_error(f"{seen} iterations, residual {snapshot.residual:.1e} nats ...")

    return observer


def _code(result: Result, allow: bool) -> int:
    if result.status == "inconsistent":
        return EXIT_INCONSISTENT
    return 0 if result.converged or allow else EXIT_NOT_CONVERGED


def _checked_target(model: str, options: dict[str, Any]) -> Path | None:
    """Where ``--out`` writes; refused before anything is computed."""
    from mpnet.errors import OutputError

    if options["out"] is None:
        return None
    path = Path(options["out"])
    if path.is_dir() or options["out"].endswith("/"):
        task = "MPE" if options["task"] == "MAP" else options["task"]
        name = "model" if model == "-" else Path(model).name
        path = path / (f"{name}.{task}" if options["style"] == "uai" else f"{name}.{task}.json")
    if path.exists() and not options["overwrite"]:
        raise OutputError(f"{path} is there already; --overwrite replaces it")
    return path


def _write(result: Result, target: Path, options: dict[str, Any]) -> None:
    from mpnet.interchange.files import write_whole

    content = _content(result, options)
    if content is None:
        print_error(f"{target} was not written: the UAI formats have no place for a status")
        return
    if options["out"].endswith("/"):
        target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, content, options["overwrite"])


def _content(result: Result, options: dict[str, Any]) -> bytes | None:
    """What to write; nothing where a UAI file could not say how the run ended."""
    from mpnet.interchange.results import write_mar, write_mpe, write_pr

    if options["style"] == "json":
        return (_document(result) + "\n").encode()
    if not result.has_beliefs:
        return None
    if not (result.converged or options["allow_unconverged"]):
        return None
    if result.assignment is not None:
        return write_mpe(result.assignment)
    if result.task == "MAR":
        return write_mar(result.beliefs, result.graph.cardinalities)
    return None if result.log_z is None else write_pr(result.log_z)


def _document(result: Result) -> str:
    return json.dumps(result.to_json(), allow_nan=False, indent=1, ensure_ascii=False)


def _tell(
    result: Result, options: dict[str, Any], asked: list[int], code: int, target: Path | None
) -> None:
    if options["as_json"]:
        print_result(_document(result))
    if options["as_json"] or options["quiet"]:
        if code:
            print_error(result.reason)
        return
    for line in _summary(result):
        print_result(line)
    if result.has_beliefs:
        for line in _answer(result, options["top"], asked):
            print_result(line)
    if target is not None and target.exists():
        print_result(f"\nwrote {target}")


def _summary(result: Result) -> list[str]:
    """Status and reason; what was asked; log Z."""
    from mpnet.errors import shown

    graph, options = result.graph, result.options
    how = result.estimator
    if result.estimator != "exact":
        damping = result.damping
        how += f", {options.schedule}, damping "
        how += f"{damping:g}" if isinstance(damping, float) else damping
    lines = [
        result.reason,
        f"{shown(result.model.name)} · {len(graph.variables)} variables, {len(graph.factors)} factors "
        f"of two or more · {len(result.evidence)} observed · {result.task} by {how} · "
        f"{result.seconds:.2f} s",
    ]
    if result.log_z is not None and result.log10_z is not None:
        trust = "exact" if result.exact else TRUST.get(result.estimator, "an approximation")
        lines.append(f"log Z {result.log_z:.10g} nats, log10 Z {result.log10_z:.10g} ({trust})")
    elif result.log_score is not None:
        lines.append(f"log weight of the states {result.log_score:.10g} nats")
    elif result.has_beliefs:
        lines.append("log Z is withheld, and what follows is no answer: the run did not converge")
    if any(bound is not None for bound in result.bounds):
        low, high = ("?" if bound is None else f"{bound:.10g}" for bound in result.bounds)
        lines.append(f"log Z in [{low}, {high}] nats")
    if result.certificate:
        lines.append(f"before the run: {result.certificate}")
    return lines + [f"note: {note}" for note in result.notes]


def _answer(result: Result, top: int, asked: list[int]) -> list[str]:
    """Marginals (or states) of a few variables, and how many are not shown."""
    if result.task == "PR" and not asked:
        return []
    count = len(result.graph.variables)
    chosen = asked or _chosen(result, top)
    lines = [""]
    if len(chosen) < count:
        which = "asked for" if asked else "most certain"
        which += "" if asked or not result.evidence else ", without the observed"
        lines = [
            "",
            f"{len(chosen)} of {count} variables ({which}); the others: --ask NAME, --top N, "
            "--json, --out",
        ]
    names = [_short(result.graph.variables[v].name) for v in chosen]
    width = max(map(len, names), default=0)
    return lines + [
        f"  {n:<{width}}  {_row(result, v)}" for n, v in zip(names, chosen, strict=True)
    ]


def _chosen(result: Result, top: int) -> list[int]:
    """All variables where they are few; else those of which most is known."""
    import numpy as np

    starts = result.graph.arrays.variable_states[:-1]
    if starts.size <= top:
        return list(range(starts.size))
    sure = np.maximum.reduceat(result.beliefs, starts)
    sure[list(result.evidence)] = -1.0
    order = np.argsort(-sure, kind="stable")[:top].tolist()
    return [v for v in order if v not in result.evidence]


def _row(result: Result, variable: int) -> str:
    states = result.graph.variables[variable].states
    if variable in result.evidence:
        return f"{_short(states[result.evidence[variable]])}  (observed)"
    if result.assignment is not None:
        return _short(states[int(result.assignment[variable])])
    belief = result.beliefs[result.graph.states_of(variable)].tolist()
    order = list(range(len(states)))
    if len(states) > LISTED_STATES:
        order = sorted(order, key=lambda s: -belief[s])[:LISTED_STATES]
    cells = [f"{_short(states[s])} {_number(belief[s])}" for s in order]
    more = len(states) - len(order)
    return "   ".join(cells) + (f"   and {more} more" if more else "")


def _number(value: float) -> str:
    return f"{value:.6f}" if 1e-4 <= value <= 1.0 - 1e-4 else f"{value:.6g}"


def _short(name: str) -> str:
    from mpnet.errors import shown

    return shown(name, 30)
