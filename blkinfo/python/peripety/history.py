"""Which device had a name at a time in the past?

The message about a lost disk arrives when the disk is gone, and its name may belong to another disk by then. A `History`
is given the devices that appear and disappear, and answers for any time since. It reads nothing by itself. Times are µs
of CLOCK_MONOTONIC::

    before = time.monotonic_ns() // 1000
    blocks = tree.list_all()
    looked = Window(before, time.monotonic_ns() // 1000)
    history = History(tree.boot_id(), looked, blocks)

Then read the kernel's uevents (netlink(7), NETLINK_KOBJECT_UEVENT, group 1), and for each `Uevent` call: for a block
device that appeared or changed, `History.seen` with the result of `Tree.kernel_block` for its name; for one that was
removed, `History.gone`; for a SCSI device that was removed, `History.address_gone`. When the queue is empty, call
`History.advance` with the time before you checked it. If uevents were lost, call `History.resync`.
"""

import weakref
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_bool, c_char_p, c_size_t, c_uint, c_uint64, c_void_p
from dataclasses import dataclass
from enum import Enum
from typing import Any, Callable, Iterable, List, NamedTuple, Optional, Union

from . import _read, _write
from ._errors import BugError
from ._library import change, encoded, function, known, question, string_getter, taken, value_getter
from ._types import BlockInfo, Mount

__all__ = [
    "MAX_ENDED",
    "Absent",
    "Action",
    "Answer",
    "History",
    "Known",
    "Uevent",
    "Uncertain",
    "Window",
]


class Window(NamedTuple):
    """A period within which something happened, in µs of CLOCK_MONOTONIC."""

    #: Its beginning: it had not happened yet.
    after: int
    #: Its end: it had happened.
    by: int


@dataclass(frozen=True)
class Known:
    """This device had the name, as it was last seen."""

    #: Its last known description.
    block: BlockInfo
    #: It still has the name.
    present: bool


@dataclass(frozen=True)
class Uncertain:
    """Something appeared or disappeared around that time."""


@dataclass(frozen=True)
class Absent:
    """No device had the name, as far as the history knows."""


#: Which device had a name at some time.
Answer = Union[Known, Uncertain, Absent]


class _Window(Structure):
    """peripety_window"""

    _fields_ = [("after", c_uint64), ("by", c_uint64)]


_MOST = 2**64


def _time(time: int) -> int:
    """A time for the library, checked: ctypes would truncate larger values."""
    if not 0 <= time < _MOST:
        raise ValueError(f"{time} is not a time: it must be at least 0 and below 2**64")
    return time


def _window(window: "tuple[int, int]") -> _Window:
    after, by = window
    return _Window(_time(after), _time(by))


_new = question("peripety_history_new", c_char_p, _Window, c_void_p)
_from_json = question("peripety_history_from_json", c_char_p)
_to_json = function("peripety_history_to_json", c_void_p, c_void_p)
_free = function("peripety_history_free", None, c_void_p)
_boot_id = string_getter("peripety_history_boot_id")
_complete_until = value_getter("peripety_history_complete_until", c_uint64)
_generation = value_getter("peripety_history_generation", c_uint64)
_len = function("peripety_history_len", c_size_t, c_void_p)
_WHO = (POINTER(c_uint), POINTER(c_bool))
_at = question("peripety_history_at", c_void_p, c_char_p, c_uint64, *_WHO)
_content_at = question("peripety_history_content_at", c_void_p, c_char_p, c_uint64, *_WHO)
_any_at = question("peripety_history_any_at", c_void_p, c_char_p, c_uint64, *_WHO)
_IsSame = CFUNCTYPE(c_bool, c_void_p, c_void_p)
_at_or_look = question(
    "peripety_history_at_or_look", c_void_p, c_char_p, c_uint64, c_uint64, _IsSame, c_void_p, *_WHO
)
_progress = function("peripety_history_progress", c_void_p, c_void_p)
_catch_up = change("peripety_history_catch_up", c_void_p, c_char_p)
_told = change("peripety_history_advance", c_void_p, c_uint64)
_advance_in_part = change("peripety_history_advance_in_part", c_void_p, c_uint64)
_mounts = change("peripety_history_mounts", c_void_p, _Window, c_void_p)
_advance_mounts = change("peripety_history_advance_mounts", c_void_p, c_uint64)
_seen = change("peripety_history_seen", c_void_p, c_void_p, c_uint64)
_refresh = change("peripety_history_refresh", c_void_p, c_void_p)
_gone = change("peripety_history_gone", c_void_p, c_char_p, POINTER(c_uint64), c_uint64)
_address_gone = change("peripety_history_address_gone", c_void_p, c_char_p, c_uint64)
_resync = change("peripety_history_resync", c_void_p, _Window, c_void_p)
_block_free = function("peripety_block_free", None, c_void_p)

