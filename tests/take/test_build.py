"""A take from a video file to a folder and back, with a toy detector that knows the truth; and bad footage."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from talker.core.camera import project
from talker.core.errors import BadInput
from talker.core.types import BACKGROUND, PARTS, FrameUse, Silent
from talker.speaker.record import SpeakerOptions, record_speaker
from talker.take.audio import VisemeEncoder
from talker.take.build import TakeOptions, build_take, fit_length, read_sound
from talker.take.crop import checked_span, follow
from talker.take.landmarks import LANDMARK_DETECTORS, load_detector, quiet_stderr
from talker.take.pose import project_points
from talker.take.store import TakeFolder, load_encoder_of, load_take, open_take, save_take
from talker.take.track import blank_others
from talker.video import Crop, VideoInfo, VideoWriter, read_audio, read_frames, write_wav
from tests.take.toy import nodding, render

pytestmark = pytest.mark.slow

COUNT, SIDE = 80, 64


class Listener(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []
        self.done: dict[str, float] = {}

    def notice(self, text: str) -> None:
        self.said.append(text)

    def progress(self, task: str, fraction: float, note: str = "") -> None:
        assert 0.0 <= fraction <= 1.0
        self.done[task] = fraction


class ToyDetector:
    """Answers from the truth, frame after frame."""

    ibug = tuple(range(68))
    oval = (*range(17), *range(26, 16, -1))
    brows = None
    irises = (39, 42)
    faces = 1
    hidden: range = range(0)
    skipped: range = range(0)  # frames in which nobody looks for the speaker's landmarks

    def __init__(self) -> None:
        motion = nodding(COUNT, SIDE)
        images, turned, _ = project_points(motion)
        depth = turned[..., 2:] * motion.focal_px / motion.translation[:, None, 2:]
        self.points = np.concatenate([images, depth], axis=-1).astype(np.float32)
        self.index = -1

    def find_faces(self, rgb: np.ndarray) -> np.ndarray:
        boxes = [(20.0, 20.0, 44.0, 46.0), (50.0, 10.0, 62.0, 30.0)]
        return np.array(boxes[: self.faces]).reshape(-1, 4)

    def detect(self, rgb: np.ndarray) -> np.ndarray | None:
        self.index += 1 + (len(self.skipped) if self.index + 1 == self.skipped.start else 0)
        return None if self.index in self.hidden else self.points[self.index]

    def detect_still(self, rgb: np.ndarray) -> np.ndarray:
        return self.points[0] * rgb.shape[0] / SIDE


def toy_matte(rgb: np.ndarray) -> np.ndarray:
    return (np.abs(rgb.astype(int) - 60).max(axis=-1) > 6).astype(np.float32)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:  # [COUNT, SIDE, SIDE, 3] uint8
    return np.repeat(render(nodding(COUNT, SIDE), SIDE)[0][..., None], 3, axis=-1)


def film(path: Path, pictures: np.ndarray) -> Path:
    hum = 0.1 * np.sin(np.arange(COUNT * 640) / 10.0).astype(np.float32)
    with VideoWriter(path, (SIDE, SIDE), audio=hum, crf=8) as writer:
        for picture in pictures:
            writer.write(picture)
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory, pictures: np.ndarray) -> Path:
    return film(tmp_path_factory.mktemp("footage") / "toy.mp4", pictures)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> type[ToyDetector]:
    kind = type("Toy", (ToyDetector,), {})
    monkeypatch.setitem(LANDMARK_DETECTORS, "toy", kind)
    monkeypatch.setattr("talker.take.track.person_segmenter", lambda: toy_matte)
    return kind


@pytest.fixture
def landmarks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that are not about poses: the refinement by flow takes most of a build's time."""
    monkeypatch.setattr("talker.take.motion.refine_motion", lambda motion, *_: motion)


OPTIONS = TakeOptions(size_px=SIDE, landmarks="toy")


