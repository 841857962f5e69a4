"""Every command once: its JSON is one valid document with the keys that scripts rely on, its text fits 80 columns."""

import json
from pathlib import Path

import pytest

import quadlens as ql
from quadlens.circuits.native import write
from quadlens.cli import COMMANDS, main

TINY = ["--neurons", "16", "--d-model", "16", "--epochs", "3"]

# command -> arguments, keys of its JSON object (or of each of its rows), exit status
CASES: dict[str, tuple[list[str], set[str], int]] = {
    "report": (["small.safetensors", "-o", "page"], {"model", "accuracy", "verdict", "figures"}, 0),
    "fit": (["small.safetensors", "--per-neuron"], {"p", "neurons", "activation", "accuracy", "frequencies", "mlp"}, 0),
    "compare": (
        ["small.safetensors", "--a", "3", "--b", "4"],
        {"a", "b", "c", "logit", "rest", "frequencies"},
        0,
    ),
    "decompose": (["small.safetensors"], {"terms", "stages", "telescoping_error"}, 0),
    "certify": (
        ["small.safetensors", "--method", "exact", "-o", "written.json"],
        {"method", "certified_accuracy", "margin_lower_bound", "ledger", "verdict", "operations"},
        0,
    ),
    "check": (["certificate.json", "small.safetensors"], {"accepted", "reasons", "method"}, 0),
    "derive": (["product_to_sum"], {"name", "statement_latex", "steps", "verdict", "seconds"}, 0),
    "equations": (["-o", "equations"], set(), 0),
    "train": (["--p", "7", *TINY, "-o", "trained.safetensors"], {"file", "accuracy", "provenance"}, 0),
    "sweep": (
        ["--p", "7", *TINY, "--seeds", "0", "--methods", "rectangle", "--workers", "1", "-o", "population"],
        {"networks", "failures", "statistics"},
        0,
    ),
    "construct": (["--p", "7", "--frequencies", "2", "--neurons", "8", "-o", "made.safetensors"], {"file", "p"}, 0),
    "convert": (["small.safetensors", "copy.safetensors"], {"file", "bytes", "sha256"}, 0),
    "models": ([], {"name", "p", "neurons", "accuracy", "command", "sha256"}, 0),
}
SLOW = ("report", "sweep")
"""Run once only; ``test_report`` and ``test_sweep`` look at what they print."""

