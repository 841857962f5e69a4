"""A circuit is one network: tables, weights, radii and digest cannot come apart, and nothing can be written to."""

import copy
import pickle
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import quadlens as ql
from quadlens.arrays import read_only
from quadlens.certificates.certify import certify
from quadlens.certificates.check import check
from quadlens.certificates.record.digest import network_digest
from quadlens.circuits.circuit import TABLES
from quadlens.circuits.limits import Budget
from quadlens.circuits.native import encode, from_bytes, read, write
from quadlens.errors import CertificateError, CircuitError


def stored(p: int = 7, n: int = 40, third: Fraction = Fraction(1, 3)) -> ql.Weights:
    """A network that answers right, its U a product, so that its tables are rounded."""
    made = ql.construct(p=p, frequencies=(1, 2), neurons=n)
    tensors = {"A": made.A, "B": made.B, "U": made.U, "turn": np.eye(p)}
    one = {name: (ql.Product(factors=(name,)),) for name in "AB"}
    return ql.Weights(
        p=p, neurons=n, tensors=tensors, tables=one | {"U": (ql.Product(factors=("U", "turn"), coefficient=third),)}
    )


def test_a_replaced_table_is_the_network_and_the_weights_go() -> None:
    circuit = ql.circuit_from_weights(stored())
    assert circuit.weights is not None
    assert certify(circuit, "exact").certified
    turned = replace(circuit, U=-circuit.U)
    assert turned.weights is None
    assert network_digest(turned) != network_digest(circuit)
    assert turned.provenance.changed == ("table U was replaced in memory; the stored weights no longer make it",)
    with pytest.raises(CertificateError, match=r"radius=\{\} where these tables are the network"):
        certify(turned, "exact")
    exact = certify(replace(turned, radius={}), "exact")
    assert (exact.certified_inputs, exact.misclassified_count) == (0, 49)
    assert certify(turned, "brute-force").certified_inputs == 0
    assert not check(certify(circuit, "linear"), turned).accepted
    # an ablated skip path or layer, the same
    for name in TABLES:
        if getattr(circuit, name).any():
            assert replace(circuit, **{name: np.zeros_like(getattr(circuit, name))}).weights is None


def test_weights_that_do_not_make_the_tables_are_refused() -> None:
    weights, other = stored(), stored(third=Fraction(1, 2))
    circuit = ql.circuit_from_weights(weights)
    given = {name: np.array(getattr(circuit, name)) for name in TABLES}
    with pytest.raises(CircuitError, match="the weights do not make table U"):
        ql.Circuit(p=7, **given, weights=other)
    with pytest.raises(CircuitError, match="the weights are of p = 11 and 40 neurons, the tables of p = 7 and 40"):
        replace(circuit, weights=stored(p=11))
    # what rounding explains is the same network, and it is the weights': tables and radii are what these make
    moved = np.nextafter(given["U"], 1)
    assert np.abs(moved - circuit.U).max() <= circuit.radius["U"]
    same = ql.Circuit(p=7, **(given | {"U": moved}), weights=weights)
    assert same.weights is weights
    assert same.U is circuit.U
    assert same.radius == circuit.radius
    assert same.radius["U"] > 0
    assert network_digest(same) == network_digest(circuit)


def test_other_radii_and_another_activation() -> None:
    circuit = ql.circuit_from_weights(stored())
    wide = replace(circuit, radius=dict.fromkeys(TABLES, 0.1))
    assert wide.weights is None
    assert wide.radius["A"] == 0.1
    assert wide.provenance.changed[0].startswith("the tables' radii were replaced in memory")
    bent = replace(circuit, activation="abs")
    assert bent.weights is not None
    assert bent.weights.activation == "abs"
    assert network_digest(bent) != network_digest(circuit)
    assert replace(circuit, source="elsewhere").weights is circuit.weights
    assert replace(circuit, weights=None).U is circuit.U


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
@pytest.mark.parametrize("circuit", [ql.circuit_from_weights(stored()), ql.construct(p=7, frequencies=(1,), neurons=9)])
def test_copies_and_pickles_are_the_same_network(copied, circuit) -> None:
    again = copied(circuit)
    assert network_digest(again) == network_digest(circuit)
    assert (again.weights is None) == (circuit.weights is None)
    for name in TABLES:
        assert np.array_equal(getattr(again, name), getattr(circuit, name))
        with pytest.raises(ValueError, match="read-only"):
            getattr(again, name)[0, 0] = 9
        with pytest.raises(ValueError, match="WRITEABLE"):
            getattr(again, name).flags.writeable = True
    assert (again.radius, again.provenance) == (circuit.radius, circuit.provenance)


def test_a_read_only_view_of_memory_that_changes_is_copied() -> None:
    owner = np.ones((3, 2))
    view = owner.view()
    view.flags.writeable = False
    base = bytearray(owner.tobytes())
    frozen_owner = np.ones((3, 2))
    frozen_owner.flags.writeable = False
    behind = np.frombuffer(memoryview(base).toreadonly(), dtype=np.float64).reshape(3, 2)
    assert not behind.flags.writeable
    kept = [read_only(array) for array in (owner, view, behind, frozen_owner, frozen_owner[:])]
    owner[0, 0] = 9
    base[:8] = np.float64(9).tobytes()
    frozen_owner.flags.writeable = True
    frozen_owner[0, 0] = 9
    assert [array[0, 0] for array in kept] == [1.0] * 5


