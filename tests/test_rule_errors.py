"""Both bounds of a rule beside its actual error, wherever a rule is spoken of, with what each costs."""

import json
from dataclasses import replace

import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates.record.certificate import ARCS
from quadlens.certificates.record.file import from_json, to_json
from quadlens.cli import main
from quadlens.decomposition.rule_errors import rule_errors
from quadlens.digits import at_most
from quadlens.errors import CertificateError, OptionError
from quadlens.form.amplitude_phase import fit
from quadlens.report.figures.distance import distances


def printed(capsys, *arguments):
    with pytest.raises(SystemExit):
        main(list(arguments))
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def proved():
    return ql.certify(ql.bundled(), method="rectangle")


def test_the_certificate_has_both_bounds_the_error_and_their_costs(proved):
    rules = rule_errors(fit(ql.bundled()))
    assert [rule.to_dict() for rule in rules] == [dict(record) for record in proved.frequencies]
    for record, rule in zip(proved.frequencies, rules, strict=True):
        assert record["actual"] <= record["arcs_bound"] <= 1.02 * record["actual"] <= record["total"]
        assert (record["arcs_bound"], record["arcs_operations"]) == (rule.arcs.relative, rule.arcs.operations)
    costs = sum(record["arcs_operations"] + record["rectangle_operations"] for record in proved.frequencies)
    assert costs < proved.operations  # the rest is the transform of the tables
    assert from_json(to_json(proved)) == proved


def test_the_verdict_says_both_rounded_up_and_of_what(proved):
    main_ones = [record for record in proved.frequencies if record["share"] > 1e-3]
    arcs, total = (max(record[key] for record in main_ones) for key in ("arcs_bound", "total"))
    assert "fitted rules of 3 frequencies, not the MLP" in proved.verdict
    assert f"each within {at_most(total, 4)} of the integral" in proved.verdict
    assert proved.verdict.endswith(f"by exact arcs, each within {at_most(arcs, 4)}")
    loud = tuple({**record, "arcs_bound": 1.25} for record in proved.frequencies)
    assert replace(proved, frequencies=loud).verdict.endswith("by exact arcs, each within 1.25 (vacuous)")


def test_a_record_has_all_of_the_arcs_or_is_an_older_one(proved):
    older = tuple({k: v for k, v in record.items() if k not in ARCS} for record in proved.frequencies)
    read = from_json(to_json(replace(proved, frequencies=older)))
    assert "arcs" not in read.verdict
    for key in ARCS:
        some = tuple({k: v for k, v in record.items() if k != key} for record in proved.frequencies)
        with pytest.raises(CertificateError, match="all or none of arcs_bound"):
            replace(proved, frequencies=some)
        wrong = tuple({**record, key: -1.0} for record in proved.frequencies)
        with pytest.raises(CertificateError, match=key):
            replace(proved, frequencies=wrong)


def test_commands_show_both(capsys, proved):
    out = printed(capsys, "certify", "p59-seed0", "--method", "rectangle")
    fitted = printed(capsys, "fit", "p59-seed0")
    values = json.loads(printed(capsys, "fit", "p59-seed0", "--json"))["frequencies"]
    assert "by rectangles" in out
    for record, one in zip(proved.frequencies, values, strict=True):
        assert one["arcs_bound"] == record["arcs_bound"]
        assert (one["rectangle_bound"], one["actual"]) == (record["total"], record["actual"])
        for text, shown in ((out, [record["total"], record["arcs_bound"]]), (fitted, [one["arcs_bound"]])):
            lines = [line for line in text.splitlines() if line.split()[:1] == [str(record["frequency"])]]
            assert any(all(at_most(bound) in line.split() for bound in shown) for line in lines)
        assert any(f"{record['arcs_operations']:,}" in line for line in fitted.splitlines())


def test_arcs_are_for_one_kink_and_rectangles_for_relu():
    circuit = ql.construct(p=13, frequencies=[2], neurons=30, noise=0.01)
    (relu,) = rule_errors(fit(circuit))
    (folded,) = rule_errors(fit(replace(circuit, activation="abs")))
    assert relu.rectangles is not None
    assert folded.rectangles is None
    assert folded.beside()["rectangle_bound"] is None
    assert np.isfinite(folded.arcs.relative)
    with pytest.raises(OptionError, match="about ReLU"):
        folded.to_dict()
    assert rule_errors(fit(replace(circuit, activation="gelu"))) == ()


def test_the_figure_shows_truth_bound_arcs_and_rectangles():
    certificate = ql.certify(ql.bundled(), method="mlp")
    figure = distances(certificate)
    (ax,) = figure.axes
    drawn = {line.get_label(): sorted(line.get_xdata()) for line in ax.get_lines()}
    each = certificate.frequencies
    total = {"measured": certificate.relative_error_measured, "bound": certificate.relative_error_bound}
    for key, label in (
        ("measured", "the MLP, measured"),
        ("bound", "the MLP, proved"),
        ("actual", "fitted rule, measured"),
        ("arcs_bound", "rule, proved by arcs"),
        ("rectangle_bound", "rule, proved by rectangles"),
    ):
        assert drawn[label] == sorted([record[key] for record in each] + ([total[key]] if key in total else []))
    written = [text.get_text() for text in ax.texts]
    assert written[0] == f"≤ {at_most(certificate.relative_error_bound)}"


def test_a_bound_far_above_one_stays_in_the_figure(shared):
    certificate = ql.certify(ql.load(shared / "checkpoints/pizza/model_qlvxqhkvit.pt"), method="mlp")
    (ax,) = distances(certificate).axes
    assert ax.get_xlim()[1] > max(record["bound"] for record in certificate.frequencies)
    assert len(ax.get_yticklabels()) == 9
