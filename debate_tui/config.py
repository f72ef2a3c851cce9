"""Settings: options, environment and files become one frozen value; every path is defined here.

In order of priority: options on the command line, environment variables (``DEBATE_TUI_MODE``), the debate
file, the user's settings file, what was remembered from the last run, and the defaults.
"""

# Annotations are not strings here: msgspec would have to compile strings at start-up.
import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import platformdirs
from msgspec import Meta, Struct, field

from debate_tui.domain import formats, toml
from debate_tui.domain.debate import Format, ModelParameters
from debate_tui.domain.errors import ConfigError, UsageError
from debate_tui.domain.recovery_policy import RecoveryPolicy
from debate_tui.domain.text import decode_text

APP_NAME = "debate-tui"
ENVIRONMENT_PREFIX = "DEBATE_TUI_"

ModeName = Literal["synchronized", "staggered", "hybrid"]


class DebaterSettings(ModelParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[debater]]`` table of a file, or one ``-d`` option."""

    source: Annotated[str, Meta(description="where the words come from, as for -d")]
    name: Annotated[str, Meta(description="shown above the pane", max_length=40)] = ""
    side: Annotated[str, Meta(description="what is argued for; dealt out by the format if empty")] = ""
    persona: Annotated[str, Meta(description="how the debater speaks, told to the model")] = ""
    method: Annotated[Literal["GET", "POST"], Meta(description="how an SSE endpoint is asked for a turn")] = (
        "GET"
    )
    background: Annotated[
        bool, Meta(description="OpenAI only: run each turn in background mode, which resumes exactly")
    ] = False


class JudgeSettings(ModelParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[judge]]`` table of a file, for a judge with more settings than its source."""

    source: Annotated[str, Meta(description="where the judge's words come from, as for -d")]


class ModelPrice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The prices of a model: one ``[price."MODEL"]`` table."""

    input: Annotated[
        float, Meta(ge=0, description="of what is sent", extra={"unit": "US$ per million tokens"})
    ]
    output: Annotated[
        float, Meta(ge=0, description="of what is answered", extra={"unit": "US$ per million tokens"})
    ]
    cached: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        Meta(
            description="of what is sent and was in the provider's cache; without it, as `input`",
            extra={"unit": "US$ per million tokens"},
        ),
    ] = None


class ProviderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user-defined provider: one ``[provider.NAME]`` table, allowed only in the user's settings file.

    For a built-in provider, unset fields keep their built-in values.
    """

    base_url: Annotated[
        str | None, Meta(description="where the provider answers; its API's paths follow")
    ] = None
    api: Annotated[
        Literal["chat", "responses", "messages"] | None,
        Meta(description="the API it speaks; `chat` (Chat Completions) if not set"),
    ] = None
    key_env: Annotated[
        str | tuple[str, ...] | None, Meta(description="the variable that has the key, or several to look in")
    ] = None
    key_command: Annotated[
        str | None,
        Meta(description="a command that prints the key, run without a shell if no variable has it"),
    ] = None
    headers: Annotated[
        dict[str, str] | None,
        Meta(
            description="HTTP headers of each request; `{key}` stands for the key, which is sent only there"
        ),
    ] = None
    model: Annotated[str | None, Meta(description="the model for `-d NAME`; else the first it lists")] = None
    title: Annotated[str | None, Meta(description="what to call it; NAME if not set")] = None
    needs_key: Annotated[
        bool | None, Meta(description="whether it answers no one without a key; true if it has a key setting")
    ] = None
    effort_field: Annotated[
        str | None, Meta(description="the field that `effort` sets, if not the API's own: `thinking.type`")
    ] = None
    usage_option: Annotated[bool | None, Meta(description="false if it refuses `stream_options`")] = None
    replays: Annotated[
        bool | None, Meta(description="true for llama.cpp's server, which resumes broken streams")
    ] = None

    @property
    def fields(self) -> dict[str, object]:
        """The set fields by name, with `key_env` as a tuple."""
        names = self.__struct_fields__
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        return given | ({"key_env": (self.key_env,)} if isinstance(self.key_env, str) else {})


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings with their defaults; the descriptions make up the README's table."""

    topic: Annotated[str, Meta(description="the question or motion under debate")] = ""
    format: Annotated[
        str,
        Meta(description="how the debate is held; `oxford`, or `listen` if all debaters are plain endpoints"),
    ] = ""
    rounds: Annotated[
        int | None, Meta(description="rounds of each repeated phase, instead of the format's")
    ] = None
    mode: Annotated[ModeName, Meta(description="when text is painted")] = "hybrid"
    window: Annotated[
        int, Meta(ge=10, le=5000, description="interval between synchronized flushes", extra={"unit": "ms"})
    ] = 100
    max_chunks: Annotated[
        int, Meta(ge=1, description="pending chunks that bring a synchronized flush forward")
    ] = 1000
    high_mark: Annotated[
        int,
        Meta(ge=1, description="unpainted text at which a pane's reader waits", extra={"unit": "KiB"}),
    ] = 64
    low_mark: Annotated[
        int, Meta(ge=0, description="unpainted text at which it reads on", extra={"unit": "KiB"})
    ] = 32
    theme: Annotated[
        str, Meta(description="colours; one of the program's own, the user's, or Textual's themes")
    ] = ""
    ascii: Annotated[bool, Meta(description="draw icons and lines in ASCII only")] = False
    judge: Annotated[
        tuple[str | JudgeSettings, ...],
        Meta(description="sources that judge the debate, or `[[judge]]` tables"),
    ] = ()
    max_cost: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="begin no turn once this is spent", extra={"unit": "US$"}),
    ] = None
    max_tokens: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="begin no turn once so many were used, sent and answered"),
    ] = None
    record: Annotated[bool, Meta(description="keep the debate in the history")] = True
    http2: Annotated[
        Literal["off", "auto"], Meta(description="HTTP/2 for GET endpoints without credentials that offer it")
    ] = "off"
    recovery: Annotated[RecoveryPolicy, Meta(description="what is done when a stream breaks")] = field(
        default_factory=RecoveryPolicy
    )
    price: Annotated[
        dict[str, ModelPrice], Meta(description="prices of models, instead of the listed ones")
    ] = field(default_factory=dict)
    provider: Annotated[
        dict[str, ProviderSettings], Meta(description="providers of your own; in `config.toml` only")
    ] = field(default_factory=dict)
    debater: Annotated[tuple[DebaterSettings, ...], Meta(description="two to four debaters")] = ()


