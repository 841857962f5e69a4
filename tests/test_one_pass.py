"""The pass against p²n sums straight from the definitions; and that these bound what they are to bound."""

from dataclasses import replace
from fractions import Fraction
from math import gcd

import numpy as np
import pytest

import quadlens as ql
from quadlens.activations import negative_slope
from quadlens.certificates.compute.namespace import namespace_of
from quadlens.certificates.inequality import one_pass as module
from quadlens.certificates.inequality import table_sums
from quadlens.certificates.inequality.one_pass import PassSums, one_pass
from quadlens.certificates.inequality.split import split_outputs
from quadlens.certificates.plan.choose import Budget, Choice, choose
from quadlens.certificates.plan.plan import Group, Plan
from quadlens.errors import CertificateError
from tests.dense import Dense, dense, random_circuit, random_plan, settled

CLOSE = 1e-12
"""Of the sums' size: prefix sums and dense ones differ by some hundred roundings."""


def evaluated(circuit: ql.Circuit, choice: Choice, device: str | None = None) -> PassSums:
    at = namespace_of(device)
    sums = one_pass(at, circuit, choice, split_outputs(at, circuit, choice.plan))
    a, b = np.indices((circuit.p, circuit.p))
    # from axes (d, b) to (a, b)
    found = {name: at.numpy(getattr(sums, name)) for name in ("C", "R", "res")}
    return replace(sums, **{name: table[..., (a - b) % circuit.p, b] for name, table in found.items()})


def assert_same(found: PassSums, right: Dense, choice: Choice) -> None:
    looked = ~choice.plan.bounded
    assert np.abs(found.C - right.C).max(initial=0) <= CLOSE * max(1, np.abs(right.C).max(initial=0))
    assert np.abs(found.R - right.R).max() <= CLOSE * max(1, right.R.max())
    # a norm's square is evaluated from above: no less, and by the root of what rounding can do to all of the sum
    assert (found.res - right.res).min() >= -CLOSE * max(1, right.res.max())
    assert (found.res - right.res).max() <= 1e-5 * max(1, right.res.max())
    assert sum(found.exceptions) >= int((right.rho[:, :, looked] > 0).sum())
    assert sum(found.exceptions) <= sum(found.candidates)


