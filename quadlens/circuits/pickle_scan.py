"""Reading a checkpoint's pickle without running it: which names it asks for, how deep it nests, how much it does.

torch's ``weights_only`` unpickler runs only what is on its own list of names; this list is shorter, and each name on it
makes nothing but a plain tensor, a plain value or an inert record. Strings become bytes only by ``latin1``: other
codecs can double what they are given, again and again. What one value may be made into many times (the bytes of a
text, the entries of a dict) is spent from the file's budget each time.

torch's unpickler knows protocol 2. What it is handed is written again from what was read: protocols 3 to 5 in the
operations of 2, and what may lie beside weights and is not read (paths, sets, numpy arrays …) as names of stand-ins of
ours that make nothing. For a plain checkpoint that is the pickle itself.
"""

import pickle
import pickletools
import struct
import warnings
from collections.abc import Mapping
from typing import Any

from quadlens.circuits.limits import Budget
from quadlens.circuits.pickle_names import (
    ALLOWED,
    BUILT,
    CALLED,
    CONFIG_CLASSES,
    ENCODE,
    FILLED,
    HARMLESS,
    ORDERED,
    REBUILD,
    STORAGES,
)
from quadlens.errors import CheckpointError
from quadlens.untrusted_text import one_line

MAX_DEPTH = 32
MAX_KEY = 2**20
"""Keys are short text, or integers below this, as an optimizer's state has them: no others can be made to collide."""
MAX_KEY_LENGTH = 1000
MAX_ARGUMENTS = 64
"""Most values in the arguments of a call, those of its tuples included."""
MAX_MEMO = 2**24

REMEDY = "if the file is yours, save its weights alone: torch.save(model.state_dict(), FILE)"

