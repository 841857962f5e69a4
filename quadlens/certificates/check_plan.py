"""The ``prover`` record of a ``linear`` or ``gated`` certificate, read as if from a stranger. Any valid choice gives a
sound bound."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import IntArray
from quadlens.errors import CertificateError

PLAN = (
    *("grid", "scale", "cell", "amplitude", "bucket", "group", "buckets", "groups", "harmonics", "retained"),
    "clusters",
)
GROUP = ("frequency", "A", "B")
BUCKET = (*GROUP, "levels", "cross", "retained")

FEW_CELLS = 2**10
LEAST_GRID = 2
"""A plan may have FEW_CELLS cells, or LEAST_GRID for each residue where that is more: a prover's plan has two for each
residue or less than 500 and p together, and what a check costs grows with p² in any case."""
MAX_VALUE = 2**40
MAX_LEVELS = 16
CLUSTER_NAMES = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, kw_only=True)
class CheckedWaveform:
    """Integer waveforms ``A`` and ``B`` over the cells, to be divided by the plan's scale; gates have levels too."""

    frequency: int
    A: IntArray
    B: IntArray
    levels: tuple[int, ...] = ()
    cross: float = 1.0
    retained: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CheckedPlan:
    """Everything that the inequality needs from the certificate; see docs/certificates.md for each."""

    grid: int
    scale: int
    cell: IntArray
    amplitude: list[float]
    bucket: IntArray
    group: IntArray
    buckets: list[CheckedWaveform]
    groups: list[CheckedWaveform]
    harmonics: int
    retained: list[int]
    clusters: list[str]

    @property
    def cells(self) -> int:
        """``G``."""
        return int(self.groups[0].A.size)


def read_plan(prover: Mapping[str, Any], p: int, neurons: int) -> CheckedPlan:
    """Return the plan.

    Raises
    ------
    CertificateError
        If an entry is missing, of the wrong type or length, or out of range.
    """
    require_known(prover, PLAN, "prover")
    most = max(FEW_CELLS // p, LEAST_GRID)
    grid = _integer(prover, "grid", 1, most)
    cells = grid * p
    retained = [_in_range(z, "prover.retained", 1, p // 2) for z in _sequence(prover, "retained", None)]
    if len(set(retained)) != len(retained) or not retained:
        raise CertificateError(f"prover.retained must hold distinct frequencies, got {retained!r:.80}")
    buckets = [_waveform(entry, p, cells, retained) for entry in _sequence(prover, "buckets", None)]
    groups = [_waveform(entry, p, cells, None) for entry in _sequence(prover, "groups", None)]
    if not groups or max(len(groups), len(buckets)) > p + 16:
        raise CertificateError(f"prover.groups must not be empty, and there may be {p + 16} groups or buckets")
    amplitude = list(_sequence(prover, "amplitude", neurons))
    if not all(isinstance(r, (int, float)) and not isinstance(r, bool) and 0 <= r < math.inf for r in amplitude):
        raise CertificateError("prover.amplitude must hold numbers >= 0")
    # without clusters every class is one
    clusters = list(_sequence(prover, "clusters", p)) if "clusters" in prover else ["0" * p] * p
    if not all(isinstance(text, str) and len(text) == p and set(text) <= set(CLUSTER_NAMES) for text in clusters):
        raise CertificateError(f"prover.clusters must hold, for each class, a text of {p} characters 0-9a-z")
    return CheckedPlan(
        grid=grid,
        scale=_integer(prover, "scale", 1, MAX_VALUE),
        cell=_indices(prover, "cell", neurons, 0, cells - 1),
        amplitude=[float(r) for r in amplitude],
        bucket=_indices(prover, "bucket", neurons, -1, len(buckets) - 1),
        group=_indices(prover, "group", neurons, 0, len(groups) - 1),
        buckets=buckets,
        groups=groups,
        harmonics=_integer(prover, "harmonics", 0, (cells - 1) // 2),
        retained=retained,
        clusters=clusters,
    )


def require_known(record: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    """Refuse keys that mean nothing here.

    Raises
    ------
    CertificateError
        If a key is not among ``known``.
    """
    unknown = sorted(set(record) - set(known))
    if unknown:
        wanted = f"may hold {', '.join(known)}" if known else "must be empty"
        raise CertificateError(f"{what} {wanted}; it has the unknown key {unknown[0]!r:.80}")


def _waveform(entry: Any, p: int, cells: int, all_retained: list[int] | None) -> CheckedWaveform:
    """Return a bucket (which may retain some of the frequencies only), or a group where these are None."""
    if not isinstance(entry, Mapping):
        raise CertificateError(f"a bucket or group of the prover must be an object, got {type(entry).__name__}")
    known, what = (GROUP, "a group of the prover") if all_retained is None else (BUCKET, "a bucket of the prover")
    require_known(entry, known, what)
    levels: tuple[int, ...] = ()
    retained: tuple[int, ...] = ()
    cross = 1.0
    if all_retained is not None:
        levels = tuple(_in_range(x, "a level", 1, MAX_VALUE) for x in _sequence(entry, "levels", None))
        if len(levels) > MAX_LEVELS:
            raise CertificateError(f"a bucket may have {MAX_LEVELS} levels, got {len(levels)}")
        if list(levels) != sorted(set(levels)):
            raise CertificateError("the levels of a bucket must increase")
        cross = entry.get("cross", 0.0)
        if not isinstance(cross, float) or not 0 < cross < math.inf:
            raise CertificateError(f"the cross ratio of a bucket must be a number > 0, got {cross!r:.80}")
        retained = _sequence(entry, "retained", None) if "retained" in entry else tuple(all_retained)
        if not all(type(z) is int and z in all_retained for z in retained):
            raise CertificateError(f"a bucket must retain some of prover.retained, got {retained!r:.80}")
    return CheckedWaveform(
        frequency=_integer(entry, "frequency", 0, p - 1),
        A=_indices(entry, "A", cells, -MAX_VALUE, MAX_VALUE),
        B=_indices(entry, "B", cells, -MAX_VALUE, MAX_VALUE),
        levels=levels,
        cross=cross,
        retained=retained,
    )


def _sequence(record: Mapping[str, Any], key: str, length: int | None) -> tuple[Any, ...]:
    value = record.get(key)
    if not isinstance(value, (tuple, list)) or (length is not None and len(value) != length):
        wanted = "an array" if length is None else f"an array of {length}"
        got = f"{len(value)} values" if isinstance(value, (tuple, list)) else type(value).__name__
        raise CertificateError(f"prover.{key} must be {wanted}, got {got}")
    return tuple(value)


def _integer(record: Mapping[str, Any], key: str, low: int, high: int) -> int:
    return _in_range(record.get(key), f"prover.{key}", low, high)


def _in_range(value: Any, what: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise CertificateError(f"{what} must be an integer in {low}..{high}, got {value!r:.80}")
    return value


def _indices(record: Mapping[str, Any], key: str, length: int, low: int, high: int) -> IntArray:
    values = [_in_range(x, f"prover.{key}", low, high) for x in _sequence(record, key, length)]
    return np.array(values, dtype=np.int64)
