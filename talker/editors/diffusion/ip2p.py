"""InstructPix2Pix as an Editor: one denoising loop for both kinds of start.

Brooks et al. 2023; the loop follows diffusers 0.42's StableDiffusionInstructPix2PixPipeline, whose parts are handed
in. Notation: B images, z latents [B, 4, h, w], c condition latents; the three guidance branches are stacked in the
order text and image, image alone, neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import NotRequired, TypedDict

from talker.core.errors import BadInput, Missing, out_of_memory
from talker.core.hub import check_hub, folder_or_name, is_folder, quiet_libraries, read_config
from talker.core.records import Count, open_ended
from talker.core.types import Reporter, Silent
from talker.editors.editor import EditorOptions, EditRequest, RegisteredEditor

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, DDIMScheduler, DPMSolverMultistepScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

USUAL_SIDE_PX = 512  # what the published checkpoint edits best

Sampler = Literal["ddim", "dpm++"]
Precision = Literal["auto", "float16", "bfloat16", "float32"]


@dataclass(frozen=True)
class DiffusionOptions(EditorOptions):
    """How InstructPix2Pix edits."""

    model: str | None = None  # InstructPix2Pix from this folder or hub name
    sampler: Sampler = "ddim"  # of InstructPix2Pix: dpm++ needs fewer --steps for the same picture
    precision: Precision = "auto"
    """of InstructPix2Pix; auto: float16 on a GPU, float32 elsewhere; bfloat16 where float16 overflows"""


class InstructPix2Pix(RegisteredEditor):
    """Editor around the parts of an InstructPix2Pix pipeline."""

    name = "ip2p"
    reads = frozenset({"rendered"})
    options = DiffusionOptions()
    cost_follows_steps = True
    hub_model = "timbrooks/instruct-pix2pix"

    def __init__(
        self,
        vae: AutoencoderKL,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        unet: UNet2DConditionModel,
        scheduler: DDIMScheduler | DPMSolverMultistepScheduler,
        *,
        options: DiffusionOptions = DiffusionOptions(),  # that the parts were made with
        side_px: int | None = USUAL_SIDE_PX,  # images are brought to this shorter side; None: left as they are
        reporter: Reporter = Silent(),
    ):
        if unet.config.in_channels != 2 * vae.config.latent_channels:
            raise BadInput(_no_editor(unet.config.in_channels, vae.config.latent_channels))
        self.vae, self.text_encoder, self.tokenizer = vae, text_encoder, tokenizer
        self.unet, self.scheduler = unet, scheduler
        self.options, self.side_px = options, side_px
        self.factor = 2 ** (len(vae.config.block_out_channels) - 1)
        self._embedded: tuple[str, Tensor] | None = None
        self._reporter = reporter
        self._at_once: int | None = None  # as many images as memory has been found to hold; None: any number

    @classmethod
    def open(cls, options: DiffusionOptions, reporter: Reporter, *, local_only: bool) -> InstructPix2Pix:
        return load(options, reporter, local_only=local_only)

    def describe(self, instruction: str) -> str:
        if not instruction.strip():
            raise BadInput('the instruction is empty; say what to change, for example "make him a bronze statue"')
        return f"InstructPix2Pix: {instruction.strip()}"

    @torch.no_grad()
    def edit(self, request: EditRequest) -> Tensor:
        """One noise serves all images, so that equal ones get equal edits.

        Where memory does not hold them at once they go in halves, with the same noise, to the same result.
        """
        count, height, width = request.rendered.shape[:3]
        noise, generator = request.noise, request.generator
        if noise is None:
            channels = self.vae.config.latent_channels
            size = (side // self.factor for side in self._inner_size(height, width))
            # On the generator's own device: the same seed draws the same noise with and without a GPU.
            noise = torch.randn((1, channels, *size), generator=generator, device=generator.device)
        noise = noise.expand(count, -1, -1, -1)
        edited: list[Tensor] = []
        while len(edited) < count:
            batch = slice(len(edited), min(count, len(edited) + (self._at_once or count)))
            part = replace(request, rendered=request.rendered[batch], originals=request.originals[batch])
            fits = True
            try:
                edited += self._edit_at_once(part, noise[batch])
            except RuntimeError as error:
                if out_of_memory(error) is None:
                    raise
                fits = False
            # Outside of the handler: while it runs, the error's traceback holds on to the memory.
            if not fits:
                self._take_fewer(batch.stop - batch.start)
        return torch.stack(edited)

    def _edit_at_once(
        self,
        request: EditRequest,
        noise: Tensor,  # [B, 4, h, w]
    ) -> Tensor:  # [B, H, W, 3]
        rendered, start = request.rendered, request.start
        height, width = rendered.shape[1:3]
        # Condition latents are not scaled, unlike z: the checkpoint was trained so.
        condition = self._encode(rendered if start >= 1.0 else request.originals)
        noise = noise.to(condition)
        with self._diffusion_time(start, request.steps) as timesteps:
            if start >= 1.0:
                latents = noise * self.scheduler.init_noise_sigma
            else:
                clean = self._encode(rendered) * self.vae.config.scaling_factor
                latents = self.scheduler.add_noise(clean, noise, timesteps[:1])
            guidance = request.text_guidance, request.image_guidance
            latents = self._denoise(latents, condition, self._embed(request.instruction), timesteps, *guidance)
        decoded = self.vae.decode(latents / self.vae.config.scaling_factor, return_dict=False)[0].float()
        if not decoded.isfinite().all():
            raise BadInput(
                f"InstructPix2Pix made no picture at {self.unet.dtype}: its numbers overflowed; "
                "try --precision bfloat16 or float32"
            )
        decoded = functional.interpolate(decoded, (height, width), mode="bilinear", antialias=True)
        return (decoded / 2 + 0.5).clamp(0.0, 1.0).permute(0, 2, 3, 1).to(rendered)

    def _take_fewer(self, tried: int) -> None:
        """Half as many images from now on; BadInput when one is too many. Said once, however often it halves."""
        torch.cuda.empty_cache()
        if tried == 1:
            raise BadInput(
                "the memory does not hold InstructPix2Pix at work on a single picture; close what else uses it, or "
                "take --precision bfloat16, which needs half as much as float32"
            )
        if self._at_once is None:
            self._reporter.notice("memory is short; InstructPix2Pix takes fewer pictures at once")
        self._at_once = tried // 2

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
        size = self._inner_size(*pixels.shape[2:])
        pixels = functional.interpolate(pixels, size, mode="bicubic", antialias=True).clamp(0.0, 1.0)
        return self.vae.encode((pixels * 2 - 1).to(self.vae.dtype)).latent_dist.mode()

    def _inner_size(self, height: int, width: int) -> tuple[int, int]:
        scale = 1.0 if self.side_px is None else self.side_px / min(height, width)
        return tuple(max(1, round(side * scale / self.factor)) * self.factor for side in (height, width))

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
    options: DiffusionOptions = DiffusionOptions(),
    reporter: Reporter = Silent(),
    *,
    device: str | None = None,
    local_only: bool = False,
) -> InstructPix2Pix:
    """The editor from a folder, this machine's cache or the hub; Missing or BadInput in one line, without retries."""
    model = options.model or InstructPix2Pix.hub_model
    source = folder_or_name(model, "--model", "an InstructPix2Pix model in diffusers' layout")
    if is_folder(source):
        _check_folder(Path(source))
    try:
        from diffusers import StableDiffusionInstructPix2PixPipeline
    except ImportError as error:
        raise out_of_memory(error) or Missing(
            f"InstructPix2Pix needs diffusers and transformers ({error}); pip install talker"
        ) from error
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    how = {
        "torch_dtype": _dtype(options.precision, device),
        "use_safetensors": True,
        "safety_checker": None,
        "requires_safety_checker": False,
    }
    with quiet_libraries():
        try:
            pipeline = StableDiffusionInstructPix2PixPipeline.from_pretrained(source, local_files_only=True, **how)
        except (OSError, ValueError) as error:
            if (lack := out_of_memory(error)) is not None:
                raise lack from error
            if is_folder(source):
                raise BadInput(f"cannot load {model} as an InstructPix2Pix pipeline: {_first_line(error)}") from error
            if local_only:
                raise Missing(f"{model} is not on this machine; {_ways_out(model)}") from error
            check_hub(model, "InstructPix2Pix", _ways_out(model))
            try:
                pipeline = StableDiffusionInstructPix2PixPipeline.from_pretrained(source, **how)
            except (OSError, ValueError) as second:
                raise out_of_memory(second) or Missing(
                    f"cannot load {model}: {_first_line(second)}; {_ways_out(model)}"
                ) from second
    pipeline = pipeline.to(device)
    scheduler = make_scheduler(options.sampler, pipeline.scheduler.config)
    parts = (pipeline.vae, pipeline.text_encoder, pipeline.tokenizer, pipeline.unet)
    return InstructPix2Pix(*parts, scheduler, options=options, reporter=reporter)


