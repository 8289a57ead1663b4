//! What names look like.

/// A number follows the kind.
pub fn begins_with_number(name: &str, kind: &str) -> bool {
    name.strip_prefix(kind).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// It is the kernel's name of a block device.
pub fn is_block(name: &str) -> bool {
    let lettered = ["sd", "vd", "hd", "xvd"];
    let numbered = ["dm-", "md", "nvme", "mmcblk", "loop", "rbd", "nbd", "drbd", "bcache", "zd"];
    let letter = |kind: &&str| {
        name.strip_prefix(*kind).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    lettered.iter().any(letter) || numbered.iter().any(|kind| begins_with_number(name, kind))
}

/// It is the UUID of a file system, as most have it.
pub fn is_uuid(name: &str) -> bool {
    name.len() == 36 && name.matches('-').count() == 4
}

/// The form of a name, where a device has at most one name of that form.
pub fn form(name: &str) -> Option<&'static str> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let lettered = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    match name {
        _ if name.split(':').count() == 4 && name.split(':').all(is_number) => Some("address"),
        _ if name.split(':').count() == 2 && name.split(':').all(is_number) => Some("number"),
        _ if name.strip_prefix("sd").is_some_and(lettered) => Some("disk"),
        _ if name.strip_prefix("dm-").is_some_and(is_number) => Some("map"),
        _ => None,
    }
}

/// How little a name says.
pub fn rank(name: &str) -> u8 {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match name {
        _ if name.starts_with('/') => 0,
        _ if name.split(':').all(is_number) => 5,
        _ if begins_with_number(name, "dm-") => 3,
        _ if begins_with_number(name, "ata") || begins_with_number(name, "connection") => 4,
        _ if is_uuid(name) => 6,
        _ => 1,
    }
}
