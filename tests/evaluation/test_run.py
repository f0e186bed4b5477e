"""From a speaker to every figure there is, with a speaker whose faults are known and instruments that are at hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from talker.core.errors import BadInput
from talker.core.types import AUDIO_RATE_HZ, FPS, Render, Take
from talker.core.view import AS_TAKEN
from talker.driving.render import Portrait
from talker.evaluation.figures import METRICS
from talker.evaluation.instruments import Instruments
from talker.evaluation.options import EvalOptions
from talker.evaluation.run import NewSpeech, evaluate
from talker.take.audio import channels_of
from talker.take.dlib_face import FaceNetwork, ResidualStage
from talker.take.identity import FaceIdentity
from talker.take.lips_from_speech import LIPS, TAPS, LipsFromSpeech, plain_encoder
from talker.video import write_wav
from tests.cli.console import tone
from tests.evaluation.faces import DarkestSpot

pytestmark = pytest.mark.slow

FRAMES, SIDE = 400, 64  # 60 frames are held out
ONLY_NEW_SPEECH = {"mouth_follows_loudness"}
ONLY_LONG_SPEECH = {"lip_sync", "lip_sync_offset_ms"}  # tests/evaluate/test_lip_sync.py


@pytest.fixture
def take(toy_take) -> Take:
    """A dark spot that wanders over noise, the same in every part."""
    again = np.arange(FRAMES) % len(toy_take)
    frames = np.random.default_rng(0).integers(110, 200, (1, SIDE, SIDE, 3), np.uint8).repeat(FRAMES, axis=0)
    for index in range(FRAMES):
        x = 24 + index % 17
        frames[index, 30:34, x : x + 4] = 50
    return replace(
        toy_take,
        frames=frames,
        parts=toy_take.parts[again].repeat(4, axis=1).repeat(4, axis=2),
        alpha=toy_take.alpha[again].repeat(4, axis=1).repeat(4, axis=2),
        c2w=toy_take.c2w[again],
        centre_px=(SIDE / 2, SIDE / 2),
        landmarks_px=torch.rand(FRAMES, 68, 2, generator=torch.Generator().manual_seed(1)) * 10 + 30,
        landmarks_head=torch.rand(68, 3, generator=torch.Generator().manual_seed(0)) - 0.5,
        eye=toy_take.eye[again],
        audio_features=torch.randn(2 * FRAMES, 6, generator=torch.Generator().manual_seed(2)),
    )


class Replaying(Portrait):
    """Shows the take's own frame in the pose that is asked for, a little brighter and late."""

    def __init__(self, take: Take, brighter: float = 0.0, late: int = 0):
        super().__init__(SimpleNamespace(device=torch.device("cpu"), encode_audio=lambda w: w.mean((1, 2))), take)
        self.brighter, self.late = brighter, late

    def render(self, index, view=AS_TAKEN, pose=None):
        rgb = torch.from_numpy(self.take.frames[pose - self.late]).float() / 255 + self.brighter
        return Render(rgb.clamp(0, 1), torch.ones(SIDE, SIDE), torch.zeros(SIDE, SIDE))


def embed(faces):
    flat = faces.reshape(len(faces), -1).astype(np.float64) + 1.0
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


SYNC = SimpleNamespace(face=lambda crops: crops.mean((3, 4)).flatten(1)[:, :8], sound=lambda c: c[:, 0, :8, 0])
COLOURS = SimpleNamespace(
    pictures=lambda frames: torch.nn.functional.normalize(torch.from_numpy(frames).float().mean((1, 2)) + 1),
    text=lambda caption: torch.tensor([float(len(caption)), 1.0, 2.0]),
)


def difference(found, wanted):
    return float(np.abs(found - wanted.astype(float)).mean())


def instruments(**others) -> Instruments:
    """All but SyncNet, whose crops take a second."""
    faces = FaceIdentity(FaceNetwork(4, (ResidualStage(6, True, 1),), 5).eval())
    ear = LipsFromSpeech(plain_encoder("mel"), torch.zeros(len(TAPS), channels_of("mel"), LIPS))
    there = {"lpips": difference, "ear": ear, "faces": faces, "embed": embed, "clip": COLOURS}
    return Instruments(**{"syncnet": None, "left_out": {}, **there, **others})


