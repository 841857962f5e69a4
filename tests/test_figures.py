"""Figures: what they draw is what the records say, without pyplot and without a trace left behind."""

import subprocess
import sys
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from quadlens.arrays import wrap_angle
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.construct import construct
from quadlens.decomposition.extended_ideal import extended_ideal
from quadlens.decomposition.ladder import decompose
from quadlens.decomposition.rungs import exact_hidden, ideal_response, project
from quadlens.errors import NodeError
from quadlens.form.amplitude_phase import AmplitudePhaseForm, fit
from quadlens.quadrature.certifying_width import certifying_widths
from quadlens.quadrature.rates import rate_curve, trained_point
from quadlens.report import colours
from quadlens.report.amplitudes import group_amplitudes
from quadlens.report.figures.amplitude import amplitude, amplitudes
from quadlens.report.figures.canvas import MOST_GROUPS, new_axes, new_grid, shown_groups
from quadlens.report.figures.certificates import cost_against_tightness, ledger, margins_by_class
from quadlens.report.figures.compression import compression
from quadlens.report.figures.ladder import ladder
from quadlens.report.figures.logits import predicted_against_actual, predicted_against_actual_panel
from quadlens.report.figures.phase_circle import phase_circle, phase_circles
from quadlens.report.figures.phase_lock import mismatch_against_weight, phase_lock, psi_against_twice_phi
from quadlens.report.figures.rates import rate_widths, rates
from quadlens.report.figures.rectangles import rectangle_panels, rectangles
from quadlens.report.integrand import blind_spot, integrand
from quadlens.report.logit_agreement import logit_agreement
from quadlens.report.proofs import Proofs, prove
from quadlens.report.svg import svg_text


@pytest.fixture(scope="module")
def circuit() -> Circuit:
    return construct(p=31, frequencies=(3, 7), neurons=96, noise=0.03)


@pytest.fixture(scope="module")
def form(circuit: Circuit) -> AmplitudePhaseForm:
    return fit(circuit)


def random_circuit(p: int = 23, neurons: int = 60, activation: str = "relu") -> Circuit:
    """A network that was never trained: groups everywhere, none locked."""
    generator = np.random.default_rng(5)
    A, B, U = (generator.normal(size=shape) for shape in ((p, neurons), (p, neurons), (neurons, p)))
    return Circuit(p=p, A=A, B=B, U=U, activation=activation)


@pytest.mark.parametrize("activation", ["relu", "gelu", "square"])
def test_the_area_of_the_rectangles_is_the_wave_that_the_group_adds(activation: str) -> None:
    circuit = random_circuit(activation=activation)
    form = fit(circuit)
    waves = form.u * np.exp(1j * form.psi)
    a, b = 4, 9
    z = project(exact_hidden(circuit, slice(a, a + 1)), waves, form)[0, b]
    for index, group in enumerate(form.groups):
        for c in (0, (a + b) % circuit.p):
            added = (z[index] * np.exp(1j * circuit.omega * group.frequency * c)).real
            one = integrand(circuit, form, group, a, b, c)
            # some sixty sums of numbers below 100, each rounded a few times
            assert one.scale * one.rectangle_area == pytest.approx(added, abs=1e-11)


@pytest.mark.parametrize("activation", ["relu", "abs", "square"])
def test_the_area_under_the_curve_is_the_refined_limit(activation: str) -> None:
    circuit = random_circuit(activation=activation)
    form = fit(circuit)
    a, b = 4, 9
    for group in form.groups:
        response = ideal_response(form, group)[(a - b) % circuit.p]
        turn = np.exp(1j * circuit.omega * group.frequency * (a + b - 2 * b))
        one = integrand(circuit, form, group, a, b)
        # the trapezoid rule with 1440 points on a curve with kinks: relative error below (2π/1440)²
        assert one.scale * one.curve_area == pytest.approx((turn * np.conj(response)).real, abs=1e-12 * one.scale)


