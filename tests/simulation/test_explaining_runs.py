"""Explanations of nodes: sums, words, and what "without" means, against scenarios written without it."""

import math
from dataclasses import replace

import pytest

from mpnet.api import load as load_shipped
from mpnet.errors import OutputError, UsageError
from mpnet.explanation import KINDS
from mpnet.record import Record
from mpnet.simulation.explaining import Wanted, explain, explain_in_question
from mpnet.simulation.running import run_scenario
from mpnet.simulation.scene import scene_of
from tests.nodes.societies import exact, load, log_odds

CHEAP = ("purple_jar", "purple_jar_seen", "bird", "fight", "digits", "hierarchy", "competition",
         "redundancy", "ambiguous", "confusion", "asynchronous", "compose_space", "frustrated_loop",
         "compose_features", "word_superiority", "multi_step", "brain_paragraph")  # fmt: skip
"""Shipped scenarios that run in a moment, without their experiments."""


def bare(name):
    """A shipped scenario without its experiment."""
    scenario = load_shipped(name)
    spec = scenario.spec.model_copy(update={"expect": [], "experiment": None})
    inference = scenario.spec.inference.model_copy(update={"ask": list(scenario.in_question)})
    return replace(scenario, experiment=None, spec=spec.model_copy(update={"inference": inference}))


def scene(scenario):
    return scene_of(scenario, run_scenario(scenario))


def explained(text, node, state=None, against=None):
    return explain(scene(load(text)), Wanted(node, state, against))


def share(found, *names, kind=None):
    (one,) = [s for s in found.shares if s.names == names and kind in (None, s.kind)]
    return one


@pytest.mark.parametrize("name", CHEAP)
def test_shares_add_up_to_what_the_run_believes(name):
    found = scene(bare(name))
    nodes = [n for n in found.graph.index if n in found.record.beliefs][:40]
    assert nodes
    for node in nodes:
        told = explain(found, Wanted(node))
        beliefs = found.record.beliefs[node]
        assert told.belief == beliefs[told.state]
        assert not math.isnan(told.log_odds)
        if told.forced:
            assert all(s.nats == told.log_odds for s in told.shares)
            assert 0.0 in (beliefs[told.state], beliefs[told.against])
            continue
        assert told.total == pytest.approx(told.log_odds, abs=1e-6)
        if 0.0 not in (beliefs[told.state], beliefs[told.against]):
            run = math.log(beliefs[told.state]) - math.log(beliefs[told.against])
            assert told.log_odds == pytest.approx(run, abs=1e-9)
        kinds = [KINDS.index(s.kind) for s in told.shares]
        assert kinds == sorted(kinds)
        assert told.headline.startswith(node.partition("@")[0])


def test_wings_that_were_not_seen_are_3_4012_nats_against_a_bird():
    scenario = load_shipped("bird")
    evidence = {"wings": "no", "beak": "yes", "feathers": "yes", "swims": "no", "coat": "brown"}
    seen = scenario.society.observe({**evidence, "surroundings": "things", "article": "no"})
    told = explain(scene(replace(bare("bird"), seen=seen)), Wanted("bird"))
    wings = share(told, "wings")
    assert (wings.kind, wings.text) == ("evidence", "wings: not seen")
    # log (1 - 0.97) / (1 - 0.1), and so on.
    assert wings.nats == pytest.approx(-3.4012, abs=5e-5)
    assert wings.left_out == pytest.approx(math.log(0.03 / 0.9), abs=1e-12)
    assert share(told, "beak").nats == pytest.approx(math.log(0.98 / 0.03), abs=1e-12)
    assert share(told, "bird", kind="prior").nats == pytest.approx(math.log(0.1 / 0.9), abs=1e-12)
    assert told.headline == (
        "bird is active (belief 0.798): beak: seen (+3.49 nats) and feathers: seen (+3.49 nats), "
        "against wings: not seen (-3.40 nats)"
    )


def test_parts_that_contradict_each_other_say_so_together():
    told = explain(scene(load_shipped("purple_jar")), Wanted("stationary_dancing"))
    both = share(told, "stationary", "dancing")
    assert both.kind == "together"
    assert both.text == "stationary and dancing contradict each other about motion (C = -3.55)"
    assert both.nats == pytest.approx(-3.5, abs=0.02)
    for name in ("stationary", "dancing"):
        assert share(told, name).nats == pytest.approx(0.0, abs=0.03)
        assert share(told, name).left_out == pytest.approx(-3.5, abs=0.03)
    assert "contradict each other about motion" in told.headline


