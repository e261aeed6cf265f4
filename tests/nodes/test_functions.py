"""Node types from one function: what stands before the star are nodes, after it keys."""

from typing import Annotated

import numpy as np
import pytest
from pydantic import Field

from mpnet.errors import PluginError
from mpnet.plugin import NodeFaults, factor, model, tabulate
from tests.nodes.societies import exact, faults, load


@model(prior=0.2)
def dusk(
    sky, *sounds, how_dark: Annotated[float, Field(ge=0, le=1, description="How dark.")] = 0.9
):
    """The sky goes dark, and it is quiet."""
    return {sky: {"dark": how_dark}, **{s: {"quiet": 0.8} for s in sounds}}


@factor
def ratio(one, other, *, times: float = 3.0):
    """Equal states are likelier."""
    return times if one == other else 1.0


@factor(log=True, type_name="never")
def never_both(one, other):
    """Not both are on."""
    return float("-inf") if one == other == "yes" else 0.0


SKY = """
nodes:
  west: {type: feature, states: [light, dark], base_rates: [0.7, 0.3]}
  street: {type: feature, states: [noisy, quiet]}
  park: {type: feature, states: [noisy, quiet]}
  it: {type: dusk, sky: west, sounds: [street, park]KEYS}
"""
PAIR = "nodes: {a: {type: feature}, b: {type: feature}, law: {type: TYPE}}\nevidence: {b: 'yes'}"


def sky(keys="", **evidence):
    return exact(load(SKY.replace("KEYS", keys), [dusk]), **evidence)[1]


def test_a_model_predicts_what_the_function_returns():
    # 0.2 * 0.9 * 0.8 * 0.8 against 0.8 * 0.3 * 0.5 * 0.5.
    found = sky(west="dark", street="quiet", park="quiet")["it"]
    np.testing.assert_allclose(found[1] / found[0], 0.2 * 0.9 * 0.64 / (0.8 * 0.3 * 0.25))


def test_keys_reach_the_function_and_the_prior():
    found = sky(", how_dark: 0.6, prior: 0.5", west="dark")["it"]
    np.testing.assert_allclose(found[1] / found[0], 0.6 / 0.3)


def test_a_factor_weighs_assignments():
    scenario = load(PAIR.replace("TYPE", "ratio, one: a, other: b, times: 5"), [ratio])
    np.testing.assert_allclose(exact(scenario)[1]["a"], [1 / 6, 5 / 6])


def test_a_factor_of_logs_rules_out():
    scenario = load(PAIR.replace("TYPE", "never, one: a, other: b"), [never_both])
    np.testing.assert_allclose(exact(scenario)[1]["a"], [1.0, 0.0])
    (rule,) = scenario.society.rules
    assert rule.hard
    assert rule.name == "law"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (", how_dark: 2", "nodes.it.how_dark: must be at most 1, got 2"),
        (", how_drak: 0.5", "nodes.it.how_drak: unknown key 'how_drak'; did you mean 'how_dark'?"),
        (", prior: 1.0", "nodes.it.prior: must be below 1, got 1"),
    ],
)
def test_keys_at_fault_are_told_with_their_place(keys, told):
    (found,) = faults(SKY.replace("KEYS", keys), [dusk])
    assert found.startswith(told)


def test_what_does_not_fit_a_node_is_told_where_the_scenario_names_it():
    text = SKY.replace("KEYS", "").replace("[noisy, quiet]", "[noisy, calm]", 1)
    assert faults(text, [dusk]) == [
        "nodes.it.sounds[0]: unknown state 'quiet'; states: noisy, calm",
    ]
    (told,) = faults(SKY.replace("KEYS", "").replace("sky: west", "sky: wset"), [dusk])
    assert told.startswith("nodes.it.sky: there is no node 'wset'; did you mean 'west'?")


def test_a_node_twice_in_a_factor_is_told():
    (told,) = faults(PAIR.replace("TYPE", "ratio, one: a, other: a"), [ratio])
    assert told == "nodes.law.other: 'a' is there twice; the nodes must differ"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            "-1.0",
            r"answered rules with -1\.0 for \('no', 'no'\); it must be a weight, finite and >= 0",
        ),
        ("float('nan')", r"with nan for \('no', 'no'\)"),
        ("float('inf')", r"with inf for"),
        ("None", r"with None for"),
        ("'much'", r"with 'much' for"),
    ],
)
def test_weights_that_make_no_sense_are_told_with_their_states(answer, told):
    @factor
    def wrong(one, other):
        return eval(answer)  # noqa: S307 - written above

    with pytest.raises(PluginError, match=rf"node 'law'.*{told}"):
        load(PAIR.replace("TYPE", "wrong, one: a, other: b"), [wrong])


def test_a_model_that_returns_no_dict_is_told():
    @model
    def wrong(sky):
        return [sky]

    with pytest.raises(PluginError, match=r"answered predictions with \['a'\]; it must be a dict"):
        load("nodes: {a: {type: feature}, it: {type: wrong, sky: a}}", [wrong])


def test_a_model_that_speaks_of_a_node_that_it_was_not_given_is_told():
    @model
    def wrong(sky):
        return {"b": "yes"}

    text = "nodes: {a: {type: feature}, b: {type: feature}, it: {type: wrong, sky: a}}"
    with pytest.raises(PluginError, match="predictions about 'b', which its references leave out"):
        load(text, [wrong])


def argument_called_rates(sky, *, rates: float = 0.5):
    return {}


def key_without_a_type(sky, *, dark=0.5):
    return {}


def takes_no_node(*, dark: float = 0.5):
    return {}


def takes_anything(sky, **keys):
    return {}


def of_an_unknown_type(sky, *, dark: "Nothing" = 0.5):  # noqa: F821 - that is the fault
    return {}


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (argument_called_rates, "an argument can't be called 'rates', which every node has"),
        (key_without_a_type, "the key 'dark' needs a type, such as dark: float = 0.5"),
        (takes_no_node, "takes no node; write one before the star"),
        (takes_anything, r"write the keys of '\*\*keys' out"),
        (of_an_unknown_type, "name 'Nothing' is not defined"),
    ],
)
@pytest.mark.parametrize("make", [model, factor])
def test_a_function_that_can_be_no_type_is_told(function, told, make):
    with pytest.raises(TypeError, match=rf"^{function.__name__}.*{told}"):
        make(function)


def test_tables_too_large_are_a_fault():
    class Around:
        def states_of(self, name):
            return tuple(map(str, range(5000)))

    with pytest.raises(NodeFaults, match="a table of 5000 × 5000 × 5000 entries; at most"):
        tabulate(lambda *states: 1.0, ["a", "b", "c"], Around())
