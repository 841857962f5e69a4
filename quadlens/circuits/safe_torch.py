"""Torch checkpoints from strangers: ``weights_only`` always, inert stand-ins for their classes, checked tensors.

Everything that can be decided without torch is decided first (``torch_zip``, ``pickle_scan``). There is no second
attempt with fewer checks: what these refuse is not read.
"""

import re
import struct
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.circuits.limits import Budget
from quadlens.circuits.pickle_names import ARRAY, CONFIG_CLASSES, DTYPE, EMPTY_DICT, EMPTY_LIST, IGNORED, SCALARS
from quadlens.circuits.pickle_scan import scan_pickle
from quadlens.circuits.torch_zip import clean_archive, with_pickle
from quadlens.errors import CheckpointError, DependencyError
from quadlens.untrusted_text import one_line

TORCH_NEEDED = (2, 10)


class PickledConfig:
    """Stands in for a configuration class of another library: holds the pickled fields, does nothing."""

    def __setstate__(self, state: object) -> None:
        if isinstance(state, dict):
            self.__dict__.update({key: value for key, value in state.items() if isinstance(key, str)})


class _PickledDtype:
    """Stands in for ``numpy.dtype``: remembers the name it was made with."""

    def __init__(self, name: object = None, *_: object) -> None:
        self.name = name

    def __setstate__(self, state: object) -> None:
        pass


def _pickled_scalar(dtype: object = None, raw: object = None, *_: object) -> float | None:
    """Stand in for numpy's scalar maker: a float64 becomes a Python float, anything else None."""
    if isinstance(dtype, _PickledDtype) and dtype.name in ("f8", b"f8") and isinstance(raw, bytes) and len(raw) == 8:
        return float(struct.unpack("<d", raw)[0])
    return None


class PickledObject:
    """Stands in for what lies beside weights and is not read: a path, a set, a type. Holds nothing, does nothing."""

    def __init__(self, *_: object) -> None:
        pass


class PickledArray(PickledObject):
    """Stands in for a numpy array."""

    def __setstate__(self, state: object) -> None:
        pass


def _pickled_dict(*_: object) -> OrderedDict[object, object]:
    return OrderedDict()


def _pickled_list(*_: object) -> list[object]:
    return []


_STAND_INS: list[tuple[Callable[..., Any], str]] = [
    *((PickledConfig, path) for path in CONFIG_CLASSES),
    (_PickledDtype, DTYPE),
    *((_pickled_scalar, path) for path in SCALARS),
    (PickledObject, f"quadlens.{IGNORED}"),
    (PickledArray, f"quadlens.{ARRAY}"),
    (_pickled_dict, f"quadlens.{EMPTY_DICT}"),
    (_pickled_list, f"quadlens.{EMPTY_LIST}"),
]


def require_torch() -> None:
    """Refuse a torch whose ``weights_only`` loading has known holes.

    Raises
    ------
    DependencyError
        If torch is missing or older than ``TORCH_NEEDED``.
    """
    needed = ".".join(map(str, TORCH_NEEDED))
    try:
        import torch
    except ImportError:
        raise DependencyError(f"reading torch checkpoints needs torch >= {needed}; install it") from None
    found = re.match(r"(\d+)\.(\d+)", str(torch.__version__))
    if found is None or (int(found[1]), int(found[2])) < TORCH_NEEDED:
        raise DependencyError(
            f"reading torch checkpoints needs torch >= {needed} (older ones run code from files), got"
            f" {torch.__version__}; upgrade torch"
        )


