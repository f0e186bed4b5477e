"""Words brought into one form before they are read: set phrases, likenesses, endings."""

from __future__ import annotations

import re

from talker.editors.builtin.idioms import PHRASES, TRIGGER_WORDS
from talker.editors.builtin.vocabulary import COLOUR_WORDS, REGION_WORDS

SEPARATORS = re.compile(
    r"\s*(?:[,;.!?:()&+\n]+|\s-+\s|\b(?:and|then|plus|while|but|as well as|along with|together with)\b)\s*"
)
YEAR = re.compile(r"1[89]\d\d'?s?|\d\dth")
PERCENT = re.compile(r"amount(\d+)")
_GOES_ON = frozenset({"and", "with", "wearing", "holding", "but", "who", "without", "then", "plus"})
# "Green skin, like an alien's": a likeness behind a part and its colour adds nothing to them.
SIMILE = re.compile(
    r"[,. ]+(?:sort of |kind of |a bit |just |rather |almost )?(?:like|as if|as though|as in|straight out of"
    r"|inspired by) "
)
# What is left out; the background is the one thing that `PHRASES` leaves out, and "but" alone may only go on.
EXCEPTION = re.compile(
    r"\b(?:(?:everything|everywhere|anything|all(?: of \w+)?|(?:whole|entire) \w+) but"
    r"|except|excepting|excluding|apart from|aside from|other than|besides|save for|minus)\b"
)


def clauses_of(instruction: str) -> list[list[str]]:
    """The words of each clause."""
    return [tokens_of(part) for part in SEPARATORS.split(_in_plain_words(instruction)) if part.strip()]


def makes_an_exception(instruction: str) -> bool:
    """Whether it says what is not to change, other than the background."""
    return behind_exception(instruction) is not None


def behind_exception(instruction: str) -> str | None:
    """What stands behind the words of an exception; None where it makes none."""
    text = _in_plain_words(instruction)
    found = EXCEPTION.search(text)
    return text[found.end() :] if found else None


def _in_plain_words(instruction: str) -> str:
    text = instruction.lower()
    for pattern, plain in PHRASES:
        text = pattern.sub(plain, text)
    for found in SIMILE.finditer(text):
        other = re.match("[^;.!?]*", text[found.end() :])[0]
        if _adds_nothing(tokens_of(text[: found.start()]), tokens_of(other)):
            return text[: found.start()] + text[found.end() + len(other) :]
    return text


def _adds_nothing(said: list[str], other: list[str]) -> bool:
    """Whether a likeness stands behind a part and its colour and names nothing that is known here."""
    coloured = COLOUR_WORDS.keys() & set(said) and REGION_WORDS.keys() & set(said)
    styled = (TRIGGER_WORDS - COLOUR_WORDS.keys()) & set(said)
    return bool(coloured) and not styled and not (COLOUR_WORDS.keys() | TRIGGER_WORDS | _GOES_ON) & set(other)


def tokens_of(text: str) -> list[str]:
    words = re.findall(r"#[0-9a-f]{6}\b|whole-head|coloured-pencils|[^\W_]+(?:'[a-z]+)?", text)
    return [_base_form(re.sub(r"'s$|'$", "", word)) for word in words]


def _base_form(word: str) -> str:
    """ "cartoonify" is "cartoon", "pinker" and "pinkish" are "pink": endings that leave the meaning as it is."""
    for ending, known in (
        ("ify", TRIGGER_WORDS),
        ("ified", TRIGGER_WORDS),
        ("ise", TRIGGER_WORDS),
        ("ize", TRIGGER_WORDS),
        ("ised", TRIGGER_WORDS),
        ("ized", TRIGGER_WORDS),
        ("esque", TRIGGER_WORDS),
        ("er", COLOUR_WORDS),
        ("ish", COLOUR_WORDS),
    ):
        stem = word.removesuffix(ending)
        for base in (stem, stem + "e", stem[:-1]) if stem != word else ():
            if word not in COLOUR_WORDS and base in known:
                return base
    return word
