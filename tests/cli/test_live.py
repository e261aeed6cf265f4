"""What ``mpnet run --live`` shows, on a terminal and elsewhere."""

import io
import math
import re

import pytest
from click.testing import CliRunner
from rich.console import Console

import mpnet
from mpnet.cli import live
from mpnet.cli.live import BLOCKS, KEPT, WIDTH, Line, LiveView
from mpnet.cli.main import group
from mpnet.simulation.running import Progress, run_scenario


def watched(scenario, terminal, width=110):
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=terminal, width=width, height=50, color_system=None, markup=False
    )
    view = LiveView(scenario, console)
    with view:
        record = run_scenario(scenario, Progress(watcher=view.watcher))
    still = Console(file=io.StringIO(), width=width, markup=False)
    still.print(view.picture())
    return out.getvalue(), still.file.getvalue(), record


def test_a_line_goes_from_nothing_to_the_top():
    line = Line()
    for value in (0.0, 0.25, 0.5, 1.0):
        line.add(value)
    assert line.drawn(1.0) == "▁▃▅██"
    assert line.drawn(2.0)[-1] == BLOCKS[4]


def test_a_long_line_keeps_its_ends_and_its_width():
    line = Line()
    for number in range(50 * KEPT):
        line.add(number / (50 * KEPT))
    assert len(line.values) <= KEPT
    assert line.values[0] == 0.0
    drawn = line.drawn(1.0)
    assert len(drawn) == WIDTH
    assert drawn[-1] == "█"
    assert list(drawn) == sorted(drawn, key=BLOCKS.index)


def test_the_picture_shows_who_is_believed_in_the_end():
    _, picture, record = watched(mpnet.load("purple_jar_seen"), terminal=True)
    for node in (n for n in record.nodes if n.in_question):
        row = next(r for r in picture.splitlines() if r.split()[:1] == [node.name])
        assert row.split()[-1] == f"{record.beliefs[node.name]['active']:.3g}"
        assert set(row.split()[-2]) <= set(BLOCKS)
    assert f"iteration {record.trace.last} · flat" in picture


def test_on_a_terminal_the_picture_is_redrawn_in_place():
    moving, _, _ = watched(mpnet.load("purple_jar"), terminal=True)
    assert "\x1b[" in moving  # the cursor moves
    assert "clamp purple, jar" in moving


def test_elsewhere_it_is_plain_text_with_every_event():
    plain, _, record = watched(mpnet.load("brain_paragraph"), terminal=False, width=300)
    assert "\x1b" not in plain
    lines = plain.splitlines()
    told = [event for event in record.events if event.kind != "converged"]
    assert len(lines) == len(told) + 1
    assert lines[-1].startswith(f"iteration {record.trace.last} · flat · residual 0.0e+00 nats")
    assert "nan" not in lines[-1]
    assert any("awaken" in line and "teapot wakes" in line for line in lines)


def test_a_long_run_says_where_it_stands(monkeypatch):
    monkeypatch.setattr(live, "PAUSE", 0.0)
    plain, _, record = watched(mpnet.load("purple_jar"), terminal=False)
    stands = [line for line in plain.splitlines() if line.startswith("iteration ")]
    assert len(stands) == record.trace.last + 2


def test_names_are_no_markup():
    nodes = {
        "f": {"type": "feature", "states": ["yes", "no"]},
        "x[red]": {"type": "model", "predicts": {"f": {"yes": 0.9}}},
    }
    scenario = mpnet.load("purple_jar", nodes=nodes, expect=[], inference={}, evidence={"f": "yes"})
    _, picture, _ = watched(scenario, terminal=True)
    assert "x[red]" in picture


def test_many_nodes_are_cut_and_said_to_be():
    nodes = {"f": {"type": "feature", "states": ["yes", "no"]}}
    nodes |= {f"m{i}": {"type": "model", "predicts": {"f": {"yes": 0.6}}} for i in range(30)}
    scenario = mpnet.load("purple_jar", nodes=nodes, expect=[], inference={}, evidence={"f": "yes"})
    _, picture, _ = watched(scenario, terminal=True)
    assert "16 of 30 nodes in question" in picture
    assert len([r for r in picture.splitlines() if re.match(r"\s+m\d+ ", r)]) == 16


@pytest.mark.parametrize("before", [0, 3])
def test_a_line_that_has_no_value_yet_is_low(before):
    line = Line()
    for _ in range(before):
        line.add(math.nan)
    line.add(1.0)
    assert line.drawn(1.0).endswith("█")


def test_the_command_tells_the_story_after_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["run", "purple_jar", "--live", "--no-plots"]
    done = CliRunner().invoke(group, arguments, standalone_mode=False)
    assert done.exception is None
    assert "clamp purple, jar" in done.stderr
    assert "stationary_dancing is ruled out" in done.stdout
    assert "clamp purple, jar" not in done.stdout
