"""The arcs of ``certificates.arcs``, found on a device: where ``H`` is above each threshold."""

from dataclasses import dataclass

import torch
from torch import Tensor

from quadlens.certificates import arcs as numpy_arcs
from quadlens.certificates.on_torch.device import placed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arcs:
    """``starts, stops`` (arcs, p): first cells of each row's arcs, and the cells just behind them; ``2G`` for none."""

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
    """Find, for each threshold, the arcs of each row where the zone is above it: numpy does, of eight bits a cell."""
    found = numpy_arcs.arcs(zone.cpu().numpy(), thresholds)
    return [Arcs(starts=placed(one.starts, zone.device), stops=placed(one.stops, zone.device)) for one in found]
