"""A check's result: the verdict, the findings, the facts; as lines for people and as JSON for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from talker.checking.clip_stats import ClipStats
from talker.checking.finding import Finding
from talker.checking.lips import TOO_SHORT
from talker.checking.size import FaceSize
from talker.pdu.plan import format_duration
from talker.take.sync import Offset

_SIGNS = {"stop": "!!", "warn": "! ", "note": "- "}


@dataclass(frozen=True)
class Cost:
    """Estimated seconds of a fit on this machine; hearing the speech is not among them."""

    take_s: float
    field_s: float
    kernels: str
    slow_ear: str | None = None  # an encoder whose hearing takes long, too

    @property
    def total_s(self) -> float:
        return self.take_s + self.field_s


@dataclass(frozen=True)
class Report:
    clip: ClipStats
    findings: list[Finding]
    cost: Cost | None  # None: nothing to fit

    @property
    def serves(self) -> bool:
        return not self._of("stop")

    @property
    def verdict(self) -> str:
        if not self.serves:
            return "This footage cannot be fitted."
        count = len(self._of("warn"))
        if not count:
            return "Good footage."
        things = "one thing" if count == 1 else f"{count} things"
        return f"This footage will do; mend {things} for a better result."

    def warnings(self) -> list[Finding]:
        return self._of("warn")

    def stops(self) -> list[Finding]:
        return self._of("stop")

    def _of(self, severity: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == severity]

    def facts(self) -> list[tuple[str, str]]:
        """Names and values of what was measured."""
        clip, info, looks = self.clip, self.clip.info, self.clip.looks
        width, height = info.size_px
        lines = [("length", f"{clip.seconds:.1f} s"), ("picture", f"{width}x{height}, {info.rate_hz:g} a second")]
        face = FaceSize.of(clip)
        if face is not None:
            share = f"{face.filmed_px / height:.0%} of the picture's height"
            lines.append(("face", f"{face.filmed_px:.0f} px high, {share}; {face.words(clip.size_px)}"))
        if np.isfinite(looks.angles_deg).any():
            yaw, pitch = np.nanpercentile(looks.angles_deg[:, :2], [2, 98], axis=0).T
            turns = f"{yaw[0]:.0f} to {yaw[1]:.0f} degrees sideways, {pitch[0]:.0f} to {pitch[1]:.0f} up"
            lines.append(("turns", turns))
        if clip.sound is not None:
            above = min(99.0, clip.sound.speech_db - clip.sound.noise_db)
            lines.append(("sound", f"speech at {clip.sound.speech_db:.0f} dB, {above:.0f} dB above the noise"))
        if clip.offset is not None:
            lines.append(("sound to lips", self._offset(clip.offset)))
        elif clip.no_offset is not None:
            lines.append(("sound to lips", clip.no_offset))
        if self.cost is not None:
            parts = f"take {format_duration(self.cost.take_s)}, field {format_duration(self.cost.field_s)}"
            words = f"at {clip.size_px} px ({parts}, {self.cost.kernels} kernels)"
            if self.cost.slow_ear is not None:
                words += f", and what {self.cost.slow_ear} needs to hear it"
            lines.append(("fitting here", f"about {format_duration(self.cost.total_s)} {words}"))
        return lines

    @staticmethod
    def _offset(offset: Offset) -> str:
        if not offset.is_long_enough:
            return TOO_SHORT
        if not offset.is_sure:
            return "not certain: the lips follow this sound too loosely to tell"
        if abs(offset.offset_s) < 0.04:
            return "together"
        return f"{abs(offset.offset_s):.2f} s {'late' if offset.offset_s > 0 else 'early'}"

    def text(self) -> str:
        lines = [f"{self.clip.name}: {self.verdict}"]
        for finding in self.findings:
            where = f" ({finding.where})" if finding.where_s else ""
            lines += ["", f"{_SIGNS[finding.severity]} {finding.what}{where}", f"   {finding.way_out}"]
        lines += ["", *(f"   {name:<14}{value}" for name, value in self.facts())]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        offset = self.clip.offset
        return {
            "video": self.clip.name,
            "span_s": list(self.clip.span_s),
            "verdict": self.verdict,
            "serves": self.serves,
            "findings": [asdict(finding) for finding in self.findings],
            "facts": dict(self.facts()),
            "av_offset_s": round(offset.offset_s, 3) if offset is not None and offset.is_sure else None,
            "fit_s": round(self.cost.total_s, 1) if self.cost is not None else None,
        }
