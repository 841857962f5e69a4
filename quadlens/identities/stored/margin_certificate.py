"""From gates and residuals to a lower bound on the margin: the inequalities that a certificate adds up."""

from sympy import I, IndexedBase, Le, Sum, Symbol, cos, exp, sin, symbols

from quadlens.identities.functions import Modulus, Re, ReLU
from quadlens.identities.statement import Statement, Variable
from quadlens.identities.symbols import alpha, angles, count, delta, j, n, omega, reals, x

SOURCE = "derived here; what the certificates linear and adaptive rest on"
Z, E1, E2 = symbols("Z E' E''", real=True)
R = Symbol("R", nonnegative=True)
rho, u1, u2, beta = symbols("rho u' u'' beta", real=True)
rho_bar = Symbol(r"\bar{\rho}", nonnegative=True)
G, Q, T = symbols("G Q T", real=True)
D, O = symbols("D O", nonnegative=True)
ideal = IndexedBase("Z", real=True)
e1, e2 = IndexedBase("E'", real=True), IndexedBase("E''", real=True)
gates = IndexedBase("R", nonnegative=True)
order = IndexedBase("z", real=True)
h1, h2, q1, q2 = (IndexedBase(name, real=True) for name in ("h'", "h''", "q'", "q''"))
low, high = symbols("f_0 f_1", real=True)
one, other = symbols("f_y f_c", real=True)

y, z = symbols("y z", real=True)
curve, left_over, out1, out2, d1, d2 = (IndexedBase(name, real=True) for name in ("h", "r", "u'", "u''", "d", "d'"))
row = out1[j] + I * out2[j]
bent = Modulus(1 - exp(I * omega * z * delta))
turn = omega * order[j] * delta
chord = Modulus(1 - exp(I * turn))
terms = (j, 1, n)


def family(*names: IndexedBase, low: float = -2) -> tuple[Variable, ...]:
    """Return indexed variables of three members."""
    return tuple(Variable(symbol=name, low=low, high=2, length=3) for name in names)


STATEMENTS = (
    Statement(
        name="margin_certificate",
        title=(
            "A sum of real parts and three bounded terms is at least its ideal part less the bounds: the form in which "
            "a margin is certified."
        ),
        left=Sum(ideal[j] * (1 - cos(turn)), terms)
        - Sum((Modulus(e1[j] + I * e2[j]) + gates[j] / 2) * chord, terms)
        - D
        - O,
        relation="<=",
        right=Sum(Re((ideal[j] + e1[j] + I * e2[j]) * (1 - exp(I * turn))), terms) + G + Q + T,
        variables=(
            count(n, 3, 3),
            *family(ideal, e1, e2, order),
            *family(gates, low=0),
            *reals(delta, G, Q, T),
            *reals(D, O, low=0),
            *reals(omega, low=0.0625, high=1),
        ),
        conditions=(
            Le(Modulus(G), Sum(gates[j] / 2 * chord, terms)),
            Le(Modulus(Q), D),
            Le(Modulus(T), O),
        ),
        source=SOURCE,
    ),
    Statement(
        name="margin_certificate.frequency",
        title="One frequency: an error enters by its modulus times a chord, never by more.",
        left=Z * (1 - cos(alpha)) - Modulus(E1 + I * E2) * Modulus(1 - exp(I * alpha)),
        relation="<=",
        right=Re((Z + E1 + I * E2) * (1 - exp(I * alpha))),
        variables=angles(alpha) + reals(Z, E1, E2),
        source=SOURCE,
    ),
    Statement(
        name="margin_certificate.chord",
        title="The length of the chord.",
        left=Modulus(1 - exp(I * alpha)),
        right=2 * Modulus(sin(alpha / 2)),
        variables=angles(alpha),
        source="elementary",
    ),
    Statement(
        name="margin_certificate.gate",
        title="A real factor of at most half of rho-bar times a wave's difference along a chord.",
        left=Modulus(rho * Re((u1 + I * u2) * exp(I * beta) * (1 - exp(I * alpha)))),
        relation="<=",
        right=rho_bar / 2 * (Modulus(u1 + I * u2) * Modulus(1 - exp(I * alpha))),
        variables=angles(alpha, beta) + reals(rho, u1, u2) + reals(rho_bar, low=0, high=4),
        conditions=(Le(Modulus(rho), rho_bar / 2),),
        source=SOURCE,
    ),
    Statement(
        name="margin_certificate.lipschitz",
        title="ReLU moves by at most as much as its argument.",
        left=Modulus(ReLU(x + delta) - ReLU(x)),
        relation="<=",
        right=Modulus(delta),
        variables=reals(x, delta),
        source="elementary",
    ),
    Statement(
        name="margin_certificate.oscillation",
        title="Two numbers of an interval differ by at most its length.",
        left=Modulus(one - other),
        relation="<=",
        right=high - low,
        variables=reals(one, other, low, high),
        conditions=(Le(low, one), Le(one, high), Le(low, other), Le(other, high)),
        source="elementary",
    ),
    Statement(
        name="margin_certificate.harmonics",
        title="The triangle inequality for a sum of products of complex numbers.",
        left=Modulus(Sum((h1[j] + I * h2[j]) * (q1[j] + I * q2[j]), terms)),
        relation="<=",
        right=Sum(Modulus(h1[j] + I * h2[j]) * Modulus(q1[j] + I * q2[j]), terms),
        variables=(count(n, 3, 3), *family(h1, h2, q1, q2)),
        source=SOURCE,
    ),
    Statement(
        name="margin_certificate.circuit",
        title=(
            "From logits to the margin of y over y + delta, for the neurons of one group with the output frequency z: "
            "preactivations h_i + r_i with a curve h_i, output rows a wave and a rest d_i (d' at y, d'' at y + delta)."
        ),
        left=Z * (1 - cos(omega * z * delta))
        - Modulus(Sum(ReLU(curve[j]) * row * exp(I * omega * z * y), terms) - Z) * bent
        - bent * Sum(Modulus(left_over[j]) * Modulus(row), terms)
        - Modulus(Sum(ReLU(curve[j]) * (d1[j] - d2[j]), terms))
        - Sum(Modulus(left_over[j]) * Modulus(d1[j] - d2[j]), terms),
        relation="<=",
        right=Sum(ReLU(curve[j] + left_over[j]) * (Re(row * exp(I * omega * z * y)) + d1[j]), terms)
        - Sum(ReLU(curve[j] + left_over[j]) * (Re(row * exp(I * omega * z * (y + delta))) + d2[j]), terms),
        variables=(
            count(n, 3, 3),
            *family(curve, left_over, out1, out2, d1, d2),
            *reals(Z, z, y, delta),
            *reals(omega, low=0.0625, high=1),
        ),
        source=SOURCE,
    ),
)
