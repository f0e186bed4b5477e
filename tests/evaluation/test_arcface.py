"""Faces are aligned as ArcFace was trained, and weights with insightface's names are taken as they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from talker.core.errors import BadInput, Missing
from talker.evaluation.arcface import (
    TEMPLATE_PX,
    USUAL_FILE,
    IResNet,
    align_face,
    load_arcface,
)
from talker.take.identity import similarity
from tests.evaluation.faces import a_face

TINY = (4, (4, 6, 6, 8), (1, 2, 1, 1), 10)


def tiny_network(seed: int = 0) -> IResNet:
    torch.manual_seed(seed)
    network = IResNet(*TINY)
    for module in network.modules():  # what training leaves behind is not the identity
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2.0)
    return network.eval()


def test_a_turned_face_is_brought_onto_the_template():
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = a_face(240.0) @ turn.T + (200.0, 180.0)
    points = [landmarks[36:42].mean(0), landmarks[42:48].mean(0), landmarks[30], landmarks[48], landmarks[54]]
    expected = similarity(np.array(points), np.array(TEMPLATE_PX))
    for point in points:
        picture = np.zeros((400, 400, 3), np.uint8)
        cv2.circle(picture, tuple(np.floor(point).astype(int).tolist()), 4, (255, 255, 255), -1)
        crop = align_face(picture, landmarks)
        y, x = np.nonzero(crop[..., 0] > 128)
        assert (x.mean(), y.mean()) == pytest.approx(tuple(expected @ [*point, 1.0]), abs=0.5)


def published_forward(state: dict[str, torch.Tensor], x: torch.Tensor, stages=4) -> torch.Tensor:
    """insightface's forward pass, step by step, from the names in its weights."""

    def norm(x, name):
        keys = ("running_mean", "running_var", "weight", "bias")
        return functional.batch_norm(x, *(state[f"{name}.{key}"] for key in keys), eps=1e-5)

    x = functional.conv2d(x, state["conv1.weight"], padding=1)
    x = functional.prelu(norm(x, "bn1"), state["prelu.weight"])
    for stage in range(1, stages + 1):
        block = 0
        while f"layer{stage}.{block}.bn1.weight" in state:
            name, stride = f"layer{stage}.{block}", 2 if block == 0 else 1
            y = functional.conv2d(norm(x, f"{name}.bn1"), state[f"{name}.conv1.weight"], padding=1)
            y = functional.prelu(norm(y, f"{name}.bn2"), state[f"{name}.prelu.weight"])
            y = norm(functional.conv2d(y, state[f"{name}.conv2.weight"], stride=stride, padding=1), f"{name}.bn3")
            if block == 0:
                x = functional.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride)
                x = norm(x, f"{name}.downsample.1")
            x, block = x + y, block + 1
    x = functional.linear(norm(x, "bn2").flatten(1), state["fc.weight"], state["fc.bias"])
    return norm(x, "features")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_depth_and_widths_are_read_off_the_weights(tmp_path, suffix):
    network, path = tiny_network(), tmp_path / f"backbone{suffix}"
    state = network.state_dict()
    (save_file if suffix == ".safetensors" else torch.save)(state, path)
    faces = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), np.uint8)
    embeddings = load_arcface(path)(faces)
    pictures = torch.from_numpy(faces).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.no_grad():
        wanted = functional.normalize(published_forward(state, pictures), dim=-1).numpy()
    assert embeddings == pytest.approx(wanted, abs=1e-5) and embeddings.shape == (3, 10)


def test_the_layout_is_that_of_insightface():
    names = set(IResNet(64, (64, 128, 256, 512), (2, 2, 2, 2), 512).state_dict())
    for name in (
        "conv1.weight",
        "prelu.weight",
        "layer1.0.downsample.0.weight",
        "layer1.0.downsample.1.running_var",
        "layer4.1.bn3.bias",
        "layer4.1.prelu.weight",
        "bn2.running_mean",
        "fc.bias",
        "features.running_mean",
    ):
        assert name in names
    assert "layer1.1.downsample.0.weight" not in names
    assert IResNet(64, (64, 128, 256, 512), (2, 2, 2, 2), 512).state_dict()["fc.weight"].shape == (512, 25088)


def test_files_that_are_no_arcface_are_said_to_be_none(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(Missing, match=USUAL_FILE):
        load_arcface()
    with pytest.raises(BadInput, match="no such file"):
        load_arcface(tmp_path / "nowhere.pth")
    (tmp_path / "notes.pth").write_text("these are notes")
    with pytest.raises(BadInput, match="read safely"):
        load_arcface(tmp_path / "notes.pth")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(BadInput, match="insightface"):
        load_arcface(tmp_path / "other.pth")
    cut = tiny_network().state_dict()
    del cut["layer2.1.bn1.bias"]
    torch.save(cut, tmp_path / "cut.pth")
    with pytest.raises(BadInput, match="ArcFace"):
        load_arcface(tmp_path / "cut.pth")


def test_code_in_a_weights_file_is_not_run(tmp_path):
    torch.save({"weight": print}, tmp_path / "evil.pth")
    with pytest.raises(BadInput, match="read safely"):
        load_arcface(tmp_path / "evil.pth")
