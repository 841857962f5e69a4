"""The method ``smooth``: every bound is below the truth in balls, every term and the rounding are needed."""

from dataclasses import replace

import flint
import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates.certify import decide
from quadlens.certificates.compute.namespace import numpy_namespace
from quadlens.certificates.exact.activation_enclosure import BY_TAYLOR, enclosed_activation
from quadlens.certificates.inequality import evaluate_grid as module
from quadlens.certificates.inequality.grid_sums import grid_sums
from quadlens.certificates.inequality.operations import brute_force_operations
from quadlens.certificates.inequality.rounding import sizes
from quadlens.certificates.inequality.split import split_outputs
from quadlens.certificates.methods.smooth import BUDGET
from quadlens.certificates.plan.choose import Budget
from quadlens.errors import CertificateError

GELU_59 = "../shared/checkpoints/quadlens/p59-gelu-0e3500.safetensors"
FINE = Budget(retained=14, retained_by_group=14, harmonics=16, head=4)
COARSE = Budget(retained=1, retained_by_group=1, harmonics=2, head=1, cells=20)


def act(name, x):
    """An activation in balls, from its definition."""
    if name == "tanh":
        return x.tanh()
    if name == "sin":
        return x.sin()
    if name == "silu":
        return x / (1 + (-x).exp())
    if name == "gelu":
        return x / 2 * (1 + (x / flint.arb(2).sqrt()).erf())
    return x / 2 * (1 + ((2 / flint.arb.pi()).sqrt() * (x + flint.arb("0.044715") * x**3)).tanh())


def triple_margins(circuit):
    """Every margin(d + b, b, δ) in balls of 200 bits, axes d, b, δ − 1."""
    p, n = circuit.p, circuit.neurons
    out = np.empty((p, p, p - 1), dtype=object)
    with flint.ctx.workprec(200):
        U = flint.arb_mat(circuit.U.tolist())
        for d, b in np.ndindex(p, p):
            a = (d + b) % p
            y = [flint.arb(circuit.A[a, i]) + flint.arb(circuit.B[b, i]) for i in range(n)]
            hidden = flint.arb_mat([[act(circuit.activation, x) for x in y]])
            logits = (hidden * U).entries()
            logits = [x + flint.arb(circuit.S_a[a, c]) + flint.arb(circuit.S_b[b, c]) for c, x in enumerate(logits)]
            Y = (a + b) % p
            out[d, b] = [logits[Y] - logits[(Y + delta) % p] for delta in range(1, p)]
    return out


def evaluate(circuit, budget):
    return module.evaluate_grid(circuit, sizes(circuit), budget, lambda done: None)


def every_pair(found):
    """(G′) of every pair at every b, without rounding, axes d, b, δ − 1; and its terms."""
    p = found.plan.p
    d, column = np.divmod(np.arange(p * (p - 1)), p - 1)
    terms = found.pairs.of_pairs(d, column + 1)

    def shaped(values):
        return np.moveaxis(np.broadcast_to(values, (d.size, p)).reshape(p, p - 1, p), 1, 2)

    return shaped(terms.bound), {name: shaped(getattr(terms, name)) for name in ("head", "skip", "tail", "residual")}


def all_below(bound, true):
    return all(x <= y for x, y in zip(bound.ravel().tolist(), true.ravel().tolist(), strict=True))


def some_above(bound, true):
    return any(x > y for x, y in zip(bound.ravel().tolist(), true.ravel().tolist(), strict=True))


def random_circuit(seed, p=7, n=5):
    generator = np.random.default_rng(seed)
    size = 10.0 ** generator.integers(-2, 2)
    shapes = {"A": (p, n), "B": (p, n), "U": (n, p), "S_a": (p, p), "S_b": (p, p)}
    tables = {name: size * generator.standard_normal(shape) for name, shape in shapes.items()}
    if seed % 2:
        tables["S_a"], tables["S_b"] = 0 * tables["S_a"], 0 * tables["S_b"]
    return ql.Circuit(p=p, activation=BY_TAYLOR[seed % len(BY_TAYLOR)], **tables)


