"""InstructPix2Pix as an Editor: one denoising loop for both kinds of start.

Brooks et al. 2023; the loop follows diffusers 0.42's StableDiffusionInstructPix2PixPipeline, whose parts are handed
in. Notation: B images, z latents [B, 4, h, w], c condition latents; the three guidance branches are stacked in the
order text and image, image alone, neither.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from talker.errors import BadInput, Missing
from talker.hub import folder_or_name, is_folder, quiet_libraries
from talker.pdu.editor import Masks

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

HUB_TIMEOUT_S = 3.0
USUAL_SIDE_PX = 512  # what the published checkpoint edits best


class InstructPix2Pix:
    """Editor around the parts of an InstructPix2Pix pipeline."""

    name = "ip2p"
    reads = frozenset({"rendered"})  # and `originals` for starts below 1, which the progressive loop never asks for

    def __init__(
        self,
        vae: AutoencoderKL,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        unet: UNet2DConditionModel,
        scheduler: DDIMScheduler,
        *,
        side_px: int | None = USUAL_SIDE_PX,  # images are brought to this shorter side; None: left as they are
    ):
        channels = 2 * vae.config.latent_channels
        if unet.config.in_channels != channels:
            raise BadInput(
                f"this UNet takes {unet.config.in_channels} channels and not {channels}: it is no InstructPix2Pix "
                "model; try --model timbrooks/instruct-pix2pix"
            )
        self.vae, self.text_encoder, self.tokenizer = vae, text_encoder, tokenizer
        self.unet, self.scheduler = unet, scheduler
        self.side_px = side_px
        self.factor = 2 ** (len(vae.config.block_out_channels) - 1)
        self._embedded: tuple[str, Tensor] | None = None

    def describe(self, instruction: str) -> str:
        if not instruction.strip():
            raise BadInput('the instruction is empty; say what to change, for example "make him a bronze statue"')
        return f"InstructPix2Pix: {instruction.strip()}"

    @torch.no_grad()
    def edit(
        self,
        rendered: Tensor,  # [B, H, W, 3]
        originals: Tensor,  # [B, H, W, 3]
        instruction: str,
        *,
        text_guidance: float,
        image_guidance: float,
        steps: int,
        start: float = 1.0,
        noise: Tensor | None = None,  # [1 or B, 4, h, w]
        generator: torch.Generator,
        masks: Masks | None = None,
    ) -> Tensor:
        """As `Editor.edit`; one noise serves the whole batch, so that equal images get equal edits."""
        height, width = rendered.shape[1:3]
        # Condition latents are not scaled, unlike z: the checkpoint was trained so.
        condition = self._encode(rendered if start >= 1.0 else originals)
        if noise is None:
            # On the generator's own device: the same seed draws the same noise with and without a GPU.
            noise = torch.randn((1, *condition.shape[1:]), generator=generator, device=generator.device)
        noise = noise.to(condition).expand_as(condition)
        with self._diffusion_time(start, steps) as timesteps:
            if start >= 1.0:
                latents = noise * self.scheduler.init_noise_sigma
            else:
                clean = self._encode(rendered) * self.vae.config.scaling_factor
                latents = self.scheduler.add_noise(clean, noise, timesteps[:1])
            latents = self._denoise(
                latents, condition, self._embed(instruction), timesteps, text_guidance, image_guidance
            )
        decoded = self.vae.decode(latents / self.vae.config.scaling_factor, return_dict=False)[0].float()
        decoded = functional.interpolate(decoded, (height, width), mode="bilinear", antialias=True)
        return (decoded / 2 + 0.5).clamp(0.0, 1.0).permute(0, 2, 3, 1).to(rendered)

    def _denoise(
        self,
        latents: Tensor,
        condition: Tensor,
        embeddings: Tensor,  # [2, tokens, C]: the instruction's, and the empty text's
        timesteps: Tensor,
        text_guidance: float,  # s_T
        image_guidance: float,  # s_I
    ) -> Tensor:
        """z_T to z_0 with e = e(0,0) + s_I (e(0,c) - e(0,0)) + s_T (e(t,c) - e(0,c)) (Brooks et al., eq. 3)."""
        count = len(latents)
        text = embeddings[[0] * count + [1] * (2 * count)]
        images = torch.cat([condition, condition, torch.zeros_like(condition)])
        for timestep in timesteps:
            stacked = self.scheduler.scale_model_input(torch.cat([latents] * 3), timestep)
            predicted = self.unet(torch.cat([stacked, images], dim=1), timestep, text, return_dict=False)[0]
            both, image_only, neither = predicted.chunk(3)
            guided = neither + text_guidance * (both - image_only) + image_guidance * (image_only - neither)
            latents = self.scheduler.step(guided, timestep, latents, return_dict=False)[0]
        return latents

    @contextmanager
    def _diffusion_time(self, start: float, steps: int) -> Iterator[Tensor]:
        """Timesteps of a schedule cut off at `start`, as Instruct-NeRF2NeRF does; the scheduler is put back after."""
        whole = self.scheduler.config.num_train_timesteps
        last = max(1, min(whole, round(start * whole)))
        self.scheduler.register_to_config(num_train_timesteps=last)
        try:
            self.scheduler.set_timesteps(min(steps, last), device=self.unet.device)
            yield self.scheduler.timesteps
        finally:
            self.scheduler.register_to_config(num_train_timesteps=whole)

    def _encode(self, images: Tensor) -> Tensor:
        """Latents before any scaling; [B, H, W, 3] is brought to a size that the networks take."""
        pixels = images.permute(0, 3, 1, 2).to(self.vae.device, torch.float32)
        scale = 1.0 if self.side_px is None else self.side_px / min(pixels.shape[2:])
        size = tuple(max(1, round(side * scale / self.factor)) * self.factor for side in pixels.shape[2:])
        pixels = functional.interpolate(pixels, size, mode="bicubic", antialias=True).clamp(0.0, 1.0)
        return self.vae.encode((pixels * 2 - 1).to(self.vae.dtype)).latent_dist.mode()

    def _embed(self, instruction: str) -> Tensor:
        if self._embedded is None or self._embedded[0] != instruction:
            tokens = self.tokenizer(
                [instruction, ""],
                padding="max_length",
                max_length=self.tokenizer.model_max_length,
                truncation=True,
                return_tensors="pt",
            )
            embeddings = self.text_encoder(tokens.input_ids.to(self.text_encoder.device))[0]
            self._embedded = (instruction, embeddings.to(self.unet.dtype))
        return self._embedded[1]


def load(
    model: str,  # hub id, or a folder in diffusers' layout
    *,
    device: str | None = None,
    local_only: bool = False,
) -> InstructPix2Pix:
    """The editor from a folder, this machine's cache or the hub; Missing or BadInput in one line, without retries."""
    source = folder_or_name(model, "--model", "an InstructPix2Pix model in diffusers' layout")
    if is_folder(source):
        _check_folder(Path(source))
    try:
        from diffusers import DDIMScheduler, StableDiffusionInstructPix2PixPipeline
    except ImportError as error:
        raise Missing(f"InstructPix2Pix needs diffusers and transformers ({error}); pip install talker") from error
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    options = {
        "torch_dtype": torch.float16 if device.startswith("cuda") else torch.float32,
        "use_safetensors": True,
        "safety_checker": None,
        "requires_safety_checker": False,
    }
    with quiet_libraries():
        try:
            pipeline = StableDiffusionInstructPix2PixPipeline.from_pretrained(source, local_files_only=True, **options)
        except (OSError, ValueError) as error:
            if is_folder(source):
                raise BadInput(f"cannot load {model} as an InstructPix2Pix pipeline: {_first_line(error)}") from error
            if local_only:
                raise Missing(f"{model} is not on this machine; {_ways_out(model)}") from error
            _check_hub(model)
            try:
                pipeline = StableDiffusionInstructPix2PixPipeline.from_pretrained(source, **options)
            except (OSError, ValueError) as second:
                raise Missing(f"cannot load {model}: {_first_line(second)}; {_ways_out(model)}") from second
    pipeline = pipeline.to(device)
    # DDIM, and not the checkpoint's ancestral sampler, which draws fresh noise at every step.
    scheduler = DDIMScheduler.from_config(pipeline.scheduler.config, clip_sample=False, set_alpha_to_one=False)
    return InstructPix2Pix(pipeline.vae, pipeline.text_encoder, pipeline.tokenizer, pipeline.unet, scheduler)


