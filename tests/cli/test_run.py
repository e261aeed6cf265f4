"""``mpnet run``: exit codes, the JSON document, and what it prints where."""

import json
import os
import subprocess
import sys

import pytest

from mpnet.cli import main as cli

MINIMAL = """mpnet: 1
name: tiny
nodes:
  f: {type: feature}
  m: {type: model, prior: 0.1, predicts: {f: {"yes": 0.9}}}
"""

KEYS = {
    "schema", "scenario", "status", "estimator", "schedule", "iterations", "residual",
    "tolerance", "log_z", "seconds", "seed", "beliefs", "events", "expectations", "run_dir",
}  # fmt: skip


@pytest.fixture
def mpnet(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MPNET_DEBUG", raising=False)
    (tmp_path / "tiny.yaml").write_text(MINIMAL)
    monkeypatch.setattr("warnings.showwarning", None)

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main([str(a) for a in arguments])
        said = capsys.readouterr()
        return caught.value.code, said.out, said.err

    return call


def strict(text):
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def run_json(mpnet, *arguments):
    code, out, _ = mpnet("run", *arguments, "--no-plots", "--json")
    return code, strict(out)


def test_a_run_that_converges_and_keeps_its_promises_exits_with_0(mpnet):
    code, out, err = mpnet("run", "purple_jar", "--no-plots")
    assert (code, err) == (0, "")
    assert "stationary_dancing is ruled out" in out
    assert "saved runs/purple_jar/" in out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["tiny.yaml", "--bogus"], 2, "No such option"),
        (["nowhere"], 2, "there is no file and no shipped scenario 'nowhere'"),
        (["purple_ja"], 2, "did you mean 'purple_jar'?"),
        (["tiny.yaml", "--set", "nonsense"], 2, "write KEY.KEY=VALUE"),
        (["tiny.yaml", "--evidence", "f"], 2, "write NODE=STATE"),
        (["tiny.yaml", "--plot", "confusio"], 2, "did you mean 'confusion'?"),
        (["tiny.yaml", "--evidence", "f=maybe"], 3, "evidence.f: unknown state 'maybe'"),
        (
            ["tiny.yaml", "--damping", "1"],
            3,
            "inference.damping: must be a number in [0, 1) or auto, got 1",
        ),
        (["tiny.yaml", "--estimator", "flatt"], 3, "did you mean 'flat'?"),
        (["tiny.yaml", "--ask", "mm"], 3, "inference.ask[0]: there is no node 'mm'"),
        (["frustrated_loop", "--set", "expect=[]"], 4, ""),
        (["tiny.yaml", "--out", "."], 5, "is there already and not empty"),
        (["contradiction"], 7, "fire: active and wood: wet together contradict the model"),
        (["tiny.yaml", "--set", "expect=[{node: m, above: 0.9}]"], 8, "expected belief m=active"),
    ],
)
def test_each_kind_of_failure_has_its_exit_code(mpnet, arguments, code, told):
    found, out, err = mpnet("run", *arguments, "--no-plots", "-q")
    assert (found, out) == (code, "")
    assert told in err
    assert "Traceback" not in err


def test_an_unexpected_failure_is_called_a_bug_and_exits_with_1(mpnet, monkeypatch):
    monkeypatch.setattr("mpnet.simulation.running.run_scenario", lambda *_: 1 / 0)
    code, _, err = mpnet("run", "tiny.yaml", "--no-plots")
    assert code == 1
    assert err.startswith("a bug in mpnet: ZeroDivisionError: division by zero\nset MPNET_DEBUG=1")


def test_debugging_shows_where(mpnet, monkeypatch):
    monkeypatch.setattr("mpnet.simulation.running.run_scenario", lambda *_: 1 / 0)
    monkeypatch.setenv("MPNET_DEBUG", "1")
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        cli.main(["run", "tiny.yaml", "--no-plots"])


