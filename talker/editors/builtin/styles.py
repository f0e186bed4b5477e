"""The styles that the built-in editor knows, each with the words that call it.

A new style is one entry here and one operator. `triggers` are sets of words that must all stand in a clause;
`companions` are words that mean nothing beside the style ("swirling strokes" beside Van Gogh).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from talker.editors.builtin import draw, lens, light, material, paint, press, tiles
from talker.editors.builtin.companions import COMPANIONS
from talker.editors.builtin.lexicon import words_of
from talker.editors.builtin.picture import Picture

Operator = Callable[[Picture], np.ndarray]


@dataclass(frozen=True)
class Style:
    """An edit of the whole image, or of the person in it."""

    name: str
    title: str
    operator: Operator
    kind: str  # "statue", "light", "picture" or "photo": one clause may name one of each
    triggers: tuple[frozenset[str], ...]
    companions: frozenset[str] = frozenset()


def style(name: str, title: str, operator: Operator, triggers: list[str]) -> Style:
    kind = {material.__name__: "statue", light.__name__: "light"}.get(operator.__module__, "picture")
    kind = "photo" if name in ("old_photo", "black_and_white") else kind
    return Style(name, title, operator, kind, tuple(words_of(t) for t in triggers), COMPANIONS[name])


STYLES = (
    style(
        "van_gogh",
        "Van Gogh painting",
        paint.van_gogh,
        ["gogh", "vangogh", "vincent", "starry night"],
    ),
    style(
        "oil",
        "oil painting",
        paint.oil,
        ["oil painting", "oil paint", "oil painted", "oil portrait", "oil canvas", "oils", "oil colours", "oil"],
    ),
    style(
        "watercolour",
        "watercolour",
        paint.watercolour,
        ["watercolour", "watercolours", "watercoloured", "water colour", "water colours", "aquarelle"],
    ),
    style(
        "pencil",
        "pencil sketch",
        draw.pencil,
        ["pencil", "pencils", "pencilled", "sketch", "sketched", "graphite", "line drawing"],
    ),
    style(
        "charcoal",
        "charcoal drawing",
        draw.charcoal,
        ["charcoal"],
    ),
    style(
        "cartoon",
        "cartoon",
        press.cartoon,
        ["cartoon", "cartoons", "cartoonish", "cartoony", "toon", "cel shaded"],
    ),
    style(
        "comic",
        "comic book",
        press.comic,
        ["comic", "comics", "halftone", "lichtenstein", "graphic novel"],
    ),
    style(
        "bronze",
        "bronze statue",
        material.bronze,
        ["bronze", "bronzed statue"],
    ),
    style(
        "gold",
        "golden statue",
        material.gold,
        [
            "gild",
            "gilt",
            "gold",
            "golden",
            "gilded",
        ],
    ),
    style(
        "silver",
        "silver statue",
        material.silver,
        ["silver", "chrome"],
    ),
    style(
        "marble",
        "marble statue",
        material.marble,
        ["marble"],
    ),
    style(
        "stone",
        "stone statue",
        material.stone,
        ["petrify", "stone", "sandstone", "granite", "petrified"],
    ),
    style(
        "winter",
        "winter light",
        light.winter,
        [
            "wintertime",
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
    ),
    style(
        "night",
        "night light",
        light.night,
        ["night", "nighttime", "midnight", "moonlight", "moonlit", "moon"],
    ),
    style(
        "sunset",
        "sunset light",
        light.sunset,
        ["sunset", "sundown", "golden hour", "dusk", "evening light", "evening sun", "evening glow", "setting sun"],
    ),
    style(
        "old_photo",
        "old photo",
        light.old_photo,
        [
            f"{age} {noun}"
            for age in (
                "bygone",
                "old",
                "vintage",
                "antique",
                "aged",
                "ancient",
                "victorian",
                "faded",
                "fashioned",
                "yellowed",
            )
            for noun in ("photo", "photos", "photograph", "picture", "print", "snapshot", "photography")
        ]
        + ["sepia", "daguerreotype", "tintype", "age photo", "age photograph", "age picture"],
    ),
    style(
        "black_and_white",
        "black-and-white photo",
        light.black_and_white,
        ["blackandwhite", "monochrome", "monochromatic", "greyscale", "desaturated", "noir"],
    ),
    style(
        "pointillist",
        "pointillist painting",
        paint.pointillist,
        ["pointillist", "pointillism", "pointillistic", "seurat", "signac"],
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
    ),
    style(
        "ink",
        "ink drawing",
        draw.ink,
        ["inked", "ink"],
    ),
    style(
        "chalk",
        "chalk drawing",
        draw.chalk,
        ["chalk", "blackboard", "chalkboard"],
    ),
    style(
        "pop_art",
        "pop art",
        press.pop_art,
        ["pop art", "popart", "warhol"],
    ),
    style(
        "stained_glass",
        "stained glass",
        tiles.stained_glass,
        ["stained glass", "leaded glass"],
    ),
    style(
        "mosaic",
        "mosaic",
        tiles.mosaic,
        ["mosaic", "mosaics", "tesserae"],
    ),
    style(
        "wood",
        "wooden statue",
        material.wood,
        ["wood", "wooden", "oak", "oaken", "limewood", "woodcarving"],
    ),
    style(
        "jade",
        "jade statue",
        material.jade,
        ["jade"],
    ),
    style(
        "ice",
        "ice sculpture",
        material.ice,
        ["ice"],
    ),
    style(
        "clay",
        "clay figure",
        material.clay,
        ["clay", "claymation", "plasticine"],
    ),
    style(
        "hologram",
        "hologram",
        lens.hologram,
        ["hologram", "holographic", "holograms"],
    ),
    style(
        "thermal",
        "thermal camera",
        lens.thermal,
        [
            "thermographic",
            "thermal",
            "infrared",
            "thermography",
            "heat camera",
            "heat vision",
            "heat signature",
            "heat sensor",
        ],
    ),
    style(
        "night_vision",
        "night vision",
        lens.night_vision,
        ["night vision", "nightvision"],
    ),
    style(
        "candlelight",
        "candlelight",
        light.candlelight,
        ["candlelight", "candlelit", "candle", "candles"],
    ),
    style(
        "neon",
        "neon light",
        light.neon,
        ["neon"],
    ),
)
