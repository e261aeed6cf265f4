"""The folder for compiled kernels: its name, its seal and what happens when it can't be used."""

import importlib.util
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.caching import IndexDataCacheFile

from mpnet.kernels import cache, sharing
from tests.graphs import JITTED

SOURCES = Path(cache.__file__).parent
KERNEL_FILES = sorted(path.name for path in SOURCES.glob("*.py"))


def key_of(folder):
    """The key that a copy of the kernels in ``folder`` would use."""
    spec = importlib.util.spec_from_file_location("copied_cache", folder / "cache.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.key()


def copied_sources(tmp_path):
    folder = tmp_path / "kernels"
    shutil.copytree(SOURCES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def prepared(tmp_path, monkeypatch):
    """A sealed cache of two files."""
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "cache"))
    folder = cache.prepare()
    (folder / "kernels_1").mkdir()
    for name in ("one.nbi", "one.1.nbc"):
        (folder / "kernels_1" / name).write_bytes(b"compiled " + name.encode())
    cache.seal(folder)
    return folder


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_equal_sources_have_equal_keys(tmp_path):
    assert key_of(copied_sources(tmp_path)) == cache.key()


@pytest.mark.parametrize("name", KERNEL_FILES)
def test_a_change_in_any_kernel_file_changes_the_key(tmp_path, name):
    folder = copied_sources(tmp_path)
    with (folder / name).open("a") as file:
        file.write("\n")
    assert key_of(folder) != cache.key()


def test_a_new_or_renamed_kernel_file_changes_the_key(tmp_path):
    folder = copied_sources(tmp_path)
    (folder / "tables.py").rename(folder / "tables_2.py")
    renamed = key_of(folder)
    (folder / "empty.py").touch()
    assert len({cache.key(), renamed, key_of(folder)}) == 3


def test_kernels_with_bounds_checks_have_a_key_of_their_own(monkeypatch):
    before = cache.key()
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", 0 if numba.config.BOUNDSCHECK else 1)
    assert cache.key() != before


def test_another_numba_has_another_key(monkeypatch):
    before = cache.key()
    monkeypatch.setattr(cache, "version", lambda _: "0.0.1")
    assert cache.key() != before


def test_the_folder_is_chosen_by_mpnet_then_xdg_then_home(monkeypatch):
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    monkeypatch.setenv(cache.CACHE_VARIABLE, "/m")
    assert cache.root() == Path("/m")
    monkeypatch.delenv(cache.CACHE_VARIABLE)
    assert cache.root() == Path("/x/mpnet")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.root() == Path("/h/.cache/mpnet")


def test_an_intact_cache_is_not_touched(tmp_path, monkeypatch):
    folder = prepared(tmp_path, monkeypatch)
    before = contents(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.prepare() == folder
    assert contents(folder) == before
    assert cache.is_sealed(folder)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("kernels_1/one.nbi", b"", "one.nbi has changed"),
        ("kernels_1/one.1.nbc", b"compiled one.1.nbX", "one.1.nbc has changed"),
        ("kernels_1/one.1.nbc", None, "No such file"),
        ("seal.json", b"", "Expecting value"),
        ("seal.json", b"\x80", "codec can't decode"),
        ("seal.json", b"[]", "not a list of files"),
        ("seal.json", b'{"kernels_1/one.nbi": 3}', "one.nbi has changed"),
    ],
)
def test_a_damaged_cache_is_cleared_with_one_warning(tmp_path, monkeypatch, name, data, said):
    folder = prepared(tmp_path, monkeypatch)
    if data is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(data)
    with pytest.warns(cache.KernelCacheWarning, match=said) as caught:
        assert cache.prepare() == folder
    assert len(caught) == 1
    assert list(folder.iterdir()) == []


def test_a_file_that_a_later_version_of_numba_adds_is_no_damage(tmp_path, monkeypatch):
    folder = prepared(tmp_path, monkeypatch)
    (folder / "kernels_1" / "two.nbi").write_bytes(b"more")
    assert cache.damaged(folder) == ""


def test_an_empty_folder_is_not_sealed(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path))
    folder = cache.prepare()
    cache.seal(folder)
    assert not cache.is_sealed(folder)


def test_a_folder_that_can_t_be_made_is_replaced_by_a_temporary_one(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "file" / "below"))
    with pytest.warns(cache.KernelCacheWarning, match="can't be kept .*set MPNET_CACHE") as caught:
        folder = cache.prepare()
    assert len(caught) == 1
    assert tmp_path not in folder.parents
    # Cached kernels are code: nobody else may write them.
    assert folder.stat().st_mode & 0o077 == 0
    folder.rmdir()


