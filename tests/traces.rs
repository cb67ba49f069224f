//! What an output was made from is what was read for it: whatever a template computes, and whatever happens to files
//! while a build reads them, the next build makes again what has become stale, and gives what a first one would give.
#![allow(missing_docs, unreachable_pub)]

mod common;
mod traces {
    pub mod alike;
    pub mod computed;
    pub mod equal;
    pub mod lab;
    pub mod python;
    pub mod undone;
    pub mod unused;
}
