r"""What the prover chooses before it bounds anything: cells, waveforms, levels, retained frequencies.

Every choice is sound (docs/certificates.md); good ones make the bounds tight. ``G = g p`` cells of phase, so that a
shift by ``ωka`` is a shift by ``g·(k a mod p)`` cells, an exact integer. Waveform values are multiples of
``1/SCALE`` below ``LIMIT`` and amplitudes are float32 numbers: then ``W^A + W^B``, its comparison with a level,
and ``r W`` are exact in float64.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.errors import CertificateError

SCALE = 2**20
LIMIT = 2**8
"""Waveform values and levels stay below this: 28 bits, and 24 of an amplitude, fit the 53 of a float64."""


def quantised(values: FloatArray) -> FloatArray:
    """Return the nearest multiples of ``1/SCALE``, cut off at ``±LIMIT``."""
    return np.asarray(np.clip(np.rint(np.asarray(values) * SCALE) / SCALE, -LIMIT, LIMIT))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Waveforms:
    """Neurons of one frequency that share the curves ``A`` and ``B``, each of shape (G,), up to amplitude and phase.

    ``members`` are in order of cell.
    """

    frequency: int
    members: IntArray
    A: FloatArray
    B: FloatArray

    def __post_init__(self) -> None:
        for name in ("A", "B"):
            curve = getattr(self, name)
            if curve.ndim != 1 or not (np.isfinite(curve).all() and np.array_equal(curve, quantised(curve))):
                raise CertificateError(f"waveform {name} must be finite multiples of 1/{SCALE} below {LIMIT}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bucket(Waveforms):
    """Waveforms for gates: ``levels`` ``l_1 < … < l_J`` of ``|H|``, ``cross`` (``v_β``) and ``retained`` (``F_β``)."""

    levels: FloatArray
    cross: float
    retained: tuple[int, ...]

    def __post_init__(self) -> None:
        # the zero-argument form does not know the class that slots=True makes
        Waveforms.__post_init__(self)
        levels = self.levels
        if not np.array_equal(levels, quantised(levels)) or (np.diff(np.concatenate([[0.0], levels])) <= 0).any():
            raise CertificateError(f"levels must be increasing multiples of 1/{SCALE} above 0, got {levels.tolist()}")
        if not (np.isfinite(self.cross) and self.cross > 0):
            raise CertificateError(f"the cross ratio of a bucket must be finite and > 0, got {self.cross}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """The prover's choices for one circuit; see docs/certificates.md for each."""

    p: int
    grid: int
    cell: IntArray
    amplitude: FloatArray
    buckets: tuple[Bucket, ...]
    solo: IntArray
    groups: tuple[Waveforms, ...]
    harmonics: int
    retained: tuple[int, ...]

    def __post_init__(self) -> None:
        neurons = self.cell.size
        if self.grid < 1 or neurons < 1 or not ((self.cell >= 0) & (self.cell < self.cells)).all():
            raise CertificateError(f"every neuron needs a cell in 0..{self.cells - 1}")
        amplitude = self.amplitude
        with np.errstate(over="ignore"):
            single = amplitude.astype(np.float32).astype(np.float64)
        if not (np.isfinite(amplitude).all() and (amplitude >= 0).all() and np.array_equal(amplitude, single)):
            raise CertificateError("every amplitude must be a finite float32 number >= 0")
        for what, sets in (
            ("buckets and solo neurons", [b.members for b in self.buckets] + [self.solo]),
            ("groups", [group.members for group in self.groups]),
        ):
            together = np.sort(np.concatenate(sets))
            if not np.array_equal(together, np.arange(neurons)):
                raise CertificateError(f"{what} must share out the {neurons} neurons, each once")
        for part in (*self.buckets, *self.groups):
            if part.A.size != self.cells or part.B.size != self.cells:
                raise CertificateError(f"waveforms need {self.cells} values, got {part.A.size} and {part.B.size}")
            if (np.diff(self.cell[part.members]) < 0).any():
                raise CertificateError("the members of a bucket or group must be in order of cell")
        if not 0 <= self.harmonics < self.cells / 2:
            raise CertificateError(f"harmonics must be in 0..{(self.cells - 1) // 2}, got {self.harmonics}")
        frequencies = set(self.retained)
        if len(frequencies) != len(self.retained) or not frequencies <= set(range(1, self.p // 2 + 1)):
            raise CertificateError(f"retained frequencies must be distinct, 1..{self.p // 2}, got {self.retained}")
        for bucket in self.buckets:
            if not set(bucket.retained) <= frequencies or len(set(bucket.retained)) != len(bucket.retained):
                raise CertificateError(f"a bucket retains some of {self.retained}, each once; got {bucket.retained}")

    @property
    def cells(self) -> int:
        """``G``, the number of cells of the circle."""
        return self.grid * self.p

    def own(self, bucket: Bucket) -> int | None:
        """Return the position in ``retained`` of the bucket's own frequency, or None where it has none."""
        return self.retained.index(bucket.frequency) if bucket.frequency in bucket.retained else None

    def shifts(self, frequency: int) -> IntArray:
        """Return ``g·(k a mod p)`` for every residue ``a``, shape (p,)."""
        return np.asarray(self.grid * (frequency * np.arange(self.p) % self.p))

    def turned(self, curve: FloatArray, frequency: int, classes: slice) -> FloatArray:
        """Return ``curve[s + g·kd]`` for some classes d and every cell s, shape (classes, G)."""
        windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([curve, curve]), self.cells)
        return np.asarray(windows[self.shifts(frequency)[classes]])

    def to_dict(self) -> dict[str, Any]:
        """Return the record that the certificate carries (all but the clusters), JSON values only."""
        return {
            "grid": self.grid,
            "scale": SCALE,
            "cell": self.cell.tolist(),
            "amplitude": self.amplitude.tolist(),
            "bucket": _index(self.buckets, self.cell.size).tolist(),
            "group": _index(self.groups, self.cell.size).tolist(),
            "buckets": [
                {
                    **_record(bucket),
                    "levels": (bucket.levels * SCALE).astype(np.int64).tolist(),
                    "cross": bucket.cross,
                    # a bucket without this key retains all of F
                    **({} if bucket.retained == self.retained else {"retained": list(bucket.retained)}),
                }
                for bucket in self.buckets
            ],
            "groups": [_record(group) for group in self.groups],
            "harmonics": self.harmonics,
            "retained": list(self.retained),
        }


def _record(part: Waveforms) -> dict[str, Any]:
    curves = {name: (getattr(part, name) * SCALE).astype(np.int64).tolist() for name in ("A", "B")}
    return {"frequency": part.frequency, **curves}


def _index(parts: tuple[Waveforms, ...], neurons: int) -> IntArray:
    index = np.full(neurons, -1, dtype=np.int64)
    for number, part in enumerate(parts):
        index[part.members] = number
    return index
