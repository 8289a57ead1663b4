//! Device links that only this process can follow.

use std::path::Path;

use crate::connection::Address;

/// The string to send for a device that the user named.
///
/// The daemon never touches a path that a client names, since a dead file system would hang it. So
/// a link in /dev (`/dev/disk/by-id/…`, an administrator's own) is followed here, by reading links
/// only, never by opening the device. Everything else is sent as it is, mount points too. A daemon
/// that is not on this machine has another /dev: then nothing is followed.
pub fn resolve(blk: &str, address: &Address) -> String {
    if !address.is_local() {
        return blk.to_owned();
    }
    resolve_in(Path::new("/dev"), blk).unwrap_or_else(|| blk.to_owned())
}

/// Where a link inside of the directory leads to, if that is inside of it, too.
fn resolve_in(dev: &Path, blk: &str) -> Option<String> {
    let path = Path::new(blk);
    if !path.starts_with(dev) || !path.symlink_metadata().ok()?.is_symlink() {
        return None;
    }
    let target = std::fs::canonicalize(path).ok()?;
    let target = target.starts_with(dev).then_some(target)?;
    Some(target.to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn follows_links_inside_of_dev_only() {
        let directory = tempfile::tempdir().unwrap();
        let dev = directory.path().canonicalize().unwrap().join("dev");
        let outside = dev.with_file_name("outside");
        std::fs::create_dir_all(dev.join("disk/by-id")).unwrap();
        for file in [&dev.join("sdb"), &outside] {
            std::fs::write(file, "").unwrap();
        }
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let link = |name: &str, target: &str| {
            symlink(target, dev.join(name)).unwrap();
            text(&dev.join(name))
        };
        let by_id = link("disk/by-id/wwn-1", "../../sdb");
        let own = link("data", "disk/by-id/wwn-1");
        let dangling = link("gone", "sdz");
        let leaving = link("leaving", "../outside");
        let looping = link("loop", "loop");

        assert_eq!(resolve_in(&dev, &by_id), Some(text(&dev.join("sdb"))));
        assert_eq!(resolve_in(&dev, &own), Some(text(&dev.join("sdb"))));
        for as_it_is in [dangling, leaving, looping, text(&dev.join("sdb")), "sdb".to_owned()] {
            assert_eq!(resolve_in(&dev, &as_it_is), None, "{as_it_is}");
        }
    }

    #[test]
    fn a_remote_daemon_gets_the_string_as_it_is() {
        let remote: Address = "tcp:storage1:4711".parse().unwrap();
        // A link on every Linux system.
        assert_eq!(resolve("/dev/fd", &remote), "/dev/fd");
    }
}