#: Maximum number of ended names that are kept: the newest.
MAX_ENDED = int(function("peripety_history_most_ended", c_size_t)())

_UNCERTAIN, _KNOWN = 1, 2


def _answer(ask: Callable[..., Optional[int]], *asked: Any) -> Answer:
    """The answer of the library."""
    who, present = c_uint(), c_bool()
    block = ask(*asked, byref(who), byref(present))
    if who.value == _KNOWN:
        return Known(_write.with_handle(block, _read.block, _block_free), present.value)
    return Uncertain() if who.value == _UNCERTAIN else Absent()


class History:
    """The block devices of one boot over time. It has an internal lock, so threads may use it concurrently."""

    def __init__(self, boot_id: str, looked: "tuple[int, int]", blocks: Iterable[BlockInfo]) -> None:
        """Starts with the devices that `Tree.list_all` found within the period `looked`.

        What happens after the first of these times is given later.
        """
        name, window = encoded(boot_id), _window(looked)
        self._own(_write.with_list(blocks, lambda handle: _new(name, window, handle)))

    def _own(self, handle: Optional[int]) -> None:
        if handle is None:
            raise BugError("libperipety gave no history")
        self._handle = handle
        weakref.finalize(self, _free, handle)

    @classmethod
    def from_json(cls, text: str) -> "History":
        """Continues from a saved history; call `resync` next if it is the same boot. Raises BadTextError."""
        history = cls.__new__(cls)
        history._own(_from_json(encoded(text)))
        return history

    def to_json(self) -> str:
        """The whole history, for saving; peripetyd keeps this in devices.json."""
        return known(taken(_to_json(self._handle)))

    def progress(self) -> str:
        """How far it is complete, as JSON.

        It is small, while all of it (`to_json`) need be saved only when `generation` changed.
        """
        return known(taken(_progress(self._handle)))

    def catch_up(self, progress: str) -> None:
        """Applies the mark to a history that was saved: it is complete up to there, with no other changes.

        Ignored when that is about another generation, where something did. Raises BadTextError.
        """
        _catch_up(self._handle, encoded(progress))

    @property
    def boot_id(self) -> str:
        """The boot that it covers."""
        return known(_boot_id(self._handle))

    @property
    def complete_until(self) -> int:
        """The history is complete up to this time."""
        return int(_complete_until(self._handle))

    @property
    def generation(self) -> int:
        """Increases with every change except those of `progress`: a history saved with it need not be saved again."""
        return int(_generation(self._handle))

    def __len__(self) -> int:
        """The number of devices, present and past."""
        return int(_len(self._handle))

    def __bool__(self) -> bool:
        """True, even if there are no devices."""
        return True

    def at(self, name: str, time: int) -> Answer:
        """Which device had this name at that time?

        A name is what the kernel or journald writes: ``sdb``, ``[sdb]``, ``8:16``, ``b8:16``, ``2:0:0:1``,
        ``+scsi:2:0:0:1``, ``dm-0-8``; a device-mapper name as ``/dev/mapper/NAME``.
        """
        return _answer(_at, self._handle, encoded(name), _time(time))

    def content_at(self, name: str, time: int) -> Answer:
        """The device that the UUID of a file system, or a mount point, referred to at that time.

        Known only when it is the only one, or the one on top of all others, that had it and was there. Where devices
        are mounted is known from `mounts`.
        """
        return _answer(_content_at, self._handle, encoded(name), _time(time))

    def any_at(self, name: str, time: int) -> Answer:
        """Like `at`, also for names that people use: a device-mapper name, a file system UUID, a mount point."""
        return _answer(_any_at, self._handle, encoded(name), _time(time))

    def at_or_look(self, name: str, time: int, now: int, is_same: Callable[[BlockInfo], bool]) -> Answer:
        """Like `at`, for a history that may be incomplete.

        `is_same` looks, after `now`, whether the device that has the name by what was given is still there; then it had
        it up to now. What it raises is raised. It must not change this history.
        """
        failures: List[BaseException] = []

        def look(_user: Any, held: int) -> bool:
            try:
                return bool(is_same(_read.block(held)))
            except BaseException as error:  # None may cross into C.
                failures.append(error)
                return False

        asked = encoded(name), _time(time), _time(now)
        answer = _answer(_at_or_look, self._handle, *asked, _IsSame(look), None)
        for failure in failures:
            raise failure
        return answer

    def advance(self, now: int) -> None:
        """All uevents up to `now` have been passed in: the queue is empty."""
        _told(self._handle, _time(now))

    def advance_in_part(self, now: int) -> None:
        """The queue is empty at `now`, but uevents may have been lost."""
        _advance_in_part(self._handle, _time(now))

    def mounts(self, looked: "tuple[int, int]", table: Iterable[Mount]) -> None:
        """The mount table (`Tree.mounts`) was read within `looked`, after all uevents up to its end were passed in."""
        window = _window(looked)
        _write.with_mounts(table, lambda handle: _mounts(self._handle, window, handle))

    def advance_mounts(self, now: int) -> None:
        """The mount table has not changed up to this time."""
        _advance_mounts(self._handle, _time(now))

    def seen(self, block: BlockInfo, now: int) -> None:
        """A device appeared or changed between `complete_until` and `now`."""
        time = _time(now)
        _write.with_block(block, lambda handle: _seen(self._handle, handle, time))

    def refresh(self, block: BlockInfo) -> None:
        """Updates the properties of a present device, but not its names: for example, after a mount.

        Nothing happens when that device has the name no more.
        """
        _write.with_block(block, lambda handle: _refresh(self._handle, handle))

    def gone(self, kdev: str, diskseq: Optional[int], now: int) -> None:
        """The block device with that kernel name was removed. Its SCSI address stays until `address_gone`.

        With `diskseq` only that disk; nothing happens when the name is another disk's by now.
        """
        disk = None if diskseq is None else byref(c_uint64(_time(diskseq)))
        _gone(self._handle, encoded(kdev), disk, _time(now))

    def address_gone(self, address: str, now: int) -> None:
        """The SCSI device with that address was removed."""
        _address_gone(self._handle, encoded(address), _time(now))

    def resync(self, looked: "tuple[int, int]", blocks: Iterable[BlockInfo]) -> None:
        """Uevents were lost, or not read: these are the devices that are present now.

        What is the same device as before had its name all the time. `looked` is as when a history begins.
        """
        window = _window(looked)
        _write.with_list(blocks, lambda handle: _resync(self._handle, window, handle))


