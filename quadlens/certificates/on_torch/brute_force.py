r"""The margins of ``certificates.brute_force`` on a device, for relu, abs and square: same formula, same bounds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from quadlens.certificates.brute_force import MarginBounds
from quadlens.certificates.on_torch.device import Tables, device_named, placed, tables_on
from quadlens.certificates.parallel import blocks_of
from quadlens.circuits.circuit import Circuit
from quadlens.errors import OptionError
from quadlens.rounding import SMALLEST, UNIT_ROUNDOFF, gamma

ON_DEVICE = ("relu", "abs", "square")
"""Activations of exact operations or one rounding; the others' enclosures are evaluated by numpy."""

BLOCK_BYTES = 2**30
"""Most memory that one block of inputs takes on a device (1 GiB), unless one residue needs more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """A circuit on a device: ``A, B, U`` and ``S_a, S_b (p, p)``, with what its error bound needs."""

    circuit: Circuit
    tables: Tables
    S_a: Tensor
    S_b: Tensor


def network_on(circuit: Circuit, device: str) -> Network:
    """Copy a circuit to a device.

    Raises
    ------
    OptionError
        If there is no such device, or the activation's enclosure is not evaluated on one.
    """
    place = device_named(device)
    if circuit.activation not in ON_DEVICE:
        raise OptionError(
            f"brute-force on a device is for {', '.join(ON_DEVICE)}; the enclosure of {circuit.activation} is evaluated"
            " by numpy: leave the device out"
        )
    S_a, S_b = placed(circuit.S_a, place), placed(circuit.S_b, place)
    return Network(circuit=circuit, tables=tables_on(circuit, place), S_a=S_a, S_b=S_b)


def row_blocks(circuit: Circuit) -> Iterator[slice]:
    """Yield slices of ``a``: six numbers for each neuron of an input and four for each answer fit, or it is one row."""
    yield from blocks_of(circuit.p, BLOCK_BYTES // (8 * circuit.p * (6 * circuit.neurons + 4 * circuit.p)))


def margin_bounds(network: Network, rows: slice) -> MarginBounds:
    """Return proved bounds on the margin of every input ``(a, b)`` with ``a`` in ``rows``; not finite where float64
    overflows.
    """
    found, band = margins_and_bands(network, rows)
    low, high = _next(found - band, -torch.inf), _next(found + band, torch.inf)
    return MarginBounds(low=low.cpu().numpy(), high=high.cpu().numpy())


def margins_and_bands(network: Network, rows: slice) -> tuple[Tensor, Tensor]:
    """Return the computed margins and how far off they are at most, shape (rows, p): the formula of ``brute_force``."""
    circuit, tables, radius = network.circuit, network.tables, network.circuit.radius
    n = circuit.neurons
    x = tables.A[rows, None] + tables.B
    y = {"relu": lambda: x.clamp_min(0.0), "abs": x.abs, "square": x.square}[circuit.activation]()
    size_x = x.abs_()
    largest = tables.U.abs().amax(dim=1)
    if circuit.activation == "square":
        dx = sum_up({"preactivations": UNIT_ROUNDOFF * size_x, "radius of A and B": radius["A"] + radius["B"]}, 3)
        # one rounding of its own, and the slope between the computed and the exact preactivation
        enclosure = _next(UNIT_ROUNDOFF * y + SMALLEST, torch.inf)
        dy = sum_up({"enclosure": enclosure, "slope": (2 * size_x + dx) * dx}, 5)
        hidden = {"activations": dy @ (largest + radius["U"])}
        del dx, dy, enclosure
    else:
        hidden = {
            "preactivations": UNIT_ROUNDOFF * (size_x @ (largest + radius["U"])),
            "radius of A and B": (radius["A"] + radius["B"]) * (largest + radius["U"]).sum(),
        }
    skip = network.S_a[rows].abs().amax(dim=1)[:, None] + network.S_b.abs().amax(dim=1)
    pieces = {
        "products": gamma(n + 2) * (y @ largest),
        **hidden,
        "radius of U": radius["U"] * y.sum(dim=-1) if radius["U"] > 0 else 0.0,
        "skip": gamma(2) * skip,
        "radius of S": radius["S_a"] + radius["S_b"],
        "underflow": (2 * n + 8) * SMALLEST,
    }
    del size_x
    logit_error = sum_up(pieces, n + 16)
    found = _margins(y @ tables.U + network.S_a[rows, None] + network.S_b, rows)
    return found, sum_up({"logits": 2 * logit_error, "difference": UNIT_ROUNDOFF * found.abs()}, 3)


def _margins(logits: Tensor, rows: slice) -> Tensor:
    """Return each input's margin: the logit of ``a + b mod p`` minus the largest other logit; logits are used up."""
    p = logits.shape[-1]
    b = torch.arange(p, device=logits.device)
    right = ((b[rows, None] + b) % p)[..., None]
    correct = logits.gather(2, right)[..., 0]
    return correct - logits.scatter_(2, right, -torch.inf).amax(dim=-1)


def _next(x: Tensor, towards: float) -> Tensor:
    return torch.nextafter(x, torch.full_like(x, towards))


def sum_up(pieces: Mapping[str, Tensor | float], operations: int) -> Tensor:
    """Return what ``quadlens.rounding.sum_up`` does."""
    total: Any = sum(pieces.values())
    return _next(total * (1 + 2 * gamma(operations + 1)), torch.inf)
