"""The command line: every bad input is one line with the way out, exit code 2, and leaves nothing behind."""

from __future__ import annotations

import io
import os
import re
import signal
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from talker import __version__
from talker.cli import main
from talker.cli.flags import flag_name, sentences
from talker.cli.live import first_interrupt
from talker.cli.progress import ProgressPrinter, clock
from talker.commands import REFINER_FILE, SCENE_FILE
from talker.locks import sole_writer
from talker.project import Project, Stage
from talker.radfield.field import FieldOptions
from talker.radfield.fit_take import FieldFitOptions, new_scene
from talker.radfield.kernels import TorchKernels
from talker.radfield.torso import TorsoOptions
from talker.refine.network import RefinementNet
from talker.take.audio import MelEncoder
from talker.take.build import TakeOptions
from talker.take.store import save_take
from talker.types import AUDIO_RATE_HZ
from talker.video import VideoWriter, probe, read_frames, write_wav
from talker.video.sound import to_pcm

TINY_HEAD = FieldOptions(4, 32, 8, 4, 32, 8, occupancy=16)
TINY_TORSO = TorsoOptions(levels=4, finest=32, table_log2=8)


def tone(seconds: float) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 300 * np.arange(int(seconds * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ)).astype(np.float32)


def film(path: Path, seconds: float, sound: bool = True, picture: str = "noise") -> None:
    generator = np.random.default_rng(0)
    with VideoWriter(path, (64, 64), audio=tone(seconds) if sound else None) as video:
        for _ in range(round(seconds * 25)):
            video.write(generator.integers(0, 256, (64, 64, 3), np.uint8))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def project(place, toy_take) -> Project:
    """A project that looks finished, with an untrained field and one edit; in the current folder."""
    project = Project.create(place / "toy.talker")
    speech = tone(len(toy_take) / 25)
    encoder = MelEncoder().fit(speech)
    take = type(toy_take)(**{**vars(toy_take), "audio_features": encoder.encode(speech)})
    options = FieldFitOptions(head=TINY_HEAD, torso=TINY_TORSO)
    scene = new_scene(take, options, TorchKernels())
    take_stage = Stage("take", {"landmarks": "mediapipe", "audio": "mel"})
    with project.build(take_stage) as build:
        facts = {"options": {"audio_model": None}}
        save_take(take, build.folder, audio_state=encoder.state(), facts=facts)
        build.measured.update(frames=12, seconds=0.5, size_px=[16, 16])
    field_stage = Stage("field", {"take": take_stage.fingerprint})
    with project.build(field_stage) as build:
        scene.save(build.folder / SCENE_FILE)
        build.measured.update(head_psnr_db=20.0, null_psnr_db=10.0, kernels="torch")
    plan = {"instruction": "bronze", "editor": "builtin", "rounds": 3}
    with project.build(Stage("edits/bronze", {"field": field_stage.fingerprint, **plan})) as build:
        scene.save(build.folder / SCENE_FILE)
        RefinementNet().save(build.folder / REFINER_FILE)
    return project


def refused(capsys, *words: str) -> str:
    """The error of a command line that must fail as users' errors do."""
    before = everything()
    assert main(list(words)) == 2
    said = capsys.readouterr().err
    assert said.startswith("talker: ") and said.count("\n") == 1 and len(said) < 1000, said
    assert everything() == before, "something was left behind"
    return said


def everything() -> dict[Path, bytes]:
    files = (path for path in Path.cwd().rglob("*") if path.is_file() and path.name != ".lock")
    return {path: path.read_bytes() for path in files}


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


# -------------------------------------------------------------------- driving


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["nowhere.wav"], "nowhere.wav"),
        (["silence.wav"], "silent"),
        (["notes.txt"], "export"),
        (["speech.wav", "--view", "yow=20"], "yaw, pitch, roll, zoom"),
        (["speech.wav", "--view", "yaw=far"], "number"),
        (["speech.wav", "--detail", "1.6"], "0 .* 1.5"),
        (["speech.wav", "--detail", "-1"], "0 .* 1.5"),
        (["speech.wav", "--detail", "much"], "invalid float"),
        (["speech.wav", "--edit", "marble"], "there are: bronze"),
        (["speech.wav", "--edit", "../field"], "letters"),
        (["speech.wav", "--background", "nowhere.png"], "#rrggbb"),
        (["speech.wav", "--background", "#12"], "#rrggbb"),
        (["speech.wav", "--motion", "wild"], "take.*still"),
        (["speech.wav", "-o", "out.avi"], r"\.mp4"),
        (["speech.wav", "--kernels", "quantum"], "torch"),
        (["speech.wav", "--project", "elsewhere.talker"], "talker fit"),
        (["speech.wav", "--deatil", "1"], "did you mean --detail"),
        (["--veiw", "yaw=1", "speech.wav"], "did you mean --view"),
        ([], "missing AUDIO"),
    ],
)
def test_what_cannot_be_driven(project, capsys, words, hint):
    write_wav(Path("speech.wav"), tone(0.4))
    write_wav(Path("silence.wav"), np.zeros(AUDIO_RATE_HZ, np.float32))
    Path("notes.txt").write_text("these are notes")
    assert re.search(hint, refused(capsys, "drive", *words))


