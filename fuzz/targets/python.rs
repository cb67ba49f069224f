//! A plugin's Python source: any bytes can be analyzed without a panic, and paths stay within the repository.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shelflife_text::python::{Properties, Role, init_path, valid_specifier};

fuzz_target!(|bytes: &[u8]| {
    for role in [Role::Setup, Role::Pyproject, Role::Init] {
        let Properties { package, pythoncompat } = Properties::of(role, bytes);
        if let Some(package) = package {
            let path = init_path(&package).expect("a package has a path");
            assert!(!path.contains("..") && !path.starts_with('/') && path.is_ascii(), "{path}");
        }
        if let Some(specifier) = pythoncompat {
            let _ = valid_specifier(&specifier);
        }
    }
});
