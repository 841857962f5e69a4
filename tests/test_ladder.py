"""The error decomposition: terms telescope, each rung removes what its name says, and reference values are met."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quadlens as ql
from quadlens.circuits.circuit import table_shapes
from quadlens.circuits.forward import evaluate, mlp_logits
from quadlens.decomposition.rungs import RUNGS, ideal_response, ideal_sum, largest_entries, wave_logits

ACTIVATIONS = ("relu", "abs", "square", "gelu", "silu", "tanh")


def random_circuit(p: int, n: int, seed: int, activation: str) -> ql.Circuit:
    g = np.random.default_rng(seed)
    return ql.Circuit(
        p=p, activation=activation, **{k: g.standard_normal(s) for k, s in table_shapes(p, n).items()}
    )


@settings(max_examples=60, deadline=None)
@given(
    p=st.integers(3, 15), n=st.integers(1, 12), seed=st.integers(0, 10**6), activation=st.sampled_from(ACTIVATIONS)
)
def test_terms_telescope_on_any_network(p: int, n: int, seed: int, activation: str) -> None:
    result = ql.decompose(random_circuit(p, n, seed, activation))
    assert result.telescoping_error <= 1e-12
    assert [t.name for t in result.terms] == list(RUNGS) == [s.name for s in result.stages]
    # the norm of a sum is at most the sum of the norms
    distance = 0.0
    for term, stage in zip(result.terms, result.stages, strict=True):
        distance += term.relative_l2
        assert stage.relative_l2_to_exact <= distance * (1 + 1e-12)
        assert stage.r_squared == pytest.approx(1 - stage.relative_l2_to_exact**2, abs=1e-12)


def names_of_nonzero_terms(circuit: ql.Circuit) -> set[str]:
    return {t.name for t in ql.decompose(circuit).terms if t.relative_l2 > 1e-10}


def test_each_term_sees_only_what_it_is_named_after() -> None:
    """A constructed circuit has no residual, spread or mismatch; break one thing at a time."""
    base = ql.construct(p=31, frequencies=(4,), neurons=64)
    clean = {"quadrature", "secondary_frequency"}
    assert names_of_nonzero_terms(base) == clean
    a = np.arange(31)
    extra = np.cos(2 * np.pi * 7 * a / 31)
    tables = {"p": 31, "A": base.A, "B": base.B, "U": base.U}
    assert names_of_nonzero_terms(ql.Circuit(**tables | {"U": base.U + 0.01 * extra})) == clean | {"output_residual"}
    assert names_of_nonzero_terms(ql.Circuit(**tables | {"A": base.A + 0.01 * extra[:, None]})) == clean | {
        "preactivation_residual"
    }
    spread = np.where(np.arange(64) % 2, 0.05, -0.05)
    assert names_of_nonzero_terms(ql.Circuit(**tables | {"B": base.B + spread})) == clean | {"waveform_spread"}
    phi = 2 * np.pi * np.arange(64) / 64
    turned = np.cos(2 * np.pi * 4 * a / 31 + (2 * phi + 0.01)[:, None])
    assert names_of_nonzero_terms(ql.Circuit(**tables | {"U": turned})) == clean | {"phase_mismatch"}


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("p", [12, 13])
def test_a_frequencys_part_is_the_ladder_of_its_neurons_alone(p: int, activation: str) -> None:
    circuit = random_circuit(p, 20, 7, activation)
    form, whole = ql.fit(circuit), ql.decompose(circuit)
    assert len(form.groups) > 2
    for index, group in enumerate(form.groups):
        i = group.members
        tables = {"A": circuit.A[:, i], "B": circuit.B[:, i], "U": circuit.U[i]}
        alone = ql.decompose(ql.Circuit(p=p, activation=activation, **tables))
        for term, own in zip(whole.terms, alone.terms, strict=True):
            part = term.frequencies[index]
            assert part.frequency == group.frequency
            size = part.relative_l2 * whole.exact_norm
            assert size == pytest.approx(own.relative_l2 * alone.exact_norm, rel=1e-9, abs=1e-9)
            assert part.max_abs == pytest.approx(own.max_abs, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("p", [3, 4, 5, 12, 15, 59])
def test_largest_entries_are_those_of_the_written_out_logits(p: int) -> None:
    k = np.arange(1, (p - 1) // 2 + 1)
    z = np.random.default_rng(p).standard_normal((40, 2, k.size)) @ np.diag(k) * np.exp(2j * np.pi * k / 7)
    written = [np.abs(wave_logits(z[..., [j]], k[[j]], p)).max(axis=-1) for j in range(k.size)]
    np.testing.assert_allclose(largest_entries(z, k, p), np.stack(written, axis=-1), rtol=1e-12)


def test_without_secondary_frequency_and_bias_the_last_rung_changes_nothing() -> None:
    assert names_of_nonzero_terms(ql.construct(p=31, frequencies=(4,), neurons=64, sigma=0, kappa=0)) == {"quadrature"}


def test_quadrature_term_falls_as_the_square_of_the_width() -> None:
    widths = np.array([31, 61, 121, 241])
    errors = [
        next(t.relative_l2 for t in ql.decompose(ql.construct(p=17, frequencies=(3,), neurons=int(n))).terms[4:])
        for n in widths
    ]
    slope = np.polyfit(np.log(widths), np.log(errors), 1)[0]
    # equally spaced nodes of a function whose derivative jumps: n⁻², with a prefactor that wobbles with the zeros
    assert -2.6 < slope < -1.6


def test_square_is_exact_from_a_handful_of_phases() -> None:
    circuit = ql.construct(p=13, frequencies=(3,), neurons=7, activation="square")
    assert "quadrature" not in names_of_nonzero_terms(circuit)
    assert "quadrature" in names_of_nonzero_terms(ql.construct(p=13, frequencies=(3,), neurons=4, activation="square"))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_ideal_is_the_limit_of_wide_networks(activation: str) -> None:
    """One frequency, phases equally spaced: as n grows the exact logits become the ideal ones, for every activation."""
    circuit = ql.construct(p=11, frequencies=(2,), neurons=4096, sigma=0.1, kappa=0.2, activation=activation)
    form = ql.fit(circuit)
    z = ideal_sum(np.stack([ideal_response(form, form.groups[0])]), form, slice(0, 11))
    ideal = wave_logits(z, np.array([2]), 11)
    exact = mlp_logits(circuit, slice(0, 11))
    assert np.abs(exact - ideal).max() / np.abs(exact).max() < 1e-5


def test_pure_limit_is_the_pizza_formula() -> None:
    circuit = ql.construct(p=10, frequencies=(3,), neurons=100)
    form = ql.fit(circuit)
    response = ideal_response(form, form.groups[0], pure=True)
    d, w = np.arange(10), 2 * np.pi / 10
    z = ideal_sum(response[None], form, slice(0, 10))
    logits = wave_logits(z, np.array([3]), 10)
    a, b, c = np.ogrid[:10, :10, :10]
    want = 100 * 2 / (3 * np.pi) * np.abs(np.cos(w * 3 * (a - b) / 2)) * np.cos(w * 3 * (a + b - c))
    np.testing.assert_allclose(logits, want, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.abs(response), 200 / (3 * np.pi) * np.abs(np.cos(w * 3 * d / 2)), rtol=0, atol=1e-12)


def test_a_silent_network_decomposes_into_zeros() -> None:
    result = ql.decompose(ql.Circuit(p=5, A=np.zeros((5, 2)), B=np.zeros((5, 2)), U=np.zeros((2, 5))))
    assert [t.relative_l2 for t in result.terms] == [0.0] * 6
    assert result.telescoping_error == 0.0


def test_progress_ends_at_one() -> None:
    seen: list[float] = []
    ql.decompose(ql.construct(p=7, frequencies=(1,), neurons=8), progress=seen.append)
    assert seen[-1] == 1.0
    assert seen == sorted(seen)


def test_model_a_meets_the_reference(shared, model_a) -> None:
    reference = json.loads((shared / "reference" / "modelA.json").read_text())
    whole, mlp = evaluate(model_a), evaluate(model_a, skip=False)
    assert whole.accuracy == mlp.accuracy == 1.0
    assert whole.min_margin == pytest.approx(reference["min_margin"], rel=1e-6)
    assert mlp.min_margin == pytest.approx(reference["mlp_min_margin"], rel=1e-6)
    assert mlp.logit_std == pytest.approx(reference["mlp_logit_std"], rel=1e-6)
    result = ql.decompose(model_a)
    assert result.telescoping_error <= 1e-12
    for term, stage in zip(result.terms, result.stages, strict=True):
        assert term.relative_l2 == pytest.approx(reference["terms"][term.name], rel=1e-6)
        want = reference["stages"][term.name]
        assert stage.relative_l2_to_exact == pytest.approx(want["relative_l2_to_exact"], rel=1e-6)
        assert stage.accuracy == want["accuracy"]
    form = ql.fit(model_a)
    for group in form.groups:
        Z = np.abs(ideal_response(form, group))
        assert Z.min() == pytest.approx(reference["groups"][str(group.frequency)]["Z_min"], rel=1e-6)
        assert Z.max() == pytest.approx(reference["groups"][str(group.frequency)]["Z_max"], rel=1e-6)
