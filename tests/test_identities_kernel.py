"""The proof kernel: what it accepts is true, and each of its rules refuses a false claim."""

import importlib
import subprocess
import sys
from dataclasses import replace

import pytest
from sympy import I, Integral, Ne, Rational, S, Sum, Symbol, acos, cos, exp, pi, sin, sqrt, symbols

from quadlens.errors import DerivationError, OptionError
from quadlens.identities.antiderivatives import antiderivative
from quadlens.identities.cases import nonnegative_in_every_case
from quadlens.identities.catalogue import statements_of
from quadlens.identities.exponentials import same, vanishes
from quadlens.identities.functions import Gate, Modulus, Re, ReLU, conjugated
from quadlens.identities.proof import Proof
from quadlens.identities.series import Aliases
from quadlens.identities.signs import proved_sign
from quadlens.identities.statement import Statement, Variable
from quadlens.identities.theorems import Theorem

x, y, t, r = symbols("x y t r", real=True)
m, j = symbols("m j", integer=True)
N = Symbol("N", integer=True, positive=True)


@pytest.mark.parametrize(
    "expression",
    [
        cos(x) * cos(2 * x + t) - cos(x + t) / 2 - cos(3 * x + t) / 2,
        sin(x / 3) ** 2 + cos(x / 3) ** 2 - 1,
        (-1) ** m * (-1) ** m - 1,
        cos(pi * m / 2) ** 2 - (1 + (-1) ** m) / 2,
        exp(I * pi * m / 2) ** 4 - 1,
        1 / (1 - exp(I * x)) - (1 - exp(-I * x)) / (2 - 2 * cos(x)),
        Re(exp(I * x) * (t + I * y)) - t * cos(x) + y * sin(x),
        sin(acos(x)) ** 2 - 1 + x**2,
        cos(pi / 12) - (sqrt(6) + sqrt(2)) / 4,
        Modulus(x) * cos(t) ** 2 + Modulus(x) * sin(t) ** 2 - Modulus(x),
    ],
)
def test_identities_vanish(expression: object) -> None:
    assert vanishes(expression)


@pytest.mark.parametrize(
    "expression",
    [
        cos(x) * cos(2 * x + t) - cos(x + t) / 2 + cos(3 * x + t) / 2,
        cos(pi * m / 2) ** 2 - (1 - (-1) ** m) / 2,
        cos(pi * x) ** 2 - 1,
        (-1) ** m - 1,
        Modulus(x) - x,
        cos(x) - cos(y),
        Integral(ReLU(cos(x)), (x, 0, 1)) - Integral(ReLU(cos(x)), (x, 0, 2)),
    ],
)
def test_what_is_not_identically_zero_does_not_vanish(expression: object) -> None:
    assert not vanishes(expression)


def test_the_conjugate_needs_real_symbols() -> None:
    assert conjugated(exp(I * x)) == exp(-I * x)
    with pytest.raises(ValueError, match="needs real symbols"):
        conjugated(exp(I * Symbol("z")))


def test_antiderivatives_differentiate_back() -> None:
    for integrand in (x**2 + 3, cos(x) * cos(2 * x + t), exp(I * y * x) * cos(x) ** 3, x * 0 + t):
        nonzero = (y, y - 1, y + 1, y - 3, y + 3)
        assert vanishes(antiderivative(integrand, x, nonzero=nonzero).diff(x) - integrand)


def test_an_antiderivative_refuses_what_it_cannot_do() -> None:
    with pytest.raises(DerivationError, match="split it at its kinks"):
        antiderivative(ReLU(cos(x)), x)
    with pytest.raises(DerivationError, match="may be 0"):
        antiderivative(cos(y * x), x)
    with pytest.raises(DerivationError, match="not linear"):
        antiderivative(cos(x**2), x)
    with pytest.raises(DerivationError, match="neither a power nor an exponential"):
        antiderivative(cos(x) / x, x)


