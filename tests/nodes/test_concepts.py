"""Concepts learnt by counting: probabilities against a loop, inheritance, overriding, faults."""

import numpy as np
import pytest

from mpnet.datafolder import data_folder
from mpnet.errors import DataError
from mpnet.nodes.concepts import Concepts
from mpnet.nodes.norms import load_norms
from mpnet.simulation.answering import answer_evidence
from tests.nodes.societies import faults, load

needs_data = pytest.mark.skipif(data_folder() is None, reason="needs the data folder")

HEAD = "exemplar,can fly,sings,has/is a tail\x85,never\n"
ROWS = {
    "bird": "robin,4,3,0,0\npenguin,0,1,2,0\n",
    "fish": "cod,0,0,4,0\n",
    "insect": "fly,4,0,0,0\n",
    "mammal": "bat,4,0,1,0\n",
    "reptile": "boa,0,0,4,0\n",
}
SMALL = "nodes: {it: {type: concepts, unknown: 0.2, inherit: 2.0}}\ninference: {exact: never}\n"


@pytest.fixture
def norms(tmp_path, monkeypatch):
    """A table of six animals in a data folder of its own."""
    folder = tmp_path / "concepts" / "leuven"
    folder.mkdir(parents=True)
    for kind, rows in {**ROWS, "animal": "".join(ROWS.values())}.items():
        (folder / f"{kind}_exemplar_features_sum.csv").write_text(HEAD + rows, encoding="utf-8")
    monkeypatch.setenv("MPNET_DATA", str(tmp_path))
    return folder


def beliefs(scenario, **evidence):
    seen = scenario.society.observe({k.replace("_", " "): v for k, v in evidence.items()})
    answer = answer_evidence(scenario, seen)
    graph, row = answer.compiled.original, answer.beliefs()
    return {v.name: row[graph.states_of(i)] for i, v in enumerate(graph.variables)}


def test_counts_by_hand(norms):
    node = Concepts(unknown=0.2, inherit=2.0)
    found = node.learnt()
    assert found.states[:5] == tuple(
        f"another {kind}" for kind in ("bird", "fish", "insect", "mammal", "reptile")
    )
    assert found.features == ("can fly", "sings", "has or is a tail")
    overall = (12 + 0.5) / (4 * 6 + 1)
    bird = (4 + overall) / (8 + 1)
    penguin = (0 + 2 * bird) / (4 + 2)
    place = found.states.index("penguin")
    assert found.applies[0, 0] == pytest.approx(bird)
    assert found.applies[place, 0] == pytest.approx(penguin)
    assert found.prior[0] == pytest.approx(0.2 * 2 / 6)
    assert found.prior[place] == pytest.approx(0.8 / 6)


def test_a_society_of_concepts_equals_bayes_by_hand(norms):
    scenario = load(SMALL)
    found = scenario.society.nodes["it"].learnt()
    got = beliefs(scenario, can_fly="yes", sings={"yes": 0.3, "no": 0.7})
    flies, sings, _ = found.applies.T
    weights = found.prior * flies * (0.3 * sings + 0.7 * (1 - sings))
    weights /= weights.sum()
    np.testing.assert_allclose(got["it"], weights, rtol=1e-12)
    by_kind = np.bincount(found.kind_of, weights)
    np.testing.assert_allclose(got["kind"], by_kind, rtol=1e-12)
    assert got["has or is a tail"][1] == pytest.approx(weights @ found.applies[:, 2], rel=1e-12)


def test_nothing_seen_leaves_every_base_rate(norms):
    scenario = load(SMALL)
    for name, belief in beliefs(scenario).items():
        np.testing.assert_allclose(belief, scenario.society.base_rates_of(name), rtol=1e-12)


def test_members_inherit_and_override(norms):
    scenario = load(SMALL)
    bird, penguin = beliefs(scenario, kind="bird"), beliefs(scenario, it="penguin")
    assert bird["can fly"][1] > 0.4
    assert penguin["can fly"][1] < 0.2
    assert penguin["kind"][0] == 1.0


def test_without_members_concepts_are_kinds(norms):
    node = Concepts(members=False)
    assert len(node.domain()) == 5
    assert node.learnt().prior.sum() == pytest.approx(1.0)


def test_what_is_held_out_is_not_learnt_from(norms):
    node = Concepts(held_out=0.34, seed=3)
    assert (~node.training()).sum() == 2
    hidden = [n for n, use in zip(node.norms().concepts, node.training(), strict=True) if not use]
    assert not set(hidden) & set(node.domain())


def test_a_written_feature_takes_the_place_of_a_brought_one(norms):
    text = SMALL.replace("nodes: {", "nodes: {sings: {type: feature, base_rates: [0.5, 0.5]}, ")
    scenario = load(text)
    assert scenario.society.base_rates_of("sings")[1] == 0.5


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ("it: {type: concepts, kinds: sings}", "nodes.it.kinds: 'sings' is the name of a feature of the table"),
        ("it: {type: concepts, kinds: it}", "nodes.it.kinds: 'it' is the name of this node itself"),
        (
            "it: {type: concepts}, sings: {type: feature, states: [a, b]}",
            "nodes.it: it needs a node 'sings' with the states no, yes",
        ),
        (
            "it: {type: concepts}, sings: {type: feature, base_rates: [0, 1]}",
            "nodes.it: a state of 'sings' has the base rate 0, but occurs",
        ),
        (
            "it: {type: concepts}, that: {type: concepts, inherit: 9.0, held_out: 0.4}",
            "nodes.that: 'that' brings 'kind' otherwise than another node does; write that node out",
        ),
        ("it: {type: concepts, inherit: 0}", "nodes.it.inherit: must be above 0, got 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(norms, nodes, told):
    assert faults(f"nodes: {{{nodes}}}")[0] == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + "robin,4,x,0,0\n", "holds a cell that is no number"),
        (HEAD + "robin,4\n", "is no table with a heading and rows of one length"),
        (HEAD + "robin,9,0,0,0\n", "counts must be from 0 to 4"),
        (HEAD + "unicorn,1,0,0,0\n", "no table of a kind holds 'unicorn'"),
    ],
)
def test_files_that_are_not_what_they_should_be_are_told(norms, text, told):
    (norms / "animal_exemplar_features_sum.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=told):
        load_norms("leuven")


def test_missing_files_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("MPNET_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"zoo\.data is missing \(UCI Zoo"):
        load_norms("zoo")


@needs_data
def test_most_birds_fly_but_not_penguins():
    scenario = load("nodes: {animal: {type: concepts}}\ninference: {exact: never}")
    kind, penguin = beliefs(scenario, kind="bird"), beliefs(scenario, animal="penguin")
    # Across the 30 birds the raters' mean is .858.
    assert kind["can fly"][1] == pytest.approx(0.858, abs=0.01)
    assert penguin["can fly"][1] < 0.2
    assert penguin["kind"].max() == 1.0


@needs_data
def test_zoo_is_read_with_its_two_frogs():
    norms = load_norms("zoo")
    assert norms.counts.shape == (101, 21)
    assert {"frog", "frog (2)"} <= set(norms.concepts)
    assert norms.kinds.count("mammal") == 41
    legs = [norms.features.index(f) for f in norms.features if f.endswith(" legs")]
    assert (norms.counts[:, legs].sum(axis=1) == 1).all()
