"""What a take's frames may be used for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from talker.core.types import FrameUse


def test_the_held_out_part_is_whole_faces_and_training_is_what_comes_before(toy_take):
    assert toy_take.training == list(range(11)) and toy_take.held_out == [11]
    usable, lips = np.ones(12, bool), np.ones(12, bool)
    usable[[0, 8]], lips[[0, 3, 8, 11]] = False, False
    take = replace(toy_take, frame_use=FrameUse(usable, lips, np.zeros(12, int)))
    assert take.held_out == [10], "15 % of those that show all of the face"
    assert take.training == [1, 2, 3, 4, 5, 6, 7, 9] and take.lip_training == [1, 2, 4, 5, 6, 7, 9]
    assert np.flatnonzero(take.trained).tolist() == take.training


def test_what_was_heard_while_the_speaker_was_away_is_not_the_speakers(toy_take):
    usable = np.arange(12) >= 3
    take = replace(toy_take, frame_use=FrameUse(usable, usable, np.zeros(12, int)))
    assert torch.equal(take.own_features, toy_take.audio_features[6:])
    longer = torch.cat([toy_take.audio_features, torch.ones(3, 6)])
    assert torch.equal(replace(take, audio_features=longer).own_features, longer[6:])
