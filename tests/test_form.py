"""The amplitude–phase form: recovered exactly where it was put in, sane where it does not exist."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quadlens as ql
from quadlens.decomposition.rungs import wave_tables
from quadlens.form.amplitude_phase import EXPONENTIAL_SUMS, secondary_wave_factor


def planted(p: int, seed: int, n: int = 9) -> tuple[ql.Circuit, dict[str, np.ndarray]]:
    """A circuit made of random waves, straight from design's definitions, and those waves' numbers."""
    g = np.random.default_rng(seed)
    k = g.integers(1, (p - 1) // 2 + 1, n)
    phi, psi = g.uniform(-np.pi, np.pi, (2, n))
    r, u = g.uniform(0.5, 2, (2, n))
    asymmetry = 0.3 * (g.standard_normal(n) + 1j * g.standard_normal(n)) / 3
    e_A, e_B = 1 - asymmetry, 1 + asymmetry
    s_A, s_B = 0.1 * (g.standard_normal((2, n)) + 1j * g.standard_normal((2, n)))
    kappa = g.uniform(-0.5, 0.5, n)
    a = np.arange(p)[:, None]
    theta = 2 * np.pi * k * a / p + phi
    A = r * np.real(e_A * np.exp(1j * theta) + s_A * np.exp(2j * theta))
    B = r * np.real(e_B * np.exp(1j * theta) + s_B * np.exp(2j * theta)) + r * kappa
    U = (u * np.cos(2 * np.pi * k * a / p + psi)).T
    numbers = {"r": r, "phi": phi, "e_A": e_A, "e_B": e_B, "s_A": s_A, "s_B": s_B, "kappa": kappa, "u": u, "psi": psi}
    return ql.Circuit(p=p, A=A, B=B, U=U), numbers | {"frequency": k}


@settings(max_examples=60, deadline=None)
@given(p=st.sampled_from([7, 11, 13, 14, 22, 59]), seed=st.integers(0, 10**6))
def test_planted_waves_are_recovered(p: int, seed: int) -> None:
    circuit, numbers = planted(p, seed)
    form = ql.fit(circuit)
    assert (form.frequency == numbers["frequency"]).all()
    for name in ("r", "e_A", "e_B", "s_A", "s_B", "kappa", "u"):
        # a Fourier sum of p numbers of order one, divided by r >= 0.5
        np.testing.assert_allclose(getattr(form, name), numbers[name], rtol=0, atol=1e-13, err_msg=name)
    for name in ("phi", "psi"):
        np.testing.assert_allclose(np.exp(1j * (getattr(form, name) - numbers[name])), 1, rtol=0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(p=st.integers(3, 24), seed=st.integers(0, 10**6))
def test_the_waves_are_the_best_approximation_by_the_key_frequency_its_double_and_a_constant(p: int, seed: int) -> None:
    """For every p, even, divisible by 3 or tiny: what the waves leave has no component left at 0, k or 2k."""
    g = np.random.default_rng(seed)
    circuit = ql.Circuit(p=p, A=g.standard_normal((p, 4)), B=g.standard_normal((p, 4)), U=np.ones((4, p)))
    form = ql.fit(circuit)
    A, B = wave_tables(form, form.e_A, form.e_B, form.s_A, form.s_B, form.kappa)
    left_A, left_B = circuit.A - A, circuit.B - B
    a = np.arange(p)
    for i in range(4):
        for m in (form.frequency[i], 2 * form.frequency[i]):
            wave = np.exp(-2j * np.pi * m * a / p)
            assert abs(wave @ left_A[:, i]) < 1e-11
            assert abs(wave @ left_B[:, i]) < 1e-11
        assert abs(left_A[:, i].sum() + left_B[:, i].sum()) < 1e-11


def test_secondary_wave_factor_counts_each_wave_once() -> None:
    assert secondary_wave_factor(59, np.array([3])).tolist() == [2.0]
    assert secondary_wave_factor(12, np.array([3, 4, 5])).tolist() == [1.0, 0.0, 2.0]  # 2k = p/2; 2k = −k; neither


def test_silent_and_overflowing_neurons_have_no_wave() -> None:
    A = np.zeros((5, 3))
    A[:, 1] = 1e-300 * np.cos(2 * np.pi * np.arange(5) / 5)
    A[:, 2] = np.cos(2 * np.pi * np.arange(5) / 5)
    B = A.copy()
    B[:, 1] += 1e300
    form = ql.fit(ql.Circuit(p=5, A=A, B=B, U=np.ones((3, 5))))
    assert form.r.tolist()[:2] == [0.0, 0.0]
    assert form.r[2] == pytest.approx(1.0, rel=1e-15)
    assert form.kappa[1] == 0
    assert all(np.isfinite(getattr(form, name)).all() for name in ("e_A", "e_B", "s_A", "s_B", "kappa", "phi", "psi"))


def test_groups_partition_the_neurons_and_average_by_weight() -> None:
    circuit, _ = planted(13, 4, n=40)
    form = ql.fit(circuit)
    assert sorted(np.concatenate([g.members for g in form.groups]).tolist()) == list(range(40))
    for g in form.groups:
        w = (form.r * form.u)[g.members]
        assert g.weight == pytest.approx(w.sum(), rel=1e-14)
        assert g.e_A == pytest.approx((w * form.e_A[g.members]).sum() / w.sum(), rel=1e-12)
        assert g.kappa == pytest.approx((w * form.kappa[g.members]).sum() / w.sum(), rel=1e-12)
        assert len(g.exponential_sums) == EXPONENTIAL_SUMS
        m3 = abs((w * np.exp(3j * form.phi[g.members])).sum()) / w.sum()
        assert g.exponential_sums[2] == pytest.approx(m3, rel=1e-12)


def test_constructed_circuits_obey_the_rule_with_even_phases() -> None:
    form = ql.fit(ql.construct(p=59, frequencies=(3, 15), neurons=100, sigma=0.1, kappa=0.2))
    assert np.abs(form.mismatch).max() < 1e-12
    for g in form.groups:
        assert g.s_A == pytest.approx(-0.1, abs=1e-14)
        assert g.kappa == pytest.approx(0.2, abs=1e-14)
        assert max(g.exponential_sums) < 1e-13


def test_model_a_meets_the_reference(shared, model_a) -> None:
    reference = json.loads((shared / "reference" / "modelA.json").read_text())
    form = ql.fit(model_a)
    assert [g.frequency for g in form.groups] == [3, 15, 17]
    for g in form.groups:
        want = reference["groups"][str(g.frequency)]
        assert g.members.size == want["neurons"]
        assert g.weight == pytest.approx(want["W"], rel=1e-6)
        for name, key in (("e_A", "eA"), ("e_B", "eB"), ("s_A", "sA"), ("s_B", "sB")):
            assert getattr(g, name) == pytest.approx(complex(*want[key]), rel=1e-6)
        assert g.kappa == pytest.approx(want["kappa"], rel=1e-6)
        assert g.phase_mismatch_rms == pytest.approx(want["phase_mismatch_rms"], rel=1e-6)


def test_dict_is_json_with_the_promised_keys() -> None:
    form = ql.fit(ql.construct(p=7, frequencies=(2,), neurons=8))
    out = json.loads(json.dumps(form.to_dict(per_neuron=True), allow_nan=False))
    assert {"p", "neurons", "activation", "frequencies", "per_neuron"} == set(out)
    assert set(out["frequencies"][0]) == {
        "frequency", "neurons", "weight", "e_A", "e_B", "s_A", "s_B", "kappa", "phase_mismatch_rms", "exponential_sums",
        "chance",
    }  # fmt: skip
    assert out["frequencies"][0]["neurons"] == 8
    assert len(out["per_neuron"]) == 8
    assert len(out["per_neuron"][0]["e_A"]) == 2


def test_chance_is_what_independent_random_phases_give() -> None:
    """With unequal weights it is above 1/√n, which stood in its place."""
    form = ql.fit(ql.bundled())
    generator = np.random.default_rng(0)
    for group in form.main_groups:
        w = form.weights[group.members]
        phases = generator.uniform(-np.pi, np.pi, (4000, w.size))
        drawn = np.abs(np.exp(1j * phases) @ w) / w.sum()
        assert group.chance == pytest.approx(np.sqrt(np.mean(drawn**2)), rel=0.05)
        assert group.chance > 1.02 * group.members.size**-0.5
