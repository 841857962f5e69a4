r"""quadlens' own files: the stored matrices as safetensors, and in its metadata the products that make the tables.

The metadata has one key, ``quadlens``, whose value is a JSON object:

    format "quadlens circuit", version 1, p, neurons, activation, family, source, provenance {text: text}, and either
    tables {table: [{"coefficient": "1/2", "factors": ["E", "W_V.0", …]}, …]}, the tensors being the weights, or
    radius {table: bound}, the tensors being the tables themselves; and, where there is something to say, reading: the
    circuit's provenance, what the file that it was read from said, what was assumed, left out or frozen
"""

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from quadlens.activations import ACTIVATIONS
from quadlens.arrays import FloatArray
from quadlens.circuits.circuit import TABLES, Circuit, require_circuit
from quadlens.circuits.input_file import map_file, read_file
from quadlens.circuits.limits import Budget, Limits, spend_evaluation, spend_tables
from quadlens.circuits.number_range import require_range
from quadlens.circuits.provenance import Provenance, provenance_from
from quadlens.circuits.safetensors_file import MAX_HEADER, Content, encode_tensors, read_tensors
from quadlens.circuits.strict_json import check_keys, parse_object
from quadlens.circuits.weights import Product, Weights, circuit_from_weights
from quadlens.errors import CheckpointError, CircuitError, OutputError
from quadlens.files import write_atomically
from quadlens.untrusted_text import is_plain, one_line

FORMAT = "quadlens circuit"
VERSION = 1
METADATA_KEY = "quadlens"
MAX_TEXT = 4000
MAX_COEFFICIENT = 10**6
MAX_RADIUS = 1e300
_COEFFICIENT = re.compile(r"-?[0-9]{1,40}(/[1-9][0-9]{0,39})?", re.ASCII)
_OF_OTHERS = {".pt", ".pth", ".ckpt", ".bin", ".npz", ".npy", ".pkl"}
_FAMILY = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._,()=+-]{0,79}", re.ASCII)


def write(
    model: Circuit | Weights, path: str | os.PathLike[str], *, provenance: Mapping[str, str] | None = None
) -> None:
    """Write a circuit or its weights to ``path`` as native safetensors, whole or not at all; see ``encode``."""
    require_own_name(path)
    write_atomically(path, encode_parts(model, provenance=provenance))


def require_own_name(path: str | os.PathLike[str]) -> None:
    """Refuse a name that says that the file is of another format: torch or numpy would then fail on it."""
    suffix = os.path.splitext(os.fsdecode(path))[1] if isinstance(path, str | bytes | os.PathLike) else ""
    if suffix.lower() in _OF_OTHERS:
        raise OutputError(f"cannot write {one_line(path)}: this is a safetensors file, and {suffix} is not its suffix")


def save(model: Circuit | Weights, path: str | os.PathLike[str]) -> None:
    """Write a circuit, or the weights of one, as a native safetensors file that ``load`` reads back exactly.

    Raises
    ------
    CircuitError
        If it is neither.
    OutputError
        If the file cannot be written; nothing half-written is left.
    """
    write(model if isinstance(model, Weights) else require_circuit(model, "save"), path)


def encode(model: Circuit | Weights, *, provenance: Mapping[str, str] | None = None) -> bytes:
    """Return the content of a native file; see ``encode_parts``."""
    return b"".join(encode_parts(model, provenance=provenance))


def encode_parts(
    model: Circuit | Weights, *, provenance: Mapping[str, str] | None = None
) -> Iterator[bytes | memoryview]:
    """Return the content of a native file in parts, so that tables larger than half the memory can be written.

    A circuit that knows its weights is written as weights; any other as its tables, zero skip tables left out.

    Parameters
    ----------
    provenance : how the network came to be (command, seed, versions, accuracy …), any printable text

    Raises
    ------
    OutputError
        If a text in it could not be read back.
    """
    weights = model if isinstance(model, Weights) else model.weights
    described: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "p": model.p,
        "neurons": model.neurons,
        "activation": model.activation,
        "family": model.family,
        # a file is sent around: the folders of this machine are nobody else's
        "source": one_line(Path(model.source).name if os.path.isabs(model.source) else model.source, MAX_TEXT),
        "provenance": dict(provenance or {}),
    }
    if model.provenance != Provenance(family=model.provenance.family):
        described["reading"] = model.provenance.to_dict()
    tensors: dict[str, FloatArray]
    if weights is not None:
        described["tables"] = {
            table: [{"coefficient": str(product.coefficient), "factors": list(product.factors)} for product in products]
            for table, products in weights.tables.items()
            if products
        }
        tensors = dict(weights.tensors)
    elif isinstance(model, Circuit):
        described["radius"] = {name: bound for name, bound in model.radius.items() if bound}
        tensors = {name: getattr(model, name) for name in TABLES}
        tensors = {name: table for name, table in tensors.items() if name in ("A", "B", "U") or table.any()}
    try:
        _described({METADATA_KEY: json.dumps(described)}, "this circuit")
    except CheckpointError as error:
        raise OutputError(f"{error}; the file could not be read back") from None
    return encode_tensors(tensors, {METADATA_KEY: json.dumps(described, sort_keys=True, ensure_ascii=False)})


