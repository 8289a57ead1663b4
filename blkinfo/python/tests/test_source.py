"""Trees that a Python object reads."""

import errno
import gc
import os
import weakref

import pytest
from conftest import FIXTURES

import peripety

MOUNTS = "/proc/self/mountinfo"


class Disk:
    """A made-up disk. What `failure` is set to is raised when the mount table is read."""

    files = {
        "/sys/devices/x/block/sdx/size": b"2048\n",
        "/sys/devices/x/block/sdx/dev": "8:368\n",
    }
    links = {"/sys/class/block/sdx": "../../devices/x/block/sdx"}
    directories = {"/sys/class/block": ["sdx"], "/sys/devices/x/block/sdx": [b"dev", "size"]}
    failure = None

    def read(self, path):
        if path == MOUNTS and self.failure is not None:
            raise self.failure
        if path in self.files:
            return self.files[path]
        raise FileNotFoundError(path)

    def read_link(self, path):
        if path in self.links:
            return self.links[path]
        raise OSError(errno.EINVAL, "not a link", path)

    def read_dir(self, path):
        if path in self.directories:
            return iter(self.directories[path])
        raise NotADirectoryError(errno.ENOTDIR, "not a directory", path)


def test_a_disk():
    tree = peripety.Tree.new(Disk())
    (block,) = tree.list()
    assert (block.kdev, block.size_bytes, block.major_minor) == ("sdx", 1048576, (8, 368))
    assert tree.block("sdx") == block and not tree.is_live
    with pytest.raises(peripety.NotFoundError):
        tree.block("sdy")


@pytest.mark.parametrize(
    "failure, number",
    [
        (FileNotFoundError("by its name alone"), errno.ENOENT),
        (PermissionError(), errno.EACCES),
        (OSError(errno.ENOSPC, "odd"), errno.ENOSPC),
        (OSError("without a number"), errno.EIO),
        (OSError(0, "zero is success"), errno.EIO),
    ],
)
def test_what_the_system_says(failure, number, caplog):
    disk = Disk()
    disk.failure = failure
    with pytest.raises(peripety.SourceError) as caught:
        peripety.Tree.new(disk).mounts()
    assert (caught.value.errno, caught.value.path) == (number, MOUNTS)
    assert not caplog.records


@pytest.mark.parametrize("failure", [KeyError("a mistake"), RecursionError(), SystemExit(3), KeyboardInterrupt()])
def test_a_mistake_of_the_source_is_an_io_error(failure, caplog):
    disk = Disk()
    disk.failure = failure
    tree = peripety.Tree.new(disk)
    with pytest.raises(peripety.SourceError) as caught:
        tree.mounts()
    assert caught.value.errno == errno.EIO
    assert [record.exc_info[1] for record in caplog.records] == [failure]
    disk.failure = None
    assert tree.block("sdx").kdev == "sdx", "it goes on"


@pytest.mark.parametrize("content", [None, 5, ["x"], object()])
def test_an_answer_of_the_wrong_type(content, caplog):
    disk = Disk()
    disk.files = {MOUNTS: content}
    with pytest.raises(peripety.SourceError):
        peripety.Tree.new(disk).mounts()
    assert "TypeError" in caplog.text


def test_an_object_without_methods():
    assert peripety.Tree.new(object()).mount_of((8, 0)) == []


class Directory:
    """The tree below a directory, read by Python. Every path that the library asks for has its links followed inside."""

    def __init__(self, root):
        self.root = root

    def read(self, path):
        with open(self.root + path, "rb") as file:
            return file.read()

    def read_link(self, path):
        return os.readlink(self.root + path)

    def read_dir(self, path):
        return os.listdir(self.root + path)


def unpack(case, root):
    """Files and directories of a recorded tree, and its relative links."""
    lines = peripety.recorded_to_text((FIXTURES / case / "tree.txt").read_text(encoding="utf-8")).splitlines()
    for line in lines[1:]:
        if line.startswith("\t"):
            continue
        path, arrow, target = line.partition(" -> ")
        place = root + (path if arrow else line.partition(" =")[0])
        if line.endswith("/"):
            os.makedirs(place, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if arrow:
            os.symlink(target, place)
        else:
            with open(place, "w", encoding="utf-8") as file:
                file.write(line.partition(" =")[2].lstrip())


def test_as_the_library_reads_a_directory(tmp_path):
    unpack("nvme-loop", str(tmp_path))
    by_library = peripety.Tree.directory(tmp_path).list()
    assert len(by_library) > 1
    assert peripety.Tree.new(Directory(str(tmp_path))).list() == by_library


def test_the_source_lives_as_long_as_the_tree():
    disk = Disk()
    alive = weakref.ref(disk)
    tree = peripety.Tree.new(disk)
    del disk
    gc.collect()
    assert alive() is not None and tree.block("sdx").kdev == "sdx"
    del tree
    gc.collect()
    assert alive() is None
