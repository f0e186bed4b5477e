"""LPIPS as a feature bank says what LPIPS says."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torch import nn

from talker.core.errors import Missing
from talker.core.losses import PyramidBank, perceptual
from talker.core.lpips import LpipsBank, choose_lip_bank, load_lpips
from talker.core.types import Silent
from talker.evaluation.images import load_perceptual


class ToyLpips(nn.Module):
    """The parts of `lpips.LPIPS` by their names, a backbone of two small layers; `forward` is the paper's eq. 1."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.scaling_layer = lambda images: (images - 0.1) / 0.5
        self.first, self.second = nn.Conv2d(3, 5, 3), nn.Conv2d(5, 7, 3)
        self.net = SimpleNamespace(forward=self.layers)
        self.lins = nn.ModuleList(nn.Module() for _ in range(2))
        for lin, channels in zip(self.lins, (5, 7), strict=True):
            lin.model = nn.Sequential(nn.Dropout(), nn.Conv2d(channels, 1, 1, bias=False))
            nn.init.uniform_(lin.model[-1].weight, 0.0, 1.0)

    def layers(self, images):
        first = nn.functional.softplus(self.first(images))
        return first, nn.functional.softplus(self.second(first))

    def forward(self, found, wanted):
        total = 0.0
        for a, b, lin in zip(*(self.layers(self.scaling_layer(x)) for x in (found, wanted)), self.lins, strict=True):
            places = [(y, x) for y in range(a.shape[2]) for x in range(a.shape[3])]
            for y, x in places:
                difference = a[0, :, y, x] / a[0, :, y, x].norm() - b[0, :, y, x] / b[0, :, y, x].norm()
                total += (lin.model[-1].weight.flatten() * difference**2).sum() / len(places)
        return total


def test_the_bank_gives_the_distance_of_the_paper():
    network, generator = ToyLpips(), torch.Generator().manual_seed(1)
    found, wanted = torch.rand(2, 1, 9, 8, 3, generator=generator)
    expected = network(*(image.permute(0, 3, 1, 2) * 2 - 1 for image in (found, wanted)))
    bank = LpipsBank(network)
    assert torch.isclose(perceptual(bank.features(found), bank.features(wanted)), expected, rtol=1e-4)
    found.requires_grad_(True)
    perceptual(bank.features(found), bank.features(wanted)).backward()
    assert found.grad.abs().max() > 0 and network.first.weight.grad is None


def test_pictures_are_told_apart_by_the_same_distance(monkeypatch):
    monkeypatch.setitem(sys.modules, "lpips", SimpleNamespace(LPIPS=lambda net, verbose: ToyLpips()))
    found, wanted = np.random.default_rng(0).integers(0, 256, (2, 9, 8, 3), np.uint8)
    as_tensor = [torch.from_numpy(each).permute(2, 0, 1)[None].float() / 127.5 - 1 for each in (found, wanted)]
    assert load_perceptual()(found, wanted) == pytest.approx(float(ToyLpips()(*as_tensor)), rel=1e-3)
    assert choose_lip_bank().name == "lpips"


def test_an_installed_lpips_whose_backbone_cannot_be_had_is_told_and_nothing_else_is_printed(monkeypatch, capsys):
    class Listener(Silent):
        said: list[str] = []  # noqa: RUF012

        def notice(self, text: str) -> None:
            self.said.append(text)

    def download(net, verbose):
        print('Downloading: "https://download.pytorch.org/alexnet.pth"', file=sys.stderr)
        raise URLError("no network")

    monkeypatch.setitem(sys.modules, "lpips", SimpleNamespace(LPIPS=download))
    assert choose_lip_bank(Listener()).name == "pyramid" and capsys.readouterr().err == ""
    assert len(Listener.said) == 1 and "AlexNet" in Listener.said[0] and "network" in Listener.said[0]
    monkeypatch.setitem(sys.modules, "lpips", None)
    assert choose_lip_bank(Listener()).name == "pyramid" and len(Listener.said) == 1


def test_without_the_package_the_pyramid_serves_and_the_way_out_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(Missing, match="full"):
        load_lpips()
    assert isinstance(choose_lip_bank(), PyramidBank)
