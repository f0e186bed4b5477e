"""The fitter: it learns, it repeats itself, it resumes, and it survives bad steps."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from talker.core.types import Silent
from talker.radfield.field import rows_of
from talker.radfield.fit import Fitter, conditions_for
from talker.radfield.fit_take import fit_scene, new_scene, resumed, save_checkpoint
from talker.radfield.optimiser import Rates, SceneOptimiser
from talker.radfield.sampling import MOUTH_LANDMARKS, GuidedObjective, LipTargets, TakeTargets, box_around
from talker.radfield.targets import Batch, PixelObjective
from tests.radfield.conftest import SIZE, TINY_FIT
from tests.threads import one_thread as one_thread  # it repeats itself bit for bit, too

pytestmark = pytest.mark.slow

SIZES = (TINY_FIT.frames_per_step, TINY_FIT.pixels_per_frame)


def test_fitting_beats_the_mean_frame_on_frames_never_seen(ball_take, native, tmp_path):
    scene = fit_scene(ball_take, replace(TINY_FIT, steps=200), native, Silent(), tmp_path)
    truth = torch.from_numpy(ball_take.frames[list(ball_take.held_out)]).float() / 255
    mean = torch.from_numpy(ball_take.frames[list(ball_take.training)]).float().mean(0) / 255
    with torch.no_grad():
        found = torch.stack(
            [scene.render(ball_take.camera(i), conditions_for(scene, ball_take, [i])).rgb for i in ball_take.held_out]
        )
    assert (found - truth).square().mean() < 0.5 * (mean - truth).square().mean()
    assert not (tmp_path / "checkpoint.tmp").exists()


def test_the_same_seed_gives_the_same_field(ball_take, native, tmp_path):
    first, second = (fit_scene(ball_take, TINY_FIT, native, Silent(), tmp_path / name) for name in "ab")
    for (name, a), b in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_an_onlooker_sees_the_field_grow_and_changes_nothing(ball_take, native, tmp_path, monkeypatch):
    class Watching(Silent):
        def __init__(self):
            self.pictures = []

        def picture(self, rgb):
            self.pictures.append(torch.from_numpy(rgb).float() / 255)

    monkeypatch.setattr("talker.radfield.fit_take.SHOWN_EVERY", 15)
    watching = Watching()
    seen, unseen = (
        fit_scene(ball_take, TINY_FIT, native, reporter, tmp_path / str(number))
        for number, reporter in enumerate((watching, Silent()))
    )
    for (name, a), b in zip(seen.state_dict().items(), unseen.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    truth = torch.from_numpy(ball_take.frames[len(ball_take.training) // 2]).float() / 255
    errors = [(picture - truth).square().mean() for picture in watching.pictures]
    assert len(errors) >= 2 and errors[-1] < errors[0]


def test_a_killed_fit_resumes_to_the_same_numbers(ball_take, native, tmp_path):
    def run(until: int, path=None) -> tuple[Fitter, TakeTargets]:
        targets = TakeTargets(ball_take, *SIZES)

        def fitter() -> Fitter:
            return Fitter(new_scene(ball_take, TINY_FIT, native), ball_take, 30, [GuidedObjective(targets)])

        made = resumed(fitter, targets, path, Silent()) if path else fitter()
        made.run(targets, until)
        return made, targets

    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(*run(17), path)
    found, guided = run(17, path)
    assert found.step_count == 17 and guided.errors.errors.max() > 0.0
    (found, guided), (wanted, guided_whole) = run(30, path), run(30)
    for name, tensor in wanted.tensors().items():
        assert torch.equal(found.tensors()[name], tensor), name
    assert torch.equal(guided.errors.errors, guided_whole.errors.errors)


@pytest.mark.parametrize("damage", ["half a file", "a part is missing"])
def test_from_a_damaged_checkpoint_a_fit_starts_over(ball_take, native, tmp_path, damage):
    def fitter() -> Fitter:
        return Fitter(new_scene(ball_take, TINY_FIT, native), ball_take, 5, [PixelObjective()])

    path = tmp_path / "checkpoint.safetensors"
    earlier, targets = fitter(), TakeTargets(ball_take, *SIZES)
    earlier.run(targets, 2)
    kept = {name: t.contiguous() for name, t in earlier.tensors().items() if not name.startswith("fitter/")}
    save_file(kept, path)
    if damage == "half a file":
        path.write_bytes(path.read_bytes()[:1000])
    notices: list[str] = []
    reporter = Silent()
    reporter.notice = notices.append
    found, fresh = resumed(fitter, targets, path, reporter).tensors(), fitter().tensors()
    assert "starting over" in notices[0]
    for name, wanted in fresh.items():
        assert torch.equal(found[name], wanted), name


class _NotFinite(PixelObjective):
    def __call__(self, rendered, batch):
        return rendered.sum() * float("nan")


def test_steps_that_are_not_finite_are_skipped_and_counted(ball_take, native):
    scene = new_scene(ball_take, TINY_FIT, native)
    before = scene.head.density_in.detach().clone()
    fitter = Fitter(scene, ball_take, 3, [_NotFinite()])
    fitter.run(TakeTargets(ball_take, *SIZES), 3)
    assert fitter.optimiser.skipped == 3
    assert torch.equal(scene.head.density_in, before)


def test_targets_that_are_already_met_change_nothing(ball_take, native):
    """The identity edit: training on the scene's own picture keeps it (but for the torso, which follows the plate)."""
    scene = new_scene(ball_take, TINY_FIT, native)

    class Own:
        def next_batch(self, step, generator):
            pixels = torch.arange(SIZE * SIZE)
            grid = torch.stack([pixels % SIZE, pixels // SIZE], dim=-1)[None]
            with torch.no_grad():
                image = scene.render(ball_take.camera(0), conditions_for(scene, ball_take, [0])).rgb
            return Batch([0], grid, image.reshape(1, -1, 3), (SIZE, SIZE))

    with torch.no_grad():
        before = scene.render(ball_take.camera(0), conditions_for(scene, ball_take, [0])).rgb
    Fitter(scene, ball_take, 10, [PixelObjective()], rates=Rates(table=1e-3, network=1e-4)).run(Own(), 10)
    with torch.no_grad():
        after = scene.render(ball_take.camera(0), conditions_for(scene, ball_take, [0])).rgb
    assert (after - before).abs().mean() < 0.02


def test_the_average_swaps_there_and_back(ball_take, native):
    scene = new_scene(ball_take, TINY_FIT, native)
    optimiser = SceneOptimiser(scene, Rates())
    with torch.no_grad():
        scene.head.density_in.add_(1.0)
    moved = scene.head.density_in.detach().clone()
    optimiser.swap_average()
    assert torch.allclose(scene.head.density_in, moved - 1.0, atol=1e-6)
    optimiser.swap_average()
    assert torch.equal(scene.head.density_in, moved)


def test_batches_fall_where_they_should(ball_take):
    batch = TakeTargets(ball_take, 2, 200).next_batch(0, torch.Generator().manual_seed(0))
    assert batch.pixels.shape == (2, 200, 2) and batch.pixels.min() >= 0 and batch.pixels.max() < SIZE
    assert all(frame in ball_take.training for frame in batch.frames)
    for slot, frame in enumerate(batch.frames):
        x, y = batch.pixels[slot].T
        wanted = torch.from_numpy(ball_take.frames[frame]).float()[y, x] / 255
        assert torch.equal(batch.target[slot], wanted)
    assert batch.first(50).pixels.shape == (2, 50, 2)
    assert torch.equal(batch.first(50).layers.head_alpha, batch.layers.head_alpha[:, :50])


def test_lip_patches_alternate_with_pixels_and_stay_whole(ball_take):
    targets, generator = LipTargets(TakeTargets(ball_take, 3, 64), 2), torch.Generator().manual_seed(0)
    patch, pixels = targets.next_batch(0, generator), targets.next_batch(1, generator)
    assert patch.patch == (8, 8) and pixels.patch is None
    assert patch.first(3) is patch
    left, top = box_around(ball_take, patch.frames[0], MOUTH_LANDMARKS, 4, 4)
    assert (patch.pixels[0].float().mean(0) - torch.tensor([left + 3.5, top + 3.5])).abs().max() <= 2


def test_what_frames_share_gets_the_same_gradient_every_time_on_any_number_of_threads():
    """Frames' rays lie one after the other: on three threads, two of them would add to one frame's row at once."""
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(16, 64, generator=generator, requires_grad=True)
    rows = torch.arange(16, dtype=torch.int32).repeat_interleave(200)
    weights = torch.randn(len(rows), 64, generator=generator)
    assert torch.equal(rows_of(table, rows), table[rows])
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        gradients = [torch.autograd.grad((rows_of(table, rows) * weights).sum(), table)[0] for _ in range(40)]
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(gradient, gradients[0]) for gradient in gradients)
