"""The studio's application: pages, files, orders, and the socket of the stage.

Every answer to the page is JSON or a file. What a user can mend is `{"error": line}`, the line that the command line
would say; what is a bug is logged, and the page is told so in one line.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from talker.api import commands
from talker.core.errors import BadInput, Conflict, OutOfMemory, mendable
from talker.core.records import NoRecord, json_text, parse_record
from talker.projects.names import edit_name
from talker.studio import project_views, uploads
from talker.studio.guard import REPORT_POLICY, Guard
from talker.studio.job_specs import command_of, shown
from talker.studio.jobs import Queue
from talker.studio.session import News, Session
from talker.studio.viewport import Viewport
from talker.studio.workspace import Workspace

PAGE = Path(__file__).parent / "page"
LONGEST_JSON = 64 * 1024
Handler = Callable[[Request], Awaitable[Response]]
_STATUS = {Conflict: 409, OutOfMemory: 503, uploads.TooSlow: 408}
_log = logging.getLogger("talker.studio")


class Answer(JSONResponse):
    """JSON that every browser reads, whatever the files are called and whatever was measured."""

    def render(self, content: Any) -> bytes:
        return json_text(content, None).encode()


class Studio:
    """What the routes share."""

    def __init__(self, workspace: Workspace, viewport: Viewport | None = None) -> None:
        uploads.forget_unfinished(workspace)
        project_views.forget_unfinished(workspace)
        self.workspace, self.news = workspace, News()
        self.viewport = viewport or Viewport(workspace)
        self.queue = Queue(workspace, self.news.tell)

    def close(self) -> None:
        self.queue.close()
        self.viewport.close()

    # ---------------------------------------------------------------- what there is

    async def contents(self, _request: Request) -> Response:
        facts = await run_in_threadpool(self.workspace.contents)
        return Answer({**facts, "jobs": self.queue.jobs()})

    async def words(self, _request: Request) -> Response:
        return Answer(project_views.words())

    async def speaker(self, request: Request) -> Response:
        project = self.workspace.project(request.path_params["project"])
        return Answer(await run_in_threadpool(self.viewport.facts, project))

    async def figures(self, request: Request) -> Response:
        project = self.workspace.project(request.path_params["project"])
        return Answer(await run_in_threadpool(project_views.figures, project))

    async def rounds(self, request: Request) -> Response:
        project = self.workspace.project(request.path_params["project"])
        return Answer(await run_in_threadpool(project_views.rounds, project, request.path_params["edit"]))

    async def preview(self, request: Request) -> Response:
        project = self.workspace.project(request.path_params["project"])
        return Answer(await run_in_threadpool(project_views.preview, project, request.path_params["name"]))

    async def thumbnail(self, request: Request) -> Response:
        project = self.workspace.project(request.path_params["project"])
        edit = request.query_params.get("edit")
        path = await run_in_threadpool(project_views.thumbnail, self.workspace, self.viewport, project, edit)
        return FileResponse(path)

    async def waveform(self, request: Request) -> Response:
        path = self.workspace.file(request.path_params["name"], "sound")
        return Answer(await run_in_threadpool(project_views.waveform, self.workspace, path))

    async def sound(self, request: Request) -> Response:
        path = self.workspace.file(request.path_params["name"], "sound")
        return FileResponse(await run_in_threadpool(project_views.as_wav, self.workspace, path), media_type="audio/wav")

    # ---------------------------------------------------------------- files

    async def file(self, request: Request) -> Response:
        path = self.workspace.served(request.path_params["path"])
        policy = {"Content-Security-Policy": REPORT_POLICY} if path.suffix.lower() == ".html" else None
        return FileResponse(path, headers=policy)

    async def check_page(self, request: Request) -> Response:
        video = self.workspace.file(request.path_params["name"], "video")
        path = self.workspace.check_page(video)
        if not path.is_file():
            raise BadInput(f"{video.name} has not been checked yet")
        return FileResponse(path, headers={"Content-Security-Policy": REPORT_POLICY})

    async def job_picture(self, request: Request) -> Response:
        path = self.queue.folder.file(request.path_params["number"], ".jpg")
        if not path.is_file():
            raise BadInput("Nothing can be seen of this job yet")
        return Response(path.read_bytes(), media_type="image/jpeg")

    async def upload(self, request: Request) -> Response:
        length = request.headers.get("content-length", "")
        announced = int(length) if length.isdecimal() else None
        name = request.query_params.get("name", "")
        path = await uploads.receive(self.workspace, name, announced, request.stream())
        return Answer({"name": path.name})

    # ---------------------------------------------------------------- orders

    async def ask(self, request: Request) -> Response:
        order = await _json(request)
        return Answer((await run_in_threadpool(self.queue.ask, order)).as_json())

    async def command(self, request: Request) -> Response:
        order = await _json(request)
        _, words = await run_in_threadpool(command_of, self.workspace, order)
        return Answer({"command": shown(words)})

    async def job(self, request: Request) -> Response:
        number = request.path_params["number"]
        change = self.queue.cancel if request.method == "DELETE" else self.queue.again
        return Answer((await run_in_threadpool(change, number)).as_json())

    async def understand(self, request: Request) -> Response:
        return Answer(await run_in_threadpool(project_views.understand, await _json(request)))

    async def edit(self, request: Request) -> Response:
        """Rename an edit, or remove one."""
        project, name = self.workspace.project(request.path_params["project"]), request.path_params["edit"]
        if request.method == "DELETE":
            done = await run_in_threadpool(lambda: commands.remove_edit(project, name, force=True))
        else:
            new = (await _json(request)).get("name")
            if not isinstance(new, str):
                raise BadInput("name is missing")
            done = await run_in_threadpool(commands.rename_edit, project, name, edit_name(new))
        return Answer({"text": done.text})

    async def socket(self, socket: WebSocket) -> None:
        await Session(socket, self.viewport, self.queue, self.news).run()


async def _json(request: Request) -> dict[str, Any]:
    """The request's object; a form of another site cannot be one."""
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise BadInput("The studio expects application/json")
    body = b""
    async for block in uploads.in_time(request.stream()):
        body += block
        if len(body) > LONGEST_JSON:
            raise BadInput("That is too long")
    try:
        return parse_record(body, dict[str, Any])
    except NoRecord as error:
        raise BadInput(f"The studio expects an object in JSON ({error})") from None