def wave_circuit(seed, n, noise=0.0, amplitudes=(1.0,), activation="gelu", p=7, k=2):
    """Waves of one frequency, of these amplitudes in turn, with a random output for each neuron."""
    generator = np.random.default_rng(seed)
    r = np.resize(amplitudes, n)
    A = r * np.cos(2 * np.pi / p * (k * np.arange(p) % p)[:, None] + generator.uniform(-3, 3, n))
    noises = noise * generator.standard_normal((2, *A.shape))
    return ql.Circuit(p=p, A=A + noises[0], B=A + noises[1], U=generator.standard_normal((n, p)), activation=activation)


def opposite_neurons():
    """Their common waveform cancels in the output, their differences do not."""
    theta = 2 * np.pi / 7 * (2 * np.arange(7) % 7) + 0.4
    base, other = np.cos(theta), 0.3 * np.cos(2 * theta)
    u = np.random.default_rng(1).standard_normal(7)
    A, B = np.stack([base + other, base - other], axis=1), np.stack([base, base], axis=1)
    return ql.Circuit(p=7, A=A, B=B, U=np.stack([u, -u]), activation="gelu")


SKIP_ONLY = replace(
    wave_circuit(0, 1), U=np.zeros((1, 7)), S_a=np.random.default_rng(5).standard_normal((7, 7)), S_b=np.zeros((7, 7))
)


@pytest.mark.parametrize("budget", [FINE, BUDGET, COARSE], ids=["fine", "as it is", "coarse"])
@pytest.mark.parametrize("seed", range(12))
def test_no_bound_is_above_the_margin(seed, budget):
    circuit = random_circuit(seed) if seed % 3 else wave_circuit(seed, 6, 0.3, (0.5, 1, 4), BY_TAYLOR[seed % 5])
    found, true = evaluate(circuit, budget), triple_margins(circuit)
    lowest = np.broadcast_to(found.rounding.lowered(found.classes.bound)[:, None], true.shape)
    assert all_below(lowest, true)
    assert all_below(found.rounding.lowered(every_pair(found)[0]), true)


NEEDED = {
    "spread": (wave_circuit(1, 5), FINE),
    "D": (wave_circuit(2, 1), Budget(retained=1, harmonics=59)),
    "tail": (wave_circuit(3, 1, activation="tanh"), Budget(retained=1, harmonics=0, head=0)),
    "res": (opposite_neurons(), Budget(retained=1, harmonics=59)),
    "skip": (SKIP_ONLY, Budget(retained=1)),
}
"""Term of (L) -> a circuit, and a budget, that need it."""


@pytest.mark.parametrize("term", NEEDED)
def test_the_class_bound_fails_without_the_term(term):
    circuit, budget = NEEDED[term]
    found, true = evaluate(circuit, budget), triple_margins(circuit)
    lower, cost = found.rounding.lowered(found.classes.bound), getattr(found.classes, term)
    cost = cost if cost.ndim == 2 else cost[:, None]
    assert all_below(np.broadcast_to(lower[:, None], true.shape), true)
    assert some_above(np.broadcast_to((lower + cost)[:, None], true.shape), true)


@pytest.mark.parametrize("term", ["head", "tail", "residual", "skip"])
def test_the_pair_bound_fails_without_the_term(term):
    circuit, budget = {
        "head": (wave_circuit(2, 1), Budget(retained=1, harmonics=59, head=59)),
        "tail": NEEDED["tail"],
        "residual": NEEDED["res"],
        "skip": NEEDED["skip"],
    }[term]
    found, true = evaluate(circuit, budget), triple_margins(circuit)
    bound, parts = every_pair(found)
    assert all_below(found.rounding.lowered(bound), true)
    assert some_above(found.rounding.lowered(bound - parts[term]), true)


def test_both_forms_of_the_residual_hold():
    """By neuron where one neuron has all of dU, by norms where many share it: the smaller one is taken."""
    for circuit in (wave_circuit(4, 2, noise=0.8), wave_circuit(5, 40, noise=0.8)):
        found, true = evaluate(circuit, COARSE), triple_margins(circuit)
        assert all_below(found.rounding.lowered(every_pair(found)[0]), true)


