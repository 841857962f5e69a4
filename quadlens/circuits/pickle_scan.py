"""Reading a checkpoint's pickle without running it: which names it asks for, how deep it nests, how much it does.

torch's ``weights_only`` unpickler runs only what is on its own list of names; this list is shorter, and each name on it
makes nothing but a plain tensor, a plain value or an inert record. Strings become bytes only by ``latin1``: other
codecs can double what they are given, again and again.
"""

import pickletools
import warnings
from collections.abc import Mapping
from typing import Any

from quadlens.errors import CheckpointError
from quadlens.untrusted_text import one_line

MAX_OPERATIONS = 500_000
MAX_DEPTH = 32
MAX_KEY = 16

# type -> bytes of one item; those that are not floats may be there, and are not read
STORAGES = {
    "torch.HalfStorage": 2, "torch.BFloat16Storage": 2, "torch.FloatStorage": 4, "torch.DoubleStorage": 8,
    "torch.BoolStorage": 1, "torch.ByteStorage": 1, "torch.IntStorage": 4, "torch.LongStorage": 8,
}
CONFIG_CLASSES = (
    "transformer_lens.HookedTransformerConfig.HookedTransformerConfig",
    "transformers.Config",
    "__main__.Config",
)
SCALARS = ("numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar")
ENCODE = "_codecs.encode"
REBUILD = "torch._utils._rebuild_tensor_v2"

ALLOWED = frozenset(
    {
        "collections.OrderedDict",
        REBUILD,
        "torch._utils._rebuild_parameter",
        "torch.device",
        "torch.Size",
        *STORAGES,
        *(f"torch.{dtype}" for dtype in ("float16", "bfloat16", "float32", "float64")),
        *CONFIG_CLASSES,
        "numpy.dtype",
        *SCALARS,
        ENCODE,
    }
)

_CONSTANTS = frozenset(
    {"NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"}
    | {"BINUNICODE", "SHORT_BINSTRING"}
)
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Value:
    """What is known of a value on the unpickler's stack."""

    __slots__ = ("depth", "items", "known", "size")

    def __init__(self, depth: int = 0, known: Any = None, items: "tuple[_Value, ...] | None" = None) -> None:
        self.depth = depth
        self.size = 1  # of a tuple: how many values a hash of it would visit
        self.known = known
        self.items = items


