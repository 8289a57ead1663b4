//! The time during which a device had a name.

/// Something happened after the one time and not later than the other. µs of CLOCK_MONOTONIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Window {
    /// It had not happened at this time.
    pub after: u64,
    /// It had happened at this time.
    pub by: u64,
}

/// The time during which a device had a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Tenure {
    /// The number of the device.
    pub block: u64,
    /// When it got the name.
    pub came: Window,
    /// When it lost it.
    pub went: Option<Window>,
}

impl Tenure {
    /// The device certainly had the name then. Of one that still has it nothing is known after `complete_until`.
    pub fn certain(&self, time: u64, complete_until: u64) -> bool {
        self.came.by <= time && time <= self.went.map_or(complete_until, |went| went.after)
    }

    /// The device may have had the name then.
    pub fn possible(&self, time: u64) -> bool {
        self.came.after < time && self.went.is_none_or(|went| time <= went.by)
    }

    /// The device had certainly lost the name by then.
    pub fn went_before(&self, time: u64) -> bool {
        self.went.is_some_and(|went| went.by < time)
    }
}
