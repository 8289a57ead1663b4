"""Trees that a Python object reads: the functions that the library calls back."""

import errno
import logging
import os
from ctypes import CFUNCTYPE, POINTER, Structure, c_bool, c_char_p, c_int, c_size_t, c_void_p
from typing import Any, Callable, Iterable, Optional, Protocol, Tuple, Union

from ._library import function, question

LOGGER = logging.getLogger("peripety")

FileName = Union[str, bytes, "os.PathLike[str]"]


class Source(Protocol):
    """A machine's files, read by an object of your own. Its methods are called with absolute paths.

    A method that cannot answer raises an OSError such as ``FileNotFoundError``; the library takes it as a file system's
    answer. Any other exception is logged (logger ``peripety``) and counts as an I/O error, ``errno.EIO``.

    The methods are called in the thread that asks the tree, and by several at once when several ask.
    """

    def read(self, path: str) -> Union[bytes, str]:
        """The content of a regular file."""

    def read_link(self, path: str) -> FileName:
        """The target of a symbolic link, as it is written there; an OSError when the path is no link."""

    def read_dir(self, path: str) -> Iterable[FileName]:
        """The names in a directory, in any order."""


_Reader = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p)


class _Table(Structure):
    """peripety_source. A function that is NULL is none."""

    _fields_ = [
        ("user", c_void_p),
        ("read", _Reader),
        ("read_link", _Reader),
        ("read_dir", _Reader),
        ("free", c_void_p),
    ]


_answer_add = function("peripety_answer_add", c_bool, c_void_p, c_char_p, c_size_t)
_tree_new = question("peripety_tree_new", POINTER(_Table))

#: What an OSError without a number means, as one is that a program raised by its name.
_NUMBERS = {
    FileNotFoundError: errno.ENOENT,
    PermissionError: errno.EACCES,
    NotADirectoryError: errno.ENOTDIR,
    IsADirectoryError: errno.EISDIR,
    TimeoutError: errno.ETIMEDOUT,
}


def _number(error: BaseException) -> int:
    """The errno that an exception means; never 0, which is success."""
    if not isinstance(error, OSError):
        LOGGER.error("a method of the source of a device tree failed", exc_info=error)
        return errno.EIO
    named = (number for kind, number in _NUMBERS.items() if isinstance(error, kind))
    return error.errno or next(named, errno.EIO)


def _content(data: Union[bytes, str]) -> bytes:
    """The bytes of a file. bytes(5), say, would make some of anything."""
    if isinstance(data, (bytes, bytearray, memoryview, str)):
        return os.fsencode(data) if isinstance(data, str) else bytes(data)
    raise TypeError(f"the content of a file is bytes, not {type(data).__name__}")


def _reader(pieces: Callable[[str], Iterable[bytes]]) -> Any:
    """A function of the library's source that adds these pieces to its answer."""

    def call(_user: Any, path: bytes, answer: int) -> int:
        try:
            for piece in pieces(os.fsdecode(path)):
                _answer_add(answer, piece, len(piece))
            return 0
        except BaseException as error:  # None may cross into C.
            return _number(error)

    return _Reader(call)


def tree_of(source: Source) -> Tuple[Optional[int], Any]:
    """A tree that an object reads, and what must be kept as long as the tree."""
    table = _Table(
        read=_reader(lambda path: [_content(source.read(path))]),
        read_link=_reader(lambda path: [os.fsencode(source.read_link(path))]),
        read_dir=_reader(lambda path: map(os.fsencode, source.read_dir(path))),
    )
    return _tree_new(table), table
