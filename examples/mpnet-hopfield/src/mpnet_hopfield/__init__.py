"""A Hopfield memory for mpnet: patterns over binary features, recalled from a part of them."""

from mpnet_hopfield.node import Hopfield
from mpnet_hopfield.patterns import cells, recall, scores

__all__ = ["Hopfield", "cells", "recall", "scores"]
