"""The optimiser of a scene: sparse Adam for hash tables, Adam for the rest, decaying rates, guards, an average.

Average losses hide collapse: a step with a gradient that is not finite is skipped and counted, and a gradient far
above its own running norm is scaled back. Betas, decay and average are in the manner of RAD-NeRF; the rates are higher
than its 5e-3 and 5e-4, because a CPU affords so few of its steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from talker.radfield.kernels import AdamState, Kernels
from talker.radfield.scene import Scene

BETAS = (0.9, 0.99)
TABLE_EPSILON = 1e-12
CLIP_FACTOR, CLIP_MEMORY, CLIP_WARM_UP = 3.0, 0.95, 100
AVERAGE_EVERY, AVERAGE_LIMIT, AVERAGE_WARM_UP = 4, 0.99, 40


@dataclass(frozen=True)
class Rates:
    """Learning rates at the first step; all decay together."""

    table: float = 8e-3  # hash tables
    network: float = 2e-3  # head and torso MLPs
    audio: float = 1e-3  # audio network
    appearance: float = 5e-4  # frame codes
    plate: float = 0.0  # background plate: fixed unless edited
    final: float = 0.07  # share of each that is left at the last step


class SceneOptimiser:
    """Steps a scene's parameters and keeps their exponential moving average."""

    def __init__(self, scene: Scene, rates: Rates, extra: Iterable[tuple[nn.Parameter, float]] = ()) -> None:
        """`extra` are an objective's own parameters, each with its rate."""
        self._kernels: Kernels = scene.kernels
        self._rates = rates
        self._tables = {
            "space": scene.head.space_table,
            "ambient": scene.head.ambient_table,
            "torso": scene.torso.table,
        }
        table_ids = {id(p) for p in self._tables.values()}
        scene.plate.requires_grad_(rates.plate > 0)
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in scene.named_parameters():
            if id(parameter) in table_ids or not parameter.requires_grad:
                continue
            rate, decay = rates.network, 0.0
            if name.startswith("audio_net."):
                rate, decay = rates.audio, 1e-3
            elif name == "appearances":
                rate, decay = rates.appearance, 1e-1
            elif name == "plate":
                rate = rates.plate
            groups.setdefault((rate, decay), []).append(parameter)
        for parameter, rate in extra:
            groups.setdefault((rate, 0.0), []).append(parameter)
        self._dense = torch.optim.AdamW(
            [{"params": ps, "lr": r, "weight_decay": d, "initial": r} for (r, d), ps in groups.items()],
            betas=BETAS,
            fused=True,
            eps=1e-8,
        )
        self._parameters = [*self._tables.values(), *(p for ps in groups.values() for p in ps)]
        self._states = {name: AdamState(torch.zeros_like(p), torch.zeros_like(p)) for name, p in self._tables.items()}
        self._norms = [0.0] * len(self._parameters)
        self._average = [p.detach().clone() for p in self._parameters]
        self.steps = 0
        self.skipped = 0

    def zero_grad(self) -> None:
        """Tables keep their large buffers. The rest has no gradient until it gets one: what a step does not use stays
        as it is, momentum and all, and a resumed run does as the one that went on."""
        for table in self._tables.values():
            if table.grad is not None:
                table.grad.zero_()
        self._dense.zero_grad(set_to_none=True)

    def _clip(self) -> bool:
        """Scales back runaway gradients; False when one is not finite."""
        gradients = [(i, p.grad) for i, p in enumerate(self._parameters) if p.grad is not None]
        norms = torch.stack([gradient.norm() for _, gradient in gradients]).cpu().tolist()  # a GPU is asked once
        if not all(math.isfinite(norm) for norm in norms):
            return False
        for (slot, gradient), norm in zip(gradients, norms, strict=True):
            usual = self._norms[slot]
            if usual > 0 and self.steps > CLIP_WARM_UP and norm > CLIP_FACTOR * usual:
                gradient.mul_(CLIP_FACTOR * usual / norm)
                norm = CLIP_FACTOR * usual
            self._norms[slot] = norm if usual == 0 else CLIP_MEMORY * usual + (1.0 - CLIP_MEMORY) * norm
        return True

    def step(self, fraction: float) -> None:
        """One step, `fraction` of the way through the run."""
        self.steps += 1
        if not self._clip():
            self.skipped += 1
            return
        left = self._rates.final ** min(fraction, 1.0)
        for name, table in self._tables.items():
            if table.grad is not None:
                self._kernels.sparse_adam(
                    table.data, table.grad, self._states[name], self._rates.table * left, BETAS, TABLE_EPSILON
                )
        for group in self._dense.param_groups:
            group["lr"] = group["initial"] * left
        self._dense.step()
        if self.steps % AVERAGE_EVERY == 0:
            keep = min(AVERAGE_LIMIT, self.steps / (self.steps + AVERAGE_WARM_UP))
            torch._foreach_lerp_(self._average, [p.detach() for p in self._parameters], 1.0 - keep)

    @torch.no_grad()
    def swap_average(self) -> None:
        """Exchanges the parameters with their average: before rendering, and back before training on."""
        for parameter, average in zip(self._parameters, self._average, strict=True):
            kept = parameter.detach().clone()
            parameter.copy_(average)
            average.copy_(kept)

    def tensors(self) -> dict[str, Tensor]:
        """All state, for checkpoints."""
        state = {f"average.{i}": t for i, t in enumerate(self._average)}
        for name, adam in self._states.items():
            state |= {f"table.{name}.first": adam.first, f"table.{name}.second": adam.second}
        for slot, moments in self._dense.state_dict()["state"].items():
            state |= {f"dense.{slot}.{key}": value for key, value in moments.items()}
        counts = [self.steps, self.skipped, *(adam.steps for adam in self._states.values())]
        return {**state, "counts": torch.tensor(counts), "norms": torch.tensor(self._norms, dtype=torch.float64)}

    def restore(self, state: dict[str, Tensor]) -> None:
        for slot, average in enumerate(self._average):
            average.copy_(state[f"average.{slot}"])
        self.steps, self.skipped, *table_steps = state["counts"].tolist()
        for (name, adam), steps in zip(self._states.items(), table_steps, strict=True):
            adam.first.copy_(state[f"table.{name}.first"])
            adam.second.copy_(state[f"table.{name}.second"])
            adam.steps = steps
        dense = self._dense.state_dict()
        dense["state"] = {}
        for key, value in state.items():
            if key.startswith("dense."):
                _, slot, moment = key.split(".", 2)
                dense["state"].setdefault(int(slot), {})[moment] = value
        self._dense.load_state_dict(dense)
        self._norms = state["norms"].tolist()
