"""From an instruction to clauses: what is named in each, with every word accounted for.

Text falls into clauses at "and", commas, "then" and the like; a clause names styles, regions and colours. Words
directly before a colour say which one it is ("jet black"); what stands before "into" or "to" describes what is
there now ("change the red shirt to blue").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from talker.pdu.builtin.styles import DRAWING, STATUE, STYLES, Style, words_of
from talker.pdu.builtin.vocabulary import (
    AGES,
    AMOUNTS,
    COLOUR_WORDS,
    COLOURS,
    FILLER,
    HAIR_COLOUR_NOUNS,
    PEOPLE,
    REGION_VERBS,
    REGION_WORDS,
    SHADES,
    TINTS,
    VIVID,
    Colour,
)

SEPARATORS = re.compile(
    r"\s*(?:[,;.!?:()&+\n]+|\s-+\s|\b(?:and|then|plus|while|but|as well as|along with|together with)\b)\s*"
)
YEAR = re.compile(r"1[89]\d\d'?s?|\d\dth")
PERCENT = re.compile(r"amount(\d+)")
MEANINGLESS = FILLER | PEOPLE | VIVID | frozenset(REGION_VERBS)
TRIGGER_WORDS = frozenset().union(*(trigger for style in STYLES for trigger in style.triggers if len(trigger) == 1))
SWAPS = words_of("replace swap exchange")
KEEP_BACKGROUND, ONLY_PERSON, BLACK_AND_WHITE = "keepbackground", "onlyperson", "blackandwhite"
# Nouns that leave no doubt that a style is meant, and not the colour of the same name.
STYLE_NOUNS = words_of(DRAWING + " " + STATUE) - words_of("made out solid line lines")

_BACKGROUND = r"(?:the |his |her |their )?(?:background|backdrop)(?: behind \w+)?"
# (what is said, the one way to say it)
PHRASES = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        ("\u2019", "'"),
        (r"(?<=\w)'(?:s|d|m|ll|re|ve)\b", ""),
        (r"color", "colour"),
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


@dataclass
class Clause:
    """What one clause says, before regions and colours are paired."""

    styles: list[Style] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    colours: list[tuple[str, Colour]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    amount: float = 1.0
    region_first: bool = False  # "his hair blue", not "blue hair"
    person_only: bool = False

    @property
    def empty(self) -> bool:
        return not (self.styles or self.regions or self.colours)


def read_clauses(instruction: str) -> list[Clause]:
    """The clauses of an instruction, in order."""
    texts = [part for part in SEPARATORS.split(plain_text(instruction)) if part.strip()]
    spoken = [tokens_of(text) for text in texts]
    # "Cold and snowy": a clause without a style of its own may speak of the style beside it.
    first = [_read(words, frozenset()) for words in spoken]
    beside = frozenset().union(*(style.companions for clause in first for style in clause.styles))
    return [_read(words, beside) for words in spoken]


def plain_text(instruction: str) -> str:
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


def _read(tokens: list[str], beside: frozenset[str]) -> Clause:
    clause = Clause(person_only=KEEP_BACKGROUND in tokens or ONLY_PERSON in tokens)
    tokens = [word for word in tokens if word not in (KEEP_BACKGROUND, ONLY_PERSON)]
    clause.unknown += _targets(tokens) + _hung_on_walls(tokens)
    placed = any(word in REGION_WORDS or word in REGION_VERBS for word in tokens)
    tints = _tints(tokens) if placed or any(word in HAIR_COLOUR_NOUNS for word in tokens) else frozenset()
    words = frozenset("bygone" if YEAR.fullmatch(w) else w for k, w in enumerate(tokens) if k not in tints)
    clause.styles = [style for style in styles_in(words) if not (placed and _only_a_colour(style, words, tokens))]
    own = frozenset().union(*(style.companions | frozenset().union(*style.triggers) for style in clause.styles))
    companions = own if clause.styles else beside
    named = frozenset().union(*(_seen(style, words) for style in clause.styles))

    def adorns(position: int, word: str) -> bool:
        """Whether a colour word only adorns a style: "a white marble statue"."""
        beside_it = frozenset(tokens[position + 1 : position + 2]) & (named | STYLE_NOUNS)
        return word in named or (word in companions and (not placed or bool(beside_it)))

    pivot, backward = _pivot(tokens)
    colours: list[tuple[int, str, float]] = []  # position, word, shade
    first_region, shade = None, 1.0
    subject_face = re.search(r"\bof (?:his |her |the |their |a )?face\b", " ".join(tokens)) is not None
    for position, word in enumerate(tokens):
        if word in REGION_WORDS:
            region = REGION_WORDS[word]
            if (region == "face" and subject_face) or (word == "room" and clause.styles):  # a scene, not a wall
                continue
            first_region = position if first_region is None else first_region
            if region not in clause.regions:
                clause.regions.append(region)
        elif word in REGION_VERBS and not any(w in REGION_WORDS for w in tokens):
            first_region = position if first_region is None else first_region
            clause.regions.append(REGION_VERBS[word])
        elif word in HAIR_COLOUR_NOUNS and not any(w in REGION_WORDS for w in tokens):
            clause.regions.append("hair")
            colours.append((position, HAIR_COLOUR_NOUNS[word], shade))
        elif position in tints:
            shade = SHADES.get(word, shade)
        elif word in SHADES and tokens[position + 1 : position + 2] and _leads_to_colour(tokens, position + 1):
            shade = SHADES[word]
        elif (word in COLOUR_WORDS or word.startswith("#")) and not adorns(position, word):
            colours.append((position, word, shade))
            shade = 1.0
        elif word in AMOUNTS or PERCENT.fullmatch(word):
            amount = AMOUNTS.get(word) or int(word[len("amount") :]) / 100.0
            if 0.0 < amount <= 1.0:
                clause.amount = amount
            else:
                clause.unknown.append(f"{amount:.0%}")
        elif not (word in companions or word in MEANINGLESS or (clause.styles and YEAR.fullmatch(word))):
            clause.unknown.append(word)
    colours = _said_of_the_goal(_heads(colours), pivot, backward)
    if len(colours) == 2 and len(clause.regions) == 1 and colours[0][0] < (first_region or 0) < colours[1][0]:
        colours = colours[1:]  # "turn the white wall black"
    said_styles = [k for k, word in enumerate(tokens) if word in named]
    if pivot is not None and any(k > pivot for k in said_styles) and all(k < pivot for k, _, _ in colours):
        colours = []  # "turn the blue wall into a mosaic"
    if colours or any(style.kind != "statue" for style in clause.styles):
        clause.unknown += _things(tokens, said_styles, bool(colours))
    if clause.styles and not colours:
        clause.unknown += _loose_ends(tokens, said_styles)
    clause.colours = [_colour(word, factor, clause.regions) for _, word, factor in colours]
    first_said = min([position for position, _, _ in colours] + said_styles, default=None)
    clause.region_first = first_region is None or (first_said is not None and first_region < first_said)
    if clause.styles and not clause.colours and _were_there_before(clause, tokens, pivot):
        clause.unknown.append(" ".join(tokens[pivot:]))
    return clause


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
                made_of = tokens[end + 1 : end + 3] == ["made", "of"]
                if not made_of and not any(frozenset({w}) in style.triggers for w in between for style in STYLES):
                    found.append(" ".join(tokens[position + 1 : end + 1]))
                break
    return found


def _hung_on_walls(tokens: list[str]) -> list[str]:
    """An oil painting on the wall is a thing in the room, and no edit of the room."""
    said = " ".join(tokens)
    hung = re.search(r"\bon (?:the|a|his|her) wall\b|\b(?:statue|sculpture|bust|painting) behind\b", said)
    return [hung.group()] if hung else []


def _things(tokens: list[str], said_styles: list[int], coloured: bool) -> list[str]:
    """A style's word directly before a part names another thing: a winter coat, a comic shirt, the wooden wall."""
    named = [k for k in said_styles if tokens[k + 1 : k + 2] and tokens[k + 1] in REGION_WORDS]
    return [" ".join(tokens[k : k + 2]) for k in named if coloured or REGION_WORDS[tokens[k + 1]] != "background"]


