"""Pattern models: densities against scipy, and what they make of images."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from mpnet.nodes.images import load_images
from mpnet.nodes.ppca import Gaussian, learn
from tests.nodes.societies import exact, faults, load, log_odds


def covariance(gaussian):
    """The same Gaussian as one matrix."""
    rest = np.eye(gaussian.mean.size) - gaussian.axes @ gaussian.axes.T
    return gaussian.axes * gaussian.spread @ gaussian.axes.T + gaussian.noise * rest


def random_gaussian(seed, d=6, k=2):
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(d, k)))
    spread = rng.uniform(1.0, 3.0, size=k)
    return Gaussian(rng.normal(size=d), axes, spread, 0.3), rng.normal(size=d)


@pytest.mark.parametrize("seed", range(5))
def test_log_density_equals_scipy(seed):
    gaussian, x = random_gaussian(seed)
    wanted = multivariate_normal(gaussian.mean, covariance(gaussian)).logpdf(x)
    assert gaussian.log_density(x) == pytest.approx(wanted, abs=1e-11)


@pytest.mark.parametrize("label", [0, 4, 9, None])
def test_log_density_of_an_image_equals_scipy(label):
    gaussian = learn(1200, 0, label, 15)
    image = load_images(1200, 0).images[1611].reshape(-1)
    wanted = multivariate_normal(gaussian.mean, covariance(gaussian)).logpdf(image)
    # The condition number of a covariance is about 300: scipy loses that much.
    assert gaussian.log_density(image) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_reconstruction_is_the_conditional_mean(seed):
    gaussian, x = random_gaussian(seed)
    clean = covariance(gaussian) - gaussian.noise * np.eye(x.size)
    wanted = gaussian.mean + clean @ np.linalg.solve(covariance(gaussian), x - gaussian.mean)
    np.testing.assert_allclose(gaussian.reconstruct(x), wanted, atol=1e-12)


def test_models_learn_from_training_images_of_their_label_only():
    found = load_images(1200, 0)
    chosen = found.images[found.training & (found.labels == 3)]
    np.testing.assert_allclose(
        learn(1200, 0, 3, 15).mean, chosen.reshape(len(chosen), -1).mean(axis=0), rtol=1e-14
    )


def test_all_labels_share_one_noise_and_no_axis_is_narrower():
    models = [learn(1200, 0, label, 15) for label in range(10)]
    assert len({model.noise for model in models}) == 1
    assert all((model.spread >= model.noise).all() for model in models)


DIGITS = """
nodes:
  image: {type: images}
  f: {type: feature}
  three: {type: ppca, sees: image, label: 3, prior: 0.1, predicts: {f: {"yes": 0.9}}}
"""


def test_evidence_is_the_log_ratio_of_the_densities():
    scenario = load(DIGITS)
    image = load_images(1200, 0).images[10].reshape(-1)
    wanted = learn(1200, 0, 3, 15).log_density(image) - learn(1200, 0, None, 15).log_density(image)
    _, beliefs = exact(scenario, image=10)
    gain = log_odds(beliefs["three"]) - scenario.society.prior_log_odds("three")
    assert gain == pytest.approx(wanted, abs=1e-9)


def test_without_an_image_a_pattern_model_keeps_its_prior_and_predicts_like_any_model():
    scenario = load(DIGITS)
    _, beliefs = exact(scenario)
    assert beliefs["three"][1] == pytest.approx(0.1, abs=1e-12)
    assert exact(scenario, three="active")[1]["f"][1] == pytest.approx(0.9, abs=1e-12)
    assert scenario.society.nodes["three"].picture({}, scenario.society) is None


def test_a_pattern_model_shows_what_it_thinks_it_saw():
    scenario = load(DIGITS)
    seen = scenario.society.observe({"image": 10})
    picture = scenario.society.nodes["three"].picture(seen, scenario.society)
    assert picture.shape == (8, 8)
    assert np.isfinite(picture).all()


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("label: 3", "nodes.m: the key 'sees' is missing"),
        ("sees: image", "nodes.m: the key 'label' is missing"),
        ("sees: image, label: 10", "nodes.m.label: no image is labelled 10; 0 to 9"),
        ("sees: image, label: -1", "nodes.m.label: must be at least 0, got -1"),
        ("sees: image, label: 3.5", "nodes.m.label: must be a whole number, got 3.5"),
        ("sees: f, label: 3", "nodes.m.sees: 'f' is a variable, not data to look at"),
        (
            "sees: imag, label: 3",
            "nodes.m.sees: there is no node 'imag'; did you mean 'image'? (nodes: image, f, m)",
        ),
        (
            "sees: image, label: 3, components: 64",
            "nodes.m.components: must be at most 63, got 64",
        ),
    ],
)
def test_what_is_wrong_with_a_pattern_model_is_said_with_its_place(keys, told):
    text = f"""
        nodes:
          image: {{type: images}}
          f: {{type: feature}}
          m: {{type: ppca, {keys}}}
        """
    assert faults(text)[0] == told
