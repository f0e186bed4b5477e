"""The benchmark for GPUs, as far as a machine without one can run it: the same code on the CPU, with little work."""

from __future__ import annotations

import pytest
import torch

from talker.core.errors import Missing
from talker.core.types import Silent
from talker.radfield.backends import choose_kernels
from talker.radfield.kernels import TorchKernels
from tools.bench import main
from tools.speed import gpu
from tools.speed.gpu import Sizes, compare_to_reference, edit_figures, fit_and_drive, measure, random_ip2p
from tools.speed.subject import painted_take

pytestmark = pytest.mark.slow

TINY = Sizes(points=256, size_px=32, frames=4, fit_steps=2, drive_frames=2, edited_frames=1, sampling_steps=2)
TINY_IP2P = {
    "unet": {
        **{"block_out_channels": (8, 16), "layers_per_block": 1, "sample_size": 16, "in_channels": 8},
        **{"out_channels": 4, "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"), "norm_num_groups": 4},
        **{"up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"), "cross_attention_dim": 16, "attention_head_dim": 4},
    },
    "vae": {
        **{"block_out_channels": (8, 16), "latent_channels": 4, "norm_num_groups": 4},
        **{"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2},
    },
    "text": {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2},
}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(capsys):
    with pytest.raises(Missing, match="no GPU"):
        measure(Silent())
    assert main(["gpu"]) == 2 and "no GPU" in capsys.readouterr().err


def test_the_reference_equals_itself():
    found = compare_to_reference(TorchKernels(), TINY)
    assert {value for key, value in found.items() if key.endswith("_error")} == {0.0}


def test_a_fit_and_a_drive_are_timed():
    found = fit_and_drive(choose_kernels(), painted_take(TINY.size_px, TINY.frames), TINY)
    assert found.keys() == {"fit_steps_per_s", "fit_psnr_db", "drive_fps"} and min(found.values()) > 0


def test_an_edit_is_timed():
    editor = random_ip2p("cpu", torch.float32, **TINY_IP2P, side_px=None)
    assert edit_figures(editor, TINY)["edit_s_per_frame"] >= 0


def test_the_published_sizes_are_those_of_stable_diffusion():
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel(**gpu.UNET)
    assert sum(each.numel() for each in unet.parameters()) == 859_532_484  # 11,520 more than Stable Diffusion 1.5's
