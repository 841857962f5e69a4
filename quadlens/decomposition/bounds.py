r"""A proved bound for every term of the ladder, from the weights, without evaluating the p² inputs. ReLU networks.

Norms run over all inputs (a, b) and logits c; ``‖·‖`` without a name is the root of the summed squares.

*Preactivation residual, waveform spread.* Both are ``Σ_i (ReLU(x_i) - ReLU(x'_i)) Re[v_i e^{iωk_i c}]`` with ``x_i -
x'_i = δA_i(a) + δB_i(b)``. Since ``|ReLU(x) - ReLU(x') - (x - x')/2| ≤ |x - x'|/2``, the term is its linear half,
summed exactly, plus a rest. A rest R (inputs × neurons) times the output waves V (neurons × logits) is at most ``‖R
D⁻¹‖ ‖D V‖₂`` for every positive diagonal D; for a frequency group V has rank 2. Different frequencies are orthogonal in
c.

*Phase mismatch, quadrature.* The neurons of a group share a waveform, so with its harmonics ĥ_m(d) the term is exactly
``Σ_m ĥ_m(d) e^{imωkb} T_m`` with exponential sums ``T_m = Σ r_i e^{imφ_i} (v_i - v'_i)``, or ``Σ r_i u_i
e^{i(m+2)φ_i}`` minus the target at m = -2: Parseval over b, and the tail of `quadlens.quadrature.harmonics`.

*Secondary frequency.* ``W_k |ĥ_2(d) - ĥ_2^{pure}(d)|``, in closed form.

*Output residual.* ``Σ_i ReLU(x_i) dU_i(c)``, dU the rest of U centred over c. With the group's shared waveform in place
of x_i it is ``Σ_m ĥ_m(d) e^{imωkb} Q_m(c)``, ``Q_m = Σ_i r_i e^{imφ_i} dU_i``; the difference of the two is at most
``‖δ‖ ‖dU‖₂``.

Cost O(pn(p + M) + p² M): the p is that of the Gram matrix of dU. Sums of squares over b are exact up to the stated
rounding.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.circuits.circuit import Circuit
from quadlens.claims import ProvedBound
from quadlens.decomposition.matrix_norms import scaled_product, spectral_norm
from quadlens.decomposition.rungs import RUNGS, FiniteRung, finite_rungs
from quadlens.errors import OptionError
from quadlens.form.amplitude_phase import AmplitudePhaseForm, FrequencyGroup
from quadlens.quadrature.closed_form import harmonics_rounding, waveform_harmonics
from quadlens.quadrature.harmonics import kink_tail
from quadlens.quadrature.waveform import group_waveform
from quadlens.rounding import UNIT_ROUNDOFF, gamma

HIGHEST = 512
THEOREM = "quadlens.decomposition.bounds, module documentation"
ARITHMETIC = "float64; every difference widened by its a-priori rounding, sums of non-negative numbers rounded up"


@dataclass(frozen=True, slots=True, kw_only=True)
class TermBound:
    """Proved bounds on one term of the ladder.

    ``l2``: root of the summed squares over all inputs and logits; ``relative_l2``: the same over that of the exact
    centred MLP logits; ``max_abs``: largest single entry. ``per_frequency`` and ``per_frequency_max_abs``: relative_l2
    and max_abs of each frequency group's part, in the form's order.
    """

    name: str
    l2: ProvedBound
    relative_l2: ProvedBound
    max_abs: ProvedBound
    per_frequency: tuple[float, ...]
    per_frequency_max_abs: tuple[float, ...]


def ladder_bounds(
    circuit: Circuit, form: AmplitudePhaseForm, exact_norm: float, *, highest: int = HIGHEST
) -> tuple[TermBound, ...]:
    """Return a proved bound for each term, in the order of `quadlens.decomposition.rungs.RUNGS`.

    Parameters
    ----------
    circuit, form : a ReLU network and its form
    exact_norm : the computed root of the summed squares of the exact centred MLP logits
    (``ErrorDecomposition.exact_norm``) highest : M, the last harmonic that is summed

    Raises
    ------
    OptionError
        If the activation is not ReLU, or the norm is not above its own rounding error.
    """
    if circuit.activation != "relu":
        raise OptionError(f"bounds of the ladder need relu; got {circuit.activation}")
    norm = exact_norm - norm_rounding(circuit)
    if not norm > 0:
        raise OptionError("the MLP's logits are zero to rounding: there is nothing to be relative to")
    rungs = finite_rungs(circuit, form)
    shared = [_SharedWaveform(form, group, highest) for group in form.groups]
    parts = [
        _output_residual(circuit, form, rungs, shared),
        _preactivation(form, rungs[0], rungs[1]),
        _preactivation(form, rungs[1], rungs[2]),
        _exponential(form, shared, mismatch=True),
        _exponential(form, shared, mismatch=False),
        _secondary(form, shared),
    ]
    return tuple(_term(name, part, norm) for name, part in zip(RUNGS, parts, strict=True))


# l2 and largest entry of each group's part, l2 and largest entry of the whole
_Part = tuple[FloatArray, FloatArray, float, float]


def _term(name: str, part: _Part, norm: float) -> TermBound:
    groups, groups_largest, total, largest = part
    up = 1 + 1e-12  # the last few sums, products and quotients of non-negative numbers

    def proved(value: float) -> ProvedBound:
        return ProvedBound(value=value * up, theorem=THEOREM, arithmetic=ARITHMETIC)

    return TermBound(
        name=name,
        l2=proved(total),
        relative_l2=proved(total / norm),
        max_abs=proved(largest),
        per_frequency=tuple((groups / norm * up).tolist()),
        per_frequency_max_abs=tuple((groups_largest * up).tolist()),
    )


def norm_rounding(circuit: Circuit) -> float:
    """Bound the error of the computed norm: entries are sums of n products of rounded, centred, then summed p³
    squares.
    """
    p, n = circuit.p, circuit.neurons
    hidden = np.sqrt(2 * p * float((circuit.A**2).sum() + (circuit.B**2).sum()))
    return float(8 * gamma(n + 2 * p + p**3 + 16) * hidden * np.linalg.norm(circuit.U))


class _Residual:
    """``δA_i(a) + δB_i(b)`` between two pairs of tables, its mean over a moved to B, with a bound on each rounding."""

    def __init__(self, before: FiniteRung, after: FiniteRung) -> None:
        p = before.A.shape[0]
        size = np.abs(before.A).max(axis=0) + np.abs(before.B).max(axis=0)
        size = size + np.abs(after.A).max(axis=0) + np.abs(after.B).max(axis=0)
        # a wave of the form is a few products and an exponential; its amplitudes may cancel in the table itself
        self.rounding = 256 * UNIT_ROUNDOFF * size
        self.A, self.B = before.A - after.A, before.B - after.B
        mean = self.A.mean(axis=0)
        self.A, self.B = self.A - mean, self.B + mean
        a, b = np.abs(self.A) + self.rounding, np.abs(self.B) + self.rounding
        cross = (np.abs(self.A.sum(axis=0)) + p * self.rounding) * (np.abs(self.B.sum(axis=0)) + p * self.rounding)
        self.energy = (p * (a**2).sum(axis=0) + p * (b**2).sum(axis=0) + 2 * cross) * (1 + gamma(4 * p + 16))
        self.a, self.b = a, b

    def largest(self, out: FloatArray, members: IntArray | slice = slice(None)) -> float:
        """Return the largest ``Σ_i |δ_i(a, b)| out_i``, over some neurons or all of them."""
        a, b, out = self.a[:, members], self.b[:, members], out[members]
        return float((a @ out).max() + (b @ out).max()) * (1 + gamma(2 * out.size + 16))


def _preactivation(form: AmplitudePhaseForm, before: FiniteRung, after: FiniteRung) -> _Part:
    p, delta, u = form.p, _Residual(before, after), np.abs(before.v)
    squares, largest = np.zeros(len(form.groups)), np.zeros(len(form.groups))
    linear_largest = np.zeros(2)
    for index, group in enumerate(form.groups):
        i = group.members
        halves = [0.5 * table[:, i] @ before.v[i] for table in (delta.A, delta.B)]
        slack = float((delta.rounding[i] * u[i]).sum()) * 2 + 2 * gamma(4 * i.size + 16) * delta.largest(u)
        # Σ_{a,b} |x(a) + y(b)|² = p Σ|x|² + p Σ|y|² + 2 Re(Σx conj Σy)
        linear = p * sum(float((np.abs(x) ** 2).sum()) for x in halves)
        linear += 2 * float((halves[0].sum() * np.conj(halves[1].sum())).real)
        linear = np.sqrt(max(linear, 0.0) * (1 + gamma(4 * p)) + 8 * p**3 * UNIT_ROUNDOFF * _top(halves)) + p * slack
        rest = 0.5 * scaled_product(delta.energy[i], before.v[i])
        squares[index] = np.sqrt(p / 2) * (linear + rest)
        tops = [float(np.abs(x).max()) + slack for x in halves]
        linear_largest += tops
        largest[index] = sum(tops) + 0.5 * delta.largest(u, i)
    return squares, largest, float(np.linalg.norm(squares)), float(linear_largest.sum()) + 0.5 * delta.largest(u)


def _top(halves: list[ComplexArray]) -> float:
    return float(sum(np.abs(x).max() for x in halves)) ** 2


class _SharedWaveform:
    """The harmonics ``ĥ_m(d)`` of a group's mean waveform for |m| ≤ M, with what surrounds them."""

    def __init__(self, form: AmplitudePhaseForm, group: FrequencyGroup, highest: int) -> None:
        self.group, self.p = group, form.p
        self.phi, self.r, self.u = (x[group.members] for x in (form.phi, form.r, form.u))
        self.psi = form.psi[group.members]
        numbers = (group.e_A, group.e_B, group.s_A, group.s_B, group.kappa)
        c = group_waveform(form.p, group.frequency, *numbers)
        self.orders = np.arange(-highest, highest + 1)
        upper = waveform_harmonics(c, self.orders[highest:])
        self.h = np.concatenate([upper[:, :0:-1].conj(), upper], axis=1)
        # coefficients are rounded sums of products: the waveform is off by less than this, and so is every ReLU
        self.shift = 64 * UNIT_ROUNDOFF * float(sum(abs(x) for x in numbers))
        self.h_rounding = harmonics_rounding(c, self.orders)
        self.tail = kink_tail(c, highest) / (2 * np.pi) + self.shift
        pure = group_waveform(form.p, group.frequency, 1, 1, 0, 0, 0.0)
        self.change = self.h[:, highest + 2] - waveform_harmonics(pure, [2])[:, 0]
        self.change_rounding = self.h_rounding[:, highest + 2] + harmonics_rounding(pure, [2])[:, 0]
        self.change_rounding = self.change_rounding + self.shift + 64 * UNIT_ROUNDOFF

    def sums(self, out: ComplexArray) -> tuple[ComplexArray, FloatArray, FloatArray]:
        """Return ``Σ_i r_i e^{imφ_i} out_i`` for every m, a bound on its rounding, and ``Σ_i r_i |out_i|``."""
        weighted = self.r.reshape(-1, *[1] * (out.ndim - 1)) * out
        size = np.abs(weighted).sum(axis=0)
        per_unit = 4 * gamma(2 * self.phi.size + 32) + 8 * (int(self.orders.max()) + 8) * UNIT_ROUNDOFF
        return np.exp(1j * np.outer(self.orders, self.phi)) @ weighted, per_unit * size, size

    def by_class(self, moduli: FloatArray) -> FloatArray:
        """Add what has one frequency ``mk mod p`` in b; moduli (d, m) give (d, class)."""
        place = np.zeros((self.orders.size, self.p))
        place[np.arange(self.orders.size), self.orders * self.group.frequency % self.p] = 1
        return np.asarray(moduli @ place)


