//! The next certificate of a door that has one.

use super::Doors;
use crate::device::DoorIdentity;
use rules::error::Error;
use wire::Wall;

impl Doors {
    /// Signs the request `csr` of the door that shows `identity`. What an older authority gave
    /// counts only if it was given here.
    ///
    /// # Errors
    /// `Unauthorised` where it was not; `Invalid` for what is no request of this door.
    pub async fn renew(
        &self,
        identity: &DoorIdentity,
        csr: String,
        now: Wall,
    ) -> Result<String, Error> {
        let pki = self.follower.pki.clone();
        let identity = identity.clone();
        let is_older = identity.authority != pki.signer();
        let work = move |tx: &store::Tx<'_>| {
            let of = (identity.serial.as_str(), identity.digest.as_str());
            if is_older && !store::certificate::is_given(tx, of)? {
                return Err(Error::Unauthorised("nobody here gave this certificate".into()));
            }
            let issued = pki.sign(&identity.device, &csr, now)?;
            let serials = (identity.serial.as_str(), issued.serial.as_str());
            store::device::renew_cert(tx, &identity.device, serials, issued.expires, now)?;
            store::certificate::identify(tx, &issued.serial, &issued.digest)?;
            Ok(issued.pem)
        };
        let pem = self.db.write(work).await?;
        self.follower.refresh().await?;
        Ok(pem)
    }
}
