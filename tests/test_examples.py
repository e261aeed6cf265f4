"""The example plugins: their scenarios run from source, and they install and pass their own tests.

Installing takes the network and changes the environment, so it waits for MPNET_INSTALL_TESTS=1,
which .ci/run sets.
"""

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest

import mpnet
from mpnet.nodes.base import Node
from tests.examples import EXAMPLES, ROOT

INSTALLING = "MPNET_INSTALL_TESTS"
PUBLIC = {"mpnet", "mpnet.plugin", "mpnet.families", "mpnet.testing", "mpnet.errors"}
"""What a plugin may read of mpnet; programs and tests also the few modules below."""
PROGRAMS = {"mpnet.builder", "mpnet.factors", "mpnet.graph", "mpnet.inference", "mpnet.messages"}

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.package)
if_installing = pytest.mark.skipif(
    os.environ.get(INSTALLING) != "1", reason=f"installs packages; set {INSTALLING}=1"
)
SCENARIOS = [(each, path) for each in EXAMPLES for path in each.scenarios]


def test_there_are_three():
    assert {example.package for example in EXAMPLES} == {
        "mpnet-gaussian-mixture",
        "mpnet-hopfield",
        "mpnet-steps",
    }


@each_example
def test_it_has_a_readme_scenarios_and_tests(example):
    text = (example.folder / "README.md").read_text()
    assert text.startswith(f"# {example.package}\n")
    assert f"pip install ./examples/{example.package}" in text
    assert example.scenarios
    for path in example.scenarios:
        assert f"mpnet run examples/{example.package}/scenarios/{path.name} --plugin" in text
    assert list((example.folder / "tests").glob("test_*.py"))


@each_example
def test_its_types_are_node_types_under_their_own_names(example):
    for name, found in zip(example.types, example.load(), strict=True):
        assert issubclass(found, Node)
        assert (found.type_name or found.__name__.lower()) == name


@pytest.mark.parametrize(("example", "path"), SCENARIOS, ids=lambda each: getattr(each, "name", ""))
def test_its_scenarios_meet_their_expectations(example, path):
    record = mpnet.run(path, plugins=example.load())
    assert record.expectations
    assert [f"{e.text}, got {e.got}" for e in record.expectations if not e.met] == []


@each_example
def test_it_reads_what_is_public_only(example):
    for path in example.folder.rglob("*.py"):
        inside = "src" in path.parts
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                assert not name.startswith("tests"), path
                if name == "mpnet" or name.startswith("mpnet."):
                    assert name in (PUBLIC if inside else PUBLIC | PROGRAMS), (path, name)


def test_speed_is_measured_beside_built_in_kernels():
    source = ROOT / "mpnet-steps" / "speed.py"
    (example,) = (each for each in EXAMPLES if each.package == "mpnet-steps")
    example.load()
    spec = importlib.util.spec_from_file_location("steps_speed", source)
    speed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(speed)
    speed.ENTRIES, speed.ROUNDS, speed.SECONDS = 2000, 1, 0.0
    found = speed.compare(4)
    assert set(found) == {"steps", "potts", "table"}
    assert all(value > 0.0 for value in found.values())


def call(*arguments, folder=None, **variables):
    """Run a program; its output, or a failure with it."""
    done = subprocess.run(
        arguments, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """All three in this environment, from copies that pip may litter; gone again afterwards."""
    copies = tmp_path_factory.mktemp("sources")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    found = [shutil.copytree(each.folder, copies / each.package) for each in EXAMPLES]
    call(*pip, "install", "--no-deps", *map(str, found))
    yield
    call(*pip, "uninstall", "-y", *(example.package for example in EXAMPLES))


def program():
    return str(Path(sysconfig.get_path("scripts")) / "mpnet")


@if_installing
@each_example
def test_installed_it_is_listed_and_runs_its_scenarios(installed, example, tmp_path):
    (name,) = example.types
    listed = call(program(), "list", "nodes", folder=tmp_path)
    assert f"not enabled (--plugin {name})" in " ".join(listed.split())
    listed = call(program(), "list", "nodes", "--plugin", name, folder=tmp_path)
    assert f"({example.package} {example.version})" in " ".join(listed.split())
    assert metadata.version(example.package) == example.version
    for path in example.scenarios:
        told = call(program(), "run", str(path), "--plugin", name, folder=tmp_path)
        assert "converged" in told


@if_installing
@each_example
def test_installed_it_passes_its_own_tests(installed, example, tmp_path):
    told = call(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error",
        "--import-mode=importlib", str(example.folder / "tests"), folder=tmp_path,
        NUMBA_DISABLE_JIT="1",  # compiled they run in tests/families and in the scenarios
    )  # fmt: skip
    assert " passed" in told
    assert "failed" not in told
