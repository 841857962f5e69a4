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

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import FloatArray
from quadlens.certificates.compute.namespace import Namespace, evaluated_by, namespace_of
from quadlens.certificates.exact.activation_enclosure import enclosed_activation
from quadlens.certificates.inequality.operations import brute_force_operations
from quadlens.certificates.methods.envelope import Proof, certificate_of
from quadlens.certificates.record.certificate import Certificate, ClassBound
from quadlens.circuits.circuit import TABLES, Circuit
from quadlens.digits import at_most
from quadlens.errors import OptionError
from quadlens.rounding import SMALLEST, UNIT_ROUNDOFF, gamma, sum_up

OVERFLOW = "a logit or its error bound overflows float64; rescale the network or use exact"

ARITHMETIC = "float64, every margin lowered by an a-priori rounding bound that is itself rounded up"

ON_DEVICE = ("relu", "abs", "square")
"""Activations of exact operations or one rounding; the others' enclosures are evaluated by numpy."""


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
    lists the inputs that are proved wrong. An overflow gives a refused certificate. With a ``device`` (``cpu``,
    ``cuda``, ``cuda:1``) torch runs them there, in float64 with the same bound; for relu, abs and square only.

    Raises
    ------
    OptionError
        If there is no such device, or another activation is to be evaluated there.
    """
    network = Network.of(circuit, namespace_of(device))
    report = progress or (lambda done: None)
    return certificate_of("brute-force", circuit, lambda: _prove(network, evaluated_by(ARITHMETIC, device), report))


def _prove(network: "Network", arithmetic: str, report: Callable[[float], None]) -> Proof:
    p, n = network.circuit.p, network.circuit.neurons
    difference = (np.arange(p)[:, None] - np.arange(p)) % p
    low, high = np.empty((p, p)), np.empty((p, p))
    operations = brute_force_operations(p, n) + 6 * p * p * n
    step = max(1, network.at.block // (6 * p * n))
    for start in range(0, p, step):
        rows = slice(start, min(start + step, p))
        bounds = margin_bounds(network, rows)
        if not (np.isfinite(bounds.low).all() and np.isfinite(bounds.high).all()):
            return Proof(arithmetic=arithmetic, operations=operations, refusal=OVERFLOW)
        low[rows], high[rows] = bounds.low, bounds.high
        report(rows.stop / p)
    open_inputs = int(((low <= 0) & (high > 0)).sum())
    width = f"at most {at_most(np.nextafter((high - low).max(), np.inf))}"
    reason = f"{open_inputs} inputs have margins within the rounding error, {width}; use exact"
    return Proof(
        arithmetic=arithmetic,
        classes=tuple(_class_bound(d, low[difference == d], high[difference == d]) for d in range(p)),
        operations=operations,
        wrong=[(int(a), int(b)) for a, b in np.argwhere(high <= 0)],
        blame=(reason,) if open_inputs else (),
    )


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """A circuit with its tables in a namespace."""

    circuit: Circuit
    at: Namespace
    tables: dict[str, Any]

    @classmethod
    def of(cls, circuit: Circuit, at: Namespace) -> "Network":
        """Bring a circuit's tables to where they are computed with.

        Raises
        ------
        OptionError
            If the activation's enclosure is not evaluated there.
        """
        if at.device is not None and circuit.activation not in ON_DEVICE:
            raise OptionError(
                f"brute-force on a device is for {', '.join(ON_DEVICE)}; the enclosure of {circuit.activation} is "
                "evaluated by numpy: leave the device out"
            )
        return cls(circuit=circuit, at=at, tables={name: at.array(getattr(circuit, name)) for name in TABLES})


def margin_bounds(network: Network, rows: slice) -> MarginBounds:
    """Return proved bounds on the margin of every input ``(a, b)`` with ``a`` in ``rows``; not finite where float64
    overflows.
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        found, band = (network.at.numpy(part) for part in margins_and_bands(network, rows))
        return MarginBounds(low=np.nextafter(found - band, -np.inf), high=np.nextafter(found + band, np.inf))


def margins_and_bands(network: Network, rows: slice) -> tuple[Any, Any]:
    """Return the computed margins and how far off they are at most, shape (rows, p)."""
    circuit, xp, of = network.circuit, network.at.xp, network.tables
    n, radius = circuit.neurons, circuit.radius
    largest = xp.max(xp.abs(of["U"]), axis=1)
    x = of["A"][rows, None, :] + of["B"]
    slope = activation_named(circuit.activation).slope_below
    if slope is not None:
        # no rounding of its own and no slope above 1, so e_i = 0 and L_i = 1: two sums over the neurons say what
        # dy_i would, and no array is made of it
        hidden = {
            "preactivations": UNIT_ROUNDOFF * (xp.abs(x) @ (largest + radius["U"])),
            "radius of A and B": (radius["A"] + radius["B"]) * xp.sum(largest + radius["U"]),
        }
        y = size = xp.maximum(x, slope * x)
    else:
        y, dy = _activations(network, x)
        hidden = {"activations": dy @ (largest + radius["U"])}
        size = xp.abs(y)
    skip = xp.max(xp.abs(of["S_a"][rows]), axis=1)[:, None] + xp.max(xp.abs(of["S_b"]), axis=1)
    pieces = {
        "products": gamma(n + 2) * (size @ largest),
        **hidden,
        "radius of U": radius["U"] * xp.sum(size, axis=-1) if radius["U"] > 0 else 0.0,
        "skip": gamma(2) * skip,
        "radius of S": radius["S_a"] + radius["S_b"],
        "underflow": (2 * n + 8) * SMALLEST,
    }
    logit_error = sum_up(pieces, n + 16, xp)
    found = _margins(network.at, y @ of["U"] + of["S_a"][rows, None, :] + of["S_b"], rows)
    return found, sum_up({"logits": 2 * logit_error, "difference": UNIT_ROUNDOFF * xp.abs(found)}, 3, xp)


def _margins(at: Namespace, logits: Any, rows: slice) -> Any:
    """Return each input's margin: the logit of ``a + b mod p`` minus the largest other logit."""
    xp, p = at.xp, logits.shape[-1]
    right = at.array((np.arange(p)[rows, None] + np.arange(p)) % p)[:, :, None]
    others = xp.where(right == at.array(np.arange(p)), -np.inf, logits)
    return xp.take_along_axis(logits, right, axis=2)[:, :, 0] - xp.max(others, axis=2)


def _activations(network: Network, x: Any) -> tuple[Any, Any]:
    """Return the activations of computed preactivations, and how far off they are at most."""
    circuit, xp = network.circuit, network.at.xp
    radius, size_x = circuit.radius, xp.abs(x)
    # what underflow takes here is less than e_i has to spare: η/2 for x², 2^-1000 for the others
    of_x = {"preactivations": UNIT_ROUNDOFF * size_x, "radius of A and B": radius["A"] + radius["B"]}
    dx = sum_up(of_x, 3, xp)
    if circuit.activation == "square":
        y = x * x
        error = UNIT_ROUNDOFF * y + SMALLEST
        error = xp.nextafter(error, xp.full_like(error, np.inf))
        slope = 2 * size_x + dx
    else:
        y, error = enclosed_activation(circuit.activation, x)
        slope = activation_named(circuit.activation).lipschitz
    return y, sum_up({"enclosure": error, "slope": slope * dx}, 5, xp)
