"""What to say when an instruction is not understood: the words, the nearest known things, and the way out."""

from __future__ import annotations

import difflib
import re

from talker.editors.builtin.idioms import KEEP_BACKGROUND
from talker.editors.builtin.lexicon import FILLER, PEOPLE
from talker.editors.builtin.phrases import behind_exception, clauses_of, tokens_of
from talker.editors.builtin.styles import STYLES
from talker.editors.builtin.vocabulary import COLOUR_WORDS, FOREIGN, REGION_WORDS, RELATED

HOW_TO_FREE = "for free instructions use InstructPix2Pix: --editor ip2p --model timbrooks/instruct-pix2pix"
HOW_TO_SEE_ALL = "talker edit --help lists all that it knows"
MOST_NEAREST = 3
ALIKE = 0.75  # of difflib's ratio: "hiar" is "hair"

# What shall stay as it is: the words of --keep that cover each region of an instruction.
KEPT_BY = {
    **{region: (region,) for region in ("hair", "skin", "face", "clothes", "background")},
    **{"lips": ("face",), "head": ("face", "hair")},
}
_KEEPS = re.compile(
    r"\b(?:keep\w*|leav(?:e|es|ing)|preserv\w+|retain\w*|unchanged|untouched|intact)\b"
    r"|\bas (?:it|they) (?:is|are|was|were)\b"
    r"|\b(?:do not|don't|dont|not|never|without) (?:chang\w+|touch\w*|alter\w*|affect\w*|edit\w*|the|his|her|their)\b"
)
_NAMED = REGION_WORDS | {KEEP_BACKGROUND: "background"}
_GOES_ON = FILLER | _NAMED.keys() | {"alone"}


def is_foreign(instruction: str) -> bool:
    """Whether it reads as another language than English."""
    words = tokens_of(instruction.lower())
    foreign = sum(word in FOREIGN or not word.isascii() for word in words)
    return foreign > 0 and foreign >= sum(word in FILLER and word not in FOREIGN for word in words)


def not_understood(instruction: str, unknown: list[str]) -> str:
    """The one line for an instruction that is not understood."""
    if is_foreign(instruction):
        return (
            f"the built-in editor reads English only, and not {instruction!r}; say for example "
            f"'make him a bronze statue' or 'blue hair'; {HOW_TO_SEE_ALL}; {HOW_TO_FREE}"
        )
    kept, said_so = kept_regions(instruction)
    words = [word for word in dict.fromkeys(unknown) if not set(word.split()) <= said_so]
    if kept and not words:
        return takes_no_exceptions(instruction)
    what = f"does not know {', '.join(repr(word) for word in words)}" if words else "finds no edit"
    found = nearest(instruction, words)
    told = f"; nearest: {', '.join(found)}" if found else ", nor anything like it" if words else ""
    limits = f"; say what stays as it is with {_flags(kept)}" if kept else ""
    return f"the built-in editor {what} in {instruction!r}{told}{limits}; {HOW_TO_SEE_ALL}; {HOW_TO_FREE}"


def takes_no_exceptions(instruction: str) -> str:
    """The one line for an instruction that names what is to stay as it is."""
    kept, _ = kept_regions(instruction)
    example = f"with {_flags(kept)}" if kept else "with --keep, as in --instruction 'make him bronze' --keep hair"
    return (
        f"the built-in editor takes no exceptions, as in {instruction!r}; say only what to change, and what stays as "
        f"it is {example}"
    )


def kept_regions(instruction: str) -> tuple[list[str], set[str]]:
    """The words for --keep that an instruction asks for in its own words, and the words in which it does so."""
    behind = behind_exception(instruction)
    kept: list[str] = []
    said_so: set[str] = set()
    keeps = False
    for words in clauses_of(instruction if behind is None else f"keep {behind}"):
        # "Leave the hair and the skin": a clause that only names a region goes on with the one before.
        keeps = _KEEPS.search(" ".join(words)) is not None or (keeps and set(words) <= _GOES_ON)
        named = [word for region in map(_NAMED.get, words) if region for word in KEPT_BY[region]]
        if keeps and named:
            kept += named
            said_so |= set(words)
    return list(dict.fromkeys(kept)), said_so


def nearest(instruction: str, unknown: list[str]) -> list[str]:
    """Up to three known things that the unknown words, or else the whole instruction, sound like."""
    known = {word: style.title for style in STYLES for trigger in style.triggers for word in trigger if len(word) > 3}
    known |= {word: word for word in (*COLOUR_WORDS, *REGION_WORDS) if word not in known}
    found: dict[str, None] = {}
    for word in " ".join(unknown).split() or tokens_of(instruction.lower()):
        for title in RELATED.get(word, ()):
            found.setdefault(title)
        if len(word) > 3 and word not in FILLER and word not in PEOPLE:
            for close in difflib.get_close_matches(word, known, n=1, cutoff=ALIKE):
                found.setdefault(known[close])
    return list(found)[:MOST_NEAREST]


def _flags(kept: list[str]) -> str:
    return " ".join(f"--keep {word}" for word in kept)
