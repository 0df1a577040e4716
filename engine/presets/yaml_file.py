"""Read a YAML preset into a pydantic model; say what is wrong: file, key, value, and what is allowed.

All problems of a file are found in one pass; the sentence names the first and counts the others.
"""

from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from engine.errors import NrxError

M = TypeVar("M", bound=BaseModel)

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader in C where PyYAML was built with it: ten times as fast."""
LARGEST_FILE_BYTES = 1_000_000
LONGEST_VALUE = 60


def read_preset(path: Path, model: type[M], *, called: str = "preset file") -> M:
    """Read `path` as YAML and check it against `model`; `called` is what people call such a file.

    Raises:
        NrxError: `preset.invalid`, naming file, key, value and what is allowed.
    """
    file = f"{called} {path}"
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise _invalid(file, f"is larger than {LARGEST_FILE_BYTES} bytes; a preset is a short text")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise _invalid(file, f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise _invalid(file, "is not text in UTF-8; save it as UTF-8") from error
    try:
        content = yaml.load(text, Loader=_LOADER)  # noqa: S506 - one of the two safe loaders
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise _invalid(file, f"is not valid YAML{where}: {problem}") from error
    if not isinstance(content, dict):
        raise _invalid(file, f"holds {_shown(content)}; a mapping of keys to values is wanted")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _invalid(file, describe(error, model)) from error


def describe(error: ValidationError, model: type[BaseModel]) -> str:
    """Return the sentence part for the first problem in `error`: key, value and what is allowed."""
    problems = error.errors(include_url=False)
    first = problems[0]
    key = ".".join(str(step) for step in first["loc"]) or "the file"
    kind, context = first["type"], first.get("ctx", {})
    if kind == "missing":
        text = f"lacks the key '{key}'"
    elif kind == "extra_forbidden":
        allowed = _keys_at(model, first["loc"][:-1])
        text = (
            f"has the unknown key '{key}' = {_shown(first['input'])}; allowed keys are {', '.join(allowed)}"
        )
    elif kind in {"literal_error", "enum"}:
        text = f"has '{key}' = {_shown(first['input'])}; allowed values are {context['expected']}"
    elif kind == "union_tag_invalid":
        chosen = f"{context['discriminator']} = {_shown(context['tag'])}"
        text = f"has '{key}' with {chosen}; allowed values are {context['expected_tags']}"
    else:
        message = (
            first["msg"].removeprefix("Value error, ").removeprefix("Input ").partition(", unable to ")[0]
        )
        text = f"has '{key}' = {_shown(first['input'])}; it {message}"
    more = len(problems) - 1
    return text + (f" (and {more} more problem{'s' if more > 1 else ''})" if more else "")


def _invalid(file: str, what: str) -> NrxError:
    return NrxError("preset.invalid", f"The {file} {what}.")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _keys_at(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """Return the keys allowed at `location` (pydantic's path, which also holds the tags of unions)."""
    candidates: list[Any] = [model]
    for step in location:
        candidates = [inner for candidate in candidates for inner in _descend(candidate, step)]
    keys = [name for candidate in candidates if _is_model(candidate) for name in candidate.model_fields]
    return sorted(set(keys))


def _descend(annotation: Any, step: int | str) -> list[Any]:
    if _is_model(annotation):
        fields = annotation.model_fields
        if step in fields:
            return _unwrapped(fields[step].annotation)
        tags = [get_args(f.annotation) for f in fields.values() if get_origin(f.annotation) is Literal]
        return [annotation] if (step,) in tags else []
    inner = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    return [each for argument in inner[-1:] for each in _unwrapped(argument)]


def _unwrapped(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _unwrapped(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return [inner for argument in get_args(annotation) for inner in _unwrapped(argument)]
    return [annotation]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
