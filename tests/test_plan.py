"""The prover's choices: what a plan refuses, and what its neurons need, in fractions."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates.plan import unsettled
from quadlens.certificates.plan.choose import Budget, choose
from quadlens.certificates.plan.outputs import OutputNeeds, retained_outputs
from quadlens.certificates.plan.plan import SCALE, Group, Plan
from quadlens.certificates.plan.unsettled import candidates_of, levels_needed, needs
from quadlens.errors import CertificateError, OptionError
from tests.dense import random_plan


def network(rng: np.random.Generator, p: int, n: int) -> ql.Circuit:
    return ql.Circuit(p=p, A=rng.normal(size=(p, n)), B=rng.normal(size=(p, n)), U=rng.normal(size=(n, p)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid": 0}, "cell in 0"),
        ({"cell": np.array([0, 99, 1, 2])}, "cell in 0..9"),
        ({"amplitude": np.array([0.1, 1, 1, 1])}, "float32"),
        ({"amplitude": np.array([-1.0, 1, 1, 1])}, "float32"),
        ({"amplitude": np.array([np.inf, 1, 1, 1])}, "float32"),
        ({"amplitude": np.ones(3)}, "each of the 4 neurons"),
        ({"bounded": np.zeros(3, dtype=bool)}, "bounded"),
        ({"bounded": np.zeros(4)}, "bounded"),
        ({"groups": ()}, "share out"),
        ({"harmonics": 5}, "harmonics must be in 0..4"),
        ({"head": 2}, "head must be in 0..1"),
        ({"retained": (2, 1)}, "increase within 1..2"),
        ({"retained": (1, 1)}, "increase"),
        ({"retained": (0, 1)}, "increase"),
        ({"retained": (1, 3)}, "increase"),
        ({"retained": ()}, "a group retains"),
    ],
)
def test_a_plan_refuses(change: dict[str, object], message: str) -> None:
    with pytest.raises(CertificateError, match=message):
        replace(plain_plan(), **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frequency": 5}, "frequency of a group"),
        ({"members": np.array([0, 1, 2])}, "share out"),
        ({"members": np.array([0, 1, 2, 2])}, "share out"),
        ({"members": np.array([1, 0, 2, 3])}, "in order of cell"),
        ({"A": np.zeros(9)}, "10 values, got 9"),
        ({"A": np.full(10, 0.1)}, "curve A"),
        ({"B": np.full(10, np.nan)}, "curve B"),
        ({"B": np.full(10, 300.0)}, "curve B"),
        ({"level": 0.1}, "multiple of 1/1048576"),
        ({"level": -1.0}, "multiple"),
        ({"level": 513.0}, "multiple"),
        ({"retained": (2, 1)}, "a group retains"),
    ],
)
def test_a_group_refuses(change: dict[str, object], message: str) -> None:
    plan = plain_plan()
    with pytest.raises(CertificateError, match=message):
        replace(plan, groups=(replace(plan.groups[0], **change),))


def test_a_group_without_neurons_is_refused() -> None:
    plan = plain_plan()
    empty = replace(plan.groups[0], members=np.arange(0))
    with pytest.raises(CertificateError, match="at least one neuron"):
        replace(plan, groups=(*plan.groups, empty))


def plain_plan() -> Plan:
    group = Group(frequency=1, members=np.arange(4), A=np.ones(10), B=np.ones(10), level=0.5, retained=(1, 2))
    return Plan(
        p=5,
        grid=2,
        cell=np.arange(4),
        amplitude=np.ones(4),
        groups=(group,),
        bounded=np.array([True, False, False, True]),
        harmonics=1,
        head=1,
        retained=(1, 2),
    )


def test_the_record_in_a_certificate() -> None:
    assert plain_plan().to_dict() == {
        "grid": 2,
        "scale": SCALE,
        "cell": [0, 1, 2, 3],
        "amplitude": [1.0] * 4,
        "group": [0] * 4,
        "groups": [
            {"frequency": 1, "A": [SCALE] * 10, "B": [SCALE] * 10, "retained": [1, 2], "level": SCALE // 2},
        ],
        "bounded": [0, 3],
        "harmonics": 1,
        "head": 1,
        "retained": [1, 2],
    }


@pytest.mark.parametrize("name", ["retained", "candidates", "head"])
def test_a_budget_refuses(name: str) -> None:
    with pytest.raises(OptionError, match=f"{name} must be an integer"):
        Budget(**{name: -1})


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_what_a_neuron_needs_is_no_less_than_in_fractions(
    seed: int, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsettled, "compiled_is_worth_it", lambda entries: compiled)
    rng = np.random.default_rng(seed)
    p, n = int(rng.integers(3, 8)), 12
    plan, circuit = random_plan(rng, p, n), network(rng, p, n)
    delta = needs(circuit, plan).delta
    for group in plan.groups:
        levels = levels_needed(plan, group, delta)
        for i, level in zip(map(int, group.members), levels, strict=True):
            exact = exact_need(plan, group, circuit, i)
            assert exact <= Fraction(delta[i]) <= exact * (1 + Fraction(1, 2**39))
            assert Fraction(level) * Fraction(plan.amplitude[i]) >= exact or level >= group.highest


def exact_need(plan: Plan, group: Group, circuit: ql.Circuit, i: int) -> Fraction:
    sides = []
    for table, curve in ((circuit.A, group.A), (circuit.B, group.B)):
        at = (plan.cell[i] + plan.shifts(group.frequency)) % plan.cells
        r = Fraction(plan.amplitude[i])
        apart = [Fraction(table[a, i]) - r * Fraction(curve[at[a]]) for a in range(plan.p)]
        sides.append((max(0, *apart), max(0, *(-x for x in apart))))
    return max(sides[0][0] + sides[1][0], sides[0][1] + sides[1][1])


@pytest.mark.parametrize("name", ["p59-seed0", "p59-seed1"])
def test_gates_of_trained_networks_are_evaluated(name: str) -> None:
    choice = choose(ql.bundled(name), Budget())
    assert not choice.plan.bounded.any()
    for group in choice.plan.groups:
        assert group.frequency in group.retained


def test_what_is_bounded_meets_the_condition_and_the_rest_fits_the_budget() -> None:
    circuit = ql.bundled("p59-seed0")
    choice = choose(circuit, Budget(candidates=2))
    plan = choice.plan
    assert 0 < plan.bounded.sum() < plan.bounded.size
    looked_at, needed = 0, np.zeros(circuit.neurons)
    for group in plan.groups:
        needed[group.members] = levels = levels_needed(plan, group, choice.delta)
        looked_at += int(candidates_of(plan, group, levels)[~plan.bounded[group.members]].sum())
        for i in map(int, group.members[plan.bounded[group.members]]):
            enough = group.level >= group.highest
            assert enough or Fraction(plan.amplitude[i]) * Fraction(group.level) >= exact_need(plan, group, circuit, i)
    # those that would cost most to bound come first
    assert needed[~plan.bounded].min() >= needed[plan.bounded].max()
    assert plan.p * circuit.neurons < looked_at <= 2 * plan.p * circuit.neurons


def test_neurons_that_hardly_matter_make_no_groups() -> None:
    circuit = ql.construct(p=59, frequencies=(1, 13, 22), neurons=96, noise=0.0, seed=1)
    rng = np.random.default_rng(0)
    tables = {}
    for name, shape in (("A", (59, 4)), ("B", (59, 4)), ("U", (4, 59))):
        axis = 0 if name == "U" else 1
        tables[name] = np.concatenate([getattr(circuit, name), 1e-3 * rng.normal(size=shape)], axis=axis)
    plan = choose(ql.Circuit(p=59, **tables), Budget()).plan
    assert [group.frequency for group in plan.groups] == [1, 13, 22]
    assert (plan.amplitude[96:] == 0).all()
    assert (plan.amplitude[:96] > 0).all()


def test_noise_in_the_outputs_is_not_retained() -> None:
    frequencies = (1, 3, 13, 22, 29)
    choice = choose(ql.construct(p=59, frequencies=frequencies, neurons=512, noise=0.02, seed=1), Budget())
    assert choice.plan.retained == frequencies
    assert [group.retained for group in choice.plan.groups] == [(k,) for k in frequencies]


def test_outputs_are_retained_by_need() -> None:
    by_group = np.zeros((2, 30))
    by_group[0, 3], by_group[1, 5], by_group[0, 7] = 60.0, 40.0, 2.0
    # ten that cost 0.5 % each are worth no sums; of fifty, those beyond a fifth of the margin; 0.3 % never is
    by_group[0, 10:20] = 0.5
    by_group[1, 20:30] = 0.3
    few = OutputNeeds(by_group=by_group, skip=np.zeros(30), margin=100.0)
    retained, chosen = retained_outputs(few, 30, 30)
    assert retained == (3, 5, 7)
    assert chosen.sum() == 3
    several = np.concatenate([by_group, np.repeat(0.5 * (np.arange(30) >= 10)[None], 2, axis=0)])
    many = replace(few, by_group=several)
    retained, chosen = retained_outputs(many, 30, 30)
    assert retained == (3, 5, 7, *range(10, 20))
    assert chosen.sum() == 3 + (50 - 40)
    # limits: the neediest first; a frequency that is retained already is no new one
    loud = np.tile(10.0 + np.arange(30), (2, 1))
    retained, chosen = retained_outputs(replace(few, by_group=loud), 4, 3)
    assert retained == (27, 28, 29)
    assert chosen.sum() == 6
    retained, chosen = retained_outputs(replace(few, by_group=loud), 2, 3)
    assert retained == (28, 29)
    assert chosen.sum() == 4
    # the skip path's are no sums over neurons
    retained, chosen = retained_outputs(replace(few, skip=5.0 * (np.arange(30) >= 10)), 30, 3)
    assert retained == (3, 5, 7, *range(10, 30))
    assert chosen.sum() == 3
    assert retained_outputs(replace(few, skip=5.0 * (np.arange(30) == 9)), 30, 30)[0] == (3, 5, 7, 9)


def test_a_level_has_room_for_tables_that_another_machine_made() -> None:
    """Tables of stored weights may differ by twice their radius; what is settled here must be settled there."""
    radius = 1e-3
    base = ql.construct(p=11, frequencies=(2, 3), neurons=40, noise=0.05)
    circuit = replace(base, radius={"A": radius, "B": radius})
    with_room, without = choose(circuit, Budget(candidates=0)), choose(base, Budget(candidates=0))
    assert (with_room.delta >= without.delta + 4 * radius).all()
