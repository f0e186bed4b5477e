"""Does an edit go where its words point? CLIP directional similarity (Gal et al. 2022).

The cosine between the change from picture to edited picture and the change from caption to edited caption, both in
CLIP's space (Radford et al. 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from talker.core.errors import Missing, out_of_memory
from talker.core.hub import folder_or_name, hub_folder, is_folder, quiet_libraries
from talker.core.images import spaced
from talker.core.types import Reporter

if TYPE_CHECKING:
    from transformers import CLIPModel, CLIPTokenizer

WAY_OUT = "give a local folder or another hub name with --clip"
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
JUDGED_FRAMES = 20  # evenly spaced


@dataclass(frozen=True)
class Clip:
    """CLIP's two halves, as unit vectors."""

    model: CLIPModel
    tokenizer: CLIPTokenizer

    @torch.no_grad()
    def pictures(
        self,
        frames: np.ndarray,  # [N, H, W, 3] uint8
    ) -> Tensor:  # [N, D]
        inputs = self.prepare(frames).to(self.model.device)
        return functional.normalize(self.model.get_image_features(pixel_values=inputs).pooler_output, dim=-1)

    @torch.no_grad()
    def text(self, caption: str) -> Tensor:  # [D]
        tokens = self.tokenizer([caption], truncation=True, return_tensors="pt").to(self.model.device)
        return functional.normalize(self.model.get_text_features(**tokens).pooler_output, dim=-1)[0]

    def prepare(
        self,
        frames: np.ndarray,  # [N, H, W, 3] uint8
    ) -> Tensor:  # [N, 3, side, side]
        """As CLIP's own image processor: the shorter side by bicubic interpolation, the centre, normalised."""
        side = self.model.config.vision_config.image_size
        pixels = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255
        height, width = pixels.shape[2:]
        size = (side * height // min(height, width), side * width // min(height, width))
        pixels = functional.interpolate(pixels, size, mode="bicubic", antialias=True).clamp(0, 1)
        top, left = (size[0] - side) // 2, (size[1] - side) // 2
        pixels = pixels[:, :, top : top + side, left : left + side]
        return (pixels - torch.tensor(MEAN)[:, None, None]) / torch.tensor(DEVIATION)[:, None, None]


@dataclass(frozen=True)
class ClipFigures:
    """Cosines, means over frames."""

    clip_direction: float
    clip_direction_motion: float  # of what changes between unedited frames: what motion alone would score


def measure_direction(
    clip: Clip,
    edited: np.ndarray,  # [N, H, W, 3] uint8
    unedited: np.ndarray,  # [N, H, W, 3] uint8
    caption_before: str,
    caption_after: str,
    reporter: Reporter,
) -> ClipFigures:
    words = clip.text(caption_after) - clip.text(caption_before)
    chosen = spaced(range(len(edited)), JUDGED_FRAMES)
    after, before = [], []
    for number, index in enumerate(chosen):
        reporter.progress("read pictures", number / len(chosen))
        pair = clip.pictures(np.stack([edited[index], unedited[index]]))
        after.append(pair[0])
        before.append(pair[1])
    reporter.progress("read pictures", 1.0)
    edited_at, unedited_at = torch.stack(after), torch.stack(before)
    changes = (edited_at - unedited_at, unedited_at.roll(len(chosen) // 2, 0) - unedited_at)
    return ClipFigures(*(float(functional.cosine_similarity(change, words, dim=-1).mean()) for change in changes))


def load_clip(
    model: str,  # a local folder, or a hub name
) -> Clip:
    """CLIP and its tokenizer. Missing when the hub does not give it."""
    named = folder_or_name(model, "--clip", "a CLIP model")
    from transformers import CLIPModel, CLIPTokenizer

    source = named if is_folder(named) else hub_folder(named, "the CLIP direction", WAY_OUT)
    try:
        with quiet_libraries():
            network = CLIPModel.from_pretrained(source, local_files_only=True, use_safetensors=True)
            tokenizer = CLIPTokenizer.from_pretrained(source, local_files_only=True)
    except (OSError, ValueError) as error:
        raise out_of_memory(error) or Missing(f"{model} holds no CLIP model as safetensors; {WAY_OUT}") from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Clip(network.eval().to(device), tokenizer)
