//! How the board is: its heat, its supply, its memory, as Linux on a Raspberry Pi tells them.

use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// Degrees from which a Raspberry Pi slows its processor down.
pub const HOT: f32 = 80.0;
/// MiB of memory below which the system may end programs.
pub const SCARCE_MB: u64 = 60;
/// Bits of the firmware's word: now, and since the start.
const SAGGED: u32 = 1 | 1 << 16;
const SLOWED: u32 = 0b1110;

/// What a board tells; nothing where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vitals {
    /// Degrees Celsius of the processor.
    pub celsius: Option<f32>,
    /// Whether the supply has sagged below what the board needs, since its start.
    pub sagged: Option<bool>,
    /// Whether the processor is slowed down now, by heat or by the supply.
    pub slowed: Option<bool>,
    /// MiB that programs can still have.
    pub memory_free_mb: Option<u64>,
}

impl Vitals {
    /// Those of this machine.
    #[must_use]
    pub fn read() -> Self {
        Self::below(Path::new("/"))
    }

    /// Those that the files below `root` tell.
    fn below(root: &Path) -> Self {
        let text = |path: &str| fs::read_to_string(root.join(path)).ok();
        let heat = text("sys/class/thermal/thermal_zone0/temp");
        let firmware = text("sys/devices/platform/soc/soc:firmware/get_throttled");
        let word = firmware.and_then(|word| u32::from_str_radix(word.trim(), 16).ok());
        Self {
            celsius: heat.and_then(|text| Some(text.trim().parse::<f32>().ok()? / 1_000.0)),
            sagged: word.map(|word| word & SAGGED != 0),
            slowed: word.map(|word| word & SLOWED != 0),
            memory_free_mb: text("proc/meminfo").as_deref().and_then(available_mb),
        }
    }
}

fn available_mb(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kb: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
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
        Vitals::below(root.path())
    }

    #[test]
    fn a_pi_tells_its_heat_its_supply_and_its_memory() {
        let memory = "MemTotal: 4000000 kB\nMemAvailable:    2048000 kB\n";
        let vitals = board("51234\n", "0\n", memory);
        assert_eq!((vitals.celsius, vitals.memory_free_mb), (Some(51.234), Some(2_000)));
        assert_eq!((vitals.sagged, vitals.slowed), (Some(false), Some(false)));
        let vitals = board("84000\n", "50005\n", memory);
        assert_eq!((vitals.sagged, vitals.slowed), (Some(true), Some(true)));
        let earlier = board("51234\n", "50000\n", memory);
        assert_eq!((earlier.sagged, earlier.slowed), (Some(true), Some(false)), "and is well now");
    }

    #[test]
    fn what_a_machine_does_not_tell_is_nothing_and_never_a_number() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(Vitals::below(root.path()), Vitals::default());
        assert_eq!(board("hot", "-", "MemAvailable: some kB"), Vitals::default());
    }
}
