"""What the built-in editor knows: styles, regions, colours, and the words that may surround them.

A new edit is one entry here and one operator. `triggers` are sets of words that must all stand in a clause;
`companions` are words that mean nothing beside the style ("swirling strokes" beside Van Gogh). A word that no
entry accounts for makes the instruction unknown: the parser never guesses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from talker.pdu.builtin import colour
from talker.pdu.builtin.picture import Picture
from talker.pdu.builtin.styles import STYLES, words_of

Colour = tuple[float, float, float]

REGION_OPERATORS: dict[str, Callable[[Picture, Colour], np.ndarray]] = {
    "hair": colour.dye_hair,
    "skin": colour.paint_skin,
    "lips": colour.paint_lips,
    "clothes": colour.dye_clothes,
    "background": colour.change_background,
}

REGION_WORDS: dict[str, str] = {
    **dict.fromkeys(("hair", "haircut", "hairs", "hairdo", "hairstyle"), "hair"),
    **dict.fromkeys(("skin", "complexion", "skinned"), "skin"),
    **dict.fromkeys(("face", "faced"), "face"),
    **dict.fromkeys(("lips", "lipstick", "lip"), "lips"),
    **dict.fromkeys(
        ("clothes", "clothing", "shirt", "jacket", "suit", "sweater", "jumper", "dress", "outfit", "tshirt"), "clothes"
    ),
    **dict.fromkeys(("background", "backdrop", "wall", "backgrounds"), "background"),
}
# Verbs that already say which region a colour is for.
REGION_VERBS = {"dye": "hair"}
HAIR_COLOUR_NOUNS = {"blonde": "blonde", "brunette": "brown", "redhead": "auburn"}

COLOURS: dict[str, Colour] = {
    "red": (0.72, 0.10, 0.09),
    "orange": (0.96, 0.50, 0.10),
    "yellow": (0.95, 0.83, 0.18),
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
COLOUR_WORDS: dict[str, str] = {
    **{name: name for name in COLOURS},
    **{"blond": "blonde", "golden": "blonde", "platinum": "blonde", "ginger": "auburn", "brunette": "brown"},
    **{"crimson": "red", "scarlet": "red", "ruby": "red", "emerald": "green", "lime": "green", "olive": "green"},
    **{"teal": "turquoise", "cyan": "turquoise", "aqua": "turquoise", "azure": "blue", "cobalt": "blue"},
    **{"violet": "purple", "lilac": "purple", "magenta": "pink", "rose": "pink", "chestnut": "brown"},
    **{"cream": "beige", "ivory": "beige", "ebony": "black", "gold": "blonde"},
}
# (factor towards black below 1, towards white above 1)
SHADES = {"dark": 0.6, "darker": 0.6, "deep": 0.7, "light": 1.4, "lighter": 1.4, "pale": 1.55, "pastel": 1.55}
VIVID = words_of(
    "bright vivid vibrant intense strong rich pure plain solid neon natural completely all fully totally very"
)
AMOUNTS = {"slightly": 0.5, "subtle": 0.5, "subtly": 0.5, "lightly": 0.5, "gently": 0.5, "faint": 0.4, "bit": 0.5}

# Before a person these ask for another person, which no edit here can make.
AGES = words_of("old older elderly aged young younger ancient bald fat thin")

# Words that may stand in any clause without meaning anything to an editor.
FILLER = words_of(
    "make makes making turn turns turned transform convert change changes changed give gives render rendered show "
    "shown put set have has having let want would like look looks looking appear seem become becomes be been is are "
    "was were as if in into to of on onto by with for from at it its this that these the a an what his her their "
    "hers theirs my your him them he she they me i you please can could should do style styled styles effect filter "
    "version using use apply add get got more so some same way being up out over too also both now just colour "
    "coloured color colors tint tinted paint painted dyed front behind against done created create kind sort type "
    "shade whole entire image picture photo photograph video frame clip scene portrait drawn work piece through "
    "himself herself themselves own famous beautiful nice realistic s re wearing wear"
)
PEOPLE = words_of(
    "man woman person guy girl boy lady gentleman speaker subject people human someone head character one"
)

# Things people ask for that sound like something here, and what to point them to.
RELATED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        words_of(
            "painting painted monet munch rembrandt picasso fauvism fauvist impressionist expressionist cubist "
            "klimt vermeer warhol painter acrylic pastel da vinci renaissance baroque"
        ),
        ("oil painting", "Van Gogh painting", "watercolour"),
    ),
    **dict.fromkeys(
        words_of("drawing ink manga anime sketchy disney pixar illustration"), ("pencil sketch", "cartoon")
    ),
    **dict.fromkeys(words_of("old older elderly aged aging young younger age"), ("old photo",)),
    **dict.fromkeys(
        words_of("statue sculpture wood wooden clay iron copper steel robot metal glass ice"),
        ("bronze statue", "marble statue", "silver statue"),
    ),
    **dict.fromkeys(
        words_of("zombie hulk shrek alien vampire ghost devil smurf elf joker clown"), ("a colour of the skin",)
    ),
    **dict.fromkeys(words_of("beard mohawk bald curly braids wig moustache"), ("a colour of the hair",)),
    **dict.fromkeys(
        words_of("beach forest city mountains space sea park street room office jungle desert"),
        ("a colour of the background", "sunset light", "winter light"),
    ),
    **dict.fromkeys(
        words_of("summer autumn fall spring rain rainy storm fog sunny morning dawn sunrise"),
        ("winter light", "sunset light"),
    ),
    **dict.fromkeys(words_of("dark neon moody"), ("night light",)),
}


def known_edits() -> str:
    """One line: everything that the editor can do."""
    styles = ", ".join(style.title for style in STYLES)
    *regions, last = REGION_OPERATORS
    return f"{styles}; {', '.join(regions)} or {last} in {', '.join(COLOURS)} or #rrggbb"
