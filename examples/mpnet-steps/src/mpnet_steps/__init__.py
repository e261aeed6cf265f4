"""Ordered features for mpnet: steps between neighbours cost something, or are ruled out one way."""

from mpnet_steps.factor import Ladders, Steps
from mpnet_steps.node import StepsModel

__all__ = ["Ladders", "Steps", "StepsModel"]
