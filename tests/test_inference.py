"""``mpnet.infer``: known answers through files, a status for every run, and evidence by name."""

import json
import math

import numpy as np
import pytest

import mpnet
from mpnet.builder import GraphBuilder
from mpnet.errors import GraphError, TooLargeError, UsageError
from mpnet.estimators.base import Estimate
from mpnet.graph import FactorGraph
from mpnet.inference import infer
from mpnet.interchange import read_model


def frustrated(strength):
    """Four variables that all want to differ, with a field: undamped messages swing for ever."""
    pairs = [[i, j] for i in range(4) for j in range(i)]
    table = np.exp(strength * np.array([[-1.0, 1.0], [1.0, -1.0]]))
    return FactorGraph.from_arrays([2] * 4, [(pairs, table)], np.tile(np.exp([-0.1, 0.1]), 4))


def test_sprinkler_has_its_known_answers_exact_and_by_propagation():
    exact = mpnet.infer("sprinkler", {"x3": 1}, estimator="exact")
    assert math.exp(exact.log_z) == pytest.approx(0.6471, abs=1e-12)
    assert exact.marginals["x1"]["1"] == pytest.approx(0.429763560501, abs=1e-12)
    assert exact.marginals["x2"]["1"] == pytest.approx(0.70792767733, abs=1e-11)
    assert exact.marginals["x0"]["1"] == pytest.approx(0.575799721836, abs=1e-12)
    assert exact.exact
    # Loopy: the tolerance of the run, 1e-8, bounds what can be asked of it.
    loopy = infer("sprinkler", {"x3": 1}, tolerance=1e-12)
    assert math.exp(loopy.log_z) == pytest.approx(0.560371879268, abs=1e-9)
    assert loopy.marginals["x1"]["1"] == pytest.approx(0.4040418053, abs=1e-9)
    assert loopy.marginals["x2"]["1"] == pytest.approx(0.784074259557, abs=1e-9)
    assert loopy.marginals["x0"]["1"] == pytest.approx(0.603558843785, abs=1e-9)
    assert not loopy.exact


def test_burglary_has_its_known_answer_by_name():
    result = infer("burglary", {"JohnCalls": "yes", "MaryCalls": "yes"})
    assert result.marginals["Burglary"]["yes"] == pytest.approx(0.284171835364, abs=1e-12)
    assert math.exp(result.log_z) == pytest.approx(0.002084100239, abs=1e-12)
    assert result.log10_z == pytest.approx(math.log10(0.002084100239), abs=1e-9)
    assert result.exact
    assert result.named(result.evidence) == {"JohnCalls": "yes", "MaryCalls": "yes"}


def test_clamping_asks_every_variable_and_mends_what_one_loop_does():
    clamped = infer("sprinkler", {"x3": 1}, estimator="clamped")
    exact = infer("sprinkler", {"x3": 1}, estimator="exact")
    # One clamped variable cuts the only loop, so that each branch is a tree.
    loop = clamped.graph.states_of(0)
    np.testing.assert_allclose(clamped.beliefs[loop], exact.beliefs[loop], atol=1e-7)
    with pytest.raises(TooLargeError, match="once for each state of 2001 variables"):
        infer(FactorGraph.from_arrays([2] * 2001, []), estimator="clamped")


def test_evidence_may_be_a_file(tmp_path):
    (tmp_path / "e").write_text("1\n1 3 1\n")
    found = infer("sprinkler", tmp_path / "e", evidence_format="2010")
    assert dict(found.evidence) == {3: 1}


def test_a_graph_needs_no_file():
    result = infer(frustrated(0.2), task="PR", estimator="exact")
    assert result.converged
    assert result.model.name == "graph"


def test_damping_is_computed_where_undamped_messages_swing():
    # Not symmetric: else the mode that swings longest is never stirred.
    pairs = [[i, j] for i in range(4) for j in range(i)]
    couplings = np.linspace(1.7, 2.3, 6)
    tables = np.exp(couplings[:, None, None] * np.array([[-1.0, 1.0], [1.0, -1.0]]))
    graph = FactorGraph.from_arrays([2] * 4, [(pairs, tables)], np.exp(np.linspace(-0.1, 0.1, 8)))
    assert infer(graph, damping=0.0).status == "oscillating"
    found = infer(graph)
    assert found.converged
    assert found.notes[0].startswith("damping tried before: 0 (oscillating)")
    least = float(found.notes[-1].rsplit(" ", 1)[1])
    assert least < found.damping < least + 0.15
    assert infer(graph, damping=least + 0.02, max_iterations=5000).converged
    assert not infer(graph, damping=least - 0.02, max_iterations=5000).converged