def make_scheduler(sampler: Sampler, config: Mapping[str, Any]) -> DDIMScheduler | DPMSolverMultistepScheduler:
    """A sampler of a checkpoint's noise schedule; its own one draws fresh noise at every step, and is not used."""
    from diffusers import DDIMScheduler, DPMSolverMultistepScheduler

    if sampler == "ddim":
        return DDIMScheduler.from_config(config, clip_sample=False, set_alpha_to_one=False)
    return DPMSolverMultistepScheduler.from_config(config, algorithm_type="dpmsolver++", final_sigmas_type="zero")


def _dtype(precision: Precision, device: str) -> torch.dtype:
    on_gpu = device.startswith("cuda")
    if precision == "auto":
        return torch.float16 if on_gpu else torch.float32
    if precision == "float16" and not on_gpu:
        raise BadInput("--precision float16 needs a GPU; this machine's choices are auto, bfloat16 and float32")
    return getattr(torch, precision)


def _ways_out(model: str) -> str:
    return (
        f"fetch it where there is a network (hf download {model} --local-dir ip2p) and pass --model ip2p, "
        "or use what the built-in editor knows (--editor builtin)"
    )


def _no_editor(taken: int, latent: int) -> str:
    return (
        f"this UNet takes {taken} channels and not {2 * latent}: it makes pictures from words alone and is no "
        f"InstructPix2Pix model; try --model {InstructPix2Pix.hub_model}"
    )


