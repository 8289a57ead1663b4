//! Device numbers, kernel names, and their natural order.

use std::cmp::Ordering;
use std::fmt;

/// A block device number, printed as the kernel does: `8:16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DevNumber {
    /// The driver's number.
    pub major: u32,
    /// The device's number within the driver.
    pub minor: u32,
}

impl DevNumber {
    /// Reads `8:16`; anything else, a sign or a blank included, is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once(':')?;
        Some(Self { major: number(major)?, minor: number(minor)? })
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for DevNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for DevNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a device number"))
    }
}

impl fmt::Display for DevNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

/// A number of decimal digits alone.
pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// `text` is `prefix` followed by a decimal number: that number.
pub(crate) fn numbered(text: &str, prefix: &str) -> Option<u32> {
    text.strip_prefix(prefix).and_then(number)
}

/// A SCSI address `host:channel:target:lun` as the kernel prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ScsiAddress {
    pub host: u32,
    pub channel: u32,
    pub target: u32,
    pub lun: u64,
}

impl ScsiAddress {
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let address = Self {
            host: number(parts.next()?)?,
            channel: number(parts.next()?)?,
            target: number(parts.next()?)?,
            lun: number(parts.next()?)?,
        };
        parts.next().is_none().then_some(address)
    }
}

impl fmt::Display for ScsiAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.host, self.channel, self.target, self.lun)
    }
}

/// The name of a multipathed NVMe namespace to which the path node `nvme0c1n2` belongs: `nvme0n2`
/// (drivers/nvme/host/multipath.c, nvme_set_disk_name).
pub(crate) fn nvme_head(path_node: &str) -> Option<String> {
    let (subsystem, rest) = path_node.strip_prefix("nvme")?.split_once('c')?;
    let (controller, namespace) = rest.split_once('n')?;
    number::<u32>(controller)?;
    Some(format!("nvme{}n{}", number::<u32>(subsystem)?, number::<u32>(namespace)?))
}

/// The map of a logical volume: LVM joins group and volume with a hyphen, and doubles those within the names (lvm(8); libdm/libdm-string.c,
/// dm_build_dm_name).
pub(crate) fn lvm_name(group: &str, volume: &str) -> String {
    format!("{}-{}", group.replace('-', "--"), volume.replace('-', "--"))
}

/// Is this string safe to be used as one component of a path in sysfs?
pub(crate) fn is_component(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && name.len() <= 255 && !name.contains(['/', '\0'])
}

/// Orders kernel names as people count: `sd2` before `sd10`, `sdz` before `sdaa`, `nvme2n1` before `nvme10n1`.
pub fn natural_cmp(a: &str, b: &str) -> Ordering {
    tokens(a).cmp(&tokens(b)).then_with(|| a.cmp(b))
}

/// Sorts like [`natural_cmp`]; each name is parsed once.
pub(crate) fn natural_sort(names: &mut [&str]) {
    names.sort_by_cached_key(|name| (tokens(name), *name));
}

/// Drivers that count their disks in letters: a … z, aa, ab …
const LETTERED: [&str; 4] = ["sd", "vd", "hd", "xvd"];

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Token<'a> {
    Number(u128),
    Text(&'a str),
}

fn tokens(name: &str) -> Vec<Token<'_>> {
    let lettered = LETTERED.iter().find_map(|prefix| {
        let rest = name.strip_prefix(prefix)?;
        let end = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
        let (letters, rest) = rest.split_at_checked(end)?;
        (1..=8).contains(&end).then_some((*prefix, letters, rest))
    });
    let Some((prefix, letters, rest)) = lettered else {
        return runs(name);
    };
    let index = letters.bytes().fold(0, |n, b| n * 26 + u128::from(b - b'a') + 1);
    let mut tokens = vec![Token::Text(prefix), Token::Number(index)];
    tokens.extend(runs(rest));
    tokens
}

/// Splits into runs of digits and runs of anything else.
fn runs(name: &str) -> Vec<Token<'_>> {
    name.as_bytes()
        .chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit())
        .filter_map(|run| std::str::from_utf8(run).ok())
        .map(|run| run.parse().map_or(Token::Text(run), Token::Number))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_strict() {
        assert_eq!(DevNumber::parse("8:16"), Some(DevNumber { major: 8, minor: 16 }));
        for bad in ["", "8", "8:", ":8", "+8:1", "8: 1", "8:1:2", "8:-1", "99999999999:1"] {
            assert_eq!(DevNumber::parse(bad), None, "{bad:?}");
        }
        assert!(ScsiAddress::parse("2:0:0:1").is_some());
        assert!(ScsiAddress::parse("2:0:0:9223372036854775808").is_some());
        assert_eq!(ScsiAddress::parse("2:0:0"), None);
        assert_eq!(ScsiAddress::parse("2:0:0:1:5"), None);
    }

    #[test]
    fn path_nodes_lead_to_their_namespace() {
        assert_eq!(nvme_head("nvme0c1n2").as_deref(), Some("nvme0n2"));
        for other in ["nvme0n2", "nvme0", "nvmecn", "nvme0c1n2p1", "nvme0c1"] {
            assert_eq!(nvme_head(other), None, "{other}");
        }
    }

    #[test]
    fn order_is_natural() {
        let sorted = [
            "dm-2",
            "dm-10",
            "loop0",
            "nvme0n1",
            "nvme0n1p2",
            "nvme0n1p10",
            "sda",
            "sda2",
            "sda10",
            "sdz",
            "sdaa",
            "vda",
        ];
        let mut names = sorted;
        names.sort_unstable();
        names.sort_by(|a, b| natural_cmp(a, b));
        assert_eq!(names, sorted);
        assert_eq!(natural_cmp("sd01", "sd1"), Ordering::Less);
    }
}
