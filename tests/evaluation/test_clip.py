"""CLIP's direction on a tiny random CLIP of the published one's classes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from talker.core.errors import BadInput, Missing
from talker.core.types import Silent
from talker.evaluation.clip import Clip, load_clip, measure_direction

SIDE = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny CLIP as `save_pretrained` writes one."""
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("clip")
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(letter + "</w>" for letter in letters)]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=12).save_pretrained(folder)
    layers = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(0)
    CLIPModel(
        CLIPConfig(
            text_config={**layers, "vocab_size": 64, "max_position_embeddings": 12, "bos_token_id": 0,
                         "eos_token_id": 1, "pad_token_id": 1},
            vision_config={**layers, "image_size": SIDE, "patch_size": 8},
            projection_dim=12,
        )
    ).save_pretrained(folder)  # fmt: skip
    return folder


def pictures(count: int, seed: int = 0, shape=(20, 27)) -> np.ndarray:
    coarse = np.random.default_rng(seed).random((count, 3, 5, 6))
    smooth = torch.nn.functional.interpolate(torch.from_numpy(coarse), shape, mode="bicubic").clamp(0, 1)
    return (255 * smooth).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def test_a_folder_is_loaded_and_gives_unit_vectors(folder):
    clip = load_clip(str(folder))
    seen, read = clip.pictures(pictures(3)), clip.text("a man")
    assert seen.shape == (3, 12) and read.shape == (12,)
    assert seen.norm(dim=-1).numpy() == pytest.approx(np.ones(3), abs=1e-5)
    assert not torch.allclose(read, clip.text("a statue"))


def test_pictures_are_prepared_as_clips_own_processor_does(folder):
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    processor = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    shown = pictures(2, shape=(40, 64))
    wanted = processor(list(shown), return_tensors="np")["pixel_values"]
    found = load_clip(str(folder)).prepare(shown).numpy()
    assert found.shape == wanted.shape and np.abs(found - wanted).mean() < 0.02 < wanted.std()


def test_the_direction_is_the_cosine_of_the_two_changes(folder):
    clip = load_clip(str(folder))
    edited, unedited = pictures(4, 1), pictures(4, 2)
    figures = measure_direction(clip, edited, unedited, "a man", "a statue", Silent())
    words = (clip.text("a statue") - clip.text("a man")).numpy()
    seen = (clip.pictures(edited) - clip.pictures(unedited)).numpy()
    wanted = [change @ words / (np.linalg.norm(change) * np.linalg.norm(words)) for change in seen]
    assert figures.clip_direction == pytest.approx(np.mean(wanted), abs=1e-5)
    back = measure_direction(clip, edited, unedited, "a statue", "a man", Silent())
    assert back.clip_direction == pytest.approx(-figures.clip_direction, abs=1e-6)


def test_an_edit_along_the_words_scores_one_and_motion_scores_nothing():
    class Planted(Clip):
        def pictures(self, frames):
            first = torch.tensor(frames[:, 0, 0].astype(np.float32))
            return torch.nn.functional.normalize(first, dim=-1)

        def text(self, caption):
            return torch.tensor({"before": [1.0, 0.0, 0.0], "after": [0.0, 1.0, 0.0]}[caption])

    unedited, edited = np.zeros((6, 4, 4, 3), np.uint8), np.zeros((6, 4, 4, 3), np.uint8)
    unedited[..., 0], edited[..., 1] = 200, 200
    unedited[::2, ..., 2] = 60  # what moves has nothing to do with the words
    edited[::2, ..., 2] = 60
    figures = measure_direction(Planted(None, None), edited, unedited, "before", "after", Silent())
    assert figures.clip_direction == pytest.approx(1.0, abs=0.01)
    assert abs(figures.clip_direction_motion) < 0.2


def test_what_is_no_clip_is_said_to_be_none(tmp_path):
    with pytest.raises(BadInput, match="no such folder"):
        load_clip("./nowhere")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(Missing, match="--clip"):
        load_clip(str(tmp_path))
    with pytest.raises(Missing, match="--clip"):
        load_clip("openai/clip-vit-large-patch14")
