"""How fast networks train: the plain way (every token of every pair, automatic differentiation) against the tables.

Run ``python benchmarks/training.py [--p 59] [--neurons 512] [--epochs 30]``; one thread, the same data and optimizer.
Where a TransformerLens before 4 is installed its HookedTransformer is timed too.
"""

import argparse
import math
import time
from contextlib import suppress

import torch
from torch import Tensor, nn

from quadlens.circuits.train import continue_training, initial_state
from quadlens.circuits.training_options import TrainingOptions


class PlainTransformer(nn.Module):
    """The network as it is usually written: embed both tokens, four heads of constant attention, MLP, unembed."""

    def __init__(self, options: TrainingOptions, heads: int = 4) -> None:
        super().__init__()
        d, n, p = options.d_model, options.neurons, options.p

        def matrix(*shape: int) -> nn.Parameter:
            return nn.Parameter(0.8 / math.sqrt(d) * torch.randn(*shape))

        self.W_E, self.W_U = matrix(p, d), matrix(d, p)
        self.W_V, self.W_O = matrix(heads, d, d // heads), matrix(heads, d // heads, d)
        self.W_in, self.W_out = matrix(d, n), matrix(n, d)
        self.b_in, self.b_out = nn.Parameter(torch.zeros(n)), nn.Parameter(torch.zeros(d))

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.W_E[tokens]
        values = torch.einsum("btd,hde->bhte", x, self.W_V)
        pattern = torch.full((len(tokens), self.W_V.shape[0], 2, 2), 0.5)
        x = x + torch.einsum("bhqt,bhte,hed->bqd", pattern, values, self.W_O)
        x = x + torch.relu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out
        return x[:, -1] @ self.W_U


def hooked_transformer(options: TrainingOptions) -> nn.Module:
    """Return TransformerLens's network of the same shape; its attention is computed, not constant."""
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    config = HookedTransformerConfig(
        n_layers=1,
        n_heads=4,
        d_model=options.d_model,
        d_head=options.d_model // 4,
        d_mlp=options.neurons,
        n_ctx=2,
        d_vocab=options.p,
        d_vocab_out=options.p,
        act_fn="relu",
        normalization_type=None,
        device="cpu",
    )

    class LastToken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = HookedTransformer(config)

        def forward(self, tokens: Tensor) -> Tensor:
            return self.network(tokens)[:, -1]

    return LastToken()


def plain_epoch_seconds(options: TrainingOptions, epochs: int, model: nn.Module) -> float:
    """Return the best seconds of one epoch of the plain way."""
    p = options.p
    pairs = torch.randperm(p * p)[: options.training_pairs]
    tokens, answers = torch.stack((pairs // p, pairs % p), 1), (pairs // p + pairs % p) % p
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=1.0)

    def epoch() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(tokens).double(), answers).backward()
        optimizer.step()

    return _best(epoch, epochs)


def table_epoch_seconds(options: TrainingOptions, epochs: int, networks: int = 1) -> float:
    """Return the best seconds of one epoch of one network, ``networks`` of them in one batch."""
    state = initial_state(options, tuple(range(networks)))
    continue_training(state, until=1)
    # ten epochs a call, since a call allocates its buffers
    return _best(lambda: continue_training(state, until=state.epoch + 10), max(1, epochs // 10)) / (10 * networks)


def _best(run: object, times: int) -> float:
    best = math.inf
    for _ in range(times):
        started = time.perf_counter()
        run()  # type: ignore[operator]
        best = min(best, time.perf_counter() - started)
    return best


def training_epochs(options: TrainingOptions, epochs: int) -> dict[str, float]:
    """Return the best seconds of an epoch of one network by each way, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    out = {
        "seconds": table_epoch_seconds(options, epochs),
        "four_in_a_batch_seconds": table_epoch_seconds(options, epochs, networks=4),
        "plain_seconds": plain_epoch_seconds(options, epochs, PlainTransformer(options)),
    }
    with suppress(ImportError):
        out["transformer_lens_seconds"] = plain_epoch_seconds(options, epochs, hooked_transformer(options))
    torch.set_num_threads(threads)
    return out


WORDS = {
    "plain_seconds": "plain, token by token",
    "transformer_lens_seconds": "TransformerLens",
    "seconds": "from the tables",
    "four_in_a_batch_seconds": "from the tables, 4 a batch",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--p", type=int, default=59)
    parser.add_argument("--neurons", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=30)
    given = parser.parse_args()
    found = training_epochs(TrainingOptions(p=given.p, neurons=given.neurons), given.epochs)
    print(f"p = {given.p}, {given.neurons} neurons, one thread, best epoch in seconds per network")
    for name, words in WORDS.items():
        if name in found:
            ratio = found["plain_seconds"] / found[name]
            print(f"  {words:<28} {found[name]:.4f}   {ratio:.1f} times as fast as the plain way")


if __name__ == "__main__":
    main()
