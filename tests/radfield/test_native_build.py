"""First use of the C++ kernels: on any machine it ends in a working backend and at most one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from talker.core import cache_dirs
from talker.core.errors import Missing
from talker.core.types import Silent
from talker.radfield import cache
from talker.radfield.backends import choose_kernels
from talker.radfield.native import build

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not any(map(shutil.which, build.COMPILERS)), reason="no C++ compiler on this machine"),
]

# Builds in a blink: what is tested here is not the kernels.
SMALL_SOURCE = 'extern "C" int abi_version() { return 1; }\n'

# The same in a process of its own.
LOADER = """import pathlib, sys
from talker.radfield.native import build
from talker.core.types import Silent
build.SOURCE = pathlib.Path(sys.argv[1])
sys.exit(build.load_library(Silent()).abi_version() - 1)"""


class Heard(Silent):
    """A Reporter that remembers what it was told."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def folder(monkeypatch, tmp_path) -> Path:
    """Where libraries go; the source is a small one."""
    (tmp_path / "source").mkdir()
    source = tmp_path / "source" / "kernels.cpp"
    source.write_text(SMALL_SOURCE)
    monkeypatch.setattr(build, "SOURCE", source)
    monkeypatch.setenv("TALKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CXX", raising=False)
    return tmp_path / "cache" / "native"


def compiler(path: Path, script: str) -> str:
    """A compiler that is a shell script; questions for its version are answered."""
    path.write_text(
        f'#!/bin/sh\nif [ "$2" = --version ] || [ "$1" = --version ]; then echo 1.0; exit 0; fi\n{script}\n'
    )
    path.chmod(0o755)
    return str(path)


def another_process() -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", LOADER, str(build.SOURCE)])


def libraries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.so"))


@pytest.mark.parametrize("open_files", ["/proc/self/fd", "/nowhere"])
def test_the_first_use_builds_and_says_so_once(folder, heard, monkeypatch, open_files):
    monkeypatch.setattr(build, "OPEN_FILES", Path(open_files))
    assert build.load_library(heard).abi_version() == 1
    assert build.load_library(heard).abi_version() == 1
    assert len(heard.notices) == 1 and "a few seconds" in heard.notices[0]
    assert len(libraries(folder)) == 1
    assert not list(folder.glob("talker-*"))


def test_another_source_compiler_or_flag_is_another_library(folder, heard, monkeypatch, tmp_path):
    build.load_library(heard)
    build.SOURCE.with_name("new.h").write_text("// what a kernel includes")
    build.load_library(heard)
    assert len(libraries(folder)) == 2
    monkeypatch.setattr(build, "FLAGS", [*build.FLAGS, "-DOTHER"])
    build.load_library(heard)
    assert len(libraries(folder)) == 3
    monkeypatch.setattr(build, "cpu_name", lambda: "another CPU")
    build.load_library(heard)
    assert len(libraries(folder)) == 4
    monkeypatch.setenv("CXX", f"env {build.find_compiler()[0]}")
    build.load_library(heard)
    assert len(libraries(folder)) == 5


@pytest.mark.parametrize("unsupported", [["-fopenmp"], ["-march=native"], ["-fopenmp", "-march=native"]])
def test_a_compiler_without_an_optional_flag_builds_without_it(folder, heard, monkeypatch, tmp_path, unsupported):
    refuse = "".join(f'case "$*" in *{flag}*) echo "error: {flag}" >&2; exit 1;; esac\n' for flag in unsupported)
    monkeypatch.setenv("CXX", compiler(tmp_path / "cxx", f'{refuse}exec {build.find_compiler()[0]} "$@"'))
    assert build.load_library(heard).abi_version() == 1
    assert libraries(folder)


# ---------------------------------------------------------------------------------------------- who may write there


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_the_folder_is_the_users_alone(folder, heard):
    build.load_library(heard)
    assert mode_of(folder) == 0o700 and mode_of(folder.parent) == 0o700
    folder.chmod(0o777)
    build.load_library(heard)
    assert mode_of(folder) == 0o700
    assert len(heard.notices) == 1


def test_a_library_that_others_may_have_written_is_built_anew(folder, heard):
    build.load_library(heard)
    [library] = libraries(folder)
    library.chmod(0o722)
    build.load_library(heard)
    assert mode_of(libraries(folder)[0]) == 0o700
    assert len(heard.notices) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
@pytest.mark.parametrize("place", ["native", "."])
def test_a_folder_that_is_or_lies_in_another_users_is_not_believed(folder, heard, place):
    build.load_library(heard)
    os.chown(folder.parent / place, 54321, 54321)
    assert build.load_library(heard).abi_version() == 1
    assert len(heard.notices) == 2 and "belongs to another user: set TALKER_CACHE" in heard.notices[1]


