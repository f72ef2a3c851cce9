"""The ``[recovery]`` table of the settings: retries, waits and timeouts, with their defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct, inspect

if TYPE_CHECKING:
    from collections.abc import Iterator

Seconds = Annotated[float, Meta(gt=0, extra={"unit": "s"})]


class RecoveryPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often, when and how long to retry. All times are in seconds."""

    max_retries: Annotated[
        int, Meta(ge=0, le=100, description="retries in a row before a debater is removed")
    ] = 5
    initial: Annotated[float, Meta(ge=0, description="wait before the first retry", extra={"unit": "s"})] = (
        1.0
    )
    multiplier: Annotated[float, Meta(ge=1, le=100, description="factor for each further wait")] = 2.0
    cap: Annotated[float, Meta(ge=0, description="longest wait, without jitter", extra={"unit": "s"})] = 30.0
    jitter: Annotated[float, Meta(ge=0, le=1, description="random share of a wait")] = 0.3
    max_retry_after: Annotated[
        float,
        Meta(
            ge=0,
            description="longest wait that a server may ask for",
            extra={"unit": "s"},
        ),
    ] = 120.0
    progress: Annotated[
        int,
        Meta(
            ge=1,
            description="new text after which retries count from 0 again",
            extra={"unit": "characters"},
        ),
    ] = 200
    connect_timeout: Annotated[Seconds, Meta(description="time to connect")] = 10.0
    first_byte_timeout: Annotated[Seconds, Meta(description="time to the first byte of an answer")] = 90.0
    silence_timeout: Annotated[Seconds, Meta(description="time without any data while an answer streams")] = (
        60.0
    )
    text_timeout: Annotated[
        Seconds, Meta(description="time without text, even if the server sends keep-alives")
    ] = 600.0


def recovery_defaults() -> Iterator[tuple[str, str, str]]:
    """Yield the name, the default with its unit, and the description of every recovery setting."""
    info = inspect.type_info(RecoveryPolicy)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        assert isinstance(field.type, inspect.Metadata)
        unit = (field.type.extra or {}).get("unit", "")
        about = (field.type.extra_json_schema or {})["description"]
        yield field.name, f"{field.default:g} {unit}".rstrip(), about
