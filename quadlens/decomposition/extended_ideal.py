r"""A better ideal: the refined limit with more of the group's own numbers, and what each further number buys.

The refined limit keeps one output harmonic of every frequency group. Take them all, with ReLU(x) = |x|/2 + x/2, and
write ``logits = Re Σ_z Z_z(a, b) e^{iωzc}``. At fixed d = a - b the output wave ``Z_z`` is a Fourier series in b; if
the neurons of a group share one waveform, its coefficient at frequency q is

    Σ_k ½ |H_k|^_m(d) T_{k,m,z}   (over m with mk ≡ q mod p)   +   ½ Σ_i (Â_{q,i} e^{iωqd} + B̂_{q,i}) v_{i,z},

    T_{k,m,z} = Σ_{i in k} r_i e^{imφ_i} v_{i,z},     v_{i,z} = 2 Û_z.

H_k has waves at k, 2k, …, Dk (mod p: that is what a doubling chain such as 15 → 30 → 1 is) locked at φ, 2φ, …, Dφ. The
T are exponential sums over the group; the refined limit is the single one with m = -2, z = k. The last sum, the
identity half, needs neither integral nor waveform. All these numbers are read off the weights, none is fitted to the
outputs;
*which* of them are kept is chosen by what they explain of the network's outputs: the compression curve.

No ideal that depends on a - b and a + b - c alone can do better than the ``invariant_floor`` measured alongside.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import ComplexArray, IntArray
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import row_blocks
from quadlens.decomposition.compression import CompressionCurve, greedy_order, invariant_floor
from quadlens.decomposition.rungs import exact_hidden
from quadlens.decomposition.shared_waveform import GroupWaves, group_waves, waveform_clusters
from quadlens.errors import OptionError
from quadlens.form.amplitude_phase import AmplitudePhaseForm, fit
from quadlens.quadrature.closed_form import waveform_harmonics

SMALLEST_WEIGHT = 1e-3  # groups with a smaller share of the weight take no part
ENOUGH = 1.02  # an ideal that misses its target stops within 2 % of the best distance


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExtendedIdeal:
    """The smallest ideal on the curve that meets the target, or the best one where none does.

    ``sums``: rows (group index, m, z) with ``sum_values`` T; ``identity``: rows (side, q, z), side 0 for a and 1 for b,
    with ``identity_values``. ``parameters``: real numbers used; ``relative_l2``: distance to the exact MLP logits.
    """

    p: int
    activation: str
    waves: tuple[GroupWaves, ...]
    sums: IntArray
    sum_values: ComplexArray
    identity: IntArray
    identity_values: ComplexArray
    parameters: int
    relative_l2: float
    target: float
    curve: CompressionCurve

    @property
    def r_squared(self) -> float:
        """``1 - relative_l2²``."""
        return 1 - self.relative_l2**2

    def to_dict(self) -> dict[str, Any]:
        """Return the ideal and its curve (at most 100 points of it) as JSON values."""
        curve = self.curve
        last = curve.parameters.size
        shown = [] if not last else (np.unique(np.geomspace(1, last, 100).astype(np.int64)) - 1).tolist()
        return {
            "parameters": self.parameters,
            "relative_l2": self.relative_l2,
            "r_squared": self.r_squared,
            "target": self.target,
            "exponential_sums": len(self.sums),
            "identity_terms": len(self.identity),
            "waveforms": [{"frequency": wave.frequency, "parameters": wave.parameters} for wave in self.waves],
            "invariant_floor": curve.invariant_floor,
            "circuit_parameters": curve.circuit_parameters,
            "curve": [
                {"parameters": int(curve.parameters[i]), "r_squared": float(curve.r_squared[i])} for i in shown
            ],
        }

    def output_waves(self, rows: slice = slice(None)) -> ComplexArray:
        """Return ``Z_z(a, b)`` for the given a, shape (rows, p, (p - 1)//2), z from 1."""
        p, b = self.p, np.arange(self.p)
        a = np.arange(p)[rows]
        Z = np.zeros((a.size, p, (p - 1) // 2), dtype=np.complex128)
        d = (a[:, None] - b) % p
        omega = 2 * np.pi / p
        half = _half(self.activation)
        for index, wave in enumerate(self.waves):
            mine = self.sums[:, 0] == index
            orders = np.unique(self.sums[mine, 1])
            h = half * waveform_harmonics(wave.coefficients(p), orders, "abs")
            for (_, m, z), value in zip(self.sums[mine], self.sum_values[mine], strict=True):
                column = h[:, np.searchsorted(orders, m)]
                Z[:, :, z - 1] += value * column[d] * np.exp(1j * omega * (m * wave.frequency * b % p))
        for (side, q, z), value in zip(self.identity, self.identity_values, strict=True):
            residue = a[:, None] if side == 0 else b[None, :]
            Z[:, :, z - 1] += value * np.exp(1j * omega * (q * residue % p))
        return Z


def extended_ideal(
    circuit: Circuit,
    form: AmplitudePhaseForm | None = None,
    *,
    target: float = 0.05,
    degree: int = 6,
    highest: int = 12,
    clusters: Sequence[int] = (1, 2, 4),
    progress: Callable[[float], None] | None = None,
) -> ExtendedIdeal:
    """Return the smallest extended ideal within ``target`` relative distance of the exact MLP logits, and the whole
    curve.

    Parameters
    ----------
    circuit : ReLU or \\|x\\| network
    form : its amplitude–phase form, computed where it is not given
    target : largest relative distance
    degree, highest : D of the waveforms, and the largest \\|m\\| of the exponential sums
    clusters : how many waveforms a frequency group may have, tried in turn until the target is met
    progress : called with the fraction done

    Raises
    ------
    OptionError
        For another activation: its harmonics depend on each neuron's amplitude.
    """
    if circuit.activation not in ("relu", "abs"):
        raise OptionError(f"the extended ideal needs relu or abs, whose waveforms scale; got {circuit.activation}")
    if not 0 < target < 1 or degree < 2 or highest < 2 or not clusters or min(clusters) < 1:
        raise OptionError("the extended ideal needs 0 < target < 1, degree and highest >= 2, clusters >= 1")
    form = fit(circuit) if form is None else form
    p, v = circuit.p, _output_waves(circuit)
    exact, rest = _exact_series(circuit, v, progress)
    total = p * float((np.abs(exact) ** 2).sum()) + rest
    series = (exact, total, invariant_floor(exact, total))
    best = _with_clusters(circuit, form, v, series, target, degree, highest, clusters[0])
    for count in clusters[1:]:
        if best.relative_l2 <= target:
            break
        found = _with_clusters(circuit, form, v, series, target, degree, highest, count)
        best = found if found.relative_l2 < best.relative_l2 else best
    return best


def _with_clusters(
    circuit: Circuit,
    form: AmplitudePhaseForm,
    v: ComplexArray,
    series: tuple[ComplexArray, float, float],
    target: float,
    degree: int,
    highest: int,
    count: int,
) -> ExtendedIdeal:
    """Return the ideal with ``count`` waveforms for every frequency group."""
    p, (exact, total, floor) = circuit.p, series
    limit = SMALLEST_WEIGHT * float(form.weights.sum())
    groups = [
        (group.frequency, members)
        for group in form.groups
        if group.weight > limit
        for members in waveform_clusters(form, group.members, count)
    ]
    waves = tuple(group_waves(circuit, form, k, members, degree) for k, members in groups)
    places, values, contributions = _candidates(circuit, form, groups, waves, v, highest)
    chosen, gains = greedy_order(exact, places, contributions)
    base = sum(wave.parameters for wave in waves)
    # a network without output has nothing to explain: every ideal is exact
    unit = total or 1.0
    squares = np.maximum((total - p * np.cumsum(gains)) / unit, 0.0)
    distance = np.sqrt(squares)
    counts = base + 2 * np.arange(1, chosen.size + 1)
    # where the target is out of reach, stop where further numbers hardly help
    used = int(np.argmax(distance <= max(target, ENOUGH * float(distance.min())))) + 1 if chosen.size else 0
    keep = np.sort(chosen[:used])
    is_sum = places[keep, 0] >= 0
    kept = places[keep]
    return ExtendedIdeal(
        p=p,
        activation=circuit.activation,
        waves=waves,
        sums=kept[is_sum][:, [0, 1, 3]],
        sum_values=values[keep][is_sum],
        identity=np.stack([-1 - kept[~is_sum][:, 0], kept[~is_sum][:, 2], kept[~is_sum][:, 3]], axis=1),
        identity_values=values[keep][~is_sum],
        parameters=base + 2 * used,
        relative_l2=float(distance[used - 1]) if used else float(np.sqrt(total / unit)),
        target=target,
        curve=CompressionCurve(
            parameters=counts.astype(np.int64),
            relative_l2=distance,
            r_squared=1 - squares,
            circuit_parameters=circuit.parameters,
            invariant_floor=floor,
        ),
    )


def _half(activation: str) -> float:
    return 0.5 if activation == "relu" else 1.0


def _output_waves(circuit: Circuit) -> ComplexArray:
    """Return ``v_{i,z} = 2 Û_z``, shape (n, (p - 1)//2), z from 1."""
    U_hat = np.fft.fft(circuit.U, axis=1) / circuit.p
    return np.asarray(2 * U_hat[:, 1 : (circuit.p - 1) // 2 + 1])


def _exact_series(
    circuit: Circuit, v: ComplexArray, progress: Callable[[float], None] | None
) -> tuple[ComplexArray, float]:
    """Return ``F[d, q, z]``, the series in b of every output wave of the network, and the squares outside of it.

    For even p the wave at p/2 is such an outside part: no term of the ideal reaches it.
    """
    p = circuit.p
    Z = np.empty((p, p, v.shape[1]), dtype=np.complex128)
    rest = 0.0
    nyquist = circuit.U @ (-1.0) ** np.arange(p) / p if p % 2 == 0 else None
    for rows in row_blocks(circuit):
        hidden = exact_hidden(circuit, rows)
        Z[rows] = hidden @ v
        if nyquist is not None:
            # Σ_c over this wave is p |Z|², over the others p/2 |Z|²: in the units of the others
            rest += 2 * float(((hidden @ nyquist) ** 2).sum())
        if progress is not None:
            progress(rows.stop / p)
    b = np.arange(p)
    return np.stack([np.fft.fft(Z[(b + d) % p, b], axis=0) / p for d in range(p)]), rest


def _candidates(
    circuit: Circuit,
    form: AmplitudePhaseForm,
    groups: list[tuple[int, IntArray]],
    waves: tuple[GroupWaves, ...],
    v: ComplexArray,
    highest: int,
) -> tuple[IntArray, ComplexArray, ComplexArray]:
    """Return every candidate: places (index, m, q, z), its number, and its series over d, shape (candidate, d).

    The index is the group's, or -1 and -2 for the two sides of the identity half.
    """
    p, z = circuit.p, np.arange(1, v.shape[1] + 1)
    places, values, series = [], [], []
    half = _half(circuit.activation)
    orders = np.arange(-highest, highest + 1)
    for index, ((k, members), wave) in enumerate(zip(groups, waves, strict=True)):
        h = half * waveform_harmonics(wave.coefficients(p), orders, "abs")
        T = np.exp(1j * np.outer(orders, form.phi[members])) @ (form.r[members, None] * v[members])
        for row, m in enumerate(orders.tolist()):
            q = m * k % p
            places.append(np.stack([np.full_like(z, index), np.full_like(z, m), np.full_like(z, q), z], axis=1))
            values.append(T[row])
            series.append(T[row][:, None] * h[:, row])
    if circuit.activation == "relu":
        residues = np.arange(p)
        for side, table in enumerate((circuit.A, circuit.B)):
            L = 0.5 * (np.fft.fft(table, axis=0) / p) @ v
            turn = np.exp(2j * np.pi / p * (np.outer(residues, residues) % p)) if side == 0 else np.ones((p, p))
            at_q, at_z = (grid.ravel() for grid in np.meshgrid(residues, z, indexing="ij"))
            places.append(np.stack([np.full_like(at_q, -1 - side), np.zeros_like(at_q), at_q, at_z], axis=1))
            values.append(L.ravel())
            series.append((L[:, :, None] * turn[:, None, :]).reshape(-1, p))
    if not places:
        return np.zeros((0, 4), dtype=np.int64), np.zeros(0, dtype=np.complex128), np.zeros((0, p), dtype=np.complex128)
    return np.concatenate(places), np.concatenate(values), np.concatenate(series)
