"""The experiment ``superiority``: readings against the engine's full run, contexts, and faults."""

import numpy as np
import pytest

import mpnet
from mpnet.errors import ScenarioError
from mpnet.nodes.lexicon import LETTERS
from mpnet.simulation.answering import answer_evidence, options_of
from mpnet.simulation.experiments.superiority import Board

WORDS = {"word": {"type": "words", "words": ["work", "word", "fork", "zero", "keen"]}}
SETTING = {"nodes": WORDS, "expect": []}


def load(**experiment):
    return mpnet.load(
        "word_superiority", experiment={"type": "superiority", **experiment}, **SETTING
    )


@pytest.fixture
def board():
    scenario = load()
    return Board(scenario.society, "word", options_of(scenario))


def test_a_reading_is_what_the_whole_run_believes(board):
    scenario = load()
    answer = answer_evidence(scenario, scenario.seen)
    graph = answer.compiled.original
    wanted = answer.beliefs()[graph.states_of(graph.index["letter 4"])]
    shown = scenario.seen["display"].data.astype(int)
    np.testing.assert_allclose(board.read(shown, 3), wanted, atol=1e-12)
    np.testing.assert_allclose(board.course(shown, 3)[-1], wanted, atol=1e-9)


def test_rivals_make_words_and_no_word_makes_none(board):
    work = board.spelling[0]
    assert [LETTERS[i] for i in board.rivals(work, 3)] == ["d"]
    assert [LETTERS[i] for i in board.rivals(work, 0)] == ["f"]
    assert board.targets == [(0, 0), (0, 3), (1, 3), (2, 0)]
    rng = np.random.default_rng(0)
    for _ in range(50):
        letters = board.no_word(work, 2, rng)
        assert letters[2] == work[2]
        others = np.delete(board.spelling, 2, 1) == np.delete(letters, 2)
        assert not others.all(axis=1).any()


def test_numbers_are_those_of_the_curves():
    scenario = load(seen=[0.5], trials=10)
    found = mpnet.run(scenario).findings
    assert set(found.numbers) == set(scenario.experiment.measures(scenario))
    belief = found.curves["belief"]
    assert belief.shape == (1, 10, 3)
    odds = np.log(belief / (1 - belief))
    assert found.numbers["word over alone"] == pytest.approx((odds[..., 0] - odds[..., 1]).mean())
    assert found.labels["letters"][0] == "k"


def test_where_all_is_seen_no_context_is_needed():
    numbers = mpnet.run(load(seen=[1.0], trials=10)).findings.numbers
    for context in ("word", "alone", "no word"):
        assert numbers[f"choice, {context}"] > 0.99


def test_the_scenario_keeps_its_promises_without_the_data_folder(monkeypatch):
    monkeypatch.delenv("MPNET_DATA", raising=False)
    claims = mpnet.run("word_superiority").expectations
    assert [(c.text, c.got) for c in claims if not c.met] == []


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"words": "letter 1"}, "experiment.words: 'letter 1' is not a node of type words"),
        ({"watch": 5}, "experiment.watch: there is no position 5; 1 to 4"),
        ({"seen": [0.5, 1.5]}, r"experiment.seen\[1\]: must be a share in \(0, 1\], got 1.5"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(keys, told):
    with pytest.raises(ScenarioError, match=told):
        load(**keys)


def test_without_a_display_or_words_that_differ_in_a_letter_there_is_nothing_to_show():
    far = {"word": {"type": "words", "words": ["work", "zeal"]}}
    setting = {"nodes": far, "evidence": {}, "expect": []}
    with pytest.raises(ScenarioError, match="no two words differ in one letter only") as caught:
        mpnet.load("word_superiority", **setting)
    assert "there is no evidence on 'display' to watch" in str(caught.value)
