"""Words against numbers: each kind of sentence on a network on which it would be false; bounds on their safe side."""

import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import quadlens as ql
from quadlens.activations import ACTIVATIONS
from quadlens.certificates.certify import decide
from quadlens.certificates.record import words as claims_in_words
from quadlens.certificates.record.certificate import METHODS
from quadlens.certificates.record.file import as_data
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.freeze_attention import FrozenAttention
from quadlens.circuits.provenance import Freezing, LeftOut, Provenance
from quadlens.claims import Measurement
from quadlens.decomposition.rung_logits import RungLogits
from quadlens.digits import at_least, at_most, below_one, number, percent, percent_at_least, signed_at_least
from quadlens.errors import CertificateError

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DIGITS = st.integers(1, 15)
FROZEN = Freezing(
    inputs=169, attention_change=0.4, logit_change=69.5, accuracy_before=1.0, accuracy_after=0.5
)


def read(shown: str) -> Decimal:
    """Return the number that a reader reads: a decimal, no float."""
    return Decimal(shown.replace("−", "-"))


@given(FLOATS, DIGITS)
def test_what_is_shown_of_a_bound_lies_on_its_safe_side(value: float, digits: int) -> None:
    exact = Decimal(value)
    assert read(at_least(value, digits)) <= exact <= read(at_most(value, digits))
    assert read(signed_at_least(value, digits)) <= exact
    assert read(at_least(value, digits)) <= read(number(value, digits)) <= read(at_most(value, digits))


@given(st.floats(1e-300, 1e300), DIGITS)
def test_what_is_shown_of_a_bound_is_close_to_it(value: float, digits: int) -> None:
    width = read(at_most(value, digits)) - read(at_least(value, digits))
    assert width <= Decimal(value) * 10 ** Decimal(2 - digits)


@pytest.mark.parametrize("value", [5e-324, 2.5e-323, 1.7976931348623157e308, -5e-324])
def test_bounds_at_the_ends_of_float64_are_bounds(value: float) -> None:
    """Through a float in between, the smallest number was shown as 4.94e-324, below itself, and the largest as inf."""
    assert read(at_least(value)) <= Decimal(value) <= read(at_most(value))


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_share_proved_is_rounded_down_and_never_up_to_all(part: int, whole: int) -> None:
    share = min(part, whole) / whole
    assert read(percent_at_least(share).removesuffix(" %")) <= 100 * Decimal(share)
    for shown in (percent(share), percent_at_least(share)):
        assert (shown == "100 %") == (share == 1)
    assert (percent(share) == "0 %") == (share == 0)
    assert (below_one(share) == "1.0000") == (share == 1)


def right() -> Circuit:
    return ql.construct(p=13, frequencies=(2, 5), neurons=48)


def wrong() -> Circuit:
    made = right()
    return replace(made, U=-made.U)


def rule_unlike_its_mlp() -> Circuit:
    """A network whose fitted rule is perfect, while half of its MLP is at a frequency that the fit does not see."""
    made = ql.construct(p=13, frequencies=(2,), neurons=48, sigma=0.0, kappa=0.0)
    residues = np.arange(13)
    loud = 2 * np.cos(2 * np.pi * 5 * residues / 13)
    return replace(made, U=made.U + loud)


def test_rectangle_speaks_of_the_fitted_rule_where_the_mlp_breaks_its_bound() -> None:
    circuit = rule_unlike_its_mlp()
    certificate = ql.certify(circuit, method="rectangle")
    assert certificate.frequencies is not None
    bound = max(record["total"] for record in certificate.frequencies)
    # the sentence "the MLP is within this of its integral" would be false of this network
    assert ql.decompose(circuit).stages[5].relative_l2_to_exact > bound
    said = certificate.verdict
    assert "fitted rule" in said
    assert "not the MLP and no input" in said
    assert at_most(bound, 4) in said


def test_rectangle_s_bound_is_rounded_up_in_every_text() -> None:
    certificate = ql.certify(right(), method="rectangle")
    assert certificate.frequencies is not None
    for digits in (1e-9, 1e-5, 0.0):
        records = tuple({**record, "total": record["total"] + digits} for record in certificate.frequencies)
        worst = max(record["total"] for record in records)
        said = replace(certificate, frequencies=records).verdict
        shown = said.split("each within ")[1].split(" of the")[0]
        assert read(shown) >= Decimal(worst)


def test_a_ghost_is_neither_in_the_worst_bound_nor_blamed() -> None:
    made = right()
    ghost = np.cos(2 * np.pi * 3 * np.arange(13) / 13)[:, None]
    circuit = Circuit(
        p=13,
        A=np.hstack([made.A, 1e-5 * ghost]),
        B=np.hstack([made.B, 1e-5 * ghost]),
        U=np.vstack([made.U, np.roll(ghost, 4).T]),
    )
    certificate = ql.certify(circuit, method="rectangle")
    assert certificate.frequencies is not None
    assert [record["frequency"] for record in certificate.frequencies] == [2, 3, 5]
    assert certificate.frequencies[1]["total"] > 1  # the ghost's own bound is vacuous
    assert certificate.blame == ()
    assert certificate.succeeded
    assert "the fitted rules of 2 frequencies" in certificate.verdict
    result = ql.decompose(circuit)
    assert result.ideal_parameters == 22  # 11 for each frequency that counts, none for the ghost
    assert result.mlp_parameters == 3 * 13 * 49