def test_an_interruption_exits_with_130(mpnet, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mpnet.simulation.running.run_scenario", interrupt)
    code, _, err = mpnet("run", "tiny.yaml")
    assert (code, err.strip()) == (130, "interrupted; nothing was saved")


def test_json_has_every_key_and_nothing_else_is_printed(mpnet):
    code, data = run_json(mpnet, "purple_jar")
    assert code == 0
    assert set(data) >= KEYS
    assert data["schema"] == "mpnet.result/1"
    assert set(data["seconds"]) == {"compile", "inference"}
    assert (data["scenario"], data["status"], data["seed"]) == ("purple_jar", "converged", 0)
    assert (data["estimator"], data["schedule"]) == ("clamped", "flooding")
    assert isinstance(data["log_z"], float)
    assert data["residual"] <= data["tolerance"]
    assert all(claim["met"] for claim in data["expectations"])
    assert os.path.isdir(data["run_dir"])
    for belief in data["beliefs"].values():
        assert sum(belief.values()) == pytest.approx(1.0, abs=1e-12)


def test_json_withholds_log_z_where_a_run_did_not_converge(mpnet):
    code, data = run_json(mpnet, "frustrated_loop")
    assert (code, data["status"], data["log_z"]) == (4, "oscillating", None)


def test_json_of_a_contradiction_has_no_beliefs(mpnet):
    code, data = run_json(mpnet, "contradiction")
    assert (code, data["status"], data["beliefs"], data["log_z"]) == (7, "inconsistent", {}, None)


def test_json_is_strict_where_numbers_are_infinite(mpnet):
    sure = 'nodes.n={type: model, predicts: {f: {"no": 1.0}}}'
    code, data = run_json(
        mpnet, "tiny.yaml", "--set", sure, "--set", "nodes.m.predicts.f.yes=1.0", "--ask", "m"
    )
    assert code == 0
    assert data["compatibility"]["matrix"][0][1] == "-inf"


def test_quiet_prints_nothing(mpnet):
    assert mpnet("run", "tiny.yaml", "-q", "--no-plots") == (0, "", "")


def test_settings_evidence_and_questions_take_effect(mpnet):
    _, data = run_json(mpnet, "tiny.yaml", "--evidence", "f=yes", "--ask", "m")
    assert data["beliefs"]["f"]["yes"] == 1.0
    assert [row["node"] for row in data["estimates"]] == ["m"]
    wanted = 0.1 * 0.9 / (0.1 * 0.9 + 0.9 * 0.5)
    assert data["beliefs"]["m"]["active"] == pytest.approx(wanted, abs=1e-12)
    _, data = run_json(mpnet, "tiny.yaml", "--set", "nodes.m.prior=0.3")
    assert data["beliefs"]["m"]["active"] == pytest.approx(0.3, abs=1e-12)
    _, data = run_json(mpnet, "tiny.yaml", "--evidence", "f={yes: 0.8}")
    wanted = 0.1 * (0.9 * 0.8 + 0.1 * 0.2) / (0.1 * (0.9 * 0.8 + 0.1 * 0.2) + 0.9 * 0.5)
    assert data["beliefs"]["m"]["active"] == pytest.approx(wanted, abs=1e-12)


def test_options_of_inference_take_effect(mpnet):
    options = ["--estimator", "flat", "--damping", "0.25", "--tol", "1e-5", "--seed", "7"]
    _, data = run_json(mpnet, "tiny.yaml", *options, "--max-iter", "50", "--exact")
    assert (data["estimator"], data["damping"], data["tolerance"]) == ("flat", 0.25, 1e-5)
    assert data["seed"] == 7
    assert data["exact"]["m"]["active"] == pytest.approx(0.1, abs=1e-12)


def test_figures_that_are_asked_for_are_drawn(mpnet, tmp_path):
    code, out, _ = mpnet("run", "tiny.yaml", "--plot", "society", "--json", "--out", "here")
    assert (code, strict(out)["figures"]) == (0, ["society"])
    assert sorted(p.name for p in (tmp_path / "here" / "plots").iterdir()) == [
        "society.png",
        "society.svg",
    ]


def test_explaining_the_compile_pass(mpnet):
    assert "compile:" in mpnet("run", "tiny.yaml", "--no-plots", "--explain-compile")[1]


def test_only_the_folder_of_runs_is_made(mpnet, tmp_path):
    mpnet("run", "tiny.yaml", "--no-plots")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["runs", "tiny.yaml"]


def test_names_can_not_steer_the_terminal(mpnet, tmp_path):
    (tmp_path / "evil.yaml").write_text(MINIMAL.replace("m:", '"m\\e[2J":'))
    code, out, err = mpnet("run", "evil.yaml")
    assert code == 3
    assert "\x1b" not in out + err
    assert "the name holds U+001B, which can't be seen" in err


def test_markup_in_names_is_printed_as_it_is(mpnet, tmp_path):
    (tmp_path / "m.yaml").write_text(MINIMAL.replace(" m:", ' "[red]m[bold]":'))
    code, out, _ = mpnet("run", "m.yaml", "--no-plots", "--ask", "[red]m[bold]")
    assert code == 0
    assert "[red]m[bold] stays asleep" in out


def test_a_broken_plugin_exits_with_6(mpnet, monkeypatch):
    from importlib.metadata import EntryPoint, entry_points

    from mpnet.nodes import registry

    real = list(entry_points(group=registry.GROUP))
    point = EntryPoint("lamp", "a_module_that_is_not_there:Lamp", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [*real, point])
    lamp = ["--set", "nodes.l={type: lamp}"]
    code, _, err = mpnet("run", "tiny.yaml", *lamp, "--plugin", "lamp")
    assert code == 6
    assert "ModuleNotFoundError" in err
    code, _, err = mpnet("run", "tiny.yaml", *lamp)
    assert code == 3
    assert "add --plugin lamp" in err
    assert mpnet("run", "tiny.yaml", "--no-plots", "-q")[0] == 0


def test_a_scenario_from_standard_input(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mpnet", "run", "-", "--no-plots", "--json"],
        input=MINIMAL, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert strict(done.stdout)["scenario"] == "tiny"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_is_not_success(tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mpnet", "list", "schedules"],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 5
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
