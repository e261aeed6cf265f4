"""Ordered features for mpnet: steps between neighbours cost something, or are ruled out one way."""

from mpnet_steps.factor import Ladders, Steps

__all__ = ["Ladders", "Steps"]
