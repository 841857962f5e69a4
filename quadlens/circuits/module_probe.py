"""Running a torch module while the input of its activation is seen and set: by the function called, or by a submodule.

A torch function mode sees every call of ``relu``, ``gelu`` and the others, wherever and however the code writes it.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.activations import ACTIVATIONS
from quadlens.arrays import FloatArray
from quadlens.errors import CircuitError
from quadlens.untrusted_text import one_line

HOOK_POINT = "hook_pre"
"""How TransformerLens calls the place of its preactivations."""

MAX_CALLS = 8
"""Most calls of activation functions in one forward pass that are tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A module, what it is called with, and the place where its neurons are seen and set."""

    model: Any
    p: int
    inputs: Callable[[Any, Any], Any]
    activation: str
    where: str
    place: Callable[["Probe", Any], Any]

    def row(self, a: int, set_to: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Return preactivations (p, n) and outputs (p, V) of the inputs ``(a, 0 … p−1)``, the neurons as they are or
        set."""
        import torch

        b = torch.arange(self.p)
        return self._run(torch.full_like(b, a), b, None if set_to is None else torch.from_numpy(set_to))

    def at_zero(self, neurons: FloatArray) -> FloatArray:
        """Return the outputs of the input (0, 0) with its neurons' inputs set to each row of ``neurons``."""
        import torch

        zero = torch.zeros(len(neurons), dtype=torch.int64)
        return self._run(zero, zero, torch.from_numpy(neurons))[1]

    def _run(self, a: Any, b: Any, set_to: Any) -> tuple[FloatArray, FloatArray]:
        import torch

        with torch.no_grad(), self.place(self, set_to) as seen:
            out = _call(self.model, self.inputs(a, b))
        if not seen:
            raise CircuitError(f"{self.where} was not reached when the module ran")
        return _matrix(seen[0], len(a), "the activation's input"), _matrix(out, len(a), "the module's output")


def probes(
    model: Any,
    p: int,
    inputs: Callable[[Any, Any], Any] | None,
    activation: str | None,
    preactivations: str | None,
) -> list[Probe]:
    """Return the places where the neurons of ``model`` may be: the one named, or every call of a known activation, then
    every hook point of TransformerLens under every activation.

    Raises
    ------
    CircuitError
        If the module cannot be run, there is no such submodule, or no known activation is called.
    """
    import torch

    make = inputs if inputs is not None else _default_inputs(model)
    a = torch.arange(p)
    try:
        with torch.no_grad(), _listening(None, None) as calls:
            _call(model, make(a, a))
    except Exception as error:
        raise CircuitError(
            f"the module cannot be run on two tensors of residues in float64: {one_line(error, 200)};"
            " say with inputs= what it is called with"
        ) from None
    common: dict[str, Any] = {"model": model, "p": p, "inputs": make}
    if preactivations is not None:
        return [_named(common, activation, preactivations, [name for name, _ in calls])]
    named = [(index, name) for index, (name, _) in enumerate(calls) if activation in (None, name)][:MAX_CALLS]
    hooks = [name for name, _ in model.named_modules() if name.rsplit(".", 1)[-1] == HOOK_POINT]
    if not named and not hooks:
        called = ", ".join(sorted({name for name, _ in calls})) or "none"
        raise CircuitError(
            f"the module calls no {activation or 'known'} activation function (called: {called}); say with"
            " preactivations= the submodule whose output is the activation's input, and activation="
        )
    found = [
        Probe(**common, activation=name, where=f"the function that it calls, {name}", place=_at_call(index))
        for index, name in named
    ]
    # an activation that is composed of other functions: of those that fit, the logits on all inputs decide
    return found + [
        Probe(**common, activation=name, where=f"trying it at {hook}", place=_at_module(hook, before=False))
        for hook in hooks
        for name in (ACTIVATIONS if activation is None else (activation,))
    ]


def _named(common: dict[str, Any], activation: str | None, name: str, called: list[str]) -> Probe:
    import torch

    modules = dict(common["model"].named_modules())
    if name not in modules or not name:
        have = ", ".join(one_line(module, 40) for module in list(modules)[1:20])
        raise CircuitError(f"the module has no submodule {one_line(repr(name), 60)}; it has {have}")
    kinds = {torch.nn.ReLU: "relu", torch.nn.SiLU: "silu", torch.nn.Tanh: "tanh", torch.nn.GELU: "gelu"}
    own = kinds.get(type(modules[name]))
    if own == "gelu" and modules[name].approximate == "tanh":
        own = "gelu_tanh"
    chosen = activation or own or (called[0] if len(set(called)) == 1 else None)
    if chosen is None:
        raise CircuitError(f"say with activation= which activation follows {one_line(repr(name), 60)}")
    origin = "the user" if activation else f"the submodule {name}" if own else f"the function that it calls, {chosen}"
    return Probe(**common, activation=chosen, where=origin, place=_at_module(name, before=own is not None))


