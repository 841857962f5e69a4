r"""Tasks ``c ≡ s·a + t·b (mod p)`` for units s, t: addition with its inputs numbered another way.

With ``x = s·a`` and ``y = t·b`` the answer is ``x + y``, and a table indexed by ``a`` is the same table in another
order of rows. So such a network is a circuit for addition once its inputs are renumbered, and everything holds of it;
the renumbering is part of the stored weights, and said in the circuit's provenance.
"""

import math
import re
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from quadlens.arrays import IntArray
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import logits, row_blocks
from quadlens.circuits.provenance import ADDITION
from quadlens.circuits.readers.transformer import Transformer
from quadlens.circuits.weights import Product, Weights
from quadlens.digits import percent
from quadlens.errors import OptionError, UnsupportedModelError
from quadlens.untrusted_text import shown

AUTO = "auto"
RIGHT = 0.5
"""From which share of right answers a measured task is called the network's."""

_FORM = re.compile(r"([+-]?)([0-9]{0,7})\*?a([+-])([0-9]{0,7})\*?b", re.ASCII)
Model = TypeVar("Model", bound=Weights | Transformer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """``c ≡ s·a + t·b (mod p)``, s and t between −p/2 and p/2."""

    p: int
    s: int
    t: int

    def __post_init__(self) -> None:
        for name in ("s", "t"):
            factor = getattr(self, name)
            if math.gcd(factor, self.p) != 1:
                raise OptionError(f"a task's factors must have no divisor in common with p = {self.p}, got {factor}")
            factor %= self.p
            object.__setattr__(self, name, factor - self.p if 2 * factor > self.p else factor)

    def __str__(self) -> str:
        first = {1: "a", -1: "-a"}.get(self.s, f"{self.s}a")
        second = "b" if abs(self.t) == 1 else f"{abs(self.t)}b"
        return f"{first} {'-' if self.t < 0 else '+'} {second}"

    @property
    def rows(self) -> tuple[IntArray, IntArray]:
        """For each x and y, the a and b that they number."""
        residues = np.arange(self.p)
        return residues * pow(self.s, -1, self.p) % self.p, residues * pow(self.t, -1, self.p) % self.p


def task_from(text: str, p: int) -> Task:
    """Return the task that is written as ``a + b``, ``a - b``, ``2a + 3b`` …

    Raises
    ------
    OptionError
        If it is not written so, or a factor is no unit modulo p.
    """
    form = _FORM.fullmatch("".join(text.split()))
    if form is None:
        raise OptionError(f"a task must be auto, or be written as a + b, a - b or 2a + 3b; got {shown(text)}")
    s, t = (int(f"{sign}{factor or 1}") for sign, factor in ((form[1], form[2]), (form[3], form[4])))
    return Task(p=p, s=s, t=t)


def renumbered(model: Model, task: Task) -> Model:
    """Return the model with its inputs numbered so that its answer is the sum of the numbers."""
    if str(task) == ADDITION:
        return model
    a, b = task.rows
    inputs = f"(x, y) stands for the file's (a, b) with x = {task.s}·a, y = {task.t}·b mod {task.p}"
    provenance = replace(model.provenance, task=str(task), said={**model.provenance.said, "inputs": inputs})
    if isinstance(model, Transformer):
        second = model.E if model.E_b is None else model.E_b
        return replace(model, E=model.E[a], E_b=second[b], provenance=provenance)
    tensors, tables = dict(model.tensors), {}
    for table, products in model.tables.items():
        order, side = (b, "b") if table in ("B", "S_b") else (a, "a")
        made = []
        for product in products:
            first, *rest = product.factors
            # a matrix with one row is a bias; the rows of U are neurons
            if table != "U" and model.tensors[first].shape[0] == task.p:
                tensors[f"{first}, {side} renumbered"] = model.tensors[first][order]
                first = f"{first}, {side} renumbered"
            made.append(Product(factors=(first, *rest), coefficient=product.coefficient))
        tables[table] = tuple(made)
    used = {name for products in tables.values() for product in products for name in product.factors}
    kept = {name: tensor for name, tensor in tensors.items() if name in used}
    return replace(model, tensors=kept, tables=tables, provenance=provenance)


def measured_task(circuit: Circuit, where: str) -> Task:
    """Return the task that the network answers, measured over all p² inputs.

    Raises
    ------
    UnsupportedModelError
        If there is none that it answers on most inputs: with what it does on the nearest one, and on a·b.
    """
    p = circuit.p
    answers = np.concatenate([logits(circuit, rows).argmax(axis=-1) for rows in row_blocks(circuit)])
    steps = [np.bincount(((np.roll(answers, -1, axis=axis) - answers) % p).ravel(), minlength=p) for axis in (0, 1)]
    a, b = np.arange(p)[:, None], np.arange(p)
    units = [x for x in range(1, p) if math.gcd(x, p) == 1]
    s, t = (max(units, key=lambda x: (step[x], -x)) for step in steps)
    right = float((answers == (s * a + t * b) % p).mean())
    if right < RIGHT:
        times = float((answers == a * b % p).mean())
        raise UnsupportedModelError(
            f"{where} answers no s·a + t·b mod {p}: measured on all {p * p} inputs, {Task(p=p, s=s, t=t)} is right on"
            f" {percent(right)}, a·b on {percent(times)}"
        )
    return Task(p=p, s=s, t=t)