def test_the_numbers_counted_are_the_ones_whose_error_is_told() -> None:
    """Leaving a small group out of the count and in the error would understate the error."""
    made = right()
    small = np.cos(2 * np.pi * 3 * np.arange(13)[:, None] / 13 + 2 * np.pi * np.arange(8) / 8)
    out = np.cos(2 * np.pi * 3 * np.arange(13) / 13 + 4 * np.pi * np.arange(8)[:, None] / 8)
    circuit = Circuit(
        p=13, A=np.hstack([made.A, 0.003 * small]), B=np.hstack([made.B, 0.003 * small]), U=np.vstack([made.U, out])
    )
    form, result = ql.fit(circuit), ql.decompose(circuit)
    assert len(form.groups) == 3
    assert len(form.main_groups) == 2
    exact, refined, *_ = (RungLogits(circuit, form).block(slice(None))[i] for i in (0, 1))
    distance = np.linalg.norm(exact[0] - refined) / result.exact_norm
    assert result.ideal_relative_l2 == pytest.approx(distance, rel=1e-12)
    assert result.ideal_relative_l2 > result.stages[4].relative_l2_to_exact


def test_where_amplitudes_enter_the_integral_they_are_counted() -> None:
    for activation, numbers in (("relu", 11), ("square", 11), ("gelu", 10 + 2 * 24)):
        made = ql.construct(p=13, frequencies=(2,), neurons=24, activation=activation)
        assert ql.decompose(made).ideal_parameters == numbers


def test_a_wrong_network_is_certified_nowhere() -> None:
    for method in (None, "linear", "adaptive", "brute-force", "exact", "interval"):
        certificate = ql.certify(wrong(), method=method)
        assert certificate.verdict.startswith("not certified: 0 of 169 inputs proved right")
        assert "not known" in certificate.float32


def test_inputs_that_are_left_open_are_said() -> None:
    certificate = ql.certify(wrong(), method="linear")
    assert certificate.verdict.endswith(", 169 not decided")
    assert ql.certify(wrong(), method="exact").verdict.endswith("169 proved wrong")


def test_a_frozen_network_is_not_spoken_of_as_the_file_s() -> None:
    made = replace(right(), provenance=Provenance(frozen=FROZEN))
    certificate = ql.certify(made, method="exact")
    assert "of the network with its attention frozen, not of the one in the file" in certificate.verdict
    assert "frozen" in certificate._repr_html_()
    assert "frozen" not in ql.certify(right(), method="exact").verdict
    said = claims_in_words.solves("mine.pt", made, ql.evaluate(made), certificate)
    assert said.startswith("mine.pt with its attention frozen (another network than the one in the file, which is ")
    assert "which is right on 100 %)" in said


@pytest.mark.parametrize(("largest_on", "words"), [(None, "not measured"), (0, "no input"), (5, "5 of all 169 inputs")])
def test_an_output_left_out_is_said_with_how_often_it_wins(largest_on: int | None, words: str) -> None:
    made = replace(right(), provenance=Provenance(left_out=LeftOut(names=("=",), largest_on=largest_on)))
    said = ql.certify(made, method="exact").verdict
    assert "over the 13 residues only" in said
    assert '"="' in said
    assert words in said


def test_another_task_is_named() -> None:
    made = replace(right(), provenance=Provenance(task="a − b"))
    certificate = ql.certify(made, method="exact")
    assert "for a − b mod 13" in certificate.verdict
    assert "answers a − b modulo 13" in claims_in_words.solves("x", made, ql.evaluate(made), certificate)


def test_the_headline_s_proved_margin_is_the_proof_s_own() -> None:
    """The measured margin must not stand where the proof proves less."""
    made = ql.construct(p=23, frequencies=(3, 7), neurons=64, noise=0.03)
    evaluation, linear = ql.evaluate(made), ql.certify(made, method="linear")
    assert linear.certified
    assert linear.margin_lower_bound is not None
    assert linear.margin_lower_bound < 0.9 * evaluation.min_margin
    said = claims_in_words.solves("x", made, evaluation, linear)
    proved, measured = said.split("smallest margin measured: ")
    assert read(proved.split("every margin at least ")[1].split(";")[0]) <= Decimal(linear.margin_lower_bound)
    assert number(evaluation.min_margin, 4) in measured
    assert number(evaluation.min_margin, 4) not in proved
    assert "proved" not in claims_in_words.solves("x", made, evaluation, None)


def test_float32_is_rounded_up_and_claimed_only_below_the_margin() -> None:
    certificate = ql.certify(right(), method="exact")
    margin = certificate.margin_lower_bound
    assert margin is not None
    for error in (margin * 0.123456, margin, margin * 1.5):
        said = replace(certificate, float32_error=error, float32_evaluation="tables").float32
        assert ("every order" in said) == (error < margin)
        assert read(said.split("is at most ")[1].split(",")[0].rstrip(")")) >= Decimal(error)


