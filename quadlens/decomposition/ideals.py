r"""What the MLP is compared with: integrals over phases, as exact functions of their numbers, and their norms.

An ideal gives ``I(a, b, c) = Re Σ_z I_z(a, b) e^{iωzc}``. Of the fitted integrals

    I_k(a, b) = w_k e^{−2iωkb} conj(ĥ_2(a − b)),        ĥ_m(d) = (1/2π) ∫ h(H_d(θ)) e^{−imθ} dθ

(``quadlens.quadrature.waveform`` has H_d); ``pure`` has e_A = e_B = 1, s = κ = 0. Over all inputs and logits

    ‖I‖² = Σ_z λ_z Σ_{a,b} |I_z|² = (p²/2) Σ_k Σ_d |w_k ĥ_2(d)|²        λ_z = p/2, but p and Re I_z where 2z = p
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.decomposition.ideal_outputs import BLOCK_BYTES, IdealBlock
from quadlens.errors import CircuitError
from quadlens.form.amplitude_phase import AmplitudePhaseForm
from quadlens.quadrature.closed_form import harmonics_rounding, waveform_harmonics
from quadlens.quadrature.waveform import group_waveform
from quadlens.rounding import UNIT_ROUNDOFF, gamma, up


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ideal:
    """An ideal and its norms.

    ``frequencies`` are those of its outputs; ``blocks`` yields its outputs for all inputs, with a proved radius.
    ``norm`` and ``largest`` are lower bounds of ``‖I‖`` and of the largest ``|I(a, b, c)|``. ``numbers`` says which
    ideal it is, as JSON values; None where they are not stored.
    """

    name: str
    p: int
    frequencies: tuple[int, ...]
    blocks: Callable[[], Iterator[IdealBlock]]
    norm: float
    largest: float
    numbers: tuple[dict[str, Any], ...] | None = None


def output_weights(p: int, frequencies: Sequence[int] | IntArray) -> FloatArray:
    """Return ``λ_z``: what ``|I_z|²`` counts in ``Σ_c I²``, p/2, and p where 2z = p (of the real part)."""
    return np.where(2 * np.asarray(frequencies) == p, float(p), p / 2)


def real_at_half(p: int, frequencies: tuple[int, ...], outputs: ComplexArray) -> ComplexArray:
    """Return outputs ``(z, …)`` without the imaginary part that has no logit, at 2z = p."""
    half = np.array(frequencies) * 2 == p
    return np.where(half.reshape(-1, *(1,) * (outputs.ndim - 1)), outputs.real, outputs)


def integral_ideal(form: AmplitudePhaseForm, *, pure: bool = False) -> Ideal:
    """Return the integrals of the main groups of a form, refined or pure.

    Raises
    ------
    CircuitError
        If the activation is not homogeneous, or no group has any weight: then there is no ideal of this form.
    """
    if activation_named(form.activation).degree != 1 or activation_named(form.activation).slope_below is None:
        raise CircuitError(f"these integrals are bounded for one kink (ReLU, |x|); the network has {form.activation}")
    groups = [group for group in form.main_groups if group.weight > 0]
    if not groups:
        raise CircuitError("no frequency carries a wave from input to output, so there is no integral to compare with")
    p, numbers, responses, radius = form.p, [], [], []
    for group in groups:
        e_A, e_B, s_A, s_B, kappa = (
            (1 + 0j, 1 + 0j, 0j, 0j, 0.0) if pure else (group.e_A, group.e_B, group.s_A, group.s_B, group.kappa)
        )
        weight = float(np.sum(form.u[group.members] * form.r[group.members]))
        pairs = {"e_A": e_A, "e_B": e_B, "s_A": s_A, "s_B": s_B}
        numbers.append(
            {
                "frequency": group.frequency,
                "weight": weight,
                **{name: [float(np.real(value)), float(np.imag(value))] for name, value in pairs.items()},
                "kappa": float(kappa),
            }
        )
        response, off = _response(p, numbers[-1], form.activation)
        responses.append(response)
        radius.append(off)
    keys = tuple(group.frequency for group in groups)
    order = np.argsort(keys)
    keys = tuple(int(keys[j]) for j in order)
    Z, far = np.stack([responses[j] for j in order]), np.array([radius[j] for j in order])
    norm, largest = _norms(p, keys, Z, far)
    return Ideal(
        name="pure integral" if pure else "refined integral",
        p=p,
        frequencies=keys,
        blocks=lambda: _blocks(p, keys, Z, far),
        norm=norm,
        largest=largest,
        numbers=tuple(numbers[j] for j in order),
    )


def _response(p: int, numbers: dict[str, Any], activation: str) -> tuple[ComplexArray, float]:
    """Return ``w ĥ_2(d)`` for every d, and how far it may be off: h is 1-Lipschitz, coefficients have few roundings."""
    e_A, e_B, s_A, s_B = (complex(*numbers[name]) for name in ("e_A", "e_B", "s_A", "s_B"))
    weight, kappa = numbers["weight"], numbers["kappa"]
    H = group_waveform(p, numbers["frequency"], e_A, e_B, s_A, s_B, kappa)
    size = abs(e_A) + abs(e_B) + abs(s_A) + abs(s_B) + abs(kappa)
    off = float(harmonics_rounding(H, [2]).max()) + 256 * UNIT_ROUNDOFF * size
    response = weight * waveform_harmonics(H, (2,), activation)[:, 0]
    return response, float(up(np.asarray(abs(weight) * off), 64))


def _blocks(p: int, keys: tuple[int, ...], Z: ComplexArray, radius: FloatArray) -> Iterator[IdealBlock]:
    b, k = np.arange(p), np.array(keys)
    turn = np.exp(-2j * np.pi / p * (2 * np.outer(k, b) % p))
    # of the root of unity and of the product
    off = up(radius + 128 * UNIT_ROUNDOFF * np.abs(Z).max(axis=1), 16)
    step = max(1, BLOCK_BYTES // (32 * p * len(keys)))
    for start in range(0, p, step):
        rows = slice(start, min(start + step, p))
        d: IntArray = (np.arange(p)[rows, None] - b) % p
        yield IdealBlock(rows=rows, outputs=np.conj(Z[:, d]) * turn[:, None, :], radius=off)


def _norms(p: int, keys: tuple[int, ...], Z: ComplexArray, radius: FloatArray) -> tuple[float, float]:
    """Return lower bounds of the norm and of the largest logit, which depends on d and ``c − 2b`` alone."""
    weights = output_weights(p, keys)
    # at 2k = p, e^{−2iωkb} = 1
    sized = real_at_half(p, keys, Z)
    square = p * float(weights @ (np.abs(sized) ** 2).sum(axis=1))
    off = p * float(np.sqrt(weights @ radius**2))
    norm = np.sqrt(square) * (1 - 4 * gamma(p + 64)) - off * (1 + 1e-12)
    wave = np.exp(2j * np.pi / p * (np.outer(np.array(keys), np.arange(p)) % p))
    logits = np.abs((np.conj(Z).T @ wave).real).max()
    largest = logits - float(radius.sum()) - 256 * gamma(len(keys) + 64) * float(np.abs(Z).max(axis=1).sum())
    return max(0.0, float(norm) * (1 - 1e-15)), max(0.0, float(largest) * (1 - 1e-15))