def test_a_video_becomes_a_take(video: Path, tmp_path: Path, toy):
    listener = Listener()
    out = tmp_path / "take"
    (out / "frames").mkdir(parents=True)
    (out / "take.json").write_text("a stale one")
    (out / "frames" / "00999.png").write_bytes(b"of a longer take that was killed")
    take = build_take(video, out, OPTIONS, listener)
    assert len(take) == COUNT and take.size_px == (SIDE, SIDE) and listener.said == []
    assert set(listener.done) >= {"look", "track", "pose", "masks"} and listener.done["masks"] == 1.0
    # Landmarks seen in the head frame land on the landmarks in the picture: poses, shape and camera agree.
    truth = project_points(nodding(COUNT, SIDE))[0]
    for index in (3, 40, 77):
        landed = project(take.camera(index), take.landmarks_head).numpy()
        assert np.median(np.linalg.norm(landed - truth[index], axis=1)) < 0.6
    assert take.audio_features.shape == (2 * COUNT, VisemeEncoder.channels) and take.eye.shape == (COUNT, 3)
    assert take.parts.max() < len(PARTS) and (take.parts[:, 0, 0] == BACKGROUND).all()
    assert np.abs(take.background.astype(int) - 60).mean() < 25

    facts = json.loads((out / "take.json").read_text())
    assert facts["crop"] == {"x0": 0, "y0": 0, "side": SIDE} and facts["options"]["landmarks"] == "toy"
    files = {path.name for path in out.iterdir()}
    assert files == {"take.json", "audio.wav", "frames", "masks", "tracks.safetensors", "background.png"}
    assert len(list((out / "frames").iterdir())) == COUNT and len(list((out / "masks").iterdir())) == 2 * COUNT

    wav = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    assert load_encoder_of(out).encode(wav).shape == (50, VisemeEncoder.channels)


def test_a_take_survives_the_disk(toy_take, tmp_path: Path):
    save_take(toy_take, tmp_path / "take", audio_state={"mean": torch.ones(3)})
    again = load_take(tmp_path / "take")
    for name in ("frames", "alpha", "parts", "background"):
        assert np.array_equal(getattr(again, name), getattr(toy_take, name))
    for name in ("c2w", "landmarks_px", "landmarks_head", "eye", "audio_features"):
        assert torch.equal(getattr(again, name), getattr(toy_take, name))
    assert (again.focal_px, again.centre_px) == (toy_take.focal_px, toy_take.centre_px)
    (tmp_path / "take" / "take.json").unlink()  # as after a kill
    with pytest.raises(BadInput, match="no finished take"):
        load_take(tmp_path / "take")


def test_an_opened_take_reads_its_pictures_when_they_are_asked_for(toy_take, tmp_path: Path):
    save_take(toy_take, tmp_path)
    for index in (3, 7):  # whoever asks for no picture does not miss them
        TakeFolder(tmp_path).frame(index).unlink()
    take = open_take(tmp_path)
    assert (len(take), take.size_px, take.held_out) == (len(toy_take), toy_take.size_px, toy_take.held_out)
    assert torch.equal(take.camera(3).c2w, toy_take.c2w[3])
    for name in ("frames", "alpha", "parts"):
        assert np.array_equal(getattr(take, name)[5], getattr(toy_take, name)[5])
        assert getattr(take, name).shape == getattr(toy_take, name).shape
    with pytest.raises(BadInput, match="00007"):
        take.frames[7]
    with pytest.raises(IndexError):
        take.alpha[len(toy_take)]


def test_what_frames_serve_for_is_kept_and_older_takes_serve_whole(toy_take, tmp_path: Path):
    usable, shots = np.arange(12) != 4, np.arange(12) // 6
    use = FrameUse(usable, usable & (np.arange(12) != 9), shots)
    save_take(replace(toy_take, frame_use=use), tmp_path)
    again = open_take(tmp_path).use
    for name, value in vars(use).items():
        assert np.array_equal(getattr(again, name), value) and getattr(again, name).dtype == value.dtype
    tracks = load_file(TakeFolder(tmp_path).tracks)
    save_file({name: tensor for name, tensor in tracks.items() if name not in vars(use)}, TakeFolder(tmp_path).tracks)
    older = open_take(tmp_path)
    assert older.use.usable.all() and older.use.lips_usable.all() and not older.use.shots.any()
    assert older.training == list(range(11)) and older.held_out == [11]
    save_file({**tracks, "shots": tracks["shots"][:5]}, TakeFolder(tmp_path).tracks)
    with pytest.raises(BadInput, match="shots"):
        open_take(tmp_path)


