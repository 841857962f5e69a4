r"""C and R of ``certificates.gate_sums`` on a device: the same sums, and they stay there."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from quadlens.arrays import FloatArray
from quadlens.certificates.arcs import thresholds_of
from quadlens.certificates.gate_sums import GateSums, bucket_weights, count_table_sums
from quadlens.certificates.on_torch.arcs import arcs, zones
from quadlens.certificates.on_torch.device import Tables, block_of, placed
from quadlens.certificates.on_torch.table_sums import BucketOnDevice, add_table
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.plan import Bucket, Plan
from quadlens.certificates.retained import Retained


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GateSumsOnDevice:
    """``C (p, p, 2|F|)``: ``C_z(a, b)`` in pairs; ``R (p, p, buckets)``; ``crossings`` bounds the arc ends of a sum."""

    C: Tensor
    R: Tensor
    crossings: int

    def on_cpu(self) -> GateSums:
        """Return the same sums as numpy arrays."""
        C = np.ascontiguousarray(self.C.cpu().numpy()).view(np.complex128)
        return GateSums(
            by_output=np.ascontiguousarray(np.moveaxis(C, 2, 0)),
            R=np.ascontiguousarray(np.moveaxis(self.R.cpu().numpy(), 2, 0)),
            crossings=self.crossings,
        )


def gate_sums(
    tables: Tables,
    plan: Plan,
    retained: Retained,
    cross: FloatArray,
    slope: float,
    count: OperationCounter,
    progress: Callable[[float], None] | None = None,
) -> GateSumsOnDevice:
    """Return C and R for every input; ``cross`` holds ``V_i``, ``slope`` is α, the activation's below 0."""
    p, kept, device = plan.p, len(plan.retained), tables.device
    C = placed(retained.skip_a, device)[:, None] + placed(retained.skip_b, device)
    count.add(2 * p * p, kept)
    R = torch.zeros((p, p, len(plan.buckets)), dtype=torch.float64, device=device)
    most = 0
    for number, bucket in enumerate(plan.buckets):
        part = _placed_bucket(plan, retained, cross, slope, bucket, device)
        count.add(p, plan.cells, 1 + len(part.found) + 1)
        for first, table, curve in ((True, tables.A, bucket.A), (False, tables.B, bucket.B)):
            turned = (C, R[:, :, number]) if first else (C.transpose(0, 1), R[:, :, number].T)
            add_table(part, table, placed(curve, device), first, *turned, block_of(device))
            ends = [one.stops.shape[0] + one.starts.shape[0] for one in part.found]
            count_table_sums(p, bucket, part.u_hat.shape[1], part.half_weights.shape[1], ends, count)
        most = max([most, *(one.starts.shape[0] for one in part.found)])
        if progress is not None:
            progress((number + 1) / len(plan.buckets))
    _add_solo(tables, plan, retained, slope, C, count)
    return GateSumsOnDevice(C=C, R=R, crossings=most)


def _placed_bucket(
    plan: Plan, retained: Retained, cross: FloatArray, slope: float, bucket: Bucket, device: torch.device
) -> BucketOnDevice:
    members, own = bucket.members, plan.own(bucket)
    shift = placed(plan.shifts(bucket.frequency), device)
    thresholds = thresholds_of(bucket)
    A, B = placed(bucket.A, device), placed(bucket.B, device)
    turns = placed(plan.grid * np.arange(plan.p), device)
    zone = zones(A, B, turns, placed(thresholds, device), block_of(device))
    weights = bucket_weights(plan, retained, cross, slope, bucket)
    return BucketOnDevice(
        frequency=bucket.frequency,
        zone=zone,
        found=arcs(zone, thresholds.size),
        position=placed(weights.position, device),
        shift=shift,
        members=placed(members, device),
        cell=placed(plan.cell[members], device),
        r=placed(plan.amplitude[members], device),
        halves=placed(0.5 * np.array([0.0, *bucket.levels]), device),
        half_weights=placed(weights.half_weights, device),
        shut=weights.shut,
        u_hat=placed(weights.u_hat, device),
        columns=placed((2 * weights.kept[:, None] + np.arange(2)).ravel(), device),
        own=None if own is None else placed(2 * own + np.arange(2), device),
    )


def _add_solo(tables: Tables, plan: Plan, retained: Retained, slope: float, C: Tensor, count: OperationCounter) -> None:
    """Add the solo neurons, evaluated for every input."""
    if not plan.solo.size:
        return
    p, solo = plan.p, placed(plan.solo, tables.device)
    parts = placed(retained.u_hat[plan.solo], tables.device)
    A, B = tables.A[:, solo], tables.B[:, solo]
    rows = max(1, block_of(tables.device) // (p * (plan.solo.size + parts.shape[1])))
    for start in range(0, p, rows):
        y = A[start : start + rows, None] + B
        C[start : start + rows] += torch.maximum(y, slope * y) @ parts
    count.add(p * p * plan.solo.size, 2 + 4 * len(plan.retained))
