"""The ``prover`` record of a ``linear`` certificate, read as if from a stranger: docs/certificates.md has the table.

What is refused is what the inequality gives no meaning to, and what would cost far more time or memory than the
network itself: the checker's work is ``O(p² n)``, and a plan must not make it more.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from quadlens.arrays import BoolArray, IntArray
from quadlens.errors import CertificateError

MAX_VALUE = 2**40
"""Curve values and levels stay below this, so that sums of three of them are exact in 64 bits."""
MAX_CELLS = 2**10
LEAST_GRID = 2
MAX_HARMONICS = 64
FEW, WORK = 2**17, 4
"""Cells of all groups and classes, together: so many at least may be transformed, and so many times p²n."""
KEYS = (
    "grid",
    "scale",
    "cell",
    "amplitude",
    "group",
    "groups",
    "bounded",
    "harmonics",
    "head",
    "retained",
    "pairs",
)
GROUP_KEYS = ("frequency", "A", "B", "retained", "level")


@dataclass(frozen=True, kw_only=True)
class CheckedGroup:
    """A curve pair ``W^A, W^B`` of G integers, its frequency ``k``, level ``λ`` and ``F_γ`` as positions in F."""

    frequency: int
    A: IntArray
    B: IntArray
    level: int
    retained: tuple[int, ...]
    members: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class CheckedPlan:
    """Everything that the inequality needs from the certificate.

    ``cell`` and ``group`` have an entry for each neuron, ``bounded`` says which neurons' unsettled gates are bounded,
    ``pairs`` holds ``K(d)`` for each class d.
    """

    grid: int
    scale: int
    cell: IntArray
    amplitude: tuple[float, ...]
    group: IntArray
    groups: tuple[CheckedGroup, ...]
    bounded: BoolArray
    harmonics: int
    head: int
    retained: tuple[int, ...]
    pairs: tuple[tuple[int, ...], ...]

    @property
    def cells(self) -> int:
        """``G``."""
        return int(self.groups[0].A.size)


def finest_grid(p: int) -> int:
    """Return how many cells a plan may have for each residue: LEAST_GRID, or MAX_CELLS in all where that is more."""
    return max(LEAST_GRID, -(-MAX_CELLS // p))


def read_plan(prover: Mapping[str, Any], p: int, neurons: int) -> CheckedPlan:
    """Return the plan.

    Raises
    ------
    CertificateError
        If a key is missing or unknown, or a value of the wrong type or length, or out of range.
    """
    _require_all(prover, KEYS, "the prover")
    grid = _integer(prover["grid"], "prover.grid", 1, finest_grid(p))
    cells = grid * p
    retained = _increasing(prover["retained"], "prover.retained", 1, p // 2)
    if not retained:
        raise CertificateError("prover.retained must hold at least one frequency, got none")
    entries = _array(prover["groups"], "prover.groups", None)
    if not 1 <= len(entries) <= min(neurons, p):
        raise CertificateError(f"prover.groups must hold 1..{min(neurons, p)} groups, got {len(entries)}")
    most = max(FEW, WORK * p * p * neurons)
    if (asked := len(entries) * p * cells) > most:
        raise CertificateError(f"groups times p times cells may be {most} for this network, got {asked}")
    group = _integers(prover["group"], "prover.group", neurons, 0, len(entries) - 1)
    groups = tuple(
        _group(entry, p, cells, retained, tuple(np.flatnonzero(group == name).tolist()))
        for name, entry in enumerate(entries)
    )
    bounded = np.zeros(neurons, dtype=bool)
    bounded[list(_increasing(prover["bounded"], "prover.bounded", 0, neurons - 1))] = True
    harmonics = _integer(prover["harmonics"], "prover.harmonics", 0, min((cells - 1) // 2, MAX_HARMONICS))
    return CheckedPlan(
        grid=grid,
        scale=_integer(prover["scale"], "prover.scale", 1, MAX_VALUE),
        cell=_integers(prover["cell"], "prover.cell", neurons, 0, cells - 1),
        amplitude=tuple(_amplitude(r) for r in _array(prover["amplitude"], "prover.amplitude", neurons)),
        group=group,
        groups=groups,
        bounded=bounded,
        harmonics=harmonics,
        head=_integer(prover["head"], "prover.head", 0, harmonics),
        retained=retained,
        pairs=tuple(
            _increasing(entry, f"prover.pairs[{d}]", 1, p - 1)
            for d, entry in enumerate(_array(prover["pairs"], "prover.pairs", p))
        ),
    )


def _group(entry: Any, p: int, cells: int, all_retained: tuple[int, ...], members: tuple[int, ...]) -> CheckedGroup:
    if not isinstance(entry, Mapping):
        raise CertificateError(f"a group must be an object, got {type(entry).__name__}")
    _require_all(entry, GROUP_KEYS, "a group")
    retained = _increasing(entry["retained"], "a group's retained", 1, p // 2)
    if set(retained) - set(all_retained):
        raise CertificateError(f"a group must retain some of prover.retained, got {retained!r:.80}")
    return CheckedGroup(
        frequency=_integer(entry["frequency"], "a group's frequency", 0, p - 1),
        A=_integers(entry["A"], "a group's A", cells, -MAX_VALUE, MAX_VALUE),
        B=_integers(entry["B"], "a group's B", cells, -MAX_VALUE, MAX_VALUE),
        level=_integer(entry["level"], "a group's level", 0, 2 * MAX_VALUE),
        retained=tuple(all_retained.index(z) for z in retained),
        members=members,
    )


def require_known(record: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    """Refuse keys that mean nothing here.

    Raises
    ------
    CertificateError
        If a key is not among ``known``.
    """
    unknown = [key for key in record if key not in known]
    if unknown:
        wanted = f"may hold {', '.join(known)}" if known else "must be empty"
        raise CertificateError(f"{what} {wanted}; it has the unknown key {unknown[0]!r:.80}")


def _require_all(record: Mapping[str, Any], wanted: Sequence[str], what: str) -> None:
    require_known(record, wanted, what)
    missing = [key for key in wanted if key not in record]
    if missing:
        raise CertificateError(f"{what} lacks {', '.join(missing)}")


def _array(value: Any, what: str, length: int | None) -> Sequence[Any]:
    if not isinstance(value, (tuple, list)) or (length is not None and len(value) != length):
        wanted = "an array" if length is None else f"an array of {length}"
        got = f"{len(value)} values" if isinstance(value, (tuple, list)) else type(value).__name__
        raise CertificateError(f"{what} must be {wanted}, got {got}")
    return value


def _integer(value: Any, what: str, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise CertificateError(f"{what} must be an integer in {low}..{high}, got {_shown(value)}")
    return value


def _integers(value: Any, what: str, length: int, low: int, high: int) -> IntArray:
    return np.array([_integer(x, what, low, high) for x in _array(value, what, length)], dtype=np.int64)


def _increasing(value: Any, what: str, low: int, high: int) -> tuple[int, ...]:
    out = tuple(_integer(x, what, low, high) for x in _array(value, what, None))
    if any(x >= y for x, y in pairwise(out)):
        raise CertificateError(f"{what} must increase, got {list(out)!r:.80}")
    return out


def _amplitude(value: Any) -> float:
    if type(value) is not float or not 0 <= value < math.inf:
        raise CertificateError(f"prover.amplitude must hold numbers >= 0 with a decimal point, got {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    """Return a value in at most 80 characters; what may be too long to be printed is named."""
    if isinstance(value, (list, tuple, Mapping)):
        return type(value).__name__
    if type(value) is int and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    return f"{value!r:.80}"