def test_rectangles_are_as_wide_as_the_weights_and_tile_the_circle(circuit: Circuit, form: AmplitudePhaseForm) -> None:
    group = form.groups[0]
    one = integrand(circuit, form, group, 3, 30)
    width = one.stop - one.start
    weights = form.weights[group.members]
    np.testing.assert_allclose(np.sort(width), np.sort(2 * np.pi * weights / weights.sum()), rtol=1e-9)
    assert (one.start >= -np.pi).all()
    assert (one.start < np.pi).all()


def test_a_silent_group_has_no_rectangles() -> None:
    still = Circuit(p=7, A=np.zeros((7, 3)), B=np.zeros((7, 3)), U=np.ones((3, 7)))
    form = fit(still)
    with pytest.raises(NodeError, match="k = 1 is silent"):
        integrand(still, form, form.groups[0], 0, 0)


@pytest.mark.parametrize(("p", "k"), [(31, 3), (59, 17), (60, 7)])
def test_the_blind_spot_is_where_the_pure_pizza_answers_least(p: int, k: int) -> None:
    spot = blind_spot(p, k)
    values = np.abs(np.cos(np.pi / p * k * np.arange(p)))
    assert values[spot] == pytest.approx(values.min(), abs=1e-12)


def test_amplitudes_of_an_ideal_network_are_its_limits() -> None:
    exact = construct(p=31, frequencies=(4,), neurons=480)
    (group,) = group_amplitudes(exact, fit(exact), (4,))
    # 480 equally spaced nodes: the rule's error falls like n⁻²
    np.testing.assert_allclose(group.mean, group.refined, rtol=1e-3)
    np.testing.assert_allclose(group.largest, group.smallest, rtol=1e-3)
    assert (group.smallest <= group.largest).all()
    assert group.pure.min() < 0.1 * group.pure.max() < group.refined.min()


def test_agreement_counts_every_logit_once(circuit: Circuit, form: AmplitudePhaseForm) -> None:
    agreement = logit_agreement(circuit, form)
    for name in ("refined limit", "pure pizza limit"):
        assert agreement.counts[name].sum() == circuit.p**3
        assert agreement.right[name].sum() == circuit.p**2
        assert (agreement.right[name] <= agreement.counts[name]).all()


def test_the_ladder_draws_the_terms(circuit: Circuit, form: AmplitudePhaseForm) -> None:
    result = decompose(circuit, form)
    (ax,) = ladder(result).axes
    ends = sorted(bar.get_x() + bar.get_width() for bar in ax.patches)
    assert ends == pytest.approx(sorted(max(term.relative_l2, 1e-4) for term in result.terms))
    drawn = ax.lines[0].get_xdata()
    assert list(drawn) == pytest.approx([max(stage.relative_l2_to_exact, 1e-4) for stage in result.stages])


def test_rates_show_the_curves_and_the_trained_groups() -> None:
    curve = rate_curve((8, 32, 128), np.random.default_rng(3), draws=4)
    even = np.linspace(-np.pi, np.pi, 40, endpoint=False)
    trained = {5: trained_point(even, wrap_angle(2 * even), np.ones(40))}
    errors, bounds = rates(curve, trained).axes
    assert errors.get_ylim() == bounds.get_ylim()
    for ax, expected, value in (
        (errors, curve.even_error, trained[5].error),
        (bounds, curve.even_bound, trained[5].bound),
    ):
        lines = {str(line.get_label()): line for line in ax.lines}
        np.testing.assert_array_equal(lines["evenly spaced phases"].get_ydata(), expected)
        assert (lines["k = 5"].get_xdata()[0], lines["k = 5"].get_ydata()[0]) == (40, value)
        low, high = ax.get_ylim()
        assert all(low < y < high for line in ax.lines for y in np.atleast_1d(line.get_ydata()))
    assert rate_widths(trained)[-1] == 513
    wide = {5: trained_point(np.zeros(3000), np.zeros(3000), np.ones(3000))}
    assert rate_widths(wide)[-1] >= 3000


