r"""What one frequency group integrates at one input: the curve, and every neuron's rectangle under it.

At input (a, b) and logit c, with ``θ = ωkb + φ`` and ``d = a − b``, the lens' integrand is

    g(θ) = act(ρ H_d(θ)) / ρ^D · cos(2θ + ωk(c − 2b)),

ρ the group's weighted mean amplitude (for a homogeneous activation of degree D it cancels). Neuron i stands at its own
θ_i, as wide as its share of the weight ``r_i^D u_i``, and as high as *the network makes it*:
``act(A[a, i] + B[b, i]) / r_i^D · cos(ωkc + ψ_i)``. So the rectangles' area, times ``Σ r^D u / 2π``, is exactly the
wave that the group adds to the logit c, and the area under the curve, times the same, is its refined limit.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import ComplexArray, FloatArray, wrap_angle
from quadlens.circuits.circuit import Circuit
from quadlens.errors import NodeError
from quadlens.form.amplitude_phase import AmplitudePhaseForm, FrequencyGroup
from quadlens.quadrature.closed_form import waveform_harmonics
from quadlens.quadrature.rectangles import RectangleRule, rectangle_rule
from quadlens.quadrature.waveform import group_waveform, waveform_values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Integrand:
    """The curve ``value`` at ``theta`` (radians in [−π, π]) and the rectangles ``[start, stop] × [0, height]``.

    ``waveform`` is ``H_d`` at ``theta``; ``curve_area`` the signed area under the curve over one period, in closed form
    (`curve_areas`), since no grid of points knows where the kinks are. Cells are placed so that each starts in [−π, π);
    one that passes π goes on at −π. ``scale`` is ``Σ r^D u / 2π``: an area times it is in logits.
    """

    p: int
    frequency: int
    a: int
    b: int
    c: int
    theta: FloatArray
    waveform: FloatArray
    value: FloatArray
    curve_area: float
    start: FloatArray
    stop: FloatArray
    height: FloatArray
    scale: float

    @property
    def rectangle_area(self) -> float:
        """Area of the rectangles, signed."""
        return float(((self.stop - self.start) * self.height).sum())


CURVE_POINTS = 1441


def integrand(
    circuit: Circuit, form: AmplitudePhaseForm, group: FrequencyGroup, a: int, b: int, c: int | None = None
) -> Integrand:
    """Return a group's integrand at input (a, b) and logit c (the right answer ``a + b`` where it is not given).

    Raises
    ------
    NodeError
        If the group has no weight: its neurons are silent.
    """
    p, k, omega = circuit.p, group.frequency, circuit.omega
    a, b = a % p, b % p
    c = (a + b) % p if c is None else c % p
    rule = group_rule(form, group)
    order = group.members[rule.order]
    theta = np.linspace(-np.pi, np.pi, CURVE_POINTS)
    H = waveform_values(waveforms(form, group)[(a - b) % p], theta)
    value = curve(form, group, H) * np.cos(2 * theta + omega * (k * (c - 2 * b) % p))
    shift = omega * (k * b % p)
    start = wrap_angle(rule.starts + shift)
    degree, r = _degree(form), form.r[order]
    heights = activation_named(form.activation).apply(circuit.A[a, order] + circuit.B[b, order])
    heights = np.where(r > 0, heights / np.where(r > 0, r, 1.0) ** degree, 0.0)
    heights *= np.cos(omega * (k * c % p) + form.psi[order])
    return Integrand(
        p=p,
        frequency=k,
        a=a,
        b=b,
        c=c,
        theta=theta,
        waveform=H,
        value=value,
        curve_area=float(curve_areas(form, group, np.exp(1j * omega * (k * (c - 2 * b) % p)))[(a - b) % p]),
        start=start,
        stop=start + (rule.stops - rule.starts),
        height=heights,
        scale=float(node_weights(form, group).sum() / (2 * np.pi)),
    )


def waveforms(form: AmplitudePhaseForm, group: FrequencyGroup) -> ComplexArray:
    """Return the coefficients ``(p, 3)`` of the group's ``H_d``."""
    return group_waveform(form.p, group.frequency, group.e_A, group.e_B, group.s_A, group.s_B, group.kappa)


def curve_areas(form: AmplitudePhaseForm, group: FrequencyGroup, turn: ComplexArray) -> FloatArray:
    """Return ``∫ act(ρ H_d)/ρ^D Re(turn e^{2iθ}) dθ = 2π Re(turn conj ĥ_2(d))`` for every d, shape (p,)."""
    rho, degree = mean_amplitude(form, group), activation_named(form.activation).degree
    H = waveforms(form, group)
    if degree is None:
        response = waveform_harmonics(rho * H, (2,), form.activation)[:, 0] / rho ** _degree(form)
    else:
        response = waveform_harmonics(H, (2,), form.activation)[:, 0]
    return np.asarray(2 * np.pi * (turn * np.conj(response)).real)


def curve(form: AmplitudePhaseForm, group: FrequencyGroup, H: FloatArray) -> FloatArray:
    """Return ``act(ρ H) / ρ^D``."""
    rho = mean_amplitude(form, group)
    return np.asarray(activation_named(form.activation).apply(rho * H) / rho ** _degree(form))


def mean_amplitude(form: AmplitudePhaseForm, group: FrequencyGroup) -> float:
    """Return the group's mean amplitude ρ, weighted by ``r u``; 1 for a silent group."""
    weight, r = form.weights[group.members], form.r[group.members]
    return float(weight @ r / weight.sum()) if weight.sum() > 0 else 1.0


def node_weights(form: AmplitudePhaseForm, group: FrequencyGroup) -> FloatArray:
    """Return ``r^D u`` of the group's neurons."""
    return np.asarray(form.r[group.members] ** _degree(form) * form.u[group.members])


def group_rule(form: AmplitudePhaseForm, group: FrequencyGroup) -> RectangleRule:
    """Return the group's rectangle rule, nodes φ and weights ``r^D u``."""
    weights = node_weights(form, group)
    if not weights.sum() > 0:
        raise NodeError(f"the group k = {group.frequency} is silent: none of its neurons has a wave to integrate")
    return rectangle_rule(form.phi[group.members], weights)


def blind_spot(p: int, frequency: int) -> int:
    """Return the d in 1 … p − 1 where ``|cos(ωkd/2)|`` is smallest: where the pure pizza sees nothing."""
    d = np.arange(1, p)
    return int(d[np.argmin(np.abs(np.cos(np.pi / p * (frequency * d % p))))])


def _degree(form: AmplitudePhaseForm) -> int:
    degree = activation_named(form.activation).degree
    return 1 if degree is None else degree
