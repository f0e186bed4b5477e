"""Speech features: their timing, their normalisation, and encoders with tiny random weights."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from talker.core.errors import BadInput, Missing
from talker.core.types import AUDIO_RATE_HZ
from talker.take.audio import (
    AUDIO_ENCODERS,
    LAST_FEATURE,
    AudioEncoder,
    FrameWindows,
    MelEncoder,
    TransformerEncoder,
    VisemeEncoder,
    audio_windows,
    channels_of,
    load_encoder,
)
from talker.take.loudness import measure_loudness
from talker.take.transformer import HiddenStates
from tests.threads import one_thread as one_thread


def speech(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise in syllables: loud and soft four times a second."""
    generator = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ
    return (generator.normal(0, 0.05, len(time_s)) * (0.1 + np.sin(4 * np.pi * time_s) ** 2)).astype(np.float32)


def streamed(encoder, wav: np.ndarray, size: int) -> torch.Tensor:
    """Features of speech that comes in blocks of `size` samples."""
    stream = encoder.stream(measure_loudness([wav]))
    found = [stream.push(wav[first : first + size]) for first in range(0, len(wav), size)]
    return torch.cat([*found, stream.finish()])


def test_loudness_of_the_recording_means_nothing():
    wav = speech(3.0)
    encoder = MelEncoder().fit(wav)
    assert encoder.encode(0.1 * wav).numpy() == pytest.approx(encoder.encode(wav).numpy(), abs=1e-3)


@pytest.mark.parametrize("name", ["mel", "viseme", "hama"])
def test_features_are_normalised_by_their_own_clip_and_remembered(name: str):
    wav = speech(3.0)
    encoder = load_encoder(name).fit(wav)
    features = encoder.encode(wav)
    assert features.shape == (150, encoder.channels)
    assert features.mean(dim=0).abs().max() < 1e-3 and features.std(dim=0).max() < 1.001
    assert encoder.name == name and features.std(dim=0).median() > 0.99
    again = load_encoder(name, encoder.state())
    assert torch.equal(again.encode(wav), features)
    with pytest.raises(ValueError, match="fit"):
        load_encoder(name).encode(wav)


@pytest.mark.parametrize("size", [1, 7, 320, 481, 1000, 16_000])
@pytest.mark.parametrize("kind", [MelEncoder, VisemeEncoder])
def test_a_stream_gives_the_features_of_the_whole(kind: type[AudioEncoder], size: int):
    wav = speech(0.5 if size < 100 else 2.013)
    encoder = kind().fit(speech(2.0, seed=1))
    whole = encoder.encode(wav)
    assert streamed(encoder, wav, size).numpy() == pytest.approx(whole.numpy(), abs=1e-4)


def test_windows_are_centred_on_the_frame_and_repeat_the_edges():
    features = torch.arange(40.0)[:, None]
    windows = audio_windows(features, [10])
    assert windows.shape == (1, 8, 16, 1)
    own = windows[0, 4, :, 0]
    # Frame 10 lasts from feature 20 to 21; its centre is the beginning of feature 21, the window's middle.
    assert own.tolist() == list(range(13, 29))
    assert windows[0, 0, :, 0].tolist() == list(range(5, 21)) and windows[0, 7, 0, 0] == 19
    assert windows.max() == 2 * 10 + LAST_FEATURE
    assert (audio_windows(features, torch.tensor([0]))[0, 0] == 0.0).all()
    assert audio_windows(features, [19])[0, 7, -1, 0] == 39.0


@pytest.mark.parametrize("size", [1, 3, 8, 50, 200])
def test_windows_come_as_soon_as_they_are_complete(size: int):
    features = torch.arange(101.0)[:, None]
    windows, found = FrameWindows(), []
    for first in range(0, 101, size):
        found += windows.push(features[first : first + size])
        known = min(first + size, 101)
        assert len(found) == len([i for i in range(101) if 2 * i + LAST_FEATURE < known])
        assert len(windows._features) <= 32 + size  # what is past is forgotten
    found += windows.finish(51)
    assert torch.equal(torch.stack(found), audio_windows(features, range(51)))


def tiny(name: str) -> torch.nn.Module:
    from transformers import HubertConfig, HubertModel, Wav2Vec2Config, Wav2Vec2Model

    kinds = {"wav2vec2": (Wav2Vec2Config, Wav2Vec2Model), "hubert": (HubertConfig, HubertModel)}
    config, model = kinds[name]
    torch.manual_seed(0)
    return model(
        config(
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            conv_dim=(8,) * 7,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=2,
            vocab_size=8,
        )
    )


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("TALKER_CACHE", str(folder))
    return folder / "heard"


