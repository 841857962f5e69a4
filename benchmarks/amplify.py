"""Small files that ask for much: ``python -m benchmarks.amplify``.

Each kind of file makes one thing large (bytes that calls make, keys that collide, records built of one dict, views of
one storage, zip entries behind a count of one, products of one matrix …) at several sizes. Every file is loaded and run
on all inputs as every command does first (certificates: ``quadlens check``) in a process of its own, whose processor
time and largest memory are measured: under 5 s and 1 GiB for every file up to the size limit. Set OMP_NUM_THREADS=1: a
thread that waits for another costs processor time too.
"""

import argparse
import contextlib
import io
import json
import os
import resource
import struct
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

SECONDS = 5.0
BYTES = 2**30
SIZES = (0.02, 0.1, 0.3, 1.0, 1.5)
"""Of each kind, as a share of what its largest file that fits the limits would hold."""

Maker = Callable[[float], bytes]


class Measured(NamedTuple):
    """What one file cost: ``error`` is what it wrote to stderr."""

    status: int
    error: str
    seconds: float
    peak: int


def archive(pickle: bytes, storages: tuple[bytes, ...] = ()) -> bytes:
    """Return a torch checkpoint, as far as its zip file goes, of this pickle."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        entries = {"data.pkl": pickle, "version": b"3\n", **{f"data/{i}": data for i, data in enumerate(storages)}}
        for name, data in entries.items():
            target.writestr(zipfile.ZipInfo(f"archive/{name}"), data)
    return made.getvalue()


def _text(value: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value


def _put(index: int) -> bytes:
    return b"r" + struct.pack("<I", index)


def _integer(value: int) -> bytes:
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def _count(most: int, size: float) -> int:
    return max(1, round(most * size))


def _keys(make: Callable[[int], bytes], most: int) -> Maker:
    return lambda size: archive(b"\x80\x02}(" + b"".join(make(i) + b"N" for i in range(_count(most, size))) + b"u.")


def _repeated(before: bytes, each: bytes, after: bytes, most: int, storages: tuple[bytes, ...] = ()) -> Maker:
    return lambda size: archive(b"\x80\x02" + before + each * _count(most, size) + after + b".", storages)


def _record_of_many(target: bytes, keys: int, most: int) -> Maker:
    entries = b"}(" + b"".join(_text(b"key %d" % i) + b"N" for i in range(keys)) + b"u" + _put(0)
    return _repeated(b"](" + entries, target + b"h\x00b", b"e", most)


REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\nq\x05ccollections\nOrderedDict\nq\x07"


def _storage(count: int, key: int = 0, kind: bytes = b"HalfStorage") -> bytes:
    head = b"(" + _text(b"storage") + b"ctorch\n" + kind + b"\n" + _text(b"%d" % key) + _text(b"cpu")
    return head + b"J" + struct.pack("<i", count) + b"tQ"


def _tensor(shape: bytes, stride: bytes) -> bytes:
    return b"h\x05(h\x06K\x00" + shape + stride + b"\x89h\x07)RtR"


def _views(most: int, *, alone: bool = False, stride: bytes = b"M\x00\x04K\x01\x86") -> Maker:
    """Return a state dict of tensors that view one storage of 2^20 float16."""

    def make(size: float) -> bytes:
        tensor = _tensor(b"M\x00\x04M\x00\x04\x86", stride)
        count = _count(most, size)
        if alone:
            listed = tensor + b"q\x08" + b"h\x08" * (count - 1)
        else:
            listed = b"}(" + b"".join(_text(b"mlp.%d" % i) + tensor for i in range(count)) + b"u"
        return archive(b"\x80\x02](" + REBUILD + _storage(2**20) + b"q\x06" + listed + b"e.", (bytes(2**21),))

    return make


def _directory(name: int, extra: int, comment: int, said: int | None = 1) -> Maker:
    """Return a zip file of empty entries, whose end record says that there are ``said``."""

    def make(size: float) -> bytes:
        local = b"PK\x03\x04" + bytes(26)
        each = 46 + name + extra + comment
        count = max(1, round(2**27 * 0.98 * size) // each) if size < 1 else round(2**27 * 0.98) // each
        head = b"PK\x01\x02" + bytes(24) + struct.pack("<HHHHHII", name, extra, comment, 0, 0, 0, 0)
        tail = bytes(extra) + b"c" * comment
        width = min(name, 9)
        listed = b"".join(
            head + b"n" * (name - width) + (b"%09d" % index)[-width:] + tail for index in range(min(count, 600_000))
        )
        said_now = min(count, 65535) if said is None else said
        end = struct.pack("<HHHHIIH", 0, 0, said_now, said_now, len(listed), len(local), 0)
        return local + listed + b"PK\x05\x06" + end

    return make


def _real_entries(size: float) -> bytes:
    return archive(b"\x80\x02}.", (b"1234",) * _count(9_900, min(size, 1.0)))


def safetensors(header: bytes, data: bytes = b"") -> bytes:
    """Return a safetensors file of this header."""
    return struct.pack("<Q", len(header)) + header + data


def _header(each: str, most: int, opening: str = '{"a":[', closing: str = "]}") -> Maker:
    def make(size: float) -> bytes:
        return safetensors((opening + ",".join([each] * _count(most, size)) + closing).encode())

    return make


def _native(
    p: int, neurons: int, shapes: dict[str, tuple[int, int]], tables: dict[str, Any], dtype: str = "F16"
) -> bytes:
    described = {"format": "quadlens circuit", "version": 1, "p": p, "neurons": neurons, "activation": "relu"}
    described |= {"family": "x", "source": "x", "provenance": {}, "tables": tables}
    header: dict[str, Any] = {"__metadata__": {"quadlens": json.dumps(described)}}
    end, item = 0, {"F16": 2, "F32": 4, "F64": 8}[dtype]
    for key, (rows, columns) in shapes.items():
        header[key] = {"dtype": dtype, "shape": [rows, columns], "data_offsets": [end, end + item * rows * columns]}
        end += item * rows * columns
    return safetensors(json.dumps(header).encode(), bytes(end))


def _product(*factors: str) -> dict[str, Any]:
    return {"coefficient": "1/2", "factors": list(factors)}


def _added(most: int, factors: tuple[str, ...], width: int, inner: int) -> Maker:
    """Return a network whose table A adds one product again and again."""

    def make(size: float) -> bytes:
        shapes = {"X": (64, width), "Y": (width, width), "Z": (width, inner), "U": (inner, 64), "A": (64, inner)}
        shapes |= {"V": (64, 1), "W": (1, inner)}
        used = {name: shapes[name] for name in {*factors, "A", "U"}}
        tables = {"A": [_product(*factors)] * _count(most, min(size, 1.0)), "B": [_product("A")], "U": [_product("U")]}
        return _native(64, inner, dict(sorted(used.items())), tables)

    return make


def _chain(size: float) -> bytes:
    wide = _count(10**6, size)
    shapes = {"U": (1, 1000), "x": (1000, 1), "y": (1, wide), "z": (wide, 1)}
    return _native(1000, 1, shapes, {"A": [_product("x", "y", "z")], "B": [_product("x")], "U": [_product("U")]})


def _tables(p: int, most: int, dtype: str) -> Maker:
    def make(size: float) -> bytes:
        n = _count(most, size)
        plain = {name: [_product(name)] for name in "ABU"}
        return _native(p, n, {"A": (p, n), "B": (p, n), "U": (n, p)}, plain, dtype)

    return make


def _wide_products(size: float) -> bytes:
    d = _count(1400, size)
    shapes = {"E": (64, d), "R": (d, 64), "S": (d, 64), **{f"M{i}": (d, d) for i in range(4)}}
    factors = [_product("E", f"M{i}", f"M{j}", f"M{k}", "R") for i in range(4) for j in range(4) for k in range(4)]
    outer = [_product("E", f"M{i}", f"M{j}", f"M{k}", "S") for i in range(4) for j in range(4) for k in range(4)]
    return _native(64, 64, shapes, {"A": factors, "B": outer, "U": [_product("E", "R")]})


def _plain_tensors(most: int, dtype: str) -> Maker:
    def make(size: float) -> bytes:
        n = _count(most, size)
        kind, item = {"F16": (b"HalfStorage", 2), "F32": (b"FloatStorage", 4), "F64": (b"DoubleStorage", 8)}[dtype]
        tensors = b""
        for index, (key, shape) in enumerate(((b"mlp.W_in", (n, 64)), (b"mlp.W_out", (64, n)))):
            numbers = [b"J" + struct.pack("<i", x) for x in (*shape, shape[1], 1)]
            rebuilt = _tensor(numbers[0] + numbers[1] + b"\x86", numbers[2] + numbers[3] + b"\x86")
            # the first of a pair is the storage, which its tensor takes from the memo
            tensors += _text(b"n%d" % index) + _storage(n * 64, index, kind) + b"q\x06" + _text(key) + rebuilt
        pickle = b"\x80\x02}(" + _text(b"a") + b"(" + REBUILD + b"t" + _text(b"model") + b"}(" + tensors + b"uu."
        return archive(pickle, (bytes(n * 64 * item),) * 2)

    return make


def _npz(header: Callable[[int], bytes], most: int, method: int = zipfile.ZIP_DEFLATED) -> Maker:
    """Return an ``.npz`` of one array of zeros, with this header."""

    def make(size: float) -> bytes:
        count, made = _count(most, size), io.BytesIO()
        with zipfile.ZipFile(made, "w", method) as target:
            text = header(count)
            text += b" " * (-(len(text) + 11) % 64) + b"\n"
            array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(8 * count)
            target.writestr(zipfile.ZipInfo("a.npy"), array, compress_type=method)
        return made.getvalue()

    return make


def _array(shape: str) -> Callable[[int], bytes]:
    return lambda count: b"{'descr': '<f8', 'fortran_order': False, 'shape': (" + shape.format(count).encode() + b"), }"


ORDERED = b"ccollections\nOrderedDict\nq\x01"
CONFIG = b"c__main__\nConfig\nq\x02"
LONG = b"a" * 2**20
LATIN = _text(b"latin1") + b"q\x01"

KINDS: dict[str, Maker] = {
    # pickles: one value made many times
    "bytes of one text": _repeated(
        b"](" + _text(LONG) + b"q\x00" + LATIN + b"c_codecs\nencode\nq\x02", b"h\x02h\x00h\x01\x86R", b"e", 70_000
    ),
    "bytes of one short text": _repeated(
        b"](" + _text(LONG[:2000]) + b"q\x00" + LATIN + b"c_codecs\nencode\nq\x02",
        *(b"h\x02h\x00h\x01\x86R", b"e", 70_000),
    ),
    "records of one dict": _record_of_many(CONFIG + b")\x81", 20_000, 20_000),
    "ordered dicts of one dict": _record_of_many(ORDERED + b")R", 20_000, 20_000),
    "types of one tuple": _repeated(
        b"](" + b"(" + b"N" * 100_000 + b"tq\x00cnumpy\ndtype\nq\x01", b"h\x01)Rh\x00b", b"e", 60_000
    ),
    "sizes of one tuple": _repeated(
        b"](" + b"(" + b"K\x01" * 200_000 + b"tq\x00\x85q\x03ctorch\nSize\nq\x01", b"h\x01h\x03R", b"e", 60_000
    ),
    "views of one storage": _views(20_000),
    "views of one storage, transposed": _views(20_000, stride=b"K\x01M\x00\x04\x86"),
    "one tensor many times": _views(240_000, alone=True),
    "a tensor set to another size": lambda size: archive(
        b"\x80\x02](" + REBUILD + _storage(4) + b"q\x06" + _tensor(b"K\x04\x85", b"K\x01\x85") + b"(h\x06K\x00"
        + (b"J" + struct.pack("<i", _count(2**24, size))) * 2 + b"\x86J" + struct.pack("<i", _count(2**24, size))
        + b"K\x01\x86tbe.",
        (bytes(8),),
    ),
    # pickles: keys
    "integers of one hash": _keys(lambda i: _integer((i + 1) * (2**61 - 1)), 240_000),
    "integers of equal low bits": _keys(lambda i: _integer((i + 1) << 40), 240_000),
    "small integers": _keys(lambda i: _integer(i * 4 % 2**20), 240_000),
    "pairs as keys": _keys(lambda i: b"J" + struct.pack("<i", i) + b"N\x86", 120_000),
    "floats as keys": _keys(lambda i: b"G" + struct.pack(">d", 2.0 ** (61 * (i % 16)) * (i + 1)), 240_000),
    "texts as keys": _keys(lambda i: _text(b"key %d" % i), 240_000),
    "one long key again and again": _repeated(
        b"](" + _text(LONG) + b"q\x00" + _text(LONG) + b"q\x01}(", b"h\x00Nh\x01N", b"ue", 110_000
    ),
    "nulls as keys": _repeated(b"}(", b"NN", b"u", 240_000),
    # pickles: many small things
    "ordered dicts": _repeated(b"](" + ORDERED, b"h\x01)R", b"e", 160_000),
    "records": _repeated(b"](" + CONFIG, b"h\x02)\x81}" + _text(b"a") + b"Nsb", b"e", 70_000),
    "devices": _repeated(
        b"](ctorch\ndevice\nq\x01" + _text(b"cpu") + b"\x85q\x02", b"h\x01h\x02R", b"e", 160_000
    ),
    "dicts": _repeated(b"](", b"}", b"e", 490_000),
    "dicts of one entry": _repeated(b"](" + _text(b"a") + b"q\x00", b"}h\x00Ns", b"e", 120_000),
    "lists of one list": _repeated(b"](", b"](Ne", b"e", 120_000),
    "tuples": _repeated(b"](N", b"\x85", b"e", 490_000),
    "numbers of 255 bytes": _repeated(b"](", b"\x8a\xff" + b"\x7f" * 255, b"e", 60_000),
    "texts of 30 bytes": _repeated(b"](", _text("Ω".encode() * 15), b"e", 400_000),
    "places of the memo": lambda size: archive(
        b"\x80\x02](" + b"".join(b"N" + _put(i << 13) for i in range(_count(300_000, size))) + b"e."
    ),
    "a number of many digits": lambda size: archive(b"\x80\x02I" + b"9" * _count(2**24, size) + b"\n."),
    "a name of many letters": lambda size: archive(b"\x80\x02c" + b"a" * _count(2**24, size) + b"\nb\n."),
    "marks": _repeated(b"", b"(", b"", 490_000),
    "one storage named again": _repeated(b"](" + _storage(4)[:-1] + b"q\x00", b"h\x00Q", b"e", 240_000, (bytes(8),)),
    # zip files
    "entries behind a count of one": _directory(12, 0, 0),
    "entries that are counted": _directory(12, 0, 0, None),
    "entries of long names": _directory(60_000, 0, 0),
    "entries of long notes": _directory(12, 60_000, 60_000),
    "true entries": _real_entries,
    # numpy's archives
    "an array of zeros, deflated": _npz(_array("{},"), 2**24),
    "an array of zeros, by lzma": _npz(_array("{},"), 2**24, zipfile.ZIP_LZMA),
    "an array of negative size": _npz(_array("-{},"), 2**23),
    "an array of two negative sizes": _npz(_array("-{},-1"), 2**23),
    "a header of signs": _npz(lambda count: b"{'descr': '<f8', 'shape': (" + b"-" * min(count, 9000) + b"1,)}", 9000),
    "arrays behind a count of one": lambda size: _directory(12, 0, 0)(size).replace(
        b"PK\x03\x04" + bytes(26), b"PK\x03\x04" + bytes(22) + b"\x05\x00\x00\x00a.npy", 1
    ),
    # safetensors headers
    "objects": _header("{}", 349_000),
    "objects of one key": _header('{"a":0}', 130_000),
    "numbers": _header("1", 520_000),
    "numbers of 4,000 digits": _header("9" * 4000, 260),
    "fractions of 100,000 digits": _header("0." + "3" * 100_000, 10),
    "escapes": _header('"\\ud83d\\ude00"', 70_000),
    "lists": _header("[]", 349_000),
    "brackets in text": _header('"' + "[" * 1000 + '"', 1000),
    "metadata": lambda size: safetensors(
        ('{"__metadata__":{' + ",".join(f'"{i}":""' for i in range(_count(80_000, size))) + "}}").encode()
    ),
    "metadata of objects": lambda size: safetensors(
        json.dumps({"__metadata__": {"quadlens": "[" + ",".join(["{}"] * _count(349_000, size)) + "]"}}).encode()
    ),
    # native files
    "one matrix added": _added(1024, ("A",), 8, 16_000),
    "one product added": _added(1024, ("X", "Y", "Y", "Y", "Y", "Y", "Z"), 3000, 64),
    "one outer product added": _added(1024, ("V", "W"), 8, 16_000),
    "a column times a row": _chain,
    "many products": _wide_products,
    "tables of half precision": _tables(64, 85_000, "F16"),
    "tables of float64": _tables(64, 85_000, "F64"),
    "many inputs": _tables(700, 900, "F16"),
    # torch files of tensors alone
    "tensors of half precision": _plain_tensors(128_000, "F16"),
    "tensors of float32": _plain_tensors(128_000, "F32"),
    "tensors of float64": _plain_tensors(128_000, "F64"),
}

CERTIFICATES: dict[str, Maker] = {
    "certificate of lists": lambda size: b'{"classes": [' + b",".join([b"[]"] * _count(10**6, size)) + b"]}",
    "certificate of numbers": lambda size: b'{"classes": [' + b",".join([b"1.5"] * _count(16 * 10**6, size)) + b"]}",
    "certificate of objects": lambda size: b'{"classes": [' + b",".join([b'{"a":0}'] * _count(10**6, size)) + b"]}",
    "certificate of one text": lambda size: b'{"format": "' + b"a" * _count(2**26, size) + b'"}',
    "certificate of digits": lambda size: b'{"p": ' + b"9" * _count(2**26, size) + b"}",
    "certificate of keys": lambda size: b"{"
    + b",".join(b'"%d":0' % i for i in range(_count(4 * 10**6, size)))
    + b"}",
}


def load(path: str) -> None:
    """Do what every command does first with a model."""
    from quadlens.cli.model_argument import load_model
    from quadlens.errors import QuadlensError

    try:
        load_model(path)
    except QuadlensError as error:
        print(f"quadlens: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def measure(work: Callable[[], None]) -> Measured:
    """Do the work in a child of this process, which should have imported everything already."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        error, status = io.StringIO(), 70
        # twice what is promised, and room for what is mapped without being used
        resource.setrlimit(resource.RLIMIT_DATA, (4 * BYTES, 4 * BYTES))
        with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
            try:
                work()
                status = 0
            except SystemExit as stop:
                status = stop.code if isinstance(stop.code, int) else 70
            except BaseException as problem:
                error.write(repr(problem)[:300])
        os.write(write, error.getvalue().encode()[:4000])
        os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read().decode()
    _, code, usage = os.wait4(child, 0)
    return Measured(os.waitstatus_to_exitcode(code), said, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def warm_up(folder: Path) -> None:
    """Import what reading a file imports, so that no child is charged for it."""
    import torch  # noqa: F401

    from quadlens.certificates.certify import certify
    from quadlens.circuits import native
    from quadlens.circuits.construct import construct
    from quadlens.circuits.load import load

    circuit = construct(p=5, frequencies=(1, 2), neurons=8)
    native.write(circuit, folder / "small.safetensors")
    certify(load(folder / "small.safetensors"), method="linear")


def files() -> Iterator[tuple[str, Maker, float]]:
    """Yield every file's name, maker and size."""
    for kinds in (KINDS, CERTIFICATES):
        for kind, make in kinds.items():
            for size in SIZES:
                yield f"{kind} × {size:g}", make, size


def run(folder: Path, name: str, make: Maker, size: float) -> Measured:
    """Write one file and measure what reading it takes."""
    path = folder / "hostile"
    path.write_bytes(make(size))
    if name.startswith("certificate"):
        from quadlens.cli import main

        return measure(lambda: main(["check", str(path), str(folder / "small.safetensors")]))
    return measure(lambda: load(str(path)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="part of the name of the kinds to make")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder, worst, bad, done = Path(temporary), [0.0, 0.0], 0, 0
        warm_up(folder)
        started = time.monotonic()
        for name, make, size in files():
            if given.only not in name:
                continue
            found = run(folder, name, make, size)
            clean = found.status == 0 or (found.status == 2 and found.error.count("\n") == 1)
            good = clean and found.seconds < SECONDS and found.peak < BYTES
            done, bad = done + 1, bad + (not good)
            worst = [max(worst[0], found.seconds), max(worst[1], found.peak / 2**20)]
            mark = " " if good else "!"
            print(f"{mark} {name:45} {found.status:3} {found.seconds:6.2f} s {found.peak / 2**20:6.0f} MiB", end=" ")
            print(found.error.strip()[-150:], flush=True)
    print(
        f"{done} files in {time.monotonic() - started:.0f} s: {bad} beyond {SECONDS:g} s or {BYTES / 2**20:g} MiB, or"
        f" not clean; at most {worst[0]:.2f} s of processor time and {worst[1]:.0f} MiB"
    )
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
