"""Run folders: one per run, written whole or not at all, never over an earlier one."""

from __future__ import annotations

import glob
import io
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from mpnet.errors import OutputError, ScenarioError, UsageError, shown
from mpnet.names import file_name
from mpnet.record import SCHEMA, MessageTable, Record
from mpnet.scenario.document import read_document
from mpnet.trace import Trace

if TYPE_CHECKING:  # reading a run needs no scenario, and must not load numba for it
    from mpnet.simulation.loading import Scenario

SUMMARY, TRACE, VIEWS, CURVES = "summary.json", "trace.npz", "views.npz", "curves.npz"
MESSAGES = "messages.npz"
ARRAY_BYTES = 2**31
"""Largest array that is read from a run folder, in bytes."""
_UNREADABLE = (
    *(OSError, ValueError, EOFError, MemoryError, LookupError, RuntimeError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error),
)
"""What damaged bytes make numpy and zipfile raise."""


def write_run(record: Record, scenario: Scenario, out: Path | None, root: Path) -> Path:
    """Write a run folder and return its path.

    Parameters
    ----------
    record : Record
        What happened.
    scenario : Scenario
        What was run.
    out : Path or None
        The folder to make; it must be missing or empty. If None, a new one under
        ``root/NAME/`` is made and ``root/NAME/latest`` points to it.
    root : Path
        Folder of all runs.

    Raises
    ------
    OutputError
        If the folder is not empty or can't be written.

    """
    try:
        if out is not None:
            if out.exists() and (not out.is_dir() or any(out.iterdir())):
                raise OutputError(
                    f"{out} is there already and not empty; runs are never overwritten"
                )
            return _write_whole(record, scenario, out)
        parent = root / file_name(record.scenario)
        parent.mkdir(parents=True, exist_ok=True)
        _ignore_in_git(root)
        folder = _write_whole(record, scenario, parent / _run_name(record))
        _point_latest(parent, folder.name)
        return folder
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"the run can't be written: {error.strerror or error} ({error.filename})"
        ) from error


def _run_name(record: Record) -> str:
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return f"{now}-{record.environment['scenario_sha256'][:6]}"