@pytest.mark.parametrize("make", [np.array, read_only, np.asfortranarray, np.float32, np.ndarray.tolist])
def test_nothing_reaches_the_memory_of_a_table(make) -> None:
    table = read_only(make(np.ones((3, 2))))
    holder = table
    while isinstance(holder, np.ndarray):
        with pytest.raises(ValueError, match="WRITEABLE"):
            holder.flags.writeable = True
        assert holder.data.readonly
        holder = holder.base
    assert isinstance(holder, bytes)
    assert memoryview(table).readonly
    assert read_only(table) is table, "what cannot change is shared"


def test_a_mapped_file_is_shared_and_bytes_in_memory_too(tmp_path: Path) -> None:
    circuit = ql.construct(p=7, frequencies=(1, 2), neurons=9)
    write(circuit, tmp_path / "c.safetensors")
    mapped = read(tmp_path / "c.safetensors", mapped=True)
    assert not mapped.A.flags.owndata
    holder = mapped.A
    while isinstance(holder, np.ndarray):
        holder = holder.base
    assert not isinstance(holder, bytes)
    assert np.array_equal(mapped.A, circuit.A)
    content = encode(circuit)
    again = from_bytes(content, "memory", Budget(where="memory"))
    start = np.frombuffer(content, dtype=np.uint8).ctypes.data
    assert start <= again.A.ctypes.data < start + len(content), "float64 tables are not copied"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.array([[Fraction(1, 3)] * 2] * 3, dtype=object), "table A must hold real numbers .* got dtype object"),
        (np.array([["1.5", "2"]] * 3), "table A must hold real numbers .* got dtype <U3"),
        (np.array([[2**53 + 1, 0]] * 3), "table A holds int64 numbers that float64 cannot hold exactly"),
        (np.array([[2**64 - 1, 0]] * 3, dtype=np.uint64), "table A holds uint64 numbers"),
        (np.full((3, 2), np.longdouble(1) / 3), "table A holds float128 numbers"),
        (np.ma.masked_equal([[1.0, 2.0]] * 3, 2.0), "table A must not be a masked array"),
        ([[1.0, 2.0], [3.0]], "table A must be an array of real numbers"),
        (None, "table A must hold real numbers .* got dtype object"),
        (np.array([["2020-01-01", "2020-01-01"]] * 3, dtype="M8[D]"), "table A must hold real numbers"),
    ],
)
def test_what_float64_does_not_hold_is_not_rounded_in_silence(table: object, message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        ql.Circuit(p=3, A=table, B=np.ones((3, 2)), U=np.ones((2, 3)))


def test_tensors_of_torch_are_taken_or_refused_in_one_sentence() -> None:
    import torch

    table = torch.ones(3, 2)
    assert ql.Circuit(p=3, A=table, B=table, U=table.T).A[0, 0] == 1
    for bad in (torch.ones(3, 2, requires_grad=True), torch.ones(3, 2, dtype=torch.bfloat16)):
        with pytest.raises(CircuitError, match="table A must be an array of real numbers"):
            ql.Circuit(p=3, A=bad, B=table, U=table.T)


def test_large_integers_that_float64_holds_are_taken() -> None:
    exact = np.array([[2**53 + 2, -(2**62)]] * 3)
    assert ql.Circuit(p=3, A=exact, B=np.ones((3, 2)), U=np.ones((2, 3))).A[0, 1] == -(2.0**62)


def test_lists_that_weights_were_made_of_may_change_afterwards() -> None:
    weights = stored()
    factors, products = ["U", "turn"], []
    products.append(ql.Product(factors=factors, coefficient=0.5))
    tables = dict(weights.tables) | {"U": products}
    made = ql.Weights(p=7, neurons=40, tensors=weights.tensors, tables=tables)
    before = network_digest(ql.circuit_from_weights(made))
    factors.append("turn")
    products.append(products[0])
    assert network_digest(ql.circuit_from_weights(made)) == before
    assert made.tables["U"][0].coefficient == Fraction(1, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"factors": "U"}, "factors must be a tuple of weights' names"),
        ({"factors": (1,)}, "factors must be a tuple of weights' names"),
        ({"coefficient": float("nan")}, "a coefficient must be a finite number"),
        ({"coefficient": float("inf")}, "a coefficient must be a finite number"),
        ({"coefficient": None}, "a coefficient must be a finite number"),
    ],
)
def test_bad_products_are_refused(change: dict, message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        ql.Product(**({"factors": ("U",)} | change))


@pytest.mark.parametrize("radius", [{"A": 10**400}, {"A": "1"}, {"A": None}, [1.0], {"A": 1j}])
def test_bad_radii_are_refused(radius: object) -> None:
    with pytest.raises(CircuitError, match="radius must"):
        ql.Circuit(p=3, A=np.ones((3, 2)), B=np.ones((3, 2)), U=np.ones((2, 3)), radius=radius)