def _ways_out(model: str) -> str:
    return (
        f"fetch it where there is a network (hf download {model} --local-dir ip2p) and pass --model ip2p, "
        "or use what the built-in editor knows (--editor builtin)"
    )


def _check_folder(folder: Path) -> None:
    """A folder that is not such a pipeline is told apart before gigabytes are read."""
    index = folder / "model_index.json"
    if not index.is_file():
        raise BadInput(f"{folder} holds no model_index.json; --model takes a folder in diffusers' layout or a hub id")
    kind = json.loads(index.read_text()).get("_class_name", "")
    if kind != "StableDiffusionInstructPix2PixPipeline":
        raise BadInput(
            f"{folder} holds a {kind or 'pipeline of unknown kind'}, not a StableDiffusionInstructPix2PixPipeline; "
            "try --model timbrooks/instruct-pix2pix"
        )
    for part in ("unet", "vae", "text_encoder"):
        if not any((folder / part).glob("*.safetensors")):
            raise BadInput(
                f"{folder / part} holds no .safetensors weights; other formats could run code and are not read; "
                "download the model's safetensors files"
            )


def _check_hub(model: str) -> None:
    """One short question instead of the hub library's retries."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        raise Missing(f"{model} is not on this machine and HF_HUB_OFFLINE forbids the hub; {_ways_out(model)}")
    hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    try:
        urllib.request.urlopen(urllib.request.Request(hub, method="HEAD"), timeout=HUB_TIMEOUT_S).close()
    except urllib.error.HTTPError:
        return  # it answered
    except (OSError, ValueError) as error:
        raise Missing(f"{model} is not on this machine and {hub} cannot be reached; {_ways_out(model)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
