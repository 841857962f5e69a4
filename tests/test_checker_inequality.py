"""The checker's inequality: what the text says, never above the true margin, and no term of it is idle."""

import ast
import math
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import flint
import numpy as np
import pytest

import quadlens as ql
from quadlens import checker
from quadlens.checker.gates import SLOPES, ClassSums, Gates, InputTerms
from quadlens.checker.inequality import Inequality, class_margins
from quadlens.checker.outputs import Outputs
from quadlens.checker.plan import MAX_HARMONICS, read_plan
from quadlens.checker.remainder import Remainder
from quadlens.checker.stored import StoredTables
from quadlens.checker.tables import PRECISION, BallNetwork, ball_network
from quadlens.errors import CertificateError
from tests.dense_inequality import curve_values, evaluate, fitting_pair, random_plan

RECORDS = {f"quadlens.{name}" for name in ("errors", "arrays", "memory", "circuits.circuit", "circuits.provenance")}
SHARED_WITH_PROVERS = RECORDS | {f"quadlens.certificates.record.{name}" for name in ("certificate", "digest", "file")}


def test_the_checker_shares_no_code_with_the_provers():
    paths = list(Path(checker.__file__).parent.rglob("*.py"))
    assert len(paths) >= 7
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                if module.startswith("quadlens"):
                    own = module.startswith("quadlens.checker.")
                    assert own or module in SHARED_WITH_PROVERS, f"{path.name} imports {module}"
                else:
                    assert module.split(".")[0] not in ("scipy", "mpmath", "torch", "numba"), module


def random_circuit(seed: int, p: int, n: int, activation: str = "relu") -> ql.Circuit:
    generator = np.random.default_rng(seed)
    shapes = {"A": (p, n), "B": (p, n), "U": (n, p), "S_a": (p, p), "S_b": (p, p)}
    tables = {name: generator.standard_normal(shape) for name, shape in shapes.items()}
    return ql.Circuit(p=p, activation=activation, **tables)


def pair(seed: int, activation: str) -> tuple[ql.Circuit, dict[str, Any]]:
    """Return a network and a plan: of even seeds the plan follows the network, of odd ones it fits nothing."""
    generator = np.random.default_rng(seed)
    p, n = int(generator.integers(3, 9)), int(generator.integers(1, 10))
    if seed % 2:
        return random_circuit(seed, p, n, activation), random_plan(generator, p, n)
    return fitting_pair(generator, p, n, activation)


def inequality_of(circuit: ql.Circuit, plan: dict[str, Any]) -> tuple[Inequality, BallNetwork]:
    network = ball_network(circuit)
    outputs = Outputs(tables=StoredTables(network=network), plan=read_plan(plan, circuit.p, circuit.neurons))
    return Inequality(gates=Gates(outputs=outputs)), network


def discrepancy(circuit: ql.Circuit, plan: dict[str, Any]) -> float:
    """Return the largest difference between checker and dense float64, relative to the largest bound."""
    alpha = float(SLOPES[circuit.activation].p) / float(SLOPES[circuit.activation].q)
    dense = evaluate(circuit, plan, alpha)
    own_L, own_G = np.array(dense.L), np.array(dense.G)
    with flint.ctx.workprec(PRECISION):
        inequality, _ = inequality_of(circuit, plan)
        inequality.gates.require_settled_far()
        for d in range(circuit.p):
            sums = inequality.gates.of_class(d)
            own_L[d, 1:] = [float(x.lower()) for x in inequality.L(d, sums)]
            for delta, inputs in inequality.G(d, sums, tuple(range(1, circuit.p))).items():
                own_G[d, :, delta] = [float(x.lower()) for x in inputs]
    size = max(np.abs(dense.L).max(), np.abs(dense.G).max())
    return float(max(np.abs(own_L - dense.L)[:, 1:].max(), np.abs(own_G - dense.G)[:, :, 1:].max()) / size)


ACTIVATIONS = ("relu", "abs")


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("seed", range(24))
def test_the_checker_evaluates_what_the_text_says(seed, activation):
    assert discrepancy(*pair(seed, activation)) < 1e-12


