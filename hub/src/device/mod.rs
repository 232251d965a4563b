//! What devices are to the hub before they say a word: who they are, and whether they may come.

pub mod fleet;
pub mod follow;
pub mod http;
pub mod identity;
mod key;
pub mod range;
pub mod renew;
pub mod seen;
pub mod tls;

pub use fleet::{Fleet, State};
pub use identity::{Identity, Serial};
