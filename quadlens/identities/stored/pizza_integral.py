"""The integral that one MLP of a pizza network computes, with its shifts, its scale and its two halves."""

from sympy import Integral, Rational, S, cos, pi

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.statement import Statement
from quadlens.identities.symbols import angles, lam, reals, s, t, x

SOURCE = "the integral identity of arXiv 2412.03773; proved here"
circle = (x, -pi, pi)

STATEMENTS = (
    Statement(
        name="pizza_integral",
        title="ReLU turns the first harmonic into the second: the integral every frequency of the network evaluates.",
        left=Integral(ReLU(cos(x)) * cos(2 * x + t), circle),
        right=Rational(2, 3) * cos(t),
        variables=angles(t),
        source=SOURCE,
    ),
    Statement(
        name="pizza_integral.shifted",
        title="Shifting the input by s turns the answer by 2 s.",
        left=Integral(ReLU(cos(x + s)) * cos(2 * x + t), circle),
        right=Rational(2, 3) * cos(t - 2 * s),
        variables=angles(s, t),
        source=SOURCE,
    ),
    Statement(
        name="pizza_integral.identity_half",
        title=(
            "ReLU(z) = z/2 + |z|/2: the identity half is a first harmonic, orthogonal to the second; it "
            "contributes nothing."
        ),
        left=Integral(cos(x + s) / 2 * cos(2 * x + t), circle),
        right=S.Zero,
        variables=angles(s, t),
        source=SOURCE,
    ),
    Statement(
        name="pizza_integral.absolute_half",
        title="The absolute-value half carries the whole integral.",
        left=Integral(Modulus(cos(x + s)) / 2 * cos(2 * x + t), circle),
        right=Rational(2, 3) * cos(t - 2 * s),
        variables=angles(s, t),
        source=SOURCE,
    ),
    Statement(
        name="pizza_integral.scaled",
        title=(
            "A factor of either sign comes out as its modulus: a sign is a shift by pi, which the second harmonic "
            "does not see."
        ),
        left=Integral(ReLU(lam * cos(x)) * cos(2 * x + t), circle),
        right=Rational(2, 3) * Modulus(lam) * cos(t),
        variables=angles(t) + reals(lam),
        source="derived here",
    ),
)
