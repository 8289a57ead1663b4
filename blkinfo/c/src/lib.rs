//! The C interface of `peripety-blkinfo`: the functions that `include/peripety.h` declares and documents.
//!
//! Rules that all of them keep:
//! * A handle that is given out is a `Box` turned into a pointer; its `_free` function turns it back. A handle that
//!   lies inside another one is given out as `const` and never freed by itself.
//! * Handles are not changed once they are given out, so that threads may share them; a history is behind a lock.
//! * An argument that is NULL or not UTF-8 makes an error, not undefined behaviour.
//! * A panic does not cross the boundary: it becomes the code `BUG`, or the getter's answer for "not known".

// Raw pointers are what a C interface is made of. Each block says why it may.
#![allow(unsafe_code)]

mod block;
mod boundary;
mod error;
mod fields;
mod history;
mod list;
mod mount;
mod multipathd;
mod names;
mod parts;
mod source;
mod topology;
mod tree;
mod uevent;
