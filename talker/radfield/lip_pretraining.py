"""The lips' lesson: what sound says of their shape, taught to the audio network by the landmarks.

The field's own gradients teach that network slowly: they come through rays, few of which meet lips, and fade while the
field is still fog. So the network has a first lesson before any ray is traced, and every later step keeps it up.

Notation: B frames of the take, 40 numbers a shape: x and y of its 20 lip landmarks.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from talker.core.types import Reporter, Take
from talker.radfield.audio_net import AudioNet
from talker.take.audio import audio_windows
from talker.take.lips import lip_shapes

FRAMES_PER_STEP = 32
NOISE = 0.3  # standard deviation added to the features
RATE, FINAL = 1e-3, 0.07  # learning rate, and the share of it that is left at the last step
BETAS = (0.9, 0.99)


def lip_targets(take: Take) -> Tensor:
    """What every frame's sound should tell of its lips: shapes [B, 40] in the head's own plane, centred, and scaled by
    their spread over the training frames that show the mouth."""
    shapes = lip_shapes(take.camera(0), take.c2w, take.landmarks_px, take.landmarks_head).flatten(1)
    heard = shapes[take.lip_training]
    return (shapes - heard.mean(0)) / (heard - heard.mean(0)).std().clamp(min=1e-6)


def pretrain_on_lips(
    net: AudioNet,
    take: Take,
    steps: int,
    generator: torch.Generator,
    reporter: Reporter,
) -> None:
    """Trains the network on random training frames that show the mouth, so that its codes tell the lips' shapes."""
    device = net.lips.weight.device
    shapes, taught = lip_targets(take), torch.tensor(take.lip_training)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, betas=BETAS, fused=True)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * FINAL ** (step / steps)
        frames = taught[torch.randint(len(taught), (FRAMES_PER_STEP,), generator=generator)]
        windows = audio_windows(take.audio_features, frames.tolist())
        windows = windows + NOISE * torch.randn(windows.shape, generator=generator)
        loss = functional.mse_loss(net.lips(net(windows.to(device))), shapes[frames].to(device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 10 == 0:
            reporter.progress("lesson", step / steps, f"sound to lips, loss {loss.item():.3f}")
    reporter.progress("lesson", 1.0, "sound to lips")
