r"""What the prover chooses before it bounds anything: cells, curves, levels, retained frequencies.

Any choice that meets the condition on bounded neurons is sound (docs/certificates.md); good ones make the bounds tight.
``G = g p`` cells of phase, so that a shift by ``ωka`` is a shift by ``g·(k a mod p)`` cells, an exact integer. Curve
values and levels are multiples of ``1/SCALE``, amplitudes are float32 numbers: then ``H = W^A + W^B``, its comparison
with a level, and ``r W`` are exact in float64.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import BoolArray, FloatArray, IntArray
from quadlens.errors import CertificateError

SCALE = 2**20
LIMIT = 2**8
"""Curve values stay below this: 28 bits, and 24 of an amplitude, fit the 53 of a float64."""


def quantised(values: FloatArray) -> FloatArray:
    """Return the nearest multiples of ``1/SCALE``, cut off at ``±LIMIT``."""
    return np.asarray(np.clip(np.rint(np.asarray(values) * SCALE) / SCALE, -LIMIT, LIMIT))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """Neurons of one frequency that share the curves ``A`` and ``B`` (G,) up to amplitude and phase.

    ``members`` are in order of cell; ``level`` is ``λ_γ``; ``retained`` are the output frequencies ``F_γ``.
    """

    frequency: int
    members: IntArray
    A: FloatArray
    B: FloatArray
    level: float
    retained: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("A", "B"):
            curve = getattr(self, name)
            if curve.ndim != 1 or not (np.isfinite(curve).all() and np.array_equal(curve, quantised(curve))):
                raise CertificateError(f"curve {name} must hold finite multiples of 1/{SCALE}, none above {LIMIT}")
        if not (0 <= self.level <= 2 * LIMIT and float(self.level * SCALE).is_integer()):
            raise CertificateError(f"a level must be a multiple of 1/{SCALE} in 0..{2 * LIMIT}, got {self.level}")

    @property
    def highest(self) -> float:
        """``max|W^A| + max|W^B|``: no ``|H|`` is larger."""
        return float(np.abs(self.A).max() + np.abs(self.B).max())

    def to_dict(self) -> dict[str, Any]:
        """Return the group as the certificate carries it; its members are listed by neuron."""
        curves = {name: (getattr(self, name) * SCALE).astype(np.int64).tolist() for name in ("A", "B")}
        level = int(self.level * SCALE)
        return {"frequency": self.frequency, **curves, "retained": list(self.retained), "level": level}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """The prover's choices for one circuit; see docs/certificates.md for each.

    ``cell, amplitude, bounded`` have shape (n,): ``c_i``, ``r_i``, and whether the gates of i that its curve does not
    settle are bounded (they are evaluated where not).
    """

    p: int
    grid: int
    cell: IntArray
    amplitude: FloatArray
    groups: tuple[Group, ...]
    bounded: BoolArray
    harmonics: int
    head: int
    retained: tuple[int, ...]

    def __post_init__(self) -> None:
        neurons = self.cell.size
        if self.grid < 1 or neurons < 1 or not ((self.cell >= 0) & (self.cell < self.cells)).all():
            raise CertificateError(f"every neuron needs a cell in 0..{self.cells - 1}")
        amplitude = self.amplitude
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            single = amplitude.astype(np.float32).astype(np.float64)
        fits = amplitude.shape == (neurons,) and np.isfinite(amplitude).all() and (amplitude >= 0).all()
        if not (fits and np.array_equal(amplitude, single)):
            raise CertificateError(f"each of the {neurons} neurons needs an amplitude, a finite float32 number >= 0")
        if self.bounded.shape != (neurons,) or self.bounded.dtype != np.bool_:
            raise CertificateError(f"for each of the {neurons} neurons it must be said whether it is bounded")
        together = np.sort(np.concatenate([group.members for group in self.groups])) if self.groups else np.empty(0)
        if not np.array_equal(together, np.arange(neurons)):
            raise CertificateError(f"groups must share out the {neurons} neurons, each once")
        if not 0 <= self.harmonics < self.cells / 2:
            raise CertificateError(f"harmonics must be in 0..{(self.cells - 1) // 2}, got {self.harmonics}")
        if not 0 <= self.head <= self.harmonics:
            raise CertificateError(f"head must be in 0..{self.harmonics}, the number of harmonics; got {self.head}")
        if list(self.retained) != sorted(set(self.retained) & set(range(1, self.p // 2 + 1))):
            raise CertificateError(f"retained frequencies must increase within 1..{self.p // 2}, got {self.retained}")
        for group in self.groups:
            self._check_group(group)

    def _check_group(self, group: Group) -> None:
        if not 0 <= group.frequency < self.p:
            raise CertificateError(f"the frequency of a group must be in 0..{self.p - 1}, got {group.frequency}")
        if not group.members.size:
            raise CertificateError("a group needs at least one neuron")
        if group.A.size != self.cells or group.B.size != self.cells:
            raise CertificateError(f"curves need {self.cells} values, got {group.A.size} and {group.B.size}")
        if (np.diff(self.cell[group.members]) < 0).any():
            raise CertificateError("the members of a group must be in order of cell")
        if list(group.retained) != sorted(set(group.retained) & set(self.retained)):
            raise CertificateError(f"a group retains some of {self.retained}, increasing; got {group.retained}")

    @property
    def cells(self) -> int:
        """``G``, the number of cells of the circle."""
        return self.grid * self.p

    @property
    def group_of(self) -> IntArray:
        """``γ(i)`` of each neuron, shape (n,)."""
        index = np.empty(self.cell.size, dtype=np.int64)
        for number, group in enumerate(self.groups):
            index[group.members] = number
        return index

    def shifts(self, frequency: int) -> IntArray:
        """Return ``g·(k a mod p)`` for every residue ``a``, shape (p,)."""
        return np.asarray(self.grid * (frequency * np.arange(self.p) % self.p))

    def turned(self, curve: FloatArray, frequency: int, classes: slice) -> FloatArray:
        """Return ``curve[s + g·kd]`` for some classes d and every cell s, shape (classes, G)."""
        windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([curve, curve]), self.cells)
        return np.asarray(windows[self.shifts(frequency)[classes]])

    def positions(self, group: Group) -> IntArray:
        """Return where the group's retained frequencies stand in ``retained``."""
        return np.searchsorted(np.array(self.retained, dtype=np.int64), np.array(group.retained, dtype=np.int64))

    def to_dict(self) -> dict[str, Any]:
        """Return the record that the certificate carries (all but the pairs), JSON values only."""
        return {
            "grid": self.grid,
            "scale": SCALE,
            "cell": self.cell.tolist(),
            "amplitude": self.amplitude.tolist(),
            "group": self.group_of.tolist(),
            "groups": [group.to_dict() for group in self.groups],
            "bounded": np.flatnonzero(self.bounded).tolist(),
            "harmonics": self.harmonics,
            "head": self.head,
            "retained": list(self.retained),
        }
