"""The method ``linear``: its bounds against the network, its budget, its cost, its refusals."""

from dataclasses import replace

import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates.methods.linear import certify_linear as linear
from quadlens.certificates.plan.choose import Budget, choose
from quadlens.circuits.bundled import bundled_names
from quadlens.circuits.forward import logits, margins


def random_circuit(p, n, seed, scale=1.0):
    rng = np.random.default_rng(seed)
    shapes = {"A": (p, n), "B": (p, n), "U": (n, p), "S_a": (p, p), "S_b": (p, p)}
    return ql.Circuit(p=p, **{name: scale * rng.standard_normal(shape) for name, shape in shapes.items()})


def noisy(p=23, frequencies=(3, 5, 7), neurons=120, noise=0.03, seed=1):
    return ql.construct(p=p, frequencies=frequencies, neurons=neurons, noise=noise, seed=seed)


DEGENERATE = [
    random_circuit(3, 1, 0),
    random_circuit(4, 3, 1),
    random_circuit(6, 5, 2),
    random_circuit(8, 40, 3),
    random_circuit(15, 30, 4),
    random_circuit(23, 64, 5),
    noisy(),
    ql.construct(p=12, frequencies=(1, 5), neurons=40, noise=0.05),
    replace(random_circuit(8, 40, 6), activation="abs"),
    ql.construct(p=13, frequencies=(1, 5), neurons=60, noise=0.05, activation="abs"),
]


@pytest.mark.parametrize("circuit", DEGENERATE, ids=repr)
def test_class_bounds_hold(circuit):
    certificate = linear(circuit)
    margin = margins(logits(circuit, slice(None)), slice(None))
    residue = np.arange(circuit.p)
    for bound in certificate.classes:
        assert bound.margin_lower_bound <= margin[(bound.difference + residue) % circuit.p, residue].min()
    assert certificate.certified_accuracy <= (margin > 0).mean()


@pytest.mark.parametrize("circuit", DEGENERATE[-3:], ids=repr)
def test_ledger_adds_up_to_the_bound(circuit):
    for bound in linear(circuit).classes:
        values = [value for _, value in bound.ledger]
        # ten numbers of this size are added
        assert abs(sum(values) - bound.margin_lower_bound) <= 1e-13 * (1 + max(map(abs, values)))


def test_a_constructed_circuit_is_certified_within_two_per_cent():
    circuit = ql.construct(p=59, frequencies=(3, 15, 17), neurons=512)
    certificate = linear(circuit)
    assert certificate.certified
    true = ql.evaluate(circuit).min_margin
    assert 0.98 * true <= certificate.margin_lower_bound <= true


def test_operations_over_parameters_do_not_grow():
    small, large = (
        linear(ql.construct(p=p, frequencies=(2, 3, 7, 9), neurons=n, noise=0.02)) for p, n in ((59, 512), (211, 1792))
    )
    ratio = (large.operations / large.parameters) / (small.operations / small.parameters)
    assert 0.5 <= ratio <= 2


def test_nothing_near_certified_is_blamed_on_a_term():
    circuit = noisy(noise=0.6)
    certificate = linear(circuit)
    assert not certificate.certified
    failed = [bound.difference for bound in certificate.classes if not bound.certified]
    assert failed
    assert certificate.blame
    assert all(any(word in text for word in ("costs most", "ideal margin")) for text in certificate.blame)


def test_other_activations_and_huge_numbers_are_refused_with_the_reason():
    circuit = ql.construct(p=11, frequencies=(2,), neurons=12, activation="square")
    certificate = linear(circuit)
    assert certificate.refusal is not None
    assert "square" in certificate.refusal
    assert certificate.classes == ()
    huge = linear(random_circuit(5, 4, 0, scale=1e120))
    assert huge.refusal is not None
    assert "overflow" in huge.refusal


@pytest.mark.parametrize(
    ("name", "value"), [("retained", 0), ("harmonics", -1), ("head", 1.5), ("cells", 1), ("candidates", True)]
)
def test_a_budget_out_of_range_is_refused(name, value):
    with pytest.raises(ql.QuadlensError, match=f"{name} must be an integer"):
        Budget(**{name: value})


