"""``mpnet gallery``: a page and a picture for each scenario."""

import pytest

from mpnet.cli import main as cli


def run(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    said = capsys.readouterr()
    return caught.value.code, said.out, said.err


def test_pages_hold_what_came_out_and_a_picture(tmp_path, capsys):
    code, out, err = run(["gallery", "bird", "brain_paragraph", "--out", str(tmp_path)], capsys)
    assert (code, out) == (0, f"2 pages in {tmp_path}\n")
    assert err.splitlines() == ["1/2 bird", "2/2 brain_paragraph"]
    bird = (tmp_path / "bird.md").read_text()
    assert "![bird](bird.png)" in bird
    assert "| flies=yes in bird near 0.6 ± 0.01 |" in bird
    assert "not met" not in bird
    assert (tmp_path / "bird.png").read_bytes().startswith(b"\x89PNG")
    assert "| awaken | cat wakes" in (tmp_path / "brain_paragraph.md").read_text()
    assert not (tmp_path / "README.md").exists()


def test_an_unknown_scenario_is_a_usage_error(tmp_path, capsys):
    code, _, err = run(["gallery", "brid", "--out", str(tmp_path / "none")], capsys)
    assert code == 2
    assert "there is no shipped scenario 'brid'; did you mean 'bird'" in err
    assert not (tmp_path / "none").exists()
