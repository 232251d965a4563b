//! What acts work with, opened once. Whoever acts takes of it what it needs, and names it in its
//! own fields: nothing below the skins holds all of it.

use crate::album::Album;
use crate::alerts::Alerts;
use crate::apart::Apart;
use crate::audit::Walking;
use crate::auth::token::Tokens;
use crate::bring::Bringing;
use crate::broker::herald::Herald;
use crate::care::Tally;
use crate::care::facts::Sources;
use crate::certificates::{Certificates, Renewal};
use crate::desk::Desk;
use crate::device::Fleet;
use crate::device::follow::Follower;
use crate::doors::{Doors, boards::Boards, updates::Updates};
use crate::events::Events;
use crate::finds::Finds;
use crate::gallery::{Galleries, Gallery};
use crate::hubs::Hubs;
use crate::ingest::school::Schools;
use crate::jobs::Jobs;
use crate::join::{Joining, Joins};
use crate::lessons::Classroom;
use crate::lessons::upkeep::LessonUpkeep;
use crate::mail::Mailing;
use crate::neighbours::Neighbours;
use crate::notify::sender::Sender;
use crate::online::Online;
use crate::people::People;
use crate::pki::Pki;
use crate::privacy::upkeep::PrivacyUpkeep;
use crate::readiness::Readiness;
use crate::recogniser::Recogniser;
use crate::recognition::Recognition;
use crate::retention::{Sweeper, SweepingJob};
use crate::snaps::Snaps;
use crate::tails::Tails;
use crate::timekeeper::Timekeeper;
use crate::timetable::Timetable;
use crate::upkeep::Aside;
use crate::upkeep::Upkeep;
use crate::webhooks::Webhooks;
use config::Config;
use std::sync::{Arc, OnceLock};
use store::Db;
use store::keys::Keys;
use store::line::Duty;
use wire::Clock;

/// Every part; cheap to clone.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// Secrets.
    pub keys: Keys,
    /// Certificates.
    pub pki: Pki,
    /// What is shown to people and programs.
    pub certificates: Certificates,
    /// Signs and reads access tokens.
    pub tokens: Tokens,
    /// Who may be recognised.
    pub gallery: Gallery,
    /// What reads files that people bring.
    pub apart: Apart,
    /// What looks at uploaded pictures.
    pub recogniser: Recogniser,
    /// What just happened.
    pub events: Events,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Settings.
    pub config: Arc<Config>,
    /// What doors should run, and which of their certificates no longer count.
    pub fleet: Fleet,
    /// This hub, among others.
    pub hubs: Hubs,
    /// Which doors are connected.
    pub online: Online,
    /// What doors' cameras see, when somebody asked.
    pub snaps: Snaps,
    /// What doors logged, when somebody asked.
    pub tails: Tails,
    /// How doors' boards are.
    pub boards: Boards,
    /// Who may be recognised, for the hub's own look at each sighting.
    pub schools: Schools,
    /// Long work.
    pub jobs: Jobs,
    /// Who tried to join lately.
    pub joins: Joins,
    /// What failed and is tried again later.
    pub aside: Aside,
    /// Whether the clock is believed.
    pub timekeeper: Timekeeper,
    /// Whether what is done once for a school is done here.
    pub duty: Duty,
    /// How much waits for a person who runs the system.
    pub care: Tally,
    /// What a balancer is told.
    pub readiness: Readiness,
    /// Ports of the doors' listeners, once bound: MQTT and HTTPS.
    pub ports: Arc<OnceLock<(u16, u16)>>,
}

impl Parts {
    /// Where doors reach the hub: `host:port` of MQTT and of HTTPS.
    #[must_use]
    pub fn reach(&self) -> (String, String) {
        let listen = &self.config.listen;
        let set = || (listen.mqtt.port(), listen.device.port());
        let (mqtt, https) = self.ports.get().copied().unwrap_or_else(set);
        let host = &self.config.host;
        (format!("{host}:{mqtt}"), format!("{host}:{https}"))
    }

