"""What to say when an instruction is not understood: the words, the nearest known edits, and the way out."""

from __future__ import annotations

import difflib

from talker.pdu.builtin.lexicon import FILLER, PEOPLE
from talker.pdu.builtin.phrases import tokens_of
from talker.pdu.builtin.styles import STYLES
from talker.pdu.builtin.vocabulary import COLOUR_WORDS, FOREIGN, RELATED, known_edits

HOW_TO_FREE = "for free instructions use InstructPix2Pix: --editor ip2p --model timbrooks/instruct-pix2pix"


def is_foreign(instruction: str) -> bool:
    """Whether it reads as another language than English."""
    words = tokens_of(instruction.lower())
    foreign = sum(word in FOREIGN or not word.isascii() for word in words)
    return foreign > 0 and foreign >= sum(word in FILLER and word not in FOREIGN for word in words)


def not_understood(instruction: str, unknown: list[str]) -> str:
    """The one line for an instruction that is not understood."""
    words = [word for word in unknown if word]
    what = f"does not know {', '.join(repr(word) for word in dict.fromkeys(words))}" if words else "finds no edit"
    if is_foreign(instruction):
        return (
            f"the built-in editor reads English only, and not {instruction!r}; say for example "
            f"'make him a bronze statue' or 'blue hair'; it knows {known_edits()}; {HOW_TO_FREE}"
        )
    return (
        f"the built-in editor {what} in {instruction!r}; nearest: {', '.join(nearest(instruction, words))}; "
        f"it knows {known_edits()}; {HOW_TO_FREE}"
    )


def nearest(instruction: str, unknown: list[str]) -> list[str]:
    """Up to three known things that sound like the instruction."""
    found: dict[str, None] = {}
    spellings = {w: style.title for style in STYLES for trigger in style.triggers for w in trigger if len(w) > 3}
    spellings |= {name: f"a region in {name}" for name in COLOUR_WORDS if name not in spellings}
    for word in [*" ".join(unknown).split(), *tokens_of(instruction.lower())]:
        for title in RELATED.get(word, ()):
            found.setdefault(title)
        if len(word) > 3 and word not in FILLER and word not in PEOPLE:
            for close in difflib.get_close_matches(word, spellings, n=1, cutoff=0.78):
                found.setdefault(spellings[close])
    if not found:
        by_likeness = sorted(
            (style.title for style in STYLES),
            key=lambda title: -difflib.SequenceMatcher(None, title.lower(), instruction.lower()).ratio(),
        )
        found = dict.fromkeys(by_likeness)
    return list(found)[:3]
