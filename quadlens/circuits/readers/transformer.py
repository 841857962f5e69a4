r"""The one-layer transformer, whatever family it comes from, and the products that make its circuit.

With the readout at the last of ``n_ctx`` tokens, ``P[h, s]`` the weight that head ``h`` gives token ``s``, ``x_s`` the
embedding of token ``s`` plus its position:

    residual = x_last + Σ_h Σ_s P[h, s] (x_s W_V[h] + b_V[h]) W_O[h] + b_O
    logits   = (residual + act(residual W_in + b_in) W_out + b_out) W_U + b_U

Where ``P`` is constant this is a circuit: ``P[h, 0] E W_V[h] W_O[h]`` is the part that depends on ``a``, and so on.
Each family has its own ``P``: ``share · softmax(scores) + uniform``, constant where ``share = 0``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from quadlens.arrays import FloatArray
from quadlens.circuits.provenance import Provenance
from quadlens.circuits.weights import Product, Weights
from quadlens.errors import CheckpointError

Pattern = Sequence[Sequence[Fraction]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformer:
    """A one-layer transformer's matrices, in row-vector convention (``x @ W``).

    Parameters
    ----------
    E : array, shape (p, d_model), the embedding of ``a`` (and of ``b`` unless ``E_b`` is given)
    E_b : the embedding of ``b`` where the family gives it tokens of its own
    E_eq : array, shape (1, d_model), the embedding of the ``=`` token, where there is one: the readout is there, else
    at ``b``
    pos : array, shape (n_ctx, d_model)
    W_Q, W_K, W_V : array, shape (heads, d_model, d_head); W_O : (heads, d_head, d_model)
    b_Q, b_K, b_V : array, shape (heads, d_head), or None; all other biases have one row, or are None
    W_U : array, shape (d_model, p): the columns of residues only; W_U_rest, b_U_rest : the other columns, or None
    share, uniform : attention is ``share · softmax + uniform``
    scale : scores are divided by it before the softmax
    provenance : the circuit's; its ``left_out`` names the other columns
    """

    p: int
    E: FloatArray
    E_b: FloatArray | None = None
    E_eq: FloatArray | None = None
    pos: FloatArray
    W_Q: FloatArray
    W_K: FloatArray
    W_V: FloatArray
    W_O: FloatArray
    b_Q: FloatArray | None = None
    b_K: FloatArray | None = None
    b_V: FloatArray | None = None
    b_O: FloatArray | None = None
    W_in: FloatArray
    b_in: FloatArray
    W_out: FloatArray
    b_out: FloatArray
    W_U: FloatArray
    b_U: FloatArray | None = None
    W_U_rest: FloatArray | None = None
    b_U_rest: FloatArray | None = None
    share: Fraction
    uniform: Fraction
    scale: float
    activation: str
    source: str
    family: str
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        expected = 2 if self.E_eq is None else 3
        if self.pos.shape[0] != expected:
            raise CheckpointError(
                f"{self.source}: inputs of {expected} tokens need {expected} position embeddings, got"
                f" {self.pos.shape[0]}"
            )

    @property
    def heads(self) -> int:
        """Number of attention heads."""
        return int(self.W_V.shape[0])

    @property
    def constant_pattern(self) -> Pattern | None:
        """The attention weights ``P[h, s]`` where they are constant, else None."""
        if self.share:
            return None
        return [[self.uniform] * self.pos.shape[0]] * self.heads


def transformer_weights(model: Transformer, pattern: Pattern) -> Weights:
    """Return the stored matrices and the products that make the tables under the attention ``pattern``, ``P[h, s]``."""
    embedding_b = "E" if model.E_b is None else "E_b"
    readout = len(pattern[0]) - 1
    from_a = _attended("E", 0, pattern)
    from_b = _attended(embedding_b, 1, pattern)
    constant = [Product(factors=(f"pos.{readout}",))]
    if model.E_eq is None:
        from_b.append(Product(factors=(embedding_b,)))
    else:
        constant += [Product(factors=("E_eq",)), *_attended("E_eq", 2, pattern)]
    for token in range(readout + 1):
        constant += _attended(f"pos.{token}", token, pattern)
    if model.b_V is not None:
        for head, weights in enumerate(pattern):
            constant.append(Product(factors=(f"b_V.{head}", f"W_O.{head}"), coefficient=sum(weights, Fraction(0))))
    constant += [Product(factors=(name,)) for name in ("b_O",) if model.b_O is not None]
    after = [Product(factors=("b_out",))]
    end = [Product(factors=("b_U",))] if model.b_U is not None else []
    tables = {
        "A": _then(from_a, "W_in"),
        "B": [*_then([*from_b, *constant], "W_in"), Product(factors=("b_in",))],
        "U": [Product(factors=("W_out", "W_U"))],
        "S_a": _then(from_a, "W_U"),
        "S_b": [*_then([*from_b, *constant, *after], "W_U"), *end],
    }
    return Weights(
        p=model.p,
        neurons=int(model.W_in.shape[1]),
        tensors=_named_tensors(model),
        tables={table: tuple(term for term in products if term.coefficient) for table, products in tables.items()},
        activation=model.activation,
        source=model.source,
        family=model.family,
        provenance=model.provenance,
    )


def _attended(name: str, token: int, pattern: Pattern) -> list[Product]:
    return [
        Product(factors=(name, f"W_V.{head}", f"W_O.{head}"), coefficient=weights[token])
        for head, weights in enumerate(pattern)
    ]


def _then(products: Iterable[Product], matrix: str) -> list[Product]:
    return [Product(factors=(*product.factors, matrix), coefficient=product.coefficient) for product in products]


def _named_tensors(model: Transformer) -> dict[str, FloatArray]:
    optional = {"E_b": model.E_b, "E_eq": model.E_eq, "b_O": model.b_O, "b_U": model.b_U}
    tensors = {"E": model.E} | {name: tensor for name, tensor in optional.items() if tensor is not None}
    tensors |= {f"pos.{token}": model.pos[token : token + 1] for token in range(model.pos.shape[0])}
    for head in range(model.heads):
        tensors |= {f"W_V.{head}": model.W_V[head], f"W_O.{head}": model.W_O[head]}
        if model.b_V is not None:
            tensors[f"b_V.{head}"] = model.b_V[head : head + 1]
    return tensors | {name: getattr(model, name) for name in ("W_in", "b_in", "W_out", "b_out", "W_U")}