def test_a_failed_save_leaves_no_take_behind(toy_take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save_take(toy_take, tmp_path)

    def full(*_: object) -> None:
        raise BadInput("the disk is full")

    monkeypatch.setattr("talker.take.store.write_whole", full)
    with pytest.raises(BadInput, match="full"):
        save_take(toy_take, tmp_path)
    with pytest.raises(BadInput, match="no finished take"):
        load_take(tmp_path)


def test_a_broken_frame_is_named(toy_take, tmp_path: Path):
    save_take(toy_take, tmp_path)
    TakeFolder(tmp_path).frame(3).write_bytes(b"half a pict")
    with pytest.raises(BadInput, match=r"00003\.png"):
        load_take(tmp_path)


def test_frames_without_the_face_stay_in_the_folder_and_out_of_the_training(
    video: Path, tmp_path: Path, toy, landmarks_only
):
    toy.hidden = range(20, 40)
    listener, out = Listener(), tmp_path / "take"
    take = build_take(video, out, OPTIONS, listener)
    assert listener.said == ["The face cannot be followed (at 0.8-1.6 s); left out of the training"]
    gone = np.arange(20, 40)
    assert np.flatnonzero(~take.use.usable).tolist() == gone.tolist() == np.flatnonzero(~take.use.lips_usable).tolist()
    assert not set(gone) & {*take.training, *take.held_out}
    # Sound and frames are in step: nothing was taken out of either.
    assert len(take) == COUNT and len(read_audio(out / "audio.wav")) == COUNT * 640
    filmed = np.stack(list(read_frames(video)))
    assert np.abs(take.frames[gone].astype(int) - filmed[gone]).mean() < 1.0
    assert not take.alpha[gone].any() and (take.parts[gone] == BACKGROUND).all() and take.alpha[50].any()
    # And the head goes on without a jump.
    steps = torch.linalg.norm(take.c2w[1:, :3, 3] - take.c2w[:-1, :3, 3], dim=-1)
    assert steps[19:40].max() < 2 * steps[:19].max()
    (told,) = json.loads((out / "take.json").read_text())["left_out"]
    assert told["key"] == "unfollowed" and told["where_s"] == [[0.8, 1.6]]


def test_a_face_that_is_hardly_there_says_what_to_cut(video: Path, tmp_path: Path, toy, landmarks_only):
    toy.hidden = range(76, COUNT)
    listener = Listener()
    take = build_take(video, tmp_path / "short", OPTIONS, listener)
    assert len(take.training) + len(take.held_out) == 76 and listener.said == []  # a few frames are not worth a word
    toy.hidden = range(0, 60)
    with pytest.raises(BadInput, match=r"for only 0\.8 s of 3\.2 .*film again, facing the camera"):
        build_take(video, tmp_path / "take", OPTIONS, Silent())
    assert not (tmp_path / "take" / "take.json").exists()


def test_a_face_missed_now_and_then_is_bridged(video: Path, tmp_path: Path, toy, landmarks_only):
    toy.hidden = range(30, 38)
    listener = Listener()
    assert build_take(video, tmp_path / "take", OPTIONS, listener).use.usable.all() and listener.said == []


def test_somebody_elses_shot_is_left_out(pictures, tmp_path: Path, toy, landmarks_only, monkeypatch):
    """Told by a face network that knows people by their colour."""
    tinted = pictures.copy()
    tinted[30:50, ..., 1:] //= 4
    network = SimpleNamespace(embed_aligned=lambda faces: np.stack([face.mean(axis=(0, 1)) / 50.0 for face in faces]))
    monkeypatch.setattr("talker.take.face_tracks.FaceIdentity.load", lambda: network)
    toy.skipped = range(30, 50)
    listener = Listener()
    take = build_take(film(tmp_path / "cut.mp4", tinted), tmp_path / "take", OPTIONS, listener)
    (said,) = listener.said
    assert said.startswith("Somebody else is seen (at 1.2-2.0 s); left out")
    assert np.flatnonzero(~take.use.usable).tolist() == list(range(30, 50)) and np.ptp(take.use.shots) == 2
    assert len(take) == COUNT and np.abs(take.background.astype(int) - 60).max(axis=2)[:8].mean() < 10


def test_a_hidden_mouth_teaches_no_lips(pictures, tmp_path: Path, toy, landmarks_only):
    barred, nose = pictures.copy(), project_points(nodding(COUNT, SIDE))[0][:, 30, 1]
    for index in range(30, 50):
        barred[index, int(nose[index]) + 1 :] = (30, 90, 200)
    listener = Listener()
    take = build_take(film(tmp_path / "bar.mp4", barred), tmp_path / "take", OPTIONS, listener)
    (said,) = listener.said
    assert said == "Something hides the mouth (at 1.2-2.0 s); no lips are learnt there"
    assert take.use.usable.all() and np.flatnonzero(~take.use.lips_usable).tolist() == list(range(30, 50))
    assert set(range(30, 50)) <= set(take.training) and not set(range(30, 50)) & set(take.lip_training)


def test_a_fade_is_left_out_with_the_dark(pictures, tmp_path: Path, toy, landmarks_only):
    faded = (pictures * np.clip((np.arange(COUNT) - 6) / 12.0, 0.0, 1.0)[:, None, None, None]).astype(np.uint8)
    toy.hidden = range(0, 8)
    take = build_take(film(tmp_path / "faded.mp4", faded), tmp_path / "take", OPTIONS, Silent())
    assert 12 <= take.training[0] <= 18 and take.use.usable[18:].all()


def test_two_faces_are_noticed_and_none_is_an_error(video: Path, tmp_path: Path, toy, landmarks_only):
    toy.faces = 2
    listener = Listener()
    build_take(video, tmp_path / "take", OPTIONS, listener)
    assert any("larger" in text for text in listener.said)
    toy.faces = 0
    with pytest.raises(BadInput, match=r"No face in toy\.mp4"):
        build_take(video, tmp_path / "none", OPTIONS, Silent())


def test_spans_must_leave_three_seconds():
    info = VideoInfo(20.0, (64, 64), 25.0, True, True)
    assert checked_span(info, "x", None, None) == (0.0, 20.0)
    assert checked_span(info, "x", 2.0, 99.0) == (2.0, 20.0)
    for start, end, words in ((25.0, None, "outside"), (5.0, 4.0, "not after"), (5.0, 7.0, "at least 3")):
        with pytest.raises(BadInput, match=words):
            checked_span(info, "x", start, end)
    short = VideoInfo(2.0, (64, 64), 25.0, True, True)
    with pytest.raises(BadInput, match="film at least"):
        checked_span(short, "x", None, None)


def test_the_chosen_face_is_kept():
    near, far = np.array([0.0, 0, 10, 10]), np.array([50.0, 0, 61, 11])
    assert follow(np.stack([near, far]), None) is not None
    assert (follow(np.stack([near, far]), None) == far).all()  # the larger one
    assert (follow(np.stack([near, far]), near) == near).all()  # but no jumping to and fro


def test_other_faces_are_painted_over():
    rgb = np.zeros((100, 100, 3), np.uint8)
    kept = blank_others(rgb, np.array([110.0, 120.0, 150.0, 160.0]), Crop(100, 100, 200))
    assert (kept[10:30, 5:25] == 0).all() and (kept[60:] == 128).all()


def test_sound_is_as_long_as_the_frames():
    assert len(fit_length(np.ones(10), 6)) == 6
    assert fit_length(np.ones(4), 6).tolist() == [1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("offset_s", "first", "last"), [(0.0, 0, 64_000), (0.25, 4000, 64_000), (-0.25, -4000, 60_000)]
)
def test_sound_that_is_late_is_taken_back(tmp_path: Path, offset_s: float, first: int, last: int):
    wav = np.random.default_rng(0).uniform(-0.5, 0.5, 5 * 16_000).astype(np.float32)
    write_wav(tmp_path / "sound.wav", wav)
    found = read_sound(tmp_path / "sound.wav", (0.0, 4.0 - max(0.0, offset_s)), offset_s)
    wanted = np.concatenate([np.zeros(max(0, -first)), wav[max(0, first) : last]])
    assert len(found) == len(wanted) and np.abs(found - wanted).max() < 1e-4


def test_the_offset_reaches_the_take(video: Path, tmp_path: Path, toy, landmarks_only):
    options = TakeOptions(size_px=SIDE, landmarks="toy", av_offset_s=-0.5)
    build_take(video, tmp_path / "take", options, Silent())
    sound = read_audio(tmp_path / "take" / "audio.wav")
    assert len(sound) == COUNT * 640 and not sound[:7900].any() and sound[8200:].any()


def test_unknown_detector():
    with pytest.raises(BadInput, match="mediapipe"):
        load_detector("haar")


def test_mediapipe_speaks_the_protocol_and_is_quiet(capfd: pytest.CaptureFixture[str]):
    detector = load_detector("mediapipe")
    picture = np.full((96, 96, 3), 128, np.uint8)
    assert detector.find_faces(picture).shape == (0, 4) and detector.detect(picture) is None
    assert len(detector.ibug) == 68 and max(detector.ibug) < 478
    assert capfd.readouterr().err == ""


def test_quiet_lasts_while_anybody_wants_it_and_no_longer(capfd: pytest.CaptureFixture[str]):
    with ThreadPoolExecutor(1) as beside:
        other = quiet_stderr()
        with quiet_stderr():
            beside.submit(other.__enter__).result()
        os.write(2, b"one still wants it")
        beside.submit(other.__exit__, None, None, None).result()
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_there_is_quiet_without_a_stderr(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stderr", None)
    with quiet_stderr():
        pass


def test_a_still_is_read_alike_whatever_was_seen_before(tmp_path):
    record_speaker(tmp_path / "a.mp4", SpeakerOptions(seconds=1.0, size_px=256), None, Silent())
    here = next(read_frames(tmp_path / "a.mp4")).copy()
    there = np.roll(here, 30, axis=1)
    detector = load_detector("mediapipe")
    first, moved, again = (detector.detect_still(picture) for picture in (here, there, here))
    assert np.array_equal(first, again) and (moved - first)[:, 0].mean() == pytest.approx(30.0, abs=1.0)
    detector.detect(there)
    assert not np.array_equal(detector.detect(here), first)  # it follows, and comes late
