"""The circuit: what it accepts, what it computes, and the rounding of tables made from weights."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quadlens as ql
from quadlens.circuits.circuit import TABLES, table_shapes
from quadlens.circuits.forward import evaluate, logits, margins, row_blocks
from quadlens.errors import CircuitError, OptionError


def random_circuit(seed: int, p: int = 7, n: int = 5, **more) -> ql.Circuit:
    generator = np.random.default_rng(seed)
    tables = {name: generator.standard_normal(shape) for name, shape in table_shapes(p, n).items()}
    return ql.Circuit(p=p, **tables, **more)


@pytest.mark.parametrize("activation", ["relu", "abs", "square", "gelu", "gelu_tanh", "silu", "tanh", "sin"])
def test_logits_are_the_definition(activation: str) -> None:
    """The blocked pass equals the formula, spelled out one logit at a time with torch's own activations."""
    import torch

    reference = {
        "relu": torch.relu,
        "abs": torch.abs,
        "square": torch.square,
        "gelu": torch.nn.functional.gelu,
        "gelu_tanh": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
        "silu": torch.nn.functional.silu,
        "tanh": torch.tanh,
        "sin": torch.sin,
    }[activation]
    c = random_circuit(0, activation=activation)
    got = np.concatenate([logits(c, rows) for rows in row_blocks(c, block_bytes=1)])
    for a, b in ((0, 0), (3, 6), (6, 1)):
        hidden = reference(torch.tensor(c.A[a] + c.B[b])).numpy()
        want = [sum(hidden[i] * c.U[i, z] for i in range(5)) + c.S_a[a, z] + c.S_b[b, z] for z in range(7)]
        # a sum of seven products of order one, in two orders
        np.testing.assert_allclose(got[a, b], want, rtol=0, atol=1e-13)


def test_blocks_do_not_change_the_result() -> None:
    c = random_circuit(1)
    rows = list(row_blocks(c, block_bytes=1))
    assert len(rows) == 7
    assert [block.stop - block.start for block in row_blocks(c, block_bytes=10**9)] == [7]
    whole = logits(c, slice(0, 7))
    np.testing.assert_allclose(np.concatenate([logits(c, r) for r in rows]), whole, rtol=0, atol=1e-13)


def test_a_block_stays_within_its_memory_bound() -> None:
    c = ql.construct(p=101, frequencies=(3, 7), neurons=64)
    for rows in row_blocks(c, block_bytes=10**6):
        assert (rows.stop - rows.start) * 101 * (2 * 64 + 3 * 101) * 8 <= 10**6


def test_margin_is_the_right_logit_minus_the_best_other() -> None:
    block = np.zeros((1, 3, 3))
    block[0, 0] = [5, 1, 2]  # a = 1, b = 0: right is 1
    block[0, 1] = [0, 3, 7]  # right is 2
    block[0, 2] = [4, 4, 1]  # right is 0, tied
    assert margins(block, slice(1, 2)).tolist() == [[-4.0, 4.0, 0.0]]


def test_a_tie_is_wrong() -> None:
    zero = ql.Circuit(p=3, A=np.zeros((3, 1)), B=np.zeros((3, 1)), U=np.zeros((1, 3)))
    assert evaluate(zero).accuracy == 0.0


def test_skip_tables_are_zero_where_absent_and_left_out_on_request() -> None:
    c = random_circuit(2)
    bare = ql.Circuit(p=7, A=c.A, B=c.B, U=c.U)
    assert not bare.S_a.any()
    assert evaluate(c, skip=False) == evaluate(bare)
    assert evaluate(c) != evaluate(bare)


