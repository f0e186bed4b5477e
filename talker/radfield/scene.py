"""A fitted speaker: the head field over the torso layer over the background plate.

`Scene` is the raw door, tensors in and tensors out; the friendly one is `talker.driving.render.Portrait`.
Notation: N rays, F frames, n pixels a frame, P pixels, H x W an image.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn import functional

from talker.core.camera import pixel_grid, rays_through
from talker.core.errors import BadInput
from talker.core.files import damaged, load_tensors_and_metadata, save_tensors, taken_from
from talker.core.records import NoRecord, Side, json_text, parse_record
from talker.core.types import Camera, Condition, Rays, Render
from talker.radfield.audio_net import AudioNet
from talker.radfield.encoding import spherical_harmonics
from talker.radfield.field import APPEARANCE, Biases, FieldOptions, HeadField, rows_of, shade
from talker.radfield.kernels import Kernels
from talker.radfield.occupancy import Occupancy
from talker.radfield.silhouette import silhouette
from talker.radfield.torso import Torso, TorsoOptions, neck_anchors
from talker.radfield.volume import Samples

SCHEMA = 4
TORSO_FAINT = 1.0 / 255.0


@dataclass(frozen=True)
class SceneOptions:
    """What a scene must know to be built before its parameters are loaded."""

    audio_encoder: str  # the encoder whose features drive it
    audio_channels: Annotated[int, Ge(1), Le(1 << 16)]  # C
    size_px: tuple[Side, Side]  # (width, height) that it was fitted at
    focal_px: float
    centre_px: tuple[float, float]
    frames: Annotated[int, Ge(1), Le(10**7)]  # frames of the take, each with an appearance code
    head: FieldOptions = field(default_factory=FieldOptions)
    torso: TorsoOptions = field(default_factory=TorsoOptions)


class HeadTrace(NamedTuple):
    """A differentiable rendering of the head along loose rays."""

    rgb: Tensor  # [N, 3] premultiplied
    alpha: Tensor  # [N]
    transmittance: Tensor  # [S] before each sample; no gradient
    sigmas: Tensor  # [S]
    ambient: Tensor  # [S, 2]
    samples: Samples


class Scene(nn.Module):
    def __init__(
        self,
        options: SceneOptions,
        anchors: Tensor,  # [B, 6] neck anchors of the training frames
        plate: Tensor,  # [H, W, 3] background
        torso_extent: Tensor,  # [H, W] bool: pixels that the torso ever covers
        kernels: Kernels,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.options, self.kernels = options, kernels
        with torch.random.fork_rng():  # torch.nn's own initialisers draw from the global generator
            torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
            self.audio_net = AudioNet(options.audio_channels)
        self.head = HeadField(options.head, generator)
        self.torso = Torso(options.torso, anchors, generator)
        self.plate = nn.Parameter(plate.clone())
        self.appearances = nn.Parameter(torch.zeros(options.frames, APPEARANCE))
        self.register_buffer("torso_extent", torso_extent)
        self.occupancy = Occupancy(options.head.occupancy, kernels.device)
        self.to(kernels.device)

    @property
    def device(self) -> torch.device:
        """Where the scene lives, and what it returns; what it is given it fetches."""
        return self.kernels.device

    def encode_audio(self, windows: Tensor) -> Tensor:
        """Audio codes [B, 64] of windows [B, 8, 16, C]."""
        return self.audio_net(windows.to(self.device))

    def _neck_anchors(self, condition: Condition) -> Tensor:
        """Where the necks of a condition's frames are, as the torso reads it: [F, 6]."""
        facts = self.options
        camera = Camera(condition.head_pose[0], facts.focal_px, facts.centre_px, facts.size_px)
        return neck_anchors(camera, condition.head_pose).to(self.device)

    # --- differentiable parts, for the fitter ---------------------------------------------------------------------

    def trace_head(
        self,
        rays: Rays,  # [N]
        frame_of: Tensor,  # [N] int32, into the condition's frames
        condition: Condition,  # F frames
        jitter: Tensor,  # [N] in [0, 1)
    ) -> HeadTrace:
        samples = self.kernels.march(rays, self.occupancy, jitter)
        harmonics = spherical_harmonics(rays.directions).contiguous()
        biases = self.head.biases(condition.to(self.device))
        found = self.kernels.evaluate(
            self.head.shape, self.head.weights, biases, samples.points, harmonics, samples.ray_of, frame_of
        )
        head = self.kernels.composite(found.sigmas, found.values, samples, rays)
        rgb = shade(self.head.shape, self.head.weights, biases, head.values, head.alpha, harmonics, frame_of)
        return HeadTrace(rgb, head.alpha, head.transmittance, found.sigmas, found.ambient, samples)

    def trace_torso(
        self,
        pixels: Tensor,  # [F, n, 2] at the fitted size
        condition: Condition,  # F frames
    ) -> tuple[Tensor, Tensor]:
        """Torso over plate [F, n, 3] and the torso's alpha [F, n], which is 0 where no torso ever comes."""
        frames, count = pixels.shape[:2]
        flat = pixels.flatten(0, 1)
        covered = self.torso_extent[flat[:, 1], flat[:, 0]].nonzero()[:, 0]
        anchors = self._neck_anchors(condition)[covered // count]
        rgb, alpha = self.torso((flat[covered] + 0.5) / self.options.size_px[0], anchors, self.kernels)
        plate = rows_of(self.plate.flatten(0, 1), flat[:, 1] * self.options.size_px[0] + flat[:, 0])
        behind = plate.index_copy(0, covered, torch.lerp(plate[covered], rgb, alpha[:, None]))
        alpha = torch.zeros_like(plate[:, 0]).index_copy(0, covered, alpha)
        return behind.reshape(frames, count, 3), alpha.reshape(frames, count)

    # --- images ---------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def render(
        self,
        camera: Camera,
        condition: Condition,  # one frame
        *,
        background: Tensor | None = None,  # [H, W, 3] at the camera's size; None: the scene's own plate
    ) -> Render:
        """A whole image at the camera's size."""
        width, height = camera.size_px
        flat = self.render_pixels(camera, condition, pixel_grid(camera.size_px, self.device), background=background)
        return Render(
            flat.rgb.reshape(height, width, 3), flat.alpha.reshape(height, width), flat.depth.reshape(height, width)
        )

    @torch.no_grad()
    def render_pixels(
        self,
        camera: Camera,
        condition: Condition,
        pixels: Tensor,  # [N, 2] int64 (x, y)
        *,
        background: Tensor | None = None,
    ) -> Render:
        """Some pixels of that image: fields [N, ...] in the pixels' order."""
        pixels, device = pixels.to(self.device), self.device
        flat = pixels[:, 1] * camera.size_px[0] + pixels[:, 0]
        plate = self._plate_at(camera) if background is None else background.to(device)
        rgb = plate.reshape(-1, 3).index_select(0, flat)
        alpha, clear, depth = (torch.full((len(flat),), start, device=device) for start in (0.0, 1.0, 0.0))
        met, head = self._render_head(camera, condition, pixels, flat)
        head_rgb, head_alpha, head_depth = head[:, :3], head[:, 3], head[:, 4]
        clear[met] -= head_alpha
        depth[met] = torch.where(head_alpha > 0.5, head_depth / head_alpha, 0.0)

        covered = (self._torso_extent_at(camera)[flat] & (clear > TORSO_FAINT)).nonzero()[:, 0]
        if len(covered):
            weights = self.torso.weights(self._neck_anchors(condition))
            positions = self._fitted_pixels(camera, pixels[covered]) / self.options.size_px[0]
            torso = self.kernels.paint_torso(self.torso.grid, weights, positions)
            rgb[covered] = torch.lerp(rgb[covered], torso[:, :3], torso[:, 3:])
            alpha[covered] = torso[:, 3]
        rgb[met] = torch.addcmul(head_rgb, rgb[met], clear[met, None])
        alpha[met] = torch.addcmul(head_alpha, alpha[met], clear[met])
        return Render(rgb.clamp_(0.0, 1.0), alpha, depth)

    def _render_head(self, camera: Camera, condition: Condition, pixels: Tensor, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Which of the pixels may meet the head [M], and their premultiplied rgb, alpha and depth [M, 5]."""
        field = self.head
        near = silhouette(camera, self.occupancy).flatten()[flat].nonzero()[:, 0]
        rays = rays_through(camera, pixels[near])
        biases = Biases(*(bias.contiguous() for bias in field.biases(condition.to(self.device))))
        return near, self.kernels.render(field.shape, field.weights, biases, rays, self.occupancy)

    def _plate_at(self, camera: Camera) -> Tensor:
        if camera.size_px == self.options.size_px:
            return self.plate
        width, height = camera.size_px
        image = self.plate.permute(2, 0, 1)[None]
        return functional.interpolate(image, (height, width), mode="bilinear", antialias=True)[0].permute(1, 2, 0)

    def _fitted_pixels(self, camera: Camera, pixels: Tensor) -> Tensor:
        """Where the centres of pixels [..., 2] lie in the fitted picture, in its pixels: size and zoom undone."""
        resized = camera.size_px[0] / self.options.size_px[0]
        zoom = camera.focal_px / (self.options.focal_px * resized)
        centre = torch.tensor(camera.centre_px).to(pixels.device)
        return ((pixels + 0.5 - centre) / zoom + centre) / resized

    def _torso_extent_at(self, camera: Camera) -> Tensor:
        """Whether the torso may cover each pixel of the camera: [H * W] bool."""
        longest = max(camera.size_px)
        places = (
            self._fitted_pixels(camera, torch.arange(longest, device=self.device)[:, None].expand(-1, 2)).floor().long()
        )
        sides = [places[:size, axis] for axis, size in enumerate(camera.size_px)]
        inside = [(place >= 0) & (place < size) for place, size in zip(sides, self.options.size_px, strict=True)]
        columns, rows = (place.clamp(0, size - 1) for place, size in zip(sides, self.options.size_px, strict=True))
        return (self.torso_extent[rows][:, columns] & inside[1][:, None] & inside[0]).flatten()

    # --- disk -----------------------------------------------------------------------------------------------------

    def tensors(self) -> dict[str, Tensor]:
        """Everything that makes the scene, named; parameters are detached."""
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}
        occupancy = {f"occupancy.{name}": getattr(self.occupancy, name).cpu() for name in ("occupied", "hull")}
        return {**state, **occupancy}

    def save(self, path: Path) -> None:
        metadata = {"schema": str(SCHEMA), "options": json_text(asdict(self.options), None)}
        save_tensors(path, self.tensors(), metadata)

    @classmethod
    def load(cls, path: Path, kernels: Kernels) -> Scene:
        """
        Raises:
            BadInput: the file is missing, damaged or of another version.
        """
        tensors, metadata = load_tensors_and_metadata(path)
        if metadata.get("schema") != str(SCHEMA):
            raise BadInput(
                f"{path} is of another version of talker; make it again (talker fit, or talker edit) with --force"
            )
        try:
            options = parse_record(metadata.get("options", ""), SceneOptions)
        except NoRecord as error:
            raise damaged(path, why=f"is damaged ({error})") from None
        with taken_from(path):
            occupied, hull = tensors.pop("occupancy.occupied"), tensors.pop("occupancy.hull")
            anchors, plate = tensors["torso.anchor_mean"][None], tensors["plate"]
            width, height = options.size_px
            if hull.numel() != options.head.occupancy**3 or plate.shape != (height, width, 3):
                raise ValueError("the options are those of another scene")
            scene = cls(options, anchors, plate, tensors["torso_extent"], kernels, torch.Generator())
            scene.load_state_dict(tensors)
            scene.occupancy.carve(hull)
            scene.occupancy.set_occupied(occupied)
        return scene.eval()

    def copy(self) -> Scene:
        """An independent scene with the same parameters: where an edit starts."""
        twin = Scene(
            self.options,
            self.torso.anchor_mean[None],
            self.plate.detach(),
            self.torso_extent,
            self.kernels,
            torch.Generator(),
        )
        twin.load_state_dict(self.state_dict())
        twin.occupancy.restore({name: tensor.clone() for name, tensor in self.occupancy.tensors().items()})
        return twin

    def blended(
        self,
        other: Scene,  # that was trained on from this one's parameters
        strength: float,  # 0: this scene, 1: the other
    ) -> Scene:
        """A scene part of the way to another: parameters lie on a line, and space is empty where both say so.

        An edit stays near the parameters that it started from, where fields half-way look like pictures half-way.
        """
        between, far = self.copy(), other.state_dict()
        near = self.state_dict()
        between.load_state_dict(
            {
                name: torch.lerp(tensor, far[name], strength) if tensor.is_floating_point() else tensor | far[name]
                for name, tensor in near.items()
            }
        )
        between.occupancy.hull = self.occupancy.hull | other.occupancy.hull
        between.occupancy.set_occupied(self.occupancy.occupied | other.occupancy.occupied)
        return between.eval()


def plate_tensor(plate: np.ndarray) -> Tensor:
    """[H, W, 3] uint8 to float in [0, 1]."""
    return torch.from_numpy(plate.astype(np.float32) / 255.0)
