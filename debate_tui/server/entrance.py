"""How browsers get in: with a token typed, or by a link that is good once, for a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct
from starlette.responses import RedirectResponse

from debate_tui.server import answers
from debate_tui.server.access import COOKIE, PASS_S, Role

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from debate_tui.server.access import Access
    from debate_tui.server.pages import Pages


class _Link(Struct, frozen=True, forbid_unknown_fields=True):
    role: Role = "viewer"


_link = msgspec.json.Decoder(_Link).decode


class Entrance:
    """The routes that let browsers in.

    A link leads to a page with a button: what merely looks at links, such as a chat's preview, does not
    use them up.
    """

    def __init__(self, access: Access, pages: Pages) -> None:
        self._access = access
        self._pages = pages

    async def form(self, request: Request) -> Response:
        """Ask for a token, or, with ``?code=``, whether to come in."""
        return self._pages.entrance()

    async def enter(self, request: Request) -> Response:
        """Take a code or a token, and give a cookie for it."""
        given = parse_qs((await answers.received(request)).decode("utf-8", "replace"))
        code, token = given.get("code", [""])[0], given.get("token", [""])[0]
        role = self._access.redeem(code) if code else self._access.role_of(token.strip())
        if role is None:
            return self._pages.entrance(403)
        answer = RedirectResponse(_path(given.get("next", [""])[0]), 303)
        answer.set_cookie(
            COOKIE,
            self._access.cookie(role),
            max_age=PASS_S,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    async def new_link(self, request: Request) -> Response:
        """A new one-time link, for the host to give away."""
        answers.need_host(request)
        asked = await answers.body(request, _link)
        code = self._access.link(asked.role)
        return answers.json({"link": str(request.url.replace(path="/enter", query=f"code={code}"))}, 201)


def _path(given: str) -> str:
    """Where to go on: a path of ours, nowhere else."""
    return given if given.startswith("/debates") and "\\" not in given else "/"
