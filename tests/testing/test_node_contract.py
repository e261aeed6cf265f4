"""The contract fails for types that break it: each claim catches the fault that it is about."""

import numpy as np
import pytest

from mpnet.nodes.base import Observation
from mpnet.plugin import Field, Model, Name, Node, Prediction, Reference, Rule, factor
from mpnet.testing import NodeContract

COUNTER = iter(range(10**6))


class Lamp(Node):
    """A lamp that is on or off."""

    bright: float = Field(0.25, description="How often it is on.")

    def domain(self):
        return ("off", "on")

    def rates(self, around):
        return [1.0 - self.bright, self.bright]


class Unbalanced(Lamp):
    """A lamp whose base rates do not sum to one."""

    def rates(self, around):
        return [0.5, 0.6]


class Random(Lamp):
    """A lamp that is another one every time."""

    def rates(self, around):
        rate = np.random.random()
        return [1.0 - rate, rate]


class Counting(Lamp):
    """A lamp that counts how often it is asked."""

    def rates(self, around):
        rate = 0.1 + 1e-6 * next(COUNTER)
        return [1.0 - rate, rate]


class Undocumented(Lamp):
    pass


Undocumented.__doc__ = ""


class Lax(Lamp):
    """A lamp that takes any key."""

    model_config = {"extra": "ignore"}


class Changing(Lamp):
    """A lamp that may be changed."""

    model_config = {"frozen": False}


class Touchy(Lamp):
    """A lamp that does not expect nonsense."""

    def observe(self, value):
        return Observation(value.strip(), np.zeros(2))


class Biased(Model):
    """A model that gains by speaking: its rule is no ratio to the base rates."""

    about: Name

    def references(self):
        return [Reference(self.about, ("about",))]

    def rules(self, name, around):
        return [Rule("bias", (name, self.about), np.array([[0.0, 0.0], [1.0, 0.0]]))]


class Improper(Model):
    """A model whose prediction sums to more than one."""

    about: Name

    def references(self):
        return [Reference(self.about, ("about",))]

    def predictions(self, around):
        return [Prediction(self.about, np.array([0.5, 0.9]))]


class Local(Lamp):
    """A lamp that can't be found again by its name."""


Local.__qualname__ = "nowhere.Local"


@factor
def heavy(one, other):
    """Two are alike."""
    return 2.0 if one == other else 1.0


def contract(kind, **example):
    return type("Contract", (NodeContract,), {"node": kind, **example})()


ABOUT = {"keys": {"about": "f"}, "around": {"f": {"type": "feature"}}}
CLAIMS = [name for name in dir(NodeContract) if name.startswith("test_")]


def failing(tested):
    found = []
    for claim in CLAIMS:
        try:
            getattr(tested, claim)()
        except (Exception, pytest.fail.Exception):
            found.append(claim.removeprefix("test_"))
    return found


def test_a_sound_type_passes_all_claims():
    assert failing(contract(Lamp, keys={"bright": 0.3}, states=("off", "on"))) == []
    around = {"a": {"type": "feature"}, "b": {"type": "feature"}}
    keys = {"one": "a", "other": "b"}
    assert failing(contract(heavy, keys=keys, states=(), around=around)) == []


@pytest.mark.parametrize(
    ("kind", "example", "claim"),
    [
        (Lamp, {"states": ("on", "off")}, "it_has_the_states_that_it_claims"),
        (Unbalanced, {}, "base_rates_are_probabilities"),
        (Random, {}, "it_is_the_same_every_time"),
        (Counting, {}, "it_is_the_same_every_time"),
        (Undocumented, {}, "it_says_what_it_is"),
        (Lax, {}, "unknown_keys_are_refused"),
        (Changing, {}, "it_equals_one_of_the_same_keys_and_is_never_changed"),
        (Touchy, {}, "evidence_that_makes_no_sense_is_a_fault_of_the_scenario"),
        (Biased, ABOUT, "what_nobody_observed_tells_it_nothing"),
        (Improper, ABOUT, "what_it_predicts_are_probabilities"),
        (Local, {}, "it_pickles"),
        (Lamp, {"keys": {"bright": 2}, "demo": "no_such.yaml"}, "its_demo_meets_its_expectations"),
        (Lamp, {"keys": {"brigth": 0.5}}, "it_is_built_from_its_example"),
    ],
)
def test_each_fault_is_caught_by_the_claim_about_it(kind, example, claim):
    assert claim in failing(contract(kind, **example))


def test_a_demo_that_does_not_meet_its_expectations_fails(tmp_path):
    demo = tmp_path / "demo.yaml"
    text = "mpnet: 1\nname: demo\nnodes: {l: {type: lamp}}\n"
    demo.write_text(text + "expect: [{node: l, state: 'on', near: 0.25}]\n")
    contract(Lamp, demo=demo).test_its_demo_meets_its_expectations()
    demo.write_text(text + "expect: [{node: l, state: 'on', near: 0.75}]\n")
    with pytest.raises(AssertionError, match=r"belief l=on near 0\.75.*got 0\.25"):
        contract(Lamp, demo=demo).test_its_demo_meets_its_expectations()
    demo.write_text(text)
    with pytest.raises(AssertionError, match="a demo says under expect what must come out"):
        contract(Lamp, demo=demo).test_its_demo_meets_its_expectations()
