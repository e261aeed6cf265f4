"""A sensor for mpnet: real numbers as evidence, by a mixture of Gaussians for each class."""

from mpnet_gaussian_mixture.mixture import Mixture, fit
from mpnet_gaussian_mixture.node import GaussianMixture

__all__ = ["GaussianMixture", "Mixture", "fit"]
