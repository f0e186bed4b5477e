"""What a clause's words mean together: which styles they call, and what only sounds like an edit."""

from __future__ import annotations

import re

from talker.pdu.builtin.styles import DRAWING, STATUE, STYLES, Style, words_of
from talker.pdu.builtin.vocabulary import AGES, COLOUR_WORDS, PEOPLE, REGION_WORDS

# Nouns that leave no doubt that a style is meant, and not the colour of the same name.
STYLE_NOUNS = words_of(DRAWING + " " + STATUE) - words_of("made out solid line lines")


def styles_in(words: frozenset[str]) -> list[Style]:
    """Styles whose trigger stands in the clause; one that another's companions explain gives way to it."""
    hits = [style for style in STYLES if any(trigger <= words for trigger in style.triggers)]
    kept = []
    for style in hits:
        others = [other for other in hits if other is not style and words_seen(style, words) <= other.companions]
        if not any(not _explains(style, other, words) for other in others):
            kept.append(style)
    return kept


def words_seen(style: Style, words: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*(trigger for trigger in style.triggers if trigger <= words))


def _explains(style: Style, other: Style, words: frozenset[str]) -> bool:
    """Whether `style` explains away `other` too, and comes first in the vocabulary: then it is the one to stay."""
    return words_seen(other, words) <= style.companions and STYLES.index(style) < STYLES.index(other)


def is_only_a_colour(style: Style, words: frozenset[str], tokens: list[str]) -> bool:
    """Whether "charcoal" or "gold" is a part's colour: no noun says that the style is meant, or the part follows."""
    seen = words_seen(style, words)
    before_a_part = all(following in REGION_WORDS for word, following in zip(tokens, tokens[1:]) if word in seen)
    return seen <= COLOUR_WORDS.keys() and (before_a_part or not (words & STYLE_NOUNS))


def targets(tokens: list[str]) -> list[str]:
    """What the person should turn into, as in "an old man": not a subject to be skipped."""
    found = []
    for position, word in enumerate(tokens):
        if word in AGES and tokens[position + 1 : position + 2] and tokens[position + 1] in PEOPLE:
            found.append(f"{word} {tokens[position + 1]}")
        if word not in ("a", "an") or (position and tokens[position - 1] == "of"):
            continue
        for end in range(position + 1, min(position + 4, len(tokens))):
            if tokens[end] in PEOPLE and tokens[end] not in ("head", "character", "subject", "one"):
                between = tokens[position + 1 : end]
                made_of = tokens[end + 1 : end + 3] == ["made", "of"]
                if not made_of and not any(frozenset({w}) in style.triggers for w in between for style in STYLES):
                    found.append(" ".join(tokens[position + 1 : end + 1]))
                break
    return found


def hung_on_walls(tokens: list[str]) -> list[str]:
    """An oil painting on the wall is a thing in the room, and no edit of the room."""
    said = " ".join(tokens)
    hung = re.search(r"\bon (?:the|a|his|her) wall\b|\b(?:statue|sculpture|bust|painting) behind\b", said)
    return [hung.group()] if hung else []


def things(tokens: list[str], said_styles: list[int], coloured: bool) -> list[str]:
    """A style's word directly before a part names another thing: a winter coat, a comic shirt, the wooden wall."""
    named = [k for k in said_styles if tokens[k + 1 : k + 2] and tokens[k + 1] in REGION_WORDS]
    return [" ".join(tokens[k : k + 2]) for k in named if coloured or REGION_WORDS[tokens[k + 1]] != "background"]


def loose_ends(tokens: list[str], said_styles: list[int]) -> list[str]:
    """Parts that stand beside a style without a word of what they should become: "a sketch against a wall"."""
    first = min(said_styles)
    parts = [k for k, word in enumerate(tokens) if k > first and word in REGION_WORDS]
    return [" ".join(tokens[first : k + 1]) for k in parts if {"with", "against", "front"} & set(tokens[first:k])][:1]


def left_behind(tokens: list[str], said_styles: list[int], pivot: int | None) -> list[str]:
    """A goal that is not known where the style stands only before "into": "turn night into day"."""
    if pivot is None or tokens[pivot] != "into" or any(k > pivot for k in said_styles):
        return []
    return [" ".join(tokens[pivot:])]
