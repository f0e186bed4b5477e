"""How a field is fitted and how it is edited, as people choose it: what the commands ask for beside files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from talker.errors import SEEDS, check_range
from talker.pdu.editor import DiffusionOptions
from talker.radfield.fit_take import FieldFitOptions
from talker.radfield.kernels import Kernels


def _check_steps(steps: int | None) -> None:
    if steps is not None:
        check_range("--training-steps", steps, 1, 10_000_000)


@dataclass(frozen=True)
class FitOptions:
    """How a field is fitted."""

    preset: Literal["auto", "cpu", "gpu"] = "auto"  # size of the field and length of its training
    kernels: str = "auto"  # what computes: auto (the fastest that this machine has), or one by name (talker doctor)
    training_steps: int | None = None  # train for so many steps instead of the preset's
    seed: int = 0  # the same seed and the same machine give the same field

    def __post_init__(self) -> None:
        check_range("--seed", self.seed, *SEEDS)
        _check_steps(self.training_steps)

    def field(self, kernels: Kernels, footage_s: float) -> FieldFitOptions:
        found = FieldFitOptions.preset(self.preset, kernels.device, self.seed, footage_s)
        return found if self.training_steps is None else found.of_length(self.training_steps)


@dataclass(frozen=True)
class EditOptions:
    """Who edits, and what computes."""

    editor: Literal["auto", "builtin", "ip2p"] = "auto"  # builtin knows a vocabulary, ip2p (InstructPix2Pix) any words
    model: str | None = None  # InstructPix2Pix from this folder or hub name
    sampler: Literal["ddim", "dpm++"] = "ddim"  # of InstructPix2Pix: dpm++ needs fewer --steps for the same picture
    precision: Literal["auto", "float16", "bfloat16", "float32"] = "auto"
    """of InstructPix2Pix; auto: float16 on a GPU, float32 elsewhere; bfloat16 where float16 overflows"""
    kernels: str = "auto"  # what computes: auto (the fastest that this machine has), or one by name (talker doctor)
    preset: Literal["auto", "cpu", "gpu"] = "auto"  # length of the training: minutes on two cores, or ten times as long
    training_steps: int | None = None  # train for so many steps in each round instead of the preset's number

    def __post_init__(self) -> None:
        _check_steps(self.training_steps)

    @property
    def diffusion(self) -> DiffusionOptions:
        return DiffusionOptions(self.model, self.sampler, self.precision)
