//! Which SCSI command a line is about: by tag, by blocks, by sector.

use crate::event::EventDraft;

/// What a line knows of the command that failed.
#[derive(Debug, Default)]
pub struct FailedCommand {
    tag: Option<String>,
    /// First block, and number of blocks, of the command.
    blocks: Option<(u64, u64)>,
    sector: Option<u64>,
}

impl FailedCommand {
    /// Which command is meant only the sector can tell.
    pub fn waits(&self) -> bool {
        self.sector.is_some() && self.tag.is_none()
    }

    /// Reads it from the captures of the event's rule.
    pub fn of(event: &EventDraft) -> Self {
        let number = |key: &str| event.extension.get(key).and_then(|value| value.parse().ok());
        FailedCommand {
            tag: event.extension.get("tag").cloned(),
            blocks: number("lba").map(|lba| (lba, number("blocks").unwrap_or(1))),
            sector: number("sector"),
        }
    }

    /// Without what tells one command from another.
    pub fn sector_only(self) -> Self {
        FailedCommand { sector: self.sector, ..FailedCommand::default() }
    }

    /// `None`: they cannot be the same. Else how sure it is that they are.
    pub fn agreement(&self, other: &FailedCommand) -> Option<u32> {
        let mut sure = 0;
        if let (Some(a), Some(b)) = (&self.tag, &other.tag) {
            if a != b {
                return None;
            }
            sure += 2;
        }
        let covers = |blocks: Option<(u64, u64)>, sector: Option<u64>| Some(covers(blocks?, sector?));
        match covers(self.blocks, other.sector).or(covers(other.blocks, self.sector)) {
            Some(true) => sure += 4,
            Some(false) => return None,
            None => {}
        }
        Some(sure)
    }
}

/// A block of the device has 512 bytes, as a sector, or 4,096.
fn covers((lba, blocks): (u64, u64), sector: u64) -> bool {
    let inside = |scale: u64| {
        let first = lba.saturating_mul(scale);
        (first..first.saturating_add(blocks.max(1).saturating_mul(scale))).contains(&sector)
    };
    inside(1) || inside(8)
}
