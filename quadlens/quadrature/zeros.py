r"""The zeros of trigonometric polynomials, batched, with a bound that proves the signs between them.

``H(θ) = Re Σ_{j=0}^{D} c_j e^{ijθ}`` has at most 2D zeros on the circle. With θ₀ a place where |H| is (nearly) largest
and ``θ = θ₀ - π + 2 arctan t``,

    q(t) = (1 + t²)^D H = Re Σ_j c_j e^{ij(θ₀-π)} (1 + it)^{D+j} (1 - it)^{D-j}

is a *real* polynomial of degree 2D whose leading coefficient is H(θ₀), never small: the zeros of H are the real roots
of q, whatever the size of c_D. They are eigenvalues of its companion matrix, which for a real matrix are real or come
in exactly conjugate pairs.

**What is proved.** The product of the real factors belonging to the computed roots is a trigonometric polynomial H̃
with exactly the zeros and signs returned (a conjugate pair gives a factor that does not change sign). Comparing its
coefficients with those of H, ``|H(θ) - H̃(θ)| ≤ residual`` for every θ. So wherever a returned sign is not the sign of
H(θ), ``|H(θ)| ≤ residual``: no root's accuracy is ever assumed, and double zeros are no exception.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from quadlens.arrays import ComplexArray, FloatArray, IntArray, wrap_angle
from quadlens.quadrature.waveform import checked_coefficients, waveform_values
from quadlens.rounding import UNIT_ROUNDOFF


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveformZeros:
    """Zeros of waveforms ``(...)`` of degree D, and the sign on each arc between them.

    ``zeros (..., 2D)``: ascending in [-π, π), padded at the end with π. ``signs (..., 2D + 1)``: the sign (-1, 0, 1) of
    H on the arcs ``(-π, zeros[0]), (zeros[0], zeros[1]), …, (zeros[-1], π)``; padding arcs are empty and have sign 0; a
    waveform that is zero everywhere has sign 0 and no zeros. ``count (...)``: how many zeros there are (even; a double
    zero may count as 0 or 2). ``residual (...)``: proved: where a sign is wrong, ``|H| ≤ residual``.
    """

    zeros: FloatArray
    signs: IntArray
    count: IntArray
    residual: FloatArray

    @property
    def edges(self) -> FloatArray:
        """The ends ``(..., 2D + 2)`` of the arcs: -π, the zeros, the padding, π. Arc k is ``[edges[k], edges[k +
        1]]``.
        """
        ends = np.full((*self.zeros.shape[:-1], 1), np.pi)
        return np.concatenate([-ends, self.zeros, ends], axis=-1)


def waveform_zeros(coefficients: npt.ArrayLike) -> WaveformZeros:
    r"""Return the zeros of ``H(θ) = Re Σ_j c_j e^{ijθ}`` for coefficients ``(..., D + 1)``, and the signs between them.

    Raises
    ------
    WaveformError
        If a coefficient is not finite.

    Examples
    --------
    >>> found = waveform_zeros([0.0, 1.0])  # cos θ
    >>> found.zeros.round(6).tolist(), found.signs.tolist()
    ([-1.570796, 1.570796], [-1, 1, -1])
    """
    given = checked_coefficients(coefficients)
    shape, degree = given.shape[:-1], given.shape[-1] - 1
    scale = np.abs(given).max(axis=-1)
    # a power of two, so that dividing by it is exact; a waveform that is zero keeps its zeros
    exponent = np.frexp(scale)[1]
    c = np.ldexp(given.real, -exponent[..., None]) + 1j * np.ldexp(given.imag, -exponent[..., None])
    c = c.reshape(-1, degree + 1)
    c[:, 0] = c[:, 0].real

    grid = -np.pi + 2 * np.pi * np.arange(8 * degree + 8) / (8 * degree + 8)
    values = waveform_values(c, grid)
    best = np.abs(values).argmax(axis=-1)
    origin, top = grid[best], np.take_along_axis(values, best[:, None], axis=-1)[:, 0]
    roots = _companion_roots(c, origin, top)

    is_real = roots.imag == 0
    if degree:
        is_real[top == 0] = False
    angles = np.where(is_real, wrap_angle(origin[:, None] - np.pi + 2 * np.arctan(roots.real)), np.pi)
    zeros = np.sort(angles, axis=-1)
    count = is_real.sum(axis=-1)
    before_origin = (is_real & (angles < origin[:, None])).sum(axis=-1)
    arc = np.arange(2 * degree + 1)
    signs = np.sign(top)[:, None].astype(np.int64) * (-1) ** ((before_origin[:, None] + arc) % 2)
    signs = np.where(arc <= count[:, None], signs, 0)
    residual = _residual(c, zeros, count, signs[:, 0], roots, is_real, origin)
    return WaveformZeros(
        zeros=zeros.reshape(*shape, 2 * degree),
        signs=signs.reshape(*shape, 2 * degree + 1),
        count=count.reshape(shape).astype(np.int64),
        residual=np.nextafter(np.ldexp(residual.reshape(shape), exponent), np.inf),
    )


def _companion_roots(c: ComplexArray, origin: FloatArray, top: FloatArray) -> ComplexArray:
    """Return the 2D roots t of q for each of the waveforms ``(n, D + 1)``."""
    n, degree = c.shape[0], c.shape[1] - 1
    if degree == 0:
        return np.empty((n, 0), dtype=np.complex128)
    turned = c * np.exp(1j * np.arange(degree + 1) * (origin[:, None] - np.pi))
    q = (turned @ _half_angle_basis(degree)).real
    lead = np.where(top == 0, 1.0, q[:, -1])
    companion = np.zeros((n, 2 * degree, 2 * degree))
    companion[:, np.arange(1, 2 * degree), np.arange(2 * degree - 1)] = 1.0
    companion[:, :, -1] = -q[:, :-1] / lead[:, None]
    return np.linalg.eigvals(companion).astype(np.complex128)


@lru_cache(maxsize=64)
def _half_angle_basis(degree: int) -> ComplexArray:
    """Return ``(D + 1, 2D + 1)``: row j holds the coefficients of ``(1 + it)^{D+j} (1 - it)^{D-j}``, by ascending
    powers of t.
    """
    rows = []
    for j in range(degree + 1):
        row = np.ones(1, dtype=np.complex128)
        for factor in [[1, 1j]] * (degree + j) + [[1, -1j]] * (degree - j):
            row = np.convolve(row, factor)
        rows.append(row)
    basis = np.array(rows)
    basis.flags.writeable = False  # shared by every later call
    return basis


def _residual(
    c: ComplexArray,
    zeros: FloatArray,
    count: IntArray,
    first_sign: IntArray,
    roots: ComplexArray,
    is_real: npt.NDArray[np.bool_],
    origin: FloatArray,
) -> FloatArray:
    """Bound ``sup |H - H̃|``, H̃ the best multiple (of the right sign) of the product of the factors of the computed
    roots.
    """
    n, degree = c.shape[0], c.shape[1] - 1
    # the full two-sided coefficients of H: h_0 = c_0, h_j = c_j / 2, h_{-j} = conj h_j
    h = np.concatenate([c[:, :0:-1].conj() / 2, c[:, :1], c[:, 1:] / 2], axis=1)
    product = np.ones((n, 1), dtype=np.complex128)
    # complex roots last, conjugates side by side, so that pairs 2l, 2l + 1 are complex exactly where 2l >= count
    order = np.lexsort((roots.imag, np.abs(roots.imag), roots.real, ~is_real))
    ordered = np.take_along_axis(roots, order, axis=1)
    for pair in range(degree):
        first, second = zeros[:, 2 * pair], zeros[:, 2 * pair + 1]
        # 2 sin((θ - θ₁)/2) sin((θ - θ₂)/2) = cos((θ₁ - θ₂)/2) - cos(θ - (θ₁ + θ₂)/2)
        level, wave = np.cos((first - second) / 2), np.exp(-0.5j * (first + second))
        # |t - t₁|² = t² - 2ut + |t₁|² over 1 + t², t = tan(α/2), α = θ - θ₀ + π; never negative
        t = ordered[:, 2 * pair]
        size = np.abs(t) ** 2
        unit = 1 + size
        c_level, c_wave = np.ones(n), ((1 - size) / unit - 2j * (t.real / unit)) * np.exp(1j * (np.pi - origin))
        c_level = np.maximum(c_level, np.abs(c_wave) * (1 + 4 * UNIT_ROUNDOFF))
        paired = 2 * pair < count
        level, wave = np.where(paired, level, c_level), np.where(paired, wave, c_wave)
        widened = np.zeros((n, product.shape[1] + 2), dtype=np.complex128)
        widened[:, 1:-1] += level[:, None] * product
        widened[:, 2:] -= 0.5 * wave[:, None] * product
        widened[:, :-2] -= 0.5 * wave.conj()[:, None] * product
        product = widened
    energy = (np.abs(product) ** 2).sum(axis=1)
    multiple = (h * product.conj()).sum(axis=1).real / np.where(energy == 0, 1.0, energy)
    # the product is positive before its first zero; with a multiple of the wrong sign the honest choice is H̃ = 0
    multiple = np.where(np.sign(multiple) == first_sign, multiple, 0.0)
    difference = np.abs(h - multiple[:, None] * product).sum(axis=1)
    # Rounding: a factor's three coefficients are off by at most 16u each (sum, cosine or exponential of an angle below
    # 2π); they add up to at most 2 in modulus, so D products are off by at most 24(D + 1)u 2^D, times the multiple; the
    # sums over 2D + 1 terms add (2D + 4)u.
    slack = 24 * (degree + 1) * 2.0**degree * np.abs(multiple) + (8 * degree + 16) * np.abs(h).sum(axis=1)
    return np.asarray((difference + slack * UNIT_ROUNDOFF) * (1 + 64 * (degree + 1) * UNIT_ROUNDOFF))
