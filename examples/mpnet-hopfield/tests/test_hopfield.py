"""The memory beside closed forms: softmax, posterior means, and Hopfield's update."""

from pathlib import Path

import numpy as np
import pytest
from mpnet_hopfield import Hopfield, cells, recall
from scipy.special import softmax

import mpnet
from mpnet.errors import ScenarioError
from mpnet.testing import NodeContract

HERE = Path(__file__).parents[1]
LETTERS = {
    "A": [".###.", "#...#", "#####", "#...#", "#...#"],
    "H": ["#...#", "#...#", "#####", "#...#", "#...#"],
    "U": ["#...#", "#...#", "#...#", "#...#", ".###."],
}
X = np.array([[1.0 if c == "#" else -1.0 for c in "".join(rows)] for rows in LETTERS.values()]).T
"""Patterns as columns, as in the formula X softmax(beta X^T xi)."""
CUE = ["#...#", "##..?", "##.##", "?????", "?????"]
XI = np.array([{"#": 1.0, ".": -1.0, "?": 0.0}[c] for c in "".join(CUE)])


class TestMemory(NodeContract):
    node = Hopfield
    name = "memory"
    keys = {
        "patterns": {"one": ["#.#"], "two": ["..#"], "three": ["##."]},
        "over": ["a", "b", "c"],
        "beta": 0.7,
        "unfamiliar": 0.1,
    }
    around = {
        "a": {"type": "feature"},
        "b": {"type": "feature", "base_rates": {"yes": 0.2}},
        "c": {"type": "feature", "states": ["off", "on"]},
    }
    evidence = {"a": "yes", "c": {"on": 0.3, "off": 0.9}}
    states = ("one", "two", "three", "unfamiliar")
    demo = HERE / "scenarios" / "orchard.yaml"


class TestMemoryOfImages(NodeContract):
    node = Hopfield
    keys = {"patterns": {"up": ["#.", "##"], "down": ["##", ".#"]}}
    evidence = {"it": ["#?", ".?"]}
    states = ("up", "down")
    demo = HERE / "scenarios" / "letters.yaml"


def run(tmp_path, evidence, beta, **settings):
    """A run of the letters with some evidence."""
    patterns = "".join(f"      {name}: {rows!r}\n" for name, rows in LETTERS.items())
    (tmp_path / "s.yaml").write_text(
        f"mpnet: 1\nname: s\nnodes:\n  m:\n    type: hopfield\n    beta: {beta}\n"
        f"    patterns:\n{patterns}"
    )
    return mpnet.run(tmp_path / "s.yaml", plugins=[Hopfield], evidence=evidence, **settings)


def names():
    return [f"m {row}.{column}" for row in range(1, 6) for column in range(1, 6)]


def means(record):
    """Mean of each cell, +1 for on and -1 for off."""
    return np.array([record.beliefs[n]["on"] - record.beliefs[n]["off"] for n in names()])


def seen_cells():
    """The cue as evidence about features."""
    found = zip(names(), XI, strict=True)
    return {name: "on" if sign > 0 else "off" for name, sign in found if sign}


