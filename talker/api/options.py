"""How a field is fitted, edited and looked at, as people choose it: what the commands ask for beside files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import torch
from annotated_types import Interval

from talker.core.bounds import OneOf, Seed, check_fields
from talker.core.errors import BadInput
from talker.core.types import EditPlan, ImageGuidance, SamplingSteps, TextGuidance
from talker.editors.registry import check_options, editor_names
from talker.radfield.fit_take import FieldFitOptions
from talker.radfield.kernels import Kernels

MOST_COLUMNS = 12  # of a preview: more are too small to judge
TrainingSteps = Annotated[int, Interval(ge=1, le=10_000_000)]


@dataclass(frozen=True)
class FitOptions:
    """How a field is fitted."""

    preset: Literal["auto", "cpu", "gpu"] = "auto"  # size of the field and length of its training
    kernels: str = "auto"  # what computes: auto (the fastest that this machine has), or one by name (talker doctor)
    training_steps: TrainingSteps | None = None  # train for so many steps instead of the preset's
    seed: Seed = 0  # the same seed and the same machine give the same field

    def __post_init__(self) -> None:
        check_fields(self)

    def field(self, kernels: Kernels, footage_s: float, size_px: int) -> FieldFitOptions:
        found = FieldFitOptions.preset(self.preset, kernels.device, self.seed, footage_s, size_px)
        return found if self.training_steps is None else found.of_length(self.training_steps)


@dataclass(frozen=True)
class TrainingOptions:
    """How an edited field is trained: in every round, then in a lip stage (the paper's 300 and 100 epochs)."""

    round_steps: int = 220  # steps in each of the plan's rounds; a strategy with fewer rounds trains as long
    lip_steps: int = 160  # steps on lip patches after the last round
    patches: int = 2  # patches in a step, each of its own frame
    patch_px: int | None = 64  # side of a patch; None takes half of the frame's, as the paper does
    patch_every: int = 3  # of so many steps of a round, one is on patches and the others on pixels of many frames

    @classmethod
    def preset(cls, name: Literal["auto", "cpu", "gpu"], device: torch.device | str = "cpu") -> TrainingOptions:
        """`cpu`: minutes on two cores. `gpu`: the paper's patches in every step, and ten times the steps. `auto`: as
        the device suggests."""
        if name == "gpu" or (name == "auto" and torch.device(device).type == "cuda"):
            return cls(round_steps=2_200, lip_steps=1_600, patch_px=None, patch_every=1)
        return cls()


@dataclass(frozen=True)
class EditOptions:
    """Who edits, and what computes."""

    editor: Annotated[str, OneOf(editor_names)] = "auto"  # who edits: auto (the first of the others that understands)
    editor_options: Mapping[str, Any] = field(default_factory=dict)  # of the editor's `options`: values by their names
    kernels: str = "auto"  # what computes: auto (the fastest that this machine has), or one by name (talker doctor)
    preset: Literal["auto", "cpu", "gpu"] = "auto"  # length of the training: minutes on two cores, or ten times as long
    training_steps: TrainingSteps | None = None  # steps in each of --rounds, and again in the lip stage [the preset's]

    def __post_init__(self) -> None:
        check_fields(self)
        check_options(self.editor, self.editor_options)

    def training(self, device: torch.device) -> TrainingOptions:
        found, steps = TrainingOptions.preset(self.preset, device), self.training_steps
        return found if steps is None else replace(found, round_steps=steps, lip_steps=steps)


@dataclass(frozen=True)
class PreviewOptions:
    """The grid over which an edit is looked at, and chance."""

    text_guidance: tuple[TextGuidance, ...] = (3.0, 4.5, 6.0)  # how strongly the instruction counts: a column for each
    steps: tuple[SamplingSteps, ...] = (10, 20)
    """sampling steps of InstructPix2Pix: a column for each, with each guidance"""
    image_guidance: ImageGuidance = EditPlan.image_guidance
    seed: Seed = EditPlan.seed

    def __post_init__(self) -> None:
        check_fields(self)
        if len(self.grid) > MOST_COLUMNS:
            guidances, steps = len(set(self.text_guidance)), len(set(self.steps))
            raise BadInput(
                f"{guidances} values of --text-guidance times {steps} of --steps (usual: 10,20) are {len(self.grid)} "
                f"columns of pictures; give fewer values, for at most {MOST_COLUMNS} columns"
            )

    @property
    def grid(self) -> list[tuple[float, int]]:
        """Text guidance and steps of every column."""
        return [(guidance, steps) for guidance in sorted(set(self.text_guidance)) for steps in sorted(set(self.steps))]

    def plan(self, instruction: str) -> EditPlan:
        """The edit whose last round looks like the strongest column."""
        highest, most = max(self.text_guidance), max(self.steps)
        return EditPlan(
            instruction,
            self.seed,
            text_guidance=(min(EditPlan.text_guidance[0], highest), highest),
            steps=(min(EditPlan.steps[0], most), most),
            image_guidance=self.image_guidance,
        )
