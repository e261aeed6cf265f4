"""Run folders: whole or not there, never overwritten, and read back as they were."""

import contextlib
import io
import json
import math
import os
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from mpnet import runs
from mpnet.errors import OutputError, UsageError
from mpnet.record import SEEN
from mpnet.runs import find_run, read_run, write_run
from mpnet.simulation.running import run_scenario
from tests.nodes.societies import load

HOSTILE = Path(__file__).parents[1].parent / "shared" / "hostile" / "results"
FILES = [
    "environment.json",
    "messages.npz",
    "resolved.yaml",
    "scenario.yaml",
    "summary.json",
    "trace.npz",
]

SMALL = """
nodes:
  f: {type: feature, states: ["$x$", "inf"]}
  a: {type: model, prior: 0.1, predicts: {f: {"inf": 1.0}, b: {wont: 0.99}}}
  b: {type: model, prior: 0.1, predicts: {f: {"$x$": 1.0}}}
expect:
  - {node: a, above: 0.0}
inference: {ask: [a, b]}
"""

scenario = load(SMALL)
record = run_scenario(scenario)


def write(root, out=None, what=record):
    return write_run(what, scenario, out, root)


def same(one, two):
    """Whether two records are equal, arrays and NaN included."""
    assert one.to_json() == two.to_json()
    for name, array in one.trace.to_arrays().items():
        np.testing.assert_array_equal(array, two.trace.to_arrays()[name])
    assert list(one.views) == list(two.views)
    for name, array in one.views.items():
        np.testing.assert_array_equal(array, two.views[name])
    for name, array in one.messages.to_arrays().items():
        np.testing.assert_array_equal(array, two.messages.to_arrays()[name])
    bare = [replace(r, trace=None, views={}, batch=None, messages=None) for r in (one, two)]
    assert bare[0] == bare[1]
    return True


def test_a_run_folder_holds_all_that_is_needed(tmp_path):
    folder = write(tmp_path)
    assert sorted(p.name for p in folder.iterdir()) == FILES
    assert (folder / "scenario.yaml").read_text() == scenario.document.text
    assert yaml.safe_load((folder / "resolved.yaml").read_text()) == scenario.resolved()
    assert json.loads((folder / "environment.json").read_text()) == dict(record.environment)
    assert json.loads((folder / "summary.json").read_text())["schema"] == "mpnet.result/1"
    assert (tmp_path / ".gitignore").read_text() == "*\n"


def test_folders_are_named_by_scenario_time_and_hash(tmp_path):
    folder = write(tmp_path)
    assert folder.parent == tmp_path / "s"
    assert folder.name.endswith("-" + record.environment["scenario_sha256"][:6])


def test_a_record_is_read_back_as_it_was(tmp_path):
    assert same(read_run(write(tmp_path)), record)


def test_records_with_views_and_a_batch_are_read_back_as_they_were(tmp_path):
    digits = load(
        """
        nodes:
          image: {type: images}
          file: {type: ppca, sees: image, label: 0}
          allow_pickle: {type: ppca, sees: image, label: 1}
          "..x": {type: ppca, sees: image, label: 2}
          $x$: {type: ppca, sees: image, label: 3}
          who: {type: choice, among: [file, allow_pickle, "..x", $x$]}
        batch:
          node: image
          answer: who
          cases: [{evidence: 10}, {evidence: 4}]
        """
    )
    first = run_scenario(digits)
    assert list(first.views) == [SEEN, "file", "allow_pickle", "..x", "$x$"]
    assert math.isnan(first.batch.accuracy)
    again = read_run(write_run(first, digits, None, tmp_path))
    assert same(again, first)
    assert math.isnan(again.batch.accuracy)
    assert again.batch.errors == first.batch.errors


def test_infinite_numbers_come_back_as_numbers_and_names_as_names(tmp_path):
    assert record.compatibility.matrix[0][1] == -math.inf
    strange = replace(record, residual=math.inf)
    again = read_run(write(tmp_path, what=strange))
    assert again.compatibility == record.compatibility
    assert again.residual == math.inf
    assert again.nodes[0].states == ("$x$", "inf")


@pytest.mark.parametrize("name", ["file", "allow_pickle", "$x$", "inf", "-x", "ü" * 100, "a b"])
def test_names_never_become_paths_or_keys_of_arrays(tmp_path, name):
    strange = load(f"nodes: {{{json.dumps(name)}: {{type: model}}}}\n")
    strange = replace(strange, spec=strange.spec.model_copy(update={"name": name}))
    first = run_scenario(strange)
    folder = write_run(first, strange, None, tmp_path)
    assert folder.parent.parent == tmp_path
    assert folder.parent.name.isascii()
    assert len(folder.parent.name) <= 60
    assert not folder.parent.name.startswith("-")
    assert same(read_run(folder), first)


