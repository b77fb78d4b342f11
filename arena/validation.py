"""Settings from mappings: what is wrong in them is one line that names its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydantic

from arena.errors import InvalidValue, UnknownName


def validated(model: type[Any], values: Mapping[str, Any], where: str) -> Any:
    """Returns `model` made of `values`; raises UnknownName or InvalidValue, naming the key."""
    unknown = [key for key in values if key not in model.model_fields]
    if unknown:
        raise UnknownName(f"key of {where}", unknown[0], model.model_fields)
    try:
        return model.model_validate(dict(values))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ").replace("Input should be", "it should be")
        wrong = f"{key} = {first['input']!r}: " if key else ""
        raise InvalidValue(f"{where}: {wrong}{message}") from error
