"""Families that tests register are gone after them."""

import sys

import pytest

from mpnet.kernels import foreign
from mpnet.kernels.dispatch import SENDERS
from mpnet.kernels.families import FAMILIES


@pytest.fixture(autouse=True)
def forgotten():
    tables = (FAMILIES, SENDERS, foreign.PLACES)
    before, modules = [dict(table) for table in tables], set(sys.modules)
    yield
    for table, old in zip(tables, before, strict=True):
        table.clear()
        table.update(old)
    for name in set(sys.modules) - modules:
        if name.startswith("plug"):
            del sys.modules[name]