@pytest.mark.parametrize("slope", [0.0, -1.0, 0.1, -0.4, 1.0])
@pytest.mark.parametrize("bounded", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("p", [3, 4, 5, 6, 8, 9, 11, 12, 13])
def test_the_pass_is_the_definition(p: int, bounded: float, slope: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "negative_slope", lambda activation: slope)
    rng = np.random.default_rng([p, int(10 * bounded), int(10 * slope) + 50])
    for _ in range(2):
        plan = random_plan(rng, p, int(rng.integers(1, 25)), bounded=bounded, grid=int(rng.integers(1, 5)))
        circuit = random_circuit(rng, plan)
        choice = settled(circuit, plan)
        right = dense(circuit, choice.plan, slope)
        assert_same(evaluated(circuit, choice), right, choice)
        room = 1e-12 * (1 + right.residual.max())
        assert (right.error <= right.residual + room).all()
        assert (right.rho <= right.rho_bar + room)[:, :, choice.plan.bounded].all()


def test_frequencies_that_have_no_inverse_and_ties_were_among_them() -> None:
    rng = np.random.default_rng(0)
    plans = [random_plan(rng, p, 20) for p in (4, 6, 8, 9, 12) for _ in range(3)]
    assert {gcd(group.frequency, plan.p) for plan in plans for group in plan.groups} >= {1, 2, 3, 4}
    circuits = [random_circuit(rng, plan) for plan in plans]
    assert any((circuit.A[:, None] + circuit.B == 0).any() for circuit in circuits)


@pytest.mark.parametrize("name", ["p59-seed0", "p59-seed1"])
@pytest.mark.parametrize("candidates", [32, 4, 0])
def test_trained_networks(name: str, candidates: int) -> None:
    circuit = ql.bundled(name)
    choice = choose(circuit, Budget(candidates=candidates))
    found = evaluated(circuit, choice)
    assert_same(found, dense(circuit, choice.plan, negative_slope(circuit.activation)), choice)
    assert sum(found.candidates) <= candidates * circuit.p * circuit.neurons
    assert (candidates == 32) == (not choice.plan.bounded.any())


@pytest.mark.parametrize("slope", [0.0, -1.0, 0.1])
@pytest.mark.parametrize("bounded", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("p", [3, 8, 13])
def test_compiled_loops(p: int, bounded: float, slope: float, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr(module, "negative_slope", lambda activation: slope)
    monkeypatch.setattr(table_sums, "compiled_is_worth_it", lambda entries: True)
    rng = np.random.default_rng([p, int(10 * bounded)])
    for _ in range(4):
        plan = random_plan(rng, p, int(rng.integers(1, 30)), bounded=bounded)
        circuit = random_circuit(rng, plan)
        choice = settled(circuit, plan)
        assert_same(evaluated(circuit, choice), dense(circuit, choice.plan, slope), choice)


@pytest.mark.parametrize("seed", range(4))
def test_torch_gives_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = random_plan(rng, 6 + seed, 20)
    circuit = random_circuit(rng, plan)
    choice = settled(circuit, plan)
    here, there = evaluated(circuit, choice), evaluated(circuit, choice, "cpu")
    assert (here.candidates, here.exceptions, here.arc_ends) == (there.candidates, there.exceptions, there.arc_ends)
    for name in ("C", "R"):
        assert np.abs(getattr(here, name) - getattr(there, name)).max() <= 1e-12 * (1 + np.abs(here.C).max())
    assert np.abs(here.res - there.res).max() <= 1e-5 * (1 + here.res.max())


def test_a_level_that_is_too_low_is_refused() -> None:
    rng = np.random.default_rng(5)
    plan = replace(random_plan(rng, 7, 12, bounded=1.0), amplitude=np.ones(12))
    circuit = random_circuit(rng, plan)
    choice = settled(circuit, plan)
    number = next(n for n, group in enumerate(choice.plan.groups) if 0 < group.level < group.highest)
    group = choice.plan.groups[number]
    # the least level that is enough, in fractions, and one step below
    needed = max(Fraction(choice.delta[i]) for i in group.members)
    least = -(-needed * 2**20 // 1)
    for level, enough in ((least, True), (least - 1, False)):
        groups = list(choice.plan.groups)
        groups[number] = replace(group, level=float(level) / 2**20)
        changed = replace(choice, plan=replace(choice.plan, groups=tuple(groups)))
        if enough:
            evaluated(circuit, changed)
        else:
            with pytest.raises(CertificateError, match=r"bounded and not settled at level .*: raise the level"):
                evaluated(circuit, changed)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_norm_is_evaluated_from_above(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deviations large outside an arc and tiny inside it: the difference of sums of squares loses the tiny ones."""
    monkeypatch.setattr(table_sums, "compiled_is_worth_it", lambda entries: compiled)
    p, cells = 7, 14
    square = np.where(np.arange(cells) < p, 1.0, -1.0)
    group = Group(frequency=1, members=np.arange(cells), A=square, B=np.zeros(cells), level=0.0, retained=())
    plan = Plan(
        p=p,
        grid=2,
        cell=np.arange(cells),
        amplitude=np.ones(cells),
        groups=(group,),
        bounded=np.zeros(cells, dtype=bool),
        harmonics=0,
        head=0,
        retained=(),
    )
    curve = square[(np.arange(cells) + plan.shifts(1)[:, None]) % cells]
    A = np.where(curve > 0, curve + 2.0**-20, curve - 2.0**20)
    circuit = ql.Circuit(p=p, A=A, B=np.zeros((p, cells)), U=np.random.default_rng(1).normal(size=(cells, p)))
    choice = settled(circuit, plan)
    found, right = evaluated(circuit, choice), dense(circuit, choice.plan, 0.0)
    assert sum(found.exceptions) == 0
    assert (right.res > 2.0**-20).all()
    assert (found.res >= 0.99 * right.res).all()


@pytest.mark.parametrize("seed", range(8))
def test_at_the_level_a_gate_is_near(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = random_plan(rng, 7, 20, bounded=1.0)
    groups = tuple(replace(group, A=np.round(group.A), B=np.round(group.B)) for group in plan.groups)
    plan = replace(plan, groups=groups, amplitude=np.ones(20))
    circuit = random_circuit(rng, plan, (0.1, 0.2))
    choice = settled(circuit, plan)
    # whole levels, as H is whole
    groups = tuple(replace(group, level=float(np.ceil(group.level))) for group in choice.plan.groups)
    choice = replace(choice, plan=replace(choice.plan, groups=groups))
    assert any(0 < group.level < group.highest for group in choice.plan.groups)
    assert_same(evaluated(circuit, choice), dense(circuit, choice.plan, 0.0), choice)
