//! Bytes for the target `columns` of `targets.rs`.
#![no_main]
#[path = "../targets.rs"]
mod targets;
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // Polars panics on some damaged files, which the store turns into an error: only a panic that gets here is a find.
    std::panic::set_hook(Box::new(|_| {}));
    targets::run("columns", data);
});
