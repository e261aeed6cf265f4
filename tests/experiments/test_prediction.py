"""The experiment ``prediction``: next inputs, phases then and afterwards, against a slow twin."""

from importlib.resources import files

import numpy as np
import pytest

import mpnet
from mpnet.errors import ScenarioError
from mpnet.simulation.answering import options_of
from mpnet.simulation.filtering import by_estimator, exactly, filter_stream
from tests.nodes.societies import faults, load
from tests.sequences import Joint


def text_of(name):
    return files("mpnet.scenarios").joinpath(f"{name}.yaml").read_text("utf-8")


def inputs(stream):
    """Streams as one mapping per step, of what was observed."""
    steps = len(next(iter(stream.values())))
    return [{n: v[t] for n, v in stream.items() if v[t] is not None} for t in range(steps)]


@pytest.mark.parametrize("name", ["multi_step", "compose_time"])
def test_filtered_and_smoothed_are_what_forward_and_backward_passes_say(name):
    twin, scenario = Joint(text_of(name)), mpnet.load(name)
    stream = inputs(scenario.spec.stream)
    found = mpnet.run(scenario).findings
    rows = [(n, s) for n in twin.names for s in twin.sequences[n].states[1:]]
    assert found.labels["rows"] == tuple(f"{n} {s}" for n, s in rows)
    whole = twin.joints(stream)
    for step in range(1, len(stream) + 1):
        (*_, now) = twin.joints(stream[:step])
        for kind, joint in (("filtered 0", now), ("smoothed 0", whole[step - 1])):
            expected = np.concatenate([twin.phases(joint, n)[1:] for n in twin.names])
            # The twin's base rates come from a power of its table, good to 1e-9.
            np.testing.assert_allclose(found.curves[kind][:, step - 1], expected, atol=1e-8)


@pytest.mark.parametrize("name", ["multi_step", "clones", "compose_time"])
def test_next_inputs_are_predicted_as_the_twin_does(name):
    twin, scenario = Joint(text_of(name)), mpnet.load(name)
    if name == "clones":  # four sequences at once have a thousand joint states
        twin.sequences = {n: c for n, c in twin.sequences.items() if n == "first_order"}
        twin.names = ["first_order"]
        twin.every = [(s,) for s in twin.sequences["first_order"].states]
    suffix = " in first order" if name == "clones" else ""
    found = mpnet.run(scenario).findings.numbers
    stream = inputs(scenario.spec.stream)
    for step, seen in enumerate(stream):
        for feature, state in seen.items():
            p = twin.predicted(stream[:step], feature)
            place = list(twin.features[feature]).index(state)
            said = found[f"{feature}@{step + 1}{suffix}"]
            assert said == pytest.approx(p[place], abs=1e-8)


def test_losses_are_those_of_the_probabilities():
    found = mpnet.run("multi_step")
    numbers, curves = found.findings.numbers, found.findings.curves
    said = [p for n, p in numbers.items() if "@" in n and " in " not in n]
    assert numbers["loss"] == pytest.approx(-np.mean(np.log(said)), abs=1e-12)
    assert curves["loss 0"].sum() == pytest.approx(-np.log(said).sum(), abs=1e-12)
    # Six poses and three heights, one of which was not seen.
    expected = (9 * np.log(6) + 8 * np.log(3)) / 17
    assert numbers["base loss"] == pytest.approx(expected, abs=1e-12)


ONE = """
nodes:
  f: {type: feature, states: [x, y, z]}
  s:
    type: sequence
    start: 0.3
    phases: [{predicts: {f: {x: 0.8}}}, {predicts: {f: {y: 0.8}}}]
"""


def test_losses_of_one_sequence_and_feature_add_up_to_log_z():
    text = ONE + "stream: {f: [x, null, y, z]}\nexperiment: {type: prediction}\n"
    record = mpnet.run(load(text + "inference: {estimator: flat}"))
    # By the chain rule; what was not seen costs nothing.
    assert record.log_z == pytest.approx(-np.nansum(record.findings.curves["loss 0"]), abs=1e-9)


def test_the_past_is_predicted_without_the_future():
    few = load(ONE + "stream: {f: [x, y]}")
    many = load(ONE + "stream: {f: [x, y, z, x]}")
    short, long = (filter_stream(s.society, s.seen, exactly) for s in (few, many))
    for step in (0, 1):
        np.testing.assert_allclose(short.predicted[step]["f"], long.predicted[step]["f"])
        np.testing.assert_allclose(short.filtered[step]["s"], long.filtered[step]["s"])


