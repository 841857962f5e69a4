"""The checker accepts what is true, refuses what is improved, flipped or about another network, and trusts nothing."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates.certify import certify
from quadlens.certificates.check import check
from quadlens.certificates.methods.linear import certify_linear as linear
from quadlens.certificates.plan.choose import Budget
from quadlens.certificates.record.certificate import Certificate, ClassBound
from quadlens.certificates.record.file import DERIVED, as_data, from_json, to_json
from quadlens.checker.inequality import class_margins
from quadlens.checker.plan import GROUP_KEYS, KEYS, read_plan
from quadlens.checker.stored import StoredTables
from quadlens.checker.tables import PRECISION, ball_network
from quadlens.circuits.circuit import TABLES
from quadlens.circuits.provenance import Provenance, provenance_from
from quadlens.errors import CertificateError, OptionError
from tests.dense_inequality import fitting_pair


def claim_of(circuit: ql.Circuit, plan: dict[str, Any]) -> Certificate:
    """Return a certificate of ``linear`` that claims the most that can be proved with the plan, in float64."""
    exact = certify(circuit, "exact")
    classes = []
    with flint.ctx.workprec(PRECISION):
        proved = class_margins(plan, StoredTables(network=ball_network(circuit)), None)
        for d, margin in enumerate(proved):
            certified = circuit.p if margin > 0 else 0
            classes.append(ClassBound(difference=d, margin_lower_bound=below(margin), certified=certified))
    return replace(
        exact, method="linear", classes=tuple(classes), misclassified=None, misclassified_count=None, prover=plan
    )


def below(ball: Any) -> float:
    """Return the largest float64 number that is not above the ball."""
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


def small_pair(seed: int, activation: str = "relu") -> tuple[ql.Circuit, dict[str, Any]]:
    return fitting_pair(np.random.default_rng(seed), 5, 6, activation)


@pytest.mark.parametrize("activation", ["relu", "abs"])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_class_bound_is_held_to_the_last_bit(seed, activation):
    circuit, plan = small_pair(seed, activation)
    certificate = claim_of(circuit, plan)
    assert check(certificate, circuit).accepted
    for d, bound in enumerate(certificate.classes):
        lower = with_class(certificate, d, margin_lower_bound=bound.margin_lower_bound - 1.0)
        assert check(lower, circuit).accepted
        improved = float(np.nextafter(bound.margin_lower_bound, np.inf))
        result = check(with_class(certificate, d, margin_lower_bound=improved), circuit)
        assert not result.accepted
        assert f"class {d} claims a margin of {improved!r}; only" in result.reasons[0]
        result = check(with_class(certificate, d, certified=1), circuit)
        assert f"class {d} claims 1 certified inputs; only 0" in result.reasons[0]


@pytest.mark.parametrize("candidates", [0, 32])
@pytest.mark.parametrize(("seed", "activation"), [(0, "relu"), (1, "relu"), (2, "abs")])
def test_prover_and_checker_agree_to_rounding(seed, activation, candidates):
    """Two programs without common code evaluate one inequality: class bounds differ by the rounding term alone."""
    circuit = ql.construct(p=13, frequencies=[2, 3], neurons=60, noise=0.1, seed=seed, activation=activation)
    S_b = 0.1 * np.random.default_rng(seed).standard_normal((13, 13))
    circuit = replace(circuit, S_b=S_b)
    certificate = linear(circuit, budget=Budget(retained=3, harmonics=4, candidates=candidates), pairs=6)
    assert check(certificate, circuit).accepted
    assert 0 < sum(map(len, certificate.prover["pairs"])) < 13 * 12
    ledgers = [dict(bound.ledger) for bound in certificate.classes]
    # every term is there, so leaving one out on either side would show
    terms = ("spread", "head", "tail", "residual", "skip", *(("gates",) if candidates == 0 else ()))
    assert all(max(abs(ledger[term]) for ledger in ledgers) > 1e-4 for term in terms)
    with flint.ctx.workprec(PRECISION):
        proved = class_margins(certificate.prover, StoredTables(network=ball_network(circuit)), None)
        for margin, bound, ledger in zip(proved, certificate.classes, ledgers, strict=True):
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
    "float32_evaluation": lambda c: replace(c, float32_evaluation="weights"),
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
    methods = {"relu": ("brute-force", "linear", "adaptive"), "abs": ("brute-force", "linear")}
    for method in methods.get(activation, ("brute-force",)):
        certificate = certify(vague, method)
        assert check(certificate, vague).reasons == ()
        for d, bound in enumerate(certificate.classes):
            # more than any network within the radius can be proved to have: the middle's own margin
            improved = max(bound.margin_lower_bound, certify(base, "brute-force").classes[d].margin_lower_bound)
            assert not check(with_class(certificate, d, margin_lower_bound=improved), vague).accepted


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh", "silu", "tanh", "sin", "abs", "square"])
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
    other = check(replace(exact, float32_evaluation="tables"), circuit).reasons[0]
    assert other == "the float32 error is claimed for an evaluation of the tables, but what is stored are the weights"
    changed = {name: np.array(tensor) for name, tensor in weights().tensors.items()}
    changed["b_U"][0, 0] += 1e-12
    other = ql.circuit_from_weights(replace(weights(), tensors=changed))
    assert "another network" in check(exact, other).reasons[0]


def test_a_plan_that_is_no_plan_is_a_reason_and_no_error():
    """Each key of the plan, each in turn, and of its groups; tests/test_checker_inequality.py has what each refuses."""
    circuit, plan = small_pair(0)
    certificate = claim_of(circuit, plan)
    assert check(certificate, circuit).accepted
    assert set(plan) == set(KEYS)
    for key in KEYS:
        for junk in (None, -1, True, "0", [None], [[[]]], {}, 1e300, 10**30):
            reasons = check(replace(certificate, prover=plan | {key: junk}), circuit).reasons
            assert (f"prover.{key}" if key != "groups" else "group") in reasons[0]
    for key in GROUP_KEYS:
        for junk in (None, -(2**50), True, "0", [None], {}, 1.5, 10**30):
            groups = [plan["groups"][0] | {key: junk}, *plan["groups"][1:]]
            reasons = check(replace(certificate, prover=plan | {"groups": groups}), circuit).reasons
            assert f"a group's {key}" in reasons[0]


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
    "pairs refined": ("adaptive", lambda c: with_stage(c, pairs_refined=-1), "prover.stages.pairs_refined must be"),
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


@pytest.mark.parametrize("method", ["linear", "adaptive", "exact", "brute-force", "interval"])
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
    wave = {"frequency": 1, "A": [0] * (2 * p), "B": [0] * (2 * p), "retained": [], "level": 0}
    plan = {"grid": 2, "scale": 1, "cell": [0], "amplitude": [1.0], "group": [0], "groups": [wave], "bounded": []}
    plan |= {"harmonics": 0, "head": 0, "retained": [1], "pairs": [[]] * p}
    assert read_plan(plan, p, 1).cells == 2 * p
    with pytest.raises(CertificateError, match=r"prover.grid must be an integer in 1\.\.2, got 3"):
        read_plan(plan | {"grid": 3}, p, 1)


def test_what_memory_cannot_hold_is_refused_before_it_is_taken(monkeypatch):
    circuit, plan = small_pair(0)
    certificate = claim_of(circuit, plan)
    monkeypatch.setattr("quadlens.memory.physical_bytes", lambda: 10_000)
    with pytest.raises(OptionError, match="checking this certificate with p = 5 needs"):
        check(certificate, circuit)


def test_the_inequality_is_about_relu_and_the_modulus():
    circuit, plan = small_pair(0)
    certificate = claim_of(circuit, plan)
    other = replace(circuit, activation="square")
    silent = replace(certificate, float32_error=None, float32_evaluation=None)
    moved = replace(silent, activation="square", sha256=certify(other, "exact").sha256)
    assert "the inequality is about relu, abs; the network has square" in check(moved, other).reasons[0]


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


@pytest.mark.parametrize("method", ["linear", "adaptive"])
def test_whatever_is_changed_an_accepted_certificate_is_true(method):
    """Any number of the file, moved at random: either it is refused, or every claim still holds of the network."""
    circuit = ql.construct(p=5, frequencies=[1, 2], neurons=16, noise=0.05)
    options = {"budget": Budget(retained=2, harmonics=2, head=1)}
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


def test_a_margin_of_zero_claims_no_more_than_that_it_is_positive():
    """A true claim of less than is known; it was once said to be less than float64 can hold."""
    circuit = ql.construct(p=5, frequencies=(1, 2), neurons=40)
    certificate = ql.certify(circuit, method="exact")
    lowered = replace(
        certificate, classes=tuple(replace(bound, margin_lower_bound=0.0) for bound in certificate.classes)
    )
    assert certificate.margin_lower_bound > 1
    assert check(lowered, circuit).accepted
    assert "every margin above 0" in lowered.verdict
    assert "less than" not in lowered.verdict


def test_a_change_in_memory_is_compared():
    read = ql.bundled("p59-seed0")
    changed = replace(read, U=2 * read.U)
    certificate = ql.certify(changed, method="brute-force")
    assert changed.provenance.changed
    assert check(certificate, changed).reasons == ()
    hidden = replace(certificate, provenance=replace(certificate.provenance, changed=()))
    assert "of changes in memory it says: as it was read" in check(hidden, changed).reasons[0]


def test_a_plan_with_more_groups_and_cells_than_the_network_is_worth_is_refused():
    p, n, grid = 31, 16, 33
    curve = [0] * (grid * p)
    group = {"frequency": 1, "A": curve, "B": curve, "retained": [], "level": 0}
    plan = {"grid": grid, "scale": 1, "cell": [0] * n, "amplitude": [1.0] * n, "group": list(range(n))}
    plan |= {"groups": [group] * n, "bounded": [], "harmonics": 0, "head": 0, "retained": [1], "pairs": [[]] * p}
    asked = f"groups times p times cells may be {2**17} for this network, got {n * p * len(curve)}"
    with pytest.raises(CertificateError, match=asked):
        read_plan(plan, p, n)
    few = plan | {"group": [0] * n, "groups": [group]}
    assert len(read_plan(few, p, n).groups) == 1
