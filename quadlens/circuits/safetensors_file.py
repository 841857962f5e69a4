"""The safetensors container: 8 bytes of header length, a JSON header, then the tensors' bytes without a hole."""

import json
import math
from collections.abc import Iterator, Mapping
from mmap import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

from quadlens.arrays import FloatArray
from quadlens.circuits.limits import MAX_TENSORS, Budget
from quadlens.circuits.strict_json import check_keys, parse_object
from quadlens.errors import CheckpointError, OutputError
from quadlens.untrusted_text import is_plain, one_line

MAX_HEADER = 2**20
MAX_DIMENSIONS = 4
ITEM_BYTES = {"F16": 2, "BF16": 2, "F32": 4, "F64": 8}
BLOCK = 2**20
"""Numbers looked at together."""

Content = bytes | mmap
"""A file's bytes, read or mapped."""


def looks_like_safetensors(content: Content) -> bool:
    """Say whether the first bytes are a header length and the start of a JSON object."""
    return len(content) >= 10 and content[8:9] == b"{" and int.from_bytes(content[:8], "little") <= len(content) - 8


def read_tensors(content: Content, budget: Budget) -> tuple[dict[str, FloatArray], dict[str, str]]:
    """Return the tensors, converted exactly to float64, and the metadata of a safetensors file.

    A tensor that is float64 already is not copied: it is a view of ``content``.

    Raises
    ------
    CheckpointError
        If the container is malformed, a dtype is not F16, BF16, F32 or F64, a value is not finite, or the values in
        float64 need more memory than the limit.
    """
    where = budget.where
    if len(content) < 10:
        raise CheckpointError(f"{where} is not a safetensors file: it has only {len(content)} bytes")
    length = int.from_bytes(content[:8], "little")
    if length > MAX_HEADER:
        raise CheckpointError(f"{where}: a safetensors header has at most {MAX_HEADER} bytes, this one says {length}")
    if length > len(content) - 8:
        raise CheckpointError(f"{where} is cut short: its header has {length} bytes, the file {len(content) - 8} more")
    budget.spend("bytes of JSON", length, "its header has")
    header = parse_object(content[8 : 8 + length], f"{where}: the safetensors header")
    metadata = _metadata(header.pop("__metadata__", {}), where)
    if len(header) > MAX_TENSORS:
        raise CheckpointError(f"{where} holds {len(header)} tensors; at most {MAX_TENSORS} are read")
    data = memoryview(content)[8 + length :]
    spans = []
    tensors = {}
    for name, entry in header.items():
        label = f"{where}: tensor {one_line(repr(name), 60)}"
        dtype, shape, start, stop = _entry(entry, label)
        spans.append((start, stop, label))
        if stop > len(data):
            raise CheckpointError(f"{label} ends at byte {stop} of {len(data)}: the file is cut short")
        budget.spend("bytes of float64 tensors", 8 * math.prod(shape), "its tensors need")
        tensors[name] = _values(data[start:stop], dtype, label).reshape(shape)
    end = 0
    for start, stop, label in sorted(spans):
        if start != end:
            raise CheckpointError(f"{label} starts at byte {start}, not {end}: tensors may not overlap or leave holes")
        end = stop
    if end != len(data):
        raise CheckpointError(f"{where} has {len(data) - end} bytes after its last tensor; remove them")
    return tensors, metadata


def _metadata(given: Any, where: str) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise CheckpointError(f"{where}: safetensors metadata must be an object of strings")
    return given


def _entry(entry: Any, label: str) -> tuple[str, tuple[int, ...], int, int]:
    if not isinstance(entry, dict):
        raise CheckpointError(f"{label} must be described by an object, got {type(entry).__name__}")
    check_keys(entry, {"dtype", "shape", "data_offsets"}, set(), label)
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise CheckpointError(f"{label} must have dtype {', '.join(ITEM_BYTES)}, got {one_line(repr(dtype), 40)}")
    for what, numbers in (("shape", shape), ("data_offsets", offsets)):
        if not isinstance(numbers, list) or not all(type(number) is int and 0 <= number < 2**48 for number in numbers):
            raise CheckpointError(f"{label}: {what} must be a list of sizes, got {one_line(numbers, 60)}")
    if not 1 <= len(shape) <= MAX_DIMENSIONS or 0 in shape:
        raise CheckpointError(
            f"{label} must have 1 to {MAX_DIMENSIONS} dimensions, none empty, got shape {one_line(shape, 60)}"
        )
    if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * ITEM_BYTES[dtype]:
        raise CheckpointError(
            f"{label} of shape {tuple(shape)} in {dtype} needs {math.prod(shape) * ITEM_BYTES[dtype]} bytes,"
            f" its offsets are {one_line(offsets, 60)}"
        )
    return dtype, tuple(shape), offsets[0], offsets[1]


def _values(raw: memoryview, dtype: str, label: str) -> FloatArray:
    if dtype == "BF16":
        # a bfloat16 is the upper half of a float32
        stored = (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
    else:
        stored = np.frombuffer(raw, {"F16": "<f2", "F32": "<f4", "F64": "<f8"}[dtype])
    count = sum(int((~np.isfinite(stored[at : at + BLOCK])).sum()) for at in range(0, stored.size, BLOCK))
    if count:
        raise CheckpointError(f"{label} holds {count} NaN or infinite values; every weight must be finite")
    # a file of another writer may put its numbers where float64 cannot lie
    return np.asarray(stored.astype(np.float64, copy=not stored.flags.aligned))


def narrowest_dtype(tensors: Mapping[str, FloatArray]) -> str:
    """Return the narrowest of F16, BF16, F32, F64 that holds every value of every tensor exactly.

    A checkpoint's values were stored in one of these: this gives that dtype back, or a narrower one that loses nothing.
    """
    fits = ["F16", "BF16", "F32", "F64"]
    for tensor in tensors.values():
        with np.errstate(over="ignore"):
            single = tensor.astype("<f4")
            half_fits = np.array_equal(tensor.astype("<f2").astype(np.float64), tensor)
        single_fits = np.array_equal(single.astype(np.float64), tensor)
        brain_fits = single_fits and not (single.view("<u4") & 0xFFFF).any()
        held = {"F16": half_fits, "BF16": brain_fits, "F32": single_fits, "F64": True}
        fits = [dtype for dtype in fits if held[dtype]]
    return fits[0]


def _stored(tensor: FloatArray, dtype: str) -> npt.NDArray[Any]:
    if dtype == "BF16":
        return (tensor.astype("<f4").view("<u4") >> 16).astype("<u2")
    return np.ascontiguousarray(tensor, dtype={"F16": "<f2", "F32": "<f4", "F64": "<f8"}[dtype])


def encode_tensors(tensors: Mapping[str, FloatArray], metadata: Mapping[str, str]) -> Iterator[bytes | memoryview]:
    """Yield the parts of a safetensors file, one tensor at a time; equal content gives equal bytes.

    Raises
    ------
    OutputError
        If a tensor's name cannot be shown plainly, or there are too many to read back.
    """
    dtype = narrowest_dtype(tensors)
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    end = 0
    for name, tensor in sorted(tensors.items()):
        if not is_plain(name):
            raise OutputError(f"a tensor's name must be printable, got {one_line(repr(name), 60)}")
        size = tensor.size * ITEM_BYTES[dtype]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise OutputError(f"a safetensors header may have at most {MAX_HEADER} bytes, this one would have {len(text)}")
    yield len(text).to_bytes(8, "little") + text
    for _, tensor in sorted(tensors.items()):
        yield _stored(tensor, dtype).data.cast("B")
