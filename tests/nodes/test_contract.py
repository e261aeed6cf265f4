"""Every built-in node type under the contract that plugin authors inherit."""

import pytest

import mpnet
from mpnet.errors import ScenarioError
from mpnet.nodes.registry import node_types
from mpnet.plugin import Node, factor, fault, model
from mpnet.testing import NodeContract
from tests.interchange.texts import DATA

YES_NO = {"type": "feature"}
COLOUR = {"type": "feature", "states": ["red", "blue", "green"], "base_rates": [0.5, 0.3, 0.2]}
MODEL = {"type": "model", "prior": 0.2, "predicts": {"colour": "red"}}
ASLEEP = ("inactive", "active")


class TestFeature(NodeContract):
    installed = "feature"
    keys = {"states": ["a", "b", "c"], "base_rates": {"a": 0.5}}
    states = ("a", "b", "c")
    evidence = {"it": {"a": 0.2, "b": 0.5}}


class TestModel(NodeContract):
    installed = "model"
    keys = {
        "prior": 0.1,
        "predicts": {
            "colour": {"distribution": {"red": 0.7}, "confidence": 1.5},
            "other": {"will": 0.9},
        },
        "explains": {"token": 0.8},
    }
    around = {
        "colour": COLOUR,
        "shape": YES_NO,
        "other": {"type": "model", "prior": 0.2, "predicts": {"shape": "yes"}},
        "token": {"type": "feature", "base_rates": [0.9, 0.1]},
    }
    states = ASLEEP
    evidence = {"colour": "red", "token": "yes"}


class TestComposite(NodeContract):
    installed = "composite"
    keys = {"parts": ["one", "two"]}
    around = {
        "colour": COLOUR,
        "shape": YES_NO,
        "one": MODEL,
        "two": {"type": "model", "prior": 0.1, "predicts": {"shape": "yes"}},
    }
    states = ASLEEP
    evidence = {"colour": "red", "shape": "yes"}


class TestChoice(NodeContract):
    installed = "choice"
    keys = {"among": ["one", "two"], "rule": "at_most_one"}
    around = {
        "colour": COLOUR,
        "one": MODEL,
        "two": {"type": "model", "predicts": {"colour": "blue"}},
    }
    states = ("one", "two", "none")
    evidence = {"colour": "blue"}
    neutral = False


class TestChoiceByInhibition(NodeContract):
    installed = "choice"
    keys = {"among": ["one", "two"], "rule": "winner_takes_all", "otherwise": "three"}
    around = {
        "colour": COLOUR,
        "one": MODEL,
        "two": {"type": "model", "predicts": {"colour": "blue"}},
        "three": {"type": "model", "predicts": {"colour": "green"}},
    }
    states = ()
    evidence = {"colour": "blue"}


class TestBitmap(NodeContract):
    installed = "bitmap"
    keys = {"width": 3, "height": 2}
    states = ()


class TestPlace(NodeContract):
    installed = "place"
    keys = {"width": 2, "height": 3, "sees": "image", "shape": ["##"]}
    around = {"image": {"type": "bitmap", "width": 3, "height": 3}}
    states = ("0,0", "1,0", "0,1", "1,1", "0,2", "1,2")
    evidence = {"image": ["...", "##.", ".?."]}


class TestRelation(NodeContract):
    installed = "relation"
    keys = {"between": ["here", "there"], "how": "left_of", "within": 1, "prior": 0.3}
    around = {name: {"type": "place", "width": 3, "height": 2} for name in ("here", "there")}
    states = ASLEEP


class TestSequence(NodeContract):
    installed = "sequence"
    keys = {
        "start": 0.1,
        "phases": [
            {"name": "first", "predicts": {"colour": "red"}},
            {"name": "then", "predicts": {"colour": {"blue": 0.8}}, "dwell": 0.5},
        ],
    }
    around = {"colour": COLOUR}
    states = ("off", "first", "then")
    besides = {"stream": {"colour": ["red", None, {"blue": 0.6}]}}


class TestImages(NodeContract):
    installed = "images"
    states = ()


class TestPpca(NodeContract):
    installed = "ppca"
    keys = {"sees": "image", "label": 4, "prior": 0.1}
    around = {"image": {"type": "images"}}
    states = ASLEEP
    evidence = {"image": 1611}


class TestDisplay(NodeContract):
    installed = "display"
    keys = {"places": 2}
    states = ()


class TestLine(NodeContract):
    installed = "line"
    keys = {"sees": "display", "place": 1, "number": 3, "rate": 0.3}
    around = {"display": {"type": "display", "places": 2}}
    states = ("no", "yes")
    evidence = {"display": ["a", "k|r"]}


class TestWords(NodeContract):
    installed = "words"
    keys = {"words": ["a", "i"]}
    states = ("a", "i", "no word")
    evidence = {"display": ["k|r"]}


class TestCrowd(NodeContract):
    installed = "crowd"
    keys = {"models": 6, "features": 5, "predicts": 2}
    states = ()
    evidence = {"f1": "yes"}


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the data folder")
class TestConcepts(NodeContract):
    installed = "concepts"
    keys = {"table": "zoo", "members": False}
    evidence = {"feathers": "yes"}


def test_all_built_in_types_are_under_contract():
    under = {
        found.installed for found in globals().values() if hasattr(found, "installed")
    }  # fmt: skip
    assert {name for name, found in node_types().items() if found.built_in} == under - {""}


# Types from functions


@model(prior=0.2)
def dusk(sky, *sounds, how_dark: float = 0.9):
    """The sky goes dark, and it is quiet."""
    return {sky: {"dark": how_dark}, **dict.fromkeys(sounds, "quiet")}


@factor
def heavier(left, right, *, times: float = 3.0):
    """The left is likely to be heavier than the right."""
    return times if float(left) > float(right) else 1.0


@factor(log=True)
def never_both(one, other, *more):
    """Not all of them are on."""
    return float("-inf") if {one, other, *more} == {"yes"} else 0.0


WEIGHT = {"type": "feature", "states": ["1", "2.5", "7"]}


class TestModelOfAFunction(NodeContract):
    node = dusk
    keys = {"sky": "west", "sounds": ["street", "park"], "how_dark": 0.8}
    around = {
        "west": {"type": "feature", "states": ["light", "dark"], "base_rates": [0.6, 0.4]},
        "street": {"type": "feature", "states": ["noisy", "quiet"]},
        "park": {"type": "feature", "states": ["noisy", "quiet", "full of birds"]},
    }
    states = ASLEEP
    evidence = {"west": "dark", "park": {"quiet": 0.7, "noisy": 0.1}}


class TestFactorOfAFunction(NodeContract):
    node = heavier
    keys = {"left": "a", "right": "b", "times": 10.0}
    around = {"a": WEIGHT, "b": WEIGHT}
    states = ()
    evidence = {"b": "2.5"}


class TestFactorOfAFunctionOfLogs(NodeContract):
    node = never_both
    keys = {"one": "a", "other": "b", "more": ["c"]}
    around = dict.fromkeys("abc", YES_NO)
    states = ()
    evidence = {"b": "yes"}


def test_a_fault_of_a_domain_is_told_with_its_place():
    class Lamp(Node):
        def domain(self):
            raise fault((), "no states today")

    with pytest.raises(ScenarioError, match=r"nodes\.l: no states today"):
        mpnet.load(
            "purple_jar",
            plugins=[Lamp],
            nodes={"l": {"type": "lamp"}},
            **{"expect": [], "evidence": {}, "inference": {}},
        )
