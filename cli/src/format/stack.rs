//! Block devices on block devices, as trees of text.

use std::collections::HashMap;

use peripety_api::BlockInfo;

/// Real stacks are not deeper; a cycle, which the kernel does not allow, ends here.
const MAX_LEVELS: usize = 32;
/// Lines of a tree: a device that is reached in many ways is shown in each.
const MAX_LINES: usize = 100_000;

/// A line of a tree: the drawing in front of the name, and the device.
pub struct Branch<'a> {
    /// `├─`, `│ └─` …
    pub drawing: String,
    /// The device.
    pub info: &'a BlockInfo,
}

/// Devices by their kernel names.
pub struct DevicesByName<'a>(HashMap<&'a str, &'a BlockInfo>);

impl<'a> DevicesByName<'a> {
    pub fn new(infos: impl IntoIterator<Item = &'a BlockInfo>) -> Self {
        DevicesByName(infos.into_iter().map(|info| (info.kdev.as_str(), info)).collect())
    }

    /// Is nothing of this that is known below the device?
    pub fn is_root(&self, info: &BlockInfo) -> bool {
        !info.slaves.iter().any(|slave| self.0.contains_key(slave.as_str()))
    }

    /// The tree that begins with `info`; `next` names the devices behind one.
    pub fn tree(&self, info: &'a BlockInfo, next: fn(&BlockInfo) -> &[String]) -> Vec<Branch<'a>> {
        let mut lines = vec![Branch { drawing: String::new(), info }];
        self.branch(info, next, "", &mut lines, 0);
        lines
    }

    fn branch(
        &self,
        info: &BlockInfo,
        next: fn(&BlockInfo) -> &[String],
        before: &str,
        lines: &mut Vec<Branch<'a>>,
        level: usize,
    ) {
        let behind: Vec<&'a BlockInfo> =
            next(info).iter().filter_map(|name| self.0.get(name.as_str()).copied()).collect();
        for (place, device) in behind.iter().enumerate() {
            if level >= MAX_LEVELS || lines.len() >= MAX_LINES {
                return;
            }
            let (own, further) =
                if place + 1 == behind.len() { ("└─", "  ") } else { ("├─", "│ ") };
            lines.push(Branch { drawing: format!("{before}{own}"), info: device });
            self.branch(device, next, &format!("{before}{further}"), lines, level + 1);
        }
    }
}
