"""What is said of files that cannot be read: damage only where bytes are wrong, and otherwise the truth."""

from __future__ import annotations

import errno
import json
import resource
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from talker.api import commands
from talker.cli import main
from talker.core.errors import BadInput, OutOfMemory, mendable
from talker.core.files import holds_tensors, load_tensors
from talker.core.records import json_text, parse_record, read_record
from talker.projects.stage_records import Manifest
from tests.cli.conftest import place as place
from tests.cli.conftest import project as project
from tests.cli.console import refused


@contextmanager
def address_space(spare_bytes: int) -> Iterator[None]:
    """As `ulimit -v` sets it, with so much to spare."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + spare_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.fixture
def large(tmp_path) -> Path:
    """A healthy file of four GiB, of which the disk holds a hundred bytes."""
    header = json.dumps({"a": {"dtype": "F32", "shape": [1 << 30], "data_offsets": [0, 4 << 30]}}).encode()
    path = tmp_path / "large.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + (4 << 30))
    return path


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="a process's memory is limited so on Linux alone")
def test_a_healthy_file_that_does_not_fit_into_memory_is_not_damaged(large):
    with address_space(256 << 20), pytest.raises(OutOfMemory, match=r"not enough memory.*smaller --size"):
        load_tensors(large)
    assert holds_tensors(large)


def test_a_file_that_is_cut_off_or_changed_is_damaged(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(8)}, path)
    whole = path.read_bytes()
    length = 8 + int.from_bytes(whole[:8], "little")
    wrong = [b"", whole[:4], whole[:-1], whole + b"x", b"\xff" * 8 + whole[8:], whole[:8] + b"[" * 40 + whole[48:]]
    wrong += [whole.replace(b"[0,32]", b"[0,99]"), whole.replace(b'"a"', b"nil"), whole[:length].replace(b"32", b"-1")]
    for data in wrong:
        path.write_bytes(data)
        assert not holds_tensors(path)
        with pytest.raises(BadInput, match="is damaged; restore it, or remove"):
            load_tensors(path)
    path.write_bytes(whole)
    assert torch.equal(load_tensors(path)["a"], torch.ones(8))


def lacks() -> Iterator[BaseException]:
    """What is raised where there is no memory, by whoever raises it."""
    yield MemoryError()
    yield OSError(errno.ENOMEM, "Cannot allocate memory")
    yield torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
    yield RuntimeError("can't start new thread")
    yield ImportError("libtorch_cpu.so: failed to map segment from shared object")
    for ask in (
        lambda: torch.empty(1 << 60),
        lambda: np.empty(1 << 50),
        lambda: cv2.resize(np.zeros((9, 9)), (30_000,) * 2),
    ):
        with address_space(256 << 20):
            try:
                ask()
            except Exception as error:
                yield error


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="a process's memory is limited so on Linux alone")
def test_a_lack_of_memory_is_told_whoever_meets_it(project, capsys, monkeypatch):
    found = list(lacks())
    assert len(found) == 8
    for error in found:
        assert isinstance(mendable(error), OutOfMemory), error

        def fail(*_: object, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(commands, "info", fail)
        assert "close other programs" in refused(capsys, "info")


def test_what_the_system_refuses_is_told_with_the_file():
    for number in (errno.EACCES, errno.EROFS, errno.ELOOP, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG):
        assert "a.png" in str(mendable(OSError(number, "no", "a.png")))
    assert mendable(ValueError("a bug")) is None and mendable(FileNotFoundError()) is None


def test_a_manifest_that_is_lost_comes_back(project, capsys):
    """It repeats what the stages say: nothing else has to go for it."""
    manifest = project.path("project.json")
    before = json.loads(manifest.read_text())
    manifest.write_text("{")
    said = refused(capsys, "info")
    assert f"remove {manifest} and make it again with talker fit VIDEO -o {project.root}" in said
    manifest.unlink()
    commands.Project.create(project.root)
    assert json.loads(manifest.read_text()) == before and main(["info"]) == 0


def test_what_is_written_is_read_by_anybody(tmp_path):
    value = {"b\udcfc": float("inf"), "a": [float("nan"), 1.5], "path": Path("v\udcfc"), "pair": (1, 2), "ü": "\ud800"}
    text = json_text(value)
    assert json.loads(text) == {"b\\xfc": None, "a": [None, 1.5], "path": "v\\xfc", "pair": [1, 2], "ü": "\ufffd"}
    assert text.isascii() and parse_record(text, dict) == json.loads(text)


def test_what_a_record_holds_beyond_is_kept(tmp_path):
    """A newer talker may have written it; what an older one did not write may be missing."""
    path = tmp_path / "project.json"
    path.write_text('{"schema": 1, "later": {"x": [1]}}')
    assert read_record(path, Manifest) == {"schema": 1, "later": {"x": [1]}}
