"""Builds the wheel of the module peripety, with nothing but the standard library.

A build backend for pip (PEP 517), and a program:

    python3 wheel_builder.py --output DIR [--library libperipety.so]

With a library, the wheel bundles it and is for this platform; without, it is for any
and takes the system's libperipety.so.0. For pip, the library is what the environment
variable PERIPETY_LIBRARY names, else the release build in the source tree, else none.

A wheel is a zip file: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import re
import sysconfig
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

HERE = Path(__file__).resolve().parent
NAME = "peripety"
# The earliest time that a zip file can hold: the same sources give the same wheel.
EPOCH = (1980, 1, 1, 0, 0, 0)


def version() -> str:
    """The version that the module says it has."""
    text = (HERE / NAME / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise RuntimeError("peripety/__init__.py has no __version__")
    return found.group(1)


def platform_tag(library: Optional[bytes]) -> str:
    """``manylinux_2_34_x86_64``: the oldest glibc that has all symbols the library wants (PEP 600)."""
    if library is None:
        return "any"
    machine = sysconfig.get_platform().split("-")[-1].replace(".", "_")
    wanted = [(int(a), int(b)) for a, b in re.findall(rb"GLIBC_(\d+)\.(\d+)", library)]
    if not wanted:
        return f"linux_{machine}"
    major, minor = max(wanted)
    return f"manylinux_{major}_{minor}_{machine}"


def metadata() -> bytes:
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {NAME}",
        f"Version: {version()}",
        "Summary: What block device is this?",
        "License-Expression: MIT OR Apache-2.0",
        "Requires-Python: >=3.9",
    ]
    return ("\n".join(lines) + "\n").encode()


def write_wheel(output: Path, library: Optional[Path]) -> Path:
    """Writes the wheel into a directory and returns its path."""
    content = None if library is None else library.read_bytes()
    tag = f"py3-none-{platform_tag(content)}"
    info = f"{NAME}-{version()}.dist-info"
    pure = "true" if content is None else "false"
    wheel = f"Wheel-Version: 1.0\nGenerator: wheel_builder\nRoot-Is-Purelib: {pure}\nTag: {tag}\n"
    files: List[Tuple[str, bytes]] = [(f"{NAME}/{path.name}", path.read_bytes()) for path in sorted(modules())]
    if content is not None:
        files.append((f"{NAME}/libperipety.so.0", content))
    files += [(f"{info}/METADATA", metadata()), (f"{info}/WHEEL", wheel.encode())]
    files.append((f"{info}/RECORD", record(files, f"{info}/RECORD")))
    target = output / f"{NAME}-{version()}-{tag}.whl"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = (0o755 if name.endswith(".so.0") else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return target


def record(files: List[Tuple[str, bytes]], own_name: str) -> bytes:
    """The list of files with their digests; its own line has none."""
    lines = []
    for name, data in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}")
    return ("\n".join([*lines, f"{own_name},,"]) + "\n").encode()


def default_library() -> Optional[Path]:
    named = os.environ.get("PERIPETY_LIBRARY")
    if named:
        return Path(named)
    built = HERE.parent.parent / "target" / "release" / "libperipety.so"
    return built if built.exists() else None


def build_wheel(
    wheel_directory: str, config_settings: Optional[Dict[str, Any]] = None, metadata_directory: Optional[str] = None
) -> str:
    """What pip calls."""
    return write_wheel(Path(wheel_directory), default_library()).name


def build_sdist(sdist_directory: str, config_settings: Optional[Dict[str, Any]] = None) -> str:
    """What ``pip download`` and ``build`` call. The library is not in it."""
    directory = f"{NAME}-{version()}"
    target = Path(sdist_directory) / f"{directory}.tar.gz"
    with tarfile.open(target, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for path in ["pyproject.toml", "wheel_builder.py", *sorted(f"{NAME}/{p.name}" for p in modules())]:
            archive.add(HERE / path, f"{directory}/{path}")
    return target.name


def modules() -> List[Path]:
    return [path for path in (HERE / NAME).iterdir() if path.suffix == ".py" or path.name == "py.typed"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds the wheel of the module peripety.")
    parser.add_argument("--output", type=Path, required=True, help="the directory for it")
    parser.add_argument("--library", type=Path, help="the libperipety.so that it bundles")
    arguments = parser.parse_args()
    print(write_wheel(arguments.output, arguments.library))


if __name__ == "__main__":
    main()
