r"""Tensors of unknown names whose roles the user says: a network with one hidden layer on two embedded inputs.

    logits(a, b) = (act(E_a[a] W_in_a + E_b[b] W_in_b + b_in) W_out + b_out) W_U + b_U

in row-vector convention (``x @ W``); a role that ends in ``.T`` is stored the other way round. ``E`` is both
embeddings; none of them: one-hot inputs. ``W_in`` reads the sum of the two, or, where it has as many rows as both
together, the two joined. ``W_out`` or ``W_U`` may be missing. Or the roles are the five tables ``A, B, U, S_a, S_b``;
or the names of TransformerLens (``blocks.0.attn.W_V`` …), and the network is read as one of its.
"""

from collections.abc import Mapping
from typing import Any

from quadlens.arrays import FloatArray
from quadlens.circuits.circuit import TABLES
from quadlens.circuits.readers import gbmi
from quadlens.circuits.readers.settings import Record, Settings
from quadlens.circuits.readers.state_dict import Shape, read_state
from quadlens.circuits.readers.transformer import Transformer
from quadlens.circuits.safe_torch import float_array
from quadlens.circuits.weights import Product, Weights
from quadlens.errors import CheckpointError
from quadlens.untrusted_text import one_line, shown

NAME = "by roles"
ROLES = ("E", "E_a", "E_b", "W_in", "W_in_a", "W_in_b", "b_in", "W_out", "b_out", "W_U", "b_U")
LIBRARY = (*gbmi.TENSORS, *gbmi.BIASES)


def read(tensors: Mapping[str, Any], mapping: Mapping[str, str], settings: Settings, budget: Any, source: str) -> Any:
    """Return the ``Weights``, or the ``Transformer``, that the tensors are under the roles in ``mapping``.

    Raises
    ------
    CheckpointError
        If a name or role is unknown or given twice, or the shapes do not fit together.
    """
    where = budget.where
    named = _by_role(tensors, mapping, where)
    roles = {role: float_array(tensor, f"{where}: tensor {name}") for role, (name, tensor) in named.items()}
    roles = {role.removesuffix(".T"): array.T if role.endswith(".T") else array for role, array in roles.items()}
    unread = sorted(set(tensors) - set(mapping))
    record = Record(where=where, wanted=settings.task)
    record.said["tensor names"] = "by the user's mapping"
    if unread:
        names = ", ".join(one_line(name, 40) for name in unread[:4])
        more = " …" if len(unread) > 4 else ""
        record.assumed.append(f"the tensors {names}{more} take no part: the mapping has none of them")
    if set(roles) <= set(LIBRARY):
        return _transformer(roles, settings, where, source)
    record.task([], 0)
    if set(roles) & set(TABLES):
        return _tables(roles, record, settings, source)
    return _network(roles, record, settings, source)


def _by_role(tensors: Mapping[str, Any], mapping: Mapping[str, str], where: str) -> dict[str, tuple[str, Any]]:
    known = {*ROLES, *TABLES, *LIBRARY}
    found: dict[str, tuple[str, Any]] = {}
    for name, role in mapping.items():
        if name not in tensors:
            have = ", ".join(one_line(tensor, 40) for tensor in list(tensors)[:12])
            raise CheckpointError(f"{where} has no tensor {shown(name)} that the mapping names; it has {have}")
        plain = role.removesuffix(".T") if isinstance(role, str) else None
        if plain not in known:
            roles = ", ".join((*ROLES, *TABLES))
            raise CheckpointError(
                f"{where}: the role of {shown(name)} must be one of {roles} (with .T where it is stored transposed), or"
                f" a tensor's name in TransformerLens, got {shown(role)}"
            )
        if plain in {other.removesuffix(".T") for other in found}:
            raise CheckpointError(f"{where}: the mapping gives the role {plain} to two tensors")
        found[role] = (name, tensors[name])
    kinds = [set(TABLES), set(LIBRARY), set(ROLES)]
    plain_roles = {role.removesuffix(".T") for role in found}
    if not any(plain_roles and plain_roles <= kind for kind in kinds):
        raise CheckpointError(
            f"{where}: the mapping must give roles of one kind: tables, a network's, or TransformerLens' names"
        )
    return found


def _transformer(roles: dict[str, FloatArray], settings: Settings, where: str, source: str) -> Transformer:
    import numpy as np
    import torch

    state = {name: torch.from_numpy(np.array(array)) for name, array in roles.items()}
    return gbmi.read(state, settings, where, source)


