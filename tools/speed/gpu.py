"""One command for a GPU: kernels against the reference, a fit and a drive at 512x512, an edit by InstructPix2Pix.

It needs neither mediapipe nor weights: the speaker is a painted egg or a prepared take, and InstructPix2Pix has the
published checkpoint's size and random numbers, so that its times are true and its pictures are noise.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from talker.core.errors import Missing
from talker.core.metrics import psnr_db
from talker.core.types import FPS, Reporter, Take
from talker.editors.diffusion.ip2p import InstructPix2Pix, make_scheduler
from talker.editors.editor import EditRequest
from talker.projects.project import Project
from talker.radfield.backends import KERNELS
from talker.radfield.encoding import spherical_harmonics
from talker.radfield.field import HIDDEN, Biases, HeadField
from talker.radfield.fit import Fitter, conditions_for
from talker.radfield.fit_take import FieldFitOptions, new_scene
from talker.radfield.kernels import Kernels, TorchKernels
from talker.radfield.sampling import TakeTargets
from talker.radfield.scene import Scene
from talker.radfield.targets import PixelObjective
from talker.take.store import load_take
from tools.speed.report import Report, configuration
from tools.speed.subject import painted_take

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

BACKENDS = ("tcnn", "cuda")
# Of InstructPix2Pix as published: Stable Diffusion 1.5 whose UNet sees the picture beside the noise.
UNET = {
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "sample_size": 64,
    "in_channels": 8,
    "out_channels": 4,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "latent_channels": 4,
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
}
TEXT = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
TOKENS = 77
NOISE_SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}


@dataclass(frozen=True)
class Sizes:
    """How much work is done. The defaults take a few minutes on one card."""

    points: int = 1 << 16  # points that the kernels are checked on
    size_px: int = 512
    frames: int = 100  # of the painted take
    fit_steps: int = 3000
    drive_frames: int = 250
    edited_frames: int = 8
    sampling_steps: int = 20


def measure(reporter: Reporter, project: Path | None = None, sizes: Sizes = Sizes()) -> Report:
    """All of it; with a project, fit and drive are of its take.

    Raises:
        Missing: no GPU on this machine, or none that torch can use.
    """
    if not torch.cuda.is_available():
        raise Missing("This machine has no GPU that torch can use; run it where `talker doctor` finds one")
    values: dict[str, float] = {}
    backends = _backends(reporter, values)
    for kernels in backends:
        values |= {f"{kernels.name}_{key}": value for key, value in compare_to_reference(kernels, sizes).items()}
    take = painted_take(sizes.size_px, sizes.frames) if project is None else _take_of(project)
    for kernels in backends:
        reporter.progress(f"fit and drive with {kernels.name}", 0.0)
        values |= {f"{kernels.name}_{key}": value for key, value in fit_and_drive(kernels, take, sizes).items()}
    reporter.progress("edit with InstructPix2Pix", 0.0)
    values |= edit_figures(random_ip2p("cuda", torch.bfloat16), sizes)
    values["peak_gpu_mib"] = round(torch.cuda.max_memory_allocated() / 2**20)
    rows = [f"{key:<34}{value:>12}" for key, value in values.items()]
    name = torch.cuda.get_device_name()
    return Report(f"{name}; {configuration(FieldFitOptions().head)}", rows, values)


def _backends(reporter: Reporter, values: dict[str, float]) -> list[Kernels]:
    found = []
    for name in BACKENDS:
        try:
            found.append(KERNELS[name](reporter))
        except Missing as missing:
            reporter.notice(f"without {name}: {missing}")
        values[f"{name}_there"] = float(any(kernels.name == name for kernels in found))
    if not found:
        raise Missing("None of talker's GPU kernels runs here; talker doctor says why")
    return found


def _take_of(project: Path) -> Take:
    return load_take(Project.open(project).path("take"))


def compare_to_reference(kernels: Kernels, sizes: Sizes) -> dict[str, float]:
    """Largest differences from the float32 reference on the CPU, relative to its largest value, and times."""
    generator = torch.Generator().manual_seed(0)
    head = HeadField(FieldFitOptions().head, generator)
    rays = sizes.points // 16
    points = torch.rand(sizes.points, 3, generator=generator)
    directions = torch.nn.functional.normalize(torch.randn(rays, 3, generator=generator), dim=-1)
    harmonics = spherical_harmonics(directions).contiguous()
    ray_of = torch.arange(rays, dtype=torch.int32).repeat_interleave(16)
    frame_of = torch.zeros(rays, dtype=torch.int32)

    def evaluated(which: Kernels) -> list[Tensor]:
        here = HeadField(FieldFitOptions().head, torch.Generator().manual_seed(0)).to(which.device)
        here.load_state_dict({name: value.to(which.device) for name, value in head.state_dict().items()})
        biases = Biases(*(torch.zeros(1, HIDDEN, device=which.device) for _ in range(3)))
        at = [each.to(which.device) for each in (points, harmonics, ray_of, frame_of)]
        encoded = which.encode(here.shape.space, here.space_table, at[0])
        found = which.evaluate(here.shape, here.weights, biases, *at)
        loss = found.sigmas.mean() + found.values.mean()
        loss.backward()
        gradient = here.space_table.grad
        assert gradient is not None, "the table has a gradient"
        return [each.detach().float().cpu() for each in (encoded, found.sigmas, found.values, gradient)]

    wanted, began = evaluated(TorchKernels()), time.perf_counter()
    found = evaluated(kernels)
    names = ("encode", "sigma", "colour", "table_gradient")
    errors = {
        f"{name}_error": round(float((a - b).abs().max() / b.abs().max().clamp(min=1e-12)), 6)
        for name, a, b in zip(names, found, wanted, strict=True)
    }
    return {**errors, "first_call_s": round(time.perf_counter() - began, 2)}


def fit_and_drive(kernels: Kernels, take: Take, sizes: Sizes) -> dict[str, float]:
    """Steps a second of a fit, its PSNR on a training frame, and frames a second of its field."""
    options = FieldFitOptions.preset("gpu", kernels.device, 0, len(take) / FPS, sizes.size_px)
    scene = new_scene(take, options, kernels)
    fitter = Fitter(scene, take, sizes.fit_steps, [PixelObjective()])
    targets = TakeTargets(take, options.frames_per_step, options.pixels_per_frame)
    fitter.run(targets, 1)
    seconds = _timed(lambda: fitter.run(targets, sizes.fit_steps))
    frames = [index % len(take) for index in range(sizes.drive_frames)]
    rendered = _render(scene, take, frames[0])
    drive_s = _timed(lambda: [_render(scene, take, index) for index in frames])
    wanted = torch.from_numpy(take.frames[frames[0]]) / 255.0
    return {
        "fit_steps_per_s": round(sizes.fit_steps / seconds, 1),
        "fit_psnr_db": round(float(psnr_db(rendered.cpu().numpy(), wanted.numpy())), 2),
        "drive_fps": round(sizes.drive_frames / drive_s, 1),
    }


@torch.no_grad()
def _render(scene: Scene, take: Take, index: int) -> Tensor:
    return scene.render(take.camera(index), conditions_for(scene, take, [index])).rgb


def edit_figures(editor: InstructPix2Pix, sizes: Sizes) -> dict[str, float]:
    """Seconds a picture of an edit at full size."""
    pictures = torch.rand(sizes.edited_frames, sizes.size_px, sizes.size_px, 3)

    def edit(steps: int) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        return editor.edit(
            EditRequest(
                pictures, pictures, "make him a bronze statue",
                text_guidance=6.0, image_guidance=1.5, steps=steps, generator=generator,
            )
        )  # fmt: skip

    edit(1)
    seconds = _timed(lambda: edit(sizes.sampling_steps))
    return {"edit_s_per_frame": round(seconds / sizes.edited_frames, 3)}


def random_ip2p(
    device: str,
    dtype: torch.dtype,
    unet: dict | None = None,  # instead of the published sizes
    vae: dict | None = None,
    text: dict | None = None,
    side_px: int | None = 512,
) -> InstructPix2Pix:
    """InstructPix2Pix of the published size with random weights."""
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    tokenizer = _letters_tokenizer()
    config = CLIPTextConfig(vocab_size=len(tokenizer), max_position_embeddings=TOKENS, **(text or TEXT))
    parts = (AutoencoderKL(**(vae or VAE)), CLIPTextModel(config), UNet2DConditionModel(**(unet or UNET)))
    autoencoder, encoder, denoiser = (part.to(device, dtype).eval() for part in parts)
    scheduler = make_scheduler("ddim", DDIMScheduler(**NOISE_SCHEDULE).config)
    return InstructPix2Pix(autoencoder, encoder, tokenizer, denoiser, scheduler, side_px=side_px)


def _letters_tokenizer() -> CLIPTokenizer:
    """Of the checkpoint's kind and length; it knows letters only."""
    from transformers import CLIPTokenizer

    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    with tempfile.TemporaryDirectory() as folder:
        vocabulary, merges = Path(folder) / "vocab.json", Path(folder) / "merges.txt"
        vocabulary.write_text(json.dumps({word: number for number, word in enumerate(words)}))
        merges.write_text("#version: 0.2\n")
        return CLIPTokenizer(str(vocabulary), str(merges), model_max_length=TOKENS)


def _timed(work: Callable[[], object]) -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    began = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began
