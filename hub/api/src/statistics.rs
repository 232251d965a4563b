//! `/api/classes/{id}/statistics`: what is there of a class, counted.

use http::call::Call;
use http::endpoint::Endpoint;
use http::reply::json;
use http::route::Route;
use http::{problem::Outcome, route::Object};
use serde::Serialize;
use store::{class, register};
use utoipa::ToSchema;
use uuid::Uuid;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    vec![
        Route::get("/api/classes/{id}/statistics")
            .staff()
            .of(Object::Class)
            .gives::<StatisticsBody>()
            .by(statistics_of),
    ]
}

/// What is there of a class.
#[derive(Serialize, ToSchema)]
#[schema(as = Statistics)]
pub struct StatisticsBody {
    class_id: Uuid,
    class_name: String,
    student_count: i64,
    session_count: i64,
    total_images: i64,
    processed_images: i64,
    unprocessed_images_count: i64,
    total_face_crops: i64,
    crops_with_embeddings: i64,
    crops_without_embeddings: i64,
    identified_faces: i64,
}

async fn statistics_of(call: Call) -> Outcome {
    let reader = call.reader()?;
    let name = call.param("id").to_owned();
    let read = call.app().db.read(move |tx| {
        let class = class::find(tx, reader, &name)?;
        let counts = register::statistics(tx, class.id)?;
        Ok((class, counts))
    });
    let (class, counts) = read.await?;
    let (images, processed) = counts.images;
    let (crops, embedded, named) = counts.crops;
    json(&StatisticsBody {
        class_id: class.id,
        class_name: class.class_name,
        student_count: counts.students,
        session_count: counts.sessions,
        total_images: images,
        processed_images: processed,
        unprocessed_images_count: images - processed,
        total_face_crops: crops,
        crops_with_embeddings: embedded,
        crops_without_embeddings: crops - embedded,
        identified_faces: named,
    })
}
