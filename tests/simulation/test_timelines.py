"""Runs along a timeline: what is refused before it starts, and what happens when."""

from itertools import pairwise

import numpy as np
import pytest

from mpnet.cli import main as cli
from mpnet.errors import ScenarioError
from mpnet.runs import read_run, write_run
from mpnet.simulation.living import live
from mpnet.simulation.running import run_scenario
from tests.graphs import examples
from tests.lifecycle.societies import answers
from tests.nodes.societies import faults, load

BASE = """
nodes:
  x: {type: feature, base_rates: {"yes": 0.3}}
  y: {type: feature}
  m: {type: model, prior: 0.2, predicts: {x: {"yes": 0.9}, y: {"no": 0.7}}}
  n: {type: model, prior: 0.1, predicts: {x: {"no": 0.8}}}
"""


def entries(*lines, more=""):
    return BASE + more + "timeline:\n" + "".join(f"  - {line}\n" for line in lines)


ASLEEP = "lifecycle: {asleep: [m]}\n"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (entries("evidence: {z: 'yes'}"), "timeline[0].evidence.z", "there is no node 'z'"),
        (entries("withdraw: [z]"), "timeline[0].withdraw[0]", "there is no node 'z'"),
        (entries("{evidence: {x: maybe}}"), "timeline[0].evidence.x", "unknown state 'maybe'"),
        (entries("evidence: {m: active}", more=ASLEEP), "timeline[0].evidence.m", "asleep"),
        (BASE + "evidence: {m: active}\n" + ASLEEP, "evidence.m", "may be asleep"),
        (entries("evidence: {x: 'yes'}", "do: {x: 'no'}"), "timeline[1].do.x", "is observed"),
        (entries("do: {x: 'no'}", "evidence: {x: 'yes'}"), "timeline[1].evidence.x", "by a do"),
        (entries("{evidence: {x: 'yes'}, do: {x: 'no'}}"), "timeline[0].do.x", "is observed"),
        (entries("do: {x: maybe}"), "timeline[0].do.x", "has no state 'maybe'"),
        (entries("withdraw: [x]"), "timeline[0].withdraw[0]", "is not observed by then"),
        (entries("undo: [x]"), "timeline[0].undo[0]", "is not set by a do"),
        (entries("add: {x: {type: feature}}"), "timeline[0].add.x", "is there already"),
        (entries("add: {w: {type: featur}}"), "timeline[0].add.w.type", "featur"),
        (
            entries("add: {w: {type: model, predicts: {q: 'yes'}}}"),
            "timeline[0].add.w.predicts.q",
            "there is no node 'q'",
        ),
        (
            entries("add: {w: {type: feature}}", "add: {w: {type: feature}}"),
            "timeline[1].add.w",
            "joins once",
        ),
        (
            entries("evidence: {w: 'yes'}", "add: {w: {type: feature}}"),
            "timeline[0].evidence.w",
            "has not joined by then",
        ),
        (
            entries("add: {w: {type: feature}}", more="evidence: {w: 'yes'}\n"),
            "evidence.w",
            "has not joined by then",
        ),
        (entries("remove: [x]", "remove: [x]"), "timeline[1].remove[0]", "has left by then"),
        (entries("remove: [x, x]"), "timeline[0].remove[1]", "has left by then"),
        (entries("remove: [x]", "evidence: {x: 'yes'}"), "timeline[1].evidence.x", "has left"),
        (
            entries("{add: {w: {type: feature}}, remove: [w]}"),
            "timeline[0].remove[0]",
            "has not joined by then",
        ),
        (
            entries("{at: 9, evidence: {x: 'yes'}}", "{at: 8, withdraw: [x]}"),
            "timeline[1].at",
            "iteration 8 is past",
        ),
        (entries("{at: -1, remove: [x]}"), "timeline[0].at", "between 0 and 100000"),
        (entries("{at: 1000000, remove: [x]}"), "timeline[0].at", "between 0 and 100000"),
        (
            entries("{label: a, remove: [x]}", "{label: a, remove: [y]}"),
            "timeline[1].label",
            "is called 'a' already",
        ),
        (entries("{label: start, remove: [x]}"), "timeline[0].label", "is called 'start' already"),
        (entries("{at: 3}"), "timeline[0]", "nothing happens"),
        (
            entries("remove: [x]", more="expect: [{after: b, node: x, state: 'yes', above: 0}]\n"),
            "expect[0].after",
            "no moment of the timeline is called 'b'",
        ),
        (BASE + "expect: [{events: [awaken]}]\n", "expect[0].events", "need a timeline"),
        (
            entries("remove: [x]", more="expect: [{events: [awaken], above: 1}]\n"),
            "expect[0]",
            "events stand alone",
        ),
        (
            BASE + "lifecycle: {wake_above: 0.1, sleep_below: 0.1}\n",
            "lifecycle",
            "sleep_below must be less than wake_above",
        ),
        (BASE + "lifecycle: {asleep: [z]}\n", "lifecycle.asleep[0]", "there is no node 'z'"),
        (BASE + "lifecycle: {asleep: [x]}\n", "lifecycle.asleep[0]", "can't sleep"),
        (
            entries("add: {w: {type: model, predicts: {x: 'yes'}}}", more="stream: {x: ['yes']}\n")
            .replace("timeline:\n  - add: {w", "timeline:\n  - add: {v: {type: feature}, w")
            .replace("predicts: {x: 'yes'}}}\n", "predicts: {x: 'yes'}}, x: {type: feature}}\n"),
            "timeline[0].add.x",
            "is there already",
        ),
    ],
)
def test_what_can_not_happen_is_refused_at_its_place(text, place, said):
    found = faults(text)
    assert len(found) == 1, found
    assert place in found[0].split(": ")[0]
    assert said in found[0]


