"""A stand-in for InstructPix2Pix where its weights are not: the built-in editor with the faults of per-frame diffusion.

The built-in editor is steady and kind to lips by construction, so it cannot show what the strategies are for. This one
adds, anew for every picture, flicker of colour, flicker of texture and a smooth warp around the mouth. What it returns
hangs on the picture that it starts from and on its condition as a diffusion editor's answer does:

    out = r + g(u) (T + a F - r),    a = s t / (s_u t_u) min(1, |T - c| / |W - o|)

Notation: o original, r render, c condition (r for a start from noise, o for a start from the render), T the built-in
edit at the guidance asked for, W the whole edit, |.| mean absolute difference, F the faults at full size, s text
guidance, t sampling steps, u start. So faults grow with s t, and with the way from the condition to the edit: a render
that is edited already needs little and is changed little. g(u) is the share of the render that the start's noise has
replaced, 1 - sqrt(alpha_bar(u)) in Stable Diffusion's noise schedule; 1 for a start from noise.

Which faults a picture gets is drawn from the generator and the picture itself: under shared noise, equal pictures get
equal edits and others get others, as they do from a diffusion model, and neither batches nor kills change the result.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor

from talker.core.types import LIPS, MOUTH, EditPlan, mask_of
from talker.editors.builtin.editor import FULL_TEXT_GUIDANCE, BuiltinEditor
from talker.editors.editor import Editor, EditRequest

# Sizes of the faults at a = 1.
COLOUR = 0.04  # standard deviation of smooth colour, of the range of a channel
TEXTURE = 0.03  # of texture, the same in all channels
MOVE = 0.10  # of the mouth's shift each way, in widths of the mouth
STRETCH = 0.30  # of the mouth's stretch from top to bottom, and of its shear
PROPORTIONS = f"colour {COLOUR:g}, texture {TEXTURE:g}, mouth moved by {MOVE:g} of its width, stretched by {STRETCH:g}"

COLOUR_CELLS = 4  # smooth colour is drawn on a grid of so many cells a side
TEXTURE_SHARE = 1 / 100  # of the picture's side: how wide a fleck is
WINDOW_WIDTHS = 0.6  # of the mouth: how fast the warp fades around it
FULL_STEPS = EditPlan("").steps[1]  # t_u
TRAINING_STEPS, BETA_FIRST, BETA_LAST = 1000, 0.00085, 0.012  # of Stable Diffusion's "scaled linear" noise schedule


class NoisyEditor(Editor):
    """Editor over the built-in vocabulary, with faults."""

    name = "noisy"
    reads = frozenset({"rendered", "originals"})

    def __init__(self, size: float = 1.0):  # of all faults; 0: the built-in editor, from any start
        self._steady, self._size = BuiltinEditor(), size

    def describe(self, instruction: str) -> str:
        return self._steady.describe(instruction)

    def edit(self, request: EditRequest) -> Tensor:
        """Faults are drawn, and `noise` has no say."""
        salt = int(torch.randint(2**31, (), generator=request.generator))
        whole_edit = replace(request, text_guidance=FULL_TEXT_GUIDANCE, image_guidance=1.0)
        wanted, whole = (self._steady.edit(each).cpu().numpy() for each in (request, whole_edit))
        renders, unedited = request.rendered.cpu().numpy(), request.originals.cpu().numpy()
        condition = renders if request.start >= 1.0 else unedited
        asked = self._size * request.text_guidance * request.steps / (FULL_TEXT_GUIDANCE * FULL_STEPS)
        edited = []
        for row, picture in enumerate(wanted):
            way = np.abs(picture - condition[row]).mean() / max(1e-6, np.abs(whole[row] - unedited[row]).mean())
            rng = _drawn_for(salt, renders[row], condition[row])
            masks = request.masks
            lips = None if masks is None else mask_of(masks.parts[row].cpu().numpy(), (LIPS, MOUTH))
            faulty = with_faults(picture, asked * min(1.0, way), rng, lips)
            edited.append(renders[row] + replaced_share(request.start) * (faulty - renders[row]))
        return torch.from_numpy(np.stack(edited).astype(np.float32)).clamp(0.0, 1.0).to(request.rendered.device)


def replaced_share(start: float) -> float:
    """How much of a picture the noise of diffusion time `start` has replaced: 1 - sqrt(alpha_bar)."""
    if start >= 1.0:
        return 1.0
    betas = np.linspace(BETA_FIRST**0.5, BETA_LAST**0.5, TRAINING_STEPS) ** 2
    return 1.0 - float(np.sqrt(np.cumprod(1.0 - betas)[max(0, round(start * TRAINING_STEPS) - 1)]))


def with_faults(
    picture: np.ndarray,  # [H, W, 3] float in [0, 1]
    amount: float,  # a
    rng: np.random.Generator,
    lips: np.ndarray | None,  # [H, W] bool: where the mouth is; None, or nothing in it: no warp
) -> np.ndarray:  # [H, W, 3] float32
    """T + a F. A twice larger amount makes the same faults twice as large."""
    size = picture.shape[1::-1]
    cells = rng.standard_normal((COLOUR_CELLS, COLOUR_CELLS, 3)).astype(np.float32)
    # One colour for the whole picture and one for each region, in equal parts.
    colour = (rng.standard_normal(3) + cv2.resize(cells, size, interpolation=cv2.INTER_CUBIC)) / np.sqrt(2)
    flecks = cv2.GaussianBlur(rng.standard_normal(size[::-1]), (0, 0), max(0.5, TEXTURE_SHARE * min(size)))
    shift, stretch, shear = rng.normal(0.0, MOVE, 2), *rng.normal(0.0, STRETCH, 2)
    if lips is not None and lips.any():
        picture = _warped(picture, lips, amount * shift, amount * stretch, amount * shear)
    return (picture + amount * (COLOUR * colour + TEXTURE * (flecks / flecks.std())[..., None])).astype(np.float32)


def _warped(
    picture: np.ndarray,  # [H, W, 3]
    lips: np.ndarray,  # [H, W] bool
    shift: np.ndarray,  # [2] x, y in widths of the mouth
    stretch: float,
    shear: float,
) -> np.ndarray:
    """The mouth moved, stretched and sheared; the rest of the picture less and less, the farther away."""
    rows, columns = np.nonzero(lips)
    width = float(np.ptp(columns) + 1)
    y, x = np.mgrid[: lips.shape[0], : lips.shape[1]].astype(np.float32)
    away_x, away_y = (x - columns.mean()) / width, (y - rows.mean()) / width
    window = np.exp(-(away_x**2 + away_y**2) / (2 * WINDOW_WIDTHS**2)) * width
    from_x = x - window * (shift[0] + shear * away_y)
    from_y = y - window * (shift[1] + stretch * away_y)
    places = (from_x.astype(np.float32), from_y.astype(np.float32))
    return cv2.remap(picture.astype(np.float32), *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _drawn_for(salt: int, *pictures: np.ndarray) -> np.random.Generator:
    """The draw that belongs to these pictures, in the steps of a screen."""
    digest = hashlib.blake2b(str(salt).encode(), digest_size=8)
    for picture in pictures:
        digest.update(np.rint(picture * 255.0).astype(np.uint8).tobytes())
    return np.random.default_rng(int.from_bytes(digest.digest(), "big"))
