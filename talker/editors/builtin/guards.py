"""What a clause's words mean together: which styles they call, and what only sounds like an edit."""

from __future__ import annotations

import re

from talker.editors.builtin.lexicon import ARTISTS, PEOPLE, any_of, words_of
from talker.editors.builtin.styles import STYLES, Style
from talker.editors.builtin.vocabulary import AGES, COLOUR_WORDS, REGION_WORDS

# Nouns that leave no doubt that a style is meant, and not the colour of the same name.
STYLE_NOUNS = words_of(
    "drawing drawn draw sketch sketched drawings art artwork paper outline outlines illustration statue statues "
    "sculpture sculptures bust sculpted carved carve carving cast casting sculpt sculptural figure figurine statuette "
    "effigy idol monument block museum metal metallic hewn chiselled chiseled forged moulded molded pedestal plinth"
)
_WHO = rf"(?:he|she|they|i|him|her|them|me|(?:the |this |that )?{any_of(PEOPLE - {'model'})})"
_PART = any_of(REGION_WORDS)
REALITY = words_of("colour coloured life real realistic reality normal")
_STYLE_WORD = any_of({word for style in STYLES for trigger in style.triggers for word in trigger})
_LIGHT = any_of({" ".join(t) for style in STYLES for t in style.triggers if style.kind == "light" and len(t) == 1})
# What leaves no doubt that the picture is to look like it, and that it is not to stand in the picture.
LOOKS = words_of(
    "look looks looking style styles styled effect effects filter filters treatment feel vibe vibes version finish "
    "texture aesthetic makeover mode theme like appear rendition lighting light lit glow atmosphere mood tint tone "
    "skin camera vision view"
)
TREATMENTS = words_of("look effect filter style treatment feel vibe")
THINGS_OF_LIGHT = words_of("candle candles sign signs tube tubes moon lights")
# One of its kind, perhaps with what it is like: "a small", "an", "another".
ARTICLE = re.compile(r"\b(?:an?|another)(?: \w+){0,3}$")
GIVEN = re.compile(
    rf"\b(?:give|hand|show|get|bring|lend|buy) (?!me |us ){_WHO} (?:an?|another|some)\b"
    r"|\b(?:add|put|place|set|insert|stand|stick|include|light|introduce|incorporate|there)(?: \w+)? (?:an?|another)\b"
    r"|\b(?:front of|against) (?:an?|another)(?: \w+){0,3}$"
    rf"|^(?!.*\b(?:draw|drawn|sketch|sketched|light|lit|paint|painted|do|done|redo|create|created|make"
    rf"|made)\b).*\b{_WHO} with "
    r"(?:an?|another)(?: \w+){0,3}$"
)
PUT_AT = re.compile(rf"\b(?:behind|(?:in|on|to|onto|over|across|around|against|at) (?:\w+ )?{_PART})\b")
MADE_BY_THEM = re.compile(
    rf"\b{_WHO} (?:(?:is|are|was|should|could|can|might|must|would|will|to|be) )*(?:draws?|drawing|paints?|painting"
    rf"|sketch(?:es|ing)?|carv(?:es?|ing)|mak(?:es?|ing)"
    r"|do(?:es|ing)?|light(?:s|ing)?|see(?:s|ing)?|shows?|showing|takes?|taking|builds?|building) (?:an?|the|some"
    r"|another|his|her|with)\b"
)
# Things in a place or in a hand, parts of the picture or of the time, what the person does, and questions.
NO_EDITS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bon(?:to)? (?:the|a|his|her) (?:wall|floor)\b|\blook(?:s|ing)? at an?\b|\b(?:oil|ice) (?:his|her|the"
        r"|their|my|him|them)\b"
        r"|\b(?:statue|sculpture|bust|painting|sign|window|figure|monument|block) behind\b",
        r"\b(?:next|close|near) to \w+|\bgood ?night\b|\b(?:is|are) coming\b",
        r"\b(?:at|on|to|from|in|near|across) the (?:very )?top\b(?! (?:she|he|they|i|behind))|\btop (?:of|half|part"
        r"|left|right|edge|corner|third)\b",
        rf"\bparts? of (?:the|his|her|their|my) (?!(?:background|backdrop)\b){_PART}\b",
        r"\b(?:at|in|near|for|towards|from|until|till) the (?:very )?(?:start|beginning|finish|last|first)\b",
        r"\bfor (?:a|one|the first|the last) (?:second|minute|moment)\b",
        r"\b(?:add|put|place|set|light|bring|stand|stick|blow out)(?: in)? (?:some |more |the |a few )?candles?\b(?! "
        r"?light)",
        rf"\b(?:second|third|another|other) {any_of(PEOPLE)}\b|\b(?:cool|cold|good|hard|bold|solid|still|bright) as "
        rf"\w+",
        r"\b(?:in|into|on|from) (?:his|her|their|my|one|the|both) hands?\b|\b(?:face|head)[- ]?swap|\bswap(?:ping)? "
        r"(?:\w+ )?faces?\b",
        r"\b(?:with|some|many|few|more) (?:\w+ ){0,2}(?:photos|photographs|paintings|statues|sculptures|drawings"
        r"|sketches|cartoons|comics)\b",
        r"(?:^|\b(?:put|place|set|move|transport|stand|sit|send|visit) (?:\w+ ){0,3})(?:in|into|to|at|inside) (?:an?"
        r"|the|some) "
        r"(?:\w+ ){0,3}(?:church|cathedral|chapel|gallery|museum|club|nightclub|classroom|villa|bath|arcade)\b",
        r"\bvisit|\b(?:hair|lip|face|skin|wall|shirt|dress|suit) (?:clips?|piece|film|works?)\b",
        r"\btak(?:e|es|en|ing) (?:\w+ ){1,3}out of the\b|\bframes? around\b",
        rf"\b(?:{any_of(COLOUR_WORDS)}|{_STYLE_WORD}) frames?\b",
        rf"\b(?:painting|picture|photo|image|drawing|sketch|portrait|mosaic) of (?:an?|the|some) (?:\w+ )?{_LIGHT}\b",
        r"\bon (?:the |a )?moon\b|\b(?:is|are|look|looks|feel|feels|be) (?:cold|freezing|frozen)(?: in\b| by\b|$)",
        r"\b(?:snow|snows|snowing|snowfall|blizzard|snowstorm)\b(?: \w+)* (?:in|on|behind|over|around|onto)\b.*"
        rf"\b(?:{_PART}|behind|front)\b|\b(?:snow|snows|snowing|blizzard|snowstorm) behind\b",
        r"^(?:is|was|are|were) (?:this|that|it|he|she|they|there) (?!(?:possible|ok|okay|able|feasible)\b)",
        r"^(?:what|who|where|why|how many|how much) (?:is|are|was|were|made|painted|drew) (?!.*\b(?:as|in|like"
        r"|wearing|behind)\b)",
    )
)  # fmt: skip


