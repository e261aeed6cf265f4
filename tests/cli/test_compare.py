"""``mpnet compare``: the story, the document, the figure and the exit codes."""

import json

import pytest

from mpnet.cli import main as cli

LOOP = """mpnet: 1
name: {name}
nodes:
  "<script>": {{type: feature, states: ["$x$", "a{long}"]}}
  a: {{type: model, prior: 0.3, predicts: {{"<script>": {{"$x$": 0.9}}, b: {{wont: 0.9}}}}}}
  b: {{type: model, prior: 0.3, predicts: {{"<script>": {{"$x$": 0.8}}, c: {{wont: 0.9}}}}}}
  c: {{type: model, prior: {prior}, predicts: {{a: {{wont: 0.9}}}}}}
"""


@pytest.fixture
def mpnet(tmp_path, monkeypatch, capsys):
    """Run a command in a folder with three runs: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", None)
    long = "b" * 90

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main([str(a) for a in arguments])
        said = capsys.readouterr()
        return caught.value.code, said.out, said.err

    for number, prior in enumerate((0.3, 0.3, 0.6)):
        (tmp_path / "s.yaml").write_text(LOOP.format(name="loop", prior=prior, long=long))
        estimator = ["flat", "exact", "flat"][number]
        assert call("run", "s.yaml", "--no-plots", "-q", "--estimator", estimator)[0] == 0
    return call


def test_the_same_run_twice_is_the_same(mpnet):
    code, out, _ = mpnet("compare", "loop", "loop", "--no-plots")
    assert code == 0
    assert out.startswith("loop → loop (2)\n  same answers")


def test_a_difference_is_told_by_path_and_by_node_and_exits_with_10(mpnet):
    code, out, _ = mpnet("compare", "loop~2", "latest", "--no-plots")
    assert code == 10
    assert "~ nodes.c.prior: 0.3 → 0.6" in out
    assert "different answers: 4 of 4 beliefs" in out
    assert "<script>" in out
    assert "b" * 61 not in out


def test_a_wide_tolerance_forgives(mpnet):
    assert mpnet("compare", "loop~2", "loop", "--no-plots", "--tol", "5")[0] == 0


def test_runs_before_the_newest_are_named_by_a_tilde(mpnet):
    code, _, err = mpnet("compare", "loop~3", "loop")
    assert code == 2
    assert err == "there is no run 'loop~3'; the oldest of 'loop' is loop~2\n"


def test_the_figure_lands_beside_the_runs_or_where_one_says(mpnet, tmp_path):
    assert (
        "figure runs/comparisons/loop-1-vs-loop/compare.png"
        in mpnet("compare", "loop~1", "loop")[1]
    )
    assert len(list((tmp_path / "runs" / "comparisons").glob("*/compare.png"))) == 1
    assert (tmp_path / "runs" / ".gitignore").read_text() == "*\n"
    code, out, _ = mpnet("compare", "loop~1", "loop", "--out", "here/there", "--format", "svg")
    assert code == 10
    assert out.endswith("figure here/there/compare.svg\n")
    assert [p.name for p in (tmp_path / "here" / "there").iterdir()] == ["compare.svg"]


def test_the_document_says_all_of_it(mpnet):
    code, out, _ = mpnet("compare", "loop~2", "loop~1", "loop", "--json", "--no-plots")
    found = json.loads(out)
    assert (code, found["schema"], found["same"]) == (10, "mpnet.comparison/1", False)
    assert [run["label"] for run in found["runs"]] == ["loop~2", "loop~1", "loop"]
    assert [(c["before"], c["after"]) for c in found["comparisons"]] == [
        ("loop~2", "loop~1"),
        ("loop~2", "loop"),
    ]
    paths = [change["path"] for change in found["comparisons"][1]["settings"]]
    assert paths == ["nodes.c.prior"]
    assert found["comparisons"][0]["beliefs"][0]["total_variation"] > 0


def test_errors_from_a_run_and_from_exact_answers_agree_where_they_are_the_same(mpnet):
    code, out, _ = mpnet("compare", "loop~2", "--base", "loop~1", "--json", "--no-plots")
    (from_run,) = json.loads(out)["errors"]
    assert code == 10
    _, out, _ = mpnet("compare", "loop~2", "--base", "exact", "--json")
    (from_exact,) = json.loads(out)["errors"]
    assert from_exact["max_absolute"] > 1e-3
    for name in ("mean_absolute", "max_absolute", "mean_total_variation", "worst", "log_z"):
        assert from_run[name] == pytest.approx(from_exact[name], abs=1e-9)


def test_errors_from_exact_are_told(mpnet):
    code, out, _ = mpnet("compare", "loop~1", "--base", "exact")
    assert code == 0
    assert "errors from exact" in out
    assert "0 of 1 beyond the tolerance 1e-06" in out


def test_a_run_without_an_exact_answer_says_how_to_get_one(mpnet):
    mpnet("run", "s.yaml", "--no-plots", "-q", "--set", "inference.exact=never")
    code, _, err = mpnet("compare", "loop", "--base", "exact")
    assert code == 2
    assert "loop has no exact answer to compare with; run it again with --exact" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["loop"], "compare needs two runs, such as latest~1 latest"),
        (["loop", "lop"], "there is no run 'lop'"),
        (["loop", "loop", "--tol", "nan"], "--tol nan: write a number from 0"),
        (
            ["loop", "loop", "--format", "gif"],
            "--format gif: unknown format 'gif'; write some of png,svg,pdf",
        ),
    ],
)
def test_what_makes_no_sense_is_said(mpnet, arguments, said):
    code, _, err = mpnet("compare", *arguments)
    assert code == 2
    assert said in err


def test_a_contradiction_has_no_beliefs_to_compare(mpnet):
    mpnet("run", "contradiction", "--no-plots", "-q")
    code, out, _ = mpnet("compare", "loop", "contradiction")
    assert code == 10
    assert "contradiction has no beliefs to compare" in out
    assert "converged → inconsistent" in out
