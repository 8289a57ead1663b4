use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use rustix::fs::{mknodat, FileType, Mode, CWD};

use super::{Directory, Memo, Recorded};

/// A directory that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("blkinfo-memo-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    fn memo(&self) -> Memo {
        Memo::of(Arc::new(Directory::new(&self.0)))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(memo: &Memo, path: &str) -> Option<String> {
    let content = memo.read(Path::new(path)).ok()?;
    Some(String::from_utf8_lossy(&content).trim().to_owned())
}

/// Links that lead straight, back and forth, through other links, out of the tree, nowhere, and in a circle.
const LINKS: [(&str, &str); 8] = [
    ("sys/class/block/sda", "../../devices/p/sda"),
    ("sys/class/block/turn", "../../devices/via/../q/sdb"),
    ("sys/devices/via", "p/deep"),
    ("sys/devices/p/sda/device", "../.."),
    ("sys/class/block/all", "/sys/devices/p/sda"),
    ("sys/class/block/out", "../../../../../../etc"),
    ("sys/class/block/none", "../../devices/p/gone"),
    ("sys/class/block/loop", "loop"),
];

fn answers_are_right(memo: &Memo) {
    let place = |path: &str| {
        let place = memo.place(Path::new(path)).ok()?;
        Some((place.path.to_str()?.to_owned(), place.missing))
    };
    let there = |path: &str| Some((path.to_owned(), false));
    assert_eq!(place("/sys/class/block/sda"), there("/sys/devices/p/sda"));
    assert_eq!(place("/sys/class/block/all"), there("/sys/devices/p/sda"));
    // What is above a link's target is meant, not what is above the link.
    assert_eq!(place("/sys/class/block/turn"), there("/sys/devices/p/q/sdb"));
    assert_eq!(place("/sys/class/block/sda/device"), there("/sys/devices"));
    assert_eq!(place("/sys/class/block/none"), Some(("/sys/devices/p/gone".to_owned(), true)));
    assert_eq!(place("/sys/class/block/loop"), None);
    assert_eq!(place("/sys/class/block/out").map(|(path, _)| path).as_deref(), Some("/etc"));
    for _ in 0..2 {
        assert_eq!(text(memo, "/sys/class/block/sda/dev").as_deref(), Some("8:0"));
        assert_eq!(text(memo, "/sys/devices/p/sda/dev").as_deref(), Some("8:0"));
        assert_eq!(text(memo, "/sys/class/block/turn/dev").as_deref(), Some("8:16"));
        assert_eq!(text(memo, "/sys/class/block/none/dev"), None);
        assert_eq!(text(memo, "/sys/devices/p/sda"), None);
        assert_eq!(text(memo, "/sys/devices/p/sda/gone"), None);
        // The second time the names are known.
        let names = memo.names(Path::new("/sys/class/block/sda")).unwrap();
        assert_eq!(names.len(), 2, "{names:?}");
    }
    assert!(memo.followed(Path::new("/sys/devices/p/sda/dev")).is_err());
}

#[test]
fn links_are_followed_inside_the_tree() {
    let scratch = Scratch::new("links");
    let mut recorded = "# peripety device tree 1\n".to_owned();
    for (path, target) in LINKS {
        scratch.link(path, target);
        recorded += &format!("/{path} -> {target}\n");
    }
    for (path, number) in [("sys/devices/p/sda/dev", "8:0"), ("sys/devices/p/q/sdb/dev", "8:16")] {
        scratch.write(path, &format!("{number}\n"));
        recorded += &format!("/{path} = {number}\n");
    }
    fs::create_dir_all(scratch.0.join("sys/devices/p/deep")).unwrap();
    recorded += "/sys/devices/p/deep/\n";
    answers_are_right(&scratch.memo());
    answers_are_right(&Memo::of(Arc::new(Recorded::parse(&recorded).unwrap())));
}

#[test]
fn what_was_read_stays_for_the_question() {
    let scratch = Scratch::new("stays");
    scratch.write("sys/devices/a/x", "1");
    let memo = scratch.memo();
    assert_eq!(text(&memo, "/sys/devices/a/x").as_deref(), Some("1"));
    assert_eq!(text(&memo, "/sys/devices/a/y"), None);
    scratch.write("sys/devices/a/x", "2");
    scratch.write("sys/devices/a/y", "3");
    assert_eq!(text(&memo, "/sys/devices/a/x").as_deref(), Some("1"));
    assert_eq!(text(&memo, "/sys/devices/a/y"), None);
    assert_eq!(text(&scratch.memo(), "/sys/devices/a/x").as_deref(), Some("2"));
    assert_eq!(text(&scratch.memo(), "/sys/devices/a/y").as_deref(), Some("3"));
}

#[test]
fn directories_beyond_those_that_are_open_are_read_too() {
    let scratch = Scratch::new("many");
    let directories = 0..3 * super::memo::MAX_OPEN;
    for index in directories.clone() {
        scratch.write(&format!("sys/devices/d{index}/one"), &index.to_string());
        scratch.write(&format!("sys/devices/d{index}/two"), &index.to_string());
    }
    let memo = scratch.memo();
    for file in ["one", "two"] {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for index in directories.clone() {
                        let directory = format!("/sys/devices/d{index}");
                        assert_eq!(memo.names(Path::new(&directory)).unwrap().len(), 2);
                        assert_eq!(text(&memo, &format!("{directory}/{file}")), Some(index.to_string()));
                        assert!(memo.open_directories() <= super::memo::MAX_OPEN + 2);
                    }
                });
            }
        });
    }
}

/// Opening a FIFO would block forever.
#[test]
fn only_files_are_opened() {
    let scratch = Scratch::new("fifo");
    scratch.write("sys/devices/a/x", "1");
    scratch.link("sys/devices/a/to-fifo", "fifo");
    let fifo = scratch.0.join("sys/devices/a/fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    for listed in [false, true] {
        let memo = scratch.memo();
        if listed {
            memo.names(Path::new("/sys/devices/a")).unwrap();
        }
        assert_eq!(text(&memo, "/sys/devices/a/fifo"), None);
        assert_eq!(text(&memo, "/sys/devices/a/to-fifo"), None);
        assert_eq!(text(&memo, "/sys/devices/a/x").as_deref(), Some("1"));
    }
}
