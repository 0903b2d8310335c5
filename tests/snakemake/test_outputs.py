"""Report documents are ingested wherever Snakemake puts them, and found again when the store is
lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.snakemake.places import Place

# A storage plugin as others are, whose storage is the folder $SHELF.
SHELF = """
import os, shutil
from pathlib import Path
from snakemake_interface_storage_plugins.storage_object import StorageObjectRead
from snakemake_interface_storage_plugins.storage_object import StorageObjectWrite
from snakemake_interface_storage_plugins.storage_provider import StorageProviderBase
from snakemake_interface_storage_plugins.storage_provider import StorageQueryValidationResult


class StorageProvider(StorageProviderBase):
    @classmethod
    def example_queries(cls):
        return []
    def rate_limiter_key(self, query, operation):
        return None
    def default_max_requests_per_second(self):
        return 100.0
    def use_rate_limiter(self):
        return False
    @classmethod
    def is_valid_query(cls, query):
        return StorageQueryValidationResult(query, query.startswith("shelf://"), "no shelf")


class StorageObject(StorageObjectRead, StorageObjectWrite):
    @property
    def place(self):
        return Path(os.environ["SHELF"], self.local_suffix())
    async def inventory(self, cache):
        pass
    def get_inventory_parent(self):
        return None
    def local_suffix(self):
        return self.query.removeprefix("shelf://")
    def cleanup(self):
        pass
    def exists(self):
        return self.place.exists()
    def mtime(self):
        return self.place.stat().st_mtime
    def size(self):
        return self.place.stat().st_size
    def retrieve_object(self):
        if "CLOSED" in os.environ and self.query.endswith(".json"):
            raise OSError("the shelf is closed")
        shutil.copyfile(self.place, self.local_path())
    def store_object(self):
        self.place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.local_path(), self.place)
    def remove(self):
        self.place.unlink()
"""

STORED = """
rule all:
    input: "s1.txt", "s2.txt"
rule count:
    input: "{sample}.in"
    output: "{sample}.txt", "{sample}.pipestat.json"
    shell: "sh emit.sh {wildcards.sample} >{output[1]}; cp {input} {output[0]}"
"""


@pytest.fixture
def shelf(tmp_path: Path) -> dict[str, str]:
    """Return variables with which Snakemake finds the storage, two inputs on it."""
    plugin = tmp_path / "plugins" / "snakemake_storage_plugin_shelf"
    plugin.mkdir(parents=True)
    (plugin / "__init__.py").write_text(SHELF)
    (tmp_path / "shelf").mkdir()
    for name in ("s1.in", "s2.in"):
        (tmp_path / "shelf" / name).write_text(name)
    return {"PYTHONPATH": str(plugin.parent), "SHELF": str(tmp_path / "shelf")}


DEFAULT_STORAGE = ("--default-storage-provider", "shelf", "--default-storage-prefix", "shelf://")


def test_documents_in_a_storage_are_fetched(place: Place, shelf: dict[str, str]) -> None:
    """Nothing needs the documents: Snakemake removes its copies before it says that a job ended."""
    place.write(Snakefile=STORED)
    for said in ("Finished jobid", "Nothing to be done"):
        printed = place.run(*DEFAULT_STORAGE, **shelf)
        assert said in printed
        assert "pipestat:" not in printed
        records = place.records()
        assert {name: (r.status, r.results) for name, r in records.items()} == {
            "s1": ("completed", {"n": 1}),
            "s2": ("completed", {"n": 1}),
        }
        # A store that is lost is filled again from the storage.
        place.clear()


def test_a_storage_that_gives_nothing_back_is_told(place: Place, shelf: dict[str, str]) -> None:
    place.write(Snakefile=STORED)
    printed = place.run(*DEFAULT_STORAGE, CLOSED="1", **shelf)
    assert printed.count("pipestat: not ingested: shelf://") == 2
    record = place.records()["s1"]
    assert (record.status, record.results) == ("completed", {})
    message = record.message or ""
    assert message.startswith("not ingested: shelf://s1.pipestat.json: ")
    assert "the shelf is closed" in message


FLAGGED = """
rule all:
    input: "updated.pipestat.json", "protected.pipestat.json", "stored.txt", "shadowed.txt"
rule updates:
    output: update("{sample}.pipestat.json")
    wildcard_constraints: sample="updated"
    shell: "sh emit.sh {wildcards.sample} >{output}"
rule protects:
    output: protected(report(ensure("{sample}.pipestat.json", non_empty=True)))
    wildcard_constraints: sample="protected"
    shell: "sh emit.sh {wildcards.sample} >{output}"
rule stores:
    output: "{sample}.txt", storage.shelf("shelf://{sample}.pipestat.json")
    wildcard_constraints: sample="stored"
    shell: "sh emit.sh {wildcards.sample} >{output[1]}; touch {output[0]}"
rule shadows:
    output: "{sample}.txt", temp("{sample}.pipestat.jsonl")
    shadow: "minimal"
    wildcard_constraints: sample="shadowed"
    shell: "sh $OLDPWD/emit.sh {wildcards.sample} >{output[1]}; touch {output[0]}"
"""


def test_flags_of_an_output_do_not_hide_its_document(place: Place, shelf: dict[str, str]) -> None:
    place.write(Snakefile=FLAGGED.replace("$OLDPWD", str(place.folder)))
    printed = place.run(**shelf)
    assert "pipestat:" not in printed
    records = place.records()
    assert {name: (record.status, record.results) for name, record in records.items()} == {
        name: ("completed", {"n": 1}) for name in ("protected", "shadowed", "stored", "updated")
    }


FOR_ALL = """
rule all:
    input: "s1.txt", "all.pipestat.json"
rule make:
    output: "{sample}.txt"
    shell: "touch {output}"
rule report:
    input: "s1.txt"
    output: "all.pipestat.json"
    shell:
        '''
        printf '[%s,%s]' "$(sh emit.sh s1)" "$(sh emit.sh s2)" >{output}
        '''
"""


def test_documents_of_jobs_without_a_record_are_found_again(any_place: Place) -> None:
    place = any_place
    place.write(Snakefile=FOR_ALL)
    for said in ("Finished jobid", "Nothing to be done"):
        assert said in place.run()
        records = place.records()
        assert {name: (r.status, r.results) for name, r in records.items()} == {
            "s1": ("completed", {"n": 1}),
            "s2": (None, {"n": 1}),
        }
        before = records
        # What is stored stays as it is.
        place.run()
        assert place.records() == before
        place.clear()
