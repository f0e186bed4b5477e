from __future__ import annotations

import pytest
import torch

from talker.core.types import EditPlan, Silent
from talker.editors.editor import Editor, Masks
from talker.pdu.loop import run_pdu
from talker.pdu.store import EditStore

SIZE = (8, 8)
PLAN = EditPlan("brighter", seed=5, rounds=3, frames=4)
FRAMES = [2, 3, 5, 7]


class Killed(Exception):
    pass


class Brighten(Editor):
    """Adds an amount that grows with the guidance, and noise from the generator; dies at a given call."""

    name = "brighten"
    reads = frozenset({"rendered", "originals"})

    def __init__(self, dies_at: int | None = None):
        self.calls: list[tuple[float, int, int]] = []
        self.starts: list[float] = []
        self.originals: list[torch.Tensor] = []
        self.dies_at = dies_at

    def describe(self, instruction):
        return instruction

    def edit(self, request):
        if self.dies_at is not None and len(self.calls) == self.dies_at:
            raise Killed
        self.calls.append((request.text_guidance, request.steps, len(request.rendered)))
        self.starts.append(request.start)
        self.originals.append(request.originals)
        assert request.masks.alpha.shape == request.rendered.shape[:3] and request.noise is None
        noise = torch.rand(request.rendered.shape[1:], generator=request.generator)
        return (0.5 * request.rendered + 0.02 * request.text_guidance + 0.1 * noise).clamp(0, 1)


class ToyField:
    """A field that learns each frame's edit by heart when it is trained."""

    def __init__(self):
        self.images = {index: torch.full((*SIZE, 3), index / 20) for index in range(10)}
        self.trained: list[int] = []

    def train(self, store, turn):
        self.trained.append(turn.number)
        for index, round_number in turn.newest.items():
            self.images[index] = torch.from_numpy(store.read(round_number, index)).float() / 255


def masks_of(index):
    return Masks(torch.ones(1, *SIZE), torch.ones(1, *SIZE, dtype=torch.uint8))


def run(store, editor, field, batch_size=2, plan=PLAN):
    originals = ToyField()
    run_pdu(
        plan, editor, FRAMES, originals.images.__getitem__, lambda index: field.images[index], field.train, store,
        masks_of, Silent(), batch_size=batch_size,
    )  # fmt: skip


def results(store, rounds=3):
    return [store.read(r, index) for r in range(1, rounds + 1) for index in FRAMES]


def test_rounds_follow_the_schedule_and_see_the_training_before(tmp_path):
    store, editor, field = EditStore(tmp_path), Brighten(), ToyField()
    run(store, editor, field)
    assert editor.calls == [(g, s, 2) for g, s in ((3.0, 10), (4.5, 15), (6.0, 20)) for _ in range(2)]
    assert field.trained == [1, 2, 3]
    # Frame 2 begins at 0.1; each round halves what the field holds and adds: the rounds build on one another.
    noise = torch.rand((*SIZE, 3), generator=torch.Generator().manual_seed(PLAN.seed)) * 0.1
    expected = torch.full((*SIZE, 3), 0.1)
    for guidance in (3.0, 4.5, 6.0):
        expected = torch.round((0.5 * expected + 0.02 * guidance + noise) * 255) / 255
    assert torch.allclose(field.images[2], expected, atol=1.5 / 255)


@pytest.mark.parametrize("dies_at", [0, 1, 2, 3, 5])
def test_a_killed_edit_goes_on_where_it_was(tmp_path, dies_at):
    whole = EditStore(tmp_path / "whole")
    run(whole, Brighten(), ToyField())
    store, field = EditStore(tmp_path / "killed"), ToyField()
    with pytest.raises(Killed):
        run(store, Brighten(dies_at), field)
    before = {path: path.stat().st_mtime_ns for path in store.folder.rglob("*.png")}
    editor = Brighten()
    run(store, editor, field, batch_size=4)
    assert sum(count for _, _, count in editor.calls) == 3 * len(FRAMES) - 2 * dies_at
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert field.trained == [1, 2, 3]
    assert all((a == b).all() for a, b in zip(results(store), results(whole), strict=True))


def test_training_alone_is_redone_when_it_was_killed(tmp_path):
    store, field = EditStore(tmp_path), ToyField()
    kill = True

    def train(store, turn):
        if turn.number == 2 and kill:
            raise Killed
        field.train(store, turn)

    def go(editor):
        run_pdu(
            PLAN, editor, FRAMES, field.images.__getitem__, field.images.__getitem__, train, store, masks_of, Silent()
        )

    with pytest.raises(Killed):
        go(Brighten())
    kill = False
    editor = Brighten()
    go(editor)
    assert {call[0] for call in editor.calls} == {6.0}, "rounds 1 and 2 were edited already"
    assert field.trained == [1, 2, 3]