def cancelling(seed):
    """Two neurons whose outputs of size 2^30 cancel but for what their inputs differ by; no term but rounding."""
    generator = np.random.default_rng(seed)
    p, u = 5, 2.0**30 * generator.standard_normal(5)
    A = generator.standard_normal((p, 1))
    tables = {"A": np.repeat(A, 2, axis=1), "B": np.repeat(A, 2, axis=1), "U": np.stack([u, 2.0**-20 - u])}
    return ql.Circuit(p=p, activation=BY_TAYLOR[seed % 5], **tables)


@pytest.mark.parametrize("piece", ["evaluation"])
def test_the_bound_fails_without_its_rounding(piece):
    needed = 0
    for seed in range(12):
        found, true = evaluate(cancelling(seed), FINE), triple_margins(cancelling(seed))
        bound, parts = every_pair(found)
        assert all_below(found.rounding.lowered(bound), true)
        needed += some_above(bound - parts["residual"] - parts["tail"], true)
    assert needed


def test_values_are_off_by_what_is_said_and_no_less_than_that_is_claimed():
    off_by_something = False
    for seed in range(8):
        circuit = random_circuit(seed)
        plan = module.choose_smooth(circuit, COARSE)
        sums = grid_sums(circuit, plan, split_outputs(numpy_namespace(), circuit, plan))
        y = circuit.A[:, None] + circuit.B
        h, _ = enclosed_activation(circuit.activation, y)
        with flint.ctx.workprec(200):
            for a, b, i in np.ndindex(h.shape):
                exact = act(circuit.activation, flint.arb(circuit.A[a, i]) + flint.arb(circuit.B[b, i]))
                assert abs(exact - h[a, b, i]) <= sums.off[i]
                off_by_something |= bool(abs(exact - h[a, b, i]) > 0)
                assert abs(h[a, b, i]) <= sums.size[i]
    assert off_by_something


def test_retained_sums_are_those_of_the_computed_values():
    """C within the piece that is there for it, and not exactly: without the piece they would not be."""
    beyond = False
    for seed in range(6):
        circuit = random_circuit(seed)
        plan = module.choose_smooth(circuit, FINE)
        sums = grid_sums(circuit, plan, split_outputs(numpy_namespace(), circuit, plan))
        h, _ = enclosed_activation(circuit.activation, circuit.A[:, None] + circuit.B)
        pieces = {}

        def keep(given, operations, pieces=pieces):
            pieces.setdefault("retained", given.get("retained"))
            return 0.0

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "sum_up", keep)
            module.grid_rounding(circuit, sizes(circuit), plan, sums, 0.0)
        with flint.ctx.workprec(200):
            group_of = plan.group_of
            for number, z in enumerate(plan.retained):
                roots = [flint.acb(flint.arb(-2 * z * c) / 7).exp_pi_i() for c in range(7)]
                for a, b in np.ndindex(7, 7):
                    rows = [
                        (h[a, b, i], circuit.U[i]) for i in range(5) if z in plan.groups[group_of[i]].retained
                    ] + [(1.0, circuit.S_a[a]), (1.0, circuit.S_b[b])]
                    exact = sum(
                        (flint.arb(x) * flint.arb(u) * roots[c] for x, row in rows for c, u in enumerate(row)),
                        flint.acb(0),
                    ) * flint.arb(2) / 7
                    computed = complex(sums.C[number, (a - b) % 7, b])
                    apart = abs(exact - flint.acb(computed.real, computed.imag))
                    assert 6 * len(plan.retained) * apart <= pieces["retained"]
                    beyond |= bool(apart > 0)
    assert beyond


def test_a_trained_network_is_certified_whole_for_less_than_brute_force():
    circuit = ql.load(GELU_59)
    decided = decide(circuit)
    found = decided.certificate
    assert [name for name, _ in decided.passed_over] == ["adaptive"]
    assert found.method == "smooth"
    assert found.certified
    assert found.operations < 0.4 * brute_force_operations(59, 512)
    truth = ql.certify(circuit, "brute-force")
    for mine, true in zip(found.classes, truth.classes, strict=True):
        # true margins are known to 1e-10 of what brute force proves, mine lose some tenths at least
        assert mine.margin_lower_bound < true.margin_lower_bound
    assert found.margin_lower_bound > 10


