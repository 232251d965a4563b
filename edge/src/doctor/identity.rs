//! Who the unit is for its hub: invitation, identity, certificate.

use super::{Ailment, Finding};
use crate::config::Config;
use crate::identity::{Identity, IdentityError};
use crate::owner::USER;
use crate::status::Status;
use crate::tls::{Badge, Trust, validity};
use crate::{app, invitation};
use wire::Wall;

const DAY_MS: i64 = 24 * 3600 * 1000;
/// Days before the end from which a certificate is a fault.
const SOON: i64 = 14;
const RENEW: &str =
    "let the daemon run and reach the hub's HTTPS port for doors; it asks each hour";
const JOIN: &str = "on the hub: rollcall-hub device add NAME; here: the command that it prints";

/// All three.
pub fn findings(
    config: &Config,
    known: &Result<Identity, IdentityError>,
    status: Option<&Status>,
    now: Wall,
) -> Vec<Finding> {
    match known {
        Ok(identity) => {
            let joined = Finding::unused("invitation", "the door has joined");
            vec![joined, sound(identity), certificate(identity, status, now)]
        }
        Err(IdentityError::Missing) => {
            let (invitation, waits) = invited(config);
            let identity = if waits {
                Finding::unused("identity", "this door has not joined yet")
            } else {
                Finding::fault(Ailment::IdentityMissing, IdentityError::Missing.to_string(), JOIN)
            };
            vec![invitation, identity]
        }
        Err(error) => {
            vec![Finding::unused("invitation", "see “identity”"), unreadable(config, error)]
        }
    }
}

/// What comes of the invitation, and whether the door joins by it.
fn invited(config: &Config) -> (Finding, bool) {
    match invitation::read(&config.invitation) {
        Ok(None) => (Finding::unused("invitation", "there is none"), false),
        Ok(Some(found)) => {
            let say = format!("the daemon joins {} by it", found.hub);
            (Finding::well("invitation", say), true)
        }
        Err(error) => {
            let mend = "get a new one on the hub's page of this door, and copy it whole";
            (Finding::fault(Ailment::InvitationHalf, error.to_string(), mend), false)
        }
    }
}

fn unreadable(config: &Config, error: &IdentityError) -> Finding {
    if let IdentityError::File { path, source } = error {
        let data = config.data.display();
        let wrong = format!("{} cannot be read ({source})", path.display());
        let mend = format!("sudo chown -R {USER}: $(realpath {data})");
        return Finding::fault(Ailment::IdentityRefused, wrong, mend);
    }
    Finding::fault(Ailment::IdentityDamaged, error.to_string(), JOIN)
}

/// Its parts can be used, and fit together.
fn sound(identity: &Identity) -> Finding {
    let joined = &identity.joined;
    let usable = Badge::new(identity).and_then(|_| Trust::new(&joined.ca_pem));
    if let Err(error) = usable {
        return Finding::fault(Ailment::IdentityDamaged, error.to_string(), JOIN);
    }
    match app::host_port(&joined.mqtt) {
        Ok((hub, _)) => Finding::well("identity", format!("this is “{}” of {hub}", joined.device)),
        Err(error) => Finding::fault(Ailment::IdentityDamaged, error.to_string(), JOIN),
    }
}

/// It is good for a while, and renewed in time.
fn certificate(identity: &Identity, status: Option<&Status>, now: Wall) -> Finding {
    let device = &identity.joined.device;
    let Ok(good) = validity(&identity.joined.certificate_pem) else {
        return Finding::unused("certificate", "see “identity”");
    };
    let days = days_left(good.to, now);
    if days < 0 {
        let wrong = format!("that of “{device}” ended {} days ago", -days);
        return Finding::fault(Ailment::CertificateEnded, wrong, JOIN);
    }
    let due = good.is_due(now);
    let trouble = status.map(|status| status.certificate_trouble.as_str()).unwrap_or_default();
    let why = match status {
        _ if !due => String::new(),
        None => ", and only a running daemon renews it".to_owned(),
        Some(_) if trouble.is_empty() => ", and is about to be renewed".to_owned(),
        Some(_) => format!(", and was not renewed: {trouble}"),
    };
    if days < SOON {
        let wrong = format!("that of “{device}” ends in {days} days{why}");
        return Finding::fault(Ailment::CertificateSoon, wrong, RENEW);
    }
    let say = format!("good for {days} more days{why}");
    if due && !trouble.is_empty() {
        return Finding::fault(
            Ailment::CertificateKept,
            format!("that of “{device}” is {say}"),
            RENEW,
        );
    }
    Finding::well("certificate", say)
}

fn days_left(end: Wall, now: Wall) -> i64 {
    end.0.saturating_sub(now.0).div_euclid(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_negative_after_the_end() {
        assert_eq!(days_left(Wall(3 * DAY_MS), Wall(0)), 3);
        assert_eq!(days_left(Wall(DAY_MS - 1), Wall(0)), 0);
        assert_eq!(days_left(Wall(0), Wall(1)), -1);
    }
}
