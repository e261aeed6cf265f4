"""The experiment ``laws``: the same rivals under each law of competition."""

import numpy as np
import pytest

import mpnet
from mpnet.simulation.running import run_scenario
from tests.nodes.societies import exact, faults, load

PAIR = """
nodes:
  f: {type: feature, base_rates: {"yes": 0.1}}
  g: {type: feature, base_rates: {"yes": 0.1}}
  a: {type: model, prior: 0.1, predicts: {f: {"yes": 0.9}}}
  b: {type: model, prior: 0.2, predicts: {g: {"yes": 0.8}}}
  other: {type: model, prior: 0.3}
  who: {type: choice, among: [a, b], otherwise: other}
experiment:
  type: laws
  choice: who
  strength: 2
  contexts: {both: {f: "yes", g: "yes"}, neither: {f: "no", g: "no"}}
"""


def by_hand(law, seen):
    """Beliefs of a, b and the default by the formulas; rivals share no target."""
    one = 0.1 / 0.9 * (0.9 / 0.1 if seen else 0.1 / 0.9)
    two = 0.2 / 0.8 * (0.8 / 0.1 if seen else 0.2 / 0.9)
    together = {
        "exactly_one": 0.0,
        "at_most_one": 0.0,
        "independent": 1.0,
        "threshold": np.exp(-4.0),
        "winner_takes_all": np.exp(-2.0),
    }[law]
    single = np.exp(-2.0) if law == "threshold" else 1.0
    weights = np.array([0.3 / 0.7, one * single, two * single, one * two * together])
    weights /= weights.sum()
    return {"a": weights[1] + weights[3], "b": weights[2] + weights[3], "other": weights[0]}


def test_beliefs_are_those_of_the_formulas():
    found = run_scenario(load(PAIR)).findings
    assert found.labels["laws"] == (
        "exactly_one",
        "at_most_one",
        "independent",
        "threshold",
        "winner_takes_all",
    )
    for law in found.labels["laws"]:
        for context, seen in (("both", True), ("neither", False)):
            for rival, wanted in by_hand(law, seen).items():
                # Clamped answers; what is left is a graph without loops or one small factor.
                assert found.numbers[f"{rival} in {context} under {law}"] == pytest.approx(
                    wanted, abs=1e-6
                )
    assert found.numbers["worst error"] < 1e-6


def test_the_society_under_a_law_is_the_one_that_writes_it():
    scenario = load(PAIR)
    written = load(
        PAIR.replace("otherwise: other", "otherwise: other, rule: threshold, strength: 2")
    )
    other = scenario.experiment.under(scenario.society, "threshold")
    seen = scenario.society.observe({"f": "yes"})
    graphs = [society.assemble(seen) for society in (other, written.society)]
    assert [f.scope for f in graphs[0].factors] == [f.scope for f in graphs[1].factors]
    np.testing.assert_array_equal(graphs[0].unary, graphs[1].unary)
    assert exact(written, f="yes")[1]["a"][1] > 0.0


def test_softer_laws_let_two_win_and_the_default_wins_when_nothing_fits():
    numbers = mpnet.run("competition").findings.numbers
    pair = [numbers[f"{n} in a cat and a dog under independent"] for n in ("cat", "dog")]
    assert min(pair) > 0.9
    assert sum(numbers[f"{n} in a cat and a dog under at_most_one"] for n in ("cat", "dog")) < 1.0
    for law in ("at_most_one", "winner_takes_all", "independent", "threshold"):
        assert numbers[f"stranger in nothing fits under {law}"] > 0.95
        assert numbers[f"stranger in a cat under {law}"] < 0.1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("choice: who", "choice: whom"), "experiment.choice: there is no choice 'whom'"),
        (("strength: 2", "laws: [at_most]"), "experiment.laws[0]: unknown law 'at_most'"),
        (('{f: "no"', "{f: maybe"), "experiment.contexts.neither.f: unknown state 'maybe'"),
        (('{f: "no"', "{who: a"), "experiment.contexts.neither: 'who' is observed"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change, told):
    (found,) = faults(PAIR.replace(*change))
    assert found.startswith(told)
