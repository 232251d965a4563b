//! What mails say: in the school's language, or in its own words. Gaps such as `{name}` are filled
//! in one pass, so that what stands in a gap is never taken for one.

use rules::error::{Doing, Error};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use store::{Db, Tx, audit, setting};
use wire::Wall;
use words::language::Language;

/// The setting that holds them.
const SETTING: &str = "mail_texts";
/// Longest subject and longest text, bytes.
const MOST: (usize, usize) = (200, 4000);

/// The mails that the hub writes by itself.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = MailKind)]
pub enum TextKind {
    /// To a family, about an absence.
    Absence,
    /// To a family, about a month.
    LowAttendance,
    /// To a teacher, about a class in which a person decides again.
    Policy,
    /// To whoever owns an account, about a change of what opens it.
    Account,
    /// To admins, about doors.
    Alerts,
}

/// One mail: a line and a text, with gaps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = MailText)]
pub struct Text {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

/// All of them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MailTexts)]
pub struct Texts {
    /// Of the usual texts.
    #[serde(default)]
    pub language: Language,
    /// The school's own words, where it has some.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Text>)]
    pub own: BTreeMap<TextKind, Text>,
}

impl TextKind {
    /// All, in the order people see them.
    pub const ALL: [Self; 5] =
        [Self::Absence, Self::LowAttendance, Self::Policy, Self::Account, Self::Alerts];

    /// As settings and forms name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absence => "absence",
            Self::LowAttendance => "low_attendance",
            Self::Policy => "policy",
            Self::Account => "account",
            Self::Alerts => "alerts",
        }
    }

    /// What may stand in its gaps.
    #[must_use]
    pub fn gaps(self) -> &'static [&'static str] {
        match self {
            Self::Absence => &["name", "lesson", "day", "time"],
            Self::LowAttendance => &["name", "class", "month", "present", "total", "percentage"],
            Self::Policy => &["class", "why"],
            Self::Account => &["who", "what"],
            Self::Alerts => &["begun", "ended", "list"],
        }
    }
}

/// The usual text of this kind in `language`.
#[must_use]
pub fn usual(language: Language, kind: TextKind) -> Text {
    let whole = match (language, kind) {
        (Language::English, TextKind::Absence) => {
            include_str!("../../templates/mail/en/absence.txt")
        }
        (Language::English, TextKind::LowAttendance) => {
            include_str!("../../templates/mail/en/low_attendance.txt")
        }
        (Language::English, TextKind::Policy) => include_str!("../../templates/mail/en/policy.txt"),
        (Language::English, TextKind::Account) => {
            include_str!("../../templates/mail/en/account.txt")
        }
        (Language::English, TextKind::Alerts) => include_str!("../../templates/mail/en/alerts.txt"),
        (Language::Persian, TextKind::Absence) => {
            include_str!("../../templates/mail/fa/absence.txt")
        }
        (Language::Persian, TextKind::LowAttendance) => {
            include_str!("../../templates/mail/fa/low_attendance.txt")
        }
        (Language::Persian, TextKind::Policy) => include_str!("../../templates/mail/fa/policy.txt"),
        (Language::Persian, TextKind::Account) => {
            include_str!("../../templates/mail/fa/account.txt")
        }
        (Language::Persian, TextKind::Alerts) => include_str!("../../templates/mail/fa/alerts.txt"),
    };
    let (subject, body) = whole.split_once("\n\n").unwrap_or((whole, ""));
    Text { subject: subject.into(), body: body.trim_end().into() }
}

impl Text {
    /// Trimmed, and refused where it cannot be sent: empty, too long, or with a gap that nothing
    /// fills.
    ///
    /// # Errors
    /// `Invalid` naming the field.
    pub fn checked(self, kind: TextKind) -> Result<Self, Error> {
        let body = self.body.replace("\r\n", "\n");
        let subject = self.subject.trim().to_owned();
        let body = body.trim().to_owned();
        let refuse = |field: &str, why: String| {
            Err(Error::Invalid(format!("{field}_{}: {why}", kind.as_str())))
        };
        for (field, text, most) in [("subject", &subject, MOST.0), ("body", &body, MOST.1)] {
            if text.is_empty() || text.len() > most {
                return refuse(field, format!("write 1 to {most} bytes"));
            }
            let known = |gap: &str| kind.gaps().contains(&gap);
            if let Some(gap) = gaps(text).into_iter().find(|gap| !known(gap)) {
                let all = kind.gaps().join("}, {");
                return refuse(field, format!("nothing fills {{{gap}}}: use {{{all}}}"));
            }
        }
        if subject.contains(char::is_control) {
            return refuse("subject", "a subject is one line".into());
        }
        Ok(Self { subject, body })
    }

    /// With its gaps filled; one that `with` lacks stays as it stands.
    #[must_use]
    pub fn fill(&self, with: &[(&str, &str)]) -> Self {
        Self { subject: filled(&self.subject, with), body: filled(&self.body, with) }
    }
}

/// The names between braces.
fn gaps(text: &str) -> Vec<&str> {
    let inside = text.split('{').skip(1);
    inside.filter_map(|rest| rest.split_once('}')).map(|(gap, _)| gap).collect()
}

