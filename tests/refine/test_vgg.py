"""VGG19's loading: the right layers, the pinned hash, the fallback."""

from __future__ import annotations

import pytest
import torch

from talker.core.errors import Missing
from talker.core.losses import PyramidBank
from talker.refine import vgg


@pytest.fixture
def random_weights() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for index, narrow, wide, _, _ in vgg.CONVOLUTIONS:
        weights[f"features.{index}.weight"] = torch.randn(wide, narrow, 3, 3, generator=generator) * 0.05
        weights[f"features.{index}.bias"] = torch.zeros(wide)
    return weights


def test_features_are_the_four_rectified_levels_and_frozen(random_weights):
    bank = vgg.VggBank(random_weights)
    image = torch.rand(1, 16, 16, 3, requires_grad=True)
    levels = bank.features(image)
    assert [tuple(level.shape[1:]) for level in levels] == [(64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2)]
    assert all(level.min() >= 0 for level in levels)
    levels[-1].sum().backward()
    assert image.grad.abs().max() > 0
    assert not any(parameter.requires_grad for parameter in bank.parameters())


def test_a_file_with_another_hash_is_refused(tmp_path, random_weights):
    path = tmp_path / vgg.WEIGHTS_FILE
    torch.save(random_weights, path)
    with pytest.raises(Missing, match="download it again"):
        vgg.load_vgg(path)


def test_a_file_with_the_pinned_hash_is_loaded(tmp_path, random_weights):
    import hashlib

    raw = tmp_path / "raw.pth"
    torch.save(random_weights, raw)
    pinned = raw.rename(tmp_path / f"vgg19-{hashlib.sha256(raw.read_bytes()).hexdigest()[:8]}.pth")
    assert torch.equal(vgg.load_vgg(pinned).convolutions[0].weight, random_weights["features.0.weight"])


def test_without_weights_the_pyramid_stands_in_and_vgg_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(vgg, "weights_path", lambda: tmp_path / vgg.WEIGHTS_FILE)
    assert isinstance(vgg.choose_bank(), PyramidBank)
    with pytest.raises(Missing, match="pyramid"):
        vgg.choose_bank("vgg19")
