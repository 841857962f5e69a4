"""What is said beside a network's tensors, and by whom: a convention is found where it is written, or asked for.

Nothing is a default in silence. The user's word comes first, then the configuration beside the file, then the file's
own; what is used is recorded with where it was said, and what the others say.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quadlens.activations import ACTIVATIONS, activation_named
from quadlens.circuits.provenance import ADDITION, LeftOut, Provenance
from quadlens.circuits.readers.config import activation_from
from quadlens.errors import CheckpointError, UnsupportedModelError
from quadlens.untrusted_text import one_line, shown

_LAMBDA = re.compile(r"lambdax:\(?x\[0\]([+-])x\[1\]\)?%([0-9]{1,7}|p|P)", re.ASCII)
_ADD = ("add", "addition", "plus", "a + b", "a+b")
_SUBTRACT = ("subtract", "subtraction", "minus", "sub", "a - b", "a-b")
SUBTRACTION = "a - b"
UNSAID_TASK = f"the task is {ADDITION}: nothing beside the tensors says it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is said beside a file.

    Parameters
    ----------
    config : a configuration's keys, from a file beside the checkpoint or given by the user; None where there is none
    label : how messages and the record call that configuration
    activation : the name in quadlens that the user gave, or None
    folder : the name of the folder that the file really lies in, or None
    task : the task that the user gave, or None
    """

    config: Mapping[str, Any] | None = None
    label: str = "the config"
    activation: str | None = None
    folder: str | None = None
    task: str | None = None

    def __post_init__(self) -> None:
        if self.activation is not None:
            activation_named(self.activation)


Candidates = Sequence[tuple[Any, str]]
"""What was said and where, the one that counts most first; None where nothing was said there."""


@dataclass(slots=True, kw_only=True)
class Record:
    """Collects what a reader finds said, and what it has to assume."""

    where: str
    wanted: str | None = None
    said: dict[str, str] = field(default_factory=dict)
    assumed: list[str] = field(default_factory=list)
    task_said: str = ADDITION

    def choose(self, name: str, candidates: Candidates) -> Any:
        """Return the first value that was said, and note it; None where nothing was."""
        given = [(value, origin) for value, origin in candidates if value is not None]
        if not given:
            return None
        value, origin = given[0]
        other = next(((other, who) for other, who in given[1:] if other != value), None)
        against = "" if other is None else f"; {other[1]} says {one_line(other[0], 40)}"
        self.said[name] = f"{one_line(value, 40)}, by {one_line(origin, 120)}{against}"
        return value

    def activation(self, settings: Settings, said: Candidates, names: Mapping[str, str]) -> str:
        """Return the activation in quadlens' name.

        Raises
        ------
        CheckpointError
            If nobody says it: the user is asked.
        """
        given = [(value, origin) for value, origin in said if value is not None]
        if given and settings.activation is None:
            activation_from(shown(given[0][0]) if not isinstance(given[0][0], str) else given[0][0], names, self.where)
        known = [(names.get(value, value) if isinstance(value, str) else value, origin) for value, origin in given]
        chosen = self.choose("activation", [(settings.activation, "the user"), *known])
        if chosen is None:
            raise CheckpointError(
                f"{self.where} does not say its activation; give it with --activation (in Python activation=),"
                f" one of {', '.join(ACTIVATIONS)}"
            )
        return str(chosen)

    def task(self, said: Candidates, p: int) -> None:
        """Note the task that was said, or that nobody said it; refuse what is not ``a + b``, or the user's ``a - b``.

        Raises
        ------
        UnsupportedModelError
            Naming the task that was said.
        """
        given = [(value, origin) for value, origin in said if value is not None]
        tasks = []
        for value, _ in given:
            written = _LAMBDA.fullmatch("".join(value.split())) if isinstance(value, str) else None
            sums = value in _ADD or (written is not None and written[1] == "+")
            if written is not None and written[2] not in ("p", "P") and int(written[2]) != p:
                written = None
            if value not in (*_ADD, *_SUBTRACT) and written is None:
                raise UnsupportedModelError(
                    f"{self.where} was trained on {shown(value)}; only s·a + t·b mod p (here p = {p}) is analysed"
                )
            if not sums and self.wanted is None:
                raise UnsupportedModelError(
                    f"{self.where} was trained on {shown(value)}; to analyse it as that, say --task 'a - b' (task= in"
                    " Python)"
                )
            tasks.append(ADDITION if sums else SUBTRACTION)
        if len(set(tasks)) > 1:
            raise CheckpointError(f"{self.where}: its configurations say two tasks, {' and '.join(sorted(set(tasks)))}")
        if tasks:
            self.task_said = tasks[0]
            self.said["task"] = f"{tasks[0]}, by {one_line(given[0][1], 120)}"
        else:
            self.assumed.append(UNSAID_TASK)

    def shape_flags(self, fields: Mapping[str, Any], names: Sequence[str], label: str) -> None:
        """Note flags that decide how tokens are counted: said, or taken to be false because the sizes then fit."""
        for name in names:
            if name in fields:
                self.said[name] = f"{fields[name]}, by {label}"
            else:
                self.assumed.append(f"{name} is false: nothing says it, and the sizes fit")

    def provenance(self, *, left_out: tuple[str, ...] = ()) -> Provenance:
        """Return the record; the outputs ``left_out`` are named, and not measured yet."""
        return Provenance(
            said=self.said,
            assumed=tuple(self.assumed),
            task=self.task_said,
            left_out=LeftOut(names=left_out) if left_out else None,
        )