RIVALS = """
    nodes:
      legs: {{type: feature, states: [two, four]}}
      bark: {{type: feature, base_rates: {{"yes": 0.1}}}}
      tail: {{type: feature, base_rates: {{"yes": 0.3}}}}
      cat: {{type: model, prior: 0.2, predicts: {{legs: {{four: 0.9}}, tail: {{"yes": 0.95}}}}}}
      dog: {{type: model, prior: 0.3, predicts: {{bark: {{"yes": 0.8}}{more}}}}}
      fish: {{type: model, prior: 0.1, predicts: {{legs: {{two: 0.99}}}}}}
      {choice}
    evidence: {{bark: "yes", tail: "yes"}}
    inference: {{ask: [cat, dog, fish], estimator: exact}}
"""
WITH_TAIL = ", legs: {two: 0.8}"


def test_without_a_rival_means_that_it_does_not_speak_of_the_same():
    told = explained(RIVALS.format(more=WITH_TAIL, choice=""), "cat")
    dog = share(told, "dog")
    _, without = exact(load(RIVALS.format(more="", choice="")))
    assert dog.without == pytest.approx(without["cat"][1], abs=1e-12)
    assert dog.left_out == pytest.approx(told.log_odds - log_odds(without["cat"]), abs=1e-10)
    assert dog.text.startswith("protests, speaks of legs too (believed ")
    # What cat itself says of legs, which nobody saw, is no evidence.
    assert [s.names for s in told.shares if s.kind == "evidence"] == [("tail",)]


def test_without_a_rival_for_a_choice_means_that_it_is_not_in_the_race():
    who = "who: {type: choice, among: [cat, dog, fish], rule: at_most_one}"
    less = "who: {type: choice, among: [cat, fish], rule: at_most_one}"
    told = explained(RIVALS.format(more="", choice=who), "cat")
    dog = share(told, "dog")
    _, without = exact(load(RIVALS.format(more="", choice=less)))
    assert dog.without == pytest.approx(without["cat"][1], abs=1e-12)
    assert dog.nats < 0.0
    assert dog.text.startswith("protests, by the rule of who (believed ")
    assert told.headline.startswith("cat stays asleep (belief ")
    assert ": dog protests (-" in told.headline
    assert told.headline.endswith(f"; without dog its belief would be {dog.without:.3g}")


def test_where_exactly_one_must_be_the_choice_itself_speaks():
    who = "who: {type: choice, among: [cat, dog, fish]}"
    found = scene(load(RIVALS.format(more=WITH_TAIL, choice=who)))
    told = explain(found, Wanted("cat"))
    assert told.total == pytest.approx(told.log_odds, abs=1e-9)
    assert "who" in {n for s in told.shares for n in s.names}
    lost = explain(found, Wanted("who", against="cat"))
    assert (lost.state, lost.against) == ("dog", "cat")
    words = {s.names: s.text for s in lost.shares}
    assert words[("dog",)].startswith("dog by itself has +")
    assert lost.headline.startswith("who is dog rather than cat (+")
    won = explain(found, Wanted("who", against="dog"))
    assert won.headline.startswith("who is dog rather than cat (+")
    assert won.log_odds == pytest.approx(-lost.log_odds, abs=1e-12)


EXPLAINED = """
    nodes:
      wet: {{type: feature, base_rates: {{"yes": 0.05}}}}
      rain: {{type: model, prior: 0.2, explains: {{wet: 0.9}}}}
      hose: {{type: model, prior: 0.3{hose}}}
    evidence: {{wet: "yes"}}
    inference: {{ask: [rain], estimator: exact}}
"""


def test_a_rival_cause_explains_away():
    told = explained(EXPLAINED.format(hose=", explains: {wet: 0.8}"), "rain")
    hose = share(told, "hose")
    assert hose.text.startswith("protests, explains wet too (believed ")
    _, without = exact(load(EXPLAINED.format(hose="")))
    assert hose.without == pytest.approx(without["rain"][1], abs=1e-12)
    wet = share(told, "wet")
    assert (wet.kind, wet.text) == ("evidence", "wet: seen")
    assert wet.nats == pytest.approx(math.log((1 - 0.95 * 0.1) / 0.05), abs=1e-12)


