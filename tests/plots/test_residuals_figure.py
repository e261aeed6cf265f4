"""Which links are slow: told apart by name, coloured by residual, and seen at once."""

from dataclasses import replace

import builders
import numpy as np
import pytest
import stories
from inspecting import assert_readable, laid_out, words
from matplotlib.collections import LineCollection

from mpnet import plots
from mpnet.plots import residuals
from mpnet.plots.edges import ends, split_names
from mpnet.plots.links import links, stand

NAMES = ("a", "b", "c", "a, b", "x → y")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", ("a",)),
        ("c, a", ("c", "a")),
        ("c, a, b", ("c", "a, b")),
        ("a, b", ("a, b",)),
        ("a, d", ()),
        ("", ()),
    ],
)
def test_names_that_hold_commas_are_told_apart(text, parts):
    found = split_names(text, NAMES)
    assert ", ".join(found) == ", ".join(parts)
    assert set(found) <= set(NAMES)


def test_a_factor_of_a_thousand_names_is_split():
    known = [f"n{i}" for i in range(1000)]
    assert split_names(", ".join(known), known) == tuple(known)


def test_arrows_in_names_do_not_mislead():
    assert ends("x → y → a", NAMES) == (("x → y",), "a")
    assert ends("a → x → y", NAMES) == (("a",), "x → y")
    assert ends("b, c -> a", NAMES) == (("b", "c"), "a")
    assert ends("a → nobody", NAMES) is None


def traced(nodes, labels, values, status="max_iterations", **changes):
    """A record whose messages have these residuals, shape (rows, messages)."""
    record = builders.build(tuple(stories.binary(n) for n in nodes), (), messages=0)
    values = np.array(values, dtype=np.float64)
    rows = len(values)
    trace = replace(
        record.trace,
        iterations=np.arange(rows),
        beliefs=record.trace.beliefs[:rows],
        residual=values.max(axis=1, initial=0.0),
        log_z=np.zeros(rows),
        estimator=("flat",) * rows,
        messages=tuple(labels),
        message_residual=values,
    )
    return replace(record, trace=trace, status=status, verdict="residual 0.3", **changes)


LOOP = traced(
    "abc", ["a → b", "b → c", "c → a"], [[1.0, 1.0, 1.0], [0.5, 1e-9, 0.3], [0.4, 1e-9, 0.5]]
)


def test_links_are_ordered_by_what_still_moves():
    assert [(link.source, link.target) for link in links(LOOP)] == [
        ("a", "b"),
        ("c", "a"),
        ("b", "c"),
    ]
    assert [link.residual for link in links(LOOP)] == [0.5, 0.5, 1e-9]


def test_messages_that_take_turns_are_both_slow():
    record = traced("ab", ["a → b", "b → a"], [[0.0, 2.0], [2.0, 0.0], [0.0, 2.0]])
    assert [link.residual for link in links(record)] == [2.0, 2.0]


def test_slow_links_are_darker_and_thicker():
    figure = laid_out(residuals.draw(LOOP))
    (drawn,) = [c for c in figure.axes[0].collections if isinstance(c, LineCollection)]
    widths, colors = drawn.get_linewidths(), drawn.get_colors()
    assert widths[0] < widths[-1]  # the slowest is drawn last, on top
    assert colors[0][:3].sum() > colors[-1][:3].sum()
    assert any("2 of 3 links still move" in text for text in words(figure))


def test_where_all_is_at_rest_the_time_of_settling_is_shown():
    record = traced("ab", ["a → b", "b → a"], [[np.nan] * 2, [1.0, 1.0], [1e-3, 0.0], [0.0, 0.0]])
    record = replace(record, status="converged")
    assert [link.settled for link in links(record)] == [2, 1]
    said = words(residuals.draw(record))
    assert "settled at iteration 0 to 2: all links are at rest" in said


def test_the_table_of_messages_counts_where_the_trace_has_too_few():
    rows = [("c", "a", [0.0, 1.0], 0.9, 2), ("prior", "a", [0.0, 1.0], np.nan, 0)]
    record = replace(LOOP, messages=stories.table(rows))
    assert links(record)[0].residual == 0.9
    assert len(links(record)) == 3


def test_a_loop_stands_in_a_ring_in_its_own_order():
    names = [f"n{i}" for i in range(6)]
    labels = [f"n{i} → n{(i + 1) % 6}" for i in range(6)]
    record = traced(names, labels, np.ones((3, 6)))
    places, rows = stand(record, names, links(record), 5)
    assert rows == 0
    sides = [np.hypot(*np.subtract(places[f"n{i}"], places[f"n{(i + 1) % 6}"])) for i in range(6)]
    np.testing.assert_allclose(sides, 0.4)  # the side of a hexagon is its radius


def test_messages_are_ordered_slowest_first():
    figure = laid_out(residuals.draw(LOOP))
    labels = [t.get_text() for t in figure.axes[2].get_yticklabels()]
    assert labels == ["a → b", "c → a", "b → c"]


def test_a_run_that_sent_nothing_has_nothing_to_show():
    record = traced("ab", ["a → b"], [[np.nan]])
    assert residuals.draw(record) is None
    assert "residuals" not in plots.default_figures(record)


@pytest.mark.parametrize("value", [np.inf, np.nan, 0.0])
def test_odd_residuals_do_not_break_it(value):
    values = np.full((4, 3), value)
    values[1, 0] = 0.5
    assert_readable(residuals.draw(traced("abc", ["a → b", "b → c", "c → a"], values)))


@pytest.mark.parametrize(
    "record",
    [
        builders.purple_jar(),
        builders.purple_jar(status="oscillating"),
        builders.many_nodes(100),
        traced("a", ["a → a"], [[1.0], [0.5]]),
        traced(
            stories.HOSTILE,
            [f"{a} → {b}" for a in stories.HOSTILE for b in stories.HOSTILE if a != b],
            np.ones((3, 42)),
        ),
    ],
    ids=["purple_jar", "oscillating", "hundred", "one", "hostile"],
)
def test_no_text_lies_upon_another(record):
    figure = residuals.draw(record)
    assert_readable(figure)
    assert not any("\x1b" in text for text in words(figure))
