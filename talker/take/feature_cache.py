"""What a transformer heard before: a drive of the same speech, at another view or with another edit, waits for nothing.

Chunks of features lie in the user's cache under the digest of what made them: the samples and the weights. The oldest
go when they are many. A cache that cannot be written or read, or that others may write to, is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from talker.core.cache_dirs import cache_dir, private_folder
from talker.core.temporary import scratch_folder

MOST_BYTES = 1_000_000_000  # more than an hour: 20 s in 768 channels, a second on either side, are 3.4 MB


class CachedChunks:
    """Features of one model, by the samples that it was given."""

    def __init__(self, model: torch.nn.Module, folder: Path | None = None) -> None:  # None: in the user's cache
        self._model = model
        self._folder = folder
        self._weights: bytes | None = None  # their digest

    def recall(
        self,
        samples: np.ndarray,  # [n] float32
        hear: Callable[[], Tensor],
    ) -> Tensor:
        """What `hear` gives for these samples, asked once."""
        try:
            kept = private_folder(self._folder or cache_dir() / "heard") / f"{self._key(samples)}.safetensors"
        except OSError:
            return hear()
        with contextlib.suppress(OSError, SafetensorError, KeyError):
            found = load_file(kept)["features"]
            os.utime(kept)  # used just now
            return found
        features = hear()
        with contextlib.suppress(OSError):
            _keep(features, kept)
        return features

    def _key(self, samples: np.ndarray) -> str:
        if self._weights is None:
            digest = hashlib.blake2b(repr(self._model).encode(), digest_size=16)
            for name, tensor in self._model.state_dict().items():
                digest.update(name.encode())
                digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
            self._weights = digest.digest()
        return hashlib.blake2b(self._weights + samples.tobytes(), digest_size=16).hexdigest()


def _keep(features: Tensor, kept: Path) -> None:
    with scratch_folder(kept.parent) as aside:
        whole = aside / kept.name
        save_file({"features": features.contiguous()}, whole)
        os.replace(whole, kept)
    ages = sorted(((path.stat().st_mtime, path) for path in kept.parent.glob("*.safetensors")), reverse=True)
    room = MOST_BYTES
    for _, path in ages:
        room -= path.stat().st_size
        if room < 0:
            path.unlink(missing_ok=True)
