"""``mpnet gallery``: a page and a picture for each scenario."""

import re

import pytest

from mpnet.cli import main as cli


def run(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    said = capsys.readouterr()
    return caught.value.code, said.out, said.err


def test_pages_hold_what_came_out_and_a_picture(tmp_path, capsys):
    code, out, err = run(["gallery", "bird", "brain_paragraph", "--out", str(tmp_path)], capsys)
    drawn = [len(list((tmp_path / name).glob("*.png"))) for name in ("bird", "brain_paragraph")]
    assert (code, out) == (0, f"2 pages with {sum(drawn)} figures in {tmp_path}\n")
    assert err.splitlines() == [
        f"1/2 bird: {drawn[0]} figures",
        f"2/2 brain_paragraph: {drawn[1]} figures",
    ]
    bird = (tmp_path / "bird.md").read_text()
    assert re.findall(r"!\[(\w+): bird: .*\]\(bird/\1\.png\)", bird)[0] == "contexts"
    assert {f"{n}.png" for n in re.findall(r"^## (\w+)$", bird, re.M)} | {"contexts.png"} == {
        path.name for path in (tmp_path / "bird").iterdir()
    }
    assert "| flies=yes in bird near 0.6 ± 0.01 |" in bird
    assert "not met" not in bird
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in (tmp_path / "bird").iterdir())
    assert "| awaken | cat wakes" in (tmp_path / "brain_paragraph.md").read_text()
    assert not (tmp_path / "README.md").exists()


def test_an_unknown_scenario_is_a_usage_error(tmp_path, capsys):
    code, _, err = run(["gallery", "brid", "--out", str(tmp_path / "none")], capsys)
    assert code == 2
    assert "there is no shipped scenario 'brid'; did you mean 'bird'" in err
    assert not (tmp_path / "none").exists()
