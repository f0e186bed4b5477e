"""Where a face's points lie in an image: one small Protocol, two detectors.

M is the number of points a detector gives; a point is (x, y, z) in pixels with z away from the viewer and free of
absolute depth. The 68 iBUG points, which the rest of the program speaks in, are a selection of the M.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

from talker.core.errors import BadInput, Missing, out_of_memory

# The 68 iBUG points among mediapipe's 478: jaw, brows, nose, eyes, lips.
MEDIAPIPE_IBUG = (
    *(127, 234, 93, 132, 58, 172, 150, 176, 152, 400, 379, 397, 288, 361, 323, 454, 356),
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87),
)
MEDIAPIPE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152),
    *(148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
MEDIAPIPE_BROWS = (
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    (300, 293, 334, 296, 336, 285, 295, 282, 283, 276),
)
MEDIAPIPE_IRISES = (468, 473)  # centres: the subject's right eye (iBUG 36-41), then the left
IBUG_OVAL = tuple(range(17))


class LandmarkDetector(Protocol):
    """Finds faces, and the points of the larger one."""

    ibug: tuple[int, ...]  # the 68 iBUG points among the M
    oval: tuple[int, ...]  # the face's outline, a closed polygon of the M
    brows: tuple[tuple[int, ...], ...] | None  # each brow's outline, closed polygons of the M
    irises: tuple[int, int] | None  # iris centres among the M, in iBUG's order of the eyes

    def find_faces(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> np.ndarray:  # [n, 4] boxes (x0, y0, x1, y1) in pixels, the largest first
        ...

    def detect(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8, successive frames of one video
    ) -> np.ndarray | None:  # [M, 3] pixels, None where there is no face
        ...

    def detect_still(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8, a picture by itself
    ) -> np.ndarray | None:  # [M, 3] pixels, None where there is no face
        """As `detect`, but whatever was seen before."""
        ...


_QUIET = threading.Lock()
_wanting: set[object] = set()  # who wants quiet now, in any thread
_heard: list[int] = []  # where file descriptor 2 led before


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """File descriptor 2 leads nowhere as long as anybody in any thread wants quiet: mediapipe's C++ logs there, past
    Python's sys.stderr."""
    me = object()
    try:
        with _QUIET:
            _wanting.add(me)
            if not _heard:
                if sys.stderr is not None:  # the caller may have closed it
                    sys.stderr.flush()
                with open(os.devnull, "wb") as nowhere:
                    _heard.append(os.dup(2))
                    os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        with _QUIET:
            _wanting.discard(me)
            if _heard and not _wanting:
                os.dup2(_heard[0], 2)
                os.close(_heard.pop())


def import_mediapipe():
    """mediapipe, without its noise; Missing where the platform has no wheel of it."""
    os.environ.setdefault("GLOG_minloglevel", "3")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with quiet_stderr():
            import mediapipe
    except ImportError as error:
        raise out_of_memory(error) or Missing(
            "mediapipe is not installed (its last wheel with models, 0.10.21, is for Python up to 3.12); "
            "install mediapipe==0.10.21 or use --landmarks face-alignment"
        ) from error
    return mediapipe


def _largest_first(boxes: list[tuple[float, float, float, float]]) -> np.ndarray:
    array = np.asarray(boxes, np.float64).reshape(-1, 4)
    area = (array[:, 2] - array[:, 0]) * (array[:, 3] - array[:, 1])
    return array[np.argsort(-area, kind="stable")]


