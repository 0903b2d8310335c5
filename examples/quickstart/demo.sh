#!/bin/sh
# Runs the pipeline on the five samples in data/, and shows what is known afterwards.
#
#   ./demo.sh [PYTHON]     the Python, or its folder, in which pipestat-spec is installed
set -eu
cd "$(dirname "$0")"
python=${1:-${PYTHON:-python3}}
[ ! -d "$python" ] || python=$python/python
PATH=$(dirname "$(command -v "$python")"):$PATH

say() { printf '\n%s\n' "$*"; }

# macOS has another command for it.
checksum() { if command -v md5sum >/dev/null; then md5sum "$1"; else md5 -r "$1"; fi | cut -d ' ' -f 1; }

rm -rf output

say "# Five samples at once, all into one results file. One of them is damaged."
for fastq in data/*.fastq.gz; do
    "$python" pipeline.py sample "$fastq" &
done
wait

say "# A step that is no Python: checksums, reported from the shell."
for cleaned in output/cleaned/*.fastq.gz; do
    sample=$(basename "$cleaned" .fastq.gz)
    md5=$(checksum "$cleaned")
    pipestat-spec report -r "$sample" cleaned_md5="$md5"
done

say "# One sample again with a stricter limit. The values it replaces go to the history."
"$python" pipeline.py sample data/liver_2.fastq.gz --min-quality 25
md5=$(checksum output/cleaned/liver_2.fastq.gz)
pipestat-spec report --overwrite -r liver_2 cleaned_md5="$md5"

"$python" pipeline.py summary

say "$ pipestat-spec select --columns reads,reads_kept,mean_quality,gc_percent,verdict,status"
pipestat-spec select --columns reads,reads_kept,mean_quality,gc_percent,verdict,status

say "$ pipestat-spec status list"
pipestat-spec status list

say "$ pipestat-spec select --where \"verdict = 'review' or status = 'failed'\" --columns verdict,status"
pipestat-spec select --where "verdict = 'review' or status = 'failed'" --columns verdict,status

say "$ pipestat-spec history -r liver_2 -i reads_kept"
pipestat-spec history -r liver_2 -i reads_kept

say "$ pipestat-spec retrieve -p project"
pipestat-spec retrieve -p project

say "The results are in examples/quickstart/output/results.yaml, the plots beside it."
