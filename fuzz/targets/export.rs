//! A usage export: whatever its server sends, it is refused, or what is kept of it can be read again and says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shelflife_model::fact::{CanonicalExport, Export};

fuzz_target!(|bytes: &[u8]| {
    let Ok(export) = Export::from_json(bytes) else { return };
    let canonical = export.to_json();
    CanonicalExport::from_json(&canonical).expect("what is stored can be read");
    let again = Export::from_json(&canonical).expect("what is stored is an export");
    assert_eq!(again.to_json(), canonical);
});