def test_a_disk_that_fills_up(project, capsys, monkeypatch):
    write_wav(Path("speech.wav"), tone(0.4))
    full = ["sh", "-c", "echo 'No space left on device' >&2; exit 1"]
    monkeypatch.setattr(VideoWriter, "_command", lambda self: full)
    assert "disk is full" in refused(capsys, "drive", "speech.wav", "-o", "out.mp4")
    assert "disk is full" in refused(capsys, "drive", "speech.wav")


@contextmanager
def spoken_into(monkeypatch, data: bytes):
    """Standard input as a pipe that somebody wrote into and closed."""
    ear, mouth = os.pipe()
    os.write(mouth, data)
    os.close(mouth)
    with os.fdopen(ear, "r") as source:
        monkeypatch.setattr("sys.stdin", source)
        yield


def test_live_driving_hears_standard_input(project, capsys, monkeypatch):
    with spoken_into(monkeypatch, to_pcm(tone(1.0))):
        assert main(["drive", "--live", "--edit", "bronze", "-o", "live.mp4"]) == 0
    said = capsys.readouterr().out  # free for words, as the video goes to a file
    assert len(list(read_frames(Path("live.mp4")))) == 25 and probe(Path("live.mp4")).has_audio
    assert "look-ahead" in said and "live.mp4: 1.0 s, latency" in said
    with spoken_into(monkeypatch, b""):
        assert "--force" in refused(capsys, "drive", "--live", "-o", "live.mp4")


def test_a_live_video_on_standard_output_is_nothing_but_video(project, monkeypatch, capfd):
    ear, mouth = os.pipe()
    with spoken_into(monkeypatch, to_pcm(tone(0.4))), os.fdopen(mouth, "w") as out:
        monkeypatch.setattr("sys.stdout", out)
        assert main(["drive", "--live", "-o", "-"]) == 0
    with os.fdopen(ear, "rb") as video:
        Path("out.mp4").write_bytes(video.read())
    assert len(list(read_frames(Path("out.mp4")))) == 10
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--live"], "-o out.mp4"),
        (["--live", "-o", "out.avi"], r"\.mp4"),
        (["--live", "speech.wav", "-o", "out.mp4"], "leave speech.wav out"),
        (["--live", "-o", "out.mp4", "--edit", "marble"], "there are: bronze"),
        (["--live", "-o", "out.mp4", "--background", "#12"], "#rrggbb"),
        (["speech.wav", "-o", "-"], "--live"),
    ],
)
def test_what_cannot_be_driven_live(project, capsys, monkeypatch, words, hint):
    with spoken_into(monkeypatch, to_pcm(tone(0.4))):
        assert re.search(hint, refused(capsys, "drive", *words))


