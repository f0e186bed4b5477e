"""A hundred instructions written by somebody who never saw the parser, a third of them beyond its vocabulary."""

from __future__ import annotations

import json
from pathlib import Path

from talker.errors import BadInput
from talker.pdu.builtin.parser import Edit, StyleEdit, parse

PARAPHRASES = json.loads(Path(__file__).with_name("paraphrases.json").read_text())


def wanted(entry: list[dict]) -> list[tuple]:
    """(what, where, how much) of each edit, in no order; "more" than usual is the whole edit."""
    found = []
    for edit in entry:
        on = edit.get("on") or ""
        amount = "less" if edit.get("amount") == "less" else "whole"
        what = (edit.get("style") or edit["colour"]).lower()
        found += [(what, region, amount) for region in (on if isinstance(on, list) else [on])]
    return sorted(found)


def understood(edits: tuple[Edit, ...]) -> list[tuple]:
    found = []
    for edit in edits:
        amount = "less" if edit.amount < 1.0 else "whole"
        if isinstance(edit, StyleEdit):
            found += [(edit.style.title.lower(), region, amount) for region in edit.regions or ("",)]
        else:
            found.append((edit.colour_name, edit.region, amount))
    return sorted(found)


def score() -> tuple[list[str], list[str], list[str]]:
    """What was right, what was refused although it is known, and what was silently something else."""
    right, refused, wrong = [], [], []
    for entry in PARAPHRASES:
        say, want = entry["say"], entry["want"]
        try:
            edits = parse(say)
        except BadInput as error:
            (right if want is None else refused).append(f"{say!r}: {error}")
            continue
        same = want is not None and understood(edits) == wanted(want)
        (right if same else wrong).append(f"{say!r}: {', '.join(map(str, edits))}, not {want}")
    return right, refused, wrong


def test_ninety_of_a_hundred_and_none_silently_wrong():
    right, refused, wrong = score()
    assert len(PARAPHRASES) == 100 and sum(entry["want"] is None for entry in PARAPHRASES) >= 25
    assert not wrong, "\n".join(wrong)
    assert len(right) >= 90, "\n".join(refused)
