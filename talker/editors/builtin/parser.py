"""From an instruction to edits: clauses paired into styles and colours of regions, or an error that says why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from talker.core.errors import BadInput
from talker.editors.builtin.phrases import makes_an_exception
from talker.editors.builtin.picture import REGION_PARTS
from talker.editors.builtin.reading import Clause, read_clauses
from talker.editors.builtin.styles import Style
from talker.editors.builtin.suggest import HOW_TO_FREE, HOW_TO_SEE_ALL, not_understood, takes_no_exceptions
from talker.editors.builtin.vocabulary import REGION_OPERATORS, Colour

KINDS = ("statue", "light", "picture", "photo")  # an old photo of a drawing of a statue: made in this order
PARTS_OF_THE_PERSON = REGION_PARTS.keys() - {"background"}


@dataclass(frozen=True)
class StyleEdit:
    """A style, over the whole image or over regions of it."""

    style: Style
    regions: tuple[str, ...] = ()
    amount: float = 1.0

    def __str__(self) -> str:
        where = f" on the {' and '.join(self.regions)}" if self.regions else ""
        return f"{self.style.title}{where}{_amount_note(self.amount)}"


@dataclass(frozen=True)
class ColourEdit:
    """A region in a colour."""

    region: str
    colour: Colour
    colour_name: str
    amount: float = 1.0

    def __str__(self) -> str:
        return f"{self.region} {self.colour_name}{_amount_note(self.amount)}"


Edit = StyleEdit | ColourEdit


def _amount_note(amount: float) -> str:
    return "" if amount == 1.0 else f" ({amount:.0%})"


def parse(instruction: str) -> tuple[Edit, ...]:
    """The edits that an instruction asks for, in order; raises BadInput for anything not fully understood."""
    if not instruction.strip():
        raise BadInput(
            f"the instruction is empty; say what to change, as in 'make him a bronze statue'; {HOW_TO_SEE_ALL}"
        )
    if makes_an_exception(instruction):
        raise BadInput(takes_no_exceptions(instruction))
    clauses = read_clauses(instruction)
    unknown = [word for clause in clauses for word in clause.unknown]
    if unknown:
        raise BadInput(not_understood(instruction, unknown))
    edits: list[Edit] = []
    _give_amounts(clauses)
    waiting: list[str] = []  # regions whose colour or style comes with a later clause: "hair and skin blue"
    for clause in clauses:
        if clause.empty:
            continue
        if clause.regions and not clause.styles and not clause.colours:
            waiting += clause.regions
            continue
        if waiting and (clause.region_first or set(clause.regions) <= set(waiting)):
            clause.regions = list(dict.fromkeys(waiting + clause.regions))
        else:
            edits += _carried(edits, waiting, instruction)
        waiting = []
        edits += _edits_of(clause, instruction)
    edits += _carried(edits, waiting, instruction)
    if not edits:
        raise BadInput(not_understood(instruction, []))
    if any(clause.person_only for clause in clauses):
        edits = [_on_the_person(edit, instruction) for edit in edits]
    edits = list(dict.fromkeys(edits))  # "to marble, just the face": said twice
    if any(clause.background_only for clause in clauses):
        _check_limits(edits, {"background"}, instruction)
    if any(clause.regions_only for clause in clauses):
        _check_limits(edits, PARTS_OF_THE_PERSON | {"background", "person"}, instruction)
    return _whole_first(edits)


def _check_limits(edits: list[Edit], allowed: set[str], instruction: str) -> None:
    """Whether nothing changes that was to stay as it is."""
    for edit in edits:
        regions = {edit.region} if isinstance(edit, ColourEdit) else set(edit.regions)
        statue = isinstance(edit, StyleEdit) and edit.style.kind == "statue"
        regions = regions or ({"person"} if statue else set())
        if not regions or not regions <= allowed:
            raise BadInput(f"{instruction!r} both changes something and leaves it as it is: {edit}; say one of them")


def describe(edits: tuple[Edit, ...]) -> str:
    return ", ".join(str(edit) for edit in edits)


def _give_amounts(clauses: list[Clause]) -> None:
    """An amount that stands alone is that of the clause before it, or else of the one behind: "a sketch, slightly"."""
    full = [clause for clause in clauses if not clause.empty]
    for number, clause in enumerate(clauses):
        if clause.empty and clause.amount != 1.0 and full:
            before = [other for other in clauses[:number] if not other.empty]
            (before[-1] if before else full[0]).amount = clause.amount


def _carried(edits: list[Edit], waiting: list[str], instruction: str) -> list[Edit]:
    """Regions left over take what the region before them got: "purple hair and lips", "bronze on the face and hair"."""
    if not waiting:
        return []
    before = edits[-1] if edits else None
    if isinstance(before, StyleEdit) and before.regions:
        _check_regions(before.style, waiting, instruction)
        return [replace(before, regions=tuple(waiting))]
    if not isinstance(before, ColourEdit):
        named = " and ".join(waiting)
        raise BadInput(
            f"{instruction!r} names the {named} but no colour or style that the built-in editor knows; "
            f"{HOW_TO_SEE_ALL}; {HOW_TO_FREE}"
        )
    return [replace(before, region=region) for region in _regions_for_colour(waiting)]


def _on_the_person(edit: Edit, instruction: str) -> Edit:
    """An edit that was to leave the background alone."""
    where = edit.regions if isinstance(edit, StyleEdit) else (edit.region,)
    if "background" in where:
        raise BadInput(f"{instruction!r} both changes the background and keeps it; say one of them")
    if isinstance(edit, ColourEdit) or edit.regions or edit.style.kind == "statue":
        return edit
    return replace(edit, regions=("person",))


def _whole_first(edits: list[Edit]) -> tuple[Edit, ...]:
    """Materials and styles before colours of regions: a blue background must not be painted over by a sketch."""
    return tuple(sorted(edits, key=lambda edit: isinstance(edit, ColourEdit) or bool(edit.regions)))


def _regions_for_colour(regions: list[str]) -> list[str]:
    return ["skin" if region == "face" else region for region in regions]


def _edits_of(clause: Clause, instruction: str) -> list[Edit]:
    kinds = [style.kind for style in clause.styles]
    if len(set(kinds)) < len(kinds):
        titles = " and ".join(style.title for style in clause.styles)
        raise BadInput(f"{instruction!r} names {titles} at once; join them with 'and', or choose one")
    styles = sorted(clause.styles, key=lambda style: KINDS.index(style.kind))
    if clause.colours:
        edits: list[Edit] = [StyleEdit(style, (), clause.amount) for style in styles]
        return edits + _colour_edits(clause, instruction)
    regions = tuple(clause.regions)
    for style in styles:
        _check_regions(style, regions, instruction)
    return [StyleEdit(style, regions, clause.amount) for style in styles]


def _check_regions(style: Style, regions: Sequence[str], instruction: str) -> None:
    """Whether a style can be put there."""
    if style.kind == "statue" and "background" in regions:
        raise BadInput(f"{instruction!r}: {style.title} is for the person and cannot be put on the background")
    if style.kind == "light" and PARTS_OF_THE_PERSON & set(regions):
        raise BadInput(f"{instruction!r}: {style.title} falls on everything; leave out the {regions[0]}")
    if style.name == "black_and_white" and PARTS_OF_THE_PERSON & set(regions):
        raise BadInput(f"{instruction!r}: which colour is for what? Say it in clauses joined by 'and'")


def _colour_edits(clause: Clause, instruction: str) -> list[Edit]:
    regions = _regions_for_colour(clause.regions)
    if not regions:
        raise BadInput(
            f"{instruction!r} does not say what should be {clause.colours[0][0]}; "
            f"name one of {', '.join(REGION_OPERATORS)}; {HOW_TO_FREE}"
        )
    if len(clause.colours) == 1:
        pairs = [(region, clause.colours[0]) for region in regions]
    elif len(clause.colours) == len(regions):
        pairs = list(zip(regions, clause.colours, strict=True))
    else:
        raise BadInput(f"{instruction!r}: which colour is for what? Say it in clauses joined by 'and'")
    return [ColourEdit(region, colour, name, clause.amount) for region, (name, colour) in pairs]
