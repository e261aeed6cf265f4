"""All other commands, and the command line as a whole."""

import json
import os
import subprocess
import sys
from importlib.resources import files

import pytest
import yaml

from mpnet.cli import main as cli
from mpnet.cli.main import COMMANDS
from mpnet.scenario.library import shipped
from tests.listed import ALL, TYPES

TINY = """mpnet: 1
name: tiny
nodes:
  f: {type: feature}
  m: {type: model, prior: 0.1, predicts: {f: {"yes": 0.9}}}
"""

WRONG = """mpnet: 1
name: wrong
nodes:
  f: {type: feature, sates: [a, b]}
  m:
    type: modle
  n:
    type: model
    prior: 1.5
inference: {damping: 1}
"""


@pytest.fixture
def mpnet(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MPNET_DEBUG", raising=False)
    monkeypatch.setattr("warnings.showwarning", None)
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "wrong.yaml").write_text(WRONG)

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main([str(a) for a in arguments])
        said = capsys.readouterr()
        return caught.value.code, said.out, said.err

    return call


def python(code, cwd):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, cwd=cwd, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


# check


def test_check_says_that_there_is_nothing_to_say(mpnet):
    assert mpnet("check", "tiny.yaml") == (0, "tiny.yaml: no faults (2 nodes, 1 predictions)\n", "")
    assert mpnet("check", "tiny.yaml", "-q") == (0, "", "")


def test_check_names_all_faults_at_once_with_line_and_column(mpnet):
    code, out, err = mpnet("check", "wrong.yaml")
    assert (code, out) == (3, "")
    starts = [line for line in err.splitlines() if line.startswith("wrong.yaml:")]
    assert starts == [
        "wrong.yaml:4:22: nodes.f.sates: unknown key 'sates'; "
        "did you mean 'states'? (keys: states, base_rates)",
        "wrong.yaml:6:11: nodes.m.type: unknown node type 'modle'; did you mean 'model'? "
        f"(types: {TYPES})",
        "wrong.yaml:9:12: nodes.n.prior: must be below 1, got 1.5",
        "wrong.yaml:10:22: inference.damping: must be a number in [0, 1) or auto, got 1",
    ]
    assert err.endswith("4 faults; nothing was run\n")
    assert "     6 |     type: modle\n       |           ^\n" in err


def test_check_reads_several_files_and_fails_if_one_does(mpnet):
    code, out, err = mpnet("check", "tiny.yaml", "wrong.yaml", "purple_jar")
    assert code == 3
    assert "tiny.yaml: no faults" in out
    assert "purple_jar: no faults" in out
    assert "wrong.yaml:4:22" in err


def test_check_as_json(mpnet):
    code, out, _ = mpnet("check", "tiny.yaml", "wrong.yaml", "--format", "json")
    good, bad = json.loads(out)
    assert (code, good["faults"], bad["file"]) == (3, [], "wrong.yaml")
    assert bad["faults"][1]["line"] == 6
    assert bad["faults"][1]["column"] == 11
    assert bad["faults"][1]["place"] == "nodes.m.type"
    assert bad["faults"][1]["hint"].startswith("did you mean 'model'?")


def test_check_for_github(mpnet):
    code, out, _ = mpnet("check", "wrong.yaml", "--format", "github")
    assert code == 3
    assert out.splitlines()[2] == (
        "::error file=wrong.yaml,line=9,col=12::nodes.n.prior: must be below 1, got 1.5"
    )


def test_all_shipped_scenarios_are_without_fault(mpnet):
    there = bool(os.environ.get("MPNET_DATA"))
    names = [s.name for s in shipped() if there or s.name != "animals"]
    assert mpnet("check", "-q", *names) == (0, "", "")


def test_check_of_a_folder_is_a_fault_and_of_nothing_a_usage_error(mpnet):
    code, _, err = mpnet("check", ".")
    assert (code, err) == (3, ".: this is not a regular file\n1 fault; nothing was run\n")
    assert mpnet("check", "missing.yaml")[0] == 2
    assert mpnet("check")[0] == 2


