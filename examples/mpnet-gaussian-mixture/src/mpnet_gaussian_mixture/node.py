"""The node type ``gaussian_mixture``: a sensor whose readings are real numbers."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from mpnet.plugin import (
    Field,
    FloatArray,
    Name,
    Node,
    NodeFaults,
    Observation,
    Surroundings,
    fault,
    model_validator,
    moved,
    read_distribution,
    read_evidence,
)
from mpnet_gaussian_mixture.mixture import Mixture, fit
from mpnet_gaussian_mixture.reading import mixture_of, samples_of, vector


class GaussianMixture(Node):
    """A sensor of classes: its readings are numbers, by a mixture of Gaussians for each class."""

    type_name: ClassVar[str] = "gaussian_mixture"
    kind: ClassVar[str] = "feature"

    classes: dict[Name, Any] | None = Field(
        None,
        description="By class, {mean: ..., covariance: ...}, or a list of those with weights. A "
        "covariance is a variance, one for each dimension, or a matrix.",
    )
    samples: dict[Name, list[Any]] | str | None = Field(
        None,
        description="What to learn from instead: by class, a list of readings; or the text of a CSV, "
        "a class and its numbers on each line after the first.",
    )
    components: int = Field(
        1, ge=1, le=50, description="Gaussians for each class that is learnt from samples."
    )
    base_rates: dict[str, float] | None = Field(
        None, description="How often each class occurs; equal if left out."
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> GaussianMixture:
        if (self.classes is None) == (self.samples is None):
            raise ValueError("write either classes or samples")
        try:
            self.mixtures  # noqa: B018 - they are kept
        except NodeFaults as error:
            told = [f"{'.'.join(map(str, each.path))}: {each.what}" for each in error.faults]
            raise ValueError("; ".join(told)) from None
        return self

    @cached_property
    def mixtures(self) -> dict[str, Mixture]:
        """The mixture of each class.

        Raises
        ------
        NodeFaults
            With what is wrong about classes or samples.

        """
        found = self._learnt() if self.classes is None else self._written(self.classes)
        sizes = {name: mixture.means.shape[1] for name, mixture in found.items()}
        first = next(iter(sizes), None)
        for name, size in sizes.items():
            if size != sizes[first]:
                key = "classes" if self.classes is not None else "samples"
                what = f"{name!r} has {size} dimensions, {first!r} has {sizes[first]}"
                raise fault((key,), what)
        return found

    @staticmethod
    def _written(classes: dict[str, Any]) -> dict[str, Mixture]:
        found, faults = {}, []
        for name, written in classes.items():
            try:
                found[name] = mixture_of(written)
            except NodeFaults as error:
                faults += list(moved(error, "classes", name).faults)
        if faults:
            raise NodeFaults(faults)
        if not found:
            raise fault(("classes",), "there is no class")
        return found

    def _learnt(self) -> dict[str, Mixture]:
        try:
            samples = samples_of(self.samples)
            for name, rows in samples.items():
                least = self.components + rows.shape[1]
                if len(rows) < least:
                    what = f"{name!r} has {len(rows)} samples; {self.components} components in "
                    what += f"{rows.shape[1]} dimensions need {least} or more"
                    raise fault((), what)
        except NodeFaults as error:
            raise moved(error, "samples") from None
        return {name: fit(rows, self.components) for name, rows in samples.items()}

    def domain(self) -> tuple[str, ...]:
        """The classes, in the order in which they are written."""
        return tuple(self.mixtures)

    def rates(self, around: Surroundings) -> FloatArray:
        """Base rates as written, or equal; shape (classes,)."""
        count = len(self.mixtures)
        if self.base_rates is None:
            return np.full(count, 1.0 / count)
        try:
            return read_distribution(self.base_rates, self.domain(), None)
        except NodeFaults as error:
            raise moved(error, "base_rates") from None

    def observe(self, value: Any) -> Observation:
        """Read a reading: a number, or one for each dimension; or a class, or likelihoods."""
        if isinstance(value, str | dict) or value is None:
            return read_evidence(value, self.domain())
        reading = vector(value, "a reading")
        mixtures = list(self.mixtures.values())
        dimensions = mixtures[0].means.shape[1]
        if len(reading) != dimensions:
            raise fault((), f"a reading of {len(reading)} numbers; the classes have {dimensions}")
        logs = np.array([float(mixture.log_density(reading[None])[0]) for mixture in mixtures])
        return Observation(", ".join(f"{number:g}" for number in reading), logs)
