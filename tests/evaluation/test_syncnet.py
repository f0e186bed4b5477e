"""SyncNet in its published layout, with random weights; the search for the offset; the cepstra it hears."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from talker.core.errors import BadInput, Missing
from talker.core.types import Silent
from talker.evaluation.cepstra import mel_cepstra
from talker.evaluation.syncnet import (
    SIDE_PX,
    SyncNet,
    confidence_and_offset,
    crop,
    crop_boxes,
    embed_sound,
    load_syncnet,
    measure_sync,
)
from tests.evaluation.faces import a_face

# Of syncnet_v2.model: convolutions of the two nets, and the heads.
SHAPES = {
    "netcnnaud.0.weight": (64, 1, 3, 3),
    "netcnnaud.4.weight": (192, 64, 3, 3),
    "netcnnaud.8.weight": (384, 192, 3, 3),
    "netcnnaud.11.weight": (256, 384, 3, 3),
    "netcnnaud.14.weight": (256, 256, 3, 3),
    "netcnnaud.18.weight": (512, 256, 5, 4),
    "netcnnaud.19.running_var": (512,),
    "netfcaud.0.weight": (512, 512),
    "netfcaud.3.weight": (1024, 512),
    "netfclip.1.running_mean": (512,),
    "netfclip.3.bias": (1024,),
    "netcnnlip.0.weight": (96, 3, 5, 7, 7),
    "netcnnlip.4.weight": (256, 96, 1, 5, 5),
    "netcnnlip.8.weight": (256, 256, 1, 3, 3),
    "netcnnlip.11.weight": (256, 256, 1, 3, 3),
    "netcnnlip.14.weight": (256, 256, 1, 3, 3),
    "netcnnlip.18.weight": (512, 256, 1, 6, 6),
    "netcnnlip.19.bias": (512,),
}


@pytest.fixture(scope="module")
def network() -> SyncNet:
    torch.manual_seed(0)
    return SyncNet().eval().requires_grad_(False)


def test_the_layout_is_that_of_the_published_weights(network):
    state = network.state_dict()
    assert {name: tuple(state[name].shape) for name in SHAPES} == SHAPES
    layers = [name for name in state if name.endswith("weight") and state[name].dim() > 1]
    assert len(layers) == 12 + 2 * 2


def test_five_frames_and_a_fifth_of_a_second_become_embeddings(network):
    assert network.face(torch.zeros(1, 3, 5, SIDE_PX, SIDE_PX)).shape == (1, 1024)
    assert network.sound(torch.zeros(2, 1, 13, 20)).shape == (2, 1024)


@pytest.mark.parametrize("late", [-6, 0, 4])
def test_the_offset_is_found_and_chance_has_no_confidence(late):
    sound = torch.randn(120, 16, generator=torch.Generator().manual_seed(0))
    noise = 0.3 * torch.randn(120, 16, generator=torch.Generator().manual_seed(1))
    confidence, offset = confidence_and_offset(sound.roll(late, 0) + noise, sound)
    by_chance, _ = confidence_and_offset(torch.randn(120, 16, generator=torch.Generator().manual_seed(2)), sound)
    assert offset == late and confidence > 2.0 > 10 * by_chance


def test_windows_of_sound_are_four_cepstra_apart(network):
    wav = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) * 0.1
    found = embed_sound(network, wav, 25)
    cepstra = torch.from_numpy(mel_cepstra(wav)).float()
    assert found.shape == (21, 1024)
    assert torch.allclose(found[3], network.sound(cepstra[12:32].T[None, None])[0], atol=1e-4)


def test_crops_are_about_the_face_wider_below():
    faces = np.repeat(a_face(100.0)[None] + (150.0, 140.0), 20, axis=0)
    faces[7] = np.nan
    boxes = crop_boxes(faces)
    assert np.ptp(boxes, axis=0) == pytest.approx(np.zeros(3))
    x, y, half = boxes[0]
    assert x == pytest.approx(150.0) and y + half >= faces[0, 8, 1] - 1e-6
    picture = np.zeros((300, 300, 3), np.uint8)
    picture[..., 0] = 200  # red
    lips = np.round(faces[0, 48:68].mean(axis=0)).astype(int)
    picture[lips[1] - 3 : lips[1] + 3, lips[0] - 3 : lips[0] + 3] = 255
    shown = crop(picture, boxes[0])
    assert shown.shape == (SIDE_PX, SIDE_PX, 3) and shown[10, 10].tolist() == [0, 0, 200]  # BGR
    at_y, at_x = (place.mean() for place in np.nonzero(shown[..., 0] > 128))
    scale = SIDE_PX / (2.8 * half)
    assert at_x == pytest.approx(SIDE_PX / 2, abs=3) and at_y == pytest.approx((lips[1] - (y - half)) * scale, abs=3)
    assert at_y < 0.7 * SIDE_PX


def test_too_few_faces_are_not_judged(network):
    frames, wav = np.zeros((60, 32, 32, 3), np.uint8), np.zeros(60 * 640, np.float32)
    lost = np.full((60, 68, 2), np.nan)
    figures = measure_sync(network, wav, frames, lost, None, lost, Silent())
    assert figures.sync_confidence is None and figures.sync_offset_ms is None


def test_weights_are_loaded_or_missing(tmp_path, monkeypatch, network):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(Missing, match="syncnet_v2"):
        load_syncnet()
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.model")
    with pytest.raises(BadInput, match="SyncNet"):
        load_syncnet(tmp_path / "other.model")
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    old = {name: value for name, value in network.state_dict().items() if "num_batches" not in name}
    torch.save(old, tmp_path / "hub" / "checkpoints" / "syncnet_v2.model")  # as torch wrote them in 2017
    loaded = load_syncnet()
    heard = torch.randn(1, 1, 13, 20, generator=torch.Generator().manual_seed(0))
    assert torch.equal(loaded.sound(heard), network.sound(heard))


def loop_cepstra(wav: np.ndarray, frame: int) -> list[float]:
    """The definition, in loops: pre-emphasis, power spectrum, triangles, logarithm, cosine transform, lifter."""
    samples = [round(float(value) * 32767) for value in wav]
    samples = [samples[0], *(b - 0.97 * a for a, b in zip(samples, samples[1:]))]
    part = samples[160 * frame :][:400]
    part += [0.0] * (512 - len(part))
    power = [abs(sum(v * np.exp(-2j * math.pi * k * t / 512) for t, v in enumerate(part))) ** 2 / 512
             for k in range(257)]  # fmt: skip
    top = 2595 * math.log10(1 + 8000 / 700)
    corners = [math.floor(513 * 700 * (10 ** (top * i / 27 / 2595) - 1) / 16000) for i in range(28)]
    logs = []
    for low, middle, high in zip(corners, corners[1:], corners[2:]):
        bank = sum(power[k] * (k - low) / (middle - low) for k in range(low, middle))
        bank += sum(power[k] * (high - k) / (high - middle) for k in range(middle, high))
        logs.append(math.log(bank))
    found = []
    for c in range(13):
        value = sum(v * math.cos(math.pi * c * (2 * i + 1) / 52) for i, v in enumerate(logs))
        value *= math.sqrt((1 if c == 0 else 2) / 26)
        found.append(value * (1 + 11 * math.sin(math.pi * c / 22)))
    return [math.log(sum(power)), *found[1:]]


def test_cepstra_agree_with_their_definition():
    wav = 0.2 * np.random.default_rng(0).standard_normal(1600)
    found = mel_cepstra(wav)
    assert found.shape == (9, 13)  # 1 + ceil((1600 - 400) / 160): the last is padded
    for frame in (0, 3, 8):
        assert found[frame] == pytest.approx(loop_cepstra(wav, frame), abs=1e-6)
    assert np.isfinite(mel_cepstra(np.zeros(400))).all()