def test_an_observed_node_says_so():
    told = explained(EXPLAINED.format(hose=""), "wet")
    assert told.headline == "wet is observed: seen"
    assert (told.state, told.log_odds, told.belief) == ("yes", math.inf, 1.0)
    assert [(s.kind, s.nats) for s in told.shares] == [("evidence", math.inf)]


def test_a_rule_that_forces_a_state_is_named():
    text = """
        nodes:
          smoke: {type: feature}
          fire: {type: model, prior: 0.1, predicts: {smoke: {"yes": 1.0}}}
        evidence: {smoke: "no"}
        inference: {ask: [fire]}
    """
    told = explained(text, "fire")
    assert told.log_odds == told.total == -math.inf
    assert told.headline == "fire can't be active: smoke: not seen rules that out"
    assert [s.names for s in told.shares] == [("smoke",)]


def test_soft_evidence_and_data_of_the_node_itself_are_its_own():
    found = scene(bare("fight"))
    told = explain(found, Wanted("duck"))
    own = share(told, "duck", kind="evidence")
    assert own.nats == pytest.approx(math.log(0.9985 / 0.0015), abs=1e-12)
    told = explain(scene(bare("digits")), Wanted("7"))
    data = [s for s in told.shares if s.kind == "evidence"]
    assert [s.names for s in data] == [("image",)]
    assert data[0].text.startswith("image: ")


def test_the_estimator_has_a_share_where_it_is_off():
    record = run_scenario(load_shipped("purple_jar", estimator="flat"))
    (told,) = [e for e in record.explanations if e.node == "stationary_dancing"]
    off = share(told, kind="estimator")
    (row,) = [r for r in record.estimates if r.node == "stationary_dancing"]
    assert off.nats == pytest.approx(row.flat - row.exact, abs=1e-6)
    assert off.text == "flat propagation counts a loop twice"


def test_a_run_explains_its_nodes_in_question_only_where_that_is_quick():
    record = run_scenario(bare("purple_jar"))
    assert [e.node for e in record.explanations] == [
        "purple", "jar", "stationary", "dancing", "purple_jar", "stationary_dancing",
    ]  # fmt: skip
    assert {e.reference for e in record.explanations} == {"exact"}
    again = Record.from_json(record.to_json(), record.trace, record.views)
    assert again.explanations == record.explanations
    assert run_scenario(bare("clones")).explanations == ()
    assert run_scenario(load_shipped("frustrated_loop")).explanations == ()
    assert run_scenario(load_shipped("contradiction")).explanations == ()


def test_a_run_that_did_not_converge_says_so():
    told = explain(scene(load_shipped("frustrated_loop")), Wanted("a"))
    assert told.notes == ("the run did not converge (oscillating): its beliefs can't be trusted",)
    assert share(told, kind="estimator").text == "the run did not converge"


@pytest.fixture(scope="module")
def kitchen():
    return scene(load_shipped("brain_paragraph"))


def test_a_model_that_never_woke_says_its_score_and_what_speaks_against_it(kitchen):
    before = kitchen.lived.population.graph.log_z()
    told = explain(kitchen, Wanted("storm"))
    assert told.headline.startswith(
        "storm is asleep (feed-forward score -5.11 nats): it never woke"
    )
    assert "(0.1 are asked for)" in told.headline
    assert told.notes == (
        "it sleeps, and so counts as inactive; told is what it would be if it woke",
    )
    # Prior 0.02; sound purr 0.4 / 3 against 0.1; warm 0.2 against 0.3.
    wanted = math.log(0.02 / 0.98) + math.log(0.4 * 0.1 / 0.9 / 0.1) + math.log(0.2 / 0.3)
    assert told.log_odds == pytest.approx(wanted, abs=1e-9)
    assert told.total == pytest.approx(told.log_odds, abs=1e-9)
    assert kitchen.lived.population.graph.log_z() == pytest.approx(before, abs=1e-9)


def test_a_model_that_went_says_why(kitchen):
    told = explain(kitchen, Wanted("teapot"))
    assert "it went, for without it log Z loses" in told.headline
    assert share(told, "handle").nats == pytest.approx(math.log(0.1 / 0.9), abs=1e-9)


