"""From an instruction to clauses: what is named in each, with every word accounted for.

A clause names styles, regions and colours. Words directly before a colour say which one it is ("jet black"); what
stands before "into" or "to" describes what is there now ("change the red shirt to blue").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from talker.editors.builtin import guards
from talker.editors.builtin.idioms import KEEP_BACKGROUND, KEEP_PERSON, KEEP_REST, ONLY_PERSON
from talker.editors.builtin.lexicon import means_nothing, words_of
from talker.editors.builtin.phrases import PERCENT, YEAR, clauses_of
from talker.editors.builtin.styles import STYLES, Style
from talker.editors.builtin.vocabulary import (
    AMOUNTS,
    COLOUR_WORDS,
    COLOURS,
    FINER_COLOURS,
    HAIR_COLOUR_NOUNS,
    PALETTE,
    REGION_VERBS,
    REGION_WORDS,
    SHADES,
    TINTS,
    Colour,
)

LIMITS = (KEEP_BACKGROUND, KEEP_PERSON, KEEP_REST, ONLY_PERSON)
SWAPS = words_of("replace swap exchange")
OF_THE_FACE = re.compile(r"\bof (?:his |her |the |their |a )?face\b")

# A colour as it is said: where, which word, how much darker (below 1) or lighter.
Said = tuple[int, str, float]


@dataclass
class Clause:
    """What one clause says, before regions and colours are paired."""

    styles: list[Style] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    colours: list[tuple[str, Colour]] = field(default_factory=list)
    named: frozenset[str] = frozenset()  # the words that call the styles
    unknown: list[str] = field(default_factory=list)
    amount: float = 1.0
    region_first: bool = False  # "his hair blue", not "blue hair"
    person_only: bool = False
    background_only: bool = False
    regions_only: bool = False

    @property
    def empty(self) -> bool:
        return not (self.styles or self.regions or self.colours)


def read_clauses(instruction: str) -> list[Clause]:
    """The clauses of an instruction, in order."""
    spoken = clauses_of(instruction)
    # "Cold and snowy": a clause without a style of its own may speak of the style beside it.
    alone = [_Reader(words, frozenset()).read() for words in spoken]
    beside = frozenset().union(*(style.companions for clause in alone for style in clause.styles))
    clauses = [_Reader(words, beside).read() for words in spoken]
    for clause in clauses:
        clause.styles = [style for style in clause.styles if not _said_better(style, clause, clauses)]
    return clauses


def _said_better(style: Style, clause: Clause, clauses: list[Clause]) -> bool:
    """Whether another clause's style explains this one: "in thick oils, like Van Gogh"."""
    if clause.regions or clause.colours:
        return False
    others = [(other, one) for other in clauses if other is not clause and not other.regions for one in other.styles]
    return any(
        one is not style
        and clause.named <= one.companions
        and (one.kind == style.kind or style.name == "black_and_white")
        and not (other.named <= style.companions and STYLES.index(style) < STYLES.index(one))
        for other, one in others
    )


