"""The UAI format: what it means, what is refused, and where it is said to be wrong."""

import time

import numpy as np
import pytest
from hypothesis import given, settings

from mpnet.builder import GraphBuilder
from mpnet.errors import GraphError
from mpnet.estimators.exact import solve
from mpnet.graph import FactorGraph
from mpnet.interchange.files import ModelFileError
from mpnet.interchange.uai import read_uai, write_uai
from tests.interchange.texts import PAIR, assert_same_graph, graphs


def read(text):
    data = text if isinstance(text, bytes) else text.encode()
    return read_uai(data, "m.uai")[0]


def told(text):
    """First line of the message for a file at fault."""
    with pytest.raises(ModelFileError) as caught:
        read(text)
    return str(caught.value).splitlines()[0]


def test_the_last_variable_of_a_scope_varies_fastest():
    graph = read(PAIR)
    np.testing.assert_allclose(np.exp(graph.table_of(0)), [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_allclose(np.exp(graph.unary_of(0)), [0.5, 1.5])


def test_a_scope_need_not_be_sorted():
    graph = read("MARKOV 3 2 3 2 1 2 2 1 6 1 2 3 4 5 6")
    assert graph.factors[0].scope == (2, 1)
    np.testing.assert_allclose(np.exp(graph.table_of(0)), [[1, 2, 3], [4, 5, 6]])


def test_the_child_is_last_in_a_bayesian_network():
    graph = read("BAYES 2 2 2 2 1 0 2 0 1 2 .4 .6 4 .1 .9 .2 .8")
    np.testing.assert_allclose(solve(graph).marginals, [0.4, 0.6, 0.16, 0.84])


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("\n", " "),
        lambda t: t.replace("\n", "\r\n"),
        lambda t: t.replace("\n", "\r"),
        lambda t: t.replace(" ", "\t \v\f\n"),
        lambda t: "\ufeff" + t,
        lambda t: t.strip(),
        lambda t: "\n\n  " + t + "\n \n",
        lambda t: "c made by hand\n# and so\n" + t.replace("\n", " # here, too\n"),
        lambda t: t.replace("0.5", ".5").replace("1.5", "15e-1"),
        lambda t: t.replace("1 2 3", "+1. 2.0E0 0.3e+1"),
    ],
)
def test_layout_and_spelling_of_numbers_do_not_matter(change):
    assert_same_graph(read(change(PAIR)), read(PAIR))


@pytest.mark.parametrize(
    ("text", "variables", "log_z"),
    [
        ("MARKOV 0 0", 0, 0.0),
        ("MARKOV 2 2 3 0", 2, np.log(6)),
        ("MARKOV 1 2 2 0 1 0 1 3.5 2 1 2", 1, np.log(3.5 * 3)),
        ("MARKOV 2 1 2 1 2 0 1 2 1 3", 2, np.log(4)),
        ("MARKOV 2 2 2 2 2 0 1 2 0 1 4 1 2 3 4 4 1 1 1 1", 2, np.log(10)),
        ("MARKOV 2 2 2 2 2 0 1 2 1 0 4 1 2 3 4 4 1 2 3 4", 2, np.log(1 + 6 + 6 + 16)),
        ("MARKOV 1 2 3 1 0 1 0 1 0 2 1 2 2 1 2 2 1 2", 1, np.log(9)),
        ("MARKOV 1 1 1 0 1 7", 1, np.log(7)),
    ],
)
def test_small_and_odd_models_are_legal(text, variables, log_z):
    graph = read(text)
    assert len(graph.variables) == variables
    assert solve(graph).log_z == pytest.approx(log_z, abs=1e-12)


