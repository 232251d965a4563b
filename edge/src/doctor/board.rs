//! The things looked at on the board itself.

use super::Finding;
use wire::link::Vitals;

/// It is not too hot.
pub fn heat(vitals: &Vitals) -> Finding {
    match vitals.celsius {
        None => Finding::unused("heat", "this machine does not say how warm it is"),
        Some(celsius) if celsius >= Vitals::HOT => Finding::fault(
            "heat",
            format!("the processor is at {celsius} °C and slows itself down"),
            "give it a heat sink and air, and keep it out of the sun",
        ),
        Some(celsius) => Finding::well("heat", format!("{celsius} °C")),
    }
}

/// Its supply holds.
pub fn power(vitals: &Vitals) -> Finding {
    let mend = "use the supply made for this board and a short cable; a supply that sags damages \
                cards";
    match (vitals.sagged, vitals.slowed) {
        (None, _) => Finding::unused("power", "this machine does not say how its supply is"),
        (Some(true), _) => {
            Finding::fault("power", "the supply sagged since the board was switched on", mend)
        }
        (_, Some(true)) => Finding::fault(
            "power",
            "the processor is slowed down",
            "look at “heat”, and at the supply",
        ),
        _ => Finding::well("power", "the supply holds"),
    }
}

/// There is memory left.
pub fn memory(vitals: &Vitals) -> Finding {
    match vitals.memory_free_mb {
        None => Finding::unused("memory", "this machine does not say how much is free"),
        Some(free) if free < Vitals::SCARCE_MB => Finding::fault(
            "memory",
            format!("{free} MiB are free: the system may end programs"),
            "end what else runs here, or use a board with more",
        ),
        Some(free) => Finding::well("memory", format!("{free} MiB are free")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vitals::tests::board;

    #[test]
    fn a_board_that_is_hot_starved_or_full_is_told_what_to_do() {
        let ill = board("85000", "50005", "MemAvailable: 40960 kB");
        for (finding, words) in
            [(heat(&ill), "85 °C"), (power(&ill), "supply sagged"), (memory(&ill), "40 MiB")]
        {
            assert!(finding.is_fault() && finding.to_string().contains(words), "{finding}");
        }
        let slow = board("60000", "8", "MemAvailable: 409600 kB");
        assert!(power(&slow).to_string().contains("slowed down"));
    }

    #[test]
    fn a_board_that_is_well_or_says_nothing_has_no_fault() {
        let well = board("60000", "0", "MemAvailable: 409600 kB");
        for vitals in [well, Vitals::default()] {
            for finding in [heat(&vitals), power(&vitals), memory(&vitals)] {
                assert!(!finding.is_fault(), "{finding}");
            }
        }
    }
}