# "With a cloak", "give him a whip", "add a frame": a thing, unless the words behind name an edit or the manner of one.
_HANDED = re.compile(
    rf"\b(?:with|wearing|holding|throwing|(?:give|get|hand|add|put)(?: {_WHO})?) (?:an?|some|another) ((?:\w+ ?)+)"
)
_BEHIND_A_THING = re.compile(r"\b(?:of|in|on|over|with|for|to|from|that|which|who|as|like|behind|around|by|if)\b")
MANNERS = LOOKS | words_of(
    "touch hint bit dash splash pop shade shades colour coloured layer sense dose feeling dye hue hues wash coat kind "
    "sort way manner twist spin brush brushes knife pen pens nib pencil hand palette lot little stroke strokes line "
    "lines outline outlines coating sheen gleam shine patina glaze cast pass take grade filters overlay difference "
    "change edit makeup paint ink transformation conversion rendering interpretation rework artist artwork bunch burst "
    "flavour air head full"
)


def handed(
    tokens: list[str],
    known: frozenset[str],  # what a style explains
) -> list[str]:
    """Things that somebody should get, wear or hold, whatever else the words may mean elsewhere."""
    found = []
    for match in _HANDED.finditer(" ".join(tokens)):
        thing = _BEHIND_A_THING.split(match.group(1))[0].split()
        if thing and not (known | MANNERS | COLOUR_WORDS.keys() | REGION_WORDS.keys()) & set(thing):
            found.append(" ".join(thing))
    return found


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
    if style.kind == "picture" and (
        words & TREATMENTS or re.search(r"\bface (?:\w+ )*(?:in|with) \w+$", " ".join(tokens))
    ):
        return False
    before_a_part = all(following in REGION_WORDS for word, following in zip(tokens, tokens[1:]) if word in seen)
    return seen <= COLOUR_WORDS.keys() and (before_a_part or not (words & STYLE_NOUNS))


