"""Who wakes, who goes, who fights and who composes, each with the reason that it gives."""

import numpy as np
import pytest

from mpnet.lifecycle.changes import Lifecycle, Thresholds, contradictions
from mpnet.lifecycle.composing import compose
from mpnet.lifecycle.scoring import gain_of
from tests.graphs import examples
from tests.lifecycle.societies import (
    answers,
    log_odds,
    populated,
    random_text,
    scenario,
    settle,
    whole,
)


class Life:
    """A lifecycle that keeps what it was told."""

    def __init__(self, text, asleep, thresholds=None, most=3000):
        self.population = populated(text, asleep)
        self.told = []

        def pass_messages():
            return self.population.graph.settle(1e-11, most)

        self.cycle = Lifecycle(
            self.population,
            thresholds or Thresholds(),
            set(asleep),
            pass_messages,
            pass_messages,
            self.told.append,
        )
        pass_messages()

    def kinds(self):
        return [(change.kind, change.node) for change in self.told]

    def see(self, **logs):
        for name, values in logs.items():
            self.population.see(name, None if values is None else np.array(values))
        settle(self.population)


CAT = """
nodes:
  ears: {type: feature, base_rates: {"yes": 0.1}}
  fur: {type: feature, base_rates: {"yes": 0.2}}
  cat: {type: model, prior: 0.1, predicts: {ears: {"yes": 0.9}, fur: {"yes": 0.9}}}
  pot: {type: model, prior: 0.1, predicts: {fur: {"no": 0.99}}}
evidence: {ears: "yes"}
"""


def test_a_model_wakes_with_what_it_has_when_held():
    life = Life(CAT, ["cat", "pot"])
    before = life.population.graph.log_z()
    life.cycle.announce()
    life.cycle.run()
    assert life.kinds()[:2] == [("feed_forward", "cat"), ("awaken", "cat")]
    exact = log_odds(whole(scenario(CAT), inactive=["pot"]), "cat")
    assert life.told[1].effect == pytest.approx(gain_of(exact), abs=1e-9)
    assert life.population.graph.log_z() - before == pytest.approx(life.told[1].effect, abs=1e-9)
    assert life.cycle.ever >= {"cat"}


LOOP = """
nodes:
  x: {type: feature}
  y: {type: feature}
  a: {type: model, prior: 0.5, predicts: {x: {"yes": 0.999}, y: {"yes": 0.999}}}
  b: {type: model, prior: 0.5, predicts: {x: {"no": 0.999}, y: {"no": 0.999}}}
  both: {type: model, prior: 0.2, predicts: {a: {will: 0.999}, b: {will: 0.999}}}
evidence: {a: {active: 1.0, inactive: 0.1}, b: {active: 1.0, inactive: 0.1}}
"""


def test_who_promises_more_than_it_has_sleeps_on_and_leaves_no_trace():
    life = Life(LOOP, ["both"], Thresholds(wake_above=0.1, sleep_below=0.0))
    beliefs = {name: life.population.belief(name) for name in life.population.present}
    scored = log_odds(whole(scenario(LOOP)), "both")
    life.cycle.scores.refresh()
    assert gain_of(life.cycle.scores.log_odds["both"]) > 0.1
    assert gain_of(scored) < 0.1
    life.cycle.run()
    assert life.kinds() == [("refuse", "both")]
    assert "did not hold" in life.told[0].text
    for name, belief in beliefs.items():
        np.testing.assert_allclose(life.population.belief(name), belief, atol=1e-8)
    life.cycle.run()
    assert len(life.told) == 1  # nothing new, no second trial


@pytest.mark.parametrize("seed", range(examples(8)))
def test_runs_end_and_a_second_run_changes_nothing(seed):
    life = Life(random_text(seed), [f"m{i}" for i in range(5)])
    life.cycle.run()
    first = list(life.kinds())
    awake = set(life.population.models())
    life.cycle.run()
    assert life.kinds() == first
    assert set(life.population.models()) == awake
    woken = [node for kind, node in first if kind == "awaken"]
    assert len(set(woken)) == len(woken)


def test_nobody_flickers_between_the_thresholds():
    alone = "\n".join(line for line in CAT.splitlines() if "pot" not in line)
    life = Life(alone, ["cat"], Thresholds(wake_above=0.5, sleep_below=0.05))
    life.cycle.run()
    assert life.kinds() == [("awaken", "cat")]
    life.see(ears=None, fur=[0.0, 0.0])  # its gain falls to log 1/0.9 = 0.105: in between
    life.cycle.run()
    assert life.population.is_awake("cat")
    life.see(ears=[0.0, -np.inf])
    life.cycle.run()
    assert life.kinds()[1:] == [("retire", "cat")]
    life.see(ears=None)
    life.cycle.run()
    assert not life.population.is_awake("cat")


