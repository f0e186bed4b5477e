"""The command line: every bad input is one line with the way out, exit code 2, and leaves nothing behind."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from talker import __version__
from talker.api.options import FitOptions
from talker.cli import main
from talker.cli.flags import sentences
from talker.cli.progress import ProgressPrinter, clock
from talker.core.bounds import flag_name, hints_of
from talker.take.build import TakeOptions
from talker.video import write_wav
from tests.cli.console import everything, film, refused, tone

pytestmark = pytest.mark.slow

# -------------------------------------------------------------------- footage that cannot serve


def test_no_such_file(place, capsys):
    assert "nowhere.mp4" in refused(capsys, "fit", "nowhere.mp4")


def test_not_a_video(place, capsys):
    Path("notes.mp4").write_text("these are notes")
    assert "export" in refused(capsys, "fit", "notes.mp4")
    write_wav(Path("speech.wav"), tone(4))
    assert "no video" in refused(capsys, "fit", "speech.wav")
    Path("empty.mp4").touch()
    refused(capsys, "fit", "empty.mp4")
    Path("folder.mp4").mkdir()
    assert "folder" in refused(capsys, "fit", "folder.mp4")


def test_a_video_without_sound(place, capsys):
    film(Path("mute.mp4"), 4, sound=False)
    assert "no sound" in refused(capsys, "fit", "mute.mp4")


def test_a_video_without_a_face(place, capsys):
    film(Path("noise.mp4"), 4)
    assert "face" in refused(capsys, "fit", "noise.mp4").lower()


def test_a_video_that_is_too_short(place, capsys):
    film(Path("short.mp4"), 2)
    assert "at least 3" in refused(capsys, "fit", "short.mp4")
    film(Path("long.mp4"), 4)
    assert "at least 3" in refused(capsys, "fit", "long.mp4", "--start", "1", "--end", "2")


def test_a_truncated_video(place, capsys):
    film(Path("whole.mp4"), 5)
    data = Path("whole.mp4").read_bytes()
    Path("cut.mp4").write_bytes(data[: len(data) // 2])
    assert "cut" in refused(capsys, "fit", "cut.mp4")
    Path("headless.mp4").write_bytes(data[len(data) // 2 :])
    refused(capsys, "fit", "headless.mp4")


def test_a_project_folder_with_other_things_in_it_is_left_alone(place, capsys):
    film(Path("clip.mp4"), 4)
    Path("photos").mkdir()
    Path("photos/me.jpg").write_text("me")
    assert "-o" in refused(capsys, "fit", "clip.mp4", "-o", "photos")


# -------------------------------------------------------------------- editing


def test_an_instruction_that_the_builtin_editor_does_not_know(project, capsys):
    said = refused(capsys, "edit", "--instruction", "make him look like a zombie")
    assert "ip2p" in said or "InstructPix2Pix" in said


def test_a_hub_that_cannot_be_reached(project, capsys):
    said = refused(capsys, "edit", "--instruction", "make him a zombie", "--editor", "ip2p", "--model", "no/such-model")
    assert "no/such-model" in said


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--rounds", "0"], "1 to 100"),
        (["--steps", "20"], "two numbers"),
        (["--text-guidance", "6,3"], "lower one first"),
        (["--name", "a/b"], "letters"),
        (["--editor", "gimp"], "builtin"),
        (["--strategy", "twice"], "'progressive', 'iterative', 'once'"),
        (["--editor", "ip2p", "--precision", "float8"], "'bfloat16'"),
        (["--instrction", "x"], "did you mean --instruction"),
    ],
)
def test_edits_that_cannot_be(project, capsys, words, hint):
    given = [] if "--instrction" in words else ["--instruction", "make him a Van Gogh painting"]
    assert hint in refused(capsys, "edit", *given, *words)


def test_a_dry_run_says_the_plan_and_does_nothing(project, capsys):
    before = everything()
    assert main(["edit", "--instruction", "make him a Van Gogh painting", "--dry-run"]) == 0
    said = capsys.readouterr().out
    for part in ("builtin", "van-gogh-painting", "progressive", "round 3", "guidance 6", "20 steps", "frames", "time"):
        assert part in said
    assert everything() == before


# -------------------------------------------------------------------- the command line itself


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["fti", "a.mp4"], "did you mean fit?"),
        (["--versoin"], "did you mean --version?"),
        (["fit", "a.mp4", "--siez", "64"], "did you mean --size?"),
        (["fit", "a.mp4", "--size", "big"], "--size"),
        (["fit", "a.mp4", "b.mp4"], "unrecognized"),
        (["speaker", "a.mp4", "--seconds", "0"], "--seconds"),
        (["speaker", "a.mp4", "--light", "sun"], "'world', 'head'"),
    ],
)
def test_misspelt_words_bring_the_nearest(place, capsys, words, hint):
    assert hint in refused(capsys, *words)


@pytest.mark.parametrize(
    "name", ["speaker", "check", "fit", "preview", "edit", "edits", "drive", "eval", "studio", "info", "doctor"]
)
def test_every_subcommand_has_help_with_examples(name, capsys):
    assert main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert f"talker {name}" in said.split("examples:")[1]


def test_version_and_overview(capsys):
    assert main(["--version"]) == 0 and capsys.readouterr().out == f"talker {__version__}\n"
    assert main(["--help"]) == 0 and "doctor" in capsys.readouterr().out


def test_doctor_says_what_is_there(capsys):
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    for part in ("torch", "ffmpeg", "libGL", "mediapipe", "--kernels native", "InstructPix2Pix", "hubert"):
        assert part in said


def test_ctrl_c_is_one_line(project, capsys, monkeypatch):
    write_wav(Path("speech.wav"), tone(0.4))

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("talker.driving.render.Portrait.render", interrupt)
    assert main(["drive", "speech.wav", "-o", "out.mp4"]) == 130
    assert capsys.readouterr().err.count("\n") == 1
    assert not Path("out.mp4").exists() and not list(Path.cwd().glob(".*.mp4"))


def test_bugs_keep_their_traceback(project, monkeypatch):
    monkeypatch.setattr("talker.api.commands.info", lambda project: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["info"])


def test_every_option_has_a_sentence_and_one_default():
    assert flag_name("start_s") == "--start" and flag_name("audio_model") == "--audio-model"
    assert all(sentences(TakeOptions).values())
    assert sentences(TakeOptions).keys() >= hints_of(TakeOptions).keys()


@pytest.mark.parametrize("command", ["check", "fit", "edit", "drive", "eval"])
def test_what_computes_is_explained_alike_everywhere(command, capsys):
    assert main([command, "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"--kernels NAME {sentences(FitOptions)['kernels']} [auto]" in said


# -------------------------------------------------------------------- progress


def test_a_log_gets_a_line_per_task():
    stream = io.StringIO()
    printer = ProgressPrinter(stream)
    for step in range(101):
        printer.progress("fit", step / 100)
    printer.notice("two faces")
    printer.progress("measure", 1.0)
    assert stream.getvalue().splitlines() == ["fit: done  0 s", "note: two faces", "measure: done  0 s"]


def test_a_terminal_gets_one_living_line_with_the_time_left(monkeypatch):
    stream = io.StringIO()
    stream.isatty = lambda: True
    now = [0.0]
    monkeypatch.setattr("talker.cli.progress.time.monotonic", lambda: now[0])
    printer = ProgressPrinter(stream)
    printer.progress("fit", 0.5)  # resumed: half was there before
    now[0] = 30.0
    printer.progress("fit", 0.75, "loss 0.01")
    line = stream.getvalue().split("\x1b[2K")[-1]
    assert "75%" in line and "30 s left" in line and "loss 0.01" in line and "\n" not in line


def test_work_goes_on_when_its_reader_has_gone():
    """`talker fit video.mp4 | head -1`"""
    read, write = os.pipe()
    with os.fdopen(write, "w") as stream:
        os.close(read)
        printer = ProgressPrinter(stream)
        for task in ("fit", "measure"):
            printer.progress(task, 1.0)
        printer.notice("two faces")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_work_goes_on_without_a_standard_stream(tmp_path, closed):
    command = f"exec {sys.executable} -m talker speaker {tmp_path}/a.mp4 --seconds 0.5 --size 64 {closed}"
    subprocess.run(["sh", "-c", command], check=True, cwd=Path(__file__).parents[2])
    assert (tmp_path / "a.mp4").stat().st_size > 1000


def test_a_limit_on_files_is_told(place, capsys, monkeypatch):
    def too_large(*_arguments, **_options):
        raise OSError(errno.EFBIG, "File too large", "out.wav")

    monkeypatch.setattr("talker.api.commands.speaker", too_large)
    assert "ulimit" in refused(capsys, "speaker", "a.mp4")


def test_quiet_is_quiet():
    stream = io.StringIO()
    printer = ProgressPrinter(stream, quiet=True)
    printer.progress("fit", 1.0)
    printer.notice("x")
    printer.close()
    assert stream.getvalue() == ""


def test_clocks():
    assert [clock(s) for s in (8.2, 125, 3725)] == ["8 s", "2:05", "1:02:05"]


# -------------------------------------------------------------------- numbers out of range, files gone wrong


@pytest.mark.parametrize(
    "flags",
    [
        ("--size", "0"),
        ("--size", "100000"),
        ("--training-steps", "0"),
        ("--seed", "-1"),
        ("--start", "nan"),
        ("--av-offset", "3"),
    ],
)
def test_numbers_out_of_range(place, capsys, flags):
    assert flags[0] in refused(capsys, "fit", "clip.mp4", *flags)


def test_an_edit_with_numbers_out_of_range(project, capsys):
    assert "--seed" in refused(capsys, "edit", "--instruction", "oil painting", "--seed", "-1")
    assert "--training-steps" in refused(capsys, "edit", "--instruction", "oil painting", "--training-steps", "-1")


@pytest.mark.parametrize(
    "words",
    [
        ["check", "clip.mp4", "-o", "misspelt/page.html"],
        ["fit", "clip.mp4", "-o", "misspelt/b.talker"],
        ["speaker", "misspelt/x.mp4"],
        ["speaker", "x.mp4", "--truth", "misspelt/truth"],
    ],
)
def test_a_folder_that_is_misspelt_is_not_made(place, capsys, words):
    film(Path("clip.mp4"), 4)
    assert "no folder misspelt" in refused(capsys, *words)


def test_a_page_goes_into_a_folder_and_is_none(place, capsys, monkeypatch):
    film(Path("clip.mp4"), 4)
    Path("pages").mkdir()
    said = refused(capsys, "check", "clip.mp4", "-o", "pages")
    assert "pages is a folder" in said and "--force" not in said
    # Where nothing can be written, nothing is looked at first, and no hidden file is named.
    monkeypatch.setattr("talker.checking.examine.examine", lambda *_: pytest.fail("it began to look"))
    monkeypatch.setattr("os.open", _may_not)
    said = refused(capsys, "check", "clip.mp4", "-o", "pages/page.html")
    assert "pages cannot be written" in said and "partial" not in said


def _may_not(path: Path, *rest: int, real=os.open, **more: int) -> int:
    if str(path).endswith("lock"):
        raise PermissionError(13, "Permission denied", str(path))
    return real(path, *rest, **more)


def test_a_speaker_is_an_mp4(place, capsys):
    assert ".mp4" in refused(capsys, "speaker", "x.avi")


def test_a_plan_is_nothing_but_the_plan(project, capsys):
    assert main(["edit", "--instruction", "oil painting", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("instruction")


def test_a_folder_that_is_a_file(project, capsys):
    write_wav(Path("speech.wav"), tone(1))
    film(Path("clip.mp4"), 4)
    refused(capsys, "drive", "speech.wav", "-o", "speech.wav/out.mp4")
    refused(capsys, "fit", "clip.mp4", "-o", "clip.mp4/b.talker")


@pytest.mark.parametrize("text", [None, "broken"])
@pytest.mark.parametrize("file", ["take/tracks.safetensors", "take/take.json", "edits/bronze/refine.safetensors"])
def test_a_damaged_file(project, capsys, file, text):
    write_wav(Path("speech.wav"), tone(1))
    path = project.path(file)
    path.unlink() if text is None else path.write_text(text)
    said = refused(capsys, "drive", "speech.wav", "--edit", "bronze")
    assert f"{'/'.join(path.parts[-2:]) if text else 'take' if 'take' in file else 'bronze'}" in said


@pytest.mark.parametrize("text", [None, "broken"])
def test_a_damaged_picture_stops_who_needs_it(project, capsys, text):
    write_wav(Path("speech.wav"), tone(0.4))
    path = project.path("take/frames/00003.png")
    path.unlink() if text is None else path.write_text(text)
    assert main(["drive", "speech.wav"]) == 0  # driving asks for no picture
    assert "00003.png" in refused(capsys, "edit", "--instruction", "oil painting")


@pytest.mark.parametrize("file", ["project.json", "edits/bronze/stage.json", "renders/0001.json"])
@pytest.mark.parametrize("text", ["{", "{}", "[]"])
def test_a_damaged_record(project, capsys, file, text):
    path = project.path(file)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    said = refused(capsys, "info", "--project", str(project.root))
    assert path.name in said or "project format" in said
