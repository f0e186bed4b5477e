"""How the phones sound: formant targets after Peterson and Barney (1952) and Klatt (1980), in hertz and seconds."""

from __future__ import annotations

from typing import NamedTuple


class Friction(NamedTuple):
    """Noise through one resonance."""

    level: float
    centre_hz: float
    width_hz: float


class Consonant(NamedTuple):
    formants_hz: tuple[float, float, float]
    seconds: float
    voice: float
    breath: float = 0.0
    friction: Friction | None = None


class Stop(NamedTuple):
    voiced: bool
    locus_hz: float  # where the second formant points during the closure
    burst: Friction


VOWELS: dict[str, tuple[tuple[float, float, float], float]] = {  # formants, seconds
    "AA": ((730, 1090, 2440), 0.130),
    "AE": ((690, 1720, 2410), 0.125),
    "AH": ((620, 1220, 2550), 0.095),
    "AO": ((570, 840, 2410), 0.130),
    "AX": ((500, 1400, 2450), 0.060),
    "EH": ((550, 1770, 2490), 0.105),
    "ER": ((470, 1270, 1540), 0.125),
    "IH": ((400, 1920, 2560), 0.085),
    "IY": ((280, 2250, 2950), 0.115),
    "UH": ((450, 1030, 2240), 0.090),
    "UW": ((310, 870, 2250), 0.115),
}

DIPHTHONGS: dict[str, tuple[str, str, float]] = {  # from, to, seconds
    "AY": ("AA", "IH", 0.165),
    "AW": ("AA", "UH", 0.170),
    "EY": ("EH", "IY", 0.145),
    "OW": ("AO", "UW", 0.145),
    "OY": ("AO", "IH", 0.175),
}

CONSONANTS: dict[str, Consonant] = {
    "L": Consonant((360, 1050, 2700), 0.065, 0.55),
    "R": Consonant((330, 1060, 1400), 0.070, 0.55),
    "W": Consonant((300, 610, 2200), 0.070, 0.50),
    "Y": Consonant((260, 2100, 3000), 0.060, 0.50),
    "M": Consonant((270, 950, 2150), 0.075, 0.32),
    "N": Consonant((270, 1650, 2600), 0.065, 0.32),
    "NG": Consonant((270, 2200, 2700), 0.075, 0.30),
    "F": Consonant((340, 1100, 2080), 0.095, 0.0, friction=Friction(0.16, 6200, 5000)),
    "V": Consonant((300, 1100, 2080), 0.065, 0.30, friction=Friction(0.06, 6200, 5000)),
    "TH": Consonant((320, 1300, 2540), 0.090, 0.0, friction=Friction(0.13, 6800, 3500)),
    "DH": Consonant((300, 1300, 2540), 0.050, 0.32, friction=Friction(0.04, 6800, 3500)),
    "S": Consonant((320, 1450, 2530), 0.105, 0.0, friction=Friction(0.55, 5900, 1500)),
    "Z": Consonant((280, 1450, 2530), 0.075, 0.25, friction=Friction(0.30, 5900, 1500)),
    "SH": Consonant((320, 1750, 2450), 0.105, 0.0, friction=Friction(0.55, 3100, 1300)),
    "ZH": Consonant((290, 1750, 2450), 0.075, 0.25, friction=Friction(0.30, 3100, 1300)),
    "HH": Consonant((500, 1500, 2500), 0.060, 0.0, breath=0.35),
}

STOPS: dict[str, Stop] = {
    "P": Stop(False, 900, Friction(0.5, 800, 700)),
    "B": Stop(True, 900, Friction(0.5, 800, 700)),
    "T": Stop(False, 1700, Friction(0.5, 4600, 900)),
    "D": Stop(True, 1700, Friction(0.5, 4600, 900)),
    "K": Stop(False, 1950, Friction(0.5, 2100, 900)),
    "G": Stop(True, 1950, Friction(0.5, 2100, 900)),
}

AFFRICATES: dict[str, tuple[str, str]] = {"CH": ("T", "SH"), "JH": ("D", "ZH")}  # stop, then friction
