"""The oracle: integer arithmetic agrees with rational arithmetic written out, on every input, in every corner."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quadlens as ql
from quadlens.certificates.exact.exact_tables import exact_matrix, exact_tables, round_down, table_matrices
from quadlens.certificates.exact.integer_product import limb_tables
from quadlens.certificates.methods import exact
from quadlens.certificates.methods.exact import certify_exact, row_margins
from quadlens.circuits.circuit import TABLES
from quadlens.errors import CertificateError

ACTIVATIONS = {"relu": lambda x: max(x, Fraction(0)), "abs": abs, "square": lambda x: x * x}


def rational_margins(circuit: ql.Circuit) -> dict[tuple[int, int], Fraction]:
    """Evaluate the definition of the circuit in fractions, sharing nothing with the integer route."""
    p, act = circuit.p, ACTIVATIONS[circuit.activation]
    A, B, U, S_a, S_b = ([[Fraction(x) for x in row] for row in getattr(circuit, name).tolist()] for name in TABLES)
    margins = {}
    for a in range(p):
        for b in range(p):
            hidden = [act(x + y) for x, y in zip(A[a], B[b], strict=True)]
            logits = [sum(h * u[c] for h, u in zip(hidden, U, strict=True)) + S_a[a][c] + S_b[b][c] for c in range(p)]
            correct = logits.pop((a + b) % p)
            margins[a, b] = correct - max(logits)
    return margins


def random_circuit(seed: int, p: int, n: int, activation: str = "relu", spread: float = 0.0) -> ql.Circuit:
    """Return a circuit of normal tables, entries spread over many orders of magnitude where ``spread`` is large."""
    generator = np.random.default_rng(seed)

    def table(rows: int, columns: int) -> np.ndarray:
        size = 10.0 ** (spread * generator.uniform(-1, 1, (rows, columns)))
        return np.asarray(generator.standard_normal((rows, columns)) * size)

    return ql.Circuit(
        p=p, A=table(p, n), B=table(p, n), U=table(n, p), S_a=table(p, p), S_b=table(p, p), activation=activation
    )


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    p=st.integers(3, 7),
    n=st.integers(1, 5),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    spread=st.sampled_from([0.0, 3.0, 20.0]),
)
def test_exact_equals_rational_arithmetic(seed, p, n, activation, spread):
    circuit = random_circuit(seed, p, n, activation, spread)
    expected = rational_margins(circuit)
    found = certify_exact(circuit)
    wrong = sorted(pair for pair, margin in expected.items() if margin <= 0)
    assert list(found.misclassified or ()) == wrong
    assert found.certified_inputs == p * p - len(wrong)
    for bound in found.classes:
        least = min(margin for (a, b), margin in expected.items() if (a - b - bound.difference) % p == 0)
        assert bound.margin_lower_bound == round_down(least)
    tables = exact_tables(circuit)
    for (a, b), margin in expected.items():
        others = [c for c in range(p) if c != (a + b) % p]
        assert Fraction(min(tables.margin(a, b, c) for c in others), tables.denominator) == margin
        assert tables.margin(a, b, others[0], tables.hidden(a, b)) == tables.margin(a, b, others[0])


def fraction_product(*matrices: np.ndarray) -> list[list[Fraction]]:
    result = [[Fraction(x) for x in row] for row in matrices[0].tolist()]
    for matrix in matrices[1:]:
        columns = [[Fraction(x) for x in column] for column in matrix.T.tolist()]
        result = [[sum((x * y for x, y in zip(row, c, strict=True)), Fraction(0)) for c in columns] for row in result]
    return result


def weight_circuit(seed: int, p: int = 5, d: int = 3, n: int = 4, coefficient: Fraction = Fraction(1, 3)) -> ql.Circuit:
    generator = np.random.default_rng(seed)
    shapes = {"E": (p, d), "OV": (d, d), "W_in": (d, n), "b_in": (1, n), "W_out": (n, d), "W_U": (d, p), "b_U": (1, p)}
    tensors = {
        name: generator.standard_normal(shape).astype(np.float32).astype(np.float64) for name, shape in shapes.items()
    }
    tables = {
        "A": (ql.Product(factors=("E", "OV", "W_in"), coefficient=coefficient),),
        "B": (
            ql.Product(factors=("E", "OV", "W_in"), coefficient=coefficient),
            ql.Product(factors=("E", "W_in")),
            ql.Product(factors=("b_in",)),
        ),
        "U": (ql.Product(factors=("W_out", "W_U")),),
        "S_a": (ql.Product(factors=("E", "OV", "W_U"), coefficient=coefficient),),
        "S_b": (ql.Product(factors=("E", "W_U")), ql.Product(factors=("b_U",), coefficient=Fraction(-1))),
    }
    return ql.circuit_from_weights(ql.Weights(p=p, neurons=n, tensors=tensors, tables=tables))


@pytest.mark.parametrize("coefficient", [Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(-7, 12)])
def test_tables_of_stored_weights_are_exact(coefficient):
    circuit = weight_circuit(0, coefficient=coefficient)
    assert circuit.weights is not None
    T = circuit.weights.tensors
    ov = fraction_product(T["E"], T["OV"], T["W_in"])
    direct = fraction_product(T["E"], T["W_in"])
    bias = [Fraction(x) for x in T["b_in"][0].tolist()]
    expected_A = [[coefficient * x for x in row] for row in ov]
    expected_B = [
        [coefficient * x + y + z for x, y, z in zip(*rows, bias, strict=True)] for rows in zip(ov, direct, strict=True)
    ]
    found = table_matrices(circuit)
    for name, expected in {"A": expected_A, "B": expected_B, "U": fraction_product(T["W_out"], T["W_U"])}.items():
        table = found[name]
        assert [[Fraction(int(x), table.denominator) for x in row] for row in table.numerators.tolist()] == expected


@pytest.mark.parametrize("seed", range(20))
def test_radius_of_the_float64_tables_contains_the_exact_tables(seed):
    circuit = weight_circuit(seed, p=7, d=6, n=5)
    found = table_matrices(circuit)
    for name in TABLES:
        table = found[name]
        rows = zip(table.numerators.tolist(), getattr(circuit, name).tolist(), strict=True)
        differences = [
            abs(Fraction(int(x), table.denominator) - Fraction(y)) for r, s in rows for x, y in zip(r, s, strict=True)
        ]
        assert max(differences) <= Fraction(circuit.radius[name])


def flat_circuit(p: int, gap: float) -> ql.Circuit:
    """Return a network whose margin at every input is 1, but ``gap`` at the input (1, 2)."""
    tables = {"A": np.zeros((p, p * p)), "B": np.zeros((p, p * p)), "U": np.zeros((p * p, p))}
    for a in range(p):
        for b in range(p):
            i = a * p + b  # neuron i is active at the input (a, b) alone
            tables["A"][:, i], tables["A"][a, i] = -1.0, 0.5
            tables["B"][:, i], tables["B"][b, i] = -1.0, 0.5
            tables["U"][i, (a + b) % p] = gap if (a, b) == (1, 2) else 1.0
    return ql.Circuit(p=p, **tables)


@pytest.mark.parametrize("gap", [1e-15, 2.0**-1000, 5e-324])
def test_the_smallest_positive_margin_is_certified(gap):
    found = certify_exact(flat_circuit(5, gap))
    assert found.certified
    assert found.margin_lower_bound == gap


@pytest.mark.parametrize("gap", [0.0, -5e-324, -1e-15, -1.0])
def test_a_tie_or_a_hair_below_is_wrong(gap):
    found = certify_exact(flat_circuit(5, gap))
    assert found.misclassified == ((1, 2),)
    assert found.certified_inputs == 24
    assert found.classes[4].certified == 4
    assert not found.certified


def test_a_positive_margin_below_float64_is_certified_and_shown_as_zero():
    circuit = flat_circuit(5, 5e-324)
    halved = ql.Circuit(p=5, A=circuit.A * 0.5, B=circuit.B * 0.5, U=circuit.U)
    found = certify_exact(halved)
    assert found.certified
    assert found.margin_lower_bound == 0.0


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_scaling_changes_no_verdict(scale):
    circuit = ql.construct(p=7, frequencies=[1, 2], neurons=30, noise=0.05)
    scaled = ql.Circuit(p=7, A=circuit.A * scale, B=circuit.B * scale, U=circuit.U)
    assert certify_exact(circuit).certified
    assert certify_exact(scaled).certified


def test_margins_beyond_float64():
    big = ql.Circuit(p=3, A=np.full((3, 1), 1e300), B=np.zeros((3, 1)), U=np.array([[1e300, 0.0, 0.0]]))
    with pytest.raises(CertificateError, match="below the range of float64"):
        certify_exact(big)
    assert round_down(Fraction(10) ** 400) == np.finfo(float).max


@settings(max_examples=200)
@given(st.fractions())
def test_rounding_down_never_rises_and_loses_one_step_at_most(value):
    assert Fraction(round_down(value)) <= value < Fraction(math.nextafter(round_down(value), math.inf))


@settings(max_examples=100)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=6, max_size=6))
def test_every_float64_is_an_integer_over_a_power_of_two(values):
    matrix = np.array(values).reshape(2, 3)
    found = exact_matrix(matrix)
    entries = [Fraction(int(x), found.denominator) for x in found.numerators.entries()]
    assert entries == [Fraction(x) for x in values]
    assert found.denominator & (found.denominator - 1) == 0


def test_float32_values_stay_short():
    found = exact_matrix(np.array([[1.0, 0.1]], dtype=np.float32).astype(np.float64))
    assert found.denominator == 2**27  # 0.1 in float32 is 13421773 / 2^27


def test_what_cannot_be_exact_is_refused():
    circuit = ql.construct(p=5, frequencies=[1], neurons=4, activation="gelu")
    with pytest.raises(CertificateError, match="one of the activations relu, abs, square, got gelu"):
        certify_exact(circuit)
    vague = ql.Circuit(p=5, A=circuit.A, B=circuit.B, U=circuit.U, radius={"A": 1e-12, "U": 1e-12})
    with pytest.raises(CertificateError, match="A, U are known within a radius only"):
        certify_exact(vague)


def test_blocks_and_progress_do_not_change_the_result(monkeypatch):
    circuit = random_circuit(5, 6, 4)
    whole = certify_exact(circuit)
    monkeypatch.setattr(exact, "BLOCK_ENTRIES", 9)  # two inputs at a time
    seen: list[float] = []
    parts = certify_exact(circuit, progress=seen.append)
    assert parts.classes == whole.classes
    assert seen == [pytest.approx((a + 1) / 6) for a in range(6)]


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    p=st.integers(3, 6),
    n=st.integers(1, 70),
    activation=st.sampled_from(["relu", "abs"]),
    spread=st.sampled_from([0.0, 1.0, 8.0]),
)
def test_limbs_give_the_long_integers(seed, p, n, activation, spread):
    tables = exact_tables(random_circuit(seed, p, n, activation, spread))
    limbs = limb_tables(tables)
    assert limbs is not None
    for a in range(p):
        assert row_margins(tables, a, limbs) == row_margins(tables, a)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 255, 256, 257])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_limbs_at_their_largest(n, sign):
    """All mantissa bits set: the sums of products of limbs come as close to 2^53 as they can."""
    full = 2.0 - 2.0**-52
    A, U = np.full((3, n), full), np.full((n, 3), sign * full)
    U[:, 0] = -full
    tables = exact_tables(ql.Circuit(p=3, A=A, B=A, U=U, activation="abs"))
    limbs = limb_tables(tables)
    assert limbs is not None
    assert row_margins(tables, 1, limbs) == row_margins(tables, 1)


def test_one_bit_more_in_each_limb_would_not_be_exact():
    """The width is the largest allowed: n 2^{2w} <= 2^53 < n 2^{2(w+1)} for n a power of two less one."""
    for n in (1, 3, 7, 511, 8191):
        width = (53 - n.bit_length()) // 2
        assert n * 2 ** (2 * width) <= 2**53 < (n + 1) * 2 ** (2 * (width + 1))


def test_long_integers_take_over_where_limbs_would_be_many():
    assert limb_tables(exact_tables(random_circuit(0, 4, 3, "square"))) is None
    assert limb_tables(exact_tables(random_circuit(0, 4, 3, "relu", 100.0))) is None


def test_modelA(shared):
    circuit = ql.load(shared / "checkpoints" / "pizza" / "model_p99zdpze5l.pt")
    found = certify_exact(circuit)
    assert found.certified
    # the reference value of the project's notes, in three decimals
    assert round(found.margin_lower_bound or 0.0, 3) == 14.296