def test_signs() -> None:
    assert proved_sign(cos(x), x, -pi / 2, pi / 2) == 1
    assert proved_sign(cos(x), x, pi / 2, pi) == -1
    assert proved_sign(1 - cos(2 * x), x, S.Zero, pi, factors=[S(2), sin(x), sin(x)]) == 1
    with pytest.raises(DerivationError, match="not shown"):
        proved_sign(cos(x), x, S.Zero, pi)
    with pytest.raises(DerivationError, match="not the product"):
        proved_sign(1 - cos(2 * x), x, S.Zero, pi, factors=[sin(x), sin(x)])
    with pytest.raises(DerivationError, match="sign of the constant"):
        proved_sign(t * cos(x), x, -pi / 2, pi / 2)
    with pytest.raises(DerivationError, match="not linear"):
        proved_sign(cos(x**2), x, S.Zero, S.One)


def test_cases() -> None:
    assert nonnegative_in_every_case(Modulus(x) + Modulus(y) - Modulus(x + y)) == 8
    assert nonnegative_in_every_case(ReLU(x) - Gate(x) * x) == 4
    with pytest.raises(DerivationError, match="the slack"):
        nonnegative_in_every_case(Modulus(x + y) - Modulus(x))
    with pytest.raises(DerivationError, match="not linear"):
        nonnegative_in_every_case(x * y)


def proof() -> Proof:
    statement = Statement(
        name="test",
        title="For the tests",
        left=Integral(ReLU(cos(x)), (x, -pi, pi)),
        right=S(2),
        variables=(),
        source="here",
    )
    return Proof("test", "For the tests", [statement])


KINKS = (-pi, -pi / 2, pi / 2, pi)
LEFT = Integral(ReLU(cos(x)), (x, -pi, pi))


def test_a_chain_of_steps_concludes() -> None:
    made = proof()
    made.integral_by_pieces("all", ReLU(cos(x)), x, KINKS, 2)
    made.conclude("test", LEFT, 2)
    derivation = made.finish()
    assert derivation.verdict == "proved"
    assert [result.statement.name for result in derivation.results] == ["test"]


def test_every_rule_refuses_a_false_claim() -> None:
    made = proof()
    with pytest.raises(DerivationError, match="not shown equal"):
        made.equal("wrong", cos(x), sin(x))
    with pytest.raises(DerivationError, match="does not simplify"):
        made.simplified("wrong", sqrt(2), S(1))
    with pytest.raises(DerivationError, match="derivative"):
        made.derivative("wrong", sin(x), x, sin(x))
    with pytest.raises(DerivationError, match="is not 1"):
        made.integral("wrong", cos(x), (x, 0, pi), 1)
    with pytest.raises(DerivationError, match="is not 3"):
        made.integral_by_pieces("wrong", ReLU(cos(x)), x, KINKS, 3)
    with pytest.raises(DerivationError, match="sign of cos"):
        made.integral_by_pieces("a kink left out", ReLU(cos(x)), x, (-pi, 0, pi), 2)
    with pytest.raises(DerivationError, match="does not have the period"):
        made.periodic("wrong", cos(x), (x, 0, pi), shift=t)
    with pytest.raises(DerivationError, match="must not depend"):
        made.periodic("wrong", cos(x), (x, 0, 2 * pi), shift=x)
    with pytest.raises(DerivationError, match="is not shown equal"):
        made.at_most("wrong", x, x**2, x**2)
    with pytest.raises(DerivationError, match="non-negative"):
        made.at_most("wrong", x, 2 * x, x)
    with pytest.raises(DerivationError, match="the slack"):
        made.at_most_by_cases("wrong", Modulus(x), x)
    with pytest.raises(DerivationError, match="empty sum"):
        made.induction("wrong", j, (j, 1, N), N * (N + 1) / 2 + 1)
    with pytest.raises(DerivationError, match="is not the term"):
        made.induction("wrong", j, (j, 1, N), N * (N + 3) / 2)
    with pytest.raises(DerivationError, match="its conjugate"):
        made.modulus_squared("wrong", x + I * y, x**2 - y**2)
    with pytest.raises(DerivationError, match="not established"):
        made.chain("wrong", x, y)
    with pytest.raises(DerivationError, match="case j = 1"):
        made.either("wrong", Modulus(x) * j, 0, j, (0, 1))
    with pytest.raises(DerivationError, match="must be consecutive"):
        made.either("wrong", Modulus(x) * j, 0, j, (0, 2))
    with pytest.raises(DerivationError, match="the case"):
        made.by_sign("wrong", Modulus(x), x, x, Symbol("r", positive=True))
    with pytest.raises(DerivationError, match="does not hold"):
        made.holds("wrong", None, False, "a computation")
    with pytest.raises(DerivationError, match="differ by"):
        made.numeric("wrong", x, y, 20, lambda digits: S(10) ** (1 - digits))


