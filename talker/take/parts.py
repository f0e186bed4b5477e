"""Parts of the speaker by landmarks, pose and colour: face, brows, eyes, lips, mouth, hair, ears, neck, torso.

Landmarks outline what lies inside the face. For the rest, every pixel has a place in the head frame (where its ray
meets the head's middle plane) and a colour; colours of skin, hair and clothes are learnt from the clip itself, from
places that can hardly be anything else.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from talker.core.images import grown
from talker.core.types import BACKGROUND, BROWS, EARS, EYES, FACE, HAIR, LIPS, MOUTH, NECK, TORSO
from talker.take.landmarks import LandmarkDetector
from talker.take.pose import HeadMotion

SKIN, DARK, CLOTH = range(3)  # colour classes: skin, hair, clothes
BINS = 16  # per Lab channel
UNKNOWN = 1e-4  # likelihood of a colour that was never seen
BROW_WIDTH = 0.055  # head units: iBUG's brow points run along the brow's middle
EAR_BAND = (-0.2, 0.46)  # head frame y between which skin outside the face is an ear
EAR_FROM = 0.45  # head frame |x| beyond which that holds
EAR_HIDDEN_SINE = 0.12  # sine of the turn from which the far ear is out of sight
NECK_HALF_WIDTH = 0.5  # head frame |x| beyond which there is no neck below the ears
NECK_END = 1.6  # head frame y below which skin is shoulder
HAIR_END = 0.95  # head frame y below which hair counts as torso: the head's field ends at 1
BESIDE_NECK = 2.0  # log-likelihood by which skin may lead there, for blond hair is half like skin
SCORE_RADIUS = 0.012  # head units over which colours are averaged before they vote
LOCK_WIDTH = 0.07  # head units: hair below the jaw hangs from the head by locks no thinner than this
PERSON = 0.5  # matte above which a pixel belongs to the speaker


@dataclass(frozen=True)
class ColourModel:
    """Log-likelihood of a Lab colour under each of the colour classes."""

    table: np.ndarray  # [3, BINS, BINS, BINS] float32
    skin_lightness: float  # median, as a bin

    def __call__(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> tuple[np.ndarray, np.ndarray]:  # [3, H, W]; [H, W] bool: darker than lit skin
        lightness, b, c = np.moveaxis(lab_bins(rgb), -1, 0)
        return self.table[:, lightness, b, c], lightness < self.skin_lightness


def lab_bins(rgb: np.ndarray) -> np.ndarray:
    """Bin indices [..., 3] of colours; hue and saturation, which occupy the middle of Lab's range, are spread out."""
    lab = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB).astype(np.float32)
    lab[..., 1:] = (lab[..., 1:] - 128.0) * 2.5 + 128.0
    return np.clip(lab * (BINS / 256.0), 0, BINS - 1).astype(np.int64)


def fit_colours(
    samples: list[np.ndarray],  # per class [n, 3] uint8 RGB
) -> ColourModel:
    """Smoothed histograms; a class without samples is equally unlikely everywhere."""
    tables = []
    for colours in samples:
        counts = np.zeros((BINS,) * 3, np.float32)
        if len(colours):
            np.add.at(counts, tuple(lab_bins(colours[None])[0].T), 1.0)
            counts = _blur_cube(counts / len(colours))
        tables.append(np.log(counts + UNKNOWN))
    lightness = lab_bins(samples[SKIN][None])[0, :, 0]
    return ColourModel(np.stack(tables), float(np.median(lightness)) if len(lightness) else BINS / 2.0)


def _blur_cube(counts: np.ndarray) -> np.ndarray:
    return gaussian_filter(counts, 0.8, mode="nearest")


def head_places(
    motion: HeadMotion,
    index: int,
    size_px: tuple[int, int],  # (width, height)
    plane_z: float = 0.0,
) -> np.ndarray:  # [H, W, 2] x, y in the head frame
    """Where each pixel's ray meets the plane z = plane_z of the head in frame `index`."""
    width, height = size_px
    x = (np.arange(width) + 0.5 - motion.centre_px[0]) / motion.focal_px
    y = (np.arange(height) + 0.5 - motion.centre_px[1]) / motion.focal_px
    ray = np.stack([*np.meshgrid(x, y), np.ones((height, width))], axis=-1)
    rotation, translation = motion.rotation[index], motion.translation[index]
    direction = ray @ rotation
    origin = -rotation.T @ translation
    distance = (plane_z - origin[2]) / direction[..., 2]
    return origin[:2] + distance[..., None] * direction[..., :2]


