"""Explanations of invalid values: where they are, what is wrong, and what would be valid.

Files, options and environment variables share these messages. They are separate from `toml` because most
files are valid, and start-up should not load this module.
"""

from __future__ import annotations

import contextlib
import re
import tomllib

from msgspec import inspect

from debate_tui.domain.errors import ConfigError

ValuePath = tuple[str | int | None, ...]
"""Keys and list indexes; `None` for the user-chosen name of a table, which msgspec omits."""

_PATH_SUFFIX = re.compile(r" - at `(?:key in )?\$(?P<path>.*)`$")
_PATH_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]|\[\.\.\.\]")
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)`")
_MISSING_FIELD = re.compile(r"Object missing required field `(.*)`")
_INVALID_ENUM = re.compile(r"Invalid enum value '(.*)'")
_SYNTAX_ERROR = re.compile(r"(?P<what>.*) \(at line (?P<line>\d+), column \d+\)$")
_NUMBER = r"(\S+?)(?:\.0)?(?=,|$)"
_BOUNDS = {
    " of length <= ": r" of at most \1 characters",
    " of length >= ": r" of at least \1 characters",
    " <= ": r" of at most \1",
    " >= ": r" of at least \1",
    " > ": r" above \1",
    " < ": r" below \1",
}
_TYPE_NAMES = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}
_TYPE_PATTERN = re.compile(rf"`(?P<names>(?:{'|'.join(_TYPE_NAMES)})(?: \| (?:{'|'.join(_TYPE_NAMES)}))*)`")


def syntax_error(problem: str, text: str, file_name: str) -> ConfigError:
    """Return the error for a message of `tomllib`; `file_name` names the file."""
    found = _SYNTAX_ERROR.match(problem)
    if found is None:
        last = len(text.splitlines()) or 1
        what = problem.removesuffix(" (at end of document)")
        return ConfigError(f"{file_name}:{last}: {what}", "The file is not valid TOML up to its end.")
    return ConfigError(f"{file_name}:{found['line']}: {found['what']}", "This line is not valid TOML.")


def mismatch_error(problem: str, text: str, type_: object, file_name: str) -> ConfigError:
    """Return the error for a message of msgspec about a TOML text, with the line and a hint."""
    path, problem = _split_location(problem)
    problem, hint = _explain(problem, type_, path, f"`{_last_key(path)}`" if path else "")
    return ConfigError(f"{file_name}:{_line_number(text, path)}: {problem}", hint)


def validation_error(problem: str, value: object, type_: object, subject: str) -> tuple[str, str]:
    """Return message and hint for a msgspec error about one value; `subject` names the value."""
    path, problem = _split_location(problem)
    for step in path:
        if step is not None:
            value = value[step]  # type: ignore[index]  # msgspec's paths lead through containers only
    if path:
        subject = f"{subject}: `{_last_key(path)}`"
    problem, hint = _explain(problem, type_, path, subject)
    if ": expected " in problem:
        problem = f"{problem.partition(', got ')[0]}, got `{value}`"
    return f"{problem}.", hint


def _split_location(problem: str) -> tuple[ValuePath, str]:
    """Split a msgspec message into a path and a problem; an unknown key becomes part of the path."""
    path: ValuePath = ()
    if at := _PATH_SUFFIX.search(problem):
        problem = problem[: at.start()]
        steps = _PATH_STEP.finditer(at["path"])
        path = tuple(int(step["index"]) if step["index"] else step["key"] for step in steps)
    unknown = _UNKNOWN_FIELD.match(problem)
    return ((*path, unknown[1]) if unknown else path), problem


def _explain(problem: str, type_: object, path: ValuePath, subject: str) -> tuple[str, str]:
    """Return the problem in plain words, and a hint."""
    whole = inspect.type_info(type_)
    if unknown := _UNKNOWN_FIELD.match(problem):
        known = [field.encode_name for field in getattr(_type_at(whole, path[:-1]), "fields", ())]
        return f"unknown key `{unknown[1]}`", _suggest_key(unknown[1], known)
    if missing := _MISSING_FIELD.match(problem):
        return f"the key `{missing[1]}` is missing", ""
    if invalid := _INVALID_ENUM.match(problem):
        known = [str(value) for value in getattr(_type_at(whole, path), "values", ()) if value != ""]
        return f"{subject} cannot be `{invalid[1]}`", _suggest_key(invalid[1], known)
    return f"{subject}: {_plain(problem)}" if subject else _plain(problem), ""


def _plain(problem: str) -> str:
    for bound, words in _BOUNDS.items():
        problem = re.sub(bound + _NUMBER, words, problem)
    problem = _TYPE_PATTERN.sub(_expected_types, problem)
    return problem[:1].lower() + problem[1:]


def _expected_types(found: re.Match[str]) -> str:
    names = found["names"].split(" | ")
    wanted = [name for name in names if name != "null"] or names
    return " or ".join(_TYPE_NAMES[name] for name in wanted)


def _last_key(path: ValuePath) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _suggest_key(wrong: str, known: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(wrong, known, n=1)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"Known here: {', '.join(known)}." if known else ""


def _type_at(type_: object, path: ValuePath) -> object:
    """Return the type expected at `path`, or `None`; in a union, that of the first choice with this path."""
    if (described := getattr(type_, "type", None)) is not None:  # an `Annotated` type
        return _type_at(described, path)
    if choices := getattr(type_, "types", ()):
        found = (_type_at(choice, path) for choice in choices)
        return next((choice for choice in found if choice is not None), None)
    if not path:
        return type_ if hasattr(type_, "fields") or hasattr(type_, "values") else None
    step, *rest = path
    if step is None:
        return _type_at(getattr(type_, "value_type", None), tuple(rest))
    if isinstance(step, int):
        return _type_at(getattr(type_, "item_type", None), tuple(rest))
    for field in getattr(type_, "fields", ()):
        if field.encode_name == step:
            return _type_at(field.type, tuple(rest))
    return None


def _line_number(text: str, path: ValuePath) -> int:
    """Return the number of the line that sets `path` or opens its table, counting from 1."""
    lines, key = text.splitlines(), _last_key(path)
    candidate = 0
    for number, line in enumerate(lines, 1):
        if key in line:
            candidate = candidate or number
        if candidate:
            with contextlib.suppress(tomllib.TOMLDecodeError):  # in the middle of a value
                if _has_path(tomllib.loads("\n".join(lines[:number])), path):
                    return candidate
                candidate = 0
    return 1


def _has_path(data: object, path: ValuePath) -> bool:
    if not path:
        return True
    step, rest = path[0], path[1:]
    if isinstance(data, dict):
        parts = list(data.values()) if step is None else [data[step]] if step in data else []
    else:
        parts = data[step : step + 1] if isinstance(data, list) and isinstance(step, int) else []
    return any(_has_path(part, rest) for part in parts)
