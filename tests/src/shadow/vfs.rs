//! The SQLite file system: files in memory, every call written down.
//!
//! All `unsafe` of the house is here. SQLite calls these functions with pointers that it got
//! from us: `pAppData` is the disk (alive until the file system is taken away again), and each
//! `sqlite3_file` begins with a [`Handle`] that `xOpen` wrote and `xClose` drops.
#![expect(unsafe_code, reason = "a file system for SQLite is a table of C functions")]

use super::log::{Call, Files, Log, write};
use rusqlite::ffi;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A disk in memory, registered with SQLite under a name of its own until dropped. Connections
/// must be closed before.
pub struct Disk<M> {
    name: CString,
    shared: Arc<Mutex<State<M>>>,
    vfs: *mut ffi::sqlite3_vfs,
}

struct State<M> {
    files: Files,
    calls: Vec<Call<M>>,
    fuse: Option<Fuse>,
}

/// Calls that still work, and what every one after them fails with.
#[derive(Clone, Copy)]
struct Fuse {
    left: usize,
    trouble: Trouble,
    /// Whether reading counts, and fails, too.
    reads: bool,
    burnt: bool,
}

/// How a disk fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// Input/output error.
    Broken,
    /// No space left.
    Full,
    /// Somebody else has it.
    Busy,
}

/// What `pAppData` points to, without the marks' type.
struct Ground(Box<dyn Door>);

/// What a C function does with the files; the second argument writes a call down.
type Work<'a> = dyn FnMut(&mut Files, &mut dyn FnMut(Plain)) + 'a;

/// The disk as the C functions use it.
trait Door: Send + Sync {
    fn with(&self, work: &mut Work<'_>);
    /// Counts a call; says how it fails, if it does.
    fn burn(&self, reads: bool) -> Option<Trouble>;
}

/// A call without marks.
enum Plain {
    Write(String, u64, Vec<u8>),
    Truncate(String, u64),
    Sync(String),
    Delete(String, bool),
}

impl<M: Send + 'static> Door for Arc<Mutex<State<M>>> {
    fn with(&self, work: &mut Work<'_>) {
        let mut state = lock(self);
        let State { files, calls, .. } = &mut *state;
        work(files, &mut |plain| {
            calls.push(match plain {
                Plain::Write(name, at, bytes) => Call::Write(name, at, bytes),
                Plain::Truncate(name, to) => Call::Truncate(name, to),
                Plain::Sync(name) => Call::Sync(name),
                Plain::Delete(name, lasting) => Call::Delete(name, lasting),
            });
        });
    }

    fn burn(&self, reads: bool) -> Option<Trouble> {
        let mut state = lock(self);
        let fuse = state.fuse.as_mut().filter(|fuse| fuse.reads || !reads)?;
        if fuse.left == 0 {
            fuse.burnt = true;
            return Some(fuse.trouble);
        }
        fuse.left -= 1;
        None
    }
}

fn lock<M>(shared: &Mutex<State<M>>) -> MutexGuard<'_, State<M>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<M: Clone + Send + 'static> Disk<M> {
    /// A disk with `files` on it, all of them lasting.
    ///
    /// # Panics
    /// When SQLite refuses the file system.
    #[must_use]
    pub fn new(files: Files) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("shadow-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let name = CString::new(name).expect("a name without zero bytes");
        let shared = Arc::new(Mutex::new(State { files, calls: Vec::new(), fuse: None }));
        let ground = Box::into_raw(Box::new(Ground(Box::new(Arc::clone(&shared)))));
        let vfs = Box::into_raw(Box::new(table(&name, ground.cast())));
        // SAFETY: the table and all it points to live until `drop` takes it away again.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite took the shadow file system");
        Self { name, shared, vfs }
    }

    /// Its name for SQLite.
    ///
    /// # Panics
    /// Never: the name is ASCII.
    #[must_use]
    pub fn vfs(&self) -> &str {
        self.name.to_str().expect("an ASCII name")
    }

    /// Writes down that something happened now.
    pub fn mark(&self, mark: M) {
        lock(&self.shared).calls.push(Call::Mark(mark));
    }

    /// Lets `calls` more writing calls work; those after them fail, until [`Disk::mend`].
    pub fn fail_after(&self, calls: usize, trouble: Trouble) {
        lock(&self.shared).fuse = Some(Fuse { left: calls, trouble, reads: false, burnt: false });
    }

    /// As [`Disk::fail_after`], where reading counts and fails as well.
    pub fn fail_any_after(&self, calls: usize, trouble: Trouble) {
        lock(&self.shared).fuse = Some(Fuse { left: calls, trouble, reads: true, burnt: false });
    }

    /// Everything works again; whether any call failed since.
    pub fn mend(&self) -> bool {
        lock(&self.shared).fuse.take().is_some_and(|fuse| fuse.burnt)
    }

    /// Every call and mark so far.
    #[must_use]
    pub fn log(&self) -> Log<M> {
        Log(lock(&self.shared).calls.clone())
    }
}

