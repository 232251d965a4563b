//! What a school may write of a person beside number and name: every field once, here.
//!
//! The table, what is erased, tables that people bring, and the form of the person's page are made
//! from this list; API and export name each field themselves, and do not compile until they name a
//! new one.

macro_rules! details {
    ($($(#[doc = $doc:literal])+ $field:ident),+ $(,)?) => {
        /// What may be written of a person beside number and name.
        #[derive(Clone, PartialEq, Eq, Default, Debug)]
        pub struct PersonDetails {
            $($(#[doc = $doc])+ pub $field: Option<String>,)+
        }

        impl PersonDetails {
            /// The fields' names: of the columns, in tables and in forms.
            pub const NAMES: [&str; [$(stringify!($field)),+].len()] = [$(stringify!($field)),+];

            /// Every field by its name.
            ///
            /// # Errors
            /// The first that `of` gives.
            pub fn try_of<E>(
                mut of: impl FnMut(&'static str) -> Result<Option<String>, E>,
            ) -> Result<Self, E> {
                Ok(Self { $($field: of(stringify!($field))?,)+ })
            }

            /// The fields, as [`Self::NAMES`] has them.
            #[must_use]
            pub fn values(&self) -> [Option<&str>; Self::NAMES.len()] {
                [$(self.$field.as_deref()),+]
            }

            /// What is said here, and `old` where nothing is.
            #[must_use]
            pub fn or(self, old: Self) -> Self {
                Self { $($field: self.$field.or(old.$field),)+ }
            }

            /// Without blanks around anything; what is blank is not there.
            #[must_use]
            pub fn trimmed(self) -> Self {
                let trim = |text: String| Some(text.trim().to_owned()).filter(|it| !it.is_empty());
                Self { $($field: self.$field.and_then(trim),)+ }
            }
        }
    };
}

details! {
    /// Address for mail.
    email,
    /// Telephone.
    phone,
    /// Department or faculty.
    department,
    /// Position, for staff.
    position,
    /// Year of study.
    year,
}

impl PersonDetails {
    /// Every field by its name.
    #[must_use]
    pub fn of(mut of: impl FnMut(&'static str) -> Option<String>) -> Self {
        let Ok(details) = Self::try_of(|name| Ok::<_, std::convert::Infallible>(of(name)));
        details
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read_kept_and_trimmed_by_its_name() {
        let all = PersonDetails::of(|name| Some(format!(" {name} ")));
        assert_eq!(all.clone().trimmed().values(), PersonDetails::NAMES.map(Some));
        let blank = PersonDetails::of(|_| Some(" ".into()));
        assert_eq!(blank.trimmed(), PersonDetails::default());
        assert_eq!(PersonDetails::default().or(all.clone()), all, "what is left out stays");
    }
}