def test_a_refusal_is_said_before_what_the_file_claims() -> None:
    from quadlens.certificates.check import check

    certificate = ql.certify(right(), method="exact")
    said = claims_in_words.checked(certificate, check(certificate, wrong()))
    assert said.startswith("refused: ")
    assert said.index("refused") < said.index("certified: all")
    assert "not accepted" in said
    assert claims_in_words.checked(certificate, check(certificate, right())).startswith("accepted: certified: all")


@pytest.mark.parametrize(
    ("activation", "method"),
    [
        *((name, "adaptive") for name in ("relu", "abs")),
        *((name, "brute-force") for name in ("square", "gelu", "gelu_tanh", "silu", "tanh", "sin")),
    ],
)
def test_without_a_method_every_activation_is_answered(activation: str, method: str) -> None:
    circuit = ql.construct(p=11, frequencies=(2, 3), neurons=32, activation=activation)
    decided = decide(circuit)
    assert decided.certificate.method == method
    assert decided.certificate.decides_every_input
    assert decided.certificate.certified_accuracy == ql.evaluate(circuit).accuracy
    assert ql.certify(circuit).method == method
    assert [name for name, _ in decided.passed_over] == ([] if method == "adaptive" else ["adaptive"])
    if decided.passed_over:
        said = claims_in_words.instead_of(decided.passed_over, decided.certificate.method)
        assert said.startswith(f"Answered by {method}.")
        assert activation in said


def test_without_a_method_integers_decide_what_float64_leaves_open() -> None:
    p = 5
    tie = Circuit(p=p, A=np.ones((p, 1)), B=np.ones((p, 1)), U=np.full((1, p), 1 / 3), activation="square")
    decided = decide(tie)
    assert decided.certificate.method == "exact"
    assert decided.certificate.misclassified_count == p * p  # ties are wrong
    assert [name for name, _ in decided.passed_over] == ["adaptive", "brute-force"]
    still = decide(replace(tie, activation="tanh"))
    assert still.certificate.method == "brute-force"  # nothing decides it, and what was proved is still told
    assert not still.certificate.decides_every_input
    assert still.certificate.verdict.endswith(f"{p * p} not decided")


def test_what_is_said_of_each_method_s_activations_is_so() -> None:
    names = {"ReLU": ["relu"], "|x|": ["abs"], "x²": ["square"]}
    names |= {"GELU": ["gelu", "gelu_tanh"], "SiLU": ["silu"], "tanh": ["tanh"], "sin": ["sin"]}
    assert set(claims_in_words.WHAT_METHODS_DO) == set(METHODS)
    for method, said in claims_in_words.WHAT_METHODS_DO.items():
        last = said.rsplit("; ", 1)[1]
        claimed = {name for word in re.findall(r"ReLU|\|x\||x²|GELU|SiLU|tanh|sin", last) for name in names[word]}
        claimed |= set(ACTIVATIONS) if last == "every activation" else set()
        for activation in ACTIVATIONS:
            circuit = ql.construct(p=7, frequencies=(1, 2), neurons=16, activation=activation)
            try:
                treated = ql.certify(circuit, method=method).refusal is None
            except CertificateError:
                treated = False
            assert treated == (activation in claimed), (method, activation)


def test_a_certificate_file_of_a_frozen_network_says_so() -> None:
    made = replace(right(), provenance=Provenance(frozen=FROZEN))
    data = as_data(ql.certify(made, method="exact"))
    assert "not of the one in the file" in data["verdict"]
    assert data["provenance"]["frozen"]["accuracy_before"] == 1.0


def test_an_ablation_is_not_spoken_of_as_the_network_that_was_read() -> None:
    read_one = ql.bundled()
    ablated = replace(read_one, U=np.where(np.arange(read_one.neurons)[:, None] < 4, 0.0, read_one.U))
    assert ablated.provenance.changed
    certificate = ql.certify(ablated, method="brute-force")
    assert "changed in memory, not of the one that was read" in certificate.verdict
    said = claims_in_words.solves("p59-seed0", ablated, ql.evaluate(ablated), certificate)
    assert said.startswith("p59-seed0, as it was changed in memory (another network")
    assert "memory" not in ql.certify(read_one, method="brute-force").verdict


def test_how_far_freezing_moved_a_network_is_rounded_up_and_no_accuracy_up_to_all() -> None:
    over = "all 25 inputs"
    moved = FrozenAttention(
        pattern=np.ones((1, 2)),
        attention_change=Measurement(value=0.45911, over=over),
        logit_change=Measurement(value=69.5411, over=over),
        accuracy_before=Measurement(value=1 - 1e-8, over=over),
        accuracy_after=Measurement(value=0.548693, over=over),
        inputs=25,
    )
    shown = [Decimal(text) for text in re.findall(r"up to ([\d.]+)", moved.summary)]
    assert len(shown) == 2
    assert shown[0] >= Decimal("0.45911")
    assert shown[1] >= Decimal("69.5411")
    assert "accuracy 99.9999 % becomes 54.8693 %" in moved.summary