@pytest.mark.parametrize(("mode", "way_out"), [(0o775, "chmod g-w it"), (0o707, "chmod o-w it")])
def test_a_folder_below_one_that_others_may_write_to_is_not_believed(folder, heard, monkeypatch, mode, way_out):
    monkeypatch.setattr(cache_dirs, "_is_own_group", lambda path, group: False)
    build.load_library(heard)
    folder.parent.chmod(mode)
    build.SOURCE.write_text(SMALL_SOURCE.replace("1", "2"))
    assert build.load_library(heard).abi_version() == 2
    assert way_out in heard.notices[1] and "for this run alone" in heard.notices[1] and len(libraries(folder)) == 1
    folder.parent.chmod(mode | 0o1000)  # sticky, as /tmp: what is this user's stays where it is
    build.load_library(heard)
    assert len(libraries(folder)) == 2


def a_folder(mode: int, user: int, group: int = 0) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 0, user, group, 0, 0, 0, 0))


def test_who_may_write_above_the_cache(monkeypatch, tmp_path):
    me, root, other = 1000, 0, 1001
    monkeypatch.setattr(os, "geteuid", lambda: me)
    monkeypatch.setattr(cache_dirs, "_is_own_group", lambda path, group: group == me)
    safe = [(0o755, root), (0o700, me), (0o1777, root), (0o1775, root), (0o775, me, me), (0o2755, root)]
    unsafe = [(0o700, other), (0o1777, other), (0o777, me, me), (0o775, me, 50), (0o775, root, 50), (0o2775, root, 50)]
    assert [cache_dirs.danger_above(tmp_path, a_folder(*each)) for each in safe] == [None] * len(safe)
    assert all(cache_dirs.danger_above(tmp_path, a_folder(*each)) for each in unsafe)


def test_a_group_is_ones_own_where_nobody_else_is_in_it(monkeypatch, tmp_path):
    """As Debian and Fedora set users up, with the mask 002."""
    import grp
    import pwd

    def is_own(
        group: str, group_id: int, members: list[str], others: tuple[int, ...] = (), user_id: int = 1000
    ) -> bool:
        me = SimpleNamespace(pw_name="anna" if user_id else "root", pw_gid=user_id)
        neighbours = [SimpleNamespace(pw_name=f"user{each}", pw_gid=each) for each in others]
        monkeypatch.setattr(os, "geteuid", lambda: user_id)
        monkeypatch.setattr(pwd, "getpwuid", lambda _: me)
        monkeypatch.setattr(pwd, "getpwall", lambda: [me, *neighbours])
        monkeypatch.setattr(grp, "getgrgid", lambda _: SimpleNamespace(gr_name=group, gr_mem=members))
        return cache_dirs._is_own_group(tmp_path, group_id)

    assert is_own("anna", 1000, []) and is_own("anna", 1000, ["anna"], (1001,))
    assert not is_own("anna", 1000, ["bert"]) and not is_own("anna", 1000, [], (1000,))
    assert not is_own("users", 1000, []) and not is_own("anna", 1001, [])
    assert not is_own("root", 0, [], user_id=0), "containers give that group to everybody"
    monkeypatch.setattr(cache_dirs, "_attributes", lambda path: ["system.posix_acl_access"])
    assert not is_own("anna", 1000, [])
    monkeypatch.setattr(pwd, "getpwuid", lambda _: {}[0])  # a number that has no name
    assert not cache_dirs._is_own_group(tmp_path, 1000)


@pytest.mark.parametrize("open_files", ["/proc/self/fd", "/nowhere"])
def test_what_was_checked_is_what_is_loaded(folder, heard, monkeypatch, open_files):
    """Another file takes the library's name between the two; where open files have names, nobody is fooled."""
    build.load_library(heard)
    [library] = libraries(folder)
    found = cache.find(folder, library.stem.rpartition("-")[0])
    library.unlink()
    (folder.parent.parent / "source" / "other.cpp").write_text(SMALL_SOURCE.replace("1", "2"))
    build._run(
        [*build.find_compiler(), "-shared", "-fPIC", str(build.SOURCE.with_name("other.cpp")), "-o", str(library)], 60
    )
    monkeypatch.setattr(build, "OPEN_FILES", Path(open_files))
    assert build._load(found).abi_version() == (1 if os.path.isdir(open_files) else 2)


def test_libraries_under_the_number_of_an_earlier_one_are_not_taken_for_it(folder, heard):
    for version in "1234":
        build.SOURCE.write_text(SMALL_SOURCE.replace("1", version))
        assert build.load_library(heard).abi_version() == int(version)


@pytest.mark.parametrize("what", ["link", "folder", "pipe"])
def test_what_is_no_file_is_not_loaded(folder, heard, tmp_path, what):
    build.load_library(heard)
    [library] = libraries(folder)
    library.rename(tmp_path / "elsewhere.so")
    {
        "link": lambda: library.symlink_to(tmp_path / "elsewhere.so"),
        "folder": lambda: (library.mkdir(), (library / "x").touch()),
        "pipe": lambda: os.mkfifo(library),
    }[what]()
    assert build.load_library(heard).abi_version() == 1
    assert libraries(folder) == [library] and library.is_file() and not library.is_symlink()
    assert (tmp_path / "elsewhere.so").is_file()


