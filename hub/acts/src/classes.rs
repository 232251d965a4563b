//! Classes: an admin makes them, says who teaches them, and how they treat what doors say.

use crate::planning::maker::{MakeFor, make};
use jiff::tz::TimeZone;
use rules::attendance::placing::Policy;
use rules::error::Error;
use rules::version::as_read;
use store::class::{self, Class, Suspension};
use store::period::{self, PeriodFilter};
use store::reader::Reader;
use store::{Db, Tx};
use uuid::Uuid;
use wire::Wall;

/// A new class.
#[derive(Clone, Debug, Default)]
pub struct NewClass {
    /// What people call it.
    pub name: String,
    /// Unique in the school.
    pub code: String,
    /// Everything else.
    pub rest: ClassSettings,
}

/// What changes about a class; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct ClassChanges {
    /// Own id or code.
    pub class: String,
    /// What people call it.
    pub name: Option<String>,
    /// Unique in the school.
    pub code: Option<String>,
    /// Whether it still meets.
    pub is_active: Option<bool>,
    /// Everything else.
    pub rest: ClassSettings,
    /// The version that was read.
    pub version: Option<i64>,
}

/// Everything else about a class; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct ClassSettings {
    /// Where it usually is.
    pub room: Option<String>,
    /// Accounts of all who teach it.
    pub teachers: Option<Vec<Uuid>>,
    /// Minutes after the start when people are not late yet.
    pub grace_min: Option<i64>,
    /// How it treats what doors say.
    pub policy: Option<PolicyKind>,
    /// From which confidence on doors mark at once.
    pub auto_line: Option<f64>,
    /// Wrong names per 1,000 passages that the school accepts for it.
    pub error_budget: Option<f64>,
}

/// How a class treats what doors say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyKind {
    /// A person decides all.
    Review,
    /// A sure match marks at once.
    Auto,
}

impl ClassSettings {
    /// `old` with what was said.
    ///
    /// # Errors
    /// `Invalid` for a policy without its numbers.
    pub fn over(&self, old: Class, now: Wall) -> Result<Class, Error> {
        let (line, budget) = match old.policy {
            Policy::Auto { line, budget } => (Some(line), Some(budget)),
            Policy::Review => (None, None),
        };
        let was = if line.is_some() { PolicyKind::Auto } else { PolicyKind::Review };
        let policy = match self.policy.unwrap_or(was) {
            PolicyKind::Review => Policy::Review,
            PolicyKind::Auto => {
                let stated = self.auto_line.or(line).zip(self.error_budget.or(budget));
                let (line, budget) = stated.ok_or_else(|| {
                    let say = "policy: “auto” needs an auto_line and an error_budget";
                    Error::Invalid(say.into())
                })?;
                Policy::Auto { line, budget }
            }
        };
        let (auto_since, suspended) = self.counting(&old, policy, now);
        let room = self.room.clone().or(old.room);
        let grace_min = self.grace_min;
        let grace_min = grace_min.unwrap_or(old.grace_min);
        Ok(Class { room, policy, grace_min, auto_since, suspended, ..old })
    }

    /// Since when wrong names count, and whether the class stays suspended. Whoever says `auto`
    /// switches it on again; what was seen under another line says nothing of the new one.
    fn counting(
        &self,
        old: &Class,
        policy: Policy,
        now: Wall,
    ) -> (Option<Wall>, Option<Suspension>) {
        let again = old.suspended.is_some() && self.policy == Some(PolicyKind::Auto);
        match (old.policy, policy) {
            (_, Policy::Review) => (None, None),
            (Policy::Review, _) => (Some(now), None),
            _ if again => (Some(now), None),
            (Policy::Auto { line: was, .. }, Policy::Auto { line, .. }) if was < line => {
                (Some(now), old.suspended)
            }
            _ => (old.auto_since, old.suspended),
        }
    }
}

/// Makes a class; its teachers teach from today on.
///
/// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
/// not be made finds nothing in its way.
///
/// # Errors
/// `Conflict` when the code is taken, `Invalid` naming a field.
pub async fn add<T: Send + 'static>(
    db: &Db,
    reader: Reader,
    new: NewClass,
    shown: impl FnOnce(&Tx<'_>, Class) -> Result<T, Error> + Send + 'static,
    now: Wall,
) -> Result<T, Error> {
    let actor = reader.actor.user.to_string();
    let work = move |tx: &Tx<'_>| {
        let id = class::add(tx, &new.name, &new.code, None, &actor, now)?;
        let class = class::find(tx, reader, &id.to_string())?;
        class::change(tx, &new.rest.over(class, now)?, &actor, now)?;
        for teacher in new.rest.teachers.unwrap_or_default() {
            class::add_teacher(tx, id, teacher, reader.today, &actor, now)?;
        }
        shown(tx, class::find(tx, reader, &id.to_string())?)
    };
    db.write(work).await
}

/// Changes a class; one that meets no more, or again, loses or gets its lessons ahead.
///
/// Answers what `shown` makes of it in the same transaction: a repeat after an answer that could
/// not be made finds nothing in its way.
///
/// # Errors
/// `NotFound`; `Conflict` when the code is taken or somebody was faster; `Invalid` naming a field.
pub async fn change<T: Send + 'static>(
    db: &Db,
    zone: &TimeZone,
    reader: Reader,
    to: ClassChanges,
    shown: impl FnOnce(&Tx<'_>, Class) -> Result<T, Error> + Send + 'static,
    now: Wall,
) -> Result<T, Error> {
    let zone = zone.clone();
    let work = move |tx: &Tx<'_>| {
        let old = class::find(tx, reader, &to.class)?;
        let actor = reader.actor.user.to_string();
        as_read(old.version, to.version)?;
        let id = old.id.to_string();
        let was_active = old.is_active;
        let typed = Class {
            class_name: to.name.unwrap_or_else(|| old.class_name.clone()),
            class_code: to.code.unwrap_or_else(|| old.class_code.clone()),
            is_active: to.is_active.unwrap_or(old.is_active),
            ..old
        };
        let new = to.rest.over(typed, now)?;
        class::change(tx, &new, &actor, now)?;
        if let Some(teachers) = to.rest.teachers {
            class::set_teachers(tx, new.id, &teachers, reader.today, &actor, now)?;
        }
        if new.is_active != was_active {
            remake(tx, reader, new.id, &zone, now)?;
        }
        shown(tx, class::find(tx, reader, &id)?)
    };
    db.write(work).await
}

/// Makes the lessons of a class anew from its periods.
fn remake(
    tx: &Tx<'_>,
    reader: Reader,
    class: Uuid,
    zone: &TimeZone,
    now: Wall,
) -> Result<(), Error> {
    let filter = PeriodFilter { class: Some(class), limit: 1000, ..PeriodFilter::default() };
    for period in period::list(tx, reader, &filter)? {
        make(tx, MakeFor::Period(period.id), zone, now)?;
    }
    Ok(())
}
