//! The names of sub-systems.

/// Other spellings of sub-systems, mostly those of the first Peripety and of drivers, lower case.
const ALIASES: [(&str, &str); 9] = [
    ("lvm-thinprovisioning", "dm_thin"),
    ("dm-thin", "dm_thin"),
    ("dm-dirtylog", "dm_log"),
    ("dm-log", "dm_log"),
    ("dm-multipath", "multipath"),
    ("device-mapper", "dm"),
    ("3w-9xxx", "3w_9xxx"),
    ("3w-sas", "3w_sas"),
    ("3w-xxxx", "3w_xxxx"),
];

/// The one spelling of a sub-system: lower case, aliases resolved.
pub fn canonical_sub_system(name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    ALIASES.iter().find(|(alias, _)| *alias == lower).map_or(lower, |(_, canonical)| (*canonical).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_sub_system_names_are_known() {
        assert_eq!(canonical_sub_system("LVM-ThinProvisioning"), "dm_thin");
        assert_eq!(canonical_sub_system("SCSI"), "scsi");
        assert_eq!(canonical_sub_system("my-array"), "my-array");
    }
}
