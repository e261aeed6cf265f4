"""Themes, file formats, and what a figure can be told."""

import re
import sys
from base64 import b64decode
from io import BytesIO
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from mpnet import plots
from mpnet.errors import UsageError
from mpnet.plots import dark, style, wording
from mpnet.plots.contrast import contrast, from_oklab, luminance, to_oklab
from tests.plots import builders
from tests.plots.looks import DRAWN, RECORDS

SVG = "{http://www.w3.org/2000/svg}"


def saved(tmp_path, name, record, formats, theme="light"):
    return plots.save(plots.draw(name, record, theme), tmp_path / name, record, formats)


def pixels(figure):
    with style.context():
        figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255.0


@pytest.mark.parametrize(("name", "case"), [pair for pair in DRAWN if pair[1] == "purple_jar"])
def test_dark_figures_are_dark_where_light_ones_are_white(name, case):
    light, dim = (pixels(plots.draw(name, RECORDS[case], theme)) for theme in plots.THEMES)
    white = (light == 1.0).all(axis=-1)
    assert white.mean() > 0.4
    paper = to_rgba(dark.PAPER)[:3]
    near = np.abs(dim[white] - paper).max(axis=-1) < 0.02
    assert near.mean() > 0.95  # the rest lies at the edges of letters


@pytest.mark.parametrize("color", style.PALETTE)
def test_lines_show_on_the_dark(color):
    assert contrast(dark.turned(to_rgba(color)), to_rgba(dark.PAPER)) >= 2.99


def test_palette_stays_apart_in_the_dark():
    colors = [to_oklab(dark.turned(to_rgba(c))[:3]) for c in style.PALETTE]
    gaps = [np.linalg.norm(a - b) for i, a in enumerate(colors) for b in colors[:i]]
    light = [to_oklab(to_rgba(c)[:3]) for c in style.PALETTE]
    before = [np.linalg.norm(a - b) for i, a in enumerate(light) for b in light[:i]]
    assert min(gaps) >= 0.75 * min(before)


def test_greys_are_mirrored_in_order():
    turned = [luminance(dark.turned((v, v, v, 1.0))) for v in np.linspace(0, 1, 12)]
    assert np.all(np.diff(turned) < 0)
    assert dark.turned((1.0, 1.0, 1.0, 0.3)) == pytest.approx(
        (*to_rgba(dark.PAPER)[:3], 0.3), abs=0.01
    )


def test_scales_of_colour_keep_their_order_and_begin_at_the_paper():
    from mpnet.plots.society import BELIEF

    scale = dark.mirrored(BELIEF(np.linspace(0, 1, 20)))
    assert np.all(np.diff([luminance(c) for c in scale]) > 0)
    np.testing.assert_allclose(scale[0, :3], to_rgba(dark.PAPER)[:3], atol=0.03)


def test_oklab_there_and_back():
    colors = np.random.default_rng(0).uniform(size=(50, 3))
    np.testing.assert_allclose(from_oklab(to_oklab(colors)), colors, atol=1e-6)
    # Values of the paper on Oklab: white, and red of sRGB.
    np.testing.assert_allclose(to_oklab((1, 1, 1)), (1, 0, 0), atol=1e-4)
    np.testing.assert_allclose(to_oklab((1, 0, 0)), (0.628, 0.225, 0.126), atol=1e-3)


@pytest.mark.parametrize("theme", plots.THEMES)
@pytest.mark.parametrize("kind", plots.FORMATS)
def test_same_bytes_every_time(kind, theme, tmp_path):
    for name in ("convergence", "multiples"):
        (one,) = saved(tmp_path, name, RECORDS["purple_jar"], (kind,), theme)
        first = one.read_bytes()
        (other,) = saved(tmp_path, name, RECORDS["purple_jar"], (kind,), theme)
        assert first == other.read_bytes()


def test_pdf_has_title_and_description_no_date_and_its_fonts(tmp_path):
    record = builders.purple_jar()
    (path,) = saved(tmp_path, "society", record, ("pdf",))
    content = path.read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/CreationDate" not in content
    assert b"/ModDate" not in content
    assert b"/FontFile2" in content  # TrueType, so that texts stay texts
    assert b"/Type3" not in content
    assert b"/Title (" + "\ufeffpurple_jar · society".encode("utf-16-be") + b")" in content
    assert b"/Subject (purple_jar: converged after 21 iterations" in content


