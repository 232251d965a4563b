//! A passkey’s answer, as a browser sends it.

use acts::entrance;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What a device answered.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasskeyShown)]
pub struct PasskeyShown {
    /// What came with the question.
    pub attempt: String,
    /// The browser's answer, as `WebAuthn` writes it in JSON.
    #[schema(value_type = Object)]
    pub credential: Value,
}

impl From<PasskeyShown> for entrance::PasskeyAnswer {
    fn from(PasskeyShown { attempt, credential }: PasskeyShown) -> Self {
        Self { attempt, credential }
    }
}