def read(path: str | os.PathLike[str], *, max_bytes: int | None = None, mapped: bool = False) -> Circuit:
    """Read a native file into a circuit whose ``source`` is the path.

    Parameters
    ----------
    max_bytes : largest file, and largest memory for tables; the default is ``limits.MAX_BYTES``
    mapped : map the file into memory in place of reading it, so that float64 tables are not copied; it must not change
        while the circuit is in use

    Raises
    ------
    CheckpointError
        If the file is not a native file, or anything in it does not fit the format exactly.
    """
    budget = Budget(where=one_line(path), limits=Limits() if max_bytes is None else Limits(max_bytes=max_bytes))
    return from_bytes((map_file if mapped else read_file)(path, budget), str(path), budget)


def read_provenance(path: str | os.PathLike[str], *, max_bytes: int | None = None) -> dict[str, str]:
    """Return the provenance stored in a native file, with the stored source under ``source`` if it has no such key."""
    budget = Budget(where=one_line(path), limits=Limits() if max_bytes is None else Limits(max_bytes=max_bytes))
    _, metadata = read_tensors(read_file(path, budget), budget)
    described = _described(metadata, budget.where)
    return {"source": described["source"], **described["provenance"]}


def is_native_content(content: Content) -> bool:
    """Say whether a safetensors file's header may be that of a native file; ``from_bytes`` then checks it."""
    length = int.from_bytes(content[:8], "little")
    return length > MAX_HEADER or f'"{METADATA_KEY}"'.encode() in content[8 : 8 + length]


def is_native(metadata: Mapping[str, str]) -> bool:
    """Say whether a safetensors file's metadata is that of a native file."""
    return METADATA_KEY in metadata


def from_bytes(content: Content, source: str, budget: Budget) -> Circuit:
    """Read the content of a native file; ``source`` names it."""
    where = budget.where
    tensors, metadata = read_tensors(content, budget)
    described = _described(metadata, where)
    p, neurons = described["p"], described["neurons"]
    spend_tables(p, neurons, budget)
    for name, tensor in tensors.items():
        if tensor.ndim != 2:
            raise CheckpointError(
                f"{where}: tensor {one_line(repr(name), 60)} must be a matrix (a bias has one row),"
                f" got shape {tensor.shape}"
            )
    common: dict[str, Any] = {"p": p, "activation": described["activation"], "source": source}
    common["family"] = described["family"]
    common["provenance"] = _read_from(described.get("reading"), source)
    try:
        if "radius" in described:
            check_keys(tensors, {"A", "B", "U"}, {"S_a", "S_b"}, f"{where}: the list of tensors")
            circuit = Circuit(**{**common, **tensors, "radius": described["radius"]})
        else:
            products = [product for table in described["tables"].values() for product in table]
            used = {name for product in products for name in product.factors}
            check_keys(tensors, used, set(), f"{where}: the list of tensors")
            weights = Weights(**common, neurons=neurons, tensors=tensors, tables=described["tables"])
            spend_evaluation(weights, budget)
            circuit = circuit_from_weights(weights)
        require_range(circuit)
    except CircuitError as error:
        raise CheckpointError(f"{where}: {one_line(error, 300)}") from None
    if circuit.neurons != neurons:
        raise CheckpointError(f"{where}: metadata says {neurons} neurons, table A has {circuit.neurons}")
    return circuit