class _Machine:
    """The unpickler's stack and memo, without the values.

    ``storages`` says how many bytes the file holds of each storage.
    """

    def __init__(self, storages: Mapping[str, int]) -> None:
        self.storages = storages
        self.items: dict[str, int] = {}
        self.stack: list[_Value] = []
        self.marks: list[int] = []
        self.memo: dict[int, _Value] = {}

    def pop(self, count: int) -> list[_Value]:
        lowest = self.marks[-1] if self.marks else 0
        if len(self.stack) - count < lowest:
            raise ValueError("it takes more from its stack than it put there")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def pop_mark(self) -> list[_Value]:
        if not self.marks:
            raise ValueError("it takes a mark that it did not set")
        start = self.marks.pop()
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def step(self, name: str, argument: Any) -> None:
        """Do one operation.

        Raises
        ------
        ValueError
            With the reason for refusing it.
        """
        if name == "PROTO" and argument != 2:
            raise ValueError(f"it has pickle protocol {argument}, torch writes 2")
        if name in ("PROTO", "STOP"):
            return
        if name in _CONSTANTS:
            self.stack.append(_Value(known=argument if _is_short(argument) else None))
        elif name == "GLOBAL":
            path = argument.replace(" ", ".", 1)
            if path not in ALLOWED:
                raise ValueError(f"it asks for {one_line(repr(path), 80)}, which no weights need")
            self.stack.append(_Value(known=path))
        elif name in ("EMPTY_DICT", "EMPTY_LIST"):
            self.stack.append(_Value(depth=1))
        elif name == "EMPTY_TUPLE":
            self.stack.append(_Value(depth=1, items=()))
        elif name in _TUPLES or name == "TUPLE":
            items = self.pop_mark() if name == "TUPLE" else self.pop(_TUPLES[name])
            made = _Value(depth=self._nest(items), items=tuple(items) if len(items) < 16 else None)
            made.size = 1 + sum(item.size for item in items)
            self.stack.append(made)
        elif name in ("APPEND", "SETITEM", "APPENDS", "SETITEMS"):
            items = self.pop_mark() if name.endswith("S") else self.pop(1 if name == "APPEND" else 2)
            if name.startswith("SETITEM") and any(key.size > MAX_KEY for key in items[::2]):
                raise ValueError("it uses a large tuple as a key")
            (container,) = self.pop(1)
            container.depth = max(container.depth, self._nest(items))
            self.stack.append(container)
        elif name == "MARK":
            self.marks.append(len(self.stack))
        elif name in ("BINGET", "LONG_BINGET"):
            if argument not in self.memo:
                raise ValueError("it reads a memo that it did not write")
            self.stack.append(self.memo[argument])
        elif name in ("BINPUT", "LONG_BINPUT"):
            (value,) = self.pop(1)
            self.stack.append(value)
            self.memo[argument] = value
        elif name == "BINPERSID":
            (identity,) = self.pop(1)
            self._check_storage(identity)
            self.stack.append(_Value(depth=self._nest([identity])))
        elif name in ("REDUCE", "NEWOBJ"):
            function, arguments = self.pop(2)
            self._call(function, arguments)
        elif name == "BUILD":
            target, state = self.pop(2)
            target.depth = max(target.depth, self._nest([state]))
            self.stack.append(target)
        else:
            raise ValueError(f"it uses the operation {name}, which no checkpoint needs")

    def _nest(self, items: list[_Value]) -> int:
        depth = 1 + max((item.depth for item in items), default=0)
        if depth > MAX_DEPTH:
            raise ValueError(f"it nests deeper than {MAX_DEPTH} levels")
        return depth

    def _check_storage(self, identity: _Value) -> None:
        """Refuse a storage that says it has more, or fewer, bytes than the file holds of it."""
        known = [item.known for item in identity.items or ()]
        if len(known) != 5 or known[0] != "storage" or known[1] not in STORAGES or type(known[4]) is not int:
            raise ValueError("it refers to something other than a storage of numbers")
        held = self.storages.get(known[2]) if isinstance(known[2], str) else None
        said = known[4] * STORAGES[known[1]]
        if held is None or said != held:
            raise ValueError(f"storage {one_line(repr(known[2]), 20)} should have {said} bytes, the file holds {held}")
        self.items[known[2]] = known[4]

    def _call(self, function: _Value, arguments: _Value) -> None:
        if function.known not in ALLOWED or arguments.items is None:
            raise ValueError("it calls something other than a known function with a short tuple")
        if function.known == ENCODE and [item.known for item in arguments.items[1:]] != ["latin1"]:
            raise ValueError("it encodes text other than as latin1")
        if function.known == "collections.OrderedDict" and arguments.items:
            raise ValueError("it makes an OrderedDict of something, torch fills an empty one")
        # a seventh argument would set what torch calls metadata: views that are negated or conjugated when read
        if function.known == REBUILD and len(arguments.items) != 6:
            raise ValueError(f"it rebuilds a tensor from {len(arguments.items)} arguments, torch writes 6")
        self.stack.append(_Value(depth=self._nest([arguments])))


def _is_short(argument: Any) -> bool:
    return type(argument) is int or (isinstance(argument, str) and len(argument) < 64)


def scan_pickle(pickle: bytes, storages: Mapping[str, int], where: str) -> int:
    """Return how many numbers the checkpoint holds; refuse a pickle that does what no checkpoint of weights needs.

    Raises
    ------
    CheckpointError
        With the reason: a storage of another size than the file holds, a name that is not on the list, nesting deeper
        than ``MAX_DEPTH``, more than ``MAX_OPERATIONS`` operations.
    """
    machine = _Machine(storages)
    # the reader warns of backslashes in names, which the list then refuses
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _scan(machine, pickle, where)
    return sum(machine.items.values())


def _scan(machine: _Machine, pickle: bytes, where: str) -> None:
    try:
        for count, (operation, argument, _) in enumerate(pickletools.genops(pickle)):
            if count >= MAX_OPERATIONS:
                raise ValueError(f"it has more than {MAX_OPERATIONS} operations")
            machine.step(operation.name, argument)
    except (ValueError, IndexError, UnicodeError, OverflowError) as error:
        raise CheckpointError(f"{where}: its pickle is refused: {one_line(error, 160)}") from None
