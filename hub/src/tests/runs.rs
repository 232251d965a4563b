//! Long work of the settings' pages: taking away what is over, and walking the audit chain.

use super::{Answer, Carrying, House, NOW, get, post};
use rules::auth::Role;
use std::sync::Arc;
use store::audit::{self, AuditFilter, AuditRow};
use store::params;
use tokio::sync::Notify;
use wire::pulse::Beat;

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(answer.body()).replace(['\u{2068}', '\u{2069}'], "")
}

struct Office {
    house: House,
    admin: String,
    user: uuid::Uuid,
}

impl Office {
    async fn new() -> Self {
        let house = House::new().await;
        let account = house.account(Role::Admin).await;
        let admin = house.session(&account).await;
        Self { house, admin, user: account.id }
    }

    /// Steps of two months ago that nobody takes back any more: they are over.
    async fn steps(&self, many: u32) {
        let add = move |tx: &store::Tx<'_>| {
            let sql = "insert into undo_step (account, at, former) values ('x', $1, '')";
            for _ in 0..many {
                tx.execute(sql, params![NOW.0 - 60 * 24 * 3_600_000])?;
            }
            Ok(())
        };
        self.house.app.db.write(add).await.unwrap();
    }

    async fn page(&self, path: &str) -> String {
        text(&self.house.send(get(path).cookie(&self.admin)).await)
    }

    /// Presses a button and gives where it led.
    async fn press(&self, path: &str) -> String {
        let answer = self.house.send(post(path).form(&self.admin, &[])).await;
        assert_eq!(answer.status(), 303, "{path}: {}", text(&answer));
        let place = answer.headers()["location"].to_str().unwrap();
        place.split('#').next().unwrap().to_owned()
    }

    /// The page of a job once it has ended.
    async fn ended(&self, place: &str) -> String {
        let id = place.split_once("job=").unwrap().1.parse().unwrap();
        self.house.app.jobs.ended(id, self.user).await.unwrap();
        self.page(place).await
    }

    async fn sweeps(&self) -> Vec<AuditRow> {
        let filter = AuditFilter { action: Some("sweep".into()), ..AuditFilter::default() };
        self.house.app.db.read(move |tx| audit::list(tx, &filter, None, 9)).await.unwrap()
    }

    /// Lets everything that is started wait in the queue until the notice.
    async fn busy(&self) -> Arc<Notify> {
        let free = Arc::new(Notify::new());
        for _ in 0..acts::jobs::AT_ONCE {
            let free = free.clone();
            let work = move |_| async move {
                free.notified().await;
                Ok(())
            };
            self.house.app.jobs.start("test", 1, self.user, work).await.unwrap();
        }
        free
    }
}

#[tokio::test]
async fn what_is_over_goes_at_once_when_an_admin_says_so() {
    let office = Office::new().await;
    office.steps(3).await;
    let before = office.page("/settings/retention").await;
    for words in ["There has been no run yet", "within a minute", "3 things would go now"] {
        assert!(before.contains(words), "{words}: {before}");
    }
    let place = office.press("/settings/retention/run").await;
    let after = office.ended(&place).await;
    for words in ["3 things are gone", "Nothing would go now", "The last run was just now"] {
        assert!(after.contains(words), "{words}: {after}");
    }
    let rows = office.sweeps().await;
    assert!(rows.len() == 1 && rows[0].actor == office.user.to_string(), "{rows:?}");
    office.house.app.privacy().do_the_day(&Beat::default()).await.unwrap();
    assert!(office.page("/settings/retention").await.contains("Tuesday, 3 March"), "the next day");
}

#[tokio::test]
async fn a_run_is_started_once_and_can_be_stopped() {
    let office = Office::new().await;
    office.steps(1).await;
    let free = office.busy().await;
    let place = office.press("/settings/retention/run").await;
    assert_eq!(office.press("/settings/retention/run").await, place, "the same run");
    let waiting = office.page("/settings/retention").await;
    assert!(waiting.contains("0 of 1") && waiting.contains("Cancel"), "{waiting}");
    let id = place.split_once("job=").unwrap().1;
    office.press(&format!("/settings/retention/{id}/cancel")).await;
    office.press(&format!("/settings/retention/{id}/cancel")).await;
    let stopped = office.page(&place).await;
    assert!(stopped.contains("stopped before anything went"), "{stopped}");
    assert!(stopped.contains("One thing would go now"), "{stopped}");
    let rows = office.sweeps().await;
    assert!(rows.len() == 1 && rows[0].meta.contains("stopped"), "{rows:?}");
    free.notify_waiters();
}

#[tokio::test]
async fn a_run_that_a_program_stops_is_written_down_too() {
    let office = Office::new().await;
    office.steps(1).await;
    let (free, token) = (office.busy().await, office.house.login(Role::Admin).await);
    for (path, sweeps) in [("/settings/audit/verify", 0), ("/settings/retention/run", 1)] {
        let place = office.press(path).await;
        let id = place.split_once("job=").unwrap().1;
        let cancel = post(&format!("/api/jobs/{id}/cancel")).bearer(&token);
        assert_eq!(office.house.send(cancel).await.status(), 200);
        assert_eq!(office.sweeps().await.len(), sweeps, "{path}");
    }
    free.notify_waiters();
}

#[tokio::test]
async fn the_walk_along_the_audit_chain_says_how_it_ended() {
    let office = Office::new().await;
    let free = office.busy().await;
    let place = office.press("/settings/audit/verify").await;
    let waiting = office.page("/settings/audit").await;
    assert!(waiting.contains("rows a second") && waiting.contains("Cancel"), "{waiting}");
    let id = place.split_once("job=").unwrap().1;
    office.press(&format!("/settings/audit/{id}/cancel")).await;
    assert!(office.page(&place).await.contains("The check was stopped"));
    free.notify_waiters();
    let place = office.press("/settings/audit/verify").await;
    assert!(office.ended(&place).await.contains("rows, unbroken"));
}
