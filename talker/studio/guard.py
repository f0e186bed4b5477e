"""Who may talk to the studio: this machine's own pages, or whoever knows the token.

A page of another site must not reach a studio on this machine through its visitor's browser: requests are refused
unless they name this studio as their host (against names that are made to lead here) and as their origin.

Whoever has the token sends it as `Authorization: Bearer`, or opens the page once with it in the address
(`/?token=...`). That one address answers with a cookie, which scripts cannot read and which is not the token itself,
and leads on at once to one without the token: it stays in no tab and reaches no other site, and the studio keeps no
log of addresses. No other address takes it.
"""

from __future__ import annotations

import hashlib
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "TALKER_TOKEN"  # of the environment: where the token is, unless it is given
LOOPBACK = ("localhost", "127.0.0.1", "::1")
SAFE = ("GET", "HEAD")
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'; form-action 'none'",
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
        self._invitations: set[str] = set()

    def invite(self) -> str:
        """What serves once in the token's place, as `/?once=...`: other users can read a browser's command line."""
        self._invitations.add(invitation := secrets.token_urlsafe(16))
        return invitation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = _credentials_in(scope)
        is_invited = self._is_invited(given)
        refusal = self._refusal(scope, headers, is_invited)
        if refusal is not None:
            await self._refuse(refusal, scope, receive, send)
            return
        if given:
            answer = RedirectResponse("/", 303, {**_HEADERS, "Cache-Control": "no-store"})
            if is_invited:  # not so with a stale address: the cookie that let it in stays
                answer.set_cookie(_cookie_of(headers), _kept(self._token), httponly=True, samesite="strict")
            await answer(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    kept.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers, is_invited: bool) -> str | None:
        host = headers.get("host", "")
        if self._token is None and _part(f"//{host}", "hostname") not in LOOPBACK:
            return "This studio answers to this machine only"
        origin = headers.get("origin")
        is_safe = scope["type"] == "http" and scope["method"] in SAFE
        if origin is not None and not is_safe and _part(origin, "netloc") != host:
            return "This studio answers to its own pages only"
        if not is_safe and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return "This studio answers to its own pages only"
        if self._token is not None and not is_invited and not self._knows_token(headers):
            return "This studio wants its token: open the address that it printed, or send Authorization: Bearer TOKEN"
        return None

    def _is_invited(self, given: dict[str, list[str]]) -> bool:
        """Whether an address lets its caller in; an invitation does so once."""
        invited = self._invitations.intersection(given.get("once", []))
        self._invitations -= invited
        return any(self._is_token(each.encode()) for each in given.get("token", [])) or bool(invited)

    def _knows_token(self, headers: Headers) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(_cookie_of(headers))
        except CookieError:
            cookie = None
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_token(token.strip().encode("latin-1")):
            return True
        return bool(self._token) and cookie is not None and _is_same(cookie.value.encode(), _kept(self._token).encode())

    def _is_token(self, given: bytes) -> bool:
        """An empty token lets nobody in, whatever the studio was started with."""
        return bool(self._token) and _is_same(given, self._token.encode())

    async def _refuse(self, words: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403})
            return
        await JSONResponse({"error": words}, 403)(scope, receive, send)


def _credentials_in(scope: Scope) -> dict[str, list[str]]:
    """What the address of the page, and no other, says to be let in by."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
        return {}
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return {name: query[name] for name in ("token", "once") if name in query}


def _kept(token: str) -> str:
    """What a cookie holds: in letters that every cookie takes, and of no use to learn the token from."""
    return hashlib.sha256(b"talker studio\0" + token.encode()).hexdigest()


_is_same = secrets.compare_digest


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
