"""From an instruction to edits, with every word accounted for.

The instruction falls into clauses ("and", commas, "then", "with"); each clause into styles, regions and colours.
Words that belong to nothing known make the whole instruction unknown: an error that names them beats a guess.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field

from talker.errors import BadInput
from talker.pdu.builtin.styles import STYLES, Style
from talker.pdu.builtin.vocabulary import (
    AGES,
    AMOUNTS,
    COLOUR_WORDS,
    COLOURS,
    FILLER,
    HAIR_COLOUR_NOUNS,
    PEOPLE,
    REGION_OPERATORS,
    REGION_VERBS,
    REGION_WORDS,
    RELATED,
    SHADES,
    VIVID,
    Colour,
    known_edits,
)

SEPARATORS = re.compile(r"\s*(?:[,;.!&+]+|\band\b|\bthen\b|\bplus\b|\bwhile\b)\s*")
YEAR = re.compile(r"1[89]\d0s?|\d\dth")
MEANINGLESS = FILLER | PEOPLE | VIVID | frozenset(REGION_VERBS)
HOW_TO_FREE = "for free instructions use InstructPix2Pix: --editor ip2p --model timbrooks/instruct-pix2pix"


@dataclass(frozen=True)
class StyleEdit:
    """A style, over the whole image or over regions of it."""

    style: Style
    regions: tuple[str, ...] = ()
    amount: float = 1.0

    def __str__(self) -> str:
        where = f" on the {' and '.join(self.regions)}" if self.regions else ""
        return f"{self.style.title}{where}{_amount_note(self.amount)}"


@dataclass(frozen=True)
class ColourEdit:
    """A region in a colour."""

    region: str
    colour: Colour
    colour_name: str
    amount: float = 1.0

    def __str__(self) -> str:
        return f"{self.region} {self.colour_name}{_amount_note(self.amount)}"


Edit = StyleEdit | ColourEdit


def _amount_note(amount: float) -> str:
    return "" if amount == 1.0 else f" ({amount:.0%})"


@dataclass
class Clause:
    """What one clause says, before regions and colours are paired."""

    styles: list[Style] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    colours: list[tuple[str, Colour]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    amount: float = 1.0

    @property
    def empty(self) -> bool:
        return not (self.styles or self.regions or self.colours)


def parse(instruction: str) -> tuple[Edit, ...]:
    """The edits that an instruction asks for, in order; raises BadInput for anything not fully understood."""
    if not instruction.strip():
        raise BadInput(f"the instruction is empty; say what to change, for example: {known_edits()}")
    edits: list[Edit] = []
    waiting: list[str] = []  # regions whose colour or style comes with a later clause: "hair and skin blue"
    texts = _clause_texts(instruction)
    # "Cold and snowy": a clause without a style of its own may speak of the style beside it.
    beside = frozenset().union(*(style.companions for text in texts for style in _styles_in(frozenset(_tokens(text)))))
    for text in texts:
        clause = _read_clause(text, beside)
        if clause.unknown:
            raise BadInput(_unknown(instruction, clause.unknown))
        if clause.empty:
            continue
        if clause.regions and not clause.styles and not clause.colours:
            waiting += clause.regions
            continue
        clause.regions = waiting + clause.regions
        waiting = []
        edits += _edits_of(clause, instruction)
    if waiting:
        named = " and ".join(waiting)
        raise BadInput(
            f"{instruction!r} names the {named} but no colour or style; the built-in editor knows {known_edits()}; "
            f"{HOW_TO_FREE}"
        )
    if not edits:
        raise BadInput(_unknown(instruction, []))
    return _whole_first(edits)


def describe(edits: tuple[Edit, ...]) -> str:
    return ", ".join(str(edit) for edit in edits)


def _whole_first(edits: list[Edit]) -> tuple[Edit, ...]:
    """Materials and styles before colours of regions: a blue background must not be painted over by a sketch."""
    return tuple(sorted(edits, key=lambda edit: isinstance(edit, ColourEdit) or bool(edit.regions)))


def _clause_texts(instruction: str) -> list[str]:
    text = instruction.lower().replace("\u2019", "'").replace("color", "colour")
    text = text.replace("gray", "grey").replace("t-shirt", "tshirt")
    text = re.sub(r"\bblack\s*(?:and|&|-and-|n)\s*white\b|\bb\s*&\s*w\b|\bb/w\b", "blackandwhite", text)
    text = re.sub(r"\bgrey scale\b", "greyscale", text)
    text = re.sub(r"\bback ground\b", "background", text)
    return [part for part in SEPARATORS.split(text) if part.strip()]


def _tokens(text: str) -> list[str]:
    words = re.findall(r"#[0-9a-f]{6}\b|[^\W_]+(?:'[a-z]+)?", text)
    return [re.sub(r"'s$|'$", "", word) for word in words]


def _read_clause(text: str, beside: frozenset[str]) -> Clause:
    tokens = _tokens(text)
    clause = Clause()
    clause.unknown += _targets(tokens)
    words = frozenset(tokens)
    clause.styles = _styles_in(words)
    companions = frozenset().union(*(style.companions | frozenset().union(*style.triggers) for style in clause.styles))
    subject_face = re.search(r"\bof (?:his |her |the |their |a )?face\b", text) is not None
    shade = 1.0
    if not clause.styles:
        companions = beside
    for position, word in enumerate(tokens):
        following = tokens[position + 1] if position + 1 < len(tokens) else ""
        if word in REGION_WORDS:
            region = REGION_WORDS[word]
            if region == "face" and subject_face:
                continue
            if region not in clause.regions:
                clause.regions.append(region)
        elif word in REGION_VERBS and not any(w in REGION_WORDS for w in words):
            clause.regions.append(REGION_VERBS[word])
        elif word in HAIR_COLOUR_NOUNS and not any(REGION_WORDS.get(w) for w in words):
            clause.regions.append("hair")
            clause.colours.append((HAIR_COLOUR_NOUNS[word], COLOURS[HAIR_COLOUR_NOUNS[word]]))
        elif word in SHADES and (following in COLOUR_WORDS or following in ("shade", "skin", "hair")):
            shade = SHADES[word]
        elif (word in COLOUR_WORDS or word.startswith("#")) and not _belongs(word, companions, words):
            clause.colours.append(_colour(word, shade))
            shade = 1.0
        elif word in AMOUNTS:
            clause.amount = AMOUNTS[word]
        elif not (word in companions or word in MEANINGLESS or (clause.styles and YEAR.fullmatch(word))):
            clause.unknown.append(word)
    return clause


def _belongs(word: str, companions: frozenset[str], words: frozenset[str]) -> bool:
    """A colour word that only decorates a style ("white marble"), no region being there to take it."""
    return word in companions and not any(w in REGION_WORDS for w in words)


def _targets(tokens: list[str]) -> list[str]:
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
                if not any(frozenset({w}) in style.triggers for w in between for style in STYLES):
                    found.append(" ".join(tokens[position + 1 : end + 1]))
                break
    return found


def _styles_in(words: frozenset[str]) -> list[Style]:
    """Styles whose trigger stands in the clause; one that another's companions explain gives way to it."""
    hits = [style for style in STYLES if any(trigger <= words for trigger in style.triggers)]
    kept = []
    for style in hits:
        seen = frozenset().union(*(t for t in style.triggers if t <= words))
        others = [other for other in hits if other is not style and seen <= other.companions]
        if not any(not _explains(style, other, words) for other in others):
            kept.append(style)
    return kept


