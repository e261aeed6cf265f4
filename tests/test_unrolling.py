"""Societies along streams: what has a variable per step, and what is said of it."""

import numpy as np
import pytest

import mpnet
from mpnet.nodes.base import NodeFaults
from mpnet.simulation.streams import along_stream
from mpnet.unrolling import at_step, step_of, unroll, without
from tests.nodes.societies import enumerated, faults, load
from tests.sequences import Joint

TWO = """
nodes:
  f: {type: feature, states: [x, y], base_rates: {x: 0.3}}
  g: {type: feature, states: [u, v]}
  one:
    type: sequence
    start: 0.2
    phases: [{predicts: {f: {x: 0.9}}}, {predicts: {f: {y: 0.8}, g: {u: 0.9}}}]
  two:
    type: sequence
    start: 0.1
    dwell: 0.4
    phases: [{predicts: {g: {v: 0.8}, one: {active: 0.9}}}]
stream:
  f: [x, null, y]
  g: [null, u, v]
"""

STREAM = [{"f": "x"}, {"g": "u"}, {"f": "y", "g": "v"}]


def test_enumeration_of_the_unrolled_society_is_forward_and_backward():
    scenario = load(TWO)
    _, beliefs = enumerated(scenario.society.assemble(scenario.seen))
    twin = Joint(TWO)
    for step, joint in enumerate(twin.joints(STREAM), start=1):
        for name in ("one", "two"):
            np.testing.assert_allclose(
                beliefs[at_step(name, step)], twin.phases(joint, name), atol=1e-9
            )


def test_base_rates_stay_at_every_step_as_long_as_nothing_is_seen():
    society = load(TWO.split("  two:", maxsplit=1)[0] + "stream: {f: [null, null, null]}").society
    _, beliefs = enumerated(society.assemble({}))
    for step in (1, 2, 3):
        found = beliefs[at_step("one", step)]
        np.testing.assert_allclose(found, society.base_rates_of("one"), atol=1e-12)
        # One phase in two predicts y with 0.8, the other x with 0.9; else base rates hold.
        off, first, second = found
        x = off * 0.3 + first * 0.9 + second * 0.2
        np.testing.assert_allclose(beliefs[at_step("f", step)], [x, 1.0 - x], atol=1e-12)


def test_unseen_steps_of_what_one_sequence_predicts_change_no_belief():
    one = TWO.split("  two:", maxsplit=1)[0]
    short = load(one + "stream: {f: [x, y]}")
    long = load(one + "stream: {f: [x, y, null, null]}")
    _, few = enumerated(short.society.assemble(short.seen))
    _, many = enumerated(long.society.assemble(long.seen))
    for name in few:
        np.testing.assert_allclose(many[name], few[name], atol=1e-12)


def test_models_hold_at_all_steps_and_what_changes_spreads_along_predictions():
    society = load(
        """
        nodes:
          f: {type: feature}
          still: {type: feature}
          a: {type: model, predicts: {f: {"yes": 0.9}, still: {"yes": 0.9}}}
          b: {type: model, predicts: {c: {will: 0.9}}}
          c: {type: model}
          s: {type: sequence, phases: [{predicts: {b: {will: 0.9}}}]}
        stream: {f: ["yes", "no"]}
        """
    ).society
    assert list(society.nodes) == [
        "f@1", "f@2", "still", "a", "b@1", "b@2", "c@1", "c@2", "s@1", "s@2",
    ]  # fmt: skip
    assert [(k.source, k.target) for k in society.links] == [
        ("a", "f@1"), ("a", "f@2"), ("a", "still"),
        ("b@1", "c@1"), ("b@2", "c@2"), ("s@1", "b@1"), ("s@2", "b@2"),
    ]  # fmt: skip


def test_a_choice_and_its_rivals_are_unrolled_together():
    scenario = load(
        """
        nodes:
          f: {type: feature}
          a: {type: model, predicts: {f: {"yes": 0.9}}}
          b: {type: model, predicts: {f: {"no": 0.9}}}
          who: {type: choice, among: [a, b]}
          s: {type: sequence, phases: [{predicts: {a: {will: 0.9}}}]}
        stream: {f: ["yes", null]}
        """
    )
    assert scenario.society.temporal == ("f", "a", "b", "who", "s")
    _, beliefs = enumerated(scenario.society.assemble(scenario.seen))
    assert beliefs["who@1"][0] == pytest.approx(beliefs["a@1"][1], abs=1e-12)
    assert beliefs["who@1"][0] > 0.7


def test_explanations_are_unrolled():
    scenario = load(
        """
        nodes:
          t: {type: feature, base_rates: {"yes": 0.1}}
          a: {type: model, prior: 0.2, explains: {t: 0.8}}
          s: {type: sequence, phases: [{predicts: {a: {will: 0.9}}}]}
        stream: {t: ["yes", "no"]}
        """
    )
    graph = scenario.society.assemble(scenario.seen)
    assert {"a@1", "a@2"} <= {v.name for v in graph.variables}
    found = scenario.society.causes
    assert [(c.source, c.target) for c in found] == [("a@1", "t@1"), ("a@2", "t@2")]


def test_evidence_may_name_a_step():
    scenario = load(TWO.replace("stream:", "evidence: {one@2: '2'}\nstream:"))
    _, beliefs = enumerated(scenario.society.assemble(scenario.seen))
    np.testing.assert_allclose(beliefs["one@2"], [0.0, 0.0, 1.0])


