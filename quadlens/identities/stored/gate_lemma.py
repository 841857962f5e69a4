"""ReLU with the gate of another argument: what the gate gets wrong is small, and has one sign."""

from sympy import Le, S, Symbol, symbols

from quadlens.identities.functions import Gate, Modulus, ReLU
from quadlens.identities.statement import Statement, Variable
from quadlens.identities.symbols import reals, x, y

SOURCE = "derived here; the basis of the certificates linear and adaptive"
g = Symbol("g", integer=True, nonnegative=True)
epsilon, level = Symbol("epsilon", nonnegative=True), Symbol("l", nonnegative=True)
d_A, d_B = symbols("delta_A delta_B", nonnegative=True)
rho, rho_bar = Symbol("rho", real=True), Symbol(r"\bar{\rho}", nonnegative=True)

STATEMENTS = (
    Statement(
        name="gate_lemma",
        title=(
            "With the gate of x instead of its own, ReLU(y) is missed by no more than the amount by which y - x "
            "exceeds x."
        ),
        left=ReLU(y) - Gate(x) * y,
        relation="<=",
        right=ReLU(Modulus(y - x) - Modulus(x)),
        variables=reals(x, y),
        source=SOURCE,
    ),
    Statement(
        name="gate_lemma.sign",
        title="A wrong gate always loses: the error is never negative.",
        left=S.Zero,
        relation="<=",
        right=ReLU(y) - Gate(x) * y,
        variables=reals(x, y),
        source=SOURCE,
    ),
    Statement(
        name="gate_lemma.any_gate",
        title="Where |x| is at most epsilon, either gate g, 0 or 1, will do: the bound grows by epsilon.",
        left=ReLU(y) - g * y,
        relation="<=",
        right=Modulus(y - x) + epsilon,
        variables=(*reals(x, y), *reals(epsilon, low=0), Variable(symbol=g, low=0, high=1, integer=True)),
        conditions=(Le(Modulus(x), epsilon), Le(g, 1)),
        source=SOURCE,
    ),
    Statement(
        name="gate_lemma.levels",
        title="At a level l the bound splits into one function of each input.",
        left=ReLU(d_A + d_B - level),
        relation="<=",
        right=ReLU(d_A - level / 2) + ReLU(d_B - level / 2),
        variables=reals(d_A, d_B, level, low=0),
        source=SOURCE,
    ),
    Statement(
        name="gate_lemma.midpoint",
        title="Taking the middle of [0, rho-bar] for the error leaves half of it.",
        left=Modulus(rho - rho_bar / 2),
        relation="<=",
        right=rho_bar / 2,
        variables=reals(rho, low=0) + reals(rho_bar, low=0),
        conditions=(Le(0, rho), Le(rho, rho_bar)),
        source=SOURCE,
    ),
)