def test_names_that_climb_stay_below_the_root(tmp_path):
    climbing = replace(record, scenario="../../x")
    folder = write(tmp_path / "runs", what=climbing)
    assert folder.resolve().is_relative_to((tmp_path / "runs").resolve())


def test_two_runs_in_one_second_are_two_folders(tmp_path):
    folders = {write(tmp_path) for _ in range(3)}
    assert len(folders) == 3
    assert all(same(read_run(folder), record) for folder in folders)


def test_latest_is_the_newest(tmp_path):
    write(tmp_path)
    newest = write(tmp_path)
    assert (tmp_path / "s" / "latest").resolve() == newest.resolve()
    assert find_run("latest", tmp_path).resolve() == newest.resolve()
    assert find_run("s", tmp_path).resolve() == newest.resolve()
    assert find_run(str(newest), tmp_path) == newest


def test_what_is_no_run_is_told(tmp_path):
    with pytest.raises(
        UsageError, match="there is no run 'x'; name a run folder, a scenario that ran, or latest"
    ):
        find_run("x", tmp_path)


@pytest.mark.parametrize("failing", FILES)
def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch, failing):
    real = runs._write

    def write_or_fail(path, content):
        if path.name == failing:
            path.write_bytes(content[:10])
            raise OSError(28, "No space left on device", str(path))
        real(path, content)

    monkeypatch.setattr(runs, "_write", write_or_fail)
    with pytest.raises(OutputError, match="the run can't be written: No space left on device"):
        write(tmp_path)
    assert [p.name for p in (tmp_path / "s").iterdir()] == []


def test_an_interrupted_write_leaves_nothing_and_earlier_runs_stay(tmp_path, monkeypatch):
    earlier = write(tmp_path)

    def interrupt(path, content):
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "_write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path)
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == sorted([earlier.name, "latest"])
    assert same(read_run(earlier), record)


def test_a_given_folder_is_made_and_an_empty_one_is_used(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert write(tmp_path, empty) == empty
    assert write(tmp_path, tmp_path / "new" / "deep") == tmp_path / "new" / "deep"
    assert sorted(p.name for p in empty.iterdir()) == FILES


def test_a_folder_that_is_not_empty_is_never_touched(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="is there already and not empty; runs are never over"):
        write(tmp_path, tmp_path)
    with pytest.raises(OutputError, match="is there already and not empty"):
        write(tmp_path, tmp_path / "mine.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


# Damage


def packed(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def zipped(*members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def objects():
    buffer = io.BytesIO()
    np.save(buffer, np.array([print], dtype=object), allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip at all",
        pickle.dumps({"beliefs": 1}),
        zipped(),
        zipped(("beliefs.npy", objects())),
        zipped(("../../evil.npy", b"x"), ("/abs.npy", b"x")),
        zipped(("nodes.npy", b"\x93NUMPY\x01\x00")),
        packed(beliefs=np.zeros(3)),
        packed(nodes=np.array(["a"])),
    ],
)
def test_a_trace_that_is_none_is_told_and_never_unpickled(tmp_path, content):
    folder = write(tmp_path)
    (folder / "trace.npz").write_bytes(content)
    before = sorted(p.name for p in tmp_path.rglob("*"))
    with pytest.raises(OutputError, match=str(folder)):
        read_run(folder)
    assert sorted(p.name for p in tmp_path.rglob("*")) == before


def test_members_that_are_there_twice_are_told(tmp_path):
    folder = write(tmp_path)
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = zipped(("nodes.npy", b"x"), ("nodes.npy", b"y"))
    (folder / "trace.npz").write_bytes(content)
    with pytest.raises(OutputError, match=r"trace\.npz holds a member twice"):
        read_run(folder)


def test_archives_that_grow_too_large_are_told_before_they_are_read(tmp_path, monkeypatch):
    folder = write(tmp_path)
    monkeypatch.setattr(runs, "ARRAY_BYTES", 100)
    with pytest.raises(OutputError, match=r"trace\.npz unpacks to more than 100 bytes"):
        read_run(folder)


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["trace.npz", "summary.json"])
def test_files_that_were_cut_off_are_told(tmp_path, name, part):
    folder = write(tmp_path)
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(OutputError, match=rf"{name} can't be read"):
        read_run(folder)


def test_bytes_that_were_changed_are_told_or_change_nothing_but_numbers(tmp_path):
    folder = write(tmp_path)
    rng = np.random.default_rng(0)
    whole = (folder / "trace.npz").read_bytes()
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(len(whole), size=3):
            damaged[place] = rng.integers(256)
        (folder / "trace.npz").write_bytes(damaged)
        with contextlib.suppress(OutputError):
            read_run(folder)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"schema": "mpnet.result/2"}',
        '{"schema": "mpnet.result/1"}',
        "\ufeff{}",
        "[" * 100_000,
        '{"schema": "mpnet.result/1", "seed": ' + "9" * 5000 + "}",
    ],
)
def test_a_summary_that_is_none_is_told(tmp_path, content):
    folder = write(tmp_path)
    (folder / "summary.json").write_text(content)
    with pytest.raises(OutputError, match=str(folder)):
        read_run(folder)


