"""The C library: where it is, and how its functions are called. peripety.h documents them."""

import ctypes
import os
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_size_t, c_uint, c_uint32, c_void_p
from pathlib import Path as FilePath
from typing import Any, Callable, List, NoReturn, Optional, Tuple, Type, Union

from . import _errors as errors

SONAME = "libperipety.so.0"


def _load() -> ctypes.CDLL:
    """The library in the environment variable PERIPETY_LIBRARY, else the wheel's, else the system's."""
    bundled = FilePath(__file__).resolve().parent / SONAME
    named = os.environ.get("PERIPETY_LIBRARY")
    path = named or (str(bundled) if bundled.exists() else SONAME)
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"the module peripety needs the library {path}: {error}") from error


_LIBRARY = _load()


def function(name: str, result: Optional[Type[Any]], *arguments: Any) -> Callable[..., Any]:
    """A function of the library. Handles are c_void_p."""
    found = getattr(_LIBRARY, name)
    found.restype = result
    found.argtypes = arguments
    return found  # type: ignore[no-any-return]


def encoded(text: str) -> bytes:
    """A string in the encoding of the library."""
    if not isinstance(text, str):
        raise TypeError(f"needed is a str, not {type(text).__name__}")
    if "\0" in text:
        raise errors.InvalidArgumentError("the string holds a NUL")
    try:
        # Bytes that were not UTF-8 (see os.fsdecode) go back to what they were; the library refuses them.
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise errors.InvalidArgumentError(f"the string cannot be written in UTF-8: {error}") from None


def file_name(path: Union[str, bytes, "os.PathLike[Any]"]) -> bytes:
    """A file name in the encoding of the library: any bytes."""
    name = os.fsencode(path)
    if b"\0" in name:
        raise errors.InvalidArgumentError("the file name holds a NUL")
    return name


def text_or_none(text: Optional[bytes]) -> Optional[str]:
    return None if text is None else text.decode("utf-8", "surrogateescape")


def string_getter(name: str) -> Callable[[int], Optional[str]]:
    """A getter of a string that may not be known."""
    get = function(name, c_char_p, c_void_p)
    return lambda handle: text_or_none(get(handle))


def known(text: Optional[str]) -> str:
    """A string that is always known."""
    if text is None:
        raise errors.BugError("libperipety gave no string where there always is one")
    return text


def value_getter(name: str, kind: Type[Any]) -> Callable[[int], Any]:
    """A getter of a number or flag that may not be known."""
    get = function(name, c_bool, c_void_p, POINTER(kind))

    def read(handle: int) -> Any:
        value = kind()
        return value.value if get(handle, byref(value)) else None

    return read


def number_getter(name: str) -> Callable[[int], Optional[Tuple[int, int]]]:
    """A getter of a device number."""
    get = function(name, c_bool, c_void_p, POINTER(c_uint32), POINTER(c_uint32))

    def read(handle: int) -> Optional[Tuple[int, int]]:
        major, minor = c_uint32(), c_uint32()
        return (major.value, minor.value) if get(handle, byref(major), byref(minor)) else None

    return read


def list_getter(count_name: str, element_name: str, result: Type[Any]) -> Callable[[int], List[Any]]:
    """A getter of a list: of handles, or of strings."""
    count = function(count_name, c_size_t, c_void_p)
    element = function(element_name, result, c_void_p, c_size_t)
    return lambda handle: [element(handle, index) for index in range(count(handle))]


def strings_getter(count_name: str, element_name: str) -> Callable[[int], Tuple[str, ...]]:
    """A getter of a list of strings."""
    read = list_getter(count_name, element_name, c_char_p)
    return lambda handle: tuple(known(text_or_none(text)) for text in read(handle))


_string_free = function("peripety_string_free", None, c_void_p)


def taken(pointer: Optional[int]) -> Optional[str]:
    """The string that a function handed over, freed."""
    if not pointer:
        return None
    try:
        return text_or_none(ctypes.string_at(pointer))
    finally:
        _string_free(pointer)


_error_code = function("peripety_error_code", c_uint, c_void_p)
_error_free = function("peripety_error_free", None, c_void_p)
_error_message = string_getter("peripety_error_message")
_error_device = string_getter("peripety_error_device")
_error_path = string_getter("peripety_error_path")
_error_line = value_getter("peripety_error_line", c_size_t)
_error_errno = value_getter("peripety_error_errno", c_int)
_error_candidates = strings_getter("peripety_error_candidate_count", "peripety_error_candidate")


def _exception(error: int) -> errors.PeripetyError:
    """The exception for an error of the library."""
    message = _error_message(error) or ""
    code = _error_code(error)
    if code == 1:
        return errors.NotFoundError(message, _error_device(error))
    if code == 2:
        return errors.AmbiguousError(message, _error_device(error), _error_candidates(error))
    if code == 3:
        return errors.SourceError(message, _error_path(error), _error_errno(error))
    if code == 4:
        return errors.BadTextError(message, _error_line(error))
    if code == 5:
        return errors.BadBootIdError(message, _error_path(error))
    if code == 6:
        return errors.InvalidArgumentError(message)
    if code == 8:
        return errors.NoListsError(message, _error_path(error))
    if code == 9:
        return errors.MachineError(message, _error_device(error), _error_candidates(error))
    return errors.BugError(message)


def question(name: str, *arguments: Any) -> Callable[..., Optional[int]]:
    """A function that can fail: returns the pointer that it answers with, or raises."""
    call = function(name, c_uint, *arguments, POINTER(c_void_p), POINTER(c_void_p))

    def ask(*given: Any) -> Optional[int]:
        answer, error = c_void_p(), c_void_p()
        if call(*given, byref(answer), byref(error)) != 0:
            _fail(error)
        return answer.value

    return ask


def change(name: str, *arguments: Any) -> Callable[..., None]:
    """A function that can fail, and answers nothing."""
    call = function(name, c_uint, *arguments, POINTER(c_void_p))

    def make(*given: Any) -> None:
        error = c_void_p()
        if call(*given, byref(error)) != 0:
            _fail(error)

    return make


def _fail(error: c_void_p) -> NoReturn:
    """Raises the exception for an error of the library, and frees the error."""
    if error.value is None:
        raise errors.BugError("libperipety failed without an error")
    try:
        raise _exception(error.value)
    finally:
        _error_free(error)


_version = function("peripety_version", c_char_p)
_natural_cmp = function("peripety_natural_cmp", c_int, c_char_p, c_char_p)
_dev_number_parse = function(
    "peripety_dev_number_parse", c_bool, c_char_p, POINTER(c_uint32), POINTER(c_uint32)
)
_recorded_to_text = question("peripety_recorded_to_text", c_char_p)


def library_version() -> str:
    """The version of the C library that is in use."""
    return known(text_or_none(_version()))


def natural_cmp(a: str, b: str) -> int:
    """The natural order of kernel names (``sda2`` before ``sda10``): -1, 0 or 1. See functools.cmp_to_key."""
    return int(_natural_cmp(encoded(a), encoded(b)))


def parse_dev_number(text: str) -> Optional[Tuple[int, int]]:
    major, minor = c_uint32(), c_uint32()
    found = _dev_number_parse(encoded(text), byref(major), byref(minor))
    return (major.value, minor.value) if found else None


def recorded_to_text(text: str) -> str:
    """Reads a recorded tree and writes it again: sorted, each entry once."""
    return known(taken(_recorded_to_text(encoded(text))))
