r"""The stages of ``certificates.inequality.evaluate`` on a device; the plan is chosen on the CPU."""

from collections.abc import Callable

from quadlens.certificates.choose import Budget, Choice
from quadlens.certificates.inequality import Evaluated, Stages, evaluate
from quadlens.certificates.kink import negative_slope
from quadlens.certificates.on_torch.class_bounds import class_bounds
from quadlens.certificates.on_torch.device import device_named, tables_on
from quadlens.certificates.on_torch.gate_sums import GateSumsOnDevice, gate_sums
from quadlens.certificates.on_torch.input_quantities import InputsOnDevice, clusters_on, input_quantities
from quadlens.certificates.on_torch.remainder import remainder
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.remainder import Remainder
from quadlens.circuits.circuit import Circuit


def evaluate_on(
    circuit: Circuit,
    budget: Budget,
    count: OperationCounter,
    device: str,
    progress: Callable[[float], None] | None = None,
) -> Evaluated[InputsOnDevice]:
    """Choose a plan, and evaluate every term of (L) on a device; the quantities of each input stay there."""
    place = device_named(device)

    # the tables leave the device when this is done
    def over_neurons(
        circuit: Circuit, choice: Choice, count: OperationCounter, report: Callable[[float], None]
    ) -> tuple[GateSumsOnDevice, Remainder]:
        tables, slope = tables_on(circuit, place), negative_slope(circuit.activation)
        plan, retained = choice.plan, choice.retained
        sums = gate_sums(tables, plan, retained, choice.cross, slope, count, lambda done: report(6 / 7 * done))
        rest = remainder(tables, plan, retained, slope, count)
        report(1.0)
        return sums, rest

    stages = Stages(
        over_neurons=over_neurons,
        input_quantities=input_quantities,
        class_bounds=class_bounds,
        clusters=clusters_on,
    )
    return evaluate(circuit, budget, stages, count, progress)
