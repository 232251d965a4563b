//! `/class/{id}`: an admin fills a class, says who teaches it and what its rules are.

use super::{Answer, Carrying, House, get, post};
use rules::attendance::budget::BudgetCount;
use rules::auth::Role;
use store::class::{self, Class};
use store::reader::Reader;
use store::student::{self, StudentProfile};
use store::{Tx, account::Account, budget};
use uuid::Uuid;

/// A page as text, without the marks that keep names in their own direction.
fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(answer.body()).replace(['\u{2068}', '\u{2069}'], "")
}

fn place(answer: &Answer) -> String {
    let at = answer.headers().get("location");
    at.unwrap_or_else(|| panic!("{}", text(answer))).to_str().unwrap().to_owned()
}

struct Office {
    house: House,
    account: Account,
    admin: String,
    class: Uuid,
}

impl Office {
    /// An admin, three students S1 to S3, and the class 7B, made by its form.
    async fn new() -> Self {
        let house = House::new().await;
        let account = house.account(Role::Admin).await;
        let admin = house.session(&account).await;
        let add = |tx: &Tx<'_>| {
            for (n, name) in ["Ada", "Grace", "Emmy"].iter().enumerate() {
                let (student_number, first_name) = (format!("S{}", n + 1), (*name).to_owned());
                let profile =
                    StudentProfile { student_number, first_name, ..StudentProfile::default() };
                student::add(tx, profile, "t", super::NOW)?;
            }
            Ok(())
        };
        house.app.db.write(add).await.unwrap();
        let fields = [("class_name", "Algebra"), ("class_code", "7B"), ("room", "204")];
        let made = place(&house.send(post("/class").form(&admin, &fields)).await);
        let id = made.trim_start_matches("/class/").split('?').next().unwrap().to_owned();
        let class = id.parse().unwrap_or_else(|_| panic!("{made}"));
        Self { house, account, admin, class }
    }

    async fn act(&self, end: &str, fields: &[(&str, &str)]) -> Answer {
        let path = format!("/class/{}{end}", self.class);
        self.house.send(post(&path).form(&self.admin, fields)).await
    }

    async fn page(&self, query: &str) -> String {
        let answer = self.house.send(get(&format!("/class/7B{query}")).cookie(&self.admin)).await;
        assert_eq!(answer.status(), 200, "{}", text(&answer));
        text(&answer)
    }

    async fn stands(&self) -> Class {
        let reader = Reader { actor: self.account.actor(), today: jiff::civil::date(2026, 3, 2) };
        self.house.app.db.read(move |tx| class::find(tx, reader, "7B")).await.unwrap()
    }

    async fn numbers(&self) -> Vec<String> {
        let class = self.class;
        let members = self.house.app.db.read(move |tx| class::members(tx, class)).await.unwrap();
        members.into_iter().map(|member| member.number).collect()
    }
}

#[tokio::test]
async fn pasted_numbers_are_entered_and_each_line_says_what_became_of_it() {
    let office = Office::new().await;
    let pasted = "S1\tAda\nS9\n\nS2\nS1\n";
    let told = office.act("/people", &[("numbers", pasted)]).await;
    assert_eq!(told.status(), 200);
    let told = text(&told);
    let count = |words: &str| told.matches(words).count();
    assert_eq!(
        (count(">entered<"), count("is in the class already"), count("nobody has")),
        (2, 1, 1)
    );
    assert_eq!(office.numbers().await, ["S1", "S2"]);
    assert_eq!(office.act("/people", &[("numbers", " \n")]).await.status(), 422);
}

#[tokio::test]
async fn somebody_is_found_by_name_entered_and_taken_out() {
    let office = Office::new().await;
    let found = office.page("?q=emm").await;
    assert!(found.contains("Enter Emmy") && !found.contains("Enter Ada"), "{found}");
    let id = found.split_once("name=\"student\" value=\"").unwrap().1.split('"').next().unwrap();
    let entered = office.act("/people", &[("student", id), ("q", "emm")]).await;
    assert_eq!(place(&entered), format!("/class/{}?q=emm&done=class-entered#add", office.class));
    assert_eq!(office.numbers().await, ["S3"]);
    assert!(office.page("?q=emm").await.contains("is in the class already"));
    let left = office.act("/leave", &[("student", id)]).await;
    assert!(place(&left).ends_with("done=class-left"));
    assert!(office.numbers().await.is_empty());
    assert_eq!(office.act("/leave", &[("student", id)]).await.status(), 404, "not on it any more");
}

