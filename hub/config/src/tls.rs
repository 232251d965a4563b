//! The certificate that people bring for the web.

use std::path::PathBuf;

/// Where a certificate that people brought lies: a chain and its key, in PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Files {
    /// The chain, the hub's own first.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}
