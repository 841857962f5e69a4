"""Naive intervals are sound, get better with more boxes, and end as brute force; rectangles report each frequency."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quadlens as ql
from quadlens.certificates.certify import certify
from quadlens.certificates.exact.exact_tables import exact_tables
from quadlens.certificates.methods.exact import row_margins
from quadlens.certificates.methods.interval import _box_margins, certify_interval
from quadlens.errors import CertificateError, OptionError


def random_circuit(seed: int, p: int, n: int, activation: str, scale: float) -> ql.Circuit:
    generator = np.random.default_rng(seed)
    shapes = {"A": (p, n), "B": (p, n), "U": (n, p), "S_a": (p, p), "S_b": (p, p)}
    tables = {name: scale * generator.standard_normal(shape) for name, shape in shapes.items()}
    return ql.Circuit(p=p, activation=activation, **tables)


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 10**6),
    p=st.integers(3, 8),
    n=st.integers(1, 20),
    boxes=st.integers(1, 8),
    activation=st.sampled_from(["relu", "abs", "square"]),
    scale=st.sampled_from([1e-200, 1e-30, 1.0, 1e30, 1e90]),
)
def test_every_input_is_bounded_from_below(seed, p, n, boxes, activation, scale):
    circuit = random_circuit(seed, p, n, activation, scale)
    tables = exact_tables(circuit)
    exact = np.array([row_margins(tables, a) for a in range(p)], dtype=object)
    for d in range(p):
        for b in np.array_split(np.arange(p), min(boxes, p)):
            a = (b + d) % p
            with np.errstate(all="ignore"):
                low = _box_margins(circuit, a, b)
            for x, y, bound in zip(a, b, low, strict=True):
                assert Fraction(float(bound)) <= Fraction(exact[x, y], tables.denominator)


def test_more_boxes_are_tighter_and_one_input_each_is_brute_force():
    circuit = ql.construct(p=13, frequencies=[2, 3], neurons=60, noise=0.05)
    bounds = [certify_interval(circuit, boxes=boxes) for boxes in (1, 2, 13)]
    margins = [bound.margin_lower_bound for bound in bounds]
    assert margins == sorted(margins)  # each partition refines the one before, 13 = 7 + 6 inputs
    assert [bound.operations for bound in bounds] == sorted(bound.operations for bound in bounds)
    exact = certify(circuit, "exact").margin_lower_bound
    assert exact is not None
    assert margins[0] is not None
    assert margins[2] is not None
    assert exact - 1e-9 < margins[2] <= exact  # 60 terms of size 1: rounding bounds stay below 1e-9
    assert margins[0] < 0  # naive intervals know nothing of phases


def test_radius_lowers_the_bound():
    circuit = ql.construct(p=7, frequencies=[1, 2], neurons=30)
    sharp = certify_interval(circuit, boxes=7)
    for name in ("A", "B", "U", "S_a", "S_b"):
        vague = certify_interval(replace(circuit, radius={name: 1e-3}), boxes=7)
        for x, y in zip(vague.classes, sharp.classes, strict=True):
            assert x.margin_lower_bound < y.margin_lower_bound - 1e-4


def test_bad_options_and_activations_are_refused():
    circuit = ql.construct(p=5, frequencies=[1, 2], neurons=20)
    for boxes in (0, 6, 1.5, True):
        with pytest.raises(OptionError, match=r"boxes must be an integer in 1\.\.5"):
            certify(circuit, "interval", boxes=boxes)
    with pytest.raises(OptionError, match="method interval has no option 'box'"):
        certify(circuit, "interval", box=1)
    with pytest.raises(OptionError, match="method must be one of"):
        certify(circuit, "magic")
    with pytest.raises(CertificateError, match="interval needs one of relu, abs, square"):
        certify(replace(circuit, activation="gelu"), "interval")
    huge = ql.Circuit(p=5, A=circuit.A * 1e200, B=circuit.B * 1e200, U=circuit.U * 1e200)
    assert certify(huge, "interval").verdict.startswith("refused: a bound overflows")


def test_rectangles_of_equally_spaced_phases():
    """n equally spaced nodes: F = n (π/n)² for the cells, so the direct bound is 2π²/n over 2/3."""
    n = 40
    circuit = ql.construct(p=13, frequencies=[2], neurons=n, sigma=0.0, kappa=0.0)
    found = certify(circuit, "rectangle")
    assert found.frequencies is not None
    record = found.frequencies[0]
    assert record["frequency"] == 2
    assert record["share"] == 1.0
    assert record["direct"] == pytest.approx(3 * np.pi**2 / n, rel=1e-9)  # rounding of fitted phases
    assert record["actual"] <= record["total"]
    assert found.succeeded
    assert found.verdict.startswith("not certified: rectangle bounds the fitted rule of the one frequency, not the MLP")
    assert found.certified_accuracy == 0.0
    assert found.margin_lower_bound is None


def test_rectangle_can_be_vacuous_and_refuses():
    circuit = ql.construct(p=13, frequencies=[2, 3], neurons=60, noise=0.05)
    few = certify(ql.construct(p=13, frequencies=[2], neurons=3), "rectangle")
    assert not few.succeeded
    assert "vacuous bound" in few.blame[0]
    with pytest.raises(CertificateError, match="rectangle is about ReLU; the network has abs"):
        certify(replace(circuit, activation="abs"), "rectangle")
    silent = ql.Circuit(p=5, A=np.ones((5, 2)), B=np.ones((5, 2)), U=np.ones((2, 5)))
    with pytest.raises(CertificateError, match="no neuron carries a wave"):
        certify(silent, "rectangle")
