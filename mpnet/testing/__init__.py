"""Contract tests that plugin authors inherit; needs pytest, which mpnet itself does not.

A test file is a class: name the type and an example, and every claim of the contract is tested.
*Evolving.*

>>> from mpnet.testing import NodeContract
>>> class TestLamp(NodeContract):
...     node = None  # the class, such as mpnet_lamp.lamp
...     keys = {"bright": 0.5}
"""

from __future__ import annotations

import pytest

# So that a failed claim shows its values; before the modules themselves are imported.
pytest.register_assert_rewrite("mpnet.testing.factor", "mpnet.testing.node")

from mpnet.testing.factor import FactorContract, FactorExample  # noqa: E402
from mpnet.testing.node import NodeContract  # noqa: E402

__all__ = ["FactorContract", "FactorExample", "NodeContract"]