def test_messages_go_on_from_the_step_before():
    stream = ", ".join(["x", "y", "z"] * 6)
    scenario = load(ONE + f"stream: {{f: [{stream}]}}\ninference: {{estimator: flat}}")
    believe = by_estimator("flat", options_of(scenario))
    cold = filter_stream(scenario.society, scenario.seen, lambda graph, _: believe(graph, {}))
    warm = filter_stream(scenario.society, scenario.seen, believe)
    assert sum(warm.sweeps) < sum(cold.sweeps)
    for one, other in zip(warm.smoothed, cold.smoothed, strict=True):
        np.testing.assert_allclose(one["s"], other["s"], atol=1e-8)


@pytest.mark.parametrize("estimator", ["flat", "region"])
def test_a_stream_that_the_model_rules_out_is_left_where_that_shows(estimator):
    hard = ONE.replace("0.8", "1.0").replace(
        "start: 0.3", "start: 1.0\n    dwell: 0.0\n    abort: 0.0"
    )
    text = f"""{hard}
stream: {{f: [x, y, z, x]}}
inference: {{estimator: {estimator}}}
experiment: {{type: prediction, variants: {{wrong: {{stream: {{f: [x, y, z, z, x]}}}}}}}}
"""
    found = mpnet.run(load(text)).findings
    assert found.numbers["f@4"] == pytest.approx(1.0)
    assert found.numbers["f@4 in wrong"] == 0.0
    assert found.numbers["loss in wrong"] == np.inf
    assert np.isnan(found.numbers["f@5 in wrong"])
    assert found.numbers["s completed in wrong"] == 0.0
    assert found.numbers["worst difference"] < 1e-9
    assert found.notes[1] == "wrong: the model rules out what came at step 4"
    assert np.isnan(found.curves["smoothed 1"]).all()


def test_soft_evidence_counts_by_its_likelihood():
    text = ONE + "stream: {f: [{x: 0.5, y: 0.5, z: 0.0}]}\nexperiment: {type: prediction}\n"
    found = mpnet.run(load(text)).findings
    p = filter_stream(load(text).society, {}, exactly).predicted[0]["f"]
    assert found.numbers["f@1"] == pytest.approx(p[0] + p[1], abs=1e-9)


def test_a_variant_may_leave_nodes_out_and_keeps_lasting_evidence():
    text = (
        ONE
        + """
  m: {type: model, prior: 0.2, predicts: {f: {z: 0.9}}}
evidence: {m: active}
stream: {f: [z, z]}
experiment: {type: prediction, variants: {alone: {without: [s]}, other: {stream: {f: [x]}}}}
"""
    )
    found = mpnet.run(load(text)).findings.numbers
    assert found["f@1 in alone"] == pytest.approx(0.9, abs=1e-9)
    assert found["f@1 in other"] < 0.2
    assert "s completed in alone" not in found


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (
            "experiment: {type: prediction, variants: {v: {without: [t]}}}",
            "experiment.variants.v.without[0]: there is no node 't'; nodes: f, s",
        ),
        (
            "experiment: {type: prediction, variants: {v: {stream: {f: [x, w]}}}}",
            "experiment.variants.v.stream.f[1]: step 2: unknown state 'w'; states: x, y, z",
        ),
        (
            "experiment: {type: prediction, variants: {v: {strem: {f: [x, w]}}}}",
            "experiment.variants.v.strem: unknown key 'strem'; did you mean 'stream'? (keys: "
            "stream, without)",
        ),
    ],
)
def test_bad_variants_are_refused_with_their_place(rest, said):
    assert faults(ONE + "stream: {f: [x]}\n" + rest) == [said]


def test_without_a_stream_there_is_nothing_to_predict():
    with pytest.raises(ScenarioError, match="there is no stream to predict"):
        mpnet.load("purple_jar", experiment={"type": "prediction"})


def test_flat_propagation_settles_and_is_wrong_where_sequences_are_composed():
    keys = {**mpnet.load("compose_time").spec.experiment, "exact": True}
    found = mpnet.run("compose_time", experiment=keys, estimator="flat", expect=[]).findings.numbers
    assert found["unsettled"] == 0
    # A loop from the composite over its part to the part's next step is counted twice.
    assert found["worst difference"] > 0.1
