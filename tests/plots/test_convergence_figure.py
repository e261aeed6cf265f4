"""The figure convergence: overtakings, predicted slope, bounds, top movers, gaps in a trace."""

from dataclasses import replace

import numpy as np
import pytest

from mpnet import plots
from mpnet.plots import columns, overtakes, series, style
from mpnet.record import PhaseInfo
from mpnet.trace import Event
from tests.plots import builders
from tests.plots.looks import RECORDS, bounded, thinned


def drawn(record):
    figure = plots.draw("convergence", record)
    with style.context():
        figure.canvas.draw()
    return figure


def said(figure):
    return [t.get_text() for axes in figure.axes for t in axes.texts] + [
        t.get_text() for t in figure.texts
    ]


def with_gid(figure, gid):
    return [a for axes in figure.axes for a in axes.get_children() if a.get_gid() == gid]


def with_beliefs(record, curves):
    """The record with other beliefs of being active, by name of a model."""
    beliefs = record.trace.beliefs.copy()
    offsets = record.trace.offsets
    for name, values in curves.items():
        first = offsets[record.trace.nodes.index(name)]
        beliefs[:, first], beliefs[:, first + 1] = 1 - np.array(values), values
    return replace(record, trace=replace(record.trace, beliefs=beliefs))


def race():
    """Six models over 22 rows: jar leads from row 0, purple from row 5, jar again from row 9."""
    rows = np.arange(22)
    low = np.full(22, 0.1)
    purple = np.where((rows >= 5) & (rows < 9), 0.9, 0.4)
    curves = dict.fromkeys(builders.MODELS, low)
    record = replace(builders.purple_jar(), events=())
    return with_beliefs(record, {**curves, "jar": np.full(22, 0.5), "purple": purple})


def test_overtakings_are_where_another_curve_becomes_the_highest():
    found = overtakes.overtakes(race())
    assert [(o.row, o.node, o.before[0]) for o in found] == [
        (5, "purple", "jar"),
        (9, "jar", "purple"),
    ]
    assert [o.belief for o in found] == [0.9, 0.5]


def test_overtakings_are_marked_on_the_curves_and_named_in_the_lane():
    figure = drawn(race())
    marks = with_gid(figure, "overtake-mark")
    assert [tuple(m.get_xdata()) + tuple(m.get_ydata()) for m in marks] == [(5, 0.9), (9, 0.5)]
    assert {"▲ 5: purple overtakes jar", "▲ 9: jar overtakes purple"} <= set(said(figure))


def test_an_overtaking_that_is_an_event_is_named_once():
    record = replace(race(), events=(Event(5, "overtake", "purple", "purple overtakes jar"),))
    texts = [e.text for e in overtakes.with_overtakes(record).events if e.iteration == 5]
    assert texts == ["purple overtakes jar"]


def test_nobody_overtakes_where_beliefs_are_unknown_or_tiny():
    rows = np.arange(22)
    tiny = {"jar": np.where(rows < 9, 0.03, 0.01), "purple": np.full(22, 0.02)}
    others = dict.fromkeys(builders.MODELS, np.zeros(22))
    assert overtakes.overtakes(with_beliefs(race(), {**others, **tiny})) == []
    unknown = {"purple": np.where(rows < 9, np.nan, 0.9)}
    assert overtakes.overtakes(with_beliefs(race(), unknown))[0].row == 9


def test_the_predicted_slope_goes_through_the_end_of_the_flat_stage():
    record = bounded()  # 12 flat rows: the residual is 0.9 * 0.28 ** k
    (line,) = with_gid(drawn(record), "predicted-slope")
    (x0, x1), (y0, y1) = line.get_xdata(), line.get_ydata()
    assert x1 == 11
    assert y1 == pytest.approx(np.log10(0.9 * 0.28**11))
    assert (y1 - y0) / (x1 - x0) == pytest.approx(np.log10(0.28))
    assert "dashed: predicted ×0.28 per iteration" in said(drawn(record))


@pytest.mark.parametrize("rate", [None, 0.0, np.inf, np.nan])
def test_no_slope_without_a_rate(rate):
    figure = drawn(builders.purple_jar(rate=rate))
    assert with_gid(figure, "predicted-slope") == []
    assert not any("predicted" in text for text in said(figure))


def band(figure):
    """Limits of the shaded band and of its panel."""
    (axes,) = [axes for axes in figure.axes if "log Z" in axes.get_ylabel()]
    (shade,) = with_gid(figure, "bracket")
    heights = shade.get_paths()[0].vertices[:, 1]
    return heights.min(), heights.max(), axes.get_ylim(), shade.get_paths()[0].vertices[:, 0]


def test_log_z_lies_in_the_band_of_its_bounds():
    figure = drawn(bounded(bracket=(-3.9, -1.9)))
    low, high, (bottom, top), _ = band(figure)
    assert (low, high) == (-3.9, -1.9)
    assert bottom < -3.9
    assert top > -1.9
    assert {"lower bound  −3.900", "upper bound  −1.900"} <= set(said(figure))


