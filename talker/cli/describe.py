"""A project, in lines for people."""

from __future__ import annotations

from typing import Any

from talker.cli.progress import clock


def describe_project(
    facts: dict[str, Any],  # from `talker.commands.info`
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
    edits: list[dict[str, Any]],  # from `talker.commands.list_edits`
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
        figures = [f"{name} {value:.4g}" for name, value in edit["measured"].items() if isinstance(value, float)]
        stale = "of an earlier fit: make it again" if not edit["current"] else ""
        day = edit["finished"][:16].replace("T", " ")
        lines.append(f'{edit["name"]:<{width}}  "{edit["instruction"]}" {how}')
        facts = [day, f"took {clock(edit['seconds'])}", *figures, stale]
        lines.append(f"{'':<{width}}  {', '.join(filter(None, facts))}")
    return "\n".join(lines)


def _pace(
    inputs: dict[str, Any],  # of an edit
) -> str:
    pace = {"once": "at once", "iterative": "one image at a time"}.get(inputs.get("strategy"))
    return pace or f"{inputs['rounds']} rounds"


def _measured(path: str, record: dict[str, Any]) -> str:
    measured, inputs = record["measured"], record["inputs"]
    if path == "take":
        width, height = measured["size_px"]
        return f"{measured['seconds']:.1f} s at {width}x{height}, {inputs['landmarks']}, {inputs['audio']}"
    if path == "field":
        return (
            f"held-out head PSNR {measured['head_psnr_db']:.1f} dB, without a field {measured['null_psnr_db']:.1f}, "
            f"{measured['kernels']} kernels"
        )
    return f'"{inputs["instruction"]}" by {inputs["editor"]}, {_pace(inputs)}'
