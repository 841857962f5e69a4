"""A torch checkpoint is a zip file: its directory is inspected, and rebuilt clean, before torch sees a byte of it.

torch refuses code in a checkpoint (``weights_only``) but not a bomb: deflated entries, two entries of one name (the
later wins), directories that disagree with what two parsers see. What is handed on is a new zip of exactly the entries
read here.
"""

import io
import re
import zipfile

from quadlens.circuits.limits import Budget
from quadlens.errors import CheckpointError
from quadlens.untrusted_text import one_line

_ENTRY = re.compile(
    r"data\.pkl|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id|data/[0-9]{1,9}",
    re.ASCII,
)


def looks_like_zip(content: bytes) -> bool:
    """Say whether the content starts as a zip file does."""
    return content[:4] == b"PK\x03\x04"


class Directory(io.BytesIO):
    """The file's bytes; what the parser takes of them is spent, until it has read the directory.

    It takes time and memory for each entry, and the end record may say that there are fewer than there are.
    """

    def __init__(self, content: bytes, budget: Budget) -> None:
        super().__init__(content)
        self.budget: Budget | None = budget
        self.size = len(content)

    def read(self, size: int | None = -1) -> bytes:
        if self.budget is not None:
            left = self.size - self.tell()
            taken = left if size is None or size < 0 else min(size, left)
            self.budget.spend("bytes of zip directory", max(taken, 0), "the list of its entries needs")
        return super().read(size)


def clean_archive(content: bytes, budget: Budget) -> tuple[io.BytesIO, bytes, dict[str, int]]:
    """Return a rebuilt archive of the checkpoint's entries, the pickle in it, and the bytes of each storage by name.

    Raises
    ------
    CheckpointError
        If an entry is compressed, encrypted, repeated, damaged, oddly named or outside the one folder of a checkpoint,
        or there are too many.
    """
    where, directory = budget.where, Directory(content, budget)
    try:
        with zipfile.ZipFile(directory) as archive:
            directory.budget = None
            entries = _checked_entries(archive, budget)
            rebuilt = io.BytesIO()
            pickle = b""
            with zipfile.ZipFile(rebuilt, "w", zipfile.ZIP_STORED) as clean:
                for name, entry in entries.items():
                    data = archive.read(entry)  # compares the checksum
                    if len(data) != entry.file_size:
                        raise CheckpointError(f"{where}: zip entry {name} is cut short")
                    if name == "data.pkl":
                        pickle = data
                    # a fixed folder and date: nothing of the file's own directory is handed on
                    clean.writestr(zipfile.ZipInfo(f"archive/{name}"), data)
    except CheckpointError:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise CheckpointError(f"{where} is a damaged zip file: {one_line(error)}") from None
    except Exception as error:  # the zip parser raises struct.error, RuntimeError and others on damaged directories
        raise CheckpointError(f"{where} is a damaged zip file: {type(error).__name__} {one_line(error)}") from None
    rebuilt.seek(0)
    storages = {name.removeprefix("data/"): entry.file_size for name, entry in entries.items() if name[:5] == "data/"}
    return rebuilt, pickle, storages


def _checked_entries(archive: zipfile.ZipFile, budget: Budget) -> dict[str, zipfile.ZipInfo]:
    where, listed = budget.where, archive.infolist()
    budget.spend("zip entries", len(listed), "it has")
    entries: dict[str, zipfile.ZipInfo] = {}
    folders = set()
    for entry in listed:
        # what the directory says is what is compared: ``filename`` is cut at a null character
        folder, _, name = entry.orig_filename.partition("/")
        shown = one_line(repr(entry.orig_filename), 80)
        if not _ENTRY.fullmatch(name):
            raise CheckpointError(f"{where}: zip entry {shown} does not belong in a torch checkpoint")
        if name in entries:
            raise CheckpointError(
                f"{where} has two zip entries {shown}: one hides the other, save the checkpoint again"
            )
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise CheckpointError(
                f"{where}: zip entry {shown} is compressed; torch stores entries plain, save it again"
            )
        if entry.flag_bits & 0x1:
            raise CheckpointError(f"{where}: zip entry {shown} is encrypted")
        folders.add(folder)
        # entries may lie over each other, so that each is long and the file is not
        budget.spend("bytes of zip content", entry.file_size, "its zip entries hold")
        entries[name] = entry
    if "data.pkl" not in entries or len(folders) != 1:
        raise CheckpointError(f"{where} is a zip file but no torch checkpoint: it needs one folder with data.pkl in it")
    budget.spend("bytes of pickle", entries["data.pkl"].file_size, "data.pkl has")
    return entries


def with_pickle(archive: io.BytesIO, pickle: bytes) -> io.BytesIO:
    """Return a clean archive with another pickle in it."""
    changed = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_STORED) as new:
        for entry in old.infolist():
            content = pickle if entry.filename == "archive/data.pkl" else old.read(entry)
            new.writestr(zipfile.ZipInfo(entry.filename), content)
    changed.seek(0)
    return changed
