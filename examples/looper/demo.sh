#!/bin/sh
# Runs looper over the three samples, mends the one that fails, and shows what is known afterwards.
#
#   ./demo.sh [PYTHON] [drop-in]     the Python, or its folder, in which looper is installed;
#                                    drop-in: looper uses pipestat-spec instead of pipestat
#
# What looper says goes to output/looper.log. LOOPER_CONFIG names another file than .looper.yaml.
set -eu
cd "$(dirname "$0")"
python=${1:-${PYTHON:-python3}}
[ ! -d "$python" ] || python=$python/python
PATH=$(dirname "$(command -v "$python")"):$PATH
drop_in=${2:-}
config=$PWD/${LOOPER_CONFIG:-.looper.yaml}
log=$PWD/output/looper.log

say() { printf '\n%s\n' "$*"; }

looper() {
    say "\$ looper $*"
    set -- "$@" -c "$config"
    if [ "$drop_in" ]; then
        "$python" -m pipestat_spec.compat looper "$@" 2>> "$log" || { tail "$log"; exit 1; }
    else
        command looper "$@" 2>> "$log" || { tail "$log"; exit 1; }
    fi
}

look() {
    # pipestat takes the relative path of a file from the folder where looper is started.
    [ "$drop_in" ] || cd "$1"
    shift
    looper "$@"
}

show() {
    say "\$ pipestat-spec $*"
    pipestat-spec "$@"
}

rm -rf output
mkdir -p output/reads

say "# Fetch the reads. The third transfer breaks off."
cp ../quickstart/data/brain_1.fastq.gz ../quickstart/data/liver_1.fastq.gz output/reads
head -c 20000 ../quickstart/data/liver_2.fastq.gz > output/reads/liver_2.fastq.gz

looper run
looper check --itemized

say "# Fetch the third one again, and run what has failed."
cp ../quickstart/data/liver_2.fastq.gz output/reads

looper rerun
looper check

looper runp
looper check --project

say "# Look at them: tables, reports, and a folder of links to the files."
results=$(sed -n 's|^output_dir: \./||p' "$config")
(look "$results/count_reads" table)
(look "$results/count_reads" report)
(look "$results/panel" report --project)
(look "$results/count_reads" link)
say "\$ ls $results/profile"
ls "$results/profile"

show select -c "$results/pipestat_config_count_reads.yaml"
show select -c "$results/pipestat_config_read_quality.yaml" --columns mean_quality,gc_percent,status
show retrieve -c "$results/pipestat_config_panel.yaml" -p project

looper destroy --force-yes
show select -c "$results/pipestat_config_read_quality.yaml"
