"""Kernels of a plugin on first use: what is wrong with them is told with family, file and line."""

import pytest

from mpnet.errors import NumericalError, PluginError
from mpnet.inference import infer
from mpnet.messages import Messages
from tests.families.plugs import imported, ring
from tests.graphs import JITTED

SEND = r"factor family 'plug': send \(plug\.py:\d+\)"
LOST = "fresh[2 * side + state] = plus(semiring, agree, to_factor[other + 1 - state])"


def used(tmp_path, monkeypatch, exchange, **how):
    plug = imported(tmp_path, monkeypatch, exchange=exchange)
    graph, _ = ring(plug)
    return Messages(graph, **how)


@pytest.mark.parametrize(
    ("exchange", "told"),
    [
        (
            {"out, damping, edge_residual)\n": "out, damping, edge_residual)\n        out[base] = np.nan\n"},
            rf"{SEND} answered, in LinearSum, with a message of nan to variable 0 of the scope, "
            "state 0; it must be from 0 to 1",
        ),
        (
            {"out, damping, edge_residual)\n": "out, damping, edge_residual)\n        out[base + 3] = np.inf\n"},
            rf"{SEND} answered.* a message of inf to variable 1 of the scope, state 1",
        ),
        (
            {"    return worst, status": "    out[:] = 0.5\n    return worst, status"},
            rf"{SEND} answered.*messages of other factors than those it was asked for",
        ),
        ({"return worst, status": "return worst"}, rf"{SEND} answered.*must be a residual \(nats\)"),
        ({"return worst, status": "return worst, 77"}, rf"{SEND} answered.*with status 77; for factor"),
        ({"return worst, status": "return np.nan, status"}, rf"{SEND} answered.*a residual of nan"),
        (
            {"        result += to_log(semiring, total)\n": "        result = np.nan\n"},
            r"log_partition \(plug\.py:\d+\) answered.*with nan; it must be a number of nats, or -inf",
        ),
    ],
)  # fmt: skip
def test_answers_that_make_no_sense_are_told(tmp_path, monkeypatch, exchange, told):
    with pytest.raises(PluginError, match=told) as caught:
        used(tmp_path, monkeypatch, exchange)
    assert caught.value.exit_code == 6


def test_a_kernel_that_fails_is_told(tmp_path, monkeypatch):
    exchange = {
        "weight = family.weights[factor - family.first]\n        for side": "weight = family.heights[0]\n        for side"
    }
    with pytest.raises(PluginError, match=rf"{SEND} failed \(\w+Error: .*heights") as caught:
        used(tmp_path, monkeypatch, exchange)
    assert len(str(caught.value)) < 2000


def test_kernels_are_tried_in_each_space(tmp_path, monkeypatch):
    # Right for numbers, wrong for logs.
    exchange = {LOST: f"{LOST}\n        if semiring.one == 0.0:\n            fresh[0] = np.nan"}
    used(tmp_path, monkeypatch, exchange, space="linear")
    graph, _ = ring(imported(tmp_path, monkeypatch, exchange=exchange))
    with pytest.raises(PluginError, match=rf"{SEND} answered, in LogSum, with a message of nan"):
        Messages(graph, space="log")


def test_a_number_that_is_none_later_on_names_the_family(tmp_path, monkeypatch):
    # Fine while variables say nothing.
    exchange = {
        LOST: f"{LOST}\n            if to_factor[other] != to_factor[other + 1]:\n                fresh[0] = np.nan"
    }
    graph, _ = ring(imported(tmp_path, monkeypatch, exchange=exchange))
    with pytest.raises(
        NumericalError, match=r"factor 'f\(v0, v1\)' \(family 'plug' of plug\.py\) became NaN in"
    ):
        infer(graph)


@pytest.mark.skipif(not JITTED, reason="kernels are plain functions here")
def test_fine_kernels_are_tried_once(tmp_path, monkeypatch):
    plug = imported(tmp_path, monkeypatch)
    graph, tables = ring(plug)
    assert infer(graph).log_z == pytest.approx(infer(tables).log_z, abs=1e-9)
    asked = []
    monkeypatch.setattr("mpnet.families.trying._Trial.run", lambda *_: asked.append(1))
    Messages(graph)
    assert not asked