def test_certifying_widths_are_marked_on_the_proved_panel() -> None:
    curve = rate_curve((9, 33, 129), np.random.default_rng(3), draws=4)
    even = np.linspace(-np.pi, np.pi, 41, endpoint=False)
    trained = {5: trained_point(even, wrap_angle(2 * even), np.ones(41))}
    widths = certifying_widths(13, {2: 1.0, 5: 1.0}, trained, np.random.default_rng(0), draws=20)
    errors, bounds = rates(curve, trained, widths).axes
    assert not any("certifies" in str(line.get_label()) for line in errors.lines)
    marks = [float(line.get_xdata()[0]) for line in bounds.lines if line.get_marker() == "|"]
    assert marks == [widths.even, widths.random.value]
    assert all(line.get_ydata()[0] == widths.tolerance for line in bounds.lines if line.get_marker() == "|")
    assert next(text.get_text() for text in bounds.texts) == f"even: {widths.even}"
    low, high = bounds.get_xlim()
    assert low < widths.even < widths.random.value < high
    # the mark lies on the curve of even phases: its bound at that width is at most the level, two neurons less is not
    drawn = dict(zip(curve.widths.tolist(), curve.even_bound.tolist(), strict=True))
    assert drawn[9] > widths.tolerance or widths.even <= 9
    assert drawn[129] <= widths.tolerance
    blind = certifying_widths(12, {1: 1.0}, {}, np.random.default_rng(0))
    assert not any(line.get_marker() == "|" for line in rates(curve, trained, blind).axes[1].lines)


def test_the_compression_curve_is_drawn_with_the_limits_on_it(circuit: Circuit, form: AmplitudePhaseForm) -> None:
    ideal, result = extended_ideal(circuit, form), decompose(circuit, form)
    (ax,) = compression(ideal, result).axes
    lines = {str(line.get_label()).split(":")[0].split(",")[0]: line for line in ax.lines}
    np.testing.assert_array_equal(lines["extended ideal"].get_ydata(), np.maximum(ideal.curve.relative_l2, 1e-4))
    refined = lines["refined limit"]
    assert refined.get_xdata()[0] == result.ideal_parameters
    assert refined.get_ydata()[0] == result.stages[4].relative_l2_to_exact
    told = lines["extended ideal told of"]
    assert (told.get_xdata()[0], told.get_ydata()[0]) == (ideal.parameters, max(ideal.relative_l2, 1e-4))


@pytest.fixture(scope="module")
def proved(circuit: Circuit) -> Proofs:
    return prove(circuit)


def test_the_ledgers_costs_lead_from_the_ideal_margin_to_the_proved_one(proved: Proofs) -> None:
    linear = next(c for c in proved.certificates if c.method == "linear")
    (ax,) = ledger(linear).axes
    p = linear.p
    heights = np.array([[bar.get_height() for bar in container] for container in ax.containers])
    assert heights.shape[1] == p
    left, costs = heights[0], heights[1:]
    margins = np.array([bound.margin_lower_bound for bound in linear.classes])
    ideal = np.array([dict(bound.ledger)["ideal margin"] for bound in linear.classes])
    np.testing.assert_allclose(left, np.maximum(margins, 0))
    # the record promises that a ledger adds up within rounding
    np.testing.assert_allclose(ideal - costs.sum(axis=0), margins, atol=1e-9)


def test_margins_of_every_class_are_drawn_and_equal_methods_share_a_line(proved: Proofs) -> None:
    (ax,) = margins_by_class(proved.certificates).axes
    labels = ax.get_legend_handles_labels()[1]
    assert sorted(name for label in labels for name in label.split(", ")) == sorted(
        certificate.method for certificate in proved.certificates
    )
    assert any("brute-force" in label and "exact" in label for label in labels)
    exact = next(c for c in proved.certificates if c.method == "exact")
    drawn = next(line for line in ax.lines if "exact" in str(line.get_label()))
    np.testing.assert_allclose(drawn.get_ydata(), [bound.margin_lower_bound for bound in exact.classes])


