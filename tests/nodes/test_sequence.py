"""Sequences: phases, how one follows another, and how often each occurs."""

import numpy as np
import pytest

from mpnet.nodes.phases import long_run, reachable, transition_table
from mpnet.nodes.sequence import Sequence
from tests.nodes.societies import faults, load
from tests.sequences import Chain, ratio

KEYS = [
    {},
    {"dwell": 0.0, "abort": 0.0},
    {"dwell": 0.3, "skip": 0.25, "abort": 0.1, "start": 0.4},
    {"repeats": 0.5, "skip": 0.2},
    {"repeats": 1.0, "abort": 0.0},
    {"start": 1.0, "dwell": 0.0, "abort": 0.0, "repeats": 1.0},
    {"begins": {"1": 0.25, "3": 0.75}},
]


@pytest.mark.parametrize("keys", KEYS)
def test_table_and_shares_are_those_of_the_twin(keys):
    node = Sequence.model_validate({"phases": [{}, {}, {}], **keys})
    twin = Chain({"phases": [{}, {}, {}], **keys})
    np.testing.assert_allclose(node.transition(None), twin.table, atol=1e-15)
    # The twin raises its table to the power 2^60, rounding each time.
    np.testing.assert_allclose(node.rates(None), twin.shares, atol=1e-9)


def test_phases_may_have_numbers_and_ways_of_their_own():
    phases = [
        {"name": "a", "dwell": 0.5, "abort": 0.0},
        {"name": "b", "next": {"a": 0.3, "off": 0.7}, "skip": 0.1},
    ]
    node = Sequence.model_validate({"phases": phases, "start": 0.1})
    np.testing.assert_allclose(node.transition(None), Chain({"phases": phases, "start": 0.1}).table)
    assert node.domain() == ("off", "a", "b")


def test_shares_stay_as_they_are_from_step_to_step():
    node = Sequence.model_validate({"phases": [{}, {}, {}], "skip": 0.3, "repeats": 0.2})
    shares = node.rates(None)
    np.testing.assert_allclose(shares @ node.transition(None), shares, atol=1e-15)


def test_a_chain_that_swings_has_shares_all_the_same():
    np.testing.assert_allclose(long_run(np.array([[0.0, 1.0], [1.0, 0.0]])), [0.5, 0.5])


def test_shares_that_depend_on_the_start_are_none():
    assert long_run(np.eye(2)) is None


def test_states_that_are_left_for_ever_have_a_share_of_exactly_zero():
    shares = long_run(np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.0, 0.5, 0.5]]))
    np.testing.assert_allclose(shares, [0.0, 0.5, 0.5])
    assert shares[0] == 0.0


def test_reach_is_followed_through_long_chains():
    table = np.eye(40, k=1)
    table[-1, -1] = 1.0
    np.testing.assert_array_equal(reachable(table), np.triu(np.ones((40, 40), dtype=bool)))


def test_rows_of_a_table_sum_to_one():
    draw = np.random.default_rng(0)
    follows, begins = draw.dirichlet(np.ones(5), size=4), np.append(0.0, draw.dirichlet(np.ones(4)))
    table = transition_table(follows, 0.3, begins, np.full((4, 3), 0.2))
    np.testing.assert_allclose(table.sum(axis=1), 1.0, rtol=1e-15)


SOCIETY = """
nodes:
  f: {{type: feature, states: [x, y, z], base_rates: [0.2, 0.3, 0.5]}}
  g: {{type: feature}}
  walk:
    type: sequence
    phases:
      - predicts: {{f: {f}}}
      - predicts: {{f: x, g: {{"yes": 0.8}}}}
  rival: {{type: model, predicts: {{walk: {walk}}}}}
stream: {{f: [x, null]}}
"""


def society(f="{y: 0.7}", walk="active"):
    return load(SOCIETY.format(f=f, walk=walk)).society