    /// What every loop needs.
    #[must_use]
    pub fn upkeep(&self) -> Upkeep {
        Upkeep {
            db: self.db.clone(),
            clock: self.clock.clone(),
            aside: self.aside.clone(),
            timekeeper: self.timekeeper.clone(),
            duty: self.duty.clone(),
        }
    }

    /// What makes and closes lessons.
    #[must_use]
    pub fn lessons(&self) -> LessonUpkeep {
        let db = self.db.clone();
        let events = self.events.clone();
        LessonUpkeep { db, events, zone: self.config.zone.clone(), upkeep: self.upkeep() }
    }

    /// What galleries are made of.
    #[must_use]
    pub fn galleries(&self) -> Galleries {
        Galleries {
            db: self.db.clone(),
            keys: self.keys.clone(),
            gallery: self.gallery.clone(),
            schools: self.schools.clone(),
            clock: self.clock.clone(),
        }
    }

    /// Where worries are read from.
    #[must_use]
    pub fn cares(&self) -> Sources {
        Sources {
            db: self.db.clone(),
            keys: self.keys.clone(),
            pki: self.pki.clone(),
            certificates: self.certificates.clone(),
            recogniser: self.recogniser.clone(),
            data: self.config.data.clone(),
            upkeep: self.upkeep(),
            tally: self.care.clone(),
            boards: self.boards.clone(),
        }
    }

    /// What watches over the doors.
    #[must_use]
    pub fn alerts(&self) -> Alerts {
        Alerts {
            db: self.db.clone(),
            boards: self.boards.clone(),
            zone: self.config.zone.clone(),
            events: self.events.clone(),
            upkeep: self.upkeep(),
        }
    }

    /// What tells the site's broker of the doors, where one is set.
    #[must_use]
    pub fn herald(&self) -> Option<Herald> {
        Some(Herald {
            broker: self.config.broker.clone()?,
            db: self.db.clone(),
            boards: self.boards.clone(),
            model: self.recogniser.model().clone(),
            events: self.events.clone(),
            pages: self.config.public_url.clone(),
            upkeep: self.upkeep(),
        })
    }

    /// What renews certificates and ends what was replaced.
    #[must_use]
    pub fn renewal(&self) -> Renewal {
        Renewal {
            db: self.db.clone(),
            keys: self.keys.clone(),
            pki: self.pki.clone(),
            certificates: self.certificates.clone(),
            tokens: self.tokens.clone(),
            config: self.config.clone(),
            upkeep: self.upkeep(),
        }
    }

    /// What follows the database for doors.
    #[must_use]
    pub fn follower(&self) -> Follower {
        Follower {
            db: self.db.clone(),
            keys: self.keys.clone(),
            pki: self.pki.clone(),
            fleet: self.fleet.clone(),
            events: self.events.clone(),
            upkeep: self.upkeep(),
        }
    }

    /// What gives doors their first certificate.
    #[must_use]
    pub fn joining(&self) -> Joining {
        Joining {
            db: self.db.clone(),
            keys: self.keys.clone(),
            pki: self.pki.clone(),
            joins: self.joins.clone(),
            events: self.events.clone(),
            clock: self.clock.clone(),
            reach: self.reach(),
        }
    }

