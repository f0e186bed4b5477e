"""Driving: which pose and blink a frame shows, what a view does, how long the video is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.signal import resample_poly

from talker.core.camera import project
from talker.core.errors import BadInput
from talker.core.types import AUDIO_RATE_HZ, Silent, View
from talker.driving.render import (
    DriveOptions,
    Portrait,
    check_options,
    drive,
    load_background,
    picture_size,
    speak,
)
from talker.take.audio import MelEncoder
from talker.take.motion_replay import forth_and_back, most_central
from talker.take.speech import Speech, frames_of
from talker.video import probe, read_audio, read_frames, stream_audio, write_wav
from tests.toys import ToyScene

pytestmark = pytest.mark.usefixtures("no_thread_stays")


class Inverter:
    """g(I) = 1 - I."""

    def refine(self, rendered, weight):
        return torch.lerp(rendered, 1 - rendered, weight)


@pytest.fixture
def portrait(toy_take):
    portrait = Portrait(ToyScene(), toy_take)
    portrait.set_audio(toy_take.audio_features)
    return portrait


def test_replayed_frames_never_jump():
    count = 7
    indices = [forth_and_back(index, count) for index in range(50)]
    assert set(indices) == set(range(count))
    assert max(abs(a - b) for a, b in zip(indices, indices[1:], strict=False)) == 1
    assert indices[:13] == [0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1, 0]
    assert forth_and_back(9, 1) == 0


def test_the_still_pose_is_the_one_in_the_middle(toy_take):
    assert most_central(toy_take.c2w) in (5, 6)


def test_the_torso_follows_the_take_and_the_view_turns_the_camera_alone(portrait):
    portrait.render(3, View(yaw_deg=20))
    camera, condition = portrait.scene.seen[-1]
    assert torch.equal(condition.head_pose[0], portrait.take.c2w[3])
    turned = torch.linalg.inv(camera.c2w)[:3, :3] @ portrait.take.c2w[3, :3, :3]
    angle = math.degrees(math.acos((float(turned.trace()) - 1) / 2))
    assert angle == pytest.approx(20, abs=1e-3)


def test_a_still_head_blinks(toy_take):
    portrait = Portrait(ToyScene(), toy_take, motion="still")
    portrait.set_audio(toy_take.audio_features)
    lids = []
    for index in range(len(portrait)):
        portrait.render(index)
        camera, condition = portrait.scene.seen[-1]
        lids.append(float(condition.eye[0, 0]))
        assert torch.equal(camera.c2w, portrait.scene.seen[0][0].c2w)
    assert lids == toy_take.eye[:, 0].tolist()


def test_audio_codes_do_not_depend_on_the_chunks(toy_take, monkeypatch):
    portrait = Portrait(ToyScene(), toy_take)
    portrait.set_audio(toy_take.audio_features)
    whole = portrait.condition(7, 0, 0).audio
    monkeypatch.setattr("talker.driving.render._CODES_AT_ONCE", 5)
    portrait.set_audio(toy_take.audio_features)
    assert torch.equal(portrait.condition(7, 0, 0).audio, whole)


def test_detail_is_the_weight_of_the_refinement_and_leaves_a_chosen_background_alone(toy_take):
    portrait = Portrait(ToyScene(), toy_take, Inverter())
    portrait.set_audio(toy_take.audio_features)
    plain = portrait.render(0, detail=0).rgb
    assert torch.allclose(portrait.render(0, detail=1).rgb, 1 - plain)
    assert torch.allclose(portrait.render(0, detail=0.5).rgb, torch.full_like(plain, 0.5))
    red = torch.zeros(16, 16, 3)
    red[..., 0] = 1
    shown = portrait.render(0, background=red, detail=1).rgb
    assert torch.equal(shown[:, :8], red[:, :8]) and torch.allclose(shown[:, 8:], 1 - plain[:, 8:])


@pytest.mark.parametrize("seconds", [0.01, 0.5, 1.0, 1.23, 2.019])
def test_video_and_audio_last_equally_long_within_a_frame(seconds):
    assert abs(frames_of(seconds) / 25 - seconds) <= 1 / 25


@pytest.fixture
def speech(tmp_path):
    """1.3 s of a tone, and of a mel encoder that knows it."""
    wav = (0.3 * np.sin(2 * np.pi * 440 * np.arange(int(1.3 * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ)).astype(np.float32)
    write_wav(tmp_path / "speech.wav", wav)
    return Speech.listen(tmp_path / "speech.wav"), MelEncoder().fit(wav)


def heard(take, encoder):
    """The take, as if its sound had been made by an encoder: noise, of all levels."""
    return replace(
        take, audio_features=4.0 * torch.randn(24, encoder.channels, generator=torch.Generator().manual_seed(0))
    )


def test_sounds_unlike_the_speakers_own_are_held_at_their_edge(toy_take):
    portrait = Portrait(ToyScene(), toy_take)
    loudest = toy_take.audio_features.amax(0).expand(1, 8, 16, -1)
    assert torch.equal(portrait.encode(loudest + 5.0), portrait.encode(loudest))
    assert not torch.equal(portrait.encode(loudest - 0.1), portrait.encode(loudest))


def test_drive_writes_the_video_with_its_sound(toy_take, speech, tmp_path):
    speech, encoder = speech
    out = tmp_path / "out.mp4"
    assert drive(Portrait(ToyScene(), heard(toy_take, encoder)), speech, out, DriveOptions(), Silent(), encoder) == 32
    assert probe(out).has_audio and len(list(read_frames(out))) == 32
    assert abs(len(read_audio(out)) / AUDIO_RATE_HZ - 1.3) < 0.1
    assert {path.name for path in tmp_path.iterdir()} == {"out.mp4", "speech.wav"}


def test_a_telephones_sound_is_said_to_be_one(toy_take, tmp_path):
    class Listener(Silent):
        def notice(self, text: str) -> None:
            told.append(text)

    wide = np.random.default_rng(0).normal(0.0, 0.1, AUDIO_RATE_HZ // 4).astype(np.float32)
    encoder = MelEncoder().fit(wide)
    for name, wav in (("wide", wide), ("phone", resample_poly(resample_poly(wide, 1, 2), 2, 1))):
        told: list[str] = []
        write_wav(tmp_path / f"{name}.wav", wav)
        portrait, out = Portrait(ToyScene(), heard(toy_take, encoder)), tmp_path / f"{name}.mp4"
        drive(portrait, Speech.listen(tmp_path / f"{name}.wav"), out, DriveOptions(), Listener(), encoder)
        assert out.exists() and [f"{name}.wav holds nothing above 5 kHz" in text for text in told] == (
            [True] if name == "phone" else []
        )


def test_streamed_frames_are_those_of_the_whole_audio(toy_take, speech):
    """The stream and `set_audio` show the same audio codes, frame by frame."""
    speech, encoder = speech
    portrait = Portrait(ToyScene(), heard(toy_take, encoder))
    streamed = torch.stack(list(speak(portrait, stream_audio(speech.source), encoder.stream(speech.loudness), 32)))
    portrait.set_audio(encoder.encode(read_audio(speech.source)), 32)
    whole = torch.stack([portrait.condition(index, 0, 0).audio[0] for index in range(32)])
    assert torch.allclose(streamed, whole, atol=1e-4) and len(whole.unique()) > 8


@pytest.mark.parametrize("part", ["render", "encode_audio"])
def test_a_failed_drive_leaves_nothing(toy_take, speech, tmp_path, part):
    speech, encoder = speech
    portrait = Portrait(ToyScene(), heard(toy_take, encoder))
    setattr(portrait.scene, part, lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        drive(portrait, speech, tmp_path / "out.mp4", DriveOptions(), Silent(), encoder)
    assert [path.name for path in tmp_path.iterdir()] == ["speech.wav"]


def test_a_video_of_another_size_shows_the_same(toy_take, portrait):
    options = DriveOptions(size_px=50)
    assert picture_size(toy_take, options) == (50, 50) and picture_size(toy_take, DriveOptions()) == (16, 16)
    portrait.render(0, View(yaw_deg=9), size_px=(32, 32))
    portrait.render(0, View(yaw_deg=9))
    (large, _), (usual, _) = portrait.scene.seen
    assert large.size_px == (32, 32) and torch.equal(large.c2w, usual.c2w)
    point = torch.tensor([[0.3, -0.2, 0.1]])
    torch.testing.assert_close(project(large, point), 2 * project(usual, point))


def test_eyes_open_as_far_as_filmed_and_no_farther(toy_take, portrait):
    toy_take.eye[:, 0] = torch.linspace(0.2, 0.8, len(toy_take))
    low, high = (
        Portrait(ToyScene(), toy_take).condition(0, 3, 0, torch.zeros(64), eyes).eye[0, 0] for eyes in (0.0, 1.0)
    )
    assert 0.2 <= low < 0.25 and 0.75 < high <= 0.8
    for flag in ({"eyes": 1.1}, {"eyes": math.nan}, {"size_px": 8}):
        with pytest.raises(BadInput, match=r"--(eyes|size)"):
            check_options(DriveOptions(**flag), None)


def test_detail_has_a_range():
    check_options(DriveOptions(detail=1.5), None)
    for bad in (-0.1, 1.6, math.nan):
        with pytest.raises(BadInput, match=r"1\.5"):
            check_options(DriveOptions(detail=bad), None)


def test_the_detail_of_an_edit_shown_in_part_counts_in_part(toy_take):
    shown = []
    for strength, detail in ((1.0, 0.4), (0.5, 0.8)):
        portrait = Portrait(ToyScene(), toy_take, Inverter(), strength=strength)
        portrait.set_audio(toy_take.audio_features)
        shown.append(portrait.render(0, detail=detail).rgb)
    assert torch.equal(*shown)


def test_strength_has_a_range_and_wants_an_edit():
    check_options(DriveOptions(strength=0.0), "bronze")
    for bad in (-0.1, 1.1, math.nan):
        with pytest.raises(BadInput, match="--strength"):
            check_options(DriveOptions(strength=bad), "bronze")
    with pytest.raises(BadInput, match="--edit"):
        check_options(DriveOptions(strength=0.5), None)


def test_silence_cannot_drive(tmp_path):
    for name, quiet in (("zeros", np.zeros(1600, np.float32)), ("faint", np.full(1600, 1e-3, np.float32))):
        write_wav(tmp_path / f"{name}.wav", quiet)
        with pytest.raises(BadInput, match=rf"{name}\.wav is silent"):
            Speech.listen(tmp_path / f"{name}.wav")


def test_backgrounds_fill_the_picture(tmp_path):
    blue = load_background("#0080ff", (6, 4))
    assert blue.shape == (4, 6, 3) and torch.allclose(blue[0, 0], torch.tensor([0, 128 / 255, 1.0]))
    wide = np.zeros((10, 40, 3), np.uint8)
    wide[:, 15:25] = (255, 0, 0)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    shown = load_background(str(tmp_path / "wide.png"), (4, 4))
    assert torch.allclose(shown, torch.tensor([1.0, 0, 0]).expand(4, 4, 3), atol=0.02)


@pytest.mark.parametrize("text", ["#12345", "#gggggg", "nowhere.png", "empty.png", "text.png"])
def test_bad_backgrounds_are_refused(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(BadInput):
        load_background(text, (4, 4))