@pytest.mark.parametrize("alpha", [flint.fmpq(1, 10), flint.fmpq(-1, 2), flint.fmpq(1)])
@pytest.mark.parametrize("seed", range(6))
def test_other_slopes_below_zero(seed, alpha, monkeypatch):
    """Leaky activations have no name in circuits yet; the inequality is about them all the same."""
    monkeypatch.setitem(SLOPES, "relu", alpha)
    circuit, plan = pair(seed, "relu")
    assert discrepancy(circuit, plan) < 1e-12
    assert_never_above_the_truth(circuit, plan, alpha)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("seed", range(40))
def test_no_bound_is_above_the_true_margin(seed, activation):
    assert_never_above_the_truth(*pair(1000 + seed, activation), SLOPES[activation])


def assert_never_above_the_truth(circuit: ql.Circuit, plan: dict[str, Any], alpha: Any) -> None:
    p = circuit.p
    with flint.ctx.workprec(PRECISION):
        inequality, network = inequality_of(circuit, plan)
        inequality.gates.require_settled_far()
        A, B, U, S_a, S_b = ((network.fractions or {})[name].tolist() for name in ("A", "B", "U", "S_a", "S_b"))
        for d in range(p):
            sums = inequality.gates.of_class(d)
            G, least = inequality.G(d, sums, tuple(range(1, p))), {}
            for b in range(p):
                a = (d + b) % p
                hidden = [y if y > 0 else alpha * y for y in (s + t for s, t in zip(A[a], B[b], strict=True))]
                mlp = [sum(h * u[c] for h, u in zip(hidden, U, strict=True)) for c in range(p)]
                logits = [x + s + t for x, s, t in zip(mlp, S_a[a], S_b[b], strict=True)]
                for delta in range(1, p):
                    true = flint.arb(logits[(a + b) % p] - logits[(a + b + delta) % p])
                    assert G[delta][b].lower() <= true
                    least[delta] = min(true, least.get(delta, true))
            for delta, bound in enumerate(inequality.L(d, sums), start=1):
                assert bound.lower() <= least[delta]
                assert bound.rad() < 1e-25  # no containment through wide balls


def without(method: str, value: Callable[..., Any]) -> Callable[[pytest.MonkeyPatch], None]:
    owner, name = {"Gates": Gates, "Remainder": Remainder, "Inequality": Inequality}[method.split(".")[0]], method
    return lambda monkeypatch: monkeypatch.setattr(owner, name.split(".")[1], value)


def changed_sums(change: Callable[[ClassSums], ClassSums]) -> Callable[[pytest.MonkeyPatch], None]:
    original = Gates.of_class
    return without("Gates.of_class", lambda self, d: change(original(self, d)))


def changed_inputs(change: Callable[[InputTerms], InputTerms]) -> Callable[[pytest.MonkeyPatch], None]:
    original = Gates._input
    return without("Gates._input", lambda self, a, b: change(original(self, a, b)))


def changed_choices(name: str, change: Callable[[Any], tuple[Any, ...]]) -> Callable[[pytest.MonkeyPatch], None]:
    original = getattr(Gates, name).func

    def changed(self: Gates) -> dict[str, Any]:
        return {table: [[change(x) for x in row] for row in rows] for table, rows in original(self).items()}

    return without(f"Gates.{name}", cached(changed))


def cached(function: Callable[[Any], Any]) -> Any:
    out = cached_property(function)
    out.__set_name__(Gates, f"changed {id(function)}")
    return out


def changed_split(field: str) -> Callable[[pytest.MonkeyPatch], None]:
    """U is retained, or its rest is there, only in part: every use of it must show."""
    original = Outputs.U.func
    return lambda monkeypatch: monkeypatch.setattr(
        Outputs, "U", property(lambda self: replace(original(self), **{field: 0 * getattr(original(self), field)}))
    )


ZERO = flint.arb(0)


def zeros(remainder: Remainder) -> list[list[Any]]:
    return [[ZERO] * remainder.gates.outputs.p] * remainder.gates.outputs.p


