//! The API: a file per resource, which only translates: a body into what an act takes, what it
//! returns into JSON. What goes wrong is a problem (RFC 9457) with the status of its kind.

pub mod alerts;
pub mod analytics;
pub mod audit;
pub mod auth;
pub mod calendar;
pub mod capture;
pub mod care;
pub mod class_photo;
pub mod classes;
pub mod clock;
pub mod commands;
pub mod compat;
pub mod consent;
pub mod crops;
pub mod devices;
pub mod door_care;
pub mod door_settings;
pub mod enrolment;
pub mod erase;
pub mod events;
pub mod export;
pub mod gallery;
pub mod hint;
pub mod history;
pub mod holidays;
pub mod images;
pub mod import;
pub mod jobs;
pub mod join;
pub mod lesson;
pub mod mail_texts;
pub mod marks;
pub mod members;
pub mod notifications;
pub mod openapi;
pub mod passkeys;
pub mod password;
pub mod persons;
pub mod presence;
pub mod prove;
pub mod reports;
pub mod retention;
pub mod rooms;
pub mod scope;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod shown;
pub mod sightings;
pub mod sign_ins;
pub mod sign_up;
pub mod sorting;
pub mod statistics;
pub mod students;
pub mod system;
pub mod teachers;
pub mod timetable;
pub mod totp;
pub mod updates;
pub mod users;
pub mod webhooks;

use http::endpoint::Endpoint;

/// Every route of the API.
#[must_use]
pub fn routes(page: reports::RegisterPage) -> Vec<Endpoint> {
    let own = [
        alerts::routes(),
        analytics::routes(),
        auth::routes(),
        reports::routes(page),
        statistics::routes(),
        history::routes(),
        settings::routes(),
        setup::routes(),
        students::routes(),
        devices::routes(),
        sightings::routes(),
        audit::routes(),
        capture::routes(),
        care::routes(),
        classes::routes(),
        members::routes(),
        mail_texts::routes(),
        clock::routes(),
        consent::routes(),
        commands::routes(),
        door_care::routes(),
        gallery::routes(),
        enrolment::routes(),
        erase::routes(),
        events::routes(),
        export::routes(),
        hint::routes(),
        crops::routes(),
        images::routes(),
        jobs::routes(),
        import::routes(),
        sorting::routes(),
        join::routes(),
        class_photo::routes(),
        marks::routes(),
        openapi::routes(),
        calendar::routes(),
        holidays::routes(),
        rooms::routes(),
        notifications::routes(),
        webhooks::routes(),
        timetable::routes(),
        persons::routes(),
        passkeys::routes(),
        password::routes(),
        prove::routes(),
        sign_up::routes(),
        teachers::routes(),
        totp::routes(),
        updates::routes(),
        users::routes(),
        retention::routes(),
        presence::routes(),
        scope::routes(),
        sessions::routes(),
        sign_ins::routes(),
        system::routes(),
    ]
    .concat();
    [compat::routes(&own), own].concat()
}
