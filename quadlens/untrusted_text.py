"""Text that comes from a file is data: what could act on a terminal is escaped before it is shown."""

import os
import shlex
import unicodedata
from collections.abc import Iterable

# Cc control, Cf format (bidi overrides, zero width), Cs surrogate, Co private use, Cn unassigned; Zl, Zp separators
_ACTIVE = ("C", "Zl", "Zp")


def is_plain(text: str) -> bool:
    """Say whether every character of ``text`` only shows itself: no control, format, surrogate or line separator."""
    return not any(unicodedata.category(character).startswith(_ACTIVE) for character in text)


def printable(text: str) -> str:
    """Return ``text`` with what could act on a terminal escaped; its line breaks stay."""
    if is_plain(text.replace("\n", "")):
        return text
    return "\n".join(map(_escaped, text.split("\n")))


def shell_command(words: Iterable[str]) -> str:
    r"""Return the words as a command line to be copied into a shell, on one harmless line.

    >>> shell_command(["quadlens", "fit", "a b.pt", "red\x1b[31m.pt"])
    "quadlens fit 'a b.pt' $'red\\x1b[31m.pt'"
    """
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if is_plain(word):
        return shlex.quote(word)
    shell = {"\\": "\\\\", "'": "\\'"}
    # byte by byte: a file's name need not be text at all
    escaped = (
        shell.get(c, c) if is_plain(c) else "".join(f"\\x{byte:02x}" for byte in os.fsencode(c)) for c in word
    )
    return f"$'{''.join(escaped)}'"


def shown(value: object, limit: int = 60) -> str:
    """Return a plain value as it is written, and of anything else only its type.

    A structure from a file may hold itself many times over, so that writing it out would never end.
    """
    if value is None or type(value) in (bool, int, float, str):
        return one_line(repr(value), limit)
    return f"a value of type {type(value).__name__}"


def one_line(text: object, limit: int = 120) -> str:
    r"""Return ``text`` as one harmless line: what could act on a terminal escaped, the middle of a long text cut.

    >>> one_line("red \x1b[31m\n")
    'red \\x1b[31m\\n'
    """
    given = str(text)
    if len(given) > limit:
        half = (limit - 1) // 2
        given = f"{given[:half]}…{given[-half:]}"
    return _escaped(given)


def _escaped(text: str) -> str:
    return "".join(
        character if is_plain(character) else character.encode("unicode_escape").decode("ascii") for character in text
    )
