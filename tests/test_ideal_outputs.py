"""The extended ideal's outputs for every input: against the formula in 40 digits, with the radius that is proved."""

import mpmath
import numpy as np
import pytest

from quadlens.circuits.bundled import bundled
from quadlens.circuits.circuit import Circuit
from quadlens.decomposition import ideal_outputs, ideal_terms
from quadlens.decomposition.extended_ideal import extended_ideal
from quadlens.decomposition.ideal_outputs import ideal_blocks, waveform_error
from quadlens.decomposition.ideal_terms import FIRST_A, FIRST_B, INTEGRAL, LINEAR_A, PHASES
from tests.planted_networks import every_input, noisy, own_logits, planted


def in_forty_digits(ideal, z, a, b):
    """``Z_z(a, b)`` from the ideal's numbers, term by term, neuron-free: 40 digits."""
    with mpmath.workdps(40):
        omega = 2 * mpmath.pi / ideal.p
        theta = [2 * mpmath.pi * (j + mpmath.mpf(ideal_terms.OFFSET)) / PHASES for j in range(PHASES)]
        H = []
        for w in ideal.waveforms:
            turned = [
                (mpmath.mpc(A) * mpmath.expj(omega * q * a) + mpmath.mpc(B) * mpmath.expj(omega * q * b), multiple)
                for (q, multiple), A, B in zip(w.waves.tolist(), w.A.tolist(), w.B.tolist(), strict=True)
            ]
            H.append([mpmath.fsum((c * mpmath.expj(m * t)).real for c, m in turned) for t in theta])
        total = mpmath.mpc(0)
        for (kind, index, m, q, at), value in zip(ideal.terms.tolist(), ideal.values.tolist(), strict=True):
            if at != z:
                continue
            f = mpmath.mpc(1)
            if kind in (INTEGRAL, FIRST_A, FIRST_B):
                act = abs if kind == INTEGRAL else mpmath.sign
                f = mpmath.fsum(act(h) * mpmath.expj(-m * t) for h, t in zip(H[index], theta, strict=True)) / PHASES
            if kind != INTEGRAL:
                f *= mpmath.expj(omega * q * (a if kind in (LINEAR_A, FIRST_A) else b))
            total += mpmath.mpc(value) * f
        return total


@pytest.mark.parametrize(("p", "scale"), [(13, 1.0), (12, 1e6)])
def test_outputs_are_within_their_radius_of_the_formula(p, scale):
    circuit = noisy(p, 6)
    circuit = Circuit(p=p, A=scale * circuit.A, B=scale * circuit.B, U=circuit.U)
    ideal = extended_ideal(circuit, numbers=200)
    (block,) = ideal_blocks(ideal)
    assert set(ideal.terms[:, 0].tolist()) >= {INTEGRAL, FIRST_A}
    for place, z in enumerate(ideal.frequencies[:2]):
        for a, b in ((0, 0), (1, 5), (p - 1, p - 2)):
            error = abs(mpmath.mpc(complex(block.outputs[place, a, b])) - in_forty_digits(ideal, z, a, b))
            assert error <= block.radius[place]
        assert block.radius[place] < 1e-9 * np.abs(block.outputs[place]).max()


def test_blocks_are_all_inputs_and_what_they_hold_are_the_logits(monkeypatch):
    ideal = extended_ideal(noisy(13, 7))
    monkeypatch.setattr(ideal_outputs, "BLOCK_BYTES", 2**17)
    blocks = list(ideal_blocks(ideal))
    assert len(blocks) > 1
    outputs = np.concatenate([block.outputs for block in blocks], axis=1)
    wave = np.exp(2j * np.pi / 13 * np.outer(ideal.frequencies, np.arange(13)))
    logits = np.einsum("zab,zc->abc", outputs, wave).real
    np.testing.assert_allclose(logits, own_logits(ideal), rtol=0, atol=1e-10)
    assert np.concatenate([np.arange(13)[block.rows] for block in blocks]).tolist() == list(range(13))


def test_a_sign_that_rounding_decides_costs_its_share_of_the_radius(monkeypatch):
    # with the rule's phases at multiples of 2π/N a cosine at 0 has two zeros among them
    monkeypatch.setattr(ideal_terms, "OFFSET", 0.0)
    base = planted(23, 4, {(4, 1): 1.0}, n=120)
    A = base.A + 0.05 * np.random.default_rng(8).normal(size=base.A.shape)
    ideal = extended_ideal(Circuit(p=23, A=A, B=base.B, U=base.U), numbers=100)
    waveform = ideal.waveforms[0]
    assert waveform_error(waveform) < 1e-11
    flat = ideal_outputs.output_radius(ideal, np.zeros(1))
    open_ = ideal_outputs.output_radius(ideal, np.full(1, 2.0))
    first = (ideal.terms[:, 0] == FIRST_A) | (ideal.terms[:, 0] == FIRST_B)
    for place, z in enumerate(ideal.frequencies):
        values = np.abs(ideal.values[first & (ideal.terms[:, 4] == z)]).sum()
        assert open_[place] >= flat[place] + 4 / PHASES * values * (1 - 1e-9)


def test_no_sign_of_a_bundled_ideal_is_decided_by_rounding():
    for block in ideal_blocks(extended_ideal(bundled("p59-seed0"))):
        assert block.radius.max() < 1e-9


def test_no_phase_of_the_rule_is_a_zero_of_a_symmetric_waveform(monkeypatch):
    waveform = extended_ideal(planted(59, 15, {(15, 1): 1.0})).waveforms[0]
    inputs = every_input(59)
    assert ideal_outputs.most_undecided(waveform, *inputs) == 0
    monkeypatch.setattr(ideal_terms, "OFFSET", 0.0)
    assert ideal_outputs.most_undecided(waveform, *inputs) == 2
