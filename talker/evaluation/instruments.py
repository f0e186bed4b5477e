"""The measures that need weights or packages which may not be there: loaded before anything is rendered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from talker.core.errors import Missing
from talker.evaluation.arcface import Embed, load_arcface
from talker.evaluation.clip import Clip, load_clip
from talker.evaluation.images import Perceptual, load_perceptual
from talker.evaluation.options import EvalOptions
from talker.evaluation.syncnet import SyncNet, load_syncnet
from talker.take.identity import FaceIdentity
from talker.take.lips_from_speech import LipsFromSpeech


@dataclass(frozen=True)
class Instruments:
    """None where something is missing; `left_out` says what, and what to do about it."""

    lpips: Perceptual | None
    ear: LipsFromSpeech
    faces: FaceIdentity | None
    embed: Embed | None
    syncnet: SyncNet | None
    clip: Clip | None
    left_out: dict[str, str]

    @property
    def names(self) -> list[str]:
        there = {
            "lpips": self.lpips, "faces": self.faces, "arcface": self.embed, "syncnet": self.syncnet, "clip": self.clip
        }  # fmt: skip
        return [self.ear.encoder.name, *(name for name, instrument in there.items() if instrument is not None)]

    @classmethod
    def load(
        cls,
        options: EvalOptions,
        *,
        compares: bool,  # whether pictures are to equal their references
        edited: bool,
    ) -> Instruments:
        """What this machine has. BadInput for a file that was named and cannot be used."""
        left_out: dict[str, str] = {}

        def attempt(name: str, load: Callable[[], Any]) -> Any:
            try:
                return load()
            except Missing as missing:
                left_out[name] = str(missing)
                return None

        return cls(
            attempt("LPIPS", load_perceptual) if compares else None,
            LipsFromSpeech.load(),
            attempt("face distance", FaceIdentity.load),
            attempt("identity distance", lambda: load_arcface(options.arcface)),
            attempt("SyncNet confidence", lambda: load_syncnet(options.syncnet)),
            attempt("CLIP direction", lambda: _load_clip(options)) if edited else None,
            left_out,
        )


def _load_clip(options: EvalOptions) -> Clip:
    if options.caption_before is None:
        raise Missing("no captions; say what the pictures show with --caption-before and --caption-after")
    return load_clip(options.clip)
