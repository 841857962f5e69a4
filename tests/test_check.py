"""The checker accepts what is true, refuses what is improved, flipped or about another network, and trusts nothing."""

import ast
import json
from collections.abc import Callable
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates import check as check_module
from quadlens.certificates.certificate import Certificate, ClassBound
from quadlens.certificates.certificate_file import DERIVED, as_data, from_json, to_json
from quadlens.certificates.certify import certify
from quadlens.certificates.check import check
from quadlens.certificates.check_gates import GateSums
from quadlens.certificates.check_inequality import (
    Remainder,
    Turns,
    class_margins,
    input_margins,
    provable_classes,
    smallest,
)
from quadlens.certificates.check_plan import read_plan
from quadlens.certificates.check_tables import PRECISION, ball_network
from quadlens.certificates.choose import Budget
from quadlens.certificates.linear import certify_linear as linear
from quadlens.circuits.circuit import TABLES
from quadlens.circuits.provenance import Provenance, provenance_from
from quadlens.errors import CertificateError, OptionError

RECORDS = {f"quadlens.{name}" for name in ("errors", "arrays", "circuits.circuit", "circuits.provenance", "memory")}
CHECKER = (
    *("check", "check_tables", "check_plan", "check_gates", "check_inequality", "check_float32"),
    *("check_record", "check_differences"),
    "check_provenance",
)
SHARED_WITH_PROVERS = {"certificate", "digest"}


def test_the_checker_shares_no_code_with_the_provers():
    folder = Path(check_module.__file__).parent
    for name in CHECKER:
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                if module.startswith("quadlens.certificates."):
                    assert module.rsplit(".", 1)[1] in SHARED_WITH_PROVERS | set(CHECKER), f"{name} imports {module}"
                elif module.startswith("quadlens"):
                    assert module in RECORDS, module
                else:
                    assert module.split(".")[0] not in ("scipy", "mpmath", "torch"), module


def random_circuit(seed: int, p: int, n: int, activation: str = "relu") -> ql.Circuit:
    generator = np.random.default_rng(seed)
    shapes = {"A": (p, n), "B": (p, n), "U": (n, p), "S_a": (p, p), "S_b": (p, p)}
    tables = {name: generator.standard_normal(shape) for name, shape in shapes.items()}
    return ql.Circuit(p=p, activation=activation, **tables)


