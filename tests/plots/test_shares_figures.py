"""The figures of explanations: waterfall and protest, on few and many shares and awkward names."""

import itertools
import math
from dataclasses import replace

import builders
import numpy as np
import pytest

from mpnet import plots
from mpnet.explanation import Explanation, Share
from mpnet.plots import style
from mpnet.plots.contents import has_content
from mpnet.plots.shares import rows_of

NAMES = ("<script>alert(1)</script>", "$$\\frac{1}{", "a" * 300, "x\x1b[31m\x00", "紫の壺", "_x")


def explanation(node, count, seed=0, names=None):
    """One prior and ``count`` other shares of every kind."""
    rng = np.random.default_rng(seed)
    names = names or [f"neighbour_{i}" for i in range(count)]
    shares = [Share("prior", (node,), -2.2)]
    kinds = itertools.cycle(["evidence", "neighbour", "neighbour", "together"])
    for number, kind in zip(range(count), kinds):
        name = names[number % len(names)]
        others = (name, names[(number + 1) % len(names)]) if kind == "together" else (name,)
        text = f"{name}: not seen" if kind == "evidence" else "supports it"
        shares.append(Share(kind, others, float(rng.normal(0, 2)), 0.1, text))
    total = math.fsum(s.nats for s in shares)
    belief = 1 / (1 + math.exp(-total))
    headline = (
        f"{node} is active (belief {belief:.2g}): {names[0] if names else 'nothing'} (+1.00 nats)"
    )
    return Explanation(node, "active", "inactive", total, belief, tuple(shares), "exact", headline)


def record(*found):
    return replace(builders.purple_jar(), explanations=found)


def drawn(name, *found):
    figure = plots.draw(name, record(*found))
    assert figure is not None
    with style.context():
        figure.canvas.draw()
    return figure


def written(figure):
    """Everything that is written, with its box."""
    found = list(figure.texts)
    for axes in figure.axes:
        found += [*axes.texts, *axes.get_yticklabels(), axes.xaxis.label]
        low, high = sorted(axes.get_xlim())
        found += [t for t in axes.get_xticklabels() if low <= t.get_position()[0] <= high]
        for upper in axes.child_axes:
            found += [t for t in upper.get_xticklabels() if low <= t.get_position()[0] <= high]
    with style.context():
        return [(t.get_text(), t.get_window_extent()) for t in found if t.get_text()]


CASES = {
    "one share": [explanation("m", 1)],
    "thirty shares": [explanation("m", 30)],
    "a hundred shares": [explanation("m", 100)],
    "two nodes": [explanation("m", 3), explanation("n", 9, 1)],
    "four nodes": [explanation(f"m{i}", 2 * i + 1, i) for i in range(4)],
    "thirteen nodes": [explanation(f"m{i}", i + 1, i) for i in range(13)],
    "long and hostile names": [explanation(name, 7, i, NAMES) for i, name in enumerate(NAMES)],
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["waterfall", "protest"])
def test_nothing_overlaps_and_nothing_is_cut_off(name, case):
    figure = drawn(name, *CASES[case])
    found = written(figure)
    width, height = figure.get_size_inches() * style.DPI
    for text, box in found:
        assert box.x0 >= -1, text
        assert box.x1 <= width + 1, text
        assert box.y0 >= -1, text
        assert box.y1 <= height + 1, text
    for (one, a), (other, b) in itertools.combinations(found, 2):
        across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert not (across > 1 and up > 2), (one, other)


@pytest.mark.parametrize("name", ["waterfall", "protest"])
def test_shown_where_something_is_explained(name):
    assert plots.draw(name, builders.purple_jar()) is None
    assert not has_content(name, builders.purple_jar())
    assert has_content(name, record(explanation("m", 3)))
    alone = replace(explanation("m", 3), shares=(Share("prior", ("m",), -1.0),))
    assert has_content(name, record(alone)) == (name == "waterfall")


def test_a_run_draws_the_waterfall_and_leaves_the_bars_to_be_asked_for():
    drawn = plots.default_figures(record(explanation("m", 3)))
    assert "waterfall" in drawn
    assert "protest" not in drawn


@pytest.mark.parametrize("name", ["waterfall", "protest"])
def test_title_says_not_converged(name):
    failed = replace(record(explanation("m", 3)), status="max_iterations", verdict="residual 0.3")
    assert plots.draw(name, failed).texts[0].get_text().startswith("NOT CONVERGED")


@pytest.mark.parametrize("name", ["waterfall", "protest"])
def test_saved_twice_has_the_same_bytes(name, tmp_path):
    shown = record(explanation("m", 5), explanation("n", 4, 1))
    first = plots.save(plots.draw(name, shown), tmp_path / "first", shown)
    second = plots.save(plots.draw(name, shown), tmp_path / "second", shown)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert "<script" not in first[1].read_text()


def bars(axes):
    return [(p.get_x(), p.get_x() + p.get_width()) for p in axes.patches if p.get_height() > 0.5]


def test_a_waterfall_goes_from_share_to_share_and_ends_at_the_log_odds():
    found = explanation("m", 6)
    spans = bars(drawn("waterfall", found).axes[0])
    at = 0.0
    for (start, end), share in zip(spans[:-1], found.shares, strict=True):
        assert (start, end) == pytest.approx((at, at + share.nats), abs=1e-12)
        at = end
    assert spans[-1] == pytest.approx((0.0, found.log_odds), abs=1e-12)


def test_beliefs_above_a_waterfall_are_where_their_log_odds_are():
    (upper,) = drawn("waterfall", explanation("m", 4)).axes[0].child_axes
    labels = {t.get_text(): t.get_position()[0] for t in upper.get_xticklabels() if t.get_text()}
    assert labels["0.50"] == pytest.approx(0.0)
    if "0.90" in labels:
        assert labels["0.90"] == pytest.approx(math.log(9))


def test_protest_is_sorted_and_hatched_where_several_speak():
    axes = drawn("protest", explanation("m", 8)).axes[0]
    ends = [end for _, end in bars(axes)]
    assert ends == sorted(ends, reverse=True)
    shares = sorted(explanation("m", 8).shares[1:], key=lambda s: -s.nats)
    hatched = [bool(p.get_hatch()) for p in axes.patches if p.get_height() > 0.5]
    assert hatched == [s.kind == "together" for s in shares]


def test_what_is_forced_is_drawn_with_infinity():
    forced = Explanation(
        "m", "active", "inactive", -math.inf, 0.0,
        (Share("evidence", ("f",), -math.inf, None, "f: not seen"),),
        "exact", "m can't be active: f: not seen rules that out",
    )  # fmt: skip
    for name in ("waterfall", "protest"):
        assert "−∞" in [text for text, _ in written(drawn(name, forced))]


def test_small_shares_become_one_and_none_is_lost():
    shares = list(explanation("m", 40).shares) + [Share("neighbour", ("t",), 1e-4)] * 3
    rows = rows_of(shares, 12)
    assert len(rows) == 12
    assert math.fsum(r.nats for r in rows) == pytest.approx(math.fsum(s.nats for s in shares))
    assert rows[-1].name == f"{len(shares) - 11} smaller shares"
    few = rows_of(shares[:3] + shares[-3:], 12)
    assert [r.name for r in few][-1] == "3 smaller shares"
