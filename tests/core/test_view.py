"""Views and paths of views, as people write them."""

from __future__ import annotations

import pytest

from talker.core.errors import BadInput
from talker.core.types import View
from talker.core.view import ViewPath, parse_view, view_at


def test_views_are_read():
    assert parse_view("yaw=20, pitch=-5,roll=0,zoom=1.1") == View(20, -5, 0, 1.1)


def test_a_path_goes_through_its_keys():
    path = parse_view("yaw=-20..0..20,zoom=1..2..1.5,pitch=3")
    assert path == ViewPath((View(-20, 3, 0, 1), View(0, 3, 0, 2), View(20, 3, 0, 1.5)))
    assert (
        view_at(path, 0.0) == path.keys[0] and view_at(path, 0.5) == path.keys[1] and view_at(path, 1.0) == path.keys[2]
    )
    assert view_at(path, 0.25) == View(-10, 3, 0, 1.5)
    assert view_at(View(7), 0.3) == View(7)


@pytest.mark.parametrize(
    "text",
    ["", "yow=3", "yaw", "yaw=fast", "yaw=nan", "zoom=0", "yaw=120", "yaw=0..120", "yaw=1..", "yaw=0..1,zoom=1..2..3"],
)
def test_bad_views_are_refused(text):
    with pytest.raises(BadInput):
        parse_view(text)
