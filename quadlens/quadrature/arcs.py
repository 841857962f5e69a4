r"""The error of a frequency's rule by exact arcs: nearly tight, O(n log n) for each waveform.

For a waveform ``H(θ) = Σ_m h_m e^{imθ}`` (``|m| ≤ D``), an activation with one kink, ``act(H) = αH + (1 - α) ReLU(H)``,
and a rule's phases φ_i, output phases ψ_i and weights ``Σ w_i = 2π``, the error at the shift x is

    f(x) = Σ_i w_i act(H(x + φ_i)) e^{iψ_i} - I e^{-2ix},        I = 2π âct(H)_{-2}.

A gate ``1[H(x + φ_i) > 0]`` changes at the kinks ``x = z - φ_i``, z the zeros of H. Between two neighbours of the at
most 2Dn kinks, f is a trigonometric polynomial, whose coefficients are prefix sums over the kinks in order:

    f(x) = Σ_m C_m e^{imx},    C_m = h_m (α Σ_i + (1 - α) Σ_{i active}) w_i e^{i(ψ_i + mφ_i)} - I [m = -2].

On ``|x - x₀| ≤ η``, Taylor's formula and the convexity of a modulus of a linear function give

    |f(x)| ≤ max(|f(x₀) + η f'(x₀)|, |f(x₀) - η f'(x₀)|) + ½ M₂ η²,    M₂ = Σ_m m² |C_m|.

Arcs on which that stands above what is reached anywhere are cut in four, until it does not by more than `SLACK`: the
bound is proved wherever this stops. ψ enters exactly, so there is no mismatch term, and no class d of inputs is left
out: H may be the pure cosine or the curve ``H_d`` of any d (`quadlens.quadrature.waveform.group_waveform`).

**What is proved**, for exactly these float64 numbers (the weights divided by their exact sum). A kink is computed to
within `_ANGLE`; a gate that is wrong at x therefore belongs to a neuron with ``|H(x + φ_i)| ≤ residual + _ANGLE
sup|H'|`` (`quadlens.quadrature.zeros`), and at most 2D + 1 times it is counted wrongly. Everything else is a sum or a
product, with its a-priori bound. It is a statement about the fitted rule of one frequency, not about the MLP.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quadlens.activations import negative_slope
from quadlens.arrays import ComplexArray, FloatArray, IntArray, wrap_angle
from quadlens.quadrature.closed_form import harmonics_rounding, two_sided, waveform_harmonics
from quadlens.quadrature.rectangles import checked_nodes
from quadlens.quadrature.waveform import checked_coefficients
from quadlens.quadrature.zeros import waveform_zeros
from quadlens.rounding import UNIT_ROUNDOFF, gamma, sum_up

SLACK = 2.0**-8
"""Of the largest value reached: how far above it the bound of an arc may stand."""

TARGET = -2
_WIDEST = 2 * np.pi / 32  # of a first arc: its Taylor remainder is small even where no kink is near
_ROUNDS, _MOST = 10, 4096  # of cutting arcs, and arcs that a round may cut beside four for each kink
_ANGLE = 128 * UNIT_ROUNDOFF  # a dozen roundings below 4π: z - φ wrapped, counted from the cut, compared with an end


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcsBound:
    """The error of a rule, for each of the waveforms ``(...)``, weights scaled to ``Σ w_i = 2π``.

    ``bound (...)``: proved, ``sup_x |f(x)|``, rounded up. ``measured (...)``: the largest ``|f(x)|`` found, at middles
    of arcs. ``target (...)``: ``|I|``, the integral's amplitude, rounded down. ``operations``: what it cost.
    """

    bound: FloatArray
    measured: FloatArray
    target: FloatArray
    operations: int

    @property
    def relative(self) -> float:
        """The largest error of all waveforms over the largest amplitude, rounded up; infinite without an amplitude."""
        return _ratio(self.bound.max(), self.target.max())

    @property
    def relative_measured(self) -> float:
        """What was found of it."""
        return _ratio(self.measured.max(), self.target.max())


def _ratio(error: float, amplitude: float) -> float:
    return float(np.nextafter(error / amplitude, np.inf)) if amplitude > 0 else float(np.inf)


def arcs_bound(
    coefficients: npt.ArrayLike,
    phases: npt.ArrayLike,
    output_phases: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    activation: str = "relu",
) -> ArcsBound:
    """Bound ``sup_x |Σ_i w_i act(H(x + φ_i)) e^{iψ_i} - I e^{-2ix}|`` for every waveform, O(n log n) for each.

    Parameters
    ----------
    coefficients : array, shape (..., D + 1)
        Waveforms, such as ``[0, 1]`` (the pizza, with ``I = 2/3`` for ReLU) or `group_waveform` for every d.
    phases, output_phases, weights : array, shape (n,)
        φ_i, ψ_i (radians in [-π, π]) and ``w_i ≥ 0``, scaled to ``Σ w_i = 2π``.
    activation : str
        One with a kink at 0 and slope 1 above it.

    Raises
    ------
    NodeError, WaveformError, OptionError
        For phases and weights, for coefficients, and for an activation that are none.

    Examples
    --------
    >>> phases = np.linspace(-3, 3, 40)
    >>> found = arcs_bound([0, 1], phases, (2 * phases + np.pi) % (2 * np.pi) - np.pi, np.ones(40))
    >>> bool(found.measured <= found.bound <= 1.01 * found.measured)
    True
    """
    alpha = negative_slope(activation)
    c = checked_coefficients(coefficients)
    phi, w = checked_nodes(phases, weights)
    psi, _ = checked_nodes(output_phases, weights)
    # a power of two, so that dividing by it is exact: the error is as large as the waveform
    exponent = np.frexp(np.maximum(np.abs(c.real), np.abs(c.imag)).max(axis=-1))[1]
    scaled = np.ldexp(c.real, -exponent[..., None]) + 1j * np.ldexp(c.imag, -exponent[..., None])
    rows = scaled.reshape(-1, c.shape[-1])
    found = [_one(row, (phi, psi, w), alpha) for row in rows]
    bound, measured, target = (
        np.ldexp(np.array([one[part] for one in found]).reshape(c.shape[:-1]), exponent) for part in range(3)
    )
    return ArcsBound(
        bound=np.nextafter(bound, np.inf),
        measured=measured,
        target=np.maximum(np.nextafter(target, -np.inf), 0.0),
        operations=int(sum(one[3] for one in found)),
    )


def _one(
    c: ComplexArray, rule: tuple[FloatArray, FloatArray, FloatArray], alpha: float
) -> tuple[float, float, float, int]:
    """Return the bound, what was found, the target's amplitude and the operations, for one waveform."""
    h, degree = two_sided(c), c.size - 1
    ideal, radius = _ideal(c, h, alpha)
    orders = np.arange(-degree, degree + 1)
    kept = (h != 0) | (orders == TARGET)
    orders, h = orders[kept], h[kept]
    found = waveform_zeros(c)
    ends, sums = _prefix_sums(rule, orders, alpha, (found.zeros[: found.count], found.signs[: found.count + 1]))
    coefficients = sums * h[:, None]
    if TARGET not in orders:
        orders = np.append(orders, TARGET)
        coefficients = np.concatenate([coefficients, np.zeros((1, coefficients.shape[1]))])
    coefficients[orders == TARGET] -= ideal
    n, kinks = rule[0].size, ends.size - 2
    errors = _errors(orders[: h.size], h, alpha, (float(found.residual), abs(ideal), radius), kinks + 2 * n)
    bound, measured, evaluated = _largest(ends, orders, coefficients, errors)
    sorting = (kinks + n) * max(1, int(np.ceil(np.log2(kinks + n + 1))))
    operations = sorting + 8 * kinks * h.size + evaluated * 24 * orders.size
    return bound, measured, max(0.0, abs(ideal) * (1 - 4 * UNIT_ROUNDOFF) - radius), operations


