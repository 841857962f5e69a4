"""numpy's ``.npz``: a zip of arrays, each with a header that says its shape; nothing is unpickled."""

import math
import zipfile
from typing import Any

import numpy as np

from quadlens.circuits.limits import MAX_TENSORS, Budget
from quadlens.circuits.torch_zip import Directory
from quadlens.errors import CheckpointError
from quadlens.untrusted_text import one_line

MAX_HEADER = 10_000
MAX_DIMENSIONS = 8


def looks_like_npz(content: bytes) -> bool:
    """Say whether a zip file's first entry is a numpy array."""
    length = int.from_bytes(content[26:28], "little")
    return content[:4] == b"PK\x03\x04" and content[30 : 30 + length].endswith(b".npy")


def read_npz(content: bytes, budget: Budget) -> dict[str, Any]:
    """Return the arrays by name; what is no array of floats is left for the readers to refuse.

    Raises
    ------
    CheckpointError
        If the archive is damaged, holds too much, or an entry is not an array of numbers.
    """
    where = budget.where
    directory = Directory(content, budget)
    try:
        with zipfile.ZipFile(directory) as archive:
            directory.budget = None
            entries = archive.infolist()
            if len(entries) > MAX_TENSORS:
                raise CheckpointError(f"{where} holds {len(entries)} arrays; at most {MAX_TENSORS} are read")
            names = [entry.filename for entry in entries]
            if len(set(names)) != len(names):
                raise CheckpointError(f"{where} holds two arrays of one name")
            return {entry.filename.removesuffix(".npy"): _array(archive, entry, budget) for entry in entries}
    except (CheckpointError, MemoryError):
        raise
    except Exception as error:  # a damaged directory or header can make the parsers raise anything
        raise CheckpointError(f"{where} is not a readable npz file: {one_line(error)}") from None


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget) -> Any:
    label = f"{budget.where}: array {one_line(repr(entry.filename), 60)}"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # the others take gigabytes of tables
        raise CheckpointError(f"{label} is compressed in a way that numpy does not write; save it again")
    budget.spend("bytes of zip content", entry.file_size, "its arrays need")
    with archive.open(entry) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise CheckpointError(f"{label} has format {version}; numpy writes (1, 0) or (2, 0)")
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        try:
            shape, fortran, dtype = read_header(stream, max_header_size=MAX_HEADER)
        except (MemoryError, RecursionError):  # what Python's parser says of a text that nests too deeply
            raise CheckpointError(f"{label} has a header that nests too deeply") from None
        if dtype.kind not in "fiub" or dtype.hasobject:
            raise CheckpointError(f"{label} must hold numbers, got dtype {one_line(dtype, 40)}")
        if any(size < 0 for size in shape) or len(shape) > MAX_DIMENSIONS:
            raise CheckpointError(f"{label} must have at most {MAX_DIMENSIONS} dimensions, got shape {shape}")
        count = math.prod(shape)
        budget.spend("bytes of float64 tensors", 8 * count, "its arrays need")
        # one byte more than is needed shows that there is too much
        raw = stream.read(count * dtype.itemsize + 1)
    if len(raw) != count * dtype.itemsize:
        raise CheckpointError(f"{label} of shape {shape} needs {count * dtype.itemsize} bytes, it has another number")
    return np.frombuffer(raw, dtype=dtype).reshape(shape, order="F" if fortran else "C")