def test_who_changes_along_a_stream_can_not_join_later():
    text = """
    nodes:
      x: {type: feature}
    stream: {x: ["yes", "no"]}
    timeline:
      - add:
          walk:
            type: sequence
            phases: [{name: a, predicts: {x: "yes"}}, {name: b, predicts: {x: "no"}}]
    """
    assert ["can't join later" in fault for fault in faults(text)] == [True]


def test_all_faults_are_told_at_once():
    found = faults(entries("{withdraw: [x], undo: [y], remove: [z], evidence: {q: 'yes'}}"))
    assert len(found) == 4


def test_who_is_brought_joins_with_whoever_brings_it():
    text = BASE + "timeline:\n  - add: {many: {type: crowd, models: 3, features: 3, predicts: 2}}\n"
    lived = live(load(text))
    assert np.isfinite(lived.trace.log_z[1:]).all()
    assert {"m0", "f0"} <= set(lived.population.variable)
    assert lived.population.absent == set()
    first = lived.phases[0]
    assert first.awake == 2
    assert lived.phases[1].awake == 5


# What happens


def run(text):
    return live(load(text))


def rows(lived, name):
    place = lived.trace.nodes.index(name)
    start, end = lived.trace.offsets[place : place + 2]
    return lived.trace.beliefs[:, start:end]


PRIME = """
timeline:
  - {label: prime, at: 0, evidence: {x: "yes"}}
  - {label: mask, at: 2, evidence: {x: "no", y: "yes"}}
  - {label: target, at: 4, withdraw: [y], evidence: {x: {"yes": 0.9, "no": 0.3}}}
"""


def test_prime_mask_and_target_end_where_a_fresh_run_does():
    lived = run(BASE + PRIME)
    fresh = run(BASE + "evidence: {x: {'yes': 0.9, 'no': 0.3}}\nlifecycle: {asleep: []}\n")
    assert lived.status == "converged"
    for name in ("x", "y", "m", "n"):
        expected = fresh.population.belief(name)
        np.testing.assert_allclose(lived.population.belief(name), expected, atol=1e-7)
    assert lived.population.graph.log_z() == pytest.approx(fresh.population.graph.log_z(), abs=1e-7)
    assert [(phase.label, phase.first) for phase in lived.phases] == [
        ("start", 0),
        ("prime", 0),
        ("mask", 2),
        ("target", 4),
    ]


