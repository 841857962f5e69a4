"""The arcs of ``certificates.gate_sums``, found on a device: where ``H_d`` is above each threshold."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arcs:
    """``starts, stops`` (arcs, p): first cells of each d's arcs, and the cells just behind them; ``2G`` for none."""

    starts: Tensor
    stops: Tensor


def zones(A: Tensor, B: Tensor, shift: Tensor, thresholds: Tensor, block: int) -> Tensor:
    """Return how many thresholds lie below ``H_d(s) = A[s + shift_d] + B[s]``, shape (p, G), eight bits each."""
    cells = torch.arange(A.numel(), device=A.device)
    out = torch.zeros((shift.numel(), A.numel()), dtype=torch.int8, device=A.device)
    rows = max(1, block // A.numel())
    for start in range(0, shift.numel(), rows):
        H = A[(cells + shift[start : start + rows, None]) % A.numel()] + B
        # one at a time, as a comparison with all of them at once would be as many times as large
        for number in range(thresholds.numel()):
            out[start : start + rows] += thresholds[number] < H
    return out


def arcs(zone: Tensor, thresholds: int) -> list[Arcs]:
    """Find, for each threshold, the arcs of each row where the zone is above it."""
    rows, columns = torch.nonzero(zone != zone.roll(1, dims=1), as_tuple=True)
    old, new = zone[rows, columns - 1], zone[rows, columns]
    found = []
    for number in range(thresholds):
        up, down = (old <= number) & (number < new), (new <= number) & (number < old)
        found.append(Arcs(starts=_ranked(rows[up], columns[up], zone), stops=_ranked(rows[down], columns[down], zone)))
    return found


def _ranked(rows: Tensor, columns: Tensor, zone: Tensor) -> Tensor:
    """Return the columns of each row, in order, padded: shape (most in a row, rows)."""
    number = torch.searchsorted(rows, torch.arange(zone.shape[0] + 1, device=zone.device)).diff()
    first = number.cumsum(0) - number
    shape = (int(number.max()), zone.shape[0])
    out = torch.full(shape, 2 * zone.shape[1], dtype=torch.int64, device=zone.device)
    out[torch.arange(rows.numel(), device=zone.device) - first[rows], rows] = columns
    return out