def test_a_shorter_stretch_is_the_same_society():
    society = load(TWO).society
    assert list(society.until(2).nodes) == [n for n in society.nodes if step_of(n) < 3]
    assert len(society.until(1).rules) == 0


def test_without_a_node_nothing_is_said_by_or_to_it():
    society = without(load(TWO).society.as_written(), ["one"])
    assert list(society.nodes) == ["f", "g", "two"]
    assert [(k.source, k.target) for k in society.links] == [("two", "g")]


def test_steps_are_read_from_names():
    assert [step_of(n) for n in ("a@3", "a@b@12", "a@", "@", "a", "a@1x")] == [3, 12, *[None] * 4]


def test_a_scenario_resolves_to_what_is_written():
    assert list(load(TWO).resolved()["nodes"]) == ["f", "g", "one", "two"]


BASE = "nodes:\n  f: {type: feature, states: [x, y]}\n  g: {type: feature}\n  m: {type: model}\n"
WALK = "  s: {type: sequence, phases: [{predicts: {f: x}}]}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "stream: {f: [x, y], g: ['yes']}",
            "stream.g: 'g' has 1 steps and 'f' has 2; write null where nothing was observed",
        ),
        ("stream: {f: [x, y, w]}", "stream.f[2]: step 3: unknown state 'w'; states: x, y"),
        (
            "stream: {f: [x, {x: 1.5}]}",
            "stream.f[1].x: step 2: must be a probability in [0, 1], got 1.5",
        ),
        (
            "stream: {m: [active]}",
            "stream.m: 'm' is no feature but of type model; a stream is evidence about features",
        ),
        (
            "stream: {h: [x]}",
            "stream.h: there is no node 'h'; nodes: f, g, m, s",
        ),
        ("stream: {f: []}", "stream.f: needs at least 1 entries, got a list of 0"),
        ("stream: {f: x}", "stream.f: must be a list, got 'x'"),
        (
            "",
            "nodes.s: 's' runs along a stream, and there is none; add stream: {FEATURE: [STATE, "
            "STATE, null, ...]}",
        ),
        (
            "stream: {f: [x]}\nevidence: {f@1: y}",
            "evidence.f@1: 'f@1' is in the stream already; leave one out",
        ),
        (
            "stream: {f: [x]}\nevidence: {f: y}",
            "evidence.f: there is no node 'f'; nodes: f@1, g, m, s@1",
        ),
    ],
)
def test_bad_streams_are_refused_with_their_place(text, said):
    assert faults(BASE + WALK + text) == [said]


def test_names_that_could_be_steps_are_refused():
    assert faults("nodes: {f@2: {type: feature}}") == [
        "nodes.f@2: 'f@2' could be a step of a stream; names of nodes don't end in '@' and a number"
    ]


def test_what_looks_at_data_can_not_change():
    text = """
    nodes:
      f: {type: feature}
      image: {type: images, train: 200}
      two: {type: ppca, sees: image, label: 2}
      s: {type: sequence, phases: [{predicts: {two: {will: 0.9}}}]}
    stream: {f: [null, null]}
    """
    (said,) = faults(text)
    assert "nodes.two.sees: 'two' changes from step to step and can't look at data" in said


def test_all_faults_are_told_at_once():
    text = BASE + WALK.replace("f: x", "f: w") + "stream: {f: [x, w], g: [1]}\n"
    assert len(faults(text)) == 3


def test_a_faulty_stream_leaves_the_society_as_it_was():
    society = load(BASE).society
    with pytest.raises(NodeFaults):
        society.states_of("f@1")
    same, seen, wrong = along_stream({}, society)
    assert (same, seen, wrong) == (society, {}, [])


def test_sequences_of_one_feature_compete():
    text = """
    nodes:
      f: {type: feature, states: [x, y]}
      a: {type: sequence, start: 0.3, phases: [{predicts: {f: {x: 0.9}}}]}
      b: {type: sequence, start: 0.3, phases: [{predicts: {f: {y: 0.9}}}]}
    stream: {f: [null, null]}
    """
    society = load(text).society
    _, both = enumerated(society.assemble({}))
    _, alone = enumerated(unroll(without(society.as_written(), ["b"]), 2, ["f"]).assemble({}))
    for step in (1, 2):
        assert both[at_step("a", step)][1] < alone[at_step("a", step)][1]


def test_phases_that_predict_one_node_are_shown_as_the_strongest_of_them():
    shown = [p for p in mpnet.run(load(TWO)).predictions if p.source == "one@2" and not p.hard]
    assert [(p.target, p.state) for p in shown] == [("f@2", "x"), ("g@2", "u"), ("one@3", "")]
    assert shown[0].strength == pytest.approx(np.log(0.9 / 0.3))


def test_a_contradiction_names_the_steps_of_the_stream():
    text = """
    nodes:
      f: {type: feature, states: [x, y]}
      s:
        type: sequence
        start: 1.0
        dwell: 0.0
        abort: 0.0
        repeats: 1.0
        phases: [{predicts: {f: {x: 1.0}}}, {predicts: {f: {y: 1.0}}}]
    stream: {f: [null, y, y, null]}
    """
    found = mpnet.run(load(text))
    assert found.status == "inconsistent"
    assert "the evidence f@2: y and f@3: y together contradict the model" in found.verdict
