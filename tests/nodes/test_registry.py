"""Node types of others: enabled by name or not loaded, and broken ones break nothing else."""

import sys
from importlib.metadata import EntryPoint, entry_points
from types import SimpleNamespace

import numpy as np
import pytest

from mpnet.errors import PluginError
from mpnet.extensions import ENABLING_VARIABLE
from mpnet.nodes import registry
from mpnet.nodes.base import ACTIVATION, Node, Prediction
from mpnet.nodes.registry import node_types
from mpnet.simulation.running import run_scenario
from tests.listed import TYPES
from tests.nodes.societies import exact, faults, load

GOOD = """
from typing import ClassVar
import numpy as np
from mpnet.nodes.base import Node

class Lamp(Node):
    "A lamp that is on or off."
    bright: float = 0.25
    def domain(self):
        return ("off", "on")
    def rates(self, around):
        return np.array([1.0 - self.bright, self.bright])
"""

LAMP = "nodes: {l: {type: lamp, bright: 0.75}}"
MIXED = "nodes: {l: {type: lamp}, f: {type: feature}}"
PLAIN = "nodes: {f: {type: feature}}"


class Point(EntryPoint):
    """An entry point of a distribution that is not installed."""

    def __init__(self, name, value, group, owner):
        super().__init__(name, value, group)
        vars(self)["dist"] = SimpleNamespace(name=owner, version="0.2")


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """Offer node types: ``offer(lamp=source)`` as if a distribution brought them."""
    real = list(entry_points(group=registry.GROUP))
    points = []
    monkeypatch.delenv(ENABLING_VARIABLE, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "entry_points", lambda group: [*real, *points])

    def add(source, name="lamp", owner="lamps", attribute="Lamp"):
        module = f"offered_{len(points)}_{tmp_path.name.replace('-', '_')}"
        (tmp_path / f"{module}.py").write_text(source)
        points.append(Point(name, f"{module}:{attribute}", registry.GROUP, owner))
        return module

    return add


def test_built_in_types_come_by_the_same_way_as_plugins():
    found = node_types()
    assert {"choice", "composite", "feature", "images", "model", "ppca"} <= set(found)
    assert all(found[name].built_in and found[name].enabled for name in ("feature", "model"))


def test_a_plugin_that_is_not_enabled_is_a_fault_that_says_how_to_enable_it(offer):
    module = offer(GOOD)
    assert faults(LAMP)[0] == (
        "nodes.l.type: node type 'lamp' comes from lamps, which is not enabled; "
        "if you trust it, add --plugin lamp"
    )
    assert module not in sys.modules


def test_a_plugin_that_is_enabled_works(offer):
    offer(GOOD)
    _, beliefs = exact(load(LAMP, ["lamp"]))
    np.testing.assert_allclose(beliefs["l"], [0.25, 0.75], rtol=1e-14)


@pytest.mark.parametrize("value", ["lamp", "all", "other, lamp"])
def test_a_plugin_can_be_enabled_by_the_environment(offer, monkeypatch, value):
    offer(GOOD)
    monkeypatch.setenv("MPNET_PLUGINS", value)
    assert load(LAMP).society.states_of("l") == ("off", "on")


def test_off_in_the_environment_disables_even_what_the_command_line_enables(offer, monkeypatch):
    offer(GOOD)
    monkeypatch.setenv("MPNET_PLUGINS", "off")
    assert "not enabled" in faults("nodes: {l: {type: lamp}}\n", ["lamp"])[0]


def test_a_plugin_that_no_scenario_names_is_never_imported(offer):
    module = offer(GOOD)
    run_scenario(load(PLAIN, ["lamp"]))
    assert module not in sys.modules


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise RuntimeError('no licence')", r"RuntimeError: no licence"),
        ("import a_module_that_is_not_there", "ModuleNotFoundError: No module named"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("def (", "SyntaxError"),
        ("x = 1", "AttributeError: module .* has no attribute 'Lamp'"),
    ],
)
def test_a_plugin_that_fails_to_import_is_named_and_others_work(offer, source, told):
    offer(source)
    with pytest.raises(
        PluginError,
        match=rf"^node type 'lamp' of lamps 0\.2 failed to import \({told}.*other types",
    ) as caught:
        load(MIXED, ["lamp"])
    assert caught.value.exit_code == 6
    assert load(PLAIN, ["lamp"]).society.states_of("f") == ("no", "yes")


def test_a_plugin_that_is_no_class_of_nodes_is_told(offer):
    offer("Lamp = 7")
    with pytest.raises(PluginError, match=r"is 7; it must be a class that inherits mpnet\.nodes"):
        load(LAMP, ["lamp"])


def test_a_plugin_of_another_interface_is_told(offer):
    offer(GOOD.replace("bright: float", "api: ClassVar[int] = 2\n    bright: float"))
    with pytest.raises(PluginError, match="was written for node interface 2; this is 1"):
        load(LAMP, ["lamp"])


