"""How flat the response over delta can be made: enclosures of the best secondary frequency and bias."""

from sympy import Expr, Integral, Max, Min, Rational, Symbol, cos, pi, sqrt, symbols

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.statement import Statement
from quadlens.identities.symbols import reals, t

SOURCE = "derived here, by ball arithmetic"
sigma, kappa, delta = Symbol("sigma", nonnegative=True), Symbol("kappa", real=True), Symbol("delta", real=True)
r_1, r_2, r_3, r_4 = sizes = symbols("r_1 r_2 r_3 r_4", nonnegative=True)
POINTS = (Rational(0), Rational(6, 7), Rational(51, 40), pi / 2)


def response(s: Expr, k: Expr, d: Expr) -> Expr:
    """Return the second harmonic of the locked waveform at a = b + 2 d."""
    waveform = 2 * cos(d) * cos(t) - 2 * s * cos(2 * d) * cos(2 * t) + k
    return Integral(ReLU(waveform) * cos(2 * t), (t, -pi, pi)) / (2 * pi)


quarter = reals(delta, low=0, high=1.5703125)
hand = response(Rational(1, 8), sqrt(2) - 1, delta)
best = response(Rational(11, 80), Rational(69, 200), delta)

STATEMENTS = (
    Statement(
        name="flattest_response",
        title=(
            "No sigma in [0, 1/2] and kappa in [-1, 3/2] make the response flatter than 0.85: of four values of delta "
            "one has at most that share of another's."
        ),
        left=Min(*sizes),
        relation="<=",
        right=Rational(17, 20) * Max(*sizes),
        variables=reals(sigma, low=0, high=0.5) + reals(kappa, low=-1, high=1.5),
        where=tuple((size, Modulus(response(sigma, kappa, point))) for size, point in zip(sizes, POINTS, strict=True)),
        conditions=(sigma <= Rational(1, 2), kappa >= -1, kappa <= Rational(3, 2)),
        source=SOURCE,
    ),
    Statement(
        name="flattest_response.near_optimum",
        title="At sigma = 0.1375, kappa = 0.345 the response is at least 0.114 for every delta,",
        left=Rational(114, 1000),
        relation="<=",
        right=best,
        variables=quarter,
        conditions=(delta >= 0, delta <= pi / 2),
        source=SOURCE,
    ),
    Statement(
        name="flattest_response.near_optimum_above",
        title="and at most 0.1376: the ratio is above 0.828.",
        left=best,
        relation="<=",
        right=Rational(1376, 10000),
        variables=quarter,
        conditions=(delta >= 0, delta <= pi / 2),
        source=SOURCE,
    ),
    Statement(
        name="flattest_response.found_by_hand",
        title="At sigma = 1/8, kappa = sqrt 2 - 1 it is at least 0.1021 for every delta,",
        left=Rational(1021, 10000),
        relation="<=",
        right=hand,
        variables=quarter,
        conditions=(delta >= 0, delta <= pi / 2),
        source=SOURCE,
    ),
    Statement(
        name="flattest_response.found_by_hand_above",
        title="and at most 0.1313: the ratio is above 0.777.",
        left=hand,
        relation="<=",
        right=Rational(1313, 10000),
        variables=quarter,
        conditions=(delta >= 0, delta <= pi / 2),
        source=SOURCE,
    ),
)
