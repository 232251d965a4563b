//! Refresh tokens: each is used once, and one that comes again ends its whole family.

use wire::Wall;

/// How long an access token is good by default, milliseconds.
pub const ACCESS_MS: i64 = 30 * 60 * 1000;

/// How long a refresh token is good by default, milliseconds.
pub const REFRESH_MS: i64 = 24 * 60 * 60 * 1000;

/// How long tokens live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RefreshLimits {
    /// Access tokens, milliseconds. Default 30 min.
    pub access_ms: i64,
    /// Refresh tokens, milliseconds. Default 24 h.
    pub refresh_ms: i64,
}

impl Default for RefreshLimits {
    fn default() -> Self {
        Self { access_ms: ACCESS_MS, refresh_ms: REFRESH_MS }
    }
}

/// A stored refresh token, as far as the decision needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refresh {
    /// When it was issued.
    pub issued: Wall,
    /// When it was exchanged for the next, if it was.
    pub used: Option<Wall>,
    /// Whether its family was ended, by logging out or by reuse.
    pub ended: bool,
}

/// What follows from showing a refresh token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exchange {
    /// Mark it used, give the next one.
    Rotate,
    /// It was used before: end the family.
    EndFamily,
    /// It is too old, or its family has ended.
    Refuse,
}

/// Decides what to do with a refresh token that somebody shows.
#[must_use]
pub fn exchange(token: Refresh, limits: RefreshLimits, now: Wall) -> Exchange {
    match token {
        Refresh { ended: true, .. } => Exchange::Refuse,
        Refresh { used: Some(_), .. } => Exchange::EndFamily,
        Refresh { issued, .. } if now >= issued.plus_ms(limits.refresh_ms) => Exchange::Refuse,
        Refresh { .. } => Exchange::Rotate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall(1_790_000_000_000);

    #[test]
    fn a_refresh_token_works_once_and_its_reuse_ends_the_family() {
        let fresh = Refresh { issued: NOW, used: None, ended: false };
        let exchange = |token, now| exchange(token, RefreshLimits::default(), now);
        assert_eq!(exchange(fresh, NOW), Exchange::Rotate);
        assert_eq!(exchange(Refresh { used: Some(NOW), ..fresh }, NOW), Exchange::EndFamily);
        assert_eq!(exchange(Refresh { ended: true, ..fresh }, NOW), Exchange::Refuse);
        assert_eq!(exchange(fresh, NOW.plus_ms(REFRESH_MS)), Exchange::Refuse);
    }
}
