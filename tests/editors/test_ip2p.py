"""InstructPix2Pix on tiny random components of the very classes that the published checkpoint uses."""

from __future__ import annotations

import json
import time

import pytest
import torch

from talker.core.errors import BadInput, Missing
from talker.editors.diffusion.ip2p import DiffusionOptions, InstructPix2Pix, load, make_scheduler
from talker.editors.editor import EditRequest
from talker.editors.registry import open_editor

CHECKPOINT = {"text_guidance": 6.0, "image_guidance": 1.5, "steps": 2}


def tiny_parts(folder, in_channels=8):
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        block_out_channels=(8, 16), layers_per_block=1, sample_size=16, in_channels=in_channels, out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16, norm_num_groups=4, attention_head_dim=4,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(8, 16), in_channels=3, out_channels=3, latent_channels=4, norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    )  # fmt: skip
    text = CLIPTextModel(
        CLIPTextConfig(
            hidden_size=16, intermediate_size=24, num_attention_heads=2, num_hidden_layers=2, vocab_size=64,
            bos_token_id=0, eos_token_id=1, pad_token_id=1, max_position_embeddings=12,
        )
    )  # fmt: skip
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(letter + "</w>" for letter in letters)]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=12)
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1,
    )  # fmt: skip
    return {"vae": vae, "text_encoder": text, "tokenizer": tokenizer, "unet": unet, "scheduler": scheduler}


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return tiny_parts(tmp_path_factory.mktemp("tokens"))


@pytest.fixture
def editor(parts):
    return InstructPix2Pix(**parts, side_px=None)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images(count=2, side=32):
    return torch.rand(count, side, side, 3, generator=seeded(9))


def edit(editor, rendered, originals, **asked):
    return editor.edit(EditRequest(rendered, originals, "bronze", **asked))


def pipeline_of(parts):
    from diffusers import StableDiffusionInstructPix2PixPipeline

    return StableDiffusionInstructPix2PixPipeline(
        **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )


def test_agrees_with_the_pipeline_of_diffusers(editor, parts):
    rendered = images()
    noise = torch.randn(1, 4, 16, 16, generator=seeded())
    pipeline = pipeline_of(parts)
    pipeline.set_progress_bar_config(disable=True)
    expected = pipeline(
        prompt=["bronze"] * 2,
        image=rendered.permute(0, 3, 1, 2),
        num_inference_steps=2,
        guidance_scale=6.0,
        image_guidance_scale=1.5,
        latents=noise.repeat(2, 1, 1, 1),
        output_type="pt",
    ).images.permute(0, 2, 3, 1)
    edited = edit(editor, rendered, rendered, noise=noise, generator=seeded(1), **CHECKPOINT)
    assert edited.shape == rendered.shape
    assert torch.allclose(edited, expected, atol=1e-5)


def test_noise_is_shared_and_comes_from_the_generator(editor):
    twice = images(1).repeat(2, 1, 1, 1)
    first = edit(editor, twice, twice, generator=seeded(3), **CHECKPOINT)
    assert torch.allclose(first[0], first[1], atol=1e-6)
    assert torch.equal(first, edit(editor, twice, twice, generator=seeded(3), **CHECKPOINT))
    assert not torch.allclose(first, edit(editor, twice, twice, generator=seeded(4), **CHECKPOINT), atol=1e-4)


