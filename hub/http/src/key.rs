//! Names of things in bodies: an own id, or the unique natural key, as text or as a number.

use serde::Deserialize;
use utoipa::ToSchema;

/// An own id or a unique natural key: `"7B"`, `"STU1"`, or `1`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Key)]
pub enum HttpKey {
    /// As text.
    Text(String),
    /// As a number.
    Number(i64),
}

impl HttpKey {
    /// The same as text.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_names_the_same_as_its_text() {
        let key = |json: &str| serde_json::from_str::<HttpKey>(json).map(HttpKey::text).ok();
        assert_eq!((key("1"), key("\"1\"")), (Some("1".into()), Some("1".into())));
        assert_eq!((key("1.5"), key("null")), (None, None));
    }
}
