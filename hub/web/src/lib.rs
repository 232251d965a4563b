//! The pages: what a person with a browser sees. HTML is made here and nowhere else.
//!
//! Texts are in `hub/words`. Every page works without JavaScript; `review.js` adds keys, undo and
//! live arrival to the review desk. Pages have the same rights as the API, because they use the
//! same queries.

pub mod account;
pub mod alerts;
pub mod card;
pub mod care;
pub mod chart;
pub mod class;
pub mod desk;
pub mod devices;
pub mod docs;
pub mod faces;
pub mod files;
pub mod heat;
pub mod mark_words;
pub mod note;
pub mod oidc;
pub mod people;
pub mod photo;
pub mod photo_buttons;
pub mod qr;
pub mod report;
pub mod review;
pub mod roll;
pub mod roll_buttons;
pub mod settings;
pub mod shell;
pub mod start;
pub mod today;
pub mod unnamed;

use http::endpoint::Endpoint;

/// The routes of all pages.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    [
        start::routes(),
        oidc::routes(),
        review::routes(),
        people::routes(),
        devices::routes(),
        care::routes(),
        docs::routes(),
        class::routes(),
        today::routes(),
        roll_buttons::routes(),
        report::routes(),
        photo::routes(),
        photo_buttons::routes(),
        unnamed::routes(),
        account::routes(),
        settings::routes(),
    ]
    .concat()
}
