//! `/api/auth`: tokens for programs. Browsers get a session from `/sign-in` instead.

use crate::shown::PasskeyShown;
use acts::entrance::{Checked, Opened};
use http::call::Call;
use http::endpoint::Endpoint;
use http::problem::Outcome;
use http::problem::Problem;
use http::reply::{json, nothing};
use http::route::Route;
use rules::auth::Role;
use serde::{Deserialize, Serialize};
use store::account::{self, Account};
use store::login::Way;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::StatusCode;

/// Routes of this file.
#[must_use]
pub fn routes() -> Vec<Endpoint> {
    let renew = Route::post("/api/auth/refresh").anyone().takes::<RefreshForm>();
    vec![
        Route::post("/api/auth/login").anyone().takes::<Login>().gives::<TokenPair>().by(log_in),
        renew.gives::<TokenPair>().by(refresh),
        Route::get("/api/auth/me").everyone().gives::<Me>().by(me),
        Route::post("/api/auth/logout").everyone().by(log_out),
    ]
}

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
pub struct Login {
    /// E-mail address of the account.
    #[serde(alias = "username")]
    email: String,
    /// Its password.
    password: String,
    /// The code of the second factor, or a recovery code, where the account has one.
    #[serde(alias = "code")]
    totp: Option<String>,
    /// Or a passkey instead of the code.
    passkey: Option<PasskeyShown>,
}

/// An old refresh token.
#[derive(Deserialize, ToSchema)]
#[schema(as = Refresh)]
pub struct RefreshForm {
    /// The newest refresh token of the family.
    #[serde(alias = "refresh_token")]
    refresh: String,
}

/// A pair of tokens, under the names of every seed.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub struct TokenPair {
    access: String,
    refresh: String,
    access_token: String,
    refresh_token: String,
    token_type: &'static str,
    expires_in: i64,
    user: Me,
}

/// An account, to its owner.
#[derive(Serialize, ToSchema)]
pub struct Me {
    id: Uuid,
    email: String,
    name: String,
    full_name: String,
    role: Role,
    /// The student this account belongs to.
    student_id: Option<Uuid>,
}

impl From<&Account> for Me {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id,
            email: account.email.clone(),
            name: account.name.clone(),
            full_name: account.name.clone(),
            role: account.role,
            student_id: account.student.map(|student| student.0),
        }
    }
}

async fn log_in(call: Call) -> Outcome {
    let Login { email, password, totp, passkey } = call.json()?;
    let visitor = call.visitor();
    let account = match visitor.check(&email, password).await? {
        Checked::Done(account) => account,
        Checked::NeedsCode(account) => {
            match (totp, passkey) {
                (Some(code), _) => visitor.use_code(&account, &code).await?,
                (_, Some(shown)) => drop(visitor.show(shown.into(), Some(account.id)).await?),
                (None, None) => return Err(needed()),
            }
            account
        }
    };
    json(&tokens(&call, visitor.tokens(account, Way::Password).await?))
}

/// The answer that asks for a code.
fn needed() -> Problem {
    let say = "The password is right. This account has a second factor: send its code as “totp”.";
    Problem::new(StatusCode::UNAUTHORIZED, "second-factor-needed", say)
}

async fn refresh(call: Call) -> Outcome {
    let RefreshForm { refresh } = call.json()?;
    let opened = call.front.entrance.renew(&refresh, call.now).await?;
    json(&tokens(&call, opened))
}

/// A pair of tokens, as the API says it.
#[must_use]
pub fn tokens(call: &Call, opened: Opened) -> TokenPair {
    let Opened { account, access, refresh } = opened;
    TokenPair {
        access_token: access.clone(),
        refresh_token: refresh.clone(),
        access,
        refresh,
        token_type: "bearer",
        expires_in: call.front.tokens.seconds(),
        user: Me::from(&account),
    }
}

async fn log_out(call: Call) -> Outcome {
    call.visitor().leave().await?;
    nothing()
}

async fn me(call: Call) -> Outcome {
    let id = call.actor()?.user;
    let account = call.app().db.read(move |tx| account::get(tx, id)).await?;
    json(&Me::from(&account.ok_or_else(http::call::signed_out)?))
}