def test_hostile_names_are_drawn_in_every_format(tmp_path):
    from dataclasses import replace

    record = replace(
        builders.purple_jar(), scenario="紫の壺 𓀀 $\\frac{1}{", verdict="x\x1b[31m\x00"
    )
    for theme in plots.THEMES:
        paths = saved(tmp_path, "confidence", record, plots.FORMATS, theme)
        assert all(path.stat().st_size > 1000 for path in paths)


def faces(svg):
    """Weight and characters of each font inside an SVG."""
    from fontTools.ttLib import TTFont

    rule = r"@font-face\{font-family:'DejaVu Sans';font-weight:(\d+);[^}]*base64,([^)]*)\)"
    return {
        int(weight): set(map(chr, TTFont(BytesIO(b64decode(data))).getBestCmap()))
        for weight, data in re.findall(rule, svg)
    }


@pytest.mark.parametrize("name", ["convergence", "society", "multiples"])
def test_svg_holds_the_font_of_its_texts(name, tmp_path):
    (path,) = saved(tmp_path, name, RECORDS["purple_jar"], ("svg",))
    svg = path.read_text(encoding="utf-8")
    fonts = faces(svg)
    root = ElementTree.fromstring(svg)  # noqa: S314
    texts = list(root.iter(f"{SVG}text"))
    assert len(texts) > 10
    for element in texts:
        bold = re.search(r"bold|700", element.get("style"))
        assert set(element.text) <= fonts[700 if bold else 400]
    embedded = sum(len(data) for data in re.findall(r"base64,([^)]*)\)", svg))
    assert embedded < 30_000


def test_a_font_holds_no_more_than_is_needed(tmp_path):
    from mpnet.plots.fonts import font_faces

    sheet = font_faces('<text style="font-size: 8px" x="1">a&amp;b</text>')
    assert faces(sheet) == {400: {"a", "&", "b"}}
    assert font_faces("<svg/>") == ""


def figure_module(monkeypatch, name, draw):
    """A figure that is there during one test."""
    module = ModuleType(f"mpnet.plots.{name}")
    module.draw = draw
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(plots.FIGURES, name, "A made-up figure.")


def test_a_figure_is_told_node_and_moment_if_it_takes_them(monkeypatch):
    got = []
    figure_module(monkeypatch, "made_up", lambda record, node=None, at=None: got.append((node, at)))
    record = builders.purple_jar()
    plots.draw("made_up", record, node="jar", at=3)
    plots.draw("made_up", record)
    assert got == [("jar", 3), (None, None)]
    assert plots.takes("made_up") == {"node", "at"}
    assert plots.takes("convergence") == set()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"theme": "drak"}, r"unknown theme 'drak' \(known: light, dark\)"),
        ({"node": "jar"}, r"figure convergence takes no node; those that do: .*made_up"),
        ({"at": 1}, r"figure convergence takes no at; those that do: .*made_up"),
    ],
)
def test_choices_that_do_not_exist_are_usage_errors(monkeypatch, options, message):
    figure_module(monkeypatch, "made_up", lambda record, node=None, at=None: None)
    with pytest.raises(UsageError, match=message):
        plots.draw("convergence", builders.purple_jar(), **options)


def test_unknown_nodes_and_moments_are_usage_errors(monkeypatch):
    figure_module(monkeypatch, "made_up", lambda record, node=None, at=None: None)
    record = builders.purple_jar()
    with pytest.raises(UsageError, match="there is no node 'jer'; did you mean 'jar'"):
        plots.draw("made_up", record, node="jer")
    for at in (-1, 22):
        with pytest.raises(UsageError, match=f"no iteration {at}; the run has 0 to 21"):
            plots.draw("made_up", record, at=at)


def test_ordinals():
    numbers = [1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111]
    words = "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 101st 111th"
    assert " ".join(map(wording.ordinal, numbers)) == words


def test_names_are_cut_in_their_middle():
    assert wording.middle("concept_number_8840", 12) == "concep…_8840"
    assert wording.middle("short", 12) == "short"
    assert "\x1b" not in wording.middle("a\x1b[31m" * 40, 20)
    assert len(wording.middle("\x00" * 400, 20)) <= 20
