r"""The method ``brute-force``: all p² inputs in float64, every margin with a proved bound on its rounding error.

With ``y`` the computed activations of an input, ``u_i = max_c |U[i, c]|``, ``r_X`` the radius of table ``X`` and ``γ``
as in ``quadlens.rounding``, a computed logit is off by at most

    E = γ_{n+2} Σ_i |y_i| u_i + Σ_i dy_i (u_i + r_U) + r_U Σ_i |y_i| + γ_2 (max|S_a| + max|S_b|) + r_Sa + r_Sb
        + (2n + 8) η,
    dy_i = e_i + L_i (u |x_i| + r_A + r_B),

``e_i`` the error of the activation and ``L_i`` its Lipschitz constant where the preactivation ``x_i`` can lie. Of the
underflow's ``2n + 8``, n/2 are the logit's products, the rest what underflow can take from E. The margin is off by
``2E`` and one rounding. An input whose margin lies within that band is neither certified nor called wrong.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import FloatArray
from quadlens.certificates.activation_enclosure import enclosed_activation
from quadlens.certificates.certificate import LISTED, Certificate, ClassBound
from quadlens.certificates.compute.namespace import evaluated_by
from quadlens.certificates.digest import network_digest
from quadlens.certificates.float32 import float32_margin_error
from quadlens.certificates.kink import SLOPES
from quadlens.certificates.inequality.operations import brute_force_operations
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import margins, preactivations, row_blocks
from quadlens.rounding import SMALLEST, UNIT_ROUNDOFF, gamma, sum_up

BLOCK_BYTES = 2**24
"""Memory of one block of inputs (16 MiB, near the cache), three times that where the activation is not exact."""

OVERFLOW = "a logit or its error bound overflows float64; rescale the network or use exact"

ARITHMETIC = "float64, every margin lowered by an a-priori rounding bound that is itself rounded up"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginBounds:
    """Proved bounds ``low <= margin <= high`` of the inputs ``(a, b)``, shape (rows, p)."""

    low: FloatArray
    high: FloatArray


def certify_brute_force(
    circuit: Circuit, *, device: str | None = None, progress: Callable[[float], None] | None = None
) -> Certificate:
    """Run every input in float64 and count as certified what no rounding error can make wrong.

    Cost ``2p³n``, all activations; GELU, SiLU and tanh are evaluated with an error proved in balls. ``misclassified``
    lists the inputs that
    are proved wrong. An overflow gives a refused certificate. With a ``device`` (``cpu``, ``cuda``, ``cuda:1``) torch
    runs them there, in float64 with the same bound; for relu, abs and square only.

    Raises
    ------
    OptionError
        If there is no such device, or another activation is to be evaluated there.
    """
    start = time.perf_counter()
    blocks, bounds_of = _evaluator(circuit, device)
    p = circuit.p
    difference = (np.arange(p)[:, None] - np.arange(p)) % p
    low, high = np.empty((p, p)), np.empty((p, p))
    refusal = None
    for rows in blocks:
        bounds = bounds_of(rows)
        if not (np.isfinite(bounds.low).all() and np.isfinite(bounds.high).all()):
            refusal = OVERFLOW
            break
        low[rows], high[rows] = bounds.low, bounds.high
        if progress is not None:
            progress(rows.stop / p)
    classes: tuple[ClassBound, ...] = ()
    wrong: list[tuple[int, int]] | None = None
    blame: tuple[str, ...] = ()
    if refusal is None:
        classes = tuple(_class_bound(d, low[difference == d], high[difference == d]) for d in range(p))
        wrong = [(int(a), int(b)) for a, b in np.argwhere(high <= 0)]
        open_inputs = int(((low <= 0) & (high > 0)).sum())
        if open_inputs:
            width = float((high - low).max())
            reason = f"{open_inputs} inputs have margins within the rounding error, at most {width:.3g}; use exact"
            blame = (reason,)
    return Certificate(
        method="brute-force",
        p=p,
        neurons=circuit.neurons,
        parameters=circuit.parameters,
        activation=circuit.activation,
        sha256=network_digest(circuit),
        classes=classes,
        ledger=min(classes, key=lambda bound: bound.margin_lower_bound).ledger if classes else (),
        arithmetic=evaluated_by(ARITHMETIC, device),
        operations=brute_force_operations(circuit.p, circuit.neurons) + 6 * p * p * circuit.neurons,
        brute_force_operations=brute_force_operations(circuit.p, circuit.neurons),
        seconds=time.perf_counter() - start,
        misclassified=None if wrong is None else tuple(wrong[:LISTED]),
        misclassified_count=None if wrong is None else len(wrong),
        float32_error=float32_margin_error(circuit),
        blame=blame,
        refusal=refusal,
    )


def _evaluator(circuit: Circuit, device: str | None) -> tuple[Iterator[slice], Callable[[slice], MarginBounds]]:
    """Return blocks of rows, and what bounds the margins of one."""
    if device is None:
        return row_blocks(circuit, BLOCK_BYTES), partial(margin_bounds, circuit)
    from quadlens.certificates.on_torch import brute_force as on_torch

    return on_torch.row_blocks(circuit), partial(on_torch.margin_bounds, on_torch.network_on(circuit, device))


def _class_bound(d: int, low: FloatArray, high: FloatArray) -> ClassBound:
    worst = int(np.argmin(low))
    bound = float(low[worst])
    band = float(high[worst]) - bound
    return ClassBound(
        difference=d,
        margin_lower_bound=bound,
        certified=int((low > 0).sum()),
        ledger=(("computed margin", bound + band / 2), ("rounding", -band / 2)),
    )


def margin_bounds(circuit: Circuit, rows: slice) -> MarginBounds:
    """Return proved bounds on the margin of every input ``(a, b)`` with ``a`` in ``rows``; not finite where float64
    overflows."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        found, band = margins_and_bands(circuit, rows)
        return MarginBounds(low=np.nextafter(found - band, -np.inf), high=np.nextafter(found + band, np.inf))