@pytest.mark.parametrize("value", [None, 7, "x", [1], {"a": 1}, [{"a": 1}]])
@pytest.mark.parametrize(
    "key", ["nodes", "predictions", "estimates", "events", "expectations", "compatibility", "batch"]
)
def test_a_summary_with_a_part_of_another_shape_is_told(tmp_path, key, value):
    if (key, value) == ("batch", None):
        pytest.skip("no batch is fine")
    folder = write(tmp_path)
    data = json.loads((folder / "summary.json").read_text())
    data[key] = value
    (folder / "summary.json").write_text(json.dumps(data))
    with pytest.raises(OutputError, match="is damaged"):
        read_run(folder)


def test_every_field_of_a_summary_is_needed(tmp_path):
    folder = write(tmp_path)
    whole = json.loads((folder / "summary.json").read_text())
    needed = sorted(set(whole) - {"batch", "findings", "numbers"})
    for key in needed:
        rest = {k: v for k, v in whole.items() if k != key}
        (folder / "summary.json").write_text(json.dumps(rest))
        with pytest.raises(OutputError, match=str(folder)):
            read_run(folder)


def test_a_summary_that_is_no_text_is_told(tmp_path):
    folder = write(tmp_path)
    (folder / "summary.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(OutputError, match=r"summary\.json can't be read"):
        read_run(folder)


hostile = sorted(HOSTILE.iterdir()) if HOSTILE.is_dir() else []


@pytest.mark.parametrize("path", hostile, ids=lambda p: p.name)
def test_hostile_results_are_told(tmp_path, path):
    folder = write(tmp_path)
    target = "summary.json" if path.suffix in {".json", ".jsonl"} else "trace.npz"
    (folder / target).write_bytes(path.read_bytes())
    with pytest.raises(OutputError, match=str(folder)):
        read_run(folder)


def test_json_is_strict():
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        runs.dump_json({"x": math.nan})
    text = runs.dump_json(record.to_json())
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def aged(folder, seconds):
    """A run folder as if it had been written at that time."""
    os.utime(folder / runs.SUMMARY, (seconds, seconds))
    return folder.resolve()


def test_a_tilde_counts_back_from_the_newest_run(tmp_path):
    folders = [aged(write(tmp_path), 1000 + number) for number in range(3)]
    other = aged(write(tmp_path, what=replace(record, scenario="t")), 2000)
    assert [find_run(name, tmp_path).resolve() for name in ("s", "s~0", "s~1", "s~2")] == [
        *(folders[2], folders[2], folders[1], folders[0])
    ]
    assert find_run("latest", tmp_path).resolve() == other
    assert find_run("latest~1", tmp_path).resolve() == folders[2]
    with pytest.raises(UsageError, match=r"^there is no run 's~3'; the oldest of 's' is s~2$"):
        find_run("s~3", tmp_path)
    with pytest.raises(UsageError, match=r"^there is no run 't~1'; there is only one$"):
        find_run("t~1", tmp_path)
    for name in ("s~", "s~-1", "s~x", "~1", "s~²"):
        with pytest.raises(UsageError, match="there is no run"):
            find_run(name, tmp_path)


def test_a_scenario_may_be_called_like_a_run_before(tmp_path):
    plain = write(tmp_path, what=replace(record, scenario="s"))
    strange = write(tmp_path, what=replace(record, scenario="s~1"))
    assert plain.parent != strange.parent
    assert find_run("s~1", tmp_path) == strange.resolve()


def test_the_resolved_scenario_is_read_back_as_it_was(tmp_path):
    folder = write(tmp_path)
    assert runs.read_resolved(folder) == scenario.resolved()
    (folder / "resolved.yaml").write_text("a: [")
    with pytest.raises(OutputError, match=r"resolved.yaml can't be read \("):
        runs.read_resolved(folder)
