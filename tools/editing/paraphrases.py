"""How many instructions of a file the built-in editor understands as the people who wrote them meant them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from talker.core.errors import BadInput
from talker.editors.builtin.parser import Edit, StyleEdit, parse
from talker.editors.builtin.vocabulary import COLOUR_WORDS

# [{"say": ..., "want": [{"style" or "colour", "on", "amount"}] or null}]
PARAPHRASES = Path(__file__).parents[2] / "tests" / "editors" / "paraphrases.json"


class Scored(NamedTuple):
    """What became of each instruction, in words."""

    right: list[str]
    refused: list[str]  # although it is known
    wrong: list[str]  # silently something else


def score(entries: list[dict]) -> Scored:
    scored = Scored([], [], [])
    for entry in entries:
        say, want = entry["say"], entry["want"]
        try:
            edits = parse(say)
        except BadInput as error:
            (scored.right if want is None else scored.refused).append(f"{say!r}: {error}")
            continue
        same = want is not None and _understood(edits) == _wanted(want)
        (scored.right if same else scored.wrong).append(f"{say!r}: {', '.join(map(str, edits))}, not {want}")
    return scored


def parser_figures(path: Path) -> dict[str, float | None]:
    """Shares that are right and silently wrong; None where there is no such file."""
    if not path.is_file():
        return {"parser_right": None, "parser_silent_wrong": None}
    entries = json.loads(path.read_text())
    scored = score(entries)
    return {
        "parser_right": round(len(scored.right) / len(entries), 4),
        "parser_silent_wrong": round(len(scored.wrong) / len(entries), 4),
    }


def _wanted(entry: list[dict]) -> list[tuple[str, str, bool]]:
    """(what, where, whether weaker) of each edit, in no order; "more" than usual is the whole edit."""
    found = []
    for edit in entry:
        where = edit.get("on") or ""
        what = (edit.get("style") or edit["colour"]).lower()
        regions = where if isinstance(where, list) else [where]
        if "colour" in edit:  # of one meaning here: a face takes a colour with its neck, as skin
            what, regions = COLOUR_WORDS.get(what, what), ["skin" if part == "face" else part for part in regions]
        found += [(what, region, edit.get("amount") == "less") for region in regions]
    return sorted(found)


def _understood(edits: tuple[Edit, ...]) -> list[tuple[str, str, bool]]:
    found = []
    for edit in edits:
        if isinstance(edit, StyleEdit):
            found += [(edit.style.title.lower(), region, edit.amount < 1.0) for region in edit.regions or ("",)]
        else:
            found.append((edit.colour_name, edit.region, edit.amount < 1.0))
    return sorted(found)
