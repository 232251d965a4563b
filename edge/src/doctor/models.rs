//! What the unit recognises by: its network, and whom it knows.

use super::{Ailment, Finding};
use crate::app;
use crate::config::Config;
use crate::packs::PackTrouble;
use crate::status::{Lack, Status};
use vision::PackError;

/// Its network loads.
pub fn model(config: &Config) -> Finding {
    let error = match app::models(&config.packs()) {
        Ok(model) => return Finding::well("model", format!("“{}” loads", model.id)),
        Err(error) => error,
    };
    let of = match error.downcast_ref::<PackTrouble>() {
        Some(PackTrouble::Own(own)) if matches!(**own, PackError::Missing { .. }) => {
            Ailment::ModelMissing
        }
        _ => Ailment::ModelDamaged,
    };
    let folder = config.models.display();
    let mend = format!(
        "start the daemon: it gets the hub's model; or copy the folder that “rollcall-hub models \
         fetch” filled on the hub to {folder}"
    );
    Finding::fault(of, format!("{error:#}"), mend)
}

/// Whom the running daemon knows.
pub fn gallery(status: &Status) -> Finding {
    let Status { gallery, people, gallery_trouble: why, gallery_lack, .. } = status;
    let missing = |of, wrong: &str, mend: &str| {
        let because = if why.is_empty() { String::new() } else { format!(": {why}") };
        Finding::fault(of, format!("{wrong}{because}"), mend)
    };
    let tries = "mend what it says; the door tries again by itself";
    if *gallery > 0 {
        return match gallery_lack {
            Some(Lack::Model) => missing(
                Ailment::GalleryModel,
                &format!("release {gallery} is kept in use, the next is for another network"),
                tries,
            ),
            _ if why.is_empty() && *people == 0 => missing(
                Ailment::GalleryNone,
                &format!("release {gallery} has nobody in it, so the door knows nobody"),
                "enrol students, with consent, whose lessons are in this door's room",
            ),
            _ if why.is_empty() => {
                Finding::well("gallery", format!("release {gallery} with {people} people"))
            }
            _ => {
                let kept = format!("release {gallery} is kept in use");
                missing(Ailment::GalleryOld, &kept, tries)
            }
        };
    }
    let check =
        "check the hub's page of this door: it must be online, and students enrolled in its room";
    match gallery_lack {
        Some(Lack::Lease) => missing(
            Ailment::GalleryLease,
            "the lease of the gallery is over, so the door knows nobody",
            "let the door reach its hub, which renews it at once; see “hub”",
        ),
        Some(Lack::Key) => missing(
            Ailment::GalleryKey,
            "the key of the gallery is at the hub, so the door knows nobody",
            "let the door reach its hub; where it must recognise people although it starts while \
             the hub is away: [gallery] key = \"disk\"",
        ),
        Some(Lack::Model) => missing(
            Ailment::GalleryModel,
            "the gallery is for another network than this door has, so it knows nobody",
            "let the door reach its hub, which sends the network; see “disk” and “hub”",
        ),
        _ => missing(Ailment::GalleryNone, "there is no gallery, so the door knows nobody", check),
    }
}
