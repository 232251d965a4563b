//! Lists page by page: `?limit=&after=`, and a link to where they go on.

use super::call::{Call, MOST};
use super::reply::{json, with};
use crate::problem::{Outcome, Problem};
use rules::error::Error;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use warp::http::header;

/// Rows of a page when nobody says how many.
pub const USUAL: u32 = 100;

/// Which page, of a list without filters.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paged {
    /// The page after this one, as the last answer's `Link` says it.
    pub after: Option<String>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// How many rows a page has; what was asked is checked already where the query was read.
#[must_use]
pub fn rows(asked: Option<u32>) -> u32 {
    asked.unwrap_or(USUAL).clamp(1, MOST)
}

/// 200 with one page. If it is full, a `Link` leads to what follows `last`, with the same
/// filters.
pub fn page<T: Serialize>(call: &Call, items: &[T], limit: u32, last: Option<String>) -> Outcome {
    let answer = json(&items)?;
    let full = items.len() == limit as usize;
    Ok(match last.filter(|_| full) {
        Some(last) => with(answer, header::LINK, &next(&call.query, limit, &last)),
        None => answer,
    })
}

/// What follows `after` in a list that was read whole.
///
/// # Errors
/// 422 once that one is not in it any more.
pub fn following<T, K: PartialEq>(
    all: Vec<T>,
    after: Option<K>,
    key: impl Fn(&T) -> K,
) -> Result<impl Iterator<Item = T>, Problem> {
    let place = |after| all.iter().position(|one| key(one) == after).ok_or_else(Error::cut_off);
    let seen = after.map(place).transpose()?.map_or(0, |last| last + 1);
    Ok(all.into_iter().skip(seen))
}

/// The link to the page after `last`: this address, these filters.
fn next(query: &str, limit: u32, last: &str) -> String {
    let fields: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let filters = fields.into_iter().filter(|(key, _)| key != "limit" && key != "after");
    let ours = [("limit".to_owned(), limit.to_string()), ("after".to_owned(), last.to_owned())];
    let fields: Vec<_> = filters.chain(ours).collect();
    let query = serde_urlencoded::to_string(fields).unwrap_or_default();
    format!("<?{query}>; rel=\"next\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filters() {
        let link = next("department=Arts+%26+Crafts&after=x&limit=7", 7, "y z");
        assert_eq!(link, "<?department=Arts+%26+Crafts&limit=7&after=y+z>; rel=\"next\"");
    }
}
