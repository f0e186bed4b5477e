"""Scenes: what saving keeps, what zooming and backgrounds mean, and how far the torso follows."""

from dataclasses import replace

import pytest
import torch

from talker.core.camera import apply_view
from talker.core.errors import BadInput
from talker.core.types import Condition, View
from talker.radfield.audio_net import AudioNet, convolve
from talker.radfield.encoding import spherical_harmonics
from talker.radfield.field import evaluate_field, shade
from talker.radfield.fit import conditions_for
from talker.radfield.fit_take import new_scene
from talker.radfield.scene import Scene
from talker.radfield.torso import Torso, TorsoOptions, neck_anchors
from tests.radfield.conftest import SIZE, TINY_FIT, ball_camera


@pytest.fixture
def scene(ball_take, native) -> Scene:
    return new_scene(ball_take, TINY_FIT, native).eval()


@torch.no_grad()
def test_saving_and_copying_keep_the_picture_bit_for_bit(scene, ball_take, native, tmp_path):
    condition = conditions_for(scene, ball_take, [3])
    wanted = scene.render(ball_take.camera(3), condition).rgb
    scene.save(tmp_path / "field.safetensors")
    for twin in (Scene.load(tmp_path / "field.safetensors", native), scene.copy()):
        assert torch.equal(twin.render(ball_take.camera(3), conditions_for(twin, ball_take, [3])).rgb, wanted)


@torch.no_grad()
def test_a_loaded_scene_keeps_to_its_hull(scene, native, tmp_path):
    """Where no mask allows a head the density was never trained: an edit must not take it for fog."""
    scene.save(tmp_path / "field.safetensors")
    twin = Scene.load(tmp_path / "field.safetensors", native).copy()
    assert torch.equal(twin.occupancy.hull, scene.occupancy.hull) and not scene.occupancy.hull.all()
    twin.occupancy.update(torch.full((int(twin.occupancy.hull.sum()),), 100.0), step=96)
    assert torch.equal(twin.occupancy.occupied, scene.occupancy.hull)


def test_a_field_of_another_version_is_refused(scene, native, tmp_path, monkeypatch):
    monkeypatch.setattr("talker.radfield.scene.SCHEMA", 99)
    scene.save(tmp_path / "field.safetensors")
    monkeypatch.undo()
    with pytest.raises(BadInput, match="make it again"):
        Scene.load(tmp_path / "field.safetensors", native)


def test_a_damaged_file_is_one_sentence(native, tmp_path):
    path = tmp_path / "field.safetensors"
    path.write_bytes(b"\x10\x00\x00\x00nonsense")
    with pytest.raises(BadInput, match="make it again"):
        Scene.load(path, native)
    with pytest.raises(BadInput, match="make it again"):
        Scene.load(tmp_path / "missing.safetensors", native)


@torch.no_grad()
def test_a_copy_is_independent(scene):
    twin = scene.copy()
    twin.head.space_table.add_(1.0)
    twin.occupancy.density.add_(1.0)
    assert not torch.equal(twin.head.space_table, scene.head.space_table)
    assert scene.occupancy.density.max() == 0


@torch.no_grad()
def test_a_blend_lies_between_and_is_empty_only_where_both_are(scene, ball_take):
    other = scene.copy()
    with torch.no_grad():
        other.plate.add_(0.2)
        for parameter in other.head.parameters():
            parameter.mul_(1.1)
    first = torch.arange(len(scene.occupancy.occupied)) < 10
    scene.occupancy.set_occupied(first)
    other.occupancy.set_occupied(first.roll(5))
    half = scene.blended(other, 0.25)
    assert torch.allclose(half.plate, scene.plate + 0.05)
    for name, parameter in half.head.named_parameters():
        start = scene.head.get_parameter(name)
        assert torch.allclose(parameter, 1.025 * start, atol=1e-6), name
    assert torch.equal(half.occupancy.occupied, first | first.roll(5))
    assert torch.equal(half.torso_extent, scene.torso_extent)


def test_some_pixels_are_those_of_the_whole_picture(scene, ball_take):
    condition, camera = conditions_for(scene, ball_take, [0]), ball_take.camera(0)
    whole = scene.render(camera, condition)
    pixels = torch.tensor([[3, 30], [16, 16], [31, 0]])
    some = scene.render_pixels(camera, condition, pixels)
    assert torch.allclose(some.rgb, whole.rgb[pixels[:, 1], pixels[:, 0]], atol=1e-5)
    assert torch.allclose(some.alpha, whole.alpha[pixels[:, 1], pixels[:, 0]], atol=1e-5)


@torch.no_grad()
def test_an_empty_head_and_torso_show_the_background_wherever_the_view(scene, ball_take):
    scene.occupancy.set_occupied(torch.zeros_like(scene.occupancy.occupied))
    scene.torso_extent.zero_()
    green = torch.tensor([0.0, 1.0, 0.0]).expand(SIZE, SIZE, 3)
    condition = conditions_for(scene, ball_take, [0])
    for view in (View(), View(yaw_deg=20, zoom=1.3)):
        camera = apply_view(ball_take.camera(0), view)
        assert torch.equal(scene.render(camera, condition, background=green).rgb, green)
        assert torch.equal(scene.render(camera, condition).rgb, scene.plate)


