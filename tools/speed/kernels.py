"""The native kernels against the torch reference, in one process: encoding, field, a training step, an image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from talker.core.camera import rays_of_frames
from talker.core.types import Rays, Reporter, Take
from talker.projects.project import Project
from talker.radfield.backends import choose_kernels
from talker.radfield.encoding import spherical_harmonics
from talker.radfield.field import HIDDEN, Biases, HeadField
from talker.radfield.fit import Fitter, StepOptions, conditions_for
from talker.radfield.fit_take import FieldFitOptions, new_scene
from talker.radfield.kernels import Kernels
from talker.radfield.optimiser import Rates, SceneOptimiser
from talker.radfield.sampling import TakeTargets
from talker.radfield.scene import Scene
from talker.radfield.targets import PixelObjective
from talker.take.store import load_take
from tools.speed.report import Report, configuration
from tools.speed.subject import painted_take
from tools.speed.timing import Race, race

PAINTED_FRAMES = 40
SETTLING_STEPS = 130  # a loaded field's densities, which training rays stop by, are read anew at steps 96 and 128


@dataclass(frozen=True)
class Sizes:
    """How much work is timed. The defaults are what the figures are about."""

    points: int = 1 << 16  # points encoded, and samples of the field
    samples_a_ray: int = 16
    size_px: int = 256  # of the rendered image, a side
    fit_steps: int = 400  # of the field that is rendered, where no project is given
    repeats: int = 7  # of each piece of work; half as many of steps and renders
    fit: FieldFitOptions = field(default_factory=FieldFitOptions)  # the field, and the batch of a step


@dataclass(frozen=True)
class Row:
    key: str
    text: str
    least: float | None  # the issue's; None: it asks for none


ROWS = (
    Row("encode_fwd_x", "encode forward, 1 thread, CPU", 6.0),
    Row("encode_fwdbwd_x", "encode forward and backward, 1 thread, CPU", 6.0),
    Row("field_fwd_x", "field forward, 1 thread, CPU", 5.0),
    Row("field_fwdbwd_x", "field forward and backward, 1 thread, CPU", 3.5),
    Row("step_x", "the field's training step with marching, 2 threads", 5.0),
    Row("fit_step_x", "a fit's whole step: sampling, audio, torso too", None),
    Row("render_x", "render, converged field, 2 threads, wall", 12.0),
)


def measure(reporter: Reporter, project: Path | None = None, sizes: Sizes = Sizes()) -> Report:
    """Races all of it; with a project, steps and renders are those of its take and field.

    Raises:
        Missing: no native kernels on this machine.
    """
    both = {name: choose_kernels(name, reporter) for name in ("native", "torch")}
    reporter.progress("encoding and field", 0.0)
    races = _field_races(both, sizes)
    reporter.progress("a field to render", 0.0)
    take, scene = _converged(both["native"], project, sizes)
    reporter.progress("training steps", 0.0)
    races["step_x"] = _field_step_race(both, take, scene, sizes)
    races["fit_step_x"] = _fit_step_race(both, take, scene, sizes)
    reporter.progress("renders", 0.0)
    races["render_x"] = _render_race(both, take, scene, sizes)
    values = {row.key: round(races[row.key].ratio, 2) for row in ROWS}
    subject = f"{project}" if project else f"a painted egg, {sizes.fit_steps} steps"
    sized = f"{sizes.points} points; {sizes.size_px}x{sizes.size_px} px; steps and renders of {subject}"
    return Report(f"{configuration(scene.head.options)}\n{sized}", _table(races), values)


def _table(races: Mapping[str, Race]) -> list[str]:
    rows = [f"{'':<50}{'native ms':>11}{'torch ms':>11}{'ratio':>8}  at least"]
    for row in ROWS:
        one = races[row.key]
        verdict = "" if row.least is None else f"  {row.least:g} {'ok' if one.ratio >= row.least else 'short'}"
        times = f"{one.native_ms:>11.1f}{one.reference_ms:>11.1f}{one.ratio:>8.1f}"
        rows.append(f"{row.text:<50}{times}{verdict}")
    return rows


def _field_races(both: Mapping[str, Kernels], sizes: Sizes) -> dict[str, Race]:
    generator = torch.Generator().manual_seed(0)
    head = HeadField(sizes.fit.head, generator)
    rays, frames = sizes.points // sizes.samples_a_ray, sizes.fit.frames_per_step
    points = torch.rand(sizes.points, 3, generator=generator)
    d_encoded = torch.randn(sizes.points, head.shape.space.width, generator=generator)
    directions = torch.nn.functional.normalize(torch.randn(rays, 3, generator=generator), dim=-1)
    harmonics = spherical_harmonics(directions).contiguous()
    ray_of = torch.arange(rays, dtype=torch.int32).repeat_interleave(sizes.samples_a_ray)
    frame_of = torch.arange(rays, dtype=torch.int32) % frames
    biases = Biases(*(torch.zeros(frames, HIDDEN, requires_grad=True) for _ in range(3)))

    def encode(kernels: Kernels) -> torch.Tensor:
        return kernels.encode(head.shape.space, head.space_table, points)

    def evaluate(kernels: Kernels) -> torch.Tensor:
        found = kernels.evaluate(head.shape, head.weights, biases, points, harmonics, ray_of, frame_of)
        return found.sigmas.sum() + found.values.sum() + found.ambient.sum()

    def timed(work: Callable[[Kernels], object]) -> Race:
        return race({name: lambda k=k: work(k) for name, k in both.items()}, "cpu", 1, sizes.repeats)

    return {
        "encode_fwd_x": timed(torch.no_grad()(encode)),
        "encode_fwdbwd_x": timed(lambda kernels: encode(kernels).backward(d_encoded)),
        "field_fwd_x": timed(torch.no_grad()(evaluate)),
        "field_fwdbwd_x": timed(lambda kernels: evaluate(kernels).backward()),
    }


def _converged(kernels: Kernels, project: Path | None, sizes: Sizes) -> tuple[Take, Scene]:
    """A take and its field, whose empty space is known to be empty."""
    if project is None:
        take = painted_take(sizes.size_px, PAINTED_FRAMES)
        scene, steps = new_scene(take, sizes.fit, kernels), sizes.fit_steps
    else:
        opened = Project.open(project)
        take = load_take(opened.path("take"))
        scene, steps = Scene.load(opened.path("field") / "field.safetensors", kernels), SETTLING_STEPS
    fitter = Fitter(scene, take, max(steps, 1), [PixelObjective()])
    fitter.run(_targets(take, sizes), steps)
    return take, scene


def _targets(take: Take, sizes: Sizes) -> TakeTargets:
    return TakeTargets(take, sizes.fit.frames_per_step, sizes.fit.pixels_per_frame)


def _twins(both: Mapping[str, Kernels], scene: Scene) -> dict[str, Scene]:
    twins = {name: scene.copy().eval() for name in both}
    for name, twin in twins.items():
        twin.kernels = both[name]
    return twins


def _field_step_race(both: Mapping[str, Kernels], take: Take, scene: Scene, sizes: Sizes) -> Race:
    """March, evaluate, composite, shade, go back, step: one batch of rays over and over."""
    budget = StepOptions().samples
    batch = _targets(take, sizes).next_batch(0, torch.Generator().manual_seed(0))
    rays = rays_of_frames(take.camera(0), take.c2w[batch.frames], batch.pixels)
    frame_of = torch.arange(len(batch.frames), dtype=torch.int32).repeat_interleave(batch.pixels.shape[1])
    jitter = torch.full((len(frame_of),), 0.5)
    found = scene.kernels.march(rays, scene.occupancy, jitter).starts
    count = int((found <= budget).sum()) - 1  # rays of a step's samples
    rays, frame_of, jitter = Rays(rays.origins[:count], rays.directions[:count]), frame_of[:count], jitter[:count]
    wanted = batch.target.flatten(0, 1)[:count]
    with torch.no_grad():
        condition = conditions_for(scene, take, batch.frames)

    def step(scene: Scene, optimiser: SceneOptimiser) -> None:
        trace = scene.trace_head(rays, frame_of, condition, jitter)
        optimiser.zero_grad()
        (trace.rgb - wanted).square().mean().backward()
        optimiser.step(0.0)

    runners = {name: (twin, SceneOptimiser(twin, Rates())) for name, twin in _twins(both, scene).items()}
    work = {name: lambda runner=runner: step(*runner) for name, runner in runners.items()}
    return race(work, "wall", 2, sizes.repeats)


def _fit_step_race(both: Mapping[str, Kernels], take: Take, scene: Scene, sizes: Sizes) -> Race:
    targets = _targets(take, sizes)
    twins = _twins(both, scene)
    fitters = {name: Fitter(twin, take, 10_000, [PixelObjective()]) for name, twin in twins.items()}
    for fitter in fitters.values():
        fitter.run(targets, 1)  # it learns how many samples its rays have
    work = {name: lambda f=fitter: f.run(targets, f.step_count + 1) for name, fitter in fitters.items()}
    return race(work, "wall", 2, -(-sizes.repeats // 2))


def _render_race(both: Mapping[str, Kernels], take: Take, scene: Scene, sizes: Sizes) -> Race:
    camera, condition = take.camera(0), conditions_for(scene, take, [0])
    scale = sizes.size_px / camera.size_px[0]
    camera = replace(
        camera,
        focal_px=camera.focal_px * scale,
        centre_px=tuple(scale * c for c in camera.centre_px),
        size_px=(sizes.size_px, round(scale * camera.size_px[1])),
    )
    work = {name: lambda t=twin: t.render(camera, condition) for name, twin in _twins(both, scene).items()}
    return race(work, "wall", 2, -(-sizes.repeats // 2))
