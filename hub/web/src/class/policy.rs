//! How a class treats what doors say, in words and as a form; and why one was suspended.

use acts::classes::{self, ClassChanges, ClassSettings, PolicyKind};
use fluent_bundle::FluentArgs;
use http::call::Call;
use http::problem::Problem;
use rules::attendance::budget::BudgetCount;
use rules::attendance::placing::Policy;
use store::class::{Class, Suspension};
use uuid::Uuid;
use wire::Wall;
use words::language::{Language, Said};

/// What the page says of the rules.
pub(super) struct PolicyRules {
    /// What holds, in sentences.
    pub said: Vec<String>,
    /// Whether the school said that doors mark at once, suspended or not.
    pub auto: bool,
    /// Why a person decides again nevertheless.
    pub suspended: Option<String>,
    /// The two fields of the form; empty where nobody said.
    pub line: String,
    pub budget: String,
}

impl PolicyRules {
    pub(super) fn new(
        language: Language,
        class: &Class,
        count: Option<BudgetCount>,
        now: Wall,
    ) -> Self {
        let grace = language.one("class-says-grace", "count", class.grace_min);
        let (line, budget, policy) = match class.policy {
            Policy::Review => {
                (String::new(), String::new(), vec![language.say("class-says-review")])
            }
            Policy::Auto { line, budget } => {
                let values = (("line", percent(line)), ("budget", budget));
                let mut said = vec![language.two("class-says-auto", values.0, values.1)];
                let counted = count.filter(|_| class.suspended.is_none());
                said.extend(counted.map(|BudgetCount { passages, errors }| {
                    language.two("class-says-counted", ("passages", passages), ("errors", errors))
                }));
                (percent(line).to_string(), budget.to_string(), said)
            }
        };
        let said = [vec![grace], policy].concat();
        let auto = !line.is_empty();
        let suspended = suspended(language, class, now);
        Self { said, auto, suspended, line, budget }
    }
}

/// A share as a person types it: tenths of a per cent.
fn percent(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0
}

/// Why a person decides again in a class that marked by itself.
#[must_use]
pub fn suspended(language: Language, class: &Class, now: Wall) -> Option<String> {
    let Suspension { at, count: BudgetCount { passages, errors } } = class.suspended?;
    let Policy::Auto { budget, .. } = class.policy else { return None };
    let mut gaps = FluentArgs::new();
    gaps.set("class", class.class_name.value());
    gaps.set("ago", words::ago(language, at, now).value());
    gaps.set("passages", passages.value());
    gaps.set("errors", errors.value());
    gaps.set("budget", budget.value());
    Some(language.tell("class-suspended", &gaps))
}

/// Changes the class as the form says; which one, and what is said afterwards.
pub(super) async fn saved(call: &Call) -> Result<(Uuid, &'static str), Problem> {
    let usual = ClassChanges::default();
    let auto = ClassSettings { policy: Some(PolicyKind::Auto), ..ClassSettings::default() };
    let (to, done) = match call.content.field("part").unwrap_or_default() {
        "over" => (ClassChanges { is_active: Some(false), ..usual }, "class-over"),
        "open" => (ClassChanges { is_active: Some(true), ..usual }, "class-again"),
        "resume" => (ClassChanges { rest: auto, ..usual }, "class-saved"),
        _ => (typed(call)?, "class-saved"),
    };
    let class = call.param("id").to_owned();
    let version = call.form_version()?;
    let to = ClassChanges { class, version, ..to };
    let db = &call.app().db;
    let zone = &call.app().config.zone;
    let reader = call.reader()?;
    let id = classes::change(db, zone, reader, to, |_, class| Ok(class.id), call.now).await?;
    Ok((id, done))
}

fn typed(call: &Call) -> Result<ClassChanges, Problem> {
    let text = |name| call.content.field(name).map(|text| text.trim().to_owned());
    let rest = ClassSettings {
        room: text("room"),
        grace_min: number(call, "grace_min")?,
        policy: match call.content.field("policy") {
            Some("auto") => Some(PolicyKind::Auto),
            Some("review") => Some(PolicyKind::Review),
            _ => None,
        },
        auto_line: number(call, "auto_line")?.map(|percent: f64| percent / 100.0),
        error_budget: number(call, "error_budget")?,
        ..ClassSettings::default()
    };
    let name = text("class_name");
    let code = text("class_code");
    Ok(ClassChanges { name, code, rest, ..ClassChanges::default() })
}

/// A number of the form; nothing where the field is empty.
fn number<T: std::str::FromStr>(call: &Call, name: &str) -> Result<Option<T>, Problem> {
    let text = call.content.field(name).map(str::trim).filter(|text| !text.is_empty());
    let read = text.map(|text| text.parse().map_err(|_| Problem::field(name, "write a number")));
    read.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(policy: Policy, suspended: Option<Suspension>) -> Class {
        Class {
            id: Uuid::nil(),
            class_name: "7b".into(),
            class_code: "7B".into(),
            room: None,
            is_active: true,
            students: 30,
            grace_min: 10,
            policy,
            auto_since: None,
            suspended,
            version: 1,
        }
    }

    fn said(class: &Class, count: Option<BudgetCount>) -> String {
        let rules = PolicyRules::new(Language::English, class, count, Wall(7_200_000));
        let all = rules.said.into_iter().chain(rules.suspended).collect::<Vec<_>>();
        all.join(" ").replace(['\u{2068}', '\u{2069}'], "")
    }

    #[test]
    fn the_rules_of_a_class_are_said_in_words() {
        let review = said(&class(Policy::Review, None), None);
        assert!(review.contains("10 minutes") && review.contains("person decides"), "{review}");
        let auto = Policy::Auto { line: 0.935, budget: 2.5 };
        let count = BudgetCount { passages: 120, errors: 1 };
        let at_once = said(&class(auto, None), Some(count));
        for words in ["93.5", "2.5 in 1,000", "120", "corrected"] {
            assert!(at_once.contains(words), "{words}: {at_once}");
        }
    }

    #[test]
    fn a_suspended_class_says_what_was_counted_and_since_when() {
        let auto = Policy::Auto { line: 0.9, budget: 2.0 };
        let why = Suspension { at: Wall(0), count: BudgetCount { passages: 60, errors: 4 } };
        let text = said(&class(auto, Some(why)), Some(BudgetCount::default()));
        for words in ["7b", "2 h ago", "60", "4", "2 in 1,000"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert_eq!(suspended(Language::English, &class(auto, None), Wall(0)), None);
    }
}