def test_only_what_the_editor_reads_is_rendered(tmp_path):
    class ReadsOriginals(Brighten):
        reads = frozenset({"originals"})

    def never(index):
        raise AssertionError("rendered for nobody")

    images = ToyField().images
    run_pdu(
        EditPlan("x", rounds=1), ReadsOriginals(), FRAMES, images.__getitem__, never, lambda store, turn: None,
        EditStore(tmp_path), masks_of, Silent(),
    )  # fmt: skip


def test_equal_frames_get_equal_edits_and_another_seed_another(tmp_path):
    store, field = EditStore(tmp_path / "a"), ToyField()
    field.images[3] = field.images[2].clone()
    run(store, Brighten(), field)
    assert (store.read(3, 2) == store.read(3, 3)).all()
    other = EditStore(tmp_path / "b")
    run(other, Brighten(), ToyField(), plan=EditPlan("brighter", seed=6))
    assert (other.read(3, 2) != store.read(3, 2)).any()


# -------------------------------------------------------------------- the other strategies

ITERATIVE = EditPlan("brighter", seed=5, rounds=3, frames=4, strategy="iterative")


def test_once_is_one_round_at_the_upper_ends(tmp_path):
    editor, field = Brighten(), ToyField()
    run(EditStore(tmp_path), editor, field, plan=EditPlan("brighter", rounds=3, strategy="once"))
    assert editor.calls == [(6.0, 20, 2)] * 2 and set(editor.starts) == {1.0}
    assert field.trained == [1]


def test_iterative_edits_one_at_a_time_from_a_random_start_under_the_original(tmp_path):
    store, editor, field = EditStore(tmp_path), Brighten(), ToyField()
    run(store, editor, field, plan=ITERATIVE)
    assert editor.calls == [(6.0, 20, 1)] * (3 * len(FRAMES)), "as many edits as progressive makes"
    assert field.trained == list(range(1, 13)), "training goes on after each"
    assert all(0.02 <= start <= 0.98 for start in editor.starts) and len(set(editor.starts)) == 12
    greys = [round(float(image.mean()) * 20) for image in editor.originals]
    assert all(sorted(greys[first : first + 4]) == FRAMES for first in (0, 4, 8)), "each round edits every frame once"
    assert greys[:4] != greys[4:8] or greys[4:8] != greys[8:], "in another order"


def test_iterative_trains_on_what_is_edited_so_far_and_on_originals(tmp_path):
    seen = []
    images = ToyField().images

    def train(store, turn):
        seen.append(sorted(turn.newest.values()))
        for index, round_number in turn.newest.items():
            assert store.read(round_number, index).shape == (*SIZE, 3)

    run_pdu(
        ITERATIVE, Brighten(), FRAMES, images.__getitem__, images.__getitem__, train, EditStore(tmp_path), masks_of,
        Silent(),
    )  # fmt: skip
    assert seen[:5] == [[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 2]]


@pytest.mark.parametrize("dies_at", [0, 2, 5, 11])
def test_a_killed_iterative_edit_ends_the_same_and_edits_nothing_twice(tmp_path, dies_at):
    whole = EditStore(tmp_path / "whole")
    run(whole, Brighten(), ToyField(), plan=ITERATIVE)
    store = EditStore(tmp_path / "killed")
    with pytest.raises(Killed):
        run(store, Brighten(dies_at), ToyField(), plan=ITERATIVE)
    # What the dead run had trained since its last round is lost; the toy field, too, begins where that round ended.
    field, editor = ToyField(), Brighten()
    for number in range(1, store.rounds_trained() + 1):
        for index in FRAMES:
            field.images[index] = torch.from_numpy(store.read(number, index)).float() / 255
    run(store, editor, field, plan=ITERATIVE)
    assert len(editor.calls) == 12 - dies_at
    assert all((a == b).all() for a, b in zip(results(store), results(whole), strict=True))


def test_an_editor_that_reads_renders_gets_the_originals_too_when_it_starts_from_them(tmp_path):
    class ReadsRenders(Brighten):
        reads = frozenset({"rendered"})

    iterative = ReadsRenders()
    field = ToyField()
    field.images = {index: torch.ones(*SIZE, 3) for index in range(10)}
    run(EditStore(tmp_path / "a"), iterative, field, plan=ITERATIVE)
    assert iterative.originals[0].mean() < 0.5, "not the field's own render, which is white"
