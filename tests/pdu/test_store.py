import numpy as np
import pytest

from talker.core.errors import BadInput
from talker.pdu.store import EditStore


def test_frames_come_back_and_are_listed_in_order(tmp_path):
    store = EditStore(tmp_path / "frames")
    image = np.random.default_rng(0).random((6, 5, 3)).astype(np.float32)
    for index in (12, 3):
        store.write(1, index, image)
    assert store.edited(1) == [3, 12]
    assert store.edited(2) == []
    assert store.path(1, 3).name == "00003.png"
    # To the nearest level, channels in their places.
    assert np.abs(store.read(1, 3) / 255.0 - image).max() <= 0.5 / 255 + 1e-6


def test_rounds_count_only_without_gaps(tmp_path):
    store = EditStore(tmp_path)
    store.mark_trained(2)
    assert store.rounds_trained() == 0
    store.mark_trained(1)
    assert store.rounds_trained() == 2
    assert store.edited(1) == []


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    store = EditStore(tmp_path)

    def full(self, data):
        open(self, "wb").close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(BadInput, match="disk is full"):
        store.write(1, 0, np.zeros((4, 4, 3)))
    assert list(tmp_path.rglob("*.png*")) == []