def config_folder() -> Path:
    """Return the folder for the user's ``config.toml``, ``formats/`` and ``themes/``."""
    return platformdirs.user_config_path(APP_NAME, appauthor=False)


def record_file() -> Path:
    """Return the SQLite file of all recorded debates; raise `ConfigError` if it is a symbolic link."""
    file = platformdirs.user_data_path(APP_NAME, appauthor=False) / "debates.sqlite3"
    if file.is_symlink():
        raise ConfigError(f"The record {file} is a symbolic link.", "Put the file it leads to in its place.")
    return file


def model_folder() -> Path:
    """Return the folder for downloaded models."""
    return platformdirs.user_data_path(APP_NAME, appauthor=False) / "models"


def state_file() -> Path:
    """Return the file that remembers the user's last choices."""
    return platformdirs.user_state_path(APP_NAME, appauthor=False) / "state.json"


class RememberedChoices(Struct, frozen=True, omit_defaults=True):
    """Choices remembered for the next run.

    Only `mode` and `theme` apply to every start; the others fill in the start screen.
    """

    mode: ModeName | None = None
    theme: str | None = None
    debaters: tuple[str, ...] | None = None
    format: str | None = None
    judges: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    personas: tuple[str, ...] | None = None


def load_remembered() -> RememberedChoices:
    """Read the remembered choices; all are unset if the file is missing or unreadable."""
    try:
        return msgspec.json.decode(state_file().read_bytes(), type=RememberedChoices)
    except (OSError, msgspec.DecodeError):
        return RememberedChoices()


def save_remembered(**chosen: str | tuple[str, ...] | None) -> None:
    """Remember choices for the next run; `None` forgets one. Errors while writing are ignored."""
    try:
        choice = msgspec.convert(chosen, RememberedChoices)
        new = msgspec.structs.replace(load_remembered(), **{key: getattr(choice, key) for key in chosen})
        write_private_file(state_file(), msgspec.json.encode(new))
    except OSError:
        return


