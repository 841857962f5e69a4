"""The method ``adaptive``: sound and complete, on right and wrong networks alike."""

from fractions import Fraction

import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates.check import check
from quadlens.certificates.exact.single_inputs import SingleInputs
from quadlens.certificates.methods.adaptive import certify_adaptive
from quadlens.certificates.methods.exact import certify_exact
from quadlens.certificates.plan.choose import Budget
from quadlens.circuits.bundled import bundled_names


def random_circuit(p, n, seed):
    rng = np.random.default_rng(seed)
    shapes = {"A": (p, n), "B": (p, n), "U": (n, p), "S_a": (p, p), "S_b": (p, p)}
    return ql.Circuit(p=p, **{name: rng.standard_normal(shape) for name, shape in shapes.items()})


def changed(circuit, **tables):
    whole = {name: getattr(circuit, name) for name in ("A", "B", "U", "S_a", "S_b")} | tables
    return ql.Circuit(p=circuit.p, **whole)


GOOD = ql.construct(p=17, frequencies=(2, 3, 5), neurons=60, noise=0.02)
PARTLY_WRONG = ql.construct(p=17, frequencies=(2, 3, 5), neurons=60, noise=0.5, seed=4)
INTEGERS = np.random.default_rng(7)


def integer_circuit(p, n):
    """Small integers make ties common."""
    draw = INTEGERS.integers
    return ql.Circuit(
        p=p,
        A=draw(-2, 3, (p, n)).astype(float),
        B=draw(-2, 3, (p, n)).astype(float),
        U=draw(-1, 2, (n, p)).astype(float),
    )


CIRCUITS = [
    GOOD,
    PARTLY_WRONG,
    random_circuit(3, 1, 0),
    random_circuit(8, 12, 1),
    random_circuit(13, 30, 2),
    integer_circuit(6, 3),
    integer_circuit(7, 2),
    changed(GOOD, U=np.zeros_like(GOOD.U)),
    ql.construct(p=16, frequencies=(3, 7), neurons=40, sigma=0.0, kappa=0.0),
]


@pytest.mark.parametrize("circuit", CIRCUITS, ids=repr)
def test_adaptive_decides_every_input_as_integers_do(circuit):
    adaptive, exact = certify_adaptive(circuit), certify_exact(circuit)
    assert adaptive.certified_accuracy == exact.certified_accuracy
    assert adaptive.misclassified == exact.misclassified
    for bound, truth in zip(adaptive.classes, exact.classes, strict=True):
        assert bound.margin_lower_bound <= truth.margin_lower_bound
        assert bound.certified == truth.certified
    at_most = adaptive.prover["stages"]["smallest_margin_at_most"]
    assert exact.margin_lower_bound <= at_most
    size = 1 + np.abs(circuit.A).sum() * np.abs(circuit.U).max()
    # the smallest margin is found to the rounding bound of one float64 evaluation
    assert adaptive.margin_lower_bound >= at_most - 1e-12 * size


def test_partly_wrong_is_partly_wrong():
    assert 0 < certify_adaptive(PARTLY_WRONG).certified_accuracy < 1


def test_a_tie_is_wrong_and_is_told_by_integers():
    p = GOOD.p
    S_a = np.zeros((p, p))
    tied = changed(GOOD, S_a=S_a, U=np.zeros_like(GOOD.U))
    certificate = certify_adaptive(tied)
    assert certificate.certified_accuracy == 0
    assert certificate.misclassified_count == p * p
    assert certificate.prover["stages"]["triples_in_integers"] > 0


