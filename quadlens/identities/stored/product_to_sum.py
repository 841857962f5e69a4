"""Two waves of one frequency as one: sums of cosines as products, and the parity-free form in (d, b)."""

from sympy import I, Symbol, cos, exp, sin, symbols

from quadlens.identities.functions import Modulus, Re
from quadlens.identities.statement import Statement
from quadlens.identities.symbols import a, angles, b, k, omega, phi, reals, residues, theta

SOURCE = "elementary; the first step of the pizza algorithm (arXiv 2412.03773)"
A, B = symbols("A B", real=True)
e_A1, e_A2, e_B1, e_B2 = symbols("e_A' e_A'' e_B' e_B''", real=True)
s_A1, s_A2, s_B1, s_B2 = symbols("s_A' s_A'' s_B' s_B''", real=True)
kappa = Symbol("kappa", real=True)
d = Symbol("d", real=True)

e_A, e_B = e_A1 + I * e_A2, e_B1 + I * e_B2
s_A, s_B = s_A1 + I * s_A2, s_B1 + I * s_B2
theta_a, theta_b = theta + omega * k * d, theta

STATEMENTS = (
    Statement(
        name="product_to_sum",
        title="Two waves of equal amplitude are a product: one factor sees a - b only, the other a + b only.",
        left=cos(omega * k * a + phi) + cos(omega * k * b + phi),
        right=2 * cos(omega * k * (a - b) / 2) * cos(omega * k * (a + b) / 2 + phi),
        variables=residues(a, b, k) + angles(phi),
        source=SOURCE,
    ),
    Statement(
        name="product_to_sum.unequal",
        title="With unequal amplitudes a second product appears, in quadrature: it fills the blind spot of the first.",
        left=A * cos(omega * k * a + phi) + B * cos(omega * k * b + phi),
        right=(A + B) * cos(omega * k * (a - b) / 2) * cos(omega * k * (a + b) / 2 + phi)
        - (A - B) * sin(omega * k * (a - b) / 2) * sin(omega * k * (a + b) / 2 + phi),
        variables=residues(a, b, k) + angles(phi) + reals(A, B),
        source=SOURCE,
    ),
    Statement(
        name="product_to_sum.parity_free",
        title=(
            "At fixed d = a - b the preactivation is one degree-2 polynomial H_d of theta = omega k b + phi: no "
            "half angles."
        ),
        left=Re(e_A * exp(I * theta_a) + s_A * exp(2 * I * theta_a))
        + Re(e_B * exp(I * theta_b) + s_B * exp(2 * I * theta_b))
        + kappa,
        right=Re(
            (e_A * exp(I * omega * k * d) + e_B) * exp(I * theta)
            + (s_A * exp(2 * I * omega * k * d) + s_B) * exp(2 * I * theta)
        )
        + kappa,
        variables=residues(d, k) + angles(theta) + reals(e_A1, e_A2, e_B1, e_B2, s_A1, s_A2, s_B1, s_B2, kappa),
        source="derived here",
    ),
    Statement(
        name="product_to_sum.amplitude",
        title=(
            "Squared amplitude of the first wave at fixed d: it vanishes somewhere only if A and B have equal modulus."
        ),
        left=Modulus(A * exp(I * omega * k * d) + B) ** 2,
        right=(A - B) ** 2 + 4 * A * B * cos(omega * k * d / 2) ** 2,
        variables=residues(d, k) + reals(A, B),
        source="derived here",
    ),
)
