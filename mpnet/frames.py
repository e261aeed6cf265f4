"""Results as tables of pandas and data sets of xarray, for those who go on from there.

Both are imported when a function is called: ``pip install "mpnet[data]"`` brings them. Each
function takes a ``Record``, or whatever holds one as ``record``; ``beliefs`` takes what
``mpnet.infer`` answers as well.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from mpnet.errors import PluginError, TooLargeError, UsageError, size

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from mpnet.record import Record

__all__ = ["beliefs", "estimates", "events", "iterations", "messages", "to_xarray", "trace"]

TABLES = ("beliefs", "estimates", "trace", "iterations", "messages", "events")
"""Functions that make a table."""

CELLS = 2**28
"""Most entries of an array that is made."""


def beliefs(result: Any) -> pd.DataFrame:
    """Final beliefs, a row for each state of each node.

    *Evolving.*

    Parameters
    ----------
    result : Record or Result
        A run of a scenario, or what ``mpnet.infer`` answers.

    Returns
    -------
    DataFrame
        Index (node, state); columns ``belief`` and, for a scenario, ``prior`` and ``exact``
        (NaN where that was not computed), all probabilities.

    Examples
    --------
    >>> import mpnet
    >>> frame = beliefs(mpnet.infer("sprinkler", {"x3": 1}, estimator="exact"))
    >>> round(float(frame.belief["x1", "1"]), 4)
    0.4298

    """
    if hasattr(result, "marginals"):
        return _by_state({"belief": result.marginals})
    record = _record(result)
    priors = {n.name: dict(zip(n.states, n.prior, strict=True)) for n in record.nodes if n.states}
    columns: dict[str, Any] = {"belief": record.beliefs, "prior": priors}
    return _by_state({**columns, "exact": record.exact or {}})


def estimates(result: Any) -> pd.DataFrame:
    """What was gained over the prior by each node in question, by estimator.

    *Evolving.*

    Parameters
    ----------
    result : Record
        A run of a scenario.

    Returns
    -------
    DataFrame
        Index (node, state); columns ``prior_log_odds``, ``flat``, ``clamped`` and ``exact``, in
        nats; NaN where an estimator did not run or did not converge.

    """
    names = ["prior_log_odds", "flat", "clamped", "exact"]
    rows = _record(result).estimates
    data = np.array([[getattr(r, n) for n in names] for r in rows], dtype=np.float64)
    index = _index([(r.node, r.state) for r in rows])
    frame: pd.DataFrame = _pandas().DataFrame(data.reshape(-1, 4), index=index, columns=names)
    return frame


def trace(result: Any) -> pd.DataFrame:
    """Beliefs over the iterations.

    *Evolving.*

    Parameters
    ----------
    result : Record
        A run of a scenario.

    Returns
    -------
    DataFrame
        Index ``iteration`` (those that were kept); columns (node, state), probabilities.

    """
    kept = _record(result).trace
    columns = _index(
        [(n, s) for n, states in zip(kept.nodes, kept.states, strict=True) for s in states]
    )
    rows = _pandas().Index(kept.iterations, name="iteration")
    frame: pd.DataFrame = _pandas().DataFrame(kept.beliefs.copy(), index=rows, columns=columns)
    return frame


def iterations(result: Any) -> pd.DataFrame:
    """How the run went, iteration by iteration.

    *Evolving.*

    Parameters
    ----------
    result : Record
        A run of a scenario.

    Returns
    -------
    DataFrame
        Index ``iteration``; columns ``residual`` and ``log_z`` (nats), ``damping``, ``seconds``
        and ``estimator``.

    """
    kept = _record(result).trace
    rows = _pandas().Index(kept.iterations, name="iteration")
    numbers = ("residual", "log_z", "damping", "seconds")
    columns = {name: getattr(kept, name) for name in numbers}
    frame: pd.DataFrame = _pandas().DataFrame(columns, index=rows)
    frame["estimator"] = list(kept.estimator)
    return frame


def messages(result: Any) -> pd.DataFrame:
    """What reaches each node in the end, a row for each state of each message.

    *Evolving.*

    Parameters
    ----------
    result : Record
        A run of a scenario.

    Returns
    -------
    DataFrame
        Columns ``source``, ``target``, ``state``, ``log_message`` (nats, the largest of each
        message 0), ``residual`` (nats) and ``settled`` (an iteration).

    Raises
    ------
    UsageError
        If the record holds none: its estimator sends none, or there were too many.

    """
    record = _record(result)
    table = record.messages
    if table is None:
        raise UsageError(f"the run of {record.scenario!r} kept no messages")
    counts = np.diff(table.offsets)
    states = {node.name: node.states for node in record.nodes}
    frame: pd.DataFrame = _pandas().DataFrame(
        {
            "source": np.repeat(np.array(table.sources, dtype=object), counts),
            "target": np.repeat(np.array(table.targets, dtype=object), counts),
            "state": [s for target in table.targets for s in states[target]],
            "log_message": table.values,
            "residual": np.repeat(table.residual, counts),
            "settled": np.repeat(table.settled, counts),
        }
    )
    return frame


def events(result: Any) -> pd.DataFrame:
    """What happened between iterations, in order.

    *Evolving.*

    Parameters
    ----------
    result : Record
        A run of a scenario.

    Returns
    -------
    DataFrame
        Columns ``iteration``, ``kind``, ``node``, ``text``, ``cause`` and ``effect`` (nats; NaN
        where it has no meaning).

    """
    names = ["iteration", "kind", "node", "text", "cause", "effect"]
    rows = [[getattr(event, name) for name in names] for event in _record(result).events]
    frame: pd.DataFrame = _pandas().DataFrame(rows, columns=names)
    return frame.astype({"iteration": np.int64, "effect": np.float64})


def to_xarray(result: Any) -> xr.Dataset:
    """The run as one data set, with the beliefs along iteration, node and state.

    *Evolving.*

    Parameters
    ----------
    result : Record
        A run of a scenario.

    Returns
    -------
    Dataset
        ``belief`` (iteration, node, state) with NaN for states that a node lacks, ``residual``,
        ``log_z``, ``damping``, ``seconds`` and ``estimator`` (iteration), ``message_residual``
        (iteration, message), ``prior`` and ``exact`` (node, state).

    Raises
    ------
    PluginError
        If xarray is not installed.
    TooLargeError
        If nodes have so many different states that the array would not fit.

    """
    xarray, record = _module("xarray"), _record(result)
    kept = record.trace
    states = list(dict.fromkeys(s for own in kept.states for s in own))
    cells = len(kept.iterations) * len(kept.nodes) * len(states)
    if cells > CELLS:
        raise TooLargeError(
            f"the data set would have {size(cells)} entries; use mpnet.frames.trace"
        )
    columns = {s: i for i, s in enumerate(states)}
    cube = np.full((len(kept.iterations), len(kept.nodes), len(states)), np.nan, kept.beliefs.dtype)
    for number, own in enumerate(kept.states):
        first = int(kept.offsets[number])
        cube[:, number, [columns[s] for s in own]] = kept.beliefs[:, first : first + len(own)]
    final = beliefs(record)
    at_end = {
        name: (("node", "state"), _grid(final[name], kept.nodes, states))
        for name in ("prior", "exact")
    }
    along = {name: ("iteration", getattr(kept, name)) for name in _ALONG}
    data: xr.Dataset = xarray.Dataset(
        {
            "belief": (("iteration", "node", "state"), cube),
            **along,
            "estimator": ("iteration", np.array(kept.estimator, dtype=np.str_)),
            "message_residual": (("iteration", "message"), kept.message_residual),
            **at_end,
        },
        coords={
            "iteration": kept.iterations,
            "node": list(kept.nodes),
            "state": states,
            "message": list(kept.messages),
        },
        attrs=_attributes(record),
    )
    return data


_ALONG = ("residual", "log_z", "damping", "seconds")


def _grid(column: Any, nodes: tuple[str, ...], states: list[str]) -> Any:
    """One column of beliefs as float64[nodes, states]."""
    found = np.full((len(nodes), len(states)), np.nan)
    rows, columns = ({x: i for i, x in enumerate(names)} for names in (nodes, states))
    for (node, state), value in column.items():
        if node in rows and state in columns:
            found[rows[node], columns[state]] = value
    return found


def _attributes(record: Record) -> dict[str, Any]:
    about = {"scenario": record.scenario, "status": record.status, "seed": record.seed}
    about |= {"estimator": record.estimator, "schedule": record.schedule}
    return {**about, "inference_library": "mpnet", **record.environment}


def _by_state(columns: dict[str, Any]) -> pd.DataFrame:
    """A frame from ``{column: {node: {state: number}}}``; the first column says which rows."""
    first = next(iter(columns.values()))
    keys = [(node, state) for node, states in first.items() for state in states]
    data = {
        name: np.array([by.get(node, {}).get(state, np.nan) for node, state in keys], dtype=float)
        for name, by in columns.items()
    }
    frame: pd.DataFrame = _pandas().DataFrame(data, index=_index(keys))
    return frame


def _index(keys: list[tuple[str, str]]) -> Any:
    return _pandas().MultiIndex.from_tuples(keys, names=["node", "state"])


def _record(result: Any) -> Record:
    found = getattr(result, "record", result)
    if not hasattr(found, "trace"):
        raise UsageError(f"expected the record of a run, got {type(result).__name__}")
    record: Record = found
    return record


def _pandas() -> Any:
    return _module("pandas")


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise PluginError(
            f'this needs {name}, which is not installed; pip install "mpnet[data]"'
        ) from None
