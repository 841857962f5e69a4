"""False statements that somebody might get proved: each attack calls the rules, concludes, and must be refused."""

from collections.abc import Callable
from typing import Any

import pytest
from sympy import (
    Abs,
    Derivative,
    Dummy,
    E,
    Eq,
    Float,
    Function,
    Ge,
    Gt,
    I,
    IndexedBase,
    Integral,
    Le,
    Max,
    Piecewise,
    Rational,
    S,
    Sum,
    Symbol,
    acos,
    atan,
    cos,
    exp,
    floor,
    log,
    nan,
    oo,
    pi,
    sign,
    sin,
    sqrt,
    symbols,
    tan,
    zoo,
)

from quadlens.errors import DerivationError
from quadlens.identities.conditions import Smooth
from quadlens.identities.functions import Gate, Modulus, Re, ReLU
from quadlens.identities.proof import Proof
from quadlens.identities.series import Aliases
from quadlens.identities.statement import Statement, Variable
from quadlens.identities.theorems import MEAN_VALUE

x, y, z, a, b, t = symbols("x y z a b t", real=True)
v = Symbol("v")
xp, yp = symbols("x y", positive=True)
r, u = Symbol("r", positive=True), Symbol("u", nonnegative=True)
j, k, m = symbols("j k m", integer=True)
n, N = symbols("n N", integer=True, positive=True)
K, d = symbols("K d", integer=True, nonnegative=True)
f = Function("f")
circle = (x, -pi, pi)


def attack(
    call: Callable[[Proof], Any], left: Any, right: Any, relation: str = "=", conditions: tuple[Any, ...] = ()
) -> None:
    """State a claim, make the call, conclude: the way in which every proof goes."""
    left, right = S(left), S(right)
    free = left.free_symbols | right.free_symbols | set().union(*(one.free_symbols for one in conditions))
    statement = Statement(
        name="f.a",
        title="t",
        left=left,
        right=right,
        relation=relation,
        source="s",
        variables=tuple(Variable(symbol=symbol, low=-1, high=1) for symbol in free),
        conditions=conditions,
    )
    proof = Proof("f", "t", [statement])
    call(proof)
    proof.conclude("f.a", left, right, relation=relation, conditions=conditions)


def fundamental(function: Any, integrand: Any, low: Any, high: Any) -> tuple[Any, ...]:
    value = function.subs(x, high) - function.subs(x, low)
    return (
        lambda p: p.fundamental("F", function, integrand, (x, low, high)),
        Integral(integrand, (x, low, high)),
        value,
    )


def relu_on_one_side(p: Proof) -> None:
    p.equal_by_cases("where x >= 0", ReLU(x), x, assuming=(x >= 0,))
    p.by_cases("s", ReLU(x), x, [("x >= 0", {}, (Ge(x, 0),))], "x >= 0 is all there is")


def not_the_only_values(p: Proof) -> None:
    p.at_most("-1 <= 0", S(-1), S(0), S(1))
    p.either("e", x, 0, x, (-1,))


def integer_not_the_only_values(p: Proof) -> None:
    p.at_most("-1 <= 0", S(-1), S(0), S(1))
    p.either("e", m, 0, m, (-1,))


def summed_cosines(p: Proof) -> None:
    beta, end = Symbol("beta", real=True), Symbol("K", integer=True)
    closed = (sin(beta * (end + Rational(1, 2))) - sin(-beta / 2)) / (2 * sin(beta / 2))
    p.induction("telescopes", cos(beta * j), (j, 0, end), closed)
    p.instance("at 2 pi m/n", {beta: 2 * pi * m / n, end: n - 1}, of=Sum(cos(beta * j), (j, 0, end)))
    p.equal("so 0", p.known(Sum(cos(2 * pi * m / n * j), (j, 0, n - 1))), 0)


def three_for_a_cosine(p: Proof) -> None:
    p.at_most("cos^2 <= 1", cos(x) ** 2, 1, sin(x) ** 2)
    p.modulus_at_most("|cos| <= 1", cos(x), S.One)
    p.bound_with("i", Modulus(cos(x)), S.One, {cos(x): S(3)})


