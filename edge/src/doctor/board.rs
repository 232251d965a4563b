//! The things looked at on the board itself.

use super::{Ailment, Finding};
use wire::link::Vitals;

/// Heat, supply and memory.
pub fn findings(vitals: &Vitals) -> Vec<Finding> {
    vec![heat(vitals), power(vitals), memory(vitals)]
}

/// It is not too hot.
fn heat(vitals: &Vitals) -> Finding {
    match vitals.celsius {
        None => Finding::unused("heat", "this machine does not say how warm it is"),
        Some(celsius) if celsius >= Vitals::HOT => Finding::fault(
            Ailment::Hot,
            format!("the processor is at {celsius} °C and slows itself down"),
            "give it a heat sink and air, and keep it out of the sun",
        ),
        Some(celsius) => Finding::well("heat", format!("{celsius} °C")),
    }
}

/// Its supply holds.
fn power(vitals: &Vitals) -> Finding {
    let mend = "use the supply made for this board and a short cable; a supply that sags damages \
                cards";
    match (vitals.sagged, vitals.slowed) {
        (None, _) => Finding::unused("power", "this machine does not say how its supply is"),
        (Some(true), _) => Finding::fault(
            Ailment::SupplySags,
            "the supply sagged since the board was switched on",
            mend,
        ),
        (_, Some(true)) => Finding::fault(
            Ailment::Slowed,
            "the processor is slowed down",
            "look at “heat”, and at the supply",
        ),
        _ => Finding::well("power", "the supply holds"),
    }
}

/// There is memory left.
fn memory(vitals: &Vitals) -> Finding {
    match vitals.memory_free_mb {
        None => Finding::unused("memory", "this machine does not say how much is free"),
        Some(free) if free < Vitals::SCARCE_MB => Finding::fault(
            Ailment::MemoryShort,
            format!("{free} MiB are free: the system may end programs"),
            "end what else runs here, or use a board with more",
        ),
        Some(free) => Finding::well("memory", format!("{free} MiB are free")),
    }
}
