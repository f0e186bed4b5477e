from __future__ import annotations

import numpy as np
import pytest
import torch

from talker.core.camera import project
from talker.core.errors import BadInput, Conflict
from talker.core.types import AUDIO_RATE_HZ, Silent
from talker.speaker.record import SpeakerOptions, record_speaker, render_truth
from talker.speaker.truth import Truth, load_truth
from talker.video import probe, read_audio, read_frames

pytestmark = pytest.mark.slow

OPTIONS = SpeakerOptions(seconds=0.6, size_px=64, seed=3)


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> tuple:
    folder = tmp_path_factory.mktemp("speaker")
    record_speaker(folder / "a.mp4", OPTIONS, folder / "truth", Silent())
    return folder / "a.mp4", load_truth(folder / "truth")


def test_video_and_truth_agree(recording):
    video, truth = recording
    info = probe(video)
    assert info.size_px == (64, 64) and info.has_audio and len(truth) == 15 == len(truth.frames)
    frames = np.stack(list(read_frames(video)))
    assert frames.shape == truth.frames.shape
    assert np.abs(frames.astype(float) - truth.frames).mean() < 3.0  # all that H.264 took away
    assert len(read_audio(truth.audio_path)) == int(0.6 * AUDIO_RATE_HZ)
    assert sorted(p.name for p in video.parent.iterdir()) == ["a.mp4", "truth"]  # nothing left over


def test_truth_is_whole(recording):
    truth: Truth = recording[1]
    assert truth.visemes.shape == (15, 15) and truth.eye.shape == (15, 3) and truth.landmarks_px.shape == (15, 68, 2)
    assert truth.parts.shape == truth.alpha.shape == (15, 64, 64) and truth.background.shape == (64, 64, 3)
    assert float(truth.mouth_opening.min()) >= 0 and 0.2 < float(truth.mouth_width.mean()) < 0.5
    assert truth.phones[0].name == "SIL" and truth.sentences[0].text.count(" ") >= 2
    assert truth.options["seed"] == 3
    identity = truth.c2w[:, :3, :3] @ truth.c2w[:, :3, :3].transpose(1, 2)
    torch.testing.assert_close(identity, torch.eye(3).expand(15, 3, 3), atol=1e-5, rtol=0)
    rigid = [27, 28, 29, 30, 36, 45]  # hardly moved by speech
    for index in (0, 9):
        seen = project(truth.camera(index), truth.landmarks_head)[rigid]
        assert float((seen - truth.landmarks_px[index][rigid]).norm(dim=-1).max()) < 1.0


def test_any_frame_can_be_had_again(recording):
    truth = recording[1]
    first, later = render_truth(OPTIONS, [0, 11])
    np.testing.assert_array_equal(first.rgb, truth.frames[0])
    np.testing.assert_array_equal(later.rgb, truth.frames[11])
    np.testing.assert_array_equal(later.parts, truth.parts[11])
    np.testing.assert_array_equal(later.alpha, truth.alpha[11])
    other_eye = render_truth(OPTIONS, 11, truth.camera(0))
    assert (other_eye.rgb != truth.frames[11]).any()
    with pytest.raises(BadInput, match="0 to 14"):
        render_truth(OPTIONS, 15)


def test_a_foreign_folder_is_left_alone(recording, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"meow")
    with pytest.raises(Conflict, match="--truth"):
        record_speaker(tmp_path / "b.mp4", OPTIONS, tmp_path / "photos", Silent())
    assert [p.name for p in tmp_path.iterdir()] == ["photos"] and (tmp_path / "photos" / "cat.png").exists()


def test_a_recording_that_fails_leaves_nothing(tmp_path):
    class Impatient(Silent):
        def progress(self, task: str, fraction: float, note: str = "") -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_speaker(tmp_path / "c.mp4", OPTIONS, tmp_path / "truth", Impatient())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seconds": 0.0}, "--seconds"),
        ({"size_px": 65}, "--size"),
        ({"motion": -1.0}, "--motion"),
        ({"seed": -1}, "--seed"),
        ({"light": "sun"}, "--light"),
    ],
)
def test_options_are_checked(change, words):
    with pytest.raises(BadInput, match=words):
        SpeakerOptions(**change)


def test_no_truth_says_how_to_make_it(tmp_path):
    with pytest.raises(BadInput, match="talker speaker"):
        load_truth(tmp_path)
