"""From a speaker to its figures: render, find faces, measure.

Notation: N frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from talker.core.errors import BadInput
from talker.core.types import AUDIO_RATE_HZ, FPS, Reporter, Silent
from talker.driving.render import Portrait
from talker.evaluation.clip import measure_direction
from talker.evaluation.faces import find_faces
from talker.evaluation.footage import (
    Footage,
    edited_footage,
    held_out_footage,
    spoken_footage,
    successive,
    turned_pictures,
)
from talker.evaluation.held_out import nearest_in_training
from talker.evaluation.identity import FaceFigures, Looked, measure_face, measure_identity
from talker.evaluation.images import measure_images
from talker.evaluation.instruments import Instruments
from talker.evaluation.lip_sync import measure_lip_sync
from talker.evaluation.missing import causes_of_gaps
from talker.evaluation.mouth import LoudnessGuess, measure_mouth
from talker.evaluation.options import FEWEST_FRAMES, EvalOptions
from talker.evaluation.steadiness import measure_steadiness
from talker.evaluation.syncnet import measure_sync
from talker.evaluation.warping import measure_warping
from talker.take.audio import AudioEncoder
from talker.take.identity import FaceIdentity
from talker.take.landmarks import LandmarkDetector
from talker.take.speech import Speech
from talker.video import read_audio


@dataclass(frozen=True)
class NewSpeech:
    """Speech that is not the take's own."""

    wav: np.ndarray  # [T] 16 kHz
    features: Tensor  # [T', C] from the take's encoder

    @property
    def frames(self) -> int:
        return len(self.wav) * FPS // AUDIO_RATE_HZ

    @classmethod
    def listen(
        cls,
        path: Path,
        frames: int,  # hear no more than these need
        encoder: AudioEncoder,  # the take's own
        reporter: Reporter = Silent(),
    ) -> NewSpeech:
        """BadInput when there is nothing to hear, or too little."""
        source = Speech.listen(path, reporter=reporter).source
        wav = read_audio(source, end_s=(frames + 1) / FPS)
        speech = cls(wav, encoder.encode(wav))
        if speech.frames < FEWEST_FRAMES:
            raise BadInput(f"{path.name} lasts {speech.frames / FPS:.1f} s; {FEWEST_FRAMES / FPS:g} s are the least")
        return speech


@dataclass(frozen=True)
class Evaluation:
    """What was measured, on what."""

    figures: dict[str, float]  # by the names in `talker.evaluation.figures.METRICS`, their controls among them
    tracks: dict[str, np.ndarray]  # [N] each, nan where unknown
    left_out: dict[str, str]  # measure -> why, and what to do about it
    footage: Footage
    found_faces: np.ndarray  # [N, 68, 2]; nan where no face is found
    reference_faces: np.ndarray


def evaluate(
    portrait: Portrait,  # as fitted
    wav: np.ndarray,  # [T] the take's own sound, 16 kHz
    load: Callable[[], LandmarkDetector],  # the take's own kind of detector
    options: EvalOptions = EvalOptions(),
    reporter: Reporter = Silent(),
    *,
    edited: Portrait | None = None,  # judge this edit, against `portrait`
    speech: NewSpeech | None = None,  # instead of the take's own, held out
    instruments: Instruments | None = None,  # None: load them
) -> Evaluation:
    """Judge the fitted speaker on frames that it never saw, or an edit against the fitted speaker."""
    compares = edited is None and speech is None
    if instruments is None:
        instruments = Instruments.load(options, compares=compares, edited=edited is not None)
    footage = _film(portrait, wav, edited, speech, options.frames, reporter)
    found_faces = find_faces(footage.found, load, "find faces", reporter)
    reference_faces = find_faces(footage.reference, load, "find true faces", reporter)
    measured: list = []
    nearest_faces = None
    if compares:
        measured.append(measure_images(footage, instruments.lpips, reporter))
        nearest = [footage.take.frames[nearest_in_training(footage.take, pose)] for pose in footage.poses]
        nearest_faces = find_faces(nearest, load, "find faces of nearest poses", reporter, successive=False)
    guess = LoudnessGuess.of(footage.take, wav, footage.wav, len(footage))
    measured += [
        measure_mouth(found_faces, reference_faces, guess, same_speech=footage.same_speech, nearest=nearest_faces),
        measure_lip_sync(instruments.ear, footage.wav, found_faces, reference_faces if footage.same_speech else None),
        measure_steadiness(found_faces, reference_faces),
        measure_warping(footage.found, footage.reference, reporter, one_motion=footage.same_speech),
    ]
    found, reference = Looked(footage.found, found_faces), Looked(footage.reference, reference_faces)
    if instruments.faces is not None:
        measured.append(_recognise(portrait, edited, footage, found, reference, instruments.faces, load, reporter))
    if instruments.embed is not None:
        measured.append(measure_identity(found, reference, instruments.embed, reporter))
    if instruments.syncnet is not None:
        said = footage.reference if footage.same_speech else None
        measured.append(
            measure_sync(instruments.syncnet, footage.wav, footage.found, found_faces, said, reference_faces, reporter)
        )
    if instruments.clip is not None:
        captions = (options.caption_before, options.caption_after)
        measured.append(measure_direction(instruments.clip, footage.found, footage.reference, *captions, reporter))
    values: dict = {}
    tracks: dict[str, np.ndarray] = {}
    for figures in measured:
        known = asdict(figures)
        tracks |= known.pop("tracks", {})
        values |= known
    left_out = instruments.left_out | causes_of_gaps(values, len(footage), same_speech=footage.same_speech)
    figures = {key: value for key, value in values.items() if value is not None and np.isfinite(value)}
    return Evaluation(figures, tracks, left_out, footage, found_faces, reference_faces)


def _recognise(
    portrait: Portrait,
    edited: Portrait | None,
    footage: Footage,
    found: Looked,
    reference: Looked,
    network: FaceIdentity,
    load: Callable[[], LandmarkDetector],
    reporter: Reporter,
) -> FaceFigures:
    """Whose face it is, from the front and from the sides."""
    turned: list[Looked] = []
    rows: tuple[int, ...] = ()
    for each in filter(None, (edited, portrait)):
        rows, pictures = turned_pictures(each, footage, reporter)
        faces = find_faces(pictures, load, "find faces from the sides", reporter, successive=False)
        turned.append(Looked(pictures, faces))
    unedited = turned[1] if edited is not None else None
    return measure_face(found, reference, network, reporter, turned=turned[0], unedited=unedited, rows=rows)


def _film(
    portrait: Portrait,
    wav: np.ndarray,
    edited: Portrait | None,
    speech: NewSpeech | None,
    frames: int,
    reporter: Reporter,
) -> Footage:
    take = portrait.take
    held_out = successive(take)
    if len(held_out) < FEWEST_FRAMES:
        raise BadInput(f"The take holds out {len(held_out)} frames in a row; {FEWEST_FRAMES} are the least: film more")
    features, length = (take.audio_features, len(take)) if speech is None else (speech.features, speech.frames)
    for each in (portrait, edited):
        if each is not None:
            each.set_audio(features, length)
    if speech is None:
        footage, first = held_out_footage(portrait, wav, frames, reporter), held_out[0]
    else:
        footage, first = spoken_footage(portrait, speech.wav, frames, reporter), 0
    return footage if edited is None else edited_footage(edited, footage, first, reporter)