class _Reader:
    """Reads one clause, word by word."""

    def __init__(self, words: list[str], beside: frozenset[str]) -> None:
        self.clause = Clause(
            person_only=KEEP_BACKGROUND in words or ONLY_PERSON in words,
            background_only=KEEP_PERSON in words,
            regions_only=KEEP_REST in words,
        )
        self.tokens = tokens = [word for word in words if word not in LIMITS]
        self.has_part = any(word in REGION_WORDS for word in tokens)
        self.placed = self.has_part or any(word in REGION_VERBS for word in tokens)
        self.tints = _tints(tokens) if self.placed or HAIR_COLOUR_NOUNS.keys() & set(tokens) else frozenset()
        said = frozenset("bygone" if YEAR.fullmatch(w) else w for k, w in enumerate(tokens) if k not in self.tints)
        styles = guards.styles_in(said)
        if self.placed:
            styles = [style for style in styles if not guards.is_only_a_colour(style, said, tokens)]
        self.clause.styles = styles
        self.named = frozenset().union(*(guards.words_seen(style, said) for style in styles))
        self.clause.named = self.named
        own = frozenset().union(*(style.companions.union(*style.triggers) for style in styles))
        self.companions = own if styles else beside
        self.colours: list[Said] = []
        self.shade = 1.0
        self.first_region: int | None = None

    def read(self) -> Clause:
        clause, tokens = self.clause, self.tokens
        clause.unknown += guards.targets(tokens) + guards.no_edit(tokens)
        clause.unknown += guards.handed(tokens, self.named | self.companions)
        for position, word in enumerate(tokens):
            self._hear(position, word)
        pivot = _pivot(tokens)
        said_styles = [k for k, word in enumerate(tokens) if word in self.named]
        colours = self._goals(said_styles, pivot)
        if colours or any(style.kind != "statue" for style in clause.styles):
            clause.unknown += guards.things(tokens, said_styles, bool(colours))
        if clause.styles and not colours:
            clause.unknown += guards.loose_ends(tokens, said_styles)
            clause.unknown += guards.left_behind(tokens, said_styles, pivot)
            clause.unknown += guards.placed(tokens, said_styles, clause.styles)
        clause.colours = [_colour(word, shade, clause.regions) for _, word, shade in colours]
        first_said = min([position for position, _, _ in colours] + said_styles, default=-1)
        clause.region_first = self.first_region is None or self.first_region < first_said
        return clause

    def _hear(self, position: int, word: str) -> None:
        clause = self.clause
        if word in REGION_WORDS:
            self._region(position, word)
        elif word in REGION_VERBS and not self.has_part:
            self.first_region = position if self.first_region is None else self.first_region
            clause.regions.append(REGION_VERBS[word])
        elif word in HAIR_COLOUR_NOUNS and not self.has_part:
            clause.regions.append("hair")
            self.colours.append((position, HAIR_COLOUR_NOUNS[word], self.shade))
        elif position in self.tints:
            self.shade = SHADES.get(word, self.shade)
        elif word in SHADES and _leads_to_colour(self.tokens, position + 1):
            self.shade = SHADES[word]
        elif (word in COLOUR_WORDS or word.startswith("#")) and not self._adorns(position, word):
            self.colours.append((position, word, self.shade))
            self.shade = 1.0
        elif (word in AMOUNTS and word not in self.companions) or PERCENT.fullmatch(word):
            amount = AMOUNTS.get(word) or int(word.removeprefix("amount")) / 100.0
            if 0.0 < amount <= 1.0:
                clause.amount = amount
            else:
                clause.unknown.append(f"{amount:.0%}")
        elif not (word in self.companions or word in REGION_VERBS or means_nothing(word) or self._dates(word)):
            clause.unknown.append(word)

    def _dates(self, word: str) -> bool:
        """Whether it says of what year a style is."""
        return bool(self.clause.styles) and YEAR.fullmatch(word) is not None

    def _region(self, position: int, word: str) -> None:
        region, regions = REGION_WORDS[word], self.clause.regions
        if region == "face" and OF_THE_FACE.search(" ".join(self.tokens)):
            return  # a drawing of her face is a drawing of her
        if word == "room" and self.clause.styles:
            return  # the scene, and not its wall
        self.first_region = position if self.first_region is None else self.first_region
        if region not in regions:
            regions.append(region)

    def _adorns(self, position: int, word: str) -> bool:
        """Whether a colour word only adorns a style: "a white marble statue"."""
        beside_it = frozenset(self.tokens[position + 1 : position + 2]) & (self.named | guards.STYLE_NOUNS)
        return word in self.named or (word in self.companions and (not self.placed or bool(beside_it)))

    def _goals(self, said_styles: list[int], pivot: int | None) -> list[Said]:
        """The colours that something should get, without those of what is there now."""
        colours = _heads(self.colours)
        behind = [colour for colour in colours if pivot is not None and colour[0] > pivot]
        colours = behind or colours
        if len(colours) == 2 and len(self.clause.regions) == 1:
            between = self.first_region is not None and colours[0][0] < self.first_region < colours[1][0]
            colours = colours[1:] if between else colours  # "turn the white wall black"
        if pivot is not None and any(k > pivot for k in said_styles) and not behind:
            return []  # "turn the blue wall into a mosaic"
        return colours


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


def _pivot(tokens: list[str]) -> int | None:
    """Where the goal begins: behind "into" or "to", or behind "with" where something is replaced."""
    words = {"into", "to"} | ({"with", "for", "by"} if SWAPS & set(tokens) else set())
    return max((position for position, word in enumerate(tokens) if word in words), default=None)


def _heads(colours: list[Said]) -> list[Said]:
    """Neighbouring colour words as one: "navy blue", "golden brown", "silver grey", "#3366ff blue"."""
    kept: list[Said] = []
    for position, word, shade in colours:
        if kept and kept[-1][0] == position - 1 and not word.startswith("#"):
            _, before, before_shade = kept[-1]
            exact = before.startswith("#") or before in FINER_COLOURS or before in ("navy", "turquoise")
            finer = exact or COLOUR_WORDS.get(before) == COLOUR_WORDS[word]
            if finer or before not in COLOURS or (before, word) in (("silver", "grey"), ("gold", "blonde")):
                kept[-1] = (position, before if finer else word, min(before_shade, shade))
                continue
        kept.append((position, word, shade))
    return kept


def _colour(word: str, shade: float, regions: list[str]) -> tuple[str, Colour]:
    if word.startswith("#"):
        return word, tuple(int(word[k : k + 2], 16) / 255.0 for k in (1, 3, 5))
    name = "blonde" if word == "golden" and regions == ["hair"] else COLOUR_WORDS[word]
    base = PALETTE[name]
    if shade < 1.0:
        return f"dark {name}", tuple(c * shade for c in base)
    if shade > 1.0:
        return f"light {name}", tuple(c + (1.0 - c) * (shade - 1.0) for c in base)
    return name, base
