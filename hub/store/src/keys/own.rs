//! The hub's own keys: what doors seal for, what signs galleries, what signs access tokens.

use super::{Keys, NAMED, SEAL, SIGN, TOKENS, WAS, insert};
use crate::params;
use crate::vault::DataKey;
use ed25519_dalek::{SigningKey, VerifyingKey};
use rules::error::{Doing, Error};
use wire::sign::Signed;
use wire::{HubSecret, Wall};
use zeroize::Zeroizing;

impl Keys {
    /// The newest key that doors seal for.
    pub fn hub_secret(&self) -> Result<HubSecret, Error> {
        let newest = self.ids(SEAL)?.first().copied();
        let none = || Error::internal("finding a hub key", "there is none");
        self.hub_secret_by(newest.ok_or_else(none)?)
    }

    /// The sealing key with number `id`, which an older record names.
    ///
    /// # Errors
    /// When it is gone, or the store fails.
    pub fn hub_secret_by(&self, id: u32) -> Result<HubSecret, Error> {
        Ok(HubSecret::from_bytes(id, *self.hub_key(SEAL, id)?))
    }

    /// What signs galleries.
    pub fn signing(&self) -> Result<SigningKey, Error> {
        let newest = self.ids(SIGN)?.first().copied().unwrap_or(1);
        Ok(SigningKey::from_bytes(&*self.hub_key(SIGN, newest)?))
    }

    /// Makes the next signing key. The one before names it, for doors that know only that, and is
    /// destroyed: all at once or not at all.
    pub fn rotate_signing(&self, now: Wall) -> Result<(), Error> {
        let doing = "replacing the signing key";
        let (old, new) = (self.signing()?, DataKey::random());
        let next = self.ids(SIGN)?.first().map_or(1, |newest| newest + 1);
        let public = SigningKey::from_bytes(new.as_bytes()).verifying_key();
        let named = postcard::to_stdvec(&Signed::successor(&old, &public)).doing(doing)?;
        let was = old.verifying_key().to_bytes();
        self.write(|tx, kek| {
            for (name, secret) in
                [(WAS, &was[..]), (NAMED, &named[..]), (SIGN, &new.as_bytes()[..])]
            {
                insert(tx, kek, name, next, secret, now)?;
            }
            let sql = "delete from hub_key where name = $1 and id < $2";
            tx.execute(sql, params![SIGN, next]).map(drop)
        })
    }

    /// How each signing key was named by the one before it, oldest first.
    pub fn signers(&self) -> Result<Vec<Signed>, Error> {
        let named = |id: &u32| {
            postcard::from_bytes(&self.get(NAMED, *id)?).doing("reading who named a signing key")
        };
        self.ids(NAMED)?.iter().rev().map(named).collect()
    }

    /// Public halves of every signing key this hub ever had, newest first: what they signed long
    /// ago is still theirs.
    pub fn verifying(&self) -> Result<Vec<VerifyingKey>, Error> {
        let doing = "reading a signing key of before";
        let was = |id: &u32| {
            let bytes = <[u8; 32]>::try_from(self.get(WAS, *id)?.as_slice()).doing(doing)?;
            VerifyingKey::from_bytes(&bytes).doing(doing)
        };
        let mut all = vec![self.signing()?.verifying_key()];
        for id in &self.ids(WAS)? {
            all.push(was(id)?);
        }
        Ok(all)
    }

    /// What signs access tokens, newest first: the one before counts for `overlap_ms` after that
    /// was made, and is destroyed then.
    pub fn tokens(&self, overlap_ms: i64, now: Wall) -> Result<Vec<Zeroizing<[u8; 32]>>, Error> {
        let ids = self.ids(TOKENS)?;
        let newest =
            *ids.first().ok_or_else(|| Error::internal("reading a key", "there is none"))?;
        let over = self.made(TOKENS, newest)?.plus_ms(overlap_ms) <= now;
        let (keep, gone) = ids.split_at(ids.len().min(if over { 1 } else { 2 }));
        gone.iter().try_for_each(|id| self.forget(TOKENS, *id))?;
        keep.iter().map(|id| self.hub_key(TOKENS, *id)).collect()
    }

    /// Makes the next key of access tokens.
    pub fn rotate_tokens(&self, now: Wall) -> Result<(), Error> {
        let next = self.ids(TOKENS)?.first().map_or(1, |newest| newest + 1);
        self.put(TOKENS, next, DataKey::random().as_bytes(), now)
    }
}
