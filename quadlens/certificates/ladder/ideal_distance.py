r"""How far the MLP is from an extended ideal, proved: evaluated where the ideal has outputs, the rest bounded.

With F the output frequencies that are evaluated, all of the ideal's among them, and the MLP's outputs E_z(a, b),

    ‖MLP − I‖² = Σ_{z in F} Σ_{a,b} (p/2) |E_z − I_z|²  +  ‖rest of the MLP‖²,

for waves of different frequencies are orthogonal over c (p in place of p/2 at 2z = p). The first part is exact but for
rounding, the second bounded (``rest``). F has at most MOST_EVALUATED frequencies beside the ideal's own, so that the
cost is O(P); up to p = 129 these are all there are. The skip path is no part of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quadlens.activations import negative_slope
from quadlens.arrays import FloatArray
from quadlens.certificates.ladder.group_sums import group_sums, sums_rounding
from quadlens.certificates.ladder.group_waves import GroupWaves, group_waves, network_tables, strays
from quadlens.certificates.ladder.rest import gram, left, output_waves, rest, zero_order
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.number_range import require_range
from quadlens.claims import ProvedBound
from quadlens.decomposition.extended_ideal import ExtendedIdeal
from quadlens.decomposition.ideal_outputs import ideal_blocks
from quadlens.decomposition.ideals import output_weights
from quadlens.form.amplitude_phase import AmplitudePhaseForm

THEOREM = "quadlens.certificates.ladder, module documentation of ideal_distance and rest"
ARITHMETIC = "float64; every sum widened by its a-priori rounding, tables by their radius"

MOST_EVALUATED = 64
"""So many output frequencies are evaluated: the ideal's own, and those at which the rest is largest."""

MOST_INPUTS = 2**18
"""With more inputs than this the commands leave the proof out: it takes longer than all else that they do."""

ROOM = 1 + 1e-9
"""For the roundings of the last sums, of some millions of non-negative numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdealDistance:
    """Bounds on ‖MLP − I‖ over all inputs and logits, centred: relative to ``‖I‖`` and to the MLP itself.

    ``rest`` is the part of the second that is bounded and not evaluated. None where the norm that it would be relative
    to may be 0.
    """

    to_ideal: ProvedBound | None
    to_mlp: ProvedBound | None
    rest: float

    def to_dict(self) -> dict[str, float | None]:
        """Return the bounds as JSON values."""
        return {
            "relative_l2_bound": None if self.to_mlp is None else self.to_mlp.value,
            "relative_to_ideal_bound": None if self.to_ideal is None else self.to_ideal.value,
            "rest_bound": self.rest,
        }


def ideal_distance(
    circuit: Circuit,
    form: AmplitudePhaseForm,
    ideal: ExtendedIdeal,
    *,
    progress: Callable[[float], None] | None = None,
) -> IdealDistance:
    """Return the proved distance. Cost as that of the ladder, and of the ideal's outputs for every input.

    ``ideal`` may be any ideal: the bound is of the network's tables against what the ideal's numbers say.
    """
    require_range(circuit)
    p, activation = circuit.p, circuit.activation
    kept = np.zeros(p // 2, dtype=np.bool_)
    kept[np.array(ideal.frequencies, dtype=np.int64) - 1] = True
    waves = group_waves(circuit, form)
    stray = [strays(circuit, one, negative_slope(activation)) for one in waves]
    beyond = 0.0
    if p // 2 <= MOST_EVALUATED:
        kept[:] = True
    else:
        rests = [rest(circuit, one, own, activation) for one, own in zip(waves, stray, strict=True)]
        bounds = zero_order(rests, np.arange(1, p // 2 + 1), p) + sum(one.second for one in rests)
        largest = np.where(kept, 0.0, bounds)
        kept[np.argsort(-largest, kind="stable")[: max(MOST_EVALUATED - int(kept.sum()), 0)]] = True
        away = 1 + np.flatnonzero(~kept)
        grams = [gram(circuit, one.group.members, own, away) for one, own in zip(waves, rests, strict=True)]
        beyond = left(rests, grams, away, p)
    z = 1 + np.flatnonzero(kept)
    groups = [
        group_sums(activation, one, network_tables(circuit, i), output_waves(circuit, i, z), own.levels)
        for one, own, i in zip(waves, stray, (one.group.members for one in waves), strict=True)
    ]
    place = np.searchsorted(z, ideal.frequencies)
    squares, radius = np.zeros((3, z.size)), np.zeros(z.size)
    for block in ideal_blocks(ideal):
        E = np.zeros((block.rows.stop - block.rows.start, p, z.size), dtype=np.complex128)
        for of_rows in groups:
            E += of_rows(block.rows)
        squares[0] += np.square(np.abs(E)).sum(axis=(0, 1))
        squares[1, place] += np.square(np.abs(block.outputs)).sum(axis=(1, 2))
        E[..., place] -= np.moveaxis(block.outputs, 0, -1)
        squares[2] += np.square(np.abs(E)).sum(axis=(0, 1))
        radius[place] = np.maximum(radius[place], block.radius)
        if progress is not None:
            progress(block.rows.stop / p)
    weight = output_weights(p, z)
    return _bounds(circuit, waves, squares * weight, radius * np.sqrt(weight), beyond)


def _bounds(
    circuit: Circuit, waves: list[GroupWaves], squares: FloatArray, radius: FloatArray, beyond: float
) -> IdealDistance:
    """``squares``: of the MLP, of the ideal, and of their difference, at each z that is evaluated."""
    p = circuit.p
    of_sums = p * sum(sums_rounding(one) for one in waves) * np.sqrt(output_weights(p, np.arange(1, p // 2 + 1)).max())
    moved = _moved_by_radius(circuit, waves)
    mlp, ideal, difference = (np.sqrt(one) for one in squares)
    over = float(np.hypot(np.linalg.norm(difference + of_sums + p * radius), beyond)) * ROOM + moved
    least_mlp = float(np.linalg.norm(np.maximum(mlp - of_sums, 0))) / ROOM - moved
    least_ideal = float(np.linalg.norm(np.maximum(ideal - p * radius, 0))) / ROOM

    def relative(least: float) -> ProvedBound | None:
        if not least > 0:
            return None
        return ProvedBound(value=over / least * ROOM, theorem=THEOREM, arithmetic=ARITHMETIC)

    return IdealDistance(
        to_ideal=relative(least_ideal),
        to_mlp=relative(least_mlp),
        rest=beyond / least_mlp if least_mlp > 0 else 0.0,
    )


def _moved_by_radius(circuit: Circuit, waves: list[GroupWaves]) -> float:
    """Return how far the radius of the tables can move all logits together: every activation is 1-Lipschitz here."""
    hidden = circuit.radius["A"] + circuit.radius["B"]
    tops, sizes = (sum(float(getattr(one, name).sum()) for one in waves) for name in ("top", "size"))
    one_logit = hidden * tops + circuit.radius["U"] * (sizes + circuit.neurons * hidden)
    return float(circuit.p**1.5 * one_logit * ROOM)
