"""The certificate record refuses contradictions, survives a round trip, and its reader refuses hostile JSON."""

import json
import math
import os
from dataclasses import fields, replace
from typing import Any

import pytest

import quadlens as ql
from quadlens.certificates.record.certificate import LISTED, Certificate, ClassBound
from quadlens.certificates.record.digest import network_digest
from quadlens.certificates.record.file import (
    MAX_BYTES,
    as_data,
    from_json,
    read_certificate,
    to_json,
    write_certificate,
)
from quadlens.errors import CertificateError

P, N = 5, 6
CIRCUIT = ql.construct(p=P, frequencies=[1, 2], neurons=N)


def classes(margin: float = 1.5, certified: int = P) -> tuple[ClassBound, ...]:
    ledger = (("ideal margin", margin + 1), ("quadrature", -1.0))
    return tuple(
        ClassBound(difference=d, margin_lower_bound=margin, certified=certified, ledger=ledger) for d in range(P)
    )


def certificate(**changes: Any) -> Certificate:
    base: dict[str, Any] = {
        "method": "linear",
        "p": P,
        "neurons": N,
        "parameters": CIRCUIT.parameters,
        "activation": "relu",
        "sha256": network_digest(CIRCUIT),
        "arithmetic": "float64 with a-priori rounding terms",
        "operations": 100,
        "brute_force_operations": 2 * P**3 * N,
        "seconds": 0.25,
        "classes": classes(),
        "ledger": (("ideal margin", 2.5), ("quadrature", -1.0)),
        "prover": {"levels": [0.5, 1], "retained": [1, 2], "note": None},
    }
    return Certificate(**base | changes)


