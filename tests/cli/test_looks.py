"""Themes and formats of figures on the command line."""

import os
import sys
from types import ModuleType

import pytest

from mpnet import plots
from mpnet.cli import main as cli

MINIMAL = """mpnet: 1
name: tiny
nodes:
  f: {type: feature}
  m: {type: model, prior: 0.1, predicts: {f: {"yes": 0.9}}}
"""


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


@pytest.fixture
def made_up(monkeypatch):
    """Add a figure that takes a node and a moment; what it was told is in the list."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    told = []

    def draw(record, node=None, at=None):
        told.append((node, at))
        figure = Figure(figsize=(1, 1))
        FigureCanvasAgg(figure)
        return figure

    module = ModuleType("mpnet.plots.made_up")
    module.draw = draw
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(plots.FIGURES, "made_up", "A made-up figure.")
    monkeypatch.setitem(
        sys.modules["mpnet.plots.contents"]._CONTENT, "made_up", lambda record: True
    )
    return told


def written(folder):
    return {path.name for path in (folder / "plots").iterdir()}


@pytest.mark.parametrize("cores", [1, 2])
def test_run_draws_in_the_theme_and_formats_asked_for(mpnet, tmp_path, monkeypatch, cores):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)  # with two, a second process draws too
    wanted = ["--plot", "convergence", "--plot", "society", "--format", "pdf,png"]
    for theme in plots.THEMES:
        code, out, _ = mpnet("run", "tiny.yaml", *wanted, "--theme", theme, "--out", theme)
        assert code == 0
        assert "figures: convergence, society" in out
        names = {"convergence.pdf", "convergence.png", "society.pdf", "society.png"}
        assert written(tmp_path / theme) == names
    for name in ("convergence.png", "society.png"):
        first, second = (_corner(tmp_path / theme / "plots" / name) for theme in plots.THEMES)
        assert first == (255, 255, 255)
        assert max(second) < 40


def _corner(path):
    from PIL import Image

    return Image.open(path).convert("RGB").getpixel((2, 2))


def test_plot_writes_every_format(mpnet, tmp_path):
    mpnet("run", "tiny.yaml", "--no-plots", "--out", "here")
    code, out, _ = mpnet("plot", "here", "society", "--format", "png,svg,pdf", "--theme", "dark")
    assert code == 0
    assert [line.rpartition("/")[2] for line in out.split()] == [
        "society.png",
        "society.svg",
        "society.pdf",
    ]
    assert "#14171a" in (tmp_path / "here" / "plots" / "society.svg").read_text()


@pytest.mark.parametrize("command", [("plot", "here"), ("run", "tiny.yaml")])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "gif"], "--format gif: unknown format 'gif'; write some of png,svg,pdf"),
        (["--format", "png, gif"], "unknown format 'gif'"),
        (["--format", ","], "--format ,: no format; write some of png,svg,pdf"),
        (["--theme", "drak"], "--theme drak: write light or dark"),
    ],
)
def test_unknown_looks_are_usage_errors_before_anything_runs(
    mpnet, tmp_path, command, options, message
):
    code, out, err = mpnet(*command, *options)
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "runs").exists()


def test_plot_tells_a_figure_its_node_and_moment(mpnet, tmp_path, made_up):
    mpnet("run", "tiny.yaml", "--no-plots", "--out", "here")
    code, _, err = mpnet("plot", "here", "made_up", "--node", "m", "--at", "1", "--format", "png")
    assert (code, err) == (0, "")
    assert made_up == [("m", 1)]
    assert written(tmp_path / "here") == {"made_up-m-at-1.png"}


def test_plot_of_a_node_draws_the_figures_that_take_one(mpnet, tmp_path, made_up):
    mpnet("run", "tiny.yaml", "--no-plots", "--out", "here")
    code, out, _ = mpnet("plot", "here", "--node", "m", "--format", "png")
    assert code == 0
    assert "here/plots/made_up-m.png" in out.split()
    assert all(name.endswith("-m.png") for name in written(tmp_path / "here"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convergence", "--node", "m"], "figure convergence takes no node; those that do: "),
        (["convergence", "--at", "1"], "figure convergence takes no at; those that do: "),
        (["made_up", "--node", "q"], "there is no node 'q'; nodes: f, m"),
        (["made_up", "--at", "999"], "there is no iteration 999; the run has 0 to "),
    ],
)
def test_choices_that_do_not_fit_are_usage_errors(mpnet, made_up, arguments, message):
    mpnet("run", "tiny.yaml", "--no-plots", "--out", "here")
    code, out, err = mpnet("plot", "here", *arguments)
    assert (code, out) == (2, "")
    assert message in err
