#!/usr/bin/env bash
# A RUSTC_WRAPPER: Gloss and its fuzz targets are compiled with coverage feedback for libFuzzer, dependencies as always, so
# that those of an ordinary build are used as they are and no nightly compiler is needed.
rustc=$1
shift
cover=(-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing)
case " $* " in
*tests/fuzz/fuzz_targets/* | *" --crate-name gloss "*) exec "$rustc" "$@" "${cover[@]}" ;;
*) exec "$rustc" "$@" ;;
esac
