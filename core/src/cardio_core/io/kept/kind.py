"""One kind of file of a run directory: what it is for, what it holds, and how a wrong one is told.

Whoever reads a file reads it through its kind. The content comes back as dataclasses where its form
is one, else as it stands in the file, entries that this core does not know among it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from cardio_core.errors import DataError
from cardio_core.io.atomic import MOST_BYTES, read_json
from cardio_core.types.parsing.malformed import shown

LONGEST = 200
"""Characters of a name that becomes part of a path; file systems take 255 bytes."""


class Entries(BaseModel):
    """Named values of a file; more of them than are declared may stand there."""

    model_config = ConfigDict(
        extra="allow", strict=True, allow_inf_nan=False, defer_build=True, protected_namespaces=()
    )


def _name(text: str) -> str:
    if _strange(text) or any(one in text for one in "/\\"):
        raise PydanticCustomError("said", "a name without parts of a path")
    return text


def _place(text: str) -> str:
    parts = text.split("/")
    if "\\" in text or any(_strange(part) for part in parts):
        raise PydanticCustomError("said", "a place inside the folder")
    return text


def _strange(part: str) -> bool:
    return part in ("", ".", "..") or len(part) > LONGEST or not part.isprintable()


Name = Annotated[str, AfterValidator(_name)]
"""What a file or a folder is called after."""
Place = Annotated[str, AfterValidator(_place)]
"""A path relative to the folder, with slashes, that does not leave it."""
Count = Annotated[int, Field(ge=0, le=2**53)]
Seed = Annotated[int, Field(ge=0, le=2**63)]
Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes
    ----------
    what : str
        What it holds, in words: ``"what the run was"``.
    form : type
        Its content, as pydantic reads types.
    most_bytes : int
        Beyond it nothing is read.

    Examples
    --------
    >>> class Made(Entries):
    ...     n: Count
    >>> kind = Kind("how many there were", Made)
    >>> kind.check({"n": 3, "more": "than is known"}, Path("runs/a.json"))["n"]
    3
    >>> kind.check({"n": -3}, Path("runs/a.json"))
    Traceback (most recent call last):
    cardio_core.errors.DataError: a.json: expected a number of at least 0 ...
    """

    what: str
    form: Any
    most_bytes: int = MOST_BYTES

    @property
    def put_back(self) -> str:
        """What to do about a file that is wrong."""
        return f"the file ({self.what}) was changed or is damaged: put back a whole copy of it"

    @property
    def _built(self) -> bool:
        return is_dataclass(self.form) or any(map(is_dataclass, get_args(self.form)))

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        strict = ConfigDict(strict=True, allow_inf_nan=False)
        plain = not (isinstance(self.form, type) and issubclass(self.form, BaseModel))
        return TypeAdapter(self.form, config=strict if plain and not self._built else None)

    def read(self, path: Path) -> Any:
        """Return the content of a file of this kind.

        Raises
        ------
        DataError
            In one line: not there, no JSON, or with an entry that is missing, of another type, or
            beyond its limits.
        """
        return self.check(read_json(path, most_bytes=self.most_bytes), path)

    def read_or(self, path: Path, otherwise: Any) -> Any:
        """Return the content of a file that older runs do not have, or what stands for it."""
        return self.read(path) if path.is_file() else otherwise

    def check(self, content: Any, path: Path) -> Any:
        """Return the content of a file as this kind: of dataclasses built, else as it stands.

        Raises
        ------
        DataError
        """
        try:
            if not self._built:
                self._adapter.validate_python(content)
                return content
            # In strict mode only JSON turns lists into tuples and named values into dataclasses.
            return self._adapter.validate_json(json.dumps(content), strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
        except RecursionError:
            first = {"type": "said", "msg": "fewer levels", "loc": (), "input": content}
        expected = _expected(first)
        found = _found(first)
        raise DataError(
            f"{path.name}: expected {expected}{_where(first['loc'])}, found {found}; "
            f"{self.put_back}"
        )


_WORDS = {
    "string_type": "a text", "string_unicode": "a text", "int_type": "a whole number",
    "int_from_float": "a whole number", "float_type": "a number", "bool_type": "true or false",
    "list_type": "a list", "dict_type": "named values", "model_type": "named values",
    "model_attributes_type": "named values", "none_required": "nothing",
    "finite_number": "a finite number", "int_parsing_size": "a smaller number",
    "missing": "an entry", "tuple_type": "a list", "dataclass_type": "named values",
}  # fmt: skip


def _expected(error: Mapping[str, Any]) -> str:
    """Return what a fault of pydantic's had in mind, in words."""
    kind, limits = str(error["type"]), error.get("ctx") or {}
    if kind in _WORDS:
        return _WORDS[kind]
    if kind == "said":
        return str(error["msg"])
    if kind in ("greater_than_equal", "greater_than"):
        return f"a number {'of at least' if 'equal' in kind else 'above'} {_first(limits)}"
    if kind in ("less_than_equal", "less_than"):
        return f"a number {'of at most' if 'equal' in kind else 'below'} {_first(limits)}"
    if kind == "literal_error":
        return f"one of {limits.get('expected')}"
    if kind in ("too_short", "too_long"):
        least, most = limits.get("min_length"), limits.get("max_length")
        return f"{'at least' if kind == 'too_short' else 'at most'} {least or most} values"
    if kind == "string_pattern_mismatch":
        return "a text of another form"
    return "another value"


_ALTERNATIVES = {"str", "int", "float", "bool", "none"}
"""What pydantic puts into a place where a type is one of several."""


def _first(limits: Mapping[str, Any]) -> str:
    return next(f"{value:g}" for value in limits.values())


def _where(place: Sequence[object]) -> str:
    """Return a place as ``models[0].name``; of types that may be one or the other, none."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        elif str(part) in _ALTERNATIVES or "[" in str(part):
            continue
        else:
            text += f".{shown(part)[1:-1]}"
    text = text.removeprefix(".")
    return f" at {text}" if text else ""


def _found(error: Mapping[str, Any]) -> str:
    if error["type"] == "missing":
        return "none"
    value = error["input"]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return "a huge number" if abs(value) > 1e20 else f"{value}"
    words = {str: "another text", list: "a list", dict: "named values", type(None): "nothing"}
    said = words.get(type(value), "something else")
    return "a text" if said == "another text" and "text" not in _expected(error) else said
