//! The one table of routes: what each is, who may use it, what it takes and gives.
//!
//! Routes are written as sentences, see [`draft`](super::draft). From the table come the filters,
//! the access matrix of the tests, and the OpenAPI document.

use super::path;
use super::takes::Takes;
use rules::auth::Role;
use std::sync::Arc;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use warp::http::Method;

/// Who may use a route at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Anybody, signed in or not.
    Anyone,
    /// A signed-in user in one of these roles.
    Role(&'static [Role]),
}

/// Teachers and admins.
pub const STAFF: Who = Who::Role(&[Role::Teacher, Role::Admin]);
/// Admins.
pub const ADMIN: Who = Who::Role(&[Role::Admin]);
/// Accounts of students.
pub const PUPIL: Who = Who::Role(&[Role::Student]);
/// Everybody with an account.
pub const EVERYONE: Who = Who::Role(&Role::ALL);

/// The thing a route's address names. The query that reads it carries the actor, so that a
/// foreign one looks like a missing one: 404.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Object {
    /// None: a list (filtered in its query), or something that belongs to nobody.
    None,
    /// A student.
    Student,
    /// A sighting or record.
    Record,
    /// An enrolment.
    Enrolment,
    /// A device.
    Device,
    /// A class.
    Class,
    /// A lesson of a class.
    Session,
    /// A photo of a class.
    Image,
    /// A face cut from a photo.
    Crop,
    /// Work that goes on.
    Job,
    /// An account.
    User,
    /// A room.
    Room,
    /// A lesson of the weekly timetable.
    Period,
    /// A day or days without lessons.
    Holiday,
    /// A secret address of a calendar.
    Feed,
    /// Somebody who is told what happens here.
    Webhook,
}

/// A type as the OpenAPI document describes it: its own schema, and those it refers to by name.
#[derive(Clone, Copy)]
pub struct Shape {
    /// What the document calls it.
    pub name: fn() -> String,
    /// Where the type is: its path in the code.
    pub place: fn() -> &'static str,
    /// Its schema.
    pub schema: fn() -> RefOr<Schema>,
    /// The named schemas it refers to.
    pub parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl Shape {
    /// The shape of `T`.
    #[must_use]
    pub const fn of<T: ToSchema>() -> Self {
        Self {
            name: || T::name().into_owned(),
            place: std::any::type_name::<T>,
            schema: <T as PartialSchema>::schema,
            parts: <T as ToSchema>::schemas,
        }
    }
}

/// What a good answer holds.
#[derive(Clone, Copy)]
pub enum Gives {
    /// Nothing: 204.
    Nothing,
    /// JSON of this shape.
    Json(Shape),
    /// A file or a stream of this type.
    File(&'static str),
    /// A whole page: not part of the API.
    Page,
    /// A piece of a page, a file of it, or a redirect to one: not part of the API either.
    Part,
}

/// What a route takes and gives besides its path, for the OpenAPI document.
#[derive(Clone, Copy)]
pub struct Shapes {
    /// What the query string may hold.
    pub query: Option<fn() -> Vec<Parameter>>,
    /// The request's body.
    pub takes: Option<Shape>,
    /// The good answer.
    pub gives: Gives,
    /// Its status.
    pub status: u16,
    /// Media types the same is given in too, if one of them is asked for.
    pub also: &'static [&'static str],
    /// Whether what came of it may be none of the caller's any more: then 204.
    pub or_nothing: bool,
}

/// One route.
#[derive(Clone)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its native path, parameters as `{name}`.
    pub path: &'static str,
    /// Who may use it.
    pub who: Who,
    /// What its address names.
    pub object: Object,
    /// What body it reads.
    pub takes: Takes,
    /// What its JSON looks like.
    pub shapes: Shapes,
    /// Whether it waits for no place among strangers.
    pub at_once: bool,
    /// Its place in the table: who answers has the same.
    pub number: usize,
}

/// What an address comes to.
pub enum RouteFound {
    /// This route, with these values for its parameters.
    Route(Route, Vec<(String, String)>),
    /// The path exists, for these methods only.
    OtherMethod(Vec<Method>),
    /// No route.
    Nothing,
}

/// Every route of the hub.
#[derive(Clone)]
pub struct Table(Arc<[Route]>);

impl Table {
    /// A table of `routes`, each at its own number.
    pub(crate) fn of(routes: Vec<Route>) -> Self {
        Self(routes.into())
    }

    /// Every route.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.0.iter()
    }

    /// The route for `method` and `path`. HEAD is GET without the body.
    #[must_use]
    pub fn find(&self, method: &Method, path: &str) -> RouteFound {
        let Some(segments) = path::segments(path) else { return RouteFound::Nothing };
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let mut others = Vec::new();
        for route in self.0.iter() {
            match path::matched(route.path, &segments) {
                Some(found) if route.method == wanted => {
                    return RouteFound::Route(route.clone(), found);
                }
                Some(_) => others.push(route.method.clone()),
                None => {}
            }
        }
        if others.is_empty() { RouteFound::Nothing } else { RouteFound::OtherMethod(others) }
    }
}
