"""The one fitter: it asks a TargetSource for pixels, renders them, and steps the scene toward its objectives.

Fitting a take and fitting edited frames differ in where the targets come from and in the objectives, not here.
F frames a step, n pixels of each, S samples. Losses: RAD-NeRF, section 3.4, but the alpha of
the mattes and the distortion of Mip-NeRF 360; the weights are measured here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from talker.core.camera import rays_of_frames
from talker.core.losses import alpha_entropy
from talker.core.types import Condition, Take
from talker.radfield.field import HARMONICS, Biases
from talker.radfield.lip_pretraining import lip_targets
from talker.radfield.optimiser import Rates, SceneOptimiser
from talker.radfield.scene import HeadTrace, Scene
from talker.radfield.targets import Batch, Objective, TargetSource
from talker.radfield.volume import STEP, distortion
from talker.take.audio import audio_windows

OCCUPANCY_EVERY, OCCUPANCY_FROM = 32, 96  # steps
SAMPLES_MEMORY = 0.9
# The audio may move what lies below this height and in front of this depth, head frame; elsewhere it is held down.
LOWER_FACE_TOP, LOWER_FACE_BACK = 0.2, 0.3


@dataclass(frozen=True)
class StepOptions:
    """What a training step computes. Rates are `talker.radfield.optimiser.Rates`."""

    samples: int = 30_000  # samples a step: rays are dropped until they fit
    audio_noise: float = 0.1  # deviation added to audio features: normalised ones have 1, transformers their own
    mask_weight: float = 0.05  # head and torso alpha against the mattes
    entropy_weight: float = 1e-4  # alpha toward 0 or 1, ramped
    distortion_weight: float = 3e-2  # spread of the density along rays, ramped: fog is slow and blurs views
    lesson_weight: float = 2e-2  # squared error of the lips' shape that the audio code tells, in their own spread
    ambient_weight: float = 1e-3  # L1 of the visible ambient coordinates outside the lower face, ramped


def conditions_for(
    scene: Scene,
    take: Take,
    indices: Sequence[int],
    audio_features: Tensor | None = None,  # [T, C]; None: the take's own
    noise: Tensor | None = None,  # [B, 8, 16, C] added to the windows
) -> Condition:
    """The conditions of frames of the take, with its own sound or other."""
    windows = audio_windows(take.audio_features if audio_features is None else audio_features, indices)
    codes = scene.encode_audio(windows if noise is None else windows + noise)
    trained = torch.from_numpy(take.trained[list(indices)])
    appearance = torch.where(
        trained[:, None].to(scene.device), scene.appearances[torch.tensor(list(indices)).to(scene.device)], 0.0
    )
    return Condition(codes, take.eye[list(indices)], appearance, take.c2w[list(indices)])


class Fitter:
    """Trains a scene. State is complete between steps, so that a checkpoint resumes to the same numbers."""

    def __init__(
        self,
        scene: Scene,
        take: Take,
        total_steps: int,
        objectives: Sequence[Objective],
        *,
        rates: Rates | None = None,
        options: StepOptions | None = None,
        seed: int = 0,
    ) -> None:
        self.scene, self.total_steps = scene, total_steps
        self._take, self._objectives = take, list(objectives)
        self._options = options or StepOptions()
        self._lips = lip_targets(take).to(scene.device)
        self._lips_shown = torch.from_numpy(take.use.lips_usable).to(scene.device)
        extra = [(p, objective.learning_rate) for objective in self._objectives for p in objective.parameters()]
        self.optimiser = SceneOptimiser(scene, rates or Rates(), extra)
        self.generator = torch.Generator().manual_seed(seed)
        self.step_count = 0
        self.samples_per_ray = 0.0

    def run(
        self,
        targets: TargetSource,
        until: int,
        after_step: Callable[[int, float], None] = lambda step, loss: None,
        objectives: Sequence[Objective] | None = None,
    ) -> None:
        """Steps until `until` steps are done in all. `objectives` picks some of the fitter's for this stretch."""
        chosen = self._objectives if objectives is None else list(objectives)
        self.scene.train()
        while self.step_count < until:
            loss = self._step(targets, chosen)
            self.step_count += 1
            after_step(self.step_count, loss)
        self.scene.eval()

    def _step(self, targets: TargetSource, objectives: list[Objective]) -> float:
        batch = targets.next_batch(self.step_count, self.generator)
        if self.samples_per_ray:
            rays = self._options.samples / self.samples_per_ray
            batch = batch.first(max(32, int(rays / len(batch.frames))))
        batch = batch.to(self.scene.device)
        condition = self._condition(batch)
        trace, behind, torso_alpha = self._trace(batch, condition)
        shape = batch.pixels.shape[:2]
        alpha = trace.alpha.reshape(shape)
        stand_behind = batch.layers.behind if batch.layers else behind
        rendered = trace.rgb.reshape(*shape, 3) + (1.0 - alpha[..., None]) * stand_behind

        loss = sum((objective(rendered, batch) for objective in objectives), start=torch.zeros(()))
        if batch.layers:
            loss = loss + self._layer_losses(batch, alpha, behind, torso_alpha)
        loss = loss + self._regularisers(alpha, trace)
        off = self.scene.audio_net.lips(condition.audio) - self._lips[batch.frames]
        off = off * self._lips_shown[batch.frames, None]
        loss = loss + self._options.lesson_weight * off.square().mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step(self.step_count / self.total_steps)
        for objective in objectives:
            objective.after_step(rendered.detach(), batch)

        with torch.no_grad():
            self.scene.occupancy.mark_seen(trace.samples.points, trace.transmittance, self.step_count)
            per_ray = len(trace.samples.points) / (shape[0] * shape[1])
            memory = SAMPLES_MEMORY if self.samples_per_ray else 0.0
            self.samples_per_ray = memory * self.samples_per_ray + (1.0 - memory) * per_ray
            if self.step_count >= OCCUPANCY_FROM and self.step_count % OCCUPANCY_EVERY == 0:
                self._update_occupancy(condition)
        return loss.item()

    def _condition(self, batch: Batch) -> Condition:
        features = self._take.audio_features
        size = (len(batch.frames), *audio_windows(features, batch.frames[:1]).shape[1:])
        noise = torch.randn(size, generator=self.generator) * self._options.audio_noise
        return conditions_for(self.scene, self._take, batch.frames, noise=noise)

    def _trace(self, batch: Batch, condition: Condition) -> tuple[HeadTrace, Tensor, Tensor]:
        rays = rays_of_frames(self._take.camera(0), self._take.c2w[batch.frames], batch.pixels)
        frames = torch.arange(len(batch.frames), dtype=torch.int32, device=self.scene.device)
        frame_of = frames.repeat_interleave(batch.pixels.shape[1])
        jitter = torch.rand(len(frame_of), generator=self.generator).to(self.scene.device)
        return self.scene.trace_head(rays, frame_of, condition, jitter), *self.scene.trace_torso(
            batch.pixels, condition
        )

    def _layer_losses(self, batch: Batch, head_alpha: Tensor, behind: Tensor, torso_alpha: Tensor) -> Tensor:
        """Tracked frames say what is behind the head, and the mattes say who covers what."""
        layers, weight = batch.layers, self._options.mask_weight
        return (
            (behind - layers.behind).square().mean()
            + weight * (head_alpha - layers.head_alpha).square().mean()
            + weight * (torso_alpha - layers.torso_alpha).square().mean()
        )

    def _regularisers(self, alpha: Tensor, trace: HeadTrace) -> Tensor:
        ramp = min(1.0, self.step_count / (0.5 * self.total_steps))
        position = trace.samples.points * 2.0 - 1.0
        elsewhere = (position[:, 1] < LOWER_FACE_TOP) | (position[:, 2] > LOWER_FACE_BACK)
        visible = trace.transmittance * -torch.expm1(-trace.sigmas.detach() * STEP)
        held = (trace.ambient.abs().sum(-1) * elsewhere * visible).sum() / alpha.numel()
        options = self._options
        return ramp * (
            options.entropy_weight * alpha_entropy(alpha)
            + options.ambient_weight * held
            + options.distortion_weight * distortion(trace.sigmas, trace.samples)
        )

    def _update_occupancy(self, condition: Condition) -> None:
        """Reads the density everywhere under one of the step's conditions."""
        scene, occupancy = self.scene, self.scene.occupancy
        points = occupancy.voxel_points(self.generator)
        one = [bias[:1].contiguous() for bias in scene.head.biases(condition.to(scene.device))]
        nobody = torch.zeros(len(points), dtype=torch.int32, device=scene.device)
        ahead = torch.zeros(1, HARMONICS, device=scene.device)
        found = scene.kernels.evaluate(
            scene.head.shape, scene.head.weights, Biases(*one), points, ahead, nobody, nobody[:1]
        )
        occupancy.update(found.sigmas, self.step_count)

    def tensors(self) -> dict[str, Tensor]:
        """All state, for checkpoints."""
        parts = {
            "scene": self.scene.state_dict(),
            "occupancy": self.scene.occupancy.tensors(),
            "optimiser": self.optimiser.tensors(),
            "fitter": {
                "generator": self.generator.get_state(),
                "progress": torch.tensor([self.step_count, self.samples_per_ray], dtype=torch.float64),
            },
        }
        return {f"{part}/{name}": t.clone() for part, named in parts.items() for name, t in named.items()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        parts: dict[str, dict[str, Tensor]] = {}
        for key, tensor in tensors.items():
            part, name = key.split("/", 1)
            parts.setdefault(part, {})[name] = tensor
        self.scene.load_state_dict(parts["scene"])
        self.scene.occupancy.restore(parts["occupancy"])
        self.optimiser.restore(parts["optimiser"])
        self.generator.set_state(parts["fitter"]["generator"])
        step_count, self.samples_per_ray = parts["fitter"]["progress"].tolist()
        self.step_count = int(step_count)
