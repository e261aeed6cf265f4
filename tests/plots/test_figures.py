"""Every figure on plausible and on awkward records."""

import itertools
import subprocess
import sys
import warnings
from dataclasses import replace
from xml.etree import ElementTree

import builders
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from mpnet import plots
from mpnet.errors import OutputError, UsageError
from mpnet.plots import compatibility, estimators, reconstructions, style, wording
from mpnet.record import EstimateRow, NodeInfo
from mpnet.simulation.experiments import EXPERIMENTS
from mpnet.trace import Event

DEFAULT = ("convergence", "confidence", "compatibility", "estimators", "society")
NEW = ("beliefs", "residuals")
"""Figures of most runs that are drawn when asked for."""
TOLD = {"messages", "staircase", "phases"}
"""Figures of what the records here lack: tested on their own."""
MEASURED = set(plots.FIGURES) & set(EXPERIMENTS)
"""Figures of experiments: tested beside their experiments."""
EXPLAINED = {"waterfall", "protest"}
"""Figures of explanations, which these records hold none of: see test_shares_figures."""
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "$$",
    "_x",
    "<script>alert(1)</script>",
    "$\\frac{1}{",
    "紫の壺 𓀀",
    "a" * 300,
    "x\x1b[31m\x00",
)
RECORDS = {
    "purple_jar": builders.purple_jar(),
    "three_rows": builders.purple_jar(flat=2, clamped=1),
    "one_row": builders.purple_jar(flat=1, clamped=0),
    "one_node": builders.one_node(),
    "hundred_nodes": builders.many_nodes(100),
    "digits": builders.digits(),
    "digits_test": builders.digits_test(),
    "oscillating": builders.purple_jar(
        status="oscillating", exact=None, exact_log_z=None, log_z=None
    ),
}


def drawn(name, record):
    figure = plots.draw(name, record)
    assert figure is not None
    with style.context():
        figure.canvas.draw()
    return figure


def texts(figure):
    found = list(figure.texts)
    for axes in figure.axes:
        found += [*axes.texts, axes.title, axes._left_title]
    return [text for text in found if text.get_text()]


def boxes(figure, *gids):
    with style.context():
        return [t.get_window_extent() for t in texts(figure) if t.get_gid() in gids]


def overlapping(one, other):
    """Whether two boxes share more than a pixel in both directions."""
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    return across > 1 and min(one.y1, other.y1) - max(one.y0, other.y0) > 1


def renamed(record, names):
    """The same record with the first nodes under other names."""
    old = [node.name for node in record.nodes][: len(names)]
    new = dict(zip(old, names))

    def mapped(beliefs):
        return {new.get(k, k): v for k, v in beliefs.items()}

    return replace(
        record,
        scenario=names[0],
        verdict=names[2],
        nodes=tuple(replace(n, name=new.get(n.name, n.name)) for n in record.nodes),
        predictions=tuple(
            replace(p, source=new.get(p.source, p.source), target=new.get(p.target, p.target))
            for p in record.predictions
        ),
        beliefs=mapped(record.beliefs),
        exact=mapped(record.exact),
        estimates=tuple(replace(e, node=new.get(e.node, e.node)) for e in record.estimates),
        compatibility=replace(record.compatibility, names=names[:4]),
        events=(Event(2, names[0], names[1], names[2]), Event(2, "clamp", "", names[4])),
        trace=replace(
            record.trace,
            nodes=tuple(new.get(n, n) for n in record.trace.nodes),
            messages=tuple(itertools.islice(itertools.cycle(names), len(record.trace.messages))),
        ),
    )


@pytest.mark.parametrize("case", RECORDS)
def test_draws_and_saves_whatever_applies(case, tmp_path):
    record = RECORDS[case]
    names = plots.default_figures(record)
    assert "convergence" in names
    for name in names:
        figure = plots.draw(name, record)
        assert isinstance(figure, Figure)
        assert [p.suffix for p in plots.save(figure, tmp_path / name, record)] == [".png", ".svg"]
    assert not list(tmp_path.glob(".*"))


def test_defaults_follow_the_data():
    assert plots.default_figures(builders.purple_jar()) == DEFAULT
    assert plots.default_figures(builders.one_node()) == tuple(
        name for name in DEFAULT if name != "compatibility"
    )
    digits = plots.default_figures(builders.digits())
    assert digits == ("convergence", "confidence", "society", "reconstructions")
    assert plots.default_figures(builders.digits_test())[-1] == "confusion"


@pytest.mark.parametrize("name", plots.FIGURES)
def test_nothing_to_show_is_none(name):
    record = builders.one_node()
    trace = record.trace
    empty = replace(trace, nodes=(), states=(), beliefs=trace.beliefs[:, :0], messages=())
    record = replace(record, nodes=(), predictions=(), estimates=(), beliefs={}, trace=empty)
    assert plots.draw(name, record) is None
    assert plots.default_figures(record) == ()


