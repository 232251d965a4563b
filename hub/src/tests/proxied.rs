//! Requests that a proxy brings.

use super::{House, get};
use config::Vars;

#[tokio::test]
async fn a_trusted_proxy_is_believed_and_nobody_else() {
    let trusting = Vars::default().with("ROLLCALL_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1");
    for (vars, believed) in [(trusting, true), (Vars::default(), false)] {
        let house = House::with(vars).await;
        let ask = get("/sign-in").header("x-forwarded-for", "198.51.100.1");
        let answer = house.send(ask.header("x-forwarded-proto", "https")).await;
        assert_eq!(answer.headers().contains_key("strict-transport-security"), believed);
    }
}
