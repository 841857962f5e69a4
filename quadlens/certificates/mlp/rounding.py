r"""What rounding can do to one logit of the bound, from named pieces: the constants of ``inequality/rounding.py``.

``κ``, ``M_i``, ``U_i``, ``f``, ``γ = γ_k`` as there. Of a logit, in units of ``κ ‖M‖ ‖U‖``; a norm over the answers of
one input takes √p of it, a class p, since no λ_z is above p and norms over c are at most √p times the largest answer:

* *retained*: C_z, f of them: settled gates 2, exceptions 1, where gates are bounded 8: ``f (3 + 8)``; each once more
  for the difference from the ideal
* *gates*: ``16 f`` where gates are bounded (norms of UF_i are at most √p times V's bound)
* *head*: ``2 (M + 1)`` products ``|P̂| |Q°|``, each factor off by γ; |dU°| <= 2 (1 + 2f) U_i: ``8 (M + 1)(1 + 2f)``
* *tail*: ``8 √G (1 + 2f)``, and what the root of a difference can lose
* *residual*: by sums and by norms ``(8 + 4) 2 (1 + 2f)``
* *ideal*: the proved radii of its outputs, summed over z
* *sums*: once more what stands above, and ``20 (f + 1)`` for sums over z and over terms

and of sums of squares over inputs, relative: rounded up where they are made.
"""

from collections.abc import Mapping

import numpy as np

from quadlens.certificates.inequality.rounding import UNDERFLOW, Sizes, arcs_unit, moduli
from quadlens.certificates.plan.plan import Plan
from quadlens.circuits.circuit import Circuit
from quadlens.rounding import sum_up


def logit_pieces(
    circuit: Circuit, size: Sizes, plan: Plan, crossings: int, tail_error: float, radius: float
) -> Mapping[str, float]:
    """Return the pieces of one logit; ``radius`` is that of the ideal, ``tail_error`` that of the waveforms' tail."""
    n, p, f, M = circuit.neurons, circuit.p, len(plan.retained), plan.harmonics
    Y, U = size.by_table["A"] + size.by_table["B"], size.by_table["U"]
    M_i = moduli(size, plan)
    k = n + 2 * p + plan.cells + 2 * crossings + 4 * f + 4 * M + 400
    one, arcs = 2 * (1 + 2 * f), arcs_unit(circuit, M_i, U, crossings, k)
    bounded = bool(plan.bounded.any())
    pieces = {
        "retained": 2 * f * (11 if bounded else 3) * arcs,
        "gates": 16 * f * arcs if bounded else 0.0,
        "head": 4 * (M + 1) * one * arcs,
        "tail": 4 * float(np.sqrt(plan.cells)) * one * arcs + tail_error,
        "residual": 12 * one * arcs,
        "ideal": radius * (1 + 1e-9),
    }
    pieces["sums"] = sum(pieces.values()) + 20 * (f + 1) * arcs
    met = (1 + float(M_i.sum())) * (1 + float(U.sum()))
    pieces["underflow"] = UNDERFLOW * met * k * (f + 1) * (crossings + 1) * (M + 1)
    hidden = circuit.radius["A"] + circuit.radius["B"]
    pieces["tables A and B"] = hidden * float(U.sum()) * (1 + 1e-9)
    pieces["table U"] = circuit.radius["U"] * (float(Y.sum()) + n * hidden) * (1 + 1e-9)
    return pieces


def of_one_logit(pieces: Mapping[str, float], circuit: Circuit) -> float:
    """Return the sum of the pieces, rounded up."""
    return float(sum_up(pieces, 16 * (circuit.neurons + circuit.p + 64)))
