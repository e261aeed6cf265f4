"""Compiled kernels of plugins: where they are kept, and that changes of their sources are noticed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numba
import numpy as np
import pytest

from mpnet.kernels import foreign, jit
from mpnet.kernels.cache import CACHE_VARIABLE
from tests.families.plugs import SOURCE
from tests.graphs import JITTED

ROOT = Path(__file__).parents[2]
needs_numba = pytest.mark.skipif(not JITTED, reason="nothing is compiled here")


def package(folder, **files):
    """A package of files, by name; ``init`` is its ``__init__``."""
    folder.mkdir()
    for name, text in {"init": "", **files}.items():
        (folder / f"{'__init__' if name == 'init' else name}.py").write_text(text)
    return folder


def names(paths):
    return {path.name for path in paths}


def test_a_file_counts_with_all_that_it_imports_of_its_own(tmp_path):
    inner = package(
        tmp_path / "pack",
        init="from pack.node import x",
        kernels="import numpy\nfrom pack.words import one\nfrom . import helpers",
        words="import pack.deep as deep",
        deep="",
        helpers="",
        node="from pack import kernels",
    )
    found = foreign.sources(str(inner / "kernels.py"))
    # The package's own __init__ is one of them, for `from . import` reads it.
    assert names(found) == {
        "kernels.py",
        "words.py",
        "deep.py",
        "helpers.py",
        "__init__.py",
        "node.py",
    }
    assert found[0].name == "kernels.py"
    assert names(foreign.sources(str(inner / "words.py"))) == {"words.py", "deep.py"}


def test_a_file_in_no_package_counts_with_what_lies_beside_it(tmp_path):
    (tmp_path / "plug.py").write_text("import words, numpy\nfrom mpnet.families import kernel")
    (tmp_path / "words.py").write_text("")
    (tmp_path / "other.py").write_text("")
    assert names(foreign.sources(str(tmp_path / "plug.py"))) == {"plug.py", "words.py"}


def test_the_folder_changes_with_each_of_them_and_with_nothing_else(tmp_path):
    inner = package(
        tmp_path / "pack", kernels="from pack.words import one", words="one = 1", node=""
    )
    file, cache = str(inner / "kernels.py"), tmp_path / "cache"
    first = foreign.place(file, cache)
    assert first.parent == cache / "plugins"
    assert first.name.startswith("pack.kernels-")
    (inner / "node.py").write_text("changed = True")
    assert foreign.place(file, cache) == first
    (inner / "words.py").write_text("one = 2")
    second = foreign.place(file, cache)
    (inner / "kernels.py").write_text("from pack.words import one\n\n")
    assert len({first, second, foreign.place(file, cache)}) == 3


def test_what_is_typed_has_a_place_too(tmp_path):
    assert foreign.place("<stdin>", tmp_path) == tmp_path / "plugins" / "typed"


def test_old_versions_are_forgotten_and_young_ones_kept(tmp_path):
    (tmp_path / "plug.py").write_text("x = 1")
    old, young, other = (tmp_path / "c" / "plugins" / n for n in ("plug-0", "plug-1", "rest-0"))
    for folder in (old, young, other):
        folder.mkdir(parents=True)
    past = time.time() - 40 * 24 * 3600
    os.utime(old, (past, past))
    os.utime(other, (past, past))
    foreign.place(str(tmp_path / "plug.py"), tmp_path / "c")
    assert [folder.exists() for folder in (old, young, other)] == [False, True, True]


def test_code_of_several_plugins_has_a_place_of_its_own(tmp_path):
    own, a, b = tmp_path, tmp_path / "plugins" / "a-1", tmp_path / "plugins" / "b-1"
    assert foreign.joint(own, set()) == own
    assert foreign.joint(own, {a}) == a
    assert foreign.joint(a, {a}) == a
    both = foreign.joint(own, {a, b})
    assert both.parent == a.parent
    assert both not in (a, b)
    assert foreign.joint(a, {b}) == both


@needs_numba
def test_kernels_of_others_are_kept_apart_from_mpnet_s():
    mine = jit.kernel(lambda value: value + 1)
    folder = Path(mine._cache.cache_path)
    assert folder.parent.parent == jit.FOLDER / "plugins"
    assert folder.parent.name.startswith("test_keeping_kernels-")


@needs_numba
def test_a_function_in_no_file_is_compiled_and_not_kept():
    space = {"kernel": jit.kernel, "__name__": "typed"}
    exec("@kernel\ndef twice(value):\n    return 2 * value", space)  # noqa: S102 - that is the test
    assert space["twice"](3) == 6
    assert isinstance(space["twice"]._cache, numba.core.caching.NullCache)


RUN = """
import os, sys
sys.path[:0] = {paths!r}
import numpy as np
from tests.families.plugs import ring
from mpnet.inference import infer
from mpnet.kernels import serial
import plug
graph, tables = ring(plug)
found = infer(graph, schedule="sequential")
print(found.log_z, infer(tables).log_z)
kernels = [plug.send, plug.log_partition, serial.update_in_turn]
loaded = [sum(k.stats.cache_hits.values()) for k in kernels]
compiled = [sum(k.stats.cache_misses.values()) for k in kernels]
print(*loaded, *compiled)
"""


def run(tmp_path, text):
    """What a process of its own finds: log Z, that of tables, kernels loaded and compiled."""
    (tmp_path / "plug.py").write_text(text.replace("{name}", "plug"))
    script = RUN.format(paths=[str(ROOT), str(tmp_path)])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, CACHE_VARIABLE: str(jit.FOLDER.parents[1])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()[-2:]
    counts = [int(word) for word in second.split()]
    return [float(word) for word in first.split()], counts[:3], counts[3:]


@needs_numba
@pytest.mark.slow
def test_the_next_process_compiles_nothing_until_the_source_changes(tmp_path):
    # One text for each run of the tests, so that nothing of it was kept before.
    text = f"{SOURCE}\nMARK = {tmp_path.name!r}, {time.time()}\n"
    (log_z, expected), loaded, compiled = run(tmp_path, text)
    assert log_z == pytest.approx(expected, abs=1e-6)
    assert loaded == [0, 0, 0]
    assert min(compiled) >= 1
    answer, loaded, compiled = run(tmp_path, text)
    assert answer == [log_z, expected]
    assert min(loaded) >= 1
    assert compiled == [0, 0, 0]
    # What runs without the plugin read names nothing of it.
    own = [path.read_bytes() for path in jit.FOLDER.glob("kernels_*/*.nbi")]
    assert own
    assert not any(b"PlugArrays" in index for index in own)
    # Twice the weight, in the kernels alone: a stale copy of either would not show it.
    changed = text.replace(
        "weight = family.weights[factor - family.first]",
        "weight = 2.0 * family.weights[factor - family.first]",
    )
    (log_z, expected), loaded, compiled = run(tmp_path, changed)
    assert loaded == [0, 0, 0]
    assert min(compiled) >= 1
    assert abs(log_z - expected) > 0.1


def test_arrays_are_found_inside_tuples(monkeypatch):
    class Mine(tuple):
        __slots__ = ()

    class Fake:
        def __init__(self, instance_class=None, types=None):
            self.instance_class, self.types = instance_class, types

    monkeypatch.setitem(foreign.PLACES, Mine, None)
    inner = Fake(types=(Fake(int), Fake(types=(Fake(Mine),))))
    assert foreign.classes_in((Fake(), inner)) == {Mine}
    assert foreign.classes_in((Fake(int), np.int64)) == set()