    /// What sends mail and webhooks.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender {
            db: self.db.clone(),
            keys: self.keys.clone(),
            zone: self.config.zone.clone(),
            smtp: self.config.smtp.clone(),
            private_webhooks: self.config.private_webhooks,
            upkeep: self.upkeep(),
        }
    }

    /// What keeps what people were promised.
    #[must_use]
    pub fn privacy(&self) -> PrivacyUpkeep {
        PrivacyUpkeep {
            db: self.db.clone(),
            keys: self.keys.clone(),
            data: self.config.data.clone(),
            zone: self.config.zone.clone(),
            events: self.events.clone(),
            galleries: self.galleries(),
            album: self.album(),
            upkeep: self.upkeep(),
        }
    }

    /// Where people are looked after.
    #[must_use]
    pub fn people(&self) -> People {
        People {
            db: self.db.clone(),
            keys: self.keys.clone(),
            galleries: self.galleries(),
            recogniser: self.recogniser.clone(),
            events: self.events.clone(),
        }
    }

    /// Where files are brought.
    #[must_use]
    pub fn bringing(&self) -> Bringing {
        Bringing { people: self.people(), apart: self.apart.clone(), jobs: self.jobs.clone() }
    }

    /// Where pictures of one person are looked at.
    #[must_use]
    pub fn finds(&self) -> Finds {
        Finds {
            db: self.db.clone(),
            keys: self.keys.clone(),
            galleries: self.galleries(),
            recogniser: self.recogniser.clone(),
            events: self.events.clone(),
        }
    }

    /// Where lessons are kept.
    #[must_use]
    pub fn classroom(&self) -> Classroom {
        let db = self.db.clone();
        let events = self.events.clone();
        Classroom { db, events, zone: self.config.zone.clone() }
    }

    /// Where the timetable is kept.
    #[must_use]
    pub fn timetable(&self) -> Timetable {
        Timetable { db: self.db.clone(), zone: self.config.zone.clone() }
    }

    /// Where it is chosen from which score on a face is a person.
    #[must_use]
    pub fn recognition(&self) -> Recognition {
        Recognition { people: self.people(), file: self.config.lines.clone() }
    }

    /// What walks along the audit chain.
    #[must_use]
    pub fn walking(&self) -> Walking {
        let db = self.db.clone();
        let jobs = self.jobs.clone();
        Walking { db, jobs }
    }

    /// What takes away what is due.
    #[must_use]
    pub fn sweeper(&self) -> Sweeper {
        let upkeep = self.upkeep();
        let keys = self.keys.clone();
        Sweeper { upkeep, keys }
    }

    /// The same, as a job.
    #[must_use]
    pub fn sweeping(&self) -> SweepingJob {
        let jobs = self.jobs.clone();
        SweepingJob { sweeper: self.sweeper(), jobs }
    }

    /// Where webhooks are kept.
    #[must_use]
    pub fn webhooks(&self) -> Webhooks {
        let db = self.db.clone();
        let keys = self.keys.clone();
        Webhooks { db, keys, private: self.config.private_webhooks }
    }

    /// Where mail is written.
    #[must_use]
    pub fn mailing(&self) -> Mailing {
        Mailing { db: self.db.clone(), smtp: self.config.smtp.clone() }
    }

    /// Where decisions about sightings are carried out.
    #[must_use]
    pub fn desk(&self) -> Desk {
        Desk { db: self.db.clone(), keys: self.keys.clone(), events: self.events.clone() }
    }

    /// Where doors are looked after.
    #[must_use]
    pub fn doors(&self) -> Doors {
        Doors {
            db: self.db.clone(),
            keys: self.keys.clone(),
            hubs: self.hubs.clone(),
            online: self.online.clone(),
            snaps: self.snaps.clone(),
            tails: self.tails.clone(),
            follower: self.follower(),
            galleries: self.galleries(),
            events: self.events.clone(),
            clock: self.clock.clone(),
        }
    }

    /// What listens to other hubs, and tells them.
    #[must_use]
    pub fn neighbours(&self) -> Neighbours {
        Neighbours {
            hubs: self.hubs.clone(),
            keys: self.keys.clone(),
            events: self.events.clone(),
            online: self.online.clone(),
            snaps: self.snaps.clone(),
            tails: self.tails.clone(),
            boards: self.boards.clone(),
            jobs: self.jobs.clone(),
            upkeep: self.upkeep(),
        }
    }

    /// Where updates for doors are looked after.
    #[must_use]
    pub fn updates(&self) -> Updates {
        let db = self.db.clone();
        let events = self.events.clone();
        Updates { db, data: self.config.data.clone(), events, upkeep: self.upkeep() }
    }

    /// The album of this hub.
    #[must_use]
    pub fn album(&self) -> Album {
        Album {
            db: self.db.clone(),
            keys: self.keys.clone(),
            recogniser: self.recogniser.clone(),
            gallery: self.gallery.clone(),
            zone: self.config.zone.clone(),
            clock: self.clock.clone(),
            events: self.events.clone(),
        }
    }
}
