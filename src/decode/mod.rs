//! What drivers report in numbers: SCSI sense data and commands, ATA error and status registers.

pub mod ata;
pub mod scsi;
