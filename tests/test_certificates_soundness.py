"""The provers against the truth on a thousand circuits; and every term of the inequality shown to be needed."""

from fractions import Fraction

import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates.compute.namespace import numpy_namespace
from quadlens.certificates.inequality import evaluate as evaluation
from quadlens.certificates.inequality import table_sums
from quadlens.certificates.inequality.evaluate import Inequality
from quadlens.certificates.inequality.rounding import sizes
from quadlens.certificates.methods.adaptive import certify_adaptive
from quadlens.certificates.methods.linear import certify_linear
from quadlens.certificates.plan.choose import Budget
from quadlens.circuits.forward import logits

KINDS = (
    "normal",
    "integers",
    "one neuron",
    "zero rows",
    "equal phases",
    "group of one",
    "negative bias",
    "no zeros",
    "four zeros",
    "nyquist",
    "tiny",
    "large",
    "constructed",
    "noisy",
    "touching",
    "skip only",
    "zero",
)
PER_KIND = 60
"""17 kinds, 60 circuits each, every third with |x| in place of ReLU: 1,020."""


def waves(p, k, phases, sigma, kappa):
    theta = 2 * np.pi / p * (k * np.arange(p)[:, None] % p) + phases
    return np.cos(theta) - sigma * np.cos(2 * theta) + kappa / 2


