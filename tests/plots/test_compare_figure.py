"""The figure of two and more runs, plausible and awkward."""

from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import builders
import numpy as np
import pytest
from test_figures import HOSTILE, boxes, overlapping, renamed, texts

from mpnet.comparing import Side, compare
from mpnet.plots import compare as figure_of
from mpnet.plots import style

RECORD = builders.purple_jar()


def moved(record, shift=0.3):
    """The same record with every belief pulled towards the second state."""
    beliefs = {}
    for node, belief in record.beliefs.items():
        states = list(belief)
        mixed = {s: (1 - shift) * p for s, p in belief.items()}
        mixed[states[1 % len(states)]] += shift
        beliefs[node] = mixed
    return replace(record, beliefs=beliefs)


def draw(*records, labels=None):
    names = labels or [f"run {number}" for number in range(len(records))]
    sides = [Side(name, record, {}) for name, record in zip(names, records)]
    found = [compare(sides[0], side) for side in sides[1:]]
    figure = figure_of.draw(sides, found)
    with style.context():
        figure.canvas.draw()
    return figure, found


def said(figure):
    return [text.get_text() for text in texts(figure)]


@pytest.mark.parametrize("record", [RECORD, builders.one_node(), builders.many_nodes(100)])
def test_draws_and_saves_the_same_bytes_again(record, tmp_path):
    first = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        figure, found = draw(record, moved(record))
        paths = figure_of.save(figure, tmp_path / folder / "compare", found, ("png", "svg"))
        first.append([path.read_bytes() for path in paths])
    assert first[0] == first[1]


def test_nodes_that_differ_most_come_first():
    other = moved(RECORD, 0.0)
    belief = {"inactive": 1.0, "active": 0.0}
    other = replace(other, beliefs={**other.beliefs, "purple_jar": belief})
    figure, found = draw(RECORD, other)
    assert [b.node for b in found[0].differing] == ["purple_jar"]
    assert "purple_jar" in [axes.get_title(loc="left") for axes in figure.axes]
    assert "1 node differs; right: total variation" in [
        a.get_title(loc="right") for a in figure.axes
    ]


def test_curves_stand_at_their_iterations_not_at_their_rows():
    thin = replace(RECORD.trace, iterations=RECORD.trace.iterations * 10)
    figure, _ = draw(RECORD, moved(replace(RECORD, trace=thin)))
    curves = figure.axes[1].lines
    ends = {float(np.max(line.get_xdata())) for line in curves if len(line.get_xdata()) > 2}
    assert ends == {21.0, 210.0}


def test_runs_that_agree_say_so_and_show_the_nodes_in_question():
    figure, found = draw(RECORD, RECORD)
    assert "no belief differs by more than 1e-06" in [a.get_title(loc="right") for a in figure.axes]
    assert figure_of.alt_text(found) == "run 0 and run 1: no belief differs by more than 1e-06."


def test_a_run_without_beliefs_or_a_trace_is_drawn_as_nothing():
    trace = RECORD.trace
    empty = replace(
        trace, nodes=(), states=(), beliefs=trace.beliefs[:0, :0], messages=(), estimator=(),
        iterations=trace.iterations[:0], residual=trace.residual[:0], log_z=trace.log_z[:0],
        damping=trace.damping[:0], seconds=trace.seconds[:0],
        message_residual=trace.message_residual[:0, :0],
    )  # fmt: skip
    lost = replace(RECORD, beliefs={}, status="inconsistent", log_z=None, trace=empty)
    figure, found = draw(RECORD, lost)
    assert "run 1 has no beliefs" in [a.get_title(loc="right") for a in figure.axes]
    assert figure_of.alt_text(found).endswith("run 1 has no beliefs.")
    draw(lost, lost)


def test_many_runs_fit_and_their_keys_do_not_overlap():
    figure, _ = draw(*[moved(RECORD, 0.05 * n) for n in range(9)])
    found = boxes(figure, "key")
    assert not [1 for i, a in enumerate(found) for b in found[i + 1 :] if overlapping(a, b)]


def test_rows_of_the_list_do_not_overlap():
    figure, _ = draw(builders.many_nodes(100), moved(builders.many_nodes(100)))
    found = boxes(figure, "apart")
    assert len(found) == 20
    assert not [1 for a, b in pairwise(found) if overlapping(a, b)]


def test_hostile_names_are_shown_literally(tmp_path):
    record = renamed(RECORD, HOSTILE)
    figure, found = draw(record, moved(record), labels=["<b>$x$</b>", "y\x1b[31m" + "z" * 300])
    assert "\x1b" not in " ".join(said(figure))
    for path in figure_of.save(figure, tmp_path / "compare", found, ("png", "svg")):
        if path.suffix == ".svg":
            root = ElementTree.fromstring(path.read_bytes())  # noqa: S314
            assert not [e for e in root.iter() if e.tag.endswith("script")]


def test_markers_stand_at_the_final_belief_even_where_the_trace_ends_elsewhere():
    trace = RECORD.trace
    other = moved(RECORD, 0.5)  # its trace ends where that of the first does
    figure, _ = draw(RECORD, other)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    axes = figure.axes[titles.index("purple_jar")] if "purple_jar" in titles else figure.axes[1]
    marks = [float(line.get_ydata()[0]) for line in axes.lines if line.get_marker() in ("o", "s")]
    node, _, state = axes.get_title(loc="left").partition(" = ")
    state = state or "active"
    assert marks == [RECORD.beliefs[node][state], other.beliefs[node][state]]
    assert trace.belief(node, state)[-1] != pytest.approx(marks[1])


def test_rare_beliefs_are_shown_as_log_odds():
    rare = {"inactive": 0.999, "active": 0.001}
    rarer = {"inactive": 0.9999, "active": 0.0001}
    trace = builders.one_node().trace
    low = replace(trace, beliefs=np.full_like(trace.beliefs, 0.001))
    record = replace(builders.one_node(), beliefs={"jar": rare}, exact=None, trace=low)
    figure, _ = draw(record, replace(record, beliefs={"jar": rarer}))
    assert figure.axes[1].get_yscale() == figure.axes[-1].get_xscale() == "logit"
    certain = {"inactive": 1.0, "active": 0.0}
    figure, _ = draw(record, replace(record, beliefs={"jar": certain}))
    assert figure.axes[1].get_yscale() == figure.axes[-1].get_xscale() == "linear"
