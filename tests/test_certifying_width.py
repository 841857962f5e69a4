"""The error that a network of quadrature rules can bear, and the widths at which it would be certified."""

import numpy as np
import pytest

from quadlens.circuits.construct import construct
from quadlens.decomposition.group_quadrature import group_quadrature
from quadlens.errors import OptionError
from quadlens.form.amplitude_phase import fit
from quadlens.quadrature.certifying_width import certifying_widths, tolerated_error
from quadlens.quadrature.rates import even_certifying_width, even_phases, trained_point


def pizza_margins(p, weights, error):
    """The smallest margin of the pure integrals' logits when every group adds the worst wave of relative size error."""
    least = np.inf
    for d in range(p):
        for delta in range(1, p):
            x = np.array([2 * np.pi * k * delta / p for k in weights])
            Z = np.array([W * abs(np.cos(np.pi * k * d / p)) for k, W in weights.items()])
            # the wave's phase that hurts most, found by trying them
            phase = np.linspace(0, 2 * np.pi, 721)
            wave = (np.exp(1j * phase)[:, None] * (1 - np.exp(1j * x))).real.min(axis=0)
            least = min(least, float(Z @ (1 - np.cos(x)) + error * (Z @ wave)))
    return least


@pytest.mark.parametrize(("p", "weights"), [(13, {2: 1.0, 5: 3.0}), (11, {3: 2.0}), (15, {1: 1.0, 2: 0.5, 7: 1.0})])
def test_the_tolerated_error_is_where_the_worst_margin_ends(p, weights):
    found = tolerated_error(p, weights)
    assert 0 < found < 1
    assert pizza_margins(p, weights, found * 0.999) > 0
    # a grid of 720 phases misses the worst one by at most (π/720)²/2 = 1e-5 of the wave
    assert pizza_margins(p, weights, found * 1.001) < 0


def test_a_blind_input_tolerates_nothing():
    # at a − b = p/2 only even frequencies answer, and they cannot tell c from c + p/2
    widths = certifying_widths(12, {1: 1.0, 4: 0.5, 5: 1.0}, {}, np.random.default_rng(0))
    assert (widths.tolerance, widths.even, widths.random) == (0.0, None, None)
    assert widths.to_dict() == {"tolerance": 0.0, "even": None, "random": None, "trained": {}}


def test_certifying_widths_are_those_of_the_bounds():
    weights = {2: 1.0, 5: 1.0}
    tolerance = tolerated_error(13, weights)
    n = even_certifying_width(tolerance)
    phi = even_phases(n)
    points = {2: trained_point(phi, np.angle(np.exp(2j * phi)), np.ones(n))}
    widths = certifying_widths(13, weights, points, np.random.default_rng(0), draws=60)
    assert widths.tolerance == tolerance
    assert widths.even == n
    assert widths.random.low > 10 * n
    # a group that is even at the certifying width is there already, by either rate
    assert 0.9 * n < widths.trained[2].low <= widths.trained[2].high <= n
    wide = {2: trained_point(even_phases(n)[::2], np.angle(np.exp(2j * even_phases(n)[::2])), np.ones(n // 2 + 1))}
    later = certifying_widths(13, weights, wide, np.random.default_rng(0), draws=60).trained[2]
    assert n // 2 < later.value == later.low < later.high


def test_no_width_mends_a_mismatch():
    weights = {2: 1.0, 5: 1.0}
    tolerance, phi = tolerated_error(13, weights), even_phases(301)
    widths = []
    for off in (0.0, 0.3 * tolerance, 2.0 * tolerance):
        point = trained_point(phi, np.angle(np.exp(1j * (2 * phi + off))), np.ones(301))
        found = certifying_widths(13, weights, {2: point}, np.random.default_rng(0), draws=20).trained
        widths.append(found[2].value if found else np.inf)
    # what evenness leaves to do grows with what the mismatch has spent, and ends where that is all
    assert widths[0] < widths[1] < widths[2] == np.inf


def test_groups_of_a_network_and_its_activation():
    circuit = construct(p=13, frequencies=(2, 5), neurons=60)
    form = fit(circuit)
    found = group_quadrature(form, form.groups)
    assert list(found.trained) == list(found.harmonics) == list(found.widths.trained) == [2, 5]
    assert found.widths.tolerance == tolerated_error(13, {group.frequency: group.weight for group in form.groups})
    smooth = fit(construct(p=13, frequencies=(2,), neurons=60, activation="tanh"))
    assert group_quadrature(smooth, smooth.groups) is None


def test_refusals():
    for p, weights in ((2, {1: 1.0}), (7, {}), (7, {1: 0.0}), (7, {1: np.nan}), (7, {1: -1.0, 2: 3.0})):
        with pytest.raises(OptionError, match="needs p >= 3 and weights that are finite"):
            tolerated_error(p, weights)
