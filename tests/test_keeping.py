"""Rows of a run within a budget: what stays, what goes."""

import numpy as np
import pytest

from mpnet.errors import UsageError
from mpnet.keeping import Keeper, plan


def kept(count, budget, every=1, marks=()):
    keeper = Keeper(budget, every, lambda row: row.nbytes)
    for number in range(count):
        keeper.offer(np.full(10, float(number)))
        if number in marks:
            keeper.mark()
    rows = keeper.rows()
    for iteration, row in rows:
        assert row[0] == iteration
    return [iteration for iteration, _ in rows]


def test_everything_stays_where_there_is_room():
    assert kept(7, 10_000) == list(range(7))


def test_the_grid_doubles_until_the_rows_fit_and_the_last_row_stays():
    # 80 bytes a row, five rows at most.
    assert kept(9, 400) == [0, 2, 4, 6, 8]
    assert kept(10, 400) == [0, 4, 8, 9]
    assert kept(1000, 400) == [0, 256, 512, 768, 999]


def test_every_is_where_the_grid_begins():
    assert kept(8, 10_000, every=3) == [0, 3, 6, 7]


def test_marked_rows_stay_whatever_the_grid():
    assert kept(12, 480, marks=(1, 5)) == [0, 1, 4, 5, 8, 11]


def test_marks_and_ends_stay_even_where_they_alone_are_too_much():
    assert kept(6, 1, marks=(1, 2, 3)) == [0, 1, 2, 3, 5]


@pytest.mark.parametrize(("budget", "every"), [(0, 1), (100, 0)])
def test_nonsense_is_refused(budget, every):
    with pytest.raises(UsageError, match=f"got {budget} and {every}"):
        Keeper(budget, every, len)


def test_the_plan_speaks_of_large_traces_only():
    assert plan(10, 20, 1000, 8, 1, 256_000_000) == ""
    said = plan(10_000, 20_000, 1000, 8, 1, 256_000_000)
    assert said.startswith("trace of 10,000 nodes: 160 MB if all 1,000 iterations are needed")
    assert "thinned" not in said
    assert "thinned" in plan(10_000, 20_000, 10_000, 8, 1, 256_000_000)
    assert "thinned" not in plan(10_000, 20_000, 10_000, 4, 10, 256_000_000)