def test_retiring_costs_what_it_says():
    life = Life(CAT, ["cat"])
    life.population.wake("cat")
    life.see(ears=[0.0, -np.inf])
    before = life.population.graph.log_z()
    life.cycle.run()
    assert life.kinds() == [("retire", "cat")]
    assert life.told[0].effect == pytest.approx(life.population.graph.log_z() - before, abs=1e-9)
    assert -0.02 < life.told[0].effect < 0.0


@pytest.mark.parametrize("told", ["see", "do"])
def test_whoever_is_observed_or_set_does_not_go(told):
    life = Life(CAT, ["cat"])
    life.population.wake("cat")
    if told == "see":
        life.see(cat=[0.0, -20.0])
    else:
        life.population.do("cat", 0)
        settle(life.population)
    life.cycle.run()
    assert life.population.is_awake("cat")
    assert life.told == []


def test_a_contradiction_is_a_fight_once_and_the_stronger_leads():
    life = Life(CAT, ["cat", "pot"], Thresholds(wake_above=0.01, sleep_below=0.001))
    life.cycle.run()
    fights = [change for change in life.told if change.kind == "fight"]
    found = contradictions(life.population, "cat")
    assert found == [("pot", pytest.approx(np.log(0.9 * 0.01 / 0.2 + 0.1 * 0.99 / 0.8)), ["fur"])]
    assert [change.node for change in fights] == ["cat"]
    assert fights[0].effect == pytest.approx(found[0][1])
    assert "cat leads" in fights[0].text


def test_agreement_is_no_fight():
    text = CAT.replace('fur: {"no": 0.99}', 'fur: {"yes": 0.8}')
    life = Life(text, ["cat", "pot"], Thresholds(wake_above=0.05, sleep_below=0.001))
    life.see(fur=[-1.0, 0.0])
    life.cycle.run()
    assert "fight" not in [kind for kind, _ in life.kinds()]


def test_messages_that_do_not_settle_change_nobody():
    life = Life(LOOP, ["a", "b"], most=0)
    life.cycle.run()
    assert [kind for kind, _ in life.kinds()] in ([], ["refuse"])
    assert not life.population.is_awake("a")


JAR = """
nodes:
  colour: {type: feature, states: [red, purple]}
  shape: {type: feature, states: [jar, cup]}
  purple: {type: model, prior: 0.01, predicts: {colour: {purple: 0.95}}}
  jar: {type: model, prior: 0.01, predicts: {shape: {jar: 0.95}}}
evidence: {colour: purple, shape: jar}
"""


def active(life):
    """Both models are as good as seen."""
    life.see(purple=[-9.0, 0.0], jar=[-9.0, 0.0])


def test_two_who_are_active_together_compose_and_it_pays():
    life = Life(JAR, [])
    active(life)
    compose(life.cycle, 1.0)
    assert life.kinds() == [("compose", "jar+purple")]
    assert life.population.is_awake("jar+purple")
    graph = life.population.as_graph()
    exact = log_odds(graph, "jar+purple")
    assert life.told[0].effect == pytest.approx(gain_of(exact), abs=1e-6)
    compose(life.cycle, 1.0)
    assert len(life.told) == 1


def test_a_composite_that_does_not_pay_for_its_description_is_forgotten():
    # Twelve models make 66 pairs: naming one of them costs 4.2 nats, and likely parts are no news.
    many = "".join(f"  idle{i}: {{type: model}}\n" for i in range(10)) + "evidence"
    likely = JAR.replace("0.01", "0.5").replace("evidence", many)
    for text, above in ((likely, 1.0), (JAR, 20.0)):
        life = Life(text, [])
        active(life)
        before = answers(life.population.as_graph())
        compose(life.cycle, above)
        assert life.told == []
        assert "jar+purple" not in life.population.society.nodes
        after = answers(life.population.as_graph())
        assert after[0] == pytest.approx(before[0], abs=1e-9)


def test_parts_that_contradict_each_other_do_not_compose_whatever_it_would_gain():
    text = JAR.replace("predicts: {shape: {jar: 0.95}}", "predicts: {colour: {red: 0.99}}")
    life = Life(text, [])
    active(life)
    compose(life.cycle, 0.1)
    assert life.kinds() == [("refuse", "jar+purple")]
    assert "contradict" in life.told[0].text
    compose(life.cycle, 0.1)
    assert len(life.told) == 1
    assert "jar+purple" not in life.population.society.nodes
