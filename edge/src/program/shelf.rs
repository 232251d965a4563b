//! Programs on this disk: the memory of them, and their files, named by their BLAKE3.

use super::book::Book;
use crate::disk;
use crate::fetch::{Fetch, FetchError, OnDisk};
use crate::identity::{replace, sync_folder};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use wire::program::{PROGRAM_PATH, Program};
use wire::sign::Signed;

const BOOK: &str = "book.json";
/// What must be free besides: the outbox comes first.
const ROOM_MB: u32 = 200;

/// Where programs lie.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
}

/// Why a program did not come.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// It could not be had.
    #[error("the program did not come: {0}")]
    Fetch(#[from] FetchError),
    /// It is not what was signed.
    #[error("the program that came is not the one that was signed")]
    Other,
    /// Too little space.
    #[error("the program does not fit: {ROOM_MB} MiB must be free, {0} are")]
    Room(u32),
    /// The disk.
    #[error("the program could not be kept on this disk: {0}")]
    Disk(#[from] io::Error),
}

impl Shelf {
    /// Of the door whose data folder is `data`.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self { folder: data.join("programs") }
    }

    /// What is remembered; nothing where that cannot be read.
    #[must_use]
    pub fn book(&self) -> Book {
        let path = self.folder.join(BOOK);
        let read = fs::read(&path).map(|bytes| serde_json::from_slice(&bytes));
        match read {
            Ok(Ok(book)) => return book,
            Ok(Err(error)) => {
                tracing::warn!(%error, "{} is not used: it is damaged", path.display())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, "{} cannot be read", path.display()),
        }
        Book::default()
    }

    /// Remembers it, whole or not at all.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep(&self, book: &Book) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        replace(&self.folder.join(BOOK), &serde_json::to_vec(book)?)
    }

    /// Where the file of `program` lies.
    #[must_use]
    pub fn path(&self, program: &Program) -> PathBuf {
        self.folder.join(program.name())
    }

    /// Whether this process runs a program from here: its name.
    #[must_use]
    pub fn runs(&self) -> Option<String> {
        let exe = std::env::current_exe().ok()?;
        let folder = fs::canonicalize(&self.folder).ok()?;
        (exe.parent() == Some(&folder)).then(|| exe.file_name()?.to_str().map(str::to_owned))?
    }

    /// Whether the file of `program` is here and whole.
    #[must_use]
    pub fn has(&self, program: &Program) -> bool {
        is(program, &self.path(program)).unwrap_or(false)
    }

    /// Gets `program` from the hub, or the rest of it.
    ///
    /// # Errors
    /// When it cannot be had or kept, or is another. What came of it stays for the next try.
    pub async fn fetch(&self, program: &Program, fetch: &Fetch) -> Result<(), ShelfError> {
        if self.has(program) {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        if let free @ 1..ROOM_MB = disk::free_mb(&self.folder) {
            return Err(ShelfError::Room(free));
        }
        let growing = self.folder.join(format!("{}.part", program.name()));
        let mut sink = OnDisk::open(&growing)?;
        let place = format!("{PROGRAM_PATH}{}", program.name());
        let came = fetch.fill(&place, None, program.length, &mut sink).await;
        sink.sync()?;
        match came {
            Err(error @ (FetchError::Network(_) | FetchError::Broken)) => return Err(error.into()),
            Err(error) => {
                fs::remove_file(&growing)?;
                return Err(error.into());
            }
            Ok(()) => {}
        }
        if !is(program, &growing)? {
            fs::remove_file(&growing)?;
            return Err(ShelfError::Other);
        }
        fs::set_permissions(&growing, Permissions::from_mode(0o700))?;
        File::open(&growing)?.sync_all()?;
        fs::rename(&growing, self.path(program))?;
        Ok(sync_folder(&growing)?)
    }

    /// Destroys every program that `book` does not name.
    pub fn tidy(&self, book: &Book) {
        let trial = book.trial().map(|(signed, ..)| signed);
        let kept: Vec<_> = book.settled().into_iter().chain(trial).map(name).collect();
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default();
            if file != BOOK && !kept.iter().any(|kept| kept == file) {
                let _next_time = fs::remove_file(&path);
            }
        }
    }
}

/// The name of the program that `signed` describes, whoever signed it.
pub(super) fn name(signed: &Signed) -> String {
    let program = postcard::from_bytes::<Program>(&signed.bytes);
    program.map(|program| program.name()).unwrap_or_default()
}

fn is(program: &Program, path: &Path) -> io::Result<bool> {
    let file = File::open(path)?;
    if file.metadata()?.len() != program.length {
        return Ok(false);
    }
    let mut hash = blake3::Hasher::new();
    hash.update_reader(file)?;
    Ok(*hash.finalize().as_bytes() == program.blake3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::tests::{plain, serve};
    use crate::program::Able;
    use ed25519_dalek::SigningKey;
    use std::sync::mpsc::channel;
    use wire::Wall;
    use wire::program::{Machine, Offer};

    fn program(bytes: &[u8]) -> Program {
        Program {
            version: "0.2.0".into(),
            machine: Machine::Arm64,
            released: Wall(1),
            length: bytes.len() as u64,
            blake3: *blake3::hash(bytes).as_bytes(),
        }
    }

    fn hub(program: &Program, bytes: &[u8]) -> Fetch {
        let place = format!("{PROGRAM_PATH}{}", program.name());
        plain(serve(vec![(place, bytes.to_vec())], 30_000, channel().0))
    }

    fn files(shelf: &Shelf) -> Vec<String> {
        let entries = fs::read_dir(&shelf.folder).unwrap().flatten();
        let mut names: Vec<_> = entries.map(|e| e.file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[tokio::test]
    async fn a_program_comes_in_pieces_and_can_be_started_once_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(dir.path());
        let bytes = vec![7; 100_000];
        let program = program(&bytes);
        shelf.fetch(&program, &hub(&program, &bytes)).await.unwrap();
        assert!(shelf.has(&program));
        let mode = fs::metadata(shelf.path(&program)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(files(&shelf), [program.name()]);
    }

    #[tokio::test]
    async fn other_bytes_than_those_that_were_signed_are_destroyed() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(dir.path());
        let program = program(b"good code");
        let came = shelf.fetch(&program, &hub(&program, b"evil code")).await;
        assert!(matches!(came, Err(ShelfError::Other)), "{came:?}");
        let longer = shelf.fetch(&program, &hub(&program, b"good code and more")).await;
        assert!(matches!(longer, Err(ShelfError::Fetch(FetchError::TooLong))), "{longer:?}");
        assert!(files(&shelf).is_empty() && !shelf.has(&program));
    }

    #[test]
    fn what_no_one_needs_any_more_is_destroyed_and_a_damaged_memory_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(dir.path());
        let program = program(b"code");
        let mut book = Book::default();
        let signed = program.sign(&SigningKey::from_bytes(&[1; 32]));
        book.stage(&Offer { rollout: 1, signed: Some(signed) }, Able::default());
        shelf.keep(&book).unwrap();
        assert_eq!(shelf.book(), book);
        fs::write(shelf.path(&program), b"code").unwrap();
        fs::write(shelf.folder.join("older.part"), b"co").unwrap();
        shelf.tidy(&book);
        assert_eq!(files(&shelf), [program.name(), BOOK.to_owned()]);
        fs::write(shelf.folder.join(BOOK), b"{").unwrap();
        assert_eq!(shelf.book(), Book::default());
    }
}
