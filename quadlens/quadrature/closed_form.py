r"""Harmonics of ``act(H(θ))`` in closed form: the ideal integrals of the infinite-width lens.

For a waveform ``H(θ) = Re Σ_{j=0}^{D} c_j e^{ijθ} = Σ_{|j|≤D} h_j e^{ijθ}``,

    ĥ_m = (1/2π) ∫_{-π}^{π} act(H(θ)) e^{-imθ} dθ.

*Piecewise linear* (ReLU, |x|). Between the zeros of H the integrand is a trigonometric polynomial. With g(θ) the gate
(1 or 0) or the sign,

    ĥ_m = Σ_j h_j ĝ_{m-j},   ĝ_n = (1/2π) Σ_arcs g ∫_arc e^{-inθ} dθ = Σ_arcs g (L/2π) e^{-inθ̄} sinc(nL/2),

θ̄ and L the middle and the length of an arc, ``sinc x = sin x / x``: no difference of nearly equal numbers, even for
short arcs. A zero that is off by ε changes the integral by O(ε²), because the integrand vanishes there; the residual of
`waveform_zeros` makes this a bound.

*Square*. ``ĥ_m = Σ_j h_j h_{m-j}``, exact.

*Other activations*. The trapezoid rule, doubled until it no longer moves: exponentially accurate for analytic
integrands.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from quadlens.activations import activation_named
from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.errors import PrecisionError, WaveformError
from quadlens.quadrature.waveform import checked_coefficients, waveform_values
from quadlens.quadrature.zeros import waveform_zeros
from quadlens.rounding import UNIT_ROUNDOFF

# Relative to the largest |act(H)|: some tens of roundings of one FFT, and what "no longer moves" means.
TRAPEZOID_TOLERANCE = 2.0**-46
LARGEST_TRAPEZOID = 2**17


def checked_harmonics(harmonics: Sequence[int] | npt.NDArray[np.integer]) -> IntArray:
    """Return the harmonics as a vector of integers, refused otherwise."""
    m = np.asarray(harmonics)
    if m.ndim != 1 or (m.size and not np.issubdtype(m.dtype, np.integer)):
        raise WaveformError(f"harmonics must be a sequence of integers; got shape {m.shape} and type {m.dtype}")
    if m.size and int(m.max()) > np.iinfo(np.int64).max:
        raise WaveformError(f"harmonics must be below 2^63; got {int(m.max())}")
    return m.astype(np.int64)


def waveform_harmonics(
    coefficients: npt.ArrayLike, harmonics: Sequence[int] | npt.NDArray[np.integer], activation: str = "relu"
) -> ComplexArray:
    r"""Return ``ĥ_m = (1/2π) ∫ act(H(θ)) e^{-imθ} dθ`` for every waveform and every m in ``harmonics``.

    Parameters
    ----------
    coefficients : array, shape (..., D + 1), complex
        ``H(θ) = Re Σ_j c_j e^{ijθ}``, any degree D ≥ 0.
    harmonics : sequence of int
        Any integers; ``ĥ_{-m} = conj ĥ_m``.
    activation : str
        A name in `quadlens.activations.ACTIVATIONS`.

    Returns
    -------
    ndarray, shape (..., len(harmonics)), complex

    Raises
    ------
    WaveformError
        If a coefficient is not finite or a harmonic is not an integer.
    PrecisionError
        If the trapezoid rule (activations without a closed form) has not settled at the largest number of points.

    Examples
    --------
    The pizza's second harmonic, ``(1/2π) ∫ ReLU(cos θ) e^{-2iθ} dθ = 1/(3π)``:

    >>> waveform_harmonics([0, 1], [2]).real.round(12).tolist() == [round(1 / (3 * np.pi), 12)]
    True
    """
    c, m = checked_coefficients(coefficients), checked_harmonics(harmonics)
    act = activation_named(activation)
    if act.name in ("relu", "abs"):
        return _piecewise_linear(c, m, negative=0 if act.name == "relu" else -1)
    if act.name == "square":
        h = two_sided(c)
        with np.errstate(over="ignore", invalid="ignore"):
            squared = _convolved(h, [_coefficient(h, m - j) for j in _orders(h)])
        if not np.isfinite(squared).all():
            raise WaveformError("the square of a waveform is not finite; give smaller coefficients")
        return squared
    return _trapezoid(c, m, act.apply)


def harmonics_rounding(
    coefficients: npt.ArrayLike, harmonics: Sequence[int] | npt.NDArray[np.integer]
) -> FloatArray:
    r"""Bound ``|computed ĥ_m - ĥ_m|`` for ReLU and \|x\|: proved, shape ``(..., len(harmonics))``.

    The gate is wrong only where ``|H| ≤ residual`` (`waveform_zeros`), which costs at most 2 residual; with the
    computed ends of the arcs taken as they are, ``ĝ_n`` is off by at most ``(64 + 4D + 16|n|) u`` (sinc and exponential
    of ``nθ``, arcs that add up to one circle, π itself rounded), and D + 1 more roundings come from ``Σ_j h_j
    ĝ_{m-j}``.
    """
    c, m = checked_coefficients(coefficients), checked_harmonics(harmonics)
    degree = c.shape[-1] - 1
    per_gate = 64 + 8 * degree + 16 * (np.abs(m) + degree)
    size = np.abs(two_sided(c)).sum(axis=-1)
    bound = 2 * waveform_zeros(c).residual[..., None] + size[..., None] * per_gate * UNIT_ROUNDOFF
    return np.asarray(bound * (1 + 16 * UNIT_ROUNDOFF))


def two_sided(c: ComplexArray) -> ComplexArray:
    """Return ``h_{-D} … h_D`` (shape ``(..., 2D + 1)``) with ``H(θ) = Σ_j h_j e^{ijθ}``."""
    return np.concatenate([c[..., :0:-1].conj() / 2, c[..., :1].real, c[..., 1:] / 2], axis=-1)


def _orders(h: ComplexArray) -> range:
    degree = h.shape[-1] // 2
    return range(-degree, degree + 1)


def _coefficient(h: ComplexArray, orders: IntArray) -> ComplexArray:
    """Return ``h_n`` for n in ``orders``, zero outside -D … D."""
    degree = h.shape[-1] // 2
    inside = np.abs(orders) <= degree
    return np.where(inside, h[..., np.where(inside, orders + degree, 0)], 0)


def _convolved(h: ComplexArray, other: list[ComplexArray]) -> ComplexArray:
    """Return ``Σ_j h_j other_j``, ``other_j`` holding the factor of ``h_j`` for every requested harmonic."""
    total = np.zeros_like(other[0])
    for index, factor in enumerate(other):
        total += h[..., index, None] * factor
    return total


def _piecewise_linear(c: ComplexArray, m: IntArray, negative: int) -> ComplexArray:
    """``act(H) = g H`` with g = 1 where H > 0 and g = ``negative`` where H < 0."""
    h = two_sided(c)
    degree = c.shape[-1] - 1
    if not m.size:
        return np.zeros((*c.shape[:-1], 0), dtype=np.complex128)
    found = waveform_zeros(c)
    edges = found.edges
    gate = np.where(found.signs > 0, 1, np.where(found.signs < 0, negative, 0))
    length, middle = np.diff(edges) * gate, (edges[..., 1:] + edges[..., :-1]) / 2
    width = np.diff(edges)
    orders, where = np.unique(m[:, None] - np.arange(-degree, degree + 1), return_inverse=True)
    transform = np.zeros((*c.shape[:-1], orders.size), dtype=np.complex128)
    for arc in range(width.shape[-1]):
        phase = middle[..., arc, None] * orders
        size = length[..., arc, None] / (2 * np.pi) * np.sinc(orders * (width[..., arc, None] / (2 * np.pi)))
        transform += size * np.exp(-1j * phase)
    where = where.reshape(m.size, 2 * degree + 1)
    return _convolved(h, [transform[..., where[:, column]] for column in range(2 * degree + 1)])


def _trapezoid(c: ComplexArray, m: IntArray, act: Callable[[FloatArray], FloatArray]) -> ComplexArray:
    shape, flat = c.shape[:-1], c.reshape(-1, c.shape[-1])
    out = np.zeros((flat.shape[0], m.size), dtype=np.complex128)
    block = 256  # waveforms at a time: bounds the memory at 256 times the largest number of points
    for start in range(0, flat.shape[0], block):
        out[start : start + block] = _settled(flat[start : start + block], m, act)
    return out.reshape(*shape, m.size)


def _settled(c: ComplexArray, m: IntArray, act: Callable[[FloatArray], FloatArray]) -> ComplexArray:
    """Double the points for the waveforms whose harmonics still move, until none does."""
    out = np.zeros((c.shape[0], m.size), dtype=np.complex128)
    if not m.size or not c.shape[0]:
        return out
    points = 1 << int(4 * max(c.shape[-1], int(np.abs(m).max()), 8)).bit_length()
    moving = np.arange(c.shape[0])
    last, _ = _rule(c, m, points, act)
    while True:
        points *= 2
        if points > LARGEST_TRAPEZOID:
            raise PrecisionError(
                f"the trapezoid rule has not settled at {LARGEST_TRAPEZOID} points for {moving.size} waveforms, whose "
                f"largest coefficient is {np.abs(c[moving]).max():.3g}; give smaller amplitudes or lower harmonics"
            )
        fresh, largest = _rule(c[moving], m, points, act)
        done = np.abs(fresh - last).max(axis=-1) <= TRAPEZOID_TOLERANCE * largest
        out[moving[done]] = fresh[done]
        moving, last = moving[~done], fresh[~done]
        if not moving.size:
            return out


def _rule(
    c: ComplexArray, m: IntArray, points: int, act: Callable[[FloatArray], FloatArray]
) -> tuple[ComplexArray, FloatArray]:
    with np.errstate(over="ignore", invalid="ignore"):  # refused below, in words
        values = act(waveform_values(c, 2 * np.pi * np.arange(points) / points))
    if not np.isfinite(values).all():
        raise WaveformError("the activation of a waveform is not finite; give smaller coefficients")
    transform = np.fft.fft(values, axis=-1) / points
    return transform[:, m % points], np.abs(values).max(axis=-1)
