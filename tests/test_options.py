"""The options of a backend: checked at once, told in our words, and never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator

from pipestat_spec.configuration import parse_config
from pipestat_spec.errors import MissingConfigDataError
from pipestat_spec.models.config import Config
from pipestat_spec.opening import open_store
from pipestat_spec.options import Options, parse_options


class Inner(BaseModel, extra="forbid"):
    depth: int = 0


class Example(Options):
    url: str
    token: SecretStr | None = None
    retries: int = Field(4, ge=0, lt=20)
    patience: float = Field(1.0, gt=0, le=60)
    verify: bool = True
    mode: Literal["fast", "safe"] = "fast"
    name: str | None = Field(None, alias="schema", min_length=2, max_length=3)
    inner: Inner | None = None
    places: list[str] = Field(default_factory=list)
    number: UUID | None = None

    @field_validator("url")
    @classmethod
    def _with_host(cls, url: str) -> str:
        if "://" not in url:
            raise ValueError("no host is named; write SCHEME://HOST")
        return url


def lines(section: dict[str, Any]) -> list[str]:
    with pytest.raises(MissingConfigDataError) as caught:
        parse_options(Example, {"url": "x://y", **section}, "mine", "c.yaml")
    return caught.value.problems


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ({"tokne": "hunter2"}, "unknown key 'mine.tokne'; did you mean 'token'?"),
        ({"schem": "ab"}, "unknown key 'mine.schem'; did you mean 'schema'?"),
        ({"zzz": 1}, "unknown key 'mine.zzz'; known keys are url, token, retries, patience, ver"),
        ({"token": 7}, "mine.token: the value is not a string"),
        ({"retries": "many"}, "mine.retries: the value is not an integer"),
        ({"retries": 2.5}, "mine.retries: the value is not an integer"),
        ({"retries": None}, "mine.retries: the value is not an integer"),
        ({"retries": -1}, "mine.retries: the value is not at least 0"),
        ({"retries": 20}, "mine.retries: the value is not less than 20"),
        ({"patience": "long"}, "mine.patience: the value is not a number"),
        ({"patience": 0}, "mine.patience: the value is not greater than 0"),
        ({"patience": 61}, "mine.patience: the value is not at most 60"),
        ({"verify": "perhaps"}, "mine.verify: the value is not true or false"),
        ({"mode": "slow"}, "mine.mode: the value is not one of 'fast' or 'safe'"),
        ({"schema": "a"}, "mine.schema: the value is not a string with 2 or more characters"),
        ({"schema": "abcd"}, "mine.schema: the value is not a string with 3 or fewer characters"),
        ({"inner": 3}, "mine.inner: the value is not an object"),
        ({"inner": {"dept": 1}}, "unknown key 'mine.inner.dept'; remove it"),
        ({"places": "here"}, "mine.places: the value is not an array"),
        ({"places": ["a", 1]}, "mine.places.1: the value is not a string"),
        ({"url": "here"}, "mine.url: no host is named; write SCHEME://HOST"),
        ({"number": "hunter2"}, "mine.number: "),
    ],
)
def test_what_is_wrong_is_told_in_our_words(section: dict[str, Any], line: str) -> None:
    (told,) = lines(section)
    assert told.startswith(f"c.yaml: {line}")
    assert "hunter2" not in told


def test_every_problem_is_told() -> None:
    with pytest.raises(MissingConfigDataError) as caught:
        parse_options(Example, {"tokne": "hunter2", "retries": "hunter2"}, "mine", "c.yaml")
    told = caught.value.problems
    assert len(told) == 3
    assert "c.yaml: the key 'mine.url' is missing" in told
    assert all(line in str(caught.value) for line in told)
    assert "hunter2" not in str(caught.value)


def test_texts_of_numbers_are_numbers() -> None:
    options = parse_options(Example, {"url": "x://y", "retries": "3", "verify": "no"}, "mine", "c")
    assert (options.retries, options.verify) == (3, False)
    with pytest.raises(ValidationError):
        options.retries = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (
            {"pephub_path": "a/b:c", "pephub": {"tokne": "hunter2"}},
            "unknown key 'pephub.tokne'; did you mean 'token'?",
        ),
        (
            {"pephub_path": "a/b:c", "pephub": {"verify": True}},
            "pephub.verify: certificates are always verified; give a file of certificates",
        ),
        (
            {"database": {"sqlite_url": "r.db"}, "backend": "sql", "sql": {"pool": 3}},
            "unknown key 'sql.pool'; did you mean 'pool_size'?",
        ),
        (
            {"database": {"sqlite_url": "r.db"}, "backend": "sql", "sql": {"pool_size": 0}},
            "sql.pool_size: the value is not at least 1",
        ),
    ],
)
def test_the_sections_of_our_backends(tmp_path: Path, config: dict[str, Any], line: str) -> None:
    path = tmp_path / "c.yaml"
    with pytest.raises(MissingConfigDataError) as caught:
        open_store(parse_config(config, path, backends=("pephub", "sql")), {})
    assert str(caught.value) == f"{path}: {line}"
    with pytest.raises(MissingConfigDataError, match="configuration: "):
        open_store(Config(config, {k: v for k, v in config.items() if k in ("pephub", "sql")}), {})
