//! Hubs that share one key store on a server: who was let in, and how each learns the key that wraps
//! everything.
//!
//! That key is on the disks of the hubs alone, never on the server. A hub has a mailbox: a pair of
//! keys, of which the public half lies in the store, vouched for under the key that counts. Whoever
//! replaces that key puts the new one, sealed, into each mailbox; a hub that takes it makes a new
//! mailbox and forgets the one before. So a copy of the server, or of its log, opens nothing, and
//! what was erased opens for nobody once every hub has looked. A word that both know tells a hub
//! that what it finds was put there by one that was let in before.

use super::kek::{self, Kek, KekPlace, known};
use super::shelf::{Hold, Shelf};
use super::{Keys, TABLES, papers};
use crate::params;
use crate::postgres::server::Server;
use crate::row::Row;
use crate::tx::Tx;
use crate::value::Value;
use crate::vault::DataKey;
use age::secrecy::ExposeSecret as _;
use age::x25519::{Identity, Recipient};
use data_encoding::BASE32_NOPAD;
use rules::error::{Doing, Error};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use wire::Wall;
use zeroize::Zeroizing;

const SCHEMA: &str = "
    create table if not exists hub (
        name text primary key not null, mailbox text not null, proof blob not null, parcel blob ,
        asked_at bigint not null, admitted_at bigint
    ) without rowid;";

/// What a hub's mailbox is kept in.
const FILE: &str = "mailbox";
const NEXT: &str = "mailbox.next";
/// Random bytes of the code by which a hub is let in.
const CODE: usize = 10;
/// What every store has, with the columns that name a row.
const POURED: [(&str, &str); 8] = [
    ("student_key", "student, wrapped, created_at"),
    ("photo_key", "photo, wrapped, created_at"),
    ("hub_key", "name, id, wrapped, created_at"),
    ("erased", "student, at"),
    ("door_key", "device, wrapped, created_at"),
    ("ended_cert", "serial, device, ends"),
    ("shut", "kind, what, at"),
    ("kek", "n, print"),
];

/// Tables of a store on a server.
pub(super) fn tables() -> Vec<&'static str> {
    TABLES.into_iter().chain([SCHEMA, papers::SCHEMA]).collect()
}

/// A hub that shares the store, or asks to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HubSharing {
    /// Its name.
    pub name: String,
    /// When it asked.
    pub asked: Wall,
    /// When it was let in.
    pub admitted: Option<Wall>,
    /// Whether a new key waits for it: until it takes that, its disk has the one before.
    pub is_behind: bool,
}

/// A hub's wish to be let in.
#[derive(Clone, Debug)]
pub struct Admission {
    /// What is typed at a hub that was let in.
    pub code: String,
    server: Server,
    place: KekPlace,
}

/// A hub's own half.
struct Mailbox {
    name: String,
    pair: Identity,
    word: Zeroizing<[u8; 32]>,
}

/// The half that those who may open the store know.
struct Address {
    to: Recipient,
    word: Zeroizing<[u8; 32]>,
}

impl Mailbox {
    fn new(name: &str, word: [u8; 32]) -> Self {
        Self { name: name.to_owned(), pair: Identity::generate(), word: Zeroizing::new(word) }
    }

    fn address(&self) -> Address {
        Address { to: self.pair.to_public(), word: self.word.clone() }
    }

    fn write(&self, place: &KekPlace, file: &str) -> Result<(), Error> {
        let pair = self.pair.to_string();
        let word = Zeroizing::new(BASE32_NOPAD.encode(&*self.word));
        let text = Zeroizing::new(format!("{}\n{}\n{}\n", self.name, pair.expose_secret(), *word));
        let path = place.beside(file);
        let _left_by_a_crash = std::fs::remove_file(&path);
        place.write_sealed(&path, FILE, text.as_bytes())
    }

    fn read(place: &KekPlace, file: &str) -> Result<Self, Error> {
        let doing = "reading this hub's mailbox";
        let text = place.read_sealed(&place.beside(file), FILE)?;
        let mut lines = std::str::from_utf8(&text).doing(doing)?.lines();
        let mut line = || lines.next().ok_or_else(|| Error::internal(doing, "it is cut short"));
        let name = line()?.to_owned();
        let odd = |_| Error::internal(doing, "it holds no key");
        let pair = line()?.parse::<Identity>().map_err(|why: &str| Error::internal(doing, why))?;
        let word = BASE32_NOPAD.decode(line()?.as_bytes()).doing(doing)?;
        let word = <[u8; 32]>::try_from(word.as_slice()).map_err(odd)?;
        Ok(Self { name, pair, word: Zeroizing::new(word) })
    }

