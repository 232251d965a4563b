//! One daemon in a data folder: a second one would count a start of the program on trial, and
//! find out too late that the first is at work.

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use std::{fs::File, io, os::fd::IntoRawFd as _, path::Path};

/// Nothing is in it.
const LOCK: &str = "daemon.lock";

/// Keeps `data` for this process until it ends, also once it is another program: record locks stay
/// with the process, as long as it never closes the file, and what it begins does not inherit them.
///
/// # Errors
/// When another daemon has it, or the folder cannot be written.
pub fn keep(data: &Path) -> io::Result<()> {
    let (path, data) = (data.join(LOCK), data.display());
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| {
        io::Error::new(error.kind(), format!("{} cannot be opened: {error}", path.display()))
    })?;
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::AGAIN | Errno::ACCESS) => {
            let said =
                format!("another daemon works in {data}: systemctl stop rollcall-edge ends it");
            return Err(io::Error::new(io::ErrorKind::AddrInUse, said));
        }
        Err(error) => return Err(error.into()),
    }
    fcntl_setfd(&file, FdFlags::empty())?;
    let _open_until_the_end = file.into_raw_fd();
    Ok(())
}
