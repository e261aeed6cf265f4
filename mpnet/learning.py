"""A classifier for scikit-learn whose model is a society: one model for each class, and a choice."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from mpnet.authoring import SocietyBuilder
from mpnet.batch import infer_batch
from mpnet.columns import MISSING, Column, learn_column, unique_names
from mpnet.errors import NotConvergedWarning, UsageError
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.nodes.base import ACTIVATION

EDGES = 1_000_000
"""Edges of the graphs that run side by side, at most."""

RESERVED = (*ACTIVATION, "none", "class")


class SocietyClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Learns a society from labelled rows, and lets its models fight for each new row.

    Each class becomes a model that predicts every feature as it was counted; one choice lets
    exactly one of them be active. Probabilities are the beliefs of the choice, by message
    passing. What is missing (NaN, None) counts neither for nor against anybody, and neither
    does a category that was never seen. *Evolving.*

    Parameters
    ----------
    bins : int, default=8
        Most bins of a column of numbers.
    smoothing : float, default=1.0
        Added to each count, > 0.
    confidence : float, default=1.0
        Weight of each prediction, > 0; below 1 where features repeat each other.
    categorical : sequence, optional
        Columns that are categories though they hold numbers: by name, by index, or a mask.

    Attributes
    ----------
    classes_ : array of shape (classes,)
        The labels.
    society_ : Scenario
        What was learnt: ``society_.to_yaml()`` writes it, ``mpnet.run(society_)`` runs it.
    columns_ : list of Column
        The feature of each column.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : array of shape (columns,)
        Their names, where a DataFrame was given.

    Examples
    --------
    >>> rows = [["red", 1.0], ["red", None], ["blue", 3.0], ["blue", 3.5]]
    >>> classifier = SocietyClassifier().fit(rows, ["cherry", "cherry", "plum", "plum"])
    >>> classifier.predict([["red", None], [None, 3.2]]).tolist()
    ['cherry', 'plum']

    """

    def __init__(
        self,
        bins: int = 8,
        smoothing: float = 1.0,
        confidence: float = 1.0,
        categorical: Sequence[Any] | None = None,
    ) -> None:
        self.bins = bins
        self.smoothing = smoothing
        self.confidence = confidence
        self.categorical = categorical

    def fit(self, X: Any, y: Any) -> SocietyClassifier:  # noqa: N803
        """Count, and build the society.

        Parameters
        ----------
        X : array or DataFrame of shape (n, columns)
            Numbers or categories; some may be missing.
        y : sequence of shape (n,)
            Labels.

        Returns
        -------
        SocietyClassifier
            Itself.

        """
        self._check_settings()
        rows, y = validate_data(self, _table(X), y, dtype=None, ensure_all_finite="allow-nan")
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(rows.shape[1])])
        nodes = unique_names(map(str, names), RESERVED)
        forced = self._categorical(names)
        self.columns_ = [
            learn_column(node, rows[:, i].tolist(), self.bins, forced[i])
            for i, node in enumerate(nodes)
        ]
        self.models_ = unique_names(map(_model_name, self.classes_), (*nodes, *RESERVED))
        self.society_ = self._build(self._codes(rows), labels).build()
        return self

    def predict_proba(self, X: Any) -> FloatArray:  # noqa: N803
        """Belief in each class.

        Parameters
        ----------
        X : array or DataFrame of shape (n, columns)
            As for ``fit``.

        Returns
        -------
        float64 array of shape (n, classes)
            Probabilities, in the order of ``classes_``.

        """
        codes, which = np.unique(self._read(X), axis=0, return_inverse=True)
        # Features come first among the variables, so that columns are their indices.
        graph = self.society_.society.assemble({})
        found = np.empty((len(codes), len(self.classes_)))
        whole = (codes != MISSING).all(axis=1)
        found[whole] = self._believed(graph, codes[whole])
        found[~whole] = self._weighed(graph, codes[~whole])
        proba: FloatArray = found[which.reshape(-1)]
        return proba

    def predict_log_proba(self, X: Any) -> FloatArray:  # noqa: N803
        """Log of ``predict_proba``, in nats.

        Parameters
        ----------
        X : array or DataFrame of shape (n, columns)
            As for ``fit``.

        """
        with np.errstate(divide="ignore"):
            logs: FloatArray = np.log(self.predict_proba(X))
        return logs

    def predict(self, X: Any) -> Any:  # noqa: N803
        """The class that is believed most.

        Parameters
        ----------
        X : array or DataFrame of shape (n, columns)
            As for ``fit``.

        Returns
        -------
        array of shape (n,)
            Labels.

        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def evidence(self, X: Any) -> list[dict[str, str]]:  # noqa: N803
        """Rows as evidence for ``society_``: ``SocietyBuilder.of(society_).observe(...)``.

        Parameters
        ----------
        X : array or DataFrame of shape (n, columns)
            As for ``fit``.

        """
        return [
            {c.name: c.states[s] for c, s in zip(self.columns_, row, strict=True) if s != MISSING}
            for row in self._read(X).tolist()
        ]

    def __sklearn_tags__(self) -> Any:
        """What it can be given: categories, text and missing values as well."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def _check_settings(self) -> None:
        if isinstance(self.bins, bool) or not isinstance(self.bins, int) or self.bins < 2:
            raise UsageError(f"bins must be a whole number >= 2, got {self.bins!r}")
        for name in ("smoothing", "confidence"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0.0 < value < np.inf):
                raise UsageError(f"{name} must be a number > 0, got {value!r}")

    def _categorical(self, names: Sequence[Any]) -> list[bool | None]:
        """For each column, whether it is categories; None to look at its values."""
        found: list[bool | None] = [None] * len(names)
        given = [] if self.categorical is None else list(self.categorical)
        if given and all(isinstance(each, bool | np.bool_) for each in given):
            if len(given) != len(names):
                raise UsageError(f"a mask of {len(given)} columns for {len(names)}")
            given = np.flatnonzero(given).tolist()
        known = {str(name): i for i, name in enumerate(names)}
        for each in given:
            index = known.get(each, -1) if isinstance(each, str) else int(each)
            if not 0 <= index < len(names):
                raise UsageError(f"categorical names the column {each!r}, which is not there")
            found[index] = True
        return found

    def _read(self, X: Any) -> IntArray:  # noqa: N803
        check_is_fitted(self)
        table, finite = _table(X), "allow-nan"
        return self._codes(
            validate_data(self, table, reset=False, dtype=None, ensure_all_finite=finite)
        )

    def _codes(self, rows: Any) -> IntArray:
        """States of all values, int64[n, columns]."""
        read = [column.read(rows[:, i].tolist()) for i, column in enumerate(self.columns_)]
        return np.stack(read, axis=1)

    def _build(self, codes: IntArray, labels: IntArray) -> SocietyBuilder:
        shares = np.bincount(labels, minlength=len(self.classes_)) / len(labels)
        rates = [self._rates(column, codes[:, i], labels) for i, column in enumerate(self.columns_)]
        about = f"Learnt from {len(labels)} rows: which of {len(shares)} classes a row belongs to."
        society = SocietyBuilder("classifier", about)
        for column, table in zip(self.columns_, rates, strict=True):
            society.feature(column.name, column.states, (shares @ table).tolist())
        for number, model in enumerate(self.models_):
            predicts = {
                c.name: _prediction(c, table[number], self.confidence)
                for c, table in zip(self.columns_, rates, strict=True)
            }
            # Odds in proportion to the shares, so that the choice has them as its rates.
            society.model(model, float(shares[number] / (1.0 + shares[number])), predicts)
        return society.choice("class", self.models_)

    def _rates(self, column: Column, states: IntArray, labels: IntArray) -> FloatArray:
        """p(state | class), counted and smoothed, float64[classes, states]."""
        counts = np.full((len(self.classes_), len(column.states)), float(self.smoothing))
        known = states != MISSING
        np.add.at(counts, (labels[known], states[known]), 1.0)
        rates: FloatArray = counts / counts.sum(axis=1, keepdims=True)
        return rates

    def _believed(self, graph: FactorGraph, codes: IntArray) -> FloatArray:
        """Beliefs of the choice where all features are seen: what is seen cuts every loop."""
        rows = [dict(enumerate(row)) for row in codes.tolist()]
        where = graph.states_of(graph.index["class"])
        found = [r.beliefs[where] for r in _runs(graph, rows)]
        return np.array(found).reshape(-1, len(self.classes_))

    def _weighed(self, graph: FactorGraph, codes: IntArray) -> FloatArray:
        """Beliefs from log Z with each class held in turn, as the estimator clamped has them.

        Rivals predict one and the same unseen feature, and flat propagation counts that loop.
        """
        choice, count = graph.index["class"], len(self.classes_)
        seen = [{i: s for i, s in enumerate(row) if s != MISSING} for row in codes.tolist()]
        rows = [{**row, choice: k} for row in seen for k in range(count)]
        logs = np.array([r.log_z for r in _runs(graph, rows)], dtype=np.float64)
        logs = logs.reshape(-1, count)
        odds = np.exp(logs - logs.max(axis=1, keepdims=True, initial=-np.inf))
        proba: FloatArray = odds / odds.sum(axis=1, keepdims=True)
        return proba


def _runs(graph: FactorGraph, rows: Sequence[dict[int, int]]) -> list[Any]:
    step = max(1, EDGES // max(1, graph.arrays.edge_variable.size))
    found = []
    for start in range(0, len(rows), step):
        found += infer_batch(graph, rows[start : start + step])
    late = [r for r in found if not r.converged]
    if late:
        warnings.warn(NotConvergedWarning(f"{len(late)} runs: {late[0].reason}"), stacklevel=4)
    return found


def _prediction(column: Column, rates: FloatArray, confidence: float) -> dict[str, Any]:
    """In the long form, in which a state may have any name."""
    distribution = dict(zip(column.states, rates.tolist(), strict=True))
    return {"distribution": distribution, "confidence": float(confidence)}


def _model_name(label: Any) -> str:
    return str(label) if isinstance(label, str) else f"class {label}"


def _table(X: Any) -> Any:  # noqa: N803
    """Lists of mixed values as an array of objects: NumPy would turn numbers into text."""
    if isinstance(X, list | tuple) and any(
        isinstance(v, str) or v is None for row in X if isinstance(row, list | tuple) for v in row
    ):
        return np.array(X, dtype=object)
    return X
