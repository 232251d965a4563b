//! Carries the decision about a class's error budget out, in the transaction of a correction.

use rules::attendance::marking::HUB;
use rules::error::Error;
use serde_json::json;
use store::{self, Tx, audit};
use uuid::Uuid;
use wire::{RecordId, Wall};

/// Looks at the class whose policy approved `record` at once, if one did: which class was
/// suspended.
pub fn corrected(tx: &Tx<'_>, record: RecordId, now: Wall) -> Result<Option<Uuid>, Error> {
    match store::budget::approved_by(tx, record)? {
        Some(class) => suspend_if_overrun(tx, class, now),
        None => Ok(None),
    }
}

/// Lets a person decide again in `class` if it overran its budget: which class was suspended.
pub fn suspend_if_overrun(tx: &Tx<'_>, class: Uuid, now: Wall) -> Result<Option<Uuid>, Error> {
    let Some(auto) = store::budget::at_work(tx, class)? else { return Ok(None) };
    let count = store::budget::count(tx, class, auto.since, now)?;
    if !count.overruns(auto.budget) {
        return Ok(None);
    }
    store::budget::suspend(tx, class, count, now)?;
    let meta = json!({ "errors": count.errors, "of": count.passages, "budget": auto.budget });
    let id = class.to_string();
    let entry = audit::AuditEntry { actor: HUB, action: "suspend", table: "class", id: &id, meta };
    audit::add(tx, now, &entry)?;
    metrics::counter!("class_suspended_total").increment(1);
    Ok(Some(class))
}