def test_tables_are_copied_and_read_only() -> None:
    A = np.ones((3, 2))
    c = ql.Circuit(p=3, A=A, B=A, U=np.ones((2, 3)))
    A[0, 0] = 9
    assert c.A[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        c.A[0, 0] = 2
    with pytest.raises(AttributeError, match=r"frozen|assign"):
        c.p = 5


GOOD = {"p": 3, "A": np.ones((3, 2)), "B": np.ones((3, 2)), "U": np.ones((2, 3))}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"p": 2}, r"p >= 3 .* got p = 2"),
        ({"p": 3.0}, r"integer.* got p = 3\.0"),
        ({"p": True}, "got p = True"),
        ({"A": np.ones(3)}, r"table A must have shape .* got shape \(3,\)"),
        ({"A": np.ones((3, 0)), "B": np.ones((3, 0)), "U": np.ones((0, 3))}, "at least one neuron"),
        ({"B": np.ones((3, 4))}, r"table B must have shape \(3, 2\) for p = 3, got \(3, 4\)"),
        ({"U": np.ones((3, 2))}, r"table U must have shape \(2, 3\)"),
        ({"S_a": np.ones((2, 2))}, r"table S_a must have shape \(3, 3\)"),
        ({"A": np.full((3, 2), np.nan)}, "table A holds 6 NaN or infinite"),
        ({"U": np.full((2, 3), np.inf)}, "table U holds 6 NaN or infinite"),
        ({"A": np.ones((3, 2)) * 1j}, "table A must be real"),
        ({"radius": {"A": -1.0}}, "finite bound >= 0"),
        ({"radius": {"A": np.nan}}, "finite bound >= 0"),
        ({"radius": {"Q": 0.0}}, "got Q"),
    ],
)
def test_bad_circuits_are_refused(change: dict, message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        ql.Circuit(**(GOOD | change))


def test_unknown_activation_is_refused() -> None:
    with pytest.raises(OptionError, match=r"activation must be one of relu, .* got 'softmax'"):
        ql.Circuit(**GOOD, activation="softmax")


def weights(seed: int, scale: float = 1.0) -> ql.Weights:
    g = np.random.default_rng(seed)
    p, e, n = 5, 4, 3
    tensors = {
        "E": g.standard_normal((p, e)) * scale,
        "OV": g.standard_normal((e, e)),
        "W_in": g.standard_normal((e, n)),
        "b": g.standard_normal((1, n)),
        "W_out": g.standard_normal((n, e)),
        "W_U": g.standard_normal((e, p)),
    }
    third = Fraction(1, 3)
    return ql.Weights(
        p=p,
        neurons=n,
        tensors=tensors,
        tables={
            "A": (ql.Product(factors=("E", "OV", "W_in"), coefficient=third),),
            "B": (ql.Product(factors=("E", "W_in")), ql.Product(factors=("b",))),
            "U": (ql.Product(factors=("W_out", "W_U")),),
            "S_a": (ql.Product(factors=("E", "W_U"), coefficient=Fraction(-1)),),
        },
    )


def exact_table(w: ql.Weights, name: str) -> list[list[Fraction]]:
    """The table in rational arithmetic, by definition."""
    rows, columns = table_shapes(w.p, w.neurons)[name]
    total = [[Fraction(0)] * columns for _ in range(rows)]
    for product in w.tables.get(name, ()):
        chain = [[[Fraction(float(x)) for x in row] for row in w.tensors[f]] for f in product.factors]
        value = chain[0]
        for matrix in chain[1:]:
            columns_of = list(zip(*matrix, strict=True))
            value = [[sum(x * y for x, y in zip(row, col, strict=True)) for col in columns_of] for row in value]
        if len(value) == 1:
            value = [value[0]] * rows
        for row, extra in zip(total, value, strict=True):
            row[:] = [t + product.coefficient * v for t, v in zip(row, extra, strict=True)]
    return total


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), exponent=st.sampled_from([0, 0, 30, -30, -150, -160]))
def test_radius_contains_the_rounding_of_every_table(seed: int, exponent: int) -> None:
    w = weights(seed, 10.0**exponent)
    c = ql.circuit_from_weights(w)
    for name in TABLES:
        exact = exact_table(w, name)
        table = getattr(c, name)
        error = max(abs(exact[i][j] - Fraction(float(table[i, j]))) for i, j in np.ndindex(*table.shape))
        assert error <= Fraction(c.radius[name])


def test_a_table_that_is_stored_is_exact_and_others_are_not() -> None:
    c = ql.circuit_from_weights(weights(3))
    assert c.radius["S_b"] == 0.0
    assert 0 < c.radius["A"] < 1e-13
    w = weights(3)
    same = ql.Weights(
        p=w.p, neurons=w.neurons, tensors={"T": np.ones((5, 3))}, tables={"A": (ql.Product(factors=("T",)),)}
    )
    assert ql.circuit_from_weights(same).radius["A"] == 0.0


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"Q": (ql.Product(factors=("E",)),)}, "got 'Q'"),
        ({"A": (ql.Product(factors=("E", "missing")),)}, "needs the weights missing"),
        ({"A": (ql.Product(factors=("E", "b")),)}, "do not chain"),
        ({"A": (ql.Product(factors=("E", "OV")),)}, r"table A must have shape \(5, 3\)"),
    ],
)
def test_bad_expressions_are_refused(tables: dict, message: str) -> None:
    w = weights(4)
    with pytest.raises(CircuitError, match=message):
        ql.Weights(p=w.p, neurons=w.neurons, tensors=w.tensors, tables=tables)


def test_bad_weights_are_refused() -> None:
    with pytest.raises(CircuitError, match="at least one factor"):
        ql.Product(factors=())
    w = weights(5)
    bad = np.array(w.tensors["E"])
    bad[0, 0] = np.nan
    with pytest.raises(CircuitError, match="'E' holds 1 NaN"):
        ql.Weights(p=5, neurons=3, tensors=dict(w.tensors) | {"E": bad}, tables=w.tables)
    with pytest.raises(CircuitError, match="must be matrices"):
        ql.Weights(p=5, neurons=3, tensors={"E": np.ones(3)}, tables={})
    with pytest.raises(CircuitError, match="overflows float64"):
        ql.circuit_from_weights(weights(6, 3e307))
