//! Data files: what the registry's maintainers keep beside the entries.
