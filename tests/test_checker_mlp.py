"""The checker's own way to an MLP's distance from its integrals: bisected integrals in balls, and all inputs."""

import flint
import numpy as np
import pytest

import quadlens as ql
from quadlens.checker.balls import roots_of_unity
from quadlens.checker.gates import SLOPES
from quadlens.checker.ideal_integrals import Waveform, second_harmonic, waveform_of
from quadlens.checker.mlp_distance import true_distances
from quadlens.checker.tables import PRECISION, ball_network
from quadlens.circuits.forward import mlp_logits
from quadlens.decomposition.rungs import ideal_response, wave_logits
from quadlens.errors import CertificateError
from quadlens.quadrature.balls import harmonic_balls


def numbers_of(form: ql.AmplitudePhaseForm) -> list[dict]:
    return [
        {
            "frequency": group.frequency,
            "weight": float(group.weight),
            **{name: [getattr(group, name).real, getattr(group, name).imag] for name in ("e_A", "e_B", "s_A", "s_B")},
            "kappa": float(group.kappa),
        }
        for group in form.main_groups
    ]


@pytest.mark.parametrize("activation", ["relu", "abs"])
@pytest.mark.parametrize(
    "c",
    [
        (0.3, 1 + 0.2j, 0.4 - 0.1j),
        (0.0, 1.0, 0.0),
        (0.0, 0.0, 0.0),  # nothing
        (1.0, 1.0, 0.0),  # a double zero at π
        (2.0, 1.0, 0.0),  # no zero
        (-2.0, 1.0, 0.0),
        (0.0, 1e-9, 1.0),
    ],
)
def test_the_bisected_integral_is_that_of_exact_roots(c, activation):
    with flint.ctx.workprec(PRECISION):
        own = second_harmonic(Waveform(c=tuple(flint.acb(x) for x in c)), SLOPES[activation])
    (other,) = harmonic_balls(list(c), [2], activation)
    assert own.overlaps(other)
    assert float(own.real.rad()) + float(own.imag.rad()) < 1e-18


def test_the_waveform_is_the_form_s():
    form = ql.fit(ql.bundled())
    group, p = form.main_groups[1], form.p
    numbers = numbers_of(form)[1]
    with flint.ctx.workprec(PRECISION):
        roots = roots_of_unity(p)
        for d in (0, 1, 30):
            found = second_harmonic(waveform_of(numbers, d, p, roots), SLOPES["relu"])
            assert complex(found) * group.weight == pytest.approx(ideal_response(form, group)[d], abs=1e-10)


@pytest.mark.parametrize(("p", "activation"), [(13, "relu"), (12, "relu"), (11, "abs"), (16, "abs")])
def test_the_true_distance_is_the_dense_one(p, activation):
    circuit = ql.construct(p=p, frequencies=(2, 5), neurons=20, noise=0.1, activation=activation)
    form = ql.fit(circuit)
    with flint.ctx.workprec(PRECISION):
        (found,) = true_distances(ball_network(circuit), [numbers_of(form)])
    groups = form.main_groups
    k, b = np.array([group.frequency for group in groups]), np.arange(p)
    Z = np.stack([ideal_response(form, group) for group in groups])
    d = (np.arange(p)[:, None] - b) % p
    I = wave_logits(np.moveaxis(np.conj(Z[:, d]), 0, -1) * np.exp(-4j * np.pi / p * b[:, None] * k), k, p)
    M = mlp_logits(circuit, slice(0, p))
    apart = M - M.mean(axis=-1, keepdims=True) - I
    assert float(found.whole) == pytest.approx(np.linalg.norm(apart), rel=1e-9)
    assert float(found.ideal) == pytest.approx(np.linalg.norm(I), rel=1e-9)
    assert float(found.largest) == pytest.approx(np.abs(apart).max(), rel=1e-9)
    assert float(found.ideal_largest) == pytest.approx(np.abs(I).max(), rel=1e-9)
    for residue in range(p):
        assert float(found.classes[residue]) == pytest.approx(np.linalg.norm(apart[d == residue]), rel=1e-9)
        assert float(found.ideal_classes[residue]) == pytest.approx(np.linalg.norm(I[d == residue]), rel=1e-9)
    spectrum, own = np.fft.fft(apart, axis=-1), np.fft.fft(I, axis=-1)
    for j, frequency in enumerate(k):
        # Parseval over c: both signs of a frequency
        both = np.sqrt(2 / p)
        assert float(found.frequencies[j]) == pytest.approx(both * np.linalg.norm(spectrum[..., frequency]), rel=1e-9)
        assert float(found.ideal_frequencies[j]) == pytest.approx(both * np.linalg.norm(own[..., frequency]), rel=1e-9)


def test_a_radius_of_the_tables_counts():
    from dataclasses import replace

    circuit = ql.construct(p=7, frequencies=(2,), neurons=9, noise=0.1)
    vague = replace(circuit, radius={"A": 1e-3, "B": 0.0, "U": 1e-3})
    numbers = numbers_of(ql.fit(circuit))
    with flint.ctx.workprec(PRECISION):
        sharp, wide = (true_distances(ball_network(one), [numbers])[0] for one in (circuit, vague))
    for A, U in np.random.default_rng(0).uniform(-1e-3, 1e-3, (20, 2)):
        moved = ql.Circuit(p=7, A=circuit.A + A, B=circuit.B, U=circuit.U + U * np.sign(circuit.U), activation="relu")
        with flint.ctx.workprec(PRECISION):
            (found,) = true_distances(ball_network(moved), [numbers])
        assert found.whole <= wide.whole
        assert found.largest <= wide.largest
    assert sharp.whole < wide.whole


