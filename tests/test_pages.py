"""What the README and the pages of the documentation show, works."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from mpnet.cli import main as cli
from mpnet.scenario.document import read_document
from mpnet.simulation.loading import check_scenario

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(r"`([\w-]+\.yaml)`")
SAVED = re.compile(
    r"Save this as `([\w-]+\.py)`[^\n]*(?:\n[^\n`]+)*\n\n```python\n(.*?)^```$", re.M | re.S
)
EXITS = re.compile(r"#\s*exits (\d+)")
SLOW = re.compile(r"\b(pip|git|gallery|--open)\b")
GENERATED = ("reference/scenario.md", "reference/lists.md")


@dataclass(frozen=True)
class Page:
    """A page: its name, and what it shows."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def blocks(self, language):
        return [m for m in BLOCK.finditer(self.text) if m.group(1) == language]

    def scenarios(self):
        """Whole scenarios, with the file name that the text around gives them."""
        found = []
        for block in self.blocks("yaml"):
            if block.group(2).lstrip().startswith("mpnet: 1"):
                before = NAMED.findall(self.text[: block.start()].rstrip().rpartition("\n\n")[2])
                after = NAMED.findall(self.text[block.end() :].lstrip().partition("\n\n")[0])
                found.append(((before or after or [""])[-1], block.group(2)))
        return found

    def programs(self):
        """Python files that readers are asked to save, by name."""
        return dict(SAVED.findall(self.text))

    def commands(self):
        """Commands of mpnet, each with its exit code."""
        lines = [line for block in self.blocks("console") for line in block.group(2).splitlines()]
        found = [line[2:] for line in lines if line.startswith("$ mpnet ")]
        codes = [EXITS.search(line) for line in found]
        return [
            (line, int(code.group(1)) if code else 0)
            for line, code in zip(found, codes, strict=True)
            if not SLOW.search(line)
        ]


def pages(*, gallery=False):
    found = [Page(path) for path in PAGES if "_build" not in path.parts]
    found = [page for page in found if gallery or "gallery" not in page.path.parts]
    return [page for page in found if not page.name.endswith(GENERATED)]


def showing(what):
    return [pytest.param(page, id=page.name) for page in pages() if getattr(page, what)()]


def test_something_is_shown():
    assert {"README.md", "docs/tutorial.md"} <= {page.name for page in pages()}
    assert sum(len(page.commands()) for page in pages()) > 30
    assert sum(len(page.scenarios()) for page in pages()) >= 3


@pytest.mark.parametrize("page", showing("scenarios"))
def test_scenarios_that_are_shown_are_without_fault(page):
    for name, text in page.scenarios():
        assert name, f"a scenario of {page.name} has no file name beside it"
        if not page.programs():  # else a command that is shown checks it, with its plugin
            check_scenario(read_document(name, text.encode()))


@pytest.mark.parametrize("page", showing("commands"))
def test_commands_that_are_shown_work_one_after_another(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", None)
    for name, text in [*page.scenarios(), *page.programs().items()]:
        (tmp_path / name).write_text(text, encoding="utf-8")
    for command, code in page.commands():
        words = shlex.split(command, comments=True)[1:]
        with pytest.raises(SystemExit) as caught:
            cli.main(words)
        said = capsys.readouterr()
        assert caught.value.code == code, f"{command}\n{said.out}{said.err}"


@pytest.mark.parametrize("page", [p for p in pages() if p.name.startswith("docs/")], ids=str)
def test_code_that_is_shown_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = {}
    for block in page.blocks("python"):
        exec(compile(block.group(2), page.name, "exec"), space)  # noqa: S102 - our own pages


@pytest.mark.parametrize("page", pages(gallery=True), ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.text):
        found = page.path.parent / target
        assert found.exists() or found.name in ("scenario.md", "lists.md"), target
