"""Outputs are written whole or not at all: to a temporary file in the same folder, flushed to disk, then renamed.

A process that is killed leaves its temporary file. It is locked while its process lives, so the next one that writes
the same output can tell what is left over from what is being written beside it.
"""

import contextlib
import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from quadlens.errors import CheckpointError, OutputError
from quadlens.untrusted_text import one_line

_SUFFIX = ".quadlens.part"
_RANDOM = r"[a-z0-9_]{8}"


def _named(path: str | os.PathLike[str]) -> Path:
    """Return the path, which must be one: None, a number or an open file is refused as other outputs are."""
    try:
        return Path(path)
    except TypeError:
        raise OutputError(f"an output's name is a text or a path, got {type(path).__name__}") from None


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it takes the place of ``path``, on failure it is removed.

    A symbolic link stays, and the file that it names is replaced; the new file has the old one's permissions.

    Raises
    ------
    OutputError
        If the folder does not exist or cannot be written, or ``path`` is there and not a regular file: a rename would
        put a file in the place of a directory, a pipe or a device (of ``/dev/null``, for the superuser).
    """
    named = _named(path)
    target = Path(os.path.realpath(named)) if os.path.islink(named) else named
    try:
        mode = _mode_of(target, named)
        _remove_leftovers(target)
        handle, part = _locked_part(target)
    except OutputError:
        raise
    except (OSError, ValueError) as error:  # the latter where the name itself is impossible
        reason = getattr(error, "strerror", None) or one_line(error)
        raise OutputError(
            f"cannot write {one_line(named)}: {reason}; choose a folder that exists and can be written"
        ) from error
    try:
        yield part
        with open(part, "rb") as written:
            os.fsync(written.fileno())
        part.chmod(mode)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"cannot write {one_line(named)}: {error.strerror or one_line(error)}") from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


def _mode_of(target: Path, named: Path) -> int:
    """Return the permissions that the output is to have: those of the file it replaces, or the usual ones."""
    try:
        mode = os.stat(target).st_mode
    except (FileNotFoundError, NotADirectoryError):
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
    if stat.S_ISDIR(mode):
        raise OutputError(f"cannot write {one_line(named)}: it is a directory; name a file")
    if not stat.S_ISREG(mode):
        raise OutputError(f"cannot write {one_line(named)}: it is a device or a pipe; name a file")
    return stat.S_IMODE(mode)


def _locked_part(target: Path) -> tuple[int, Path]:
    """Make the temporary file and lock it; until it is locked another process may take it for a leftover."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=_SUFFIX, dir=target.parent)
        part = Path(name)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:  # a file system without locks, on which no process can take this file for a leftover
            return handle, part
        with contextlib.suppress(FileNotFoundError):
            if os.stat(part).st_ino == os.fstat(handle).st_ino:
                return handle, part
        os.close(handle)


def _remove_leftovers(target: Path) -> None:
    """Remove temporary files of this output whose process is gone: of exactly the names made here, and our own."""
    leftover = re.compile(re.escape(f".{target.name}.") + _RANDOM + re.escape(_SUFFIX))
    with os.scandir(target.parent) as entries:
        found = [Path(entry.path) for entry in entries if leftover.fullmatch(entry.name)]
    for part in found:
        # one that is locked, or that another process removes first, is none of ours; a pipe would never open
        with contextlib.suppress(OSError):
            handle = os.open(part, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            try:
                status = os.fstat(handle)
                if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    part.unlink()
            finally:
                os.close(handle)


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


def read_regular(path: str | os.PathLike[str], most: int) -> bytes:
    """Return the bytes of a regular file; a pipe or a device, which may never end or never begin, is not waited for.

    Raises
    ------
    CheckpointError
        If it cannot be read, is no regular file, or has more than ``most`` bytes.
    """
    name = one_line(path)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(handle, "rb") as opened:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise CheckpointError(f"{name} is not a regular file")
            if status.st_size > most:
                raise CheckpointError(f"{name} has {status.st_size} bytes, more than the {most} that belong there")
            return opened.read(most + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{name} cannot be read: {getattr(error, 'strerror', None) or one_line(error)}") from None


def rename_aside(path: Path) -> Path | None:
    """Rename a file that is not what its name says, so that it is not used and not lost; None if it is gone already."""
    for number in range(1000):
        aside = path.with_name(f"{path.name}.set-aside-{number}")
        if not aside.exists() and not aside.is_symlink():
            try:
                return path.rename(aside)
            except FileNotFoundError:
                return None
            except OSError as error:
                raise OutputError(f"cannot set {one_line(path)} aside: {error.strerror or one_line(error)}") from error
    raise OutputError(f"cannot set {one_line(path)} aside: there are a thousand files of that name")


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Create the folder (and its parents) if it is missing, and return it.

    Raises
    ------
    OutputError
        If it cannot be made, or has no name (an empty variable in a shell): that is not the current folder.
    """
    folder = _named(path)
    if not os.fspath(path):
        raise OutputError("an output folder needs a name, got an empty one; choose one with -o")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or one_line(error)
        raise OutputError(f"cannot make the folder {one_line(folder)}: {reason}; choose another with -o") from error
    return folder


@contextlib.contextmanager
def folder_alone(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Wait until no other process writes its set of files to the folder, and let none begin until this one is done.

    Where the file system has no locks, each file is still whole, and the set may be mixed.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
