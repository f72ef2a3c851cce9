"""The page: a few files, sent as they are; what they show comes as events."""

from __future__ import annotations

from hashlib import blake2s
from importlib import resources
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

_TYPES: Final = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "json": "application/json",
}


class Pages:
    """The routes of the page's files; all of them are in memory."""

    def __init__(self) -> None:
        folder = resources.files("debate_tui.server") / "page"
        self._files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
        self._tags = {name: _tag(data) for name, data in self._files.items()}

    async def start(self, request: Request) -> Response:
        """The start is the list of debates."""
        return RedirectResponse("/debates", 307)

    async def part(self, request: Request) -> Response:
        """A file of the page; it may be kept, but is asked for again."""
        name = request.path_params["name"]
        if name not in self._files or name.endswith(".html"):
            raise HTTPException(404, f"There is no {name!r} here.")
        if request.headers.get("if-none-match") == self._tags[name]:
            return Response(status_code=304, headers={"etag": self._tags[name]})
        return self._file(name, kept=True)

    async def interface(self, request: Request) -> Response:
        """The description of the HTTP interface."""
        return self._file("openapi.json")

    def debates(self) -> Response:
        """The list of debates."""
        return self._file("debates.html")

    def debate(self) -> Response:
        """A debate."""
        return self._file("debate.html")

    def entrance(self, status: int = 200) -> Response:
        """Where tokens are typed and links are used."""
        return self._file("enter.html", status)

    def _file(self, name: str, status: int = 200, *, kept: bool = False) -> Response:
        headers = {"cache-control": "no-store"}
        if kept:
            headers = {"cache-control": "no-cache", "etag": self._tags[name]}
        if name.endswith(".html"):
            headers["vary"] = "accept"
        media_type = _TYPES[name.rpartition(".")[2]]
        return Response(self._files[name], status, headers, media_type)


def _tag(data: bytes) -> str:
    return f'"{blake2s(data, digest_size=8).hexdigest()}"'
