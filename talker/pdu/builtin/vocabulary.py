"""The words of the built-in editor: regions, colours, amounts, and what may stand in any clause.

A word that neither an entry here nor a style accounts for makes an instruction unknown: the parser never guesses.
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
    **dict.fromkeys(("hair", "haircut", "hairs", "hairdo", "hairstyle", "haired", "locks", "tresses", "mane"), "hair"),
    **dict.fromkeys(("skin", "complexion", "skinned"), "skin"),
    **dict.fromkeys(("face", "faced"), "face"),
    "whole-head": "head",
    **dict.fromkeys(("lips", "lipstick", "lip", "mouth"), "lips"),
    **dict.fromkeys(
        words_of(
            "clothes clothing shirt jacket suit sweater jumper dress outfit tshirt tee blouse coat hoodie top garment "
            "garments attire cardigan pullover sweatshirt blazer waistcoat polo jersey fleece overcoat gown robe"
        ),
        "clothes",
    ),
    **dict.fromkeys(words_of("background backdrop wall backgrounds surroundings room behind"), "background"),
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
}
PALETTE = COLOURS | FINER_COLOURS
COLOUR_WORDS: dict[str, str] = {
    **{name: name for name in PALETTE},
    **dict.fromkeys(words_of("ruby vermilion cherry reddish"), "red"),
    **dict.fromkeys(words_of("maroon"), "burgundy"),
    **dict.fromkeys(words_of("blond platinum"), "blonde"),
    **dict.fromkeys(words_of("golden"), "gold"),
    **dict.fromkeys(words_of("ginger"), "auburn"),
    **dict.fromkeys(words_of("coppery"), "copper"),
    **dict.fromkeys(words_of("brunette chocolate brownish"), "brown"),
    **dict.fromkeys(words_of("jade"), "emerald"),
    **dict.fromkeys(words_of("greenish"), "green"),
    **dict.fromkeys(words_of("cyan aqua aquamarine"), "turquoise"),
    **dict.fromkeys(words_of("azure cobalt sapphire bluish indigo"), "blue"),
    **dict.fromkeys(words_of("plum purplish"), "purple"),
    **dict.fromkeys(words_of("lilac mauve"), "lavender"),
    **dict.fromkeys(words_of("fuchsia"), "magenta"),
    **dict.fromkeys(words_of("rose salmon pinkish"), "pink"),
    **dict.fromkeys(words_of("ivory"), "cream"),
    **dict.fromkeys(words_of("tan sand khaki"), "beige"),
    **dict.fromkeys(words_of("ebony"), "black"),
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
VIVID = words_of(
    "bright brightly vivid vividly vibrant intense strong rich pure plain solid natural completely all fully totally "
    "very really quite entirely properly truly deeply beautifully extremely super absolutely intensely "
    "strongly heavily "
    "highly incredibly thoroughly utterly"
)
AMOUNTS = {
    **dict.fromkeys(words_of("slightly subtle subtly lightly gently mild mildly partly partially somewhat"), 0.5),
    **{"faint": 0.4, "faintly": 0.4},
}

# Before a person these ask for another person, which no edit here can make.
AGES = words_of("old older elderly aged young younger ancient bald fat thin little small big tall")

# Words that may stand in any clause without meaning anything to an editor.
FILLER = words_of(
    "make makes making made turn turns turned turning transform convert change changes changed give gives giving "
    "render rendered rendering show shows shown put puts set have has had having let lets want wants would like love "
    "prefer wish need look looks looking appear appears seem become becomes be been being is are was were am as if in "
    "into to of on onto by with for from at it its this that these those the a an what how when where who his her hers "
    "him their theirs them my mine your yours he she they i we us you me please can could should shall will may might "
    "do does did style styles styled effect filter version using use used apply applied add get got give more so some "
    "same way up over too also both now just about though through across rather colour coloured colours tint tinted "
    "paint painted repaint recolour dyed dyeing front against done create created creating kind sort type shade tone "
    "whole entire entirely everything all image picture photo photograph video clip film movie scene portrait "
    "drawn work piece "
    "own famous beautiful nice lovely gorgeous stunning elegant realistic cool great proper actual real "
    "typical himself "
    "herself themselves itself re hey hi hello thanks thank ok okay imagine think see seen try go going straight right "
    "out filmed recorded photographed taken captured viewed pictured depicted portrayed presented displayed whatever "
    "anything something stuff thing things better best good well perfect only must manner fashion wearing wear "
    "wears dressed worn switch swap replace exchange feel feeling vibe "
    # making it anew
    "redo redone redoing remake remade redraw redrawn redrawing restyle restyled rework reworked reimagine reimagined "
    "relight relit recolouring recoloured repainted colouring adjust adjusted alter altered modify modified edit "
    "edited tweak tweaked produce produced generate generated converted transformed morph morphed shift shifted became "
    "goes gone treat treated treatment finish finished theme themed mode aesthetic shot shots footage recording "
    # where and when
    "portion area areas zone part parts next first firstly second secondly finally lastly afterwards afterward later "
    "instead there here inside around along again until till when once since because throughout everywhere overall "
    "each every any all today "
    # asking nicely
    "possible possibly maybe perhaps kindly ought supposed gotta gonna wanna gimme kinda sorta pls plz cheers dear "
    "poor handsome pretty fancy fine cute fun funky authentic traditional classical classic wonderful amazing awesome "
    "simply basically literally somehow such mind us ask asking hope hoping keen wonder wondering happy glad love "
    "loving thinking try trying able"
)
PEOPLE = words_of(
    "man woman person guy girl boy lady gentleman speaker subject people human someone head character one bloke fellow "
    "presenter actor actress host narrator singer teacher reporter chap dude lad lass gal kid mate buddy somebody "
    "individual everyone"
)

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
    "transforme transformer el las una haz hazlo convierte pelo cabello fondo che il gli "
    "como di del della fallo trasforma rendi capelli sfondo um uma com para fa\u00e7a transforme cabelo het een "
    "maak haar zijn"
)


def known_edits() -> str:
    """One line: everything that the editor can do."""
    styles = ", ".join(style.title for style in STYLES)
    *regions, last = REGION_OPERATORS
    return f"{styles}; {', '.join(regions)} or {last} in {', '.join(COLOURS)} or #rrggbb"
