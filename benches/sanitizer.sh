#!/usr/bin/env bash
# The kernels under AddressSanitizer: a small program of `src/nn/kernels` and `benches/sanitizer/main.rs` alone, at each width
# of instructions that this processor has. Needs nothing but the usual compiler, which lets its own runtime be linked when it
# is told so.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/Cargo.toml" <<TOML
[package]
name = "sanitizer"
version = "0.0.0"
edition = "2024"
[[bin]]
name = "sanitizer"
path = "$here/sanitizer/main.rs"
[dependencies]
rayon = "1"
rand = { version = "0.9", default-features = false, features = ["std", "std_rng"] }
[profile.release]
opt-level = 2
debug = 1
debug-assertions = true
TOML
cp "$here/../Cargo.lock" "$work/"
host=$(rustc -vV | sed -n 's/^host: //p')
# Another target than the host's own, so that build scripts are not sanitised.
RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address" cargo build --release --quiet --target "$host" --manifest-path "$work/Cargo.toml" --target-dir "$work/target"
for width in "" avx2 base; do
  RAYON_NUM_THREADS=2 "$work/target/$host/release/sanitizer" $width
done
