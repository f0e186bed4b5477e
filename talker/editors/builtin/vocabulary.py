"""The words of the built-in editor: regions, colours, amounts, and what may stand in any clause.

A word that neither an entry here nor a style accounts for makes an instruction unknown: the parser never guesses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from talker.editors.builtin import colour
from talker.editors.builtin.lexicon import words_of
from talker.editors.builtin.picture import Picture
from talker.editors.builtin.styles import STYLES

Colour = tuple[float, float, float]

REGION_OPERATORS: dict[str, Callable[[Picture, Colour], np.ndarray]] = {
    "hair": colour.dye_hair,
    "skin": colour.paint_skin,
    "lips": colour.paint_lips,
    "clothes": colour.dye_clothes,
    "background": colour.change_background,
}

REGION_WORDS: dict[str, str] = {
    **dict.fromkeys(words_of("hair haircut hairs hairdo hairstyle haired locks tresses mane barnet"), "hair"),
    **dict.fromkeys(words_of("skin complexion skinned"), "skin"),
    **dict.fromkeys(words_of("face faced visage"), "face"),
    "whole-head": "head",
    **dict.fromkeys(words_of("lips lipstick lip mouth lippy"), "lips"),
    **dict.fromkeys(
        words_of(
            "clothes clothing shirt jacket suit sweater jumper dress outfit tshirt tee blouse coat hoodie top garment "
            "garments attire cardigan pullover sweatshirt blazer waistcoat polo jersey fleece overcoat gown robe "
            "costume wardrobe apparel frock ensemble getup uniform turtleneck hoody vest tunic knitwear tracksuit "
            "parka"
        ),
        "clothes",
    ),
    **dict.fromkeys(words_of("background backdrop wall backgrounds surroundings room behind backcloth"), "background"),
}
# Verbs that already say which region a colour is for.
REGION_VERBS = {"dye": "hair", "wearing": "clothes", "wear": "clothes", "wears": "clothes", "dressed": "clothes"}
HAIR_COLOUR_NOUNS = {
    **{"blonde": "blonde", "blond": "blonde", "brunette": "brown", "redhead": "auburn"},
    **{"redheaded": "auburn", "ginger": "auburn"},
}

COLOURS: dict[str, Colour] = {
    "red": (0.72, 0.10, 0.09),
    "orange": (0.96, 0.50, 0.10),
    "yellow": (0.95, 0.83, 0.18),
    "gold": (0.83, 0.62, 0.16),
    "blonde": (0.86, 0.74, 0.52),
    "green": (0.26, 0.52, 0.26),
    "turquoise": (0.15, 0.68, 0.66),
    "blue": (0.14, 0.34, 0.80),
    "navy": (0.08, 0.13, 0.36),
    "purple": (0.47, 0.18, 0.66),
    "pink": (0.95, 0.49, 0.66),
    "white": (0.93, 0.93, 0.93),
    "silver": (0.70, 0.72, 0.75),
    "grey": (0.50, 0.50, 0.51),
    "black": (0.065, 0.06, 0.07),
    "brown": (0.36, 0.21, 0.12),
    "auburn": (0.50, 0.17, 0.08),
    "beige": (0.85, 0.76, 0.62),
}
# Colours with names of their own that need not all be told of.
FINER_COLOURS: dict[str, Colour] = {
    "crimson": (0.63, 0.05, 0.14),
    "scarlet": (0.80, 0.12, 0.05),
    "burgundy": (0.40, 0.05, 0.13),
    "copper": (0.66, 0.36, 0.19),
    "chestnut": (0.42, 0.21, 0.14),
    "emerald": (0.08, 0.55, 0.36),
    "lime": (0.60, 0.82, 0.16),
    "olive": (0.42, 0.42, 0.16),
    "mint": (0.62, 0.87, 0.73),
    "teal": (0.05, 0.47, 0.48),
    "violet": (0.42, 0.26, 0.82),
    "lavender": (0.72, 0.64, 0.88),
    "magenta": (0.80, 0.12, 0.58),
    "cream": (0.95, 0.91, 0.80),
    "mustard": (0.82, 0.62, 0.12),
    "coral": (0.96, 0.44, 0.36),
    "peach": (0.98, 0.74, 0.58),
    "rust": (0.63, 0.25, 0.08),
    "amber": (0.92, 0.60, 0.10),
}
PALETTE = COLOURS | FINER_COLOURS
COLOUR_WORDS: dict[str, str] = {
    **{name: name for name in PALETTE},
    **dict.fromkeys(words_of("ruby vermilion cherry reddish vermillion"), "red"),
    **dict.fromkeys(words_of("maroon claret"), "burgundy"),
    **dict.fromkeys(words_of("blond platinum"), "blonde"),
    **dict.fromkeys(words_of("golden"), "gold"),
    **dict.fromkeys(words_of("ginger"), "auburn"),
    **dict.fromkeys(words_of("coppery"), "copper"),
    **dict.fromkeys(words_of("brunette chocolate brownish"), "brown"),
    **dict.fromkeys(words_of("jade"), "emerald"),
    **dict.fromkeys(words_of("greenish"), "green"),
    **dict.fromkeys(words_of("cyan aqua aquamarine"), "turquoise"),
    **dict.fromkeys(words_of("azure cobalt sapphire bluish indigo ultramarine"), "blue"),
    **dict.fromkeys(words_of("plum purplish aubergine"), "purple"),
    **dict.fromkeys(words_of("lilac mauve periwinkle"), "lavender"),
    **dict.fromkeys(words_of("fuchsia cerise"), "magenta"),
    **dict.fromkeys(words_of("rose salmon pinkish"), "pink"),
    **dict.fromkeys(words_of("ivory"), "cream"),
    **dict.fromkeys(words_of("tan sand khaki sandy"), "beige"),
    **dict.fromkeys(words_of("ebony onyx"), "black"),
    **dict.fromkeys(words_of("lemon yellowish"), "yellow"),
    **dict.fromkeys(words_of("tangerine"), "orange"),
    **dict.fromkeys(words_of("charcoal greyish"), "grey"),
}
# (factor towards black below 1, towards white above 1)
SHADES = {
    **{"dark": 0.6, "darker": 0.6, "deep": 0.7, "midnight": 0.6},
    **{"light": 1.4, "lighter": 1.4, "pale": 1.55, "pastel": 1.55},
}
# "Snow white", "jet black", "hot pink": directly before a colour these say which one, near enough.
TINTS = words_of(
    "sky royal baby hot jet snow blood fire engine burnt brick wine sea ocean forest canary ice coal steel slate ash "
    "strawberry honey dusty electric powder bottle grass raven pitch neon chalk stone wood bronze brilliant shocking"
)
AMOUNTS = {
    **dict.fromkeys(
        words_of(
            "slightly slight subtle subtly lightly gently gentle mild mildly partly partially somewhat moderate "
            "moderately weak weakly understated restrained muted low-key lowkey sparingly discreet discreetly "
            "delicately minimal minimally marginally modest modestly light-handed"
        ),
        0.5,
    ),
    **dict.fromkeys(words_of("faint faintly barely"), 0.4),
}

# Before a person these ask for another person, which no edit here can make.
AGES = words_of("old older elderly aged young younger ancient bald fat thin little small big tall")

_PAINTINGS = ("oil painting", "Van Gogh painting", "watercolour")
_STATUES = ("bronze statue", "marble statue", "silver statue")
# Things people ask for that sound like something here, and what to point them to.
RELATED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        words_of(
            "painting painted monet munch rembrandt picasso fauvism fauvist impressionist impressionism expressionist "
            "cubist cubism klimt vermeer painter acrylic da vinci leonardo renaissance baroque fresco surrealist dali"
        ),
        _PAINTINGS,
    ),
    **dict.fromkeys(
        words_of("drawing manga anime sketchy disney pixar illustration doodle simpsons ghibli"),
        ("pencil sketch", "ink drawing", "cartoon"),
    ),
    **dict.fromkeys(words_of("crayon crayons pastel"), ("pastel drawing", "chalk drawing")),
    **dict.fromkeys(words_of("old older elderly aged aging young younger age vintage retro"), ("old photo",)),
    **dict.fromkeys(
        words_of("statue sculpture iron copper steel robot metal metallic brass titanium android"), _STATUES
    ),
    **dict.fromkeys(words_of("glass crystal diamond"), ("ice sculpture", "stained glass")),
    **dict.fromkeys(words_of("terracotta porcelain ceramic wax lego plastic"), ("clay figure", "marble statue")),
    **dict.fromkeys(
        words_of("zombie hulk shrek alien vampire ghost devil smurf elf joker clown avatar"), ("a colour of the skin",)
    ),
    **dict.fromkeys(words_of("beard mohawk bald curly braids wig moustache"), ("a colour of the hair",)),
    **dict.fromkeys(
        words_of("beach forest city mountains space sea park street office jungle desert"),
        ("a colour of the background", "sunset light", "winter light"),
    ),
    **dict.fromkeys(
        words_of("summer autumn fall spring rain rainy storm fog sunny morning dawn sunrise twilight"),
        ("winter light", "sunset light", "night light"),
    ),
    **dict.fromkeys(words_of("dark moody"), ("night light", "candlelight")),
    **dict.fromkeys(words_of("xray x-ray radar"), ("thermal camera", "night vision")),
    **dict.fromkeys(words_of("pixel pixelated minecraft"), ("mosaic",)),
}

# Small words of other languages that are none in English.
FOREIGN = words_of(
    "der das ein eine einen einer einem mit und ihn ihm ihr sie zu zum zur mach mache machen soll wie ist nicht haare "
    "verwandle verwandeln bitte als le la les un une des du avec et dans lui en fais faire fait rends rendre cheveux "
    "transforme transformer el las una haz hazlo convierte pelo cabello fondo che il gli"
    "como di del della fallo trasforma rendi capelli sfondo um uma com para fa\u00e7a transforme cabelo het een "
    "maak haar zijn"
)


def known_edits() -> tuple[tuple[str, str], ...]:
    """Everything that the editor can do: kinds of things, and their names."""
    *regions, last = REGION_OPERATORS
    return (
        ("styles", ", ".join(style.title for style in STYLES)),
        ("colours", f"{', '.join(COLOURS)} or #rrggbb, for {', '.join(regions)} or {last}"),
    )
