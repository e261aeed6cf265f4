"""Results as tables: the same numbers under the same names."""

import sys
from dataclasses import replace

import numpy as np
import pytest

import mpnet
from mpnet import frames
from mpnet.errors import PluginError, TooLargeError, UsageError


@pytest.fixture(scope="module")
def record():
    society = mpnet.SocietyBuilder("pets")
    society.feature("sound", ["bark", "meow", "silence"]).feature("legs", ["two", "four"])
    society.model("dog", 0.1, {"sound": {"bark": 0.6}, "legs": {"four": 0.98}})
    society.model("cat", 0.1, {"sound": {"meow": 0.5}, "legs": {"four": 0.98}})
    society.composite("pair", ["dog", "cat"], prior=0.05)
    return society.observe(legs="four").run(exact="always")


def test_beliefs_are_those_of_the_record(record):
    frame = frames.beliefs(record)
    for node, states in record.beliefs.items():
        for state, belief in states.items():
            assert frame.loc[(node, state), "belief"] == belief
            assert frame.loc[(node, state), "exact"] == record.exact[node][state]
    assert frame.prior["dog", "active"] == 0.1
    assert len(frame) == 3 + 2 + 3 * 2


def test_beliefs_of_a_factor_graph(record):
    builder = mpnet.GraphBuilder()
    builder.add_variable("coin", ["head", "tail"])
    builder.add_factor(["coin"], [3.0, 1.0])
    assert frames.beliefs(mpnet.infer(builder)).belief.to_dict() == {
        ("coin", "head"): pytest.approx(0.75),
        ("coin", "tail"): pytest.approx(0.25),
    }


def test_the_trace_has_a_column_for_each_state(record):
    frame = frames.trace(record)
    assert frame.index.tolist() == record.trace.iterations.tolist()
    for node, states in zip(record.trace.nodes, record.trace.states, strict=True):
        for state in states:
            wanted = record.trace.belief(node, state)
            np.testing.assert_array_equal(frame[node, state], wanted)
    frame.iloc[:] = 0.0
    assert record.trace.beliefs.any()  # the frame is a copy


def test_iterations_and_events_keep_their_order(record):
    frame = frames.iterations(record)
    np.testing.assert_array_equal(frame.residual, record.trace.residual)
    assert frame.estimator.tolist() == list(record.trace.estimator)
    told = frames.events(record)
    assert told.text.tolist() == [event.text for event in record.events]
    assert told.iteration.dtype == np.int64


def test_no_events_are_an_empty_table_with_columns(record):
    told = frames.events(replace(record, events=()))
    assert told.empty
    assert "effect" in told.columns


def test_messages_add_up_to_the_belief_of_their_target(record):
    table = frames.messages(record)
    sums = table[table.target == "sound"].groupby("state", sort=False).log_message.sum()
    own = np.exp(sums - sums.max())
    last = max(i for i, e in enumerate(record.trace.estimator) if e == "flat")
    wanted = [record.trace.belief("sound", s)[last] for s in sums.index]
    # Messages were within the tolerance of 1e-8 nats when the run stopped.
    np.testing.assert_allclose(own / own.sum(), wanted, atol=1e-7)
    with pytest.raises(UsageError, match="the run of 'pets' kept no messages"):
        frames.messages(replace(record, messages=None))


def test_estimates_are_rows_by_node(record):
    frame = frames.estimates(record)
    row = next(r for r in record.estimates if r.node == "pair")
    assert frame.loc[("pair", "active"), "exact"] == row.exact


def test_a_data_set_is_told_by_names(record):
    data = frames.to_xarray(record)
    assert data.belief.dims == ("iteration", "node", "state")
    found = data.belief.sel(node="dog", state="active")
    np.testing.assert_array_equal(found, record.trace.belief("dog", "active"))
    assert np.isnan(data.belief.sel(node="dog", state="bark")).all()
    assert data.prior.sel(node="cat", state="active") == 0.1
    assert data.attrs["scenario"] == "pets"
    assert float(data.residual[-1]) == record.trace.residual[-1]


def test_a_run_and_its_record_make_the_same_tables(record):
    for table in frames.TABLES:
        assert record.to_pandas(table).equals(getattr(frames, table)(record.record))
    assert record.to_xarray().identical(frames.to_xarray(record.record))
    with pytest.raises(UsageError, match=r"no table 'belief'; did you mean 'beliefs'\?"):
        record.to_pandas("belief")
    with pytest.raises(UsageError, match="expected the record of a run, got str"):
        frames.trace("purple_jar")


def test_a_missing_package_is_named_with_its_extra(record, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(PluginError, match=r'needs xarray, .* pip install "mpnet\[data\]"') as error:
        frames.to_xarray(record)
    assert error.value.exit_code == 6


def test_a_data_set_that_would_not_fit_is_refused(record, monkeypatch):
    monkeypatch.setattr(frames, "CELLS", 10)
    with pytest.raises(TooLargeError, match=r"use mpnet\.frames\.trace"):
        frames.to_xarray(record)
