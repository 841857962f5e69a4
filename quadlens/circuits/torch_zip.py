"""A torch checkpoint is a zip file: its directory is inspected, and rebuilt clean, before torch sees a byte of it.

torch refuses code in a checkpoint (``weights_only``) but not a bomb: deflated entries, two entries of one name (the
later wins), directories that disagree with what two parsers see. What is handed on is a new zip of exactly the entries
read here.
"""

import io
import re
import zipfile

from quadlens.circuits.limits import Limits
from quadlens.errors import CheckpointError
from quadlens.untrusted_text import one_line

MAX_ENTRIES = 10_000
MAX_PICKLE = 2**24
_END_OF_DIRECTORY = b"PK\x05\x06"
_ENTRY = re.compile(
    r"data\.pkl|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id|data/[0-9]{1,9}",
    re.ASCII,
)


def looks_like_zip(content: bytes) -> bool:
    """Say whether the content starts as a zip file does."""
    return content[:4] == b"PK\x03\x04"


def clean_archive(content: bytes, where: str, limits: Limits) -> tuple[io.BytesIO, bytes, dict[str, int]]:
    """Return a rebuilt archive of the checkpoint's entries, the pickle in it, and the bytes of each storage by name.

    Raises
    ------
    CheckpointError
        If an entry is compressed, encrypted, repeated, damaged, oddly named or outside the one folder of a checkpoint,
        or there are too many.
    """
    # the count is read before the directory is parsed, which takes time and memory for each entry
    end = content.rfind(_END_OF_DIRECTORY)
    if end >= 0 and end + 12 <= len(content):
        count = int.from_bytes(content[end + 10 : end + 12], "little")
        if count > MAX_ENTRIES:
            raise CheckpointError(f"{where} holds {count} or more zip entries; at most {MAX_ENTRIES} are read")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = _checked_entries(archive, where, limits)
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


def _checked_entries(archive: zipfile.ZipFile, where: str, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    listed = archive.infolist()
    if len(listed) > MAX_ENTRIES:
        raise CheckpointError(f"{where} holds {len(listed)} zip entries; at most {MAX_ENTRIES} are read")
    entries: dict[str, zipfile.ZipInfo] = {}
    folders = set()
    total = 0
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
        total += entry.file_size
        entries[name] = entry
    if "data.pkl" not in entries or len(folders) != 1:
        raise CheckpointError(f"{where} is a zip file but no torch checkpoint: it needs one folder with data.pkl in it")
    if total > limits.max_bytes:
        raise CheckpointError(f"{where}: its zip entries hold {total} bytes, more than the limit of {limits.max_bytes}")
    if entries["data.pkl"].file_size > MAX_PICKLE:
        raise CheckpointError(f"{where}: data.pkl has more than {MAX_PICKLE} bytes")
    return entries
