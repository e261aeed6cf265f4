"""YAML that is written: it reads back as the same data, whatever the data are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpnet.errors import ScenarioError
from mpnet.scenario.document import read_document
from mpnet.scenario.library import open_scenario, shipped
from mpnet.scenario.writing import plain, to_yaml


def back(data):
    return read_document("x", to_yaml(data).encode()).data


AWKWARD = [
    "1e-6", "0x10", "0o7", "1:30", "~", "null", "True", "no", "<<", "-", "- a", "? a", "a: b",
    "a #b", "#b", " a", "a ", "", "'", '"', "\\", "a\nb", "\x07", "\x85", "\u2028", "\ufeff",
    "[a]", "{a}", "&a", "*a", "!a", "%a", "@a", "`a", "|", ">", "a,b", "a  b", "...", "---", ".5",
    "+1", "1_000", ".inf", "日本", "\U0001f600", "a:", "x" * 300, "word " * 60, "é",
]  # fmt: skip


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_text_stays_text_as_value_item_and_key(text):
    data = {"value": text, "list": [text, [text]], "in": {text or "k": {text or "k": text}}}
    assert back(plain(data)) == plain(data)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(AWKWARD),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["a", "b c", "7"]), TREES, min_size=1))
def test_any_data_read_back_as_they_were(data):
    data = plain(data)
    assert back(data) == data


@pytest.mark.parametrize("scenario", shipped(), ids=lambda s: s.name)
def test_shipped_scenarios_fit_their_lines_and_read_back(scenario):
    data = open_scenario(scenario.name).data
    text = to_yaml(data)
    assert read_document("x", text.encode()).data == data
    assert max(map(len, text.splitlines())) <= 150  # a value in braces is not broken


def test_arrays_and_tuples_become_lists():
    found = plain(
        {"a": np.array([[1, 2]]), "b": (np.float64(0.5), np.int8(3)), "c": np.bool_(True)}
    )
    assert found == {"a": [[1, 2]], "b": [0.5, 3], "c": True}
    assert [type(x) for x in found["b"]] == [float, int]


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ({"a": [1, {2, 3}]}, r"scenario: a\[1\]: a scenario can't hold \{2, 3\}; text, numbers"),
        ({"a": {1: 2}}, "scenario: a: a key must be text, got 1; write it as text: '1'"),
        ({"a": "\ud800"}, "scenario: a: .* holds half a character"),
    ],
)
def test_what_yaml_can_not_hold_is_refused_with_its_place(data, wanted):
    with pytest.raises(ScenarioError, match=wanted):
        plain(data)


def test_data_that_contain_themselves_are_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(ScenarioError, match="nested more than 64 levels deep"):
        plain({"a": loop})