@pytest.mark.parametrize("nudge", [-1, 0, 1])
def test_one_unit_in_the_last_place_decides(nudge):
    """At (0, 0) the logit of 3 is that of 0, or one unit in the last place below or above it."""
    p = 5
    wanted = np.array([[1.0 if c == (a + b) % p else 0.0 for c in range(p)] for a in range(p) for b in range(p)])
    # with one neuron per (a, b) and A + B > 0 only there, U holds the logits
    A = np.full((p, p * p), -1.0)
    B = np.full((p, p * p), -1.0)
    for i in range(p * p):
        A[i // p, i], B[i % p, i] = 1.0, 1.0
    U = wanted / 2
    wrong = np.nextafter(0.5, 0.5 + nudge)
    U[0, 3] = wrong
    circuit = ql.Circuit(p=p, A=A, B=B, U=U)
    certificate = certify_adaptive(circuit)
    assert certificate.misclassified == (((0, 0),) if nudge >= 0 else ())
    assert certificate.certified == (nudge < 0)
    assert certificate.prover["stages"]["triples_in_integers"] >= 1


def test_single_inputs_enclose_the_exact_margin():
    circuit = random_circuit(9, 20, 3)
    single = SingleInputs(circuit, 0.0)
    exact = certify_exact(circuit)
    b, delta = np.divmod(np.arange(9 * 8), 8)
    for d in range(9):
        decided = single.margins(d, b, delta + 1)
        assert (decided.lower <= decided.upper).all()
        least = exact.classes[d].margin_lower_bound
        assert decided.lower.min() <= least <= decided.upper.min()
        for index in range(0, b.size, 7):
            a, c = (d + b[index]) % 9, (d + 2 * b[index] + delta[index] + 1) % 9
            Y = (d + 2 * b[index]) % 9
            h = [max(Fraction(x) + Fraction(y), Fraction(0)) for x, y in zip(circuit.A[a], circuit.B[b[index]],
            strict=True)]
            margin = sum(x * (Fraction(u[Y]) - Fraction(u[c])) for x, u in zip(h, circuit.U, strict=True))
            for row in (circuit.S_a[a], circuit.S_b[b[index]]):
                margin += Fraction(row[Y]) - Fraction(row[c])
            assert Fraction(decided.lower[index]) <= margin <= Fraction(decided.upper[index])


def one_hot_circuit(gap, size=2.0**-540):
    """One neuron is on for each input (a, b): every margin of the network is ``size * gap``, exactly."""
    p = 3
    A = np.full((p, p * p), -size)
    B, U = A.copy(), np.zeros((p * p, p))
    for a in range(p):
        for b in range(p):
            A[a, p * a + b], B[b, p * a + b] = size, 0
            U[p * a + b, (a + b) % p] = gap
    return ql.Circuit(p=p, A=A, B=B, U=U)


@pytest.mark.parametrize("exponent", [-533, -534, -535, -560])
@pytest.mark.parametrize("sign", [1, -1])
def test_margins_around_the_smallest_float64_are_rounded_to_their_side(exponent, sign):
    """2^-540 · 2^exponent is 2^-1073, 2^-1074, or positive and below every float64 above 0."""
    circuit = one_hot_circuit(sign * 2.0**exponent)
    adaptive, exact = certify_adaptive(circuit), certify_exact(circuit)
    true = sign * Fraction(2) ** (exponent - 540)
    at_most = adaptive.prover["stages"]["smallest_margin_at_most"]
    assert Fraction(adaptive.margin_lower_bound) <= true <= Fraction(at_most)
    assert adaptive.margin_lower_bound == exact.margin_lower_bound
    assert adaptive.certified == exact.certified == (sign > 0)
    assert check(adaptive, circuit).accepted
    b, delta = np.divmod(np.arange(6), 2)
    for d in range(3):
        decided = SingleInputs(circuit, 0.0).margins(d, b, delta + 1)
        for lower, upper in zip(decided.lower, decided.upper, strict=True):
            assert Fraction(lower) <= true <= Fraction(upper)
            assert (upper > 0) == (true > 0)


def test_the_smallest_margin_lies_between_what_is_said_of_it():
    """Skip paths of size 1e14 that cancel: a bracket by 2e14 u n was once called the smallest margin, found."""
    base = ql.construct(p=5, frequencies=(1, 2), neurons=40)
    for noise in (0.0, 1e-3):
        S_a = np.full((5, 5), 1e14) + noise * np.arange(25).reshape(5, 5)
        circuit = changed(base, S_a=S_a, S_b=np.full((5, 5), -1e14))
        adaptive, exact = certify_adaptive(circuit), certify_exact(circuit)
        at_most = adaptive.prover["stages"]["smallest_margin_at_most"]
        assert adaptive.margin_lower_bound <= exact.margin_lower_bound <= at_most
        # what cancels in the skip path is one float64 number: nothing of its size is left in the error
        assert at_most - adaptive.margin_lower_bound < 1e-9


def test_undecidable_without_exact_tables_is_an_error():
    circuit = ql.Circuit(p=5, A=np.zeros((5, 2)), B=np.zeros((5, 2)), U=np.zeros((2, 5)), radius={"U": 1e-12})
    with pytest.raises(ql.QuadlensError, match="give the circuit its stored weights"):
        certify_adaptive(circuit)


def test_progress_rises_to_one():
    seen = []
    certify_adaptive(GOOD, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def trained(shared):
    gbmi = [f"gbmi/{path.name}" for path in (shared / "checkpoints/gbmi").glob("*.pth")]
    return [ql.load(shared / "checkpoints" / name) for name in ("pizza/model_p99zdpze5l.pt", *gbmi)]


def five_times_cheaper_and_right(circuit, method):
    adaptive, truth = certify_adaptive(circuit), ql.certify(circuit, method=method)
    assert adaptive.certified_accuracy == truth.certified_accuracy
    assert 5 * adaptive.operations <= adaptive.brute_force_operations
    return adaptive, truth


def test_trained_networks_of_others_are_decided_at_a_fifth_of_brute_force(shared):
    model_A, *others = trained(shared)
    adaptive, exact = five_times_cheaper_and_right(model_A, "exact")
    # one float64 evaluation's rounding bound
    assert adaptive.margin_lower_bound == pytest.approx(exact.margin_lower_bound, abs=1e-8)
    assert exact.margin_lower_bound <= adaptive.prover["stages"]["smallest_margin_at_most"]
    for circuit in others:
        five_times_cheaper_and_right(circuit, "exact")


def test_bundled_networks_are_decided_at_a_fifth_of_brute_force():
    everything = [ql.bundled(name) for name in bundled_names()]
    circuits = [circuit for circuit in everything if circuit.p == 59 and circuit.activation == "relu"]
    assert circuits
    for circuit in circuits:
        # in float64 with a proved rounding bound: every input of these is decided by it, and exact takes longer
        five_times_cheaper_and_right(circuit, "brute-force")


def test_where_bounds_say_little_every_class_has_its_true_margin():
    """The logits of all inputs of a class cost no more than half of its triples: no bound is left standing."""
    circuit = ql.construct(p=23, frequencies=(3, 5, 7), neurons=120, noise=0.5, seed=1)
    poor = Budget(retained=1, retained_by_group=1, harmonics=0, head=0, candidates=0)
    adaptive, exact = certify_adaptive(circuit, budget=poor), ql.certify(circuit, method="exact")
    whole = 0
    for bound, truth in zip(adaptive.classes, exact.classes, strict=True):
        assert bound.margin_lower_bound <= truth.margin_lower_bound
        whole += bound.margin_lower_bound >= truth.margin_lower_bound - 1e-9
    assert whole > 11


@pytest.mark.parametrize("name", ["p59-seed1", "p113-seed0"])
def test_no_bound_is_left_below_the_smallest_margin(name):
    circuit = ql.bundled(name)
    certificate = certify_adaptive(circuit)
    at_most = certificate.prover["stages"]["smallest_margin_at_most"]
    assert certificate.margin_lower_bound <= at_most
    assert certificate.margin_lower_bound == pytest.approx(at_most, abs=1e-7)
    assert certificate.margin_lower_bound == pytest.approx(ql.evaluate(circuit).min_margin, abs=1e-7)
    assert 12 * certificate.operations <= certificate.brute_force_operations


def test_every_part_of_the_search_is_needed(monkeypatch):
    """Whatever is left out, the claims stay true; but the margin is then not found at this price, or not at all."""
    circuit = ql.bundled("p59-seed0")
    whole = certify_adaptive(circuit)
    stages = whole.prover["stages"]
    assert 0 < stages["pairs_refined"] < 0.2 * stages["pairs"]
    assert 0 < stages["triples_evaluated"] < 200
    monkeypatch.setattr("quadlens.certificates.methods.adaptive.PROBES", 0)
    without = certify_adaptive(circuit)
    assert without.margin_lower_bound == pytest.approx(whole.margin_lower_bound, abs=1e-9)
    assert without.operations > whole.operations


@pytest.mark.parametrize("size", [2.0**33, 2.0**40])
def test_where_weights_cancel_the_smallest_margin_is_found_in_integers(size):
    """Neurons in pairs, each other's opposite but for a little: float64 leaves some units of every margin open."""
    base = ql.construct(p=5, frequencies=(1,), neurons=40)
    large = np.round(np.random.default_rng(0).standard_normal((40, 5)) * 2**20) / 2**20 * size
    U = np.round(base.U * 2**8) / 2**8
    circuit = ql.Circuit(
        p=5,
        A=np.hstack([base.A, base.A]),
        B=np.hstack([base.B, base.B]),
        U=np.vstack([U + large, -large]),
    )
    adaptive, exact = certify_adaptive(circuit), certify_exact(circuit)
    at_most = adaptive.prover["stages"]["smallest_margin_at_most"]
    assert adaptive.margin_lower_bound <= exact.margin_lower_bound <= at_most
    assert at_most - adaptive.margin_lower_bound <= 2.0**-19 * at_most
    assert adaptive.prover["stages"]["triples_in_integers"] > 0
