"""Weights that nobody may ship with talker: found where torch.hub would have put them, or in a file that is named."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from talker.core.errors import BadInput, Missing, out_of_memory


def find_weights(
    named: Path | None,  # the file that the user gave
    usual: str,  # the file's name in torch.hub's folder
    flag: str,  # "--syncnet"
    way_out: str,  # where the file comes from
) -> Path:
    """The file. Missing when none was named and the usual one is not there; BadInput when the named one is not."""
    if named is not None:
        if not named.is_file():
            raise BadInput(f"{flag}: no such file: {named}; {way_out}")
        return named
    path = Path(torch.hub.get_dir()) / "checkpoints" / usual
    if not path.is_file():
        raise Missing(f"no weights at {path}; {way_out} (another place: {flag} FILE)")
    return path


def load_state(path: Path) -> dict[str, Tensor]:
    """A state dict from safetensors or a torch file, never unpickled as code; BadInput when it is neither."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # safetensors, zip files and the restricted unpickler each break in ways of their own
        raise out_of_memory(error) or BadInput(
            f"{path} holds no weights that can be read safely; download it again"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise BadInput(f"{path} holds no state dict; give the file with the weights themselves")
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def fill(
    network: torch.nn.Module,
    state: dict[str, Tensor],
    path: Path,  # for the message
    what: str,  # "SyncNet"
) -> None:
    """Load a state dict that must fit to the last tensor, and end training mode."""
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise out_of_memory(error) or BadInput(
            f"{path} does not hold the weights of {what}; download it again"
        ) from error
    network.eval().requires_grad_(False)
