"""Reading an object, a bucket or a namespace that is not there is an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipestat_spec.cli import main
from tests.cli.test_missing_stores import ALL, READING, reading
from tests.remote.raw import RawBucket

Err = Callable[..., str]


@pytest.fixture
def refused(
    moto_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Err:
    """`refused("select", ...)` runs a command that must fail, and returns what it says."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> str:
        capsys.readouterr()
        code = main(arguments)
        out, err = capsys.readouterr()
        assert (code, out, err.count("\n")) == (1, "", 1), f"{arguments}: {code}\n{out}{err}"
        return err

    return call


@pytest.fixture
def filled(refused: Err, bucket: RawBucket) -> str:
    """A bucket with `run/results.yaml` and `each/s1.yaml`, of the namespace `rnaseq`."""
    for key in ("run/results.yaml", "each/{record_identifier}.yaml"):
        where = ["-f", f"s3://{bucket.name}/{key}", "--pipeline-name", "rnaseq", "-q"]
        assert main(["report", *where, "-r", "s1", "reads:=1"]) == 0
    return f"s3://{bucket.name}"


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_an_object(refused: Err, filled: str, command: list[str]) -> None:
    err = refused(*reading(command, f"{filled}/run/resluts.yaml"))
    assert err == (
        f"error: there are no results at {filled}/run/resluts.yaml; "
        f"did you mean {filled}/run/results.yaml?\n"
    )


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_objects_of_a_template(refused: Err, filled: str, command: list[str]) -> None:
    place = f"{filled}/eahc/{{record_identifier}}.yaml"
    err = refused(*reading(command, place))
    assert err == f"error: there are no results at {place}; nothing was reported there yet\n"


@pytest.mark.parametrize("command", READING[:-1], ids=" ".join)
def test_a_namespace(refused: Err, filled: str, command: list[str]) -> None:
    wrong = ["--pipeline-name", "rnasq"]
    place = f"{filled}/each/{{record_identifier}}.yaml"
    err = refused(*reading(command, place), *wrong)
    assert err == f"error: {place} holds no namespace 'rnasq'; did you mean 'rnaseq'?\n"
    place = f"{filled}/run/results.yaml"
    err = refused(*reading(command, place), *wrong, "--multi-pipelines")
    assert err == f"error: {place} holds no namespace 'rnasq'; did you mean 'rnaseq'?\n"


@pytest.mark.parametrize("command", [c for c in ALL if c != ["validate"]], ids=" ".join)
def test_a_bucket(refused: Err, filled: str, command: list[str]) -> None:
    assert "no-such-bucket" in refused(*reading(command, "s3://no-such-bucket/results.yaml"))


def test_what_is_there_is_read(
    filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in ("run/results.yaml", "each/{record_identifier}.yaml"):
        assert main(["retrieve", "-f", f"{filled}/{key}", "-r", "s1", "-i", "reads"]) == 0
        assert capsys.readouterr().out == "1\n"
    assert main(["convert", f"{filled}/run/results.yaml", "copy.db"]) == 0
    assert main(["infer-schema", "-f", f"{filled}/run/results.yaml"]) == 0
    assert "reads" in capsys.readouterr().out