DROPPED: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "R": changed_sums(lambda sums: replace(sums, R=[ZERO for _ in sums.R])),
    "res": changed_sums(lambda sums: replace(sums, res=[ZERO for _ in sums.res])),
    "C": changed_sums(lambda sums: replace(sums, C=0 * sums.C)),
    "skip": without("Inequality.skip", lambda self, d, b: ZERO),
    "dS": without("Inequality.skip_rest", property(lambda self: ([[ZERO] * self.gates.outputs.p] * 9,) * 2)),
    "tail": without("Remainder.tail", lambda self, d: ZERO),
    "D": without("Remainder.D", property(zeros)),
    "D beyond the head": without("Remainder.D_beyond_head", property(zeros)),
    "head": without("Remainder.head", lambda self, d: flint.arb_mat(self.gates.outputs.p, self.gates.outputs.p)),
    "the midpoint and R": changed_choices("rho", lambda rho: (ZERO,) * 4),
    "eta of open gates": changed_choices("eta", lambda eta: (eta[0], eta[1], ZERO, ZERO)),
    "eta of near gates": changed_choices("eta", lambda eta: (eta[0], eta[0], *eta[2:])),
    "eta of shut gates": changed_choices("eta", lambda eta: (ZERO, eta[1], *eta[2:])),
    "rho of open gates": changed_choices("rho", lambda rho: (*rho[:3], ZERO)),
    "rho of shut gates": changed_choices("rho", lambda rho: (ZERO, ZERO, *rho[2:])),
    "far neurons": without(
        "Gates.levels", property(lambda self: np.where(self.plan.bounded, 2**42, -1).astype(np.int64))
    ),
    "x": changed_inputs(lambda terms: replace(terms, x={})),
    "V": without("Gates.retained_spread", property(lambda self: [ZERO] * self.plan.cell.size)),
    "osc": without("Gates.oscillation", property(lambda self: [ZERO] * self.plan.cell.size)),
    "largest norm": without("Gates.largest_norms", property(lambda self: [ZERO] * len(self.plan.groups))),
    "norms": without("Gates.norms", property(lambda self: [[ZERO] * self.outputs.p] * len(self.plan.groups))),
    "|1 - e|": without(
        "Inequality.chords", property(lambda self: [[ZERO] * self.gates.outputs.p] * len(self.gates.plan.retained))
    ),
    "UF": changed_split("waves"),
    "dU": changed_split("rest"),
}


@pytest.mark.parametrize("name", DROPPED)
def test_a_term_that_is_dropped_shows(name, monkeypatch):
    pairs = [pair(seed, activation) for seed in range(12) for activation in ACTIVATIONS]
    assert max(discrepancy(*each) for each in pairs) < 1e-12
    DROPPED[name](monkeypatch)
    assert max(discrepancy(*each) for each in pairs) > 1e-3


@pytest.mark.parametrize("name", ["A", "B", "U", "S_a", "S_b"])
def test_a_radius_is_taken_off_once(name):
    circuit, plan = pair(4, "relu")
    vague = replace(circuit, radius={name: 1e-3})
    with flint.ctx.workprec(PRECISION):
        sharp = class_margins(plan, StoredTables(network=ball_network(circuit)), None)
        wide = class_margins(plan, StoredTables(network=ball_network(vague)), None)
        lost = [float((x - y).mid()) for x, y in zip(sharp, wide, strict=True)]
    hidden = {"A": np.ptp(circuit.U, axis=1).sum(), "B": np.ptp(circuit.U, axis=1).sum()}
    outer = 2 * (np.abs(circuit.A).max(axis=0) + np.abs(circuit.B).max(axis=0)).sum()
    expected = 1e-3 * {"U": outer, "S_a": 2.0, "S_b": 2.0, **hidden}[name]
    assert lost == pytest.approx([expected] * circuit.p, rel=1e-6)


def plan_of(circuit: ql.Circuit) -> dict[str, Any]:
    plan = random_plan(np.random.default_rng(3), circuit.p, circuit.neurons)
    return plan | {"bounded": [], "pairs": [[1]] * circuit.p}


def margins(circuit: ql.Circuit, plan: dict[str, Any]) -> list[Any]:
    with flint.ctx.workprec(PRECISION):
        return class_margins(plan, StoredTables(network=ball_network(circuit)), None)


