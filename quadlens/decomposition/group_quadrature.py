"""How good a quadrature rule each frequency group is: error, blame, the widths that would do as well or certify."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quadlens.form.amplitude_phase import AmplitudePhaseForm, FrequencyGroup
from quadlens.quadrature.certifying_width import CertifyingWidths, certifying_widths
from quadlens.quadrature.harmonics import HarmonicError, harmonic_error
from quadlens.quadrature.rates import TrainedPoint, trained_point
from quadlens.quadrature.waveform import group_waveform

HIGHEST_HARMONIC = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupQuadrature:
    """By frequency: where each group lies among the rates, its error in harmonic form for every d; and the widths at
    which the network's groups would certify.
    """

    trained: dict[int, TrainedPoint]
    harmonics: dict[int, HarmonicError]
    widths: CertifyingWidths


def group_quadrature(form: AmplitudePhaseForm, groups: Sequence[FrequencyGroup]) -> GroupQuadrature | None:
    """Return it for some groups of a ReLU form; None for another activation, or where none of them has weight.

    Random phases are drawn with a fixed seed: the same network gives the same widths.
    """
    alive = [group for group in groups if group.weight > 0]
    if form.activation != "relu" or not alive:
        return None
    trained, harmonics = {}, {}
    for group in alive:
        phi, psi, w = (values[group.members] for values in (form.phi, form.psi, form.weights))
        c = group_waveform(form.p, group.frequency, group.e_A, group.e_B, group.s_A, group.s_B, group.kappa)
        trained[group.frequency] = trained_point(phi, psi, w)
        harmonics[group.frequency] = harmonic_error(c, phi, psi, w, highest=HIGHEST_HARMONIC)
    weights = {group.frequency: group.weight for group in form.groups if group.weight > 0}
    widths = certifying_widths(form.p, weights, trained, np.random.default_rng(0))
    return GroupQuadrature(trained=trained, harmonics=harmonics, widths=widths)
