"""Node types from files and from programs, and what is said where they go wrong."""

import copy
import sys
from pathlib import Path

import numpy as np
import pytest

import mpnet
from mpnet.errors import PluginError
from mpnet.nodes.files import type_name, types_in
from mpnet.nodes.registry import node_types
from mpnet.plugin import Node
from mpnet.simulation.schema import scenario_schema
from tests.nodes.societies import exact, faults, load

LAMP = '''
from mpnet.plugin import Node

class OldLamp(Node):
    """A lamp that is on or off."""

    bright: float = 0.25

    def domain(self):
        return ("off", "on")

    def rates(self, around):
        return [1.0 - self.bright, self.bright]
'''

USED = "nodes: {l: {type: old_lamp, bright: 0.75}, f: {type: feature}}"


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write a plugin file; its path as text."""
    monkeypatch.delenv("MPNET_PLUGINS", raising=False)

    def write(text, name="lamps.py"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def test_types_of_a_file_are_named_by_their_class_or_by_themselves(file):
    assert list(types_in(file(LAMP))) == ["old_lamp"]
    named = LAMP.replace("    bright", '    type_name = "lantern"\n    bright', 1)
    assert list(types_in(file(named))) == ["lantern"]


@pytest.mark.parametrize("kind", ["text", "path", "type"])
def test_a_type_comes_from_a_file_or_as_it_is(file, kind):
    path = file(LAMP)
    given = {"text": path, "path": Path(path), "type": types_in(path)["old_lamp"]}[kind]
    _, beliefs = exact(load(USED, [given]))
    np.testing.assert_allclose(beliefs["l"], [0.25, 0.75], rtol=1e-14)
    record = mpnet.run(load(USED, [given]))
    assert record.beliefs["l"]["on"] == pytest.approx(0.75, abs=1e-14)


def test_a_file_can_be_named_by_the_environment_and_turned_off_there(file, monkeypatch):
    path = file(LAMP)
    monkeypatch.setenv("MPNET_PLUGINS", path)
    assert load(USED).society.states_of("l") == ("off", "on")
    monkeypatch.setenv("MPNET_PLUGINS", "off")
    assert "old_lamp" not in node_types([path])


def test_a_scenario_can_not_name_a_file(file):
    path = file(LAMP, "secret.py")
    (told,) = faults(f"nodes: {{l: {{type: '{path}'}}}}")
    assert "is provided by no installed plugin" in told
    assert not any(name.startswith("mpnet_file_secret") for name in sys.modules)


def test_a_file_runs_once_until_it_changes(file):
    counted = LAMP + "\nimport sys\nsys.counted = getattr(sys, 'counted', 0) + 1\n"
    try:
        first = types_in(file(counted))["old_lamp"]
        assert types_in(file(counted))["old_lamp"] is first
        assert sys.counted == 1
        assert types_in(file(counted + "\n"))["old_lamp"] is not first
        assert sys.counted == 2
    finally:
        del sys.counted


def test_types_that_are_imported_or_private_are_left_out(file):
    text = LAMP.replace("class OldLamp(Node)", "class _Base(Node)")
    text += "\nfrom mpnet.nodes.feature import Feature\nclass Bulb(_Base):\n    'A bulb.'\n"
    assert list(types_in(file(text))) == ["bulb"]


def test_names_of_classes_in_small_letters():
    def called(name):
        return type_name(type(name, (Node,), {"__module__": __name__}))

    assert [called(n) for n in ("Lamp", "OldLamp", "HTTPLamp", "Lamp2")] == [
        "lamp", "old_lamp", "http_lamp", "lamp2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\n\n1 / 0\n", r"lamps\.py:3 failed \(ZeroDivisionError: division by zero\)"),
        ("def (:\n", r"lamps\.py:1 failed \(SyntaxError"),
        ("raise SystemExit(3)\n", r"lamps\.py:1 failed \(SystemExit: 3\)"),
        ("import a_module_that_is_not_there", r"lamps\.py:1 failed \(ModuleNotFoundError"),
        ("x = 1", r"lamps\.py defines no node type; write a class that inherits mpnet\.plugin"),
        (LAMP + LAMP.replace("OldLamp", "old_lamp"), r"both OldLamp and old_lamp are called"),
    ],
)
def test_a_file_that_is_at_fault_is_told_with_its_line(file, text, told):
    with pytest.raises(PluginError, match=told) as caught:
        load(USED, [file(text)])
    assert caught.value.exit_code == 6


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(PluginError, match=r"missing\.py can't be read \(No such file"):
        load(USED, [str(tmp_path / "missing.py")])


def test_a_clash_with_an_installed_type_shows_both(file):
    path = file(LAMP.replace("OldLamp", "Feature"))
    with pytest.raises(
        PluginError, match=r"'feature' comes from both mpnet .* and .*lamps\.py; give"
    ):
        load(USED, [path])


def test_a_clash_of_two_files_shows_both(file):
    one, two = file(LAMP), file(LAMP + "#", "more.py")
    with pytest.raises(PluginError, match=r"'old_lamp' comes from both .*lamps\.py and .*more\.py"):
        load(USED, [one, two])


def test_a_type_of_another_interface_is_told_with_what_to_update(file):
    text = "from typing import ClassVar\n" + LAMP.replace(
        "    bright", "    api: ClassVar[int] = 9\n    bright", 1
    )
    with pytest.raises(PluginError, match=r"written for node interface 9; this is 1; update mpnet"):
        load(USED, [file(text)])


def test_nodes_of_files_can_be_copied_as_pickles_are(file):
    node = load(USED, [file(LAMP)]).society.nodes["l"]
    assert copy.deepcopy(node) == node


def test_the_schema_has_types_of_files(file):
    definition = scenario_schema([file(LAMP)])["definitions"]["node_old_lamp"]
    assert set(definition["properties"]) == {"type", "bright"}
    assert definition["description"] == "A lamp that is on or off."


# Errors inside


def broken(**methods):
    """A plugin whose methods answer as they are told; each on a line of its own."""
    lines = [
        "import numpy as np",
        "from mpnet.plugin import Model, Node, Prediction, Reference, Rule",
        "class Lamp(Model):",
        "    'A lamp.'",
        "    def references(self):",
        "        return [Reference('f', ())]",
    ]
    for name, answer in methods.items():
        arguments = {"rules": "self, name, around", "log_likelihood": "self, seen, around"}
        arguments |= {"domain": "self", "observe": "self, value", "references": "self"}
        lines.append(f"    def {name}({arguments.get(name, 'self, around')}):")
        lines.append(f"        return {answer}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("method", "answer", "told"),
    [
        ("rates", "1 / 0", r"failed in rates (ZeroDivisionError: division by zero); see {file}:8"),
        ("rates", "np.array([0.5, np.nan])", "answered rates with nan for 'active'; it must be a number from 0; see {file}:7"),
        ("rates", "[0.2, 0.3, 0.5]", "answered rates with shape (3,); it must be (2,), one number for each of inactive, active; see {file}:7"),
        ("rates", "'half'", "answered rates with 'half', which is no array of numbers; see {file}:7"),
        ("domain", "['a', 'a']", "answered domain with ['a', 'a']; states must differ; see {file}:7"),
        ("domain", "'ab'", "answered domain with 'ab'; it must be a tuple of texts; see {file}:7"),
        ("references", "['f']", "answered references with ['f']; it must be a list of Reference; see {file}:5"),
        ("predictions", "[Prediction('f', np.array([0.5, np.nan]))]", "answered predictions with nan for 'yes'; it must be a number from 0; see {file}:7"),
        ("predictions", "[Prediction('g', np.array([0.5, 0.5]))]", "answered predictions about 'g', which its references leave out; see {file}:7"),
        ("rules", "[Rule('r', (name, 'f'), np.zeros((2, 3)))]", "answered rules with a rule 'r' over it, f whose table has shape (2, 3); it must be (2, 2); see {file}:7"),
        ("rules", "[Rule('r', ('f',), np.array([0.0, np.nan]))]", "answered rules with a rule 'r' over f whose table holds nan at [1]; it must hold logs (nats), finite or -inf; see {file}:7"),
        ("rules", "[Rule('r', ('f', 'g'), np.zeros((2, 2)))]", "answered rules with a rule 'r' over f, g, but there is no node 'g'; see {file}:7"),
        ("rules", "[Rule('r', ('f',))]", "answered rules with a rule 'r' over f that has neither a table nor a kind of factor; see {file}:7"),
        ("rules", "[7]", "answered rules with 7; it must be a list of Rule; see {file}:7"),
        ("check", "[][0]", "failed in check (IndexError: list index out of range); see {file}:8"),
        ("unary", "[0.0, np.inf]", "answered unary with inf for 'active'; it must be a finite number or -inf; see {file}:7"),
        ("log_likelihood", "np.zeros(3)", "answered log_likelihood with shape (3,); it must be (2,), one number for each of inactive, active; see {file}:7"),
    ],
)  # fmt: skip
def test_what_fails_in_a_plugin_is_told_with_type_node_and_line(file, method, answer, told):
    source = broken(**{method: answer})
    if method == "references":
        source = broken().replace("[Reference('f', ())]", answer)
    path = file(source)
    text = "nodes: {it: {type: lamp}, f: {type: feature}}"
    with pytest.raises(PluginError) as caught:
        mpnet.run(load(text, [path]))
    wanted = f"node 'it': its type 'lamp' of {path} " + told.format(file=path)
    assert str(caught.value) == wanted
    assert caught.value.exit_code == 6


def test_an_error_in_a_validator_is_no_bug_of_mpnet(file):
    text = broken() + (
        "    @__import__('pydantic').field_validator('prior')\n"
        "    @classmethod\n"
        "    def _prior(cls, value):\n"
        "        return {}[value]\n"
    )
    path = file(text)
    with pytest.raises(
        PluginError, match=rf"failed in model_validate \(KeyError: 0\.5\).*{path}:10"
    ):
        load("nodes: {it: {type: lamp, prior: 0.5}, f: {type: feature}}", [path])