def test_live_driving_wants_a_pipe_on_either_side(project, capsys, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stdin, hint in ((Terminal(), "is a terminal"), (None, "is closed")):
        monkeypatch.setattr("sys.stdin", stdin)
        assert hint in refused(capsys, "drive", "--live", "-o", "out.mp4")
    with spoken_into(monkeypatch, to_pcm(tone(0.4))):
        for stdout, hint in ((Terminal(), "is a terminal"), (None, "is closed")):
            with monkeypatch.context() as patch:
                patch.setattr("sys.stdout", stdout)
                assert main(["drive", "--live", "-o", "-"]) == 2
            assert hint in capsys.readouterr().err


def test_the_first_ctrl_c_ends_a_live_video_and_the_second_interrupts():
    usual = signal.getsignal(signal.SIGINT)
    with first_interrupt() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is usual


def test_there_is_no_project(place, capsys):
    write_wav(Path("speech.wav"), tone(0.4))
    for words in (["drive", "speech.wav"], ["edit", "--instruction", "make him a Van Gogh painting"], ["info"]):
        assert "talker fit" in refused(capsys, *words)


def test_driving_writes_a_video_once(project, capsys):
    write_wav(Path("speech.wav"), tone(0.4))
    words = ["drive", "speech.wav", "--edit", "bronze", "--view", "yaw=20", "-o", "out/a.mp4"]
    assert main(words) == 0 and Path("out/a.mp4").is_file()
    assert main(words) == 0 and "Already done" in capsys.readouterr().out
    assert "--force" in refused(capsys, "drive", "speech.wav", "-o", "out/a.mp4")
    assert main(["drive", "speech.wav", "-o", "out/a.mp4", "--force"]) == 0
    assert main(["drive", "speech.wav"]) == 0 and project.path("renders").joinpath("0003.mp4").is_file()
    capsys.readouterr()
    assert main(["drive", "speech.wav", "--quiet"]) == 0 and capsys.readouterr().out == ""
    assert main(["info"]) == 0
    said = capsys.readouterr().out
    assert "renders/0003.mp4" in said and "out/a.mp4" in said and "bronze" in said


def test_two_drives_of_one_video_do_not_mix(project, capsys):
    write_wav(Path("speech.wav"), tone(0.4))
    with sole_writer(Path("out.mp4")):
        assert "Another talker" in refused(capsys, "drive", "speech.wav", "-o", "out.mp4")
        assert "Another talker" in refused(capsys, "speaker", "out.mp4")
    assert main(["drive", "speech.wav", "-o", "out.mp4"]) == 0 and not list(Path.cwd().glob(".*"))


def test_a_project_without_room_for_records_is_refused_before_rendering(project, capsys, monkeypatch):
    write_wav(Path("speech.wav"), tone(0.4))
    monkeypatch.setattr("talker.renders.os.access", lambda *arguments: False)  # root may write everywhere
    assert "cannot be written" in refused(capsys, "drive", "speech.wav", "-o", "out.mp4")


def test_what_a_killed_drive_left_is_gone_after_the_next(project, monkeypatch):
    write_wav(Path("speech.wav"), tone(0.4))
    with monkeypatch.context() as patch:
        patch.setattr("os.getpid", lambda: 1)
        patch.setattr(VideoWriter, "_clean", lambda self: None)  # a killed run cleans nothing
        patch.setattr(VideoWriter, "_failure", lambda self: KeyboardInterrupt())
        patch.setattr(VideoWriter, "_command", _leave_a_piece(VideoWriter._command))
        assert main(["drive", "speech.wav"]) == 130 and list(project.path("renders").glob(".*"))
    assert main(["drive", "speech.wav"]) == 0
    assert sorted(path.name for path in project.path("renders").iterdir()) == ["0001.json", "0001.mp4"]


def _leave_a_piece(command):
    def piece(self):
        command(self)
        self._partial.write_bytes(b"piece")
        return ["sh", "-c", "exit 1"]

    return piece


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
        (["--rounds", "0"], "at least 1"),
        (["--steps", "20"], "two numbers"),
        (["--text-guidance", "6,3"], "lower one first"),
        (["--name", "a/b"], "letters"),
        (["--editor", "gimp"], "builtin"),
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
    for part in ("builtin", "van-gogh-painting", "round 3", "guidance 6", "20 steps", "frames", "time"):
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


@pytest.mark.parametrize("name", ["speaker", "fit", "edit", "drive", "info", "doctor"])
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

    monkeypatch.setattr("talker.drive.Portrait.render", interrupt)
    assert main(["drive", "speech.wav", "-o", "out.mp4"]) == 130
    assert capsys.readouterr().err.count("\n") == 1
    assert not Path("out.mp4").exists() and not list(Path.cwd().glob(".*.mp4"))


def test_bugs_keep_their_traceback(project, monkeypatch):
    monkeypatch.setattr("talker.commands.info", lambda project: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["info"])


def test_every_option_has_a_sentence_and_one_default():
    assert flag_name("start_s") == "--start" and flag_name("audio_model") == "--audio-model"
    assert all(sentences(TakeOptions).values()) and len(sentences(TakeOptions)) == 6


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
    "flags", [("--size", "0"), ("--size", "100000"), ("--training-steps", "0"), ("--seed", "-1"), ("--start", "nan")]
)
def test_numbers_out_of_range(place, capsys, flags):
    assert flags[0] in refused(capsys, "fit", "clip.mp4", *flags)


def test_an_edit_with_numbers_out_of_range(project, capsys):
    assert "--seed" in refused(capsys, "edit", "--instruction", "oil painting", "--seed", "-1")
    assert "--training-steps" in refused(capsys, "edit", "--instruction", "oil painting", "--training-steps", "-1")


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
