"""Belief boxes: which nodes, which numbers, and nothing upon anything else."""

from dataclasses import replace

import builders
import numpy as np
import pytest
import stories
from inspecting import assert_readable, laid_out, words
from matplotlib.patches import Rectangle

from mpnet import plots
from mpnet.errors import UsageError
from mpnet.plots import beliefs, style
from mpnet.plots.belief_box import LEADS, percent
from mpnet.record import NodeInfo

RECORDS = {
    "purple_jar": builders.purple_jar(),
    "one": builders.one_node(),
    "hundred": builders.many_nodes(100),
    "digits": builders.digits(),
}


@pytest.mark.parametrize("case", RECORDS)
def test_no_text_lies_upon_another(case):
    assert_readable(beliefs.draw(RECORDS[case]))


def hostile():
    nodes = [
        NodeInfo(name, "model", "model", tuple(f"{s} {name}" for s in "ab"), (0.5, 0.5), name, True)
        for name in stories.HOSTILE
    ]
    return builders.build(tuple(nodes), (), messages=0, scenario=stories.HOSTILE[2])


def test_hostile_names_are_cut_and_cleaned():
    figure = beliefs.draw(hostile())
    assert_readable(figure)
    said = " ".join(words(figure))
    assert "$$" in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0 %"),
        (1e-9, "<0.1 %"),
        (0.001, "0.1 %"),
        (0.5, "50.0 %"),
        (0.9995, ">99.9 %"),
        (1.0, "100.0 %"),
        (np.nan, "–"),
    ],
)
def test_a_percentage_is_never_rounded_to_certainty(value, text):
    assert percent(value) == text


def test_bars_are_as_long_as_the_beliefs():
    record = builders.one_node()
    record = replace(record, beliefs={"jar": {"inactive": 0.25, "active": 0.75}}, exact=None)
    figure = laid_out(beliefs.draw(record))
    patches = [p for p in figure.axes[0].patches if isinstance(p, Rectangle) and p.get_fill()]
    trough = max(p.get_width() for p in patches if p.get_height() == pytest.approx(6.4))
    leads = [p for p in patches if style.mpl.colors.to_hex(p.get_facecolor()) == LEADS.lower()]
    assert [p.get_width() / trough for p in leads] == pytest.approx([0.75])
    assert {"25.0 %", "75.0 %"} <= set(words(figure))


def test_many_states_are_the_top_ones_and_the_others_together():
    states = tuple("abcdefghij")
    node = NodeInfo("letter", "choice", "choice", states, (0.1,) * 10, "", True)
    record = builders.build((node,), (), messages=0, exact=None)
    shares = dict(
        zip(states, [0.02, 0.3, 0.2, 0.15, 0.1, 0.1, 0.08, 0.03, 0.01, 0.01], strict=True)
    )
    said = words(laid_out(beliefs.draw(replace(record, beliefs={"letter": shares}))))
    assert "4 others" in said
    assert "7.0 %" in said  # 0.02 + 0.03 + 0.01 + 0.01
    assert "a" not in said


def test_large_societies_show_those_in_question_and_say_so():
    record = builders.many_nodes(100)
    order = beliefs.ranked(record)
    asked = [node.name for node in record.nodes if node.in_question]
    assert order[: len(asked)] == asked
    assert "40 of 100 nodes: those in question first" in words(beliefs.draw(record))


def test_a_named_node_comes_first_and_an_unknown_one_is_suggested():
    record = builders.purple_jar()
    order = beliefs.ranked(record, "motion")
    assert order[0] == "motion"
    assert {"stationary", "dancing"} == set(order[1:3])
    with pytest.raises(UsageError, match=r"no node 'motino'; did you mean 'motion'"):
        beliefs.draw(record, node="motino")


def test_beliefs_of_an_iteration_are_those_of_its_row():
    record = stories.timeline()
    figure = laid_out(beliefs.draw(record, at=15))
    expected = percent(float(record.trace.belief("cat", "active")[15]))
    assert expected in words(figure)
    assert any("at iteration 15" in text for text in words(figure))
    with pytest.raises(UsageError, match="no iteration 31; this run has 0 to 30"):
        beliefs.draw(record, at=31)


def test_saved_twice_has_the_same_bytes(tmp_path):
    record = builders.purple_jar()
    one, other = (
        plots.save(beliefs.draw(record), tmp_path / name, record) for name in ("one", "other")
    )
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in other]
