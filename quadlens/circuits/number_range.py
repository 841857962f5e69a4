"""How large a circuit's numbers may be for what squares and adds them: measured things overflow before float64 does."""

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import FloatArray
from quadlens.circuits.circuit import TABLES, Circuit
from quadlens.errors import CircuitError

MAX_LOGIT = 1e150
"""Largest bound on a logit, and largest entry: its square, summed over every input and logit, must stay a float64."""


def require_range(circuit: Circuit) -> None:
    """Refuse finite tables whose entries or logits could overflow where they are added up or squared.

    Raises
    ------
    CircuitError
        Naming what is too large, and the largest that is allowed.
    """
    tables = {name: getattr(circuit, name) for name in TABLES}
    largest = {name: max(float(table.max()), -float(table.min())) for name, table in tables.items()}
    with np.errstate(over="ignore"):
        preactivation = np.float64(largest["A"]) + largest["B"]
        act = activation_named(circuit.activation)
        at_0 = abs(float(act.apply(np.zeros(1))[0]))
        # only the square has no bound on its slope
        hidden = np.square(preactivation) if act.lipschitz is None else act.lipschitz * preactivation + at_0 + 1
        logit = circuit.neurons * hidden * largest["U"] + largest["S_a"] + largest["S_b"]
    if not logit <= MAX_LOGIT:
        raise CircuitError(f"its logits may reach {logit:.1e}, more than {MAX_LOGIT:g}; rescale the weights")
    name = max(largest, key=lambda table: largest[table])
    if largest[name] > MAX_LOGIT:
        raise CircuitError(
            f"table {name} holds {largest[name]:.1e}, more than {MAX_LOGIT:g}, whose square overflows; rescale it"
        )


def require_waves(power: FloatArray, r: FloatArray, u: FloatArray) -> None:
    """Refuse waves whose squared amplitudes overflow, or whose logits ``r u`` could where they are squared and added.

    Raises
    ------
    CircuitError
        Naming what is too large, and the largest that is allowed.
    """
    if not np.isfinite(power).all():
        raise CircuitError("tables A and B hold waves so large that the square of an amplitude overflows; rescale them")
    with np.errstate(over="ignore", invalid="ignore"):
        logit = float((r * u).max(initial=0.0))
    if not logit <= MAX_LOGIT:
        raise CircuitError(f"its waves' logits may reach {logit:.1e}, more than {MAX_LOGIT:g}; rescale the weights")
