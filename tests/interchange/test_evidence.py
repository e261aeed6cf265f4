"""Evidence: both dialects of files, never guessed, and observations by name."""

import numpy as np
import pytest

from mpnet.builder import GraphBuilder
from mpnet.errors import GraphError, UsageError
from mpnet.interchange.evidence import clamp, find_variable, observe, read_evidence
from mpnet.interchange.files import ModelFileError

CARDS = np.array([2, 2, 3])


def read(text, **how):
    data = text if isinstance(text, bytes) else text.encode()
    return dict(read_evidence(data, "e.evid", CARDS, **how).states)


def told(text, **how):
    with pytest.raises(ModelFileError) as caught:
        read(text, **how)
    return str(caught.value).splitlines()[0]


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("0", {}),
        ("0\n", {}),
        ("1 1 0", {1: 0}),
        ("2 2 2 0 1", {2: 2, 0: 1}),
        ("2\n2 2\n0 1\n", {2: 2, 0: 1}),
        (b"\xef\xbb\xbf1 1 0\r\n", {1: 0}),
        ("# nothing else\n1 1 0", {1: 0}),
    ],
)
def test_pairs_on_one_line_or_several(text, states):
    assert read(text) == states
    assert read(text, dialect="2014") == states


@pytest.mark.parametrize(
    ("text", "how", "states"),
    [
        ("1\n1 1 0", {}, {1: 0}),
        ("0", {}, {}),
        ("2\n1 1 0\n2 0 1 2 2", {"sample": 1}, {1: 0}),
        ("2\n1 1 0\n2 0 1 2 2", {"sample": 2}, {0: 1, 2: 2}),
    ],
)
def test_samples_where_the_2010_form_is_asked_for(text, how, states):
    assert read(text, dialect="2010", **how) == states


def test_asking_for_a_sample_is_asking_for_the_2010_form():
    assert read("2\n1 1 0\n2 0 1 2 2", sample=2) == {0: 1, 2: 2}


def test_the_2010_form_is_taken_unasked_only_where_the_model_rules_the_other_out():
    found = read_evidence(b"1\n3 0 1 1 0 2 2", "e.evid", CARDS)
    assert dict(found.states) == {0: 1, 1: 0, 2: 2}
    assert found.note.startswith("evidence read in the 2010 form, one sample: in the 2014 form")


@pytest.mark.parametrize(
    ("text", "how", "wanted"),
    [
        ("", {}, "e.evid:1:1: expected the number of observed variables, but the file is empty; "
         "write 0 for none"),
        ("1\n1 1 0", {}, "e.evid:1:1: ambiguous: in the 2014 form 1 pair (x1 = 1) and 1 trailing "
         "token; in the 2010 form 1 sample (x1 = 0); if the 2010 form is meant, say "
         "--evidence-format 2010"),
        ("2\n1 1 0\n1 1 1", {}, "e.evid:1:1: ambiguous: in the 2014 form 2 pairs (x1 = 1, x0 = 1) "
         "and 2 trailing tokens; in the 2010 form 2 samples (x1 = 0; x1 = 1); if the 2010 form is "
         "meant, say --evidence-format 2010 and --sample N"),
        ("2\n1 1 0\n1 1 1", {"dialect": "2010"}, "e.evid:1:1: holds 2 samples; choose one with "
         "--sample 1 to 2"),
        ("2 0 1 1", {}, "e.evid:1:8: expected 2 pairs, got 1.5; each pair is a variable and its "
         "state"),
        ("-1 0 1", {}, "e.evid:1:1: the number of observed variables is '-1'; expected a whole "
         "number >= 0"),
        ("1 9 0", {}, "e.evid:1:3: observes variable 9; variables are 0 to 2"),
        ("1 0 2", {}, "e.evid:1:5: observes variable 0 in state 2 of 2; its states are 0 to 1"),
        ("1 0 1.0", {}, "e.evid:1:5: the state of variable 0 is '1.0'; expected a whole number "
         ">= 0"),
        ("2 0 1 0 1", {}, "e.evid:1:7: observes variable 0 twice"),
        ("2 0 1 0 0", {}, "e.evid:1:7: observes variable 0 twice"),
        ("1 0 1 5", {}, "e.evid:1:7: 1 trailing token after the evidence, the first is '5'"),
        ("99999999999999999999 0 1", {}, "e.evid:1:25: expected 100000000000000000000 pairs, got "
         "1; each pair is a variable and its state"),
        (b"\x1f\x8b", {}, "e.evid:1:1: this is gzip data; unpack it, or call the file .gz"),
    ],
)  # fmt: skip
def test_faults_are_told_with_their_place(text, how, wanted):
    assert told(text, **how) == wanted


@pytest.mark.parametrize(
    ("text", "how", "wanted"),
    [
        ("0", {"dialect": "2022"}, "there is no evidence format '2022'; known: auto, 2014, 2010"),
        ("1 1 1 0", {"sample": 2}, "e.evid holds 1 samples; there is no sample 2"),
        ("1 1 0", {"sample": 2, "dialect": "2014"}, "a file in the 2014 form holds one sample; "
         "there is no sample 2"),
    ],
)  # fmt: skip
def test_choices_that_make_no_sense_are_usage_errors(text, how, wanted):
    with pytest.raises(UsageError, match=r"\w") as caught:
        read(text, **how)
    assert str(caught.value) == wanted


def named():
    builder = GraphBuilder()
    builder.add_variable("rain", ["no", "yes"])
    builder.add_variable("7", ["1", "0"])
    return builder.build()


def test_names_come_before_indices_where_they_are_texts():
    assert observe(named(), {"rain": "yes", "7": "1"}) == {0: 1, 1: 0}
    assert observe(named(), {"0": "1", 1: 0}) == {0: 1, 1: 0}
    assert observe(named(), {np.int64(0): np.int64(1)}) == {0: 1}


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        ({"rian": "yes"}, "there is no variable 'rian'; did you mean 'rain'? (variables: rain, 7)"),
        ({2: 0}, "there is no variable '2'; variables: rain, 7"),
        ({-1: 0}, "there is no variable '-1'; variables: rain, 7"),
        ({"rain": "maybe"}, "variable 'rain' has no state 'maybe'; states: no, yes"),
        ({"rain": 2}, "variable 'rain' has no state '2'; states: no, yes"),
        ({"rain": "no", "0": "yes"}, "variable 'rain' is observed in two states"),
    ],
)  # fmt: skip
def test_unknown_names_are_told_with_the_known_ones(seen, wanted):
    with pytest.raises(GraphError, match=r"\w") as caught:
        observe(named(), seen)
    assert str(caught.value) == wanted


def test_a_variable_is_found_by_its_usual_name():
    builder = GraphBuilder()
    for number in range(3):
        builder.add_variable(f"x{number}", 2)
    graph = builder.build()
    assert [find_variable(graph, name) for name in ("x2", "1", 0)] == [2, 1, 0]
    with pytest.raises(GraphError, match="there is no variable 'x3'"):
        find_variable(graph, "x3")


def test_clamping_leaves_the_potential_of_the_observed_state():
    builder = GraphBuilder()
    builder.add_variable("a", 3)
    builder.add_factor(["a"], [1.0, 2.0, 3.0])
    unary = clamp(builder.build(), {0: 1})
    np.testing.assert_array_equal(unary, [-np.inf, np.log(2.0), -np.inf])
    assert not unary.flags.writeable
