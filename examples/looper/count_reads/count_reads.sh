#!/usr/bin/env bash
# Counts the reads of one sample.
#
#   count_reads.sh FASTQ SAMPLE CONFIG     CONFIG is the file that looper wrote for pipestat
set -euo pipefail
fastq=$1 sample=$2 config=$3

# looper takes no notice of an exit code, since it runs the job in a pipe: the status has to tell.
trap 'pipestat-spec status set failed -r "$sample" -c "$config" -m "${fastq##*/} cannot be read"' ERR

pipestat-spec status set running -r "$sample" -c "$config"
lines=$(gzip -dc "$fastq" | wc -l)
md5=$(md5sum < "$fastq")
pipestat-spec report --overwrite -r "$sample" -c "$config" \
    reads=$((lines / 4)) md5="${md5%% *}" --status completed
