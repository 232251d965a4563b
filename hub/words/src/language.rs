//! The languages of the pages. Every text people read on them is in `locales`, by its key;
//! a page asks for it here.
//!
//! A browser gets the language that its last choice names (a cookie), or else the first of its
//! own list that we speak, or else English.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use unic_langid::LanguageIdentifier;
use utoipa::ToSchema;

/// A language of pages and mails.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = MailLanguage)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Persian, from right to left.
    #[serde(rename = "fa")]
    Persian,
}

macro_rules! files {
    ($folder:literal: $($name:literal)*) => {
        [$(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"), "/locales/", $folder, "/", $name, ".ftl"
        ))),*]
    };
    ($folder:literal) => {
        files!($folder: "shell" "words" "start" "review" "class" "roll" "report" "marks" "photo" "people"
            "doors" "settings" "account" "audit" "me" "care")
    };
}

static ENGLISH: LazyLock<FluentBundle<FluentResource>> =
    LazyLock::new(|| bundle(Language::English, &files!("en")));
static PERSIAN: LazyLock<FluentBundle<FluentResource>> =
    LazyLock::new(|| bundle(Language::Persian, &files!("fa")));

/// What a text may have in its gaps.
pub trait Said {
    /// For the gap. Words of others are isolated, so that their direction stays their own.
    fn value(&self) -> FluentValue<'static>;
}

impl Said for str {
    fn value(&self) -> FluentValue<'static> {
        format!("\u{2068}{self}\u{2069}").into()
    }
}

impl Said for String {
    fn value(&self) -> FluentValue<'static> {
        self.as_str().value()
    }
}

macro_rules! said_numbers {
    ($($kind:ty)*) => {
        $(impl Said for $kind {
            fn value(&self) -> FluentValue<'static> {
                (*self).into()
            }
        })*
    };
}
said_numbers!(u8 u32 u64 usize i16 i32 i64 f64);

impl<T: Said + ?Sized> Said for &T {
    fn value(&self) -> FluentValue<'static> {
        (*self).value()
    }
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Persian];

    /// Its tag, for `lang`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en-GB",
            Self::Persian => "fa",
        }
    }

    /// Where its lines begin, for `dir`.
    #[must_use]
    pub fn direction(self) -> &'static str {
        match self {
            Self::English => "ltr",
            Self::Persian => "rtl",
        }
    }

    /// What it calls itself.
    #[must_use]
    pub fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Persian => "فارسی",
        }
    }

    /// The language of a tag such as `fa` or `fa-IR`.
    #[must_use]
    pub fn tagged(tag: &str) -> Option<Self> {
        let first = tag.trim().split(['-', ';']).next().unwrap_or_default();
        match first.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "fa" => Some(Self::Persian),
            _ => None,
        }
    }

    /// The language for a browser with these cookies and this list (`Accept-Language`, whose
    /// order we take as its wish: browsers send it sorted).
    #[must_use]
    pub fn of(chosen: Option<&str>, accepts: Option<&str>) -> Self {
        let chosen = chosen.and_then(Self::tagged);
        let wished = || accepts.unwrap_or_default().split(',').find_map(Self::tagged);
        chosen.or_else(wished).unwrap_or_default()
    }

    /// The text of `key`.
    #[must_use]
    pub fn say(self, key: &str) -> String {
        self.tell(key, &FluentArgs::new())
    }

    /// The text of `key`, whose gap `name` holds `value`.
    #[must_use]
    pub fn one(self, key: &str, name: &str, value: impl Said) -> String {
        let args = [(name.to_owned(), value.value())];
        self.tell(key, &args.into_iter().collect())
    }

    /// The text of `key` with two gaps.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a pair is written where it is given")]
    pub fn two(self, key: &str, a: (&str, impl Said), b: (&str, impl Said)) -> String {
        let args = [(a.0.to_owned(), a.1.value()), (b.0.to_owned(), b.1.value())];
        self.tell(key, &args.into_iter().collect())
    }

    /// The text of `key` with any gaps. What a language lacks is said in English; what both lack
    /// shows its key, which a test forbids.
    #[must_use]
    pub fn tell(self, key: &str, args: &FluentArgs<'_>) -> String {
        let tell = |bundle: &FluentBundle<FluentResource>| {
            let pattern = bundle.get_message(key)?.value()?;
            let mut errors = Vec::new();
            Some(bundle.format_pattern(pattern, Some(args), &mut errors).into_owned())
        };
        tell(self.bundle()).or_else(|| tell(&ENGLISH)).unwrap_or_else(|| key.to_owned())
    }

    /// `text` with this language's digits.
    #[must_use]
    pub fn digits(self, text: &str) -> String {
        match self {
            Self::English => text.to_owned(),
            Self::Persian => text.chars().map(persian).collect(),
        }
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        match self {
            Self::English => &ENGLISH,
            Self::Persian => &PERSIAN,
        }
    }
}

