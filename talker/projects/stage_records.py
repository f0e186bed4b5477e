"""What the records of a project's stages hold, as far as the program goes by it.

Keys that a talker of old did not write are not required; what they mean where they are missing, who reads them says.
"""

from __future__ import annotations

from typing import Any

from typing_extensions import NotRequired, TypedDict

from talker.core.records import Count, Figure, Seconds, Size, open_ended


@open_ended
class Manifest(TypedDict):
    """project.json: what else it holds repeats the stages' own records, for people."""

    schema: int


@open_ended
class TakeInputs(TypedDict):
    landmarks: str
    audio: str


@open_ended
class TakeMeasured(TypedDict):
    seconds: Seconds
    size_px: Size


@open_ended
class FieldInputs(TypedDict):
    take: str  # fingerprint


@open_ended
class FieldMeasured(TypedDict):
    head_psnr_db: Figure
    null_psnr_db: Figure
    kernels: str


@open_ended
class Training(TypedDict):
    patch_px: Count | None
    round_steps: Count
    lip_steps: Count


_Base = open_ended(TypedDict("_Base", {"from": NotRequired[str]}))  # fingerprint of the edit that it builds on


@open_ended
class EditInputs(_Base):
    field: str  # fingerprint
    instruction: str
    editor: str
    rounds: Count
    strategy: NotRequired[str]
    frames: NotRequired[Count]
    seed: NotRequired[int]
    text_guidance: NotRequired[list[float]]
    steps: NotRequired[list[Count]]
    image_guidance: NotRequired[float]
    only: NotRequired[list[str]]
    keep: NotRequired[list[str]]
    training: NotRequired[Training]
    model: NotRequired[str | None]
    sampler: NotRequired[str]
    precision: NotRequired[str]


@open_ended
class EditMeasured(TypedDict):
    edited_psnr_db: NotRequired[Figure]
    asked_levels: NotRequired[Figure]
    change_taken: NotRequired[Figure]


@open_ended
class _Finished(TypedDict):
    fingerprint: str
    talker: str
    finished: str
    seconds: Seconds


@open_ended
class TakeRecord(_Finished):
    inputs: TakeInputs
    measured: TakeMeasured


@open_ended
class FieldRecord(_Finished):
    inputs: FieldInputs
    measured: FieldMeasured


@open_ended
class EditRecord(_Finished):
    inputs: EditInputs
    measured: EditMeasured


@open_ended
class StageRecord(_Finished):
    """Of any stage."""

    inputs: dict[str, Any]
    measured: dict[str, Any]


def kind_of(
    path: str,  # of a stage, relative to its project
) -> type[StageRecord]:
    kinds = {"take": TakeRecord, "field": FieldRecord, "edits": EditRecord}
    return kinds.get(path.partition("/")[0], StageRecord)
