"""Views as people write them: one for a whole video, or several that it passes through."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

from talker.core.bounds import flag_name, numbers_of
from talker.core.errors import BadInput
from talker.core.types import View

AS_TAKEN = View()
_FIELDS = {flag_name(field.name)[2:]: field.name for field in fields(View)}
VIEW_BOUNDS = {key: numbers_of(View)[f"--{key}"] for key in _FIELDS}
_TO = ".."


@dataclass(frozen=True)
class ViewPath:
    """Views that a video passes through at even distances, the first at its beginning, the last at its end."""

    keys: tuple[View, ...]  # two or more


def view_at(
    view: View | ViewPath,
    share: float,  # of the video that is over: 0 its first picture, 1 its last
) -> View:
    """What is seen then: straight from one key to the next."""
    if isinstance(view, View):
        return view
    place = min(max(share, 0.0), 1.0) * (len(view.keys) - 1)
    before = min(int(place), len(view.keys) - 2)
    pairs = zip(astuple(view.keys[before]), astuple(view.keys[before + 1]), strict=True)
    return View(*(low + (place - before) * (high - low) for low, high in pairs))


def parse_view(text: str) -> View | ViewPath:
    """A view from "yaw=20,pitch=-5,roll=0,zoom=1.1", or a path from "yaw=-20..20"; what is not named stays as it is."""
    values: dict[str, list[float]] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        key, _, value = (word.strip() for word in item.partition("="))
        if key not in _FIELDS:
            raise BadInput(f"Unknown view key {key!r}; --view knows yaw, pitch, roll, zoom: yaw=20,zoom=1.1")
        if key in values:
            raise BadInput(f"--view names {key} twice; give it once, or as {key}=1..2 to pass through both")
        values[key] = [VIEW_BOUNDS[key].read(f"--view {key}", number) for number in value.split(_TO)]
    if not values:
        raise BadInput("--view is empty; write for example --view yaw=20,zoom=1.1")
    counts = {len(numbers) for numbers in values.values()} - {1}
    if len(counts) > 1:
        raise BadInput(
            "--view passes through as many numbers for one key as for another; write yaw=-20..20,zoom=1..1.2"
        )
    count = max(counts, default=1)
    keys = [
        View(**{_FIELDS[key]: numbers[index if len(numbers) > 1 else 0] for key, numbers in values.items()})
        for index in range(count)
    ]
    return keys[0] if count == 1 else ViewPath(tuple(keys))