def margins_and_bands(circuit: Circuit, rows: slice) -> tuple[FloatArray, FloatArray]:
    """Return the computed margins and how far off they are at most, shape (rows, p)."""
    n, radius = circuit.neurons, circuit.radius
    largest = np.abs(circuit.U).max(axis=1)
    x = preactivations(circuit, rows)
    if circuit.activation in SLOPES:
        # no rounding of its own and no slope above 1, so e_i = 0 and L_i = 1: two sums over the neurons say what
        # dy_i would, and no array is made of it
        hidden = {
            "preactivations": UNIT_ROUNDOFF * (np.abs(x) @ (largest + radius["U"])),
            "radius of A and B": (radius["A"] + radius["B"]) * (largest + radius["U"]).sum(),
        }
        y = size = activation_named(circuit.activation).apply(x)
    else:
        y, dy = _activations(circuit, x)
        hidden = {"activations": dy @ (largest + radius["U"])}
        size = np.abs(y)
    skip = np.abs(circuit.S_a[rows]).max(axis=1)[:, None] + np.abs(circuit.S_b).max(axis=1)
    pieces = {
        "products": gamma(n + 2) * (size @ largest),
        **hidden,
        "radius of U": radius["U"] * size.sum(axis=-1) if radius["U"] > 0 else 0.0,
        "skip": gamma(2) * skip,
        "radius of S": radius["S_a"] + radius["S_b"],
        "underflow": (2 * n + 8) * SMALLEST,
    }
    logit_error = sum_up(pieces, n + 16)
    found = margins(y @ circuit.U + circuit.S_a[rows, None, :] + circuit.S_b, rows)
    return found, sum_up({"logits": 2 * logit_error, "difference": UNIT_ROUNDOFF * np.abs(found)}, 3)


def _activations(circuit: Circuit, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the activations of computed preactivations, and how far off they are at most."""
    radius, size_x = circuit.radius, np.abs(x)
    y, error = enclosed_activation(circuit.activation, x)
    # what underflow takes here is less than e_i has to spare: η/2 for x², 2^-1000 for the others
    dx = sum_up({"preactivations": UNIT_ROUNDOFF * size_x, "radius of A and B": radius["A"] + radius["B"]}, 3)
    return y, sum_up({"enclosure": error, "slope": _lipschitz(circuit.activation, size_x, dx) * dx}, 5)


def _lipschitz(name: str, size_x: FloatArray, dx: FloatArray) -> FloatArray:
    """Return a bound on ``|act'|`` between the computed and the exact preactivation."""
    lipschitz = activation_named(name).lipschitz
    return 2 * size_x + dx if lipschitz is None else np.full(size_x.shape[-1:], lipschitz)
