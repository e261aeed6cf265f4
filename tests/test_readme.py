"""What the README shows, works."""

import re
import shlex
from pathlib import Path

import pytest

from mpnet.cli import main as cli
from mpnet.scenario.document import read_document
from mpnet.simulation.loading import check_scenario

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8") if README.exists() else ""
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(r"`([\w-]+\.yaml)`")
MOST = 12


def blocks(language):
    return [m for m in BLOCK.finditer(TEXT) if m.group(1) == language]


def scenarios():
    """Scenarios that are shown, with the file name that the text before gives them."""
    found = []
    for block in blocks("yaml"):
        if block.group(2).lstrip().startswith("mpnet: 1"):
            before = NAMED.findall(TEXT[: block.start()].rstrip().rpartition("\n\n")[2])
            found.append((before[-1] if before else "", block.group(2)))
    return found


def commands():
    lines = [line for block in blocks("console") for line in block.group(2).splitlines()]
    found = [line[2:] for line in lines if line.startswith("$ mpnet ")]
    return [c for c in found if not re.search(r"\b(pip|git)\b", c)][:MOST]


pytestmark = pytest.mark.skipif(not TEXT, reason="there is no README yet")


@pytest.mark.parametrize(("name", "text"), scenarios(), ids=lambda x: str(x)[:20])
def test_scenarios_that_are_shown_are_without_fault(name, text):
    check_scenario(read_document(name or "README.md", text.encode()))


def test_something_is_shown():
    assert scenarios()
    assert commands()


def test_commands_that_are_shown_work_one_after_another(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", None)
    for name, text in scenarios():
        if name:
            (tmp_path / name).write_text(text, encoding="utf-8")
    for command in commands():
        words = shlex.split(command, comments=True)[1:]
        with pytest.raises(SystemExit) as caught:
            cli.main(words)
        said = capsys.readouterr()
        assert caught.value.code == 0, f"{command}\n{said.out}{said.err}"


def test_links_to_files_lead_somewhere():
    for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", TEXT):
        assert (README.parent / target).exists(), target