WAVE = cos(z)
ODD = (2 * j + 1) * (2 * n + 1) - 2
ODD_HARMONIC = cos(pi * ODD / 2) / (pi * (1 - ODD**2))  # 1/4 at ODD = 1, which j = 0 and n = 1 give


def a_million_from_nowhere(p: Proof) -> None:
    p.linear_sum("zeros", Sum(S.Zero, (j, 1, N)))
    p.at_most("at most 1", Sum(S.Zero, (j, 1, N)), S.One, S.One)
    p.series_remainder("x", S(10**6), S.Zero, (j, 1, N), 1, theorem="anything")


def steep(slope: Any, function: Any = WAVE, **theorem: Any) -> Callable[[Proof], Any]:
    def call(p: Proof) -> None:
        p.at_most("sin^2 <= 1", sin(z) ** 2, 1, cos(z) ** 2)
        p.modulus_at_most("|sin| <= 1", sin(z), S.One)
        p.mean_value("mv", function, z, a, b, slope, **theorem)

    return call


def own_steepness(p: Proof) -> None:
    p.modulus_at_most("a square is its modulus", 4 * z**2, 4 * z**2)
    p.at_most("|2z| <= |2z|", Modulus(2 * z), Modulus(2 * z), S.Zero)
    p.mean_value("mv", z**2, z, a, b, Modulus(2 * z))


CORNERS = Modulus(1 + v) + Modulus(1 - v)


def i_for_a_symbol(p: Proof) -> None:
    p.equal_by_cases("true for real v", CORNERS - 2, 2 * ReLU(Modulus(v) - 1))
    p.instance("at i", {v: I}, of=CORNERS - 2)


def real_root_of_minus_one(p: Proof) -> None:
    p.equal_by_cases("|2y| = 2|y|", ReLU(y) - ReLU(-y), y)
    p.instance("at i", {y: I}, of=ReLU(y) - ReLU(-y))


def steep_on_one_side(p: Proof) -> None:
    p.at_most("e^{-u} <= 1 for u >= 0", exp(-u) ** 2, S.One, S.Zero, assuming=(exp(-u) ** 2 <= 1, exp(-u) ** 2 >= 1))
    p.mean_value("mv", u, u, a, b, S.One)
    p.mean_value("mv", u**2, u, a, b, S.Zero)


def between_integers(p: Proof) -> None:
    p.mean_value("mv", cos(2 * pi * m + pi / 2), m, a, b, S.Zero)


def below_nothing(p: Proof) -> None:
    p.at_most_by_cases("vacuous", S(5), S(3), assuming=(x >= 1, x <= 0))


def adjacent_but_different(p: Proof) -> None:
    whole = (x, j, j + 1)
    p.adjacent("a", S(j), whole, (j, 0, n - 1))


def multiple_and_more(p: Proof) -> None:
    p.halves("h", 1 + ReLU(-j - Rational(1, 2)), -j - Rational(1, 2), (j, -N, 0, N))


def end_in_term(p: Proof) -> None:
    p.induction("i", j - N, (j, 1, N), S.Zero)


def pole_on_the_way(p: Proof) -> None:
    p.induction("i", 1 / ((j - 3) * (j - 4)), (j, 0, K), -1 / (K - 3) - Rational(1, 4))


def cubic_in_a_sum(p: Proof) -> None:
    total = Sum(cos(j), (j, 1, n))
    p.termwise("t", total * (total - cos(j)) * (total - 2 * cos(j)), S.Zero)


def count_is_a_root(p: Proof) -> None:
    total = Sum(S.One, (j, 1, n))
    p.termwise("t", total * (total - 1) * (total - 2), S.Zero)
    p.linear_sum("n ones", total)


def one_index_for_two_sums(p: Proof) -> None:
    one, other = (j, 1, n), (j, 1, N + 7)
    p.termwise("t", Sum(j, one) * Sum(j, other), Sum(j**2, one) * Sum(S.One, other), over=one)


def triangle_as_square(p: Proof) -> None:
    p.separated("s", x * y, (x, 0, y), (y, 0, 1), [(1, x, y)])