def test_what_is_too_large_or_has_no_such_ideal_is_refused():
    big = ql.construct(p=199, frequencies=(2,), neurons=512)
    with pytest.raises(CertificateError, match="runs all inputs"):
        true_distances(ball_network(big), [])
    with pytest.raises(CertificateError, match="one kink"):
        true_distances(ball_network(ql.construct(p=7, frequencies=(2,), neurons=8, activation="gelu")), [])


@pytest.fixture(scope="module")
def proved() -> tuple[ql.Circuit, ql.Certificate]:
    circuit = ql.construct(p=13, frequencies=(2, 5), neurons=40, noise=0.05)
    return circuit, ql.certify(circuit, "mlp")


def plain(value):
    """The record as lists and dicts that can be changed."""
    if hasattr(value, "items"):
        return {key: plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, tuple | list) else value


def forged(certificate: ql.Certificate, change) -> ql.Certificate:
    from dataclasses import replace

    ideals, frequencies = plain(certificate.ideals), plain(certificate.frequencies)
    change(ideals)
    for own, one in zip(frequencies, ideals[0]["frequencies"], strict=False):
        own |= one
    return replace(certificate, ideals=tuple(ideals), frequencies=tuple(frequencies[: len(ideals[0]["frequencies"])]))


def test_what_is_proved_is_accepted_through_the_file_too(proved, tmp_path):
    from quadlens.certificates.record.file import write_certificate

    circuit, certificate = proved
    result = ql.check(certificate, circuit)
    assert result.reasons == ()
    assert "ideals" in result.checked
    assert {"ideals.terms", "frequencies.arcs_bound", "prover.cell", "method"} <= set(result.unchecked)
    write_certificate(certificate, tmp_path / "mlp.json")
    assert ql.check(tmp_path / "mlp.json", circuit).accepted


def test_another_network_is_refused(proved):
    _, certificate = proved
    other = ql.construct(p=13, frequencies=(2, 5), neurons=40, noise=0.05, seed=1)
    assert not ql.check(certificate, other).accepted


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("what", ["relative_error_bound", "sup_error_bound", "classes", "frequencies"])
def test_a_bound_below_the_truth_is_refused(proved, number, what):
    circuit, certificate = proved

    def lower(ideals):
        entry = ideals[number]
        if what == "classes":
            entry["classes"][4] *= 0.3
        elif what == "frequencies":
            entry["frequencies"][1]["bound"] *= 0.5
        else:
            entry[what] *= 0.3

    reasons = ql.check(forged(certificate, lower), circuit).reasons
    assert len(reasons) == 1
    assert "is not proved" in reasons[0]
    assert certificate.ideals[number]["name"] in reasons[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda ideals: ideals[0].update(relative_error_measured=ideals[0]["relative_error_measured"] + 1e-5),
        lambda ideals: ideals[0]["frequencies"][0].update(measured=0.0),
        lambda ideals: ideals[0].update(inputs_measured=13 * 12),  # a sample is not held against the truth
        lambda ideals: ideals[0].update(inputs_measured=1),
        lambda ideals: ideals.pop(),
        lambda ideals: ideals.reverse(),
        lambda ideals: ideals[0].update(ideals[1] | {"name": "pure integral"}),
        lambda ideals: ideals[1].update(name="refined integral of all"),
        lambda ideals: ideals[1]["numbers"][0].update(kappa=0.1),
        lambda ideals: ideals[1]["numbers"][0].update(e_A=[1.0, 0.1]),
        lambda ideals: ideals[0]["numbers"][0].update(weight=2 * ideals[0]["numbers"][0]["weight"]),
        lambda ideals: ideals[0]["numbers"][0].update(frequency=1),
        lambda ideals: ideals[0]["numbers"].pop(),
        lambda ideals: ideals[0]["frequencies"].pop(),
        lambda ideals: ideals[1]["frequencies"].clear(),
    ],
)
def test_a_forged_ideal_or_measurement_is_refused(proved, change):
    from quadlens.errors import QuadlensError

    circuit, certificate = proved
    try:
        certificate = forged(certificate, change)
    except QuadlensError:
        return  # the record itself says no
    assert not ql.check(certificate, circuit).accepted


def test_a_plan_that_is_none_is_refused(proved):
    from dataclasses import replace

    circuit, certificate = proved
    for prover in ({}, {**certificate.prover, "head": 1}, {**certificate.prover, "harmonics": -1}):
        assert not ql.check(replace(certificate, prover=prover), circuit).accepted


@pytest.mark.parametrize("activation", ["relu", "abs"])
def test_every_true_certificate_of_small_circuits_is_accepted(activation):
    for seed in range(3):
        circuit = ql.construct(
            p=11 + seed, frequencies=(2, 3), neurons=16, noise=0.2, seed=seed, activation=activation
        )
        assert ql.check(ql.certify(circuit, "mlp"), circuit).reasons == ()


def test_a_frequency_at_which_the_ideal_is_nothing_needs_no_bound():
    """Neurons that are always on integrate to nothing: none is given there, and none is asked for."""
    made = ql.construct(p=7, frequencies=(1, 2), neurons=16, sigma=0.0)
    lifted = np.where(ql.fit(made).frequency == 2, 10.0, 0.0)
    circuit = ql.Circuit(p=7, A=made.A, B=made.B + lifted, U=made.U)
    certificate = ql.certify(circuit, "mlp")
    refined, pure = certificate.ideals
    assert [len(one["numbers"]) for one in (refined, pure)] == [2, 2]
    assert [one["frequency"] for one in refined["frequencies"]] == [1]
    assert [one["frequency"] for one in pure["frequencies"]] == [1, 2]
    assert ql.check(certificate, circuit).reasons == ()
