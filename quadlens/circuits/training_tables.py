r"""One step's gradient, from the tables: what a constant-attention network needs to learn, and no more.

With ``R = α E W_V W_O`` (every head's ``W_V`` side by side, every ``W_O`` one above the other) the five tables are

    A = R W_in    B = (R + E) W_in + b_in    U = W_out W_U    S_a = R W_U    S_b = (R + E + b_out) W_U

A position embedding would only add to ``b_in`` and ``b_out``, so there is none. The loss is the mean cross-entropy over
the training pairs. Its gradient goes through the ``p² × n`` activations once forward and once back; everything after
that is ``p × n`` or smaller. Both passes run over the whole square of inputs, a few rows ``a`` at a time so that a
block stays in the processor's cache, with weight 0 on the pairs left out: a rectangle without holes costs less than
gathering the pairs and scattering their gradients. All arrays have a leading axis of networks.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from quadlens.circuits.training_options import Layout
from quadlens.errors import OptionError

ATTENTION = 0.5
"""``α``: the weight that constant attention gives to each of the two tokens."""

CPU_BLOCK_BYTES = 2**20
"""Size of one block of activations on a CPU; a block larger than the cache ran up to 30 % slower where measured."""

CUDA_BLOCK_BYTES = 2**32


def tables_of(w: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return ``A, B, U, S_a, S_b`` in the weights' own precision."""
    R = ATTENTION * (w["E"] @ w["W_V"] @ w["W_O"])
    rb = R + w["E"]
    return R @ w["W_in"], rb @ w["W_in"] + w["b_in"], w["W_out"] @ w["W_U"], R @ w["W_U"], (rb + w["b_out"]) @ w["W_U"]


def _relu_backward(grad: Tensor, x: Tensor) -> Tensor:
    torch.ops.aten.threshold_backward.grad_input(grad, x, 0, grad_input=grad)
    return grad


def _tanh_backward(grad: Tensor, x: Tensor) -> Tensor:
    return grad.mul_(1 - torch.tanh(x).square_())


DIFFERENTIABLE: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]] = {
    "relu": (torch.relu, _relu_backward),
    "abs": (torch.abs, lambda grad, x: grad.mul_(torch.sign(x))),
    "square": (torch.square, lambda grad, x: grad.mul_(x).mul_(2)),
    "gelu": (torch.nn.functional.gelu, lambda grad, x: torch.ops.aten.gelu_backward(grad, x)),
    "gelu_tanh": (
        lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
        lambda grad, x: torch.ops.aten.gelu_backward(grad, x, approximate="tanh"),
    ),
    "silu": (torch.nn.functional.silu, lambda grad, x: torch.ops.aten.silu_backward(grad, x)),
    "tanh": (torch.tanh, _tanh_backward),
    "sin": (torch.sin, lambda grad, x: grad.mul_(torch.cos(x))),
}
"""For each activation: ``act(x)``, and the gradient at ``x`` from that at ``act(x)``, which may be overwritten."""