HUGE = 10**5000
PLANS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"clusters": []}, "the prover may hold grid, .*unknown key 'clusters'"),
    "grid 0": ({"grid": 0}, "prover.grid must be an integer in 1"),
    "grid missing": ({"grid": None}, "prover.grid must be an integer in 1.*None"),
    "large grid": ({"grid": 2000}, "prover.grid must be an integer in 1"),
    "grid nested": ({"grid": [HUGE]}, "prover.grid must be an integer in 1.*got list"),
    "grid true": ({"grid": True}, "prover.grid must be an integer in 1.*True"),
    "scale": ({"scale": 0}, "prover.scale must be an integer"),
    "huge scale": ({"scale": HUGE}, "prover.scale .* got an integer of 16610 bits"),
    "cell length": ({"cell": [0]}, "prover.cell must be an array of 6, got 1 values"),
    "cell range": ({"cell": [10**6] * 6}, "prover.cell must be an integer in 0"),
    "cell type": ({"cell": [0.5] * 6}, "prover.cell must be an integer"),
    "cell negative": ({"cell": [-1] * 6}, "prover.cell must be an integer"),
    "amplitude": ({"amplitude": [-1.0] * 6}, "prover.amplitude must hold numbers >= 0"),
    "amplitude true": ({"amplitude": [True] * 6}, "prover.amplitude must hold numbers >= 0"),
    "amplitude nan": ({"amplitude": [math.nan] * 6}, "prover.amplitude must hold numbers >= 0"),
    "amplitude inf": ({"amplitude": [math.inf] * 6}, "prover.amplitude must hold numbers >= 0"),
    "amplitude huge": ({"amplitude": [HUGE] * 6}, "prover.amplitude must hold numbers >= 0"),
    "amplitude text": ({"amplitude": "000000"}, "prover.amplitude must be an array of 6, got str"),
    "group": ({"group": [3] * 6}, "prover.group must be an integer in 0"),
    "group negative": ({"group": [-1] * 6}, "prover.group must be an integer in 0"),
    "no groups": ({"groups": []}, "prover.groups must hold 1..5 groups, got 0"),
    "groups": ({"groups": [1, 2]}, "a group must be an object, got int"),
    "bounded range": ({"bounded": [6]}, "prover.bounded must be an integer in 0..5"),
    "bounded twice": ({"bounded": [1, 1]}, "prover.bounded must increase"),
    "bounded order": ({"bounded": [2, 1]}, "prover.bounded must increase"),
    "bounded flags": ({"bounded": [False, True]}, "prover.bounded must be an integer"),
    "harmonics": ({"harmonics": 10**6}, "prover.harmonics must be an integer"),
    "head": ({"harmonics": 1, "head": 2}, "prover.head must be an integer in 0..1"),
    "retained range": ({"retained": [3]}, "prover.retained must be an integer in 1..2"),
    "retained 0": ({"retained": [0, 1]}, "prover.retained must be an integer in 1..2"),
    "retained order": ({"retained": [2, 1]}, "prover.retained must increase"),
    "retained nothing": ({"retained": []}, "must hold at least one frequency"),
    "pairs": ({"pairs": [[]] * 4}, "prover.pairs must be an array of 5, got 4 values"),
    "pairs more": ({"pairs": [[]] * 6}, "prover.pairs must be an array of 5, got 6 values"),
    "pairs range": ({"pairs": [[5], *[[]] * 4]}, r"prover.pairs\[0\] must be an integer in 1..4"),
    "pairs 0": ({"pairs": [[], [0], [], [], []]}, r"prover.pairs\[1\] must be an integer in 1..4"),
    "pairs twice": ({"pairs": [[1, 1], *[[]] * 4]}, r"prover.pairs\[0\] must increase"),
    "pairs long": ({"pairs": [[1] * 1000, *[[]] * 4]}, r"prover.pairs\[0\] must increase"),
    "pairs flat": ({"pairs": [1, 2, 3, 4, 1]}, r"prover.pairs\[0\] must be an array, got int"),
}
GROUPS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": ({"cross": 1.0}, "a group may hold frequency, .*unknown key 'cross'"),
    "level": ({"level": -1}, "a group's level must be an integer in 0"),
    "level type": ({"level": 1.0}, "a group's level must be an integer in 0"),
    "level huge": ({"level": HUGE}, "a group's level .* got an integer of 16610 bits"),
    "curve": ({"A": [0]}, "a group's A must be an array of"),
    "curve long": ({"A": [0] * 10**5}, "a group's A must be an array of .*, got 100000 values"),
    "overflow": ({"B": None}, "a group's B must be an array of"),
    "frequency": ({"frequency": 5}, "a group's frequency must be an integer in 0..4"),
    "retained type": ({"retained": [1.0]}, "a group's retained must be an integer"),
    "retained text": ({"retained": "1"}, "a group's retained must be an array"),
}