@pytest.mark.parametrize("sampler", ["ddim", "dpm++"])
@pytest.mark.parametrize("start", [0.3, 0.9])
def test_a_short_start_denoises_the_render(parts, monkeypatch, start, sampler):
    """A UNet that knows the noise leads back to the render, up to the noise of DDIM's last step, exactly."""
    scheduler = make_scheduler(sampler, parts["scheduler"].config)
    editor = InstructPix2Pix(**{**parts, "scheduler": scheduler}, side_px=None)
    rendered, originals = images(1), torch.rand(1, 32, 32, 3, generator=seeded(5))
    noise = torch.randn(1, 4, 16, 16, generator=seeded(6))
    seen = []

    def all_knowing(stacked, timestep, text, return_dict):
        seen.append(int(timestep))
        return (noise.expand(3, -1, -1, -1),)

    monkeypatch.setattr(editor.unet, "forward", all_knowing)
    edited = edit(editor, rendered, originals, start=start, noise=noise, generator=seeded(), **CHECKPOINT)
    scale = editor.vae.config.scaling_factor
    remaining = scheduler.final_alpha_cumprod if sampler == "ddim" else torch.tensor(1.0)
    with torch.no_grad():
        clean = editor.vae.encode(rendered.permute(0, 3, 1, 2) * 2 - 1).latent_dist.mode()
        latents = remaining.sqrt() * clean + (1 - remaining).sqrt() * noise / scale
        expected = (editor.vae.decode(latents).sample / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
    assert torch.allclose(edited, expected, atol=1e-4)
    assert max(seen) <= start * 1000 and len(seen) == 2
    assert scheduler.config.num_train_timesteps == 1000, "the scheduler is put back"


def test_dpm_shares_noise_and_is_the_generators(parts):
    editor = InstructPix2Pix(**{**parts, "scheduler": make_scheduler("dpm++", parts["scheduler"].config)}, side_px=None)
    twice = images(1).repeat(2, 1, 1, 1)
    given = {**CHECKPOINT, "steps": 4}
    first, again = (edit(editor, twice, twice, generator=seeded(3), **given) for _ in range(2))
    assert torch.equal(first, again) and torch.allclose(first[0], first[1], atol=1e-6)


# -------------------------------------------------------------------- memory and numbers


class Notices:
    def __init__(self):
        self.said = []

    def progress(self, *_):
        pass

    def notice(self, text):
        self.said.append(text)


def short_of_memory(editor, monkeypatch, holds, error):
    """A UNet for which `holds` images are the most."""
    whole, tried = editor.unet.forward, []

    def forward(stacked, *rest, **named):
        tried.append(len(stacked) // 3)
        if len(stacked) // 3 > holds:
            raise error
        return whole(stacked, *rest, **named)

    monkeypatch.setattr(editor.unet, "forward", forward)
    return tried


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_short_memory_is_answered_by_smaller_batches_to_the_same_result(parts, monkeypatch, error):
    notices = Notices()
    editor = InstructPix2Pix(**parts, side_px=None, reporter=notices)
    rendered = images(5)
    expected = edit(editor, rendered, rendered, generator=seeded(3), **CHECKPOINT)
    tried = short_of_memory(editor, monkeypatch, 1, error)
    found = edit(editor, rendered, rendered, generator=seeded(3), **CHECKPOINT)
    assert torch.allclose(found, expected, atol=1e-5)
    assert tried == [5, 2] + [1] * 10 and len(notices.said) == 1
    edit(editor, rendered, rendered, generator=seeded(3), **CHECKPOINT)
    assert tried[12:] == [1] * 10, "what memory holds is remembered"


def test_memory_for_not_even_one_picture_is_told(editor, monkeypatch):
    short_of_memory(editor, monkeypatch, 0, torch.OutOfMemoryError("CUDA out of memory."))
    with pytest.raises(BadInput, match="memory does not hold"):
        edit(editor, images(3), images(3), generator=seeded(), **CHECKPOINT)


def test_other_errors_are_not_taken_for_short_memory(editor, monkeypatch):
    tried = short_of_memory(editor, monkeypatch, 0, RuntimeError("shapes do not fit"))
    with pytest.raises(RuntimeError, match="shapes"):
        edit(editor, images(2), images(2), generator=seeded(), **CHECKPOINT)
    assert tried == [2] and editor.scheduler.config.num_train_timesteps == 1000


def test_numbers_that_overflow_are_told(editor, monkeypatch):
    monkeypatch.setattr(editor.unet, "forward", lambda stacked, *_, **__: (stacked[:, :4] * float("inf"),))
    with pytest.raises(BadInput, match="bfloat16"):
        edit(editor, images(1), images(1), generator=seeded(), **CHECKPOINT)


def test_a_short_start_is_conditioned_on_the_originals(editor):
    rendered, one, other = images(1), images(2)[1:], torch.zeros(1, 32, 32, 3)
    a, b = (edit(editor, rendered, o, start=0.6, generator=seeded(), **CHECKPOINT) for o in (one, other))
    assert not torch.allclose(a, b, atol=1e-4)
    a, b = (edit(editor, rendered, o, start=1.0, generator=seeded(), **CHECKPOINT) for o in (one, other))
    assert torch.equal(a, b)


def test_any_size_goes_in_and_comes_out(parts):
    editor = InstructPix2Pix(**parts, side_px=32)
    odd = torch.rand(1, 45, 50, 3, generator=seeded())
    assert edit(editor, odd, odd, generator=seeded(), **CHECKPOINT).shape == odd.shape


def test_a_text_to_image_model_is_refused(tmp_path):
    with pytest.raises(BadInput, match="no InstructPix2Pix"):
        InstructPix2Pix(**tiny_parts(tmp_path, in_channels=4))


def test_the_model_that_was_named_is_opened_as_asked(parts, tmp_path):
    pipeline_of(parts).save_pretrained(tmp_path / "model")
    given = {"model": str(tmp_path / "model"), "sampler": "dpm++"}
    editor = open_editor("auto", "make him a zombie", given)
    assert editor.options == DiffusionOptions(**given)
    assert editor.name == "ip2p" and type(editor.scheduler).__name__ == "DPMSolverMultistepScheduler"


def test_loads_from_a_folder(parts, tmp_path):
    pipeline_of(parts).save_pretrained(tmp_path / "model")
    loaded = load(DiffusionOptions(str(tmp_path / "model")), device="cpu")
    loaded.side_px = None
    rendered = images(1)
    given = InstructPix2Pix(**parts, side_px=None)
    results = [edit(e, rendered, rendered, generator=seeded(), **CHECKPOINT) for e in (loaded, given)]
    assert torch.allclose(*results, atol=1e-5)
    for weights in (tmp_path / "model" / "unet").glob("*.safetensors"):
        weights.unlink()
    with pytest.raises(BadInput, match="safetensors"):
        load(DiffusionOptions(str(tmp_path / "model")))


def test_loads_in_the_precision_and_with_the_sampler_asked_for(parts, tmp_path):
    pipeline_of(parts).save_pretrained(tmp_path / "model")
    loaded = load(DiffusionOptions(str(tmp_path / "model"), "dpm++", "bfloat16"), device="cpu")
    loaded.side_px = None
    assert loaded.unet.dtype == torch.bfloat16 and type(loaded.scheduler).__name__ == "DPMSolverMultistepScheduler"
    edited = edit(loaded, images(1), images(1), generator=seeded(), **CHECKPOINT)
    assert edited.dtype == torch.float32 and edited.isfinite().all()
    with pytest.raises(BadInput, match="float16 needs a GPU"):
        load(DiffusionOptions(str(tmp_path / "model"), precision="float16"), device="cpu")


def test_a_text_to_image_folder_is_told_before_its_weights_are_read(parts, tmp_path):
    pipeline_of(parts).save_pretrained(tmp_path / "model")
    config = tmp_path / "model" / "unet" / "config.json"
    config.write_text(config.read_text().replace('"in_channels": 8', '"in_channels": 4'))
    for weights in (tmp_path / "model").rglob("*.safetensors"):
        weights.write_bytes(b"")
    with pytest.raises(BadInput, match="no InstructPix2Pix"):
        load(DiffusionOptions(str(tmp_path / "model")))


def test_folders_that_are_no_such_pipeline(tmp_path):
    with pytest.raises(BadInput, match=r"model_index\.json"):
        load(DiffusionOptions(str(tmp_path)))
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionXLPipeline"}')
    with pytest.raises(BadInput, match="StableDiffusionXLPipeline"):
        load(DiffusionOptions(str(tmp_path)))
    (tmp_path / "model_index.json").write_text("{")
    with pytest.raises(BadInput, match=r"no JSON.*download the model again"):
        load(DiffusionOptions(str(tmp_path)))
    with pytest.raises(BadInput, match="no such folder"):
        load(DiffusionOptions("./nowhere"))


def test_an_unreachable_hub_is_told_at_once(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    started = time.monotonic()
    with pytest.raises(Missing, match=r"cannot be reached.*--model") as caught:
        load(DiffusionOptions("nobody/nothing-here"))
    assert "\n" not in str(caught.value)
    assert time.monotonic() - started < 15  # imports included


def test_auto_without_any_model_explains_the_builtin(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(BadInput, match="old man"):
        open_editor("auto", "make him an old man")
    assert open_editor("auto", "make him a Van Gogh painting").name == "builtin"
    with pytest.raises(BadInput, match="no editor called"):
        open_editor("photoshop", "x")


def test_empty_instruction(editor):
    with pytest.raises(BadInput, match="empty"):
        editor.describe("  ")
