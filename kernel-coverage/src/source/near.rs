//! Which of several definitions of a name a file most likely sees. Include paths are unknown; files of one directory belong together.

/// Anything that is defined in a file.
pub trait Defined {
    /// The path of the file.
    fn path(&self) -> &str;
}

/// The definition that a file sees: its own, else that of the nearest header.
pub fn nearest<'d, D: Defined>(definitions: impl Iterator<Item = &'d D>, path: &str) -> Option<&'d D> {
    let mut best: Option<(i64, &D)> = None;
    for definition in definitions {
        let score = score(definition.path(), path);
        if score > LEAST && best.is_none_or(|(other, _)| score > other) {
            best = Some((score, definition));
        }
    }
    best.map(|(_, definition)| definition)
}

/// A definition with a worse score belongs to other code.
const LEAST: i64 = -45;

fn score(defined: &str, path: &str) -> i64 {
    if defined == path {
        return 100;
    }
    let depth = defined.matches('/').count() as i64 + 1;
    let common = defined.split('/').zip(path.split('/')).take_while(|(a, b)| a == b).count() as i64;
    let near = match common {
        2.. => 10 * common - depth,
        _ if defined.starts_with("include/") => 1,
        _ => -50,
    };
    near - if defined.ends_with(".c") { 30 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Defined for &str {
        fn path(&self) -> &str {
            self
        }
    }

    #[test]
    fn the_nearest_header_wins() {
        let found = |all: &[&'static str], path| nearest(all.iter(), path).copied();
        let all = ["drivers/a/x/x.h", "include/linux/printk.h", "drivers/b/y.h", "drivers/a/x/other.c"];
        assert_eq!(found(&all, "drivers/a/x/main.c"), Some("drivers/a/x/x.h"));
        assert_eq!(found(&all, "drivers/a/x/other.c"), Some("drivers/a/x/other.c"));
        assert_eq!(found(&all, "fs/z/z.c"), Some("include/linux/printk.h"));
        assert_eq!(found(&["drivers/b/y.h"], "fs/z/z.c"), None);
    }
}
