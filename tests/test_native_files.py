"""Native files: what is written is read back, value for value; what does not fit the format is refused in one line."""

import json
from fractions import Fraction
from mmap import mmap
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import quadlens.circuits.native as native
from quadlens.circuits.circuit import TABLES
from quadlens.circuits.construct import construct
from quadlens.circuits.load import load
from quadlens.circuits.weights import Product, Weights, circuit_from_weights
from quadlens.errors import CheckpointError, OutputError


def small_weights(dtype: str = "float32", p: int = 5, neurons: int = 4) -> Weights:
    generator = np.random.default_rng(0)
    shapes = {"E": (p, 3), "W_in": (3, neurons), "b_in": (1, neurons), "W_out": (neurons, 3), "W_U": (3, p)}
    tensors = {name: generator.standard_normal(shape).astype(dtype).astype(float) for name, shape in shapes.items()}
    half = Fraction(1, 2)
    tables = {
        "A": (Product(factors=("E", "W_in"), coefficient=half),),
        "B": (Product(factors=("E", "W_in"), coefficient=half), Product(factors=("b_in",))),
        "U": (Product(factors=("W_out", "W_U")),),
    }
    return Weights(p=p, neurons=neurons, tensors=tensors, tables=tables, family="test", source="made here")


def assert_same_circuit(one, other):
    assert (one.p, one.neurons, one.activation, one.family) == (other.p, other.neurons, other.activation, other.family)
    assert one.radius == other.radius
    for table in TABLES:
        np.testing.assert_array_equal(getattr(one, table), getattr(other, table))


@pytest.mark.parametrize(("dtype", "stored"), [("float16", "float16"), ("float32", "float32"), ("float64", "float64")])
def test_weights_come_back_value_for_value_in_the_dtype_they_had(tmp_path: Path, dtype: str, stored: str) -> None:
    weights = small_weights(dtype)
    native.write(weights, tmp_path / "w.safetensors")
    circuit = native.read(tmp_path / "w.safetensors")
    assert_same_circuit(circuit, circuit_from_weights(weights))
    assert dict(circuit.weights.tables) == dict(weights.tables)
    assert {str(tensor.dtype) for tensor in load_file(tmp_path / "w.safetensors").values()} == {stored}
    assert circuit.source == str(tmp_path / "w.safetensors")


def test_bfloat16_values_are_stored_as_bfloat16_and_come_back(tmp_path: Path) -> None:
    weights = small_weights()
    # 2^100 · (1 + k/128) is a bfloat16 and no float16
    tensors = {name: np.ldexp(1 + np.round(np.abs(t) * 30) / 128, 100) for name, t in weights.tensors.items()}
    weights = Weights(p=5, neurons=4, tensors=tensors, tables=weights.tables)
    native.write(weights, tmp_path / "w.safetensors")
    assert b'"BF16"' in (tmp_path / "w.safetensors").read_bytes()
    assert_same_circuit(native.read(tmp_path / "w.safetensors"), circuit_from_weights(weights))


def test_a_circuit_of_tables_comes_back_and_zero_skip_tables_are_left_out(tmp_path: Path) -> None:
    circuit = construct(p=10, frequencies=(1, 3), neurons=16)
    native.write(circuit, tmp_path / "c.safetensors")
    assert set(load_file(tmp_path / "c.safetensors")) == {"A", "B", "U"}
    again = native.read(tmp_path / "c.safetensors")
    assert_same_circuit(again, circuit)
    assert again.weights is None


def test_a_circuit_written_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        native.write(small_weights(), tmp_path / name, provenance={"seed": "0", "command": "train"})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_provenance_comes_back_with_the_source(tmp_path: Path) -> None:
    native.write(small_weights(), tmp_path / "w", provenance={"seed": "0", "note": "a < b, ψ = 2φ"})
    assert native.read_provenance(tmp_path / "w") == {"seed": "0", "note": "a < b, ψ = 2φ", "source": "made here"}


def test_text_that_could_not_be_read_back_is_refused_before_writing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="provenance must map printable text"):
        native.write(small_weights(), tmp_path / "w", provenance={"note": "\x1b[2J"})
    assert not (tmp_path / "w").exists()


def rewrite(path: Path, change) -> None:
    """Write the file again with its described metadata and tensors changed by ``change(described, tensors)``."""
    from safetensors import safe_open

    with safe_open(path, "numpy") as opened:
        described = json.loads(opened.metadata()["quadlens"])
    tensors = load_file(path)
    change(described, tensors)
    save_file(tensors, path, {"quadlens": json.dumps(described)})


def _set(key, value):
    return lambda described, tensors: described.update({key: value})


def _tensor(name, value):
    return lambda described, tensors: tensors.update({name: value})


def _coefficient(value):
    def change(described, tensors):
        described["tables"]["A"][0]["coefficient"] = value

    return change


def _drop_tensor(described, tensors):
    del tensors["W_in"]


