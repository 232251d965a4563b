//! Tables `user_account`, `login_session`, `token_family`, `refresh_token`, `setup_code`.
//!
//! Secrets arrive here as digests or PHC strings; a stolen database opens no session.

use super::{Tx, params};
use rules::error::Error;
use sha2::{Digest as _, Sha256};
use wire::Wall;

/// Makes a one-time code with which the first admin is made.
pub fn add_setup_code(tx: &Tx<'_>, code: &str, now: Wall, ends: Wall) -> Result<(), Error> {
    let sql = "insert into setup_code (digest, created_at, expires_at) values ($1, $2, $3)";
    let digest = Sha256::digest(code.as_bytes()).to_vec();
    tx.execute(sql, params![digest, now.0, ends.0]).map(drop)
}

/// Uses the code up; false if it is unknown, used or too old.
pub fn use_setup_code(tx: &Tx<'_>, code: &str, now: Wall) -> Result<bool, Error> {
    let sql = "update setup_code set used_at = $2
         where digest = $1 and used_at is null and expires_at > $2";
    let digest = Sha256::digest(code.as_bytes()).to_vec();
    Ok(tx.execute(sql, params![digest, now.0])? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Db;

    #[tokio::test]
    async fn a_setup_code_opens_once_and_for_a_day() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path().join("hub.db")).unwrap();
        db.write(|tx| add_setup_code(tx, "CODE", Wall(0), Wall(100))).await.unwrap();
        let take = |code: &'static str, at| db.write(move |tx| use_setup_code(tx, code, Wall(at)));
        assert!(!take("EDOC", 1).await.unwrap());
        assert!(!take("CODE", 100).await.unwrap(), "too late");
        assert!(take("CODE", 99).await.unwrap());
        assert!(!take("CODE", 99).await.unwrap(), "used");
    }
}