impl<M> Drop for Disk<M> {
    fn drop(&mut self) {
        // SAFETY: `new` made both boxes, SQLite forgets the table first, and connections to it
        // are closed by the contract of this type.
        unsafe {
            ffi::sqlite3_vfs_unregister(self.vfs);
            let vfs = Box::from_raw(self.vfs);
            drop(Box::from_raw(vfs.pAppData.cast::<Ground>()));
        }
    }
}

#[repr(C)]
struct Handle {
    base: ffi::sqlite3_file,
    file: *mut Opened,
}

struct Opened {
    ground: *const Ground,
    name: String,
    /// A temporary file: not part of the disk, gone when closed.
    scratch: Option<Vec<u8>>,
}

impl Opened {
    /// The code that a call fails with now, if it does.
    fn fails(&self, code: c_int) -> Option<c_int> {
        if self.scratch.is_some() {
            return None;
        }
        // SAFETY: the ground lives as long as the file system is registered.
        let trouble = unsafe { &*self.ground }.0.burn(code == ffi::SQLITE_IOERR_READ)?;
        // Space runs out at a write; other calls go on working.
        match (trouble, code) {
            (Trouble::Broken, code) => Some(code),
            (Trouble::Full, ffi::SQLITE_IOERR_WRITE) => Some(ffi::SQLITE_FULL),
            (Trouble::Full, _) => None,
            // No file system says so of reading, and SQLite does not expect it there.
            (Trouble::Busy, ffi::SQLITE_IOERR_READ) => None,
            (Trouble::Busy, _) => Some(ffi::SQLITE_BUSY),
        }
    }

    /// Works on the content, made anew if the file is gone.
    fn with<T>(&mut self, work: impl FnOnce(&mut Vec<u8>, &mut dyn FnMut(Plain), &str) -> T) -> T {
        let mut work = Some(work);
        let mut out = None;
        if let Some(scratch) = &mut self.scratch {
            let work = work.take().expect("called once");
            return work(scratch, &mut |_| {}, &self.name);
        }
        // SAFETY: the ground lives as long as the file system is registered.
        let ground = unsafe { &*self.ground };
        ground.0.with(&mut |files, tell| {
            let work = work.take().expect("called once");
            let file = files.entry(self.name.clone()).or_default();
            out = Some(work(file, tell, &self.name));
        });
        out.expect("the door calls its work")
    }
}

fn table(name: &CStr, ground: *mut c_void) -> ffi::sqlite3_vfs {
    // SAFETY: all zero is a valid table: no function, no pointer.
    let mut vfs: ffi::sqlite3_vfs = unsafe { std::mem::zeroed() };
    vfs.iVersion = 1;
    vfs.szOsFile = c_int::try_from(size_of::<Handle>()).expect("a handle is small");
    vfs.mxPathname = 512;
    vfs.zName = name.as_ptr();
    vfs.pAppData = ground;
    vfs.xOpen = Some(open);
    vfs.xDelete = Some(delete);
    vfs.xAccess = Some(access);
    vfs.xFullPathname = Some(full_path);
    vfs.xRandomness = Some(randomness);
    vfs.xSleep = Some(sleep);
    vfs.xCurrentTime = Some(current_time);
    vfs
}

static METHODS: Methods = Methods(ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write_at),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(size),
    xLock: Some(fine),
    xUnlock: Some(fine),
    xCheckReservedLock: Some(reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
});

struct Methods(ffi::sqlite3_io_methods);

// SAFETY: a table of functions, never written to.
unsafe impl Sync for Methods {}

unsafe fn ground<'a>(vfs: *mut ffi::sqlite3_vfs) -> &'a Ground {
    // SAFETY: `table` put it there; it lives until the file system is taken away.
    unsafe { &*(*vfs).pAppData.cast::<Ground>() }
}

unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Opened {
    // SAFETY: `open` wrote the handle; SQLite uses a file on one thread at a time.
    unsafe { &mut *(*file.cast::<Handle>()).file }
}