def test_what_was_heard_once_is_not_heard_again(own_cache, monkeypatch):
    wav, model = speech(2.0), tiny("wav2vec2")
    first = TransformerEncoder("wav2vec2", HiddenStates(model)).encode(wav)
    assert len(list(own_cache.iterdir())) == 1
    with monkeypatch.context() as deaf:
        deaf.setattr(HiddenStates, "hear", None)
        assert torch.equal(TransformerEncoder("wav2vec2", HiddenStates(model)).encode(wav), first)
        with pytest.raises(TypeError):
            TransformerEncoder("wav2vec2", HiddenStates(model)).encode(speech(2.0, seed=1))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.1)
    other = TransformerEncoder("wav2vec2", HiddenStates(model)).encode(wav)
    assert not torch.equal(other, first), "other weights hear otherwise"
    assert len(list(own_cache.iterdir())) == 2


def test_what_others_may_write_is_not_believed(own_cache, monkeypatch):
    monkeypatch.setattr("talker.core.cache_dirs._is_own_group", lambda path, group: False)
    encoder = TransformerEncoder("wav2vec2", HiddenStates(tiny("wav2vec2")))
    own_cache.parent.chmod(0o770)
    first = encoder.encode(speech(1.0))
    assert not any(own_cache.iterdir())
    own_cache.parent.chmod(0o700)
    assert torch.equal(encoder.encode(speech(1.0)), first) and any(own_cache.iterdir())


def test_a_cache_is_bounded_and_may_be_damaged_or_missing(own_cache, monkeypatch):
    encoder = TransformerEncoder("wav2vec2", HiddenStates(tiny("wav2vec2")))
    first = encoder.encode(speech(1.0))
    (kept,) = own_cache.iterdir()
    kept.write_bytes(b"no tensors")
    assert torch.equal(encoder.encode(speech(1.0)), first)
    monkeypatch.setattr("talker.take.feature_cache.MOST_BYTES", 2 * kept.stat().st_size)
    os.utime(kept, (1.0, 1.0))
    for seed in (1, 2):
        encoder.encode(speech(1.0, seed))
    assert len(list(own_cache.iterdir())) == 2 and not kept.exists()
    monkeypatch.setenv("TALKER_CACHE", str(own_cache / "file"))
    (own_cache / "file").write_text("a file stands where the folder should be")
    assert torch.equal(encoder.encode(speech(1.0)), first)


@pytest.mark.parametrize("name", ["wav2vec2", "hubert"])
def test_transformers_give_50_features_a_second(name: str, tmp_path):
    tiny(name).save_pretrained(tmp_path)
    encoder = load_encoder(name, model=str(tmp_path)).fit(speech(1.0))
    features = encoder.encode(speech(2.5))
    assert features.shape == (125, 16) and encoder.channels == 16 and encoder.name == name
    assert torch.isfinite(features).all() and encoder.state() == {}


def test_long_speech_is_encoded_in_chunks_without_seams(monkeypatch: pytest.MonkeyPatch):
    encoder = TransformerEncoder("wav2vec2", HiddenStates(tiny("wav2vec2")))
    wav = speech(4.0)
    whole = encoder.encode(wav)
    monkeypatch.setattr("talker.take.chunks.CHUNK_S", 1.0)
    pieces = encoder.encode(wav)
    for size in (1000, 16_000, 50_000):  # and the chunks are the same, however the speech comes in
        assert torch.allclose(streamed(encoder, wav, size), pieces, atol=1e-4)
    assert pieces.shape == whole.shape
    assert np.corrcoef(pieces.ravel(), whole.ravel())[0, 1] > 0.95


def test_every_chunk_is_heard_with_a_second_on_either_side(monkeypatch: pytest.MonkeyPatch):
    model, wav = tiny("wav2vec2"), speech(5.0)
    monkeypatch.setattr("talker.take.chunks.CHUNK_S", 1.0)
    features = streamed(TransformerEncoder("wav2vec2", HiddenStates(model)), wav, 3000)
    scaled = (wav - wav.mean()) / wav.std()
    heard = torch.from_numpy(np.pad(scaled[16_000 : 4 * 16_000], 40))  # for the chunk from 2 to 3 s
    with torch.no_grad():
        hidden = model(heard[None]).last_hidden_state
    expected = torch.nn.functional.interpolate(hidden.transpose(1, 2), size=150, mode="linear")[0].T[50:100]
    assert torch.allclose(features[100:150], expected, atol=1e-4)


def test_weights_that_are_not_there_are_missing_at_once(tmp_path):
    with pytest.raises(Missing, match="--audio mel"):
        load_encoder("hubert")
    with pytest.raises(Missing, match="--audio-model"):
        load_encoder("hubert", model=str(tmp_path))


def test_unknown_names_are_told_the_known_ones():
    with pytest.raises(BadInput, match="wav2vec2"):
        load_encoder("wav2vec")
    assert set(AUDIO_ENCODERS) == {"mel", "viseme", "hama", "whisper", "wav2vec2", "hubert"}
    with pytest.raises(BadInput, match="takes no model"):
        load_encoder("mel", model="somewhere")


@pytest.mark.parametrize("name", ["mel", "viseme", "hama"])
def test_the_channels_that_are_told_beforehand_are_the_encoders(name: str):
    assert channels_of(name) == load_encoder(name).fit(speech(1.0)).encode(speech(1.0)).shape[1]
    with pytest.raises(BadInput, match="Unknown audio encoder"):
        channels_of("ear")
