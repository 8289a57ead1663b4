//! The interface of every Varlink service: `org.varlink.service`.

use peripety_api::{IDL, INTERFACE};
use serde::Serialize;
use serde_json::{Map, Value};

use super::frame::{FrameWriter, Gone};

/// Name of the interface.
pub const NAME: &str = "org.varlink.service";

/// Its definition: that of <https://varlink.org/Service>.
const DEFINITION: &str = "\
# What every Varlink service offers
interface org.varlink.service

# Who this service is and which interfaces it has
method GetInfo() -> (
  vendor: string,
  product: string,
  version: string,
  url: string,
  interfaces: []string
)

# The definition of an interface
method GetInterfaceDescription(interface: string) -> (description: string)

# The service does not have this interface
error InterfaceNotFound (interface: string)

# The interface does not have this method
error MethodNotFound (method: string)

# The method is defined and not implemented
error MethodNotImplemented (method: string)

# A parameter is missing, unknown, or of the wrong type
error InvalidParameter (parameter: string)

# The client may not call this method
error PermissionDenied ()

# The method answers with several replies: call it with \"more\"
error ExpectedMore ()
";

#[derive(Serialize)]
struct Info<'a> {
    vendor: &'a str,
    product: &'a str,
    version: &'a str,
    url: &'a str,
    interfaces: [&'a str; 2],
}

#[derive(Serialize)]
struct Description<'a> {
    description: &'a str,
}

/// An error of this interface.
pub async fn error(writer: &FrameWriter, name: &str, parameter: &str, value: &str) -> Result<(), Gone> {
    writer.error(&format!("{NAME}.{name}"), parameter, value).await
}

/// The error of a call without `more` of a method that answers several times.
pub async fn expected_more(writer: &FrameWriter) -> Result<(), Gone> {
    writer.send(format!("{{\"error\":\"{NAME}.ExpectedMore\"}}\0").as_bytes()).await
}

/// Answers a call of this interface.
pub async fn call(method: &str, parameters: &Map<String, Value>, writer: &FrameWriter) -> Result<(), Gone> {
    match method {
        "GetInfo" => {
            let info = Info {
                vendor: "Peripety",
                product: "peripetyd",
                version: env!("CARGO_PKG_VERSION"),
                url: "https://crates.io/crates/peripety",
                interfaces: [INTERFACE, NAME],
            };
            writer.reply(&info, false).await
        }
        "GetInterfaceDescription" => match parameters.get("interface") {
            Some(Value::String(name)) if name == INTERFACE => {
                writer.reply(&Description { description: IDL }, false).await
            }
            Some(Value::String(name)) if name == NAME => {
                writer.reply(&Description { description: DEFINITION }, false).await
            }
            Some(Value::String(name)) => error(writer, "InterfaceNotFound", "interface", name).await,
            _ => error(writer, "InvalidParameter", "parameter", "interface").await,
        },
        _ => error(writer, "MethodNotFound", "method", &format!("{NAME}.{method}")).await,
    }
}
