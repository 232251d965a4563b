//! Names of people.

/// Given name and family name of a full name: the last word is the family's.
#[must_use]
pub fn split(full: &str) -> (String, String) {
    let (first, last) = full.rsplit_once(char::is_whitespace).unwrap_or(("", full));
    (first.trim().to_owned(), last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_full_name_is_the_family_name() {
        assert_eq!(split("Ada King Lovelace"), ("Ada King".into(), "Lovelace".into()));
        assert_eq!(split("Pelé"), (String::new(), "Pelé".into()));
    }
}
