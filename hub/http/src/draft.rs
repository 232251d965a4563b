//! A route said as a sentence: where it is, who may, what it names, takes and gives, and who
//! answers.
//!
//! ```text
//! Route::get("/api/students/{id}").staff().of(Object::Student).gives::<StudentBody>().by(show)
//! ```
//!
//! An [`Address`] can only be told who may use it: a route that does not say so does not compile.

use super::endpoint::{Endpoint, Run};
use super::route::{ADMIN, EVERYONE, Gives, Object, PUPIL, Route, STAFF, Shape, Shapes, Who};
use super::takes::{SMALL, Takes};
use utoipa::openapi::path::ParameterIn;
use utoipa::{IntoParams, ToSchema};
use warp::http::Method;

impl Route {
    /// What is read at `path`.
    pub const fn get(path: &'static str) -> Address {
        Address { method: Method::GET, path }
    }

    /// What is made or done at `path`.
    pub const fn post(path: &'static str) -> Address {
        Address { method: Method::POST, path }
    }

    /// What is replaced at `path`.
    pub const fn put(path: &'static str) -> Address {
        Address { method: Method::PUT, path }
    }

    /// What is changed at `path`.
    pub const fn patch(path: &'static str) -> Address {
        Address { method: Method::PATCH, path }
    }

    /// What is taken away at `path`.
    pub const fn delete(path: &'static str) -> Address {
        Address { method: Method::DELETE, path }
    }
}

/// A method and a path that nobody may use yet.
#[must_use]
pub struct Address {
    method: Method,
    path: &'static str,
}

impl Address {
    /// For anybody, signed in or not.
    pub fn anyone(self) -> RouteDraft {
        self.open_to(Who::Anyone)
    }

    /// For teachers and admins.
    pub fn staff(self) -> RouteDraft {
        self.open_to(STAFF)
    }

    /// For admins.
    pub fn admin(self) -> RouteDraft {
        self.open_to(ADMIN)
    }

    /// For students' accounts.
    pub fn pupil(self) -> RouteDraft {
        self.open_to(PUPIL)
    }

    /// For every account.
    pub fn everyone(self) -> RouteDraft {
        self.open_to(EVERYONE)
    }

    fn open_to(self, who: Who) -> RouteDraft {
        RouteDraft(Route {
            method: self.method,
            path: self.path,
            who,
            object: Object::None,
            takes: Takes::Nothing,
            shapes: Shapes {
                query: None,
                takes: None,
                gives: Gives::Nothing,
                status: 204,
                also: &[],
                or_nothing: false,
            },
            at_once: false,
            number: 0,
        })
    }
}

/// A route that nobody answers yet: 204 without a body to whoever may ask, until more is said.
#[must_use]
pub struct RouteDraft(Route);

impl RouteDraft {
    /// Its address names `object`.
    pub fn of(mut self, object: Object) -> Self {
        self.0.object = object;
        self
    }

    /// Its query string may hold the fields of `T`.
    pub fn asks<T: IntoParams>(mut self) -> Self {
        self.0.shapes.query = Some(|| T::into_params(|| Some(ParameterIn::Query)));
        self
    }

    /// It takes `T` as JSON.
    pub fn takes<T: ToSchema>(self) -> Self {
        self.takes_within::<T>(SMALL)
    }

    /// It takes `T` as JSON of at most `bytes`.
    pub fn takes_within<T: ToSchema>(mut self, bytes: u64) -> Self {
        self.0.takes = Takes::Json(bytes);
        self.fields::<T>()
    }

    /// It takes a form of our own pages.
    pub fn form(mut self) -> Self {
        self.0.takes = Takes::Form(SMALL);
        self
    }

    /// It takes files and fields of at most `bytes` together.
    pub fn parts(mut self, bytes: u64) -> Self {
        self.0.takes = Takes::Parts(bytes);
        self
    }

    /// It takes a file too large for RAM, of at most `bytes`.
    pub fn archive(mut self, bytes: u64) -> Self {
        self.0.takes = Takes::Archive(bytes);
        self
    }

    /// Its body has the fields of `T`.
    pub fn fields<T: ToSchema>(mut self) -> Self {
        self.0.shapes.takes = Some(Shape::of::<T>());
        self
    }

    /// It gives `T` as JSON.
    pub fn gives<T: ToSchema>(self) -> Self {
        self.answers(Gives::Json(Shape::of::<T>()))
    }

    /// It gives a file or a stream of this media type.
    pub fn file(self, kind: &'static str) -> Self {
        self.answers(Gives::File(kind))
    }

    /// It gives a whole page.
    pub fn page(self) -> Self {
        self.answers(Gives::Page)
    }

    /// It gives a piece of a page, a file of one, or a redirect to one.
    pub fn part(self) -> Self {
        self.answers(Gives::Part)
    }

    /// It gives the same in these media types too, if one of them is asked for.
    pub fn also(mut self, kinds: &'static [&'static str]) -> Self {
        self.0.shapes.also = kinds;
        self
    }

    /// Answered however many strangers wait: it costs nothing, and who asks watches over the hub.
    pub fn at_once(mut self) -> Self {
        self.0.at_once = true;
        self
    }

    /// Or nothing, where what came of it is none of the caller's any more: 204.
    pub fn or_nothing(mut self) -> Self {
        self.0.shapes.or_nothing = true;
        self
    }

    /// It makes something: 201.
    pub fn created(mut self) -> Self {
        self.0.shapes.status = 201;
        self
    }

    /// The work goes on as a job: 202.
    pub fn accepted(mut self) -> Self {
        self.0.shapes.status = 202;
        self
    }

    /// `run` answers.
    pub fn by(self, run: impl Into<Run>) -> Endpoint {
        Endpoint { route: self.0, run: run.into() }
    }

    fn answers(mut self, gives: Gives) -> Self {
        self.0.shapes.gives = gives;
        self.0.shapes.status = 200;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Call;
    use crate::problem::Outcome;
    use warp::reply::Response;

    async fn nothing(_: Call) -> Outcome {
        Ok(Response::new(String::new().into()))
    }

    #[test]
    fn a_route_says_no_more_than_its_sentence() {
        let route = Route::delete("/api/x/{id}").admin().of(Object::Class).by(nothing).route;
        assert_eq!((route.method, route.path), (Method::DELETE, "/api/x/{id}"));
        assert_eq!((route.who, route.object), (ADMIN, Object::Class));
        assert_eq!((route.takes, route.shapes.status), (Takes::Nothing, 204));
        assert!(matches!(route.shapes.gives, Gives::Nothing));
    }

    #[test]
    fn what_is_made_is_201_with_what_was_made() {
        let route = Route::post("/api/x").staff().takes::<u32>().gives::<u32>().created();
        let route = route.by(nothing).route;
        assert_eq!((route.takes, route.shapes.status), (Takes::Json(SMALL), 201));
        assert!(matches!(route.shapes.gives, Gives::Json(_)) && route.shapes.takes.is_some());
    }
}