def _write_whole(record: Record, scenario: Scenario, folder: Path) -> Path:
    """Write into a hidden folder beside, then rename: readers see all files or none."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.parent / f".{folder.name}.partial-{os.getpid()}"
    partial.mkdir()
    try:
        for name, content in _contents(record, scenario).items():
            _write(partial / name, content)
        if folder.exists() and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        return _rename(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _rename(partial: Path, folder: Path) -> Path:
    """Rename to the first free name; two runs may end in one second."""
    for number in range(1, 1000):
        target = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        if not target.exists():
            try:
                partial.rename(target)
            except OSError:
                if target.exists():
                    continue
                raise
            return target
    raise OutputError(f"{folder} and 998 names like it are taken")


def _contents(record: Record, scenario: Scenario) -> dict[str, bytes]:
    # The dumper in C writes the same and is ten times faster on large scenarios.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    resolved = yaml.dump(scenario.resolved(), Dumper=dumper, sort_keys=False, allow_unicode=True)
    environment = json.dumps(dict(record.environment), indent=1, sort_keys=True)
    files = {
        "scenario.yaml": scenario.document.text.encode(),
        "resolved.yaml": resolved.encode(),
        "environment.json": environment.encode(),
        TRACE: _packed(record.trace.to_arrays()),
        SUMMARY: dump_json(record.to_json()).encode(),
    }
    if record.messages is not None:
        files[MESSAGES] = _packed(record.messages.to_arrays())
    if record.views:
        files[VIEWS] = _named(record.views, "view")
    if record.findings is not None and record.findings.curves:
        files[CURVES] = _named(record.findings.curves, "curve")
    return files


def _named(arrays: Mapping[str, NDArray[np.float64]], word: str) -> bytes:
    """Arrays under numbered keys beside a table of names, for a name may be any text."""
    packed: dict[str, NDArray[Any]] = {"names": np.array(list(arrays), dtype=np.str_)}
    packed |= {f"{word}{i:04d}": array for i, array in enumerate(arrays.values())}
    return _packed(packed)


def _read_named(path: Path, word: str) -> dict[str, NDArray[np.float64]]:
    """What ``_named`` packed; nothing where there is no such file."""
    if not path.exists():
        return {}
    packed = _load(path)
    return {
        str(name): np.asarray(packed[f"{word}{i:04d}"], dtype=np.float64)
        for i, name in enumerate(packed["names"])
    }


def dump_json(data: Mapping[str, Any]) -> str:
    """JSON that every parser reads: NaN would be an error, not a word of its own."""
    return json.dumps(data, allow_nan=False, ensure_ascii=False, indent=1)


def _packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    # As numpy.savez_compressed writes them, but at the quickest level: three times as fast on
    # a large trace, for some percent more.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
    return buffer.getvalue()


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _ignore_in_git(root: Path) -> None:
    marker = root / ".gitignore"
    if not marker.exists():
        marker.write_text("*\n")


def _point_latest(parent: Path, name: str) -> None:
    """Let ``latest`` point to the newest run; a text file where links are not to be had."""
    temporary = parent / f".latest-{os.getpid()}"
    try:
        temporary.symlink_to(name)
        os.replace(temporary, parent / "latest")
    except OSError:
        temporary.unlink(missing_ok=True)
        (parent / "latest.txt").write_text(name + "\n")


def find_run(argument: str, root: Path) -> Path:
    """The run folder that an argument names.

    Parameters
    ----------
    argument : str
        A path, a scenario's name or ``latest``; ``NAME~1`` is the run before the newest of that
        scenario, ``latest~2`` the one two before the newest of all.
    root : Path
        Folder of all runs.

    Raises
    ------
    UsageError
        If there is none.

    """
    path = Path(argument)
    if (path / SUMMARY).is_file():
        return path
    newest = _newest(argument, root)
    if newest is not None:
        return newest
    name, tilde, back = argument.rpartition("~")
    first = _newest(name, root) if tilde and back.isascii() and back.isdecimal() else None
    if first is not None:
        return _run_before(name, first, int(back[:9]), root)
    raise UsageError(
        f"there is no run {argument!r}; name a run folder, a scenario that ran, or latest"
    )


def _newest(name: str, root: Path) -> Path | None:
    """The newest run of a scenario, or of all."""
    for folder in (root / name, root / file_name(name)):
        if name and (folder / "latest" / SUMMARY).is_file():
            return (folder / "latest").resolve()
    runs = _all_runs(root, "*") if name == "latest" else []
    return runs[0] if runs else None


def _all_runs(root: Path, name: str) -> list[Path]:
    """Run folders of a scenario, newest first: by when they were written, then by name."""
    found = [p.parent for p in root.glob(f"{name}/*/{SUMMARY}") if p.parent.name != "latest"]
    return sorted(found, key=lambda p: ((p / SUMMARY).stat().st_mtime_ns, p.name), reverse=True)


def _run_before(name: str, newest: Path, back: int, root: Path) -> Path:
    """The run that is ``back`` runs older than the newest."""
    folder = "*" if name == "latest" else glob.escape(newest.parent.name)
    older = [run for run in _all_runs(root, folder) if run.resolve() != newest.resolve()]
    if back <= len(older):
        return ([newest, *older])[back]
    oldest = f"the oldest of {name!r} is {name}~{len(older)}" if older else "there is only one"
    raise UsageError(f"there is no run {name + '~' + str(back)!r}; {oldest}")


def read_resolved(folder: Path) -> dict[str, Any]:
    """The scenario of a run folder as plain data, every default filled in.

    Raises
    ------
    OutputError
        If it is missing or no such data; names the file.

    """
    path = folder / "resolved.yaml"
    try:
        return read_document(str(path), path.read_bytes()).data
    except (OSError, RecursionError, ScenarioError) as error:
        raise OutputError(f"{path} can't be read ({shown(str(error), 300)})") from error


def read_run(folder: Path) -> Record:
    """Read a run folder back.

    Raises
    ------
    OutputError
        If a file is missing, cut off or not what it should be; names the file.

    """
    try:
        data = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise OutputError(f"{folder / SUMMARY} can't be read ({error})") from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise OutputError(f"{folder / SUMMARY} is no summary of schema {SCHEMA}")
    try:
        trace = Trace.from_arrays(_load(folder / TRACE))
        views, curves = _read_named(folder / VIEWS, "view"), _read_named(folder / CURVES, "curve")
        found = folder / MESSAGES
        messages = MessageTable.from_arrays(_load(found)) if found.exists() else None
        return Record.from_json(data, trace, views, curves, messages)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise OutputError(f"{folder} is damaged: {error}") from error


def _load(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays of an npz file; pickles are refused and sizes checked before anything is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(set(names)) != len(names):
                raise OutputError(f"{path} holds a member twice")
            if sum(info.file_size for info in archive.infolist()) > ARRAY_BYTES:
                raise OutputError(f"{path} unpacks to more than {ARRAY_BYTES} bytes")
        with np.load(path, allow_pickle=False) as loaded:
            return {name: loaded[name] for name in loaded.files}
    except OutputError:
        raise
    except _UNREADABLE as error:
        raise OutputError(f"{path} can't be read, it may have been cut off ({error})") from error