@pytest.mark.parametrize("beta", [0.1, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("as_features", [False, True])
def test_retrieval_is_the_softmax_of_agreement(tmp_path, beta, as_features):
    record = run(tmp_path, seen_cells() if as_features else {"m": CUE}, beta, tolerance=1e-13)
    expected = softmax(beta * X.T @ XI)
    found = np.array([record.beliefs["m"][name] for name in LETTERS])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("beta", [0.1, 0.5, 1.0, 3.0])
def test_what_cells_are_believed_to_be_is_hopfield_s_update(tmp_path, beta):
    # Each cell agrees with its pattern but for noise, which shrinks the mean by tanh(beta).
    record = run(tmp_path, {"m": CUE}, beta, tolerance=1e-13)
    expected = X @ softmax(beta * X.T @ XI)
    np.testing.assert_allclose(means(record), np.tanh(beta) * expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(recall(X.T, XI, beta), expected, rtol=0, atol=1e-12)


def test_cells_that_were_seen_teach_those_that_were_not(tmp_path):
    record = run(tmp_path, seen_cells(), 0.5, tolerance=1e-13)
    expected = np.tanh(0.5) * X @ softmax(0.5 * X.T @ XI)
    unseen = XI == 0
    np.testing.assert_allclose(means(record)[unseen], expected[unseen], rtol=0, atol=1e-10)


def test_doubtful_cells_count_less(tmp_path):
    # A cell with likelihoods e^h and e^-h of on and off is worth atanh(tanh(beta) tanh(h)) nats.
    h = np.random.default_rng(0).normal(size=25)
    evidence = {
        name: {"on": float(np.exp(x - abs(x))), "off": float(np.exp(-x - abs(x)))}
        for name, x in zip(names(), h, strict=True)
    }
    record = run(tmp_path, evidence, 0.6, tolerance=1e-13)
    expected = softmax(X.T @ np.arctanh(np.tanh(0.6) * np.tanh(h)))
    found = np.array([record.beliefs["m"][name] for name in LETTERS])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_a_cue_like_nothing_stored_is_unfamiliar():
    node = Hopfield(patterns=LETTERS, beta=2.0, unfamiliar=0.5)
    strange = node.observe(["##..#", "..##.", "#.#..", "##.##", "..##."]).log_likelihood
    known = node.observe(LETTERS["H"]).log_likelihood
    assert strange.argmax() == 3
    assert known.argmax() == 1


def test_the_picture_is_what_was_recalled(tmp_path):
    record = run(tmp_path, {"m": CUE}, 1.0)
    expected = (X @ softmax(X.T @ XI)).reshape(5, 5)
    np.testing.assert_allclose(record.views["m"], (expected + 1) / 2, rtol=0, atol=1e-12)


def test_cells_are_read_row_by_row():
    np.testing.assert_array_equal(cells(["#.", "?#"]), [[1, -1], [0, 1]])


@pytest.mark.parametrize(
    ("memory", "told"),
    [
        ("{type: hopfield, patterns: {}}", "patterns"),
        ("{type: hopfield, patterns: {a: []}}", "'a': a stored pattern has rows"),
        ("{type: hopfield, patterns: {a: ['#?']}}", "'a': a stored pattern has rows"),
        ("{type: hopfield, patterns: {a: ['#.', '#']}}", "rows must be equally long; '#' has 1"),
        ("{type: hopfield, patterns: {a: ['#x']}}", "'x' is no cell; write # for on"),
        ("{type: hopfield, patterns: {a: ['#.'], b: ['#']}}", "'b' has 1 rows of 1 cells, 'a' has"),
        ("{type: hopfield, patterns: {a: ['#.']}, over: [f]}", "1 features for 2 cells"),
        ("{type: hopfield, patterns: {a: ['#.']}, over: [f, f]}", "'f' is there twice"),
        ("{type: hopfield, patterns: {a: ['#.']}, beta: 0}", "beta"),
        ("{type: hopfield, patterns: {unfamiliar: ['#.']}}", "can't be called 'unfamiliar'"),
    ],
)
def test_faults_are_told(tmp_path, memory, told):
    (tmp_path / "s.yaml").write_text(
        f"mpnet: 1\nname: s\nnodes:\n  f: {{type: feature}}\n  m: {memory}\n"
    )
    with pytest.raises(ScenarioError, match=told):
        mpnet.load(tmp_path / "s.yaml", plugins=[Hopfield])


@pytest.mark.parametrize(
    ("cue", "told"),
    [
        (["##"], "a cue of 1 rows of 2 cells; the patterns have 5 rows of 5 cells"),
        ([], "a cue must be rows"),
        ([1, 2], "a cue must be rows"),
        (["#####"] * 4 + ["####!"], "'!' is no cell"),
        ("B", "unknown state 'B'"),
    ],
)
def test_cues_that_make_no_sense_are_told(tmp_path, cue, told):
    with pytest.raises(ScenarioError, match=told):
        run(tmp_path, {"m": cue}, 1.0)
