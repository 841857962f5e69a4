"""Where a circuit comes from: a record that is data, survives JSON and pickling, and refuses what it cannot hold."""

import json
import pickle
import re
from dataclasses import replace

import pytest

import quadlens as ql
from quadlens.certificates.check import check
from quadlens.certificates.record.file import as_data, from_json, to_json
from quadlens.circuits.provenance import Freezing, LeftOut, Provenance, provenance_from
from quadlens.errors import CertificateError, CircuitError, ContradictionError

FROZEN = Freezing(inputs=121, attention_change=0.25, logit_change=3.5, accuracy_before=1.0, accuracy_after=0.5)
FULL = Provenance(
    family="pizza transformer, attention frozen",
    file="model_a.pt",
    said={"activation": "relu, by act_fn of config_a.json"},
    assumed=("attention is a softmax: nothing says it",),
    left_out=LeftOut(names=("=",), largest_on=7),
    frozen=FROZEN,
)


@pytest.mark.parametrize("record", [Provenance(), FULL])
def test_a_record_survives_json_and_pickling(record: Provenance) -> None:
    assert provenance_from(json.loads(json.dumps(record.to_dict()))) == record
    assert pickle.loads(pickle.dumps(record)) == record


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file": "/home/me/model.pt"}, "file must be a name without folders"),
        ({"task": ""}, "task must be 1..500 printable characters"),
        ({"assumed": ("red \x1b[31m",)}, "a text of assumed must be .* printable"),
        ({"assumed": "text"}, "assumed must be a list"),
        ({"said": {"activation": 3}}, "what was said of activation must be"),
        ({"said": []}, "said must map"),
        ({"left_out": "="}, "left_out must be a LeftOut"),
        ({"frozen": True}, "frozen must be a Freezing"),
    ],
)
def test_bad_records_are_refused(change: dict, message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        replace(FULL, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logit_change": float("nan")}, "logit_change of freezing must be a finite number"),
        ({"logit_change": float("inf")}, "logit_change of freezing must be a finite number"),
        ({"logit_change": 10**400}, "logit_change of freezing must be a finite number"),
        ({"accuracy_after": 1.5}, r"accuracy_after of freezing must be a finite number in 0\.\.1"),
        ({"inputs": 0}, "must be an integer from 9 on"),
    ],
)
def test_bad_measurements_are_refused(change: dict, message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        replace(FROZEN, **change)
    with pytest.raises(CircuitError, match="must be an integer from 0 on"):
        LeftOut(names=("=",), largest_on=-1)
    with pytest.raises(CircuitError, match="must not be empty"):
        LeftOut(names=())


@pytest.mark.parametrize("change", [{"more": 1}, {"frozen": {"inputs": 9}}, {"left_out": []}])
def test_unknown_and_missing_keys_are_refused(change: dict) -> None:
    with pytest.raises(CircuitError, match=r"must (have the keys|be an object)"):
        provenance_from(FULL.to_dict() | change)


def test_a_circuit_and_its_certificates_carry_it() -> None:
    circuit = replace(ql.construct(p=11, frequencies=(1, 2), neurons=32), provenance=FULL, family="mine")
    assert circuit.provenance == replace(FULL, family="mine")
    certificate = ql.certify(circuit, method="interval")
    assert certificate.provenance == circuit.provenance
    again = from_json(to_json(certificate))
    assert again == certificate
    assert again.provenance is not None
    assert again.provenance.frozen == FROZEN
    data = as_data(certificate)
    data["provenance"]["frozen"]["accuracy_after"] = "1"
    with pytest.raises(CertificateError, match="provenance: accuracy_after"):
        from_json(json.dumps(data))
    del data["provenance"]
    # its verdict says what was frozen and left out: without the record it contradicts itself
    with pytest.raises(ContradictionError, match="verdict is 'not certified: 0 of 121"):
        from_json(json.dumps(data))
    plain = as_data(ql.certify(ql.construct(p=11, frequencies=(1, 2), neurons=32), method="interval"))
    del plain["provenance"]
    assert from_json(json.dumps(plain)).provenance is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "a - b"}, "its task is a - b, the model's a . b"),
        ({"left_out": None}, "it says that no output is left out, of the model = is left out"),
        ({"left_out": LeftOut(names=("=",), largest_on=8)}, "an output left out is largest on 8 inputs, measured on 7"),
        ({"frozen": None}, "it does not say that attention was frozen"),
        ({"frozen": replace(FROZEN, logit_change=3.4)}, "logit_change of the frozen attention is 3.4, measured 3.5"),
        ({"frozen": replace(FROZEN, accuracy_after=1.0)}, "accuracy_after of the frozen attention is 1.0, measured"),
    ],
)
def test_check_refuses_another_provenance(change: dict, message: str) -> None:
    circuit = replace(ql.construct(p=11, frequencies=(1, 2), neurons=32), provenance=FULL, family="mine")
    certificate = ql.certify(circuit, method="brute-force")
    assert check(certificate, circuit).accepted
    edited = replace(certificate, provenance=replace(FULL, **change))
    reasons = check(edited, circuit).reasons
    assert len(reasons) == 1
    assert re.search(message, reasons[0]), reasons


def test_check_refuses_a_missing_provenance_where_something_was_left_out_or_frozen() -> None:
    circuit = ql.construct(p=11, frequencies=(1, 2), neurons=32)
    silent = replace(ql.certify(circuit, method="brute-force"), provenance=None)
    assert check(silent, circuit).accepted
    assert len(check(silent, replace(circuit, provenance=FULL)).reasons) == 2
    # a claim that something was frozen is refused of a network in which nothing is
    louder = replace(silent, provenance=replace(FULL, left_out=None))
    assert "it says that attention was frozen" in check(louder, circuit).reasons[0]