def _errors(
    orders: IntArray, h: ComplexArray, alpha: float, sizes: tuple[float, float, float], summed: int
) -> dict[str, float]:
    """Return what computed coefficients can be off by in ``|f(x)|``, from the residual of the zeros, ``|I|`` and the
    radius of I (``sizes``), and from how many numbers were summed one after the other.
    """
    residual, ideal, radius = sizes
    degree = int(np.abs(orders).max(initial=0))
    height, slope = float(np.abs(h).sum()), float((np.abs(orders) * np.abs(h)).sum())
    counted = 2 * degree + 1
    return {
        "gates": 2 * np.pi * (1 - alpha) * counted * (residual + slope * _ANGLE),
        # a coefficient's error is also the derivatives': (1 + Dη)² ≤ (1 + D)²
        "sums": (1 + degree) ** 2
        * (2 * np.pi * height * (abs(alpha) + (1 - alpha) * counted) + ideal)
        * (2 * gamma(summed + 64) + (128 + 32 * degree) * UNIT_ROUNDOFF),
        "ideal": radius,
    }


def _ideal(c: ComplexArray, h: ComplexArray, alpha: float) -> tuple[complex, float]:
    """Return I and the radius of a disk around it that holds the true one."""
    degree = c.size - 1
    linear = complex(h[degree + TARGET]) if degree >= -TARGET else 0j
    gated, off = complex(waveform_harmonics(c, [TARGET])[0]), float(harmonics_rounding(c, [TARGET])[0])
    size = abs(alpha) * abs(linear) + (1 - alpha) * abs(gated)
    radius = 2 * np.pi * ((1 - alpha) * off + 16 * UNIT_ROUNDOFF * size)
    return 2 * np.pi * (alpha * linear + (1 - alpha) * gated), radius * (1 + 16 * UNIT_ROUNDOFF)