def test_a_conclusion_needs_its_steps_and_the_stored_statement() -> None:
    with pytest.raises(DerivationError, match="no step shows"):
        proof().conclude("test", LEFT, 2)
    made = proof()
    made.integral_by_pieces("all", ReLU(cos(x)), x, KINKS, 2)
    with pytest.raises(DerivationError, match="the right side stored"):
        made.conclude("test", LEFT, LEFT)
    with pytest.raises(DerivationError, match="the left side stored"):
        made.conclude("test", LEFT + 1, 2)
    with pytest.raises(DerivationError, match="derived under"):
        made.conclude("test", LEFT, 2, conditions=(Ne(x, 1),))
    with pytest.raises(DerivationError, match="derived '<='"):
        made.conclude("test", LEFT, 2, relation="<=")
    with pytest.raises(DerivationError, match="no stored statement"):
        made.conclude("other", LEFT, 2)
    with pytest.raises(DerivationError, match="not derived: test"):
        made.finish()
    made.conclude("test", LEFT, 2)
    with pytest.raises(DerivationError, match="concluded twice"):
        made.conclude("test", LEFT, 2)


def test_a_divisor_needs_a_condition() -> None:
    statement = Statement(
        name="test",
        title="For the tests",
        left=Integral(cos(y * x), (x, 0, 1)),
        right=sin(y) / y,
        variables=(Variable(symbol=y, low=1, high=2),),
        source="here",
        conditions=(),
    )
    made = Proof("test", "For the tests", [statement])
    made.integral("all", cos(y * x), (x, 0, 1), sin(y) / y, nonzero=(y,))
    with pytest.raises(DerivationError, match=r"no condition keeps.*defined: Ne"):
        made.conclude("test", Integral(cos(y * x), (x, 0, 1)), sin(y) / y)


def named(name: str, left: object, right: object, variable: Symbol, *conditions: object) -> Statement:
    return Statement(
        name=name,
        title="For the tests",
        left=left,
        right=right,
        variables=(Variable(symbol=variable, low=1, high=2),),
        source="here",
        conditions=conditions,
    )


def test_what_was_learned_by_dividing_keeps_its_condition_after_the_conclusion() -> None:
    left, right = Integral(cos(y * x), (x, 0, 1)), sin(y) / y
    made = Proof("test", "For the tests", [named("one", left, right, y, Ne(y, 0)), named("two", left, right, y)])
    made.integral("all", cos(y * x), (x, 0, 1), right, nonzero=(y,))
    made.conclude("one", left, right, conditions=(Ne(y, 0),))
    with pytest.raises(DerivationError, match="no condition keeps"):
        made.conclude("two", left, right)


def test_an_instance_divides_by_what_is_put_in() -> None:
    left, right = Integral(cos(y * x), (x, 0, 1)), sin(y) / y
    put, value = Integral(cos(t * x), (x, 0, 1)), sin(t) / t
    made = Proof("test", "For the tests", [named("one", put, value, t, Ne(y, 0))])
    made.integral("all", cos(y * x), (x, 0, 1), right, nonzero=(y,))
    made.instance("at t", {y: t}, of=left)
    with pytest.raises(DerivationError, match=r"no condition keeps.*defined: Ne"):
        made.conclude("one", put, value, conditions=(Ne(y, 0),))