def test_each_phase_predicts_by_the_ratio_to_base_rates():
    links = [link for link in society().as_written().links if link.source == "walk"]
    assert [(k.prediction.when, k.target) for k in links] == [(1, "f"), (2, "f"), (2, "g")]
    base = {"x": 0.2, "y": 0.3, "z": 0.5}
    np.testing.assert_allclose(np.exp(links[0].log_ratio), list(ratio({"y": 0.7}, base).values()))


FORMS = ["active", "{active: 0.95}", "{will: 0.95}", "{'off': 0.05}", "{inactive: 0.05}"]


@pytest.mark.parametrize("walk", FORMS)
def test_active_of_a_sequence_is_not_off(walk):
    (link,) = (k for k in society(walk=walk).as_written().links if k.source == "rival")
    shares = society().as_written().base_rates_of("walk")
    expected = np.append(0.05, 0.95 * shares[1:] / shares[1:].sum())
    np.testing.assert_allclose(link.prediction.distribution, expected, rtol=1e-14)


def test_a_phase_of_a_sequence_can_be_predicted():
    (link,) = (k for k in society(walk="{'2': 0.9}").as_written().links if k.source == "rival")
    assert link.prediction.distribution[2] == pytest.approx(0.9)


def test_wont_of_a_sequence_must_make_it_less_active():
    assert faults(SOCIETY.format(f="x", walk="{wont: 0.1}")) == [
        "nodes.rival.predicts.walk.wont: wont: 0.1 makes it no more inactive than it is anyway; "
        "write a number above 0.89"
    ]


def test_predictions_of_phases_are_checked_with_their_place():
    assert faults(SOCIETY.format(f="{w: 0.7}", walk="active")) == [
        "nodes.walk.phases[0].predicts.f.w: unknown state 'w'; states: x, y, z"
    ]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            "phases: [{dwell: 0.9, skip: 0.2}]",
            "nodes.s.phases[0]: dwell, skip and abort of phase 1 sum to 1.12; at most 1; what is "
            "left is to advance",
        ),
        (
            "phases: [{name: a}, {name: a}]",
            "nodes.s.phases: phase 2 can't be called 'a': that is taken",
        ),
        (
            'phases: [{name: "off"}]',
            "nodes.s.phases: phase 1 can't be called 'off': that is taken",
        ),
        (
            "phases: [{next: {b: 1.0}}]",
            "nodes.s.phases[0].next.b: unknown state 'b'; states: off, 1",
        ),
        (
            "phases: [{next: {'off': 0.5}}]",
            "nodes.s.phases[0].next: the probabilities sum to 0.5, not 1",
        ),
        (
            "{begins: {'off': 1.0}, phases: [{}]}",
            "nodes.s.begins.off: a sequence can't begin by being off; a phase",
        ),
        (
            "phases: [{next: {'off': 1.0}}, {}]",
            "nodes.s.phases[1]: phase '2' is never reached; let some phase's next lead to it",
        ),
        (
            "{abort: 0.0, phases: [{}, {next: {'2': 1.0}}]}",
            "nodes.s.phases[0]: phase '1' never comes back, so it has no base rate; let what "
            "follows break off or come to an end",
        ),
        (
            "{abort: 0.0, begins: {'1': 0.5, '2': 0.5}, dwell: 1.0, phases: [{}, {}]}",
            "nodes.s.phases: which phases it ends in depends on chance alone; let every phase "
            "break off (abort) or come to an end",
        ),
        ("{start: 0.0, phases: [{}]}", "nodes.s.start: must be above 0, got 0.0"),
        ("phases: []", "nodes.s.phases: needs at least 1 entries, got a list of 0"),
    ],
)
def test_what_can_not_be_meant_is_said_with_its_place(keys, said):
    inside = keys.strip("{}") if keys.startswith("{") else keys
    text = f"nodes:\n  f: {{type: feature}}\n  s: {{type: sequence, {inside}}}\nstream: {{f: [null]}}\n"
    assert faults(text) == [said]