def test_without_a_home_a_temporary_folder_is_used(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    for name in (cache.CACHE_VARIABLE, "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.warns(cache.KernelCacheWarning, match="Could not determine home") as caught:
        folder = cache.prepare()
    assert len(caught) == 1
    folder.rmdir()


def test_a_home_that_can_t_hold_a_folder_is_replaced_by_a_temporary_one(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for name in (cache.CACHE_VARIABLE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    with pytest.warns(cache.KernelCacheWarning, match="can't be kept"):
        folder = cache.prepare()
    folder.rmdir()


def test_a_folder_that_others_may_write_is_made_private(tmp_path, monkeypatch):
    folder = prepared(tmp_path, monkeypatch)
    folder.chmod(0o777)
    cache.prepare()
    assert folder.stat().st_mode & 0o077 == 0


def test_a_folder_of_another_user_is_not_used(tmp_path, monkeypatch):
    folder = prepared(tmp_path, monkeypatch)
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    with pytest.warns(cache.KernelCacheWarning, match="belongs to another user"):
        assert cache.prepare() != folder


def test_a_seal_that_can_t_be_written_is_left_out(tmp_path, monkeypatch):
    folder = prepared(tmp_path, monkeypatch)

    def full(*_):
        raise OSError("No space left on device")

    before = (folder / cache.SEAL).read_text()
    monkeypatch.setattr(os, "replace", full)
    cache.seal(folder)
    assert (folder / cache.SEAL).read_text() == before
    assert [p.name for p in folder.iterdir() if p.name.startswith(".")] == []


# An index of numba's: two pickles in a row, which grows when a kernel is compiled once more.


def index(*signatures):
    return pickle.dumps("0.61") + pickle.dumps(("stamp", dict.fromkeys(signatures, "one.1.nbc")))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"compiled",
        pickle.dumps("0.61"),
        index("a")[:-1],
        index("a")[:-20],
        index("a") + b"x",
        index("a") + pickle.dumps(1),
        b"\x00" * 100,
        np.random.default_rng(0).bytes(300),
    ],
    ids=["empty", "text", "half", "cut", "cut short", "longer", "three", "zeros", "random"],
)
def test_what_is_no_index_is_told_from_one(content):
    assert cache.is_index(index("a"))
    assert cache.is_index(index())
    assert not cache.is_index(content)


def test_an_index_is_read_without_being_loaded(tmp_path):
    class Harmful:
        def __reduce__(self):
            return Path.touch, (tmp_path / "harm",)

    assert cache.is_index(pickle.dumps(Harmful()) + pickle.dumps(Harmful()))
    assert not (tmp_path / "harm").exists()


def test_an_index_may_grow_and_compiled_code_may_not_change(tmp_path, monkeypatch):
    folder = prepared(tmp_path, monkeypatch)
    room = folder / "kernels_1"
    (room / "one.nbi").write_bytes(index("a", "b"))
    (room / "one.2.nbc").write_bytes(b"compiled for b")
    assert cache.damaged(folder) == ""
    (room / "one.1.nbc").write_bytes(index("a", "b"))
    assert cache.damaged(folder) == "one.1.nbc has changed"


def test_a_grown_index_that_is_cut_is_damage(tmp_path, monkeypatch):
    folder = prepared(tmp_path, monkeypatch)
    (folder / "kernels_1" / "one.nbi").write_bytes(index("a", "b")[:-3])
    assert cache.damaged(folder) == "one.nbi has changed"


def test_sealing_again_lists_what_was_compiled_since(tmp_path, monkeypatch):
    folder = prepared(tmp_path, monkeypatch)
    before = contents(folder)
    cache.seal_again(folder)
    assert contents(folder) == before
    room = folder / "kernels_1"
    (room / "one.nbi").write_bytes(index("a", "b"))
    (room / "one.2.nbc").write_bytes(b"compiled for b")
    cache.seal_again(folder)
    listed = json.loads((folder / cache.SEAL).read_text())
    assert sorted(listed) == ["kernels_1/one.1.nbc", "kernels_1/one.2.nbc", "kernels_1/one.nbi"]
    # From now on, damage to the new file shows.
    (room / "one.2.nbc").write_bytes(b"compiled for c")
    assert cache.damaged(folder) == "one.2.nbc has changed"


def test_what_was_never_sealed_is_not_sealed_again(tmp_path, monkeypatch):
    folder = prepared(tmp_path, monkeypatch)
    (folder / cache.SEAL).unlink()
    cache.seal_again(folder)
    assert not cache.is_sealed(folder)
    cache.seal_again(tmp_path / "nowhere")


@pytest.mark.parametrize("data", [b"", b"\x80", b"3", b"{"])
def test_a_seal_that_can_t_be_read_is_left_to_the_next_start(tmp_path, monkeypatch, data):
    folder = prepared(tmp_path, monkeypatch)
    (folder / cache.SEAL).write_bytes(data)
    cache.seal_again(folder)
    assert (folder / cache.SEAL).read_bytes() == data
    assert cache.damaged(folder)


# The kernels proper, in processes of their own; one small kernel stands for all.

RUN = """
import sys
import threading
import numpy as np
from mpnet import messages
from mpnet.kernels import semiring, variables

def touch(graph=None):
    starts = np.array([0, 2], dtype=np.int32)
    starts.flags.writeable = False
    out = np.empty(2)
    kind = getattr(semiring, sys.argv[1])()
    variables.marginals(kind, starts, np.array([0.25, 0.75]), out)
    print(*out)

messages._touch_kernels = touch
messages.compile_kernels()
if len(sys.argv) > 2:
    touch()
"""


def run(root, *arguments):
    """Compile into a cache below ``root``, or use it: (numbers printed, what was said on stderr)."""
    environment = {**os.environ, cache.CACHE_VARIABLE: str(root)}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return [float(word) for word in done.stdout.split()], done.stderr


@pytest.mark.skipif(not JITTED, reason="nothing is compiled here")
def test_a_cache_is_sealed_damaged_made_anew_and_grows(tmp_path):
    folder = tmp_path / "kernels" / cache.key()
    assert run(tmp_path, "LinearSum") == ([0.25, 0.75], "")
    whole = contents(folder)
    files = [path for path in folder.rglob("*") if path.suffix in {".nbi", ".nbc"}]
    assert len(files) >= 2
    assert all(cache.is_index(path.read_bytes()) for path in files if path.suffix == ".nbi")
    # A second process finds it and compiles nothing.
    assert run(tmp_path, "LinearSum") == ([], "")
    assert contents(folder) == whole
    # All files cut: thrown away with one warning, and compiled again.
    for path in files:
        path.write_bytes(b"")
    numbers, said = run(tmp_path, "LinearSum")
    assert numbers == [0.25, 0.75]
    assert said.count("KernelCacheWarning") == 1
    assert "has changed" in said
    assert cache.damaged(folder) == ""
    # Random bytes where nothing is sealed: numba stumbles over them, and all is compiled again.
    for path in files:
        path.write_bytes(np.random.default_rng(0).bytes(100))
    (folder / cache.SEAL).unlink()
    assert run(tmp_path, "LinearSum") == ([0.25, 0.75], "")
    assert cache.damaged(folder) == ""
    # Another semiring later on: the index grows, and the seal is brought up to date at the end.
    sealed = set(json.loads((folder / cache.SEAL).read_text()))
    numbers, said = run(tmp_path, "LogSum", "again")
    assert numbers == pytest.approx([1 / (1 + np.exp(0.5)), 1 / (1 + np.exp(-0.5))])
    assert said == ""
    grown = json.loads((folder / cache.SEAL).read_text())
    assert set(grown) > sealed
    assert cache.damaged(folder) == ""
    assert run(tmp_path, "LogSum", "again")[1] == ""


def entry(folder):
    """One kernel's index as numba makes it, for several processes."""
    index = IndexDataCacheFile(str(folder), "kernel", (1.0, 2))
    return sharing.SharedIndex(index, folder)


def test_two_that_compile_at_once_take_two_numbers(tmp_path, monkeypatch):
    first, second = entry(tmp_path), entry(tmp_path)
    writing, go_on = threading.Event(), threading.Event()
    save_index = first._save_index

    def slow(overloads):
        writing.set()
        assert go_on.wait(30)
        save_index(overloads)

    monkeypatch.setattr(first, "_save_index", slow)
    one = threading.Thread(target=first.save, args=("float64", "of the first"))
    other = threading.Thread(target=second.save, args=("float32", "of the second"))
    one.start()
    assert writing.wait(30)  # the first has looked at the index, and has not written it yet
    other.start()
    other.join(0.2)
    assert other.is_alive()
    go_on.set()
    one.join(30)
    other.join(30)
    assert entry(tmp_path).load("float64") == "of the first"
    assert entry(tmp_path).load("float32") == "of the second"


def test_what_another_process_kept_is_not_written_again(tmp_path):
    entry(tmp_path).save("float64", "first")
    entry(tmp_path).save("float64", "second")
    assert entry(tmp_path).load("float64") == "first"
    (tmp_path / "kernel.1.nbc").unlink()
    entry(tmp_path).save("float64", "third")
    assert entry(tmp_path).load("float64") == "third"


def test_a_folder_without_locks_is_used_all_the_same(tmp_path):
    (tmp_path / sharing.LOCK).mkdir()
    entry(tmp_path).save("float64", "kept")
    assert entry(tmp_path).load("float64") == "kept"


@pytest.mark.skipif(not JITTED, reason="nothing is compiled here")
def test_processes_that_compile_at_once_leave_a_cache_that_serves_all(tmp_path):
    kinds = ("LinearSum", "LogSum", "LinearMax", "LogMax")
    environment = {**os.environ, cache.CACHE_VARIABLE: str(tmp_path)}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", RUN, kind, "again"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for kind in kinds
    ]  # fmt: skip
    numbers = []
    for process in running:
        out, said = process.communicate(timeout=300)
        assert (process.returncode, said) == (0, "")
        numbers.append(out.split()[-2:])
    for kind, before in zip(kinds, numbers, strict=True):
        again, said = run(tmp_path, kind, "again")
        assert (again[-2:], said) == ([float(word) for word in before], "")