_Pipeline = open_ended(TypedDict("_Pipeline", {"_class_name": NotRequired[str]}))
_Unet = open_ended(TypedDict("_Unet", {"in_channels": Count}))
_Vae = open_ended(TypedDict("_Vae", {"latent_channels": Count}))


def _check_folder(folder: Path) -> None:
    """A folder that is not such a pipeline is told apart before gigabytes are read."""
    index = folder / "model_index.json"
    if not index.is_file():
        raise BadInput(f"{folder} holds no model_index.json; --model takes a folder in diffusers' layout or a hub id")
    kind = read_config(index, _Pipeline).get("_class_name", "")
    if kind != "StableDiffusionInstructPix2PixPipeline":
        raise BadInput(
            f"{folder} holds a {kind or 'pipeline of unknown kind'}, not a StableDiffusionInstructPix2PixPipeline; "
            f"try --model {InstructPix2Pix.hub_model}"
        )
    taken = read_config(folder / "unet/config.json", _Unet)["in_channels"]
    latent = read_config(folder / "vae/config.json", _Vae)["latent_channels"]
    if taken != 2 * latent:
        raise BadInput(_no_editor(taken, latent))
    for part in ("unet", "vae", "text_encoder"):
        if not any((folder / part).glob("*.safetensors")):
            raise BadInput(
                f"{folder / part} holds no .safetensors weights; other formats could run code and are not read; "
                "download the model's safetensors files"
            )


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
