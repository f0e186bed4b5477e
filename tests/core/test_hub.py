"""A model is named by its folder or as on the hub, the same everywhere."""

from __future__ import annotations

import pytest
from transformers import Wav2Vec2Config, Wav2Vec2Model

from talker.core.errors import BadInput
from talker.core.hub import folder_or_name, is_folder
from talker.editors.diffusion import ip2p
from talker.evaluation.clip import load_clip
from talker.take.audio import load_encoder
from talker.take.build import TakeOptions
from talker.take.store import load_encoder_of, save_take


def test_a_folder_becomes_its_absolute_path_and_a_name_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "w2v").mkdir()
    for spelt in ("w2v", "./w2v", "~/w2v", str(tmp_path / "w2v")):
        found = folder_or_name(spelt, "--flag", "a model")
        assert found == str((tmp_path / "w2v").resolve()) and is_folder(found)
    assert folder_or_name("openai/clip", "--flag", "a model") == "openai/clip" and not is_folder("openai/clip")
    for spelt in ("./gone", "~/gone", "/gone"):
        with pytest.raises(BadInput, match=f"--flag: no such folder: {spelt}"):
            folder_or_name(spelt, "--flag", "a model")


def load_hubert(model: str):
    return load_encoder("hubert", model=model)


def take_options(model: str) -> TakeOptions:
    return TakeOptions(audio="hubert", audio_model=model)


@pytest.mark.parametrize("load", [load_clip, ip2p.load, load_hubert, take_options])
def test_everybody_refuses_a_folder_that_is_not_there_alike(load):
    with pytest.raises(BadInput, match=r"no such folder: \./gone; give a folder with"):
        load("./gone")


def test_a_take_finds_its_encoder_from_any_folder(tmp_path, monkeypatch, toy_take):
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    narrow = {"conv_dim": (8,) * 7, "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}
    Wav2Vec2Model(Wav2Vec2Config(**sizes, **narrow)).save_pretrained(tmp_path / "weights" / "w2v")
    monkeypatch.chdir(tmp_path / "weights")
    options = TakeOptions(audio="wav2vec2", audio_model="./w2v")
    take = type(toy_take)(**{**vars(toy_take), "audio_encoder": options.audio})
    save_take(take, tmp_path / "take", facts={"options": {"audio_model": options.audio_model}})
    monkeypatch.chdir(tmp_path)
    assert load_encoder_of(tmp_path / "take").channels == 8
