"""BIF: names and orders kept, and what pgmpy would pass over refused with its line."""

import contextlib
import importlib.util
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mpnet.estimators.exact import solve
from mpnet.interchange import ModelFileError, read_model
from mpnet.interchange.bif import read_bif
from mpnet.interchange.evidence import clamp, observe

MODELS = Path(importlib.util.find_spec("pgmpy").origin).parent / "utils" / "example_models"

RAIN = """network n {
}
variable rain {
  type discrete [ 2 ] { no, yes };
}
variable grass {
  type discrete [ 3 ] { dry, damp, wet };
}
probability ( rain ) {
  table 0.8, 0.2;
}
probability ( grass | rain ) {
  (no) 0.7, 0.2, 0.1;
  (yes) 0.1, 0.3, 0.6;
}
"""


def read(text):
    data = text if isinstance(text, bytes) else text.encode()
    return read_bif(data, "m.bif")[0]


def test_names_and_the_order_of_states_are_kept():
    graph = read(RAIN)
    assert [(v.name, v.states) for v in graph.variables] == [
        ("rain", ("no", "yes")), ("grass", ("dry", "damp", "wet")),
    ]  # fmt: skip
    assert graph.factors[0].name == "f(rain, grass)"
    np.testing.assert_allclose(np.exp(graph.table_of(0)), [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("\n", "\r\n"),
        lambda t: "// a comment\n" + t.replace("0.8,", "0.8, /* most days */"),
        lambda t: t.replace("}\nprobability", "}  \n\n  probability"),
        lambda t: "\ufeff" + t.rstrip(),
        lambda t: t.replace("  (no)", "  ( no )"),
    ],
)
def test_layout_does_not_matter(change):
    graph = read(change(RAIN))
    np.testing.assert_allclose(np.exp(graph.table_of(0)), [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        (RAIN, "hello", "m.bif:1:1: holds no network in BIF; expected 'network NAME { ... }'"),
        ("grass | rain", "grass | rian", "m.bif:12:1: there is no variable 'rian'; did you mean "
         "'rain'? (variables: rain, grass)"),
        ("variable grass", "variable rain", "m.bif:6:1: variable 'rain' is there already"),
        ("[ 3 ]", "[ 4 ]", "m.bif:7:3: variable 'grass' says it has 4 states, and lists 3"),
        ("damp", "dry", "m.bif:6:1: variable 'grass' needs states that differ"),
        ("  (yes) 0.1, 0.3, 0.6;\n", "", "m.bif:12:1: the CPT of 'grass' has 1 rows; expected 2, "
         "one for each combination of states of its parents"),
        ("(yes)", "(no)", "m.bif:12:1: the CPT of 'grass': factor 1: the row that starts at value "
         "3 sums to 0, not 1 (probabilities of variable 1)"),
        ("0.6", "0.7", "m.bif:12:1: the CPT of 'grass': factor 1: the row that starts at value 3 "
         "sums to 1.1, not 1 (probabilities of variable 1)"),
        ("(yes)", "default", "m.bif:12:1: the CPT of 'grass' has a default row; write out all "
         "rows"),
        ("grass | rain", "rain | grass", "m.bif:12:1: variable 'rain' has two CPTs"),
        ("probability ( rain ) {\n  table 0.8, 0.2;\n}\n", "", "m.bif:3:1: variable 'rain' has no "
         "CPT"),
        ("0.8, 0.2", "0.8", "m.bif:1:1: pgmpy can't read this as BIF (ValueError: cannot reshape "
         "array of size 1 into shape (2,newaxis))"),
        ("type discrete [ 2 ] { no, yes };", "", "m.bif:3:1: variable 'rain' has no type; expected "
         "'type discrete [ N ] { ... };'"),
    ],
)  # fmt: skip
def test_faults_are_told_with_their_place(old, new, wanted):
    with pytest.raises(ModelFileError) as caught:
        read(RAIN.replace(old, new))
    assert str(caught.value).splitlines()[0] == wanted


def test_a_table_beyond_memory_is_refused_before_pgmpy_sees_it():
    many = [f"p{i}" for i in range(30)]
    text = RAIN.replace("grass | rain", f"grass | {', '.join(many)}")
    text += "".join(f"variable {p} {{\n  type discrete [ 2 ] {{ a, b }};\n}}\n" for p in many)
    with pytest.raises(ModelFileError, match=r"the CPT of 'grass' would have about 10\^9 entries"):
        read(text)


@pytest.mark.parametrize(
    ("name", "variables", "factors"),
    [("asia", 8, 6), ("sachs", 11, 9), ("alarm", 37, 25), ("win95pts", 76, 42)],
)  # fmt: skip
def test_networks_that_pgmpy_ships_are_read(name, variables, factors):
    graph = read_model(MODELS / f"{name}.bif.gz").graph
    assert (len(graph.variables), len(graph.factors)) == (variables, factors)
    # Rows sum to 1, so with nothing observed there is nothing left of Z.
    if variables < 12:
        assert solve(graph, junction=False).log_z == pytest.approx(0.0, abs=1e-12)


def test_exact_marginals_of_asia_agree_with_pgmpys_own():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pgmpy.inference import VariableElimination
        from pgmpy.readwrite import BIFReader

        model = read_model(MODELS / "asia.bif.gz")
        import gzip

        text = gzip.decompress((MODELS / "asia.bif.gz").read_bytes()).decode()
        other = VariableElimination(BIFReader(string=text).get_model())
        seen = {"xray": "yes", "smoke": "no"}
        graph = model.graph
        clamped = replace(graph, unary=clamp(graph, observe(graph, seen)))
        marginals = solve(clamped, junction=False).marginals
        for number, variable in enumerate(graph.variables):
            if variable.name in seen:
                continue
            found = other.query([variable.name], evidence=seen, show_progress=False)
            order = [found.state_names[variable.name].index(s) for s in variable.states]
            wanted = (found.values / found.values.sum())[order]
            np.testing.assert_allclose(marginals[graph.states_of(number)], wanted, atol=1e-12)


@pytest.mark.parametrize(
    "text",
    ["variable\n" * 50_000, "/*" * 50_000 + "variable", "variable a {" * 20_000,
     "network n {\n}\n" + "type " * 50_000, RAIN + "variable\n" * 50_000, "}" * 100_000,
     RAIN.replace("rain", "r" * 50_000), RAIN + "}\n" * 20_000],
    ids=range(8),
)  # fmt: skip
def test_texts_that_would_make_patterns_search_for_ever_are_read_or_refused_in_time(text):
    started = time.process_time()
    with contextlib.suppress(ModelFileError):
        read(text)
    assert time.process_time() - started < 60.0