def _exponential(form: AmplitudePhaseForm, shared: list[_SharedWaveform], *, mismatch: bool) -> _Part:
    p = form.p
    squares, tops = np.zeros(len(shared)), np.zeros((len(shared), p))
    for index, waves in enumerate(shared):
        locked = waves.u * np.exp(2j * waves.phi)
        out = waves.u * np.exp(1j * waves.psi) - locked if mismatch else locked
        T, rounding, _ = waves.sums(out)
        # the difference of two nearly equal output waves is itself rounded
        most = float((waves.r * (np.abs(out) + 32 * UNIT_ROUNDOFF * waves.u)).sum())
        rounding = rounding + 32 * UNIT_ROUNDOFF * float((waves.r * waves.u).sum())
        if not mismatch:
            T = T - waves.group.weight * (waves.orders == -2)
        terms = waves.h * T
        summed = waves.by_class(terms.real) + 1j * waves.by_class(terms.imag)
        error = np.abs(waves.h) * rounding + waves.h_rounding * (np.abs(T) + rounding)
        error = error.sum(axis=1) + waves.tail * most + gamma(4 * waves.orders.size) * np.abs(terms).sum(axis=1)
        if not mismatch:
            error = error + waves.shift * most  # the integral's own waveform is off by as much as the sum's
        # Parseval over b: Σ_b |Σ_q s_q e^{iωqb}|² = p Σ_q |s_q|²
        main = np.sqrt(p * float((np.abs(summed) ** 2).sum()) * (1 + gamma(4 * p * p)))
        squares[index] = np.sqrt(p / 2) * (main + np.sqrt(p * float((error**2).sum())))
        tops[index] = np.abs(terms).sum(axis=1) + error
    return squares, tops.max(axis=1), float(np.linalg.norm(squares)), float(tops.sum(axis=0).max())


