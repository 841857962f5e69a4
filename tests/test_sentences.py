"""Sentences that were once false, as a user meets them: printed, on the page, in the files."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest

import quadlens as ql
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.native import write
from quadlens.circuits.provenance import Freezing, Provenance
from quadlens.cli import main
from quadlens.report.analysis import analyse
from quadlens.report.page import page
from quadlens.report.verdict import unexplained, verdict
from quadlens.report.write import report_json


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit):
            main(list(arguments))
        return " ".join(capsys.readouterr().out.split())

    return run


def text_of(html: str) -> str:
    html = re.sub(r"<(script|style|svg).*?</\1>", "", html, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def noisy() -> Circuit:
    return ql.construct(p=23, frequencies=(3, 7), neurons=64, noise=0.005)


def test_no_text_calls_the_rectangle_bound_one_on_the_mlp(run) -> None:
    """The MLP of the bundled network is 0.39 from its integrals; the bounds, below 0.35, are on fitted rules."""
    circuit = ql.bundled()
    certificate = ql.certify(circuit, method="rectangle")
    assert certificate.frequencies is not None
    bounds = [record["total"] for record in certificate.frequencies if record["share"] > 0.01]
    assert max(bounds) < 0.35 < ql.decompose(circuit).stages[5].relative_l2_to_exact
    analysis = analyse("x", circuit, None, methods=("linear",))
    printed = run("certify", "p59-seed0", "--method", "rectangle")
    texts = [printed, text_of(page(analysis, ())), certificate.verdict, repr(certificate), certificate._repr_html_()]
    assert not any("MLP's error" in text or "Error of the MLP" in text or "About the MLP:" in text for text in texts)
    assert "fitted rule" in printed
    assert "not the MLP" in printed
    help_text = run("certify", "--help")
    assert "the MLP against the integral" not in help_text
    assert "fitted rule, not of the MLP" in help_text


def test_a_ghost_is_no_blame_line(run) -> None:
    """k = 20 holds 1e-7 of the weight: its bound of 29.2 is in the table, and in no sentence."""
    printed = run("certify", "p59-seed0", "--method", "rectangle")
    assert "29.2" in printed
    assert "frequency 20 has a vacuous bound" not in printed


def test_the_numbers_of_the_explanation_are_those_that_count(run) -> None:
    printed = run("decompose", "p59-seed0")
    assert "44 numbers" not in printed
    assert "33 numbers in place of the MLP's 90,624" in printed  # 97,586 has the skip path, which nothing stands for


def test_the_headline_puts_no_measured_margin_into_the_proof() -> None:
    circuit = ql.construct(p=23, frequencies=(3, 7), neurons=64, noise=0.03)
    evaluation = ql.evaluate(circuit)
    analysis = analyse("x", circuit, evaluation, methods=("linear",))
    whole = analysis.proofs.cheapest_whole
    assert whole is not None
    assert whole.margin_lower_bound is not None
    assert whole.margin_lower_bound < 0.9 * evaluation.min_margin
    said = verdict(analysis)
    proved = said[said.index("(proved") : said.index("smallest margin")]
    assert f"every margin at least {whole.margin_lower_bound:.8f}"[:27] in proved
    assert "smallest margin measured: " in said


def test_a_report_has_no_folder_of_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "model.pt"
    path.parent.mkdir()
    path.write_text("x")
    for source in (str(path), f"{path} (attention frozen at its mean: a logit moves by up to 3)"):
        analysis = analyse("model.pt", replace(noisy(), source=source), None, methods=("linear",))
        for text in (page(analysis, ()), json.dumps(report_json(analysis))):
            assert str(tmp_path) not in text
            assert "model.pt" in text
    kept = analyse("x", replace(noisy(), source="constructed (p = 23)"), None, methods=("linear",))
    assert report_json(kept)["source"] == "constructed (p = 23)"


def test_how_rounding_was_handled_is_told_of_every_method() -> None:
    """Methods that say the same of it were keyed by that text, and all but the last lost."""
    analysis = analyse("x", noisy(), ql.evaluate(noisy()), methods=("linear", "adaptive", "interval"))
    told = text_of(page(analysis, ())).split("How rounding was handled")[1].split("What was not proved")[0]
    assert "linear: float64" in told
    assert "adaptive: float64" in told
    assert "interval: float64" in told


def test_check_refuses_before_it_says_what_was_claimed(run) -> None:
    write(noisy(), "right.safetensors")
    write(replace(noisy(), U=-noisy().U), "wrong.safetensors")
    run("certify", "right.safetensors", "--method", "exact", "-o", "c.json")
    printed = run("check", "c.json", "wrong.safetensors")
    assert printed.index("refused: ") < printed.index("certified: all")
    assert "which is not accepted" in printed


def test_help_does_not_promise_the_exact_accuracy_of_every_network(run) -> None:
    printed = run("certify", "--help")
    assert "always the exact accuracy" not in printed
    assert "decides every input, finds the smallest margin; ReLU and |x|" in printed


@pytest.mark.parametrize("activation", ["square", "gelu", "silu", "tanh"])
def test_certify_without_a_method_answers_and_says_by_what(activation: str, run) -> None:
    write(ql.construct(p=11, frequencies=(2, 3), neurons=32, activation=activation), "net.safetensors")
    printed = run("certify", "net.safetensors")
    assert "inputs proved right" in printed or "inputs are right" in printed
    assert "Answered by brute-force." in printed
    assert "adaptive: " in printed
    data = json.loads(run("certify", "net.safetensors", "--json"))
    assert data["method"] == "brute-force"
    assert data["passed_over"][0]["method"] == "adaptive"


def test_locked_groups_with_breakers_do_not_obey(run) -> None:
    generator = np.random.default_rng(4)
    phi = 2 * np.pi * np.arange(100) / 100
    angle = 2 * np.pi * 2 * np.arange(13)[:, None] / 13
    psi = 2 * phi + generator.normal(0, 0.15, 100)
    A = np.cos(angle + phi)
    write(Circuit(p=13, A=A, B=A, U=np.cos(angle + psi).T), "net.safetensors")
    printed = run("fit", "net.safetensors")
    assert "obey" not in printed
    assert "R² above 0.9 with its whole 95 % interval" in printed
    assert re.search(r"interval\); [3-9]\d of 100 neurons are off by more than 0.1 rad", printed)


def test_what_the_report_leaves_open_speaks_of_fitted_rules() -> None:
    few = ql.construct(p=13, frequencies=(2,), neurons=3)
    said = " ".join(unexplained(analyse("x", few, ql.evaluate(few), methods=("linear",))))
    assert "The rectangle bound on the fitted rule is vacuous" in said


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_advice_after_a_report_depends_on_what_it_found(activation: str, run) -> None:
    made = ql.construct(p=7, frequencies=(1, 2), neurons=24, activation=activation)
    write(replace(made, U=-made.U), "wrong.safetensors")
    assert "prove that every input is right" not in run("report", "wrong.safetensors")


def test_a_certificate_that_is_refused_gets_no_advice_to_keep_it(run) -> None:
    write(ql.construct(p=11, frequencies=(2, 3), neurons=32, activation="gelu"), "net.safetensors")
    printed = run("certify", "net.safetensors", "--method", "adaptive")
    assert "keep the proof" not in printed
    assert printed.endswith("quadlens certify net.safetensors")


def test_a_report_on_a_frozen_network_does_not_speak_of_the_user_s() -> None:
    """The frozen clock is right on 54.87 %; the network in the file on 100 %, and that was what the headline denied."""
    frozen = Freezing(inputs=529, attention_change=0.5, logit_change=69.5, accuracy_before=1.0, accuracy_after=0.0)
    wrong = replace(noisy(), U=-noisy().U, provenance=Provenance(frozen=frozen, assumed=("attention: uniform",)))
    analysis = analyse("mine.pt", wrong, ql.evaluate(wrong), methods=("linear",))
    said = verdict(analysis)
    assert "mine.pt does not solve" not in said
    assert said.startswith("mine.pt with its attention frozen (another network than the one in the file, which is")
    told = text_of(page(analysis, ()))
    assert "a logit by up to 69.5, an attention weight by up to 0.5, the accuracy from 100 % to 0 %" in told
    assert "assumed attention: uniform" in told
    assert report_json(analysis)["provenance"]["frozen"]["accuracy_before"] == 1.0


def test_no_bound_is_spoken_of_where_there_is_none(run) -> None:
    for activation, bounded in (("relu", True), ("gelu", False)):
        made = ql.construct(p=11, frequencies=(2, 3), neurons=32, activation=activation)
        write(made, "net.safetensors")
        printed = run("decompose", "net.safetensors")
        assert ("beside it its proved bound" in printed) is bounded
        analysis = analyse("x", made, ql.evaluate(made), methods=())
        assert ("bounds proved)" in text_of(page(analysis, ()))) is bounded


def test_what_integrals_leave_of_random_tables_is_not_rounded_to_all_of_it() -> None:
    """It was "1e+02 %"; the integrals of a network of noise are further from it than 0 is."""
    rng = np.random.default_rng(0)
    shapes = {"A": (13, 24), "B": (13, 24), "U": (24, 13)}
    circuit = Circuit(p=13, **{name: rng.standard_normal(shape) for name, shape in shapes.items()})
    left = 100 * ql.decompose(circuit).stages[4].relative_l2_to_exact ** 2
    assert left > 100.5
    sentence = unexplained(analyse("x", circuit, ql.evaluate(circuit), methods=("linear",)))[0]
    shown = float(sentence.split("The integrals leave ")[1].split(" %")[0])
    assert abs(shown - left) <= 0.5
    assert "e+" not in sentence


@pytest.mark.parametrize("command", ["construct", "train", "sweep"])
def test_help_does_not_offer_sizes_that_are_refused(run, command: str) -> None:
    """It said ``--p INTEGER RANGE [-9007199254740992<=x<=…]``, of a number of residues that must be 3 or more."""
    text = run(command, "--help")
    assert "-9007" not in text
    assert "INTEGER" in text


def test_what_the_integrals_give_is_said_to_leave_out_the_mean_over_the_logits():
    """A constant on every logit moves the MLP's logits as far as one likes, and no number of the ladder."""
    from dataclasses import replace

    from quadlens.certificates.record.words import compressed

    circuit = ql.construct(p=13, frequencies=(2, 5), neurons=40, noise=0.02)
    lifted = replace(circuit, U=circuit.U + 50)
    plain, moved = (ql.decompose(one) for one in (circuit, lifted))
    assert moved.ideal_relative_l2 == pytest.approx(plain.ideal_relative_l2, rel=1e-6)
    assert "less their mean over c" in compressed(moved)
