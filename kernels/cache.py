"""A folder of mpnet's own for compiled kernels.

Numba stamps a cached kernel with the text of its own source file only, so a changed helper in
another file goes unnoticed. The folder used here is therefore named after a hash of *all* kernel
sources, the numba version and this package's version. A seal lists the files and their hashes: a
damaged cache is thrown away before numba reads it.
"""

import atexit
import hashlib
import io
import json
import os
import pickletools
import shutil
import stat
import sys
import tempfile
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from numba import config

SEAL = "seal.json"
CACHE_VARIABLE = "MPNET_CACHE_DIR"


class KernelCacheWarning(UserWarning):
    """The folder for compiled kernels can't be used as it is; kernels compile again."""


def key() -> str:
    """Name of the cache folder: 16 hex digits of a hash over sources, versions and bounds checks."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    digest.update(f"{version('numba')} {version('numpy')} {sys.version_info[:2]}".encode())
    # Numba does not tell kernels with bounds checks from those without.
    digest.update(f"bounds {vars(config)['BOUNDSCHECK']}".encode())
    try:
        digest.update(version("mpnet").encode())
    except PackageNotFoundError:  # run from a checkout that was never installed
        digest.update(b"not installed")
    return digest.hexdigest()[:16]


def root() -> Path:
    """Folder of all mpnet caches of this user: MPNET_CACHE_DIR, XDG_CACHE_HOME or ~/.cache.

    Raises
    ------
    RuntimeError
        If the user has no home folder.

    """
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "mpnet"
    return Path.home() / ".cache" / "mpnet"


def prepare() -> Path:
    """Make the folder ready for numba and return it.

    Falls back to a private temporary folder, with one warning, where the user's own can't be
    written; throws a damaged cache away, with one warning.
    """
    try:
        folder = root() / "kernels" / key()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _refuse_unless_private(folder)
    except (OSError, RuntimeError) as error:
        folder = Path(tempfile.mkdtemp(prefix="mpnet-kernels-"))
        warnings.warn(
            f"compiled kernels can't be kept ({error}); they compile again in every run; "
            f"set {CACHE_VARIABLE} to a folder that you can write",
            KernelCacheWarning,
            stacklevel=2,
        )
        return folder
    if damage := damaged(folder):
        wipe(folder)
        warnings.warn(
            f"the kernel cache was damaged ({damage}) and has been cleared; "
            "kernels compile again, once",
            KernelCacheWarning,
            stacklevel=2,
        )
    atexit.register(seal_again, folder)
    return folder


def _refuse_unless_private(folder: Path) -> None:
    """Cached kernels are code: nobody else may own the folder or write into it."""
    probe = folder / f".probe-{os.getpid()}"
    probe.touch()
    probe.unlink()
    if hasattr(os, "getuid"):
        info = folder.stat()
        if info.st_uid != os.getuid():
            raise PermissionError(f"{folder} belongs to another user")
        if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            folder.chmod(0o700)


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix in (".nbi", ".nbc"))


def _hashes(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in _files(folder)
    }


def damaged(folder: Path) -> str:
    """Say what is wrong with a sealed cache, or nothing; an unsealed one is taken as it is."""
    if not (folder / SEAL).exists():
        return ""
    try:
        sealed = json.loads((folder / SEAL).read_bytes())
        if not isinstance(sealed, dict):
            return "its list of files is not a list of files"
        for name, digest in sealed.items():
            content = (folder / name).read_bytes()
            if hashlib.sha256(content).hexdigest() == digest:
                continue
            if not (name.endswith(".nbi") and is_index(content)):
                return f"{Path(name).name} has changed"
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def is_index(content: bytes) -> bool:
    """Whether bytes are a whole index of numba's: it grows when a kernel is compiled once more.

    An index is two pickles in a row; they are read through here, not loaded.
    """
    stream = io.BytesIO(content)
    try:
        for _ in range(2):
            for _opcode, _argument, _position in pickletools.genops(stream):
                pass
    except ValueError:
        return False
    return not stream.read()


def seal_again(folder: Path) -> None:
    """Bring the list up to date if kernels were compiled since it was written."""
    try:
        sealed = json.loads((folder / SEAL).read_bytes())
        if set(sealed) != {p.relative_to(folder).as_posix() for p in _files(folder)}:
            seal(folder)
    except (OSError, ValueError, TypeError):
        return


def is_sealed(folder: Path) -> bool:
    """Whether all kernels have been compiled into the folder before."""
    return (folder / SEAL).exists()


def seal(folder: Path) -> None:
    """List what the folder holds, so that damage shows; does nothing where it can't write."""
    temporary = folder / f".{SEAL}.{os.getpid()}"
    try:
        hashes = _hashes(folder)
        if hashes:
            temporary.write_text(json.dumps(hashes, indent=1))
            os.replace(temporary, folder / SEAL)
    except OSError:
        temporary.unlink(missing_ok=True)


def wipe(folder: Path) -> None:
    """Delete everything in the cache folder, but not the folder."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
