//! Gives the shared library its name for the dynamic linker. The number changes when the interface does so that
//! programs must be built again.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libperipety.so.0");
}