def random_plan(seed: int, p: int, n: int) -> dict[str, Any]:
    """Return a valid plan that has nothing to do with the network: the inequality must hold all the same."""
    generator = np.random.default_rng(seed)
    grid, scale, parts = int(generator.integers(1, 6)), 2**20, 2
    G = grid * p

    def waveform() -> list[int]:
        curve = np.cos(2 * np.pi * np.arange(G) / G) + 0.2 * generator.standard_normal(G)
        return [int(x) for x in np.rint(scale * curve)]

    count = int(generator.integers(1, p // 2 + 1))
    retained = generator.choice(np.arange(1, p // 2 + 1), count, replace=False).tolist()
    return {
        "grid": grid,
        "scale": scale,
        "cell": generator.integers(0, G, n).tolist(),
        "amplitude": generator.uniform(0, 2, n).tolist(),
        "bucket": generator.integers(-1, parts, n).tolist(),
        "group": generator.integers(0, parts, n).tolist(),
        "buckets": [
            {
                "frequency": int(generator.integers(0, p)),
                "A": waveform(),
                "B": waveform(),
                "levels": sorted(set(generator.integers(1, scale, 4).tolist())),
                "cross": float(generator.uniform(0.05, 1)),
                **({"retained": retained[: len(retained) // 2]} if part else {}),
            }
            for part in range(parts)
        ],
        "groups": [
            {"frequency": int(generator.integers(0, p)), "A": waveform(), "B": waveform()} for _ in range(parts)
        ],
        "harmonics": int(generator.integers(0, (G - 1) // 2 + 1)),
        "retained": retained,
        "clusters": ["".join(generator.choice(["0", "a", "z"], p)) for _ in range(p)],
    }


@pytest.mark.parametrize("activation", ["relu", "abs"])
@pytest.mark.parametrize("seed", range(40))
def test_the_inequality_holds_for_plans_that_fit_nothing(seed, activation):
    generator = np.random.default_rng(1000 + seed)
    p, n = int(generator.integers(3, 9)), int(generator.integers(1, 10))
    circuit = random_circuit(seed, p, n, activation)
    with flint.ctx.workprec(PRECISION):
        network = ball_network(circuit)
        gates = GateSums(network=network, plan=read_plan(random_plan(seed, p, n), p, n))
        remainder, turns = Remainder(gates), Turns(gates)
        for d in range(p):
            sums = gates.of_class(d)
            whole = smallest(class_margins(gates, remainder, turns, sums, d))
            for b, bound in enumerate(input_margins(gates, remainder, turns, sums, d)):
                a = (d + b) % p
                true = min(network.exact_difference(a, b, c) for c in range(p) if c != (a + b) % p)
                ball = flint.arb(flint.fmpq(true.numerator, true.denominator))
                assert whole.lower() <= bound.upper()  # (L) is never above (G)
                assert bound.lower() <= ball
                assert bound.rad() < 1e-25  # no containment through wide balls


def claim_of(circuit: ql.Circuit, method: str, plan: dict[str, Any]) -> Certificate:
    """Return a certificate that claims the most that can be proved with the plan, rounded down to float64."""
    empty = tuple(ClassBound(difference=d, margin_lower_bound=-1e9, certified=0) for d in range(circuit.p))
    exact = certify(circuit, "exact")
    base = replace(exact, method=method, classes=empty, misclassified=None, misclassified_count=None, prover=plan)
    with flint.ctx.workprec(PRECISION):
        proved = provable_classes(base, ball_network(circuit), None)
        classes = [
            ClassBound(difference=d, margin_lower_bound=below(margin), certified=count)
            for d, (margin, count) in enumerate(proved)
        ]
    return replace(base, classes=tuple(classes))


def below(ball: Any) -> float:
    value = float(ball.lower())
    while not ball >= value:
        value = float(np.nextafter(value, -np.inf))
    return value


def with_class(
    certificate: Certificate, d: int, wrong: tuple[tuple[int, int], ...] | None = None, **changes: Any
) -> Certificate:
    """Return the certificate with class ``d`` changed, and other misclassified inputs if ``wrong`` is given."""
    classes = list(certificate.classes)
    classes[d] = replace(classes[d], **changes)
    if wrong is None:
        return replace(certificate, classes=tuple(classes))
    return replace(certificate, classes=tuple(classes), misclassified=wrong, misclassified_count=len(wrong))


@pytest.mark.parametrize("method", ["linear", "gated"])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_class_bound_is_held_to_the_last_digits(method, seed):
    p, n = 5, 6
    circuit = random_circuit(seed, p, n)
    certificate = claim_of(circuit, method, random_plan(seed, p, n))
    assert check(certificate, circuit).accepted
    for d, bound in enumerate(certificate.classes):
        lower = with_class(certificate, d, margin_lower_bound=bound.margin_lower_bound - 1.0)
        assert check(lower, circuit).accepted
        improved = bound.margin_lower_bound + 1e-9 * abs(bound.margin_lower_bound)
        result = check(with_class(certificate, d, margin_lower_bound=improved), circuit)
        assert not result.accepted
        assert f"class {d} claims a margin of {improved!r}; only" in result.reasons[0]
        result = check(with_class(certificate, d, certified=1), circuit)
        assert f"class {d} claims 1 certified inputs; only 0" in result.reasons[0]


@pytest.mark.parametrize(("seed", "activation"), [(0, "relu"), (1, "relu"), (2, "abs")])
def test_prover_and_checker_agree_to_rounding(seed, activation):
    """Two programs without common code evaluate one inequality: class bounds differ by the rounding term alone."""
    circuit = ql.construct(p=13, frequencies=[2, 3], neurons=60, noise=0.1, seed=seed, activation=activation)
    S_b = 0.1 * np.random.default_rng(seed).standard_normal((13, 13))
    circuit = replace(circuit, S_b=S_b)
    budget = Budget(retained=3, harmonics=4, clusters=4)
    certificate = linear(circuit, budget=budget)
    assert check(certificate, circuit).accepted
    with flint.ctx.workprec(PRECISION):
        proved = provable_classes(certificate, ball_network(circuit), None)
        for (margin, _), bound in zip(proved, certificate.classes, strict=True):
            ledger = dict(bound.ledger)
            # every term is there, so leaving one out on either side would show
            assert max(ledger["E"], ledger["R"], ledger["D"], ledger["tail"], ledger["res"], ledger["skip"]) < -1e-4
            rounding = -ledger["rounding"] - ledger["tables"]
            assert 0 <= float(margin.lower()) - bound.margin_lower_bound <= 2 * rounding


def test_a_rest_of_U_around_zero_is_no_obstacle():
    """Without noise the rest of U is a ball around zero; python-flint's power of such a ball is not a number."""
    circuit = ql.construct(p=11, frequencies=[2, 3], neurons=40)
    certificate = linear(circuit)
    assert certificate.certified
    assert check(certificate, circuit).accepted


ALL_INPUTS = ("exact", "brute-force", "adaptive")


@pytest.fixture(scope="module", params=["right", "wrong"])
def network(request) -> ql.Circuit:
    circuit = ql.construct(p=11, frequencies=[1, 3], neurons=40, noise=0.05)
    if request.param == "right":
        return circuit
    S_a = np.zeros((11, 11))
    S_a[2, 3] = 30.0  # every input (2, b) but (2, 1) is answered with 3
    S_a[7, 9] = 1.0
    return replace(circuit, S_a=S_a)


@pytest.mark.parametrize("method", ALL_INPUTS)
def test_true_certificates_are_accepted(network, method):
    certificate = certify(network, method)
    assert check(certificate, network).reasons == ()
    assert check(from_json(to_json(certificate)), network).accepted
    assert check(certify(network, "interval"), network).accepted


@pytest.mark.parametrize("method", ["exact", "brute-force"])
def test_every_improved_margin_is_refused(network, method):
    certificate = certify(network, method)
    for d, bound in enumerate(certificate.classes):
        improved = bound.margin_lower_bound + 1e-9 * abs(bound.margin_lower_bound)
        result = check(with_class(certificate, d, margin_lower_bound=improved), network)
        assert f"class {d} claims a margin of" in result.reasons[0]


def test_margins_of_adaptive_are_held_to_the_truth(network):
    """Its class bounds may lie below the truth, so what is improved up to the truth is still true, and no further."""
    certificate, exact = certify(network, "adaptive"), certify(network, "exact")
    for d, bound in enumerate(exact.classes):
        true = with_class(certificate, d, margin_lower_bound=bound.margin_lower_bound)
        assert check(true, network).accepted
        improved = with_class(certificate, d, margin_lower_bound=float(np.nextafter(bound.margin_lower_bound, np.inf)))
        assert not check(improved, network).accepted


def test_exact_margins_are_held_to_the_last_bit(network):
    certificate = certify(network, "exact")
    for d, bound in enumerate(certificate.classes):
        improved = float(np.nextafter(bound.margin_lower_bound, np.inf))
        assert not check(with_class(certificate, d, margin_lower_bound=improved), network).accepted


def test_flipped_classes_and_inputs_are_refused():
    circuit = ql.construct(p=7, frequencies=[1, 2], neurons=40, noise=0.05)
    S_a = np.zeros((7, 7))
    S_a[2, 3] = 30.0
    circuit = replace(circuit, S_a=S_a)
    certificate = certify(circuit, "exact")
    assert certificate.misclassified is not None
    assert certificate.misclassified_count is not None
    wrong = certificate.misclassified[0]
    d = (wrong[0] - wrong[1]) % 7
    flipped = with_class(certificate, d, certificate.misclassified[1:], certified=7, margin_lower_bound=0.0)
    reasons = check(flipped, circuit).reasons
    assert any(f"class {d} claims 7 certified inputs; 6 are right" in reason for reason in reasons)
    assert any("must list every misclassified input" in reason for reason in reasons)
    right = next((a, b) for a in range(7) for b in range(7) if (a, b) not in certificate.misclassified)
    moved = tuple(sorted({*certificate.misclassified[1:], right}))
    reasons = check(replace(certificate, misclassified=moved), circuit).reasons
    assert any(f"the input {right} is listed as misclassified" in reason for reason in reasons)
    e = (right[0] - right[1]) % 7
    both = tuple(sorted({*certificate.misclassified, right}))
    fewer = certificate.classes[e].certified - 1
    more = with_class(certificate, e, both, certified=fewer, margin_lower_bound=-100.0)
    assert any("can be proved wrong" in reason for reason in check(more, circuit).reasons)


def test_another_network_is_refused(network):
    certificate = certify(network, "exact")
    for name in TABLES:
        table = getattr(network, name).copy()
        table[0, 0] = np.nextafter(table[0, 0], np.inf)
        result = check(certificate, replace(network, **{name: table}))
        assert "about another network: its sha256" in result.reasons[0]
    result = check(certificate, replace(network, activation="abs"))
    assert "its activation is relu, the model's abs" in result.reasons[0]
    other = ql.construct(p=5, frequencies=[1], neurons=40)
    assert "its p is 11, the model's 5" in check(certificate, other).reasons[0]


MUTATIONS: dict[str, Callable[[Certificate], Certificate]] = {
    "method": lambda c: replace(c, method="linear", misclassified=None, misclassified_count=None),
    "neurons": lambda c: replace(c, neurons=c.neurons + 1, parameters=c.parameters + 3 * c.p),
    "activation": lambda c: replace(c, activation="abs"),
    "sha256": lambda c: replace(c, sha256="0" * 64),
    "brute_force_operations": lambda c: replace(c, brute_force_operations=c.brute_force_operations + 1),
    "float32_error": lambda c: replace(c, float32_error=(c.float32_error or 0.0) * (1 - 1e-9)),
    "refusal": lambda c: replace(c, classes=(), misclassified=None, misclassified_count=None, refusal="no"),
    "rectangle": lambda c: replace(
        c, method="rectangle", classes=(), misclassified=None, misclassified_count=None, frequencies=()
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutated_fields_are_refused(network, name):
    mutated = MUTATIONS[name](certify(network, "exact"))
    assert not check(mutated, network).accepted


def test_descriptions_are_not_claims(network):
    certificate = certify(network, "exact")
    described = replace(certificate, arithmetic="words", blame=("words",), seconds=1.0, operations=1, ledger=())
    assert check(described, network).accepted


def test_ties_are_decided_in_fractions():
    """A tie is a ball around 0 at every precision; the checker must still know that it is wrong."""
    p = 5
    U = np.zeros((p, p))
    U[:, 0] = U[:, 1] = 1 / 3
    circuit = ql.Circuit(p=p, A=np.eye(p) * 0.1, B=np.full((p, p), 0.2), U=U)
    certificate = certify(circuit, "exact")
    assert certificate.misclassified_count == p * p
    assert check(certificate, circuit).accepted
    claimed = with_class(certificate, 0, (certificate.misclassified or ())[1:], certified=1)
    assert "class 0 claims 1 certified inputs; 0 are right" in check(claimed, circuit).reasons


def test_tables_within_a_radius_count_only_what_every_network_in_it_shares():
    circuit = ql.construct(p=7, frequencies=[1, 2], neurons=30)
    vague = replace(circuit, radius={"A": 1e-6, "B": 1e-6, "U": 1e-6})
    certificate = certify(vague, "brute-force")
    assert certificate.certified
    assert check(certificate, vague).accepted
    sharp = certify(circuit, "brute-force")
    assert not check(replace(sharp, sha256=certificate.sha256), vague).accepted


@pytest.mark.parametrize("activation", ["relu", "abs", "square", "gelu"])
@pytest.mark.parametrize("name", TABLES)
def test_a_radius_is_counted_as_finely_as_a_prover_counts_it(name, activation):
    """The radius of a ball has 30 bits; margins lowered by a radius in float64 could then not be proved again."""
    base = ql.construct(p=5, frequencies=[1, 2], neurons=20, activation=activation)
    radius = 2.0**-5 / 3
    vague = replace(base, radius={name: radius})
    methods = {"relu": ("brute-force", "linear", "gated", "adaptive"), "abs": ("brute-force", "linear")}
    for method in methods.get(activation, ("brute-force",)):
        certificate = certify(vague, method)
        assert check(certificate, vague).reasons == ()
        for d, bound in enumerate(certificate.classes):
            # more than any network within the radius can be proved to have: the middle's own margin
            improved = max(bound.margin_lower_bound, certify(base, "brute-force").classes[d].margin_lower_bound)
            assert not check(with_class(certificate, d, margin_lower_bound=improved), vague).accepted


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh", "silu", "tanh", "abs", "square"])
def test_other_activations(activation):
    circuit = ql.construct(p=7, frequencies=[1, 2], neurons=30, noise=0.1, activation=activation)
    certificate = certify(circuit, "brute-force")
    assert check(certificate, circuit).reasons == ()
    for d in range(7):
        improved = with_class(certificate, d, margin_lower_bound=certificate.classes[d].margin_lower_bound + 1e-9)
        assert not check(improved, circuit).accepted


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_scaled_networks(scale):
    base = ql.construct(p=7, frequencies=[1, 2], neurons=30, noise=0.05)
    circuit = ql.Circuit(p=7, A=base.A * scale, B=base.B * scale, U=base.U * scale)
    for method in ALL_INPUTS:
        assert check(certify(circuit, method), circuit).accepted


def weights() -> ql.Weights:
    generator = np.random.default_rng(4)
    shapes = {"E": (5, 3), "OV": (3, 3), "W_in": (3, 8), "b_in": (1, 8), "W_out": (8, 3), "W_U": (3, 5), "b_U": (1, 5)}
    tensors = {name: generator.standard_normal(shape) for name, shape in shapes.items()}
    third = Fraction(1, 3)
    tables = {
        "A": (ql.Product(factors=("E", "OV", "W_in"), coefficient=third),),
        "B": (ql.Product(factors=("E", "W_in")), ql.Product(factors=("b_in",))),
        "U": (ql.Product(factors=("W_out", "W_U")),),
        "S_a": (ql.Product(factors=("E", "OV", "W_U"), coefficient=third),),
        "S_b": (ql.Product(factors=("E", "W_U")), ql.Product(factors=("b_U",))),
    }
    return ql.Weights(p=5, neurons=8, tensors=tensors, tables=tables)


def test_stored_weights_are_read_by_the_checker_itself():
    circuit = ql.circuit_from_weights(weights())
    exact = certify(circuit, "exact")
    assert check(exact, circuit).accepted
    assert exact.float32_error is not None
    lower = replace(exact, float32_error=exact.float32_error * (1 - 1e-9))
    assert "the float32 error is claimed to be at most" in check(lower, circuit).reasons[0]
    changed = {name: np.array(tensor) for name, tensor in weights().tensors.items()}
    changed["b_U"][0, 0] += 1e-12
    other = ql.circuit_from_weights(replace(weights(), tensors=changed))
    assert "another network" in check(exact, other).reasons[0]


PLAN_MUTATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no grid": ({"grid": None}, "prover.grid must be an integer"),
    "large grid": ({"grid": 4000}, "prover.grid must be an integer in 1..204, got 4000"),
    "scale": ({"scale": 0}, "prover.scale must be an integer"),
    "cell length": ({"cell": [0]}, "prover.cell must be an array of 6, got 1 values"),
    "cell range": ({"cell": [10**6] * 6}, "prover.cell must be an integer in 0"),
    "cell type": ({"cell": [0.5] * 6}, "prover.cell must be an integer"),
    "amplitude": ({"amplitude": [-1.0] * 6}, "prover.amplitude must hold numbers >= 0"),
    "amplitude type": ({"amplitude": [True] * 6}, "prover.amplitude must hold numbers >= 0"),
    "bucket": ({"bucket": [2] * 6}, "prover.bucket must be an integer in -1..1"),
    "group": ({"group": [-1] * 6}, "prover.group must be an integer in 0..1"),
    "no groups": ({"groups": [], "group": []}, "prover.groups must not be empty"),
    "many groups": ({"groups": [{"frequency": 1, "A": [0] * 5, "B": [0] * 5}] * 22}, "there may be 21 groups"),
    "retained range": ({"retained": [3]}, "prover.retained must be an integer in 1..2"),
    "retained twice": ({"retained": [1, 1]}, "must hold distinct frequencies"),
    "retained nothing": ({"retained": []}, "must hold distinct frequencies"),
    "harmonics": ({"harmonics": 10**6}, "prover.harmonics must be an integer"),
    "clusters length": ({"clusters": ["00000"]}, "prover.clusters must be an array of 5"),
    "clusters text": ({"clusters": ["0000!"] * 5}, "prover.clusters must hold"),
    "buckets": ({"buckets": [1, 2]}, "must be an object, got int"),
    "unknown": ({"widgets": 1}, "the prover of linear may hold grid, scale"),
    "unknown in a group": ({"groups": [{"frequency": 1, "A": [0] * 5, "B": [0] * 5, "C": 1}]}, "unknown key 'C'"),
    "nothing": ({"buckets": None}, "prover.buckets must be an array, got NoneType"),
}
WAVEFORM_MUTATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "levels": ({"levels": [5, 5]}, "the levels of a bucket must increase"),
    "many levels": ({"levels": list(range(1, 18))}, "a bucket may have 16 levels, got 17"),
    "level 0": ({"levels": [0]}, "a level must be an integer in 1"),
    "cross": ({"cross": 0.0}, "the cross ratio of a bucket must be a number > 0"),
    "cross missing": ({"cross": None}, "the cross ratio"),
    "unknown in a bucket": ({"widgets": 1}, "a bucket of the prover may hold frequency, A, B, levels, cross, retained"),
    "waveform": ({"A": [0]}, "prover.A must be an array of"),
    "overflow": ({"B": [2**41] * 5}, "prover.B must be an integer in"),
    "frequency": ({"frequency": 5}, "prover.frequency must be an integer in 0..4"),
    "retained elsewhere": ({"retained": [3]}, "a bucket must retain some of prover.retained"),
    "retained type": ({"retained": [1.0]}, "a bucket must retain some of prover.retained"),
    "retained text": ({"retained": "1"}, "prover.retained must be an array"),
}


@pytest.mark.parametrize("name", [*PLAN_MUTATIONS, *WAVEFORM_MUTATIONS])
def test_hostile_parameters_are_refused(name):
    circuit = random_circuit(0, 5, 6)
    plan = random_plan(0, 5, 6)
    plan |= {"grid": 1, "cell": [0, 1, 2, 3, 4, 0], "harmonics": 0}
    for part in plan["buckets"] + plan["groups"]:
        part |= {"A": part["A"][:5], "B": part["B"][:5]}
    certificate = claim_of(circuit, "linear", plan)
    assert check(certificate, circuit).accepted
    if name in PLAN_MUTATIONS:
        change, message = PLAN_MUTATIONS[name]
        changed = plan | change
    else:
        change, message = WAVEFORM_MUTATIONS[name]
        changed = plan | {"buckets": [plan["buckets"][0] | change, plan["buckets"][1]]}
    result = check(replace(certificate, prover=changed), circuit)
    assert message in result.reasons[0]


def with_stage(certificate: Certificate, **changes: Any) -> Certificate:
    prover = as_data(certificate)["prover"]
    return replace(certificate, prover=prover | {"stages": prover["stages"] | changes})


def test_the_smallest_margin_is_held_to_what_is_said_of_it(network):
    certificate, exact = certify(network, "adaptive"), certify(network, "exact")
    smallest_margin = exact.margin_lower_bound
    assert smallest_margin is not None
    above, below_it = float(np.nextafter(smallest_margin, np.inf)), float(np.nextafter(smallest_margin, -np.inf))
    assert check(with_stage(certificate, smallest_margin_at_most=above), network).accepted
    reasons = check(with_stage(certificate, smallest_margin_at_most=below_it), network).reasons
    assert f"at most {below_it!r}; no input has so small a margin" in reasons[0]


JUNK: dict[str, tuple[str, Callable[[Certificate], Certificate], str]] = {
    "exact": ("exact", lambda c: replace(c, prover={"note": 1}), "the prover of exact must be empty"),
    "brute force": ("brute-force", lambda c: replace(c, prover={"note": 1}), "must be empty; it has the unknown key"),
    "boxes": ("interval", lambda c: replace(c, prover={"boxes": 0}), "prover.boxes must be an integer in 1..11"),
    "no boxes": ("interval", lambda c: replace(c, prover={}), "prover.boxes must be an integer in 1..11"),
    "more than boxes": ("interval", lambda c: replace(c, prover={"boxes": 1, "x": 1}), "the unknown key 'x'"),
    "plan": ("adaptive", lambda c: replace(c, prover=dict(c.prover) | {"x": 1}), "the unknown key 'x'"),
    "grid": ("adaptive", lambda c: replace(c, prover=dict(c.prover) | {"grid": "wide"}), "prover.grid must be"),
    "no stages": ("adaptive", lambda c: replace(c, prover=dict(c.prover) | {"stages": 3}), "stages must hold pairs"),
    "a stage": ("adaptive", lambda c: with_stage(c, x=1), "prover.stages must hold pairs"),
    "pairs": ("adaptive", lambda c: with_stage(c, pairs=7), "prover.stages.pairs must be 110, got 7"),
    "pairs gated": ("adaptive", lambda c: with_stage(c, pairs_gated=-1), "prover.stages.pairs_gated must be"),
    "triples": ("adaptive", lambda c: with_stage(c, triples_evaluated="many"), "triples_evaluated must be an integer"),
    "in integers": ("adaptive", lambda c: with_stage(c, triples_in_integers=0.5), "in_integers must be an integer"),
    "at most": ("adaptive", lambda c: with_stage(c, smallest_margin_at_most=None), "at_most must be a float, got None"),
}


@pytest.mark.parametrize("name", JUNK)
def test_unknown_keys_and_junk_are_refused(network, name):
    method, change, reason = JUNK[name]
    certificate = certify(network, method)
    assert check(certificate, network).accepted
    assert reason in check(change(certificate), network).reasons[0]


def dotted(data: Any) -> set[str]:
    """Every key of a certificate file, one level into what holds records, and without what only restates others."""
    derived = {"format", *DERIVED}
    nested = {key: data[key] for key in ("prover", "provenance") if isinstance(data.get(key), dict)}
    found = {key for key in data if key not in derived | set(nested)} | {"classes.ledger"}
    for key, record in nested.items():
        found |= {f"{key}.{name}" for name in record if name != "stages"}
        found |= {f"{key}.stages.{name}" for name in record.get("stages", ())}
    return found


@pytest.mark.parametrize("method", ["linear", "gated", "adaptive", "exact", "brute-force", "interval"])
def test_every_key_is_checked_or_listed_as_not_checked(network, method):
    certificate = certify(network, method)
    result = check(certificate, network)
    assert result.accepted
    assert not set(result.checked) & set(result.unchecked)
    listed = {*result.checked, *result.unchecked}
    named = {entry.name for entry in fields(Certificate)} - {"prover", "provenance"}
    assert named == {key for key in listed if "." not in key}
    assert {key for key in dotted(as_data(certificate)) if not key.startswith("provenance")} <= listed
    assert {f"provenance.{entry.name}" for entry in fields(Provenance)} <= listed
    refused = check(replace(certificate, sha256="0" * 64), network)
    assert (refused.checked, refused.unchecked) == ((), ())


def test_a_plan_may_have_two_cells_for_each_residue_whatever_p():
    """16,384 cells were once the most: no certificate with p above 8,192 was accepted."""
    p = 8209
    wave = {"frequency": 1, "A": [0] * (2 * p), "B": [0] * (2 * p)}
    plan = {"grid": 2, "scale": 1, "cell": [0], "amplitude": [1.0], "bucket": [-1], "group": [0], "buckets": []}
    plan |= {"groups": [wave], "harmonics": 0, "retained": [1], "clusters": ["0" * p] * p}
    assert read_plan(plan, p, 1).cells == 2 * p
    with pytest.raises(CertificateError, match=r"prover.grid must be an integer in 1\.\.2, got 3"):
        read_plan(plan | {"grid": 3}, p, 1)


def test_what_memory_cannot_hold_is_refused_before_it_is_taken(monkeypatch):
    circuit = random_circuit(0, 5, 6)
    certificate = claim_of(circuit, "linear", random_plan(0, 5, 6))
    monkeypatch.setattr("quadlens.memory.physical_bytes", lambda: 10_000)
    with pytest.raises(OptionError, match="checking this certificate with p = 5 needs"):
        check(certificate, circuit)


def test_the_inequality_is_about_relu_and_the_modulus():
    circuit = random_circuit(0, 5, 6)
    certificate = claim_of(circuit, "linear", random_plan(0, 5, 6))
    other = replace(circuit, activation="square")
    moved = replace(certificate, activation="square", sha256=certify(other, "exact").sha256, float32_error=None)
    assert "the inequality is about ReLU and |x|; the network has square" in check(moved, other).reasons[0]


def leaves(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [leaf for key, value in items for leaf in leaves(value, (*path, key))] or [path]


def mutated(data: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    copy = json.loads(json.dumps(data))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = change(place[path[-1]])
    return copy


@pytest.mark.parametrize("method", ["linear", "gated", "adaptive"])
def test_whatever_is_changed_an_accepted_certificate_is_true(method):
    """Any number of the file, moved at random: either it is refused, or every claim still holds of the network."""
    circuit = ql.construct(p=5, frequencies=[1, 2], neurons=16, noise=0.05)
    options = {"budget": Budget(retained=2, buckets=2, levels=2, harmonics=2, clusters=2, solo=1)}
    data = as_data(certify(circuit, method, **options))
    exact = certify(circuit, "exact")
    generator = np.random.default_rng(0)
    numbers = {
        part: [path for path in leaves(data) if path[0] == part and path[-1] not in ("term", "value")]
        for part in ("classes", "prover")
    }
    outcomes = {"unreadable": 0, "refused": 0, "accepted": 0}
    for number in range(24):
        choice = numbers["prover" if number % 2 else "classes"]
        path = choice[int(generator.integers(len(choice)))]
        step = float(10.0 ** generator.uniform(-12, 2)) * float(generator.choice([-1, 1]))

        def change(value: Any, step: float = step) -> Any:
            if isinstance(value, int):
                return value + int(np.sign(step)) * max(1, int(abs(step)))
            return value + step if isinstance(value, float) else value

        other = mutated(data, path, change)
        for key in DERIVED:
            other[key] = None
        try:
            certificate = from_json(json.dumps(rederived(other)))
        except CertificateError:
            outcomes["unreadable"] += 1
            continue
        if not check(certificate, circuit).accepted:
            outcomes["refused"] += 1
            continue
        outcomes["accepted"] += 1
        for claim, truth in zip(certificate.classes, exact.classes, strict=True):
            assert claim.margin_lower_bound <= truth.margin_lower_bound
            assert claim.certified <= truth.certified
    assert outcomes["refused"] > 0
    assert outcomes["accepted"] > 0


def rederived(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data with the keys that follow from others made to agree, as a forger would."""
    given = {entry.name: data[entry.name] for entry in fields(Certificate) if entry.name in data}
    given["classes"] = tuple(
        ClassBound(**{**entry, "ledger": tuple((x["term"], x["value"]) for x in entry["ledger"])})
        for entry in data["classes"]
    )
    given["ledger"] = tuple((x["term"], x["value"]) for x in data["ledger"])
    given["provenance"] = provenance_from(data["provenance"])
    return as_data(Certificate(**given))