def polygon_mask(
    size_px: tuple[int, int],  # (width, height)
    *polygons: np.ndarray,  # [n, 2] pixels
) -> np.ndarray:  # [H, W] bool
    mask = np.zeros((size_px[1], size_px[0]), np.uint8)
    # OpenCV's integer positions are pixel centres; ours lie at +0.5. Four fractional bits are kept.
    fixed = [np.round((polygon - 0.5) * 16.0).astype(np.int32) for polygon in polygons]
    cv2.fillPoly(mask, fixed, 1, lineType=cv2.LINE_8, shift=4)
    return mask.astype(bool)


def brow_polygons(
    landmarks: np.ndarray,  # [68, 2]
    width_px: float,
) -> list[np.ndarray]:
    """The five points of each brow, thickened across the brow and tapered at its tail."""
    polygons = []
    for points in (landmarks[17:22], landmarks[22:27][::-1]):  # both from the tail to the nose
        along = np.gradient(points, axis=0)
        normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True).clip(1e-6)
        half = 0.5 * width_px * np.array([0.4, 0.9, 1.1, 1.1, 0.9])[:, None]
        polygons.append(np.concatenate([points + half * normal, (points - half * normal)[::-1]]))
    return polygons


def below_jaw(
    landmarks: np.ndarray,  # [68, 2]
    places: np.ndarray,  # [H, W, 2]
) -> np.ndarray:  # [H, W] bool
    """Pixels under the jaw line (iBUG 0-16), or, beside it, under the ears."""
    height, width = places.shape[:2]
    jaw = landmarks[2:15]
    order = np.argsort(jaw[:, 0], kind="stable")
    x = np.arange(width) + 0.5
    line = np.interp(x, jaw[order, 0], jaw[order, 1])
    under = (np.arange(height) + 0.5)[:, None] > line
    beside = (x < jaw[:, 0].min()) | (x > jaw[:, 0].max())
    return np.where(beside[None], places[..., 1] > EAR_BAND[1], under)