class Action(Enum):
    """The action of a uevent."""

    #: Bind, unbind, online, offline: no effect on names.
    OTHER = 0
    #: The device appeared.
    ADD = 1
    #: The device was removed.
    REMOVE = 2
    #: Its properties changed.
    CHANGE = 3
    #: It was renamed: `Uevent.devpath` is the new one.
    MOVE = 4


_parse = question("peripety_uevent_parse", c_char_p, c_size_t)
_uevent_free = function("peripety_uevent_free", None, c_void_p)
_action = function("peripety_uevent_action", c_uint, c_void_p)


def _kind(handle: int) -> Action:
    number = _action(handle)
    return Action(number) if number < len(Action) else Action.OTHER  # of a later library


_UEVENT = {
    "action": _kind,
    **{
        name: string_getter(f"peripety_uevent_{name}")
        for name in ("devpath", "subsystem", "devpath_old", "name", "old_name")
    },
    "seqnum": value_getter("peripety_uevent_seqnum", c_uint64),
    "diskseq": value_getter("peripety_uevent_diskseq", c_uint64),
}


@dataclass(frozen=True)
class Uevent:
    """A uevent: the kernel's message about a device."""

    #: The action.
    action: Action
    #: The directory below /sys.
    devpath: str
    #: ``block``, ``scsi``, ``nvme`` …
    subsystem: str
    #: The sequence number of the uevent; each is one higher than the last.
    seqnum: int
    #: The sequence number of the disk (Linux 5.15 and later).
    diskseq: Optional[int]
    #: Where it was before a MOVE.
    devpath_old: Optional[str]
    #: The kernel name of the device, with ``/`` instead of ``!``.
    name: str
    #: The name it had before a MOVE.
    old_name: Optional[str]

    @classmethod
    def parse(cls, message: bytes) -> "Optional[Uevent]":
        """Parses a message; None if it is not from the kernel."""
        if not isinstance(message, bytes):
            raise TypeError(f"a message is bytes, not {type(message).__name__}")
        handle = _parse(message, len(message))
        read: Callable[[int], Any] = lambda uevent: {name: get(uevent) for name, get in _UEVENT.items()}
        return None if handle is None else cls(**_write.with_handle(handle, read, _uevent_free))
