//! What is asked again and again within one group. Nothing else writes while it is settled, so an
//! answer stays right until COMMIT.

use rules::error::Error;
use std::collections::HashMap;
use store::Tx;
use store::arrival::{self, Standing};
use store::cursor::{self, Receipt};
use store::keys::Keys;
use store::vault::DataKey;
use wire::{DeviceId, Epoch, RecordKey, StudentId};

/// Numbers of one batch that lie this close together are asked for at once.
const SPAN: u64 = 4096;

/// The answers so far.
pub struct Memo<'a> {
    keys: &'a Keys,
    read: &'a HashMap<StudentId, DataKey>,
    seen: HashMap<StudentId, Standing>,
}

impl<'a> Memo<'a> {
    /// Nothing asked yet; `read` are keys read before the transaction began. Somebody erased
    /// since then may not be seen, so that their key is not used.
    #[must_use]
    pub fn new(keys: &'a Keys, read: &'a HashMap<StudentId, DataKey>) -> Self {
        Self { keys, read, seen: HashMap::new() }
    }

    /// See [`arrival::standing`].
    pub fn standing(&mut self, tx: &Tx<'_>, student: StudentId) -> Result<Standing, Error> {
        if let Some(known) = self.seen.get(&student) {
            return Ok(*known);
        }
        let may = arrival::standing(tx, student)?;
        self.seen.insert(student, may);
        Ok(may)
    }

    /// The key of `student`, if they have one.
    ///
    /// # Errors
    /// When the key store fails.
    pub fn key(&self, student: StudentId) -> Result<Option<DataKey>, Error> {
        match self.read.get(&student) {
            Some(key) => Ok(Some(key.clone())),
            None => self.keys.student(student),
        }
    }
}

/// The receipts of the numbers around a batch: one question instead of one for each record.
#[derive(Default)]
pub struct Receipts {
    span: Option<(DeviceId, Epoch, u64, u64)>,
    known: HashMap<u64, Receipt>,
}

impl Receipts {
    /// What is known of `numbers` and those between them.
    pub fn of(
        tx: &Tx<'_>,
        device: &DeviceId,
        epoch: Epoch,
        numbers: impl Iterator<Item = u64> + Clone,
    ) -> Result<Self, Error> {
        let (low, high) = (numbers.clone().min().unwrap_or(0), numbers.max().unwrap_or(0));
        if high - low > SPAN {
            return Ok(Self::default());
        }
        let known = cursor::receipts(tx, device, epoch, low, high)?;
        Ok(Self { span: Some((device.clone(), epoch, low, high)), known })
    }

    /// What came with this number before.
    pub fn get(&self, tx: &Tx<'_>, key: &RecordKey) -> Result<Option<Receipt>, Error> {
        if self.covers(key) {
            return Ok(self.known.get(&key.seq).cloned());
        }
        cursor::receipt(tx, key)
    }

    /// Remembers what came with this number.
    ///
    /// # Errors
    /// `Conflict` when something came already.
    pub fn add(
        &mut self,
        tx: &Tx<'_>,
        key: &RecordKey,
        hash: &[u8; 16],
        disposition: &str,
    ) -> Result<(), Error> {
        cursor::add_receipt(tx, key, hash, disposition)?;
        if self.covers(key) {
            let disposition = disposition.to_owned();
            self.known.insert(key.seq, Receipt { hash: hash.to_vec(), disposition });
        }
        Ok(())
    }

    fn covers(&self, key: &RecordKey) -> bool {
        self.span.as_ref().is_some_and(|(device, epoch, low, high)| {
            *device == key.device && *epoch == key.epoch && (*low..=*high).contains(&key.seq)
        })
    }
}
