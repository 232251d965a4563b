//! The frame of every page: who is signed in, where we are, icons, addresses of files.

use super::files;
use acts::auth::session;
use http::call::Call;
use http::{language, nav};
use rules::auth::Role;
use words::language::{Language, Said};

/// Settings of htmx: nothing evaluated, no style of its own (the CSP forbids both), and a
/// conflict is shown where the card was.
const HTMX: &str = r#"{"allowEval":false,"includeIndicatorStyles":false,"selfRequestsOnly":true,"historyCacheSize":0,"responseHandling":[{"code":"204","swap":false},{"code":"2..","swap":true},{"code":"409","swap":true,"error":false},{"code":"...","swap":false,"error":true}]}"#;

/// Who a page greets.
#[derive(Clone, Debug)]
pub struct ShellPerson {
    /// What it calls them.
    pub name: String,
    /// What they may do: other pages are not linked.
    pub role: Role,
}

/// What every page needs.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// Which page this is, in the navigation.
    pub here: &'static str,
    /// Who is signed in.
    pub person: Option<ShellPerson>,
    /// The token of their forms.
    pub csrf: Option<String>,
    /// The language of the page.
    pub language: Language,
    /// How much waits for whoever runs the system; it is said at the page of it.
    pub cares: usize,
    /// The pages of the navigation that they may open.
    pub pages: Vec<(&'static str, &'static str, &'static str)>,
    /// Where this person begins.
    pub home: &'static str,
}

/// The frame for whoever sent `call`.
#[must_use]
pub fn shell(call: &Call, here: &'static str) -> Shell {
    let person =
        call.by.as_ref().map(|by| ShellPerson { name: by.name.clone(), role: by.actor.role });
    let language = language::of(&call.headers);
    let csrf = call.session().map(session::csrf);
    let cares = call.app().care.get();
    let table = &call.front.site.table;
    let pages = person.iter().flat_map(|person| nav::pages(table, person.role)).collect();
    let home = person.as_ref().map_or("/", |person| nav::home(table, person.role));
    Shell { here, person, csrf, language, cares, pages, home }
}

impl Shell {
    /// The address of one of our files.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        files::address(name)
    }

    /// The text of `key` in the page's language.
    #[must_use]
    pub fn say(&self, key: &str) -> String {
        self.language.say(key)
    }

    /// The text of `key`, whose gap `name` holds `value`.
    #[must_use]
    pub fn one(&self, key: &str, name: &str, value: impl Said) -> String {
        self.language.one(key, name, value)
    }

    /// The text of `key` with two gaps: name, value, name, value.
    #[must_use]
    pub fn two(&self, key: &str, a: &str, first: impl Said, b: &str, second: impl Said) -> String {
        self.language.two(key, (a, first), (b, second))
    }

    /// Every language, to choose from.
    #[must_use]
    pub fn languages(&self) -> [Language; 2] {
        Language::ALL
    }

    /// htmx's settings, as JSON.
    #[must_use]
    pub fn htmx(&self) -> &'static str {
        HTMX
    }

    /// A number in the page's digits.
    #[must_use]
    pub fn number(&self, n: impl std::fmt::Display) -> String {
        self.language.digits(&n.to_string())
    }

    /// Whether an administrator reads it.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.role == Role::Admin)
    }

    /// The pages that are linked on each: address, which it is, what it is called.
    #[must_use]
    pub fn pages(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        self.pages.clone()
    }

    /// How much waits for somebody on this page of the navigation.
    #[must_use]
    pub fn waiting(&self, page: &str) -> usize {
        if page == "care" { self.cares } else { 0 }
    }

    /// Where this person begins, and what a link to it is called.
    #[must_use]
    pub fn home(&self) -> (&'static str, String) {
        let home = if self.home.is_empty() { "/" } else { self.home };
        let key = if home == "/review" { "shell-home" } else { "shell-home-own" };
        (home, self.say(key))
    }

    /// The token of this person's forms.
    #[must_use]
    pub fn token(&self) -> &str {
        self.csrf.as_deref().unwrap_or_default()
    }

    /// An icon, as a piece of SVG.
    #[must_use]
    pub fn icon(&self, name: &str) -> String {
        let path = match name {
            "mark" => {
                "M5 21V4.5A1.5 1.5 0 0 1 6.5 3h11A1.5 1.5 0 0 1 19 4.5V21M3 21h18M9 12l2.5 2.5L15.5 10"
            }
            "yes" => "M5 12.5l5 5L20 7",
            "no" => "M6 6l12 12M18 6L6 18",
            "door" => "M6 21V4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v17M3 21h18M14 12v.5",
            "clock" => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
            "people" => {
                "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21a7 7 0 0 1 14 0M16 3.5a4 4 0 0 1 0 7M18 14.5a7 7 0 0 1 4 6.5"
            }
            "person" => "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0",
            "keys" => "M3 7h18v10H3zM7 11h.01M12 11h.01M17 11h.01M8 14h8",
            _ => "M12 4l9 16H3zM12 10v4M12 17h.01",
        };
        format!(
            "<svg class=\"icon\" viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"{path}\"/></svg>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn htmx_neither_evaluates_nor_styles() {
        let settings: serde_json::Value = serde_json::from_str(HTMX).unwrap();
        assert_eq!(settings["allowEval"], false);
        assert_eq!(settings["includeIndicatorStyles"], false);
    }
}
