"""Statements printed for Rocq, the proofs in ``formal/`` that are written against them, and the kernel where it is."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from sympy import Integral, Ne, Rational, S, Sum, Symbol, cos, pi, sin, sqrt, symbols

import quadlens as ql
from quadlens.identities.functions import Gate, Modulus, Re, ReLU
from quadlens.identities.rocq import Unprintable, as_rocq, proposition_name, statements_file
from quadlens.identities.statement import Statement, Variable

FORMAL = Path(__file__).resolve().parent.parent / "formal"
x, t = Symbol("x", real=True), Symbol("t", real=True)
n = Symbol("n", integer=True, positive=True)


def statement(left, right, *, relation="=", symbols=(x,), **more) -> Statement:
    variables = tuple(Variable(symbol=one, low=1, high=2, integer=bool(one.is_integer)) for one in symbols)
    return Statement(
        name="a.b", title="T", left=left, right=right, relation=relation, variables=variables, source="s", **more
    )


@pytest.mark.parametrize(
    ("left", "right", "printed"),
    [
        (ReLU(x), x, "forall (x : R), \n  (relu x) = x."),
        (Gate(x) * sin(x), Modulus(x), "((gate x) * (sin x)) = (Rabs x)"),
        (cos(x) ** 2, Rational(-2, 3), "((cos x) ^ 2) = ((-2) / 3)"),
        (1 / x, x**-2, "(/ x) = (/ (x ^ 2))"),
        (sqrt(x), pi, "(sqrt x) = PI"),
        (Integral(t * x, (t, 0, x)), x**3, "is_RInt (fun t : R => (t * x)) (0) (x) ((x ^ 3))"),
        (2 * Integral(t, (t, 0, x)), x**2, "(2 * (RInt (fun t : R => t) (0) (x))) = (x ^ 2)"),
    ],
)
def test_every_node_is_printed(left, right, printed):
    assert printed in as_rocq(statement(left, right))


def test_what_is_assumed_is_a_hypothesis():
    positive, least = Symbol("q", positive=True), Symbol("l", nonnegative=True)
    text = as_rocq(statement(x, n + positive + least, symbols=(x, n, positive, least), conditions=(Ne(x, 0),)))
    assert "(n : Z) (q : R) (l : R)" in text
    assert all(given in text for given in ("0 < IZR n -> ", "0 < q -> ", "0 <= l -> ", "x <> 0 -> "))
    assert "<=" in as_rocq(statement(x, 2 * x, relation="<="))


@pytest.mark.parametrize(
    ("left", "why"),
    [
        (Re(x), "Re is not known"),
        (Sum(x, (n, 1, 3)), "Sum is not known"),
        (x**x, "exponent"),
        (Integral(x * t, (x, 0, 1), (t, 0, 1)), "one interval"),
        (Integral(x, x), "one interval"),
    ],
)
def test_what_cannot_be_printed_is_named(left, why):
    with pytest.raises(Unprintable, match=f"a.b: .*{why}"):
        as_rocq(statement(left, x))
    assert "a.b" in statements_file([statement(left, x)]).split("Not printed")[1]


@pytest.mark.parametrize(
    ("left", "symbols"),
    [
        (x - Symbol("x_", real=True), (x, Symbol("x_", real=True))),
        (Integral(x * Symbol("x_", real=True), (Symbol("x_", real=True), 0, 1)), (x,)),
        (Symbol("a+b", real=True) * Symbol("a-b", real=True), symbols("a+b a-b", real=True)),
    ],
)
def test_two_symbols_of_one_name_are_not_printed(left, symbols):
    with pytest.raises(Unprintable, match="would have one name in Rocq"):
        as_rocq(statement(left, x if x in symbols else S.One, symbols=symbols))


def test_what_a_symbol_is_is_said_or_refused():
    negative = Symbol("q", negative=True)
    assert "q < 0 -> " in as_rocq(statement(negative, S.One, symbols=(negative,)))
    for hidden in (Symbol("z", real=True, nonzero=True), Symbol("e", even=True), Symbol("c")):
        with pytest.raises(Unprintable, match="must be declared"):
            as_rocq(statement(hidden, S.One, symbols=(hidden,)))


@pytest.mark.parametrize("name", ["sqrt", "relu", "gate", "Rabs", "IZR", "RInt", "PI", "Prop"])
def test_a_symbol_does_not_hide_what_rocq_calls_so(name):
    symbol = Symbol(name, real=True)
    assert f"forall ({name}_ : R)" in as_rocq(statement(symbol, S.One, symbols=(symbol,)))


def test_a_title_stays_in_its_comment():
    said = replace(statement(x, S.One), title='b *) Axiom bad : False. (* "')
    assert "(* b * ) Axiom bad : False. ( * ' *)" in statements_file([said])


def test_a_statement_that_sympy_has_evaluated_away_is_not_printed():
    with pytest.raises(Unprintable, match="numbers as they are stored"):
        as_rocq(statement(Rational(1), Rational(1)))


def proofs() -> dict[str, str]:
    """The theorems of formal/, each with the proposition that it proves."""
    found = {}
    for path in sorted(FORMAL.glob("*.v")):
        found |= dict(re.findall(r"^Theorem (\w+) : (\w+)\.$", path.read_text(encoding="utf-8"), re.MULTILINE))
    return found


def test_the_statements_in_formal_are_those_that_are_printed():
    assert (FORMAL / "Statements.v").read_text(encoding="utf-8") == statements_file(ql.identities())


def test_every_theorem_is_about_a_stored_statement_and_nothing_is_assumed():
    names = {proposition_name(one): one.family for one in ql.identities()}
    assert len(proofs()) >= 20
    for theorem, proposition in proofs().items():
        assert theorem == f"{proposition}_holds"
        assert proposition in names
        assert f"{theorem} : {proposition}." in (FORMAL / f"{names[proposition]}.v").read_text(encoding="utf-8")
    for path in FORMAL.glob("*.v"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(Admitted|admit|Axiom|Parameter|Hypothesis|Conjecture)\b", text), path.name
    listed = (FORMAL / "_CoqProject").read_text(encoding="utf-8").split()
    assert sorted(one for one in listed if one.endswith(".v")) == sorted(path.name for path in FORMAL.glob("*.v"))


def test_docs_name_how_many_statements_the_kernel_checks():
    text = (FORMAL.parent / "docs" / "proved.md").read_text(encoding="utf-8")
    assert f"{len(proofs())} of the {len(ql.identities())} statements" in text


@pytest.mark.skipif(shutil.which("coqc") is None, reason="Rocq (Coq 8.16 with Coquelicot) is not installed")
def test_the_kernel_accepts_the_proofs_and_refuses_a_changed_constant(tmp_path):
    folder = tmp_path / "formal"
    folder.mkdir()
    for path in [*FORMAL.glob("*.v"), FORMAL / "Makefile", FORMAL / "_CoqProject"]:
        shutil.copy(path, folder)
    made = subprocess.run(["make", "-C", str(folder)], capture_output=True, text=True, timeout=600)
    assert made.returncode == 0, made.stderr[-2000:]
    allowed = {"sig_not_dec", "sig_forall_dec", "functional_extensionality_dep", "classic"}
    axioms = set(re.findall(r"^(?:[A-Za-z_]+\.)+([A-Za-z_]+)(?: :|\s*$)", made.stdout, re.MULTILINE))
    assert {"sig_forall_dec"} <= axioms <= allowed
    statements = folder / "Statements.v"
    text = statements.read_text(encoding="utf-8")
    assert "((2 / 3) * (cos t))" in text
    statements.write_text(text.replace("((2 / 3) * (cos t))", "((1 / 3) * (cos t))", 1), encoding="utf-8")
    assert subprocess.run(["make", "-C", str(folder)], capture_output=True, timeout=600).returncode != 0
