"""What sound says of lips, taught by landmarks."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from talker.core.types import Silent, Take
from talker.radfield.audio_net import AudioNet
from talker.radfield.fit import Fitter, StepOptions
from talker.radfield.fit_take import new_scene
from talker.radfield.lip_pretraining import lip_targets, pretrain_on_lips
from talker.radfield.sampling import TakeTargets
from talker.radfield.targets import PixelObjective
from talker.take.audio import audio_windows
from tests.radfield.conftest import SIZE, TINY_FIT


@pytest.fixture
def talking_take(ball_take) -> Take:
    """Lips that sink with loudness."""
    landmarks = torch.full((len(ball_take), 68, 2), SIZE / 2.0)
    landmarks[:, 48:68, 1] += 3.0 * ball_take.audio_features[::2, :1]
    return replace(ball_take, landmarks_px=landmarks)


def test_the_lesson_is_centred_and_scaled(talking_take):
    heard = lip_targets(talking_take)[: len(talking_take.training)]
    assert heard.mean(0).abs().max() < 1e-5
    assert heard.std() == pytest.approx(1.0, abs=1e-4)


@torch.no_grad()
def error(net: AudioNet, take: Take) -> float:
    heard = list(take.training)
    wanted = lip_targets(take)[heard]
    return float((net.lips(net(audio_windows(take.audio_features, heard))) - wanted).square().mean())


def test_after_the_first_lesson_codes_tell_the_lips(talking_take):
    torch.manual_seed(0)
    net = AudioNet(talking_take.audio_features.shape[1])
    before = error(net, talking_take)
    pretrain_on_lips(net, talking_take, 100, torch.Generator().manual_seed(0), Silent())
    assert error(net, talking_take) < 0.7 * before


def test_the_fit_keeps_the_lesson_up(talking_take, native):
    """What the landmarks say reaches the network through its own loss: without it, nothing changes its lips."""

    def moved(lesson_weight: float) -> float:
        scene = new_scene(talking_take, TINY_FIT, native)
        before = scene.audio_net.lips.bias.detach().clone()
        options = StepOptions(lesson_weight=lesson_weight)
        fitter = Fitter(scene, talking_take, 5, [PixelObjective()], options=options)
        fitter.run(TakeTargets(talking_take, 2, 64), 5)
        return float((scene.audio_net.lips.bias.detach() - before).abs().max())

    assert moved(1.0) > 1e-3 > 1e-4 > moved(0.0)