    /// This hub's, whose public half the store knows: what a crash left beside it is passed over.
    fn of(tx: &Tx<'_>, place: &KekPlace) -> Result<(Self, Option<Vec<u8>>), Error> {
        let first = Self::read(place, FILE);
        let all = [Self::read(place, NEXT).ok(), first.as_ref().ok().map(Self::again)];
        for mailbox in all.into_iter().flatten() {
            let sql = "select mailbox, parcel from hub where name = $1";
            let known = tx.row(sql, params![mailbox.name], |row| {
                Ok((row.get::<String>(0)?, row.get::<Option<Vec<u8>>>(1)?))
            })?;
            if let Some((public, parcel)) = known
                && public == mailbox.pair.to_public().to_string()
            {
                return Ok((mailbox, parcel));
            }
        }
        first.and_then(|_| Err(outside()))
    }

    fn again(&self) -> Self {
        Self { name: self.name.clone(), pair: self.pair.clone(), word: self.word.clone() }
    }

    /// Where it lies beside the one before, because a taking was cut short, it takes the place of that.
    fn settle(&self, place: &KekPlace) -> Result<(), Error> {
        let public = |mailbox: &Self| mailbox.pair.to_public().to_string();
        match Self::read(place, NEXT) {
            Ok(next) if public(&next) == public(self) => {
                kek::renew(&place.beside(NEXT), &place.beside(FILE))
            }
            _ => Ok(()),
        }
    }

    /// The key that a hub which was let in put into it.
    fn open(&self, parcel: &[u8]) -> Result<DataKey, Error> {
        let doing = "opening what another hub sealed for this one";
        let plain = Zeroizing::new(age::decrypt(&self.pair, parcel).doing(doing)?);
        let forged = || Error::internal(doing, "no hub that was let in has put it there");
        let (key, proof) = plain.split_at_checked(32).ok_or_else(forged)?;
        let key = DataKey::from_slice(key).doing(doing)?;
        match self.address().proof(&self.name, &key) == *proof {
            true => Ok(key),
            false => Err(forged()),
        }
    }
}

impl Address {
    /// What says that `key` is for the hub `name`, by somebody who knows the word.
    fn proof(&self, name: &str, key: &DataKey) -> blake3::Hash {
        let said = [b"kek for ", name.as_bytes(), b"\0", key.as_bytes()].concat();
        blake3::keyed_hash(&self.word, &Zeroizing::new(said))
    }

    /// `key`, for the hub `name` alone.
    fn seal(&self, name: &str, key: &DataKey) -> Result<Vec<u8>, Error> {
        let proof = self.proof(name, key);
        let plain = Zeroizing::new([&key.as_bytes()[..], proof.as_bytes()].concat());
        age::encrypt(&self.to, &plain).doing("sealing a key for another hub")
    }

    /// Itself, as only whoever has `kek` writes it.
    fn vouch(&self, name: &str, kek: &DataKey) -> Vec<u8> {
        let plain = Zeroizing::new([&self.word[..], self.to.to_string().as_bytes()].concat());
        kek.seal(&vouched(name), &plain)
    }

    /// What [`Self::vouch`] wrote.
    fn vouched(name: &str, kek: &DataKey, proof: &[u8]) -> Option<Self> {
        let plain = kek.open(&vouched(name), proof).ok()?;
        let (word, to) = plain.split_first_chunk::<32>()?;
        let to = std::str::from_utf8(to).ok()?.parse().ok()?;
        Some(Self { to, word: Zeroizing::new(*word) })
    }
}

fn vouched(name: &str) -> String {
    format!("hub {name}")
}

fn outside() -> Error {
    Error::Conflict(
        "this hub was not let in to the keys of the school: run `rollcall-hub hubs join` here and \
         `rollcall-hub hubs admit` on a hub that serves it"
            .into(),
    )
}

