"""The ladder in linear time against the dense one: both ends of every number hold, with no slack, and each part of a
bound is needed.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quadlens as ql
from quadlens.activations import ACTIVATIONS, Activation, activation_named
from quadlens.certificates.ladder import circle_sums, group_sums, group_waves, retained
from quadlens.certificates.ladder import decompose as fast
from quadlens.certificates.ladder import rest as unevaluated
from quadlens.certificates.ladder.circle import tiers
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.load import load
from quadlens.decomposition.ladder import decompose as dense
from quadlens.quadrature.waveform import group_waveform


def wrong(actual, found):
    """Every number of the dense ladder that the other's two ends do not enclose; lower ends to rounding."""
    out = []

    def enclosed(name, low, true, high, unit=1.0):
        if not (low <= true * (1 + 1e-9) + 1e-11 * unit and true <= high):
            out.append((name, low, true, high))

    for term, ends in zip(actual.terms, found.terms, strict=True):
        if ends.bound is None:
            continue
        enclosed(term.name, ends.relative_l2, term.relative_l2, ends.bound.value)
        enclosed(term.name, ends.max_abs, term.max_abs, ends.max_abs_bound.value, actual.exact_norm)
        for part, own in zip(term.frequencies, ends.frequencies, strict=True):
            enclosed((term.name, part.frequency), own.relative_l2, part.relative_l2, own.bound)
            enclosed((term.name, part.frequency), own.max_abs, part.max_abs, own.max_abs_bound, actual.exact_norm)
    for stage, above in zip(actual.stages, found.stages, strict=True):
        if found.terms[0].bound is not None:
            # evaluated whole it is the value itself, to rounding
            room = 1e-11 if found.whole else 0.0
            enclosed(stage.name, 0.0, stage.relative_l2_to_exact, above.relative_l2_to_exact + room)
    return out