@pytest.mark.parametrize("at", [1, 2, 50])
def test_what_is_said_to_happen_at_an_iteration_happens_then(at):
    quiet = entries("{at: 200, evidence: {y: 'yes'}}", more="evidence: {x: 'yes'}\n")
    lived = run(quiet.replace("200", str(at)))
    before = run(quiet)
    (event,) = [e for e in lived.events if e.node == "y"]
    assert event.iteration == at
    assert lived.phases[1].first == lived.phases[0].last == at
    np.testing.assert_array_equal(rows(lived, "m")[: at + 1], rows(before, "m")[: at + 1])
    assert (rows(lived, "m")[at + 1] != rows(before, "m")[at + 1]).any()
    assert lived.phases[0].status == ("converged" if at == 50 else "interrupted")


def test_several_moments_at_one_iteration_happen_one_after_another():
    lived = run(
        entries("{at: 3, evidence: {x: 'yes'}}", "{at: 3, withdraw: [x]}", "{at: 3, do: {y: 'no'}}")
    )
    assert [event.iteration for event in lived.events] == [3, 3, 3]
    assert [event.kind for event in lived.events] == ["evidence", "withdraw", "do"]
    assert lived.population.belief("y").tolist() == [1.0, 0.0]


def test_an_iteration_that_is_past_when_it_comes_is_refused_with_its_place():
    text = entries("{evidence: {x: 'yes'}}", "{at: 1, withdraw: [x]}")
    with pytest.raises(ScenarioError, match="iteration 1 is past") as caught:
        run(text)
    (fault,) = caught.value.faults
    assert fault.place.endswith("timeline[1].at")
    assert "had settled" in fault.what
    assert "or more" in fault.hint


def effects(lived):
    return {(event.kind, event.node): event.effect for event in lived.events}


def test_effects_are_changes_of_log_z():
    text = entries(
        "{label: a, evidence: {x: 'yes'}}",
        "{label: b, do: {y: 'yes'}}",
        "{label: c, undo: [y]}",
        "{label: d, withdraw: [x]}",
        "{label: e, add: {k: {type: model, predicts: {x: 'yes'}}}}",
        "{label: f, remove: [m]}",
        "{label: g, evidence: {x: 'no', y: 'no'}}",
    )
    lived = run(text)
    log_z = {phase.label: phase.log_z for phase in lived.phases}
    labels = ["start", "a", "b", "c", "d", "e", "f", "g"]
    found = effects(lived)
    happened = [("evidence", "x"), ("do", "y"), ("undo", "y"), ("withdraw", "x"), ("add", "k")]
    happened += [("remove", "m"), ("together", "")]
    lived_events = [e for e in lived.events if (e.kind, e.node) != ("evidence", "y")]
    for (before, after), key in zip(pairwise(labels), happened, strict=True):
        (effect,) = [e.effect for e in lived_events if (e.kind, e.node, e.cause) == (*key, after)]
        assert effect == pytest.approx(log_z[after] - log_z[before], abs=1e-9), key
    assert found["evidence", "y"] is None
    exact = answers(lived.population.as_graph())[0]
    assert log_z["g"] == pytest.approx(exact, abs=1e-6)


def test_waking_is_no_effect_of_the_evidence_that_led_to_it():
    text = entries("{label: a, evidence: {x: 'yes'}}", more="lifecycle: {asleep: [m]}\n")
    lived = run(text.replace("prior: 0.2", "prior: 0.05"))
    found = effects(lived)
    rise = lived.phases[1].log_z - lived.phases[0].log_z
    assert found["awaken", "m"] > 0.1
    assert found["evidence", "x"] + found["awaken", "m"] == pytest.approx(rise, abs=1e-6)


