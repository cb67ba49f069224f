//! An entry's file, as anyone may send it in a pull request: any bytes give an entry, or problems whose messages can be
//! printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shelflife_model::config::Limits;
use shelflife_model::entry;

fuzz_target!(|bytes: &[u8]| {
    match entry::parse("entries/fuzz.md", bytes, &Limits::default()) {
        Ok(parsed) => {
            assert!(!parsed.entry.id.is_empty());
            for warning in &parsed.warnings {
                assert!(!warning.to_string().is_empty());
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            for problem in problems {
                assert!(problem.to_string().starts_with("entries/fuzz.md"), "{problem}");
            }
        }
    }
});
