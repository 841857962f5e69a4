"""How much a file may ask of the machine: one budget for each file read, from which every reader spends.

What a small file makes large is counted before it is made: text that a call encodes, keys that a call copies, tensors
that view one storage, products that a table adds.
"""

import time
from dataclasses import dataclass, field

from quadlens.circuits.circuit import TABLES, table_shapes
from quadlens.circuits.weights import Weights
from quadlens.errors import CheckpointError, OptionError

MAX_BYTES = 2**27
"""Default largest file, and largest memory for one circuit's tables and the products that make them (128 MiB)."""

ALLOWANCES = {
    "bytes": MAX_BYTES,
    "bytes of zip content": MAX_BYTES,
    "bytes of zip directory": 2**21,
    "zip entries": 10_000,
    "bytes of pickle": 2**24,
    "pickle operations": 500_000,
    "calls": 50_000,
    "dictionary entries": 250_000,
    "bytes made by calls": 2**24,
    "bytes of JSON": 2**22,
    "bytes of float64 tensors": MAX_BYTES,
    "bytes of tables": MAX_BYTES,
    "bytes of products": 2 * MAX_BYTES,
    "multiply-adds": 400 * MAX_BYTES,
}
"""What one file may ask for at the default limit. A higher limit raises all of them with it, a lower one those in bytes
of memory."""

SECONDS = 60.0
"""Longest time on the clock at the default limit: a machine that is busy with other work may be ten times as slow."""

ENTRY_OPERATIONS = 16
"""What one pass over a number in memory costs, in multiply-adds: each product is scaled, bounded and added."""

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

    def allowed(self, resource: str) -> int:
        """Return how much of ``resource`` (a key of ``ALLOWANCES``) one file may ask for."""
        usual = ALLOWANCES[resource]
        if usual >= MAX_BYTES:
            return usual * self.max_bytes // MAX_BYTES
        return max(usual, usual * self.max_bytes // MAX_BYTES)

    @property
    def seconds(self) -> float:
        """Longest time that reading may take."""
        return max(SECONDS, SECONDS * self.max_bytes / MAX_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is left of the limits while the file called ``where`` is read; the time runs from the moment it is made."""

    where: str
    limits: Limits = Limits()
    spent: dict[str, int] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def spend(self, resource: str, amount: int, what: str = "it needs") -> None:
        """Take ``amount`` of ``resource``; ``what`` says in words what needs it.

        Raises
        ------
        CheckpointError
            If more was asked for than is allowed, or reading took too long, with the option that raises the limit.
        """
        if amount < 0:
            raise CheckpointError(f"{self.where}: {what} {amount} {resource}, which is less than nothing")
        needed = self.spent.get(resource, 0) + amount
        allowed = self.limits.allowed(resource)
        if needed > allowed:
            enough = -(-needed * MAX_BYTES // ALLOWANCES[resource] // 2**20)
            raise CheckpointError(
                f"{self.where}: {what} {needed} {resource}, more than the limit of {allowed};"
                f" if you trust the file, --max-megabytes {enough} or more raises it (max_bytes in Python)"
            )
        self.spent[resource] = needed
        self.check_time()

    def check_time(self) -> None:
        """Refuse to go on when reading has taken too long."""
        if time.monotonic() - self.started > self.limits.seconds:
            raise CheckpointError(
                f"{self.where}: reading it took more than {self.limits.seconds:.0f} seconds;"
                " if you trust the file, a higher --max-megabytes (max_bytes in Python) gives it more time"
            )


def spend_tables(p: int, neurons: int, budget: Budget) -> None:
    """Spend the five float64 tables of a circuit, before anything is made of its tensors.

    Raises
    ------
    CheckpointError
        As ``Budget.spend``.
    """
    needed = 8 * sum(rows * columns for rows, columns in table_shapes(p, neurons).values())
    budget.spend("bytes of tables", needed, f"a circuit with p = {p} and {neurons} neurons needs")


def spend_evaluation(weights: Weights, budget: Budget) -> None:
    """Spend what making the tables of ``weights`` takes; the tables themselves are spent where ``p`` is read.

    Weights chain by shape alone, so a small file could hold a column times a row whose product is enormous, or add one
    matrix a thousand times.
    """
    made: set[tuple[str, ...]] = set()
    for table in TABLES:
        products = weights.tables.get(table, ())
        if len(products) > MAX_PRODUCTS or any(len(product.factors) > MAX_FACTORS for product in products):
            raise CheckpointError(
                f"{budget.where}: table {table} may add at most {MAX_PRODUCTS} products of at most {MAX_FACTORS}"
                " matrices"
            )
        rows, columns = table_shapes(weights.p, weights.neurons)[table]
        for product in products:
            shapes = [weights.tensors[name].shape for name in product.factors]
            passes = rows * columns + sum(height * width for height, width in shapes[1:])
            budget.spend("multiply-adds", ENTRY_OPERATIONS * passes, f"making table {table} needs")
            for length in range(2, len(product.factors) + 1):
                beginning = product.factors[:length]
                if beginning not in made:
                    made.add(beginning)
                    inner, width = shapes[length - 1]
                    # the product, and that of the magnitudes, which bounds its rounding
                    budget.spend("multiply-adds", 2 * shapes[0][0] * inner * width, f"making table {table} needs")
                    budget.spend("bytes of products", 16 * shapes[0][0] * width, f"making table {table} needs")