def _prefix_sums(
    rule: tuple[FloatArray, FloatArray, FloatArray],
    orders: IntArray,
    alpha: float,
    arcs: tuple[FloatArray, IntArray],
) -> tuple[FloatArray, ComplexArray]:
    """Return the ends ``(K + 2,)`` of the arcs between kinks, once round the circle, and on each of them
    ``(α Σ_i + (1 - α) Σ_{i active}) w_i e^{i(ψ_i + mφ_i)}``, shape (orders, K + 1).

    The circle is cut in the middle of the widest arc: a kink computed beyond the cut would be counted on the wrong
    side of it all the way round.
    """
    (phi, psi, w), (zeros, signs) = rule, arcs
    kinks = wrap_angle(zeros[:, None] - phi).ravel()
    jumps = np.repeat(np.sign(np.diff(signs)), phi.size)
    cut = -np.pi
    if kinks.size:
        ring = np.sort(kinks)
        gaps = np.diff(ring, append=ring[0] + 2 * np.pi)
        widest = int(gaps.argmax())
        cut = float(ring[widest] + gaps[widest] / 2)
    kinks = cut + np.remainder(kinks - cut, 2 * np.pi)
    order = np.argsort(kinks, kind="stable")
    open_ = signs[np.searchsorted(zeros, wrap_angle(cut + phi))] > 0
    waves = w * np.exp(1j * (psi + orders[:, None] * phi))
    first = waves @ (alpha + (1 - alpha) * open_)
    steps = ((1 - alpha) * jumps * np.tile(waves, (1, zeros.size)))[:, order]
    ends = np.concatenate([[cut], kinks[order], [cut + 2 * np.pi]])
    return ends, np.cumsum(np.concatenate([first[:, None], steps], axis=1), axis=1)


def _largest(
    ends: FloatArray, orders: IntArray, coefficients: ComplexArray, errors: dict[str, float]
) -> tuple[float, float, int]:
    """Return the bound over all arcs, the largest value at a middle, and how many arcs were looked at."""
    rates = 1j * orders[:, None]
    curvature = (orders[:, None] ** 2 * np.abs(coefficients)).sum(axis=0)
    parts = np.maximum(1, np.ceil(np.diff(ends) / _WIDEST)).astype(np.int64)
    left, right, cell = _cut(ends[:-1], ends[1:], np.arange(parts.size), parts)
    settled, measured, evaluated = 0.0, 0.0, 0
    most = 4 * ends.size + _MOST
    rounding = sum(errors.values())
    for last in (*[False] * _ROUNDS, True):
        middle, half = (left + right) / 2, (right - left) / 2 * (1 + 4 * UNIT_ROUNDOFF) + _ANGLE
        waves = coefficients[:, cell] * np.exp(rates * middle)
        value, slope = waves.sum(axis=0), half * (rates * waves).sum(axis=0)
        tangent = np.maximum(np.abs(value + slope), np.abs(value - slope))
        bounds = np.asarray(sum_up({"tangent": tangent, "taylor": curvature[cell] * half**2 / 2, **errors}, 64))
        measured = max(measured, float(np.abs(value).max()))
        evaluated += middle.size
        again = bounds > measured * (1 + SLACK) + 2 * rounding
        if last or 4 * int(again.sum()) > most:
            again[:] = False
        settled = max(settled, float(bounds[~again].max(initial=0.0)))
        if not again.any():
            return settled, measured, evaluated
        left, right, cell = _cut(left[again], right[again], cell[again], np.full(int(again.sum()), 4))
    raise AssertionError("the last round settles every arc")


def _cut(
    left: FloatArray, right: FloatArray, cell: IntArray, parts: IntArray
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Cut each arc into equal parts, which cover it: the end of one is, as a number, the beginning of the next."""
    at = np.arange(int(parts.sum())) - np.repeat(np.cumsum(parts) - parts, parts)
    number = np.repeat(parts, parts)
    start, stop, whole = (np.repeat(x, parts) for x in (left, right, right - left))
    begin = start + whole * (at / number)
    end = np.where(at + 1 == number, stop, start + whole * ((at + 1) / number))
    return begin, end, np.repeat(cell, parts)