def test_potentials_too_small_for_a_product_are_kept():
    graph = read("MARKOV 1 2 200 " + "1 0 " * 200 + "2 1e-300 2e-300 " * 200)
    answer = solve(graph)
    # 200 * log(1e-300) is computed once, so some 1e-12 of 1e5 is rounding.
    assert answer.log_z == pytest.approx(-138016.476144, abs=1e-6)
    assert answer.marginals[1] == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "m.uai:1:1: the file is empty; expected MARKOV or BAYES"),
        ("MARKOV", "m.uai:1:7: expected number of variables, but the file ends"),
        ("markov 0 0", "m.uai:1:1: unknown network type 'markov'; did you mean 'MARKOV'? "
         "(network types: MARKOV, BAYES)"),
        ("MARKOV\n-1", "m.uai:2:1: number of variables is '-1'; expected a whole number >= 0"),
        ("MARKOV\n2.0", "m.uai:2:1: number of variables is '2.0'; expected a whole number >= 0"),
        ("MARKOV\n1e3", "m.uai:2:1: number of variables is '1e3'; expected a whole number >= 0"),
        ("MARKOV\n3\n2 2", "m.uai:3:4: expected 3 cardinalities, got 2"),
        ("MARKOV\n999999999999\n2 2",
         "m.uai:2:1: claims about 10^11 variables, but only 2 tokens follow"),
        ("MARKOV\n2\n2 0\n0", "m.uai:3:3: variable 1 has the cardinality '0'; expected a whole "
         "number >= 1"),
        ("MARKOV\n1\n99999999999\n0", "m.uai:3:1: variable 0 has the cardinality '99999999999': "
         "with it, the variables have about 10^10 states; a file of this size may claim 16777216"),
        ("MARKOV 1 2", "m.uai:1:11: expected number of factors, but the file ends"),
        ("MARKOV 1 2 99", "m.uai:1:12: claims 99 factors, but only 0 tokens follow"),
        ("MARKOV 2 2 2 2 2 0 1", "m.uai:1:21: expected the scope of factor 1, but the file ends"),
        ("MARKOV 2 2 2 1 2 0", "m.uai:1:19: factor 0: expected 2 variables, got 1"),
        ("MARKOV 1 2 1 9 0 0 0 0 0 0 0 0 0", "m.uai:1:14: factor 0 has the arity '9', but there "
         "are 1 variables"),
        ("MARKOV 2 2 2 1 2 0 7 4 1 2 3 4", "m.uai:1:20: factor 0 names variable 7; variables are "
         "0 to 1"),
        ("MARKOV 2 2 2 1 2 1 1 4 1 2 3 4", "m.uai:1:24: factor 0 has variable 1 twice in its "
         "scope [1, 1]"),
        ("MARKOV 1 2 1 1 0", "m.uai:1:17: expected the table of factor 0 (2 values), but the file "
         "ends"),
        ("MARKOV 1 2 1 1 0 3 1 2 3", "m.uai:1:18: factor 0 has the count '3'; expected 2 (2)"),
        ("MARKOV 1 2 1 1 0 2 1", "m.uai:1:21: factor 0: expected 2 values, got 1 before the file "
         "ends"),
        ("MARKOV 1 2 1 1 0 2 1 2 3", "m.uai:1:24: 1 trailing token after the last table, the "
         "first is '3'"),
        ("MARKOV 1 2 2 1 0 1 0 2 1 2 2 3 x", "m.uai:1:32: factor 1, value 1 is 'x', which is not "
         "a finite number; potentials are finite numbers >= 0"),
        ("MARKOV 1 2 1 1 0 2 1 inf", "m.uai:1:22: factor 0, value 1 is 'inf', which is not a "
         "finite number; potentials are finite numbers >= 0"),
        ("MARKOV 1 2 1 1 0 2 1 0x1p3", "m.uai:1:22: factor 0, value 1 is '0x1p3', which is not a "
         "finite number; potentials are finite numbers >= 0"),
        ("MARKOV 1 2 1 1 0 2 1 1.2.3", "m.uai:1:22: factor 0, value 1 is '1.2.3', which is not a "
         "finite number; potentials are finite numbers >= 0"),
        ("MARKOV 1 2 1 1 0 2 1 \u0661", "m.uai:1:22: factor 0, value 1 is '\u0661', which is not "
         "a finite number; potentials are finite numbers >= 0"),
        ("MARKOV 1 2 1 1 0 2 1 1,5", "m.uai:1:22: factor 0, value 1 is '1,5'; the decimal sign is "
         "a point, and spaces separate numbers; potentials are finite numbers >= 0"),
        ("MARKOV 1 2 1 1 0 2 1 1e400", "m.uai:1:22: factor 0, value 1 is '1e400', which is too "
         "large for a double; potentials are finite numbers >= 0"),
        ("MARKOV 1 2 1 1 0 2 1 1e-400", "m.uai:1:22: factor 0, value 1 is '1e-400', which is too "
         "small for a double and would become 0; potentials are finite numbers >= 0"),
        ("MARKOV 1 2 1 1 0 2 1 -0.5", "m.uai:1:22: factor 0, value 1 is negative: -0.5; potentials "
         "are >= 0; is this a log-space file? take the exponential of its values"),
        ("MARKOV 1 2 1 1 0 2 0 0", "m.uai:1:20: factor 0 has no positive value; a model in which "
         "nothing is possible has no answer"),
        ("BAYES 1 2 0", "m.uai:1:12: not a Bayesian network: variable 0 has no CPT; each variable "
         "is the last of exactly one scope; or write MARKOV in the first line"),
        ("BAYES 1 2 1 1 0 2 .4 .5", "m.uai:1:19: factor 0: the row that starts at value 0 sums to "
         "0.9, not 1 (probabilities of variable 0); write MARKOV in the first line if these are "
         "not probabilities"),
        ("BAYES 2 1 1 2 2 1 0 2 0 1 1 1 1 1", "m.uai:1:29: not a Bayesian network: variable 0 is "
         "on a cycle of parents, or below one"),
        (b"\x1f\x8b\x08", "m.uai:1:1: this is gzip data; unpack it, or call the file .gz"),
        ("<!DOCTYPE html>", "m.uai:1:1: this is a web page or XML, not a model; was a download "
         "refused?"),
        (b"MARKOV\n1\x00", "m.uai:2:2: holds a NUL byte; this is no text file"),
        (PAIR.encode("utf-16"), "m.uai:1:1: this is UTF-16 text; save it as UTF-8"),
    ],
)  # fmt: skip
def test_faults_are_told_with_their_place(text, wanted):
    assert told(text) == wanted


