//! What an output was made from is what was read for it: whatever a template computes, and whatever happens to files
//! while a build reads them, the next build makes again what has become stale, and gives what a first one would give.

mod computed_templates;
mod distinct_inputs;
mod equal_values;
mod python_sources;
mod reverted_files;
mod unused_inputs;
mod warm_site;