fn filled(text: &str, with: &[(&str, &str)]) -> String {
    let mut parts = text.split('{');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let value = part.split_once('}').and_then(|(gap, rest)| {
            let value = with.iter().find(|(name, _)| *name == gap)?.1;
            Some((value, rest))
        });
        match value {
            Some((value, rest)) => whole.extend([value, rest]),
            None => whole.extend(["{", part]),
        }
    }
    whole
}

impl Texts {
    /// The text of this kind: the school's own, or the usual one.
    #[must_use]
    pub fn of(&self, kind: TextKind) -> Text {
        self.own.get(&kind).cloned().unwrap_or_else(|| usual(self.language, kind))
    }

    /// Every own text checked; one that says what the usual one says is none.
    ///
    /// # Errors
    /// `Invalid` naming the field.
    pub fn checked(self) -> Result<Self, Error> {
        let usual = |kind| usual(self.language, kind).checked(kind);
        let mut own = BTreeMap::new();
        for (kind, text) in self.own {
            let text = text.checked(kind)?;
            if text != usual(kind)? {
                own.insert(kind, text);
            }
        }
        Ok(Self { own, ..self })
    }
}

/// As the school set them.
pub fn get(tx: &Tx<'_>) -> Result<Texts, Error> {
    let text = setting::get(tx, SETTING)?;
    let read = |text: String| serde_json::from_str(&text).doing("reading the texts of mails");
    text.map_or_else(|| Ok(Texts::default()), read)
}

/// Keeps them.
///
/// # Errors
/// `Invalid` for a text that cannot be sent.
pub async fn set(db: &Db, new: Texts, by: String, now: Wall) -> Result<Texts, Error> {
    let new = new.checked()?;
    let work = move |tx: &Tx<'_>| {
        setting::set(tx, SETTING, &json!(new).to_string())?;
        let own: Vec<_> = new.own.keys().map(|kind| kind.as_str()).collect();
        let meta = json!({ "language": new.language, "own": own });
        let actor = &by;
        let action = "change";
        let table = "setting";
        let id = SETTING;
        audit::add(tx, now, &audit::AuditEntry { actor, action, table, id, meta })?;
        Ok(new)
    };
    db.write(work).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_usual_text_is_whole_and_uses_only_what_is_filled() {
        for (language, kind) in
            Language::ALL.into_iter().flat_map(|l| TextKind::ALL.map(|k| (l, k)))
        {
            let text = usual(language, kind).checked(kind).unwrap();
            assert!(
                gaps(&text.subject).len() + gaps(&text.body).len() >= 2,
                "{language:?} {kind:?}"
            );
            let with: Vec<_> = kind.gaps().iter().map(|gap| (*gap, "x")).collect();
            let filled = text.fill(&with);
            assert!(!filled.subject.contains('{') && !filled.body.contains('{'), "{filled:?}");
        }
        let [en, fa] = Language::ALL.map(|language| usual(language, TextKind::Absence));
        assert_ne!(en, fa);
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_its_field() {
        let refused = |subject: &str, body: &str| {
            let text = Text { subject: subject.into(), body: body.into() };
            text.checked(TextKind::Absence).unwrap_err().to_string()
        };
        assert!(refused("", "x").contains("subject_absence"));
        assert!(refused("a\nb", "x").contains("one line"));
        let gap = refused("Hello", "{name} and {grade}");
        assert!(gap.contains("{grade}") && gap.contains("{lesson}"), "{gap}");
        assert!(refused("Hello", &"x".repeat(4001)).contains("body_absence"));
    }

    #[test]
    fn what_stands_in_a_gap_is_never_a_gap_itself() {
        let text = Text { subject: "{name}".into(), body: "{name} {lesson} {nothing} {".into() };
        let filled = text.fill(&[("name", "{lesson}"), ("lesson", "Maths")]);
        assert_eq!(filled.subject, "{lesson}");
        assert_eq!(filled.body, "{lesson} Maths {nothing} {");
    }

    #[test]
    fn own_words_that_are_the_usual_ones_follow_the_language() {
        let usual = super::usual(Language::English, TextKind::Policy);
        let own = BTreeMap::from([(TextKind::Policy, usual)]);
        let texts = Texts { language: Language::English, own }.checked().unwrap();
        assert!(texts.own.is_empty());
        let persian = Texts { language: Language::Persian, ..texts };
        assert_eq!(persian.of(TextKind::Policy), super::usual(Language::Persian, TextKind::Policy));
    }

    proptest! {
        #[test]
        fn whatever_people_type_a_gap_that_is_known_is_filled_and_the_rest_stays(
            body in "(a|\\{|\\}|\\{name\\}|\\{grade\\}|é){1,30}",
        ) {
            let text = Text { subject: "x".into(), body: body.clone() };
            let filled = text.fill(&[("name", "Ada")]).body;
            let left = filled.contains("{name}");
            prop_assert!(!left);
            prop_assert_eq!(filled.replace("Ada", "{name}"), body.clone());
            let fits = gaps(&body).iter().all(|gap| TextKind::Absence.gaps().contains(gap));
            prop_assert_eq!(text.checked(TextKind::Absence).is_ok(), fits);
        }
    }
}