def seed_colours(
    rgb: np.ndarray,  # [H, W, 3] uint8
    matte: np.ndarray,  # [H, W] in [0, 1]
    outlines: FaceOutlines,
    places: np.ndarray,  # [H, W, 2]
) -> list[np.ndarray]:
    """Pixels of one frame that can hardly be anything but skin, hair, clothes: three lists [n, 3] of colours."""
    size_px, landmarks = (matte.shape[1], matte.shape[0]), outlines.landmarks
    inside = polygon_mask(size_px, outlines.oval)
    features = polygon_mask(size_px, *outlines.brows, landmarks[36:42], landmarks[42:48], landmarks[48:60])
    person = matte > 0.95
    x, y = places[..., 0], places[..., 1]
    core = cv2.erode(inside.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    skin = core & ~grown(features, 2) & (y < 0.6)
    hair = person & ~inside & (y < -0.62) & (np.abs(x) < 0.55)
    cloth = person & ((y > 1.35) | ((y > 1.0) & (np.abs(x) > 0.75)))
    return [rgb[mask] for mask in (skin, hair, cloth)]


@dataclass(frozen=True)
class FaceOutlines:
    """What landmarks draw in one frame, in pixels."""

    landmarks: np.ndarray  # [68, 2] iBUG
    oval: np.ndarray  # [n, 2] closed polygon
    brows: list[np.ndarray]  # closed polygons [n, 2]

    @staticmethod
    def of(
        points: np.ndarray,  # [M, 3]
        detector: LandmarkDetector,
        pixels_per_unit: float,
    ) -> FaceOutlines:
        landmarks = points[list(detector.ibug), :2]
        if detector.brows is None:
            brows = brow_polygons(landmarks, BROW_WIDTH * pixels_per_unit)
        else:
            brows = [points[list(brow), :2] for brow in detector.brows]
        return FaceOutlines(landmarks, points[list(detector.oval), :2], brows)


def label_parts(
    rgb: np.ndarray,  # [H, W, 3] uint8
    matte: np.ndarray,  # [H, W] in [0, 1]
    outlines: FaceOutlines,
    places: np.ndarray,  # [H, W, 2] head frame
    viewpoint: np.ndarray,  # [3] the camera's position in the head frame
    colours: ColourModel,
) -> np.ndarray:  # [H, W] uint8 indices into PARTS
    size_px = (matte.shape[1], matte.shape[0])
    landmarks = outlines.landmarks
    inside = polygon_mask(size_px, outlines.oval)
    x, y = places[..., 0], places[..., 1]
    radius = max(1, round(SCORE_RADIUS / unit_length(places)))
    likelihoods, is_dark = colours(rgb)
    skin, hair, cloth = (cv2.blur(layer, (2 * radius + 1,) * 2) for layer in likelihoods)
    # Clothes do not reach above the chin, and below it bare shoulders were learnt as clothes: skin has precedence.
    is_skin = skin >= np.maximum(hair, cloth - np.where(y < 0.7, 4.0, 1.5))
    under = below_jaw(landmarks, places) & ~inside

    parts = np.full(matte.shape, HAIR, np.uint8)
    parts[is_skin & (np.abs(x) <= 0.62)] = FACE
    # The ear on the far side of a turned head is hidden; what is seen there is cheek.
    shown = np.sign(x) * viewpoint[0] / np.linalg.norm(viewpoint) > -EAR_HIDDEN_SINE
    parts[is_skin & shown & (y > EAR_BAND[0]) & (y < EAR_BAND[1]) & (np.abs(x) > EAR_FROM)] = EARS
    parts[inside] = FACE
    # Under the chin lies shadow in colours never learnt: neck, unless it is clothing. A white shirt, also never
    # learnt where the picture ends at the collar, is lighter than skin.
    throat = (y < 1.0) & (np.abs(x) < 0.36)
    shadow = is_dark | (skin > np.log(2.0 * UNKNOWN))
    is_neck = np.where(throat, shadow & (skin + 1.0 >= cloth), is_skin & (y < NECK_END))
    parts[under] = np.where(is_neck, NECK, TORSO)[under]
    # Long hair lies where clothes were learnt, so that they have no say where its colour is known at all.
    is_long = (hair > np.log(2.0 * UNKNOWN)) & (hair > skin - np.where(np.abs(x) > NECK_HALF_WIDTH, BESIDE_NECK, 0.0))
    parts[under & is_long & ~throat & (y < HAIR_END)] = HAIR
    # A neck in the jaw's shadow has the colour of brown hair, and a suit may have: they do not hang down from the head.
    lock_px = max(1, round(LOCK_WIDTH / unit_length(places)))
    person = matte >= PERSON
    found = (parts == HAIR) & person
    curls = found | (closed(found, lock_px) & ~person)  # loose ones, with the gaps between them
    shaded = under & found & ~hanging(curls, ~under, lock_px)
    parts[shaded] = np.where(skin + 1.0 >= cloth, NECK, TORSO)[shaded]
    parts[(y > HAIR_END) & (parts == HAIR)] = TORSO

    parts[polygon_mask(size_px, *outlines.brows) & ~under] = BROWS
    parts[polygon_mask(size_px, landmarks[36:42], landmarks[42:48])] = EYES
    parts[polygon_mask(size_px, landmarks[48:60])] = LIPS
    parts[polygon_mask(size_px, landmarks[60:68])] = MOUTH
    parts[~person] = BACKGROUND
    return parts


def closed(
    mask: np.ndarray,  # [H, W] bool
    width_px: int,
) -> np.ndarray:  # [H, W] bool
    """The mask without gaps that are narrower than this."""
    kernel = np.ones((width_px | 1, width_px | 1), np.uint8)
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0


def hanging(
    mask: np.ndarray,  # [H, W] bool
    anchored: np.ndarray,  # [H, W] bool: where it holds by itself
    width_px: int,
) -> np.ndarray:  # [H, W] bool
    """The part of the mask that is joined to what is anchored by pieces at least so wide."""
    kernel = np.ones((width_px | 1, width_px | 1), np.uint8)  # odd: what erodes and dilates must not shift
    core = cv2.erode(mask.astype(np.uint8), kernel)
    count, pieces = cv2.connectedComponents(core)
    holds = np.zeros(count, bool)
    holds[pieces[(core > 0) & anchored]] = True
    holds[0] = False
    return mask & grown(holds[pieces], width_px // 2)


def unit_length(
    places: np.ndarray,  # [H, W, 2]
) -> float:
    """Head units per pixel, in the middle of the picture."""
    row, column = places.shape[0] // 2, places.shape[1] // 2
    return max(float(np.linalg.norm(places[row, column] - places[row, column - 1])), 1e-6)
