"""An edit's plan, told before anything is computed (`talker edit --dry-run`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from talker.core.errors import BadInput
from talker.core.types import EditPlan
from talker.editors.editor import Editor
from talker.pdu.schedule import Round, rounds_of


@dataclass(frozen=True)
class PlanReport:
    """Everything that a person may want to know of an edit beforehand."""

    instruction: str
    editor: str
    understood: str
    strategy: str
    rounds: list[Round]
    frames: int  # edited in every round
    seed: int
    estimated_s: float | None  # None: nothing to go by

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    def lines(self) -> list[str]:
        """For the terminal."""
        lines = [
            f"instruction  {self.instruction}",
            f"editor       {self.editor}",
            f"edit         {self.understood}",
            f"strategy     {self.strategy}",
            f"frames       {self.frames} in each round",
        ]
        lines += [
            f"round {r.number}      text guidance {r.text_guidance:g}, image guidance {r.image_guidance:g}, "
            f"{r.steps} steps" + (", one image at a time" if r.one_by_one else "")
            for r in self.rounds
        ]
        lines.append(f"seed         {self.seed}")
        if self.estimated_s is not None:
            lines.append(f"time         about {format_duration(self.estimated_s)}")
        return lines


def report_plan(
    plan: EditPlan,
    editor: Editor,
    frames: int,  # that will be edited: plan.frames, or fewer when the take has no more
    *,
    edit_s: float | None = None,  # seconds to render and edit one frame
    train_s: float = 0.0,  # seconds of training in all
) -> PlanReport:
    """Raises BadInput when the editor does not understand the instruction, or the plan is out of range."""
    check_plan(plan)
    rounds = rounds_of(plan)
    estimate = None if edit_s is None else len(rounds) * frames * edit_s + train_s
    return PlanReport(
        plan.instruction,
        editor.name,
        editor.describe(plan.instruction),
        plan.strategy,
        rounds,
        frames,
        plan.seed,
        estimate,
    )


def check_plan(plan: EditPlan) -> None:
    """BadInput where the first round would be stronger than the last."""
    for flag, (first, last) in (("--text-guidance", plan.text_guidance), ("--steps", plan.steps)):
        if first > last:
            raise BadInput(f"{flag} is {first:g},{last:g}; give two values, the lower one first")


def format_duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