@pytest.mark.parametrize("name", DEFAULT)
def test_hostile_names_are_shown_literally(name, tmp_path):
    record = renamed(builders.purple_jar(), HOSTILE)
    figure = drawn(name, record)
    shown = " ".join(t.get_text() for t in texts(figure))
    assert "$$" in shown
    assert "\x1b" not in shown
    for path in plots.save(figure, tmp_path / name, record):
        if path.suffix == ".svg":
            root = ElementTree.fromstring(path.read_bytes())  # noqa: S314
            assert not [e for e in root.iter() if e.tag.endswith("script")]


@pytest.mark.parametrize("name", [n for n in plots.FIGURES if n not in MEASURED | EXPLAINED | TOLD])
def test_title_says_not_converged(name):
    record = replace(builders.digits_test(), status="max_iterations", verdict="residual 0.3")
    if name in ("compatibility", "estimators"):
        record = builders.purple_jar(status="max_iterations")
    figure = drawn(name, record)
    assert figure.texts[0].get_text().startswith("NOT CONVERGED")
    assert "NOT CONVERGED" in wording.alt_text(record)


def test_a_converged_run_does_not_say_not_converged():
    figure = drawn("convergence", builders.purple_jar())
    assert not any("NOT CONVERGED" in t.get_text() for t in texts(figure))


@pytest.mark.parametrize("value", [np.inf, np.nan, 0.0])
def test_odd_residuals_do_not_break_the_panels(value, tmp_path):
    record = builders.purple_jar()
    trace = record.trace
    for rows in (slice(3, 5), slice(None)):
        residual, messages, log_z = (
            a.copy() for a in (trace.residual, trace.message_residual, trace.log_z)
        )
        residual[rows] = messages[rows] = log_z[rows] = value
        odd = replace(trace, residual=residual, message_residual=messages, log_z=log_z)
        for name in ("convergence", "confidence"):
            changed = replace(record, trace=odd)
            plots.save(plots.draw(name, changed), tmp_path / name, changed)


@pytest.mark.parametrize("name", DEFAULT)
def test_saved_twice_has_the_same_bytes(name, tmp_path):
    record = builders.purple_jar()
    first = plots.save(plots.draw(name, record), tmp_path / "first", record)
    second = plots.save(plots.draw(name, record), tmp_path / "second", record)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_svg_has_title_and_desc(tmp_path):
    record = builders.purple_jar()
    (path,) = plots.save(plots.draw("society", record), tmp_path / "s", record, ("svg",))
    root = ElementTree.fromstring(path.read_bytes())  # noqa: S314
    assert root.findtext(f"{SVG}title") == "purple_jar · society"
    assert root.findtext(f"{SVG}desc") == wording.alt_text(record)
    assert "purple is active 0.93" in wording.alt_text(record)


def test_png_has_the_description(tmp_path):
    record = builders.purple_jar()
    (path,) = plots.save(plots.draw("society", record), tmp_path / "s", record, ("png",))
    assert b"Description" in path.read_bytes()


@pytest.mark.parametrize("case", RECORDS)
def test_labels_over_iterations_do_not_overlap(case):
    for name in ("convergence", "confidence"):
        figure = drawn(name, RECORDS[case])
        found = boxes(figure, "end-label", "event-label")
        assert found
        for one, other in itertools.combinations(found, 2):
            assert not overlapping(one, other)
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in found)


@pytest.mark.parametrize("record", [*RECORDS.values(), builders.many_nodes(40)])
def test_labels_of_the_society_do_not_overlap(record):
    from mpnet.plots.society import spot_boxes

    figure = drawn("society", record)
    found = boxes(figure, "node-label")
    assert len(found) >= min(40, len(record.nodes))
    for one, other in itertools.combinations(found, 2):
        assert not overlapping(one, other)
    to_pixels = figure.axes[0].transData
    for x0, y0, x1, y1 in spot_boxes(figure.axes[0]):
        marker = to_pixels.transform_bbox(Bbox.from_extents(x0, y0, x1, y1))
        assert not any(overlapping(marker, box) for box in found)
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in found)


def test_large_society_says_what_it_left_out():
    shown = [t.get_text() for t in texts(drawn("society", builders.many_nodes(100)))]
    assert "the 40 most connected of 100 nodes" in shown


