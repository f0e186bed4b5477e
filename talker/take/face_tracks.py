"""Who is seen when: the faces of a clip's stretches, compared with each other.

A stretch is a piece of one shot in which one face is followed. Where a clip has several, each is compared with those
of whoever it may be, the longest first, and whoever is seen longest is the speaker. What is compared are embeddings of
dlib's face network where its weights are there, and else what the face looks like under its landmarks.

Notation: k faces of a stretch, D numbers of a pattern.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

import cv2
import numpy as np

from talker.core.errors import Missing
from talker.take.even_sample import EvenSample
from talker.take.face_similarity import face_pattern
from talker.take.identity import FaceIdentity, align_face, distance
from talker.take.landmarks import LandmarkDetector

# Five real people, stretches of some seconds, each face against the nearest of another stretch, the median of those.
# Embeddings: at most 0.41 within a person, in other light, out of focus and small, and at least 0.67 between two.
# Patterns: at least 0.89, or 0.80 where the light moved to the side, and at most 0.71.
SAME_EMBEDDING = 0.55
SAME_PATTERN = 0.78
LONGEST_GAP = 15  # frames without a face, after which it may be somebody else's
FARTHEST = 1.0  # of the face's side, by which it may move from one look to the next
FACES_COMPARED = 6  # of a stretch, at least, where it has so many
FACE_ROOM = 0.5  # of the face's side: kept around it
FACE_SIDE_PX = 288  # and it is looked at at up to this size
NEAR_CUT = 1  # frames: a look so near to a cut may show either side


@dataclass(frozen=True)
class FaceSamples:
    """What faces of one stretch look like."""

    patterns: np.ndarray  # [k, D] of unit length
    embeddings: np.ndarray | None  # [k, 128]; None without the network's weights

    def and_those_of(self, other: FaceSamples) -> FaceSamples:
        known = self.embeddings is not None and other.embeddings is not None
        return FaceSamples(
            np.concatenate([self.patterns, other.patterns]),
            np.concatenate([self.embeddings, other.embeddings]) if known else None,
        )


@dataclass(eq=False)
class FaceTrack:
    """Looks at one face, one after the other."""

    shot: int
    first: int  # frames of the first look and of the last
    last: int
    box: np.ndarray  # [4] in the last
    looks: int = 1
    sample: EvenSample[np.ndarray] = field(default_factory=lambda: EvenSample(FACES_COMPARED))
    faces: FaceSamples | None = None  # None: no landmarks were found, or nobody asked


@dataclass(frozen=True)
class SpeakerTracks:
    """Whose frames are whose; what is in neither shows nobody."""

    speaker: tuple[range, ...]
    others: tuple[range, ...]

    def shows_speaker(self, frame: int) -> bool:
        return any(frame in frames for frames in self.speaker)

    def shows_other(self, frame: int) -> bool:
        return any(frame in frames for frames in self.others)


class FaceTracker:
    """Watches a search for faces, and says in the end who was seen when."""

    def __init__(
        self,
        detector: LandmarkDetector,
        cuts: list[int],  # frames with which another shot begins, ascending
    ) -> None:
        self._detector, self._cuts = detector, cuts
        self._tracks: list[FaceTrack] = []
        self._network: FaceIdentity | None = None
        self._asked = False

    def watch(
        self,
        frame: int,
        rgb: np.ndarray,  # [H, W, 3] uint8
        box: np.ndarray,  # [4] the face in it, NaN where there is none
    ) -> None:
        if not np.isfinite(box[0]):
            return
        shot = bisect_right(self._cuts, frame)
        now = self._tracks[-1] if self._tracks else None
        if now is None or now.shot != shot or frame - now.last > LONGEST_GAP or has_jumped(now.box, box):
            if now is not None:
                self._describe(now)
            now = FaceTrack(shot, frame, frame, box)
            self._tracks.append(now)
        else:
            now.last, now.box, now.looks = frame, box, now.looks + 1
        if all(abs(frame - cut) > NEAR_CUT for cut in self._cuts[max(0, shot - 1) : shot + 1]):
            now.sample.offer(cut_out(rgb, box))

    def tracks(
        self,
        frames: int,  # of the clip
    ) -> SpeakerTracks:
        found = self._tracks
        if len(found) > 1:
            self._describe(found[-1])
            lead = leading(found)
        else:
            lead = found
        places = self._places(frames)
        return SpeakerTracks(
            tuple(place for track, place in zip(found, places, strict=True) if track in lead),
            tuple(
                place
                for track, place in zip(found, places, strict=True)
                if track not in lead and track.faces is not None
            ),
        )

    def _places(self, frames: int) -> list[range]:
        """The frames of every stretch: its whole shot, or a part of it where others share it."""
        edges = [0, *self._cuts, frames]
        places = []
        for index, now in enumerate(self._tracks):
            before = self._tracks[index - 1] if index else None
            after = self._tracks[index + 1] if index + 1 < len(self._tracks) else None
            start, end = edges[now.shot], edges[now.shot + 1]
            if before is not None and before.shot == now.shot:
                start = (before.last + now.first + 1) // 2
            if after is not None and after.shot == now.shot:
                end = (now.last + after.first + 1) // 2
            places.append(range(start, end))
        return places

    def _describe(self, track: FaceTrack) -> None:
        """Look at the stretch's faces, and let the pictures go."""
        seen = [(face, self._detector.detect_still(face)) for face in track.sample.kept]
        seen = [(face, points) for face, points in seen if points is not None]
        track.sample = EvenSample(FACES_COMPARED)
        if not seen:
            return
        inner = np.ones(len(seen[0][1]), bool)
        inner[list(self._detector.oval)] = False
        embeddings = None
        if self._embedder() is not None:
            ibug = list(self._detector.ibug)
            embeddings = self._embedder().embed_aligned([align_face(face, points[ibug, :2]) for face, points in seen])
        track.faces = FaceSamples(np.stack([face_pattern(*one, inner) for one in seen]), embeddings)

    def _embedder(self) -> FaceIdentity | None:
        if not self._asked:
            self._asked = True
            try:
                self._network = FaceIdentity.load()
            except Missing:  # the patterns tell, too
                self._network = None
        return self._network


