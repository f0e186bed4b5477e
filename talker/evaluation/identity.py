"""Is it still the same person? Distances of two networks' embeddings, each beside its control.

Notation: N frames, n of them looked at, D numbers in an embedding.

dlib's network says whose face it is at every `STEP`-th frame, and in views that nobody filmed; ArcFace's, where its
weights are, at every frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from talker.core.types import Reporter
from talker.evaluation import arcface
from talker.evaluation.faces import has_face
from talker.take import identity
from talker.take.identity import FaceIdentity, distance

STEP = 5  # successive frames tell little more of who it is
BATCH = 16


@dataclass(frozen=True)
class IdentityFigures:
    """1 - cosine: 0 the same, about 1 strangers. None where no face is found."""

    identity_distance: float | None  # render against reference, frame by frame
    identity_distance_itself: float | None  # the reference against itself, half its length away
    tracks: dict[str, np.ndarray] = field(repr=False)


@dataclass(frozen=True)
class FaceFigures:
    """Distances of dlib's embeddings: one person's lie below 0.6. None where no face is found."""

    face_distance: float | None  # render against reference, frame by frame
    face_distance_itself: float | None  # the reference against itself, half its length away
    face_distance_turned: float | None = None  # renders from other views against the reference's same frames
    face_distance_turned_unedited: float | None = None  # the unedited speaker's from the same views


@dataclass(frozen=True)
class Looked:
    """Frames with their landmarks."""

    pictures: np.ndarray  # [n, H, W, 3] uint8
    faces: np.ndarray  # [n, 68, 2]; nan where no face is found


def measure_identity(
    found: Looked,
    reference: Looked,  # the same frames
    embed: arcface.Embed,
    reporter: Reporter,
) -> IdentityFigures:
    """By ArcFace."""
    reporter.progress("recognise", 0.0)
    shown, wanted = (embeddings(looked, arcface.align_face, embed) for looked in (found, reference))
    reporter.progress("recognise", 1.0)
    track, itself = (1.0 - (one * wanted).sum(axis=-1) for one in (shown, half_away(wanted)))
    return IdentityFigures(mean_of(track), mean_of(itself), {"identity_distance": track})


def measure_face(
    found: Looked,
    reference: Looked,  # the same frames
    network: FaceIdentity,
    reporter: Reporter,
    *,
    turned: Looked | None = None,  # the speaker from other views
    unedited: Looked | None = None,  # the unedited speaker from the same views
    rows: tuple[int, ...] = (),  # of the reference: the frames that were turned
) -> FaceFigures:
    """By dlib's network."""
    reporter.progress("recognise", 0.0)

    def embedded(looked: Looked) -> np.ndarray:
        return embeddings(looked, identity.align_face, lambda faces: network.embed_aligned(list(faces)))

    some = slice(None, None, STEP)
    shown, wanted = (embedded(Looked(each.pictures[some], each.faces[some])) for each in (found, reference))
    filmed = embedded(Looked(reference.pictures[list(rows)], reference.faces[list(rows)])) if rows else None
    aside = [mean_of(distance(embedded(each), filmed)) if each is not None else None for each in (turned, unedited)]
    reporter.progress("recognise", 1.0)
    return FaceFigures(mean_of(distance(shown, wanted)), mean_of(distance(half_away(wanted), wanted)), *aside)


def embeddings(
    looked: Looked,
    align: Callable[[np.ndarray, np.ndarray], np.ndarray],  # a picture and its landmarks -> an aligned face
    embed: Callable[[np.ndarray], np.ndarray],  # [N, S, S, 3] uint8 -> [N, D]
) -> np.ndarray:  # [n, D]; nan where no face is found
    there = np.flatnonzero(has_face(looked.faces))
    if not len(there):
        return np.full((len(looked.faces), 1), np.nan)
    aligned = [align(looked.pictures[index], looked.faces[index]) for index in there]
    known = np.concatenate([embed(np.stack(aligned[first : first + BATCH])) for first in range(0, len(there), BATCH)])
    found = np.full((len(looked.faces), known.shape[1]), np.nan)
    found[there] = known
    return found


def half_away(
    values: np.ndarray,  # [n, D]; nan where unknown
) -> np.ndarray:  # [n, D]
    """Each known one's partner, half of the known away."""
    there = np.flatnonzero(np.isfinite(values[:, 0]))
    partners = values.copy()
    partners[there] = values[np.roll(there, len(there) // 2)]
    return partners


def mean_of(
    values: np.ndarray,  # [n]; nan where unknown
) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