def test_exact_zero_is_exactly_white():
    matrix = np.array([[0.0, 0.0, -np.inf], [0.0, 0.0, 1e-12], [-np.inf, 1e-12, 0.0]])
    colors = compatibility.cell_colors(matrix)
    np.testing.assert_array_equal(colors[0, 1], [1, 1, 1, 1])
    extreme = compatibility.cell_colors(np.array([[0.0, -1.0], [-1.0, 0.0]]))[0, 1]
    np.testing.assert_array_equal(colors[0, 2], extreme)


def test_infinite_compatibility_is_written():
    shown = [t.get_text() for t in texts(drawn("compatibility", builders.purple_jar()))]
    assert "−∞" in shown
    assert "+0.62" in shown


def test_estimators_say_what_is_missing():
    rows = (
        EstimateRow("jar", "active", 0.0, 1.5, None, None),
        EstimateRow("jar", "active", 0.0, 0.5, 0.4, None),
    )
    shown = [t.get_text() for t in texts(drawn("estimators", builders.one_node(estimates=rows)))]
    assert {"+1.50", "no clamped answer"} <= set(shown)


def test_estimators_that_answer_nothing_are_left_out():
    rows = (EstimateRow("jar", "active", 0.0, 1.5, None, None),)
    shown = [t.get_text() for t in texts(drawn("estimators", builders.one_node(estimates=rows)))]
    assert "+1.50" in shown
    assert not any(
        "clamped" in text or "exact" in text for text in shown if "estimator" not in text
    )


def test_estimators_show_infinite_answers():
    rows = (EstimateRow("jar", "active", 0.0, np.inf, -np.inf, 2.0),)
    shown = [t.get_text() for t in texts(drawn("estimators", builders.one_node(estimates=rows)))]
    assert {"+∞", "−∞", "+2.00"} <= set(shown)
    assert estimators._error(np.inf, np.inf) == 0.0


def test_reconstructions_are_ordered_by_belief():
    record = builders.digits()
    names = [name for name, _ in reconstructions.ranked(record)]
    assert names[0] == "3"
    assert "3 leads 2 by 1.10 nats" in drawn("reconstructions", record).texts[0].get_text()


def test_confusion_shows_accuracy_and_counts():
    figure = drawn("confusion", builders.digits_test())
    assert "accuracy 95.7 %" in figure.texts[0].get_text()


def test_spread_keeps_order_gap_and_limits():
    moved = style.spread([0.5, 0.5, 0.52, 0.0], 0.1, 0.0, 1.0)
    assert np.diff(sorted(moved)).min() >= 0.1 - 1e-12
    assert moved[3] == 0.0
    assert style.spread([1.0, 1.0], 0.25, 0.0, 1.0) == [0.75, 1.0]
    assert style.spread([0.2, 0.8], 0.1, 0.0, 1.0) == pytest.approx([0.2, 0.8])


def test_users_settings_do_not_matter(tmp_path):
    import matplotlib as mpl

    record = builders.purple_jar()
    (plain,) = plots.save(plots.draw("confidence", record), tmp_path / "a", record, ("svg",))
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "lines.linewidth": 9}):
        (other,) = plots.save(plots.draw("confidence", record), tmp_path / "b", record, ("svg",))
    assert plain.read_bytes() == other.read_bytes()


def test_unknown_names_are_usage_errors(tmp_path):
    record = builders.one_node()
    with pytest.raises(UsageError, match="did you mean 'convergence'"):
        plots.draw("convergense", record)
    with pytest.raises(UsageError, match="unknown format 'gif'"):
        plots.save(Figure(), tmp_path / "x", record, ("gif",))


def test_unwritable_folder_is_an_output_error(tmp_path):
    record = builders.one_node()
    with pytest.raises(OutputError, match="can't be written"):
        plots.save(plots.draw("society", record), tmp_path / "none" / "x", record)


def test_package_loads_neither_numpy_nor_matplotlib():
    code = (
        "import sys, mpnet.plots; "
        "assert not {'numpy', 'matplotlib'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_package_refuses_another_name(monkeypatch):
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("plots_elsewhere", plots.__file__)
    with pytest.raises(ImportError, match=r"as 'mpnet\.plots'"):
        spec.loader.exec_module(module_from_spec(spec))


def test_context_puts_settings_and_warnings_back():
    import matplotlib as mpl

    before = dict(mpl.rcParams), list(warnings.filters)
    with style.context():
        assert mpl.rcParams["text.parse_math"] is False
    assert (dict(mpl.rcParams), list(warnings.filters)) == before


def test_multi_state_nodes_in_question_are_labelled_by_state():
    states = tuple("abcdefghijklm")
    node = NodeInfo("letter", "choice", "choice", states, (1 / 13,) * 13, "", True)
    record = builders.build((node,), (), messages=0)
    shown = [
        t.get_text() for t in texts(drawn("convergence", record)) if t.get_gid() == "end-label"
    ]
    assert any(text.startswith("b  ") for text in shown)