def _explains(style: Style, other: Style, words: frozenset[str]) -> bool:
    """Whether `style` explains away `other` too, and comes first in the vocabulary: then it is the one to stay."""
    seen = frozenset().union(*(t for t in other.triggers if t <= words))
    return seen <= style.companions and STYLES.index(style) < STYLES.index(other)


def _colour(word: str, shade: float) -> tuple[str, Colour]:
    if word.startswith("#"):
        return word, tuple(int(word[k : k + 2], 16) / 255.0 for k in (1, 3, 5))
    name = COLOUR_WORDS[word]
    base = COLOURS[name]
    if shade < 1.0:
        return f"dark {name}", tuple(c * shade for c in base)
    if shade > 1.0:
        return f"light {name}", tuple(c + (1.0 - c) * (shade - 1.0) for c in base)
    return name, base


def _edits_of(clause: Clause, instruction: str) -> list[Edit]:
    if len(clause.styles) > 1:
        titles = " and ".join(style.title for style in clause.styles)
        raise BadInput(f"{instruction!r} names {titles} at once; join them with 'and', or choose one")
    edits: list[Edit] = []
    if clause.colours:
        regions = ["skin" if region == "face" else region for region in clause.regions]
        if not regions:
            raise BadInput(
                f"{instruction!r} does not say what should be {clause.colours[0][0]}; "
                f"name one of {', '.join(REGION_OPERATORS)}; {HOW_TO_FREE}"
            )
        if len(clause.colours) == 1:
            pairs = [(region, clause.colours[0]) for region in regions]
        elif len(clause.colours) == len(regions):
            pairs = list(zip(regions, clause.colours, strict=True))
        else:
            raise BadInput(f"{instruction!r}: which colour is for what? Say it in clauses joined by 'and'")
        edits += [StyleEdit(style, (), clause.amount) for style in clause.styles]
        edits += [ColourEdit(region, colour, name, clause.amount) for region, (name, colour) in pairs]
        return edits
    return [StyleEdit(style, tuple(clause.regions), clause.amount) for style in clause.styles]


def _unknown(instruction: str, unknown: list[str]) -> str:
    """The one line for an instruction that is not understood."""
    words = [word for word in unknown if word]
    what = f"does not know {', '.join(repr(word) for word in dict.fromkeys(words))}" if words else "finds no edit"
    all_words = _tokens(instruction.lower())
    foreign = all_words and not any(w in FILLER or w in REGION_WORDS or w in COLOUR_WORDS for w in all_words)
    english = "write it in English; " if foreign else ""
    return (
        f"the built-in editor {what} in {instruction!r}; {english}nearest: {', '.join(nearest(instruction, words))}; "
        f"it knows {known_edits()}; {HOW_TO_FREE}"
    )


def nearest(instruction: str, unknown: list[str]) -> list[str]:
    """Up to three known things that sound like the instruction."""
    found: dict[str, None] = {}
    for word in [*" ".join(unknown).split(), *_tokens(instruction.lower())]:
        for title in RELATED.get(word, ()):
            found.setdefault(title)
        spellings = {w: style.title for style in STYLES for trigger in style.triggers for w in trigger if len(w) > 3}
        spellings |= {name: f"a region in {name}" for name in COLOUR_WORDS}
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
