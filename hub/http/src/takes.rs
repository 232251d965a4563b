//! What body a route reads, and how many bytes of it at most.

/// Bytes for a JSON body or a form.
pub const SMALL: u64 = 64 * 1024;
/// Bytes for those of somebody who has not signed in.
const STRANGE: u64 = 8 * 1024;
/// Bytes for a photo of 10 MiB with the fields around it.
pub const PHOTO: u64 = 10 * 1024 * 1024 + 64 * 1024;

/// What body a route reads, and how many bytes of it at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// None.
    Nothing,
    /// `application/json`.
    Json(u64),
    /// `application/x-www-form-urlencoded`, from our own pages.
    Form(u64),
    /// `multipart/form-data`.
    Parts(u64),
    /// `multipart/form-data` whose file is too large for RAM: it goes to the disk.
    Archive(u64),
}

impl Takes {
    /// The same with photos of at most `bytes`.
    #[must_use]
    pub fn photos_within(self, bytes: u64) -> Self {
        match self {
            Self::Parts(limit) if limit <= PHOTO => Self::Parts(limit.min(bytes + SMALL)),
            other => other,
        }
    }

    /// The same from somebody who has not signed in: thousands may say so much at once.
    #[must_use]
    pub fn from_a_stranger(self) -> Self {
        match self {
            Self::Json(limit) => Self::Json(limit.min(STRANGE)),
            Self::Form(limit) => Self::Form(limit.min(STRANGE)),
            other => other,
        }
    }
}
