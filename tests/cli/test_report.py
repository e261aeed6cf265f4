"""``mpnet report`` and ``mpnet run --report``."""

import json

import pytest

from mpnet.cli import main as cli

TINY = """mpnet: 1
name: tiny
nodes:
  f: {type: feature}
  m: {type: model, prior: 0.1, predicts: {f: {"yes": 0.9}}}
"""


@pytest.fixture
def mpnet(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", None)
    (tmp_path / "tiny.yaml").write_text(TINY)

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main([str(a) for a in arguments])
        said = capsys.readouterr()
        return caught.value.code, said.out, said.err

    return call


def test_the_latest_run_is_reported_into_its_folder(mpnet, tmp_path):
    assert mpnet("run", "tiny.yaml", "--no-plots", "-q")[0] == 0
    code, said, _ = mpnet("report")
    assert code == 0
    (page,) = tmp_path.glob("runs/tiny/2*/report.html")
    size = page.stat().st_size / 1e6
    assert said == f"{page.relative_to(tmp_path)}  {size:.1f} MB\n"
    text = page.read_text(encoding="utf-8")
    assert "<title>tiny · converged · mpnet</title>" in text
    # The scenario comes from the run folder, as written and with its defaults.
    assert "m: {type: model, prior: 0.1, predicts: {f: {&#34;yes&#34;: 0.9}}}" in text
    assert "<dt>inference</dt>" in text


def test_out_names_the_file(mpnet, tmp_path):
    mpnet("run", "tiny.yaml", "--no-plots", "-q")
    assert mpnet("report", "tiny", "--out", "page.html")[0] == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not list(tmp_path.glob("runs/tiny/2*/report.html"))


def test_a_run_can_write_its_report_at_once(mpnet, tmp_path):
    code, said, _ = mpnet("run", "tiny.yaml", "--no-plots", "--report", "--out", "r")
    assert code == 0
    assert said.endswith("report r/report.html\n")
    assert (tmp_path / "r" / "report.html").exists()
    code, said, _ = mpnet("run", "tiny.yaml", "--no-plots", "--report", "--json", "--out", "s")
    assert code == 0
    assert json.loads(said)["report"] == "s/report.html"


def test_what_can_not_be_is_refused_in_words(mpnet, tmp_path):
    assert mpnet("report")[::2] == (
        2,
        "there is no run 'latest'; name a run folder, a scenario that ran, or latest\n",
    )
    mpnet("run", "tiny.yaml", "--no-plots", "-q")
    code, _, said = mpnet("report", "--max-size", "1")
    assert code == 2
    assert "more than 1 MB; give --max-size" in said
    assert mpnet("report", "--max-size", "0")[0] == 2
    code, _, said = mpnet("report", "--out", "none/page.html")
    assert code == 5
    assert said.startswith("none/page.html: can't be written")
    assert [p.name for p in tmp_path.glob("runs/tiny/2*/*.html")] == []