def draw(kind, rng):
    p = int(rng.choice([3, 4, 5, 6, 7, 8, 9, 11, 12]))
    n = int(rng.integers(1, 20))
    k = int(rng.integers(1, p // 2 + 1))
    phases = rng.uniform(-np.pi, np.pi, n)
    tables = {name: rng.standard_normal(shape) for name, shape in (("A", (p, n)), ("B", (p, n)), ("U", (n, p)))}
    skip = {name: rng.standard_normal((p, p)) for name in ("S_a", "S_b")} if rng.random() < 0.5 else {}
    output = np.cos(2 * np.pi / p * (k * np.arange(p) % p) + 2 * phases[:, None])
    if kind == "integers":
        tables = {name: np.rint(2 * table) for name, table in tables.items()}
    elif kind == "one neuron":
        tables = {"A": tables["A"][:, :1], "B": tables["B"][:, :1], "U": tables["U"][:1]}
    elif kind == "zero rows":
        tables["A"][:, : n // 2] = 0
        tables["B"][:, n // 3 : n // 2 + 1] = 0
        tables["U"][: n // 4] = 0
    elif kind == "equal phases":
        same = waves(p, k, np.full(n, phases[0]), 0.1, 0.3)
        tables = {"A": same, "B": same, "U": output}
    elif kind == "group of one":
        tables["A"] = waves(p, 1, phases, 0.1, 0.2)
        tables["B"] = tables["A"].copy()
        tables["A"][:, 0] = tables["B"][:, 0] = waves(p, p // 2, phases[:1], 0.0, 0.0)[:, 0]
    elif kind in ("negative bias", "no zeros", "four zeros", "touching", "nyquist"):
        sigma, kappa = {
            "negative bias": (0.1, -0.7),
            "no zeros": (0.1, float(rng.choice([-5.0, 5.0]))),
            "four zeros": (1.5, 0.0),
            "touching": (0.0, 2.0),
            "nyquist": (0.2, 0.1),
        }[kind]
        if kind == "nyquist":
            p += p % 2
            k = p // 2
            skip = {}
        A = waves(p, k, phases, sigma, kappa)
        U = np.cos(2 * np.pi / p * (k * np.arange(p) % p) + 2 * phases[:, None])
        noise = float(rng.choice([0.0, 0.05]))
        tables = {"A": A + noise * rng.standard_normal(A.shape), "B": A, "U": U + noise * rng.standard_normal(U.shape)}
    elif kind in ("tiny", "large"):
        scale = 1e-30 if kind == "tiny" else 1e30
        tables = {name: scale * table for name, table in tables.items()}
        skip = {name: scale**2 * table for name, table in skip.items()}
    elif kind in ("constructed", "noisy"):
        circuit = ql.construct(
            p=p,
            frequencies=(1,) if p < 5 else (1, 2),
            neurons=n + 4,
            noise=0.1 * (kind == "noisy"),
            seed=int(rng.integers(1 << 30)),
        )
        tables, skip = {"A": circuit.A, "B": circuit.B, "U": circuit.U}, {}
    elif kind == "skip only":
        tables["U"] *= 0
        skip = {name: rng.standard_normal((p, p)) for name in ("S_a", "S_b")}
    elif kind == "zero":
        tables, skip = {name: 0 * table for name, table in tables.items()}, {}
    return ql.Circuit(p=p, activation="abs" if (n + k) % 3 == 0 else "relu", **tables, **skip)


def triple_margins(circuit):
    """Every margin(d + b, b, δ), axes d, b, δ − 1, in float64."""
    p = circuit.p
    block = logits(circuit, slice(None))
    residue = np.arange(p)
    a = (residue[:, None] + residue) % p
    Y = (a + residue) % p
    right = block[a, residue, Y]
    return np.stack([right - block[a, residue, (Y + delta) % p] for delta in range(1, p)], axis=2)


def evaluate(circuit: ql.Circuit, budget: Budget) -> Inequality:
    return evaluation.evaluate(circuit, sizes(circuit), budget, numpy_namespace(), lambda done: None)


def every_pair(found: Inequality):
    """(G′) of every pair at every b, lowered by rounding: axes d, b, δ − 1; and its terms."""
    p = found.plan.p
    d, column = np.divmod(np.arange(p * (p - 1)), p - 1)
    terms = found.pairs.of_pairs(d, column + 1)

    def shaped(values):
        return np.moveaxis(np.broadcast_to(values, (d.size, p)).reshape(p, p - 1, p), 1, 2)

    parts = {name: shaped(getattr(terms, name)) for name in ("ideal", "head", "skip", "tail", "residual", "gates")}
    return found.rounding.lowered(shaped(terms.bound)), parts


def any_budget(rng):
    return Budget(
        retained=int(rng.integers(1, 8)),
        retained_by_group=int(rng.integers(1, 5)),
        harmonics=int(rng.integers(0, 12)),
        head=int(rng.integers(0, 4)),
        cells=int(rng.choice([2, 7, 40, 118])),
        candidates=int(rng.choice([0, 0, 1, 32])),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_class_bounds_below_pair_bounds_below_the_truth_for_every_input(kind):
    rng = np.random.default_rng(KINDS.index(kind))
    for _ in range(PER_KIND):
        circuit = draw(kind, rng)
        found, true = evaluate(circuit, any_budget(rng)), triple_margins(circuit)
        of_class, (of_pairs, _) = found.rounding.lowered(found.classes.bound), every_pair(found)
        assert np.isfinite(of_class).all()
        # the rounding term is far above what float64 does to the margins that the bounds are compared with
        assert (of_class <= true.min(axis=1)).all()
        assert (of_pairs <= true).all()
        assert (of_class[:, None, :] <= of_pairs + 2 * found.rounding.evaluation).all()


@pytest.mark.parametrize("kind", KINDS)
def test_methods_are_ordered_and_adaptive_is_the_truth(kind):
    rng = np.random.default_rng(100 + KINDS.index(kind))
    for _ in range(3):
        circuit = draw(kind, rng)
        linear, adaptive = certify_linear(circuit), certify_adaptive(circuit)
        exact = ql.certify(circuit, method="exact")
        assert adaptive.certified_accuracy == exact.certified_accuracy
        assert adaptive.misclassified == exact.misclassified
        for lower, higher, truth in zip(linear.classes, adaptive.classes, exact.classes, strict=True):
            assert max(lower.margin_lower_bound, higher.margin_lower_bound) <= truth.margin_lower_bound
            assert lower.certified <= higher.certified == truth.certified


# ---------------------------------------------------------------- every term is needed

FINE = Budget(retained=100, retained_by_group=100, candidates=0)
"""Everything retained, every gate bounded: what a circuit is made for is then what its bound costs."""

EVALUATED = Budget(retained=100, retained_by_group=100)


def wave_circuit(p, k, n, noise_input=0.0, seed=0):
    rng = np.random.default_rng(seed)
    phases = rng.uniform(-np.pi, np.pi, n)
    A = waves(p, k, phases, 0.12, 0.3)
    U = np.cos(2 * np.pi / p * (k * np.arange(p) % p) + 2 * phases[:, None])
    return ql.Circuit(
        p=p,
        A=A + noise_input * rng.standard_normal(A.shape),
        B=A + noise_input * rng.standard_normal(A.shape),
        U=U,
    )


def one_neuron(seed, kappa=0.3):
    """A neuron whose waveform fits, with an output that no few frequencies hold."""
    rng = np.random.default_rng(seed)
    A = waves(7, 2, rng.uniform(-3, 3, 1), 0.12, kappa)
    return ql.Circuit(p=7, A=A, B=A, U=rng.standard_normal((1, 7)))


def opposite_neurons():
    """Two neurons that are always on: their common waveform cancels in the output, their differences do not."""
    theta = 2 * np.pi / 7 * (2 * np.arange(7) % 7) + 0.4
    base, other = np.cos(theta) + 3, 0.3 * np.cos(2 * theta)
    u = np.random.default_rng(1).standard_normal(7)
    return ql.Circuit(
        p=7, A=np.stack([base + other, base - other], axis=1), B=np.stack([base, base], axis=1), U=np.stack([u, -u])
    )


def cancelling_circuit(seed):
    """Skip rows of size 2⁴⁰ that cancel exactly and leave differences of order 2⁻¹⁰."""
    p = 5
    rng = np.random.default_rng(seed)
    large = rng.integers(-(2**20), 2**20, p) * 2.0**20
    small = rng.integers(-8, 8, (p, p)) * 2.0**-12
    return ql.Circuit(
        p=p, A=np.zeros((p, 1)), B=np.zeros((p, 1)), U=np.zeros((1, p)), S_a=np.tile(large, (p, 1)), S_b=small - large
    )


def exact_triple_margins(circuit):
    """The margins of a circuit that is all skip path, as fractions rounded down, axes d, b, δ − 1."""
    p = circuit.p
    out = np.empty((p, p, p - 1))
    for d, b, delta in np.ndindex(p, p, p - 1):
        a, Y = (d + b) % p, (d + 2 * b) % p
        c = (Y + delta + 1) % p
        rows = (circuit.S_a[a], circuit.S_b[b])
        out[d, b, delta] = float(sum(Fraction(row[Y]) - Fraction(row[c]) for row in rows))
    return out


SKIP_ONLY = ql.Circuit(
    p=7,
    A=np.zeros((7, 1)),
    B=np.zeros((7, 1)),
    U=np.zeros((1, 7)),
    S_a=np.random.default_rng(5).standard_normal((7, 7)),
)

OF_CLASSES = {
    "spread": (wave_circuit(13, 2, 7), EVALUATED),
    "R": (wave_circuit(7, 2, 30, noise_input=0.3, seed=1), FINE),
    "D": (one_neuron(2), Budget(retained=1, harmonics=59)),
    "tail": (one_neuron(3), Budget(retained=1, harmonics=0, head=0)),
    "res": (opposite_neurons(), Budget(retained=1, harmonics=59)),
    "skip": (SKIP_ONLY, Budget(retained=1)),
}
"""Term of (L) -> a circuit, and a budget, that need it."""


@pytest.mark.parametrize("term", OF_CLASSES)
def test_the_class_bound_holds_and_fails_without_the_term(term):
    circuit, budget = OF_CLASSES[term]
    found = evaluate(circuit, budget)
    true = triple_margins(circuit).min(axis=1)
    lower, cost = found.rounding.lowered(found.classes.bound), getattr(found.classes, term)
    cost = cost if cost.ndim == 2 else cost[:, None]
    assert (lower <= true).all()
    assert (cost > 0).any()
    assert (lower + cost > true).any()


OF_PAIRS = {
    "tail": (one_neuron(3), Budget(retained=1, harmonics=0, head=0)),
    "harmonics beyond the head": (one_neuron(2), Budget(retained=1, harmonics=59, head=0)),
    "residual": (opposite_neurons(), Budget(retained=1, harmonics=59)),
    "gates": (wave_circuit(7, 2, 30, noise_input=0.3, seed=1), FINE),
    "head": (one_neuron(2), Budget(retained=1, harmonics=59, head=59)),
    "skip": (SKIP_ONLY, Budget(retained=1)),
}
"""Term of (G′) -> a circuit, and a budget, that need it."""


@pytest.mark.parametrize("term", OF_PAIRS)
def test_the_pair_bound_holds_and_fails_without_the_term(term):
    circuit, budget = OF_PAIRS[term]
    found, true = evaluate(circuit, budget), triple_margins(circuit)
    lower, parts = every_pair(found)
    without = parts["tail" if term == "harmonics beyond the head" else term]
    assert (lower <= true).all()
    assert (lower - without > true).any()


def test_the_bound_holds_and_fails_without_the_rounding_term():
    needed = 0
    for seed in range(100):  # which way a sum is rounded is chance, and differs between machines
        circuit = cancelling_circuit(seed)
        found = evaluate(circuit, FINE)
        true, (lower, _) = exact_triple_margins(circuit), every_pair(found)
        assert (lower <= true).all()
        needed += (lower + found.rounding.evaluation > true).any()
    assert needed


def test_the_bound_holds_and_fails_without_the_midpoint(monkeypatch):
    """R is half of what ρ can be; without the other half, in C, half is not enough."""
    circuit = wave_circuit(7, 2, 4, noise_input=0.5, seed=6)
    true = triple_margins(circuit)
    assert (every_pair(evaluate(circuit, FINE))[0] <= true).all()
    whole = table_sums.streams

    def without(xp, weights, value, delta):
        begin, changes = whole(xp, weights, value, delta)
        plain = [0 * value, (1 - weights.slope) * value, 0 * value]
        return begin, [[new, *change[1:]] for new, change in zip(plain, changes, strict=True)]

    monkeypatch.setattr(table_sums, "streams", without)
    assert (every_pair(evaluate(circuit, FINE))[0] > true).any()


def test_a_table_radius_costs_what_it_can_do_to_a_margin():
    circuit = wave_circuit(7, 2, 12)
    tables = {name: getattr(circuit, name) for name in ("A", "B", "U")}
    radius = {"A": 1e-3, "B": 2e-3, "U": 1e-4, "S_a": 1e-5}
    wide = ql.Circuit(p=7, **tables, radius=radius)
    lost = certify_linear(circuit).margin_lower_bound - certify_linear(wide).margin_lower_bound
    U = np.abs(circuit.U).max(axis=1)
    Y = np.abs(circuit.A).max(axis=0) + np.abs(circuit.B).max(axis=0)
    expected = 2 * 3e-3 * U.sum() + 2e-4 * (Y + 3e-3).sum() + 2e-5
    # one number, evaluated in another order
    assert lost == pytest.approx(expected, rel=1e-9)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        moved = {name: table + radius[name] * rng.choice([-1, 1], table.shape) for name, table in tables.items()}
        other = ql.Circuit(p=7, **moved, S_a=1e-5 * rng.choice([-1, 1], (7, 7)))
        assert certify_linear(wide).margin_lower_bound <= triple_margins(other).min()


@pytest.mark.parametrize("method", ["linear", "adaptive"])
def test_a_network_with_one_wrong_input_is_never_certified(method):
    good = ql.construct(p=13, frequencies=(2, 3, 5), neurons=60)
    margin = ql.evaluate(good).min_margin
    assert ql.certify(good, method=method).certified
    S_a = np.zeros((13, 13))
    true = triple_margins(good)
    d, b, delta = np.unravel_index(true.argmin(), true.shape)
    a, c = (d + b) % 13, (d + 2 * b + delta + 1) % 13
    # raise one logit of one a until the tightest of its inputs is wrong
    S_a[a, c] = margin * (1 + 1e-9)
    wrong = ql.Circuit(p=13, A=good.A, B=good.B, U=good.U, S_a=S_a)
    assert ql.evaluate(wrong).accuracy < 1
    certificate = ql.certify(wrong, method=method)
    assert not certificate.certified
    assert certificate.certified_accuracy <= ql.evaluate(wrong).accuracy
