"""Experiments: what a scenario measures beyond one run. One file each, entered here in one line."""

from __future__ import annotations

from importlib import import_module

from mpnet.simulation.experiments.base import Experiment

EXPERIMENTS: dict[str, str] = {
    "sampling": "mpnet.simulation.experiments.sampling:Sampling",
    "everyone": "mpnet.simulation.experiments.everyone:Everyone",
    "ablation": "mpnet.simulation.experiments.ablation:Ablation",
    "bifurcation": "mpnet.simulation.experiments.bifurcation:Bifurcation",
    "contexts": "mpnet.simulation.experiments.contexts:Contexts",
    "laws": "mpnet.simulation.experiments.laws:Laws",
    "losses": "mpnet.simulation.experiments.losses:Losses",
    "generalisation": "mpnet.simulation.experiments.generalisation:Generalisation",
    "mirrors": "mpnet.simulation.experiments.mirrors:Mirrors",
    "superiority": "mpnet.simulation.experiments.superiority:Superiority",
    "removal": "mpnet.simulation.experiments.removal:Removal",
    "prediction": "mpnet.simulation.experiments.prediction:Predicting",
    "recognition": "mpnet.simulation.experiments.recognition:Recognition",
    "surprise": "mpnet.simulation.experiments.surprise:Surprise",
}
"""``type`` of an experiment in a scenario -> ``module:class``."""


def experiment_class(name: str) -> type[Experiment]:
    """The class of that experiment; its module is imported only now.

    Raises
    ------
    KeyError
        If there is none.

    """
    module, _, attribute = EXPERIMENTS[name].partition(":")
    found: type[Experiment] = getattr(import_module(module), attribute)
    return found
