//! Who is asking, and may they: roles, how often one may try, and what counts once.

pub mod elsewhere;
pub mod meter;
pub mod once;
pub mod password;
pub mod refresh;
pub mod role;
pub mod session;
pub mod throttle;

pub use role::Role;
pub use throttle::Throttle;

use uuid::Uuid;

/// Somebody who proved who they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Actor {
    /// Their account.
    pub user: Uuid,
    /// What they may do at all; which objects, the SQL says.
    pub role: Role,
}
