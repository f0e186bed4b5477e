import pytest

from talker.core.types import EditPlan
from talker.pdu.schedule import UNEDITED, rounds_of, steps_of, text_guidance_of, turns_of


def test_paper_defaults():
    rounds = rounds_of(EditPlan("x"))
    assert [r.text_guidance for r in rounds] == [3.0, 4.5, 6.0]
    assert [r.steps for r in rounds] == [10, 15, 20]
    assert [r.image_guidance for r in rounds] == [1.5] * 3


def test_steps_are_floored_and_meet_the_ends():
    assert [steps_of(i, 4, 10, 20) for i in (1, 2, 3, 4)] == [10, 13, 16, 20]
    # In floats 0.7 * 10 is 7.000000000000001 but 0.1 * 3 * 10 is 3.0000000000000004 and 0.29 * 100 is 28.99...
    assert [steps_of(i, 101, 0, 100) for i in range(1, 102)] == list(range(101))


def test_one_round_works_at_the_upper_end():
    assert text_guidance_of(1, 1, 3.0, 6.0) == 6.0
    assert steps_of(1, 1, 10, 20) == 20


@pytest.mark.parametrize("count", [2, 3, 7])
def test_guidance_rises_evenly(count):
    values = [text_guidance_of(i, count, 3.0, 6.0) for i in range(1, count + 1)]
    gaps = [b - a for a, b in zip(values, values[1:], strict=False)]
    assert values[0] == 3.0 and values[-1] == pytest.approx(6.0)
    assert gaps == pytest.approx([3.0 / (count - 1)] * (count - 1))


@pytest.mark.parametrize(("strategy", "turns"), [("progressive", 3), ("once", 1), ("iterative", 15)])
def test_turns_share_the_training_and_end_with_every_frame_edited(strategy, turns):
    plan, frames = EditPlan("x", seed=2, strategy=strategy), [1, 4, 6, 8, 9]
    found = list(turns_of(plan, frames))
    assert [turn.number for turn in found] == list(range(1, turns + 1)) and {turn.of for turn in found} == {turns}
    rounds = rounds_of(plan)
    assert [turn.round for turn in found if turn.last_of_round] == rounds
    assert sorted(index for turn in found for index in turn.frames) == sorted(frames * len(rounds))
    assert found[-1].newest == dict.fromkeys(frames, len(rounds))
    assert UNEDITED in found[0].newest.values() or strategy != "iterative"
    assert found == list(turns_of(plan, frames))


def test_another_seed_another_order():
    orders = [
        [turn.frames for turn in turns_of(EditPlan("x", seed=seed, strategy="iterative"), list(range(20)))]
        for seed in (0, 1)
    ]
    assert orders[0] != orders[1]
