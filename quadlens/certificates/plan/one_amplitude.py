r"""The plan for a smooth activation: neurons of one frequency share their curves and one amplitude.

``act(rH)`` is no multiple of ``act(H)``: the curves are the frequency's times the median amplitude of its neurons, and
every ``r_i`` of the plan is 1. How far a neuron is from that is part of what the waveforms leave of it.
"""

from dataclasses import replace

import numpy as np

from quadlens.certificates.plan.choose import Budget, draft, retaining
from quadlens.certificates.plan.outputs import output_needs
from quadlens.certificates.plan.plan import Plan, quantised
from quadlens.certificates.plan.unsettled import needs
from quadlens.circuits.circuit import Circuit


def choose_smooth(circuit: Circuit, budget: Budget) -> Plan:
    """Choose a plan for a circuit with a smooth activation within a budget; O(pn) with constants from the budget.

    Retained frequencies are those of ``output_needs`` as for ReLU, which is near enough; all that the budget has.
    """
    found, plan = draft(circuit, budget)
    groups = []
    for group in plan.groups:
        node = float(np.median(plan.amplitude[group.members]))
        groups.append(replace(group, A=quantised(node * group.A), B=quantised(node * group.B)))
    ones = np.ones(circuit.neurons)
    plan, found = replace(plan, groups=tuple(groups), amplitude=ones), replace(found, amplitude=ones)
    # with no margin to compare them with, no frequency is too faint
    estimate = replace(output_needs(circuit, found, plan, needs(circuit, plan).square, 0.0), margin=0.0)
    return retaining(plan, estimate, budget)
