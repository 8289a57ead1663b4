//! iSCSI.

use std::path::Path;

use super::{facts, Detail, ScsiPath};

/// From drivers/scsi/scsi_transport_iscsi.c: the classes iscsi_session (`targetname, tpgt, ifacename`) and
/// iscsi_connection (`address, port`; the `persistent_` ones are what was configured before a redirection). A
/// connection that is down refuses to tell its address (drivers/scsi/iscsi_tcp.c, iscsi_sw_tcp_conn_get_param): then
/// the configured one counts. A session of open-iscsi has one connection, number 0.
pub(super) fn detail(path: &ScsiPath<'_>) -> Option<Detail> {
    let name = path.ancestor("session")?;
    let session = Path::new("/sys/class/iscsi_session").join(name);
    let connection = format!("connection{}:0", name.strip_prefix("session")?);
    let connection = Path::new("/sys/class/iscsi_connection").join(connection);
    let of_connection = |attr: &str| {
        let current = path.tree.attr(&connection.join(attr));
        current.or_else(|| path.tree.attr(&connection.join(format!("persistent_{attr}"))))
    };
    Some(facts([
        ("transport", Some("iSCSI".to_owned())),
        ("session", Some(name.to_owned())),
        ("address", of_connection("address")),
        ("port", of_connection("port")),
        ("tpgt", path.tree.attr(&session.join("tpgt"))),
        ("target_name", path.tree.attr(&session.join("targetname"))),
        ("iface_name", path.tree.attr(&session.join("ifacename"))),
    ]))
}
