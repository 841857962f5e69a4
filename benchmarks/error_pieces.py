"""Which pieces of an a-priori error bound are needed? Those without which a computed number is too far from its ball.

A quantity is given as float64 computed it, as balls that hold its exact values, and with the named pieces that bound
the difference. `survey` runs an evaluation of such quantities over circuits: it counts what the whole bound does not
hold (a fault), and for each piece the circuits on which the bound does not hold without it (the piece is needed). This
is much sharper than waiting for a margin bound to exceed a true margin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import flint

from quadlens.circuits.circuit import Circuit

PRECISION = 128


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """``computed`` values, their ``exact`` balls in the same order, and the ``pieces`` that bound each difference."""

    name: str
    computed: list[float]
    exact: list[Any]
    pieces: Mapping[str, float]


@dataclass(kw_only=True)
class Survey:
    """What a survey found: faults in words, how often each piece was needed, the largest share of a bound used."""

    circuits: int = 0
    faults: list[str] = field(default_factory=list)
    needed: Counter[str] = field(default_factory=Counter)
    share: dict[str, float] = field(default_factory=dict)


def error_above(quantity: Quantity, level: float) -> bool:
    """Return whether some computed value is surely farther than ``level`` from its exact one."""
    pairs = zip(quantity.computed, quantity.exact, strict=True)
    return any(abs(flint.arb(value) - ball) > level for value, ball in pairs)


def survey(evaluate: Callable[[Circuit], Iterator[Quantity]], circuits: Iterable[Circuit]) -> Survey:
    """Evaluate every circuit's quantities and look for what each piece is needed for."""
    found = Survey()
    with flint.ctx.workprec(PRECISION):
        for number, circuit in enumerate(circuits):
            found.circuits += 1
            needed = set()
            for quantity in evaluate(circuit):
                whole = sum(quantity.pieces.values())
                if error_above(quantity, whole):
                    found.faults.append(f"circuit {number}: {quantity.name} is farther off than {whole!r}")
                for name in quantity.pieces:
                    if error_above(quantity, sum(x for other, x in quantity.pieces.items() if other != name)):
                        needed.add(name)
                largest = max(
                    float(abs(flint.arb(value) - ball).upper())
                    for value, ball in zip(quantity.computed, quantity.exact, strict=True)
                )
                share = largest / whole if whole > 0 else 0.0
                found.share[quantity.name] = max(share, found.share.get(quantity.name, 0.0))
            found.needed.update(needed)
    return found
