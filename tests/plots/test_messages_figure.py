"""Messages of one node: they add up, and say how far they have come to rest."""

from dataclasses import replace

import builders
import numpy as np
import pytest
import stories
from inspecting import assert_readable, laid_out, words

from mpnet.errors import UsageError
from mpnet.plots import messages
from mpnet.plots.heard import chosen_node, heard_by, total
from mpnet.record import NodeInfo

K = NodeInfo("who", "choice", "choice", ("cat", "dog", "fox"), (1 / 3,) * 3, "", True)


def many(count, node=None):
    node = node or stories.binary()
    draw = np.random.default_rng(count)
    logs = {f"source number {i}": draw.normal(size=len(node.states)) for i in range(count)}
    return stories.heard(node, logs)


def test_bars_add_up_to_the_last_one():
    logs = {"prior": [0.0, -2.0], "shape": [0.0, 3.0], "colour": [-0.5, 0.0]}
    figure = laid_out(messages.draw(stories.heard(stories.binary(), logs)))
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == pytest.approx([-2.0, 3.0, 0.5, 1.5])
    assert widths[-1] == pytest.approx(sum(widths[:-1]))
    assert {"−2.00", "+3.00", "+0.50", "+1.50"} <= set(words(figure))
    assert "sum: belief 0.82" in words(figure)  # 1 / (1 + exp(-1.5))


def test_small_messages_are_one_bar_and_still_add_up():
    record = many(100)
    figure = laid_out(messages.draw(record))
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert len(widths) == messages.ROWS + 1
    expected = sum(values[1] - values[0] for _, values in record.messages.reaching("jar"))
    assert widths[-1] == pytest.approx(expected)
    assert sum(widths[:-1]) == pytest.approx(expected)
    assert "73 smaller ones" in words(figure)


def test_what_is_ruled_out_is_an_arrow_and_not_a_number():
    logs = {"shape": [-np.inf, 0.0], "colour": [0.0, -1.0]}
    said = words(laid_out(messages.draw(stories.heard(stories.binary(), logs))))
    assert said.count("+∞") == 2
    assert "sum: belief 1.00" in said


def test_moving_messages_are_not_settled():
    node = stories.binary()
    rows = [("a", "jar", [0.0, 1.0], 0.3, 9), ("b", "jar", [0.0, 1.0], 1e-12, 5)]
    rows.append(("prior", "jar", [0.0, -1.0], np.nan, 0))
    record = replace(builders.build((node,), (), messages=0), messages=stories.table(rows))
    said = words(laid_out(messages.draw(record)))
    assert {"0.3", "not yet", "1·10⁻¹²", "5", "–: known from the start, not sent"} <= set(
        " · ".join(said).split(" · ")
    )


def test_a_map_shows_each_message_about_its_mean():
    record = stories.heard(K, {"prior": [0.0, -3.0, -3.0], "shape": [-1.0, 0.0, -2.0]})
    figure = laid_out(messages.draw(record))
    cells = [t.get_text() for t in figure.axes[0].texts if t.get_gid() == "cell"]
    assert cells[:3] == ["+2.00", "−1.00", "−1.00"]
    assert cells[3:6] == ["0", "+1.00", "−1.00"]
    # log beliefs -1, -3, -5 about their mean -3, then softmax.
    assert cells[6:9] == ["+2.00", "0", "−2.00"]
    assert cells[9:] == ["0.87", "0.12", "0.02"]


def test_the_node_with_most_messages_is_shown_unless_another_is_named():
    nodes = (stories.binary("jar"), stories.binary("cup"))
    rows = [("a", "jar", [0.0, 1.0], 0.0, 1)]
    rows += [(source, "cup", [0.0, 1.0], 0.0, 1) for source in "ab"]
    record = replace(builders.build(nodes, (), messages=0), messages=stories.table(rows))
    assert chosen_node(record, None).name == "cup"
    assert chosen_node(record, "jar").name == "jar"
    with pytest.raises(UsageError, match="no node 'jra'; did you mean 'jar'"):
        messages.draw(record, node="jra")


def test_a_node_that_hears_nothing_says_why():
    record = stories.heard(stories.binary("jar"), {"a": [0.0, 1.0]})
    record = replace(record, nodes=(*record.nodes, stories.binary("cup")))
    with pytest.raises(UsageError, match="node 'cup': no message to it is kept"):
        messages.draw(record, node="cup")


def test_the_total_is_the_log_belief():
    record = stories.heard(K, {"a": [0.0, -1.0, -2.0], "b": [-2.0, 0.0, -np.inf]})
    np.testing.assert_allclose(total(heard_by(record, K)), [-1.0, 0.0, -np.inf])


def test_where_the_estimator_believes_otherwise_it_is_said():
    record = stories.heard(stories.binary(), {"a": [0.0, 0.0001]})
    record = replace(record, beliefs={"jar": {"inactive": 0.2, "active": 0.8}})
    assert any("the estimator clamped believes" in text for text in words(messages.draw(record)))


WIDE = replace(K, states=tuple(f"state number {i}" for i in range(149)), prior=(1 / 149,) * 149)


@pytest.mark.parametrize("count", [1, 4, 100])
@pytest.mark.parametrize("node", [stories.binary(), K, WIDE], ids=["two", "three", "149"])
def test_no_text_lies_upon_another(count, node):
    assert_readable(messages.draw(many(count, node)))


@pytest.mark.parametrize("node", [stories.binary(), K])
def test_hostile_names_are_cut_and_cleaned(node):
    draw = np.random.default_rng(1)
    logs = {name: draw.normal(size=len(node.states)) for name in stories.HOSTILE}
    node = replace(node, name=stories.HOSTILE[5], states=stories.HOSTILE[: len(node.states)])
    figure = messages.draw(stories.heard(node, logs))
    assert_readable(figure)
    assert not any("\x1b" in text for text in words(figure))


def test_runs_without_messages_have_nothing_to_show():
    assert messages.draw(builders.purple_jar()) is None
