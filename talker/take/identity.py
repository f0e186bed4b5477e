"""Whose face is it? Embeddings of dlib's face recognition network: near for one person, far for two.

Notation: N faces, D = 128 numbers of an embedding.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

from talker.core.packaged_weights import PackagedFile
from talker.take.dlib_face import SIDE_PX, FaceNetwork

SAME_PERSON = 0.6  # dlib's own bound: nearer embeddings are of one person
WEIGHTS = PackagedFile(  # the package is not imported: its code wants modules that are no more
    what="dlib's face network",
    module="face_recognition_models",
    path="models/dlib_face_recognition_resnet_model_v1.dat",
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    way_out="pip install face-recognition-models==0.3.0 (100 MB)",
)
# Outer and inner corner of the viewer's left eye, inner and outer of the right, and the base of the nose (iBUG), and
# where dlib's mean face has them: x and y as shares of the face's box, around which an aligned face shows a quarter.
POINTS = (36, 39, 42, 45, 33)
TEMPLATE = (
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.6460604764104, 0.2289674387677),
    (0.8595674595992, 0.2134981538014),
    (0.4901123135679, 0.6277975316475),
)
PADDING = 0.25
BATCH = 16


class FaceIdentity:
    """Embeds faces. The network is handed in; `load` finds it."""

    def __init__(self, network: FaceNetwork) -> None:
        self._network = network

    @classmethod
    def load(cls) -> FaceIdentity:
        """With the weights that pip's face-recognition-models carries; Missing without them, with the way to them."""
        return cls(FaceNetwork().fill(WEIGHTS.read()))

    def embed(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        landmarks: np.ndarray,  # [68, 2] iBUG order, pixels
    ) -> np.ndarray:  # [D] float32
        """One face of one picture."""
        return self.embed_aligned([align_face(rgb, landmarks)])[0]

    @torch.no_grad()
    def embed_aligned(
        self,
        faces: list[np.ndarray],  # N of [150, 150, 3] uint8, from `align_face`
    ) -> np.ndarray:  # [N, D] float32
        if not faces:
            return np.zeros((0, self._network.embedding.out_features), np.float32)
        pictures = torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2)
        return torch.cat([self._network(batch.float()) for batch in pictures.split(BATCH)]).numpy()


def distance(
    one: np.ndarray,  # [..., D]
    other: np.ndarray,  # [..., D]
) -> np.ndarray:  # [...]
    """How far embeddings lie apart: below `SAME_PERSON` they are of one person."""
    return np.linalg.norm(np.asarray(one) - np.asarray(other), axis=-1)


def align_face(
    rgb: np.ndarray,  # [H, W, 3] uint8
    landmarks: np.ndarray,  # [68, 2] iBUG order, pixels
) -> np.ndarray:  # [150, 150, 3] uint8
    """The face turned, scaled and moved until its five points lie on the mean face's, in the least squares; black
    where the picture ends."""
    wanted = (np.array(TEMPLATE) + PADDING) / (1.0 + 2.0 * PADDING) * SIDE_PX
    transform = similarity(np.asarray(landmarks, np.float64)[list(POINTS)], wanted)
    while np.hypot(*transform[:, 0]) < 0.5 and min(rgb.shape[:2]) > 2:  # or pixels would be skipped
        height, width = (side // 2 for side in rgb.shape[:2])
        rgb = cv2.resize(rgb[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
        transform = transform @ np.diag([2.0, 2.0, 1.0])
    corner = transform[:, :2] @ (0.5, 0.5) + transform[:, 2] - 0.5  # OpenCV counts from the first pixel's centre
    return cv2.warpAffine(rgb, np.column_stack([transform[:, :2], corner]), (SIDE_PX, SIDE_PX))


def similarity(
    source: np.ndarray,  # [P, 2]
    target: np.ndarray,  # [P, 2]
) -> np.ndarray:  # [2, 3]
    """The least-squares rotation, scale and shift, as an affine map; in the plane they are linear: z -> a z + b."""
    x, y = source.T
    one, zero = np.ones_like(x), np.zeros_like(x)
    system = np.concatenate([np.stack([x, -y, one, zero], axis=1), np.stack([y, x, zero, one], axis=1)])
    cosine, sine, shift_x, shift_y = np.linalg.lstsq(system, target.T.ravel(), rcond=None)[0]
    return np.array([[cosine, -sine, shift_x], [sine, cosine, shift_y]])
