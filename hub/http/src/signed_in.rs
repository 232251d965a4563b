//! Who is signed in, and how they proved it.

use rules::auth::Actor;
use store::login::LoginLive;
use wire::Wall;

/// How long a proof holds, milliseconds. Signing in is one, but not for what opens an account.
pub const PROOF_HOLDS_MS: i64 = 10 * 60 * 1000;

/// How somebody proved who they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proof {
    /// The secret of a browser's session.
    Session(String),
    /// An access token of this family.
    Token(uuid::Uuid),
    /// The capture token of this door, which is nobody's account.
    Door(wire::DeviceId),
}

/// Somebody signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who, in which role.
    pub actor: Actor,
    /// What pages call them.
    pub name: String,
    /// How they proved it.
    pub proof: Proof,
    /// When they last did.
    pub proved: Wall,
    /// Whether that was since signing in; true for who has nothing to prove it with here.
    pub again: bool,
    /// Whether their role must have a second factor, and they have none.
    pub lacks_factor: bool,
}

impl SignedIn {
    /// Whoever this sign-in belongs to.
    #[must_use]
    pub fn new(live: LoginLive, proof: Proof) -> Self {
        let LoginLive { account, proved, again, lacks_factor } = live;
        Self { actor: account.actor(), name: account.name, proof, proved, again, lacks_factor }
    }
}

impl SignedIn {
    /// Whether they proved who they are not long ago.
    #[must_use]
    pub fn is_fresh(&self, now: Wall) -> bool {
        now < self.proved.plus_ms(PROOF_HOLDS_MS)
    }
}