def _weights(
    tensors: dict[str, FloatArray], tables: dict[str, list[Product]], record: Record, settings: Settings, source: str
) -> Weights:
    a, u = tables["A"][0].factors, tables["U"][-1].factors
    return Weights(
        p=tensors[a[0]].shape[0],
        neurons=tensors[u[0]].shape[0],
        tensors=tensors,
        tables={table: tuple(products) for table, products in tables.items() if products},
        activation=record.activation(settings, [], {}),
        source=source,
        family=NAME,
        provenance=record.provenance(),
    )


def _tables(roles: dict[str, FloatArray], record: Record, settings: Settings, source: str) -> Weights:
    square = {"S_a": ("p", "p"), "S_b": ("p", "p")}
    state, _ = _checked(roles, {"A": ("p", "n"), "B": ("p", "n"), "U": ("n", "p")}, record, square)
    return _weights(state, {name: [Product(factors=(name,))] for name in state}, record, settings, source)


def _network(roles: dict[str, FloatArray], record: Record, settings: Settings, source: str) -> Weights:
    where = record.where
    given = {name: array[None] if name.startswith("b_") and array.ndim == 1 else array for name, array in roles.items()}
    flat = sorted(name for name, array in given.items() if array.ndim != 2)
    if flat:
        raise CheckpointError(f"{where}: {', '.join(flat)} must be matrices (a bias has one dimension)")
    before = {side: "E" if "E" in given else f"E_{side}" for side in "ab"}
    embedded = [name for name in before.values() if name in given]
    if embedded and len(embedded) != 2:
        raise CheckpointError(f"{where}: the mapping must say E, or both E_a and E_b; it says only {embedded[0]}")
    last = "W_U" if "W_U" in given else "W_out"
    if last not in given or not ({"W_in"} <= set(given) or {"W_in_a", "W_in_b"} <= set(given)):
        raise CheckpointError(f"{where}: the mapping must say W_in (or W_in_a and W_in_b) and W_out or W_U")
    p = given[last].shape[1]
    if embedded:
        rows = min(given[name].shape[0] for name in embedded)
        if rows < p:
            raise CheckpointError(
                f"{where}: {last} gives {p} outputs, the embedding has {rows} rows; is one of them stored as .T?"
            )
        if rows > p:
            record.assumed.append(f"the inputs are the first {p} rows of the embedding, one for each output")
        given |= {name: given[name][:p] for name in embedded}
    sizes = {side: given[before[side]].shape[1] if embedded else p for side in "ab"}
    _split(given, sizes, where)
    tensors = {name: array for name, array in given.items() if name != "W_in" or "W_in_a" not in given}
    out = ("W_U",) if last == "W_U" else ()
    first = {side: (before[side],) if embedded else () for side in "ab"}
    into = {side: f"W_in_{side}" if "W_in_a" in given else "W_in" for side in "ab"}
    tables: dict[str, list[Product]] = {
        "A": [Product(factors=(*first["a"], into["a"]))],
        "B": [Product(factors=(*first["b"], into["b"]))],
        "U": [Product(factors=("W_out", *out) if "W_out" in given else out)],
        "S_b": [],
    }
    for name, table, after in (("b_in", "B", ()), ("b_out", "S_b", out), ("b_U", "S_b", ())):
        if name in given:
            tables[table].append(Product(factors=(name, *after)))
    return _weights(tensors, tables, record, settings, source)


def _split(given: dict[str, FloatArray], sizes: dict[str, int], where: str) -> None:
    """Cut a ``W_in`` that reads both inputs joined into its two halves."""
    if "W_in" not in given:
        return
    rows, a, b = given["W_in"].shape[0], sizes["a"], sizes["b"]
    if rows == a == b:
        return
    if rows != a + b:
        raise CheckpointError(
            f"{where}: W_in must have {a} rows{'' if a == b else f' for a, {b} for b'} for the sum of the inputs, or"
            f" {a + b} for the inputs joined; it has {rows}: is it stored as .T?"
        )
    given["W_in_a"], given["W_in_b"] = given["W_in"][:a], given["W_in"][a:]


def _checked(
    roles: dict[str, FloatArray], required: Mapping[str, Shape], record: Record, optional: Mapping[str, Shape]
) -> tuple[dict[str, FloatArray], dict[str, int]]:
    import numpy as np
    import torch

    state = {name: torch.from_numpy(np.array(array)) for name, array in roles.items()}
    return read_state(state, required, record.where, optional=optional)


