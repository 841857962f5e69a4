r"""The inequality (G) of ``certificates.input_bounds`` on a device: every input and wrong answer, class by class."""

from collections.abc import Iterator

from torch import Tensor

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.inequality import Evaluated
from quadlens.certificates.on_torch.class_bounds import Answers, answers_on
from quadlens.certificates.on_torch.device import block_of
from quadlens.certificates.on_torch.input_quantities import InputsOnDevice
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.parallel import blocks_of


def least_of_classes(
    evaluated: Evaluated[InputsOnDevice], count: OperationCounter
) -> Iterator[tuple[FloatArray, IntArray]]:
    """Yield, for each class, every input's least bound over δ, and that δ; shape (p,) each."""
    inputs, plan = evaluated.inputs, evaluated.found.plan
    answers = answers_on(plan, evaluated.found.rest, inputs.X.device)
    p, owned = plan.p, int((inputs.owner.sum(dim=0) > 0).sum())
    for block in blocks_of(p, block_of(inputs.X.device) // (3 * p * (p + inputs.X.shape[2]))):
        least, delta = least_of_block(inputs, answers, block)
        classes = block.stop - block.start
        count.add(classes * p, p - 1, 2 * (inputs.X.shape[2] + owned) + 4)
        count.add(classes, 2 * len(plan.groups) * (plan.harmonics + 1), p)
        lowered = evaluated.found.lowered(least.cpu().numpy())
        yield from zip(lowered, delta.cpu().numpy(), strict=True)


def least_of_block(inputs: InputsOnDevice, answers: Answers, block: slice) -> tuple[Tensor, Tensor]:
    """Return the least (G) over δ of each input of some classes, before rounding, and that δ: (classes, p) each."""
    whole = answers.D(block) + answers.tail[block, None]
    bound = inputs.X[block] @ answers.turn
    bound -= inputs.own(block) @ answers.length
    bound -= inputs.fixed(block)[:, :, None] + whole[:, None]
    least = bound.min(dim=2)
    return least.values, least.indices + 1
