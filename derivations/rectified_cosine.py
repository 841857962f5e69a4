"""Every harmonic of ReLU(cos x) and of |cos x|: general, special and by parity.

The Fourier series and a bound on its tail.

Run ``python derivations/rectified_cosine.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import Expr, I, Integral, Ne, Rational, S, Sum, Symbol, cos, exp, pi, sin, symbols

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.series import Aliases
from quadlens.identities.statement import Statement

KINKS = (-pi, -pi / 2, pi / 2, pi)


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``rectified_cosine``; ``stored`` replaces the statements to compare with."""
    proof = Proof("rectified_cosine", "The harmonics of ReLU(cos x) and |cos x|", stored)
    _general(proof)
    _special(proof)
    _by_parity(proof)
    _absolute(proof)
    _series(proof)
    return proof.finish()


def _general(proof: Proof) -> None:
    x, m = symbols("x m", real=True)
    integrand = ReLU(cos(x)) * exp(-I * m * x)
    proof.say(
        "Definition: the harmonic of order m is the mean of ReLU(cos x) e^{-imx} over a turn; the kinks are +-pi/2",
        integrand,
    )
    # sin(pi m / 2 + pi / 2) and its mirror image collect into one cosine over 1 - m^2 = (1 - m)(1 + m).
    value = 2 * cos(pi * m / 2) / (1 - m**2)
    proof.integral_by_pieces("Integrate piece by piece", integrand, x, KINKS, value, nonzero=(1 - m, 1 + m))
    left = Integral(integrand, (x, -pi, pi)) / (2 * pi)
    proof.conclude("rectified_cosine", left, value / (2 * pi), conditions=(Ne(m**2, 1),))


def _special(proof: Proof) -> None:
    x = Symbol("x", real=True)
    for name, order in (("first", 1), ("minus_first", -1)):
        integrand = ReLU(cos(x)) * exp(-I * order * x)
        proof.say(f"At m = {order} one of the rates is 0: the constant 1/2 is integrated over a length pi", integrand)
        proof.integral_by_pieces("Integrate piece by piece", integrand, x, KINKS, pi / 2)
        left = Integral(integrand, (x, -pi, pi)) / (2 * pi)
        proof.conclude(f"rectified_cosine.{name}", left, Rational(1, 4))


def _by_parity(proof: Proof) -> None:
    x, j = Symbol("x", real=True), Symbol("j", integer=True)
    odd = ReLU(cos(x)) * exp(-I * (2 * j + 1) * x)
    proof.say("Odd orders m = 2j + 1, away from 1 and -1 (j = 0 and j = -1)", odd)
    proof.integral_by_pieces("cos(pi (2j + 1)/2) = 0", odd, x, KINKS, S.Zero, nonzero=(j, j + 1))
    left = Integral(odd, (x, -pi, pi)) / (2 * pi)
    proof.conclude("rectified_cosine.odd", left, S.Zero, conditions=(Ne(j, 0), Ne(j, -1)))
    even = ReLU(cos(x)) * exp(-2 * I * j * x)
    proof.say("Even orders m = 2j: 1 - 2j and 1 + 2j are odd, so they are not 0", even)
    value = 2 * (-1) ** j / (1 - 4 * j**2)
    proof.integral_by_pieces("cos(pi j) = (-1)^j", even, x, KINKS, value, nonzero=(2 * j - 1, 2 * j + 1))
    proof.conclude("rectified_cosine.even", Integral(even, (x, -pi, pi)) / (2 * pi), value / (2 * pi))


def _absolute(proof: Proof) -> None:
    x, m = Symbol("x", real=True), Symbol("m", integer=True)
    integrand = Modulus(cos(x)) * exp(-I * m * x)
    proof.say("The modulus: cos x on the middle piece, -cos x on the two others", integrand)
    value = 2 * (1 + (-1) ** m) * cos(pi * m / 2) / (1 - m**2)
    proof.integral_by_pieces("Integrate piece by piece", integrand, x, KINKS, value, nonzero=(1 - m, 1 + m))
    left = Integral(integrand, (x, -pi, pi)) / (2 * pi)
    proof.conclude("rectified_cosine.absolute", left, value / (2 * pi), conditions=(Ne(m**2, 1),))
    first = Modulus(cos(x)) * exp(-I * x)
    proof.integral_by_pieces("At m = 1 the pieces cancel", first, x, KINKS, S.Zero)
    proof.conclude("rectified_cosine.absolute_first", Integral(first, (x, -pi, pi)) / (2 * pi), S.Zero)


def _series(proof: Proof) -> None:
    x, m, z = symbols("x m z", real=True)
    j, M = Symbol("j", integer=True), Symbol("M", integer=True, positive=True)
    d, end = symbols("d K", integer=True, nonnegative=True)

    def term(index: Expr) -> Expr:
        return 2 * (-1) ** (index + 1) * cos(2 * index * x) / (pi * (4 * index**2 - 1))

    after = M + 1 + d
    size, limits = 2 / (pi * (4 * after**2 - 1)), (d, 0, end)
    slack = size**2 * sin(2 * after * x) ** 2
    proof.at_most("A term is no larger than its coefficient: 1 - cos^2 = sin^2", term(after) ** 2, size**2, slack)
    proof.modulus_at_most("So its modulus is at most the coefficient", term(after), size)
    tail, limit = (1 / (2 * M + 1) - 1 / (2 * (M + 1 + end) + 1)) / pi, 1 / (pi * (2 * M + 1))
    proof.induction("The coefficients telescope: 2/(4j^2 - 1) = 1/(2j - 1) - 1/(2j + 1)", size, limits, tail)
    proof.at_most("So from M + 1 on they sum to at most", Sum(size, limits), limit, 1 / (pi * (2 * (M + 1 + end) + 1)))
    series = Aliases(
        function=ReLU(cos(z)),
        variable=z,
        order=m,
        nodes=S(2),
        phase=x,
        index=(j, Symbol("k", integer=True)),
        constant=1 / pi,
        term=term(j),
        kept=M,
    )
    integrand = ReLU(cos(z)) * exp(-I * m * z)
    value = 2 * cos(pi * m / 2) / (1 - m**2)
    proof.integral_by_pieces("The harmonic of order m", integrand, z, KINKS, value, nonzero=(1 - m, 1 + m))
    proof.series_remainder(
        "The mean of ReLU(cos) at x and x + pi keeps the even orders; it is the sum of its series, and the remainder "
        "is at most the sum of the coefficients left out",
        Modulus(series.remainder),
        size,
        limits,
        limit,
        theorem=series,
    )
    proof.written_out("The mean at the two points", series.mean.atoms(Sum).pop())
    y = Symbol("y", real=True)
    proof.equal_by_cases("Half of ReLU(y) + ReLU(-y) is ReLU(y) - y/2", ReLU(-y), ReLU(y) - y)
    proof.instance("For y = cos x", {y: cos(x)}, of=ReLU(-y))
    remainder = Modulus(ReLU(cos(x)) - 1 / pi - cos(x) / 2 - Sum(term(j), (j, 1, M)))
    proof.opposite("So the mean is ReLU(cos x) - cos(x)/2", proof.known(Modulus(series.remainder)), remainder)
    proof.conclude("rectified_cosine.series", remainder, limit, relation="<=")


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