def planted(rng, p, n, noise, activation="relu"):
    """Neurons with waves at one or two frequencies, output phases more or less locked, noise on every table."""
    k = rng.integers(1, max(2, (p - 1) // 2 + 1), n)
    k = np.where(rng.random(n) < 0.7, k[0], k)
    phi, r, u = rng.uniform(-np.pi, np.pi, n), rng.gamma(2.0, size=n), rng.gamma(2.0, size=n)
    angle = 2 * np.pi / p * k * np.arange(p)[:, None] + phi
    second = rng.normal(0, 0.2)
    A = r * (np.cos(angle) + second * np.cos(2 * angle))
    B = r * (np.cos(angle) + second * np.cos(2 * angle) + rng.normal(0, 0.5))
    U = u[:, None] * np.cos(2 * np.pi / p * k[:, None] * np.arange(p) + 2 * phi[:, None] + rng.normal(0, noise, (n, 1)))
    tables = [table + noise * rng.normal(size=table.shape) for table in (A, B, U)]
    return Circuit(p=p, A=tables[0], B=tables[1], U=tables[2], activation=activation)


@pytest.mark.parametrize("activation", ["relu", "abs"])
@pytest.mark.parametrize("arcs", [False, True])
def test_both_ends_hold_on_random_circuits(activation, arcs, monkeypatch):
    """The skip path has no part: a circuit with one has the same ladder."""
    monkeypatch.setattr(group_sums, "DENSE", 0 if arcs else 10**9)
    rng = np.random.default_rng([arcs, activation == "abs"])
    proved = 0
    for case in range(60):
        p, n = int(rng.integers(3, 16)), int(rng.integers(1, 14))
        circuit = planted(rng, p, n, [0.0, 1e-9, 0.01, 0.3, 3.0][case % 5], activation)
        form = ql.fit(circuit)
        found = fast.decompose(circuit, form, frequencies=None if case % 3 == 0 else int(rng.integers(0, 6)))
        proved += found.terms[0].bound is not None
        assert wrong(dense(circuit, form), found) == []
        assert found.telescoping_error <= 1e-12
    assert proved >= 40
    skip = Circuit(p=p, A=circuit.A, B=circuit.B, U=circuit.U, activation=activation, S_a=rng.normal(size=(p, p)))
    assert fast.decompose(skip, form).terms == fast.decompose(circuit, form).terms


entries = st.sampled_from([0.0, 0.0, 1e-12, -1e-3, 0.5, -1.0, 1.0, 2.0, -30.0])


# the same draws every time: where entries of 1e-12 stand beside 1e-3 lower ends are off by their rounding, 1e-7
@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.data())
def test_both_ends_hold_on_adversarial_circuits(data):
    p, n = data.draw(st.integers(3, 6)), data.draw(st.integers(1, 3))
    A, B = (np.array(data.draw(st.lists(entries, min_size=p * n, max_size=p * n))).reshape(p, n) for _ in range(2))
    U = np.array(data.draw(st.lists(entries, min_size=p * n, max_size=p * n))).reshape(n, p)
    activation, frequencies = data.draw(st.sampled_from(["relu", "abs"])), data.draw(st.sampled_from([None, 0, 1]))
    circuit = Circuit(p=p, A=A, B=B, U=U, activation=activation)
    form = ql.fit(circuit)
    assert wrong(dense(circuit, form), fast.decompose(circuit, form, frequencies=frequencies)) == []


@pytest.mark.parametrize("alpha", [-1.0, -0.5, 0.0, 0.3])
@pytest.mark.parametrize("p", [12, 13, 60])
def test_sums_along_the_circle_are_those_of_every_neuron(alpha, p, monkeypatch):
    leaky = Activation(
        name="leaky",
        apply=lambda x: np.where(x > 0, x, alpha * x),
        degree=1,
        lipschitz=1.0,
        smooth=False,
        slope_below=alpha,
    )
    monkeypatch.setitem(ACTIVATIONS, "leaky", leaky)
    rng = np.random.default_rng(p)
    n, k, numbers = 80, 2, (1.1, 0.9, 0.1 + 0.05j, -0.05, -0.1)
    phi, r = rng.uniform(-np.pi, np.pi, n), rng.gamma(2.0, size=n)
    r[0] = 0
    theta = 2 * np.pi / p * (k * np.arange(p) % p)[:, None] + phi
    dA, dB = (0.05 * rng.normal(size=(p, n)) * rng.gamma(0.5, size=n) for _ in range(2))
    A = r * (numbers[0] * np.exp(1j * theta) + numbers[2] * np.exp(2j * theta)).real + dA
    B = r * ((numbers[1] * np.exp(1j * theta) + numbers[3] * np.exp(2j * theta)).real + numbers[4]) + dB
    with np.errstate(divide="ignore"):
        levels = (np.abs(dA).max(axis=0) + np.abs(dB).max(axis=0)) / r * (1 + 1e-12)
    v = rng.normal(size=(n, 3)) + 1j * rng.normal(size=(n, 3))
    tables = circle_sums.Tables(A=lambda rows: A[rows], B=lambda rows: B[rows])
    found, rows = tiers(group_waveform(p, k, *numbers), k, phi, levels, 6), slice(2, 11)
    assert sum(len(tier.members) for tier in found) == n
    want = circle_sums.dense_sums(tables, v, activation_named("leaky").apply, rows, p)
    np.testing.assert_allclose(circle_sums.sums(tables, v, found, "leaky", rows), want, rtol=0, atol=1e-11)
    # gates that stray are looked at: with no level some would be taken for what their arc says
    few = tiers(group_waveform(p, k, *numbers), k, phi, np.zeros(n), 6)
    assert np.abs(circle_sums.sums(tables, v, few, "leaky", rows) - want).max() > 1e-6


def test_bounds_are_nearly_the_truth_on_trained_networks(shared):
    paths = [None, shared / "checkpoints" / "pizza" / "model_p99zdpze5l.pt"]
    for circuit in (ql.bundled() if path is None else load(path) for path in paths):
        form = ql.fit(circuit)
        actual, found = dense(circuit, form), fast.decompose(circuit, form, frequencies=12)
        assert not found.whole
        assert wrong(actual, found) == []
        ratios = [b.bound.value / a.relative_l2 for a, b in zip(actual.terms, found.terms, strict=True)]
        assert ratios[0] < 1.05
        assert max(ratios[1:]) < 1.001
        assert found.ideal_relative_l2 < 1.02 * actual.ideal_relative_l2
        whole = fast.decompose(circuit, form)
        assert whole.whole
        for term, other in zip(actual.terms, whole.terms, strict=True):
            assert other.relative_l2 == pytest.approx(term.relative_l2, rel=1e-9)
            assert other.bound.value == pytest.approx(term.relative_l2, rel=1e-6)
            assert other.max_abs == pytest.approx(term.max_abs, rel=1e-9)


def noisy(name):
    """A circuit on which one part of the bound on what is not evaluated is most of it."""
    base = ql.construct(p=31, frequencies=(4,), neurons=64)
    extra = np.cos(2 * np.pi * 7 * np.arange(31) / 31)
    rng = np.random.default_rng(1)
    tables = {"A": base.A, "B": base.B, "U": base.U + 0.01 * extra}
    if name == "second":
        # outputs that no harmonic below 129 sees, on neurons that stray
        sign = np.where(np.arange(64) % 2, 1.0, -1.0)[:, None]
        tables = {"A": base.A + 0.5 * sign.T * rng.normal(size=(31, 1)), "B": base.B, "U": base.U + 0.01 * sign * extra}
    return Circuit(p=31, **tables)


@pytest.mark.parametrize("part", ["zero_order", "second"])
def test_each_part_of_the_rest_is_needed(part, monkeypatch):
    circuit = noisy(part)
    form = ql.fit(circuit)
    actual = dense(circuit, form)
    assert wrong(actual, fast.decompose(circuit, form, frequencies=0)) == []
    if part == "zero_order":
        monkeypatch.setattr(unevaluated, "zero_order", lambda rests, z, p: np.zeros(z.size))
    else:
        monkeypatch.setattr(
            fast, "strays", lambda *given: group_waves.Strays(levels=np.full(64, np.inf), energy=np.zeros(64))
        )
    assert [name for name, *_ in wrong(actual, fast.decompose(circuit, form, frequencies=0))] != []


@pytest.mark.parametrize("part", ["of_class", "of_a"])
def test_each_part_of_a_single_logits_bound_is_needed(part, monkeypatch):
    circuit = noisy("second" if part == "of_a" else "zero_order")
    form = ql.fit(circuit)
    actual, true = dense(circuit, form), fast.peaks

    def without(*given):
        found = true(*given)
        none = {name: np.zeros(31) for name in (("of_class",) if part == "of_class" else ("of_a", "of_b"))}
        kept = {name: getattr(found, name) for name in ("of_class", "of_a", "of_b")}
        return unevaluated.Peaks(**{**kept, **none})

    assert wrong(actual, fast.decompose(circuit, form, frequencies=0)) == []
    monkeypatch.setattr(fast, "peaks", without)
    assert wrong(actual, fast.decompose(circuit, form, frequencies=0)) != []


def test_the_choice_keeps_every_key_and_stops_where_nothing_is_gained():
    circuit = planted(np.random.default_rng(3), 13, 12, 0.01)
    form = ql.fit(circuit)
    keys = [group.frequency for group in form.groups]
    even = np.ones((len(keys), 6))
    kept = retained.retain(even * 1e-9 + (np.arange(6) == 5) * 1.0, form, 3)
    assert kept.kept[np.arange(len(keys)), np.array(keys) - 1].all()
    assert kept.common[5]
    assert not kept.whole


def test_the_decomposition_says_what_is_bounded():
    circuit = planted(np.random.default_rng(6), 7, 5, 0.1)
    told = fast.decompose(circuit, frequencies=0).to_dict()
    assert told["output_frequencies"] < 3
    for term in told["terms"]:
        assert term["relative_l2"] <= term["bound"]
        assert term["max_abs"] <= term["max_abs_bound"]
        assert len(term["frequency_bounds"]) == len(ql.fit(circuit).groups)
        assert all(part["relative_l2"] <= part["bound"] for part in term["frequencies"])
        assert all(part["max_abs"] <= part["max_abs_bound"] for part in term["frequencies"])
    smooth = Circuit(p=7, A=circuit.A, B=circuit.B, U=circuit.U, activation="tanh")
    for term in ql.decompose(smooth).to_dict()["terms"]:
        assert term["bound"] is None
        assert term["frequency_bounds"] == []
    mute = Circuit(p=7, A=circuit.A, B=circuit.B, U=np.zeros((5, 7)))
    assert all(term["bound"] is None for term in ql.decompose(mute).to_dict()["terms"])


def test_long_work_is_announced_before_it_begins(capsys):
    from quadlens.cli.progress import announce

    large = ql.construct(p=997, frequencies=(3, 5, 7), neurons=64)
    slow = Circuit(p=997, A=large.A, B=large.B, U=large.U, activation="tanh")
    announce("decomposing", fast.seconds(large, ql.fit(large)))
    assert capsys.readouterr().err == ""
    announce("decomposing", fast.seconds(slow, ql.fit(slow)) * 4)
    assert capsys.readouterr().err == "decomposing takes about 51 s (estimated)\n"


def test_what_is_bounded_is_not_called_the_value_itself_though_every_frequency_has_a_key():
    generator = np.random.default_rng(0)
    p, n = 13, 200
    circuit = ql.Circuit(
        p=p, A=generator.normal(size=(p, n)), B=generator.normal(size=(p, n)), U=generator.normal(size=(n, p))
    )
    form = ql.fit(circuit)
    assert {group.frequency for group in form.groups} == set(range(1, p // 2 + 1))
    some = retained.Retained(
        kept=np.eye(p // 2, dtype=bool), common=np.ones(p // 2, dtype=bool), main=np.ones(p // 2, dtype=bool)
    )
    assert fast._evaluated_frequencies(some) < p // 2
    assert fast._evaluated_frequencies(retained.retain_all(form)) == p // 2
    assert fast.decompose(circuit).whole
