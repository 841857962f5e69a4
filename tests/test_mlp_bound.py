"""The proved distance of the MLP from its integrals: never below the truth, near it, and every term needed."""

import json
from dataclasses import replace

import numpy as np
import pytest

import quadlens as ql
from benchmarks.mlp_bound import any_budget, bounds_of, differences, false_claims
from quadlens.certificates.inequality.rounding import sizes
from quadlens.certificates.mlp.prove import budget_of, prove
from quadlens.certificates.mlp.rounding import logit_pieces, of_one_logit
from quadlens.certificates.record.file import as_data, from_json, to_json
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import mlp_logits
from quadlens.decomposition.ideals import integral_ideal
from quadlens.errors import CertificateError

SHARED = "../shared/checkpoints/"


def noisy(p: int, keys: tuple[int, ...], n: int, noise: float, seed: int = 0, activation: str = "relu") -> Circuit:
    """Neurons with waves of different keys, noise in every table, and a skip path that must not count."""
    rng = np.random.default_rng(seed)
    key, phi = np.resize(keys, n), rng.uniform(0, 2 * np.pi, n)
    at = 2 * np.pi / p * np.outer(np.arange(p), key)
    bias = 0.3 * rng.normal(size=n)
    return Circuit(
        p=p,
        A=np.cos(at + phi) + noise * rng.normal(size=(p, n)),
        B=np.cos(at + phi) + bias + noise * rng.normal(size=(p, n)),
        U=(np.cos(at + 2 * phi) + noise * rng.normal(size=(p, n))).T,
        S_a=rng.normal(size=(p, p)),
        S_b=rng.normal(size=(p, p)),
        activation=activation,
    )


CIRCUITS = {
    "noise": noisy(13, (2, 5), 30, 0.1),
    "modulus": noisy(11, (1, 3), 24, 0.2, activation="abs"),
    "p even, key p/2": noisy(12, (6, 1), 30, 0.1),
    "phases that do not fit": noisy(9, (1, 2), 12, 1.0),
    "one neuron": noisy(7, (3,), 1, 0.05),
}