def _loose_ends(tokens: list[str], said_styles: list[int]) -> list[str]:
    """Parts that stand beside a style without a word of what they should become: "a sketch against a wall"."""
    first = min(said_styles)
    parts = [k for k, word in enumerate(tokens) if k > first and word in REGION_WORDS]
    return [" ".join(tokens[first : k + 1]) for k in parts if {"with", "against", "front"} & set(tokens[first:k])][:1]


def _leads_to_colour(tokens: list[str], position: int) -> bool:
    """Whether a colour stands here, perhaps behind words that only say which."""
    while (
        position < len(tokens) and tokens[position] not in COLOUR_WORDS and tokens[position] in (TINTS | SHADES.keys())
    ):
        position += 1
    return position < len(tokens) and tokens[position] in COLOUR_WORDS


def _tints(tokens: list[str]) -> frozenset[int]:
    """Where words stand that only say which colour follows."""
    return frozenset(
        k for k, word in enumerate(tokens)
        if (word in TINTS or word in SHADES) and _leads_to_colour(tokens, k + 1)
    )  # fmt: skip


def _pivot(tokens: list[str]) -> tuple[int | None, bool]:
    """Where the goal begins: behind "into" or "to", or behind "with" where something is replaced."""
    words = {"into", "to"} | ({"with", "for", "by"} if SWAPS & set(tokens) else set())
    found = [position for position, word in enumerate(tokens) if word in words]
    return (found[-1] if found else None), "from" in tokens