def _described(metadata: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return the metadata's JSON object, every field checked, ``tables`` as products."""
    if not is_native(metadata):
        raise CheckpointError(f"{where} has no {METADATA_KEY!r} metadata: quadlens did not write this safetensors file")
    label = f"{where}: the {METADATA_KEY!r} metadata"
    given = parse_object(metadata[METADATA_KEY], label)
    if given.get("format") != FORMAT or given.get("version") != VERSION:
        raise CheckpointError(f"{label} must say format {FORMAT!r}, version {VERSION}")
    named = {"format", "version", "p", "neurons", "activation", "family", "source", "provenance"}
    check_keys(given, named | {"radius" if "radius" in given else "tables"}, {"reading"}, label)
    for field, smallest in (("p", 3), ("neurons", 1)):
        if type(given[field]) is not int or not smallest <= given[field] < 2**31:
            got = one_line(repr(given[field]), 40)
            raise CheckpointError(f"{label}: {field} must be an integer >= {smallest}, got {got}")
    if not isinstance(given["activation"], str) or given["activation"] not in ACTIVATIONS:
        got = one_line(repr(given["activation"]), 40)
        raise CheckpointError(f"{label}: activation must be one of {', '.join(ACTIVATIONS)}, got {got}")
    if not isinstance(given["family"], str) or not _FAMILY.fullmatch(given["family"]):
        raise CheckpointError(f"{label}: family must be a short plain name, got {one_line(repr(given['family']), 60)}")
    provenance = given["provenance"]
    if not isinstance(provenance, dict) or not all(_is_text(text) for pair in provenance.items() for text in pair):
        raise CheckpointError(f"{label}: provenance must map printable text to printable text")
    if not _is_text(given["source"]):
        raise CheckpointError(f"{label}: source must be printable text, got {one_line(repr(given['source']), 60)}")
    if "reading" in given:
        try:
            given["reading"] = provenance_from(given["reading"])
        except CircuitError as error:
            raise CheckpointError(f"{label}: reading: {one_line(error, 300)}") from None
    if "radius" in given:
        radius = given["radius"]
        if not isinstance(radius, dict) or not all(_is_bound(bound) for bound in radius.values()):
            raise CheckpointError(f"{label}: radius must map tables to bounds between 0 and {MAX_RADIUS:g}")
    else:
        given["tables"] = _tables(given["tables"], label)
    return given


def _read_from(stored: Provenance | None, source: str) -> Provenance:
    """Return the record of a circuit read from this file, and through it from the one that it was converted from."""
    name = one_line(Path(source).name, 200) or None
    if stored is None:
        return Provenance(file=name)
    original = {} if stored.file in (None, name) else {"original file": str(stored.file)}
    return replace(stored, file=name, said={**stored.said, **original})


def _is_bound(bound: object) -> bool:
    return isinstance(bound, (int, float)) and not isinstance(bound, bool) and 0 <= bound <= MAX_RADIUS


def _is_text(text: object) -> bool:
    return isinstance(text, str) and len(text) <= MAX_TEXT and is_plain(text)


def _tables(given: Any, label: str) -> dict[str, tuple[Product, ...]]:
    if not isinstance(given, dict) or not given.keys() <= set(TABLES):
        raise CheckpointError(f"{label}: tables must be an object with keys among {', '.join(TABLES)}")
    tables = {}
    for table, products in given.items():
        if not isinstance(products, list) or not products:
            raise CheckpointError(f"{label}: table {table} must be a list of products")
        tables[table] = tuple(_product(product, f"{label}: table {table}") for product in products)
    return tables


def _product(given: Any, label: str) -> Product:
    if not isinstance(given, dict):
        raise CheckpointError(f"{label}: a product must be an object, got {type(given).__name__}")
    check_keys(given, {"coefficient", "factors"}, set(), f"{label}: a product")
    coefficient, factors = given["coefficient"], given["factors"]
    if not isinstance(coefficient, str) or not _COEFFICIENT.fullmatch(coefficient):
        got = one_line(repr(coefficient), 40)
        raise CheckpointError(f"{label}: a coefficient must be text such as '1/2', got {got}")
    value = Fraction(coefficient)
    # outside these limits the coefficient's own rounding to float64 would not be relative
    if value and not math.ldexp(1, -200) <= abs(value) <= MAX_COEFFICIENT:
        raise CheckpointError(f"{label}: a coefficient must be 0 or between 2^-200 and {MAX_COEFFICIENT} in size")
    if not isinstance(factors, list) or not factors or not all(isinstance(name, str) for name in factors):
        raise CheckpointError(f"{label}: factors must be a list of tensor names")
    return Product(factors=tuple(factors), coefficient=value)
