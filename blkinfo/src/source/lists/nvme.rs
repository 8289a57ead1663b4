//! NVMe subsystems and their controllers, as sysfs has them (drivers/nvme/host/core.c, multipath.c).

use std::collections::HashMap;
use std::path::PathBuf;

use super::devices::ListedDevices;
use crate::name::number;

/// An NVMe subsystem.
#[derive(Clone, Debug)]
pub struct Subsystem {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub nqn: String,
    /// The controllers through which it is reached.
    pub controllers: Vec<Controller>,
}

/// A controller.
#[derive(Clone, Debug)]
pub struct Controller {
    /// Its number.
    pub number: u32,
    /// The kernel's word for how it is reached: `pcie`, `tcp` …
    pub transport: String,
    /// Where, as the kernel writes it.
    pub address: String,
    /// `live`, `connecting` …
    pub state: String,
}

impl Controller {
    /// `address`: of PCI, nvme-cli may write `traddr=` before it.
    pub fn new(number: u32, transport: String, address: &str, state: Option<&str>) -> Self {
        let bare = address.strip_prefix("traddr=").filter(|_| transport == "pcie").unwrap_or(address);
        Self { number, transport, address: bare.to_owned(), state: state.unwrap_or_default().to_owned() }
    }

    /// Its directory in sysfs.
    pub fn directory(&self) -> PathBuf {
        let above = match self.transport.as_str() {
            "pcie" if !self.address.contains('/') => format!("pci/{}/nvme", self.address),
            _ => "virtual/nvme-fabrics/ctl".to_owned(),
        };
        PathBuf::from(format!("/sys/devices/{above}/nvme{}", self.number))
    }
}

impl Subsystem {
    /// Its directory in sysfs.
    pub fn directory(&self) -> PathBuf {
        PathBuf::from(format!("/sys/devices/virtual/nvme-subsystem/nvme-subsys{}", self.number))
    }
}

/// The subsystems by the numbers that their namespaces have.
pub struct Subsystems<'d>(HashMap<u32, &'d Subsystem>);

impl<'d> Subsystems<'d> {
    /// With multipathing a namespace has the number of its subsystem, without it that of the controller: a number that means two
    /// subsystems is left out.
    pub fn of(devices: &'d ListedDevices) -> Self {
        let mut all: HashMap<u32, &Subsystem> =
            devices.subsystems().map(|subsystem| (subsystem.number, subsystem)).collect();
        for subsystem in devices.subsystems() {
            for controller in subsystem.controllers.iter().filter(|one| one.number != subsystem.number) {
                all.remove(&controller.number);
            }
        }
        Self(all)
    }

    /// The subsystem of a namespace.
    pub fn of_namespace(&self, kname: &str) -> Option<&'d Subsystem> {
        let (first, second) = kname.strip_prefix("nvme")?.split_once('n')?;
        number::<u32>(second)?;
        self.0.get(&number(first)?).copied()
    }
}
