"""dlib's network is read out of dlib's own layout and computes what dlib computes; faces are aligned as it expects."""

from __future__ import annotations

import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from talker.core.errors import Missing
from talker.speaker.head import head_model
from talker.speaker.motion import head_motion, head_states
from talker.speaker.render import project_world, render_frame, room_plate, studio_camera
from talker.speaker.visemes import VISEMES
from talker.take import identity
from talker.take.dlib_face import MEAN_RGB, SIDE_PX, FaceNetwork, ResidualStage, layers_of, whole_number
from talker.take.identity import POINTS, SAME_PERSON, TEMPLATE, FaceIdentity, align_face, distance, similarity
from tests.evaluation.faces import a_face

TINY = (
    4,
    (
        ResidualStage(4, False, 1),
        ResidualStage(6, True, 2),
        ResidualStage(6, True, 1),
        ResidualStage(8, True, 1),
        ResidualStage(8, True, 1),
    ),
    5,
)


def number(value: int) -> bytes:
    """As dlib writes a whole number: a byte of length, and that many bytes."""
    size = max(1, (value.bit_length() + 7) // 8)
    return bytes([size]) + value.to_bytes(size, "little")


def tensor(values: np.ndarray, *sizes: int) -> bytes:
    sizes = (*sizes, *(1,) * (4 - len(sizes)))
    return number(2) + b"".join(number(size) for size in sizes) + struct.pack(f"<{values.size}f", *values.ravel())


def text(name: str) -> bytes:
    return number(len(name)) + name.encode()


def written(weights: list[tuple[np.ndarray, ...]], embedding: np.ndarray) -> bytes:
    """A file in dlib's layout: layers with parameters, and others in between."""
    data = number(1) + text("loss_metric_2") + text("input_rgb_image_sized")
    for kernel, bias, gain, shift in weights:
        data += text("con_4") + tensor(np.concatenate([kernel.ravel(), bias]), kernel.size + bias.size) + number(3)
        data += text("affine_") + tensor(np.concatenate([gain, shift]), 2 * len(gain)) + text("relu_1") + b"110"
    wide, narrow = embedding.shape[::-1]
    return data + text("fc_2") + number(wide) + b"\x02" + struct.pack("<H", narrow) + tensor(embedding, narrow, wide)


def tiny_weights(seed: int = 0) -> tuple[list[tuple[np.ndarray, ...]], np.ndarray]:
    random = np.random.default_rng(seed)
    stem, stages, embedding = TINY
    sizes, narrow = [(stem, 3, 7)], stem
    for stage in stages:
        for _ in range(stage.blocks):
            sizes += [(stage.width, narrow, 3), (stage.width, stage.width, 3)]
            narrow = stage.width
    weights = [
        (
            random.normal(0, (in_ * side**2) ** -0.5, (out, in_, side, side)).astype(np.float32),
            random.normal(0, 0.1, out).astype(np.float32),
            random.uniform(0.5, 1.5, out).astype(np.float32),
            random.normal(0, 0.1, out).astype(np.float32),
        )
        for out, in_, side in sizes
    ]
    return weights, random.normal(0, 0.3, (300, embedding)).astype(np.float32)[:narrow]


def as_dlib_computes(weights, embedding, faces: torch.Tensor) -> torch.Tensor:
    """Layer by layer, scale and shift apart, with the shortcut written into zeros of the larger size."""
    layers = iter(weights)

    def layer(x, stride):
        kernel, bias, gain, shift = (torch.from_numpy(value) for value in next(layers))
        x = functional.conv2d(x, kernel, bias, stride, 0 if stride == 2 else kernel.shape[-1] // 2)
        return x * gain[:, None, None] + shift[:, None, None]

    x = (faces - torch.tensor(MEAN_RGB)[:, None, None]) / 256
    x = functional.max_pool2d(layer(x, 2).relu(), 3, 2)
    for stage in TINY[1]:
        for block in range(stage.blocks):
            halves = stage.halves and block == 0
            y = layer(layer(x, 2 if halves else 1).relu(), 1)
            shortcut = functional.avg_pool2d(x, 2) if halves else x
            total = torch.zeros(len(x), *(max(pair) for pair in zip(y.shape[1:], shortcut.shape[1:])))
            for part in (y, shortcut):
                total[:, : part.shape[1], : part.shape[2], : part.shape[3]] += part
            x = total.relu()
    return x.mean(dim=(2, 3)) @ torch.from_numpy(embedding)


def test_a_file_in_dlibs_layout_is_read_and_computed():
    weights, embedding = tiny_weights()
    faces = np.random.default_rng(1).integers(0, 256, (3, SIDE_PX, SIDE_PX, 3), np.uint8)
    found = FaceIdentity(FaceNetwork(*TINY).fill(written(weights, embedding))).embed_aligned(list(faces))
    wanted = as_dlib_computes(weights, embedding, torch.from_numpy(faces).permute(0, 3, 1, 2).float())
    assert found == pytest.approx(wanted.numpy(), abs=1e-5) and found.shape == (3, 5)
    assert np.abs(found).max() > 0.1


def test_a_file_of_another_network_is_refused():
    weights, embedding = tiny_weights()
    for data in (
        written(weights[:-1], embedding),
        written([*weights, weights[-1]], embedding),
        written(weights, embedding).replace(b"affine_", b"bn_con_"),
        written(weights, embedding) + text("con_4") + tensor(np.zeros(3), 3),
        b"",
    ):
        with pytest.raises(ValueError, match="the file holds"):
            FaceNetwork(*TINY).fill(data)


def test_dlibs_numbers():
    for value in (0, 1, 255, 256, 4736, 2359808):
        assert whole_number(b"__" + number(value) + b"\xff", 2) == (value, 2 + len(number(value)))


def test_a_known_turn_scale_and_shift_is_found():
    source = np.random.default_rng(0).random((5, 2))
    angle, scale = 0.7, 1.8
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = similarity(source, source @ matrix.T + (3.0, -2.0))
    assert found == pytest.approx(np.column_stack([matrix, [3.0, -2.0]]))


@pytest.mark.parametrize("width_px", [40.0, 240.0, 900.0])
def test_a_turned_face_of_any_size_is_brought_onto_the_mean_face(width_px):
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = a_face(width_px) @ turn.T
    side = int(np.ptp(landmarks, axis=0).max() * 1.5)
    landmarks += side / 2 - landmarks.mean(axis=0)
    wanted = (np.array(TEMPLATE) + 0.25) / 1.5 * SIDE_PX
    expected = similarity(landmarks[list(POINTS)], wanted)
    for point in landmarks[list(POINTS)]:
        picture = np.zeros((side, side, 3), np.uint8)
        radius = max(1, round(side / 60))
        cv2.circle(picture, tuple(np.floor(point).astype(int).tolist()), radius, (255, 255, 255), -1)
        seen = align_face(picture, landmarks)[..., 0].astype(float)
        y, x = np.indices(seen.shape) + 0.5
        centre = ((x * seen).sum() / seen.sum(), (y * seen).sum() / seen.sum())
        snapped = np.floor(point) + 0.5
        assert centre == pytest.approx(tuple(expected @ [*snapped, 1.0]), abs=0.3)


def test_fine_patterns_do_not_alias_in_small_faces():
    """Single-pixel stripes average out rather than turn into wide ones."""
    stripes = np.zeros((1200, 1200, 3), np.uint8)
    stripes[:, ::2] = 255
    aligned = align_face(stripes, a_face(900.0) + 600.0)
    middle = aligned[40:110, 40:110].astype(float)
    assert middle.mean() == pytest.approx(127.5, abs=2) and middle.std() < 2


def test_the_wrong_file_and_none_are_said_in_one_line(tmp_path, monkeypatch):
    weights = replace(identity.WEIGHTS, module="a_package_that_nobody_has")
    monkeypatch.setattr(identity, "WEIGHTS", weights)
    with pytest.raises(Missing, match="pip install face-recognition-models"):
        FaceIdentity.load()
    package = tmp_path / weights.module
    (package / weights.path).parent.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('of no use to anybody')")
    (package / weights.path).write_bytes(written(*tiny_weights()))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Missing, match="is not dlib's face network"):
        FaceIdentity.load()


def test_the_real_weights_tell_a_face_from_another_picture():
    try:
        faces = FaceIdentity.load()
    except Missing as missing:
        pytest.skip(str(missing))
    assert [name for name, _ in layers_of(identity.WEIGHTS.read())] == ["con_", "affine_"] * 29 + ["fc_"]
    model, camera = head_model(), studio_camera(128)
    motion = head_motion(50, 0, 1.5)
    pictures, landmarks = [], []
    for state in [head_states(motion, np.zeros((50, len(VISEMES))))[index] for index in (0, 49)]:
        head = model.pose(state)
        pictures.append(render_frame(model, head, camera, room_plate(camera.size_px, 0), light="world").rgb)
        landmarks.append(project_world(camera, head.landmarks))
    one, turned, grey, negative = (
        faces.embed(picture, points)
        for picture, points in (
            *zip(pictures, landmarks),
            (np.repeat(pictures[0][..., 1:2], 3, axis=-1), landmarks[0]),
            (255 - pictures[0], landmarks[0]),
        )
    )
    assert one.shape == (128,) and distance(one, one) == 0.0
    assert max(distance(one, turned), distance(one, grey)) < 0.45 < SAME_PERSON < distance(one, negative)
