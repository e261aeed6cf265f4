"""Examples in docstrings do what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "mpnet"
FOLDERS = {"kernels": ROOT.parent / "kernels", "plots": ROOT.parent / "plots"}


def modules():
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        if ">>> " in path.read_text(encoding="utf-8"):
            parts = path.relative_to(ROOT.parent).with_suffix("").parts
            found.append(".".join(parts).removesuffix(".__init__"))
    return sorted(set(found))


def test_there_are_examples():
    assert len(modules()) >= 3


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings_hold(name):
    module = importlib.import_module(name)
    done = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert done.attempted
    assert not done.failed