def test_steps_of_a_stream_are_told_in_words(kitchen):
    told = explain(kitchen, Wanted("leap@3"))
    assert told.headline.startswith("leap at step 3 is flying rather than off (+")
    assert share(told, "movement@3").text == "movement at step 3: fly"
    assert "its own next step" in share(told, "leap@4").text


def test_nodes_set_by_a_do_say_so():
    text = """
        nodes:
          f: {type: feature}
          m: {type: model, prior: 0.3, predicts: {f: {"yes": 0.9}}}
        timeline:
          - {label: set, do: {m: active}}
        inference: {ask: [f]}
    """
    found = scene(load(text))
    assert explain(found, Wanted("m")).headline == "m is active: that is what it is set to"
    told = explain(found, Wanted("f"))
    assert share(told, "m").text == "m set to active"
    assert share(told, "m").nats == pytest.approx(math.log(9), abs=1e-9)


@pytest.mark.parametrize(
    ("node", "state", "said"),
    [
        ("teapt", None, "there is no node 'teapt'; did you mean 'teapot'?"),
        ("leap", None, "'leap' has a belief at each step: leap@1 to leap@4"),
        ("cat", "actve", "'cat' has no state 'actve'; did you mean 'active'?"),
    ],
)
def test_unknown_nodes_and_states_are_answered_with_what_is_known(kitchen, node, state, said):
    with pytest.raises(UsageError) as caught:
        explain(kitchen, Wanted(node, state))
    assert said in str(caught.value)


def test_where_exact_shares_are_out_of_reach_propagation_takes_over_and_is_named():
    found = scene(load_shipped("purple_jar"))
    told = explain(found, Wanted("stationary_dancing", limit=1))
    assert told.reference == "clamped"
    assert told.notes == (
        "exact shares are out of reach: these come from propagation with the node held",
    )
    assert told.total == pytest.approx(told.log_odds, abs=1e-9)
    # Held at a state, this node cuts the only loop, and what is left is exact.
    exactly = explain(found, Wanted("stationary_dancing"))
    for one, other in zip(told.shares, exactly.shares, strict=True):
        assert one.nats == pytest.approx(other.nats, abs=1e-6)


def test_a_run_with_sleepers_has_the_hash_of_the_whole_scenario():
    text = """
        nodes:
          f: {type: feature}
          m: {type: model, prior: 0.3, predicts: {f: {"yes": 0.9}}}
          n: {type: model, prior: 0.001, predicts: {f: {"no": 0.9}}}
        evidence: {f: "yes"}
        lifecycle: {asleep: [m, n]}
    """
    scenario = load(text)
    record = run_scenario(scenario)
    assert record.environment["scenario_sha256"] == scenario.sha256()
    assert "n" not in [node.name for node in record.nodes]
    told = explain(scene_of(scenario, record), Wanted("n"))
    assert told.headline.startswith("n is asleep (feed-forward score ")
    # As if it alone woke: 0.1 / 0.5 for the feature that was seen.
    assert told.log_odds == pytest.approx(math.log(0.001 / 0.999) + math.log(0.2), abs=1e-9)


def test_data_have_no_belief():
    with pytest.raises(UsageError, match="'image' has no variable, and so no belief"):
        explain(scene(bare("digits")), Wanted("image"))


def test_another_scenario_is_refused():
    record = run_scenario(load_shipped("purple_jar"))
    with pytest.raises(OutputError, match="not the one that this run was of"):
        scene_of(load_shipped("purple_jar", damping=0.5), record)


def test_no_node_in_question_is_no_explanation():
    assert explain_in_question(scene(load_shipped("frustrated_loop"))) == ()


def test_the_case_that_a_batch_shows_is_the_one_explained():
    scenario = load_shipped("digits_test")
    found = scene(scenario)
    (told,) = found.record.explanations
    again = explain(found, Wanted("digit"))
    assert (again.log_odds, again.state) == (told.log_odds, told.state)
    assert [s.nats for s in again.shares] == [s.nats for s in told.shares]


def test_a_state_may_be_named():
    found = scene(bare("hierarchy"))
    told = explain(found, Wanted("bicycle", "inactive"))
    assert (told.state, told.against) == ("inactive", "active")
    other = explain(found, Wanted("bicycle"))
    assert told.log_odds == pytest.approx(-other.log_odds, abs=1e-12)
    assert told.headline.startswith("bicycle is active rather than inactive (+")
