"""A file's bytes, read into memory or mapped, with every way that can fail said in one line."""

import contextlib
import mmap
import os
import stat
import sys
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from quadlens.circuits.limits import Budget
from quadlens.errors import CheckpointError
from quadlens.untrusted_text import one_line

STANDARD_INPUT = "-"
"""The name under which what is piped to the program is read."""


def read_file(path: str | os.PathLike[str], budget: Budget, resource: str = "bytes") -> bytes:
    """Return the bytes of a file, or of standard input (``-``), which are spent from the budget as ``resource``.

    Raises
    ------
    CheckpointError
        If there is no such file, or it is not a regular file, is empty, cannot be read, or is larger than the limit.
    """
    if os.fspath(path) == STANDARD_INPUT:
        return _piped(budget, resource)
    with _opened(path, budget, resource) as (handle, size):
        content = handle.read(size + 1)
    if len(content) != size:
        raise CheckpointError(f"{one_line(path)} changed while it was read; read it again")
    return content


def _piped(budget: Budget, resource: str) -> bytes:
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        raise CheckpointError("standard input is no file: pipe one to it, as in: quadlens fit - < model.pt")
    # one byte more than is allowed shows that there is more
    content: bytes = sys.stdin.buffer.read(budget.limits.allowed(resource) + 1)
    if not content:
        raise CheckpointError("standard input is empty; pipe a file to it, as in: quadlens fit - < model.pt")
    budget.spend(resource, len(content), "it has at least")
    return content


def map_file(path: str | os.PathLike[str], budget: Budget) -> mmap.mmap:
    """Map the file into memory, read-only: pages are read when they are used. It must not change meanwhile.

    Raises
    ------
    CheckpointError
        As ``read_file``.
    """
    with _opened(path, budget, "bytes") as (handle, _):
        return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)


@contextlib.contextmanager
def _opened(
    path: str | os.PathLike[str], budget: Budget, resource: str
) -> Iterator[tuple[BufferedReader, int]]:
    name = one_line(path)
    try:
        # a device or a pipe could block, or never end, so the kind of file is asked before it is opened
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise CheckpointError(f"{name} is a directory; name a file in it")
        if not stat.S_ISREG(status.st_mode):
            raise CheckpointError(f"{name} is not a regular file; copy its content to one")
        if status.st_size == 0:
            raise CheckpointError(f"{name} is empty; was it copied in full?")
        budget.spend(resource, status.st_size, "it has")
        with Path(path).open("rb") as handle:
            yield handle, status.st_size
    except FileNotFoundError:
        raise CheckpointError(f"{name} does not exist; name a checkpoint file or a bundled model") from None
    except ValueError as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{name} is not a file name: {one_line(error)}") from None
    except OSError as error:
        raise CheckpointError(f"{name} cannot be read: {error.strerror or type(error).__name__}") from None
