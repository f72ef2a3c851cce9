"""The web page: static files that get their content from event streams."""

from __future__ import annotations

from hashlib import blake2s
from importlib import resources
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

_MEDIA_TYPES: Final = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "json": "application/json",
}


class PageFiles:
    """Routes for the page's files, which are kept in memory."""

    def __init__(self) -> None:
        folder = resources.files("debate_tui.server") / "static"
        self._files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
        self._etags = {name: _etag(data) for name, data in self._files.items()}

    async def redirect_to_debates(self, request: Request) -> Response:
        """Redirect to the list of debates."""
        return RedirectResponse("/debates", 307)

    async def page_file(self, request: Request) -> Response:
        """Return a file of the page; browsers may cache it but must revalidate."""
        name = request.path_params["name"]
        if name not in self._files or name.endswith(".html"):
            raise HTTPException(404, f"There is no {name!r} here.")
        if request.headers.get("if-none-match") == self._etags[name]:
            return Response(status_code=304, headers={"etag": self._etags[name]})
        return self._file_response(name, cacheable=True)

    async def openapi(self, request: Request) -> Response:
        """Return the OpenAPI description of the HTTP interface."""
        return self._file_response("openapi.json")

    def debates_page(self) -> Response:
        """Return the page with the list of debates."""
        return self._file_response("debates.html")

    def debate_page(self) -> Response:
        """Return the page for watching a debate."""
        return self._file_response("debate.html")

    def login_page(self, status: int = 200) -> Response:
        """Return the page for entering a token or using a link."""
        return self._file_response("enter.html", status)

    def _file_response(self, name: str, status: int = 200, *, cacheable: bool = False) -> Response:
        headers = {"cache-control": "no-store"}
        if cacheable:
            headers = {"cache-control": "no-cache", "etag": self._etags[name]}
        if name.endswith(".html"):
            headers["vary"] = "accept"
        media_type = _MEDIA_TYPES[name.rpartition(".")[2]]
        return Response(self._files[name], status, headers, media_type)


def _etag(data: bytes) -> str:
    return f'"{blake2s(data, digest_size=8).hexdigest()}"'