def answering(handler: Handler) -> Handler:
    """A handler whose errors are one line."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except ClientDisconnect:
            _log.warning("%s %s broke off; nothing of it was kept", request.method, request.url.path)
            return Response(status_code=499)  # which nobody hears
        except HTTPException:
            raise
        except Exception as error:
            known = mendable(error)
            if known is not None:
                # What still comes slowly is not waited for.
                headers = {"Connection": "close"} if isinstance(known, uploads.TooSlow) else None
                return Answer({"error": str(known)}, _STATUS.get(type(known), 400), headers)
            # A bug: the page is told in a line, the log has the rest, and the server stays.
            _log.exception("%s %s", request.method, request.url.path)
            return Answer({"error": "The studio made a mistake; where it was started it says which"}, 500)

    return answer


def application(studio: Studio, token: str | None = None) -> Guard:
    def route(path: str, handler: Handler, *methods: str) -> Route:
        return Route(path, answering(handler), methods=list(methods) or ["GET"])

    async def index(_request: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        studio.news.begin()
        yield

    routes = [
        Route("/", index),
        Mount("/page", StaticFiles(directory=PAGE)),
        route("/api/home", studio.contents),
        route("/api/words", studio.words),
        route("/api/understand", studio.understand, "POST"),
        route("/api/files", studio.upload, "PUT"),
        route("/api/jobs", studio.ask, "POST"),
        route("/api/command", studio.command, "POST"),
        route("/api/jobs/{number:int}", studio.job, "POST", "DELETE"),
        route("/api/jobs/{number:int}/picture", studio.job_picture),
        route("/api/checks/{name}", studio.check_page),
        route("/api/sounds/{name}", studio.waveform),
        route("/api/sounds/{name}/wav", studio.sound),
        route("/api/projects/{project}", studio.speaker),
        route("/api/projects/{project}/figures", studio.figures),
        route("/api/projects/{project}/thumbnail", studio.thumbnail),
        route("/api/projects/{project}/previews/{name}", studio.preview),
        route("/api/projects/{project}/edits/{edit}", studio.edit, "POST", "DELETE"),
        route("/api/projects/{project}/edits/{edit}/rounds", studio.rounds),
        route("/files/{path:path}", studio.file),
        WebSocketRoute("/stage", studio.socket),
    ]
    return Guard(Starlette(routes=routes, lifespan=lifespan), token)
