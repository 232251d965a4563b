//! Browsers: cookies, forms, and pages that are left alone too long.

use super::{Answer, Carrying, House, NOW, PASSWORD, get, post};
use acts::auth::session;
use rules::auth::Role;
use serde_json::json;
use warp::test::RequestBuilder;
use web::files;

#[tokio::test]
async fn a_browser_signs_in_with_a_form_and_gets_a_guarded_cookie() {
    let house = House::new().await;
    house.account(Role::Teacher).await;
    let form = format!("email=teacher%40school.test&password={}", PASSWORD.replace(' ', "+"));
    let request = |site: &'static str| {
        post("/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", form.len())
            .header("sec-fetch-site", site)
            .body(&form)
    };
    assert_eq!(house.send(request("cross-site")).await.status(), 403);
    let answer = house.send(request("same-origin")).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (303, &"/review".parse().unwrap())
    );
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-sid=") && cookie.contains("HttpOnly"), "{cookie}");
}

#[tokio::test]
async fn whoever_signs_in_lands_on_a_page_of_theirs_and_sees_no_other_linked() {
    let house = House::new().await;
    for (role, home, shown) in [
        (Role::Student, "/me", &["/me"][..]),
        (Role::Teacher, "/review", &["/review", "/class"][..]),
        (
            Role::Admin,
            "/review",
            &["/review", "/class", "/people", "/devices", "/care", "/settings"][..],
        ),
    ] {
        let account = house.account(role).await;
        let email = format!("{role}@school.test");
        let fields = [("email", email.as_str()), ("password", PASSWORD), ("next", "/review")];
        let text = serde_urlencoded::to_string(fields).unwrap();
        let form = post("/sign-in").header("sec-fetch-site", "same-origin");
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        let answer = house.send(form.header("content-length", text.len()).body(text)).await;
        assert_eq!(answer.headers()["location"], home, "{role}");
        let secret = house.session(&account).await;
        let browse = |path: &str| get(path).cookie(&secret).header("accept", "text/html");
        let first = house.send(browse("/")).await;
        assert_eq!(first.headers()["location"], home, "{role}");
        let page = house.send(browse("/account")).await;
        let page = String::from_utf8_lossy(page.body()).into_owned();
        assert!(page.contains(&format!("class=\"brand\" href=\"{home}\"")), "{role}: {page}");
        let nav = page.split_once("class=\"nav\"").map_or("", |(_, nav)| nav);
        let nav = nav.split("</nav>").next().unwrap_or_default();
        let linked: Vec<_> = nav.split("href=\"").skip(1).map(|to| to.split('"').next()).collect();
        assert_eq!(linked, shown.iter().map(|to| Some(*to)).collect::<Vec<_>>(), "{role}");
    }
}

#[tokio::test]
async fn with_an_authorization_header_the_cookie_counts_for_nothing() {
    let house = House::new().await;
    let account = house.account(Role::Admin).await;
    let secret = house.session(&account).await;
    let me = || get("/api/auth/me").cookie(&secret);
    assert_eq!(house.send(me()).await.status(), 200);
    assert_eq!(house.send(me().bearer("rubbish")).await.status(), 401);
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing() {
    let house = House::new().await;
    let account = house.account(Role::Admin).await;
    let secret = house.session(&account).await;
    let add = || {
        let body = json!({ "device_id": "door-1" });
        post("/api/devices").cookie(&secret).json(&body)
    };
    let own = |request: RequestBuilder| request.header("sec-fetch-site", "same-origin");
    assert_eq!(house.send(add()).await.status(), 403);
    assert_eq!(house.send(own(add())).await.status(), 403, "without the token");
    let csrf = session::csrf(&secret);
    let good = own(add()).header("x-csrf-token", csrf.as_str());
    assert_eq!(house.send(good).await.status(), 201);
    let form = post("/devices").form(&secret, &[("device_id", "door-2"), ("direction", "both")]);
    assert_eq!(house.send(form).await.status(), 201);
}

#[tokio::test]
async fn pages_and_files_leave_compressed_and_data_does_not() {
    let house = House::new().await;
    let secret = house.session(&house.account(Role::Admin).await).await;
    let ask = |path: &str, site: &'static str| {
        let request = get(path).cookie(&secret).header("sec-fetch-site", site);
        house.send(request.header("accept-encoding", "gzip, br").header("accept", "text/html"))
    };
    let style = files::address("rollcall.css");
    let encoding = |answer: Answer| answer.headers().get("content-encoding").cloned();
    assert_eq!(encoding(ask("/people", "same-origin").await).unwrap(), "gzip");
    assert_eq!(encoding(ask(&style, "same-origin").await).unwrap(), "gzip");
    for (path, site) in [("/people", "same-site"), ("/api/students", "same-origin")] {
        assert_eq!(encoding(ask(path, site).await), None, "{path} for {site}");
    }
    let plain = house.send(get(&style)).await;
    assert_eq!(plain.headers()["vary"], "accept-encoding");
    assert_eq!(plain.body(), files::FILES[0].bytes);
}

#[tokio::test]
async fn an_idle_session_is_over() {
    let house = House::new().await;
    let account = house.account(Role::Admin).await;
    let secret = house.session(&account).await;
    house.clock.set_wall(NOW.plus_ms(12 * 3_600_000));
    let page = house.send(get("/devices").cookie(&secret).header("accept", "text/html")).await;
    assert_eq!(
        (page.status().as_u16(), &page.headers()["location"]),
        (303, &"/sign-in".parse().unwrap())
    );
}

#[tokio::test]
async fn a_link_from_a_mail_bounces_once_and_then_the_cookie_is_there() {
    let house = House::new().await;
    let page = |site: &'static str| {
        get("/review").header("accept", "text/html").header("sec-fetch-site", site)
    };
    let first = house.send(page("cross-site")).await;
    assert_eq!(first.status(), 200);
    assert!(String::from_utf8_lossy(first.body()).contains("http-equiv=\"refresh\""));
    assert_eq!(house.send(page("same-origin")).await.status(), 303, "never twice");
}