ELSEWHERE = ("equations",)
"""Proves every identity, which takes long; the tests of its documents run it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from quadlens.certificates.record.file import write_certificate

    path = tmp_path_factory.mktemp("commands")
    circuit = ql.construct(p=13, frequencies=(2, 5), neurons=48)
    write(circuit, path / "small.safetensors")
    write_certificate(ql.certify(circuit, method="exact"), path / "certificate.json")
    return path


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return int(stopped.value.code or 0), capsys.readouterr().out


def test_every_command_has_its_case() -> None:
    assert list(CASES) == list(COMMANDS)


@pytest.mark.parametrize("name", [name for name in CASES if name not in ELSEWHERE])
def test_json_is_one_document_and_text_fits_80_columns(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    arguments, keys, status = CASES[name]
    found, out = run([name, *arguments, "--json"], capsys)
    document = json.loads(out, parse_constant=lambda constant: pytest.fail(f"{name} prints {constant}"))
    assert found == status
    for row in document if isinstance(document, list) else [document]:
        assert keys <= set(row)
    if name in SLOW:
        return
    found, out = run([name, *arguments], capsys)
    assert found == status
    # an address, or a command to copy, is never broken
    wide = [line for line in out.splitlines() if len(line) > 80 and not line.startswith(("Open file:", "  quadlens "))]
    assert wide == []
    assert run([name, *arguments, "--quiet"], capsys) == (status, "")


def test_a_mistyped_method_is_told_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["certify", "--method", "lineer"])
    assert ended.value.code == 2
    assert "'lineer' is no method; did you mean 'linear'?" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(SystemExit) as ended:
        main(["certify", "--method", "zzz"])
    assert ended.value.code == 2
    assert "'zzz' is not one of" in capsys.readouterr().err


def test_what_is_not_certified_exits_with_1(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    wrong = ql.construct(p=13, frequencies=(2,), neurons=3)
    assert ql.evaluate(wrong).accuracy < 1
    write(wrong, "wrong.safetensors")
    status, out = run(["certify", "wrong.safetensors", "--method", "exact"], capsys)
    assert status == 1
    assert "not certified" in out
    status, out = run(["check", "certificate.json", "wrong.safetensors"], capsys)
    assert status == 1
    assert "refused" in out


@pytest.mark.parametrize("as_json", [False, True])
def test_a_certificate_with_a_better_headline_is_refused_with_1(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    monkeypatch.chdir(folder)
    changed = json.loads(Path("certificate.json").read_text())
    changed["margin_lower_bound"] += 1.0
    Path("changed.json").write_text(json.dumps(changed))
    status, out = run(["check", "changed.json", "small.safetensors", *(["--json"] if as_json else [])], capsys)
    assert status == 1
    if as_json:
        found = json.loads(out)
        assert found["accepted"] is False
        assert "but the rest gives" in found["reasons"][0]
    else:
        assert "refused: changed.json: margin_lower_bound is" in out


def test_decompose_puts_every_bound_beside_its_value(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    document = json.loads(run(["decompose", "small.safetensors", "--json"], capsys)[1])
    lines = run(["decompose", "small.safetensors"], capsys)[1].replace("−", "-").splitlines()
    for term in document["terms"]:
        cells = next(line for line in lines if line.startswith(term["name"])).split()[1:]
        l2, bound, ratio, largest, largest_bound, _ = map(float, cells)
        assert l2 == pytest.approx(term["relative_l2"], rel=6e-3)
        # shown bounds are rounded up, so what is shown is proved
        assert term["bound"] <= bound <= term["bound"] * 1.011
        assert ratio == pytest.approx(term["bound"] / term["relative_l2"], rel=0.06)
        assert largest <= largest_bound
        assert term["max_abs_bound"] <= largest_bound
        for part in term["frequencies"]:
            cells = next(line for line in lines if line.startswith(f"{part['frequency']} {term['name']}")).split()[2:]
            assert part["bound"] <= float(cells[1])
            assert part["max_abs_bound"] <= float(cells[4])
    widths = document["certifying_widths"]
    text = " ".join(" ".join(lines).split())
    assert f"proved to reach that from {widths['even']} neurons a group" in text
    assert "The flattest design found for p = 13" in text


def test_decompose_says_where_there_is_no_bound_and_no_width(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    write(ql.construct(p=13, frequencies=(2,), neurons=24, activation="tanh"), "tanh.safetensors")
    out = run(["decompose", "tanh.safetensors"], capsys)[1]
    assert next(line for line in out.splitlines() if line.startswith("quadrature")).count("—") == 4
    assert "quadrature rules" not in out
    write(ql.construct(p=12, frequencies=(1, 4), neurons=24), "even.safetensors")
    out = run(["decompose", "even.safetensors"], capsys)[1]
    assert "no width certifies" in " ".join(out.split())


def test_a_long_file_name_fits_80_columns(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    (folder / "a-file-with-quite-a-long-name.safetensors").write_bytes((folder / "small.safetensors").read_bytes())
    _, out = run(["fit", "a-file-with-quite-a-long-name.safetensors"], capsys)
    assert all(len(line) <= 80 for line in out.splitlines() if not line.startswith("  quadlens "))
    assert "1,094 parameters" not in out.splitlines()[0]


def shown(out: str, row: str, column: int) -> float:
    line = next(line for line in out.splitlines() if line.split()[:1] == [row])
    return float(line.split()[column].replace("−", "-"))


def test_the_digits_shown_of_a_proved_bound_are_a_bound(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    _, out = run(["decompose", "p59-seed0"], capsys)
    _, document = run(["decompose", "p59-seed0", "--json"], capsys)
    bounds = {term["name"]: term["bound"] for term in json.loads(document)["terms"] if term["bound"] is not None}
    assert len(bounds) == 6
    for name, bound in bounds.items():
        assert shown(out, name, 2) >= bound
    _, out = run(["certify", "p59-seed0", "--method", "rectangle"], capsys)
    _, document = run(["certify", "p59-seed0", "--method", "rectangle", "--json"], capsys)
    for record in json.loads(document)["frequencies"]:
        for column, key in enumerate(("direct", "folded", "identity", "phase_mismatch", "total"), start=2):
            assert shown(out, str(record["frequency"]), column) >= record[key]


def test_the_tables_of_mlp_fit_80_columns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(["certify", "--method", "mlp", str(folder / "small.safetensors")], capsys)
    assert "waveforms" in out
    assert max(len(line) for line in out.splitlines()) <= 80
