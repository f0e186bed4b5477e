"""The demo speaker as `talker drive` would show him: new speech on his mouth, the poses of a recording on his head.

So a driven frame has an exact truth: same pose, light and room as the frame whose pose it borrows, another mouth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from talker.core.metrics import lip_opening, mouth_width
from talker.core.types import FPS
from talker.speaker.head import HeadState, PosedHead, head_model
from talker.speaker.motion import Motion, head_motion, head_states
from talker.speaker.record import SpeakerOptions
from talker.speaker.render import SpeakerFrame, render_frame, room_plate, studio_camera
from talker.speaker.speech import speak
from talker.speaker.visemes import viseme_track


@dataclass(frozen=True)
class NewSpeech:
    """A recording's speaker saying what the recording does not hold."""

    options: SpeakerOptions  # of the recording
    wav: np.ndarray  # [T] float32 at 16 kHz
    states: list[HeadState]  # one per frame of the speech

    @classmethod
    def say(
        cls,
        options: SpeakerOptions,
        seconds: float,
        seed: int,  # of the speech; another than the recording's
        poses: Sequence[int],  # frames of the recording, one per frame of the speech
    ) -> NewSpeech:
        wav, phones, _ = speak(seconds, seed)
        visemes = viseme_track(phones, (np.arange(len(poses)) + 0.5) / FPS)
        motion = head_motion(options.frames, options.seed, options.motion)
        index = np.asarray(poses)
        borrowed = Motion(**{field.name: getattr(motion, field.name)[index] for field in fields(Motion)})
        return cls(options, wav, head_states(borrowed, visemes))

    def __len__(self) -> int:
        return len(self.states)

    @cached_property
    def mouths(self) -> np.ndarray:
        """[B, 2] true opening and width, head units."""
        landmarks = np.stack([self._pose(state).landmarks_head for state in self.states])
        return np.stack([lip_opening(landmarks), mouth_width(landmarks)], axis=1)

    def render(self, index: int) -> SpeakerFrame:
        """The true frame, from the studio's own camera."""
        camera = studio_camera(self.options.size_px)
        plate = room_plate(camera.size_px, self.options.seed)
        return render_frame(head_model(), self._pose(self.states[index]), camera, plate, light=self.options.light)

    @staticmethod
    def _pose(state: HeadState) -> PosedHead:
        return head_model().pose(state)