def test_two_distributions_that_offer_one_name_are_both_named_and_others_work(offer):
    offer(GOOD)
    offer(GOOD, owner="lanterns")
    told = "'lamp' comes from both lamps 0.2 and lanterns 0.2; uninstall"
    with pytest.raises(PluginError, match=told):
        load(LAMP, ["lamp"])
    assert load(PLAIN).society.states_of("f") == ("no", "yes")


@pytest.mark.parametrize("enabled", ["feature", "lamps"])
def test_a_plugin_can_not_replace_a_built_in_type(offer, enabled):
    offer(GOOD, name="feature")
    with pytest.raises(PluginError, match=r"'feature' comes from both mpnet .* and lamps 0\.2"):
        load(PLAIN, [enabled])


@pytest.mark.parametrize("enabled", [[], ["all"]])
def test_a_built_in_type_stays_where_a_plugin_of_its_name_is_not_asked_for(offer, enabled):
    module = offer(GOOD, name="feature")
    assert load(PLAIN, enabled).society.states_of("f") == ("no", "yes")
    assert module not in sys.modules


def test_all_types_of_a_distribution_are_enabled_by_its_name(offer):
    offer(GOOD)
    assert load(LAMP, ["lamps"]).society.states_of("l") == ("off", "on")


def test_a_plugin_that_is_not_there_is_told(offer):
    offer(GOOD)
    with pytest.raises(
        PluginError, match="no installed plugin is called 'lmap'; did you mean 'lamp'"
    ):
        load(PLAIN, ["lmap"])


def test_nothing_installed_is_told(monkeypatch):
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    with pytest.raises(PluginError, match=r"no node types are installed; install mpnet with pip"):
        node_types()


def test_a_module_path_is_no_node_type():
    (told,) = faults("nodes: {x: {type: 'os:system'}}")
    assert told.startswith(
        f"nodes.x.type: node type 'os:system' is provided by no installed plugin; types: {TYPES}"
    )


BASE = """
import numpy as np
from mpnet.nodes.base import Node, Prediction, Reference
class Lamp(Node):
    def rates(self, around):
        return {rates}
    def predictions(self, around):
        return {predictions}
    def references(self):
        return {references}
    def observe(self, value):
        return {observe}
    def domain(self):
        return {domain}
    def log_likelihood(self, seen, around):
        return {log_likelihood}
"""

FINE = {
    "rates": "np.array([0.5, 0.5])",
    "predictions": "[]",
    "references": "[]",
    "observe": "super().observe(value)",
    "domain": "('inactive', 'active')",
    "log_likelihood": "None",
}


@pytest.mark.parametrize(
    "method", ["rates", "predictions", "references", "observe", "domain", "log_likelihood"]
)
def test_a_plugin_whose_method_raises_is_told_with_the_node(offer, method):
    offer(BASE.format(**{**FINE, method: "1 / 0"}))
    text = "nodes: {bright: {type: lamp}, f: {type: feature}}\nevidence: {bright: active}"
    with pytest.raises(PluginError, match=r"node 'bright'.*ZeroDivisionError: division by zero"):
        run_scenario(load(text, ["lamp"]))


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("rates", "None"),
        ("rates", "np.array([0.5, np.nan])"),
        ("rates", "np.array([0.5, 0.3, 0.2])"),
        ("rates", "np.array([0.5, -0.5])"),
        ("rates", "'half'"),
        ("predictions", "[Prediction('f', np.array([0.5, np.nan]))]"),
        ("predictions", "[Prediction('f', np.array([0.1, 0.2, 0.7]))]"),
        ("predictions", "[Prediction('nobody', np.array([0.5, 0.5]))]"),
        ("predictions", "7"),
        ("log_likelihood", "np.array([0.0, np.nan])"),
        ("log_likelihood", "np.array([0.0, 1.0, 2.0])"),
    ],
)
def test_a_plugin_whose_answer_makes_no_sense_is_told_with_the_node(offer, method, answer):
    offer(BASE.format(**{**FINE, method: answer}))
    text = "nodes: {bright: {type: lamp}, f: {type: feature}}"
    with pytest.raises(PluginError, match="node 'bright'"):
        run_scenario(load(text, ["lamp"]))


@pytest.mark.parametrize(
    "answer", ["np.asfortranarray(np.array([0.25, 0.75], dtype=np.float32))", "[0.25, 0.75]"]
)
def test_answers_of_another_number_type_are_taken(offer, answer):
    offer(BASE.format(**{**FINE, "rates": answer}))
    _, beliefs = exact(load("nodes: {l: {type: lamp}}", ["lamp"]))
    np.testing.assert_allclose(beliefs["l"], [0.25, 0.75], rtol=1e-7)


def test_the_base_of_all_types_says_what_is_missing():
    with pytest.raises(TypeError, match="Node has states and must say their base rates"):
        Node().rates(None)
    assert Node().domain() == ACTIVATION
    assert Prediction("x", np.ones(1)).confidence == 1.0