def _heads(colours: list[tuple[int, str, float]]) -> list[tuple[int, str, float]]:
    """Neighbouring colour words as one: "navy blue", "golden brown", "silver grey"."""
    kept: list[tuple[int, str, float]] = []
    for position, word, shade in colours:
        if kept and kept[-1][0] == position - 1 and not word.startswith("#"):
            _, before, before_shade = kept[-1]
            finer = before in ("navy", "turquoise", "teal") or COLOUR_WORDS.get(before) == COLOUR_WORDS[word]
            if finer or before not in COLOURS or (before, word) in (("silver", "grey"), ("gold", "blonde")):
                kept[-1] = (position, before if finer else word, min(before_shade, shade))
                continue
        kept.append((position, word, shade))
    return kept


def _said_of_the_goal(
    colours: list[tuple[int, str, float]], pivot: int | None, backward: bool
) -> list[tuple[int, str, float]]:
    """Without the colours of what is there now, where a goal is named behind the pivot."""
    goal = [colour for colour in colours if pivot is not None and colour[0] > pivot]
    return goal if goal and (backward or len(goal) < len(colours)) else colours


def _were_there_before(clause: Clause, tokens: list[str], pivot: int | None) -> bool:
    """Whether the style stands only before "into": turned from, not turned to ("turn night into day")."""
    if pivot is None or tokens[pivot] != "into":
        return False
    behind = frozenset(tokens[pivot:])
    triggers = [t & frozenset(tokens) for s in clause.styles for t in s.triggers if t <= frozenset(tokens)]
    return not any(trigger & behind for trigger in triggers)


def styles_in(words: frozenset[str]) -> list[Style]:
    """Styles whose trigger stands in the clause; one that another's companions explain gives way to it."""
    hits = [style for style in STYLES if any(trigger <= words for trigger in style.triggers)]
    kept = []
    for style in hits:
        others = [other for other in hits if other is not style and _seen(style, words) <= other.companions]
        if not any(not _explains(style, other, words) for other in others):
            kept.append(style)
    return kept


def _seen(style: Style, words: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*(trigger for trigger in style.triggers if trigger <= words))


def _explains(style: Style, other: Style, words: frozenset[str]) -> bool:
    """Whether `style` explains away `other` too, and comes first in the vocabulary: then it is the one to stay."""
    return _seen(other, words) <= style.companions and STYLES.index(style) < STYLES.index(other)


def _only_a_colour(style: Style, words: frozenset[str], tokens: list[str]) -> bool:
    """Whether "charcoal" or "gold" is a part's colour: no noun says that the style is meant, or the part follows."""
    seen = _seen(style, words)
    before_a_part = all(following in REGION_WORDS for word, following in zip(tokens, tokens[1:]) if word in seen)
    return seen <= COLOUR_WORDS.keys() and (before_a_part or not (words & STYLE_NOUNS))


def _colour(word: str, shade: float, regions: list[str]) -> tuple[str, Colour]:
    if word.startswith("#"):
        return word, tuple(int(word[k : k + 2], 16) / 255.0 for k in (1, 3, 5))
    name = "blonde" if word == "golden" and regions == ["hair"] else COLOUR_WORDS[word]
    base = COLOURS[name]
    if shade < 1.0:
        return f"dark {name}", tuple(c * shade for c in base)
    if shade > 1.0:
        return f"light {name}", tuple(c + (1.0 - c) * (shade - 1.0) for c in base)
    return name, base
