"""The styles that the built-in editor knows, each with the words that call it.

A new style is one entry here and one operator. `triggers` are sets of words that must all stand in a clause;
`companions` are words that mean nothing beside the style ("swirling strokes" beside Van Gogh).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from talker.pdu.builtin import draw, lens, light, material, paint, press, tiles
from talker.pdu.builtin.picture import Picture

Operator = Callable[[Picture], np.ndarray]


def words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True)
class Style:
    """An edit of the whole image, or of the person in it."""

    name: str
    title: str
    operator: Operator
    kind: str  # "statue", "light", "picture" or "photo": one clause may name one of each
    triggers: tuple[frozenset[str], ...]
    companions: frozenset[str] = frozenset()


def style(name: str, title: str, operator: Operator, triggers: list[str], companions: str = "") -> Style:
    kind = {material.__name__: "statue", light.__name__: "light"}.get(operator.__module__, "picture")
    kind = "photo" if name in ("old_photo", "black_and_white") else kind
    return Style(name, title, operator, kind, tuple(words_of(t) for t in triggers), words_of(companions))


ART = (
    "painting paintings painted paint paints art artwork artist canvas brush brushes brushstroke brushstrokes stroke "
    "strokes"
)
DRAWING = "drawing drawn draw sketch sketched drawings art artwork paper lines line hand outline outlines illustration"
STATUE = (
    "statue sculpture bust sculpted carved carve carving cast casting sculpt figure figurine monument made out block "
    "museum metal metallic solid hewn chiselled chiseled forged moulded molded pedestal plinth statues sculptural"
)
PHOTO = "photo photograph photos picture image snapshot print portrait film photography camera shot footage"
WEATHER = (
    "light lighting lit time scene atmosphere mood outside outdoors during weather season sky there day middle under "
    "illuminated falling falls bathed bathe glow glowing"
)

STYLES = (
    style(
        "van_gogh",
        "Van Gogh painting",
        paint.van_gogh,
        ["gogh", "vangogh", "vincent", "starry night"],
        f"{ART} oil van gogh vincent starry night post impressionist impressionism impressionistic swirling swirly "
        "swirls thick expressive impasto bold textured colours self vivid",
    ),
    style(
        "oil",
        "oil painting",
        paint.oil,
        ["oil painting", "oil paint", "oil painted", "oil portrait", "oil canvas", "oils", "oil colours", "oil"],
        f"{ART} oil oils old classical classic traditional master masters colours textured studio rich",
    ),
    style(
        "watercolour",
        "watercolour",
        paint.watercolour,
        ["watercolour", "watercolours", "watercoloured", "water colour", "water colours", "aquarelle"],
        f"{ART} {DRAWING} wash washes soft loose delicate wet water aquarelle colours",
    ),
    style(
        "pencil",
        "pencil sketch",
        draw.pencil,
        ["pencil", "pencils", "pencilled", "sketch", "sketched", "graphite", "line drawing"],
        f"{DRAWING} pencil pencils pencilled graphite blackandwhite grey hatching hatched shaded shading rough "
        "notebook artist lead",
    ),
    style(
        "charcoal",
        "charcoal drawing",
        draw.charcoal,
        ["charcoal"],
        f"{DRAWING} charcoal blackandwhite rough smudged soft hatching stick artist",
    ),
    style(
        "cartoon",
        "cartoon",
        press.cartoon,
        ["cartoon", "cartoons", "cartoonish", "cartoony", "toon", "cel shaded"],
        f"{DRAWING} character characters animated animation cel shaded toon tv saturday morning show flat "
        "outlines bold colours figure "
        "colourful",
    ),
    style(
        "comic",
        "comic book",
        press.comic,
        ["comic", "comics", "halftone", "lichtenstein", "graphic novel"],
        f"{DRAWING} book character printed page strip panel dots dot bold pop roy graphic novel ink inked halftone "
        "comic comics hero style",
    ),
    style(
        "bronze",
        "bronze statue",
        material.bronze,
        ["bronze", "bronzed statue"],
        f"{STATUE} polished patina brown dark old ancient cast",
    ),
    style(
        "gold",
        "golden statue",
        material.gold,
        [
            "gold",
            "golden",
            "gilded",
        ],
        f"{STATUE} gold golden gilded pure polished shiny shining",
    ),
    style(
        "silver",
        "silver statue",
        material.silver,
        ["silver", "chrome"],
        f"{STATUE} silver chrome polished shiny pure",
    ),
    style(
        "marble",
        "marble statue",
        material.marble,
        ["marble"],
        f"{STATUE} white stone greek roman ancient classical polished antique veined",
    ),
    style(
        "stone",
        "stone statue",
        material.stone,
        ["stone", "sandstone", "granite", "petrified"],
        f"{STATUE} stone sandstone granite grey old ancient weathered rock",
    ),
    style(
        "winter",
        "winter light",
        light.winter,
        [
            "winter",
            "wintry",
            "wintery",
            "snow",
            "snowing",
            "snowy",
            "snowfall",
            "frosty",
            "snows",
            "snowstorm",
            "blizzard",
        ],
        f"{WEATHER} winter snow snowy snowing snowstorm blizzard heavy cold ice icy frosty frozen falling "
        "freezing white snowflakes",
    ),
    style(
        "night",
        "night light",
        light.night,
        ["night", "nighttime", "midnight", "moonlight", "moonlit", "moon"],
        f"{WEATHER} night nighttime midnight moonlight moon dark late blue city lights at",
    ),
    style(
        "sunset",
        "sunset light",
        light.sunset,
        ["sunset", "sundown", "golden hour", "dusk", "evening light", "evening sun", "evening glow", "setting sun"],
        f"{WEATHER} sunset evening golden hour warm sun glow glowing orange low setting beautiful dusk",
    ),
    style(
        "old_photo",
        "old photo",
        light.old_photo,
        [
            f"{age} {noun}"
            for age in ("bygone", "old", "vintage", "antique", "aged", "ancient", "victorian", "faded", "fashioned")
            for noun in ("photo", "photos", "photograph", "picture", "print", "snapshot", "photography")
        ]
        + ["sepia", "daguerreotype", "tintype", "age photo", "age photograph", "age picture"],
        f"{PHOTO} old vintage antique aged faded sepia toned tone worn fashioned century family album from brown "
        "scratched grainy daguerreotype early victorian",
    ),
    style(
        "black_and_white",
        "black-and-white photo",
        light.black_and_white,
        ["blackandwhite", "monochrome", "monochromatic", "greyscale", "desaturated", "noir"],
        f"{PHOTO} blackandwhite classic noir old studio monochrome greyscale movie contrast shot",
    ),
    style(
        "pointillist",
        "pointillist painting",
        paint.pointillist,
        ["pointillist", "pointillism", "pointillistic", "seurat", "signac"],
        f"{ART} pointillist pointillism pointillistic seurat georges signac dots dot dotted thousands hundreds "
        "many coloured tiny small little spots "
        "points unmixed colourful",
    ),
    style(
        "pastel",
        "pastel drawing",
        paint.pastel,
        [
            *(f"pastel {noun}" for noun in ("drawing", "painting", "sketch", "portrait", "art", "artwork")),
            "pastels",
            "pastel sketched",
            "pastel drawn",
            "soft pastel",
            "pastel sticks",
            "pastel crayons",
            "pastel chalk",
        ],
        f"{ART} {DRAWING} pastel pastels oil chalk soft powdery sticks crayon crayons",
    ),
    style(
        "ink",
        "ink drawing",
        draw.ink,
        ["ink"],
        f"{DRAWING} ink inked black white pen nib indian india blackandwhite hatching hatched crosshatching "
        "crosshatched "
        "cross wash",
    ),
    style(
        "chalk",
        "chalk drawing",
        draw.chalk,
        ["chalk", "blackboard", "chalkboard"],
        f"{DRAWING} chalk chalked blackboard chalkboard board blackandwhite black white school dusty classroom",
    ),
    style(
        "pop_art",
        "pop art",
        press.pop_art,
        ["pop art", "popart", "warhol"],
        f"{ART} pop art popart warhol andy silkscreen silk screen screenprint print printed bold flat loud sixties",
    ),
    style(
        "stained_glass",
        "stained glass",
        tiles.stained_glass,
        ["stained glass", "leaded glass"],
        "stained glass leaded lead window church cathedral gothic panes pane colourful coloured art",
    ),
    style(
        "mosaic",
        "mosaic",
        tiles.mosaic,
        ["mosaic", "mosaics", "tesserae"],
        "mosaic mosaics colourful tesserae tiles tile tiled tiny thousands hundreds many small little stones "
        "stone roman "
        "byzantine ancient art floor",
    ),
    style(
        "wood",
        "wooden statue",
        material.wood,
        ["wood", "wooden", "oak", "oaken", "limewood", "woodcarving"],
        f"{STATUE} wood wooden oak limewood carving oiled brown grain grained",
    ),
    style(
        "jade",
        "jade statue",
        material.jade,
        ["jade"],
        f"{STATUE} jade green polished chinese translucent carving precious",
    ),
    style(
        "ice",
        "ice sculpture",
        material.ice,
        ["ice"],
        f"{STATUE} ice icy frozen freeze clear transparent translucent crystal blue carving glassy",
    ),
    style(
        "clay",
        "clay figure",
        material.clay,
        ["clay", "claymation", "plasticine"],
        f"{STATUE} clay claymation plasticine modelling modelled puppet animation animated stop motion stopmotion "
        "character film soft",
    ),
    style(
        "hologram",
        "hologram",
        lens.hologram,
        ["hologram", "holographic", "holograms"],
        "hologram holographic holograms projection projected blue glowing futuristic scifi sci fi translucent "
        "transparent flickering shimmering scan scanlines lines",
    ),
    style(
        "thermal",
        "thermal camera",
        lens.thermal,
        ["thermal", "infrared", "thermography", "heat camera", "heat vision", "heat signature", "heat sensor"],
        f"{PHOTO} thermal infrared thermography thermographic heat camera vision signature sensor imaging imager seen "
        "false colours view",
    ),
    style(
        "night_vision",
        "night vision",
        lens.night_vision,
        ["night vision", "nightvision"],
        f"{PHOTO} night vision nightvision goggles goggle camera green military device scope seen view phosphor",
    ),
    style(
        "candlelight",
        "candlelight",
        light.candlelight,
        ["candlelight", "candlelit", "candle", "candles"],
        f"{WEATHER} candlelight candlelit candle candles warm glow glowing dim single dark flickering flame flames "
        "soft cosy romantic",
    ),
    style(
        "neon",
        "neon light",
        light.neon,
        ["neon"],
        f"{WEATHER} neon lights glow glowing club night sign signs tube tubes cyberpunk magenta cyan pink blue purple",
    ),
)
