//! The admin's and everybody's own pages, by their forms.

use super::{Answer, Carrying, House, PASSWORD, get, post};
use config::Vars;
use rules::auth::Role;
use store::audit::{self, AuditFilter};

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(answer.body()).replace(['\u{2068}', '\u{2069}'], "")
}

fn place(answer: &Answer) -> &str {
    answer.headers().get("location").map_or("", |place| place.to_str().unwrap())
}

#[tokio::test]
async fn a_chosen_line_counts_at_once_and_is_written_down() {
    let house = House::new().await;
    let admin = house.session(&house.account(Role::Admin).await).await;
    let choose = |high| {
        let fields = [("high", high), ("review", "0.945")];
        house.send(post("/settings/recognition").form(&admin, &fields))
    };
    let line = || house.app.gallery.index().lines().single_high;
    assert_eq!(choose("0.5").await.status(), 422, "far below the network's own line");
    assert!((line() - 0.960).abs() < 1e-6);
    let saved = choose("0.972").await;
    assert_eq!(saved.status(), 303, "{}", text(&saved));
    assert!((line() - 0.972).abs() < 1e-6);
    let filter = AuditFilter { id: Some("recognition_lines".into()), ..AuditFilter::default() };
    let rows = house.app.db.read(move |tx| audit::list(tx, &filter, None, 9)).await.unwrap();
    assert!(rows.len() == 1 && rows[0].meta.contains("0.972"), "{rows:?}");
    let page = house.send(get("/settings/recognition?budget=0.01").cookie(&admin)).await;
    assert!(text(&page).contains("0.972"), "{}", text(&page));
    let usual = post("/settings/recognition").form(&admin, &[("usual", "1")]);
    assert_eq!(house.send(usual).await.status(), 303);
    assert!((line() - 0.960).abs() < 1e-6);
}

#[tokio::test]
async fn where_the_file_holds_the_lines_the_page_changes_nothing_and_says_so() {
    let house = House::with(Vars::from([("ROLLCALL_LINES__HIGH", "0.97")])).await;
    let admin = house.session(&house.account(Role::Admin).await).await;
    let fields = [("high", "0.98"), ("review", "0.945")];
    let refused = house.send(post("/settings/recognition").form(&admin, &fields)).await;
    assert_eq!(refused.status(), 409);
    assert!(text(&refused).contains("own file"), "{}", text(&refused));
}

#[tokio::test]
async fn a_password_is_changed_by_its_form_and_ends_the_other_sign_ins() {
    let house = House::new().await;
    let account = house.account(Role::Student).await;
    let (here, there) = (house.session(&account).await, house.session(&account).await);
    let fields = [("current_password", PASSWORD), ("new_password", "four words for one door")];
    let changed = house.send(post("/account/password").form(&here, &fields)).await;
    assert_eq!(place(&changed), "/account?done=account-done-password", "{}", text(&changed));
    let page = house.send(get("/account").cookie(&here)).await;
    assert_eq!(page.status(), 200, "a student has a page, too");
    assert_eq!(house.send(get("/account").cookie(&there)).await.status(), 401);
}

#[tokio::test]
async fn a_field_that_is_left_empty_keeps_things_for_ever_and_others_stay() {
    let house = House::new().await;
    let admin = house.session(&house.account(Role::Admin).await).await;
    let save = |days| {
        let fields = [("pending_days", ""), ("health_days", days)];
        house.send(post("/settings/retention").form(&admin, &fields))
    };
    assert_eq!(save("3").await.status(), 422, "dates follow from it");
    assert_eq!(save("40").await.status(), 303);
    let set = house.app.db.read(acts::privacy::retention::get).await.unwrap();
    assert_eq!((set.pending_days, set.health_days, set.crop_days), (None, Some(40), Some(1)));
}
