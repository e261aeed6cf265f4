"""The heat map of beliefs and the small multiples."""

from dataclasses import replace

import numpy as np
import pytest

from mpnet import plots
from mpnet.plots import heat, multiples, series
from tests.plots import builders
from tests.plots.looks import RECORDS


def said(figure):
    return [t.get_text() for axes in figure.axes for t in axes.texts]


def row(value, moved=0.0, kind="model"):
    return heat.Row(f"{value}", kind, np.array([value - moved, value]), True, 0)


def test_rows_go_by_kind_and_then_by_last_belief():
    rows = heat.belief_rows(builders.purple_jar())
    kinds = [row.kind for row in rows]
    assert kinds == sorted(kinds, key=["composite", "model", "feature"].index)
    models = [row.values[-1] for row in rows if row.kind == "model"]
    assert models == sorted(models, reverse=True)
    assert rows[0].label == "purple_jar"


def test_other_nodes_show_the_state_that_leads_in_the_end():
    labels = {row.label for row in heat.belief_rows(builders.purple_jar())}
    assert "colour = purple" in labels  # 0.88 of three states


def test_too_many_rows_are_binned_by_whoever_moved_most():
    rows = [row(i / 1000, moved=0.5 if i % 3 == 1 else 0.1) for i in range(900)]
    kept, remark = heat.binned(rows)
    assert len(kept) == 300
    assert remark == "one row for 3 nodes, whichever of them moved most"
    assert all(np.ptp(row.values) == pytest.approx(0.5) for row in kept)
    assert heat.binned(rows[:300]) == (rows[:300], "")


def test_kinds_are_never_binned_together():
    rows = [row(0.1, kind="composite")] + [row(0.5) for _ in range(800)]
    kept, _ = heat.binned(rows)
    assert [r.kind for r in kept].count("composite") == 1


def map_of(figure):
    """The cells of the map."""
    (axes,) = [axes for axes in figure.axes if axes.get_xlabel().startswith("iteration")]
    return axes.collections[0]


def test_cells_are_beliefs():
    record = builders.purple_jar()
    cells = map_of(plots.draw("heat", record)).get_array()
    top = record.trace.belief("purple_jar", "active")
    np.testing.assert_allclose(cells[0], top)
    assert cells.shape == (10, 22)


def test_rare_beliefs_are_coloured_by_log_odds():
    record = builders.purple_jar()
    beliefs = record.trace.beliefs.copy()
    offsets = record.trace.offsets
    for index, name in enumerate(record.trace.nodes):
        if name in builders.MODELS:
            beliefs[:, offsets[index]], beliefs[:, offsets[index] + 1] = 0.999, 0.001
    rare = replace(record, trace=replace(record.trace, beliefs=beliefs))
    figure = plots.draw("heat", rare)
    assert map_of(figure).get_array()[0, 0] == pytest.approx(np.log(0.001 / 0.999))
    assert any(axes.get_ylabel() == "belief, by log-odds" for axes in figure.axes)


def test_settled_is_from_when_on_the_last_value_is_near():
    values = np.array([0.1, 0.5, 0.895, 0.3, 0.905, 0.9])
    assert series.settled_row(values) == 4
    assert series.settled_row(np.array([0.9, 0.9])) == 0
    assert series.settled_row(np.array([0.5])) == 0
    assert series.settled_row(np.array([np.nan, 0.9])) == 1


def test_multiples_show_forty_that_move_most_in_order_of_belief():
    lines = [
        multiples.Course(f"{i}", np.array([0.0, 1 - i / 100]), (), None, True, 1)
        for i in range(100)
    ]
    still = multiples.Course("still", np.array([1.0, 1.0]), (), None, True, 0)
    shown = multiples.most_moving([still, *lines])
    assert [course.label for course in shown] == [f"{i}" for i in range(40)]


def test_multiples_name_each_node_and_its_last_belief():
    texts = said(plots.draw("multiples", builders.purple_jar()))
    for name in builders.MODELS:
        assert name in texts
    assert "0.93" in texts


def test_multiples_say_how_many_were_left_out():
    figure = plots.draw("multiples", builders.many_nodes(100))
    assert any("the 40 of 50 that move most" in t.get_text() for t in figure.texts)


def test_drawn_unasked_only_of_large_societies():
    small = plots.default_figures(builders.purple_jar())
    large = plots.default_figures(builders.many_nodes(100))
    assert not {"heat", "multiples"} & set(small)
    assert {"heat", "multiples"} <= set(large)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_single_precision_is_drawn_alike(dtype):
    record = RECORDS["hundred_nodes"]
    trace = replace(record.trace, beliefs=record.trace.beliefs.astype(dtype))
    for name in ("convergence", "confidence", "heat", "multiples"):
        assert plots.draw(name, replace(record, trace=trace)) is not None


def test_multiples_need_more_than_one_iteration():
    assert plots.draw("multiples", builders.purple_jar(flat=1, clamped=0)) is None
    assert plots.draw("multiples", builders.purple_jar(flat=2, clamped=0)) is not None