def shifts_a_constant(p: Proof) -> None:
    shift = {x: x, y: y, b: b + 1}
    p.shifted_torus("s", cos(x + b) ** 2 * 1, (x, -pi, pi), (y, -pi, pi), shift, cos(x + b + 1) ** 2)
    p.shifted_torus("s", S(b), (x, -pi, pi), (y, -pi, pi), shift, S(b + 1))
    p.separated("one", S(b), (x, -pi, pi), (y, -pi, pi), [(b, 1, 1)])


def empty_pieces(p: Proof) -> None:
    p.integral_by_pieces("s", Modulus(x - y), x, (0, 1), y + 7, assuming=(y >= 1, y <= 0))
    p.iterated("i", Modulus(x - y), (x, 0, 1), y, [(0, 1, S.Half - y), (1, 0, y - S.Half)], 0)


def root_of_itself(p: Proof) -> None:
    p.by_sign("s", (x - r) * (x + r) * x, S.Zero, x, r)


def two_sums(p: Proof) -> None:
    p.linear_sum("l", Sum(1 + j, (j, 1, 2), (k, 1, 5)))


def imaginary_exponent(p: Proof) -> None:
    p.modulus_squared("m", (-1) ** Rational(1, 3), ((-1) ** Rational(1, 3)) ** 2)


def wrong_series(p: Proof) -> None:
    series = Aliases(
        function=ReLU(cos(z)), variable=z, order=a, nodes=S(1), phase=x, index=(j, k), constant=S.Zero, term=S.Zero
    )
    p.at_most("0", Sum(S.Zero, (d, 0, K)), S.Zero, S.Zero)
    p.series_remainder("s", Modulus(series.remainder), S.Zero, (d, 0, K), S.Zero, theorem=series)


def rough_series(p: Proof) -> None:
    series = Aliases(
        function=Gate(cos(z)), variable=z, order=a, nodes=S(1), phase=x, index=(j, k), constant=S.Zero, term=S.Zero
    )
    p.series_remainder("s", Modulus(series.remainder), S.Zero, (d, 0, K), S.Zero, theorem=series)


def summand_below(p: Proof) -> None:
    """1/j <= 1 for positive j says nothing about j from -5 on."""
    jp = Symbol("j", integer=True, positive=True)
    p.at_most("1/j <= 1", 1 / jp, S.One, (jp - 1) / jp, assuming=(jp >= 1,))
    p.summed_bound("add", -Modulus(jp), -jp, (jp, -5, 0))


def negative_count(p: Proof) -> None:
    p.linear_sum("l", Sum(S.One, (j, 1, m)))


def condition_on_the_variable(p: Proof) -> None:
    p.integral_by_pieces("s", Modulus(x), x, (-1, 1), 0, assuming=(x >= 0,))


def under_the_integral(p: Proof) -> None:
    p.equal_by_cases("for x >= 0", ReLU(x), x, assuming=(x >= 0,))
    p.rewritten("so", Integral(ReLU(x), (x, -1, 1)), {ReLU(x): x}, assuming=(x >= 0,))


def bounded_on_one_side(p: Proof) -> None:
    p.at_most("x <= 0 there", x, S.Zero, -x, assuming=(x <= 0,))
    p.given("given", Le(x, 0))


def complex_order(p: Proof) -> None:
    p.chain("c", I * x, I * x)


def half_shift(p: Proof) -> None:
    p.periodic("p", exp(I * x), circle, shift=I)


def sign_of_other_symbol(p: Proof) -> None:
    p.equal_by_cases("x", Modulus(x), x, assuming=(xp >= 0,))


def dividing_by_nothing(p: Proof) -> None:
    p.equal("cancel", (x**2 - 1) / (x - 1), x + 1)


def nonzero_for_ever(p: Proof) -> None:
    p.integral("i", cos(y * x), (x, 0, 1), sin(y) / y, nonzero=(y,))
    p.instance("y = 0 is a case", {y: a - b}, of=Integral(cos(y * x), (x, 0, 1)))


def kink_in_the_primitive(p: Proof) -> None:
    p.fundamental("F", Gate(x), Derivative(Gate(x), x), (x, -1, 1))


def balls(left: Any, right: Any, box: Any, slopes: Any = None) -> tuple[Any, ...]:
    return (lambda p: p.by_balls("b", left, right, box, slopes), left, right, "<=")


