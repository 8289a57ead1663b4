//! How much may be remembered.

/// Bytes that what is remembered may take, about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Faults.
    pub faults: usize,
    /// Bursts, without what they have counted.
    pub bursts: usize,
}

impl Room {
    /// For a machine without devices, and for each device.
    const FEW: Room = Room { faults: 1 << 20, bursts: 2 << 20 };
    const EACH: usize = 2 << 10;
    /// For the logs of any number of machines, and the most for one.
    const MANY: Room = Room { faults: 16 << 20, bursts: 16 << 20 };

    /// For a machine with so many devices: a storm has several faults of each.
    pub fn for_devices(count: usize) -> Self {
        let more = count.saturating_mul(Self::EACH);
        let room = |few: usize, many: usize| few.saturating_add(more).min(many);
        Room {
            faults: room(Self::FEW.faults, Self::MANY.faults),
            bursts: room(Self::FEW.bursts, Self::MANY.bursts),
        }
    }
}

impl Default for Room {
    /// Where the number of devices is not known.
    fn default() -> Self {
        Room::MANY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_grows_with_the_devices() {
        assert_eq!(Room::for_devices(0), Room::FEW);
        assert_eq!(Room::for_devices(1000), Room { faults: 3_096_576, bursts: 4_145_152 });
        assert_eq!(Room::for_devices(usize::MAX), Room::MANY);
    }
}
