"""A project, in lines for people."""

from __future__ import annotations

import textwrap
from typing import Any

from talker.cli.progress import clock
from talker.evaluation.figures import METRICS

LINE = 110  # letters
# What an edit's own record says of it, in words.
OWN = {"edited_psnr_db": "PSNR {:.1f} dB against what the editor made", "change_taken": "went {:.0%} of the way there"}


def describe_project(
    facts: dict[str, Any],  # from `talker.api.commands.info`
) -> str:
    """What `talker info` prints."""
    lines = [facts["project"]]
    for path, record in facts["stages"].items():
        stale = "" if record["current"] else "  (of an earlier fit: make it again)"
        lines.append(f"  {path:<28} {_measured(path, record)}  took {clock(record['seconds'])}{stale}")
    for missing in ("take", "field"):
        if missing not in facts["stages"]:
            lines.append(f"  {missing:<28} not finished: talker fit VIDEO goes on where it stopped")
    for render in facts["renders"]:
        who = f"edit {render['edit']}" if render["edit"] else "as filmed"
        lines.append(f"  {render['video']:<28} {render['audio']}, {who}, {render['frames'] / 25:.1f} s")
    return "\n".join(lines)


def describe_edits(
    edits: list[dict[str, Any]],  # from `talker.api.commands.list_edits`
) -> str:
    """What `talker edits` prints."""
    if not edits:
        return "No edits yet; look at one: talker preview --instruction TEXT; make one: talker edit --instruction TEXT"
    width = max(len(edit["name"]) for edit in edits)
    lines = []
    for edit in edits:
        limits = [f"{word} {' and '.join(edit[word])}" for word in ("only", "keep") if edit[word]]
        limits += [f"from {edit['from']}"] if edit["from"] else []
        how = ", ".join([f"by {edit['editor']}", _pace(edit), *limits])
        known = _figures(edit["measured"])
        figures = [words.format(max(0.0, known[key])) for key, words in OWN.items() if key in known]
        stale = "of an earlier fit: make it again" if not edit["current"] else ""
        day = edit["finished"][:16].replace("T", " ")
        lines.append(f'{edit["name"]:<{width}}  "{edit["instruction"]}" {how}')
        facts = [day, f"took {clock(edit['seconds'])}", *figures, stale]
        lines.append(f"{'':<{width}}  {', '.join(filter(None, facts))}")
        lines += _in_lines(_judged(known), " " * (width + 2))
    return "\n".join(lines)


def _pace(
    inputs: dict[str, Any],  # of an edit
) -> str:
    pace = {"once": "at once", "iterative": "one image at a time"}.get(inputs.get("strategy"))
    rounds = inputs["rounds"]
    return pace or f"{rounds} {'round' if rounds == 1 else 'rounds'}"


def _figures(measured: dict[str, Any]) -> dict[str, float]:
    """Those that are known: a record says null of what could not be measured."""
    return {key: value for key, value in measured.items() if isinstance(value, (int, float))}


def _judged(known: dict[str, float]) -> list[str]:
    """What `talker eval` found of an edit, in the words of its table."""
    there = [metric for metric in METRICS if metric.key in known]
    return [f"{metric.text.strip()}: {known[metric.key]:.{metric.digits}f}" for metric in there]


def _in_lines(items: list[str], indent: str) -> list[str]:
    """The items one after the other, none of them broken."""
    whole = "; ".join(item.replace(" ", "\u00a0") for item in items)
    wrapped = textwrap.wrap(whole, LINE, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
    return [line.replace("\u00a0", " ") for line in wrapped]


def _measured(path: str, record: dict[str, Any]) -> str:
    measured, inputs = record["measured"], record["inputs"]
    if path == "take":
        width, height = measured["size_px"]
        return f"{measured['seconds']:.1f} s at {width}x{height}, {inputs['landmarks']}, {inputs['audio']}"
    if path == "field":
        known = _figures(measured)
        field, null = (f"{known[key]:.1f}" if key in known else "unknown" for key in ("head_psnr_db", "null_psnr_db"))
        return f"held-out head PSNR {field} dB, without a field {null}, {measured['kernels']} kernels"
    return f'"{inputs["instruction"]}" by {inputs["editor"]}, {_pace(inputs)}'