_CONSTANTS = {
    **dict.fromkeys(("NONE", "NEWTRUE", "NEWFALSE", "BINFLOAT", "SHORT_BINSTRING"), "value"),
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1"), "integer"),
}
_EMPTY = {"EMPTY_DICT": "dict", "EMPTY_LIST": "list", "EMPTY_SET": "list"}
_TEXTS = ("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
_BYTES = ("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8")
_SAME_IN_2 = {"EMPTY_SET": pickle.EMPTY_LIST, "ADDITEMS": pickle.APPENDS, "FROZENSET": pickle.TUPLE, "FRAME": b""}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Value:
    """What is known of a value on the unpickler's stack.

    ``kind`` is a kind of constant, ``dict``, ``list``, ``tuple`` or the name of what was called to make it; ``count``
    the length of a text, the entries of a dict, or how many values the arguments in a tuple are, tuples in it included.
    """

    __slots__ = ("at", "count", "depth", "items", "kind", "known")

    def __init__(self, kind: str, depth: int = 0, known: Any = None, count: int = 1) -> None:
        self.kind = kind
        self.depth = depth
        self.known = known
        self.count = count
        self.items: tuple[_Value, ...] | None = None
        self.at = -1  # where a text is in what is written, in protocols 4 and 5


class _Machine:
    """The unpickler's stack and memo, without the values.

    ``storages`` says how many bytes the file holds of each storage.
    """

    def __init__(self, storages: Mapping[str, int], budget: Budget) -> None:
        self.storages = storages
        self.budget = budget
        self.items: dict[str, int] = {}
        self.stack: list[_Value] = []
        self.marks: list[int] = []
        self.memo: dict[int, _Value] = {}
        self.protocol = 2
        self.written: list[bytes] = []

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

    def step(self, name: str, argument: Any, raw: bytes) -> None:
        """Do one operation, whose bytes in the file are ``raw``, and write what does the same in protocol 2.

        Raises
        ------
        ValueError
            With the reason for refusing it.
        """
        self.written.append(_SAME_IN_2.get(name, raw))
        if name == "PROTO":
            if not 2 <= argument <= 5 or len(self.written) > 1:
                raise ValueError(f"it has pickle protocol {argument}, read are 2 to 5, said once and first")
            self.protocol, self.written[-1] = argument, pickle.PROTO + b"\x02"
        elif name in ("STOP", "FRAME"):
            return
        elif name in _CONSTANTS:
            self.stack.append(_Value(_CONSTANTS[name], known=argument if type(argument) is int else None))
        elif name in _TEXTS:
            self._push_text(argument)
        elif name in _BYTES:
            # the longest that is read is a float64 of numpy's
            self.written[-1] = _encoded(argument) if len(argument) <= 8 else pickle.NONE
            self.stack.append(_Value("value"))
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            self._push_name(argument if name == "GLOBAL" else self._named_by_texts())
        elif name in _EMPTY:
            self.stack.append(_Value(_EMPTY[name], depth=1, count=0))
        elif name in _TUPLES or name in ("TUPLE", "EMPTY_TUPLE", "FROZENSET"):
            items = self.pop_mark() if name in ("TUPLE", "FROZENSET") else self.pop(_TUPLES.get(name, 0))
            made = _Value("tuple", depth=self._nest(items))
            made.count = 1 + sum(item.count if item.kind == "tuple" else 1 for item in items)
            made.items = tuple(items) if len(items) < 16 else None
            self.stack.append(made)
        elif name in ("APPEND", "APPENDS", "ADDITEMS"):
            self._fill(self.pop(1) if name == "APPEND" else self.pop_mark(), ("list",))
        elif name in ("SETITEM", "SETITEMS"):
            items = self.pop_mark() if name == "SETITEMS" else self.pop(2)
            self.budget.spend("dictionary entries", len(items) // 2, "its pickle needs")
            for key in items[::2]:
                _check_key(key)
            self._fill(items, ("dict", ORDERED))
        elif name == "MARK":
            self.marks.append(len(self.stack))
        elif name in ("BINGET", "LONG_BINGET"):
            if argument not in self.memo:
                raise ValueError("it reads a memo that it did not write")
            value = self.memo[argument]
            if value.at >= 0:
                self._push_text(value.known)
                self.budget.spend("bytes made by calls", len(self.written[-1]), "its pickle needs")
            else:
                self.stack.append(value)
        elif name in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            place = len(self.memo) if name == "MEMOIZE" else argument
            if place >= MAX_MEMO:
                raise ValueError(f"it writes to place {place} of its memo, torch counts from 0")
            (value,) = self.pop(1)
            self.stack.append(value)
            self.memo[place] = value
            if value.at >= 0:
                self.written[-1] = b""
            elif name == "MEMOIZE":
                self.written[-1] = pickle.LONG_BINPUT + struct.pack("<I", place)
        elif name == "BINPERSID":
            (identity,) = self.pop(1)
            self._check_storage(identity)
            self.stack.append(_Value("storage", depth=self._nest([identity])))
        elif name in ("REDUCE", "NEWOBJ"):
            function, arguments = self.pop(2)
            self._call(function, arguments)
        elif name == "BUILD":
            target, state = self.pop(2)
            # a tensor's state would be another storage, of any size; a dict is copied into what is built of it
            if not (state.kind == "dict" and target.kind in (ORDERED, *CONFIG_CLASSES)) and target.kind not in BUILT:
                raise ValueError("it changes something other than a record")
            self.budget.spend("dictionary entries", state.count, "its pickle needs")
            target.depth = max(target.depth, self._nest([state]))
            self.stack.append(target)
        else:
            raise ValueError(f"it uses the operation {name}, which no checkpoint needs")

    def _push_text(self, text: str) -> None:
        """Write a text in place of the last operation.

        Protocol 4 names what it asks for by two texts on the stack, 2 in the operation itself: so that they can be
        taken back, short texts of 4 are in no memo of what is written, but written again.
        """
        value = _Value("text", known=text if len(text) < 64 else None, count=len(text))
        coded = text.encode("utf-8", "surrogatepass")
        self.written[-1] = pickle.BINUNICODE + struct.pack("<I", len(coded)) + coded
        if self.protocol >= 4 and value.known is not None:
            value.at = len(self.written) - 1
        self.stack.append(value)

    def _named_by_texts(self) -> str:
        module, name = self.pop(2)
        if min(module.at, name.at) < 0:
            raise ValueError("it asks for something by other than two short texts")
        self.written[module.at] = self.written[name.at] = b""
        return f"{module.known} {name.known}"

    def _push_name(self, said: str) -> None:
        path = said.replace(" ", ".", 1)
        if path not in ALLOWED:
            raise ValueError(f"it asks for {one_line(repr(path), 80)}, which no weights need")
        self.stack.append(_Value("name", known=path))
        if path in HARMLESS:
            self.written[-1] = pickle.GLOBAL + f"quadlens\n{HARMLESS[path]}\n".encode()
        elif self.protocol >= 4:
            self.written[-1] = pickle.GLOBAL + said.replace(" ", "\n", 1).encode() + b"\n"

    def _fill(self, items: list[_Value], kinds: tuple[str, ...]) -> None:
        (container,) = self.pop(1)
        if container.kind not in kinds:
            raise ValueError(f"it fills something other than a {kinds[0]}")
        container.depth = max(container.depth, self._nest(items))
        container.count += len(items)
        self.stack.append(container)

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
        short = arguments.items is not None and arguments.count <= MAX_ARGUMENTS
        if function.kind != "name" or function.known not in CALLED or arguments.items is None or not short:
            raise ValueError("it calls something other than a known function with a short tuple")
        self.budget.spend("calls", 1, "its pickle needs")
        if function.known == ENCODE and [item.known for item in arguments.items[1:]] != ["latin1"]:
            raise ValueError("it encodes text other than as latin1")
        if function.known == ENCODE:
            self.budget.spend("bytes made by calls", arguments.items[0].count, "its pickle needs")
        if function.known == ORDERED and arguments.items:
            raise ValueError("it makes an OrderedDict of something, torch fills an empty one")
        # a seventh argument would set what torch calls metadata: views that are negated or conjugated when read
        if function.known == REBUILD and len(arguments.items) != 6:
            raise ValueError(f"it rebuilds a tensor from {len(arguments.items)} arguments, torch writes 6")
        kind = FILLED.get(function.known, function.known)
        self.stack.append(_Value(kind, depth=self._nest([arguments]), count=0))


def _check_key(key: _Value) -> None:
    if key.kind == "text" and key.count <= MAX_KEY_LENGTH:
        return
    if key.kind != "integer" or key.known is None or not 0 <= key.known < MAX_KEY:
        raise ValueError("it has a key that is neither short text nor a small integer")


def _encoded(raw: bytes) -> bytes:
    """Return the operations by which protocol 2 makes bytes, which has none of its own for them."""
    module, _, name = ENCODE.partition(".")
    texts = (text.encode() for text in (raw.decode("latin1"), "latin1"))
    pushed = b"".join(pickle.BINUNICODE + struct.pack("<I", len(text)) + text for text in texts)
    return pickle.GLOBAL + f"{module}\n{name}\n".encode() + pushed + pickle.TUPLE2 + pickle.REDUCE


def scan_pickle(content: bytes, storages: Mapping[str, int], budget: Budget) -> tuple[int, bytes]:
    """Return how many numbers the checkpoint holds, and the pickle as torch reads it; refuse one that does what no
    checkpoint of weights needs.

    Raises
    ------
    CheckpointError
        With the reason: a storage of another size than the file holds, a name that is not on the list, nesting deeper
        than ``MAX_DEPTH``, more than the budget allows.
    """
    machine = _Machine(storages, budget)
    # the reader warns of backslashes in names, which the list then refuses
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _scan(machine, content, budget)
    return sum(machine.items.values()), b"".join(machine.written)


def _scan(machine: _Machine, content: bytes, budget: Budget) -> None:
    try:
        before: tuple[str, Any, int] | None = None
        for operation, argument, position in pickletools.genops(content):
            budget.spend("pickle operations", 1, "its pickle needs")
            if before is not None:
                machine.step(*before[:2], content[before[2] : position])
            before = (operation.name, argument, position or 0)
        machine.written.append(pickle.STOP)
    except CheckpointError:
        raise
    except (ValueError, IndexError, UnicodeError, OverflowError) as error:
        raise CheckpointError(f"{budget.where}: its pickle is refused: {one_line(error, 160)}; {REMEDY}") from None
