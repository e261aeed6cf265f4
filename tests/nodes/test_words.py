"""Words over letters over lines: beliefs against sums by hand, displays, fonts and faults."""

import itertools

import numpy as np
import pytest

from mpnet.datafolder import data_folder
from mpnet.nodes.lexicon import LETTERS, SYMBOLS, interactive_activation, lexicon_of, lines_of
from mpnet.nodes.words import Words
from mpnet.simulation.answering import answer_evidence
from tests.nodes.societies import faults, load

SMALL = """
nodes:
  word: {type: words, words: [ab, ax, ko], word: 0.4, slip: 0.05, blank: 0.3, noise: 0.1}
inference: {exact: never}
"""


def beliefs(scenario, **evidence):
    answer = answer_evidence(scenario, scenario.society.observe(evidence))
    graph, row = answer.compiled.original, answer.beliefs()
    return {v.name: row[graph.states_of(i)] for i, v in enumerate(graph.variables)}


def by_hand(node, display):
    """Weight of each (word, first symbol, second symbol): one product of probabilities each."""
    prior, lines = node.prior(), node.drawn()
    found = np.zeros((len(prior), len(SYMBOLS), len(SYMBOLS)))
    for word, first, second in itertools.product(*map(range, found.shape)):
        weight = prior[word] * node.letters(0)[word, first] * node.letters(1)[word, second]
        for place, symbol in enumerate((first, second)):
            for p, shown in zip(lines[symbol], display[place], strict=True):
                weight *= 1.0 if shown < 0 else p if shown else 1.0 - p
        found[word, first, second] = weight
    return found / found.sum()


@pytest.mark.parametrize(
    "shown", [["a", "b"], ["k", "unseen"], ["blank", "k|r"], ["unseen", "unseen"]]
)
def test_beliefs_equal_sums_by_hand(shown):
    scenario = load(SMALL)
    node = scenario.society.nodes["word"]
    display = scenario.society.observe({"display": shown})["display"].data
    got, wanted = beliefs(scenario, display=shown), by_hand(node, display)
    np.testing.assert_allclose(got["word"], wanted.sum(axis=(1, 2)), atol=1e-12)
    np.testing.assert_allclose(got["letter 1"], wanted.sum(axis=(0, 2)), atol=1e-12)
    np.testing.assert_allclose(got["letter 2"], wanted.sum(axis=(0, 1)), atol=1e-12)


def test_nothing_seen_leaves_every_base_rate():
    scenario = load(SMALL)
    for name, belief in beliefs(scenario).items():
        np.testing.assert_allclose(belief, scenario.society.base_rates_of(name), atol=1e-13)


def test_what_two_letters_share_fits_no_third():
    scenario = load(SMALL)
    seen = scenario.society.observe({"display": ["k|r", "a"]})["display"].data[0]
    font = lines_of("segments")
    fits = (np.where(seen < 0, font, seen) == font).all(axis=1)
    assert [SYMBOLS[i] for i in np.flatnonzero(fits)] == ["k", "r"]


def test_letters_of_the_shipped_font_differ():
    font = lines_of("segments")
    assert font.shape == (27, 14)
    assert len(np.unique(font, axis=0)) == 27
    assert not font[-1].any()


def test_given_words_are_all_as_likely():
    known = lexicon_of(["work", "word"])
    assert (known.levels == 0).all()
    assert "".join(LETTERS[i] for i in known.spelling[1]) == "word"


def test_words_of_the_scenario_are_used_where_there_are_no_others(monkeypatch, tmp_path):
    node = Words(words=["work", "word"], lexicon="interactive_activation")
    monkeypatch.setenv("MPNET_DATA", str(tmp_path))
    assert node.domain() == ("work", "word", "no word")
    monkeypatch.delenv("MPNET_DATA")
    assert node.known().font == "segments"


@pytest.mark.skipif(data_folder() is None, reason="needs the data folder")
def test_the_lexicon_of_the_data_folder():
    known = interactive_activation()
    assert known.spelling.shape == (1179, 4)
    assert "true" in known.words
    assert known.lines.shape == (27, 14)
    node = Words(words=["work", "word"], lexicon="interactive_activation")
    assert len(node.domain()) == 1180
    # Frequent words come to mind more easily: word has the higher level of the two.
    assert node.prior()[known.words.index("word")] > node.prior()[known.words.index("worm")]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("words: [ab, abc]", "nodes.w.words: 'abc' is not as long as 'ab'"),
        ("words: [ab, ab]", "nodes.w.words: 'ab' is there twice; words must differ"),
        ("words: [ab, Cd]", "nodes.w.words: 'Cd' is no word; words are made of the letters a to z"),
        ("words: [ab, cd], noise: 0.6", "nodes.w.noise: must be below 0.5, got 0.6"),
    ],
)
def test_what_is_wrong_with_words_is_said_with_its_place(keys, told):
    assert faults(f"nodes: {{w: {{type: words, {keys}}}}}") == [told]


def test_a_letter_written_otherwise_is_told():
    text = SMALL.replace("nodes:", "nodes:\n  letter 2: {type: feature, states: [a, b]}")
    assert faults(text)[0] == (
        "nodes.word: it needs a node 'letter 2' with all letters and 'blank' as states"
    )


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ("[a]", "evidence.display: must be a list of 2 places, got ['a']; write letters"),
        ("a", "evidence.display: must be a list of 2 places, got 'a'; write letters"),
        ("[a, é]", "evidence.display[1]: 'é' is no letter; write letters"),
        ("[a|?, b]", "evidence.display[0]: '?' is no letter; write letters"),
    ],
)
def test_what_is_wrong_with_a_display_is_said_with_its_place(shown, told):
    assert faults(f"{SMALL}\nevidence: {{display: {shown}}}")[0].startswith(told)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("sees: f, place: 0, number: 0", "nodes.l.sees: 'f' is a variable, not data to look at"),
        ("sees: d, place: 2, number: 0", "nodes.l.place: there is no place 2; 0 to 1"),
        ("sees: d, place: 0, number: 14", "nodes.l.number: there is no line 14; 0 to 13"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_with_its_place(keys, told):
    nodes = f"f: {{type: feature}}, d: {{type: display, places: 2}}, l: {{type: line, {keys}}}"
    assert faults(f"nodes: {{{nodes}}}")[0] == told