@pytest.mark.parametrize("name", CIRCUITS)
@pytest.mark.parametrize("seed", range(6))
def test_no_claim_is_below_the_truth_whatever_the_plan(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    circuit = CIRCUITS[name]
    bounds = bounds_of(circuit, budget_of(circuit.p) if seed == 0 else any_budget(rng))
    assert bounds
    assert [problem for bound in bounds for problem in false_claims(circuit, bound)] == []


def test_the_whole_is_the_mean_of_the_classes_and_no_smaller_than_each_of_its_terms() -> None:
    for bound in bounds_of(CIRCUITS["noise"]):
        assert bound.l2 == pytest.approx(np.sqrt(np.mean(bound.classes**2)), rel=1e-9)
        assert all(value <= bound.l2 for value in bound.terms.values())


@pytest.mark.parametrize("term", ["computed", "gates", "waveforms", "tail", "residual"])
def test_a_bound_without_one_of_its_terms_is_false_somewhere(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drop one term, and some circuit's true distance is above what is left."""
    from quadlens.certificates.mlp import prove as module

    whole = module._bound

    def without(circuit, size, found, ideal):
        if term == "computed":
            kept = module.distance
            monkeypatch.setattr(module, "distance", lambda *a: replace(kept(*a), by_class=0 * found.waves.l2))
        elif term in ("waveforms", "tail"):
            name = "l2" if term == "waveforms" else "tail"
            found = replace(found, waves=replace(found.waves, **{name: 0 * found.waves.l2}))
        else:
            name = "R" if term == "gates" else "res"
            found = replace(found, l2=replace(found.l2, **{name: 0 * found.l2.R}))
        result = whole(circuit, size, found, ideal)
        monkeypatch.undo()
        return result

    false = 0
    for circuit, budget in hard(term):
        form = ql.fit(circuit)
        monkeypatch.setattr(module, "_bound", without)
        (bound,) = prove(circuit, sizes(circuit), (integral_ideal(form),), budget).bounds
        monkeypatch.undo()
        assert all(value == 0 for name, value in bound.terms.items() if name == term)
        false += bool(np.linalg.norm(differences(circuit, bound.ideal)) > bound.l2 * bound.ideal.norm)
    assert false


def hard(term: str):
    """Circuits in which a term carries most of the distance, with budgets that leave it to be bounded."""
    from quadlens.certificates.plan.choose import Budget

    rng = np.random.default_rng(1)
    few = Budget(retained=1, retained_by_group=1, harmonics=0 if term == "tail" else 20, head=0, cells=120)
    for seed in range(6):
        pure, rough = noisy(13, (2,), 24, 0.0, seed=seed), noisy(13, (2,), 24, 1.0, seed=seed)
        outputs = rng.normal(size=(24, 13))
        if term == "gates":
            # outputs at the key alone, every gate bounded
            yield replace(rough, U=pure.U), replace(few, candidates=0)
        elif term == "residual":
            yield replace(rough, U=rough.U + 8 * outputs), few
        elif term == "computed":
            yield replace(pure, A=pure.A[:, :6], B=pure.B[:, :6], U=pure.U[:6]), few
        else:
            yield replace(pure, B=pure.A, U=pure.U + 3 * outputs), few


def test_every_piece_of_the_rounding_is_in_the_sum() -> None:
    circuit = replace(CIRCUITS["noise"], radius={"A": 1e-9, "B": 1e-9, "U": 1e-9})
    plan = prove(circuit, sizes(circuit), (integral_ideal(ql.fit(circuit)),), replace(budget_of(13), candidates=0)).plan
    pieces = dict(logit_pieces(circuit, sizes(circuit), plan, 12, 1e-12, 1e-12))
    whole = of_one_logit(pieces, circuit)
    for name, value in pieces.items():
        # underflow is far below the others
        others = pieces if name != "underflow" else dict.fromkeys(pieces, 0.0) | {name: value}
        assert value > 0
        assert of_one_logit(others | {name: 0.0}, circuit) < min(whole, of_one_logit(others, circuit)), name


@pytest.mark.parametrize("table", ["A", "B", "U"])
def test_every_network_within_the_radius_is_within_the_bound(table: str) -> None:
    stored = noisy(11, (2, 3), 16, 1e-9)
    radius = 0.05
    circuit = replace(stored, radius={table: radius})
    (bound,) = prove(circuit, sizes(circuit), (integral_ideal(ql.fit(circuit)),), budget_of(11)).bounds
    (alone,) = prove(stored, sizes(stored), (integral_ideal(ql.fit(stored)),), budget_of(11)).bounds
    rng, exceeded = np.random.default_rng(0), 0
    for _ in range(8):
        moved = getattr(stored, table) + radius * rng.choice([-1.0, 1.0], getattr(stored, table).shape)
        apart = np.linalg.norm(differences(replace(stored, **{table: moved}), bound.ideal))
        assert apart <= bound.l2 * bound.ideal.norm
        exceeded += apart > alone.l2 * alone.ideal.norm
    assert exceeded


@pytest.mark.parametrize(("name", "most"), [("p59-seed0", 1.1), ("p59-seed1", 1.1)])
def test_bundled_networks_are_bounded_nearly_tightly(name: str, most: float) -> None:
    certificate = ql.certify(ql.bundled(name), method="mlp")
    bound, measured = certificate.relative_error_bound, certificate.relative_error_measured
    assert bound is not None
    assert measured is not None
    assert measured <= bound <= most * measured
    assert certificate.succeeded
    assert certificate.verdict.startswith("proved: the MLP's logits, less their mean over c, are within 0.06")


def test_the_hard_network_is_within_three_tenths() -> None:
    certificate = ql.certify(ql.load(SHARED + "quadlens/p59-relu-27.safetensors"), method="mlp")
    assert certificate.relative_error_bound <= 1.3 * certificate.relative_error_measured


def test_the_skip_path_is_no_part_of_it() -> None:
    circuit = CIRCUITS["noise"]
    (one, _), (other, _) = bounds_of(circuit), bounds_of(replace(circuit, S_a=0 * circuit.S_a, S_b=0 * circuit.S_b))
    assert one.l2 == other.l2


def test_a_vacuous_bound_says_so_with_its_term() -> None:
    rng = np.random.default_rng(0)
    circuit = Circuit(p=7, A=rng.normal(size=(7, 9)), B=rng.normal(size=(7, 9)), U=rng.normal(size=(9, 7)))
    certificate = ql.certify(circuit, method="mlp")
    assert certificate.relative_error_bound >= 1
    assert not certificate.succeeded
    assert certificate.verdict.startswith("not certified (vacuous")
    assert "mostly from the term computed" in certificate.blame[0]


def test_another_activation_is_refused_in_a_sentence() -> None:
    circuit = replace(ql.bundled(), activation="gelu")
    certificate = ql.certify(circuit, method="mlp")
    assert certificate.refusal is not None
    assert "gelu" in certificate.refusal
    assert not certificate.succeeded


def test_the_file_comes_back_and_refuses_what_contradicts_it() -> None:
    certificate = ql.certify(CIRCUITS["noise"], method="mlp")
    assert from_json(to_json(certificate)) == certificate
    data = as_data(certificate)
    assert {"relative_error_bound", "relative_error_measured", "sup_error_bound"} <= set(data)
    for change in (
        {"relative_error_bound": data["relative_error_bound"] / 2},
        {"frequencies": data["frequencies"][1:]},
        {"ideals": []},
        {"ideals": [data["ideals"][0] | {"classes": data["ideals"][0]["classes"][1:]}]},
        {"ideals": [data["ideals"][0] | {"sup_error_bound": -1.0}, data["ideals"][1]]},
        {"method": "linear"},
    ):
        with pytest.raises(CertificateError):
            from_json(json.dumps(data | change))
    for key in ("relative_error_bound", "ideals"):
        with pytest.raises(CertificateError):
            from_json(json.dumps({name: value for name, value in data.items() if name != key}))


def test_a_mean_over_the_logits_is_told_to_be_left_out() -> None:
    # 50 in all of U moves every logit of an input alike: the bound stays, and is none of the logits themselves
    small = ql.construct(p=11, frequencies=[2, 3], neurons=24)
    moved = replace(small, U=small.U + 50.0)
    certificate = ql.certify(moved, method="mlp")
    ideal = integral_ideal(ql.fit(moved))
    whole = differences(moved, ideal) + mlp_logits(moved, slice(None)).mean(axis=2, keepdims=True)
    assert np.linalg.norm(whole) > certificate.relative_error_bound * ideal.norm
    assert "less their mean over c, are within" in certificate.verdict