class GradientOfTables:
    """The gradient of the training loss, with the buffers that every step uses again.

    Parameters
    ----------
    layout : the networks' shape
    activation : a key of ``DIFFERENTIABLE``
    train : bool, shape (networks, p²); the pair ``(a, b)`` is number ``a p + b``
    """

    def __init__(self, layout: Layout, activation: str, train: Tensor) -> None:
        p, n, device = layout.p, layout.neurons, train.device
        networks = train.shape[0]
        self.layout = layout
        if activation not in DIFFERENTIABLE:
            raise OptionError(f"training needs a gradient of the activation, and has none of {activation}")
        self.activate, self.backward = DIFFERENTIABLE[activation]
        self.in_place = activation == "relu"  # ReLU's slope can be read off its value, so one buffer does
        block_bytes = CUDA_BLOCK_BYTES if device.type == "cuda" else CPU_BLOCK_BYTES
        self.rows = max(1, min(p, block_bytes // (4 * networks * p * n)))
        # the gradient is (softmax - one-hot) times this: 1/(number of training pairs), 0 for a pair left out
        self.scale = (train.double() / train.sum(1, keepdim=True)).unsqueeze(-1)
        residues = torch.arange(p, device=device)
        self.answer = ((residues[:, None] + residues) % p).reshape(-1, 1)
        m = self.rows * p
        self.X = torch.empty(networks, m, n, device=device)
        self.D = torch.empty(networks, m, n, device=device)
        self.L = torch.empty(networks, m, p, device=device)

    def __call__(self, flat: Tensor, gradient: Tensor) -> None:
        """Write into ``gradient`` the loss's gradient at ``flat``; both have shape (networks, layout.size)."""
        w, out = self.layout.views(flat), self.layout.views(gradient)
        tables = tables_of(w)
        _chain_rule(w, self.of_tables(*tables), out)

    def of_tables(self, A: Tensor, B: Tensor, U: Tensor, S_a: Tensor, S_b: Tensor) -> tuple[Tensor, ...]:
        """Return the loss's gradient with respect to each table."""
        p, networks = self.layout.p, A.shape[0]
        dA, dB, dSa, dSb = torch.empty_like(A), torch.zeros_like(B), torch.empty_like(S_a), torch.zeros_like(S_b)
        dUt = torch.zeros_like(A)
        for start in range(0, p, self.rows):
            a = slice(start, min(start + self.rows, p))
            inputs, size, cube = slice(start * p, a.stop * p), (a.stop - start) * p, (networks, a.stop - start, p, -1)
            X, D, L = self.X[:, :size], self.D[:, :size], self.L[:, :size]
            torch.add(A[:, a, None], B[:, None], out=X.view(cube))
            H = X.relu_() if self.in_place else self.activate(X)
            torch.bmm(H, U, out=L)
            square = L.view(cube)
            square += S_a[:, a, None]
            square += S_b[:, None]
            L.copy_(self._loss_gradient(L, inputs))
            torch.baddbmm(dUt, L.mT, H, out=dUt)
            torch.bmm(L, U.mT, out=D)
            D = self.backward(D, X)
            torch.sum(D.view(cube), 2, out=dA[:, a])
            dB += D.view(cube).sum(1)
            torch.sum(square, 2, out=dSa[:, a])
            dSb += square.sum(1)
        return dA, dB, dUt.mT, dSa, dSb

    def _loss_gradient(self, logits: Tensor, inputs: slice) -> Tensor:
        # in float64: once a network is right, softmax - 1 at the answer is far below float32's resolution at 1
        error = torch.softmax(logits, -1, dtype=torch.float64)
        answer = self.answer[inputs].expand(logits.shape[0], -1, 1)
        error.scatter_add_(2, answer, torch.full_like(error[..., :1], -1))
        return error.mul_(self.scale[:, inputs])

    def measure(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Return, shape (networks, p²), the float64 cross-entropy and whether the answer's logit alone is largest."""
        A, B, U, S_a, S_b = tables_of(self.layout.views(flat))
        p, losses, rights = self.layout.p, [], []
        for start in range(0, p, self.rows):
            a = slice(start, min(start + self.rows, p))
            X = (A[:, a, None] + B[:, None]).flatten(1, 2)
            L = self.activate(X) @ U + (S_a[:, a, None] + S_b[:, None]).flatten(1, 2)
            L = L.double()
            answer = self.answer[start * p : a.stop * p].expand(L.shape[0], -1, 1)
            losses.append(-torch.log_softmax(L, -1).gather(2, answer).squeeze(2))
            correct = L.gather(2, answer)
            rights.append(correct.squeeze(2) > L.scatter(2, answer, -torch.inf).amax(2))
        return torch.cat(losses, 1), torch.cat(rights, 1)


def _chain_rule(w: Mapping[str, Tensor], d: tuple[Tensor, ...], out: Mapping[str, Tensor]) -> None:
    """Carry the gradient from the tables to the weights, into ``out``."""
    dA, dB, dU, dSa, dSb = d
    E, EV = w["E"], w["E"] @ w["W_V"]
    R = ATTENTION * (EV @ w["W_O"])
    columns_b = dSb.sum(1, keepdim=True)
    from_b = dB @ w["W_in"].mT + dSb @ w["W_U"].mT
    dR = from_b + dA @ w["W_in"].mT + dSa @ w["W_U"].mT
    dEV = ATTENTION * (dR @ w["W_O"].mT)
    out["E"].copy_(from_b + dEV @ w["W_V"].mT)
    out["W_V"].copy_(E.mT @ dEV)
    out["W_O"].copy_(ATTENTION * (EV.mT @ dR))
    out["W_in"].copy_(R.mT @ (dA + dB) + E.mT @ dB)
    out["b_in"].copy_(dB.sum(1, keepdim=True))
    out["W_out"].copy_(dU @ w["W_U"].mT)
    out["b_out"].copy_(columns_b @ w["W_U"].mT)
    out["W_U"].copy_(w["W_out"].mT @ dU + R.mT @ (dSa + dSb) + E.mT @ dSb + w["b_out"].mT @ columns_b)
