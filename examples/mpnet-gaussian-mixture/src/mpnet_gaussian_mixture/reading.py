"""What a scenario writes about classes and readings, as arrays."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from mpnet.plugin import NodeFaults, fault, moved
from mpnet_gaussian_mixture.mixture import Floats, Mixture

FORMS = "write {mean: ..., covariance: ...}, or a list of those, with weights"


def vector(value: Any, what: str) -> Floats:
    """A number or a list of numbers as float64[dimensions].

    Raises
    ------
    NodeFaults
        If it is something else.

    """
    numbers = value if isinstance(value, list) else [value]
    if not numbers:
        raise fault((), f"{what} must be a number or a list of numbers, got none")
    for place, number in enumerate(numbers):
        if (
            isinstance(number, bool)
            or not isinstance(number, int | float)
            or not np.isfinite(number)
        ):
            path = (place,) if isinstance(value, list) else ()
            raise fault(path, f"{what} must be a finite number, got {number!r}")
    return np.array(numbers, dtype=np.float64)


def covariance_of(value: Any, dimensions: int) -> Floats:
    """A variance, one for each dimension, or a whole matrix, as float64[dimensions, dimensions].

    Raises
    ------
    NodeFaults
        If it is no covariance of so many dimensions.

    """
    if isinstance(value, list) and value and all(isinstance(row, list) for row in value):
        rows = [vector(row, "a covariance") for row in value]
        if any(len(row) != dimensions for row in rows) or len(rows) != dimensions:
            raise fault((), f"must have {dimensions} rows of {dimensions} numbers")
        matrix = np.array(rows)
    else:
        variances = vector(value, "a variance")
        if len(variances) not in (1, dimensions):
            raise fault((), f"{len(variances)} variances for {dimensions} dimensions")
        matrix = np.diag(np.broadcast_to(variances, (dimensions,)))
    if not np.array_equal(matrix, matrix.T) or not (np.linalg.eigvalsh(matrix) > 0.0).all():
        raise fault((), "must be symmetric and positive definite", "variances are above 0")
    return matrix


def mixture_of(written: Any) -> Mixture:
    """One component or a list of components, each with its mean, covariance and weight.

    Raises
    ------
    NodeFaults
        If it is neither, or dimensions differ; paths are relative to it.

    """
    several = isinstance(written, list)
    found = []
    for place, each in enumerate(written if several else [written]):
        try:
            found.append(_component(each))
        except NodeFaults as error:
            raise (moved(error, place) if several else error) from None
        if len(found[-1][1]) != len(found[0][1]):
            raise fault((place, "mean"), f"has {len(found[-1][1])} dimensions, the first has "
                        f"{len(found[0][1])}")  # fmt: skip
    if not found:
        raise fault((), "has no components", FORMS)
    weights, means, covariances = (np.array(column) for column in zip(*found, strict=True))
    return Mixture(weights / weights.sum(), means, covariances)


def _component(written: Any) -> tuple[float, Floats, Floats]:
    if not isinstance(written, Mapping) or not {"mean", "covariance"} <= set(written):
        raise fault((), f"can't be read as a Gaussian, got {written!r}", FORMS)
    if unknown := set(written) - {"mean", "covariance", "weight"}:
        key = min(unknown)
        raise fault((key,), f"unknown key {key!r}", "keys: mean, covariance, weight", True)
    weight = written.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < np.inf:
        raise fault(("weight",), f"must be a number above 0, got {weight!r}")
    try:
        mean = vector(written["mean"], "a mean")
    except NodeFaults as error:
        raise moved(error, "mean") from None
    try:
        return float(weight), mean, covariance_of(written["covariance"], len(mean))
    except NodeFaults as error:
        raise moved(error, "covariance") from None


def samples_of(written: Any) -> dict[str, Floats]:
    """Samples by class, float64[samples, dimensions]: a mapping of lists, or the text of a CSV.

    The text has a line of headings, and then a class and its numbers on each line.

    Raises
    ------
    NodeFaults
        If it is neither, or a sample is at fault; paths are relative to it.

    """
    rows: dict[str, list[Floats]] = {}
    if isinstance(written, str):
        for number, line in enumerate(list(csv.reader(io.StringIO(written.strip())))[1:], start=2):
            try:
                rows.setdefault(line[0].strip(), []).append(np.array(line[1:], dtype=np.float64))
            except (ValueError, IndexError):
                raise fault(
                    (), f"line {number}: must be a class and numbers, got {','.join(line)!r}"
                ) from None
    else:
        for name, samples in written.items():
            for place, sample in enumerate(samples):
                try:
                    rows.setdefault(name, []).append(vector(sample, "a sample"))
                except NodeFaults as error:
                    raise moved(error, name, place) from None
    sizes = {sample.size for samples in rows.values() for sample in samples}
    if len(sizes) != 1 or 0 in sizes:
        raise fault((), f"all samples must have equally many numbers, got {sorted(sizes)}")
    if not all(np.isfinite(samples).all() for samples in rows.values()):
        raise fault((), "all samples must be finite numbers")
    return {name: np.array(samples) for name, samples in rows.items()}