def test_what_is_put_in_satisfies_what_its_symbol_does() -> None:
    positive = Symbol("q", positive=True)
    made = proof()
    made.integral_by_pieces("all", ReLU(positive * cos(x)), x, KINKS, 2 * positive)
    left = Integral(ReLU(positive * cos(x)), (x, -pi, pi))
    with pytest.raises(DerivationError, match="q is positive, and t is not known to be"):
        made.instance("any sign", {positive: t}, of=left)
    with pytest.raises(DerivationError, match="q is positive, and -1 is not known to be"):
        made.instance("a negative one", {positive: S.NegativeOne}, of=left)
    made.instance("a positive one", {positive: S(3)}, of=left)
    made.at_most("a bound", 0, positive, positive)
    with pytest.raises(DerivationError, match="q is positive, and t is not known to be"):
        made.bound_with("any sign", 0, positive, {positive: t})


def test_what_is_put_in_is_not_captured() -> None:
    made = proof()
    left = Integral(y * x, (x, 0, 1))
    made.chain("a bound", left, left)
    made.bound_with("x for y: the variable of integration gets another name", left, left, {y: x})
    assert made._ledger.facts[-1].left == Integral(x * Symbol("x_", real=True), (Symbol("x_", real=True), 0, 1))
    made.bound_with("t for y", left, left, {y: t})
    with pytest.raises(DerivationError, match="captured"):
        made.bound_with("t for x", left, left, {x: t})


def test_an_assumption_about_a_symbol_is_none_about_a_bound_variable() -> None:
    made = proof()
    made.equal_by_cases("on one side", ReLU(y), y, assuming=(y >= 0,))
    assert made.known(ReLU(y), (y >= 0,)) == y
    whole = Integral(ReLU(y), (y, -1, 1))
    assert made.known(whole, (y >= 0,)) == whole


def test_a_pair_checked_numerically_is_proved_by_no_later_step() -> None:
    statements = [replace(named("one", sin(y), y, y), numeric=True), named("two", sin(y), y, y)]
    made = Proof("test", "For the tests", statements)
    made.numeric("near", sin(y), y, 20, lambda digits: S.Zero)
    made.conclude("one", sin(y), y)
    with pytest.raises(DerivationError, match="no step shows"):
        made.conclude("two", sin(y), y)


def test_a_statement_checks_itself() -> None:
    kinds = {"name": "s", "title": "t", "left": x, "right": x, "variables": (), "source": "here"}
    with pytest.raises(DerivationError, match=r"give \['x'\] a range"):
        Statement(**kinds)
    with pytest.raises(DerivationError, match="a name, a title"):
        Statement(**{**kinds, "title": ""})
    with pytest.raises(DerivationError, match="the relation is"):
        Statement(**{**kinds, "left": S.One, "right": S.One, "relation": "<"})
    with pytest.raises(DerivationError, match="must be ordered"):
        Variable(symbol=x, low=1, high=0)
    with pytest.raises(OptionError, match="choose from"):
        statements_of("no_such_family")


def test_sums_are_rules() -> None:
    made = proof()
    made.induction("triangular numbers", j, (j, 1, N), N * (N + 1) / 2)
    assert same(made.known(2 * Sum(j, (j, 1, N))), N * (N + 1))
    assert made.known(Rational(1, 3)) == Rational(1, 3)


@pytest.mark.parametrize("first", ["quadlens.identities", "quadlens.identities.catalogue", "quadlens.errors"])
def test_the_package_of_that_name_is_also_the_function(first: str) -> None:
    code = f"import {first}; import quadlens as ql; assert ql.identities()[0].name; assert ql.identities()[0].name"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_package_does_not_import_sympy() -> None:
    code = "import sys, quadlens, quadlens.identities; assert 'sympy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert callable(importlib.import_module("quadlens.identities"))


