"""Opening a studio: where it listens, who may come in, and its end."""

from __future__ import annotations

import os
import secrets
import socket
import webbrowser
from pathlib import Path
from urllib.parse import quote

from talker.core.errors import BadInput, Missing
from talker.core.locks import held
from talker.core.text import text_of
from talker.core.types import Reporter
from talker.projects.project import MANIFEST
from talker.studio.guard import LOOPBACK, TOKEN
from talker.studio.workspace import Workspace

try:
    import uvicorn

    from talker.studio.app import Studio, application
except ImportError as error:  # pragma: no cover
    raise Missing(f"The studio needs {error.name}; pip install -c constraints.txt '.[studio]'") from None

SHORTEST_TOKEN = 8
LARGEST_MESSAGE = 1 << 20  # from a page
_PATIENCE_S = 2  # for pages to leave


def serve(
    folder: Path,
    *,
    port: int,  # 0: any that is free
    host: str,
    token: str | None,  # None: $TALKER_TOKEN, or no token at all
    opens: bool,  # in this machine's browser
    reporter: Reporter,
) -> str:
    """Serve until Ctrl-C; returns a line for people."""
    if token is None and TOKEN in os.environ:
        token = text_of(os.environ[TOKEN])
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder; give the one with your videos and projects")
    if (folder / MANIFEST).is_file():
        folder = folder.resolve().parent  # a project is opened from the folder that it lies in
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise BadInput(f"--token or ${TOKEN} has fewer than {SHORTEST_TOKEN} letters; choose a longer one")
    if host not in LOOPBACK:
        if token is None:
            raise BadInput(
                f"--host {host} opens the studio to other machines: everybody who reaches it could see, change and use "
                f"what is in {folder}. Set ${TOKEN}, or --token, to a secret, for example {secrets.token_urlsafe(12)}"
            )
        reporter.notice(
            f"whoever knows the token can see, add and change what is in {folder.resolve()}, over plain HTTP"
        )
    workspace = Workspace(folder)
    workspace.make_own()
    with held(workspace.kept("lock"), f"in {workspace.root} (a studio)"), _listening(host, port) as listener:
        studio = Studio(workspace)
        try:
            guarded, address = application(studio, token), _address(listener, host)
            query = f"?token={quote(token)}" if token else ""
            reporter.notice(f"the studio of {workspace.root} is at {address}{query} (Ctrl-C closes it)")
            if opens:
                webbrowser.open(f"{address}?once={guarded.invite()}" if token else address)
            config = uvicorn.Config(
                guarded,
                log_level="warning",
                access_log=False,  # which would hold tokens
                ws="websockets-sansio",
                ws_max_size=LARGEST_MESSAGE,
                ws_per_message_deflate=False,  # JPEGs are deflated already
                timeout_graceful_shutdown=_PATIENCE_S,
            )
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            pass
        finally:
            studio.close()
    return "The studio is closed; what it was at goes on when it is opened again"


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # from here on nobody who comes is turned away
    except (OSError, OverflowError) as error:
        listener.close()
        why = getattr(error, "strerror", None) or str(error)
        raise BadInput(f"The studio cannot listen at {host}, port {port} ({why}); choose another --port") from None
    return listener


def _address(listener: socket.socket, host: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}/"
