"""How browsers get in: with a token typed, or by a link that is good once, for a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct
from starlette.responses import RedirectResponse

from debate_tui.server import answers
from debate_tui.server.access import LOGIN_COOKIE, LOGIN_TTL_S, Role

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from debate_tui.server.access import AccessControl
    from debate_tui.server.pages import PageFiles


class LinkRequest(Struct, frozen=True, forbid_unknown_fields=True):
    role: Role = "viewer"


_decode_link_request = msgspec.json.Decoder(LinkRequest).decode


class LoginRoutes:
    """The routes that let browsers in.

    A link leads to a page with a button: what merely looks at links, such as a chat's preview, does not
    use them up.
    """

    def __init__(self, access: AccessControl, pages: PageFiles) -> None:
        self._access = access
        self._pages = pages

    async def login_form(self, request: Request) -> Response:
        """Ask for a token, or, with ``?code=``, whether to come in."""
        return self._pages.login_page()

    async def log_in(self, request: Request) -> Response:
        """Take a code or a token, and give a cookie for it."""
        fields = parse_qs((await answers.read_body(request)).decode("utf-8", "replace"))
        code, token = fields.get("code", [""])[0], fields.get("token", [""])[0]
        role = self._access.redeem_link(code) if code else self._access.role_of_token(token.strip())
        if role is None:
            return self._pages.login_page(403)
        response = RedirectResponse(_safe_redirect_path(fields.get("next", [""])[0]), 303)
        response.set_cookie(
            LOGIN_COOKIE,
            self._access.create_login_cookie(role),
            max_age=LOGIN_TTL_S,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response

    async def create_link(self, request: Request) -> Response:
        """A new one-time link, for the host to give away."""
        answers.require_host(request)
        link_request = await answers.read_json_body(request, _decode_link_request)
        code = self._access.create_link(link_request.role)
        return answers.json_response(
            {"link": str(request.url.replace(path="/enter", query=f"code={code}"))}, 201
        )


def _safe_redirect_path(path: str) -> str:
    """Where to go on: a path of ours, nowhere else."""
    return path if path.startswith("/debates") and "\\" not in path else "/"
