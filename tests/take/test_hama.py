"""The recogniser's blocks: what its own engine computes, where a feature hears, and what is said without the weights.

The weights of the first tests are random: they need no package.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from talker.core.errors import Missing
from talker.core.metrics import pearson
from talker.core.types import AUDIO_RATE_HZ
from talker.speaker.speech import speak
from talker.take import hama
from talker.take.audio import HamaEncoder
from talker.take.hama import HamaNet, HamaStream, Reach
from talker.take.loudness import WholeLoudness, measure_loudness
from talker.take.mel import mel_bank
from tests.threads import one_thread as one_thread

PLAIN = WholeLoudness(samples=0, peak=1.0, gain=1.0, mean=0.0, deviation=1.0)
WHOLE = Reach(back=None, ahead=hama.TAPS // 2)  # as the recogniser was trained


def random_net() -> HamaNet:
    torch.manual_seed(0)
    net = HamaNet().eval().requires_grad_(False)
    net.mel.copy_(torch.from_numpy(mel_bank()[:, : len(net.mel)].T))
    return net


@pytest.fixture(scope="module")
def weights() -> bytes:
    try:
        return hama.WEIGHTS.read()
    except Missing as missing:
        pytest.skip(str(missing))


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05, round(seconds * AUDIO_RATE_HZ)).astype(np.float32)


def heard(wav: np.ndarray, sizes: list[int], net: HamaNet) -> torch.Tensor:
    """Features of sound that comes in blocks of these sizes, over and over."""
    stream, found, at, turn = HamaStream(PLAIN, net), [], 0, 0
    while at < len(wav):
        size = sizes[turn % len(sizes)]
        found.append(stream.push(wav[at : at + size]))
        at, turn = at + size, turn + 1
    return torch.cat([*found, stream.finish()])


@pytest.mark.parametrize("sizes", [[640], [1, 5000, 37], [16_000]])
def test_features_are_the_same_however_the_sound_comes_in(sizes: list[int]):
    wav = noise(4.513)  # longer than attention sees back
    whole = heard(wav, [len(wav)], random_net())
    assert whole.shape == (226, hama.CHANNELS)
    assert heard(wav, sizes, random_net()).numpy() == pytest.approx(whole.numpy(), abs=1e-4)


@pytest.mark.parametrize("samples", [0, 1, 320, 321, 700])
def test_sound_shorter_than_a_window_has_features(samples: int):
    features = heard(noise(1.0)[:samples], [320], random_net())
    assert features.shape == (max(1, -(-samples // 320)), hama.CHANNELS) and torch.isfinite(features).all()


def test_a_stream_remembers_no_more_than_it_needs():
    stream = HamaStream(PLAIN, random_net())
    for _ in range(6):
        stream.push(noise(1.0))
    for memory, reach in zip(stream._memories, hama.REACHES, strict=True):
        assert len(memory.keys) == len(memory.values) == reach.back
        assert len(memory.waiting) == reach.ahead and len(memory.gated) == reach.ahead + hama.PAST_TAPS
    assert len(stream._loudness) == sum(reach.ahead for reach in hama.REACHES)


def test_a_feature_hears_its_past_and_the_look_ahead_that_is_stated_only():
    net, feature, wav = random_net(), 60, noise(2.0)

    def changes(sample: int) -> bool:
        other = wav.copy()
        other[sample] += 0.5
        one, two = (HamaStream(PLAIN, net).push(sound)[feature] for sound in (wav, other))
        return not torch.equal(one, two)

    last = (feature + 1) * AUDIO_RATE_HZ // 50 + hama.LOOKAHEAD_SAMPLES
    assert HamaEncoder.lookahead_s == pytest.approx(0.2525)
    assert changes(last - 40) and not changes(last)  # 40: the window's faint end
    assert changes(3200)


def test_loudness_stands_beside_what_the_network_hears():
    wav = noise(3.0)
    wav[16_000:32_000] *= 0.03
    loudness = heard(wav, [len(wav)], random_net())[:, hama.LOUDNESS]
    assert loudness[10:40].mean() - loudness[60:90].mean() == pytest.approx(-2 * np.log(0.03), abs=0.1)
    assert heard(np.zeros(8000, np.float32), [8000], random_net())[:, hama.LOUDNESS].max() == pytest.approx(
        np.log(hama.QUIET_POWER), abs=1e-3
    )


def test_all_four_blocks_say_what_the_packages_own_engine_says(weights):
    """On two minutes of real speech (anchor and lieu, 20 s at a time; not kept here) the 191 log probabilities were
    5e-4 apart in the mean and 0.2 at most, and the likeliest phone was the same in all of 6004 features."""
    engine = pytest.importorskip("hama._engine")
    if not engine.available():
        pytest.skip("hama's engine does not load on this machine")
    # In digital silence, which no microphone records, all that is computed is rounding.
    wav = speak(3.0, seed=11)[0].astype(np.float32) + 0.01 * noise(3.0)
    feeds = {"waveform": wav, "waveform_lengths": np.array([len(wav)])}
    wanted = engine.AsrSession(weights).run(["log_probs"], feeds)[0][0]

    net = HamaNet([WHOLE] * 4).fill(weights)
    # The engine mirrors the sound at its edges, and takes the log energies beyond for zeros.
    edge = hama.MEL_WINDOW // 2
    mel = net.log_mel(torch.from_numpy(np.pad(wav, edge, mode="reflect")))
    hidden = net.begin(functional.pad(mel, (0, 0, 1, 2 - len(mel) % 2)))
    for block in net.blocks:
        hidden = block(hidden, hama.Memory(), ended=True)
    tensors = hama.read_tensors(weights)
    last, bias = (tensors[f"acoustic_model.model.proj.{name}"] for name in ("weight", "bias"))
    found = functional.linear(hidden, last[..., 0], bias).log_softmax(dim=-1).numpy()
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).mean() < 0.005 and np.abs(found - wanted).max() < 0.5
    assert (found.argmax(axis=1) == wanted.argmax(axis=1)).all()


def test_what_a_stream_hears_is_near_what_whole_utterances_say(weights):
    wav = speak(6.0, seed=12)[0]
    loudness = measure_loudness([wav])
    streamed, whole = (HamaStream(loudness, HamaNet(r).fill(weights)) for r in (hama.REACHES, [WHOLE] * 2))
    found, wanted = (torch.cat([stream.push(wav), stream.finish()]).numpy() for stream in (streamed, whole))
    assert np.median([pearson(found[:, c], wanted[:, c]) for c in range(hama.WIDTH)]) > 0.9


def test_pauses_are_what_the_encoder_says_they_are(weights):
    pause = np.zeros(AUDIO_RATE_HZ, np.float32)
    wav = np.concatenate([speak(3.0, seed=5)[0], pause, speak(3.0, seed=6)[0]])
    wav += 1e-4 * np.random.default_rng(0).standard_normal(len(wav)).astype(np.float32)
    encoder = HamaEncoder().fit(wav)
    quiet = encoder.speaking(encoder.encode(wav)).argsort()[:30]
    assert all(feature < 5 or 145 < feature < 210 for feature in quiet.tolist())  # a sentence begins softly


def test_another_version_and_no_package_are_said_in_one_line(tmp_path, monkeypatch):
    hama.load_net.cache_clear()
    monkeypatch.setattr(hama, "WEIGHTS", replace(hama.WEIGHTS, module="a_package_that_nobody_has"))
    with pytest.raises(Missing, match=r"pip install hama==1\.7\.0") as missing:
        HamaEncoder().fit(noise(1.0))
    assert "\n" not in str(missing.value)
    package = tmp_path / hama.WEIGHTS.module
    (package / hama.WEIGHTS.path).parent.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('never imported')")
    (package / hama.WEIGHTS.path).write_bytes(b"HAMAPK of another year")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Missing, match="is not hama's phone recogniser"):
        HamaEncoder().fit(noise(1.0))
    hama.load_net.cache_clear()
