//! What routes cost the hub, and how often one caller may have them: a property of the table.
//!
//! Whoever reads a form of files pays for pictures; the others are named here. The test below
//! holds each route that looks, counts over everything or writes a file against this list.

use super::route::Route;
use crate::signed_in::{Proof, SignedIn};
use crate::takes::Takes;
use rules::auth::meter::MeterRate;
use rules::auth::throttle::network;
use std::net::IpAddr;
use uuid::Uuid;
use wire::DeviceId;

/// What one use of a route costs the hub.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cost {
    /// Not worth counting.
    Little,
    /// A look through everybody, or through many rows.
    Search,
    /// A picture opened and shown.
    Shown,
    /// A frame of a camera, looked at quickly.
    Frame,
    /// Pictures or files that are read and looked at.
    Picture,
    /// A whole register, a person's file, a walk along the audit chain.
    Export,
}

impl Cost {
    /// How many at once, and how fast more come; none where nothing is counted.
    #[must_use]
    pub const fn rate(self) -> Option<MeterRate> {
        let (burst, every_ms) = match self {
            Self::Little => return None,
            Self::Search => (100, 100),
            Self::Shown => (400, 20),
            Self::Frame => (1, 250),
            Self::Picture => (100, 250),
            Self::Export => (40, 2_000),
        };
        Some(MeterRate { burst, every_ms })
    }

    /// What `route` costs.
    #[must_use]
    pub fn of(route: &Route) -> Self {
        let is = |paths: &[&str]| paths.contains(&route.path);
        match route.takes {
            _ if route.path == "/api/enrollment/hint" => Self::Frame,
            Takes::Parts(_) | Takes::Archive(_) => Self::Picture,
            _ if is(&PICTURES) => Self::Picture,
            _ if is(&EXPORTS) => Self::Export,
            _ if is(&SHOWN) => Self::Shown,
            _ if is(&SEARCHES) => Self::Search,
            _ => Self::Little,
        }
    }
}

/// Looks at pictures that came before, or as text.
const PICTURES: [&str; 10] = [
    "/api/attendance/mark",
    "/api/images/{id}/process-image",
    "/api/classes/{id}/process-all-images",
    "/api/classes/{id}/generate-embeddings",
    "/api/sessions/{id}/generate-embeddings",
    "/api/face-crops/{id}/generate-embedding",
    "/photo/{id}/look",
    "/gallery/push",
    "/api/gallery/push",
    "/class/{id}/photo/sort",
];

/// Writes a file or goes through everything there is.
const EXPORTS: [&str; 15] = [
    "/api/students/{id}/export",
    "/api/classes/{id}/attendance-report",
    "/class/{id}/report",
    "/people/bring/{id}/rows.csv",
    "/calendar/{secret}",
    "/api/audit/verify",
    "/settings/audit/verify",
    "/api/analytics/attendance-trend",
    "/api/analytics/monthly-summary",
    "/api/analytics/class-risk",
    "/api/analytics/global",
    "/api/classes/{id}/cluster-crops",
    "/api/sessions/{id}/cluster-crops",
    "/settings/retention/run",
    "/api/retention/due",
];

/// Opens sealed pictures.
const SHOWN: [&str; 5] = [
    "/api/attendance/{id}/crop",
    "/api/face-crops/{id}/crop",
    "/api/images/{id}/file",
    "/api/devices/{id}/snap",
    "/api/images/{id}/face_crops",
];

/// Looks for people.
const SEARCHES: [&str; 13] = [
    "/api/students",
    "/api/persons",
    "/api/teachers",
    "/api/users",
    "/people",
    "/class/{id}/people",
    "/review/{id}/who",
    "/api/audit",
    "/settings/audit",
    "/api/face-crops/{id}/similar-faces",
    "/api/classes/{id}/suggest-assignments",
    "/api/sessions/{id}/suggest-assignments",
    "/api/classes/{id}/statistics",
];

/// Whose use it is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Spender {
    /// An account, however many programs it runs.
    Account(Uuid),
    /// A program at a door.
    Door(DeviceId),
    /// Whoever is not signed in there.
    Network(IpAddr),
}

impl Spender {
    /// Whoever asks.
    #[must_use]
    pub fn of(by: Option<&SignedIn>, peer: IpAddr) -> Self {
        match by {
            None => Self::Network(network(peer)),
            Some(SignedIn { proof: Proof::Door(door), .. }) => Self::Door(door.clone()),
            Some(by) => Self::Account(by.actor.user),
        }
    }
}

/// Every path that is named here, for the test that holds it against the table.
#[doc(hidden)]
pub fn named() -> impl Iterator<Item = &'static str> {
    PICTURES.into_iter().chain(EXPORTS).chain(SHOWN).chain(SEARCHES)
}
