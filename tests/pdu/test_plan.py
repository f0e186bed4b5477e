import json

import pytest

from talker.core.errors import BadInput
from talker.core.types import EditPlan
from talker.editors.builtin.editor import BuiltinEditor
from talker.pdu.plan import check_plan, report_plan


def test_report_says_everything_and_serialises():
    report = report_plan(
        EditPlan("make him bronze and the background blue"), BuiltinEditor(), 40, edit_s=0.5, train_s=60
    )
    text = "\n".join(report.lines())
    for part in (
        "builtin",
        "bronze statue, background blue",
        "40 in each round",
        "about 2 min",
        "guidance 4.5",
        "20 steps",
    ):
        assert part in text
    assert json.loads(json.dumps(report.as_json()))["understood"] == "bronze statue, background blue"


def test_unknown_instruction_is_told_at_once():
    with pytest.raises(BadInput, match="old man"):
        report_plan(EditPlan("make him an old man"), BuiltinEditor(), 40)


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"text_guidance": (6.0, 3.0)}, "--text-guidance"),
        ({"steps": (0, 10)}, "--steps"),
        ({"image_guidance": 0.5}, "--image-guidance"),
        ({"rounds": 0}, "--rounds"),
        ({"frames": 0}, "--frames"),
        ({"strategy": "twice"}, "--strategy is .twice.; choose one of progressive, iterative, once"),
    ],
)
def test_out_of_range_names_its_flag(change, flag):
    with pytest.raises(BadInput, match=flag):
        check_plan(EditPlan("x", **change))


@pytest.mark.parametrize(("strategy", "said"), [("once", "about 80 s"), ("iterative", "one image at a time")])
def test_the_strategy_is_told(strategy, said):
    report = report_plan(EditPlan("bronze", strategy=strategy), BuiltinEditor(), 40, edit_s=0.5, train_s=60)
    text = "\n".join(report.lines())
    assert strategy in text and said in text and report.as_json()["strategy"] == strategy