def test_models_wake_before_a_moment_whose_iteration_is_far_away():
    text = entries("{at: 60, withdraw: [x]}", more="evidence: {x: 'yes'}\n" + ASLEEP)
    lived = run(text)
    (woken,) = [event for event in lived.events if event.kind == "awaken"]
    assert woken.iteration < 60
    assert lived.phases[0].last == 60
    assert lived.phases[0].status == "converged"


def test_a_society_that_needs_longer_is_cut_short_by_the_next_moment():
    text = entries("{at: 1, evidence: {y: 'yes'}}", more="evidence: {x: 'yes'}\n" + ASLEEP)
    lived = run(text)
    assert lived.phases[0].status == "interrupted"
    assert lived.phases[0].log_z is None
    assert len([event for event in lived.events if event.kind == "awaken"]) == 1
    assert lived.status == "converged"


SURE = """
nodes:
  x: {type: feature}
  y: {type: feature}
  z: {type: feature}
  m: {type: model, prior: 0.5, predicts: {x: {"yes": 1.0}, y: {"yes": 1.0}}}
  n: {type: model, prior: 0.5, predicts: {x: {"no": 1.0}}}
  who: {type: choice, among: [m, n]}
"""


def test_a_contradiction_on_the_way_ends_the_run_and_names_the_evidence():
    text = SURE + (
        "timeline:\n"
        "  - {label: one, evidence: {x: 'yes', z: 'yes'}}\n"
        "  - {label: two, evidence: {y: 'no'}}\n"
        "  - {label: three, withdraw: [y]}\n"
        "expect: [{after: three, node: m, above: 0.5}, {status: inconsistent}]\n"
    )
    record = run_scenario(load(text))
    assert record.status == "inconsistent"
    assert [phase.label for phase in record.phases] == ["start", "one", "two"]
    assert record.phases[-1].status == "inconsistent"
    assert record.verdict.startswith("after 'two': the evidence")
    assert "x: yes" in record.verdict
    assert "y: no" in record.verdict
    assert "z: yes" not in record.verdict
    assert [claim.met for claim in record.expectations] == [False, True]
    assert record.log_z is None
    assert np.isfinite(record.trace.beliefs).all()


def test_what_is_done_is_named_with_the_evidence_that_it_contradicts():
    text = SURE + "evidence: {x: 'yes'}\ntimeline:\n  - {do: {m: inactive}}\n"
    record = run_scenario(load(text))
    assert record.status == "inconsistent"
    assert "x: yes" in record.verdict
    assert "m is set to inactive" in record.verdict


def test_a_contradiction_names_the_sleepers():
    text = SURE + "evidence: {x: 'yes', y: 'no'}\nlifecycle: {asleep: [n]}\n"
    record = run_scenario(load(text))
    assert record.status == "inconsistent"
    assert record.verdict.endswith("(asleep, and so inactive: n)")


def test_a_record_keeps_the_whole_life(tmp_path):
    text = entries("{label: a, evidence: {x: 'yes'}}", more="lifecycle: {asleep: [m, n]}\n")
    scenario = load(text)
    record = run_scenario(scenario)
    again = read_run(write_run(record, scenario, tmp_path / "run", tmp_path))
    assert again.phases == record.phases
    assert again.numbers.keys() == record.numbers.keys()
    for key, number in record.numbers.items():
        assert again.numbers[key] == pytest.approx(number, nan_ok=True)
    assert again.events == record.events
    assert any(event.cause and event.effect is not None for event in again.events)
    np.testing.assert_array_equal(again.trace.beliefs, record.trace.beliefs)
    np.testing.assert_array_equal(again.trace.damping, record.trace.damping)


def test_sleepers_can_be_claimed_about():
    text = entries(
        "{label: a, evidence: {x: 'no'}}",
        more="lifecycle: {asleep: [m]}\n"
        "expect: [{node: m, below: 0.1}, {node: m, after: a, below: 0.1}]\n",
    )
    record = run_scenario(load(text.replace("prior: 0.2", "prior: 0.05")))
    assert not [event for event in record.events if event.kind == "awaken"]
    assert [claim.met for claim in record.expectations] == [True, True]


