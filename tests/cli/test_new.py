"""``mpnet new``: what it writes works at once, and overwrites nothing."""

import ast
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml

from mpnet.cli import main as cli
from mpnet.nodes.files import types_in
from mpnet.simulation.schema import scenario_schema
from mpnet.testing import NodeContract

ROOT = Path(__file__).parents[2]

# What a newcomer writes into the package: other states, another key, a behaviour of their own.
OWN = '''"""Rain."""

from mpnet.plugin import model

__all__ = ["rain"]


@model(prior=0.2)
def rain(street, *umbrellas, how_wet: float = 0.95):
    """It rains: the street is wet, and umbrellas are open."""
    said = {street: {"wet": how_wet}}
    for umbrella in umbrellas:
        said[umbrella] = {"distribution": {"open": 0.9}, "confidence": 0.5}
    return said
'''


@pytest.fixture
def mpnet(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MPNET_PLUGINS", raising=False)
    monkeypatch.setattr("warnings.showwarning", None)

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main([str(a) for a in arguments])
        said = capsys.readouterr()
        return caught.value.code, said.out, said.err

    return call


def test_a_new_plugin_is_a_package_whose_demo_runs_without_installing_it(mpnet, tmp_path):
    code, out, err = mpnet("new", "plugin", "red-ball")
    folder = tmp_path / "mpnet-red-ball"
    assert (code, err) == (0, "")
    written = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert written == [
        "README.md", "pyproject.toml", "scenarios/red_ball_demo.yaml",
        "src/mpnet_red_ball/__init__.py", "tests/test_red_ball.py",
    ]  # fmt: skip
    assert not any("{{" in (folder / name).read_text() for name in written)
    assert list(tmp_path.iterdir()) == [folder]
    plugin = folder / "src" / "mpnet_red_ball" / "__init__.py"
    demo = folder / "scenarios" / "red_ball_demo.yaml"
    assert f"mpnet run {demo.relative_to(tmp_path)} --plugin" in out
    assert mpnet("run", demo, "--plugin", plugin, "--no-plots", "-q") == (0, "", "")
    assert mpnet("check", demo)[0] == 3
    code, out, _ = mpnet("list", "nodes", "--plugin", plugin)
    assert "  red_ball   Say in one line what it is: mpnet list nodes shows this. (" in out


def test_a_new_plugin_names_itself_in_its_metadata(mpnet, tmp_path):
    import tomllib

    mpnet("new", "plugin", "red_ball")
    data = tomllib.loads((tmp_path / "mpnet-red-ball" / "pyproject.toml").read_text())
    assert data["project"]["name"] == "mpnet-red-ball"
    points = data["project"]["entry-points"]["mpnet.nodes"]
    assert points == {"red_ball": "mpnet_red_ball:red_ball"}


def test_a_new_plugin_passes_the_contract_that_its_tests_inherit(mpnet, tmp_path):
    mpnet("new", "plugin", "red_ball")
    folder = tmp_path / "mpnet-red-ball"
    source = (folder / "tests" / "test_red_ball.py").read_text()
    (written,) = (n for n in ast.parse(source).body if isinstance(n, ast.ClassDef))
    assert (written.name, ast.unparse(written.bases[0])) == ("TestRedBall", "NodeContract")
    told = {line.targets[0].id: line.value for line in written.body if isinstance(line, ast.Assign)}
    example = {k: ast.literal_eval(v) for k, v in told.items() if k not in ("node", "demo")}
    kind = types_in(folder / "src" / "mpnet_red_ball" / "__init__.py")["red_ball"]
    demo = folder / "scenarios" / "red_ball_demo.yaml"
    tested = type("Tested", (NodeContract,), {**example, "node": kind, "demo": demo})()
    claims = [name for name in dir(NodeContract) if name.startswith("test_")]
    assert len(claims) > 12
    for claim in claims:
        getattr(tested, claim)()


def test_a_newcomer_has_a_behaviour_of_their_own_in_less_than_15_lines(mpnet, tmp_path):
    mpnet("new", "plugin", "rain")
    plugin = tmp_path / "mpnet-rain" / "src" / "mpnet_rain" / "__init__.py"
    plugin.write_text(OWN)
    lines = [line for line in OWN.splitlines() if line.strip() and not line.startswith('"""')]
    assert len(lines) < 15
    (tmp_path / "own.yaml").write_text("""mpnet: 1
name: own
nodes:
  street: {type: feature, states: [dry, wet]}
  mine: {type: feature, states: [closed, open]}
  it: {type: rain, street: street, umbrellas: [mine]}
evidence: {street: wet}
expect:
  # 0.2 * 0.95 against 0.8 * 0.5.
  - {node: it, near: 0.3220, tolerance: 0.001}
""")
    assert mpnet("run", "own.yaml", "--plugin", plugin, "--no-plots", "-q") == (0, "", "")


def test_nothing_is_overwritten(mpnet, tmp_path):
    (tmp_path / "mpnet-rain").mkdir()
    code, _, err = mpnet("new", "plugin", "rain")
    assert (code, err) == (5, "mpnet-rain is there already; nothing was written\n")
    assert list((tmp_path / "mpnet-rain").iterdir()) == []
    (tmp_path / "first.yaml").write_text("mine")
    code, _, err = mpnet("new", "scenario", "first")
    assert (code, err) == (5, "first.yaml is there already; nothing was written\n")
    assert (tmp_path / "first.yaml").read_text() == "mine"
    assert not (tmp_path / ".mpnet").exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("feature", "there is a node type 'feature' already, of mpnet"),
        ("model", "there is a node type 'model' already, of mpnet"),
        ("class", "'class' is a word of Python's own"),
        ("all", "'all' has a meaning after --plugin"),
        ("Rain", "'Rain' can't be the name of a plugin; write small letters"),
        ("../rain", "can't be the name of a plugin"),
        ("2rain", "can't be the name of a plugin"),
        ("a__b", "can't be the name of a plugin"),
        ("x" * 51, "at most 50"),
        ("r\x1b[2J", r"'r\x1b[2J' can't be"),
    ],
)
def test_names_that_can_not_be_are_refused(mpnet, tmp_path, name, told):
    code, _, err = mpnet("new", "plugin", name)
    assert code == 2
    assert told in err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_written_is_told(mpnet, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = mpnet("new", "plugin", "rain", "--into", "file/inside")
    assert (code, "can't be written" in err) == (5, True)
    code, _, err = mpnet("new", "scenario", "rain", "--into", "file/inside")
    assert (code, "can't be written" in err) == (5, True)


@pytest.mark.parametrize("name", ["first", "first.yaml", "mein Erster: ja", "no", "1"])
def test_a_new_scenario_is_without_fault_runs_and_has_its_schema(mpnet, tmp_path, name):
    assert mpnet("new", "scenario", name, "--into", "here")[0] == 0
    stem = name.removesuffix(".yaml")
    path = tmp_path / "here" / f"{stem}.yaml"
    text = path.read_text()
    assert text.splitlines()[0] == "# yaml-language-server: $schema=.mpnet/schema.json"
    schema = json.loads((tmp_path / "here" / ".mpnet" / "schema.json").read_text())
    assert schema == json.loads(json.dumps(scenario_schema()))
    assert yaml.safe_load(text)["name"] == stem
    assert sum("#" in line for line in text.splitlines()) > 8
    assert mpnet("check", "-q", path) == (0, "", "")
    assert mpnet("run", path, "--no-plots", "-q") == (0, "", "")


def test_the_schema_of_a_new_scenario_has_the_plugins_that_are_named(mpnet, tmp_path):
    mpnet("new", "plugin", "rain")
    plugin = tmp_path / "mpnet-rain" / "src" / "mpnet_rain" / "__init__.py"
    mpnet("new", "scenario", "first", "--plugin", plugin)
    schema = json.loads((tmp_path / ".mpnet" / "schema.json").read_text())
    assert "node_rain" in schema["definitions"]


@pytest.mark.parametrize("name", ["", "a/b", ".hidden", "-x", "x\n"])
def test_scenarios_have_names_that_files_can_have(mpnet, tmp_path, name):
    code, _, _ = mpnet("new", "scenario", "--", name)
    assert code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("MPNET_INSTALL_TESTS"), reason="set MPNET_INSTALL_TESTS=1")
def test_a_new_plugin_installs_into_a_new_environment_and_passes_its_tests(tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    binaries = tmp_path / "venv" / "bin"

    def call(*command, cwd=tmp_path, code=0):
        done = subprocess.run(
            [binaries / command[0], *command[1:]],
            cwd=cwd, capture_output=True, text=True, timeout=1800, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    call("pip", "install", "-q", str(ROOT), "pytest")
    call("mpnet", "new", "plugin", "kanizsa")
    folder = tmp_path / "mpnet-kanizsa"
    call("pip", "install", "-q", "-e", ".", cwd=folder)
    assert "not enabled (--plugin kanizsa)" in call("mpnet", "list", "nodes")
    assert "(mpnet-kanizsa 0.1.0)" in call("mpnet", "list", "nodes", "--plugin", "kanizsa")
    demo = "scenarios/kanizsa_demo.yaml"
    assert "add --plugin kanizsa" in call("mpnet", "run", demo, cwd=folder, code=3)
    call("mpnet", "run", demo, "--plugin", "kanizsa", "--no-plots", cwd=folder)
    assert " passed" in call("python", "-m", "pytest", "-q", cwd=folder)
    assert sys.prefix not in call("python", "-c", "import mpnet; print(mpnet.__file__)")