@torch.no_grad()
def test_zoom_enlarges_the_torso_about_the_centre(scene, ball_take):
    camera = ball_take.camera(0)
    pixels = torch.tensor([[0, 0], [16, 31]])
    plain = scene._fitted_pixels(camera, pixels)
    assert torch.allclose(plain, pixels + 0.5)
    zoomed = scene._fitted_pixels(replace(camera, focal_px=camera.focal_px * 2), pixels)
    assert torch.allclose(zoomed, (plain - SIZE / 2) / 2 + SIZE / 2)


@torch.no_grad()
def test_a_larger_picture_is_the_same_picture(scene, ball_take):
    """Torso and plate at twice the size, shrunk again, are what they were."""
    scene.occupancy.set_occupied(torch.zeros_like(scene.occupancy.occupied))
    camera = ball_take.camera(0)
    twice = replace(camera, focal_px=camera.focal_px * 2, centre_px=(SIZE, SIZE), size_px=(2 * SIZE, 2 * SIZE))
    condition = conditions_for(scene, ball_take, [0])
    small = scene.render(camera, condition).rgb
    large = scene.render(twice, condition).rgb.reshape(SIZE, 2, SIZE, 2, 3).mean((1, 3))
    assert (small - large).abs().mean() < 0.02


def test_held_out_frames_have_no_frame_code(scene, ball_take):
    with torch.no_grad():
        scene.appearances.fill_(1.0)
    held = ball_take.held_out[0]
    codes = conditions_for(scene, ball_take, [held - 1, held]).appearance
    assert codes[0].min() == 1.0 and codes[1].abs().max() == 0.0


def test_neck_anchors_move_with_the_head():
    left, right = (neck_anchors(camera, camera.c2w[None])[0] for camera in (ball_camera(-20.0), ball_camera(20.0)))
    assert not torch.allclose(left, right, atol=1e-2)
    shifted = ball_camera(0.0)
    w2c = torch.linalg.inv(shifted.c2w)
    w2c[0, 3] += 0.5  # the head moves to the viewer's right
    before, moved = neck_anchors(shifted, torch.stack([shifted.c2w, torch.linalg.inv(w2c)]))
    assert (moved[0::2] > before[0::2]).all()


def test_poses_beyond_the_trained_ones_bend_the_torso_no_further(native):
    anchors = torch.tensor([[0.4, 0.8, 0.6, 0.8, 0.5, 0.9], [0.5, 0.8, 0.7, 0.8, 0.6, 0.9]])
    torso = Torso(TorsoOptions(4, 32, 10), anchors, torch.Generator().manual_seed(0))
    positions = torch.rand(5, 2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        edge = torso(positions, anchors[1].expand(5, -1), native)
        beyond = torso(positions, (anchors[1] + 0.2).expand(5, -1), native)
        inside = torso(positions, anchors[0].expand(5, -1), native)
    assert torch.equal(edge[0], beyond[0]) and not torch.equal(edge[0], inside[0])


def test_audio_convolution_is_torchs():
    net = AudioNet(5)
    hidden = torch.randn(3, 5, 16, generator=torch.Generator().manual_seed(0))
    for layer in net.window:
        assert torch.allclose(convolve(layer, hidden), layer(hidden), atol=1e-5)
        hidden = layer(hidden)


def test_attention_starts_on_the_frame_itself():
    torch.manual_seed(0)
    net = AudioNet(5)
    windows = torch.zeros(1, 8, 16, 5)
    base = net(windows)

    def moved(neighbour: int) -> float:
        changed = windows.clone()
        changed[0, neighbour] = 1.0
        return (net(changed) - base).norm().item()

    assert moved(4) > 2.0 * max(moved(k) for k in range(8) if k != 4)


@pytest.mark.parametrize("view_dependent", [False, True])
def test_light_is_the_takes_and_not_the_views(ball_take, reference, view_dependent):
    """With the head's pose in the take held, another camera changes no point's colour; RAD-NeRF's own would."""
    options = replace(TINY_FIT, head=replace(TINY_FIT.head, view_dependent=view_dependent))
    field = new_scene(ball_take, options, reference).head
    condition = Condition(torch.zeros(2, 64), torch.zeros(2, 3), torch.zeros(2, 4), ball_take.c2w[[0, 9]])
    points = torch.rand(20, 3, generator=torch.Generator().manual_seed(0))

    def colours(direction: list[float], frame: int) -> torch.Tensor:
        toward = torch.nn.functional.normalize(torch.tensor([direction]), dim=-1)
        harmonics, biases = spherical_harmonics(toward).expand(20, -1), field.biases(condition)
        ray_of, frame_of = torch.arange(20, dtype=torch.int32), torch.full((20,), frame, dtype=torch.int32)
        found = evaluate_field(field.shape, field.weights, biases, points, harmonics, ray_of, frame_of)
        return shade(field.shape, field.weights, biases, found.values, torch.ones(20), harmonics, frame_of)

    with torch.no_grad():
        front, side, other_pose = colours([0, 0, 1.0], 0), colours([0.5, 0, 1.0], 0), colours([0, 0, 1.0], 1)
    assert torch.equal(front, side) != view_dependent
    assert torch.equal(front, other_pose) == view_dependent