@pytest.mark.parametrize(("loss", "delay"), [(0.0, 0.0), (0.4, 0.0), (0.2, 1.5)])
def test_asynchronous_societies_end_where_others_do(loss, delay):
    more = "lifecycle: {asleep: [m, n]}\n"
    text = entries("{label: a, evidence: {x: 'yes'}}", "{label: b, do: {y: 'yes'}}", more=more)
    method = f"inference: {{schedule: asynchronous, loss: {loss}, delay: {delay}, seed: 3}}\n"
    lived, other = run(text + method), run(text)
    assert lived.status == "converged"
    for label in ("start", "a", "b"):
        found, expected = lived.beliefs_after(label), other.beliefs_after(label)
        for name, belief in expected.items():
            assert found[name] == pytest.approx(belief, abs=1e-6)
    assert len(lived.trace.residual) > len(other.trace.residual)
    again = run(text + method)
    np.testing.assert_array_equal(again.trace.beliefs, lived.trace.beliefs)


def test_a_society_without_change_is_the_society_itself():
    text = BASE + "evidence: {x: 'yes'}\n"
    still, lived = run_scenario(load(text)), run_scenario(load(text + "lifecycle: {asleep: []}\n"))
    assert lived.log_z == pytest.approx(still.log_z, abs=1e-7)
    for name, belief in still.beliefs.items():
        assert lived.beliefs[name] == pytest.approx(belief, abs=1e-7)


def test_a_schedule_that_only_answers_at_the_end_is_told():
    text = entries("evidence: {y: 'yes'}", more="inference: {schedule: residual}\n")
    record = run_scenario(load(text))
    assert [note for note in record.notes if "schedule residual" in note]
    assert record.status == "converged"


def test_what_does_not_settle_says_where():
    text = entries("{label: a, evidence: {y: 'yes'}}", more="inference: {max_iterations: 1}\n")
    record = run_scenario(load(text))
    assert record.status == "max_iterations"
    assert "'a'" in record.verdict
    assert record.log_z is None


@pytest.mark.parametrize("seed", range(examples(10)))
def test_removing_and_adding_ends_where_a_society_written_so_does(seed):
    rng = np.random.default_rng(seed)
    value = f"{rng.uniform(0.2, 0.9):.3f}"
    added = (
        f"k: {{type: model, prior: 0.3, predicts: {{x: {{'yes': {value}}}, m: {{active: 0.6}}}}}}"
    )
    lived = run(
        entries(f"{{add: {{{added}}}, remove: [n]}}", more="evidence: {x: 'yes', y: 'no'}\n")
    )
    written = BASE.replace("  n: ", f"  {added}\n  n: ")
    text = "\n".join(line for line in written.splitlines() if not line.startswith("  n:"))
    fresh = run(text + "\nevidence: {x: 'yes', y: 'no'}\nlifecycle: {asleep: []}\n")
    for name in ("m", "k"):
        np.testing.assert_allclose(
            lived.population.belief(name), fresh.population.belief(name), atol=1e-7
        )
    assert lived.population.graph.log_z() == pytest.approx(fresh.population.graph.log_z(), abs=1e-7)


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        (entries("withdraw: [x]"), 3, "timeline[0].withdraw[0]"),
        (entries("{evidence: {x: 'yes'}}", "{at: 1, withdraw: [x]}"), 3, "timeline[1].at"),
        (SURE + "timeline:\n  - evidence: {x: 'yes', y: 'no'}\n", 7, "x: yes and y: no"),
        (entries("evidence: {x: 'yes'}"), 0, "settled at"),
    ],
)
def test_exit_codes_tell_how_it_went(text, code, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(f"mpnet: 1\nname: s\n{text}")
    with pytest.raises(SystemExit) as caught:
        cli.main(["run", "s.yaml", "--no-plots"])
    said = capsys.readouterr()
    assert caught.value.code == code
    assert told in " ".join((said.out + said.err).split())
