"""Certificates as JSON: written whole or not at all, read as if from a stranger."""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

from quadlens.certificates.record.certificate import IDEAL, Certificate, ClassBound
from quadlens.circuits.provenance import provenance_from
from quadlens.circuits.strict_json import whole_number
from quadlens.errors import CertificateError, CircuitError, ContradictionError
from quadlens.files import write_atomically

FORMAT = "quadlens certificate 2"
EARLIER = "quadlens certificate 1"
"""What quadlens 0.1 wrote, whose `linear`, `gated` and `adaptive` proved another inequality."""
MAX_BYTES = 64 * 2**20
MAX_PARTS = 10**6
"""Most JSON arrays, objects and keys in a file: empty ones are short to write and long to hold."""
DERIVED = ("certified_accuracy", "margin_lower_bound", "verdict", "float32")
"""Keys that follow from the others; they are written for readers, and read back only to be compared."""


def to_json(certificate: Certificate) -> str:
    """Return the certificate as JSON text, one key a line at the top level."""
    return json.dumps(as_data(certificate), ensure_ascii=True, allow_nan=False, indent=1) + "\n"


def as_data(certificate: Certificate) -> dict[str, Any]:
    """Return the certificate as plain JSON data."""
    data: dict[str, Any] = {"format": FORMAT}
    for key in DERIVED:
        data[key] = getattr(certificate, key)
    for entry in fields(certificate):
        data[entry.name] = _plain(getattr(certificate, entry.name))
    data["ledger"] = _ledger_data(certificate.ledger)
    data["classes"] = [
        {
            "difference": bound.difference,
            "margin_lower_bound": bound.margin_lower_bound,
            "certified": bound.certified,
            "ledger": _ledger_data(bound.ledger),
        }
        for bound in certificate.classes
    ]
    data["provenance"] = None if certificate.provenance is None else certificate.provenance.to_dict()
    for key in ("frequencies", "ideals"):
        if data[key] is None:
            del data[key]
    if certificate.ideals is not None:
        data |= {key: getattr(certificate, key) for key in IDEAL}
    return data


def from_json(text: str | bytes) -> Certificate:
    """Read a certificate from JSON text.

    Raises
    ------
    CertificateError
        If the text is too long, is not JSON, repeats a key, holds NaN or an infinity, has missing or unknown keys,
        wrong types, or contradicts itself.
    """
    if len(text) > MAX_BYTES:
        raise CertificateError(f"a certificate has at most {MAX_BYTES} bytes, got {len(text)}")
    parts = sum(text.count(mark.encode()) if isinstance(text, bytes) else text.count(mark) for mark in "[{:")
    if parts > MAX_PARTS:
        raise CertificateError(f"a certificate has at most {MAX_PARTS} arrays, objects and keys, got {parts}")
    try:
        data = json.loads(
            text,
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_constant,
            parse_int=whole_number,
        )
    except CertificateError:
        raise
    except RecursionError:
        raise CertificateError("not a certificate: its JSON is nested too deeply") from None
    except ValueError as error:  # JSONDecodeError, UnicodeDecodeError and integers of too many digits
        raise CertificateError(f"not a certificate: it is not JSON ({str(error).splitlines()[0]:.120})") from None
    try:
        return _from_data(data)
    except RecursionError:
        raise CertificateError("not a certificate: its JSON is nested too deeply") from None


def write_certificate(certificate: Certificate, path: str | os.PathLike[str]) -> None:
    """Write the certificate to ``path``, whole or not at all."""
    write_atomically(path, to_json(certificate))


def read_certificate(path: str | os.PathLike[str]) -> Certificate:
    """Read a certificate file; refuses what is not a regular file of moderate size."""
    file = Path(path)
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CertificateError(f"{file} is not a regular file; name a file that quadlens certify -o wrote")
        if status.st_size > MAX_BYTES:
            raise CertificateError(f"{file} has {status.st_size} bytes; a certificate has at most {MAX_BYTES}")
        with open(file, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CertificateError(f"cannot read {file}: {error.strerror or error}") from error
    try:
        return from_json(content)
    except CertificateError as error:
        raise type(error)(f"{file}: {error}") from None


def _from_data(data: object) -> Certificate:
    names = {entry.name for entry in fields(Certificate)}
    if isinstance(data, dict) and data.get("format") == EARLIER:
        raise CertificateError("made by quadlens 0.1, which proved another inequality: prove it again")
    optional = frozenset({"frequencies", "ideals", "provenance", *IDEAL})
    record = _object(data, "a certificate", {"format", *DERIVED, *names} - optional, optional=optional)
    if record["format"] != FORMAT:
        raise CertificateError(f"format must be {FORMAT!r}, got {record['format']!r:.80}")
    given: dict[str, Any] = {name: record[name] for name in names if name in record}
    given["ledger"] = _read_ledger(given["ledger"], "the ledger")
    given["classes"] = tuple(_read_class(entry) for entry in _list(given["classes"], "classes"))
    given["blame"] = tuple(_list(given["blame"], "blame"))
    if given["misclassified"] is not None:
        pairs = _list(given["misclassified"], "misclassified")
        given["misclassified"] = tuple(tuple(_list(pair, "a misclassified input")) for pair in pairs)
    if given.get("frequencies") is not None:
        given["frequencies"] = tuple(_list(given["frequencies"], "frequencies"))
    if given.get("ideals") is not None:
        given["ideals"] = tuple(_list(given["ideals"], "ideals"))
    if given.get("provenance") is not None:
        try:
            given["provenance"] = provenance_from(given["provenance"])
        except CircuitError as error:
            raise CertificateError(f"provenance: {error}") from None
    _object(given["prover"], "prover")
    certificate = Certificate(**given)
    for key in (*DERIVED, *(key for key in IDEAL if key in record or certificate.ideals is not None)):
        value = getattr(certificate, key)
        if key not in record:
            raise CertificateError(f"a certificate of mlp lacks {key}")
        if type(record[key]) is not type(value) or record[key] != value:
            raise ContradictionError(f"{key} is {record[key]!r:.120}, but the rest gives {value!r:.120}")
    return certificate


def _read_class(entry: object) -> ClassBound:
    record = _object(entry, "a class", {"difference", "margin_lower_bound", "certified", "ledger"})
    record["ledger"] = _read_ledger(record["ledger"], "a class's ledger")
    return ClassBound(**record)


def _read_ledger(entries: object, what: str) -> tuple[tuple[str, float], ...]:
    records = [_object(entry, f"an entry of {what}", {"term", "value"}) for entry in _list(entries, what)]
    return tuple((record["term"], record["value"]) for record in records)


def _object(
    value: object, what: str, required: set[str] | None = None, optional: frozenset[str] = frozenset()
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CertificateError(f"{what} must be a JSON object, got {type(value).__name__}")
    if required is not None:
        missing, unknown = required - set(value), set(value) - required - optional
        if missing or unknown:
            unexpected = f"has unknown keys, such as {min(unknown, default='')!r:.80}"
            problem = f"lacks {', '.join(sorted(missing))}" if missing else unexpected
            raise CertificateError(f"{what} {problem}")
    return value


def _list(value: object, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise CertificateError(f"{what} must be a JSON array, got {type(value).__name__}")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise CertificateError("not a certificate: its JSON repeats a key")
    return out


def _no_constant(name: str) -> NoReturn:
    raise CertificateError(f"not a certificate: it holds {name}; every number must be finite")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value


def _ledger_data(ledger: tuple[tuple[str, float], ...]) -> list[dict[str, Any]]:
    return [{"term": term, "value": value} for term, value in ledger]
