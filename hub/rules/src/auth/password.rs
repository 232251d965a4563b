//! Which passwords are accepted.

use std::sync::LazyLock;

/// Shortest password, characters.
pub const SHORTEST: usize = 8;

/// Longest password, bytes: enough for any phrase, and a bound on the work.
pub const LONGEST: usize = 256;

/// Why a new password is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Weak {
    /// Fewer than [`SHORTEST`] characters.
    #[error("the password is too short: use at least {SHORTEST} characters, better 15")]
    Short,
    /// More than [`LONGEST`] bytes.
    #[error("the password is too long: use at most {LONGEST} bytes")]
    Long,
    /// Among those everybody tries first, or the e-mail address itself.
    #[error("this password is among the first that anybody would try: choose another")]
    Common,
}

/// Checks a new password: only length and the lists of first guesses count, no rules about kinds
/// of characters (ASVS 6.2). The 3,000 that leak most often are looked up here, on this machine.
///
/// # Errors
/// When it is too short, too long, or too common.
pub fn check(password: &str, email: &str) -> Result<(), Weak> {
    let lower = password.to_lowercase();
    let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit() || c == '!');
    let own = email.to_lowercase();
    match password {
        p if p.chars().count() < SHORTEST => Err(Weak::Short),
        p if p.len() > LONGEST => Err(Weak::Long),
        _ if FIRST_GUESSES.contains(&stem) || lower == own => Err(Weak::Common),
        _ if is_common(&lower) => Err(Weak::Common),
        _ if own.split('@').next() == Some(stem) => Err(Weak::Common),
        _ => Ok(()),
    }
}

/// Whether this is one of the 3,000 that leak most often.
fn is_common(lower: &str) -> bool {
    static SORTED: LazyLock<Vec<&str>> = LazyLock::new(|| {
        include_str!("common.txt").lines().filter(|line| !line.starts_with("# ")).collect()
    });
    SORTED.binary_search(&lower).is_ok()
}

/// What stands at the head of every list of leaked passwords, without trailing digits.
const FIRST_GUESSES: [&str; 24] = [
    "",
    "password",
    "passw0rd",
    "p@ssword",
    "p@ssw0rd",
    "admin",
    "administrator",
    "qwerty",
    "qwertyuiop",
    "qwertz",
    "letmein",
    "welcome",
    "iloveyou",
    "abc",
    "abcdef",
    "abcdefgh",
    "teacher",
    "student",
    "school",
    "attendance",
    "rollcall",
    "changeme",
    "sunshine",
    "football",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_long_and_first_guesses_are_refused() {
        assert_eq!(check("kurz", "a@b.c"), Err(Weak::Short));
        assert_eq!(check(&"x".repeat(257), "a@b.c"), Err(Weak::Long));
        for guess in ["password1", "Admin123!", "12345678", "ada1815!", "ada@school.test"] {
            assert_eq!(check(guess, "ada@school.test"), Err(Weak::Common), "{guess}");
        }
        assert_eq!(check("nine horses graze", "ada@school.test"), Ok(()));
    }

    #[test]
    fn none_of_the_three_thousand_that_leak_most_is_taken() {
        let list = include_str!("common.txt");
        let common: Vec<_> = list.lines().filter(|line| !line.starts_with("# ")).collect();
        assert_eq!(common.len(), 3_000);
        assert!(common.is_sorted());
        for one in common {
            assert_eq!(check(one, "a@b.c"), Err(Weak::Common), "{one}");
            assert_eq!(check(&one.to_uppercase(), "a@b.c"), Err(Weak::Common), "{one}");
        }
        assert_eq!(check("trustno1 to graze", "a@b.c"), Ok(()), "a word of it is none of them");
    }
}
