# %% [markdown]
# # Certify a network of one's own
#
# From a torch module in memory to a proof that anyone can check. The module here is built with known weights, so that
# the page takes seconds; take yours instead.

# %%
import torch

import quadlens as ql

p, neurons = 23, 96
made = ql.construct(p=p, frequencies=(2, 7), neurons=neurons, noise=0.01)


class Mine(torch.nn.Module):
    """A two-layer network on one-hot inputs, with the parameter names of the one-hot family."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp = torch.nn.Module()
        self.mlp.W_in = torch.nn.Parameter(torch.tensor((made.A + made.B).T / 2, dtype=torch.float32))
        self.mlp.W_out = torch.nn.Parameter(torch.tensor(made.U.T, dtype=torch.float32))

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.mlp.W_in.T[a] + self.mlp.W_in.T[b]) @ self.mlp.W_out.T


model = Mine()

# %% [markdown]
# Three lines make it a circuit.

# %%
circuit = ql.from_state_dict(model.state_dict(), family="one-hot", activation="relu")
measured = ql.evaluate(circuit)
measured

# %% [markdown]
# The accuracy must be that of the module itself. If it is not, a convention is wrong, and nothing else here matters.

# %%
a, b = torch.meshgrid(torch.arange(p), torch.arange(p), indexing="ij")
with torch.no_grad():
    predicted = model(a.flatten(), b.flatten()).argmax(dim=-1)
accuracy = float((predicted == (a + b).flatten() % p).double().mean())
assert accuracy == measured.accuracy

# %% [markdown]
# The linear method, and the oracle beside it: integers, all inputs, no rounding at all.

# %%
linear = ql.certify(circuit, method="linear")
exact = ql.certify(circuit, method="exact")
assert linear.margin_lower_bound <= exact.margin_lower_bound
linear

# %%
exact

# %% [markdown]
# A certificate is a file. It names the network by the SHA-256 of its weights, and holds what is needed to repeat every
# bound.

# %%
from quadlens.certificates.record.file import read_certificate, write_certificate
from quadlens.certificates.check import check
from quadlens.circuits.native import write

write_certificate(linear, "certificate.json")
write(circuit, "mine.safetensors")  # for the command line: quadlens check certificate.json mine.safetensors
result = check(read_certificate("certificate.json"), circuit)
assert result.accepted
result

# %% [markdown]
# And it is refused for any other network:

# %%
other = ql.construct(p=p, frequencies=(2, 7), neurons=neurons, noise=0.02)
refused = check(linear, other)
assert not refused.accepted
refused.reasons