def test_names_of_files_can_not_steer_the_terminal(mpnet, tmp_path):
    (tmp_path / "a\x1b[2J.yaml").write_text("nodes: [\n")
    code, out, err = mpnet("check", "a\x1b[2J.yaml")
    assert code == 3
    assert "\x1b" not in out + err
    assert err.startswith("a\\x1b[2J.yaml:2:1: a value is missing here")


def test_lookalikes_are_noted(mpnet, tmp_path):
    (tmp_path / "two.yaml").write_text(TINY + "  \u0441at: {type: model}\n  cat: {type: model}\n")
    code, _, err = mpnet("check", "two.yaml")
    assert code == 0
    assert err == "note: the names '\u0441at' and 'cat' look alike\n"


# list


def test_list_names_everything(mpnet):
    code, out, _ = mpnet("list")
    assert code == 0
    for word in ("purple_jar", "feature", "clamped", "flooding", "convergence", "plugins:"):
        assert word in out


@pytest.mark.parametrize("kind", ["scenarios", "nodes", "estimators", "schedules", "figures"])
def test_list_says_what_each_thing_is(mpnet, kind):
    code, out, _ = mpnet("list", kind, "--json")
    (found,) = json.loads(out).values()
    assert code == 0
    assert found
    assert all(len(said) > 20 for said in found.values())


def test_list_of_an_unknown_kind_is_a_usage_error(mpnet):
    code, _, err = mpnet("list", "scenaros")
    assert code == 2
    assert "'scenarios'" in err


# show and plot


def test_show_tells_a_run_again(mpnet):
    mpnet("run", "purple_jar", "--no-plots", "-q")
    code, out, _ = mpnet("show")
    assert code == 0
    assert "stationary_dancing is ruled out" in out
    code, out, _ = mpnet("show", "purple_jar", "--json")
    assert json.loads(out)["scenario"] == "purple_jar"
    code, out, _ = mpnet("show", "latest", "--node", "motion")
    assert (code, out.splitlines()[0]) == (0, "iteration  estimator  still  moving")
    code, _, err = mpnet("show", "latest", "--node", "moton")
    assert code == 2
    assert "did you mean 'motion'?" in err


def test_show_without_a_run_is_a_usage_error(mpnet):
    assert mpnet("show") == (
        2, "", "there is no run 'latest'; name a run folder, a scenario that ran, or latest\n",
    )  # fmt: skip


def test_show_of_a_damaged_run_exits_with_5(mpnet, tmp_path):
    mpnet("run", "tiny.yaml", "--no-plots", "-q", "--out", "here")
    (tmp_path / "here" / "trace.npz").write_bytes(b"PK")
    code, _, err = mpnet("show", "here")
    assert code == 5
    assert "trace.npz can't be read" in err


def test_plot_draws_again(mpnet, tmp_path):
    mpnet("run", "tiny.yaml", "--no-plots", "-q", "--out", "here")
    code, out, _ = mpnet("plot", "here", "society", "--format", "svg", "--out", "there")
    assert (code, out) == (0, "there/plots/society.svg\n")
    assert (tmp_path / "there" / "plots" / "society.svg").is_file()
    code, _, err = mpnet("plot", "here", "soceity")
    assert code == 2
    assert "did you mean 'society'?" in err
    assert mpnet("plot", "here", "--format", "gif")[0] == 2
    assert "nothing to draw for confusion" in mpnet("plot", "here", "confusion")[2]


def test_plot_lets_the_society_move(mpnet, tmp_path):
    mpnet("run", "tiny.yaml", "--no-plots", "-q", "--out", "here")
    code, out, _ = mpnet("plot", "here", "society", "--anim", "gif", "--out", "there")
    assert (code, out) == (0, "there/plots/society.gif\n")
    assert (tmp_path / "there" / "plots" / "society.gif").read_bytes()[:6] == b"GIF89a"
    code, _, err = mpnet("plot", "here", "confidence", "--anim", "gif")
    assert code == 2
    assert "'confidence' does not move; only society does" in err
    assert mpnet("plot", "here", "--anim", "webm")[0] == 2


# schema, doctor, demo


