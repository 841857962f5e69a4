"""The numbers that the page's interactive part draws from, small enough to travel inside the page."""

import base64
from typing import Any

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import FloatArray
from quadlens.report.analysis import Analysis
from quadlens.report.figures.canvas import shown_groups
from quadlens.report.integrand import curve_areas, group_rule, mean_amplitude, node_weights

MOST_ENTRIES = 200_000
"""Largest table (p n entries) that travels with the page; beyond it the explorer uses each neuron's waves instead."""

DIGITS = 5


def explorer_data(analysis: Analysis) -> dict[str, Any]:
    """Return what the explorer needs: groups with their rules, neurons with their waves, tables as 16-bit integers."""
    circuit, form = analysis.circuit, analysis.form
    groups = [group for group in shown_groups(form) if group.weight > 0]
    degree = activation_named(form.activation).degree
    members = np.concatenate([group.members for group in groups]) if groups else np.zeros(0, dtype=np.int64)
    data: dict[str, Any] = {
        "p": circuit.p,
        "activation": form.activation,
        "degree": 1 if degree is None else degree,
        "groups": [],
        "neuron": [int(i) for i in members],
        "tables": None,
    }
    first, d = 0, np.arange(circuit.p)
    # at the right answer c = a + b the curve is turned by ωk(c − 2b) = ωkd
    right = {group.frequency: np.exp(1j * circuit.omega * (group.frequency * d % circuit.p)) for group in groups}
    for group in groups:
        rule = group_rule(form, group)
        scale = float(node_weights(form, group).sum() / (2 * np.pi))
        data["groups"].append(
            {
                "k": group.frequency,
                "e_A": _pair(group.e_A),
                "e_B": _pair(group.e_B),
                "s_A": _pair(group.s_A),
                "s_B": _pair(group.s_B),
                "kappa": group.kappa,
                "rho": mean_amplitude(form, group),
                "scale": scale,
                "integral": [float(f"{area:.8g}") for area in scale * curve_areas(form, group, right[group.frequency])],
                "order": [int(first + i) for i in rule.order],
                "starts": _rounded(rule.starts),
                "widths": _rounded(rule.stops - rule.starts),
            }
        )
        first += group.members.size
    for name in ("r", "phi", "u", "psi", "kappa"):
        data[name] = _rounded(getattr(form, name)[members])
    for name in ("e_A", "e_B", "s_A", "s_B"):
        wave = getattr(form, name)[members]
        data[name] = [_rounded(wave.real), _rounded(wave.imag)]
    if circuit.p * members.size <= MOST_ENTRIES:
        data["tables"] = {
            "A": _packed(circuit.A[:, members].T),
            "B": _packed(circuit.B[:, members].T),
            "U": _packed(circuit.U[members]),
        }
    return data


def _pair(value: complex) -> list[float]:
    return [value.real, value.imag]


def _rounded(values: FloatArray) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]


def _packed(table: FloatArray) -> dict[str, Any]:
    """Return a table as little-endian 16-bit integers in base64, and the number that a unit stands for."""
    unit = float(np.abs(table).max(initial=0.0)) / 32767 or 1.0
    return {"unit": unit, "data": base64.b64encode(np.round(table / unit).astype("<i2").tobytes()).decode()}