def test_cost_and_tightness_are_the_certificates(proved: Proofs) -> None:
    (ax,) = cost_against_tightness(proved.certificates).axes
    for certificate in proved.certificates:
        (point,) = [line for line in ax.lines if str(line.get_label()).startswith(f"{certificate.method}:")]
        margin = certificate.margin_lower_bound if certificate.certified else 0.0
        assert (point.get_xdata()[0], point.get_ydata()[0]) == (certificate.operations, margin)
        assert (point.get_markerfacecolor() == "none") == (not certificate.certified)


def test_what_is_not_certified_is_drawn_hollow_at_zero() -> None:
    certificates = prove(random_circuit(), ("linear", "interval", "brute-force")).certificates
    assert not any(certificate.certified for certificate in certificates)
    ax = cost_against_tightness(certificates).axes[0]
    points = [line for line in ax.lines if ":" in str(line.get_label())]
    assert len(points) == len(certificates)
    assert all(line.get_ydata()[0] == 0 and line.get_markerfacecolor() == "none" for line in points)


@pytest.mark.parametrize("make", [lambda: random_circuit(), lambda: construct(p=30, frequencies=(4,), neurons=7)])
def test_every_neuron_is_drawn(make) -> None:  # type: ignore[no-untyped-def]
    form = fit(make())
    for draw in (psi_against_twice_phi, mismatch_against_weight):
        (ax,) = draw(form).axes
        assert sum(len(points.get_offsets()) for points in ax.collections) == form.neurons


def test_sticks_point_at_the_phases(form: AmplitudePhaseForm) -> None:
    group = form.groups[1]
    (ax,) = phase_circle(form, group).axes
    segments = np.array(ax.collections[0].get_segments())
    tips = segments[:, 1]
    np.testing.assert_allclose(np.arctan2(tips[:, 1], tips[:, 0]), form.phi[group.members], atol=1e-12)


def test_only_the_heaviest_groups_are_shown_in_order_of_frequency() -> None:
    form = fit(random_circuit())
    shown = shown_groups(form)
    assert len(shown) == MOST_GROUPS < len(form.groups)
    assert [group.frequency for group in shown] == sorted(group.frequency for group in shown)
    hidden = [group.weight for group in form.groups if group not in shown]
    assert max(hidden) <= min(group.weight for group in shown)


def test_figures_are_drawn_on_given_axes(circuit: Circuit, form: AmplitudePhaseForm) -> None:
    group, agreement = form.groups[0], logit_agreement(circuit, form)
    (one,) = group_amplitudes(circuit, form, (group.frequency,))
    for draw in (
        lambda ax: psi_against_twice_phi(form, ax),
        lambda ax: mismatch_against_weight(form, ax),
        lambda ax: phase_circle(form, group, ax),
        lambda ax: ladder(decompose(circuit, form), ax),
        lambda ax: amplitude(one, ax),
        lambda ax: rectangles(integrand(circuit, form, group, 0, 0), ax),
        lambda ax: predicted_against_actual_panel(agreement, "refined limit", ax),
    ):
        figure, (left, right) = new_grid(1, 2, height=3)
        assert draw(right) is figure
        assert right.has_data()
        assert not left.has_data()


def test_axes_of_a_subfigure_lead_to_their_figure() -> None:
    figure = Figure()
    ax = figure.subfigures(1, 2)[0].subplots()
    assert new_axes(ax) == (figure, ax)


