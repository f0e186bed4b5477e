"""A scene on a GPU: everything that fits, edits and renders it keeps to its device. The GPU is a pretended one."""

import pytest
import torch

from talker.core.camera import apply_view, pixel_grid
from talker.core.images import to_bytes
from talker.core.losses import PyramidBank
from talker.core.types import View
from talker.driving.render import Portrait
from talker.radfield.fit import Fitter, conditions_for
from talker.radfield.fit_take import FieldFitOptions, LipObjective, new_scene
from talker.radfield.kernels import TorchKernels
from talker.radfield.optimiser import Rates
from talker.radfield.sampling import LipTargets, TakeTargets
from talker.radfield.scene import Scene
from talker.radfield.targets import Batch, PixelObjective
from talker.refine.discriminator import Discriminator
from talker.refine.network import RefinementNet
from talker.refine.objective import LipEdgeObjective, OriginalPatch, RefineObjective
from tests.radfield.conftest import TINY_FIT
from tests.radfield.pretended_gpu import GPU, pretended_gpu

# What torch says of its "meta" device, which the pretence borrows.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:for .*non-meta parameter")]


class OnGpu(TorchKernels):
    device = GPU


@pytest.fixture(autouse=True)
def gpu(monkeypatch):
    adam = torch.optim.AdamW
    monkeypatch.setattr(torch.optim, "AdamW", lambda groups, fused, **rest: adam(groups, foreach=False, **rest))
    with pretended_gpu():
        yield


@pytest.fixture
def scene(ball_take) -> Scene:
    return new_scene(ball_take, TINY_FIT, OnGpu())


def test_a_field_is_fitted_and_its_occupancy_thins_out(scene, ball_take, monkeypatch):
    monkeypatch.setattr("talker.radfield.fit.OCCUPANCY_FROM", 2)
    monkeypatch.setattr("talker.radfield.fit.OCCUPANCY_EVERY", 1)
    pixel, lips = PixelObjective(), LipObjective(0.01, PyramidBank())
    fitter = Fitter(scene, ball_take, 4, [pixel, lips])
    pixels = TakeTargets(ball_take, 2, 64)
    fitter.run(pixels, 2)
    fitter.run(LipTargets(pixels, 2), 4)
    assert fitter.optimiser.skipped == 0
    assert all(parameter.device == GPU for parameter in scene.parameters())
    again = Fitter(new_scene(ball_take, TINY_FIT, OnGpu()), ball_take, 4, [pixel, lips])
    again.restore({name: tensor.cpu() for name, tensor in fitter.tensors().items()})
    again.run(TakeTargets(ball_take, 2, 64), 5)


def test_an_edit_trains_plate_and_refinement(scene, ball_take):
    class Patches:
        def next_batch(self, step: int, generator: torch.Generator) -> Batch:
            return Batch([3], pixel_grid((16, 16))[None], torch.rand(1, 256, 3, generator=generator), (16, 16))

    def original(frame: int, pixels: torch.Tensor) -> OriginalPatch:
        return OriginalPatch(torch.zeros(len(pixels), 3), torch.ones(len(pixels), dtype=torch.bool))

    refine = RefineObjective(RefinementNet(8).to(GPU), Discriminator().to(GPU), PyramidBank())
    fitter = Fitter(scene, ball_take, 2, [refine, LipEdgeObjective(original, 0.1)], rates=Rates(plate=1e-3))
    fitter.run(Patches(), 2)
    assert fitter.optimiser.skipped == 0
    assert scene.plate.grad is not None and scene.plate.grad.device == GPU


def test_portraits_are_rendered_there_and_come_back_as_bytes(scene, ball_take, tmp_path):
    net = RefinementNet(8).to(GPU)
    portrait = Portrait(scene, ball_take, net)
    portrait.set_audio(ball_take.audio_features, len(ball_take))
    width, height = ball_take.size_px
    for background in (None, torch.zeros(height, width, 3)):
        render = portrait.render(2, View(yaw_deg=10, zoom=1.2), background)
        assert render.rgb.device == render.depth.device == GPU
        assert to_bytes(render.rgb).shape == (height, width, 3)
    scene.save(tmp_path / "field.safetensors")
    known = Scene.load(tmp_path / "field.safetensors", TorchKernels())
    camera = apply_view(ball_take.camera(1), View(zoom=1.1))
    with torch.no_grad():
        here = known.render(camera, conditions_for(known, ball_take, [1])).rgb
        there = scene.copy().render(camera, conditions_for(scene, ball_take, [1])).rgb
    assert torch.allclose(here, there.cpu(), atol=1e-6)


def test_the_preset_follows_the_device():
    assert FieldFitOptions.preset("auto", torch.device("cuda")) == FieldFitOptions.preset("gpu")
    assert FieldFitOptions.preset("auto") == FieldFitOptions.preset("cpu")


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_no_preset_asks_turned_views_for_a_light_that_nobody_saw(name):
    assert not FieldFitOptions.preset(name).head.view_dependent


def test_more_to_learn_trains_longer_on_a_cpu_and_as_long_on_a_gpu():
    usual = FieldFitOptions.preset("cpu", footage_s=20.0, size_px=256)
    for more in ({"footage_s": 30.0}, {"size_px": 512}):
        found = FieldFitOptions.preset("cpu", **more)
        assert found.steps > usual.steps and found.lip_steps > usual.lip_steps
    assert FieldFitOptions.preset("cpu", size_px=64) == usual
    assert FieldFitOptions.preset("gpu", footage_s=300.0, size_px=512) == FieldFitOptions.preset("gpu")
