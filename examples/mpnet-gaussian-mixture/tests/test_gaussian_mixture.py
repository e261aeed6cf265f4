"""Densities and fits beside scipy.stats, and the sensor in a society."""

from pathlib import Path

import numpy as np
import pytest
from mpnet_gaussian_mixture import GaussianMixture, Mixture, fit
from scipy.stats import multivariate_normal, norm

import mpnet
from mpnet.errors import ScenarioError
from mpnet.testing import NodeContract

HERE = Path(__file__).parents[1]
IRIS = HERE / "scenarios" / "iris.yaml"
CLASSES = {
    "cold": {"mean": -5.0, "covariance": 4.0},
    "mild": [
        {"mean": 12.0, "covariance": 9.0, "weight": 2.0},
        {"mean": 20.0, "covariance": 1.5},
    ],
}


class TestSensor(NodeContract):
    node = GaussianMixture
    keys = {"classes": CLASSES, "base_rates": {"cold": 0.3}}
    evidence = {"it": 3.2}
    states = ("cold", "mild")
    demo = IRIS


class TestSensorThatLearns(NodeContract):
    node = GaussianMixture
    keys = {
        "samples": {"a": [[0, 0], [1, 0.5], [0.2, 1]], "b": [[5, 5], [6, 5.5], [5.2, 7]]},
    }
    around = {
        "tall": {"type": "feature"},
        "who": {"type": "model", "prior": 0.3, "predicts": {"it": {"b": 0.9}, "tall": "yes"}},
    }
    evidence = {"it": [2.5, 2.0], "tall": "yes"}
    states = ("a", "b")


def observed(node, value):
    return node.observe(value).log_likelihood


@pytest.mark.parametrize("reading", [-7.3, 0.0, 12.5, 55.0])
def test_readings_of_one_dimension_are_as_likely_as_scipy_says(reading):
    found = observed(GaussianMixture(classes=CLASSES), reading)
    cold = norm(-5.0, 2.0).logpdf(reading)
    mild = np.logaddexp(
        np.log(2 / 3) + norm(12.0, 3.0).logpdf(reading),
        np.log(1 / 3) + norm(20.0, np.sqrt(1.5)).logpdf(reading),
    )
    np.testing.assert_allclose(found, [cold, mild], rtol=1e-12)


@pytest.mark.parametrize("covariance", [2.0, [1.0, 3.0, 0.5], "matrix"])
def test_readings_of_three_dimensions_are_as_likely_as_scipy_says(covariance):
    root = np.random.default_rng(1).normal(size=(3, 3))
    matrix = root @ root.T + np.eye(3)
    matrix = (matrix + matrix.T) / 2
    written = matrix.tolist() if covariance == "matrix" else covariance
    whole = matrix if covariance == "matrix" else np.diag(np.broadcast_to(covariance, 3))
    node = GaussianMixture(classes={"it": {"mean": [1.0, -2.0, 0.5], "covariance": written}})
    reading = [0.3, 4.0, -1.0]
    expected = multivariate_normal([1.0, -2.0, 0.5], whole).logpdf(reading)
    assert observed(node, reading)[0] == pytest.approx(expected, rel=1e-12)


def test_one_component_is_fitted_in_closed_form():
    samples = np.random.default_rng(0).normal(size=(30, 2)) @ [[2.0, 0.3], [0.0, 1.0]]
    found = fit(samples, 1)
    np.testing.assert_allclose(found.means[0], samples.mean(axis=0), rtol=0, atol=1e-12)
    # Besides the floor, a millionth of the variances.
    np.testing.assert_allclose(
        found.covariances[0], np.cov(samples.T, bias=True), rtol=1e-5, atol=1e-5
    )


def test_planted_components_are_found():
    rng = np.random.default_rng(2)
    samples = np.concatenate([rng.normal(-4.0, 1.0, (300, 1)), rng.normal(3.0, 0.5, (100, 1))])
    found = fit(samples, 2)
    order = np.argsort(found.means[:, 0])
    # Standard errors: 1 / sqrt(300) = 0.06, 0.5 / sqrt(100) = 0.05, weights 0.02.
    np.testing.assert_allclose(found.means[order, 0], [-4.0, 3.0], rtol=0, atol=0.2)
    np.testing.assert_allclose(found.weights[order], [0.75, 0.25], rtol=0, atol=0.06)


def test_every_round_of_em_fits_better():
    samples = np.random.default_rng(3).gamma(2.0, size=(80, 2))
    likelihoods = [
        fit(samples, 3, rounds=rounds, tolerance=-np.inf).log_density(samples).mean()
        for rounds in range(1, 15)
    ]
    assert (np.diff(likelihoods) > -1e-6).all()
    assert likelihoods[-1] > likelihoods[0] + 0.01


def test_the_same_samples_give_the_same_fit():
    samples = np.random.default_rng(4).normal(size=(40, 2))
    one, two = fit(samples, 3), fit(samples.copy(), 3)
    np.testing.assert_array_equal(one.covariances, two.covariances)