SAMPLES = {
    "linear": certificate(),
    "linear, failed": certificate(classes=classes(-1.0, 0), blame=("class 0: gates of frequency 1",)),
    "exact": certificate(method="exact", misclassified=(), misclassified_count=0),
    "exact, wrong inputs": certificate(
        method="exact",
        classes=(ClassBound(difference=0, margin_lower_bound=-0.5, certified=P - 1), *classes()[1:]),
        misclassified=((2, 2),),
        misclassified_count=1,
    ),
    "rectangle": certificate(
        method="rectangle",
        classes=(),
        frequencies=(
            {
                "frequency": 1,
                "share": 1.0,
                "direct": 0.5,
                "folded": 0.25,
                "identity": 0.0,
                "phase_mismatch": 0.125,
                "total": 0.375,
                "actual": 0.01,
            },
        ),
    ),
    "refused": certificate(method="adaptive", classes=(), ledger=(), refusal="the tables overflow"),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_json_round_trip_is_the_identity(name):
    assert from_json(to_json(SAMPLES[name])) == SAMPLES[name]
    assert from_json(to_json(SAMPLES[name]).encode()) == SAMPLES[name]


def test_keys_that_scripts_rely_on():
    data = as_data(SAMPLES["linear"])
    promised = (
        "method p neurons parameters certified_accuracy margin_lower_bound ledger arithmetic operations "
        "brute_force_operations seconds verdict"
    )
    assert set(promised.split()) <= set(data)
    assert data["ledger"] == [{"term": "ideal margin", "value": 2.5}, {"term": "quadrature", "value": -1.0}]


def test_verdict_says_certified_only_when_every_input_is():
    assert SAMPLES["linear"].verdict == "certified: all 25 inputs are right, margin at least 1.5"
    assert SAMPLES["linear"].certified_accuracy == 1.0
    almost = certificate(classes=(ClassBound(difference=0, margin_lower_bound=0.0, certified=P - 1), *classes()[1:]))
    assert almost.verdict == "not certified: 24 of 25 inputs proved right, 1 not decided"
    assert not almost.certified
    assert not almost.succeeded
    assert SAMPLES["exact, wrong inputs"].verdict == "not certified: 24 of 25 inputs proved right, 1 proved wrong"
    assert SAMPLES["refused"].verdict == "refused: the tables overflow"
    assert SAMPLES["rectangle"].verdict == (
        "not certified: rectangle bounds the fitted rule of the one frequency, not the MLP and no input: each within"
        " 0.375 of the integral, relative to the target's amplitude (non-vacuous)"
    )
    assert SAMPLES["rectangle"].succeeded


def test_shown_margin_is_never_above_the_proved_one():
    for margin in (1.2345678, 1.9999999999, 1e-300, 2 / 3, math.nextafter(1.5, 0)):
        shown = certificate(classes=classes(margin)).verdict.rsplit(" ", 1)[1].replace("−", "-")
        assert float(shown) <= margin


def test_float32_line_needs_a_margin_above_the_error():
    assert "not examined" in certificate().float32
    of_weights, of_tables = {"float32_evaluation": "weights"}, {"float32_evaluation": "tables"}
    assert "of the stored weights layer by layer" in certificate(float32_error=1.0, **of_weights).float32
    assert "of the tables" in certificate(float32_error=1.0, **of_tables).float32
    assert "not known" in certificate(float32_error=1.5, **of_tables).float32
    assert "not known" in certificate(float32_error=0.0, classes=classes(-1.0, 0), **of_tables).float32


REFUSED = {
    "method": ({"method": "magic"}, "method must be one of"),
    "p": ({"p": 2}, "p must be an integer in 3"),
    "p true": ({"p": True}, "p must be an integer"),
    "neurons": ({"neurons": 0}, "neurons must be an integer"),
    "parameters": ({"parameters": 1}, "parameters must be 3pn"),
    "sha256": ({"sha256": "A" * 64}, "64 hexadecimal digits"),
    "sha256 short": ({"sha256": "ab"}, "64 hexadecimal digits"),
    "operations": ({"operations": -1}, "operations must be an integer"),
    "seconds": ({"seconds": math.nan}, "seconds must be a finite number >= 0"),
    "huge integer": ({"seconds": 10**400}, "seconds must be a finite number"),
    "text": ({"arithmetic": "\x1b[2J"}, "arithmetic must be 1..4000 printable"),
    "empty text": ({"activation": ""}, "activation must be 1..4000 printable"),
    "blame": ({"blame": ("x" * 5000,)}, "a blame sentence must be"),
    "refusal": ({"refusal": "no\nno"}, "the refusal must be"),
    "float32": ({"float32_error": -1.0}, "float32_error must be a finite number"),
    "float32 of nothing": ({"float32_error": 1.0}, "float32_evaluation must be weights or tables, got None"),
    "float32 of what": ({"float32_error": 1.0, "float32_evaluation": "x"}, "must be weights or tables, got 'x'"),
    "float32 without": ({"float32_evaluation": "tables"}, "must be absent without a float32_error, got 'tables'"),
    "ledger value": ({"ledger": (("ideal", math.inf),)}, "the ledger's ideal must be a finite number"),
    "ledger shape": ({"ledger": (("ideal",),)}, "a ledger entry is"),
    "prover type": ({"prover": ()}, "prover must be an object"),
    "prover value": ({"prover": {"levels": [math.nan]}}, "a number in prover must be a finite number"),
    "prover object": ({"prover": {"levels": {1, 2}}}, "prover may hold JSON values only, got set"),
    "prover depth": ({"prover": {"a": [[[[[[[[[]]]]]]]]]}}, "prover may nest 8 deep"),
    "no classes": ({"classes": ()}, "needs its classes, got 0"),
    "classes of rectangle": ({"method": "rectangle", "frequencies": ()}, "has no classes, got 5"),
    "classes of a refusal": ({"refusal": "why"}, "has no classes"),
    "class order": ({"classes": classes()[::-1]}, "classes must be d = 0"),
    "class missing": ({"classes": classes()[1:]}, "classes must be d = 0"),
    "too many certified": ({"classes": classes(1.0, P + 1)}, "5 inputs, but 6 are claimed"),
    "margin without inputs": ({"classes": classes(1.0, P - 1)}, "5 are certified, not 4"),
    "inputs without margin": ({"classes": classes(-1.0, P)}, "cannot be -1.0"),
    "frequencies": ({"frequencies": ()}, "frequencies belong to the methods rectangle"),
    "frequency record": ({"method": "rectangle", "classes": (), "frequencies": ({"total": 1.0},)}, "every record of"),
    "undecided": ({"method": "exact"}, "exact decides every input"),
    "half decided": ({"misclassified": ()}, "go together"),
    "wrong number": ({"misclassified": (), "misclassified_count": 1}, "must list 1 inputs, got 0"),
    "right and wrong": ({"misclassified": ((0, 0),), "misclassified_count": 1}, "do not fit the 25 inputs"),
    "undecided by exact": (
        {"method": "exact", "classes": classes(-1.0, 4), "misclassified": (), "misclassified_count": 0},
        "do not fit the 25 inputs",
    ),
    "no residue": ({"misclassified": ((0, P),), "misclassified_count": 1}, "a residue of a misclassified input"),
    "no pair": ({"misclassified": ((0,),), "misclassified_count": 1}, r"is a pair \(a, b\)"),
    "repeated": ({"misclassified": ((0, 0), (0, 0)), "misclassified_count": 2}, "distinct and in order"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_contradictions_are_refused(name):
    changes, message = REFUSED[name]
    with pytest.raises(CertificateError, match=message):
        certificate(**changes)


def test_a_class_is_refused_by_itself():
    with pytest.raises(CertificateError, match="the margin of class 1 must be a finite number"):
        ClassBound(difference=1, margin_lower_bound=math.nan, certified=0)
    with pytest.raises(CertificateError, match="the certified inputs of class 1 must be an integer"):
        ClassBound(difference=1, margin_lower_bound=0.5, certified=2.0)  # type: ignore[arg-type]


def test_long_lists_of_misclassified_inputs_are_cut_and_counted():
    p = 101
    wrong = tuple((a, b) for a in range(p) for b in range(p))
    bounds = tuple(ClassBound(difference=d, margin_lower_bound=-1.0, certified=0) for d in range(p))
    parameters = 3 * p * N + 2 * p * p
    cut = certificate(
        method="exact",
        p=p,
        parameters=parameters,
        classes=bounds,
        misclassified=wrong[:LISTED],
        misclassified_count=len(wrong),
    )
    assert from_json(to_json(cut)).misclassified_count == p * p > LISTED


def test_every_key_is_required_and_no_other_is_taken():
    data = as_data(SAMPLES["linear"])
    # files of before there was a provenance are read; what check then makes of them: test_provenance
    for key in data.keys() - {"provenance"}:
        with pytest.raises(CertificateError, match=f"lacks {key}"):
            from_json(json.dumps({name: value for name, value in data.items() if name != key}))
    with pytest.raises(CertificateError, match="unknown keys, such as 'extra'"):
        from_json(json.dumps(data | {"extra": 1}))
    with pytest.raises(CertificateError, match="a class has unknown keys"):
        from_json(json.dumps(data | {"classes": [entry | {"extra": 1} for entry in data["classes"]]}))


def test_every_key_refuses_every_wrong_type():
    data = as_data(SAMPLES["exact, wrong inputs"])
    wrong: list[Any] = [None, True, -1, 1.5, "text", [1], {"a": 1}, [[1]], [None]]
    allowed = {
        # free text, and numbers that only describe the run
        ("arithmetic", "text"), ("activation", "text"), ("refusal", "text"), ("seconds", 1.5),
        ("refusal", None), ("float32_error", None), ("float32_evaluation", None), ("prover", None),
    }  # fmt: skip
    for key in data:
        for value in wrong:
            if any(key == k and type(value) is type(v) and value == v for k, v in allowed) or data[key] == value:
                continue
            if key == "prover" and isinstance(value, dict):
                continue
            with pytest.raises(CertificateError):
                from_json(json.dumps(data | {key: value}))


@pytest.mark.parametrize("key", ["certified_accuracy", "margin_lower_bound", "verdict", "float32"])
def test_derived_keys_must_agree_with_the_rest(key):
    data = as_data(SAMPLES["linear"])
    changed = data[key] * 0.5 if isinstance(data[key], float) else data[key] + "!"
    with pytest.raises(CertificateError, match=f"{key} is .* but the rest gives"):
        from_json(json.dumps(data | {key: changed}))


HOSTILE = {
    "empty": ("", "not JSON"),
    "no object": ("[1]", "must be a JSON object, got list"),
    "nan": (to_json(SAMPLES["linear"]).replace("1.5", "NaN"), "holds NaN"),
    "infinity": (to_json(SAMPLES["linear"]).replace("1.5", "-Infinity"), "holds -Infinity"),
    "overflow": (to_json(SAMPLES["linear"]).replace("1.5", "1e999"), "must be a finite number"),
    "duplicate key": (to_json(SAMPLES["linear"]).replace('"p": 5', '"p": 5, "p": 5'), "repeats a key"),
    "deep": ("[" * 200_000 + "]" * 200_000, "nested too deeply"),
    "deep prover": (
        to_json(SAMPLES["linear"]).replace('"prover": {', '"prover": {"x": ' + "[" * 300 + "]" * 300 + ","),
        "prover may nest 8 deep",
    ),
    "many parts": ("[" + "[]," * 1_000_001 + "0]", "at most 1000000 arrays, objects and keys"),
    "many parts, bytes": (b"[" + b"{}," * 1_000_001 + b"0]", "at most 1000000 arrays, objects and keys"),
    "digits": ('{"p": ' + "9" * 100_000 + "}", "not JSON"),
    "not text": (b"\xff\xfe\x00{", "not JSON"),
    "truncated": (to_json(SAMPLES["linear"])[:-20], "not JSON"),
    "lone surrogate": (to_json(SAMPLES["linear"]).replace("relu", "\\ud800"), "activation must be"),
    "other format": (to_json(SAMPLES["linear"]).replace("certificate 2", "certificate 3"), "format must be"),
    "earlier format": (
        to_json(SAMPLES["linear"]).replace("certificate 2", "certificate 1"),
        "made by quadlens 0.1, which proved another inequality: prove it again",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_json_is_refused_on_one_line(name):
    text, message = HOSTILE[name]
    with pytest.raises(CertificateError, match=message) as caught:
        from_json(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_files_are_written_and_read_whole(tmp_path):
    path = tmp_path / "certificate.json"
    write_certificate(SAMPLES["linear"], path)
    assert read_certificate(path) == SAMPLES["linear"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["certificate.json"]
    path.write_text("{}")
    with pytest.raises(CertificateError, match=r"certificate\.json: a certificate lacks"):
        read_certificate(path)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(CertificateError, match="not a regular file"):
        read_certificate(tmp_path)
    with pytest.raises(CertificateError, match="cannot read"):
        read_certificate(tmp_path / "missing")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CertificateError, match="not a regular file"):
        read_certificate(tmp_path / "pipe")
    with open(tmp_path / "large", "wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(CertificateError, match="a certificate has at most"):
        read_certificate(tmp_path / "large")
    with pytest.raises(CertificateError, match="at most"):
        from_json(b" " * (MAX_BYTES + 1))


def test_the_digest_sees_every_table_and_every_weight():
    seen = {network_digest(CIRCUIT)}
    for name in ("A", "B", "U", "S_a", "S_b"):
        table = getattr(CIRCUIT, name).copy()
        table[1, 2] += 1e-15
        seen.add(network_digest(replace(CIRCUIT, **{name: table})))
    seen.add(network_digest(replace(CIRCUIT, activation="abs")))
    seen.add(network_digest(replace(CIRCUIT, radius={"A": 1e-9})))
    assert len(seen) == 8
    assert network_digest(replace(CIRCUIT, source="elsewhere")) in seen


def test_records_are_read_only():
    sample = SAMPLES["linear"]
    for entry in fields(sample):
        with pytest.raises(AttributeError):
            setattr(sample, entry.name, None)
    with pytest.raises(TypeError):
        sample.prover["levels"] = ()  # type: ignore[index]
