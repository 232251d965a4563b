//! A new hub: its database belongs to its keys, begins a life, and its first admin gets a code.

use crate::auth::Passwords;
use crate::pairing;
use config::FirstAdmin;
use data_encoding::BASE32_NOPAD;
use rules::auth::Role;
use rules::error::{Doing, Error};
use store::account::{self, NewAccount};
use store::keys::Keys;
use store::{Db, Tx, setting, user};
use wire::{Epoch, Wall};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Writes what every hub begins with, and returns the code that makes its first admin within a
/// day.
///
/// # Errors
/// `Conflict` when keys and database are of two hubs; when one of them fails.
pub async fn begin(db: &Db, keys: &Keys, now: Wall) -> Result<String, Error> {
    pairing::settle(db, keys, now).await?;
    let code = BASE32_NOPAD.encode(&rand::random::<[u8; 10]>());
    let epoch = Epoch(rand::random());
    let work = move |tx: &Tx<'_>| {
        setting::set(tx, "hub_epoch", &epoch.to_string())?;
        user::add_setup_code(tx, &code, now, now.plus_ms(DAY_MS))?;
        Ok(code)
    };
    db.write(work).await
}

/// Makes the first admin whom the environment names, on a hub that has no account yet.
///
/// # Errors
/// When the database fails.
pub async fn first_admin(db: &Db, first: FirstAdmin, now: Wall) -> Result<(), Error> {
    if db.read(account::any).await? {
        tracing::warn!("DJANGO_SUPERUSER_PASSWORD did its work at the first start: unset it");
        return Ok(());
    }
    let FirstAdmin { email, name, password } = first;
    let hash = Passwords::default().hash(password.expose().to_owned()).await;
    let password = Some(hash.doing("hashing the first admin's password")?);
    let new = NewAccount { email, name, role: Role::Admin, student: None, password };
    db.write(move |tx| account::add(tx, &new, "first start", now)).await?;
    tracing::info!("the first admin was made from the environment");
    Ok(())
}
