"""The stage: frames of fitted and edited speakers, one by one, as pages request for them.

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
from talker.studio.frame_request import LIVE, FrameRequest
from talker.studio.speech_track import SpeechTrack
from talker.studio.workspace import Workspace
from talker.take.audio import AudioEncoder
from talker.take.store import load_encoder_of, open_take

T = TypeVar("T")

QUALITY = 90  # of a JPEG
_SCENES_HELD, _BETWEEN_HELD, _VOICES_HELD, _BACKGROUNDS_HELD = 8, 2, 3, 6
MEANT_LIDS = 0.15  # how far lids must have moved in a take for the eyes to be a choice


@dataclass(frozen=True)
class ViewportFrame:
    """A rendered frame, ready to be sent."""

    jpeg: bytes
    size_px: tuple[int, int]  # (width, height) of one speaker
    render_ms: float


@dataclass(frozen=True)
class Speaker:
    """What all frames of a project share."""

    take: Take
    encoder: AudioEncoder
    silence: SpeechTrack


class LruCache:
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


class Viewport:
    def __init__(self, workspace: Workspace, kernels: Kernels | None = None) -> None:
        self._workspace = workspace
        self.kernels = kernels or choose_kernels()
        self.workers = torch.get_num_threads() if self.kernels.device.type == "cpu" else 1
        self._alone = ThreadPoolExecutor(1, "frame", partial(torch.set_num_threads, self.workers))
        self._abreast = ThreadPoolExecutor(self.workers, "frames", partial(torch.set_num_threads, 1))
        self._speakers, self._scenes = LruCache(_SCENES_HELD), LruCache(_SCENES_HELD)
        self._between = LruCache(_BETWEEN_HELD)  # scenes of part of an edit: a drag of its strength makes many of them
        self._voices, self._backgrounds = LruCache(_VOICES_HELD), LruCache(_BACKGROUNDS_HELD)

    def submit(
        self,
        request: FrameRequest,
        code: Tensor | None = None,  # [A] of a live voice
    ) -> Future[ViewportFrame]:
        pool = self._abreast if request.playing else self._alone
        return pool.submit(self.render, request, code)

    def close(self) -> None:
        for pool in (self._alone, self._abreast):
            pool.shutdown(wait=True, cancel_futures=True)

    # ---------------------------------------------------------------- what frames share

    def project(self, request: FrameRequest) -> Project:
        return self._workspace.project(request.project)

    def speaker(self, project: Project) -> Speaker:
        fingerprint = scene_record(project, None)["fingerprint"]
        return self._speakers.get((project.root, fingerprint), lambda: _speaker(project.path("take")))

    def portrait(self, project: Project, request: FrameRequest) -> tuple[Portrait, Hashable]:
        """The speaker of a request, and what its audio codes are known by. What was made anew is loaded anew."""
        strength = request.strength if request.edit else 1.0
        key = (project.root, scene_record(project, request.edit)["fingerprint"], strength)
        take = self.speaker(project).take

        def load() -> dict[Motion, Portrait]:
            moving = load_portrait(project, take, request.edit, self.kernels, strength=strength)
            return {"take": moving, "still": Portrait(moving.scene, take, moving.refiner, "still", strength)}

        held = self._scenes if strength == 1.0 else self._between
        return held.get(key, load)["still" if request.voice is None else request.motion], key  # nobody speaks: at rest

    def voice(self, project: Project, name: str) -> SpeechTrack:
        path = self._workspace.file(name, "sound")
        state = path.stat()
        key = (project.root, scene_record(project, None)["fingerprint"], name, state.st_mtime_ns, state.st_size)
        return self._voices.get(key, lambda: SpeechTrack.listen(path, self.speaker(project).encoder))

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

    def render(self, request: FrameRequest, code: Tensor | None = None) -> ViewportFrame:
        started_s = time.perf_counter()
        project = self.project(request)
        width, height = self.speaker(project).take.size_px
        size_px = max(16, round(width * request.share)), max(16, round(height * request.share))
        shown = [request]
        if request.pair:
            shown = [replace(request, edit=None, strength=1.0), request]
        # A live voice's code is the requested speaker's; beside it, the other keeps silent.
        rgb = np.hstack([self._frame(project, each, size_px, code if each is request else None) for each in shown])
        _, jpeg = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        return ViewportFrame(jpeg.tobytes(), size_px, 1000 * (time.perf_counter() - started_s))

    def _frame(
        self, project: Project, request: FrameRequest, size_px: tuple[int, int], code: Tensor | None
    ) -> np.ndarray:  # [H, W, 3] uint8
        portrait, key = self.portrait(project, request)
        if code is None:
            is_heard = request.voice not in (None, LIVE)
            voice = self.voice(project, request.voice) if is_heard else self.speaker(project).silence
            code = voice.code(request.index, portrait, key)
        eyes = request.eyes
        if request.voice is None and eyes is None:  # nobody speaks: awake
            eyes = 1.0
        render = portrait.render(
            request.index,
            request.view,
            self._background(request.background, size_px),
            request.detail,
            code=code,
            eyes=eyes,
            size_px=size_px,
        )
        return to_bytes(render.rgb)

    def _background(self, text: str | None, size_px: tuple[int, int]) -> Tensor | None:
        if text is None:
            return None
        source = text if text.startswith("#") else str(self._workspace.file(text, "picture"))
        return self._backgrounds.get((source, size_px), lambda: load_background(source, size_px))


def _speaker(folder: Path) -> Speaker:
    take, encoder = open_take(folder), load_encoder_of(folder)
    return Speaker(take, encoder, SpeechTrack.silence(take, encoder))
