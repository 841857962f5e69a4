"""Files from strangers: each is refused with status 2 and one line; none runs code, hangs or fills memory.

The whole corpus goes through the command line in one process of its own, which reports for each file what a shell would
see, and at the end the most memory that it ever held.
"""

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from quadlens.circuits import native
from quadlens.circuits.construct import construct

MAX_SECONDS = 5.0
MAX_BYTES = 2**30
P, N = 5, 6

DRIVER = """
import contextlib, io, json, os, resource, sys, time
from quadlens.cli import main
for path in sys.stdin.read().splitlines():
    out, err, status, start = io.StringIO(), io.StringIO(), None, time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(["convert", path, "converted.safetensors", "--activation", "relu", "--json"])
        except SystemExit as stop:
            status = stop.code
        except BaseException as error:
            status = repr(error)[:500]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if os.path.exists("/proc/self/status"):  # Linux counts the process that started this one into ru_maxrss
        with open("/proc/self/status") as lines:
            peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    print(json.dumps([path, status, err.getvalue(), out.getvalue(), time.process_time() - start, peak]), flush=True)
"""

Outcome = tuple[Any, str, str, float, int]


def run_corpus(folder: Path, paths: list[Path]) -> dict[str, Outcome]:
    """Convert every file in a fresh process; return status, stderr, stdout, seconds of processor time, peak bytes."""
    names = [str(path.relative_to(folder)) for path in paths]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        input="\n".join(names),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == names
    return {line[0]: tuple(line[1:]) for line in lines}


def assert_refused(outcome: Outcome, name: str) -> None:
    status, error, _, seconds, peak = outcome
    assert status == 2, (name, status, error)
    assert error.count("\n") == 1, (name, error)
    assert error.startswith("quadlens: "), (name, error)
    assert error[:-1].isprintable(), (name, error)
    assert len(error) < 700, (name, error)
    assert seconds < MAX_SECONDS, (name, seconds)
    assert peak < MAX_BYTES, (name, peak)


def state(p: int = P, n: int = N) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {"mlp.W_in": torch.randn(n, p, generator=generator), "mlp.W_out": torch.randn(p, n, generator=generator)}