unsafe fn text(name: *const c_char) -> String {
    // SAFETY: SQLite passes zero-terminated names.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: by SQLite's contract `file` has room for a handle, and `name` is null or a text.
    unsafe {
        let scratch = name.is_null();
        let name = if scratch { String::new() } else { text(name) };
        let ground = ground(vfs);
        let mut there = scratch;
        if !scratch {
            let create = flags & ffi::SQLITE_OPEN_CREATE != 0;
            ground.0.with(&mut |files, _| {
                if create {
                    files.entry(name.clone()).or_default();
                }
                there = files.contains_key(&name);
            });
        }
        let handle = file.cast::<Handle>();
        (*handle).base.pMethods = std::ptr::null();
        if !there {
            return ffi::SQLITE_CANTOPEN;
        }
        let opened = Opened { ground, name, scratch: scratch.then(Vec::new) };
        (*handle).file = Box::into_raw(Box::new(opened));
        (*handle).base.pMethods = &raw const METHODS.0;
        if !out.is_null() {
            *out = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: `open` made the box, and SQLite closes once.
    drop(unsafe { Box::from_raw((*file.cast::<Handle>()).file) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    to: *mut c_void,
    count: c_int,
    at: i64,
) -> c_int {
    // SAFETY: SQLite passes a buffer of `count` bytes.
    let to = unsafe { std::slice::from_raw_parts_mut(to.cast::<u8>(), amount(count)) };
    // SAFETY: see `opened`.
    let file = unsafe { opened(file) };
    if let Some(code) = file.fails(ffi::SQLITE_IOERR_READ) {
        return code;
    }
    file.with(|content, _, _| {
        let from = content.get(amount64(at)..).unwrap_or_default();
        let there = from.len().min(to.len());
        to[..there].copy_from_slice(&from[..there]);
        to[there..].fill(0);
        if there == to.len() { ffi::SQLITE_OK } else { ffi::SQLITE_IOERR_SHORT_READ }
    })
}

unsafe extern "C" fn write_at(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    count: c_int,
    at: i64,
) -> c_int {
    // SAFETY: SQLite passes a buffer of `count` bytes.
    let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), amount(count)) };
    // SAFETY: see `opened`.
    let file = unsafe { opened(file) };
    if let Some(code) = file.fails(ffi::SQLITE_IOERR_WRITE) {
        return code;
    }
    file.with(|content, tell, name| {
        write(content, at.cast_unsigned(), bytes);
        tell(Plain::Write(name.to_owned(), at.cast_unsigned(), bytes.to_vec()));
    });
    ffi::SQLITE_OK
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, to: i64) -> c_int {
    // SAFETY: see `opened`.
    let file = unsafe { opened(file) };
    if let Some(code) = file.fails(ffi::SQLITE_IOERR_TRUNCATE) {
        return code;
    }
    file.with(|content, tell, name| {
        content.truncate(amount64(to));
        tell(Plain::Truncate(name.to_owned(), to.cast_unsigned()));
    });
    ffi::SQLITE_OK
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: see `opened`.
    let file = unsafe { opened(file) };
    if let Some(code) = file.fails(ffi::SQLITE_IOERR_FSYNC) {
        return code;
    }
    file.with(|_, tell, name| tell(Plain::Sync(name.to_owned())));
    ffi::SQLITE_OK
}

unsafe extern "C" fn size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: see `opened`; SQLite passes a place for the answer.
    unsafe { *out = opened(file).with(|content, _, _| content.len()) as i64 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn fine(_file: *mut ffi::sqlite3_file, _lock: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn reserved(_file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite passes a place for the answer.
    unsafe { *out = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn control(
    _file: *mut ffi::sqlite3_file,
    _op: c_int,
    _argument: *mut c_void,
) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector(_file: *mut ffi::sqlite3_file) -> c_int {
    512
}

/// As the Unix file system says it: a torn write harms no byte outside it.
unsafe extern "C" fn characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    lasting: c_int,
) -> c_int {
    // SAFETY: see `ground` and `text`.
    let (ground, name) = unsafe { (ground(vfs), text(name)) };
    let mut code = ffi::SQLITE_OK;
    ground.0.with(&mut |files, tell| match files.remove(&name) {
        Some(_) => tell(Plain::Delete(name.clone(), lasting != 0)),
        None => code = ffi::SQLITE_IOERR_DELETE_NOENT,
    });
    code
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    _flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: see `ground` and `text`; SQLite passes a place for the answer.
    unsafe {
        let name = text(name);
        ground(vfs).0.with(&mut |files, _| *out = c_int::from(files.contains_key(&name)));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_path(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite passes a zero-terminated name and a buffer of `room` bytes.
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if bytes.len() > amount(room) {
            return ffi::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len());
    }
    ffi::SQLITE_OK
}

/// Always the same bytes: runs are to be repeatable.
unsafe extern "C" fn randomness(
    _vfs: *mut ffi::sqlite3_vfs,
    count: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite passes a buffer of `count` bytes.
    let out = unsafe { std::slice::from_raw_parts_mut(out.cast::<u8>(), amount(count)) };
    for (n, byte) in out.iter_mut().enumerate() {
        *byte = n.wrapping_mul(151).to_le_bytes()[0] ^ 0x5a;
    }
    count
}

unsafe extern "C" fn sleep(_vfs: *mut ffi::sqlite3_vfs, micros: c_int) -> c_int {
    micros
}

unsafe extern "C" fn current_time(_vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: SQLite passes a place for the answer: a Julian day.
    unsafe { *out = 2_461_000.5 };
    ffi::SQLITE_OK
}

fn amount(count: c_int) -> usize {
    usize::try_from(count).unwrap_or(0)
}

fn amount64(count: i64) -> usize {
    usize::try_from(count).unwrap_or(0)
}
