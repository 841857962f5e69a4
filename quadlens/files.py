"""Outputs are written whole or not at all: to a temporary file in the same folder, flushed to disk, then renamed.

A process that is killed leaves its temporary file. It is locked while its process lives, so the next one that writes
the same output can tell what is left over from what is being written beside it.
"""

import contextlib
import glob
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from quadlens.errors import OutputError

if sys.platform != "win32":
    import fcntl


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it takes the place of ``path``, on failure it is removed.

    A symbolic link stays, and the file that it names is replaced.

    Raises
    ------
    OutputError
        If the folder does not exist or cannot be written, or ``path`` is there and not a regular file: a rename would
        put a file in the place of a directory, a pipe or a device (of ``/dev/null``, for the superuser).
    """
    named = Path(path)
    target = Path(os.path.realpath(named)) if os.path.islink(named) else named
    try:
        _refuse_what_is_no_file(target, named)
        _remove_leftovers(target)
        handle, part = _locked_part(target)
    except OutputError:
        raise
    except (OSError, ValueError) as error:  # the latter where the name itself is impossible
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"cannot write {named}: {reason}; choose a folder that exists and can be written") from error
    try:
        yield part
        with open(part, "rb") as written:
            os.fsync(written.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"cannot write {named}: {error.strerror or error}") from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


def _refuse_what_is_no_file(target: Path, named: Path) -> None:
    try:
        mode = os.stat(target).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISDIR(mode):
        raise OutputError(f"cannot write {named}: it is a directory; name a file")
    if not stat.S_ISREG(mode):
        raise OutputError(f"cannot write {named}: it is a device or a pipe; name a file")


def _locked_part(target: Path) -> tuple[int, Path]:
    """Make the temporary file and lock it; until it is locked another process may take it for a leftover."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        part = Path(name)
        if sys.platform == "win32":
            return handle, part
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:  # a file system without locks, on which no process can take this file for a leftover
            return handle, part
        with contextlib.suppress(FileNotFoundError):
            if os.stat(part).st_ino == os.fstat(handle).st_ino:
                return handle, part
        os.close(handle)


def _remove_leftovers(target: Path) -> None:
    """Remove temporary files of this output whose process is gone."""
    if sys.platform == "win32":  # leftovers cannot be told there, and stay
        return
    for part in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        # one that is locked, or that another process removes first, is none of ours
        with contextlib.suppress(OSError), open(part, "rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_atomically(
    path: str | os.PathLike[str], content: str | bytes | Iterable[bytes | memoryview]
) -> None:
    """Write ``content`` (text as UTF-8; or its parts, one after the other) to ``path``, whole or not at all."""
    if isinstance(content, str):
        content = content.encode()
    with atomic_path(path) as part, part.open("wb") as handle:
        handle.writelines([content] if isinstance(content, bytes) else content)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse an output that could not be written before the work that makes it, not after.

    Raises
    ------
    OutputError
        As ``atomic_path`` does. Nothing is written, and nothing stays behind.
    """

    class _OnlyTrying(Exception):
        pass

    with contextlib.suppress(_OnlyTrying), atomic_path(path):
        raise _OnlyTrying


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Create the folder (and its parents) if it is missing, and return it.

    Raises
    ------
    OutputError
        If it cannot be made, or has no name (an empty variable in a shell): that is not the current folder.
    """
    if not os.fspath(path):
        raise OutputError("an output folder needs a name, got an empty one; choose one with -o")
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot make the folder {folder}: {reason}; choose another with -o") from error
    return folder


@contextlib.contextmanager
def folder_alone(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Wait until no other process writes its set of files to the folder, and let none begin until this one is done.

    Where the file system has no locks, each file is still whole, and the set may be mixed.
    """
    with contextlib.ExitStack() as stack:
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                handle = os.open(folder, os.O_RDONLY)
                stack.callback(os.close, handle)
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
