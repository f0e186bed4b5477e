"""The paper's schedule: every round asks for a stronger edit than the one before (Instruct-NeuralTalker, 3.2).

Notation: K rounds, i = 1..K, s text guidance, t sampling steps; l and u are the lower and upper ends.
"""

from __future__ import annotations

from dataclasses import dataclass

from talker.types import EditPlan


@dataclass(frozen=True)
class Round:
    """What one round asks of the editor."""

    number: int  # 1..K
    text_guidance: float  # s_i
    image_guidance: float
    steps: int  # t_i


def text_guidance_of(round_number: int, rounds: int, lower: float, upper: float) -> float:
    """s_i = s_l + (i - 1) / (K - 1) (s_u - s_l); one round alone works at s_u (the one-time strategy)."""
    if rounds == 1:
        return upper
    return lower + (round_number - 1) / (rounds - 1) * (upper - lower)


def steps_of(round_number: int, rounds: int, lower: int, upper: int) -> int:
    """t_i = t_l + floor((i - 1) / (K - 1) (t_u - t_l)); one round alone works at t_u."""
    if rounds == 1:
        return upper
    # Integer arithmetic: a float quotient would floor 2.9999 where the formula says 3.
    return lower + (round_number - 1) * (upper - lower) // (rounds - 1)


def rounds_of(plan: EditPlan) -> list[Round]:
    """The K rounds of a plan, in order."""
    return [
        Round(
            number,
            text_guidance_of(number, plan.rounds, *plan.text_guidance),
            plan.image_guidance,
            steps_of(number, plan.rounds, *plan.steps),
        )
        for number in range(1, plan.rounds + 1)
    ]