/// Puts `new` into the mailbox of each other hub, vouched for by `old`.
pub(super) fn tell(
    tx: &Tx<'_>,
    place: &KekPlace,
    old: &DataKey,
    new: &DataKey,
) -> Result<(), Error> {
    let own = Mailbox::of(tx, place)?.0.name;
    let sql = "select name, proof from hub where admitted_at is not null order by name";
    let hub = |row: &Row<'_>| Ok((row.get::<String>(0)?, row.get::<Vec<u8>>(1)?));
    for (name, proof) in tx.query(sql, [], hub)? {
        let Some(address) = Address::vouched(&name, old, &proof) else {
            rules::security!("hub", hub = %name, "nobody vouches for a hub's mailbox: it gets no key");
            continue;
        };
        let parcel = match name == own {
            true => None,
            false => Some(address.seal(&name, new)?),
        };
        let sql = "update hub set proof = $2, parcel = $3 where name = $1";
        tx.execute(sql, params![name, address.vouch(&name, new), parcel])?;
    }
    Ok(())
}

/// Takes the key that another hub put into this one's mailbox, where it lacks the one that counts.
pub(super) fn catch_up(shelf: &mut Shelf, place: &KekPlace, kek: &mut Kek) -> Result<(), Error> {
    let _alone = place.hold(Hold::Alone)?;
    let taken = shelf.run(Hold::Alone, |tx| match place.refresh(tx, kek)? {
        true => Ok(None),
        false => take(tx, place).map(Some),
    })?;
    let Some(taken) = taken else { return Ok(()) };
    place.settle()?;
    kek::renew(&place.beside(NEXT), &place.beside(FILE))?;
    *kek = taken;
    Ok(())
}

/// The key in this hub's mailbox, laid beside the one before; the mailbox is a new one.
fn take(tx: &Tx<'_>, place: &KekPlace) -> Result<Kek, Error> {
    if !place.beside(FILE).exists() {
        let why = "kek is not what it is wrapped with";
        return Err(Error::internal("opening the key store", why));
    }
    let (mailbox, parcel) = Mailbox::of(tx, place)?;
    mailbox.settle(place)?;
    let found = Kek::new(mailbox.open(&parcel.ok_or_else(outside)?)?);
    if known(tx)?.as_deref() != Some(found.print()) {
        let why = "what another hub sealed for this one is not what the keys are wrapped with";
        return Err(Error::internal("opening the key store", why));
    }
    place.lay_beside(&found)?;
    let next = Mailbox::new(&mailbox.name, rand::random());
    next.write(place, NEXT)?;
    let sql = "update hub set mailbox = $2, proof = $3, parcel = null where name = $1";
    let proof = next.address().vouch(&next.name, found.key());
    tx.execute(sql, params![next.name, next.pair.to_public().to_string(), proof])?;
    Ok(found)
}

/// Every row of a store: a few for each person, so that they fit in memory.
pub(super) struct Rows(Vec<(&'static str, &'static str, Vec<Vec<Value>>)>);

impl Rows {
    /// Those of a store.
    pub(super) fn of(tx: &Tx<'_>) -> Result<Self, Error> {
        let all = POURED.map(|(table, columns)| {
            let width = columns.split(',').count();
            let sql = format!("select {columns} from {table} order by {columns}");
            let rows = tx.query(&sql, [], |row| (0..width).map(|at| row.get(at)).collect())?;
            Ok((table, columns, rows))
        });
        all.into_iter().collect::<Result<_, Error>>().map(Self)
    }

    /// Whether `other` has all of them. Where these are wrapped with another key than those, and that
    /// key is gone, they open nothing any more.
    fn is_within(&self, other: &Self) -> bool {
        let all = |of: &Self| -> BTreeSet<String> {
            let named =
                of.0.iter().flat_map(|(table, _, rows)| rows.iter().map(move |row| (table, row)));
            named.map(|(table, row)| format!("{table} {row:?}")).collect()
        };
        let print =
            |of: &Self| of.0.iter().find(|(table, ..)| *table == "kek").map(|of| of.2.clone());
        print(self) != print(other) || all(self).is_subset(&all(other))
    }

    /// Puts them into an empty one.
    pub(super) fn put(self, into: &Tx<'_>) -> Result<(), Error> {
        for (table, columns, rows) in self.0 {
            let width = columns.split(',').count();
            let places = (1..=width).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
            let sql = format!("insert into {table} ({columns}) values ({places})");
            rows.into_iter().try_for_each(|row| into.execute(&sql, row).map(drop))?;
        }
        Ok(())
    }
}

