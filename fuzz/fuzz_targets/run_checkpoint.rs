#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mdsurrogate_fuzz::run_checkpoint(bytes));
