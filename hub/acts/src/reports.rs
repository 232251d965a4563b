//! Reports that people ask for.

use rules::error::Error;
use rules::reports::forwards;
use rules::reports::matrix::RegisterMatrix;
use store::Tx;
use store::class::{self, Class};
use store::reader::Reader;
use store::register::{self, RegisterSpan};

/// A class and its register.
pub struct Register {
    /// The class.
    pub class: Class,
    /// The days that were asked for.
    pub span: RegisterSpan,
    /// Its register.
    pub matrix: RegisterMatrix,
}

impl Register {
    /// The register of the class that `name` names, read in one snapshot.
    ///
    /// # Errors
    /// `NotFound`, for a foreign class too; `Field` for a span that ends before it begins, `Invalid`
    /// for one that is too long.
    pub fn read(
        tx: &Tx<'_>,
        reader: Reader,
        name: &str,
        span: RegisterSpan,
    ) -> Result<Self, Error> {
        if let (Some(from), Some(to)) = (span.from, span.to) {
            forwards("date_to", from, to)?;
        }
        let class = class::find(tx, reader, name)?;
        let matrix = register::register(tx, class.id, span)?;
        Ok(Self { class, span, matrix })
    }
}