class MediapipeLandmarks:
    """mediapipe's face mesh with irises: 478 points, embedded weights, 5-12 ms a frame on a CPU."""

    ibug = MEDIAPIPE_IBUG
    oval = MEDIAPIPE_OVAL
    brows = MEDIAPIPE_BROWS
    irises = MEDIAPIPE_IRISES

    def __init__(self) -> None:
        solutions = import_mediapipe().solutions
        # model_selection=1 is the full-range detector: faces down to a tenth of the picture.
        self._finder = _warm(solutions.face_detection.FaceDetection, model_selection=1)
        self._mesh = _warm(solutions.face_mesh.FaceMesh, refine_landmarks=True)
        self._still_mesh: Any = None  # made where one is wanted

    def find_faces(self, rgb: np.ndarray) -> np.ndarray:
        height, width = rgb.shape[:2]
        with quiet_stderr():
            found = self._finder.process(rgb).detections or []
        boxes = [detection.location_data.relative_bounding_box for detection in found]
        return _largest_first(
            [(b.xmin * width, b.ymin * height, (b.xmin + b.width) * width, (b.ymin + b.height) * height) for b in boxes]
        )

    def detect(self, rgb: np.ndarray) -> np.ndarray | None:
        return self._read(self._mesh, rgb)

    def detect_still(self, rgb: np.ndarray) -> np.ndarray | None:
        if self._still_mesh is None:
            mesh = import_mediapipe().solutions.face_mesh.FaceMesh
            self._still_mesh = _warm(mesh, refine_landmarks=True, static_image_mode=True)
        return self._read(self._still_mesh, rgb)

    @staticmethod
    def _read(mesh: Any, rgb: np.ndarray) -> np.ndarray | None:
        height, width = rgb.shape[:2]
        with quiet_stderr():
            found = mesh.process(rgb).multi_face_landmarks
        if not found:
            return None
        points = np.array([(point.x, point.y, point.z) for point in found[0].landmark], np.float32)
        return points * np.array([width, height, width], np.float32)  # z has x's scale


def _warm(network: Callable[..., Any], **options: object) -> Any:
    """A network of mediapipe's that has said what it has to say: most of it when its threads meet a first frame."""
    with quiet_stderr():
        made = network(min_detection_confidence=0.5, **options)
        made.process(np.zeros((64, 64, 3), np.uint8))
    return made


class FaceAlignmentLandmarks:
    """face-alignment's FAN, 68 points in 3-D; its weights come from the web at first use."""

    ibug = tuple(range(68))
    oval = (*IBUG_OVAL, *range(26, 16, -1))
    brows = None
    irises = None

    def __init__(self) -> None:
        try:
            import face_alignment
        except ImportError as error:
            raise out_of_memory(error) or Missing(
                "face-alignment is not installed; pip install it, or use --landmarks mediapipe"
            ) from error
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            with quiet_stderr():
                kind = face_alignment.LandmarksType.THREE_D
                self._network = face_alignment.FaceAlignment(kind, device=device, flip_input=False)
        except OSError as error:  # URLError and its kin
            raise out_of_memory(error) or Missing(
                "face-alignment's weights could not be downloaded (no network?); use --landmarks mediapipe, "
                "or put them into torch's hub folder"
            ) from error

    def find_faces(self, rgb: np.ndarray) -> np.ndarray:
        boxes = self._network.face_detector.detect_from_image(rgb.copy())
        return _largest_first([tuple(box[:4]) for box in boxes])

    def detect(self, rgb: np.ndarray) -> np.ndarray | None:
        boxes = self.find_faces(rgb)
        if not len(boxes):
            return None
        found = self._network.get_landmarks_from_image(rgb, detected_faces=[[*boxes[0], 1.0]])
        return None if not found else np.asarray(found[0], np.float32)

    detect_still = detect  # it remembers nothing


LANDMARK_DETECTORS: dict[str, Callable[[], LandmarkDetector]] = {
    "mediapipe": MediapipeLandmarks,
    "face-alignment": FaceAlignmentLandmarks,
}


def load_detector(name: str) -> LandmarkDetector:
    if name not in LANDMARK_DETECTORS:
        raise BadInput(f"Unknown landmark detector {name!r}; choose from {', '.join(LANDMARK_DETECTORS)}")
    return LANDMARK_DETECTORS[name]()