impl Keys {
    /// Puts the keys of this hub, the first of several, on `server`, with the `papers` that lie
    /// beside them. The store here still counts until the settings name the other.
    ///
    /// # Errors
    /// `Conflict` when keys of another school lie there, or those that other hubs share.
    pub fn share(
        &self,
        server: &Server,
        name: &str,
        papers: &[(&str, String)],
        now: Wall,
    ) -> Result<(), Error> {
        let mailbox = Mailbox::new(name, rand::random());
        let place = &self.0.place;
        let (rows, kek) = self.read(|tx, kek| Ok((Rows::of(tx)?, kek.clone())))?;
        Shelf::server(server, &tables())?.run(Hold::Alone, |tx| {
            empty(tx, &Kek::new(kek.clone()))?;
            rows.put(tx)?;
            papers.iter().try_for_each(|(name, said)| papers::lay(tx, name, said))?;
            mailbox.write(place, FILE)?;
            let sql = "insert into hub (name, mailbox, proof, asked_at, admitted_at)
                 values ($1, $2, $3, $4, $4)";
            let proof = mailbox.address().vouch(name, &kek);
            let public = mailbox.pair.to_public().to_string();
            tx.execute(sql, params![name, public, proof, now.0]).map(drop)
        })
    }

    /// The file that the keys lay in before they were shared goes, and what wraps everything with it:
    /// a copy of the one opens nothing.
    ///
    /// # Errors
    /// When the store or the disk refuses.
    pub fn leave_file(&self) -> Result<(), Error> {
        let file = self.0.place.beside("keys.db");
        if self.hub_name()?.is_none() || !file.exists() {
            return Ok(());
        }
        let left = Shelf::file(&self.0.place.beside("."), &TABLES)?.run(Hold::Read, Rows::of)?;
        let there = self.read(|tx, _| Rows::of(tx))?;
        if !left.is_within(&there) {
            let say = "keys.db has keys that are not among the shared ones: it was used after \
                       `hubs share`. Take “shared_keys” out of hub.toml and share again";
            return Err(Error::Conflict(say.into()));
        }
        self.rotate_kek()?;
        kek::overwrite(&file)?;
        std::fs::remove_file(&file).doing("removing keys.db")
    }

    /// Lets the hub in that asked as `name` with `code`.
    ///
    /// # Errors
    /// `NotFound` when none asked, `Invalid` when the code is not the one it showed.
    pub fn admit(&self, name: &str, code: &str, now: Wall) -> Result<(), Error> {
        let word = word(code)?;
        self.write(|tx, kek| {
            let sql = "select mailbox, proof from hub where name = $1 and admitted_at is null";
            let asked = tx.row(sql, params![name], |row| {
                Ok((row.get::<String>(0)?, row.get::<Vec<u8>>(1)?))
            })?;
            let none = || Error::NotFound(format!("no hub asks to be let in as “{name}”"));
            let (mailbox, proof) = asked.ok_or_else(none)?;
            if asks(&word, name, &mailbox).as_bytes()[..] != proof[..] {
                let say = format!("“{name}” shows another code: type that one");
                return Err(Error::Invalid(say));
            }
            let odd = |why: &str| Error::internal("letting a hub in", why);
            let address = Address { to: mailbox.parse().map_err(odd)?, word: Zeroizing::new(word) };
            let sql = "update hub set proof = $2, parcel = $3, admitted_at = $4 where name = $1";
            let parcel = address.seal(name, kek)?;
            tx.execute(sql, params![name, address.vouch(name, kek), parcel, now.0]).map(drop)
        })
    }

    /// The name of this hub, where it shares the store.
    ///
    /// # Errors
    /// When its mailbox cannot be read.
    pub fn hub_name(&self) -> Result<Option<String>, Error> {
        match self.is_shared() {
            true => self.read(|tx, _| Ok(Some(Mailbox::of(tx, &self.0.place)?.0.name))),
            false => Ok(None),
        }
    }

    /// The hubs that share the store, and those that ask to.
    pub fn hubs(&self) -> Result<Vec<HubSharing>, Error> {
        let sql = "select name, asked_at, admitted_at, parcel is not null from hub order by name";
        let hub = |row: &Row<'_>| {
            Ok(HubSharing {
                name: row.get(0)?,
                asked: Wall(row.get(1)?),
                admitted: row.get::<Option<i64>>(2)?.map(Wall),
                is_behind: row.get(3)?,
            })
        };
        self.read(|tx, _| tx.query(sql, [], hub))
    }

    /// Shuts the hub `name` out: everything is wrapped with a key that it never learns.
    ///
    /// # Errors
    /// `NotFound` when there is none; `Conflict` when it is this one.
    pub fn dismiss(&self, name: &str) -> Result<(), Error> {
        let gone = self.write(|tx, _| {
            let own = Mailbox::of(tx, &self.0.place)?.0.name;
            if own == name {
                let say = "this hub does not shut itself out: do it from another one";
                return Err(Error::Conflict(say.into()));
            }
            tx.execute("delete from hub where name = $1", params![name])
        })?;
        // Also where there is none by now: an earlier try may have been cut short before this.
        self.rotate_kek()?;
        match gone {
            0 => Err(Error::NotFound(format!("there is no hub “{name}”"))),
            _ => Ok(()),
        }
    }
}

