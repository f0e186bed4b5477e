"""Words brought into one form before they are read: spelling, set phrases, endings."""

from __future__ import annotations

import re

from talker.pdu.builtin.styles import STYLES
from talker.pdu.builtin.vocabulary import COLOUR_WORDS, PEOPLE, REGION_WORDS

SEPARATORS = re.compile(
    r"\s*(?:[,;.!?:()&+\n]+|\s-+\s|\b(?:and|then|plus|while|but|as well as|along with|together with)\b)\s*"
)
YEAR = re.compile(r"1[89]\d\d'?s?|\d\dth")
PERCENT = re.compile(r"amount(\d+)")
TRIGGER_WORDS = frozenset().union(*(trigger for style in STYLES for trigger in style.triggers if len(trigger) == 1))
KEEP_BACKGROUND, ONLY_PERSON, BLACK_AND_WHITE = "keepbackground", "onlyperson", "blackandwhite"
_BACKGROUND = r"(?:the |his |her |their )?(?:background|backdrop)(?: behind \w+)?"
# (what is said, the one way to say it)
PHRASES = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        ("\u2019", "'"),
        (r"(?<=\w)'(?:s|d|m|ll|re|ve)\b", ""),
        (r"color", "colour"),
        (r"\b[a\u00e0] la\b", "like"),
        (r"\bgray", "grey"),
        (r"\b(?:t|tee)-shirt", "tshirt"),
        (r"\bback ground\b", "background"),
        (r"\bgrey ?scale\b", "greyscale"),
        (r"\b(green|blue)[ -]?screen\b", r"\1 background"),
        (r"\bblack\s*(?:and|&|-and-|n|-n-|'n')\s*white\b|\bb\s*&\s*w\b|\bb/w\b", BLACK_AND_WHITE),
        (
            r"\b(?:without|no|remove|drop|drain|take|strip|suck)\s+(?:out |away )?(?:all |any |every )?(?:of )?"
            r"(?:the |its |his |her )?colours?(?:\s+(?:out|away)\b)?"
            r"(?:\s+(?:of|from) (?:it|the (?:video|picture|image|scene|photo|frame))\b)?",
            BLACK_AND_WHITE,
        ),
        (r"\b(?:at|by|with|to)?\s*half (?:the )?(?:strength|way)|\bhalfway\b", " amount50 "),
        (r"\b(\d{1,3}) ?(?:%|percent\b|per cent\b)", r" amount\1 "),
        (
            r"\b(?:just )?an? (?:(?:little|tiny|faint|slight|small|mere|subtle) )?"
            r"(?:bit|touch|hint|tad|trace)(?: of)?\b",
            " slightly ",
        ),
        (r"\ba (?:pop|splash|shock|burst) of\b", ""),
        (r"\ba little (?=(?:more )?(?:like|of)\b)", " slightly "),
        (rf"(?:\bnot|\b(?:leav|keep|preserv)(?:e|ing|)) {_BACKGROUND}"
         r"(?: (?:alone|(?:just )?(?:as|like|the way) it (?:is|was)|unchanged|untouched|intact|the same|original|normal"
         r"|natural|in place))?(?=\s*(?:$|[,;.!]|and\b|but\b|while\b))", f" {KEEP_BACKGROUND} "),
        (rf"(?:\b(?:everything|all) )?\b(?:except|but|apart from|other than)(?: for)? {_BACKGROUND}",
         f" {KEEP_BACKGROUND} "),
        (rf"\b(?:only|just) (?:him|her|them|the (?:{'|'.join(sorted(PEOPLE))}))\b", f" {ONLY_PERSON} "),
        (r"\b(?:instead of|rather than|in place of) [^,;.]*", ""),
        (rf"\b(?:as )?({'|'.join(COLOUR_WORDS)}) (?:as|like) (?:a |an |the )?\w+", r"\1"),  # "white as snow"
        (r"\bcolour(?:ed)? pencils?\b", "coloured-pencils"),
        (r"\b(his|her|the|their) head\b", r"\1 whole-head"),
        (rf"\bsnow white\b(?! (?:{'|'.join(REGION_WORDS)})\b)", "snowwhite"),  # a person
    )
)  # fmt: skip
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
    return EXCEPTION.search(_in_plain_words(instruction)) is not None


def _in_plain_words(instruction: str) -> str:
    text = instruction.lower()
    for pattern, plain in PHRASES:
        text = pattern.sub(plain, text)
    return text


def tokens_of(text: str) -> list[str]:
    words = re.findall(r"#[0-9a-f]{6}\b|whole-head|coloured-pencils|[^\W_]+(?:'[a-z]+)?", text)
    return [_base_form(re.sub(r"'s$|'$", "", word)) for word in words]


def _base_form(word: str) -> str:
    """ "cartoonify" is "cartoon", "pinker" and "pinkish" are "pink": endings that leave the meaning as it is."""
    for ending, known in (
        ("ify", TRIGGER_WORDS),
        ("ified", TRIGGER_WORDS),
        ("er", COLOUR_WORDS),
        ("ish", COLOUR_WORDS),
    ):
        stem = word.removesuffix(ending)
        for base in (stem, stem + "e", stem[:-1]) if stem != word else ():
            if word not in COLOUR_WORDS and base in known:
                return base
    return word
