"""Messages at the end, bounds and rates, against what they must add up to."""

import numpy as np
import pytest

import mpnet
from mpnet.errors import MpnetError

FLAT = ("purple_jar", "purple_jar_seen", "bird", "frustrated_loop", "digits", "hierarchy")


@pytest.mark.parametrize("scenario", FLAT)
def test_what_reaches_a_node_adds_up_to_its_belief(scenario):
    record = mpnet.run(scenario, estimator="flat")
    table = record.messages
    assert set(table.targets) <= set(record.beliefs)
    for node in set(table.targets):
        logs = sum(message for _, message in table.reaching(node))
        odds = np.exp(logs - logs.max())
        np.testing.assert_allclose(
            odds / odds.sum(), list(record.beliefs[node].values()), atol=1e-12
        )


def test_an_observed_feature_says_its_bayes_factor():
    record = mpnet.run("purple_jar_seen")
    society = mpnet.load("purple_jar_seen").society
    link = next(k for k in society.links if (k.source, k.target) == ("purple", "colour"))
    said = dict(record.messages.reaching("purple"))
    state = society.domains["colour"].index("purple")
    assert said["colour"][1] - said["colour"][0] == pytest.approx(link.log_ratio[state])
    prior = society.prior_log_odds("purple")
    assert said["prior"][1] - said["prior"][0] == pytest.approx(prior)


def test_messages_settle_no_later_than_the_run():
    record = mpnet.run("hierarchy")
    assert 0 < record.messages.settled.max() <= record.iterations
    assert np.nanmax(record.messages.residual) <= record.tolerance


@pytest.mark.parametrize("scenario", ["purple_jar", "fight", "hierarchy", "purple_jar_seen"])
def test_the_bracket_holds(scenario):
    record = mpnet.run(scenario)
    low, high = record.bracket
    assert low <= record.exact_log_z + 1e-9
    assert record.exact_log_z <= high + 1e-9


@pytest.mark.parametrize(
    ("scenario", "damping"), [("hierarchy", 0.0), ("hierarchy", 0.4), ("fight", 0.4)]
)
def test_the_rate_is_that_of_the_last_residuals(scenario, damping):
    record = mpnet.run(scenario, estimator="flat", damping=damping, experiment=None, expect=[])
    last = record.trace.residual[-9:]
    assert record.rate == pytest.approx((last[-1] / last[0]) ** (1 / 8), rel=0.01)


def test_forests_other_schedules_and_swinging_runs_have_no_rate():
    swinging = mpnet.run("fight", estimator="flat", damping=0.0, experiment=None, expect=[])
    assert (swinging.status, swinging.rate) == ("oscillating", None)
    assert mpnet.run("bird", estimator="flat").rate is None
    assert mpnet.run("hierarchy", estimator="flat", schedule="sequential").rate is None


def test_where_nothing_is_known_nothing_is_said(monkeypatch):
    from mpnet.simulation import measuring, reaching

    def refuse(*_):
        raise MpnetError("no")

    monkeypatch.setattr(measuring, "bracket", refuse)
    monkeypatch.setattr(reaching, "MOST", 2)
    record = mpnet.run("purple_jar", schedule="sequential")
    assert (record.bracket, record.rate, record.messages) == (None, None, None)


def test_a_run_without_messages_has_none():
    assert mpnet.run("contradiction").messages is None
    assert mpnet.run("purple_jar", estimator="exact").messages is None


def test_where_other_starts_converged_nothing_is_said_of_the_one_shown():
    record = mpnet.run("ambiguous", experiment=None, expect=[])
    assert (record.status, record.rate) == ("converged", None)
    assert not record.trace.at_rest(record.tolerance)
    assert record.events[-1].text == "converged, but not from this start"
    for node in set(record.messages.targets):
        logs = sum(message for _, message in record.messages.reaching(node))
        odds = np.exp(logs - logs.max())
        number = record.trace.nodes.index(node)
        first, last = record.trace.offsets[number : number + 2]
        shown = record.trace.beliefs[-1, first:last]
        np.testing.assert_allclose(odds / odds.sum(), shown, atol=1e-12)