def read_torch(content: bytes, budget: Budget) -> Any:
    """Return what a torch checkpoint holds: dicts, lists, numbers, text, tensors and inert stand-ins.

    Raises
    ------
    CheckpointError
        If the file is not such a checkpoint, or asks for anything else.
    DependencyError
        If torch is missing or too old.
    """
    archive, pickle, storages = clean_archive(content, budget)
    items, plain = scan_pickle(pickle, storages, budget)
    if plain != pickle:
        archive = with_pickle(archive, plain)
    if 8 * items > budget.limits.allowed("bytes of float64 tensors"):  # before torch makes them; then they are counted
        budget.spend("bytes of float64 tensors", 8 * items, "its tensors need")
    require_torch()
    import torch

    try:
        with torch.serialization.safe_globals([*_STAND_INS]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a file's oddities are for the checks here, not for the terminal
            tree = torch.load(archive, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle can make the unpickler raise anything; it all means the same
        first = (str(error).strip().splitlines() or [""])[0]
        # its advice may be to load without the checks
        advice = any(word in first for word in ("weights_only", "Weights only", "safe_globals"))
        message = f"{type(error).__name__} {'' if advice else one_line(first)}".strip()
        raise CheckpointError(f"{budget.where} is not a readable checkpoint: {message}") from None
    budget.check_time()
    return _plain(tree, budget)


def _plain(tree: Any, budget: Budget) -> Any:
    """Copy dicts and lists into plain ones, keeping what is shared shared, and spend what their tensors would become.

    A pickle may give an ``OrderedDict`` attributes, also one called ``items``. Nesting is followed without recursion,
    since a list may hold itself. Many tensors may view one storage, and each is made float64 by itself.
    """
    # ``tree`` keeps the originals alive, so that no id is used twice
    copies: dict[int, Any] = {}
    found: list[Any] = []
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if id(value) in copies or not isinstance(value, (dict, list)):
            continue
        found.append(value)
        copies[id(value)] = {} if isinstance(value, dict) else []
        held = list(dict.values(value)) if isinstance(value, dict) else value
        for item in held:
            _spend_tensor(item, budget)
        waiting += held
    for value in found:
        copy = copies[id(value)]
        if isinstance(value, dict):
            copy.update({key: copies.get(id(item), item) for key, item in dict.items(value)})
        else:
            copy += [copies.get(id(item), item) for item in value]
    return copies.get(id(tree), tree)


def _spend_tensor(value: object, budget: Budget) -> None:
    import torch

    # one whose entries share places, or are not all there, is refused by whoever reads it
    if not isinstance(value, torch.Tensor) or value.layout != torch.strided:
        return
    if _stored_in_full(tuple(value.shape), value.stride(), _held(value)):
        budget.spend("bytes of float64 tensors", 8 * value.numel(), "its tensors need")


def _held(tensor: Any) -> int:
    """Return how many numbers the file holds from the tensor's first on."""
    return int(tensor.untyped_storage().nbytes() // tensor.element_size() - tensor.storage_offset())


def dimensions(value: object) -> int:
    """Return how many dimensions a tensor has; -1 for anything else."""
    import torch

    return value.dim() if isinstance(value, torch.Tensor) else -1


def _stored_in_full(shape: tuple[int, ...], strides: tuple[int, ...], held: int) -> bool:
    """Say whether no two entries share a place, as in a matrix or a transposed one, and all places are there."""
    reach = 1
    for stride, size in sorted((stride, size) for stride, size in zip(strides, shape, strict=True) if size > 1):
        if stride < reach:
            return False
        reach = stride * size
    last = sum(stride * (size - 1) for stride, size in zip(strides, shape, strict=True))
    return last < held


def float_array(value: object, label: str) -> FloatArray:
    """Return a checkpoint's tensor as float64, exactly; ``label`` names file and tensor.

    Raises
    ------
    CheckpointError
        If it is not a dense float tensor, each entry stored on its own, with finite values.
    """
    import torch

    if isinstance(value, PickledArray):
        raise CheckpointError(f"{label} must be a tensor, got a numpy array; save torch.from_numpy(ARRAY) in its place")
    if not isinstance(value, torch.Tensor):
        raise CheckpointError(f"{label} must be a tensor, got {type(value).__name__}")
    # a parameter is unwrapped; other subclasses bring their own behaviour
    if type(value) not in (torch.Tensor, torch.nn.Parameter):
        raise CheckpointError(f"{label} must be a plain tensor, got {type(value).__name__}")
    tensor = value.detach()
    if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
        raise CheckpointError(f"{label} must be a dense tensor, got layout {tensor.layout} on {tensor.device.type}")
    if tensor.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        raise CheckpointError(f"{label} must have a float dtype (16, 32 or 64 bits), got {str(tensor.dtype)[6:]}")
    shape = tuple(tensor.shape)
    if not 1 <= len(shape) <= 4 or 0 in shape:
        raise CheckpointError(f"{label} must have 1 to 4 dimensions, none empty, got shape {one_line(shape, 60)}")
    held = _held(tensor)
    if not _stored_in_full(shape, tensor.stride(), held):
        raise CheckpointError(
            f"{label} of shape {shape} must be contiguous and stored in full, or a view of it without overlap,"
            f" got strides {tensor.stride()} over {held} numbers"
        )
    array = np.ascontiguousarray(tensor.to(torch.float64).numpy(), dtype=np.float64)
    if not np.isfinite(array).all():
        count = int((~np.isfinite(array)).sum())
        raise CheckpointError(f"{label} holds {count} NaN or infinite values; every weight must be finite")
    return array
