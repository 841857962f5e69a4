r"""The prefix sums of one table over one bucket, on a device: built and read in blocks of residues.

The formulas are those of ``certificates.gate_sums``; complex numbers are pairs, real part first.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from quadlens.certificates.on_torch.arcs import Arcs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BucketOnDevice:
    """What the sums of both tables need of one bucket.

    ``zone (p, G)`` and ``found``, the arcs of each threshold, by ``s = frequency · d mod p``; ``shift (p,)``;
    ``members, cell, r (members,)``; ``halves (J + 1,)``: half of ``0, l_1, …``; ``position, half_weights, shut`` of
    ``BucketWeights``, and its ``u_hat (members, 2K)`` in pairs, which go to ``columns (2K,)`` of C, and the own
    frequency's midpoint to ``own (2,)``, if it has one.
    """

    frequency: int
    zone: Tensor
    found: list[Arcs]
    position: Tensor
    shift: Tensor
    members: Tensor
    cell: Tensor
    r: Tensor
    halves: Tensor
    half_weights: Tensor
    shut: float
    u_hat: Tensor
    columns: Tensor
    own: Tensor | None


def add_table(
    bucket: BucketOnDevice, table: Tensor, curve: Tensor, first: bool, C: Tensor, R: Tensor, block: int
) -> None:
    """Add a table's sums to ``C (p, p, 2|F|)`` and ``R (p, p)``, whose first axis is this table's residues.

    ``first`` says that the table is A: its residue minus the other's is the class; ``block`` bounds the numbers held.
    """
    p, width = table.shape[0], bucket.members.numel() + 1
    channels, parts, thresholds = bucket.half_weights.shape[1], bucket.u_hat.shape[1], len(bucket.found)
    rows = max(1, block // (width * (thresholds * channels + parts) + 2 * p * (channels + parts)))
    for start in range(0, p, rows):
        mine = torch.arange(start, min(start + rows, p), device=table.device)
        midpoint, gated = block_sums(bucket, table[mine], curve, first, mine)
        _add_columns(C[start : start + rows], bucket.columns, gated)
        R[start : start + rows] += midpoint[:, :, 0]
        if bucket.own is not None:
            _add_columns(C[start : start + rows], bucket.own, midpoint[:, :, 1:])


def _add_columns(C: Tensor, columns: Tensor, values: Tensor) -> None:
    C[:, :, columns] += values


def block_sums(
    bucket: BucketOnDevice, table: Tensor, curve: Tensor, first: bool, mine: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the sums of ``½ρ̄`` (times ``w`` and ``û°``) and of the gated ``û``, for residues ``mine`` and all of the
    other table: shapes (rows, p, channels) and (rows, p, 2K).
    """
    values = table[:, bucket.members]
    at = (bucket.cell + bucket.shift[mine, None]) % curve.numel()
    delta = values - bucket.r * curve[at]
    # this table's part of ρ̄ in each zone of H, from the lowest to the highest
    halves = bucket.halves[:, None, None] * bucket.r
    residuals = torch.cat([delta - halves.flip(0), -delta - halves]).clamp_min(0.0)
    # with every neuron in the lowest zone; then each threshold's change for all of them
    lowest = residuals[0] @ bucket.half_weights
    prefix = prefix_sums(residuals.diff(dim=0)[..., None] * bucket.half_weights)
    everywhere = torch.cat([lowest[None], prefix[:, :, -1]]).cumsum(0)
    midpoint = _read(bucket, prefix, everywhere, bucket.zone, bucket.found, first, mine)
    del prefix
    zero = bucket.halves.numel() - 1
    prefix = prefix_sums((values[:, :, None] * bucket.u_hat)[None])
    on = torch.stack([bucket.shut * prefix[0, :, -1], (1 + bucket.shut) * prefix[0, :, -1]])
    gated = _read(bucket, prefix, on, bucket.zone > zero, [bucket.found[zero]], first, mine)
    return midpoint, gated


def prefix_sums(values: Tensor) -> Tensor:
    """Return the sums over the members before each position; the members are the last axis but one.

    Each is a sum of its terms in some order: the rounding term asks no more of a device's scan.
    """
    before = values.new_zeros((*values.shape[:-2], values.shape[-2] + 1, values.shape[-1]))
    before[..., 1:, :] = values
    return before.cumsum(-2)


def _read(
    bucket: BucketOnDevice,
    prefix: Tensor,
    everywhere: Tensor,
    zone: Tensor,
    found: list[Arcs],
    first: bool,
    mine: Tensor,
) -> Tensor:
    """Return the sums for residues ``mine`` and every residue of the other table, shape (rows, p, channels).

    ``prefix`` (thresholds, rows, members + 1, channels) belongs to ``found``; ``everywhere`` (zones, rows, channels) is
    the sum with every neuron in one zone.
    """
    p, cells = zone.shape
    _, rows, width, channels = prefix.shape
    flat = prefix.reshape(-1, channels)
    row, other = torch.arange(rows, device=prefix.device)[:, None], torch.arange(p, device=prefix.device)
    s = bucket.frequency * (mine[:, None] - other if first else other - mine[:, None]) % p
    turn = bucket.shift[None] if first else bucket.shift[mine, None]
    last = zone[s, (turn - 1) % cells].to(torch.int64)
    out = everywhere.reshape(-1, channels)[last * rows + row]
    for number, one in enumerate(found):
        before = (number * rows + row) * width
        for cell in one.stops:
            out += flat[before + bucket.position[cell[s] + (cells - turn)]]
        for cell in one.starts:
            out -= flat[before + bucket.position[cell[s] + (cells - turn)]]
    return out
