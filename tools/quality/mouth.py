"""How far a mouth is open and how wide it is, read from pixels by a small network trained on true crops.

The crop's place follows from the head pose alone, never from the audio, and its size leaves chin and neck out: both
would tell a network how far the jaw is down without its looking at the lips. Notation: N crops, K numbers read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from talker.core.camera import pixel_grid, project
from talker.core.types import OUTER_EYE_SPAN, Camera

CROP_PX = (40, 32)  # (width, height) that the network sees
CROP_WIDTH = 0.72 * OUTER_EYE_SPAN  # head units
CROP_DROP = 0.02  # head units: an opening mouth grows downward
STEPS = 700
BATCH = 48
SHIFT_PX = 2  # random shifts: tracked and true heads lie a little apart
FADE_STEPS = 200  # the learning rate falls to nothing over the last steps


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels."""

    left: int
    top: int
    width: int
    height: int

    def pixels(self) -> Tensor:
        """[width * height, 2] int64 (x, y) in reading order."""
        return pixel_grid((self.width, self.height)) + torch.tensor([self.left, self.top])

    def cut(
        self,
        image: np.ndarray,  # [H, W, ...]
    ) -> np.ndarray:  # [height, width, ...]
        return image[self.top : self.top + self.height, self.left : self.left + self.width]


def mouth_box(
    camera: Camera,
    mouth: Tensor,  # [3] the neutral mouth's centre, head frame
    depth: float,  # the head's usual distance from the camera, head units
) -> Box:
    """The mouth's rectangle."""
    return crop_box(camera, mouth + torch.tensor([0.0, CROP_DROP, 0.0]), CROP_WIDTH, depth)


def crop_box(
    camera: Camera,
    centre: Tensor,  # [3] head frame
    width: float,  # head units
    depth: float,  # the head's usual distance from the camera, head units
) -> Box:
    """A rectangle about a point, moved inside the image where it would stick out; of the same size in all frames."""
    columns = max(8, round(width * camera.focal_px / depth))
    rows = max(6, round(columns * CROP_PX[1] / CROP_PX[0]))
    x, y = project(camera, centre).tolist()
    left = min(max(0, round(x - columns / 2)), camera.size_px[0] - columns)
    top = min(max(0, round(y - rows / 2)), camera.size_px[1] - rows)
    return Box(left, top, columns, rows)


def as_crops(
    images: list[np.ndarray],  # N of [h, w, 3] uint8
) -> Tensor:  # [N, 3, 32, 40] in [0, 1]
    """Mouth boxes at the size that the network sees."""
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    size = (CROP_PX[1], CROP_PX[0])
    if stacked.shape[-2:] == size:
        return stacked
    return functional.interpolate(stacked, size=size, mode="bilinear", align_corners=False, antialias=True)


class CropReader(nn.Module):
    """Four convolutions and a few numbers: of a mouth its opening and width, in head units."""

    def __init__(self, outputs: int = 2) -> None:
        super().__init__()
        widths = (3, 16, 32, 48, 64)
        strides = (1, 2, 2, 2)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(narrow, wide, 3, stride, 1)
            for narrow, wide, stride in zip(widths[:-1], widths[1:], strides, strict=True)
        )
        self.judge = nn.Sequential(nn.Linear(64 * 4 * 5, 64), nn.ReLU(), nn.Linear(64, outputs))
        self.register_buffer("middle", torch.zeros(outputs))
        self.register_buffer("spread", torch.ones(outputs))

    def forward(
        self,
        crops: Tensor,  # [N, 3, 32, 40]
    ) -> Tensor:  # [N, K] standardised
        maps = crops - crops.mean(dim=(2, 3), keepdim=True)  # exposure is no part of the answer
        for convolution in self.convolutions:
            maps = functional.relu(convolution(maps))
        return self.judge(maps.flatten(1))

    @torch.no_grad()
    def read(
        self,
        crops: Tensor,  # [N, 3, 32, 40]
    ) -> np.ndarray:  # [N, K] in the units of the truth that it learnt from
        found = torch.cat([self(part) for part in crops.split(128)])
        return (found * self.spread + self.middle).numpy()


def train_reader(
    crops: Tensor,  # [N, 3, 32, 40] true mouths, or true eyes
    truth: np.ndarray,  # [N, K] what is to be read from them
    seed: int = 0,
    steps: int = STEPS,
) -> CropReader:
    """The same reader for the same seed; half a minute on two cores."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        reader = CropReader(np.shape(truth)[1])
    wanted = torch.from_numpy(np.asarray(truth, np.float32))
    reader.middle, reader.spread = wanted.mean(0), wanted.std(0).clamp(min=1e-6)
    wanted = (wanted - reader.middle) / reader.spread
    optimiser = torch.optim.Adam(reader.parameters(), 2e-3)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min(1.0, (steps - step) / min(FADE_STEPS, steps))
        picked = torch.randint(len(crops), (BATCH,), generator=generator)
        loss = functional.smooth_l1_loss(reader(vary(crops[picked], generator)), wanted[picked])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return reader.eval()


def vary(
    crops: Tensor,  # [N, 3, 32, 40]
    generator: torch.Generator,
) -> Tensor:
    """Crops as a render would show them: shifted, softer, of another exposure, noisy.

    Softness matters most: a reader that has only seen sharp lips takes soft ones for closed ones.
    """
    count, _, height, width = crops.shape
    shift = torch.randint(-SHIFT_PX, SHIFT_PX + 1, (count, 2), generator=generator)
    padded = functional.pad(crops, (SHIFT_PX,) * 4, mode="replicate")
    moved = torch.stack(
        [
            image[:, SHIFT_PX + y : SHIFT_PX + y + height, SHIFT_PX + x : SHIFT_PX + x + width]
            for image, (x, y) in zip(padded, shift.tolist(), strict=True)
        ]
    )
    blurred = functional.avg_pool2d(functional.pad(moved, (1, 1, 1, 1), mode="replicate"), 3, 1)
    softness = torch.rand(count, 1, 1, 1, generator=generator)
    gain = 1 + 0.1 * (torch.rand(count, 3, 1, 1, generator=generator) - 0.5)
    noise = 0.01 * torch.randn(crops.shape, generator=generator)
    return torch.lerp(moved, blurred, softness) * gain + noise