def torch_bytes(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def native_bytes() -> bytes:
    return native.encode(construct(p=P, frequencies=(1, 2), neurons=N, noise=0.1), provenance={"seed": "0"})


def entries_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def pickle_of(content: bytes) -> bytes:
    return next(data for name, data in entries_of(content).items() if name.endswith("data.pkl"))


def zip_of(entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return buffer.getvalue()


def directory_of(count: int) -> bytes:
    """Return a zip file of ``count`` empty entries, written by hand: the library takes seconds for it."""
    start = b"PK\x03\x04" + bytes(26)
    head = b"PK\x01\x02" + bytes(24)
    entries = b"".join(
        head + struct.pack("<HHHHHII", 13, 0, 0, 0, 0, 0, 0) + b"archive/%05d" % (index % 10**5)
        for index in range(count)
    )
    end = struct.pack("<HHHHIIH", 0, 0, min(count, 65535), min(count, 65535), len(entries), len(start), 0)
    return start + entries + b"PK\x05\x06" + end


def with_pickle(data: bytes) -> bytes:
    """Return a well-formed checkpoint whose pickle is ``data``."""
    entries = entries_of(torch_bytes({"model": state()}))
    return zip_of([(name, data if name.endswith("data.pkl") else content) for name, content in entries.items()])


class _Runs:
    """Unpickles by running a command."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch ran",)


class _Evaluates:
    def __reduce__(self) -> tuple[Any, ...]:
        return eval, ("open('ran', 'w')",)


def tensor_pickle(size: str, stride: str, count: int = 4) -> bytes:
    """Return a pickle of one tensor of any size and stride, over a storage said to have ``count`` floats."""
    head = b"\x80\x02}X\x05\x00\x00\x00modelctorch._utils\n_rebuild_tensor_v2\n(("
    storage = b"X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ"
    numbers = [
        b"(" + b"".join(b"J" + struct.pack("<i", int(x)) for x in text.split()) + b"t" for text in (size, stride)
    ]
    end = b"\x89ccollections\nOrderedDict\n)RtRs."
    return head + storage + struct.pack("<i", count) + b"tQK\x00" + b"".join(numbers) + end


def laughs(levels: int) -> list[Any]:
    """Return lists that hold the one below twice: tiny when pickled, and endless when written out."""
    below: list[Any] = []
    for _ in range(levels):
        below = [below, below]
    return below


def pairs_of_pairs(levels: int) -> bytes:
    """Return a pickle of a pair of twice the same pair of …: a hash of it visits 2^levels values."""
    return b")q\x00" + b"h\x00\x86q\x00" * levels


def safetensors_bytes(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def native_with(change: Callable[[dict[str, Any], dict[str, Any]], None]) -> bytes:
    """Return a native file with its header and metadata changed."""
    content = native_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    described = json.loads(header["__metadata__"]["quadlens"])
    change(header, described)
    if "__metadata__" in header:
        header["__metadata__"]["quadlens"] = json.dumps(described)
    return safetensors_bytes(header, content[8 + length :])


def _set(where: str, key: str, value: Any) -> bytes:
    def change(header: dict[str, Any], described: dict[str, Any]) -> None:
        (header if where == "header" else described if where == "described" else header[where])[key] = value

    return native_with(change)


def filled(value: float, dtype: torch.dtype = torch.float32) -> bytes:
    return torch_bytes({"model": state() | {"mlp.W_in": torch.full((N, P), value, dtype=dtype)}})


GPT = OrderedDict(model=state())
ESCAPES = "<script>alert(1)</script>\x1b]0;owned\x07\x1b[2J\r\n\u202e"
FEW = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}

REFUSED: dict[str, Callable[[], bytes]] = {
    # code
    "system call": lambda: torch_bytes({"model": _Runs()}),
    "eval": lambda: torch_bytes({"model": state(), "extra": _Evaluates()}),
    "bare pickle": lambda: pickle.dumps({"model": _Runs()}),
    "getattr": lambda: with_pickle(b"\x80\x02cbuiltins\ngetattr\n(cos\nsystem\nX\x05\x00\x00\x00__doc__tR."),
    "old module names": lambda: with_pickle(b"\x80\x02c__builtin__\neval\n(X\x01\x00\x00\x001tR."),
    "protocol 4": lambda: with_pickle(pickle.dumps({"model": _Runs()}, protocol=4)),
    "protocol 5": lambda: with_pickle(pickle.dumps({"model": _Runs()}, protocol=5)),
    "protocol 1": lambda: with_pickle(b"\x80\x01}."),
    "two protocols": lambda: with_pickle(b"\x80\x04\x8c\x01a\x94\x80\x02h\x00."),
    "system call by a memo": lambda: with_pickle(
        b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x04true\x85R."
    ),
    "a name that is no text": lambda: with_pickle(b"\x80\x04]]\x93."),
    "a method of a path": lambda: with_pickle(b"\x80\x04\x8c\x07pathlib\x8c\x09Path.home\x93)R."),
    "another name of a harmless module": lambda: with_pickle(b"\x80\x02cargparse\nArgumentParser\n)R."),
    "bytes from elsewhere": lambda: with_pickle(b"\x80\x05\x97."),
    "call of a type": lambda: with_pickle(b"\x80\x02cbuiltins\nlist\n(]tR."),
    "call of a value": lambda: with_pickle(b"\x80\x02X\x01\x00\x00\x00x)R."),
    # bombs in the pickle
    "text doubled by codecs": lambda: with_pickle(
        b"\x80\x02X\x04\x00\x00\x00aaaaq\x00" + b"c_codecs\nencode\n(h\x00X\x03\x00\x00\x00hextRq\x00" * 40 + b"."
    ),
    "bytearray": lambda: with_pickle(b"\x80\x02cbuiltins\nbytearray\n(\x8a\x05\x00\x00\x00\x00\x10tR."),
    "numpy scalar of a huge type": lambda: with_pickle(
        b"\x80\x02cnumpy\ndtype\n(X\x0b\x00\x00\x00V4000000000tRq\x00cnumpy._core.multiarray\nscalar\n(h\x00tR."
    ),
    "memo of nothing": lambda: with_pickle(b"\x80\x02h\x07."),
    "lists within lists": lambda: with_pickle(b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."),
    "tuple as a key within tuples": lambda: with_pickle(b"\x80\x02})" + b"\x85" * 100_000 + b"Ns."),
    "endless when hashed": lambda: with_pickle(b"\x80\x02}" + pairs_of_pairs(25) + b"Ns."),
    "endless when hashed by a dict of pairs": lambda: with_pickle(
        b"\x80\x02ccollections\nOrderedDict\n(]" + pairs_of_pairs(25) + b"N\x86atR."
    ),
    "set": lambda: with_pickle(b"\x80\x02\x8f."),
    "endless marks": lambda: with_pickle(b"\x80\x02" + b"(" * 1_000_000 + b"."),
    "100,000 tensors of one storage": lambda: with_pickle(
        b"\x80\x02}X\x05\x00\x00\x00model}("
        + b"".join(b"X\x06\x00\x00\x00%06d" % i + tensor_pickle("1", "1", 30)[13:-2] for i in range(100_000))
        + b"us."
    ),
    "endless when written": lambda: with_pickle(
        pickle.dumps(
            {
                "model": dict.fromkeys(("blocks.0.attn.W_O", "blocks.0.mlp.W_in", "embed.W_E"), 0),
                "run_config": {"experiment": {"p": laughs(25)}},
            },
            protocol=2,
        )
    ),
    "a dict whose items are not its items": lambda: with_pickle(
        b"\x80\x02ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemsK\x01sb."
    ),
    # bombs in the tensors
    "stride 0": lambda: torch_bytes({"model": state() | {"mlp.W_in": torch.zeros(1).expand(100_000, 100_000)}}),
    "sparse": lambda: torch_bytes(
        {"model": {"mlp.W_in": torch.sparse_coo_tensor(size=(10**9, 10**9), check_invariants=True)}}
    ),
    "meta": lambda: torch_bytes({"model": state() | {"mlp.W_in": torch.empty(10**6, 10**6, device="meta")}}),
    "quantised": lambda: with_pickle(b"\x80\x02ctorch._utils\n_rebuild_qtensor\n)R."),
    "size beyond the storage": lambda: with_pickle(tensor_pickle("1000000 1000", "1000 1", 30)),
    "storage beyond the file": lambda: with_pickle(tensor_pickle("4", "1", 1_000_000_000)),
    "negative size": lambda: with_pickle(tensor_pickle("-4", "1", 30)),
    "negative stride": lambda: with_pickle(tensor_pickle("4", "-1", 30)),
    "complex": lambda: torch_bytes({"model": state() | {"mlp.W_in": torch.ones(N, P, dtype=torch.complex64)}}),
    "integers": lambda: torch_bytes({"model": state() | {"mlp.W_in": torch.ones(N, P, dtype=torch.int64)}}),
    # the container
    "deflated": lambda: zip_of(list(entries_of(torch_bytes({"model": state()})).items()), zipfile.ZIP_DEFLATED),
    "deflated bomb": lambda: zip_of(
        [*entries_of(torch_bytes({"model": state()})).items(), ("archive/data/9", bytes(2**26))], zipfile.ZIP_DEFLATED
    ),
    "entry twice": lambda: zip_of(
        # both would be read: what is refused is that there are two
        [*entries_of(whole := torch_bytes({"model": state()})).items(), ("archive/data.xxx", pickle_of(whole))]
    ).replace(b"data.xxx", b"data.pkl"),
    "two folders": lambda: zip_of(
        [*entries_of(torch_bytes({"model": state()})).items(), ("other/data/9", b"1234")],
    ),
    "path out of the folder": lambda: zip_of(
        [*entries_of(torch_bytes({"model": state()})).items(), ("archive/../../escape", b"1234")],
    ),
    "100,000 entries": lambda: directory_of(100_000),
    "no pickle": lambda: zip_of([("archive/data/0", b"1234")]),
    "empty zip": lambda: b"PK\x05\x06" + bytes(18),
    "another program's zip": lambda: zip_of([("word/document.xml", b"<w/>")]),
    # the numbers
    "NaN": lambda: filled(np.nan),
    "infinity": lambda: filled(-np.inf),
    "one NaN of half precision": lambda: filled(np.nan, torch.float16),
    "overflow of the tables": lambda: torch_bytes(
        {
            "model": {
                "embed.W_E": torch.full((4, P), 1e200, dtype=torch.float64),
                "mlp.W_in": torch.full((N, 4), 1e200, dtype=torch.float64),
            }
            | {"mlp.W_out": state()["mlp.W_out"].double()}
        }
    ),
    "overflow of the logits": lambda: filled(1e200, torch.float64),
    # the family
    "right keys of another family": lambda: torch_bytes(
        {
            "model": {
                "embed.W_E": torch.ones(4, P),
                "blocks.0.attn.W_O": torch.ones(2),
                "blocks.0.mlp.W_in": torch.ones(3),
            }
        }
    ),
    "two sizes of p": lambda: torch_bytes({"model": state() | {"mlp.W_out": torch.ones(P + 1, N)}}),
    "p = 2": lambda: torch_bytes({"model": state(p=2)}),
    "extra key": lambda: torch_bytes({"model": state() | {"mlp.W_gate_extra": torch.ones(1)}}),
    "key with escapes": lambda: torch_bytes({"model": state() | {ESCAPES: torch.ones(1)}}),
    "names that are not text": lambda: torch_bytes({"model": {1: torch.ones(1), **state()}}),
    "a list": lambda: torch_bytes([1, 2, 3]),
    "a tensor": lambda: torch_bytes(torch.ones(3)),
    "unknown family": lambda: torch_bytes({ESCAPES: torch.ones(3)}),
    "tensors where settings belong": lambda: torch_bytes(
        {
            "model": {
                "blocks.0.attn.W_O": torch.ones(2, 3, 4),
                "blocks.0.mlp.W_in": torch.ones(1),
                "embed.W_E": torch.ones(1),
            },
            "run_config": {"experiment": {"attention_rate": torch.ones(3), "p": torch.ones(1).expand(10**5, 10**5)}},
        }
    ),
    # safetensors
    "header longer than the file": lambda: struct.pack("<Q", 2**63) + b"{" + b" " * 100,
    "header of 2 MB": lambda: safetensors_bytes(b"{" + b" " * 2**21 + b"}"),
    "header cut": lambda: safetensors_bytes(b'{"a": {"dtype": "F32", "shape": [1], "data_off'),
    "header that is a list": lambda: safetensors_bytes(b"{}  ").replace(b"{}", b"[]"),
    "nested header": lambda: safetensors_bytes(b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    "100,000 empty tensors": lambda: safetensors_bytes(
        b"{" + b",".join(b'"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % i for i in range(100_000)) + b"}"
    ),
    "5,000 empty tensors": lambda: safetensors_bytes(
        {str(i): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(5_000)}
    ),
    "no rows and 2^62 columns": lambda: safetensors_bytes(
        {"a": {"dtype": "F32", "shape": [0, 2**62], "data_offsets": [0, 0]}}
    ),
    "size that overflows": lambda: safetensors_bytes(
        {"a": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 0]}}
    ),
    "negative shape": lambda: safetensors_bytes(
        {"a": {"dtype": "F32", "shape": [-1, -1], "data_offsets": [0, 4]}}, b"1234"
    ),
    "offsets that overlap": lambda: safetensors_bytes({"a": FEW, "b": FEW}, b"1234"),
    "hole": lambda: safetensors_bytes({"a": FEW | {"data_offsets": [4, 8]}}, b"12345678"),
    "bytes after the end": lambda: native_bytes() + b"PK\x05\x06",
    "tensor twice": lambda: safetensors_bytes(
        b'{"a":' + json.dumps(FEW).encode() + b',"a":' + json.dumps(FEW).encode() + b"}"
    ),
    "number of 5,000 digits": lambda: safetensors_bytes(b'{"a": {"dtype": "F32", "shape": [' + b"9" * 5000 + b"]}}"),
    "truth values": lambda: _set("A", "dtype", "BOOL"),
    "safetensors of another program": lambda: safetensors_bytes(
        {"a": FEW, "__metadata__": {"format": "pt"}}, b"1234"
    ),
    "metadata that is a number": lambda: safetensors_bytes({"a": FEW, "__metadata__": {"quadlens": 1}}, b"1234"),
    "metadata with escapes": lambda: _set("described", "provenance", {"note": ESCAPES}),
    "family with markup": lambda: _set("described", "family", "<script>alert(1)</script>"),
    "source with escapes": lambda: _set("described", "source", ESCAPES),
    "activation with escapes": lambda: _set("described", "activation", ESCAPES),
    "nested metadata": lambda: _set("described", "provenance", json.loads("[" * 40 + "]" * 40)),
    "huge p": lambda: _set("described", "p", 10**9),
    "p of text": lambda: _set("described", "p", "5"),
    "radius of NaN": lambda: _set("described", "radius", {"A": float("nan")}),
    "negative radius": lambda: _set("described", "radius", {"A": -1.0}),
    "radius that overflows": lambda: _set("described", "radius", {"A": 10**400}),
    # nothing at all
    "empty": lambda: b"",
    "one byte": lambda: b"\x00",
    "text": lambda: b"this is not a checkpoint\n" * 10,
    "escapes": lambda: ESCAPES.encode(),
    "html": lambda: b"<!DOCTYPE html><html>404</html>",
}


# by which check each is refused: another check that happens to refuse it too would hide that this one is gone
REASONS: dict[str, tuple[str, ...]] = {
    "asks for 'posix.system'": ("system call", "protocol 4", "protocol 5", "system call by a memo"),
    "asks for 'pathlib.Path.home'": ("a method of a path",),
    "asks for 'argparse.ArgumentParser'": ("another name of a harmless module",),
    "asks for '__builtin__.eval'": ("eval", "old module names"),
    "is a bare pickle, which could run code": ("bare pickle",),
    "asks for 'builtins.getattr'": ("getattr",),
    "pickle protocol 1, read are 2 to 5": ("protocol 1",),
    "pickle protocol 2, read are 2 to 5, said once and first": ("two protocols",),
    "asks for something by other than two short texts": ("a name that is no text",),
    "uses the operation NEXT_BUFFER": ("bytes from elsewhere",),
    "calls something other than a known function": ("call of a value", "call of a type"),
    "encodes text other than as latin1": ("text doubled by codecs",),
    "of no known family (gbmi, pizza, nanda, linear, one-hot, native, rep-theory): it holds": ("bytearray", "set"),
    "reads a memo that it did not write": ("memo of nothing",),
    "nests deeper than 32 levels": ("lists within lists", "tuple as a key within tuples"),
    "a key that is neither short text nor a small integer": ("endless when hashed",),
    "makes an OrderedDict of something": ("endless when hashed by a dict of pairs",),
    "its pickle needs 500001 pickle operations, more than the limit of 500000": (
        *("endless marks", "100,000 tensors of one storage"),
    ),
    "p must be an integer in 3..1000000, got a value of type list": ("endless when written",),
    "must be contiguous and stored in full": ("stride 0",),
    "asks for 'torch._utils._rebuild_sparse_tensor'": ("sparse",),
    "asks for 'torch._utils._rebuild_meta_tensor_no_storage'": ("meta",),
    "asks for 'torch._utils._rebuild_qtensor'": ("quantised",),
    "is not a readable checkpoint: RuntimeError": ("size beyond the storage", "negative size", "negative stride"),
    "storage '0' should have 4000000000 bytes, the file holds 120": ("storage beyond the file",),
    "asks for 'torch.ComplexFloatStorage'": ("complex",),
    "must have a float dtype": ("integers",),
    "is compressed; torch stores entries plain": ("deflated", "deflated bomb"),
    "has two zip entries 'archive/data.pkl'": ("entry twice",),
    "it needs one folder with data.pkl in it": ("two folders", "no pickle"),
    "does not belong in a torch checkpoint": ("path out of the folder", "another program's zip"),
    "bytes of zip directory, more than the limit of 2097152": ("100,000 entries",),
    "tensor mlp.W_in holds 30 NaN or infinite values": ("NaN", "infinity", "one NaN of half precision"),
    "a table overflows float64": ("overflow of the tables",),
    "its logits may reach": ("overflow of the logits",),
    "lacks the tensors pos_embed.W_pos": ("right keys of another family",),
    "must have shape (p = 5, d_mlp = 6), got (6, 6)": ("two sizes of p",),
    "a circuit needs p >= 3 residues": ("p = 2",),
    "has a gated MLP": ("extra key",),
    "has tensors that this family does not": ("key with escapes",),
    "must hold a dict of tensors by name": ("names that are not text",),
    "is a torch checkpoint of no known family": (
        *("a list", "a tensor", "unknown family", "a dict whose items are not its items"),
        "numpy scalar of a huge type",  # read as nothing at all, and never made
    ),
    "attention_rate must be a number in 0..1, got a value of type Tensor": ("tensors where settings belong",),
    "is neither a torch checkpoint (a zip file) nor safetensors": (
        *("empty zip", "header longer than the file", "header that is a list"),
        *("one byte", "text", "escapes", "html"),
    ),
    "a safetensors header has at most 1048576 bytes": ("header of 2 MB", "100,000 empty tensors"),
    "header is not valid JSON: Unterminated string": ("header cut",),
    "header is not valid JSON: nested deeper than 32 levels": ("nested header", "nested metadata"),
    "holds 5000 tensors; at most 1000 are read": ("5,000 empty tensors",),
    "shape must be a list of sizes": ("no rows and 2^62 columns", "negative shape"),
    "bytes, its offsets are [0, 0]": ("size that overflows",),
    "tensors may not overlap or leave holes": ("offsets that overlap", "hole"),
    "has 4 bytes after its last tensor": ("bytes after the end",),
    "a key is given twice": ("tensor twice",),
    "header is not valid JSON: an integer of 5000 digits": ("number of 5,000 digits",),
    "must have dtype F16, BF16, F32, F64": ("truth values",),
    "quadlens did not write this file of tensors": ("safetensors of another program",),
    "metadata must be an object of strings": ("metadata that is a number",),
    "provenance must map printable text to printable text": ("metadata with escapes",),
    "family must be a short plain name": ("family with markup",),
    "source must be printable text": ("source with escapes",),
    "activation must be one of relu": ("activation with escapes",),
    "bytes of tables, more than the limit": ("huge p",),
    "p must be an integer >= 3, got '5'": ("p of text",),
    "NaN is not a JSON number": ("radius of NaN",),
    "radius must map tables to bounds": ("negative radius", "radius that overflows"),
    "is empty; was it copied in full?": ("empty",),
}

WHOLE: dict[str, Callable[[], bytes]] = {"torch": lambda: torch_bytes({"model": state()}), "native": native_bytes}
EXTREME = (1e30, 5e-324, 1e-45, 3.4e38)
FLIPS = 100


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Return what the command line makes of every file of the corpus, by the file's name."""
    folder = tmp_path_factory.mktemp("hostile")
    contents = {f"refused {index}": make() for index, make in enumerate(REFUSED.values())}
    contents |= {f"extreme {value}": filled(value, torch.float64) for value in EXTREME}
    generator = np.random.default_rng(0)
    for kind, make in WHOLE.items():
        whole = contents[f"{kind} whole"] = make()
        contents |= {f"{kind} cut {percent}": whole[: len(whole) * percent // 100] for percent in range(100)}
        for bit in generator.choice(8 * len(whole), size=FLIPS, replace=False):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << (bit % 8)
            contents[f"{kind} flipped {bit}"] = bytes(flipped)
    contents["\x1b[31m<script>\u202e.pth"] = b"nonsense"
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "folder").mkdir()
    found = run_corpus(
        folder, [folder / name for name in (*contents, "pipe", "loop", "zero", "folder", "missing.pth")]
    )
    # whatever a file tried to run would have left this
    assert not (folder / "ran").exists()
    return found


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_is_refused_in_one_line(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[f"refused {list(REFUSED).index(name)}"]
    assert_refused(outcome, name)
    (reason,) = (reason for reason, names in REASONS.items() if name in names)
    assert reason in outcome[1]


def test_the_commands_in_the_corpus_would_have_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check that nothing ran can fail: a loader without protection runs them."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(_Runs()))
    assert (tmp_path / "ran").exists()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc, which Linux has")
def test_the_memory_that_is_counted_is_the_driver_s_own(tmp_path: Path) -> None:
    """Not that of the tests before this one: the kernel's simplest counter goes on from the process that started it."""
    ballast = np.ones(2**26)
    (tmp_path / "text").write_bytes(b"this is not a checkpoint")
    outcome = run_corpus(tmp_path, [tmp_path / "text"])["text"]
    assert_refused(outcome, "text")
    assert 2**20 < outcome[4] < ballast.nbytes


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_cut_at_any_percent_is_refused(outcomes: dict[str, Outcome], kind: str) -> None:
    assert outcomes[f"{kind} whole"][:2] == (0, "")
    for percent in range(100):
        assert_refused(outcomes[f"{kind} cut {percent}"], f"{percent} %")


@pytest.mark.parametrize("kind", WHOLE)
def test_a_flipped_bit_is_refused_or_harmless(outcomes: dict[str, Outcome], kind: str) -> None:
    """A zip has checksums: a flip there is refused or harmless. A safetensors file has none: a number may change."""
    whole = json.loads(outcomes[f"{kind} whole"][2])
    flipped = {name: outcome for name, outcome in outcomes.items() if name.startswith(f"{kind} flipped")}
    for name, outcome in flipped.items():
        if outcome[0] != 0:
            assert_refused(outcome, name)
        elif kind == "torch":
            read = json.loads(outcome[2])
            assert (read["accuracy"], read["min_margin"]) == (whole["accuracy"], whole["min_margin"]), name
    refused = sum(outcome[0] == 2 for outcome in flipped.values())
    assert 0 < refused < len(flipped) == FLIPS


@pytest.mark.parametrize("value", EXTREME)
def test_extreme_finite_numbers_are_numbers(outcomes: dict[str, Outcome], value: float) -> None:
    status, error, out, _, _ = outcomes[f"extreme {value}"]
    assert (status, error) == (0, "")
    assert json.loads(out)["p"] == P


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pipe", "is not a regular file"),
        ("zero", "is not a regular file"),
        ("folder", "is a directory"),
        ("missing.pth", "no file and no bundled network"),
        ("loop", "is a link that leads to no file"),
    ],
)
def test_what_is_not_a_file_is_refused_without_opening_it(
    outcomes: dict[str, Outcome], name: str, message: str
) -> None:
    assert_refused(outcomes[name], name)
    assert message in outcomes[name][1]


def test_names_with_escapes_are_shown_escaped(outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes["\x1b[31m<script>\u202e.pth"]
    assert_refused(outcome, "escaped name")
    assert r"\x1b[31m<script>\u202e.pth" in outcome[1]


@pytest.mark.parametrize(
    ("number", "says"),
    [("9" * 5000, "an integer of 5000 digits, more than the 1000 allowed"), ("1e999", "1e999 is too large")],
)
def test_numbers_beyond_comfort_are_refused_in_words_of_ours(number: str, says: str) -> None:
    from quadlens.certificates.record.file import from_json
    from quadlens.circuits.strict_json import parse_object
    from quadlens.errors import QuadlensError

    for read in (lambda text: parse_object(text, "config.json"), from_json)[: 1 if "e" in number else 2]:
        with pytest.raises(QuadlensError, match=says) as caught:
            read(f'{{"p": {number}}}')
        assert "sys." not in str(caught.value)  # no advice of Python's to raise its limit