def test_a_far_bound_is_told_and_does_not_squash_the_curve():
    figure = drawn(RECORDS["far_bounds"])
    low, high, (bottom, _), _ = band(figure)
    assert bottom > -6  # the curve goes from -2.2 to -3.4
    assert low == bottom
    assert high == -3.2
    assert "shaded: between proven bounds · lower −300.000 off scale" in said(figure)


def test_one_bound_alone_shades_to_the_edge():
    low, high, (_, top), _ = band(drawn(bounded(bracket=(-3.9, None))))
    assert (low, high) == (-3.9, top)


def test_bounds_that_meet_share_a_label():
    assert "both bounds  −3.370" in said(drawn(bounded(bracket=(-3.37, -3.37 + 1e-9))))


def test_in_a_life_bounds_hold_from_its_last_change_on():
    phases = (
        PhaseInfo("start", 0, 11, "converged", -3.0, 3, 9),
        PhaseInfo("end", 12, 21, "converged", -3.4, 3, 9),
    )
    events = (Event(15, "awaken", "jar", "jar wakes"), Event(18, "converged", "", "settled"))
    figure = drawn(bounded(phases=phases, events=events))
    assert band(figure)[3].min() == 15
    assert band(drawn(bounded(phases=phases, events=events[1:])))[3].min() == 12
    assert band(drawn(bounded()))[3].min() == -0.5


def test_the_title_names_estimator_and_outcome():
    title = drawn(builders.purple_jar()).texts[0].get_text()
    assert title == "purple_jar · convergence · clamped · converged at 21"
    title = drawn(RECORDS["oscillating"]).texts[0].get_text()
    assert title.endswith("convergence · clamped · oscillating after 21")


def test_many_lines_are_grey_but_for_those_that_move_most_and_lead():
    record = builders.many_nodes(300)
    asked = len(series.asked_nodes(record))
    figure = drawn(record)
    assert any(f"12 top movers of {asked} labelled" in text for text in said(figure))
    labels = [t for t in figure.axes[1].texts if t.get_gid() == "end-label"]
    assert len(labels) == 12 + 1  # and the line of no opinion


def line(name, *values):
    return series.Series(name, np.array(values, dtype=float), None, True, 2, name, "active")


def test_top_movers_are_leaders_and_those_with_the_widest_range():
    still = [line(f"still{i}", 0.9 - i / 100, 0.9 - i / 100) for i in range(10)]
    moving = [line(f"moving{i}", 0.0, 0.5 - i / 100) for i in range(10)]
    named, rest = series.top_movers([*still, *moving])
    assert [s.label for s in named] == [
        *(f"still{i}" for i in range(4)),
        *(f"moving{i}" for i in range(8)),
    ]
    assert len(rest) == 8
    few = moving + still[:2]
    assert series.top_movers(few) == (few, [])


def test_twelve_lines_differ_in_colour_and_dashes():
    looks = series.looks([True] * 12)
    assert len({(look.color, look.dash) for look in looks}) == 12
    assert len({look.color for look in looks[:7]}) == 7
    assert series.looks([False])[0].alpha < 1


def test_axes_show_iterations_where_rows_are_missing():
    record = RECORDS["gaps"]  # rows of iterations 0, 4, ..., 20 and 21
    figure = drawn(record)
    (panel,) = [axes for axes in figure.axes if axes.get_ylabel() == "belief"]
    assert panel.get_xlim() == (-0.5, 21.5)
    assert [0, 4, 8, 12, 16, 20, 21] in [list(line.get_xdata()) for line in panel.get_lines()]
    assert any(axes.get_xlabel() == "iteration (every 4th iteration shown)" for axes in figure.axes)
    assert "● converged at 21" in said(figure)


def test_gaps_are_not_mentioned_where_there_are_none():
    assert not any("shown" in a.get_xlabel() for a in drawn(builders.purple_jar()).axes)


def test_thinning_keeps_ends_events_and_phases():
    record = builders.purple_jar(
        flat=400,
        clamped=600,
        phases=(
            PhaseInfo("one", 0, 399, "", None, 1, 1),
            PhaseInfo("two", 400, 999, "", 0.0, 1, 1),
        ),
    )
    thin = columns.thinned(record, 100)
    kept = thin.trace.iterations
    assert {0, 3, 5, 399, 999} <= set(kept.tolist())  # the events of the builder
    assert len(kept) <= 100 + 5
    np.testing.assert_array_equal(thin.trace.beliefs, record.trace.beliefs[kept])
    assert kept[thin.phases[1].first] >= 400
    assert kept[thin.phases[1].last] == 999
    assert columns.thinned(record, 1000) is record


def test_thinned_by_hand_has_the_gaps_it_says():
    assert thinned(builders.purple_jar()).trace.every == 4


def test_a_trace_that_swings_is_not_called_converged_though_other_starts_did():
    record = builders.purple_jar(estimator="mixture", iterations=5830)
    trace = replace(record.trace, residual=np.full(record.trace.residual.size, 2.0))
    figure = plots.draw("convergence", replace(record, trace=trace))
    assert "other starts converged, this one did NOT" in said(figure)
    assert not any(text.startswith("● converged at") for text in said(figure))
    assert figure.texts[0].get_text().endswith("mixture · converged after 5830")
