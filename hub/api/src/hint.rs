//! `/api/enrollment/hint`: how good a picture a camera would take now. Nothing is kept, and no
//! template is made.

use acts::enrol::hint::{Hint, HintWord, hint};
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::reply::json;
use http::route::Route;
use serde::Serialize;
use utoipa::ToSchema;

/// Bytes of a frame at most, with the form around it.
const FRAME: u64 = 512 * 1024;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::post("/api/enrollment/hint")
            .admin()
            .parts(FRAME)
            .fields::<HintFrame>()
            .gives::<HintBody>()
            .by(show),
    ]
}

/// A frame of a camera.
#[derive(ToSchema)]
#[schema(as = EnrollmentFrame)]
#[expect(dead_code, reason = "the form is read field by field; this is its description")]
pub struct HintFrame {
    /// JPEG of at most 512 KiB. At most four a second.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// How good the frame is.
#[derive(Serialize, ToSchema)]
#[schema(as = EnrollmentHint)]
pub struct HintBody {
    /// Whether a picture taken now would be good.
    ready: bool,
    /// Faces found.
    faces: usize,
    /// What is wrong: `picture_small`, `no_face`, `several_faces`, `face_small`, `blurred`, `dark`,
    /// `bright`, `turned_away`, `detector_unsure`.
    reasons: Vec<String>,
    /// Where the face is, in pixels of the frame: left, top, right, bottom.
    #[schema(min_items = 4, max_items = 4)]
    face: Option<[f32; 4]>,
}

impl From<Hint> for HintBody {
    fn from(hint: Hint) -> Self {
        let (faces, reasons) = match hint.say {
            HintWord::Small => (0, vec!["picture_small".into()]),
            HintWord::Nobody => (0, vec!["no_face".into()]),
            HintWord::Several(faces) => (faces, vec!["several_faces".into()]),
            HintWord::One(doubts) => (1, doubts.into_iter().map(code).collect()),
        };
        let face = hint.face.map(|at| [at.left, at.top, at.right, at.bottom]);
        Self { ready: hint.ready, faces, reasons, face }
    }
}

/// A reason as the API writes it.
fn code(reason: wire::Reason) -> String {
    serde_json::to_value(reason)
        .ok()
        .and_then(|code| code.as_str().map(str::to_owned))
        .unwrap_or_default()
}

async fn show(call: Call) -> Outcome {
    let frame = call.file("file")?;
    let _place = call.photo_place().await?;
    let glance = call.app().recogniser.glance(frame.to_vec()).await?;
    json(&HintBody::from(hint(&glance)))
}
