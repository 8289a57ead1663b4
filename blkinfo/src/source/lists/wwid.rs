//! Identities as tools write them, in the form in which the running machine gives them (docs/events.md, dev_wwid).

/// lsblk's and udev's WWN: `0x5000c500a1b2c3d4`, `eui.…`.
pub fn of_wwn(wwn: &str) -> Option<String> {
    match wwn.strip_prefix("0x") {
        Some(digits) => is_hex(digits).then(|| format!("naa.{}", digits.to_ascii_lowercase())),
        None => of_nvme(wwn),
    }
}

/// A namespace's: `eui.…`, `uuid.…`, `nvme.…`.
pub fn of_nvme(wwid: &str) -> Option<String> {
    ["eui.", "uuid.", "nvme."].iter().any(|kind| wwid.starts_with(kind)).then(|| wwid.to_owned())
}

/// scsi_id's and multipath's: the type of the designator (SPC, page 0x83) and its digits. Of a T10 identifier the blanks are
/// lost, of a serial number the vendor may be: they lead to no identity.
pub fn of_scsi_id(id: &str) -> Option<String> {
    let (kind, digits) = id.split_at_checked(1)?;
    match (kind, digits.len()) {
        ("3", 16 | 32) => is_hex(digits).then(|| format!("naa.{}", digits.to_ascii_lowercase())),
        ("2", 16 | 24 | 32) => is_hex(digits).then(|| format!("eui.{}", digits.to_ascii_lowercase())),
        _ => {
            let nvme = of_nvme(id);
            nvme.or_else(|| id.strip_prefix("naa.").filter(|digits| is_hex(digits)).map(|_| id.to_owned()))
        }
    }
}

/// NAA digits with blanks between them (`5 000c50 0a1b2c3d4`) or without a mark of their kind.
pub fn of_naa_digits(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let known =
        matches!((digits.len(), digits.chars().next()), (16, Some('2' | '3' | '5')) | (32, Some('6')));
    (known && is_hex(&digits)).then(|| format!("naa.{}", digits.to_ascii_lowercase()))
}

fn is_hex(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_identity() {
        let naa = Some("naa.5000c500a1b2c3d4".to_owned());
        assert_eq!(of_wwn("0x5000C500A1B2C3D4"), naa);
        assert_eq!(of_scsi_id("35000c500a1b2c3d4"), naa);
        assert_eq!(of_naa_digits("5 000c50 0a1b2c3d4"), naa);
        assert_eq!(of_scsi_id("20017380000cb0001"), Some("eui.0017380000cb0001".into()));
        for none in ["1Linux_scsi_debug_2000", "SATA_x_1", "", "3", "3xyz", "é"] {
            assert_eq!(of_scsi_id(none), None, "{none}");
        }
    }
}
