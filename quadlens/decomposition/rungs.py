r"""The ladder's circuits: from the exact MLP to the pure integral, each rung changing one thing.

Rungs 1 to 4 are finite sums over neurons whose outputs are waves at the key frequencies, so their logits are
``Re Σ_k z_k(a, b) e^{iωkc}`` with ``z_k = Σ_{i in k} act(x_i(a, b)) v_i``. Rungs 5 and 6 are integrals,

    z_k(a, b) = e^{-2iωkb} conj(Σ_i u_i (1/2π) ∫ act(r_i H_d(θ)) e^{-2iθ} dθ),     d = a − b,

which is ``W_k e^{-2iωkb} conj(ĥ_2(d))`` for a homogeneous activation of degree 1.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import preactivations
from quadlens.form.amplitude_phase import AmplitudePhaseForm, FrequencyGroup
from quadlens.quadrature.closed_form import waveform_harmonics
from quadlens.quadrature.waveform import group_waveform

RUNGS = (
    "output_residual",
    "preactivation_residual",
    "waveform_spread",
    "phase_mismatch",
    "quadrature",
    "secondary_frequency",
)
"""The terms, in order; each rung is named after the term that it removes from the network."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FiniteRung:
    """A rung that is a sum over neurons: preactivation tables and output waves, ``U[i, c] ≈ Re v_i e^{iωkc}``."""

    A: FloatArray
    B: FloatArray
    v: ComplexArray


def finite_rungs(circuit: Circuit, form: AmplitudePhaseForm) -> tuple[FiniteRung, ...]:
    """Return rungs 1 to 4."""
    v = form.u * np.exp(1j * form.psi)
    A_wave, B_wave = wave_tables(form, form.e_A, form.e_B, form.s_A, form.s_B, form.kappa)
    A_mean, B_mean = wave_tables(form, *_group_means(form))
    return (
        FiniteRung(A=circuit.A, B=circuit.B, v=v),
        FiniteRung(A=A_wave, B=B_wave, v=v),
        FiniteRung(A=A_mean, B=B_mean, v=v),
        FiniteRung(A=A_mean, B=B_mean, v=form.u * np.exp(2j * form.phi)),
    )


def wave_tables(
    form: AmplitudePhaseForm,
    e_A: ComplexArray,
    e_B: ComplexArray,
    s_A: ComplexArray,
    s_B: ComplexArray,
    kappa: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the tables A, B of shape (p, n) that the waves of the form (or their group means) make."""
    residues = np.arange(form.p)[:, None] * form.frequency % form.p
    wave = np.exp(1j * (form.omega * residues + form.phi))
    A = form.r * (e_A * wave + s_A * wave**2).real
    B = form.r * ((e_B * wave + s_B * wave**2).real + kappa)
    return A, B


def _group_means(form: AmplitudePhaseForm) -> tuple[ComplexArray, ComplexArray, ComplexArray, ComplexArray, FloatArray]:
    means = np.empty((5, form.neurons), dtype=np.complex128)
    for group in form.groups:
        means[:, group.members] = np.array([group.e_A, group.e_B, group.s_A, group.s_B, group.kappa])[:, None]
    e_A, e_B, s_A, s_B, kappa = means
    return e_A, e_B, s_A, s_B, kappa.real


def finite_sum(rung: FiniteRung, form: AmplitudePhaseForm, activation: str, rows: slice) -> ComplexArray:
    """Return ``z_k(a, b)`` of a finite rung for the given ``a``, shape (rows, p, frequency)."""
    hidden = activation_named(activation).apply(rung.A[rows, None, :] + rung.B[None, :, :])
    return project(hidden, rung.v, form)


def project(hidden: FloatArray, v: ComplexArray, form: AmplitudePhaseForm) -> ComplexArray:
    """Return ``Σ_{i in k} hidden_i v_i`` for every key frequency, shape (…, frequency)."""
    columns = np.zeros((form.neurons, 2, len(form.groups)))
    for index, group in enumerate(form.groups):
        columns[group.members, 0, index] = v[group.members].real
        columns[group.members, 1, index] = v[group.members].imag
    both = (hidden @ columns.reshape(form.neurons, -1)).reshape(*hidden.shape[:-1], 2, len(form.groups))
    return np.asarray(both[..., 0, :] + 1j * both[..., 1, :])


def exact_hidden(circuit: Circuit, rows: slice) -> FloatArray:
    """Return the activations of the network itself, shape (rows, p, n)."""
    return activation_named(circuit.activation).apply(preactivations(circuit, rows))


def ideal_response(form: AmplitudePhaseForm, group: FrequencyGroup, *, pure: bool = False) -> ComplexArray:
    """Return ``Σ_i u_i (1/2π) ∫ act(r_i H_d(θ)) e^{-2iθ} dθ`` of a group for every ``d``, shape (p,).

    ``pure`` takes the pure pizza limit: s = κ = 0 and e_A = e_B = 1. For ReLU the value is ``W_k ĥ_2(d)``.
    """
    parameters = (1, 1, 0, 0, 0.0) if pure else (group.e_A, group.e_B, group.s_A, group.s_B, group.kappa)
    H = group_waveform(form.p, group.frequency, *parameters)
    r, u = form.r[group.members], form.u[group.members]
    degree = activation_named(form.activation).degree
    if degree is not None:
        return np.asarray(np.sum(u * r**degree) * waveform_harmonics(H, (2,), form.activation)[:, 0])
    total = np.zeros(form.p, dtype=np.complex128)
    for amplitude, out in zip(r, u, strict=True):
        total += out * waveform_harmonics(amplitude * H, (2,), form.activation)[:, 0]
    return total


def ideal_responses(form: AmplitudePhaseForm) -> list[ComplexArray]:
    """Return the responses of every group, the refined and the pure ones, each (frequency, p)."""
    return [np.stack([ideal_response(form, group, pure=pure) for group in form.groups]) for pure in (False, True)]


def ideal_sum(responses: ComplexArray, form: AmplitudePhaseForm, rows: slice) -> ComplexArray:
    """Return ``z_k(a, b) = e^{-2iωkb} conj(response_k(a − b))``, shape (rows, p, frequency).

    ``responses`` has shape (frequency, p).
    """
    p, b = form.p, np.arange(form.p)
    d = (np.arange(p)[rows, None] - b) % p
    k = np.array([group.frequency for group in form.groups])
    rotation = np.exp(-2j * form.omega * (b[:, None] * k % p))
    return np.asarray(np.conj(responses.T[d]) * rotation)


def wave_logits(z: ComplexArray, frequencies: IntArray, p: int) -> FloatArray:
    """Return ``Re Σ_k z_k e^{iωkc}`` for every ``c``, shape (…, p). Sums to zero over ``c``."""
    wave = np.exp(2j * np.pi / p * (frequencies[:, None] * np.arange(p) % p))
    return np.asarray(z.real @ wave.real - z.imag @ wave.imag)


def largest_entries(z: ComplexArray, frequencies: IntArray, p: int) -> FloatArray:
    """Return ``max_c |Re z_k e^{iωkc}|`` for every frequency by itself, shape of z.

    The angles ``ωkc``, with their opposites, are all multiples of 2π/N: N = q or, for odd q, 2q, where q is the order
    of k. The nearest one to a wave's own angle gives the largest entry.
    """
    q = p // np.gcd(frequencies, p)
    step = 2 * np.pi / np.where(q % 2 == 0, q, 2 * q)
    angle = np.angle(z)
    return np.asarray(np.abs(z) * np.cos(angle - step * np.rint(angle / step)))
