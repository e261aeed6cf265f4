"""``mpnet show``: a run again, or a scenario before it runs."""

from __future__ import annotations

from pathlib import Path

import click

from mpnet.cli.output import console, print_result


@click.command(name="show")
@click.argument("run", default="latest")
@click.option("--node", help="Only this node: its belief over the iterations.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--explain-compile", is_flag=True, help="Say what the compile pass did.")
def command(run: str, node: str | None, as_json: bool, explain_compile: bool) -> None:
    """Show RUN: a run folder, a scenario that ran, or latest (the default)."""
    from mpnet.runs import find_run, read_run

    folder = find_run(run, Path("runs"))
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
        print_result(f"{row:>9}  {estimator:<9}  {cells}")
