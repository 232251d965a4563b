//! How the board is: its heat, its supply, its memory, as Linux on a Raspberry Pi tells them.

use std::fs;
use std::path::Path;
use wire::link::Vitals;

/// Bits of the firmware's word: the supply sagged, now or since the start; the processor is slower
/// now, for any reason.
const SAGGED: u32 = 1 | 1 << 16;
const SLOWED: u32 = 0b1110;

/// What this machine tells.
#[must_use]
pub fn read() -> Vitals {
    below(Path::new("/"))
}

/// What the files below `root` tell.
#[must_use]
pub fn below(root: &Path) -> Vitals {
    let text = |path: &str| fs::read_to_string(root.join(path)).ok();
    let heat = text("sys/class/thermal/thermal_zone0/temp");
    let firmware = text("sys/devices/platform/soc/soc:firmware/get_throttled");
    let word = firmware.and_then(|word| u32::from_str_radix(word.trim(), 16).ok());
    Vitals {
        celsius: heat.and_then(|text| i16::try_from(text.trim().parse::<i32>().ok()? / 1_000).ok()),
        sagged: word.map(|word| word & SAGGED != 0),
        slowed: word.map(|word| word & SLOWED != 0),
        memory_free_mb: text("proc/meminfo").as_deref().and_then(available_mb),
        up_s: text("proc/uptime").and_then(|text| text.split('.').next()?.parse().ok()),
    }
}

fn available_mb(meminfo: &str) -> Option<u32> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kb: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kb / 1_024)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A board whose files say this.
    pub(crate) fn board(heat: &str, firmware: &str, meminfo: &str) -> Vitals {
        let root = tempfile::tempdir().unwrap();
        let place = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        place("sys/class/thermal/thermal_zone0/temp", heat);
        place("sys/devices/platform/soc/soc:firmware/get_throttled", firmware);
        place("proc/meminfo", meminfo);
        place("proc/uptime", "86400.25 170000.00\n");
        below(root.path())
    }

    #[test]
    fn a_pi_tells_its_heat_its_supply_and_its_memory() {
        let memory = "MemTotal: 4000000 kB\nMemAvailable:    2048000 kB\n";
        let vitals = board("51234\n", "0\n", memory);
        assert_eq!((vitals.celsius, vitals.memory_free_mb), (Some(51), Some(2_000)));
        assert_eq!((vitals.sagged, vitals.slowed), (Some(false), Some(false)));
        assert_eq!(vitals.up_s, Some(86_400));
        let vitals = board("84000\n", "50005\n", memory);
        assert_eq!((vitals.sagged, vitals.slowed), (Some(true), Some(true)));
        let earlier = board("51234\n", "50000\n", memory);
        assert_eq!((earlier.sagged, earlier.slowed), (Some(true), Some(false)), "and is well now");
    }

    #[test]
    fn what_a_machine_does_not_tell_is_nothing_and_never_a_number() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(below(root.path()), Vitals::default());
        let nonsense = board("hot", "-", "MemAvailable: some kB");
        assert_eq!(nonsense, Vitals { up_s: Some(86_400), ..Vitals::default() });
    }
}
