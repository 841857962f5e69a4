"""One script per family, every family proved, and no stored statement can be wrong without its script saying so."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from sympy import Add, Integer, Le, cos, pretty, symbols

from quadlens.cli.derive import command
from quadlens.errors import DerivationError, OptionError
from quadlens.identities import scripts
from quadlens.identities.catalogue import FAMILIES, all_statements, statements_of
from quadlens.identities.printing import as_text, readable, run_script
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.scripts import load_script, proved, run_derivation, run_derivations, script_folder

ROOT = Path(__file__).resolve().parent.parent
x = symbols("x", real=True)
# Where the first statement that a script concludes is not the first that is stored: nothing before it need run.
CONCLUDED_FIRST = {
    "rectangle_bound": "rectangle_bound.derivative",
    "exact_arcs": "exact_arcs.wave",
    "squared_distance": "squared_distance",
    "secondary_frequency": "secondary_frequency.waveform",
    "flattest_response": "flattest_response.found_by_hand",
    "equally_spaced_phases": "equally_spaced_phases.exact",
    "random_phases": "random_phases.mean",
    "margin_certificate": "margin_certificate.frequency",
    "torus_quadrature": "torus_quadrature.inner",
}
FIRST = {family: CONCLUDED_FIRST.get(family, statements_of(family)[0].name) for family in FAMILIES}
"""A statement of each family that its script concludes early, so that the tests below are quick."""


def test_there_are_enough_families_and_statements() -> None:
    assert len(FAMILIES) >= 14
    assert len(all_statements()) >= 40
    names = [statement.name for statement in all_statements()]
    assert len(set(names)) == len(names)
    assert all(family in names for family in FAMILIES)


def test_one_script_per_family_and_one_family_per_script() -> None:
    # the scripts that run may be the wheel's copy; they are those of the repository
    scripts_here = {path.name: path.read_text() for path in (ROOT / "derivations").glob("*.py")}
    assert {path.name: path.read_text() for path in script_folder().glob("*.py")} == scripts_here
    assert {name.removesuffix(".py") for name in scripts_here} == set(FAMILIES)
    stored = ROOT / "quadlens" / "identities" / "stored"
    assert {path.stem for path in stored.glob("*.py")} - {"__init__"} == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_statement_is_proved(family: str) -> None:
    verdicts = {result.statement.name: result.verdict for result in proved(family).results}
    assert verdicts == {statement.name: "proved" for statement in statements_of(family)}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("change", ["sign", "constant", "left"])
def test_a_wrong_stored_statement_is_caught(family: str, change: str) -> None:
    def spoiled() -> list[object]:
        for statement in statements_of(family):
            if statement.name != FIRST[family]:
                yield statement
            elif change == "sign":
                yield replace(statement, right=-statement.right if statement.right != 0 else Integer(1))
            elif change == "constant":
                yield replace(statement, right=statement.right + Integer(1) / 1000)
            else:
                yield replace(statement, left=statement.left * 2)

    with pytest.raises(DerivationError, match=FIRST[family].replace(".", r"\.")):
        load_script(family).derive(list(spoiled()))


def test_a_missing_or_unknown_statement_is_caught() -> None:
    with pytest.raises(DerivationError, match="no stored statement"):
        load_script("product_to_sum").derive(())
    extra = replace(statements_of("product_to_sum")[0], name="product_to_sum.extra")
    with pytest.raises(DerivationError, match=r"not derived: product_to_sum\.extra"):
        load_script("product_to_sum").derive((*statements_of("product_to_sum"), extra))


def test_a_script_prints_numbered_steps() -> None:
    script = script_folder() / "product_to_sum.py"
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    assert "  1. " in done.stdout
    assert "product_to_sum: proved" in done.stdout


def fails() -> Derivation:
    raise DerivationError("step 3 does not hold")


def test_a_script_whose_step_fails_says_so_and_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_script(fails) == 1
    assert "FAILED: step 3 does not hold" in capsys.readouterr().err


def test_a_failed_derivation_fails_every_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "proved", lambda family: fails())
    timed = run_derivation("gate_lemma")
    assert timed.failure == "step 3 does not hold"
    assert timed.derivation.verdict == "failed"
    done = CliRunner().invoke(command, ["gate_lemma", "--json"])
    assert done.exit_code == 1
    assert {row["verdict"] for row in json.loads(done.stdout)} == {"failed"}


def test_a_script_whose_family_is_not_listed_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_script(lambda: Proof("no_such_family", "Not listed").finish()) == 1
    captured = capsys.readouterr().err
    assert captured.startswith("FAILED: no family of identities is called 'no_such_family'")
    assert "FAMILIES" in captured


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(OptionError, match="choose from"):
        load_script("no_such_family")
    with pytest.raises(OptionError, match="choose from"):
        run_derivations(["product_to_sum", "no_such_family"])
    assert CliRunner().invoke(command, ["no_such_family"]).exit_code == 2
    mistyped = CliRunner().invoke(command, ["piza_integral"])
    assert mistyped.exit_code == 2
    assert "did you mean 'pizza_integral'?" in mistyped.output
    assert CliRunner().invoke(command, []).exit_code == 2


def test_a_lemma_comes_from_an_earlier_family() -> None:
    with pytest.raises(DerivationError, match="earlier family"):
        Proof("pizza_integral", "For the test").lemma("torus_quadrature")
    with pytest.raises(DerivationError, match="earlier family"):
        Proof("pizza_integral", "For the test").lemma("pizza_integral")


def test_derive_prints_and_reports() -> None:
    fractions: list[float] = []
    run_derivations(["product_to_sum"], progress=fractions.append)
    assert fractions == [0.0, 1.0]
    printed = CliRunner().invoke(command, ["product_to_sum.amplitude"])
    assert printed.exit_code == 0
    assert "product_to_sum.amplitude: proved" in printed.output
    assert "product_to_sum.unequal" not in printed.output
    assert "1 family, 1 statement: 1 proved" in printed.output
    rows = json.loads(CliRunner().invoke(command, ["product_to_sum", "--json"]).stdout)
    assert len(rows) == 4
    assert {"name", "statement_latex", "steps", "verdict", "seconds"} <= set(rows[0])
    assert rows[0]["name"] == "product_to_sum"
    assert all(row["steps"] and row["seconds"] > 0 for row in rows)


def test_steps_are_numbered_across_statements() -> None:
    text = as_text(proved("product_to_sum"))
    numbers = [int(line.split(".")[0]) for line in text.splitlines() if line[:3].strip().isdigit() and line[3] == "."]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("family", ["product_to_sum", "equally_spaced_phases"])
def test_steps_fit_a_terminal(family: str) -> None:
    text = as_text(proved(family))
    assert max(map(len, text.splitlines())) <= 80
    # nothing is lost where a formula is broken
    assert text.count("[agrees with the stored statement on both sides]") == len(statements_of(family))


def test_a_long_formula_is_broken_between_its_terms() -> None:
    wide = Add(*(cos(number * x) for number in range(20)))
    assert readable(Le(wide, 2)) == str(pretty(Le(wide, 2), wrap_line=False))
    lines = readable(Le(wide, 2), 60).splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[-1] == "≤ 2"
    assert "".join(lines).count("cos") == 19
    assert all(line.lstrip().startswith(("cos", "+ cos", "≤", "1")) for line in lines), lines


def test_names_are_completed() -> None:
    complete = command.params[0].shell_complete
    context = click.Context(command)
    assert [item.value for item in complete(context, "pizza")] == ["pizza_integral"]
    assert "pizza_integral.scaled" in [item.value for item in complete(context, "pizza_integral.")]
