"""Who may talk to the studio: this machine's own pages, or whoever knows the token.

A page of another site must not reach a studio on this machine through its visitor's browser: requests are refused
unless they name this studio as their host (against names that are made to lead here) and as their origin. The token
comes once in the address (`/?token=...`) and lives on in a cookie that scripts cannot read.
"""

from __future__ import annotations

import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SAFE = ("GET", "HEAD")
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; frame-ancestors 'self'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
# A page that `talker check` wrote: its style and pictures are in it, and nothing in it runs.
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"


class Guard:
    """ASGI, around the whole application."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await self._refuse(refusal, scope, receive, send)
            return
        given = _tokens_in(scope)
        if given and scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == "/":
            answer = RedirectResponse("/", 303)  # out of the address, into a cookie
            if any(map(self._is_token, given)):  # not so a stale address: the cookie that let it in stays
                answer.set_cookie(_cookie_of(headers), self._token, httponly=True, samesite="strict")
            await answer(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    kept.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if self._token is None and _part(f"//{host}", "hostname") not in LOOPBACK:
            return "This studio answers to this machine only"
        origin = headers.get("origin")
        is_safe = scope["type"] == "http" and scope["method"] in SAFE
        if origin is not None and not is_safe and _part(origin, "netloc") != host:
            return "This studio answers to its own pages only"
        if not is_safe and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return "This studio answers to its own pages only"
        if self._token is not None and not self._knows_token(scope, headers):
            return "This studio wants its token: open the address that it printed"
        return None

    def _knows_token(self, scope: Scope, headers: Headers) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(_cookie_of(headers))
        except CookieError:
            cookie = None
        return any(map(self._is_token, [*_tokens_in(scope), *([cookie.value] if cookie else [])]))

    def _is_token(self, given: str) -> bool:
        """An empty token lets nobody in, whatever the studio was started with."""
        return bool(self._token) and secrets.compare_digest(given.encode(), self._token.encode())

    async def _refuse(self, words: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403})
            return
        await JSONResponse({"error": words}, 403)(scope, receive, send)


def _tokens_in(scope: Scope) -> list[str]:
    return parse_qs(scope["query_string"].decode("latin-1")).get("token", [])


def _cookie_of(headers: Headers) -> str:
    """Browsers keep one jar for all ports of a machine: each studio has a name of its own in it."""
    port = headers.get("host", "").rpartition(":")[2]
    return f"talker-studio-{port}" if port.isdecimal() else "talker-studio"


def _part(address: str, name: Literal["hostname", "netloc"]) -> str | None:
    """Of an address; None where it is none."""
    try:
        return getattr(urlsplit(address), name)
    except ValueError:
        return None