BY_ARTISTS = words_of("by if though that something everything have had get let when because")


def targets(tokens: list[str]) -> list[str]:
    """What the person should turn into, as in "an old man": not a subject to be skipped."""
    found = []
    for position, word in enumerate(tokens):
        if word in AGES and tokens[position + 1 : position + 2] and tokens[position + 1] in PEOPLE:
            found.append(f"{word} {tokens[position + 1]}")
        if word not in ("a", "an") or (position and tokens[position - 1] in ("of", "than")):
            continue
        if tokens[position + 1 : position + 2] and tokens[position + 1] in ARTISTS:
            agent = position and tokens[position - 1] in BY_ARTISTS
            found += [] if agent else [f"{word} {tokens[position + 1]}"]
        for end in range(position + 1, min(position + 4, len(tokens))):
            if tokens[end] in PEOPLE and tokens[end] not in ("head", "character", "subject", "one"):
                between = tokens[position + 1 : end]
                made_of = tokens[end + 1 : end + 3] == ["made", "of"] or set(tokens[end + 1 : end + 2]) & {
                    "would",
                    "does",
                }
                if not made_of and not any(frozenset({w}) in style.triggers for w in between for style in STYLES):
                    found.append(" ".join(tokens[position + 1 : end + 1]))
                break
    return found


def no_edit(tokens: list[str]) -> list[str]:
    """Words that together say something that no edit here can do."""
    said = " ".join(tokens)
    return [found.group() for pattern in NO_EDITS if (found := pattern.search(said))]


def placed(tokens: list[str], said_styles: list[int], styles: list[Style]) -> list[str]:
    """A style that is a thing: given, held, made by the person, or put somewhere, as in "a mosaic behind her"."""
    first, last = min(said_styles), max(said_styles)
    if tokens[last + 1 : last + 2] == ["behind"]:
        return [" ".join(tokens[first : last + 2])]
    look = any(word in LOOKS for word in tokens[first:]) or any(
        word in REGION_WORDS for word in tokens[last + 1 : last + 2]
    )
    if look or all(style.kind == "light" and not THINGS_OF_LIGHT & set(tokens) for style in styles):
        return []
    before, named, behind = " ".join(tokens[:first]), " ".join(tokens[first : last + 1]), " ".join(tokens[last + 1 :])
    thing = ARTICLE.search(before) is not None
    if (thing and (GIVEN.search(before) or PUT_AT.search(behind))) or MADE_BY_THEM.search(f"{before} {named}"):
        return [f"{before} {named} {behind}".strip()]
    return []


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
    if pivot is None or any(k > pivot for k in said_styles):
        return []
    if tokens[pivot] == "into" or REALITY & set(tokens[pivot:]):
        return [" ".join(tokens[pivot:])]
    return []
