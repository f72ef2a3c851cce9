"""The models a server lists: https://platform.openai.com/docs/api-reference/models/list."""

from __future__ import annotations

import msgspec
from msgspec import Struct


class _ListedModel(Struct):
    id: str


class _ModelList(Struct):
    data: tuple[_ListedModel, ...] | None = None


# Made here once: several threads decode with it at the same time, and may not be the first to use the struct.
_model_list_decoder = msgspec.json.Decoder(_ModelList)


def parse_chat_models(body: bytes) -> tuple[str, ...]:
    """The ids of those that can hold a conversation; none where the body is no such list."""
    try:
        listed = _model_list_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    return tuple(model.id for model in listed.data or () if "embed" not in model.id.lower())