BAD = {
    "format": (_set("format", "other"), "must say format 'quadlens circuit'"),
    "version": (_set("version", 2), "version 1"),
    "p two": (_set("p", 2), "p must be an integer >= 3, got 2"),
    "p true": (_set("p", True), "p must be an integer"),
    "p other": (_set("p", 6), r"table A must have shape \(6, 4\)"),
    "p huge": (_set("p", 10**6), "more than the limit"),
    "neurons": (_set("neurons", 5), "shape"),
    "activation": (_set("activation", "step"), "activation must be one of relu"),
    "family": (_set("family", "<script>"), "family must be a short plain name"),
    "provenance": (_set("provenance", {"a": "\x1b[31m"}), "printable text"),
    "source": (_set("source", "a\nb"), "source must be printable"),
    "unknown key": (_set("command", "rm"), "unknown keys: 'command'"),
    "tables": (_set("tables", []), "tables must be an object"),
    "tables key": (_set("tables", {"V": []}), "keys among A, B, U"),
    "coefficient number": (_coefficient(0.5), "coefficient must be text"),
    "coefficient zero division": (_coefficient("1/0"), "coefficient must be text"),
    "coefficient huge": (_coefficient("9" * 30), "2\\^-200 and 1000000"),
    "coefficient tiny": (_coefficient("1/" + "9" * 200), "must be text"),
    "missing tensor": (_drop_tensor, "lacks W_in"),
    "extra tensor": (_tensor("x", np.ones((1, 1), "f4")), "unknown keys: 'x'"),
    "vector": (_tensor("b_in", np.ones(4, "f4")), "must be a matrix"),
    "wrong shape": (_tensor("W_in", np.ones((4, 4), "f4")), "do not chain"),
    "nan": (_tensor("W_in", np.full((3, 4), np.nan, "f4")), "tensor 'W_in' holds 12 NaN"),
    "integers": (_tensor("W_in", np.ones((3, 4), "i4")), "must have dtype F16, BF16, F32, F64, got 'I32'"),
    "huge values": (_tensor("W_in", np.full((3, 4), 1e308)), "overflows|NaN or infinite"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_does_not_fit_the_format_is_refused_in_one_line(tmp_path: Path, case: str) -> None:
    path = tmp_path / "bad.safetensors"
    native.write(small_weights("float64" if case == "huge values" else "float32"), path)
    native.read(path)
    change, message = BAD[case]
    rewrite(path, change)
    with pytest.raises(CheckpointError, match=message) as caught:
        native.read(path)
    assert "bad.safetensors" in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_outer_product_too_large_for_memory_is_refused(tmp_path: Path) -> None:
    """A column times a row is small in the file and enormous in memory."""
    p, wide = 1000, 10**6
    tensors = {"x": np.ones((p, 1)), "y": np.ones((1, wide)), "z": np.ones((wide, 1)), "U": np.ones((1, p))}
    expressions = {"A": ("x", "y", "z"), "B": ("x",), "U": ("U",)}
    tables = {table: (Product(factors=factors),) for table, factors in expressions.items()}
    native.write(Weights(p=p, neurons=1, tensors=tensors, tables=tables), tmp_path / "w")
    with pytest.raises(CheckpointError, match=r"making table A needs \d+ bytes of products, more than the limit of"):
        native.read(tmp_path / "w")


def test_the_size_limit_is_enforced_and_can_be_raised(tmp_path: Path) -> None:
    native.write(small_weights(), tmp_path / "w")
    size = (tmp_path / "w").stat().st_size
    native.read(tmp_path / "w", max_bytes=size)
    advice = "if you trust the file, --max-megabytes 1"
    with pytest.raises(CheckpointError, match=f"has {size} bytes, more than the limit of {size - 1}; {advice}"):
        native.read(tmp_path / "w", max_bytes=size - 1)


def test_an_output_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*directory"):
        native.write(small_weights(), tmp_path)
    with pytest.raises(OutputError, match="cannot write"):
        native.write(small_weights(), tmp_path / "no" / "such" / "folder")


def test_a_mapped_file_is_the_same_circuit_and_its_tables_are_not_copied(tmp_path):
    circuit = construct(p=7, frequencies=(1, 2), neurons=9, noise=0.1)
    native.write(circuit, tmp_path / "circuit.safetensors")
    read, mapped = (native.read(tmp_path / "circuit.safetensors", mapped=mapped) for mapped in (False, True))
    assert_same_circuit(mapped, read)
    table = mapped.A
    while isinstance(table.base, np.ndarray):
        table = table.base
    assert isinstance(table.base, memoryview)
    assert isinstance(table.base.obj, mmap)
    assert not mapped.A.flags.writeable


@pytest.mark.parametrize("cut", [0, 5, 40, -1])
def test_a_mapped_file_that_is_cut_short_is_refused(tmp_path, cut):
    whole = native.encode(construct(p=7, frequencies=(1, 2), neurons=9, noise=0.1))
    (tmp_path / "cut.safetensors").write_bytes(whole[:cut])
    with pytest.raises(CheckpointError):
        load(tmp_path / "cut.safetensors", mapped=True)


def test_only_native_files_are_mapped(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"PK\x03\x04 a torch checkpoint is a zip")
    with pytest.raises(CheckpointError, match=r"not a safetensors file|header"):
        load(tmp_path / "model.pt", mapped=True)
    with pytest.raises(CheckpointError, match="only native safetensors files can be mapped; the pizza family is read"):
        load(tmp_path / "model.pt", family="pizza", mapped=True)


def test_parts_of_a_file_make_its_bytes(tmp_path):
    circuit = construct(p=7, frequencies=(1, 2), neurons=9, noise=0.1)
    parts = list(native.encode_parts(circuit))
    assert len(parts) == 4  # the header and three tables, never all in one piece
    native.write(circuit, tmp_path / "circuit.safetensors")
    assert (tmp_path / "circuit.safetensors").read_bytes() == b"".join(parts) == native.encode(circuit)
