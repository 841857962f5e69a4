"""Networks whose two inputs have independent phases: the mean over both is a quadrature on the torus."""

from sympy import Expr, Ge, Integral, Le, cos, pi, sin, symbols

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.statement import Statement
from quadlens.identities.symbols import a, angles, b, c, k, omega, reals, residues, t, v, x, y

SOURCE = "derived here"
turn_x, turn_y = (x, -pi, pi), (y, -pi, pi)
first, second = symbols("phi chi", real=True)


def inside(power: int, phase: Expr | int) -> Expr:
    """Return the mean over the torus with the kinks written as limits, the half y > 0 twice: smooth for ball
    arithmetic.
    """
    smooth = (cos(x) + cos(y)) * cos(power * (x + y))
    return 2 * cos(phase) * Integral(smooth, (x, y - pi, pi - y), (y, 0, pi)) / (2 * pi) ** 2


STATEMENTS = (
    Statement(
        name="torus_quadrature",
        title="The mean over two independent phases: the pizza integral averaged over its blind spot.",
        left=Integral(ReLU(cos(x) + cos(y)) * cos(x + y), turn_x, turn_y) / (2 * pi) ** 2,
        right=4 / (3 * pi**2),
        variables=(),
        ball_left=inside(1, 0),
        kinks=(sin(y),),
        source=SOURCE,
    ),
    Statement(
        name="torus_quadrature.phase",
        title="A phase in the output comes out as its cosine.",
        left=Integral(ReLU(cos(x) + cos(y)) * cos(x + y + t), turn_x, turn_y) / (2 * pi) ** 2,
        right=4 * cos(t) / (3 * pi**2),
        variables=angles(t),
        ball_left=inside(1, t),
        kinks=(sin(y),),
        source=SOURCE,
    ),
    Statement(
        name="torus_quadrature.logits",
        title="The logits of such a network depend on a + b - c only: no blind spot, whatever a - b.",
        left=Integral(
            ReLU(cos(omega * k * a + first) + cos(omega * k * b + second)) * cos(omega * k * c + first + second),
            (first, -pi, pi),
            (second, -pi, pi),
        )
        / (2 * pi) ** 2,
        right=4 / (3 * pi**2) * cos(omega * k * (a + b - c)),
        variables=residues(a, b, c, k),
        ball_left=inside(1, omega * k * (a + b - c)),
        kinks=(
            sin(omega * k * b + second),
            cos((omega * k * (a + b) + first + second) / 2),
            cos((omega * k * (a - b) + first - second) / 2),
        ),
        source=SOURCE,
    ),
    Statement(
        name="torus_quadrature.blind_spot",
        title="The mean of |cos|: what the blind spot costs on average.",
        left=Integral(Modulus(cos(v)), (v, -pi, pi)) / (2 * pi),
        right=2 / pi,
        variables=(),
        source="classical; proved here",
    ),
    Statement(
        name="torus_quadrature.inner",
        title="One phase averaged first, at a fixed other one y in [0, pi].",
        left=Integral(ReLU(cos(x) + cos(y)) * cos(x + y + t), turn_x),
        right=(pi - y + sin(y) * cos(y)) * cos(y + t),
        variables=angles(t) + reals(y, low=0, high=3.140625),
        conditions=(Ge(y, 0), Le(y, pi)),
        source=SOURCE,
    ),
)