def _default_inputs(model: Any) -> Callable[[Any, Any], Any]:
    import torch

    needed = [
        parameter
        for parameter in inspect.signature(model.forward).parameters.values()
        if parameter.default is parameter.empty and parameter.kind in (0, 1)
    ]
    if len(needed) == 2:
        return lambda a, b: (a, b)
    return lambda a, b: torch.stack([a, b], dim=1)


def _call(model: Any, given: Any) -> Any:
    import torch

    parts = given if isinstance(given, tuple) else (given,)
    # the module was made float64: numbers that it is given are too
    out = model(*(part.double() if torch.is_tensor(part) and part.is_floating_point() else part for part in parts))
    out = getattr(out, "logits", out)
    return out[0] if isinstance(out, (tuple, list)) else out


def _matrix(value: Any, rows: int, what: str) -> FloatArray:
    """Return (inputs, width) float64 of a tensor with or without positions, the last of which is the readout."""
    if value.dim() == 3:
        value = value[:, -1]
    if value.dim() != 2 or value.shape[0] != rows:
        raise CircuitError(f"{what} must have shape (inputs, …) or (inputs, positions, …), got {tuple(value.shape)}")
    return np.asarray(value.detach().double().cpu().numpy(), dtype=np.float64)


def _set(value: Any, set_to: Any) -> Any:
    """Return the preactivations with those at the readout set; a row for every input, or one for all."""
    changed = value.clone()
    changed[(..., slice(None)) if value.dim() == 2 else (slice(None), -1)] = set_to
    return changed


def _at_call(index: int) -> Callable[[Probe, Any], Any]:
    @contextmanager
    def place(probe: Probe, set_to: Any) -> Iterator[list[Any]]:
        seen: list[Any] = []
        with _listening(index, set_to) as calls:
            yield seen
        seen += [calls[index][1]] if len(calls) > index else []

    return place


def _at_module(name: str, *, before: bool) -> Callable[[Probe, Any], Any]:
    @contextmanager
    def place(probe: Probe, set_to: Any) -> Iterator[list[Any]]:
        seen: list[Any] = []
        module = dict(probe.model.named_modules())[name]

        def see(value: Any) -> Any:
            seen.append(value.clone())
            return None if set_to is None else _set(value, set_to)

        if before:
            handle = module.register_forward_pre_hook(lambda _, given: see(given[0]))
        else:
            handle = module.register_forward_hook(lambda _, given, out: see(out))
        try:
            yield seen
        finally:
            handle.remove()

    return place


def _listening(index: int | None, set_to: Any) -> Any:
    """Return a context in which calls of activation functions are noted, as (name, input), and one's input is set."""
    import torch
    from torch.overrides import TorchFunctionMode

    functional = torch.nn.functional
    plain = {
        "relu": (functional.relu, torch.relu, torch.Tensor.relu),
        "silu": (functional.silu,),
        "tanh": (functional.tanh, torch.tanh, torch.Tensor.tanh),
        "abs": (torch.abs, torch.Tensor.abs, torch.Tensor.__abs__),
        "square": (torch.square, torch.Tensor.square),
        "gelu": (functional.gelu,),
        "sin": (torch.sin, torch.Tensor.sin),
    }
    names = {function: name for name, functions in plain.items() for function in functions}
    powers = (torch.pow, torch.Tensor.pow, torch.Tensor.__pow__)
    clamps = (torch.clamp, torch.Tensor.clamp, torch.Tensor.clamp_min, torch.clamp_min)

    class Listener(TorchFunctionMode):
        def __init__(self) -> None:
            super().__init__()
            self.calls: list[tuple[str, Any]] = []

        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            name = names.get(function)
            if name == "gelu" and kwargs.get("approximate", "none") == "tanh":
                name = "gelu_tanh"
            if function in powers and args[1:] in ((2,), (2.0,)):
                name = "square"
            if function in clamps and (args[1:] in ((0,), (0.0,)) or kwargs in ({"min": 0}, {"min": 0.0})):
                name = "relu"
            given = args[0] if args else kwargs.get("input")
            if name is None or not isinstance(given, torch.Tensor) or given.dim() not in (2, 3):
                return function(*args, **kwargs)
            self.calls.append((name, given.clone()))  # the function may work in place
            if len(self.calls) - 1 == index and set_to is not None:
                # what follows must see the change: the function is called on another input
                changed = _set(given, set_to)
                args, kwargs = ((changed, *args[1:]), kwargs) if args else (args, kwargs | {"input": changed})
            return function(*args, **kwargs)

    @contextmanager
    def context() -> Iterator[list[tuple[str, Any]]]:
        with Listener() as listener:
            yield listener.calls

    return context()