def leading(tracks: list[FaceTrack]) -> list[FaceTrack]:
    """The stretches of whoever is seen longest."""
    rest = sorted((one for one in tracks if one.faces is not None), key=lambda one: -one.looks)
    best: list[FaceTrack] = []
    while rest:
        group = [rest.pop(0)]
        gallery = group[0].faces
        for one in list(rest):
            if same_person(one.faces, gallery):
                group.append(one)
                rest.remove(one)
                gallery = gallery.and_those_of(one.faces)
        best = max(best, group, key=lambda some: sum(one.looks for one in some))
    return best


def same_person(one: FaceSamples, gallery: FaceSamples) -> bool:
    """Whether most of the faces look like some face of the gallery."""
    if one.embeddings is not None and gallery.embeddings is not None:
        apart = distance(one.embeddings[:, None], gallery.embeddings).min(axis=1)
        return bool(np.median(apart) < SAME_EMBEDDING)
    return bool(np.median((one.patterns @ gallery.patterns.T).max(axis=1)) > SAME_PATTERN)


def has_jumped(
    before: np.ndarray,  # [4] x0, y0, x1, y1
    after: np.ndarray,  # [4]
) -> bool:
    moved = np.abs((after[:2] + after[2:] - before[:2] - before[2:]) / 2.0).max()
    return bool(moved > FARTHEST * max(before[2] - before[0], after[2] - after[0]))


def cut_out(
    rgb: np.ndarray,  # [H, W, 3] uint8
    box: np.ndarray,  # [4]
) -> np.ndarray:  # [h, w, 3] uint8
    """The face with some room around it, not larger than it need be."""
    height, width = rgb.shape[:2]
    room = FACE_ROOM * (box[2] - box[0])
    x0, y0 = np.clip(box[:2] - room, 0, (width - 2, height - 2)).astype(int)
    x1, y1 = np.clip(box[2:] + room, (x0 + 2, y0 + 2), (width, height)).astype(int)
    face = rgb[y0:y1, x0:x1]
    shrink = min(1.0, FACE_SIDE_PX / max(face.shape[:2]))
    if shrink < 1.0:
        return cv2.resize(face, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(face)