def test_the_line_at_fault_is_shown_with_a_caret():
    with pytest.raises(ModelFileError, match="trailing") as caught:
        read("MARKOV\n0\n0\n  7 8")
    assert str(caught.value).splitlines()[1:] == [
        "     4 |   7 8", "       |   ^", "1 fault; nothing was run",
    ]  # fmt: skip


def test_tables_that_claim_more_than_memory_are_refused_before_anything_is_allocated():
    scope = " ".join(map(str, range(60)))
    text = "MARKOV 60 " + "9999 " * 60 + f"1 60 {scope} 0"
    started = time.process_time()
    assert "factor 0 has the count '0'; expected about 10^239" in told(text)
    assert time.process_time() - started < 60.0


def test_rows_of_a_network_that_are_nearly_one_are_made_one():
    graph = read("BAYES 1 3 1 1 0 3 0.333333 0.333333 0.333333")
    np.testing.assert_allclose(np.exp(graph.unary), 1 / 3, rtol=1e-15)


def test_equal_tables_are_kept_once():
    text = "MARKOV 3 2 2 2 2 2 0 1 2 1 2 " + "4 1 2 3 4 " * 2
    graph = read(text)
    np.testing.assert_allclose(np.exp(graph.table_of(1)), [[1, 2], [3, 4]])
    assert graph.families[0].content.values.size == 4


def test_numbers_of_factors_are_those_of_the_file():
    text = "MARKOV 3 2 2 3 4 2 0 1 1 1 2 2 0 2 1 0 4 1 1 1 1 2 1 1 6 1 1 1 1 1 1 4 1 1 1 1"
    graph, numbers = read_uai(text.encode(), "m.uai")
    assert [f.scope for f in graph.factors] == [(0, 1), (1, 0), (2, 0)]
    assert numbers.tolist() == [0, 3, 2]


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_a_graph_that_is_written_comes_back(graph):
    assert_same_graph(read(write_uai(graph)), graph)


def test_linear_potentials_come_back_to_the_bit():
    rng = np.random.default_rng(0)
    tables = np.exp(rng.normal(scale=100.0, size=(5, 2, 2)))
    graph = FactorGraph.from_arrays([2] * 6, [([[i, i + 1] for i in range(5)], tables)])
    back = read(write_uai(graph))
    np.testing.assert_array_equal(back.families[0].content.values, tables.reshape(-1))


def test_constants_and_unary_potentials_beyond_a_double_come_back():
    builder = GraphBuilder()
    builder.add_variable("a", 2)
    builder.add_factor([], 5000.0, log=True)
    builder.add_factor(["a"], [-1e4, 1e4], log=True)
    graph = builder.build()
    back = read(write_uai(graph))
    assert solve(back).log_z == pytest.approx(15000.0, rel=1e-12)
    assert np.diff(back.unary) == pytest.approx(2e4, rel=1e-12)


def test_a_table_that_spans_more_than_a_double_is_refused_by_name():
    builder = GraphBuilder()
    builder.add_variable("a", 2)
    builder.add_variable("b", 2)
    builder.add_factor(["a", "b"], [[-5e3, 0.0], [0.0, 0.0]], log=True, name="steep")
    with pytest.raises(GraphError, match="factor 'steep' can't be written: its potentials span"):
        write_uai(builder.build())


def test_a_large_file_is_read_at_once():
    side = 100
    numbers = np.arange(side * side).reshape(side, side)
    edges = np.concatenate(
        [np.stack([numbers[:, :-1], numbers[:, 1:]], -1).reshape(-1, 2),
         np.stack([numbers[:-1], numbers[1:]], -1).reshape(-1, 2)]
    )  # fmt: skip
    tables = np.random.default_rng(0).random((len(edges), 2, 2)) + 0.1
    graph = FactorGraph.from_arrays([2] * side**2, [(edges, tables)])
    data = write_uai(graph)
    started = time.process_time()
    back = read(data)
    # A grid of 300 x 300 takes 0.5 s; this one is a ninth, on a machine that may be shared.
    assert time.process_time() - started < 60.0
    np.testing.assert_array_equal(back.families[0].content.values, tables.reshape(-1))