fn persian(c: char) -> char {
    c.to_digit(10).and_then(|n| char::from_u32(0x06F0 + n)).unwrap_or(c)
}

fn bundle(language: Language, files: &[&str]) -> FluentBundle<FluentResource> {
    let tag: LanguageIdentifier = language.tag().parse().expect("a tag of ours");
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    bundle.set_use_isolating(false); // `Said` isolates words, and leaves numbers alone
    if language == Language::Persian {
        bundle.set_formatter(Some(|value, _| match value {
            FluentValue::Number(n) => Some(Language::Persian.digits(&n.as_string())),
            _ => None,
        }));
    }
    for file in files {
        let resource = FluentResource::try_new((*file).to_owned());
        let resource = resource.unwrap_or_else(|(read, _)| read); // a test reads every line
        bundle.add_resource_overriding(resource);
    }
    bundle
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};

    const HUB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

    fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
        let deeper = folders.iter().flat_map(|folder| self::files(folder, kind));
        let files = files.into_iter().filter(|file| file.extension().is_some_and(|e| e == kind));
        files.chain(deeper).collect()
    }

    /// Each message of a language, with the gaps it has.
    fn messages(folder: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut found = BTreeMap::new();
        for file in files(&Path::new(HUB).join("words/locales").join(folder), "ftl") {
            let text = std::fs::read_to_string(&file).unwrap();
            let whole = FluentResource::try_new(text.clone());
            assert!(whole.is_ok(), "{}: {:?}", file.display(), whole.err().map(|(_, why)| why));
            let mut key = String::new();
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                if let Some((name, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
                    key = name.to_owned();
                    let twice = found.insert(key.clone(), BTreeSet::new());
                    assert!(twice.is_none(), "{key} is there twice in {folder}");
                }
                let gaps = line.split('$').skip(1).map(|rest| {
                    rest.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect()
                });
                if let Some(known) = found.get_mut(&key) {
                    known.extend(gaps);
                }
            }
        }
        found
    }

    fn sources() -> String {
        let hub = Path::new(HUB);
        let rooms = ["words", "rules", "acts", "http", "web", "src"].map(|room| hub.join(room));
        let rooms = rooms.into_iter().filter(|room| room.is_dir());
        let code = rooms.flat_map(|room| files(&room, "rs"));
        let pages = files(&hub.join("web/templates"), "html");
        let is_test = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "tests");
        let all = code.filter(|path| !is_test(path)).chain(pages);
        all.map(|file| std::fs::read_to_string(file).unwrap()).collect()
    }

    /// The keys that templates and pages ask for.
    fn asked(text: &str) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for call in [".say(\"", ".one(\"", ".two(\"", ".tell(\""] {
            let after = text.split(call).skip(1).filter_map(|rest| rest.split('"').next());
            keys.extend(after.map(str::to_owned));
        }
        keys.remove("nothing-of-the-kind"); // asked for below, because it is not there
        keys
    }

    #[test]
    fn every_text_that_a_page_asks_for_is_there_and_no_other() {
        let known = messages("en");
        let text = sources();
        let details = rules::person::PersonDetails::NAMES.map(|name| format!("people-{name}"));
        let asked = asked(&text).into_iter().chain(details.clone());
        let missing: Vec<_> = asked.filter(|key| !known.contains_key(key)).collect();
        assert!(missing.is_empty(), "no text for {missing:?}");
        let is_asked =
            |key: &&String| text.contains(&format!("\"{key}\"")) || details.contains(key);
        let idle: Vec<_> = known.keys().filter(|key| !is_asked(key)).collect();
        assert!(idle.is_empty(), "nobody asks for {idle:?}");
    }

    #[test]
    fn both_languages_have_the_same_texts_with_the_same_gaps() {
        assert_eq!(messages("en"), messages("fa"));
    }

    #[test]
    fn a_browser_gets_what_it_chose_or_else_what_it_likes() {
        assert_eq!(Language::of(None, None), Language::English);
        assert_eq!(Language::of(None, Some("de-DE,fa-IR;q=0.9,en;q=0.8")), Language::Persian);
        assert_eq!(Language::of(Some("en"), Some("fa")), Language::English);
        assert_eq!(Language::of(Some("xx"), Some("xx")), Language::English);
    }

    #[test]
    fn names_keep_their_own_direction_and_numbers_their_own_digits() {
        let said = Language::English.one("shell-signed-in", "name", "علی");
        assert!(said.contains("\u{2068}علی\u{2069}"), "{said}");
        assert_eq!(Language::Persian.digits("12:05"), "۱۲:۰۵");
        assert_eq!(Language::English.say("nothing-of-the-kind"), "nothing-of-the-kind");
    }
}
