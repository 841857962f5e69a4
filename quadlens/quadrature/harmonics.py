r"""The error of the trained rule in harmonic form: exact, and with the harmonic that is to blame.

For a waveform H with ``act(H(θ)) = Σ_m ĥ_m e^{imθ}`` and a group's nodes φ_i, output phases ψ_i and weights ``Σ w_i =
2π``,

    Σ_i w_i act(H(θ + φ_i)) e^{iψ_i} = Σ_m ĥ_m e^{imθ} T_m,     T_m = Σ_i w_i e^{i(mφ_i + ψ_i)}.

The integral is the term m = -2 with T_{-2} = 2π (ψ = 2φ and even phases); everything else is error, *exactly*:

    error(θ) = Σ_{m≠-2} ĥ_m T_m e^{imθ} + ĥ_{-2} (T_{-2} - 2π) e^{-2iθ},

at most the sum of the moduli. Terms with ``|m| ≤ M`` are computed; the rest is at most ``2π Σ_{|m|>M} |ĥ_m|``. Three
integrations by parts between the kinks of ReLU(H) give ``2π |ĥ_m| ≤ K/m² + V/|m|³`` with K the sum of the slopes |H'|
at the zeros and V the total variation of the second derivative between and at them; with ``Σ_{m>M} m^{-2} < 1/M`` and
``Σ_{m>M} m^{-3} < 1/(2M²)`` the tail is at most ``2K/M + V/M²``. Because zeros are only computed, this is done for the
H̃ of `waveform_zeros`, whose zeros they are exactly; the two functions differ by at most its residual.

For the pure pizza waveform (H = cos) the tail has a closed form: ``|ĥ_m| = 1/(π(m² - 1))`` for even m, 0 for odd ``|m|
≥ 3``, so it is ``2/(m₁ - 1)`` with m₁ the first even number above M.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.errors import OptionError
from quadlens.quadrature.closed_form import harmonics_rounding, waveform_harmonics
from quadlens.quadrature.rectangles import checked_nodes
from quadlens.quadrature.waveform import checked_coefficients, waveform_slopes
from quadlens.quadrature.zeros import waveform_zeros
from quadlens.rounding import UNIT_ROUNDOFF, gamma

TARGET_HARMONIC = -2


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmonicError:
    """The error of a group's rule for each of the waveforms ``(...)``, weights scaled to ``Σ w_i = 2π``.

    ``orders (2M + 1,)``: m from -M to M. ``terms (..., 2M + 1)``: complex, the error is ``Σ_m terms_m e^{imθ}`` plus a
    tail. ``bound (...)``: proved, ``sup_θ |error|``, rounded up. ``tail (...)``: its part from ``|m| > M``. ``target
    (...)``: the integral's amplitude ``2π |ĥ_2|``. ``blame (...)``: the order m with the largest term.
    """

    orders: IntArray
    terms: ComplexArray
    bound: FloatArray
    tail: FloatArray
    target: FloatArray
    blame: IntArray

    def blamed_sum(self) -> str:
        """Name the exponential sum behind the largest term of the worst waveform, in words."""
        worst = int(np.argmax(self.bound))
        order = int(self.blame.ravel()[worst])
        if order == TARGET_HARMONIC:
            return "Σ w_i e^{i(ψ_i - 2φ_i)} differs from Σ w_i: output phases are not locked at twice the input phases"
        return f"Σ w_i e^{{i(ψ_i {order:+d}φ_i)}} should vanish: with ψ = 2φ it measures unevenness at {order + 2}φ"


def exponential_sums(
    phases: npt.ArrayLike, output_phases: npt.ArrayLike, weights: npt.ArrayLike, highest: int
) -> tuple[IntArray, ComplexArray, float]:
    r"""Return the orders ``m = -M … M``, ``T_m = Σ_i w_i e^{i(mφ_i + ψ_i)}`` and a proved bound on the error of each.
    O(nM).

    Weights are scaled to ``Σ w_i = 2π``; phases are radians in [-π, π].
    """
    if highest < 2:
        raise OptionError(f"the highest harmonic must be at least 2, the target's; got {highest}")
    phi, w = checked_nodes(phases, weights)
    psi, _ = checked_nodes(output_phases, weights)
    orders = np.arange(-highest, highest + 1)
    sums = np.exp(1j * (np.outer(orders, phi) + psi)) @ w
    # mφ + ψ is rounded twice, at a size below (M + 1)π; then products, scaling and a sum of n terms
    rounding = 2 * np.pi * (2 * gamma(2 * phi.size + 32) + 8 * (highest + 2) * UNIT_ROUNDOFF)
    return orders, np.asarray(sums), rounding


def harmonic_error(
    coefficients: npt.ArrayLike,
    phases: npt.ArrayLike,
    output_phases: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    highest: int = 256,
) -> HarmonicError:
    """Return the exact harmonic form of ``Σ_i w_i ReLU(H(θ + φ_i)) e^{iψ_i}`` minus its integral, and its bound.

    Parameters
    ----------
    coefficients : array, shape (..., D + 1)
        Waveforms, such as ``[0, 1]`` (the pizza) or `group_waveform` for every d.
    phases, output_phases, weights : array, shape (n,)
        φ_i, ψ_i (radians in [-π, π]) and w_i, scaled to ``Σ w_i = 2π``.
    highest : int
        M, the last harmonic that is computed.
    """
    c = checked_coefficients(coefficients)
    orders, sums, sum_rounding = exponential_sums(phases, output_phases, weights, highest)
    sums = sums - 2 * np.pi * (orders == TARGET_HARMONIC)
    h, h_rounding = waveform_harmonics(c, orders), harmonics_rounding(c, orders)
    terms = h * sums
    moduli = (np.abs(h) + h_rounding) * (np.abs(sums) + sum_rounding)
    tail = _tail(c, highest)
    bound = (moduli.sum(axis=-1) + tail) * (1 + 2 * gamma(orders.size + 32))
    return HarmonicError(
        orders=orders,
        terms=terms,
        bound=bound,
        tail=tail,
        target=2 * np.pi * np.abs(h[..., highest + TARGET_HARMONIC]),
        blame=orders[np.abs(terms).argmax(axis=-1)],
    )


def _tail(c: ComplexArray, highest: int) -> FloatArray:
    """Return ``2π Σ_{|m|>M} |ĥ_m|``, rounded up."""
    higher = np.abs(c[..., 2:]).sum(axis=-1) + np.abs(c[..., 0].real)
    pizza = np.abs(c[..., 1]) * 2 / (2 * (highest // 2) + 1) if c.shape[-1] > 1 else np.zeros(c.shape[:-1])
    tail = np.where(higher == 0, pizza, kink_tail(c, highest))
    return np.asarray(tail * (1 + 16 * UNIT_ROUNDOFF))


def kink_tail(coefficients: npt.ArrayLike, highest: int) -> FloatArray:
    """Return ``2K/M + V/M²``, the tail of a waveform of any degree (see the module), plus what replacing H by H̃
    costs.
    """
    c = checked_coefficients(coefficients)
    degree, j = c.shape[-1] - 1, np.arange(c.shape[-1])
    found = waveform_zeros(c)
    real = np.arange(2 * degree) < found.count[..., None]
    slopes = np.where(real, np.abs(waveform_slopes(c, found.zeros)), 0.0) if degree else np.zeros((*c.shape[:-1], 0))
    size = np.abs(c)
    kinks = slopes.sum(axis=-1) + 2 * degree**2 * found.residual
    # second derivatives at the zeros, and the mean modulus of the third one by Cauchy and Schwarz; the coefficients
    # of H̃ are within the residual of those of H
    variation = 2 * degree * ((j**2 * size).sum(axis=-1) + degree**2 * found.residual)
    variation += 2 * np.pi * (np.sqrt(0.5 * (j**6 * size**2).sum(axis=-1)) + degree**3 * found.residual)
    rounding = 64 * (degree + 1) ** 2 * UNIT_ROUNDOFF * (j * size).sum(axis=-1)
    beyond = 2 * (kinks + rounding) / highest + variation / highest**2
    # without zeros ReLU(H̃) is H̃ or 0: no harmonic above the degree
    quiet = (found.count == 0) & (highest >= degree)
    return np.asarray(np.where(quiet, 0.0, beyond) + 4 * np.pi * found.residual)
