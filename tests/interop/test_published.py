"""The published pipestat specification's own examples: schemas load, YAML reads as shown."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipestat_spec import PipestatManager

DATA = Path(__file__).parent / "data" / "published"


@pytest.mark.parametrize(
    ("name", "namespace", "records"),
    [
        (
            "results.yaml",
            "my_namespace",
            {
                "record1": {"my_result": 10, "my_result1": {"key": "value1"}},
                "record2": {"my_result": 3, "my_result1": {"key": "value2"}},
            },
        ),
        (
            "results_rnaseq.yaml",
            "rnaseq-pipe",
            {
                "patient1": {
                    "duplicate_rate": 10,
                    "genomic_distribution": {"promoter": 15, "enhancer": 85},
                },
                "patient2": {
                    "duplicate_rate": 3,
                    "genomic_distribution": {"promoter": 30, "enhancer": 70},
                },
            },
        ),
    ],
)
@pytest.mark.parametrize("named", [True, False], ids=["named", "found in the file"])
def test_a_yaml_example_reads_as_its_records(
    tmp_path: Path, name: str, namespace: str, records: dict[str, dict[str, object]], named: bool
) -> None:
    path = tmp_path / "results.yaml"
    path.write_bytes((DATA / name).read_bytes())
    with PipestatManager(results_file_path=path, pipeline_name=namespace if named else None) as psm:
        assert psm.pipeline_name == namespace
        for record, values in records.items():
            assert psm.retrieve_one(record) == {**values, "record_identifier": record}
        page = psm.select_records()
        assert page["total_size"] == 2
        assert [r["record_identifier"] for r in page["records"]] == list(records)
        psm.report({"added": True}, "record3")
    # It was in the published layout and stays in it.
    written = yaml.safe_load(path.read_bytes())
    assert set(written) == {namespace}
    assert set(written[namespace]) == {*records, "record3"}
    assert {name: written[namespace][name] for name in records} == records


@pytest.mark.parametrize(
    ("name", "results"),
    [
        (
            "schema_simple.yaml",
            ["number_of_things", "percentage_of_things", "name_of_something", "switch_value"],
        ),
        (
            "schema_complex.yaml",
            [
                "number_of_things",
                "percentage_of_things",
                "name_of_something",
                "switch_value",
                "md5sum",
                "collection_of_images",
                "output_file_in_object",
                "output_file_in_object_nested",
                "output_file",
                "output_image",
            ],
        ),
        ("schema_highlight.yaml", ["number_of_things", "percentage_of_things", "log_file"]),
    ],
)
def test_a_schema_example_loads(tmp_path: Path, name: str, results: list[str]) -> None:
    with PipestatManager(
        results_file_path=tmp_path / "r.yaml", schema_path=DATA / name, pipeline_name="example"
    ) as psm:
        assert list(psm.result_schemas) == results
        assert psm.validate_results
        psm.report({"number_of_things": 10, "percentage_of_things": 10.5}, "r1")
        assert psm.retrieve_one("r1", "number_of_things") == 10


def test_the_highlight_example(tmp_path: Path) -> None:
    with PipestatManager(
        results_file_path=tmp_path / "r.yaml",
        schema_path=DATA / "schema_highlight.yaml",
        pipeline_name="example",
    ) as psm:
        assert psm.highlighted_results == ["log_file"]
        psm.report({"log_file": {"path": "log.txt", "title": "Log"}}, "r1")


def test_the_complex_example_validates_at_depth(tmp_path: Path) -> None:
    from pipestat_spec.errors import SchemaValidationErrorDuringReport

    with PipestatManager(
        results_file_path=tmp_path / "r.yaml", schema_path=DATA / "schema_complex.yaml"
    ) as psm:
        file = {"path": "a.txt", "title": "A"}
        image = {"path": "a.pdf", "thumbnail_path": "a.png", "title": "A"}
        good = {
            "output_file": file,
            "output_image": image,
            "output_file_in_object": {"prop1": file, "prop2": image},
            "output_file_in_object_nested": {"prop1": {"prop2": 3}},
            "collection_of_images": [{"prop1": file}],
        }
        psm.report(good, "r1")
        assert psm.retrieve_one("r1") == {**good, "record_identifier": "r1"}
        for bad in (
            {"output_image": {"path": "a.pdf", "title": "A"}},
            {"output_file_in_object": {"prop1": {"path": "a.txt"}}},
            {"output_file_in_object_nested": {"prop1": {"prop2": "three"}}},
            {"collection_of_images": [{"prop1": {"title": "A"}}]},
        ):
            with pytest.raises(SchemaValidationErrorDuringReport):
                psm.report(bad, "r1")
        assert psm.retrieve_one("r1") == {**good, "record_identifier": "r1"}


def test_the_published_status_schema_is_the_default(tmp_path: Path) -> None:
    published = yaml.safe_load((DATA / "status_schema.yaml").read_bytes())
    with PipestatManager(results_file_path=tmp_path / "r.yaml") as psm:
        assert psm.status_schema == published
        assert psm.status_schema_source == "default"
