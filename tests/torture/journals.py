"""What journal files hold, read by journalctl, and where an entry is."""

import json
import re
import struct
import subprocess

# sd_journal_get_cursor(3): sequence and number in it, boot, both times, hash of the fields.
CURSOR = re.compile(r"s=[0-9a-f]+;i=([0-9a-f]+);(b=[0-9a-f]+;m=[0-9a-f]+;t=([0-9a-f]+);x=[0-9a-f]+)")
# Bytes of a mark in PERIPETY_COVERS; the first eight are the hash of the entry's key.
MARK = 24


class BadCursor(ValueError):
    """A text that is no cursor."""


def parts(cursor):
    """The number of an entry in its sequence, its key, and when it was received (µs since the epoch)."""
    found = CURSOR.fullmatch(cursor or "")
    if not found:
        raise BadCursor(cursor)
    # What every copy of the entry has in common: src/journal/position.rs.
    key = ";".join(part.split("=", 1)[1] for part in found[2].split(";"))
    return int(found[1], 16), key, int(found[3], 16)


def fnv(text):
    """The hash FNV-1a of 64 bits (draft-eastlake-fnv)."""
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001b3) & 0xffffffffffffffff
    return value


def marks(stored):
    """The hashes of the keys in a field PERIPETY_COVERS, as journalctl gives it."""
    data = bytes(stored) if isinstance(stored, list) else (stored or "").encode("utf-8", "surrogateescape")
    return [struct.unpack_from("<Q", data, at)[0] for at in range(0, len(data) - MARK + 1, MARK)]


def text(value):
    """A field's value; journalctl gives one that is not printable as a list of bytes, and several as a list."""
    if isinstance(value, list):
        return bytes(value).decode(errors="replace") if all(isinstance(item, int) for item in value) else value[0]
    return value


def entries(path, fields, *matches):
    """The entries of a journal file that fit; of a damaged file those that can be read."""
    # Without any, all would be meant.
    command = ["journalctl", "--quiet", "--all", "--no-pager", "--output=json", f"--output-fields={','.join(fields) or 'PRIORITY'}",
               f"--file={path}", *matches]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as journalctl:
        for line in journalctl.stdout:
            try:
                yield json.loads(line)
            except ValueError:
                pass


def tail_number(data):
    """The number of the last entry of a file that begins with these bytes (systemd's docs/JOURNAL_FILE_FORMAT.md)."""
    return struct.unpack_from("<Q", data, 160)[0] if len(data) >= 168 else 0
