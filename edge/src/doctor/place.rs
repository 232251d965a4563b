//! Where the unit keeps its things: the data folder, whose it is, how much space is left.

use super::{Ailment, Finding};
use crate::config::Config;
use crate::owner::USER;
use crate::{disk, owner};
use rustix::fs::{StatVfsMountFlags, statvfs};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

/// Free space below which the outbox may not be able to grow to its cap.
const DISK_MB: u32 = 1_200;
/// What is written to see whether anything can be: a page of the outbox.
const PAGE: [u8; 4096] = [0; 4096];

/// The data folder, its owner, and the space around it.
pub fn findings(config: &Config) -> Vec<Finding> {
    vec![data(&config.data), owner(&config.data), space(&config.data)]
}

/// It is there, and a page stays in it.
fn data(folder: &Path) -> Finding {
    let shown = folder.display();
    let Err(error) = write(&folder.join(".doctor")) else {
        return Finding::well("data", format!("{shown} can be written"));
    };
    let read_only =
        || statvfs(folder).is_ok_and(|disk| disk.f_flag.contains(StatVfsMountFlags::RDONLY));
    let fault = |of, wrong: String, mend: String| Finding::fault(of, wrong, mend);
    match error.kind() {
        ErrorKind::NotFound => fault(
            Ailment::DataMissing,
            format!("the folder {shown} is not there"),
            format!("sudo install -d -m 750 -o {USER} -g {USER} {shown}"),
        ),
        ErrorKind::ReadOnlyFilesystem => card(&shown.to_string()),
        _ if read_only() => card(&shown.to_string()),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => fault(
            Ailment::DataFull,
            format!("nothing more can be written to {shown}: the disk is full"),
            "free some space (`sudo journalctl --vacuum-size=50M` often helps), or use a larger \
             card; until then new records are refused"
                .into(),
        ),
        _ => fault(
            Ailment::DataRefused,
            format!("{shown} cannot be written ({error})"),
            format!("give it to the daemon's user: sudo chown -R {USER}: $(realpath {shown})"),
        ),
    }
}

fn card(shown: &str) -> Finding {
    let wrong = format!("{shown} is read-only");
    let mend = "where that is not on purpose, the card is damaged: `dmesg | grep -i error` tells; \
                copy what it has and replace it. On a read-only system, the data folder needs a \
                partition of its own";
    Finding::fault(Ailment::DataReadOnly, wrong, mend)
}

fn write(probe: &Path) -> io::Result<()> {
    let written = std::fs::File::create(probe).and_then(|mut file| {
        file.write_all(&PAGE)?;
        file.sync_all()
    });
    let removed = std::fs::remove_file(probe);
    written.and(removed)
}

/// Everything in the data folder belongs to whom the folder belongs to: the daemon.
fn owner(data: &Path) -> Finding {
    let folder = data.display();
    if owner::is_roots(data) {
        let mend = format!("sudo chown -R {USER}: $(realpath {folder})");
        let wrong = format!("{folder} is root's, not {USER}'s");
        return Finding::fault(Ailment::OwnerRoot, wrong, mend);
    }
    match owner::strange(data).as_deref() {
        Ok([]) => Finding::well("owner", format!("all of {folder} belongs to its owner")),
        Ok([first, ..]) => Finding::fault(
            Ailment::OwnerOther,
            format!("{} belongs to somebody else than {folder}", first.display()),
            format!("sudo chown -R --reference={folder} $(realpath {folder})"),
        ),
        Err(_) => Finding::unused("owner", "see “data”"),
    }
}

/// Space for the outbox.
fn space(data: &Path) -> Finding {
    match disk::free_mb(data) {
        0 => Finding::unused("disk", "see “data”"),
        free if free < DISK_MB => Finding::fault(
            Ailment::DiskShort,
            format!("{free} MiB are free; an outbox offline for long needs {DISK_MB}"),
            "free some space, or use a larger card: when it is full, new records are refused",
        ),
        free => Finding::well("disk", format!("{free} MiB are free")),
    }
}
