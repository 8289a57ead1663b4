//! What the input says of the machine that its logs come from.

use peripety_blkinfo::history::History;

/// The machine that logs come from.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Its name.
    pub hostname: String,
    /// The boot whose devices are known.
    pub boot_id: Option<String>,
    /// When that began, µs since the epoch.
    pub booted: Option<u64>,
    /// Its devices.
    pub devices: Option<History>,
}

impl Machine {
    /// It is not known to which boot a line belongs: it has a date, and the machine's boot time is not known.
    pub fn blind(&self, dated: bool) -> bool {
        self.devices.is_some() && dated && self.booted.is_none()
    }
}

/// What a file, folder or archive says of its machine.
pub fn of(_path: &std::path::Path) -> Machine {
    Machine::default()
}
