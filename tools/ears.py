"""Which audio encoder tells lips best: whole fits of the same takes (`python -m tools.bench ears`).

A take is built once; every encoder then hears its sound, and a field is fitted to the features. Held-out frames
are measured as `talker eval` does; the demo speaker also says unseen speech, of which the truth is known. Real speakers
say real speech too, and of that only phones are known: lips must shut at p, b and m, and not at open vowels.

What was measured is kept beside the takes, and is not measured again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from talker.api.options import FitOptions
from talker.core.contact_sheet import contact_sheet, save_picture
from talker.core.images import spaced, to_bytes
from talker.core.lpips import choose_lip_bank
from talker.core.records import write_record
from talker.core.types import AUDIO_RATE_HZ, FPS, Reporter, Take
from talker.driving.render import Portrait
from talker.evaluation.instruments import Instruments
from talker.evaluation.options import EvalOptions
from talker.evaluation.run import evaluate
from talker.radfield.backends import choose_kernels
from talker.radfield.fit_take import fit_scene
from talker.speaker.record import SpeakerOptions, record_speaker
from talker.speaker.truth import load_truth
from talker.take.audio import AudioEncoder, load_encoder
from talker.take.build import TakeOptions, build_take
from talker.take.landmarks import load_detector
from talker.take.store import TakeFolder, load_take
from talker.video import read_audio
from tools.closed_lips import LipsAtPhones, lips_at_phones, spoken_phones
from tools.quality.driven import lip_sync
from tools.quality.dump import Dump
from tools.quality.replay import NewSpeech

ENCODERS = ("hama", "viseme")
NEW_SPEECH_S, NEW_SPEECH_SEED = 30.0, 1000
LONGEST_DRIVE_S = 12.0  # of real speech
SHEET_FRAMES = 8
_MEASURED = {
    "mouth_corr_self": "opening_r",
    "mouth_amplitude": "amplitude",
    "mouth_width_corr": "width_r",
    "lmd_px": "lmd_px",
    "lip_sync": "lip_sync",
}


@dataclass(frozen=True)
class Ears:
    """What to measure, and where to work."""

    work: Path
    reporter: Reporter
    encoders: Sequence[str] = ENCODERS
    training_steps: int | None = None  # instead of the preset's, for a quick look
    seed: int = 0

    def demo(self, seconds: float, size_px: int = 256) -> dict[str, dict[str, float]]:
        """The demo speaker on held-out frames and on unseen speech, by encoder."""
        options = SpeakerOptions(seconds=seconds, size_px=size_px)
        video, truth_dir = self.work / "demo.mp4", self.work / "demo-truth"
        if not (truth_dir / "truth.json").is_file():
            record_speaker(video, options, truth_dir, self.reporter)
        truth = load_truth(truth_dir)

        def unseen(portrait: Portrait, encoder: AudioEncoder) -> dict[str, float]:
            poses = [portrait.pose_index(index) for index in range(round(NEW_SPEECH_S * FPS))]
            speech = NewSpeech.say(options, NEW_SPEECH_S, NEW_SPEECH_SEED, poses)
            wav = read_audio(truth.audio_path)
            found = asdict(lip_sync(portrait, truth, wav, speech, poses, encoder.encode, Dump(None)))
            return {f"unseen_{name}": value for name, value in found.items()}

        return self._clip(video, "demo", size_px, unseen)

    def clip(self, video: Path, size_px: int, speeches: Sequence[Path]) -> dict[str, dict[str, float]]:
        """A real clip on held-out frames, and its lips at the phones of real speech, by encoder."""

        def driven(portrait: Portrait, encoder: AudioEncoder) -> dict[str, float]:
            found = [self._lips_at(portrait, encoder, speech) for speech in speeches]
            return LipsAtPhones.pooled(found).as_json() if found else {}

        return self._clip(video, video.stem, size_px, driven)

    def _clip(
        self,
        video: Path,
        name: str,
        size_px: int,
        more: Callable[[Portrait, AudioEncoder], dict[str, float]],
    ) -> dict[str, dict[str, float]]:
        return {encoder: self._heard_by(encoder, video, name, size_px, more) for encoder in self.encoders}

    def _heard_by(
        self,
        encoder_name: str,
        video: Path,
        name: str,
        size_px: int,
        more: Callable[[Portrait, AudioEncoder], dict[str, float]],
    ) -> dict[str, float]:
        run = f"{name}-{encoder_name}" + (f"-seed{self.seed}" if self.seed else "")
        kept = self.work / f"{run}.json"
        if kept.is_file():
            return json.loads(kept.read_text())
        take, wav = self._take(video, name, size_px)
        encoder, began = load_encoder(encoder_name).fit(wav), time.monotonic()
        features = encoder.encode(wav)
        encoder_s = time.monotonic() - began
        take = replace(take, audio_features=features, audio_encoder=encoder_name)
        portrait = Portrait(self._scene(take, size_px, run), take)
        portrait.set_audio(features, len(take))
        instruments = Instruments.load(EvalOptions(), compares=True, edited=False)
        seen = evaluate(
            portrait, wav, lambda: load_detector("mediapipe"), reporter=self.reporter, instruments=instruments
        )
        figures = {new: seen.figures[old] for old, new in _MEASURED.items() if old in seen.figures}
        figures |= {"encoder_s_per_min": 60.0 * encoder_s * AUDIO_RATE_HZ / len(wav)}
        save_picture(self.work / f"{run}.png", _sheet(portrait))
        figures |= more(portrait, encoder)
        write_record(kept, figures)
        return figures

    def _take(self, video: Path, name: str, size_px: int) -> tuple[Take, np.ndarray]:
        folder = self.work / f"{name}-take"
        if not (folder / "take.json").is_file():
            build_take(video, folder, TakeOptions(size_px=size_px, audio="mel"), self.reporter)
        return load_take(folder), read_audio(TakeFolder(folder).audio)

    def _scene(self, take: Take, size_px: int, run: str):
        kernels = choose_kernels("auto", self.reporter)
        options = FitOptions(training_steps=self.training_steps, seed=self.seed)
        field = options.field(kernels, len(take) / FPS, size_px)
        workdir = self.work / f"{run}-fit"
        workdir.mkdir(exist_ok=True)
        return fit_scene(take, field, kernels, self.reporter, workdir, choose_lip_bank(self.reporter))

    def _lips_at(self, portrait: Portrait, encoder: AudioEncoder, speech: Path) -> LipsAtPhones:
        wav = read_audio(speech, end_s=LONGEST_DRIVE_S)
        portrait.set_audio(encoder.encode(wav))
        return lips_at_phones(portrait, _phones(speech), self.reporter)


@cache
def _phones(speech: Path):
    return spoken_phones(read_audio(speech, end_s=LONGEST_DRIVE_S))


def _sheet(portrait: Portrait) -> np.ndarray:
    take = portrait.take
    frames = spaced(take.held_out, SHEET_FRAMES)
    found = [to_bytes(portrait.render(index, pose=index).rgb) for index in frames]
    return contact_sheet([[take.frames[index] for index in frames], found], row_names=("filmed", "fitted"))


def as_keys(found: Mapping[str, Mapping[str, Mapping[str, float]]], encoder: str) -> dict[str, float]:
    """The benchmark's keys for one encoder: `found` is by clip, encoder and figure."""
    by_clip = {clip: figures[encoder] for clip, figures in found.items() if encoder in figures}
    real = [figures for clip, figures in by_clip.items() if clip != "demo"]

    def mean(name: str) -> float | None:
        values = [figures[name] for figures in real if figures.get(name) is not None]
        return round(float(np.mean(values)), 4) if values else None

    demo, anchor = by_clip.get("demo", {}), next((f for clip, f in by_clip.items() if clip.startswith("anchor")), {})
    keys = {
        "demo_opening_r": demo.get("unseen_mouth_corr"),
        "demo_width_r": demo.get("unseen_mouth_width_corr"),
        "anchor_opening_r": anchor.get("opening_r"),
        "anchor_amplitude": anchor.get("amplitude"),
        "anchor_lmd_px": anchor.get("lmd_px"),
        "real_opening_r": mean("opening_r"),
        "real_width_r": mean("width_r"),
        "closed_lips_share": mean("closed_share"),
        "open_vowels_shut_share": mean("open_vowels_shut_share"),
        "held_vowel_jitter": mean("held_vowel_jitter"),
        "encoder_s_per_min": mean("encoder_s_per_min"),
    }
    return {name: value for name, value in keys.items() if value is not None}


def ears_table(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """For people: a line a clip and encoder."""
    lines = [
        f"{clip:28} {encoder:8} "
        + "  ".join(f"{name} {value:.3f}" for name, value in figures.items() if value is not None)
        for clip, by_encoder in found.items()
        for encoder, figures in by_encoder.items()
    ]
    return "\n".join(lines)
