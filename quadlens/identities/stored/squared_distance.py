"""The squared distance of an MLP from its integrals: the split, Parseval's form, and the integrals' own norm."""

from sympy import Expr, Ge, I, IndexedBase, Le, Sum, Symbol, exp, pi

from quadlens.identities.functions import Modulus, Re
from quadlens.identities.statement import Statement, Variable
from quadlens.identities.symbols import angles, count, n, t, u, v, x, y

SOURCE = "derived here"
j, b, d, k, m = (Symbol(name, integer=True) for name in ("j", "b", "d", "k", "m"))
rest, X, Y = (IndexedBase(name, real=True) for name in ("d", "X", "Y"))
steps, outputs, classes = (j, 0, n - 1), (j, 1, n), (d, 1, n)
BELOW_HALF = (Ge(k, 1), Le(2 * k, n - 1))
kept = Re((x + I * y) * exp(2 * pi * I * k * j / n))


def wave(order: Expr, shift: Expr) -> Expr:
    """Return the wave of an order over the residues j, turned by a shift."""
    return exp(I * (2 * pi * order * j / n + shift))


STATEMENTS = (
    Statement(
        name="squared_distance",
        title=(
            "What is kept at an output frequency k, and a remainder d, over n outputs: their squares add up, but for "
            "a term with k's own coefficient of the remainder: 0 where the remainder has nothing at k."
        ),
        left=Sum((kept + rest[j]) ** 2, outputs),
        right=Sum(kept**2, outputs)
        + Sum(rest[j] ** 2, outputs)
        + 2 * Re((x + I * y) * Sum(rest[j] * exp(2 * pi * I * k * j / n), outputs)),
        variables=(
            *angles(x, y),
            count(n, 4, 4),
            count(k, 1, 3),
            Variable(symbol=rest, low=-3, high=3, length=4),
        ),
        source=SOURCE,
    ),
    Statement(
        name="squared_distance.wave",
        title="Over all n outputs the square of one wave adds up to n/2 times that of its amplitude.",
        left=Sum(Re((x + I * y) * wave(k, t)) ** 2, steps),
        right=n * (x**2 + y**2) / 2,
        variables=(*angles(x, y, t), count(n, 3, 9), count(k, 1, 4)),
        conditions=BELOW_HALF,
        source=SOURCE,
    ),
    Statement(
        name="squared_distance.ideal",
        title=(
            "The squared norm of a frequency's integrals: the inputs (b + d, b) of a class have the same, whatever b; "
            "over all classes it is n^2/2 times their squared amplitudes."
        ),
        left=Sum(n * Sum(Re((X[d] + I * Y[d]) * wave(k, -2 * pi * k * (2 * b + d) / n)) ** 2, steps), classes),
        right=Sum(n**2 * (X[d] ** 2 + Y[d] ** 2) / 2, classes),
        variables=(
            count(b, -3, 3),
            count(n, 3, 3),
            count(k, 1, 1),
            *(Variable(symbol=name, low=-3, high=3, length=3) for name in (X, Y)),
        ),
        conditions=BELOW_HALF,
        source=SOURCE,
    ),
    Statement(
        name="squared_distance.parseval",
        title=(
            "Parseval: over the n residues two harmonics whose orders differ, mod n, do not mix: n times the squares "
            "of their coefficients add up."
        ),
        left=Sum(
            Modulus(
                (x + I * y) * exp(2 * pi * I * (k + m) * j / n) + (u + I * v) * exp(2 * pi * I * k * j / n)
            )
            ** 2,
            steps,
        ),
        right=n * (x**2 + y**2 + u**2 + v**2),
        variables=(*angles(x, y, u, v), count(n, 2, 9), count(k, -3, 3), count(m, 1, 8)),
        conditions=(Ge(m, 1), Le(m, n - 1)),
        source=SOURCE,
    ),
)
