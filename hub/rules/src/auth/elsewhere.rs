//! Whose account opens who signs in elsewhere (OpenID Connect).

/// Somebody, as a provider vouches for them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderIdentity {
    /// The provider.
    pub issuer: String,
    /// Who they are there; never given to another.
    pub subject: String,
    /// Their address, if the provider verified it.
    pub verified_email: Option<String>,
}

/// What an identity opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Opens<A> {
    /// This account, to which it is linked.
    Account(A),
    /// This account, to which it is linked from now on.
    Links(A),
    /// None.
    Nothing,
}

/// Whose account an identity opens: the one it is linked to, or else the one an admin opened for
/// the first sign-in with its address.
#[must_use]
pub fn opens<A>(linked: Option<A>, invited: Option<A>) -> Opens<A> {
    match (linked, invited) {
        (Some(account), _) => Opens::Account(account),
        (None, Some(account)) => Opens::Links(account),
        (None, None) => Opens::Nothing,
    }
}
