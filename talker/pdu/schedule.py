"""What is edited when, by strategy; in each, edits and training take turns.

- progressive: every round asks for a stronger edit than the one before (Instruct-NeuralTalker, 3.2). All frames are
  edited, then the field is trained on them.
- once: one round at the upper ends, and then all of the training.
- iterative: one image at a time, in random order, is rendered, noised to a random share of the diffusion time, edited
  at the upper ends under the original as condition, and replaces its frame; training goes on between
  (Instruct-NeRF2NeRF, 4.2). K rounds are K edits of every frame, so that edits and training are as many as in
  progressive's.

Notation: K rounds, i = 1..K, N frames, s text guidance, t sampling steps; l and u are the lower and upper ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from talker.core.types import EditPlan

FROM_NOISE = (1.0, 1.0)
ITERATIVE_STARTS = (0.02, 0.98)  # Instruct-NeRF2NeRF, 4.1
UNEDITED = 0  # the round of frames as the original field renders them


@dataclass(frozen=True)
class Round:
    """What one round asks of the editor."""

    number: int  # 1..K
    text_guidance: float  # s_i
    image_guidance: float
    steps: int  # t_i
    starts: tuple[float, float] = FROM_NOISE  # share of the diffusion time at which edits start: the range drawn from

    @property
    def one_by_one(self) -> bool:
        """Whether training goes on after every single edit."""
        return self.starts != FROM_NOISE


@dataclass(frozen=True)
class Turn:
    """Some frames are edited, then the field is trained on the newest edit of every frame."""

    round: Round
    number: int  # 1..of
    of: int  # turns in all; each has an equal share of the training
    frames: Sequence[int]  # edited in this turn
    newest: Mapping[int, int]  # frame -> round that edited it last, this turn's included; UNEDITED: none yet
    before: int  # turns of the same round that came before
    last_of_round: bool


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
    """The rounds of a plan, in order."""
    if plan.strategy == "progressive":
        return [
            Round(
                number,
                text_guidance_of(number, plan.rounds, *plan.text_guidance),
                plan.image_guidance,
                steps_of(number, plan.rounds, *plan.steps),
            )
            for number in range(1, plan.rounds + 1)
        ]
    strongest = (plan.text_guidance[1], plan.image_guidance, plan.steps[1])
    if plan.strategy == "once":
        return [Round(1, *strongest)]
    return [Round(number, *strongest, ITERATIVE_STARTS) for number in range(1, plan.rounds + 1)]


def turns_of(
    plan: EditPlan,
    frames: Sequence[int],  # the N frames that every round edits
) -> Iterator[Turn]:
    """All turns of a plan, in order."""
    rounds = rounds_of(plan)
    number, of = 0, sum(len(frames) if each.one_by_one else 1 for each in rounds)
    for this_round in rounds:
        newest = dict.fromkeys(frames, this_round.number - 1)
        groups = [list(frames)]
        if this_round.one_by_one:
            order = torch.randperm(len(frames), generator=seeded(plan.seed, this_round.number))
            groups = [[frames[place]] for place in order]
        for before, group in enumerate(groups):
            number += 1
            newest.update(dict.fromkeys(group, this_round.number))
            yield Turn(this_round, number, of, group, dict(newest), before, before + 1 == len(groups))


def seeded(*parts: int) -> torch.Generator:
    """A generator for what these numbers name; others are independent of it."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))