#[tokio::test]
async fn a_teacher_is_let_in_sees_the_roster_and_changes_nothing() {
    let office = Office::new().await;
    let teacher = office.house.account(Role::Teacher).await;
    let secret = office.house.session(&teacher).await;
    let id = teacher.id.to_string();
    let path = format!("/class/{}", office.class);
    let read = || office.house.send(get(&path).cookie(&secret));
    assert_eq!(read().await.status(), 404, "not theirs yet");
    assert!(place(&office.act("/teaches", &[("account", &id)]).await).ends_with("class-taught"));
    let page = read().await;
    assert_eq!(page.status(), 200);
    assert!(text(&page).contains("The teacher") && !text(&page).contains("name=\"numbers\""));
    let push = post(&format!("{path}/people")).form(&secret, &[("numbers", "S1")]);
    assert_eq!(office.house.send(push).await.status(), 403);
    office.act("/teaches", &[("stop", &id)]).await;
    assert_eq!(read().await.status(), 404);
}

#[tokio::test]
async fn rules_are_saved_as_typed_and_a_stale_form_changes_nothing() {
    let office = Office::new().await;
    let version = office.stands().await.version.to_string();
    let of = |policy: &'static str, grace: &'static str, version: &str| {
        [
            ("class_name", "Algebra 7b".to_owned()),
            ("class_code", "7B".to_owned()),
            ("grace_min", grace.to_owned()),
            ("policy", policy.to_owned()),
            ("auto_line", "93.5".to_owned()),
            ("error_budget", "2".to_owned()),
            ("version", version.to_owned()),
        ]
    };
    let save = async |fields: [(&'static str, String); 7]| {
        let fields: Vec<_> = fields.iter().map(|(name, text)| (*name, text.as_str())).collect();
        office.act("", &fields).await
    };
    assert_eq!(save(of("auto", "soon", &version)).await.status(), 422);
    assert_eq!(save(of("auto", "5", &version)).await.status(), 303);
    let class = office.stands().await;
    let auto = rules::attendance::placing::Policy::Auto { line: 0.935, budget: 2.0 };
    assert_eq!((class.policy, class.grace_min), (auto, 5));
    assert_eq!(save(of("review", "9", &version)).await.status(), 409, "somebody was faster");
    assert!(office.page("").await.contains("2 in 1,000"));
    office.act("", &[("part", "over")]).await;
    assert!(!office.stands().await.is_active);
    assert!(office.page("").await.contains("This class is over"));
    office.act("", &[("part", "open")]).await;
    assert!(office.stands().await.is_active);
}

#[tokio::test]
async fn a_suspended_class_is_told_on_its_pages_and_at_the_desk_until_it_is_switched_on() {
    let office = Office::new().await;
    let rules = [("policy", "auto"), ("auto_line", "90"), ("error_budget", "1")];
    assert_eq!(office.act("", &rules).await.status(), 303);
    let (class, count) = (office.class, BudgetCount { passages: 40, errors: 3 });
    let suspend = move |tx: &Tx<'_>| budget::suspend(tx, class, count, super::NOW);
    office.house.app.db.write(suspend).await.unwrap();
    let teacher = office.house.account(Role::Teacher).await;
    let secret = office.house.session(&teacher).await;
    let id = teacher.id.to_string();
    office.act("/teaches", &[("account", &id)]).await;
    let told = async || {
        let mut told = 0;
        for path in ["/class/7B", "/class/7B/today", "/review"] {
            let page = text(&office.house.send(get(path).cookie(&secret)).await);
            told += usize::from(page.contains("of the last 40 passages"));
        }
        told
    };
    assert_eq!(told().await, 3);
    let other = [("grace_min", "7"), ("policy", "")];
    assert_eq!(office.act("", &other).await.status(), 303);
    assert!(office.stands().await.suspended.is_some(), "another rule does not switch it on");
    assert_eq!(office.act("", &[("part", "resume")]).await.status(), 303);
    assert!(office.stands().await.suspended.is_none());
    assert_eq!(told().await, 0);
}
