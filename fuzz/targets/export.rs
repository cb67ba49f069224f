//! A usage export: any bytes are refused, or their canonical form can be read again and is unchanged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shelflife_model::fact::{CanonicalExport, Export};

fuzz_target!(|bytes: &[u8]| {
    let Ok(export) = Export::from_json(bytes) else { return };
    let canonical = export.to_json();
    CanonicalExport::from_json(&canonical).expect("the canonical form can be read");
    let again = Export::from_json(&canonical).expect("the canonical form is an export");
    assert_eq!(again.to_json(), canonical);
});
