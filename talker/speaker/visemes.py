"""Phones to mouth shapes: fifteen visemes, blended by dominance (Cohen and Massaro 1993).

Notation: B frames, 15 visemes in the order of `VISEMES`.
"""

from __future__ import annotations

import numpy as np

from talker.speaker.phonetics import DIPHTHONGS, STOPS
from talker.speaker.speech import Phone

# Weights of ARKit blend shapes; "Both" stands for Left and Right.
_MOUTHS: dict[str, dict[str, float]] = {
    "sil": {"mouthPressBoth": 0.18},
    "PP": {"jawOpen": 0.06, "mouthClose": 0.06, "mouthPressBoth": 0.45, "mouthRollLower": 0.25, "mouthRollUpper": 0.2},
    "FF": {"jawOpen": 0.07, "mouthRollLower": 0.75, "mouthUpperUpBoth": 0.3},
    "TH": {"jawOpen": 0.17, "tongueOut": 0.5, "mouthLowerDownBoth": 0.2},
    "DD": {"jawOpen": 0.12, "mouthStretchBoth": 0.2, "mouthLowerDownBoth": 0.35, "mouthUpperUpBoth": 0.15},
    "kk": {"jawOpen": 0.22, "mouthLowerDownBoth": 0.2},
    "CH": {"jawOpen": 0.12, "mouthFunnel": 0.75, "mouthLowerDownBoth": 0.3, "mouthUpperUpBoth": 0.2},
    "SS": {"jawOpen": 0.07, "mouthStretchBoth": 0.4, "mouthLowerDownBoth": 0.45, "mouthUpperUpBoth": 0.2},
    "nn": {"jawOpen": 0.17, "mouthLowerDownBoth": 0.25},
    "RR": {"jawOpen": 0.15, "mouthFunnel": 0.5, "mouthPucker": 0.15},
    "aa": {"jawOpen": 0.56, "mouthLowerDownBoth": 0.2, "mouthUpperUpBoth": 0.3},
    "E": {"jawOpen": 0.33, "mouthStretchBoth": 0.4, "mouthUpperUpBoth": 0.35, "mouthLowerDownBoth": 0.2},
    "I": {
        "jawOpen": 0.18,
        "mouthStretchBoth": 0.55,
        "mouthSmileBoth": 0.25,
        "mouthLowerDownBoth": 0.3,
        "mouthUpperUpBoth": 0.25,
    },
    "O": {"jawOpen": 0.36, "mouthFunnel": 0.7, "mouthPucker": 0.2},
    "U": {"jawOpen": 0.13, "mouthPucker": 0.85, "mouthFunnel": 0.25},
}
VISEMES = tuple(_MOUTHS)

_PHONES_OF_VISEME = {
    "sil": "SIL HH",
    "PP": "P B M",
    "FF": "F V",
    "TH": "TH DH",
    "DD": "T D",
    "kk": "K G NG",
    "CH": "CH JH SH ZH",
    "SS": "S Z",
    "nn": "N L AX",
    "RR": "R ER",
    "aa": "AA AH",
    "E": "AE EH",
    "I": "IH IY Y",
    "O": "AO UH",
    "U": "UW W",
}
VISEME_OF_PHONE = {phone: viseme for viseme, phones in _PHONES_OF_VISEME.items() for phone in phones.split()}

# How much a shape insists: lips must close for a P, whatever the vowels around it want.
_DOMINANCE = {"PP": 3.0, "FF": 2.5, "CH": 1.6, "U": 1.6, "O": 1.3, "TH": 1.2, "aa": 1.2, "I": 1.0, "E": 1.0, "RR": 1.0}
_DOMINANCE |= {"SS": 0.9, "DD": 0.6, "nn": 0.5, "kk": 0.5, "sil": 0.35}
_SPREAD_S = {"PP": 0.055, "FF": 0.055, "U": 0.11, "O": 0.11, "CH": 0.11}  # rounding is prepared early


def viseme_track(
    phones: list[Phone],
    times_s: np.ndarray,  # [B]
    lead_s: float = 0.015,  # mouths move before the sound
) -> np.ndarray:
    """Viseme weights [B, 15]; rows sum to 1 while anything is said."""
    weights = np.zeros((len(times_s), len(VISEMES)))
    for phone in _articulated(phones):
        viseme = VISEME_OF_PHONE[phone.name]
        centre = (phone.start_s + phone.end_s) / 2 - lead_s
        outside = np.maximum(0.0, np.abs(times_s - centre) - 0.55 * (phone.end_s - phone.start_s) / 2)
        dominance = 0.1 if phone.name == "HH" else _DOMINANCE[viseme]
        weights[:, VISEMES.index(viseme)] += dominance * np.exp(-1.5 * (outside / _SPREAD_S.get(viseme, 0.08)) ** 2)
    return weights / (weights.sum(1, keepdims=True) + 1e-6)


def _articulated(phones: list[Phone]) -> list[Phone]:
    """Phones as the mouth makes them: diphthongs in two halves, stops by their closure."""
    parts = []
    for name, start_s, end_s in phones:
        if name in DIPHTHONGS:
            middle_s = start_s + 0.45 * (end_s - start_s)
            parts += [Phone(DIPHTHONGS[name][0], start_s, middle_s), Phone(DIPHTHONGS[name][1], middle_s, end_s)]
        elif name in STOPS:
            parts.append(Phone(name, start_s, start_s + 0.65 * (end_s - start_s)))
        else:
            parts.append(Phone(name, start_s, end_s))
    return parts


def mouth_shapes(
    weights: np.ndarray,  # [15]
) -> dict[str, float]:
    """Blend shape weights of a mixture of visemes."""
    shapes: dict[str, float] = {}
    for viseme, weight in zip(VISEMES, weights, strict=True):
        for name, amount in _MOUTHS[viseme].items():
            sides = (name.replace("Both", "Left"), name.replace("Both", "Right")) if "Both" in name else (name,)
            for shape in sides:
                shapes[shape] = shapes.get(shape, 0.0) + float(weight) * amount
    return shapes
