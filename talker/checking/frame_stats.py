"""What is seen of the speaker and the room, five times a second.

Notation: n looks, M landmarks, h x w the pixels of a small picture. NaN where there is no face. Pictures are
measured as they come by and not kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from talker.checking.head import (
    EDGES,
    MOST_HEAD_VIEWS,
    MOST_TURNED,
    HeadView,
    cut_by_edges,
    hair_share,
    quarters_off,
    search_turned,
    usual_quarters,
)
from talker.core.images import grown
from talker.take.crop import FaceSearch, choose_crop
from talker.take.even_sample import EvenSample
from talker.take.face_similarity import colours_under, likeness
from talker.take.landmarks import LandmarkDetector
from talker.take.pose import solve_motion

FACE_ROOM = 0.4  # of the face's side: added around it before landmarks are read
FACE_SIDE_PX = 288  # and landmarks are read at up to this size
SHARPNESS_SIDE_PX = 96  # about what a take of 256 px holds of a face
NOSE_TIP = 30  # iBUG
INNER_FACE = range(17, 68)  # iBUG: all but the jaw, which lies on the background as often as not
SEGMENT_SIDE_PX = 256
ROOM_EVERY = 2  # looks: the room is compared at half the rate
PERSON = 0.1  # of the matte: from here on the speaker may cover the room
PERSON_REACH = 0.04  # of the picture's side: the matte's outline is not exact
FEWEST_POSES = 5  # looks from which head poses can be solved
BURNT = 240  # grey level from which on there is no detail: cameras and codecs do not all call white 255


@dataclass(frozen=True)
class FrameStats:
    times_s: np.ndarray  # [n] seconds of the file
    boxes: np.ndarray  # [n, 4] the face, source pixels
    rival: np.ndarray  # [n] bool: somebody else's face was there, too
    angles_deg: np.ndarray  # [n, 3] yaw to the viewer's right, pitch with the chin up, roll
    colours: np.ndarray  # [n, M, 3] under the landmarks, in [0, 255]
    inner: np.ndarray  # [M] bool: landmarks that do not lie on the face's outline
    below: np.ndarray  # [M] bool: landmarks below the nose's tip
    sharpness: np.ndarray  # [n] fine detail over coarse
    light: np.ndarray  # [n, 3] 5th, 50th and 95th percentile of the face's grey levels
    burnt: np.ndarray  # [n] share of the face that is burnt out
    unrest: np.ndarray  # [h, w] grey levels by which the room changes in two looks; NaN where it was never seen
    cut: np.ndarray  # [n, 4] bool: the head goes beyond an edge of the picture, in the order of `head.EDGES`
    hair_share: float  # hair over face, pixels; NaN where too little was seen
    quarters: int  # how often the picture must be turned left by 90 degrees to stand upright

    @property
    def face_px(self) -> np.ndarray:  # [n] height of the face, from the brows or above to the chin
        return self.boxes[:, 3] - self.boxes[:, 1]

    @property
    def seen(self) -> np.ndarray:  # [n] bool: landmarks were found
        return np.isfinite(self.colours[:, 0, 0])

    @cached_property
    def likeness(self) -> np.ndarray:  # [n, 2]
        """How much the upper and the lower half of the face look as they usually do."""
        return likeness(self.colours, self.inner, self.below)


class FrameStatsCollector:
    """Watches a search for faces: `search_faces(..., watch=lookout.watch)`."""

    def __init__(self, detector: LandmarkDetector, segment: Callable[[np.ndarray], np.ndarray]) -> None:
        self._detector, self._segment = detector, segment
        self.detect_s: list[float] = []  # how long landmarks took, look by look
        self.segment_s: list[float] = []  # and mattes
        self._points: list[np.ndarray] = []  # [68, 3] of the look's pixels
        self._colours: list[np.ndarray] = []
        self._faces: list[tuple[float, ...]] = []
        self._room: tuple[np.ndarray, np.ndarray] | None = None  # grey, covered
        self._change: np.ndarray | None = None
        self._compared: np.ndarray | None = None
        self._cut: list[np.ndarray] = []
        self._quarters: list[int] = []
        self._turned = 0  # looks without a face that were turned to find one
        self._sample: EvenSample[tuple[int, HeadView]] = EvenSample(MOST_HEAD_VIEWS)  # by their looks
        self._size = (0, 0)
        self._below = np.zeros(1, bool)

    def watch(self, rgb: np.ndarray, box: np.ndarray) -> None:
        self._size = (rgb.shape[1], rgb.shape[0])
        points = self._landmarks(rgb, box)
        if points is None:
            self._points.append(np.full((68, 3), np.nan))
            self._colours.append(np.full((1, 3), np.nan))
            self._faces.append((np.nan,) * 5)
            self._look_turned(rgb)
        else:
            landmarks = points[list(self._detector.ibug)]
            self._below = points[:, 1] > landmarks[NOSE_TIP, 1]
            self._points.append(landmarks)
            self._colours.append(colours_under(rgb, points))
            self._faces.append(face_facts(rgb, landmarks))
            self._quarters.append(quarters_off(landmarks))
        self._cut.append(np.zeros(len(EDGES), bool) if not self._cut else self._cut[-1])
        if len(self._points) % ROOM_EVERY:
            self._compare_room(rgb, points)

    def _look_turned(self, rgb: np.ndarray) -> None:
        if self._turned < MOST_TURNED:
            self._turned += 1
            quarters = search_turned(rgb, self._detector)
            if quarters is not None:
                self._quarters.append(quarters)

    def _landmarks(self, rgb: np.ndarray, box: np.ndarray) -> np.ndarray | None:
        if not np.isfinite(box[0]):
            return None
        room = FACE_ROOM * (box[2] - box[0])
        x0, y0, x1, y1 = (max(0, int(corner)) for corner in (*(box[:2] - room), *(box[2:] + room)))
        face = rgb[y0:y1, x0:x1]
        if not face.size:  # detectors now and then see one beside the picture
            return None
        shrink = min(1.0, FACE_SIDE_PX / max(face.shape[:2]))
        if shrink < 1.0:
            face = cv2.resize(face, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        started = time.perf_counter()
        points = self._detector.detect(np.ascontiguousarray(face))
        self.detect_s.append(time.perf_counter() - started)
        return None if points is None else points / shrink + [x0, y0, 0.0]

    def _compare_room(self, rgb: np.ndarray, points: np.ndarray | None) -> None:
        """Adds up how the room changes where the speaker stands before it neither now nor in the look before."""
        shrink = min(1.0, SEGMENT_SIDE_PX / max(rgb.shape[:2]))
        small = cv2.resize(rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        reach_px = max(1, round(PERSON_REACH * max(small.shape[:2])))
        started = time.perf_counter()
        matte = self._segment(small)
        self.segment_s.append(time.perf_counter() - started)
        if points is not None:
            points = points * [shrink, shrink, shrink]
            self._cut[-1] = cut_by_edges(points[list(self._detector.ibug)], matte)
            self._sample.offer((len(self._points) - 1, HeadView(small.copy(), matte, points)))
        covered = grown(matte > PERSON, reach_px)
        grey = cv2.blur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (3, 3)).astype(np.float32)
        if self._room is not None:
            before, covered_before = self._room
            free = ~(covered | covered_before)
            change = grey - before
            if free.any():
                change = np.abs(change - np.median(change[free]))  # exposure is not the room's
                self._change = np.where(free, change, 0.0) + (0.0 if self._change is None else self._change)
                self._compared = free + (0 if self._compared is None else self._compared)
        self._room = (grey, covered)

    def looks(
        self,
        search: FaceSearch,
        start_s: float,
        size_px: tuple[int, int],  # (width, height) of the source
    ) -> FrameStats:
        """All that was seen, beside what the search found."""
        own = np.isfinite(search.boxes[:, 0])[:, None]  # other people's looks count for nothing
        points = np.where(own[..., None], np.array(self._points), np.nan)
        facts = np.where(own, np.array(self._faces), np.nan)
        count = max(len(colours) for colours in self._colours)
        nothing = np.full((count, 3), np.nan)
        colours = np.array([one if len(one) == count else nothing for one in self._colours])
        colours = np.where(own[..., None], colours, np.nan)
        inner = np.ones(count, bool)
        if len(self._detector.oval) and count > max(self._detector.oval):
            inner[list(self._detector.oval)] = False
        unrest = np.full((1, 1), np.nan)
        if self._change is not None:
            unrest = np.where(self._compared > 0, self._change / np.maximum(self._compared, 1), np.nan)
        hair = float("nan")
        head_views = [head_view for look, head_view in self._sample.kept if own[look]]
        if head_views:
            crop = choose_crop(search, size_px)
            hair = hair_share([head_view.cropped(crop, size_px[0]) for head_view in head_views], self._detector)
        return FrameStats(
            times_s=search.times_s + start_s,
            boxes=search.boxes,
            rival=search.rival,
            angles_deg=head_angles_deg(points, self._size),
            colours=colours,
            inner=inner,
            below=self._below,
            sharpness=facts[:, 0],
            light=facts[:, 1:4],
            burnt=facts[:, 4],
            unrest=unrest,
            cut=np.array(self._cut) & own,
            hair_share=hair,
            quarters=usual_quarters(self._quarters),
        )


def face_facts(
    rgb: np.ndarray,  # [H, W, 3] uint8
    landmarks: np.ndarray,  # [68, 2 or 3] pixels
) -> tuple[float, ...]:
    """Sharpness, three percentiles of the grey levels, and the share burnt out, of brows to lips."""
    inner = landmarks[list(INNER_FACE), :2]
    low = np.clip(np.floor(inner.min(axis=0)).astype(int), 0, None)
    high = np.ceil(inner.max(axis=0)).astype(int) + 1
    face = rgb[low[1] : high[1], low[0] : high[0]]
    if min(face.shape[:2]) < 4:
        return (np.nan,) * 5
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    return (sharpness(grey, float(np.ptp(landmarks[:, 0]))), *np.percentile(grey, [5, 50, 95]), burnt_share(face))


def burnt_share(
    face: np.ndarray,  # [H, W, 3] uint8
) -> float:
    """Share of the pixels of which at most one channel still holds detail: warm skin loses its red long before."""
    return float((np.median(face, axis=-1) >= BURNT).mean())


def sharpness(
    grey: np.ndarray,  # [H, W] uint8 of a face's inside
    face_px: float,  # the width of the whole face there
) -> float:
    """Detail of one to two pixels over detail of up to eight, at the size that a small take shows a face."""
    shrink = SHARPNESS_SIDE_PX / face_px
    if shrink < 1.0:
        grey = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    fine = grey.astype(np.float32)
    middle, coarse = cv2.GaussianBlur(fine, (0, 0), 1.0), cv2.GaussianBlur(fine, (0, 0), 4.0)
    return float(np.std(fine - middle) / (np.std(middle - coarse) + 1.0))


def head_angles_deg(
    points: np.ndarray,  # [n, 68, 3] pixels; NaN where there is no face
    size_px: tuple[int, int],
) -> np.ndarray:  # [n, 3]
    """Where the face looks: positive yaw to the viewer's right, positive pitch up, positive roll clockwise."""
    seen = np.isfinite(points[:, 0, 0])
    angles = np.full((len(points), 3), np.nan)
    if seen.sum() < FEWEST_POSES:
        return angles
    rotation = solve_motion(points[seen], tuple(range(68)), size_px).rotation
    ahead, right = -rotation[:, :, 2], rotation[:, :, 0]
    yaw = np.arctan2(ahead[:, 0], -ahead[:, 2])
    pitch = np.arcsin(np.clip(-ahead[:, 1], -1.0, 1.0))
    roll = np.arctan2(right[:, 1], right[:, 0])
    angles[seen] = np.degrees(np.stack([yaw, pitch, roll], axis=1))
    return angles
