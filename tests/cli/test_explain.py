"""``mpnet explain``: text, JSON, figures, and what can go wrong."""

import json
from pathlib import Path

import pytest

from mpnet.cli import main as cli

HOSTILE = """mpnet: 1
name: hostile
nodes:
  "f [red]$x_1$": {type: feature, base_rates: {"yes": 0.3}}
  "<script>alert(1)": {type: model, prior: 0.2, predicts: {"f [red]$x_1$": {"yes": 0.9}}}
  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:
    {type: model, prior: 0.2, predicts: {"<script>alert(1)": {will: 0.9}}}
evidence: {"f [red]$x_1$": "yes"}
inference: {ask: ["<script>alert(1)"]}
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with some runs in it."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "hostile.yaml").write_text(HOSTILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("warnings.showwarning", None)
        for name in ("purple_jar", "contradiction", "frustrated_loop", "hostile.yaml"):
            with pytest.raises(SystemExit):
                cli.main(
                    ["run", name, "--no-plots", "-q", "--out", name.partition(".")[0] + "_run"]
                )
        with pytest.raises(SystemExit):
            cli.main(
                ["run", "purple_jar", "--no-plots", "-q", "--damping", "0.25", "--out", "set_run"]
            )
    return folder


@pytest.fixture
def mpnet(runs, monkeypatch, capsys):
    """Run a command in that folder: exit code, stdout, stderr."""
    monkeypatch.chdir(runs)
    monkeypatch.delenv("MPNET_DEBUG", raising=False)
    monkeypatch.setattr("warnings.showwarning", None)

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main([str(a) for a in arguments])
        said = capsys.readouterr()
        return caught.value.code, said.out, said.err

    return call


def test_tells_shares_that_line_up_and_add_up(mpnet):
    code, out, err = mpnet("explain", "purple_jar_run", "stationary_dancing", "--no-plots")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("stationary_dancing stays asleep (belief 0.000299): stationary and")
    (head,) = [line for line in lines if line.startswith("  share")]
    rows = lines[lines.index(head) + 1 :]
    assert [row.split()[0] for row in rows] == [
        "prior",
        "neighbour",
        "neighbour",
        "together",
        "sum",
    ]
    end = head.index("nats") + len("nats")
    numbers = [float(row[:end].split()[-1]) for row in rows]
    assert all(row[end] == " " and row[end - 1].isdigit() for row in rows)
    # Each is rounded to four digits.
    assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=3e-4)
    assert "C = -3.55" in rows[3]


def test_json_is_one_document_whose_shares_add_up(mpnet):
    code, out, err = mpnet("explain", "purple_jar_run", "purple", "--json", "--no-plots")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["schema"] == "mpnet.explanation/1"
    assert (told["scenario"], told["status"]) == ("purple_jar", "converged")
    (one,) = told["explanations"]
    assert sum(s["nats"] for s in one["shares"]) == pytest.approx(one["log_odds"], abs=1e-6)
    assert {s["kind"] for s in one["shares"]} == {"prior", "neighbour", "estimator"}


def test_what_is_infinite_is_text_in_json(mpnet):
    code, out, _ = mpnet(
        "explain", "hostile_run", "f [red]$x_1$", "--json", "--no-plots", "--why-not", "no"
    )
    assert code == 0
    (one,) = json.loads(out)["explanations"]
    assert (one["log_odds"], one["shares"][0]["nats"]) == ("inf", "inf")
    assert one["headline"] == "f [red]$x_1$ is observed: seen"


def test_without_a_node_there_is_a_sentence_for_each_in_question(mpnet):
    code, out, _ = mpnet("explain", "purple_jar_run")
    names = ["purple", "jar", "stationary", "dancing", "purple_jar", "stationary_dancing"]
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == names
    assert len(json.loads(mpnet("explain", "purple_jar_run", "--json")[1])["explanations"]) == 6


def test_draws_into_the_run_folder_or_where_it_is_told(mpnet, tmp_path):
    code, out, _ = mpnet("explain", "purple_jar_run", "jar")
    stem = Path("purple_jar_run", "plots", "explain-jar")
    assert code == 0
    assert out.endswith(f"  figure {stem}.png\n  figure {stem}.svg\n")
    assert stem.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    wanted = tmp_path / "new" / "here.svg"
    code, out, _ = mpnet("explain", "purple_jar_run", "jar", "--figure", wanted)
    assert [p.name for p in wanted.parent.iterdir()] == ["here.svg"]
    assert "jar stays asleep" in wanted.read_text()
    code, _, err = mpnet("explain", "purple_jar_run", "jar", "--figure", "x.pdf")
    assert code == 2
    assert "must end in .png or .svg" in err


def test_hostile_names_are_printed_as_they_are_and_never_become_paths(mpnet):
    code, out, _ = mpnet("explain", "hostile_run", "<script>alert(1)")
    assert code == 0
    assert "f [red]$x_1$: seen" in out
    drawn = sorted(p.name for p in Path("hostile_run", "plots").iterdir())
    assert len(drawn) == 2
    assert all(name.startswith("explain-_script_alert_1_-") for name in drawn)
    (svg,) = [p for p in Path("hostile_run", "plots").iterdir() if p.suffix == ".svg"]
    assert "<script" not in svg.read_text()


def test_settings_of_the_command_line_are_found_again(mpnet):
    code, out, err = mpnet("explain", "set_run", "purple", "--no-plots")
    assert (code, err) == (0, "")
    assert out.startswith("purple stays asleep")


def test_an_inconsistent_run_is_answered_with_its_conflict(mpnet):
    code, out, err = mpnet("explain", "contradiction_run", "fire")
    assert (code, out) == (7, "")
    assert err.startswith("nothing is believed, so nothing can be explained: the evidence fire: ")


def test_a_run_that_did_not_converge_is_explained_and_ends_with_4(mpnet):
    code, out, _ = mpnet("explain", "frustrated_loop_run", "a", "--no-plots")
    assert code == 4
    assert "note   the run did not converge (oscillating): its beliefs can't be trusted" in out
    code, out, err = mpnet("explain", "frustrated_loop_run", "a", "--no-plots", "--json")
    assert code == 4
    assert json.loads(out)["status"] == "oscillating"
    assert err.startswith("not converged after 60 iterations")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["purple_jar_run", "purpl"], "there is no node 'purpl'; did you mean 'purple'?"),
        (["purple_jar_run", "colour", "--state", "gren"], "'colour' has no state 'gren'; did you"),
        (["purple_jar_run", "colour", "--why-not", "x"], "'colour' has no state 'x'; states: "),
        (["purple_jar_run", "--why-not", "x"], "--state and --why-not need a NODE"),
        (["nowhere", "purple"], "there is no run 'nowhere'"),
    ],
)
def test_what_makes_no_sense_is_said_with_what_would(mpnet, arguments, said):
    code, out, err = mpnet("explain", *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_a_scenario_that_was_changed_is_refused(mpnet, runs):
    folder = runs / "purple_jar_run"
    kept = {n: (folder / n).read_text() for n in ("scenario.yaml", "resolved.yaml")}
    try:
        for name, text in kept.items():
            (folder / name).write_text(text.replace("0.95", "0.96"))
        code, _, err = mpnet("explain", folder, "purple")
        assert code == 5
        assert "neither scenario.yaml nor resolved.yaml is the scenario that was run" in err
    finally:
        for name, text in kept.items():
            (folder / name).write_text(text)


def test_data_that_are_missing_are_named(mpnet, runs, monkeypatch):
    monkeypatch.delenv("MPNET_DATA", raising=False)
    folder = runs / "purple_jar_run"
    kept = (folder / "scenario.yaml").read_text()
    needs = "mpnet: 1\nname: a\nnodes:\n  m: {type: concepts, table: leuven}\n"
    try:
        (folder / "scenario.yaml").write_text(needs)
        code, _, err = mpnet("explain", folder, "m")
    finally:
        (folder / "scenario.yaml").write_text(kept)
    assert code == 6
    assert "with --data or MPNET_DATA" in err
