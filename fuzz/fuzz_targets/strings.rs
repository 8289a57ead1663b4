//! Any text as a device string, asked of one of the fixtures (the first byte chooses).
#![no_main]

use libfuzzer_sys::fuzz_target;
use peripety_fuzz::{ask, trees, Bytes};

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let number = usize::from(bytes.byte()) % trees().len();
    if let Ok(string) = std::str::from_utf8(bytes.0) {
        ask(&trees()[number], string);
    }
});