def test_drawing_leaves_no_global_trace(circuit: Circuit, form: AmplitudePhaseForm) -> None:
    before = dict(matplotlib.rcParams)
    svg_text(phase_lock(form), "a", "b")
    assert dict(matplotlib.rcParams) == before
    probe = (
        "import sys; import quadlens.report.gallery, quadlens.report.page; "
        "sys.exit('matplotlib.pyplot' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


@pytest.mark.parametrize("make", [lambda: random_circuit(), lambda: construct(p=30, frequencies=(4,), neurons=7)])
def test_svg_is_deterministic_well_formed_and_self_contained(make) -> None:  # type: ignore[no-untyped-def]
    circuit = make()
    form = fit(circuit)
    group = max(form.groups, key=lambda group: group.weight)
    for name, draw in (
        ("lock", lambda: phase_lock(form)),
        ("circle", lambda: phase_circles(form)),
        ("amplitude", lambda: amplitudes(tuple(group_amplitudes(circuit, form, (group.frequency,))))),
        ("rectangles", lambda: rectangle_panels((integrand(circuit, form, group, 0, 0),))),
        ("logits", lambda: predicted_against_actual(logit_agreement(circuit, form))),
    ):
        text = svg_text(draw(), name, 'a <b> "c" & d')
        assert text == svg_text(draw(), name, 'a <b> "c" & d')
        root = ElementTree.fromstring(text)
        assert root.get("aria-label") == 'a <b> "c" & d'
        identifiers = [element.get("id") for element in root.iter() if element.get("id")]
        assert len(identifiers) == len(set(identifiers))
        assert all(str(identifier).startswith(f"{name}-") for identifier in identifiers)
        outside = [value for element in root.iter() for key, value in element.items() if key.endswith("href")]
        assert all(value.startswith((f"#{name}-", "data:")) for value in outside)
        assert f"var(--ink, {colours.INK})" in text


def relative_luminance(colour: str) -> float:
    """WCAG's relative luminance."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(first: str, second: str) -> float:
    """WCAG's contrast ratio."""
    high, low = sorted((relative_luminance(first), relative_luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_colour_can_be_read_on_light_and_on_dark_paper() -> None:
    for colour in (*colours.SERIES, colours.INK, colours.MUTED):
        assert contrast(colour, colours.PAPER) >= 4.5, colour
        assert contrast(colours.DARK[colour], colours.DARK[colours.PAPER]) >= 4.5, colour
    assert contrast("#777777", "#ffffff") < 4.5  # the measure itself can fail


def seen_by(colour: str, kind: str) -> np.ndarray:
    """Roughly what a reader without red or without green cones sees, linear RGB: both colours fall onto one channel."""
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    first = {"protan": [0.11238, 0.88762, 0.0], "deutan": [0.29275, 0.70725, 0.0]}[kind]
    third = {"protan": [0.00401, -0.00401, 1.0], "deutan": [-0.02234, 0.02234, 1.0]}[kind]
    return np.array([first, first, third]) @ linear


@pytest.mark.parametrize("kind", ["protan", "deutan"])
def test_the_first_three_colours_stay_apart_for_colour_blind_readers(kind: str) -> None:
    for palette in (colours.SERIES[:3], [colours.DARK[colour] for colour in colours.SERIES[:3]]):
        seen = [np.cbrt(np.maximum(seen_by(colour, kind), 0)) for colour in palette]
        apart = [np.linalg.norm(seen[i] - seen[j]) for i in range(3) for j in range(i)]
        assert min(apart) > 0.12, apart
    red, green = (np.cbrt(np.maximum(seen_by(colour, "deutan"), 0)) for colour in ("#a04000", "#6b6b00"))
    assert np.linalg.norm(red - green) < 0.12  # a pair that the measure refuses


def test_markers_differ_where_colours_do() -> None:
    assert len(set(colours.MARKERS)) == len(set(colours.SERIES)) == len(colours.MARKERS)
    assert colours.series(99) == colours.SERIES[-1]
    assert colours.marker(99) == colours.MARKERS[-1]