def test_equal_samples_do_not_break_the_fit():
    found = fit(np.ones((5, 2)), 2)
    assert isinstance(found, Mixture)
    assert np.isfinite(found.log_density(np.ones((1, 2)))).all()


def test_the_society_weighs_a_petal_as_bayes_does():
    record = mpnet.run(IRIS, plugins=[GaussianMixture], tolerance=1e-13)
    text = IRIS.read_text().partition("samples: |")[2].partition("moss:")[0]
    rows = [line.strip().split(",") for line in text.strip().splitlines()[1:]]
    kinds = ["setosa", "versicolor", "virginica"]
    logs = []
    for kind in kinds:
        petals = np.array([row[1:] for row in rows if row[0] == kind], dtype=float)
        spread = np.cov(petals.T, bias=True) + np.diag(1e-6 * petals.var(axis=0))
        logs.append(multivariate_normal(petals.mean(axis=0), spread).logpdf([5.2, 1.85]))
    likelihood = np.exp(np.array(logs) - max(logs))
    # Prior of the marsh times moss, which it predicts with 0.8 and which is there with 0.2.
    away = 0.6 * 0.2 * likelihood / 3
    there = 0.4 * 0.8 * likelihood * [0.0, 0.1, 0.9]
    total = away.sum() + there.sum()
    found = [record.beliefs["kind"][kind] for kind in kinds]
    np.testing.assert_allclose(found, (away + there) / total, rtol=0, atol=1e-9)
    assert record.beliefs["marsh"]["active"] == pytest.approx(there.sum() / total, abs=1e-9)


def test_text_and_lists_of_samples_are_read_alike():
    listed = GaussianMixture(samples={"a": [1, 2, 4], "b": [[7], [9]]})
    text = GaussianMixture(samples="class,x\na,1\na,2\na,4\nb,7\nb,9\n")
    np.testing.assert_array_equal(observed(listed, 5.0), observed(text, 5.0))


def test_a_class_may_be_told_outright():
    node = GaussianMixture(classes=CLASSES)
    np.testing.assert_array_equal(observed(node, "mild"), [-np.inf, 0.0])


FAULTS = [
    ("{}", "write either classes or samples"),
    ("{classes: {}}", "there is no class"),
    ("{classes: {a: 3}}", "can't be read as a Gaussian, got 3"),
    ("{classes: {a: []}}", "has no components"),
    ("{classes: {a: {mean: x, covariance: 1}}}", "a mean must be a finite number, got 'x'"),
    ("{classes: {a: {mean: 1, covariance: 0}}}", "must be symmetric and positive definite"),
    ("{classes: {a: {mean: [1, 2], covariance: [[1, 2], [2, 1]]}}}", "positive definite"),
    ("{classes: {a: {mean: [1, 2], covariance: [1, 2, 3]}}}", "3 variances for 2 dimensions"),
    ("{classes: {a: {mean: [1, 2], covariance: [[1, 0]]}}}", "must have 2 rows of 2 numbers"),
    ("{classes: {a: {mean: 1, covariance: 1, wait: 1}}}", "unknown key 'wait'"),
    ("{classes: {a: {mean: 1, covariance: 1, weight: 0}}}", "must be a number above 0, got 0"),
    (
        "{classes: {a: {mean: 1, covariance: 1}, b: {mean: [1, 2], covariance: 1}}}",
        "'b' has 2 dimensions, 'a' has 1",
    ),
    ("{samples: {a: [1]}}", "'a' has 1 samples; 1 components in 1 dimensions need 2 or more"),
    ("{samples: {a: [1, [2, 3]]}}", "all samples must have equally many numbers"),
    ('{samples: "class,x\\na,b"}', "must be a class and numbers, got 'a,b'"),
    ('{samples: "class,x\\na,nan\\na,1"}', "must be finite numbers"),
    ("{classes: {a: {mean: 1, covariance: 1}}, base_rates: {b: 1}}", "unknown state 'b'"),
]


@pytest.mark.parametrize(("keys", "told"), FAULTS)
def test_faults_are_told(tmp_path, keys, told):
    (tmp_path / "s.yaml").write_text(
        f"mpnet: 1\nname: s\nnodes:\n  x: {{type: gaussian_mixture, {keys[1:]}\n"
    )
    with pytest.raises(ScenarioError, match=told):
        mpnet.load(tmp_path / "s.yaml", plugins=[GaussianMixture])


@pytest.mark.parametrize(
    ("reading", "told"),
    [
        ([1.0, 2.0], "a reading of 2 numbers; the classes have 1"),
        ([], "a reading must be a number or a list of numbers, got none"),
        ([True], "must be a finite number, got True"),
        ("warm", "unknown state 'warm'"),
    ],
)
def test_readings_that_make_no_sense_are_told(tmp_path, reading, told):
    (tmp_path / "s.yaml").write_text(
        "mpnet: 1\nname: s\nnodes:\n"
        "  x: {type: gaussian_mixture, classes: {a: {mean: 1, covariance: 1}}}\n"
    )
    with pytest.raises(ScenarioError, match=told):
        mpnet.load(tmp_path / "s.yaml", plugins=[GaussianMixture], evidence={"x": reading})