def test_a_link_into_a_place_for_everybody_is_not_believed(folder, heard, tmp_path):
    everybody = tmp_path / "everybody"
    (everybody / "mine").mkdir(parents=True)
    everybody.chmod(0o777)
    folder.parent.mkdir()
    folder.symlink_to(everybody / "mine")
    assert build.load_library(heard).abi_version() == 1
    assert len(heard.notices) == 1 and "everybody" in heard.notices[0]
    assert not libraries(everybody / "mine")


def test_a_shared_temporary_folder_keeps_its_mode(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(OSError, match="everybody"):
        cache_dirs.private_folder(shared)
    assert mode_of(shared) == 0o1777


def test_a_cache_that_cannot_be_written_is_one_line_and_kernels_all_the_same(folder, heard):
    folder.parent.write_text("not a folder")
    assert build.load_library(heard).abi_version() == 1
    assert len(heard.notices) == 1 and "for this run alone" in heard.notices[0]


def test_nowhere_to_write_at_all_is_missing(folder, heard, monkeypatch):
    folder.parent.write_text("not a folder")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with pytest.raises(Missing, match="no folder here"):
        build.load_library(heard)


# ---------------------------------------------------------------------------------------------- damage


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: data[:-1] + b"x"])
def test_a_damaged_library_is_built_anew(folder, heard, damage):
    build.load_library(heard)
    [library] = libraries(folder)
    whole = library.read_bytes()
    library.unlink()  # it is loaded: changing its pages would reach this process
    library.write_bytes(damage(whole))
    library.chmod(0o700)
    assert another_process().wait(60) == 0
    assert [path.read_bytes() for path in libraries(folder)] == [whole]


def test_a_killed_build_leaves_nothing_that_is_believed(folder, heard, monkeypatch, tmp_path):
    begun, real = tmp_path / "begun", build.find_compiler()[0]
    slow = f'for last; do :; done; case "$*" in *kernels.cpp*) echo half > "$last"; touch {begun}; sleep 30;; esac'
    monkeypatch.setenv("CXX", compiler(tmp_path / "cxx", slow))
    with another_process() as process:
        deadline = time.monotonic() + 60
        while not begun.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
    assert begun.exists() and not libraries(folder) and list(folder.glob("talker-*"))
    compiler(tmp_path / "cxx", f'exec {real} "$@"')
    assert build.load_library(heard).abi_version() == 1
    assert not list(folder.glob("talker-*"))
    assert not list(folder.glob("talker-*"))


def test_two_first_uses_at_once_build_one_library(folder, tmp_path, monkeypatch):
    log = tmp_path / "builds"
    counting = f'case "$*" in *kernels.cpp*) echo built >> {log}; sleep 1;; esac; exec {build.find_compiler()[0]} "$@"'
    monkeypatch.setenv("CXX", compiler(tmp_path / "cxx", counting))
    both = [another_process(), another_process()]
    assert [process.wait(120) for process in both] == [0, 0]
    assert log.read_text() == "built\n"
    assert len(libraries(folder)) == 1


# ---------------------------------------------------------------------------------------------- no kernels to be had


def test_without_a_compiler_the_reference_serves(folder, heard, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Missing, match="compiler"):
        choose_kernels("native", heard)
    assert not heard.notices
    chosen = choose_kernels("auto", heard)
    assert chosen.name == "torch" and "compiler" in chosen.why
    assert len(heard.notices) == 1 and "compiler" in heard.notices[0]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo some noise; echo 'kernels.cpp:1: error: no such thing' >&2; exit 1", "error: no such thing"),
        ("exit 1", "no message"),
        ("exit 0", "could not build"),
        ("kill -9 $$", "could not build"),
    ],
)
def test_a_compiler_that_fails_is_one_line(folder, heard, monkeypatch, tmp_path, script, said):
    monkeypatch.setenv("CXX", compiler(tmp_path / "cxx", script))
    with pytest.raises(Missing, match=said) as failure:
        choose_kernels("native", heard)
    assert "\n" not in str(failure.value)
    assert choose_kernels("auto", heard).name == "torch"
    assert not libraries(folder)


def test_a_compiler_that_is_no_program_is_one_line(folder, heard, monkeypatch, tmp_path):
    (tmp_path / "cxx").write_bytes(b"\x7fELF nonsense")
    (tmp_path / "cxx").chmod(0o755)
    monkeypatch.setenv("CXX", str(tmp_path / "cxx"))
    with pytest.raises(Missing, match="cannot be run"):
        build.load_library(heard)


def test_a_compiler_that_hangs_is_ended_with_its_children(folder, heard, monkeypatch, tmp_path):
    survived = tmp_path / "survived"
    monkeypatch.setenv("CXX", compiler(tmp_path / "cxx", f"(sleep 1.5; touch {survived}) & wait"))
    monkeypatch.setattr(build, "BUILD_LIMIT_S", 0.5)
    with pytest.raises(Missing, match="took more than"):
        build.load_library(heard)
    time.sleep(1.5)
    assert not survived.exists()
