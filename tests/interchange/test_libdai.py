"""libDAI's format: the first variable is fastest, tables are sparse, labels may have gaps."""

import numpy as np
import pytest
from hypothesis import given, settings

from mpnet.estimators.exact import solve
from mpnet.interchange.files import ModelFileError
from mpnet.interchange.libdai import read_fg, write_fg
from tests.interchange.texts import DATA, assert_same_graph, graphs

PAIR = "# two\n1\n\n2\n3 1\n2 3\n5\n0 1\n1 2\n2 3\n3 4\n5 6\n"


def read(text):
    data = text if isinstance(text, bytes) else text.encode()
    return read_fg(data, "m.fg")[0]


def told(text):
    with pytest.raises(ModelFileError) as caught:
        read(text)
    return str(caught.value).splitlines()[0]


def test_the_first_variable_varies_fastest_and_what_is_left_out_is_zero():
    graph = read(PAIR)
    assert [v.name for v in graph.variables] == ["x1", "x3"]
    assert graph.factors[0].scope == (1, 0)
    np.testing.assert_allclose(np.exp(graph.table_of(0)), [[1, 3, 0], [2, 4, 6]])


def test_factors_without_variables_and_with_one_are_legal():
    graph = read("2\n\n0\n\n\n1\n0 3.5\n\n1\n0\n2\n2\n0 1\n1 2\n")
    assert solve(graph).log_z == pytest.approx(np.log(3.5 * 3))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "m.fg:1:1: expected the number of factors, but the file ends"),
        ("7", "m.fg:1:1: the number of factors is '7'; expected a whole number >= 0 and <= 1"),
        ("x", "m.fg:1:1: the number of factors is 'x'; expected a whole number >= 0"),
        ("1\n\n2\n0 0\n2 2\n1\n0 1", "m.fg:4:3: factor 0 has variable 0 twice in its scope"),
        ("1\n\n1\n0\n0\n0", "m.fg:5:1: the cardinality of variable 0 in factor 0 is '0'; expected "
         "a whole number >= 1"),
        ("2\n\n1\n0\n2\n1\n0 1\n\n1\n0\n3\n1\n0 1", "m.fg:11:1: variable 0 has 3 states in factor "
         "1, and 2 in a factor before"),
        ("1\n\n1\n0\n2\n3\n0 1", "m.fg:6:1: the number of entries of factor 0 is '3'; expected a "
         "whole number >= 0 and <= 2"),
        ("1\n\n1\n0\n2\n2\n0 1\n2 1", "m.fg:8:1: factor 0, entry 1 has the index '2'; expected a "
         "whole number from 0 to 1"),
        ("1\n\n1\n0\n2\n2\n0 1\n0 1", "m.fg:8:1: factor 0 has the entry 0 twice"),
        ("1\n\n1\n0\n2\n2\n0 1\n1", "m.fg:8:2: factor 0: expected 2 entries, got 1"),
        ("1\n\n1\n0\n2\n1\n0 nan", "m.fg:7:3: factor 0, value 0 is 'nan', which is not a finite "
         "number; potentials are finite numbers >= 0"),
        ("1\n\n1\n0\n2\n1\n0 0", "m.fg:3:1: factor 0 has no positive value; a model in which "
         "nothing is possible has no answer"),
        ("1\n\n1\n0\n2\n1\n0 -1", "m.fg:3:1: factor 0, value 0 is negative: -1.0; potentials "
         "are >= 0; is this a log-space file? take the exponential of its values"),
        ("0\n1 2", "m.fg:2:1: 2 trailing tokens after the last factor, the first is '1'"),
        ("1\n\n3\n0 1 2\n9999 9999 9999\n1\n0 1", "m.fg:5:11: factor 0 claims a table of about "
         "10^11 entries; a file of this size may claim 4194304 in all"),
    ],
)  # fmt: skip
def test_faults_are_told_with_their_place(text, wanted):
    assert told(text) == wanted


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_a_graph_that_is_written_comes_back(graph):
    # A variable in no factor is written with a factor of ones, which says nothing.
    assert_same_graph(read(write_fg(graph)), graph)


@pytest.mark.skipif(not DATA.is_dir(), reason="the data folder is not here (MPNET_DATA)")
def test_graphs_of_the_library_itself_are_read():
    sizes = {}
    for name in ("alarm", "hoi1", "testfast", "twofactors", "zeroes1"):
        graph = read((DATA / "fg" / f"{name}.fg").read_bytes())
        sizes[name] = len(graph.variables), len(graph.factors)
    assert sizes == {
        "alarm": (37, 25), "hoi1": (6, 3), "testfast": (16, 24), "twofactors": (4, 2),
        "zeroes1": (3, 2),
    }  # fmt: skip
