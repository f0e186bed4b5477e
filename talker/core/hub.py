"""Models of the hub as local folders: downloaded once, or found, or missing in one line; no retries."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from talker.core.errors import BadInput, Missing
from talker.core.records import NoRecord, parse_record
from talker.core.text import path_of

T = TypeVar("T")

WANTED = ["*.json", "*.safetensors", "merges.txt", "vocab.txt"]  # nothing that would be unpickled
HUB_TIMEOUT_S = 5.0


def folder_or_name(
    model: str,
    flag: str,  # "--clip", for the message
    kind: str,  # "a CLIP model", for the message
) -> str:
    """A folder's absolute path, which holds wherever talker is called from next; or a hub name, as it is.

    BadInput for what can only be a path and is no folder.
    """
    folder = path_of(model).expanduser()
    if folder.is_dir():
        return str(folder.resolve())
    if model.startswith((".", "/", "~")):
        raise BadInput(f"{flag}: no such folder: {model}; give a folder with {kind}, or a hub name")
    return model


def is_folder(source: str) -> bool:
    """Whether that is what `folder_or_name` made of a folder."""
    return Path(source).is_absolute()


def read_config(path: Path, kind: type[T]) -> T:
    """What a file of a downloaded model says. BadInput when it does not."""
    try:
        return parse_record(path.read_bytes(), kind)
    except (OSError, NoRecord) as error:
        raise BadInput(f"{path} cannot be used ({error}); download the model again") from None


def is_here(model: str) -> bool:
    """Whether a hub model lies in the local cache; nothing is asked for."""
    from huggingface_hub import try_to_load_from_cache

    return any(isinstance(try_to_load_from_cache(model, name), str) for name in ("model_index.json", "config.json"))


def hub_folder(
    model: str,  # as "openai/clip-vit-large-patch14"
    purpose: str,  # "hubert": what it is wanted for, for the message
    way_out: str,  # what to do without it, for the message
) -> str:
    """The local folder of a hub model, downloaded when needed. Missing at once when the hub cannot be reached."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return snapshot_download(model, allow_patterns=WANTED, local_files_only=True)
    except (LocalEntryNotFoundError, HFValidationError):
        check_hub(model, purpose, way_out)
    with _hub_errors(model, purpose, way_out):
        return snapshot_download(model, allow_patterns=WANTED)


def check_hub(
    model: str,  # that is not on this machine
    purpose: str,  # as of `hub_folder`
    way_out: str,
) -> None:
    """Missing unless the hub gives a model: one short question instead of the libraries' retries."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import validate_repo_id

    with _hub_errors(model, purpose, way_out):
        validate_repo_id(model)
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        raise Missing(f"{model} is not on this machine and HF_HUB_OFFLINE forbids the hub; {way_out}")
    with _hub_errors(model, purpose, way_out):
        HfApi(endpoint=os.environ.get("HF_ENDPOINT")).model_info(model, timeout=HUB_TIMEOUT_S)


@contextmanager
def _hub_errors(model: str, purpose: str, way_out: str) -> Iterator[None]:
    """The hub's errors as Missing, in one line."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        yield
    except HFValidationError as error:
        raise Missing(f"{model} is neither a folder nor a model's name on the hub; {way_out}") from error
    except HfHubHTTPError as error:
        raise Missing(f"The hub does not give {model} for {purpose}; {way_out}") from error
    except Exception as error:  # requests, httpx and offline mode each have errors of their own
        raise Missing(f"The hub cannot be reached for {model}; {way_out}") from error


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keeps the libraries' progress bars and warnings from users, of those that are loaded: only the CLI prints."""
    logs = [import_module(f"{name}.utils.logging") for name in ("diffusers", "transformers") if name in sys.modules]
    levels = [(log, log.get_verbosity()) for log in logs]
    for log in logs:
        log.set_verbosity_error()
        log.disable_progress_bar()
    try:
        yield
    finally:
        for log, level in levels:
            log.set_verbosity(level)
            log.enable_progress_bar()
