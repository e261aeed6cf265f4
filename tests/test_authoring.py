"""Societies in code: the same scenario as in YAML, and the same messages."""

import numpy as np
import pytest

import mpnet
from mpnet.authoring import SocietyBuilder
from mpnet.coding import METHODS
from mpnet.errors import OutputError, ScenarioError
from mpnet.nodes.registry import node_types
from mpnet.scenario.document import read_document
from mpnet.scenario.library import shipped
from mpnet.simulation.loading import check_scenario
from tests.listed import TYPES

SHIPPED = [s.name for s in shipped()]

YAML = """
mpnet: 1
name: pets
nodes:
  sound: {type: feature, states: [bark, meow, silence], base_rates: {silence: 0.8}}
  legs: {type: feature, states: [two, four]}
  dog: {type: model, prior: 0.1, predicts: {sound: {bark: 0.6}, legs: {four: 0.98}}}
  cat: {type: model, prior: 0.1, predicts: {sound: {meow: 0.5}, dog: {wont: 0.99}}}
  playing: {type: model, prior: 0.2}
  playful_dog: {type: composite, prior: 0.05, parts: [dog, playing]}
  who: {type: choice, among: [dog, cat], rule: at_most_one}
evidence: {legs: four, sound: {bark: 0.7}}
inference: {damping: 0.5}
expect:
- status: converged
- {winner: dog, among: [dog, cat]}
"""


def pets():
    society = SocietyBuilder("pets")
    society.feature("sound", ("bark", "meow", "silence"), {"silence": np.float64(0.8)})
    society.feature("legs", ["two", "four"])
    society.model("dog", 0.1, {"sound": {"bark": 0.6}, "legs": {"four": 0.98}})
    society.model("cat", prior=0.1, predicts={"sound": {"meow": 0.5}, "dog": {"wont": 0.99}})
    society.model("playing", 0.2)
    society.composite("playful_dog", ["dog", "playing"], prior=0.05)
    society.choice("who", ["dog", "cat"], rule="at_most_one")
    society.observe({"legs": "four"}, sound={"bark": 0.7})
    return (
        society.inference(damping=0.5)
        .expect(status="converged")
        .expect(winner="dog", among=["dog", "cat"])
    )


def read(text):
    return check_scenario(read_document("pets.yaml", text.encode()))


def test_code_and_yaml_are_one_scenario():
    written, built = read(YAML), pets().build()
    assert built.resolved() == written.resolved()
    assert built.sha256() == written.sha256()


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenarios_go_through_code_and_back(name):
    scenario, names = mpnet.load(name), {}
    exec(compile(SocietyBuilder.of(scenario).to_python(), name, "exec"), names)  # noqa: S102
    again = read(names["society"].to_yaml())
    assert again.resolved() == scenario.resolved()
    assert again.sha256() == scenario.sha256()
    assert read_document(name, scenario.to_yaml().encode()).data == scenario.document.data


def test_a_program_survives_any_name():
    society = SocietyBuilder('x") #\n').node('it\'s "so"', "feature", states=["a\\b", "class"])
    society.node("odd", "model", **{"not a name": 1, "class": 2})
    names = {}
    exec(society.to_python(), names)  # noqa: S102
    assert names["society"].data == society.data


@pytest.mark.parametrize("name", ["purple_jar", "word_superiority", "multi_step"])
def test_a_resolved_scenario_builds_the_same_society(name):
    scenario = mpnet.load(name)
    again = read(scenario.to_yaml(resolved=True))
    assert again.resolved() == scenario.resolved()


def test_all_faults_are_told_by_their_places():
    society = SocietyBuilder("pets").feature("sound", ["bark", "meow"])
    society.model("cat", prior=1.5, predicts={"sound": {"meow": 0.5}})
    society.node("dog", "modell", prior=0.1).observe(sound="miaow")
    with pytest.raises(ScenarioError) as caught:
        society.build()
    said = str(caught.value).splitlines()
    assert sorted(said[:-1]) == [
        "pets: evidence.sound: unknown state 'miaow'; did you mean 'meow'? (states: bark, meow)",
        "pets: nodes.cat.prior: must be below 1, got 1.5",
        f"pets: nodes.dog.type: unknown node type 'modell'; did you mean 'model'? (types: {TYPES})",
    ]
    assert said[-1] == "3 faults; nothing was run"


def test_faults_are_those_of_the_same_file_but_for_the_line():
    society = pets().observe(legs="five").expect(winner="dgo", among=["dog", "cat"])
    with pytest.raises(ScenarioError) as coded:
        society.build()
    with pytest.raises(ScenarioError) as written:
        read(society.to_yaml())
    told = [[(f.path, f.what, f.hint) for f in e.value.faults] for e in (coded, written)]
    assert sorted(told[0]) == sorted(told[1])
    assert not any(fault.line for fault in coded.value.faults)


def test_a_name_that_is_taken_is_refused_at_once():
    with pytest.raises(ScenarioError, match=r"pets: nodes\.dog: there is a node 'dog' already"):
        pets().model("dog")


def test_it_runs_like_the_file_and_settings_are_for_one_run(tmp_path):
    society = pets()
    society.save(tmp_path / "pets.yaml")
    record = society.run(damping=0.25)
    assert record.beliefs == mpnet.run(tmp_path / "pets.yaml", damping=0.25).beliefs
    assert record.damping == 0.25
    assert society.data["inference"] == {"damping": 0.5}
    with pytest.raises(OutputError, match="is there already"):
        society.save(tmp_path / "pets.yaml")


def test_timeline_and_lifecycle_are_built_in_order():
    society = pets()
    society.at(3, label="heard", evidence={"sound": "meow"}).at(label="gone", withdraw=["sound"])
    society.lifecycle(asleep=["cat"], wake_above=0.2)
    assert society.data["timeline"] == [
        {"at": 3, "label": "heard", "evidence": {"sound": "meow"}},
        {"at": "settled", "label": "gone", "withdraw": ["sound"]},
    ]
    assert [moment.label for moment in society.build().timeline] == [
        "start", "heard", "gone",
    ]  # fmt: skip


def test_data_are_a_copy():
    society = pets()
    society.data["nodes"].clear()
    assert len(society.data["nodes"]) == 7


def test_methods_take_all_keys_of_their_types():
    types = node_types()
    for kind, keys in METHODS.items():
        assert set(keys) == set(types[kind].load().model_fields), kind


def test_a_run_of_code_is_saved_with_its_scenario_as_a_file(tmp_path):
    run = pets().run()
    folder = run.save(tmp_path / "run")
    assert mpnet.load(folder / "scenario.yaml").sha256() == pets().build().sha256()
    assert mpnet.open_run(folder).beliefs == run.beliefs
