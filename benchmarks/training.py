"""How fast networks train: the plain way (every token of every pair, automatic differentiation) against the tables.

Run ``python benchmarks/training.py [--p 59] [--neurons 512] [--epochs 30]``; one thread, the same data and optimizer.
"""

import argparse
import math
import time

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


def plain_epoch_seconds(options: TrainingOptions, epochs: int) -> float:
    """Return the best seconds of one epoch of the plain way."""
    p = options.p
    pairs = torch.randperm(p * p)[: options.training_pairs]
    tokens, answers = torch.stack((pairs // p, pairs % p), 1), (pairs // p + pairs % p) % p
    model = PlainTransformer(options)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--p", type=int, default=59)
    parser.add_argument("--neurons", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=30)
    given = parser.parse_args()
    torch.set_num_threads(1)
    options = TrainingOptions(p=given.p, neurons=given.neurons)
    plain = plain_epoch_seconds(options, given.epochs)
    tables = table_epoch_seconds(options, given.epochs)
    batch = table_epoch_seconds(options, given.epochs, networks=4)
    print(f"p = {given.p}, {given.neurons} neurons, one thread, best epoch in seconds per network")
    print(f"  plain, token by token      {plain:.4f}")
    print(f"  from the tables            {tables:.4f}   {plain / tables:.1f} times as fast")
    print(f"  from the tables, 4 a batch {batch:.4f}   {plain / batch:.1f} times as fast")


if __name__ == "__main__":
    main()
