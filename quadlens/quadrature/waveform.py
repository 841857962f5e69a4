r"""The waveform of a frequency group: what every neuron of the group sees, up to its own phase.

At fixed ``d = a - b (mod p)`` and with ``θ = ωkb + φ``, ``ω = 2π/p``, a neuron of the group with unit amplitude has
preactivation

    H_d(θ) = Re[(e_A e^{iωkd} + e_B) e^{iθ} + (s_A e^{2iωkd} + s_B) e^{2iθ}] + κ,

a trigonometric polynomial of degree 2. It works for every p, even or odd: no half-angle occurs. Waveforms are arrays
``(..., D + 1)`` of complex coefficients ``c`` with ``H(θ) = Re Σ_{j=0}^{D} c_j e^{ijθ}``.
"""

import numpy as np
import numpy.typing as npt

from quadlens.arrays import ComplexArray, FloatArray
from quadlens.errors import WaveformError


def checked_coefficients(coefficients: npt.ArrayLike) -> ComplexArray:
    """Return the coefficients as a complex array ``(..., D + 1)``, refused where empty or not finite."""
    array = np.asarray(coefficients, dtype=np.complex128)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise WaveformError(f"a waveform needs coefficients c_0 … c_D of shape (..., D + 1); got shape {array.shape}")
    if not np.isfinite(array).all():
        raise WaveformError("a waveform's coefficients must be finite; remove the NaN or infinite ones")
    return array


def waveform_values(coefficients: npt.ArrayLike, theta: npt.ArrayLike) -> FloatArray:
    r"""Return ``H(θ) = Re Σ_j c_j e^{ijθ}``; coefficients ``(..., D + 1)`` and angles ``(..., k)`` (radians) give
    ``(..., k)``.

    >>> waveform_values([0.5, 1.0], [0.0, np.pi]).tolist()
    [1.5, -0.5]
    """
    c = checked_coefficients(coefficients)
    z = np.exp(1j * np.asarray(theta, dtype=np.float64))
    value = np.zeros(np.broadcast_shapes((*c.shape[:-1], 1), z.shape), dtype=np.complex128)
    for j in reversed(range(c.shape[-1])):
        value = value * z + c[..., j, None]
    return np.ascontiguousarray(value.real)


def waveform_slopes(coefficients: npt.ArrayLike, theta: npt.ArrayLike) -> FloatArray:
    r"""Return ``H'(θ) = Re Σ_j i j c_j e^{ijθ}``, shapes as in `waveform_values`."""
    c = checked_coefficients(coefficients)
    return waveform_values(1j * np.arange(c.shape[-1]) * c, theta)


def group_waveform(
    p: int, frequency: int, e_A: complex, e_B: complex, s_A: complex, s_B: complex, kappa: float
) -> ComplexArray:
    r"""Return the coefficients ``(p, 3)`` of ``H_d`` for ``d = 0 … p - 1``.

    ``c_0 = κ``, ``c_1 = e_A e^{iωkd} + e_B``, ``c_2 = s_A e^{2iωkd} + s_B`` with ``ω = 2π/p``.

    Raises
    ------
    WaveformError
        If p is below 3 or a parameter is not finite.
    """
    if p < 3:
        raise WaveformError(f"p must be at least 3; got {p}")
    # the residue is reduced before the angle is formed, so that the angle is right to rounding for every k and p
    angle = 2 * np.pi * (frequency * np.arange(p, dtype=np.int64) % p) / p
    turn = np.exp(1j * angle)
    c = np.empty((p, 3), dtype=np.complex128)
    c[:, 0] = kappa
    c[:, 1] = e_A * turn + e_B
    c[:, 2] = s_A * turn**2 + s_B
    return checked_coefficients(c)
