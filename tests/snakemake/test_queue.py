"""While a queue may still add jobs to a record, it is not completed."""

from __future__ import annotations

import pytest

from tests.snakemake.places import Place

# A thread feeds the queue: s1 at once, s2 when `probe` has looked at s1, whose jobs so far have
# finished by then. It never ends the queue when there is a file `broken`. `all` starts when the
# queue has ended, and waits for s1 to be completed.
SNAKEFILE = """
import os, threading, time
from queue import Queue
made = Queue()
END = object()
def feed():
    made.put("made/s1")
    while not os.path.exists("probe.txt"):
        time.sleep(0.05)
    made.put("made/s2")
    if not os.path.exists("broken"):
        made.put(END)
threading.Thread(target=feed, daemon=True).start()
wildcard_constraints: sample="s[12]"
rule all:
    input: "probe.txt", from_queue(made, finish_sentinel=END)
    output: "all.txt"
    shell:
        '''
        for n in $(seq 100); do
            pipestat-spec status get -q -c pipestat.yaml -r s1 >{output}
            ! grep -q completed {output} || break
            sleep 0.1
        done
        '''
rule probe:
    input: "made/s1"
    output: "probe.txt"
    shell: "pipestat-spec status get -c pipestat.yaml -r s1 >{output}.new; mv {output}.new {output}"
rule make:
    output: "made/{sample}"
    shell: "mkdir -p made; [ {wildcards.sample} = s1 ] || [ ! -e broken ]; touch {output}"
"""
OFTEN = ("--queue-input-wait-time", "1")


@pytest.mark.parametrize("broken", [False, True])
def test_no_record_is_completed_while_a_queue_is_open(place: Place, broken: bool) -> None:
    place.write(Snakefile=SNAKEFILE)
    if broken:
        (place.folder / "broken").touch()
    printed = place.run(*OFTEN, code=int(broken))
    assert "pipestat:" not in printed
    assert (place.folder / "probe.txt").read_text().split()[-1:] in (["running"], ["waiting"])
    if not broken:
        assert (place.folder / "all.txt").read_text() == "completed\n"
    expected = ("waiting", "failed") if broken else ("completed", "completed")
    assert place.statuses() == dict(zip(("s1", "s2"), expected, strict=True))