def write_private_file(file: Path, data: bytes) -> None:
    """Write one of the program's own files, readable only by its owner.

    An existing file or symbolic link is replaced, never written to. Raise `OSError` if that fails.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
            written.write(data)
        partial.replace(file)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def load_settings(
    options: Mapping[str, object],
    *,
    debate_file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Combine all layers of settings; `options` holds only what was typed.

    Raise `ConfigError` for an invalid file or variable, `UsageError` for an invalid option.
    """
    chosen = load_remembered()
    layers: list[Mapping[str, object]] = [
        {key: value for key, value in (("mode", chosen.mode), ("theme", chosen.theme)) if value is not None}
    ]
    user_file = config_folder() / "config.toml"
    if user_file.exists():
        layers.append(_read_settings(user_file))
    if debate_file is not None:
        layers.append(_read_debate_file(debate_file))
    layers.append(dict(_environment_settings(environment)))
    layers.append(_check_options(options))
    settings = Settings()
    for layer in layers:
        settings = msgspec.structs.replace(settings, **layer)
    if settings.low_mark >= settings.high_mark:
        raise ConfigError(
            f"low_mark ({settings.low_mark} KiB) is not below high_mark ({settings.high_mark} KiB).",
            "A reader that waits at high_mark reads on at low_mark.",
        )
    return settings


def with_options(settings: Settings, options: Mapping[str, object]) -> Settings:
    """Return the settings with these options changed; raise `UsageError` if one is invalid."""
    return msgspec.structs.replace(settings, **_check_options(options))


def _read_text(file: Path) -> str:
    try:
        return decode_text(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"Cannot read {file}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is not a text file in UTF-8 or UTF-16.") from None


def _read_settings(file: Path) -> dict[str, object]:
    text = _read_text(file)
    settings = toml.decode_toml(text, Settings, file_name=str(file))
    return {key: getattr(settings, key) for key in tomllib.loads(text)}


def _read_debate_file(file: Path) -> dict[str, object]:
    """Read a debate file, which may come from anyone: it can run no command and send no key anywhere."""
    settings = _read_settings(file)
    if "provider" in settings:
        raise ConfigError(
            f"{file} has a [provider] table, which a debate file cannot have.",
            f"Move it to {config_folder() / 'config.toml'}.",
        )
    return settings


_COMPOUND_SETTINGS = ("judge", "recovery", "price", "provider", "debater")
"""Settings that cannot be set by an environment variable."""


def _environment_settings(environment: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    single = [name for name in Settings.__struct_fields__ if name not in _COMPOUND_SETTINGS]
    given = {name: value for name in single if (value := environment.get(ENVIRONMENT_PREFIX + name.upper()))}
    types = _setting_types() if given else {}
    for name, value in given.items():
        variable = ENVIRONMENT_PREFIX + name.upper()
        try:
            yield name, msgspec.convert(_normalise_switch(value), types[name], strict=False)
        except msgspec.ValidationError as error:
            from debate_tui.domain.toml_errors import validation_error

            raise ConfigError(*validation_error(str(error), value, types[name], variable)) from None


def _setting_types() -> dict[str, Any]:
    """Return the type of each setting; called only if there is something to check, because it is slow."""
    return {info.name: info.type for info in msgspec.structs.fields(Settings)}


def _normalise_switch(value: str) -> str:
    """Translate the usual spellings of a switch in a variable to those the decoder accepts."""
    return {"yes": "true", "on": "true", "no": "false"}.get(value.lower(), value)


def _check_options(options: Mapping[str, object]) -> dict[str, object]:
    checked: dict[str, object] = {}
    types = _setting_types() if options else {}
    for key, value in options.items():
        try:
            checked[key] = msgspec.convert(value, types[key])
        except msgspec.ValidationError as error:
            from debate_tui.domain.toml_errors import validation_error

            option = f"--{key.replace('_', '-')}"
            raise UsageError(*validation_error(str(error), value, types[key], option)) from None
    return checked


def find_format(name: str) -> Format:
    """Return a format by name: the user's own ``formats/NAME.toml``, or else a built-in one.

    Raise `ConfigError` for an invalid file, `UsageError` for an unknown name.
    """
    for folder in _format_folders():
        file = folder / f"{name}.toml"
        if name == Path(name).name and file.is_file():
            return formats.parse_format(_read_text(file), str(file))
    known = format_names()
    close = difflib.get_close_matches(name, known, n=1)
    raise UsageError(
        f"There is no format `{name}`.",
        f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known)}.",
    )


def format_names() -> list[str]:
    """Return the names of all formats, built-in and the user's own, in alphabetical order."""
    names = {
        file.name.removesuffix(".toml")
        for folder in _format_folders()
        if folder.is_dir()
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    }
    return sorted(names)


def _format_folders() -> tuple[Path, Path]:
    return config_folder() / "formats", Path(formats.__file__).parent
