r"""Everything that (L) and (G) need of one circuit, evaluated on a device; the plan is chosen on the CPU."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quadlens.certificates.choose import Budget, choose
from quadlens.certificates.inequality import WIDE, ClassInequality, Inequality, gate_weights
from quadlens.certificates.kink import negative_slope
from quadlens.certificates.on_torch.class_bounds import Answers, answers_on, class_bounds
from quadlens.certificates.on_torch.device import device_named, tables_on
from quadlens.certificates.on_torch.gate_sums import gate_sums
from quadlens.certificates.on_torch.input_quantities import InputsOnDevice, clusters_on, input_quantities
from quadlens.certificates.on_torch.remainder import remainder
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.retained import Retained
from quadlens.certificates.rounding_term import rounding_term
from quadlens.circuits.circuit import Circuit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InequalityOnDevice:
    """``found``: (L) of every class, in numpy; and the quantities of each input, which stay on the device."""

    found: ClassInequality
    inputs: InputsOnDevice
    retained: Retained

    @property
    def answers(self) -> Answers:
        """What (G) needs of each wrong answer, on the device."""
        return answers_on(self.found.plan, self.found.rest, self.inputs.X.device)

    def on_cpu(self) -> Inequality:
        """Return the whole inequality in numpy."""
        fields = {name: getattr(self.found, name) for name in ("plan", "rest", "classes", "rounding", "label")}
        return Inequality(inputs=self.inputs.on_cpu(self.found.plan, self.retained), **fields)


def evaluate_on(
    circuit: Circuit,
    budget: Budget,
    count: OperationCounter,
    device: str,
    progress: Callable[[float], None] | None = None,
) -> InequalityOnDevice:
    """Choose a plan, and evaluate every term of (L) on a device, as ``evaluate_inequality`` does in numpy."""

    def report(done: float) -> None:
        if progress is not None:
            progress(done)

    choice = choose(circuit, budget, count)
    plan, retained, cross = choice.plan, choice.retained, choice.cross
    report(0.1)
    tables, slope = tables_on(circuit, device_named(device)), negative_slope(circuit.activation)
    sums = gate_sums(tables, plan, retained, cross, slope, count, lambda done: report(0.1 + 0.6 * done))
    rest = remainder(tables, plan, retained, slope, count)
    report(0.8)
    del tables
    inputs = input_quantities(plan, retained, sums, rest, count)
    crossings = sums.crossings
    # as large as the inputs' quantities, which are all that is needed from here
    del sums
    report(0.85)
    label = np.zeros((plan.p, plan.p), dtype=np.int64)
    classes = class_bounds(plan, inputs, rest, label, count)
    if bool((WIDE * classes.ideal < classes.E).any()):
        label = clusters_on(inputs, budget.clusters, count)
        report(0.9)
        classes = class_bounds(plan, inputs, rest, label, count)
    weights = gate_weights(plan, retained, cross)
    rounding = rounding_term(circuit, plan, weights, crossings, rest.tail_error)
    count.add(4 * circuit.p, circuit.neurons)
    report(1.0)
    found = ClassInequality(plan=plan, rest=rest, classes=classes, rounding=rounding, label=label)
    return InequalityOnDevice(found=found, inputs=inputs, retained=retained)
