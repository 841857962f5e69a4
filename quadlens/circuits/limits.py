"""How much a file may ask of the machine: bytes read, and bytes and operations to make its tables."""

from dataclasses import dataclass

import numpy as np

from quadlens.circuits.circuit import TABLES, Circuit, table_shapes
from quadlens.circuits.weights import Weights
from quadlens.errors import CheckpointError, OptionError

MAX_BYTES = 2**27
"""Default largest file, and largest memory for one circuit's tables and the products that make them (128 MiB)."""

OPERATIONS_PER_BYTE = 400
"""Multiply-adds allowed for each byte of the limit: 5·10¹⁰ at the default, some seconds on one core."""

MAX_LOGIT = 1e150
"""Largest bound on a logit: its square, summed over every input and logit, must stay a float64."""

MAX_TENSORS = 1000
MAX_PRODUCTS = 1024
MAX_FACTORS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one load; ``max_bytes`` is the one a user may raise."""

    max_bytes: int = MAX_BYTES

    def __post_init__(self) -> None:
        if self.max_bytes < 1:
            raise OptionError(f"the size limit must be a positive number of bytes, got {self.max_bytes}")

    @property
    def max_operations(self) -> int:
        """Multiply-adds allowed for making the tables."""
        return OPERATIONS_PER_BYTE * self.max_bytes


def check_tables(p: int, neurons: int, limits: Limits, where: str) -> None:
    """Refuse a circuit whose five float64 tables alone would pass the limit.

    Raises
    ------
    CheckpointError
        Naming the file (``where``), the size needed and the limit.
    """
    needed = 8 * sum(rows * columns for rows, columns in table_shapes(p, neurons).values())
    check_memory(needed, f"a circuit with p = {p} and {neurons} neurons needs {needed} bytes of tables", limits, where)


def check_memory(needed: int, what: str, limits: Limits, where: str) -> None:
    """Refuse what needs more bytes than the limit; ``what`` says so in words."""
    if needed > limits.max_bytes:
        raise CheckpointError(
            f"{where}: {what}, more than the limit of {limits.max_bytes}; raise the limit if you trust the file"
        )


def check_evaluation(weights: Weights, limits: Limits, where: str) -> None:
    """Refuse weights whose tables, or the intermediate products that make them, would pass the limits.

    Weights chain by shape alone, so a small file could hold a column times a row whose product is enormous.
    """
    check_tables(weights.p, weights.neurons, limits, where)
    intermediate: dict[tuple[str, ...], int] = {}
    operations = 0
    for table in TABLES:
        products = weights.tables.get(table, ())
        if len(products) > MAX_PRODUCTS or any(len(product.factors) > MAX_FACTORS for product in products):
            raise CheckpointError(
                f"{where}: table {table} may add at most {MAX_PRODUCTS} products of at most {MAX_FACTORS} matrices"
            )
        for product in products:
            rows = weights.tensors[product.factors[0]].shape[0]
            for length in range(2, len(product.factors) + 1):
                beginning = product.factors[:length]
                if beginning not in intermediate:
                    inner, columns = weights.tensors[beginning[-1]].shape
                    intermediate[beginning] = rows * columns
                    operations += rows * inner * columns
    needed = 8 * sum(intermediate.values())
    if needed > limits.max_bytes or operations > limits.max_operations:
        raise CheckpointError(
            f"{where}: making the tables needs {needed} bytes of products and {operations} multiply-adds, more than"
            f" the limits of {limits.max_bytes} and {limits.max_operations}; raise the limit if you trust the file"
        )


def check_range(circuit: Circuit, where: str) -> None:
    """Refuse finite tables whose logits could overflow where they are added up or squared."""
    tables = {name: getattr(circuit, name) for name in TABLES}
    largest = {name: max(float(table.max()), -float(table.min())) for name, table in tables.items()}
    with np.errstate(over="ignore"):
        preactivation = np.float64(largest["A"]) + largest["B"]
        # no activation grows faster than |x| + 1 but the square
        hidden = np.square(preactivation) if circuit.activation == "square" else preactivation + 1
        logit = circuit.neurons * hidden * largest["U"] + largest["S_a"] + largest["S_b"]
    if not logit <= MAX_LOGIT:
        raise CheckpointError(
            f"{where}: its logits may reach {logit:.1e}, more than {MAX_LOGIT:g}; rescale the weights"
        )