impl Admission {
    /// Asks to be let in to the keys on `server`, as `name`, for the hub in `dir`.
    ///
    /// # Errors
    /// `Conflict` when there are keys in `dir`, or a hub of that name.
    pub fn ask(server: &Server, dir: &Path, name: &str, now: Wall) -> Result<Self, Error> {
        let place = KekPlace::of(dir)?;
        place.is_free()?;
        let random = Zeroizing::new(rand::random::<[u8; CODE]>());
        let code = BASE32_NOPAD.encode(&*random);
        let mailbox = Mailbox::new(name, word(&code)?);
        let public = mailbox.pair.to_public().to_string();
        let proof = asks(&mailbox.word, name, &public).as_bytes().to_vec();
        let mut shelf = Shelf::server(server, &tables())?;
        shelf.run(Hold::Write, |tx| {
            let sql = "delete from hub where name = $1 and admitted_at is null";
            tx.execute(sql, params![name])?;
            mailbox.write(&place, FILE)?;
            let sql = "insert into hub (name, mailbox, proof, asked_at) values ($1, $2, $3, $4)";
            let put = tx.execute(sql, params![name, public, proof, now.0]);
            put.map(drop).map_err(|error| match error {
                Error::Conflict(_) => {
                    Error::Conflict(format!("there is a hub “{name}”: give this one another name"))
                }
                other => other,
            })
        })?;
        let groups = code.as_bytes().chunks(4).map(String::from_utf8_lossy);
        let code = groups.collect::<Vec<_>>().join("-");
        Ok(Self { code, server: server.clone(), place })
    }

    /// Whether the hub is let in by now: then it has the key, and its keys open.
    ///
    /// # Errors
    /// When the server cannot be reached, or the disk refuses.
    pub fn is_granted(&self) -> Result<bool, Error> {
        let mut shelf = Shelf::server(&self.server, &tables())?;
        let waiting = shelf.run(Hold::Read, |tx| Mailbox::of(tx, &self.place));
        if waiting?.1.is_none() {
            return Ok(false);
        }
        catch_up(&mut shelf, &self.place, &mut Kek::new(DataKey::random()))?;
        Ok(true)
    }

    /// How often it is worth looking.
    pub const EVERY: Duration = Duration::from_secs(1);
}

/// Refuses a store that others share, or that is not this one's; what an earlier try left goes.
fn empty(into: &Tx<'_>, kek: &Kek) -> Result<(), Error> {
    let hubs = "select count(*) from hub where admitted_at is not null";
    let sharing = into.row(hubs, [], |row| row.get::<i64>(0))?.unwrap_or(0);
    if known(into)?.is_some_and(|known| known != kek.print()) || sharing > 1 {
        let say = "keys lie there that are not this hub's alone: nothing was touched";
        return Err(Error::Conflict(say.into()));
    }
    for table in POURED.map(|(table, _)| table).into_iter().chain(["hub", "paper"]) {
        into.execute(&format!("delete from {table}"), [])?;
    }
    Ok(())
}

/// The word in a code, however it was typed.
fn word(code: &str) -> Result<[u8; 32], Error> {
    let typed: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    let odd = || Error::Invalid("the code has four groups of four letters and digits".into());
    let random = BASE32_NOPAD.decode(typed.to_ascii_uppercase().as_bytes()).map_err(|_| odd())?;
    match random.len() {
        CODE => Ok(blake3::derive_key("rollcall 2026 code of a hub that joins", &random)),
        _ => Err(odd()),
    }
}

/// What a hub that asks shows: its mailbox is the one of whoever saw the code.
fn asks(word: &[u8; 32], name: &str, mailbox: &str) -> blake3::Hash {
    blake3::keyed_hash(word, format!("asks {name}\0{mailbox}").as_bytes())
}

#[cfg(test)]
#[path = "sharing_tests.rs"]
mod tests;
