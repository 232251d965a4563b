//! Accounts: lifetimes, who may register, signing in elsewhere.

use super::Secret;

/// Accounts and how long a sign-in lasts.
#[derive(Clone, Debug, Default)]
pub struct AccountSettings {
    /// Whether anybody may register an account of the role student. Default no.
    pub open_registration: bool,
    /// Sessions of browsers.
    pub sessions: rules::auth::session::SessionLimits,
    /// Tokens of programs.
    pub tokens: rules::auth::refresh::RefreshLimits,
    /// Signs access tokens instead of the hub's own key.
    pub token_key: Option<Secret>,
    /// Signing in elsewhere, by OpenID Connect.
    pub oidc: Option<Oidc>,
    /// The first account, made at the first start only.
    pub first_admin: Option<FirstAdmin>,
}

/// A provider of OpenID Connect.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// Its address, such as `https://accounts.google.com`.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// How we prove it; public clients have none.
    pub client_secret: Option<Secret>,
    /// What the button on the sign-in page says. Default the issuer's host.
    pub name: String,
}

/// The first admin, from the environment.
#[derive(Clone, Debug)]
pub struct FirstAdmin {
    /// Address.
    pub email: String,
    /// What pages call them.
    pub name: String,
    /// Their password.
    pub password: Secret,
}
