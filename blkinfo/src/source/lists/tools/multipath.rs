//! `multipath -ll`, also with `-v3` and more, and `multipathd show topology`.

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::{is_address, is_number, Named};
use super::super::note::Note;
use super::super::wwid;

/// A map or a path.
pub fn prints(line: &str) -> bool {
    map(line).is_some()
        || path(line)
            .is_some_and(|path| line.trim_start().starts_with(['|', '`', '\\']) && path.wwid.is_none())
}

/// Takes maps with their paths.
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    let mut present: Option<Map<'_>> = None;
    for line in text.lines() {
        if let Some(map) = map(line) {
            let note = Note::default()
                .fact(Fact::Type, "mpath")
                .fact(Fact::DmName, map.name)
                .fact(Fact::DmUuid, &format!("mpath-{}", map.wwid));
            devices.note(Named::kernel(map.kname), note);
            present = Some(map);
        } else if let Some(path) = path(line) {
            let map = present.as_ref().filter(|_| path.wwid.is_none());
            let id = path.wwid.or(map.map(|map| map.wwid)).unwrap_or_default();
            let mut note = Note::default().fact(Fact::Number, path.number).wwid(wwid::of_scsi_id(id));
            if path.kname.starts_with("sd") && is_address(path.address) {
                note = note.fact(Fact::Address, path.address);
            }
            if let Some((vendor, product)) = map.and_then(|map| map.about.split_once(',')) {
                note = note.fact(Fact::Vendor, vendor).fact(Fact::Model, product);
            }
            devices.note(Named::kernel(path.kname), note);
            if let Some(map) = map {
                devices.note(Named::kernel(map.kname), Note::default().below([Named::kernel(path.kname)]));
            }
        } else if line.trim().is_empty() {
            present = None;
        }
    }
}

struct Map<'l> {
    name: &'l str,
    wwid: &'l str,
    kname: &'l str,
    /// `VENDOR,PRODUCT`.
    about: &'l str,
}

/// `mpatha (36001405…) dm-0 LIO-ORG,FILEIO`, `36001405… dm-0 LIO-ORG,FILEIO`, with `reload: ` and the like before it.
fn map(line: &str) -> Option<Map<'_>> {
    let line = line.trim_end();
    let line = ["create: ", "reload: ", "unchanged: "]
        .iter()
        .find_map(|word| line.strip_prefix(word))
        .unwrap_or(line);
    if line.starts_with([' ', '|', '`', '\\']) {
        return None;
    }
    let (begin, rest) = line.split_once(" dm-")?;
    let (minor, about) = rest.split_once(' ')?;
    let kname = line.get(begin.len() + 1..begin.len() + 4 + minor.len())?;
    let (name, wwid) = match begin.split_once(' ') {
        Some((name, wwid)) => (name, wwid.trim().strip_prefix('(')?.strip_suffix(')')?),
        None => (begin, begin),
    };
    let about = about.trim();
    let fits = !name.is_empty() && !wwid.is_empty() && !name.ends_with(':') && about.contains(',');
    (fits && !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit())).then_some(Map {
        name,
        wwid,
        kname,
        about,
    })
}

struct PathLine<'l> {
    /// In the list of all paths only.
    wwid: Option<&'l str>,
    address: &'l str,
    kname: &'l str,
    number: &'l str,
}

/// `| |- 3:0:0:0 sdb 8:16 active ready running`, older ` \_ 3:0:0:0 sdb 8:16 [active][ready]`, and of the list that `-v3`
/// prints `36001405… 3:0:0:0 sdb 8:16 50 undef …`.
fn path(line: &str) -> Option<PathLine<'_>> {
    let mut words = line.split_whitespace().skip_while(|word| word.bytes().all(|b| b"|`-+\\_".contains(&b)));
    let (first, second, third, fourth) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_address = |text: &str| is_address(text) || text == "#:#:#:#";
    if is_address(first) && is_number(third) && is_name(second) {
        return Some(PathLine { wwid: None, address: first, kname: second, number: third });
    }
    let listed =
        is_address(second) && is_number(fourth) && is_name(third) && wwid::of_scsi_id(first).is_some();
    listed.then_some(PathLine { wwid: Some(first), address: second, kname: third, number: fourth })
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    #[test]
    fn maps_and_their_paths() {
        let text = "\
mpatha (36001405abea000100000000000000000) dm-3 LIO-ORG,FILEIO
size=100M features='1 queue_if_no_path' hwhandler='1 alua' wp=rw
`-+- policy='service-time 0' prio=50 status=active
  |- 3:0:0:0 sda 8:0  active ready running
  `- 2:0:0:0 sdb 8:16 active ready running
36001405abea000200000000000000000 dm-4 LIO-ORG  ,FILE IO
size=100M features='0' hwhandler='0' wp=rw
\\_ round-robin 0 [prio=1][active]
 \\_ 3:0:0:1 sdc 8:32 [active][ready]
 \\_ #:#:#:# sdd 8:48 [failed][faulty]
";
        let get = |kname: &str| block(&[("", text)], kname).unwrap();
        let map = get("dm-3");
        assert_eq!(map.dev_wwid.as_deref(), Some("mpath-36001405abea000100000000000000000"));
        assert_eq!(
            (map.dev_path.as_str(), map.slaves),
            ("/dev/mapper/mpatha", vec!["sda".to_owned(), "sdb".to_owned()])
        );
        let path = get("sdb");
        assert_eq!(path.dev_wwid.as_deref(), Some("naa.6001405abea000100000000000000000"));
        assert_eq!(
            (path.address.as_deref(), path.major_minor.unwrap().to_string()),
            (Some("2:0:0:0"), "8:16".into())
        );
        let other = get("dm-4");
        assert_eq!(
            (other.dev_path.as_str(), other.slaves.len()),
            ("/dev/mapper/36001405abea000200000000000000000", 2)
        );
        assert_eq!((get("sdc").model.as_deref(), get("sdd").address), (Some("FILE IO"), None));
    }

    #[test]
    fn what_it_says_besides() {
        let text = "\
Nov 24 12:00:00 | loading /lib/multipath/libchecktur.so checker
===== paths list =====
uuid                              hcil    dev dev_t pri dm_st chk_st vend/prod/
36001405abea000100000000000000000 3:0:0:0 sda 8:0   50  undef undef  LIO-ORG,FI
1Linux_scsi_debug_2000            4:0:0:0 sde 8:64  50  undef undef  Linux,scsi
Nov 24 12:00:00 | mpatha: disassemble map [1 queue_if_no_path 0 1 1 service-time 0 1 2 8:0 1 1 ]
mpatha (36001405abea000100000000000000000) dm-0 LIO-ORG,FILEIO
`- 3:0:0:0 sda 8:0  active ready running
";
        let all = [("multipath_-v4_-ll", text)];
        assert_eq!(
            block(&all, "sda").unwrap().dev_wwid.as_deref(),
            Some("naa.6001405abea000100000000000000000")
        );
        assert_eq!(block(&all, "dm-0").unwrap().slaves, ["sda"]);
    }
}
