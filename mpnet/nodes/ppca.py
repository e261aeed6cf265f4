"""A pattern model: probabilistic principal components, learnt from one class of images.

Source: Tipping and Bishop, Probabilistic Principal Component Analysis, J. R. Stat. Soc. B 61 (1999).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from pydantic import Field

from mpnet.errors import Fault
from mpnet.kernels.layout import FloatArray
from mpnet.names import Name
from mpnet.nodes.base import NodeFaults, Observation, Reference, Surroundings
from mpnet.nodes.images import Images, load_images
from mpnet.nodes.model import Model


class Gaussian(NamedTuple):
    """A Gaussian with k wide directions in d dimensions.

    ``mean`` (d,), ``axes`` (d, k) orthonormal, ``spread`` (k,) variances along them, and one
    ``noise`` variance in all other directions.
    """

    mean: FloatArray
    axes: FloatArray
    spread: FloatArray
    noise: float

    def log_density(self, x: FloatArray) -> float:
        """Log density at ``x`` (d,), in nats."""
        centred = x - self.mean
        along = self.axes.T @ centred
        rest = float(centred @ centred - along @ along)
        d, k = self.axes.shape
        log_volume = float(np.log(self.spread).sum()) + (d - k) * np.log(self.noise)
        distance = float(np.sum(along**2 / self.spread)) + rest / self.noise
        return float(-0.5 * (d * np.log(2.0 * np.pi) + log_volume + distance))

    def reconstruct(self, x: FloatArray) -> FloatArray:
        """The expected noise-free pattern given ``x`` (d,), shape (d,)."""
        shrink = (self.spread - self.noise) / self.spread
        result: FloatArray = self.mean + self.axes @ (shrink * (self.axes.T @ (x - self.mean)))
        return result


class Ppca(Model):
    """A pattern model that learnt one class of images; its likelihood is its evidence."""

    sees: Name = Field(description="The node of type images that it looks at.")
    label: int = Field(ge=0, description="The class of the training images that it learns from.")
    components: int = Field(15, ge=1, le=63, description="Principal components that it keeps.")

    def references(self) -> list[Reference]:
        """The images, and whatever it predicts besides."""
        return [Reference(self.sees, ("sees",), "data"), *super().references()]

    def check(self, around: Surroundings) -> None:
        """Whether there are images with that label."""
        self._images(around)

    def gaussian(self, around: Surroundings) -> Gaussian:
        """What it learnt."""
        images = self._images(around)
        return learn(images.train, images.seed, self.label, self.components)

    def log_likelihood(
        self, seen: Mapping[str, Observation], around: Surroundings
    ) -> FloatArray | None:
        """Log ratio of its density of the image to that of any image (the base rate), in nats."""
        if self.sees not in seen:
            return None
        pixels = seen[self.sees].data.reshape(-1)
        images = self._images(around)
        base = learn(images.train, images.seed, None, self.components)
        ratio = self.gaussian(around).log_density(pixels) - base.log_density(pixels)
        return np.array([0.0, ratio])

    def picture(self, seen: Mapping[str, Observation], around: Surroundings) -> FloatArray | None:
        """The noise-free image that it believes to be behind what was seen."""
        if self.sees not in seen:
            return None
        image = seen[self.sees].data
        result: FloatArray = (
            self.gaussian(around).reconstruct(image.reshape(-1)).reshape(image.shape)
        )
        return result

    def _images(self, around: Surroundings) -> Images:
        node = around.node(self.sees)
        if not isinstance(node, Images):
            what = f"{self.sees!r} is not a node of type images"
            raise NodeFaults([Fault(("sees",), what)])
        labels = node.image_set().labels
        if self.label not in labels:
            what = f"no image is labelled {self.label}"
            raise NodeFaults([Fault(("label",), what, f"0 to {int(labels.max())}")])
        return node


@cache
def learn(train: int, seed: int, label: int | None, components: int) -> Gaussian:
    """Maximum-likelihood PPCA of the training images of one label, or of all of them.

    The models of all labels share one noise variance, the mean of their own: with a hundred images
    each, a noise of one's own makes a model too sure wherever its images happen to agree.
    """
    found = load_images(train, seed)
    if label is None:
        return _fit(found.images[found.training], components)
    chosen = found.training & (found.labels == label)
    own = _fit(found.images[chosen], components)
    noise = _shared_noise(train, seed, components)
    return own._replace(noise=noise, spread=np.maximum(own.spread, noise))


@cache
def _shared_noise(train: int, seed: int, components: int) -> float:
    found = load_images(train, seed)
    groups = [found.training & (found.labels == label) for label in np.unique(found.labels)]
    return float(np.mean([_fit(found.images[group], components).noise for group in groups]))


def _fit(images: FloatArray, components: int) -> Gaussian:
    patterns = images.reshape(len(images), -1)
    mean = patterns.mean(axis=0)
    centred = patterns - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(patterns))
    noise = max(float(variances[:-components].mean()), 1e-6)
    spread = np.maximum(variances[-components:], noise)
    return Gaussian(mean, axes[:, -components:], spread, noise)
