"""The exceptions: one for each code of the library."""

from typing import Optional, Tuple


class PeripetyError(Exception):
    """Why a lookup has no answer. Its text says what was searched and what can be done."""


class NotFoundError(PeripetyError, LookupError):
    """No block device goes by that string."""

    def __init__(self, message: str, device: Optional[str] = None) -> None:
        super().__init__(message)
        #: The string as it was given.
        self.device = device


class AmbiguousError(PeripetyError, LookupError):
    """Several block devices go by that string."""

    def __init__(self, message: str, device: Optional[str] = None, candidates: Tuple[str, ...] = ()) -> None:
        super().__init__(message)
        #: The string as it was given.
        self.device = device
        #: Kernel names of the devices, in natural order.
        self.candidates = candidates


class SourceError(PeripetyError):
    """A file or directory that is needed could not be read."""

    def __init__(self, message: str, path: Optional[str] = None, errno: Optional[int] = None) -> None:
        super().__init__(message)
        #: The path, as seen inside the tree.
        self.path = path
        #: The error number of the operating system, as in the module errno.
        self.errno = errno


class BadTextError(PeripetyError, ValueError):
    """A recorded tree, or JSON, is not in its format."""

    def __init__(self, message: str, line: Optional[int] = None) -> None:
        super().__init__(message)
        #: The number of the line, from 1; 0 where JSON has no line.
        self.line = line


class BadBootIdError(PeripetyError, ValueError):
    """The boot id of the tree is not one."""

    def __init__(self, message: str, path: Optional[str] = None) -> None:
        super().__init__(message)
        #: Where it was read.
        self.path = path


class NoListsError(PeripetyError, LookupError):
    """An archive, directory or file contains no list of block devices."""

    def __init__(self, message: str, path: Optional[str] = None) -> None:
        super().__init__(message)
        #: The archive.
        self.path = path


class MachineError(PeripetyError, LookupError):
    """An archive contains several machines, or not the requested one."""

    def __init__(self, message: str, host: Optional[str] = None, machines: Tuple[str, ...] = ()) -> None:
        super().__init__(message)
        #: The requested machine.
        self.host = host
        #: Those that the archive contains.
        self.machines = machines


class InvalidArgumentError(PeripetyError, ValueError):
    """An argument cannot be: a string with a NUL in it, or one that is not UTF-8."""


class BugError(PeripetyError):
    """There is a bug in the library."""