@pytest.mark.parametrize("draft", ["7", "2020-12"])
def test_schema_describes_every_shipped_scenario(mpnet, draft):
    code, out, _ = mpnet("schema", "--draft", draft)
    assert code == 0
    schema = json.loads(out)
    assert set(schema["required"]) >= {"mpnet", "name", "nodes"}
    definitions = schema["definitions" if draft == "7" else "$defs"]
    texts = [files("mpnet.scenarios").joinpath(f"{s.name}.yaml").read_text() for s in shipped()]
    for data in map(yaml.safe_load, texts):
        assert set(data) <= set(schema["properties"])
        for keys in data["nodes"].values():
            node = definitions[f"node_{keys['type']}"]
            assert set(keys) <= set(node["properties"])
            assert set(keys) >= set(node["required"])


@pytest.mark.parametrize("draft", ["7", "2020-12"])
def test_every_reference_in_the_schema_leads_somewhere(mpnet, draft):
    schema = json.loads(mpnet("schema", "--draft", draft)[1])

    def references(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "$ref":
                    yield inner
                else:
                    yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    found = set(references(schema))
    assert found
    for reference in found:
        here = schema
        for step in reference.removeprefix("#/").split("/"):
            here = here[step]


def test_schema_validates_every_shipped_scenario(mpnet):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(mpnet("schema")[1])
    for one in shipped():
        text = files("mpnet.scenarios").joinpath(f"{one.name}.yaml").read_text()
        jsonschema.validate(yaml.safe_load(text), schema)


def test_doctor_finds_all_well(mpnet):
    code, out, err = mpnet("doctor")
    assert (code, err) == (0, "")
    assert out.endswith("all is well\n")
    assert f"node types: {', '.join(ALL)}" in out


def test_demo_runs_and_says_what_to_try_next(mpnet):
    code, out, _ = mpnet("demo", "--no-plots")
    assert code == 0
    assert "mpnet run purple_jar --set inference.estimator=flat" in out
    assert mpnet("demo", "nothing")[0] == 2


# The whole


def test_an_unknown_command_suggests_the_nearest(mpnet):
    code, _, err = mpnet("rnu", "purple_jar")
    assert code == 2
    assert "no such command 'rnu'; did you mean 'run'? known: demo, run, infer, check" in err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(mpnet, command):
    code, out, _ = mpnet(command, "--help")
    assert code == 0
    assert out.startswith(f"Usage: mpnet {command}")


def test_version_and_help(mpnet):
    code, out, _ = mpnet("--version")
    assert code == 0
    assert out.startswith("mpnet 0.")
    code, out, _ = mpnet("--help")
    assert code == 0
    assert all(command in out for command in COMMANDS)


HEAVY = "{'numpy', 'numba', 'matplotlib', 'pydantic', 'scipy', 'pgmpy', 'sklearn', 'rich'}"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_imports_nothing_heavy(tmp_path, arguments):
    code = (
        "import sys\nfrom mpnet.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"print('heavy', sorted({HEAVY} & set(sys.modules)))"
    )
    assert python(code, tmp_path).splitlines()[-1] == "heavy []"


def test_importing_the_library_imports_nothing_heavy(tmp_path):
    code = f"import sys, mpnet\nprint(sorted({HEAVY} & set(sys.modules)))"
    assert python(code, tmp_path) == "[]\n"


def test_a_closed_pipe_is_no_error(tmp_path):
    command = f"'{sys.executable}' -m mpnet list | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout == "scenarios:\n"
    assert done.stderr == ""
    assert done.returncode in {0, 141}


def test_a_closed_pipe_is_no_error_of_a_story_either(mpnet, tmp_path):
    mpnet("run", "tiny.yaml", "--no-plots", "-q", "--out", "here")
    command = f"'{sys.executable}' -m mpnet show here | head -c 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.returncode in {0, 141}


def test_no_colour_where_nobody_asks_for_it(mpnet, monkeypatch):
    mpnet("run", "tiny.yaml", "--no-plots", "-q", "--out", "here")
    for variable in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    assert "\x1b" not in mpnet("show", "here")[1]
    assert "\x1b" in mpnet("--color", "always", "show", "here")[1]
    assert "\x1b" not in mpnet("--color", "never", "show", "here")[1]


def test_show_tells_what_a_scenario_explains(mpnet):
    code, out, _ = mpnet("show", "redundancy")
    assert code == 0
    assert "cat explains paws: yes, with probability 0.6 by itself" in out