def _secondary(form: AmplitudePhaseForm, shared: list[_SharedWaveform]) -> _Part:
    p = form.p
    squares, tops = np.zeros(len(shared)), np.zeros((len(shared), p))
    for index, waves in enumerate(shared):
        amplitude = waves.group.weight * (np.abs(waves.change) + waves.change_rounding)
        squares[index] = np.sqrt(p / 2 * p * float((amplitude**2).sum()))
        tops[index] = amplitude
    return squares, tops.max(axis=1), float(np.linalg.norm(squares)), float(tops.sum(axis=0).max())


def _output_residual(
    circuit: Circuit, form: AmplitudePhaseForm, rungs: tuple[FiniteRung, ...], shared: list[_SharedWaveform]
) -> _Part:
    p = circuit.p
    centred = circuit.U - circuit.U.mean(axis=1, keepdims=True)
    wave = np.exp(2j * np.pi / p * (form.frequency[:, None] * np.arange(p) % p))
    v = rungs[0].v
    dU = centred - (v[:, None] * wave).real
    rounding = 64 * UNIT_ROUNDOFF * (np.abs(circuit.U).max(axis=1) + np.abs(v))
    delta = _Residual(rungs[0], rungs[2])
    most = np.abs(dU).max(axis=1) + rounding
    squares, tops = np.zeros(len(shared)), np.zeros((len(shared), p))
    largest = np.zeros(len(shared))
    for index, waves in enumerate(shared):
        i = waves.group.members
        Q, Q_rounding, size = waves.sums(dU[i].astype(np.complex128))
        size = size + float((waves.r * rounding[i]).sum())
        Q_rounding = Q_rounding + float((waves.r * rounding[i]).sum())
        h = np.abs(waves.h) + waves.h_rounding
        norms = np.sqrt(((np.abs(Q) + Q_rounding) ** 2).sum(axis=1))
        main = np.sqrt(p * float((waves.by_class(h * norms) ** 2).sum()) * (1 + gamma(4 * p * p)))
        tail = float(np.linalg.norm(waves.tail)) * float(np.linalg.norm(size)) * np.sqrt(p)
        spectral = spectral_norm(dU[i], float(np.linalg.norm(rounding[i])) * np.sqrt(p))
        squares[index] = main + tail + np.sqrt(delta.energy[i].sum()) * spectral
        tops[index] = (h @ (np.abs(Q) + Q_rounding)).max(axis=1) + waves.tail * size.max()
        largest[index] = tops[index].max() + delta.largest(most, i)
    # the groups' main parts share logits, so they add; the bound of all rests together is smaller than their sum
    return squares, largest, float(squares.sum()), float(tops.sum(axis=0).max()) + delta.largest(most)
