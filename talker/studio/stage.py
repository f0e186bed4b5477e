"""The stage: frames of fitted and edited speakers, one by one, as pages wish for them.

Rendering happens on threads of its own: while frame follows frame, each core has a frame of its own (how many a second
counts); a single frame has all cores (how soon it comes counts). Kernels leave Python's lock free.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor

from talker.api.artifacts import load_portrait, scene_record
from talker.core.images import to_bytes
from talker.core.types import Take
from talker.driving.render import Motion, Portrait, lids_of, load_background
from talker.projects.project import Project
from talker.radfield.backends import choose_kernels
from talker.radfield.kernels import Kernels
from talker.studio.home import Home
from talker.studio.voice import Voice
from talker.studio.wish import LIVE, Wish
from talker.take.audio import AudioEncoder
from talker.take.store import load_encoder_of, open_take

T = TypeVar("T")

QUALITY = 90  # of a JPEG
_SCENES_HELD, _BETWEEN_HELD, _VOICES_HELD, _BACKGROUNDS_HELD = 8, 2, 3, 6
MEANT_LIDS = 0.15  # how far lids must have moved in a take for the eyes to be a choice


@dataclass(frozen=True)
class Picture:
    """A rendered frame, ready to be sent."""

    jpeg: bytes
    size_px: tuple[int, int]  # (width, height) of one speaker
    render_ms: float


@dataclass(frozen=True)
class Speaker:
    """What all frames of a project share."""

    take: Take
    encoder: AudioEncoder
    silence: Voice


class Held:
    """A few things that take long to make, the latest used longest held. One maker at a time for each thing."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._things: OrderedDict[Hashable, Future] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            found = self._things.get(key)
            is_mine = found is None
            if is_mine:
                found = self._things[key] = Future()
                while len(self._things) > self._most:
                    self._things.popitem(last=False)
            self._things.move_to_end(key)
        if is_mine:
            try:
                found.set_result(make())
            except BaseException as error:
                with self._lock:
                    self._things.pop(key, None)
                found.set_exception(error)
        return found.result()


class Stage:
    def __init__(self, home: Home, kernels: Kernels | None = None) -> None:
        self._home = home
        self.kernels = kernels or choose_kernels()
        self.workers = torch.get_num_threads() if self.kernels.device.type == "cpu" else 1
        self._alone = ThreadPoolExecutor(1, "frame", partial(torch.set_num_threads, self.workers))
        self._abreast = ThreadPoolExecutor(self.workers, "frames", partial(torch.set_num_threads, 1))
        self._speakers, self._scenes = Held(_SCENES_HELD), Held(_SCENES_HELD)
        self._between = Held(_BETWEEN_HELD)  # scenes of part of an edit: a drag of its strength makes many of them
        self._voices, self._backgrounds = Held(_VOICES_HELD), Held(_BACKGROUNDS_HELD)

    def submit(
        self,
        wish: Wish,
        code: Tensor | None = None,  # [A] of a live voice
    ) -> Future[Picture]:
        pool = self._abreast if wish.playing else self._alone
        return pool.submit(self.render, wish, code)

    def close(self) -> None:
        for pool in (self._alone, self._abreast):
            pool.shutdown(wait=True, cancel_futures=True)

    # ---------------------------------------------------------------- what frames share

    def project(self, wish: Wish) -> Project:
        return self._home.project(wish.project)

    def speaker(self, project: Project) -> Speaker:
        fingerprint = scene_record(project, None)["fingerprint"]
        return self._speakers.get((project.root, fingerprint), lambda: _speaker(project.path("take")))

    def portrait(self, project: Project, wish: Wish) -> tuple[Portrait, Hashable]:
        """The speaker of a wish, and what its audio codes are known by. What was made anew is loaded anew."""
        strength = wish.strength if wish.edit else 1.0
        key = (project.root, scene_record(project, wish.edit)["fingerprint"], strength)
        take = self.speaker(project).take

        def load() -> dict[Motion, Portrait]:
            moving = load_portrait(project, take, wish.edit, self.kernels, strength=strength)
            return {"take": moving, "still": Portrait(moving.scene, take, moving.refiner, "still", strength)}

        held = self._scenes if strength == 1.0 else self._between
        return held.get(key, load)["still" if wish.voice is None else wish.motion], key  # nobody speaks: at rest

    def voice(self, project: Project, name: str) -> Voice:
        path = self._home.file(name, "sound")
        state = path.stat()
        key = (project.root, scene_record(project, None)["fingerprint"], name, state.st_mtime_ns, state.st_size)
        return self._voices.get(key, lambda: Voice.listen(path, self.speaker(project).encoder))

    def facts(self, project: Project) -> dict[str, Any]:
        """What the page must know of a speaker."""
        speaker = self.speaker(project)
        closed, opened = lids_of(speaker.take)
        return {
            "size_px": speaker.take.size_px,
            "has_eyes": opened - closed >= MEANT_LIDS,
            "can_live": speaker.encoder.lookahead_s is not None,
        }

    # ---------------------------------------------------------------- frames

    def render(self, wish: Wish, code: Tensor | None = None) -> Picture:
        started_s = time.perf_counter()
        project = self.project(wish)
        width, height = self.speaker(project).take.size_px
        size_px = max(16, round(width * wish.share)), max(16, round(height * wish.share))
        shown = [wish]
        if wish.pair:
            shown = [replace(wish, edit=None, strength=1.0), wish]
        # A live voice's code is the wished speaker's; beside it, the other keeps silent.
        rgb = np.hstack([self._frame(project, each, size_px, code if each is wish else None) for each in shown])
        _, jpeg = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        return Picture(jpeg.tobytes(), size_px, 1000 * (time.perf_counter() - started_s))

    def _frame(
        self, project: Project, wish: Wish, size_px: tuple[int, int], code: Tensor | None
    ) -> np.ndarray:  # [H, W, 3] uint8
        portrait, key = self.portrait(project, wish)
        if code is None:
            is_heard = wish.voice not in (None, LIVE)
            voice = self.voice(project, wish.voice) if is_heard else self.speaker(project).silence
            code = voice.code(wish.index, portrait, key)
        eyes = wish.eyes
        if wish.voice is None and eyes is None:  # nobody speaks: awake
            eyes = 1.0
        render = portrait.render(
            wish.index,
            wish.view,
            self._background(wish.background, size_px),
            wish.detail,
            code=code,
            eyes=eyes,
            size_px=size_px,
        )
        return to_bytes(render.rgb)

    def _background(self, text: str | None, size_px: tuple[int, int]) -> Tensor | None:
        if text is None:
            return None
        source = text if text.startswith("#") else str(self._home.file(text, "picture"))
        return self._backgrounds.get((source, size_px), lambda: load_background(source, size_px))


def _speaker(folder: Path) -> Speaker:
    take, encoder = open_take(folder), load_encoder_of(folder)
    return Speaker(take, encoder, Voice.silence(take, encoder))
