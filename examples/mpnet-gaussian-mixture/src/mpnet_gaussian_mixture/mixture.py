"""Mixtures of Gaussians: how likely a reading is, and a fit to samples by EM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST = 1e-6
"""Least variance of a fitted component, as a share of the samples' own."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of Gaussians.

    Parameters
    ----------
    weights : float64[components]
        Of the components; they sum to 1.
    means : float64[components, dimensions]
        In the units of the reading.
    covariances : float64[components, dimensions, dimensions]
        Symmetric and positive definite, in squared units.

    """

    weights: Floats
    means: Floats
    covariances: Floats

    def parts(self, readings: Floats) -> Floats:
        """Log of weight times density of each component, shape (readings, components), in nats."""
        found = np.empty((len(readings), len(self.weights)))
        for number, (weight, mean) in enumerate(zip(self.weights, self.means, strict=True)):
            root = np.linalg.cholesky(self.covariances[number])
            apart = np.linalg.solve(root, (readings - mean).T)
            spread = 2.0 * np.log(np.diag(root)).sum() + len(mean) * np.log(2.0 * np.pi)
            with np.errstate(divide="ignore"):
                found[:, number] = np.log(weight) - 0.5 * ((apart**2).sum(axis=0) + spread)
        return found

    def log_density(self, readings: Floats) -> Floats:
        """Log density of each reading, float64[readings], in nats; readings are rows."""
        found: Floats = np.logaddexp.reduce(self.parts(readings), axis=1)
        return found


def fit(samples: Floats, components: int, rounds: int = 500, tolerance: float = 1e-9) -> Mixture:
    """Fit a mixture to samples by expectation and maximisation; the same samples, the same fit.

    It starts from samples that are far apart, and stops where the mean log density gains less
    than the tolerance. Variances have a floor, for a component that holds one sample has none.

    Parameters
    ----------
    samples : float64[samples, dimensions]
        At least two more than there are components.
    components : int
        Of the mixture.
    rounds : int
        Most steps.
    tolerance : float
        In nats for each sample.

    """
    floor = np.diag(LEAST * samples.var(axis=0) + np.finfo(float).tiny)
    shares = _nearest(samples, _far_apart(samples, components))
    before = -np.inf
    for _ in range(rounds):
        mixture = _maximised(samples, shares, floor)
        parts = mixture.parts(samples)
        logs = np.logaddexp.reduce(parts, axis=1)
        shares = np.exp(parts - logs[:, None])
        if logs.mean() - before < tolerance:
            break
        before = logs.mean()
    return mixture


def _far_apart(samples: Floats, count: int) -> Floats:
    """The sample nearest to the mean, and then, again and again, the one farthest from all so far."""
    scaled = (samples - samples.mean(axis=0)) / np.where(
        samples.std(axis=0) > 0, samples.std(axis=0), 1
    )
    chosen = [int((scaled**2).sum(axis=1).argmin())]
    while len(chosen) < count:
        apart = ((scaled[:, None] - scaled[chosen]) ** 2).sum(axis=2).min(axis=1)
        chosen.append(int(apart.argmax()))
    return samples[chosen]


def _nearest(samples: Floats, centres: Floats) -> Floats:
    """Each sample's whole share for its nearest centre, shape (samples, centres)."""
    scale = np.where(samples.std(axis=0) > 0, samples.std(axis=0), 1)
    apart = (((samples[:, None] - centres) / scale) ** 2).sum(axis=2)
    found: Floats = np.eye(len(centres))[apart.argmin(axis=1)]
    return found


def _maximised(samples: Floats, shares: Floats, floor: Floats) -> Mixture:
    """The mixture that fits best where components own samples by these shares."""
    totals = shares.sum(axis=0) + 1e-300
    means = shares.T @ samples / totals[:, None]
    covariances = []
    for number, mean in enumerate(means):
        apart = samples - mean
        covariances.append((shares[:, number, None] * apart).T @ apart / totals[number] + floor)
    return Mixture(totals / totals.sum(), means, np.array(covariances))