@pytest.mark.parametrize("name", PLANS)
def test_hostile_plans_are_refused(name):
    circuit = random_circuit(0, 5, 6)
    plan = plan_of(circuit)
    assert len(margins(circuit, plan)) == 5
    change, message = PLANS[name]
    with pytest.raises(CertificateError, match=message):
        margins(circuit, plan | change)


@pytest.mark.parametrize("name", GROUPS)
def test_hostile_groups_are_refused(name):
    circuit = random_circuit(0, 5, 6)
    plan = plan_of(circuit)
    change, message = GROUPS[name]
    with pytest.raises(CertificateError, match=message):
        margins(circuit, plan | {"groups": [plan["groups"][0] | change, *plan["groups"][1:]]})


def test_every_key_is_needed():
    circuit = random_circuit(0, 5, 6)
    plan = plan_of(circuit)
    for key in plan:
        with pytest.raises(CertificateError, match=f"the prover lacks {key}"):
            margins(circuit, {name: value for name, value in plan.items() if name != key})
    for key in plan["groups"][0]:
        less = {name: value for name, value in plan["groups"][0].items() if name != key}
        with pytest.raises(CertificateError, match=f"a group lacks {key}"):
            margins(circuit, plan | {"groups": [less, *plan["groups"][1:]]})


def test_limits_of_what_a_plan_may_cost():
    circuit = random_circuit(0, 5, 6)
    plan = plan_of(circuit)
    part = plan["groups"][0]
    with pytest.raises(CertificateError, match=r"prover.groups must hold 1..5 groups, got 6"):
        margins(circuit, plan | {"groups": [part] * 6})
    wide = {**part, "A": [0] * 1000, "B": [0] * 1000}
    many = plan | {"grid": 200, "groups": [wide] * len(plan["groups"]), "harmonics": MAX_HARMONICS + 1}
    with pytest.raises(CertificateError, match=f"prover.harmonics must be an integer in 0..{MAX_HARMONICS}"):
        margins(circuit, many)
    far = {**part, "B": [2**41] * len(part["B"])}
    with pytest.raises(CertificateError, match="a group's B must be an integer in"):
        margins(circuit, plan | {"groups": [far, *plan["groups"][1:]]})
    with pytest.raises(CertificateError, match=r"a group must retain some of prover\.retained"):
        margins(circuit, plan | {"retained": [1], "groups": [{**x, "retained": [2]} for x in plan["groups"]]})


def test_far_gates_of_bounded_neurons_must_be_settled():
    """To the last bit: with ``r λ`` a unit below ``Δ`` the plan is refused, and with a unit more it is taken."""
    p, generator = 5, np.random.default_rng(0)
    plan = random_plan(generator, p, 1) | {"bounded": [0], "amplitude": [1.0], "group": [0], "scale": 2**20}
    group = plan["groups"][0]
    U = generator.standard_normal((1, p))
    A, B = (curve_values(plan, p, 0, name)[:, None] for name in "AB")
    A = A + np.array([[0.25], [0], [0], [0], [-0.125]])
    circuit = ql.Circuit(p=p, A=A, B=B + 2.0**-20, U=U)
    enough = 2**18 + 1  # Δ = 1/4 + 2^-20
    settled = plan | {"groups": [{**group, "level": enough}, *plan["groups"][1:]]}
    assert len(margins(circuit, settled)) == p
    for level in (enough - 1, 0):
        short = plan | {"groups": [{**group, "level": level}, *plan["groups"][1:]]}
        message = r"groups\[0\].level does not settle the far gates of the bounded neuron 0"
        with pytest.raises(CertificateError, match=message):
            margins(circuit, short)
        assert len(margins(circuit, short | {"bounded": []})) == p
    # nothing is far from the zeros of curves that are below the level everywhere
    all_near = max(map(abs, group["A"])) + max(map(abs, group["B"]))
    for level, taken in ((all_near, True), (all_near - 1, False)):
        wild = replace(circuit, A=circuit.A + 10.0)
        last = plan | {"groups": [{**group, "level": level}, *plan["groups"][1:]]}
        if taken:
            assert len(margins(wild, last)) == p
        else:
            with pytest.raises(CertificateError, match="does not settle"):
                margins(wild, last)


def test_activations_without_one_kink_are_refused():
    circuit = random_circuit(0, 5, 6, "square")
    with pytest.raises(CertificateError, match="the inequality is about relu, abs; the network has square"):
        margins(circuit, plan_of(circuit))
