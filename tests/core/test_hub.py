"""A model is named by its folder or as on the hub, the same everywhere."""

from __future__ import annotations

import pytest
from transformers import Wav2Vec2Config, Wav2Vec2Model

from talker.core.errors import BadInput, Missing
from talker.core.hub import check_hub, folder_or_name, hub_folder, is_folder
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


@pytest.mark.parametrize(
    ("model", "environment", "said"),
    [
        ("a/b/c", {}, "a/b/c is neither a folder nor a model's name on the hub; way out"),
        ("a/b", {"HF_HUB_OFFLINE": "yes"}, "a/b is not on this machine and HF_HUB_OFFLINE forbids the hub; way out"),
        ("a/b", {"HF_HUB_OFFLINE": "0"}, "The hub cannot be reached for a/b; way out"),
    ],
)
def test_whoever_asks_the_hub_hears_the_same_with_a_way_out_of_their_own(monkeypatch, model, environment, said):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for ask in (check_hub, hub_folder):
        with pytest.raises(Missing) as caught:
            ask(model, "a purpose", "way out")
        assert str(caught.value) == said


def load_hubert(model: str):
    return load_encoder("hubert", model=model)


def load_ip2p(model: str):
    return ip2p.load(ip2p.DiffusionOptions(model))


def take_options(model: str) -> TakeOptions:
    return TakeOptions(audio="hubert", audio_model=model)


@pytest.mark.parametrize("load", [load_clip, load_ip2p, load_hubert, take_options])
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