def test_a_run_that_does_not_converge_says_so_and_withholds_log_z():
    result = infer(frustrated(2.0), damping=0.0, max_iterations=20)
    assert not result.converged
    assert result.reason.startswith("not converged after 20 iterations")
    assert result.log_z is None
    assert result.log10_z is None
    assert not result.exact


def test_contradictory_evidence_is_a_status_that_names_it():
    builder = GraphBuilder()
    builder.add_variable("fire", ["no", "yes"])
    builder.add_variable("wood", ["dry", "wet"])
    builder.add_factor(["fire", "wood"], [[1.0, 1.0], [1.0, 0.0]])
    for estimator in ("flat", "exact"):
        result = infer(builder.build(), {"fire": "yes", "wood": "wet"}, estimator=estimator)
        assert result.status == "inconsistent"
        assert result.reason == (
            "impossible evidence: fire = yes and wood = wet together contradict the model: "
            "factor 0 (fire, wood) allows nothing then"
        )
        assert np.isnan(result.beliefs).all()
        assert json.loads(json.dumps(result.to_json(), allow_nan=False))["marginals"] is None


@pytest.mark.parametrize("estimator", ["flat", "mixture"])
def test_messages_that_overflow_are_not_called_a_contradiction(estimator, monkeypatch):
    def overflown(self, problem, options, observe):
        beliefs = np.zeros(problem.graph.unary.size)
        return Estimate(
            "inconsistent", "no state of 'x0' is possible", 741, np.inf, None, beliefs, None
        )

    place = {"flat": "flat.Flat", "mixture": "mixture.Mixture"}[estimator]
    monkeypatch.setattr(f"mpnet.estimators.{place}.estimate", overflown)
    result = infer("sprinkler", estimator=estimator)
    assert result.status == "diverged"
    assert result.reason.startswith("not converged: messages grew beyond the range of numbers")
    assert result.to_json()["marginals"] is None


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"task": "MARS"}, "there is no task 'MARS'; did you mean 'MAR'?"),
        ({"estimator": "flt"}, "there is no estimator 'flt'; did you mean 'flat'?"),
        ({"schedule": "floding"}, "there is no schedule 'floding'; did you mean 'flooding'?"),
        ({"tolerence": 1e-3}, "there is no setting 'tolerence'; did you mean 'tolerance'?"),
        ({"tolerance": 0}, "tolerance must be positive and finite, got 0"),
        ({"tolerance": "small"}, "a setting is no number"),
        ({"damping": 1.0}, r"damping must be in \[0, 1\) or auto, got 1.0"),
        ({"damping": "much"}, r"damping must be 'auto' or in \[0, 1\), got 'much'"),
        ({"max_iterations": 0}, "max_iterations must be at least 1, got 0"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(settings, wanted):
    with pytest.raises(UsageError, match=wanted):
        infer("no such file", **settings)


def test_unknown_evidence_is_refused_with_the_known_names():
    with pytest.raises(GraphError, match="there is no variable 'x9'; variables: x0, x1, x2"):
        infer("sprinkler", {"x9": 1})


def test_an_exact_answer_that_would_be_too_large_is_refused():
    n = 24
    numbers = np.arange(n * n).reshape(n, n)
    pairs = np.concatenate(
        [np.stack([numbers[:, :-1], numbers[:, 1:]], -1).reshape(-1, 2),
         np.stack([numbers[:-1], numbers[1:]], -1).reshape(-1, 2)]
    )  # fmt: skip
    graph = FactorGraph.from_arrays([2] * n * n, [(pairs, [[2.0, 1.0], [1.0, 2.0]])])
    with pytest.raises(TooLargeError, match="an exact answer would need"):
        infer(graph, estimator="exact")


def test_running_out_of_memory_is_said_in_words(monkeypatch):
    def greedy(self, problem, options, observe):
        raise MemoryError

    monkeypatch.setattr("mpnet.estimators.exact.Exact.estimate", greedy)
    with pytest.raises(TooLargeError, match="the estimator exact ran out of memory"):
        infer("sprinkler", estimator="exact")


def test_the_document_is_strict_json_with_names():
    document = json.loads(json.dumps(infer("sprinkler", {"x3": 1}).to_json(), allow_nan=False))
    assert document["status"] == "converged"
    assert document["evidence"] == {"x3": "1"}
    assert document["marginals"]["x3"] == {"0": 0.0, "1": 1.0}
    assert {"model", "task", "algorithm", "schedule", "iterations", "residual", "log_z",
            "log10_z", "seconds", "messages_per_second", "reason"} <= set(document)  # fmt: skip


def test_the_same_question_has_the_same_answer_to_the_bit():
    model = read_model("sprinkler")
    first, second = infer(model, {"x3": 1}), infer(model, {"x3": 1})
    assert first.beliefs.tobytes() == second.beliefs.tobytes()
    assert first.log_z == second.log_z
