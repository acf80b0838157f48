#!/bin/sh
# Runs every fuzz target for some seconds, several at once:  tools/fuzz.sh BUILD_DIR SECONDS
#
# Inputs that libFuzzer found worth keeping stay in BUILD_DIR/corpus for the next run; the seeds of tests/fuzz/corpus
# are only read. A target that fails leaves its input in BUILD_DIR; add it to tests/fuzz/corpus when you fix it.
set -eu
cd "$(dirname "$0")/.."

build=$1
seconds=$2
jobs=$(nproc 2>/dev/null || echo 2)

[ -f "$build/build.ninja" ] ||
    CC=clang meson setup "$build" -Dfuzz=true -Dtests=disabled -Dpage=disabled -Db_sanitize=address,undefined -Db_lundef=false \
        >/dev/null
ninja -C "$build" --quiet

run_target() {
    target=$1
    subject=$(basename "$target" | sed 's/^fuzz_//')
    seeds=tests/fuzz/corpus/$subject
    mkdir -p "$build/corpus/$subject"
    [ -d "$seeds" ] || seeds=
    [ "$subject" != recipe ] || seeds="$seeds data/graph"
    [ "$subject" != llamacpp ] || seeds="$seeds tests/data/gguf"
    # shellcheck disable=SC2086 # no seeds, no argument
    if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/$subject-" "$build/corpus/$subject" $seeds >"$build/$subject.log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$subject.log")
        echo "fuzz: $subject: $runs inputs in $seconds s, no failure"
    else
        tail -40 "$build/$subject.log"
        echo "fuzz: $subject FAILED; the whole log is $build/$subject.log"
        return 1
    fi
}

if [ $# -eq 3 ]; then # one target: this is how the script calls itself
    run_target "$3"
    exit
fi
targets=$(find "$build/tests/fuzz" -maxdepth 1 -type f -name 'fuzz_*' -perm -u+x | sort)
[ -n "$targets" ] || { echo "fuzz: there are no targets" >&2; exit 1; }
printf '%s\n' "$targets" | xargs -n 1 -P "$jobs" "$0" "$build" "$seconds"