def test_progress_rises_to_one():
    seen = []
    linear(noisy(), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_the_record_of_choices_is_complete():
    circuit = noisy(noise=0.1)
    record = linear(circuit, budget=Budget(candidates=1), pairs=3).prover
    n, p = circuit.neurons, circuit.p
    assert len(record["cell"]) == len(record["amplitude"]) == len(record["group"]) == n
    assert all(len(group["A"]) == len(group["B"]) == record["grid"] * p for group in record["groups"])
    assert len(record["pairs"]) == p
    assert 0 < max(map(len, record["pairs"])) <= 3
    assert all(list(row) == sorted(set(row)) for row in record["pairs"])
    assert 0 < len(record["bounded"]) < n
    assert {*record} == {
        *("grid", "scale", "cell", "amplitude", "group", "groups", "bounded"),
        *("harmonics", "head", "retained", "pairs"),
    }


def test_pairs_bounded_at_every_input_raise_the_margin_and_cost_what_is_counted():
    circuit = ql.bundled("p59-seed1")
    without, with_pairs = linear(circuit, pairs=0), linear(circuit)
    used = sum(map(len, with_pairs.prover["pairs"]))
    assert sum(map(len, without.prover["pairs"])) == 0 < used < 0.1 * 59 * 58
    assert without.margin_lower_bound < with_pairs.margin_lower_bound
    assert without.operations < with_pairs.operations < 2 * without.operations


def test_keys_found_through_a_sample_are_those_of_all(monkeypatch):
    circuit = noisy()
    everyone, margin = choose(circuit, Budget()).plan, linear(circuit).margin_lower_bound
    monkeypatch.setattr("quadlens.certificates.plan.keys.SAMPLE", 30)
    sampled = choose(circuit, Budget()).plan
    assert [group.frequency for group in sampled.groups] == [3, 5, 7]
    np.testing.assert_array_equal(sampled.cell, everyone.cell)
    # the outputs to retain are chosen by a sample too, so the bound is another
    assert linear(circuit).margin_lower_bound == pytest.approx(margin, rel=0.1)


def test_a_neuron_whose_frequency_no_sample_has_is_found(monkeypatch):
    circuit = noisy()
    tables = {name: np.array(getattr(circuit, name)) for name in ("A", "B", "U")}
    odd = ql.construct(p=23, frequencies=(9,), neurons=1)
    for name in ("A", "B"):
        tables[name][:, 1] = getattr(odd, name)[:, 0]
    tables["U"][1] = odd.U[0]
    changed = ql.Circuit(p=23, **tables)
    margin = linear(changed).margin_lower_bound
    monkeypatch.setattr("quadlens.certificates.plan.keys.SAMPLE", 30)
    plan = choose(changed, Budget()).plan
    assert [group.members.tolist() for group in plan.groups if group.frequency == 9] == [[1]]
    # the outputs to retain are chosen by a sample too, so the bound is another
    assert linear(changed).margin_lower_bound > 0.5 * margin > 0


# what is asked of `linear` on trained networks: part of the true margin, operations for each parameter
CLEAN, HARD = (0.8, 200), (0.3, 300)


def assert_certified(circuit, wanted):
    part, operations = wanted
    certificate, truth = linear(circuit), ql.certify(circuit, method="brute-force")
    assert certificate.certified
    assert certificate.margin_lower_bound <= truth.margin_lower_bound + 1e-9
    assert certificate.margin_lower_bound >= part * truth.margin_lower_bound
    assert certificate.operations <= operations * circuit.parameters


@pytest.mark.parametrize("name", [name for name in bundled_names() if not name.endswith(("abs", "gelu", "silu"))])
def test_bundled_networks_are_certified_whole(name):
    circuit = ql.bundled(name)
    if circuit.activation == "relu":
        assert_certified(circuit, CLEAN if circuit.p == 59 else (0.6, 350))


def test_trained_networks_of_others_are_certified_whole(shared):
    assert_certified(ql.load(shared / "checkpoints/pizza/model_p99zdpze5l.pt"), CLEAN)
    for path in (shared / "checkpoints/gbmi").glob("*.pth"):
        assert_certified(ql.load(path), CLEAN)
    assert_certified(ql.load(shared / "checkpoints/quadlens/p59-relu-27.safetensors"), HARD)


@pytest.mark.parametrize(
    ("cause", "circuit"),
    [
        ("tables", replace(noisy(), radius={"U": 0.1})),
        ("rounding", replace(noisy(noise=0.0), S_a=np.full((23, 23), 1e12))),
    ],
)
def test_classes_that_rounding_or_a_radius_keeps_open_are_blamed_on_it(cause, circuit):
    certificate = linear(circuit)
    assert not certificate.certified
    for bound in certificate.classes:
        costs = {name: -value for name, value in bound.ledger if name != "ideal margin"}
        assert max(costs, key=costs.__getitem__) == cause
    assert [text.split(" (")[0] for text in certificate.blame] == [cause]


def test_a_group_is_blamed_for_its_own_share_of_a_term():
    circuit = noisy(noise=0.0)
    U = circuit.U.copy()
    (group,) = (group for group in ql.fit(circuit).groups if group.frequency == 5)
    shape = U[group.members].shape
    U[group.members] += U.std() * np.random.default_rng(0).standard_normal(shape)
    found = linear(replace(circuit, U=U), budget=Budget(harmonics=1, head=1)).blame
    tails = [text for text in found if text.startswith("tail")]
    assert tails
    assert all("the neurons of frequency 5 have the largest share of it" in text for text in tails)


def test_levels_below_the_normal_numbers_are_told_apart():
    """Their inverse overflows, and 0 times that is no number."""
    circuit = ql.Circuit(
        p=3,
        A=np.array([[0.0], [1.0], [-1.0]]),
        B=np.array([[1.0], [1e-308], [-1.0]]),
        U=np.array([[1.0, 0.5, -1.0]]),
    )
    exact = ql.certify(circuit, method="exact")
    for found in (linear(circuit), ql.certify(circuit, method="adaptive")):
        for bound, truth in zip(found.classes, exact.classes, strict=True):
            assert bound.margin_lower_bound <= truth.margin_lower_bound
