"""``mpnet infer``: exit codes, what it prints where, and the files it writes."""

import json

import numpy as np
import pytest

from mpnet.cli import main as cli
from mpnet.graph import FactorGraph
from mpnet.interchange import write_model

SPIN = np.array([[-1.0, 1.0], [1.0, -1.0]])


@pytest.fixture
def infer(tmp_path, monkeypatch, capsys):
    """Run ``mpnet infer`` in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MPNET_DEBUG", raising=False)
    monkeypatch.setattr("warnings.showwarning", None)
    pairs = [[i, j] for i in range(4) for j in range(i)]
    swinging = FactorGraph.from_arrays(
        [2] * 4, [(pairs, np.exp(2.0 * SPIN))], np.tile(np.exp([-0.1, 0.1]), 4)
    )
    write_model(swinging, tmp_path / "swinging.uai")
    chain = [[i, i + 1] for i in range(49)]
    write_model(FactorGraph.from_arrays([2] * 50, [(chain, np.exp(SPIN))]), tmp_path / "chain.fg")
    (tmp_path / "cut.uai").write_text("MARKOV\n2\n2 2\n1\n2 0 1\n4\n1 2 3")
    (tmp_path / "xor.uai").write_text("MARKOV 2 2 2 1 2 0 1 4 0 1 1 0")

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main(["infer", *map(str, arguments)])
        said = capsys.readouterr()
        return caught.value.code, said.out, said.err

    call("sprinkler", "-q")  # compiles the kernels, if need be
    return call


def test_the_status_comes_first_then_log_z_and_every_variable_of_a_small_model(infer):
    code, out, err = infer("sprinkler", "--observe", "x3=1")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].startswith("converged after ")
    assert lines[1].startswith("sprinkler · 4 variables, 3 factors of two or more · 1 observed")
    assert lines[2] == (
        "log Z -0.5791546455 nats, log10 Z -0.2515236667 (Bethe approximation: the graph has loops)"
    )
    assert lines[4:] == [
        "  x0  0 0.396441   1 0.603559",
        "  x1  0 0.595958   1 0.404042",
        "  x2  0 0.215926   1 0.784074",
        "  x3  1  (observed)",
    ]


def test_of_a_large_model_few_variables_are_shown_and_the_rest_counted(infer):
    code, out, _ = infer("chain.fg", "--observe", "0=1", "--top", "3")
    assert code == 0
    assert "3 of 50 variables (most certain, without the observed); the others: --ask NAME" in out
    assert [line.split()[0] for line in out.splitlines()[-3:]] == ["x1", "x2", "x3"]
    code, out, _ = infer("chain.fg", "--ask", "x7", "--ask", "49")
    assert "2 of 50 variables (asked for)" in out
    assert [line.split()[0] for line in out.splitlines()[-2:]] == ["x7", "x49"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["sprinkler", "--bogus"], 2, "No such option"),
        (["nowhere.uai"], 2, "there is no file and no shipped model 'nowhere.uai'"),
        (["sprinkler", "--task", "XX"], 2, "Invalid value for '--task'"),
        (["sprinkler", "--estimator", "flt"], 2, "did you mean 'flat'?"),
        (["sprinkler", "--damping", "1"], 2, "damping must be in [0, 1) or auto, got 1"),
        (["sprinkler", "--observe", "x3"], 2, "write VAR=STATE"),
        (["sprinkler", "--memory", "lots"], 2, "write a size such as 500MB"),
        (["sprinkler", "--observe", "x3=2"], 3, "variable 'x3' has no state '2'; states: 0, 1"),
        (["sprinkler", "--ask", "y"], 3, "there is no variable 'y'"),
        (["cut.uai"], 3, "cut.uai:7:6: factor 0: expected 4 values, got 3 before the file ends"),
        (["sprinkler", "--evidence", "none.evid"], 3, "none.evid: can't be read"),
        (["swinging.uai", "--damping", "0"], 4, "not converged after 100 iterations"),
        (["sprinkler", "--out", "cut.uai"], 5, "cut.uai is there already; --overwrite replaces it"),
        (["xor.uai", "--observe", "x0=1", "--observe", "x1=1"], 7, "impossible evidence: x0 = 1"),
    ],
)
def test_each_kind_of_failure_has_its_exit_code(infer, arguments, code, told):
    found, out, err = infer(*arguments, "-q")
    assert (found, out) == (code, "")
    assert told in err
    assert "Traceback" not in err


def test_a_run_that_did_not_converge_says_that_its_numbers_are_no_answer(infer):
    code, out, _ = infer("swinging.uai", "--damping", "0")
    assert code == 4
    assert out.startswith("not converged after 100 iterations")
    assert "log Z is withheld, and what follows is no answer" in out
    code, out, _ = infer("swinging.uai")
    assert code == 0
    assert "note: damping tried before: 0 (oscillating)" in out


def test_json_is_one_strict_document(infer):
    code, out, err = infer("swinging.uai", "--damping", "0", "--json")
    document = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert code == 4
    assert document["status"] == "oscillating"
    assert document["log_z"] is None
    assert err.startswith("not converged")


@pytest.mark.parametrize(
    ("task", "start"), [("MAR", "MAR\n4 2 0.4242"), ("PR", "PR\n-0.18902860017779")]
)
def test_answers_are_written_in_the_formats_of_uai(infer, tmp_path, task, start):
    exact = ["sprinkler", "--observe", "x3=1", "--estimator", "exact", "--task", task]
    (tmp_path / "answers").mkdir()
    code, out, _ = infer(*exact, "--out", "answers")
    assert code == 0
    assert f"wrote answers/sprinkler.{task}" in out
    assert (tmp_path / "answers" / f"sprinkler.{task}").read_text().startswith(start)
    assert infer(*exact, "--out", "answers")[0] == 5
    assert infer(*exact, "--out", "answers", "--overwrite")[0] == 0
    assert infer(*exact, "--out", "new/", "--format", "json", "-q") == (0, "", "")
    document = json.loads((tmp_path / "new" / f"sprinkler.{task}.json").read_text())
    assert document["log_z"] == pytest.approx(-0.4352544369)


def test_what_did_not_converge_is_written_only_where_its_status_is_or_is_waived(infer, tmp_path):
    swinging = ["swinging.uai", "--damping", "0"]
    code, _, err = infer(*swinging, "--out", "a.MAR")
    assert code == 4
    assert "a.MAR was not written: the UAI formats have no place for a status" in err
    assert not (tmp_path / "a.MAR").exists()
    assert infer(*swinging, "--out", "a.json", "--format", "json")[0] == 4
    assert json.loads((tmp_path / "a.json").read_text())["status"] == "oscillating"
    assert infer(*swinging, "--out", "a.MAR", "--allow-unconverged")[0] == 0
    assert (tmp_path / "a.MAR").read_text().startswith("MAR\n4 2 ")


def test_evidence_of_a_file_and_of_options_add_up(infer, tmp_path):
    (tmp_path / "e").write_text("1 3 1")
    code, out, _ = infer("sprinkler", "--evidence", "e", "--observe", "x0=1", "--json")
    assert code == 0
    assert json.loads(out)["evidence"] == {"x3": "1", "x0": "1"}
    code, _, err = infer("sprinkler", "--evidence", "e", "--observe", "x3=0")
    assert code == 3
    assert "--observe x3=0: 'x3' is observed in another state" in err


def test_samples_are_chosen_by_number(infer, tmp_path):
    (tmp_path / "e").write_text("2\n1 3 1\n1 3 0\n")
    code, _, err = infer("sprinkler", "--evidence", "e")
    assert code == 3
    assert "--evidence-format 2010 and --sample N" in err
    code, out, _ = infer("sprinkler", "--evidence", "e", "--sample", "2", "--json")
    assert json.loads(out)["evidence"] == {"x3": "0"}


def test_a_model_may_come_from_standard_input(infer, monkeypatch):
    import io
    import sys

    class Stdin:
        buffer = io.BytesIO(b"MARKOV 1 2 1 1 0 2 1 3")

    monkeypatch.setattr(sys, "stdin", Stdin)
    code, out, _ = infer("-")
    assert code == 0
    assert "x0  0 0.250000   1 0.750000" in out
