"""``mpnet show``: a run again, or a scenario before it runs."""

from __future__ import annotations

from pathlib import Path

import click

from mpnet.cli.output import console, print_result
from mpnet.cli.plugging import plugin_option


@click.command(name="show")
@click.argument("run", default="latest")
@click.option("--node", help="Only this node: its belief over the iterations.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--explain-compile", is_flag=True, help="Say what the compile pass did.")
@plugin_option
def command(
    run: str, node: str | None, as_json: bool, explain_compile: bool, plugins: tuple[str, ...]
) -> None:
    """Show RUN: a run folder, a scenario that ran, latest (the default), or a scenario file.

    A scenario that has not run is shown with the feed-forward score of each model: its log-odds if
    all others were asleep.
    """
    from mpnet.errors import UsageError
    from mpnet.runs import find_run, read_run

    try:
        folder = find_run(run, Path("runs"))
    except UsageError as error:
        if run == "latest":
            raise
        _show_scenario(run, error, plugins)
        return
    record = read_run(folder)
    if as_json:
        from mpnet.runs import dump_json

        print_result(dump_json({**record.to_json(), "run_dir": str(folder)}))
    elif node is not None:
        _show_node(record, node)
    else:
        from mpnet.cli.telling import tell_record

        tell_record(console(), record, explain_compile)
        plots = sorted((folder / "plots").glob("*.png")) if (folder / "plots").is_dir() else []
        for path in plots:
            print_result(f"  figure {path}")


def _show_scenario(name: str, unfound: Exception, plugins: tuple[str, ...]) -> None:
    from mpnet.errors import UsageError
    from mpnet.scenario.library import open_scenario
    from mpnet.simulation.loading import check_scenario

    try:
        document = open_scenario(name)
    except UsageError:
        raise unfound from None
    scenario = check_scenario(document, plugins)
    society = scenario.society.as_written()
    print_result(f"{scenario.spec.name}: {scenario.spec.description}".rstrip(": "))
    seen = {n: o for n, o in scenario.seen.items() if n in society.nodes}
    asked = {n if n in society.nodes else n.rpartition("@")[0] for n in scenario.in_question}
    scores = society.scores(seen)
    for node, states in society.domains.items():
        said = [f"  {node}", society.types[node]]
        said += [", ".join(states)] if node not in scores else []
        said += [f"score {scores[node]:+.2f} nats"] if node in scores else []
        said += [f"seen: {seen[node].text}"] if node in seen else []
        said += [f"{len(scenario.spec.stream[node])} steps"] if node in scenario.spec.stream else []
        said += ["in question"] if node in asked else []
        print_result(" · ".join(part for part in said if part))
    for link in society.links:
        terms = zip(society.domains[link.target], link.log_ratio, strict=True)
        strengths = ", ".join(f"{state} {ratio:+.2f}" for state, ratio in terms)
        states = society.domains[link.source]
        phase = f" in {states[link.prediction.when]}" if society.nodes[link.source].in_time else ""
        print_result(f"  {link.source}{phase} → {link.target}: {strengths} nats")
    for cause in society.causes:
        state = society.domains[cause.target][1]
        how = f"{state}, with probability {cause.explanation.probability:g} by itself"
        print_result(f"  {cause.source} explains {cause.target}: {how}")


def _show_node(record: object, node: str) -> None:
    from mpnet.errors import UsageError
    from mpnet.names import suggestion
    from mpnet.record import Record

    assert isinstance(record, Record)  # noqa: S101 - for the type checker
    if node not in record.trace.nodes:
        raise UsageError(
            f"there is no node {node!r}; {suggestion(node, record.trace.nodes, 'nodes')}"
        )
    states = record.trace.states[record.trace.nodes.index(node)]
    print_result("iteration  estimator  " + "  ".join(states))
    curves = [record.trace.belief(node, state) for state in states]
    for row, estimator in enumerate(record.trace.estimator):
        cells = "  ".join(f"{curve[row]:.6f}" for curve in curves)
        print_result(f"{record.trace.iterations[row]:>9}  {estimator:<9}  {cells}")