def test_operations_are_a_closed_formula_of_the_plan():
    """The part that grows with p²n: sums, activations, their errors, products of retained frequencies, the residual."""
    for p, n in ((31, 64), (37, 64), (37, 128)):
        circuit = ql.construct(p=p, frequencies=(2, 3), neurons=n, activation="silu")
        plan = module.choose_smooth(circuit, BUDGET)
        steps = dict(module.grid_operations(plan).steps)
        kept = sum(group.members.size * len(group.retained) for group in plan.groups)
        assert steps["hidden layer"] == 2 * p * p * n
        assert steps["retained sums"] == 4 * p * p * kept
        assert kept <= BUDGET.retained_by_group * n
        assert steps["errors of the activations"] == steps["residual"] - 4 * len(plan.groups) * p * p == 6 * p * p * n


@pytest.mark.parametrize("activation", BY_TAYLOR)
def test_the_checker_accepts_the_claim_and_none_above_the_truth(activation):
    circuit = ql.construct(p=7, frequencies=(2, 3), neurons=16, activation=activation)
    certificate = ql.certify(circuit, "smooth")
    assert ql.check(certificate, circuit).accepted
    true = min(triple_margins(circuit).ravel().tolist(), key=lambda x: float(x.mid()))
    above = float(true.upper()) + abs(float(true.upper())) * 1e-12
    classes = tuple(replace(bound, margin_lower_bound=above) for bound in certificate.classes)
    refused = ql.check(replace(certificate, classes=classes), circuit)
    assert not refused.accepted
    assert "claims a margin" in refused.reasons[0]
    with pytest.raises(CertificateError):
        ql.check(replace(certificate, prover=None), circuit)
    broken = {**certificate.prover, "grid": 0}
    assert not ql.check(replace(certificate, prover=broken), circuit).accepted


@pytest.mark.parametrize(("activation", "instead"), [("relu", "linear"), ("abs", "linear"), ("square", "brute-force")])
def test_other_activations_are_refused_with_what_to_use(activation, instead):
    circuit = ql.construct(p=7, frequencies=(2, 3), neurons=16, activation=activation)
    assert str(ql.certify(circuit, "smooth").refusal).endswith(f"this circuit has {activation}; use {instead}")


def test_a_radius_of_the_tables_is_paid():
    circuit = ql.construct(p=7, frequencies=(2, 3), neurons=16, activation="gelu")
    within = {"A": 1e-3, "B": 1e-3, "U": 1e-3, "S_a": 1e-3, "S_b": 1e-3}
    loose = ql.Circuit(
        p=7,
        activation="gelu",
        radius=within,
        **{name: getattr(circuit, name) for name in within},
    )
    generator = np.random.default_rng(0)
    bound = ql.certify(loose, "smooth").margin_lower_bound
    for _ in range(20):
        other = {
            name: getattr(circuit, name) + within[name] * generator.choice([-1, 1], getattr(circuit, name).shape)
            for name in within
        }
        true = triple_margins(ql.Circuit(p=7, activation="gelu", **other))
        assert all(bound <= x for x in true.ravel().tolist())
    assert bound < ql.certify(circuit, "smooth").margin_lower_bound - 4e-3


def test_the_piece_for_activations_pays_what_their_values_can_do_to_a_margin(monkeypatch):
    pieces = {}
    monkeypatch.setattr(module, "sum_up", lambda given, operations: pieces.update(given) or 0.0)
    for seed in range(4):
        circuit = random_circuit(seed)
        plan = module.choose_smooth(circuit, COARSE)
        sums = grid_sums(circuit, plan, split_outputs(numpy_namespace(), circuit, plan))
        pieces.clear()
        module.grid_rounding(circuit, sizes(circuit), plan, sums, 0.0)
        h, _ = enclosed_activation(circuit.activation, circuit.A[:, None] + circuit.B)
        swing = [flint.arb(float(row.max())) - flint.arb(float(row.min())) for row in circuit.U]
        with flint.ctx.workprec(200):
            for a, b in np.ndindex(circuit.p, circuit.p):
                y = [flint.arb(x) + flint.arb(z) for x, z in zip(circuit.A[a], circuit.B[b], strict=True)]
                moved = sum(abs(act(circuit.activation, x) - h[a, b, i]) * swing[i] for i, x in enumerate(y))
                assert 0 < moved <= pieces.get("activations", 0.0)
