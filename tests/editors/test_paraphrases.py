"""Four hundred instructions by four people who never saw the parser, a third of them beyond its vocabulary.

By now they are a regression set: the parser was mended on each hundred in turn. Blind, at first sight, it read 85, 84,
84 and, once its lexicon had grown, 100 right, and got 1, 1, 4 and 0 silently wrong (bench/history/2026-11.md).
"""

from __future__ import annotations

import json

from tools.editing.paraphrases import PARAPHRASES, parser_figures, score


def test_nearly_all_right_and_none_silently_wrong():
    entries = json.loads(PARAPHRASES.read_text())
    assert len(entries) == 400 and sum(entry["want"] is None for entry in entries) >= 115
    scored = score(entries)
    assert not scored.wrong, "\n".join(scored.wrong)
    assert len(scored.right) >= 394, "\n".join(scored.refused)
    right = round(len(scored.right) / len(entries), 4)
    assert parser_figures(PARAPHRASES) == {"parser_right": right, "parser_silent_wrong": 0.0}


def test_a_wrong_edit_is_seen():
    bronze, red = {"style": "bronze statue"}, {"colour": "red", "on": ["hair"]}
    entries = [{"say": "make him bronze", "want": [red]}, {"say": "red hair", "want": [red]}]
    entries += [{"say": "make him bronze", "want": None}, {"say": "give him a beard", "want": [bronze]}]
    scored = score(entries)
    assert [len(each) for each in (scored.right, scored.refused, scored.wrong)] == [1, 1, 2]