def test_the_mean_value_theorem_needs_the_slope_of_every_branch() -> None:
    made = proof()
    with pytest.raises(DerivationError, match="is not established"):
        made.mean_value("unknown slope", ReLU(cos(x)), x, x, t, S.One)
    made.at_most("the slope's square", sin(x) ** 2, S.One, cos(x) ** 2)
    made.modulus_at_most("the slope", sin(x), S.One)
    for smaller in (Rational(1, 2), Rational(99, 100)):
        with pytest.raises(DerivationError, match="is not established"):
            made.mean_value("too small a slope", ReLU(cos(x)), x, x, t, smaller)
    with pytest.raises(DerivationError, match="is not established"):
        made.mean_value("one branch is steeper", Modulus(2 * cos(x)), x, x, t, S.One)
    for broken in (Gate(cos(x)), 1 / cos(x)):
        with pytest.raises(DerivationError, match="is not a polynomial"):
            made.mean_value("not continuous", broken, x, x, t, S.One)
    made.mean_value("twice as steep", Modulus(2 * cos(x)), x, x, t, S(2))
    made.mean_value("a kink", ReLU(cos(x)), x, x, t, S.One)
    made.chain("the bound", Modulus(ReLU(cos(x)) - ReLU(cos(t))), Modulus(x - t))


def test_the_remainder_of_a_series_needs_its_harmonics_and_its_partial_sums() -> None:
    d, end = Symbol("d", integer=True, nonnegative=True), Symbol("K", integer=True, nonnegative=True)
    rate, limits = Symbol("rate", real=True), (d, 0, end)
    series = Aliases(
        function=cos(y),
        variable=y,
        order=rate,
        nodes=S(3),
        phase=t,
        index=(j, Symbol("k", integer=True)),
        constant=S.Zero,
        term=S.Zero,
    )
    error, zeros = Modulus(series.remainder), Sum(S.Zero, limits)
    made = proof()
    with pytest.raises(DerivationError, match="the order 0 is not established"):
        made.series_remainder("no harmonics", error, S.Zero, limits, 1, theorem=series)
    whole, rates = cos(y) * exp(-I * rate * y), (1 - rate, 1 + rate)
    value = 2 * rate * sin(pi * rate) / (1 - rate**2)
    made.integral("harmonics", whole, (y, -pi, pi), value, nonzero=rates)
    with pytest.raises(DerivationError, match="the constant 1 is not the mean"):
        made.series_remainder("no mean", error, S.Zero, limits, 1, theorem=replace(series, constant=S.One))
    with pytest.raises(DerivationError, match="is not what the orders"):
        made.series_remainder("no term", error, S.Zero, limits, 1, theorem=replace(series, term=cos(3 * j * t)))
    with pytest.raises(DerivationError, match=r"\|0\| <= -1 is not established"):
        made.series_remainder("no bound", error, S.NegativeOne, limits, 1, theorem=series)
    made.equal_by_cases("a modulus of 0", Modulus(S.Zero), S.Zero)
    with pytest.raises(DerivationError, match="partial sums"):
        made.series_remainder("not summed", error, S.Zero, limits, 1, theorem=series)
    made.linear_sum("of zeros", zeros)
    with pytest.raises(DerivationError, match="must not depend on K"):
        made.series_remainder("no bound for all", error, S.Zero, limits, 1 / (end + 1), theorem=series)
    with pytest.raises(DerivationError, match="is not what the series"):
        made.series_remainder("another error", Modulus(series.remainder + t), S.Zero, limits, 0, theorem=series)
    made.series_remainder("three phases kill a first harmonic", error, S.Zero, limits, 0, theorem=series)
    made.chain("the bound", error, S.Zero)


def test_a_verdict_says_what_it_rests_on() -> None:
    made = proof()
    made.integral_by_pieces("all", ReLU(cos(x)), x, KINKS, 2)
    made.cite("nothing needs it", Theorem(name="a theorem of the textbooks", checked=(), listed=("all of it",)))
    made.by_balls("nor this", 0, 1, {})
    made.conclude("test", LEFT, 2)
    (result,) = made.finish().results
    theorem = "theorem: a theorem of the textbooks (not checked: all of it)"
    balls = "computation in ball arithmetic: nor this (in balls of 128 bits, over 1 parts of the box)"
    assert result.rests_on == (theorem, balls)
    assert result.in_words == f"proved; with the {theorem}; with the {balls}"
    plain = proof()
    plain.integral_by_pieces("all", ReLU(cos(x)), x, KINKS, 2)
    plain.conclude("test", LEFT, 2)
    assert plain.finish().results[0].in_words == "proved"