def wrong_slope(p: Proof) -> None:
    whole = Integral(ReLU(2 * y * cos(x)) * cos(2 * x), circle)
    p.by_balls("b", whole, S.Zero, {y: (0, 1)}, {y: (a, S.Zero)})


def false_stored(p: Proof) -> None:
    p.known(Integral(x, (x, 0, 1)))


def nothing(p: Proof) -> None:
    return None


nonpositive, nonzero, prime = (
    Symbol("q", nonpositive=True),
    Symbol("q", real=True, nonzero=True),
    Symbol("q", prime=True),
)
LATTICE = -j - Rational(1, 2)
def below_the_range(proof: Proof) -> None:
    proof.at_most_by_cases("a", Modulus(j), j, assuming=(j >= 1,))
    proof.summed("s", j, j, (j, -2, 0))


def its_own_bound(proof: Proof) -> None:
    proof.at_most("a", y**2, y**2, S.Zero)
    proof.modulus_at_most("m", y, y, assuming=(y >= 0,))


SECTION_B = {
    "B1 a pole inside": fundamental(-1 / x, 1 / x**2, -1, 1),
    "B1 a primitive that jumps": fundamental(2 / sqrt(3) * atan(tan(x / 2) / sqrt(3)), 1 / (2 + cos(x)), 0, 2 * pi),
    "B2 a positive variable of integration": (
        lambda p: p.integral_by_pieces("s", Modulus(xp), xp, (-1, 1), 0),
        Integral(Modulus(xp), (xp, -1, 1)),
        0,
    ),
    "B4 no case at all": (lambda p: p.by_cases("s", cos(x), S(5), [], "none"), cos(x), 5),
    "B5 one case of two": (relu_on_one_side, ReLU(x), x),
    "B7 one value of all": (not_the_only_values, x, 0, "<="),
    "B7 one integer of all": (integer_not_the_only_values, m, 0, "<="),
    "B8 an error from nowhere": (
        a_million_from_nowhere,
        10**6,
        1,
        "<=",
    ),
    "B9 a closed form with a pole": (summed_cosines, Sum(cos(2 * pi * m / n * j), (j, 0, n - 1)), 0),
    "B10 a number for a cosine": (three_for_a_cosine, Modulus(S(3)), 1, "<="),
    "B11 a negative slope": (steep(S(-1)), Modulus(cos(a) - cos(b)), -Modulus(a - b), "<="),
    "B12 an integral over two variables": (
        lambda p: p.linear("l", Integral(1 + x, (x, 0, 1), (y, 0, 5))),
        Integral(1 + x, (x, 0, 1), (y, 0, 5)),
        1 + Integral(x, (x, 0, 1)),
    ),
    "B12 a double sum": (two_sums, Sum(1 + j, (j, 1, 2), (k, 1, 5)), 2 + Sum(j, (j, 1, 2))),
    "B14 a symbol that is not real": (i_for_a_symbol, CORNERS.subs(v, I) - 2, 2 * ReLU(Modulus(I) - 1)),
    "B14 i for a real symbol": (real_root_of_minus_one, ReLU(I) - ReLU(-I), I),
    "B15 a root of a negative number": (lambda p: p.modulus_squared("m", sqrt(x), x), Modulus(sqrt(x)) ** 2, x),
    "B18 balls of somebody else": (lambda p: p.by_balls("b", 5, 3, True, "trust me"), 5, 3, "<="),
    "B18 a condition of somebody else": (lambda p: p.holds("h", Le(5, 3, evaluate=False), True, "me"), 5, 3, "<="),
}
OTHERS = {
    "a pole at an end": fundamental(1 / x, -1 / x**2, 0, 1),
    "a pole at a symbol": fundamental(-1 / (x - y), 1 / (x - y) ** 2, -1, 1),
    "a logarithm": fundamental(log(x), 1 / x, -1, 1),
    "a root that is not differentiable": fundamental(sqrt(x**2), x / sqrt(x**2), -1, 1),
    "a primitive with a kink": (kink_in_the_primitive, Integral(S.Zero, (x, -1, 1)), 1),
    "a floor": fundamental(floor(x), S.Zero, 0, 1),
    "a sign": (nothing, sign(x) ** 2, 1),
    "infinity as a limit": fundamental(-exp(-x), exp(-x), 0, oo),
    "not a number": (nothing, nan, nan),
    "complex infinity": (nothing, zoo, zoo),
    "infinity": (lambda p: p.chain("c", oo, oo), oo, oo, "<="),
    "a float": (nothing, Float("0.1") + Float("0.2"), Float("0.3")),
    "a piecewise": (nothing, Piecewise((x, x > 0), (0, True)), Piecewise((x, x > 0), (0, True))),
    "an undeclared symbol": (lambda p: p.equal("e", v, v), Re(v), v),
    "a symbol without a sign to see": (nothing, Abs(nonpositive), -nonpositive),
    "a hidden non-zero": (nothing, nonzero / nonzero**2, 1 / nonzero),
    "a hidden prime": (lambda p: p.at_most("a", S(2), prime, prime - 2), 2, prime, "<="),
    "one name, two symbols": (lambda p: p.equal("e", x + xp, xp + x), x + xp, xp + x),
    "a variable bound and free": (nothing, x + Integral(x, (x, 0, 1)), Integral(x, (x, 0, 1)) + x),
    "a limit with its variable": (nothing, Integral(cos(x), (x, 0, x)), Integral(cos(x), (x, 0, x))),
    "a condition on a bound variable": (condition_on_the_variable, Integral(Modulus(x), (x, -1, 1)), 0),
    "the same, displayed": (
        condition_on_the_variable,
        Integral(Modulus(x), (x, -1, 1)),
        0,
        "=",
        (Ge(x, 0),),
    ),
    "a condition under the integral": (under_the_integral, Integral(ReLU(x), (x, -1, 1)), 0),
    "a given that is not given": (bounded_on_one_side, x, 0, "<="),
    "a positive index below 0": (
        summand_below,
        Sum(-Modulus(j), (j, -5, 0)),
        Sum(-j, (j, -5, 0)),
        "<=",
    ),
    "a negative number of terms": (negative_count, Sum(S.One, (j, 1, m)), m),
    "a real end of a sum": (lambda p: p.linear_sum("l", Sum(S.One, (j, 1, y))), Sum(S.One, (j, 1, y)), y),
    "the end in the term": (end_in_term, Sum(j - N, (j, 1, N)), 0),
    "a pole before the end": (
        pole_on_the_way,
        Sum(1 / ((j - 3) * (j - 4)), (j, 0, K)),
        -1 / (K - 3) - Rational(1, 4),
        "=",
        (Ge(K, 5),),
    ),
    "intervals of different functions": (
        adjacent_but_different,
        Sum(Integral(j, (x, j, j + 1)), (j, 0, n - 1)),
        Integral(j, (x, 0, n)),
    ),
    "a term that does not vanish": (
        multiple_and_more,
        Sum(1 + ReLU(LATTICE), (j, -N, N)),
        Sum(1 + LATTICE, (j, -N, -1)),
    ),
    "a cubic in a sum": (count_is_a_root, n * (n - 1) * (n - 2), 0),
    "one index for two ranges": (
        one_index_for_two_sums,
        Sum(j, (j, 1, n)) * Sum(j, (j, 1, N + 7)),
        Sum(j**2, (j, 1, n)) * Sum(S.One, (j, 1, N + 7)),
    ),
    "a triangle as a square": (
        triangle_as_square,
        Integral(x * y, (x, 0, y), (y, 0, 1)),
        Integral(x, (x, 0, y)) * Integral(y, (y, 0, 1)),
    ),
    "a shift of a constant": (
        shifts_a_constant,
        Integral(b, circle, (y, -pi, pi)),
        Integral(b + 1, circle, (y, -pi, pi)),
    ),
    "pieces that are empty": (empty_pieces, Integral(Modulus(x - y), (x, 0, 1), (y, 0, 0)), 0),
    "a case symbol that is not new": (root_of_itself, (x - r) * (x + r) * x, 0),
    "a cubic root of -1": (imaginary_exponent, Modulus((-1) ** Rational(1, 3)) ** 2, ((-1) ** Rational(1, 3)) ** 2),
    "a modulus of i": (
        lambda p: p.equal_by_cases("e", Modulus(I * x) ** 2, (I * x) ** 2),
        Modulus(I * x) ** 2,
        -(x**2),
    ),
    "a ReLU of i": (lambda p: p.equal_by_cases("e", ReLU(I) - ReLU(-I), I), ReLU(I) - ReLU(-I), I),
    "an arc cosine of 2": (
        lambda p: p.modulus_squared("m", acos(S(2)), acos(S(2)) ** 2),
        Modulus(acos(2)) ** 2,
        acos(2) ** 2,
    ),
    "an arc cosine of x": (
        lambda p: p.modulus_squared("m", acos(x), acos(x) ** 2),
        Modulus(acos(x)) ** 2,
        acos(x) ** 2,
    ),
    "an arc cosine without a domain": (lambda p: p.equal("e", acos(x), acos(x)), acos(x), acos(x)),
    "a root without a domain": (lambda p: p.equal("e", sqrt(x), sqrt(x)), sqrt(x), sqrt(x)),
    "a cancelled pole": (dividing_by_nothing, (x**2 - 1) / (x - 1), x + 1),
    "a divisor that may vanish later": (nonzero_for_ever, Integral(cos((a - b) * x), (x, 0, 1)), sin(a - b) / (a - b)),
    "an order between complex numbers": (complex_order, I * x, I * x, "<="),
    "an imaginary shift": (half_shift, Integral(exp(I * x), circle), Integral(exp(I * x - 1), circle)),
    "a slope of 0": (steep(S.Zero), Modulus(cos(a) - cos(b)), 0, "<="),
    "an infinite slope": (steep(oo), Modulus(cos(a) - cos(b)), oo * Modulus(a - b), "<="),
    "a theorem by hand": (steep(S(2), theorem="anything"), Modulus(cos(a) - cos(b)), Modulus(a - b), "<="),
    "a slope with the variable": (own_steepness, Modulus(a**2 - b**2), Modulus(2 * z) * Modulus(a - b), "<="),
    "a jump with a slope": (steep(S.One, Gate(z)), Modulus(Gate(a) - Gate(b)), Modulus(a - b), "<="),
    "a pole with a slope": (steep(S.One, 1 / z), Modulus(1 / a - 1 / b), Modulus(a - b), "<="),
    "a wild cosine with a slope": (steep(S.One, cos(1 / z)), Modulus(cos(1 / a) - cos(1 / b)), Modulus(a - b), "<="),
    "a class of functions left out": (
        lambda p: p.fundamental("F", f(x), f(x).diff(x), (x, 0, 1)),
        Integral(f(x).diff(x), (x, 0, 1)),
        f(1) - f(0),
    ),
    "a class of functions too small": (
        lambda p: p.fundamental("F", f(x), f(x).diff(x), (x, 0, 1)),
        Integral(f(x).diff(x), (x, 0, 1)),
        f(1) - f(0),
        "=",
        (Smooth(f, 0),),
    ),
    "the wrong series": (wrong_series, Modulus(ReLU(cos(x))), 0, "<="),
    "a series of a jump": (rough_series, Modulus(Gate(cos(x))), 0, "<="),
    "balls of a false claim": balls(y, S.One, {y: (0, 2)}),
    "balls on part of the domain": balls(y, S.One, {y: (0, 1)}),
    "balls with a range reversed": balls(y, S.Zero, {y: (1, -1)}),
    "balls with a range that moves": balls(y, a, {y: (0, a), a: (0, 1)}),
    "balls at integers": balls(m, S.One, {m: (0, 1)}),
    "balls of an integral that moves": (
        wrong_slope,
        Integral(ReLU(2 * y * cos(x)) * cos(2 * x), circle),
        0,
        "<=",
        (Ge(y, 0), Le(y, 1)),
    ),
    "numbers that are too close": (
        lambda p: p.holds("h", Le(pi, Rational(22, 8), evaluate=False)),
        pi,
        Rational(22, 8),
        "<=",
    ),
    "an equation as a condition": (
        lambda p: p.equal_by_cases("e", x, S.Zero, assuming=(Eq(x, 0),)),
        x,
        0,
        "=",
        (Eq(x, 0),),
    ),
    "a condition that is false": (lambda p: p.at_most("a", S(5), S(3), S(-2), assuming=(S.false,)), 5, 3, "<="),
    "a strict condition for a weak one": (lambda p: p.given("g", Gt(x, 0)), -x, 0, "<="),
    "conditions of another symbol": (sign_of_other_symbol, Modulus(x), x, "=", (Ge(y, 0),)),
    "a step is not a fact": (lambda p: p.equal("e", cos(x) ** 2 + sin(x) ** 2, 1), cos(x) ** 2, 1),
    "a citation is not a fact": (lambda p: p.cite("c", MEAN_VALUE), cos(x), 5),
    "a remark is not a fact": (lambda p: p.say("s", Eq(cos(x), 5)), cos(x), 5),
    "simplified with a symbol": (lambda p: p.simplified("s", sqrt(x**2), x), Abs(x), x),
    "simplified numbers": (lambda p: p.simplified("s", sqrt(2) + sqrt(3), sqrt(5)), sqrt(2) + sqrt(3), sqrt(5)),
    "a negative slack": (lambda p: p.at_most("a", 1 / x, S.Zero, -1 / x, assuming=(x >= 0,)), 1 / x, 0, "<="),
    "a maximum": (lambda p: p.chain("c", Max(x, y), x), Max(x, y), x, "<="),
    "a power of e": (lambda p: p.equal("e", E ** (I * pi * x), S(-1)), exp(I * pi * x), -1),
    "a slope on one side": (steep_on_one_side, Modulus(a - b), Modulus(a - b) - 1, "<="),
    "a slope at integers": (between_integers, Modulus(cos(2 * pi * a + pi / 2) - cos(2 * pi * b + pi / 2)), 0, "<="),
    "conditions that cannot hold": (below_nothing, 5, 3, "<=", (x >= 1, x <= 0)),
    "a stand-in of the same name": (nothing, x + Dummy("x", real=True), Dummy("x", real=True) + x),
    "cases of a bound variable": (
        lambda p: p.equal_by_cases("c", Sum(Gate(j), (j, -1, 1)) * y, Sum(S.One, (j, -1, 1)) * y * Gate(k)),
        Sum(Gate(j), (j, -1, 1)) * y,
        Sum(S.One, (j, -1, 1)) * y * Gate(k),
    ),
    "the first term of no terms": (
        lambda p: p.peeled("p", Sum(cos(j), (j, 1, N - 1))),
        Sum(cos(j), (j, 1, N - 1)),
        cos(1) + Sum(cos(j), (j, 2, N - 1)),
    ),
    "a sum of the moduli, less one": (
        lambda p: p.triangle("t", x, y),
        Modulus(x + y),
        Modulus(x) - Modulus(y),
        "<=",
    ),
    "poles that cancel in a sum": (lambda p: p.triangle("t", 1 / x, -1 / x), S.Zero, 2 * Modulus(1 / x), "<="),
    "terms below the range of their bound": (
        below_the_range,
        Modulus(Sum(j, (j, -2, 0))),
        Sum(j, (j, -2, 0)),
        "<=",
    ),
    "a bound of no sign": (its_own_bound, Modulus(y), y, "<="),
    "a pole that SymPy evaluates away": (
        lambda p: p.equal("0", ODD_HARMONIC, S.Zero),
        ODD_HARMONIC,
        S.Zero,
    ),
    "a family without a sign": (
        lambda p: p.summed("s", cos(j), S.One, (j, 1, n), weight=IndexedBase("w", real=True)[j]),
        Modulus(Sum(IndexedBase("w", real=True)[j] * cos(j), (j, 1, n))),
        Sum(IndexedBase("w", real=True)[j], (j, 1, n)),
        "<=",
    ),
}


@pytest.mark.parametrize("case", [*SECTION_B.values(), *OTHERS.values()], ids=[*SECTION_B, *OTHERS])
def test_a_false_or_undefined_claim_is_refused(case: tuple[Any, ...]) -> None:
    with pytest.raises(DerivationError):
        attack(*case)


def test_facts_come_from_rules_alone() -> None:
    rules = {name for name in vars(Proof) if not name.startswith("_")}
    assert not rules & {"learn", "add", "use", "needs", "facts"}
    with pytest.raises(AttributeError):
        Proof("f", "t", []).learn("trust me", "=", (cos(x), S(5)), "me")  # type: ignore[attr-defined]
