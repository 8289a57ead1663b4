//! Concrete messages: devices, values, and the forms in which a log has them.

pub mod forms;
pub mod place;
pub mod render;
pub mod values;