WAV = 0.1 * np.random.default_rng(5).standard_normal(FRAMES * AUDIO_RATE_HZ // FPS)
CAPTIONS = EvalOptions(frames=60, caption_before="dark", caption_after="very bright")


def test_a_perfect_speaker_is_found_perfect(take):
    found = evaluate(Replaying(take), WAV, DarkestSpot, CAPTIONS, instruments=instruments()).figures
    assert found["psnr_db"] == 99.0 and found["ssim"] == pytest.approx(1.0) and found["lpips"] == 0.0
    assert found["lmd_px"] == 0.0 and found["faces_found"] == 1.0 and found["identity_distance"] == pytest.approx(0.0)
    assert max(found["face_distance"], found["face_distance_turned"]) == pytest.approx(0.0, abs=1e-6)
    assert found["jitter_px"] == found["jitter_reference_px"] > 0 and found["e_w"] == found["e_w_reference"]


def test_a_bright_late_speaker_is_found_bright_and_late(take):
    evaluation = evaluate(Replaying(take, 0.1, 1), WAV, DarkestSpot, CAPTIONS, instruments=instruments())
    assert 5 < evaluation.figures["psnr_db"] < 21 and evaluation.figures["lmd_px"] > 0.9
    assert len(evaluation.tracks["psnr_db"]) == 60 and evaluation.footage.start_s == 13.6


def test_every_figure_that_is_known_can_be_had(take):
    filmed = evaluate(Replaying(take, 0.1), WAV, DarkestSpot, CAPTIONS, instruments=instruments(syncnet=SYNC)).figures
    edited = evaluate(
        Replaying(take), WAV, DarkestSpot, CAPTIONS, edited=Replaying(take, 0.2), instruments=instruments(lpips=None)
    ).figures
    keys = {metric.key for metric in METRICS}
    shown = {key for metric in METRICS for _, key in metric.controls}
    assert keys - ONLY_NEW_SPEECH - ONLY_LONG_SPEECH <= {*filmed, *edited}
    assert {*filmed, *edited} - keys - shown == set()
    assert "psnr_db" not in edited and edited["e_w"] > 0 and edited["lmd_px"] == 0.0


def test_the_nearest_poses_frames_are_looked_at_one_by_one(take):
    class Counting(DarkestSpot):
        stills = 0

        def detect_still(self, rgb):
            Counting.stills += 1
            return self.detect(rgb)

    evaluate(Replaying(take), WAV, Counting, CAPTIONS, instruments=instruments(faces=None))
    assert Counting.stills == 60


def test_without_faces_and_in_few_frames_every_gap_is_told(take):
    no_faces = SimpleNamespace(ibug=DarkestSpot.ibug, detect=lambda rgb: None, detect_still=lambda rgb: None)
    those = instruments(syncnet=SYNC, clip=None, left_out={"CLIP direction": "no captions"})
    blind = evaluate(Replaying(take), WAV, lambda: no_faces, CAPTIONS, instruments=those)
    faces = {"mouth", "pose jitter", "face distance", "identity distance", "SyncNet confidence"}
    lips = {"lips with the sound", "offset of the sound"}
    assert set(blind.left_out) == {"CLIP direction", *faces, *lips} and "half" in blind.left_out["SyncNet confidence"]
    brief = evaluate(Replaying(take), WAV, DarkestSpot, replace(CAPTIONS, frames=40), instruments=those)
    assert "2 s are the least" in brief.left_out["SyncNet confidence"] and "mouth" not in brief.left_out


def test_the_edit_is_held_against_the_unedited_speaker_not_the_take(take):
    late = evaluate(
        Replaying(take, 0.0, 1), WAV, DarkestSpot, CAPTIONS, edited=Replaying(take, 0.0, 1),
        instruments=instruments(lpips=None),
    )  # fmt: skip
    assert late.figures["lmd_px"] == 0.0 and late.footage.reference_name == "unedited"


def test_new_speech_goes_forth_and_back_through_the_held_out_poses(take):
    speech = NewSpeech(WAV[: 80 * 640], torch.randn(160, 6))
    those = instruments(clip=None, lpips=None, syncnet=SYNC)
    found = evaluate(Replaying(take), WAV, DarkestSpot, EvalOptions(frames=500), speech=speech, instruments=those)
    assert len(found.footage) == 80 and found.footage.poses[58:63] == (398, 399, 398, 397, 396)
    assert {"mouth_follows_loudness", "e_w", "jitter_px"} <= set(found.figures)
    assert not {"psnr_db", "mouth_corr_self", "lmd_px", "sync_confidence_reference"} & set(found.figures)


def test_speech_is_heard_as_far_as_it_is_needed(tmp_path):
    write_wav(tmp_path / "long.wav", tone(4.0))
    encoder = SimpleNamespace(encode=lambda wav: torch.zeros(len(wav) // 320, 6))
    speech = NewSpeech.listen(tmp_path / "long.wav", 25, encoder)
    assert 25 <= speech.frames <= 26 and len(speech.features) >= 50
    write_wav(tmp_path / "short.wav", tone(0.2))
    with pytest.raises(BadInput, match=r"0\.2 s"):
        NewSpeech.listen(tmp_path / "short.wav", 25, encoder)
