//! The tables `[conditions.NAME]` and `[layers.NAME]` as they stand in a file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Spanned;

/// Where in the stack something is wrong, the lowest first: the order in which one thing can be the cause of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// A link, port, session, or the server at its other end.
    Link,
    /// A host adapter or an NVMe controller.
    Controller,
    /// A disk.
    Device,
    /// A path of a multipath map.
    Path,
    /// A multipath map.
    Map,
    /// A volume or a pool of volumes.
    Volume,
    /// An array, mirror or pool of several devices.
    Array,
    /// A file system, swap, or what uses them.
    Content,
}

impl Layer {
    /// All of them, the lowest first.
    pub const ALL: [Layer; 8] = [
        Layer::Link,
        Layer::Controller,
        Layer::Device,
        Layer::Path,
        Layer::Map,
        Layer::Volume,
        Layer::Array,
        Layer::Content,
    ];

    /// Its name in rules.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Link => "link",
            Layer::Controller => "controller",
            Layer::Device => "device",
            Layer::Path => "path",
            Layer::Map => "map",
            Layer::Volume => "volume",
            Layer::Array => "array",
            Layer::Content => "content",
        }
    }
}

/// What became of data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// Nothing was lost.
    #[default]
    Safe,
    /// No redundancy is left, or damage was found.
    AtRisk,
    /// Writes or data were lost.
    Lost,
}

/// One kind of condition as written; docs/incidents.md explains each key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KindSpec {
    /// One sentence about `{dev}`, without a full stop.
    pub title: Spanned<String>,
    /// The same about `{n}` devices.
    #[serde(default)]
    pub many: Option<Spanned<String>>,
    /// Where in the stack it is.
    pub layer: Layer,
    /// Event types that open it.
    #[serde(default)]
    pub opened_by: Vec<Spanned<String>>,
    /// Event types that make it worse; they open it, too.
    #[serde(default)]
    pub worsened_by: Vec<Spanned<String>>,
    /// Details by which any problem of a device is of this kind, besides: `key=value` of the extension.
    #[serde(default, rename = "where")]
    pub details: Vec<Spanned<String>>,
    /// Details with which an event does not open it: `key=value` of the extension.
    #[serde(default)]
    pub unless: Vec<Spanned<String>>,
    /// Event types that close it: on the same device, on what lies below it, or on a path of the map.
    #[serde(default)]
    pub closed_by: Vec<Spanned<String>>,
    /// It closes when nothing was reported for so long: `30s`, `15m`, `2h`.
    #[serde(default)]
    pub quiet: Option<Spanned<String>>,
    /// What happened is over at once and the defect stays, until an event closes it.
    #[serde(default)]
    pub latent: bool,
    /// It closes with the last of the conditions that caused it.
    #[serde(default)]
    pub ends_with_causes: bool,
    /// It is still so when the device is gone, or was unmounted.
    #[serde(default)]
    pub keeps: bool,
    /// It is not known after a reboot whether it still holds; others end with the boot.
    #[serde(default)]
    pub survives_boot: bool,
    /// Kinds that may cause it on a device below; `@LAYER` for all of a layer that are not isolated.
    #[serde(default)]
    pub caused_by: Vec<Spanned<String>>,
    /// It causes nothing.
    #[serde(default)]
    pub isolated: bool,
    /// It says less than any other condition of the same device that is as bad.
    #[serde(default)]
    pub symptom: bool,
    /// The kind of condition that it is for what is built on the device.
    #[serde(default)]
    pub implies: Option<Spanned<String>>,
    /// Several of them behind one port, adapter or target within two seconds have a common cause.
    #[serde(default)]
    pub siblings: bool,
    /// What it means for data.
    #[serde(default)]
    pub data: Data,
    /// What on the running machine can tell whether it still holds.
    #[serde(default)]
    pub witness: Option<Spanned<String>>,
}

/// What ends every condition of a layer.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LayerSpec {
    /// Event types that say that the device is gone, or is a new one.
    #[serde(default)]
    pub gone_by: Vec<Spanned<String>>,
}

/// The file `rules/conditions.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionsFile {
    /// By layer.
    #[serde(default)]
    pub layers: BTreeMap<Layer, LayerSpec>,
    /// By name of the kind.
    #[serde(default)]
    pub conditions: BTreeMap<String, Spanned<KindSpec>>,
}
