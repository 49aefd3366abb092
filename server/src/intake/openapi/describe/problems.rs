//! The errors of a route: what a status means there, by its codes.

use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder};
use utoipa::openapi::{ContentBuilder, Header, HeaderBuilder, ResponseBuilder};

use super::schemas::{text, to, whole};
use crate::intake::problem::Kind;

/// Adds a response for each status of these kinds; kinds of one status share it.
pub(super) fn add(operation: OperationBuilder, kinds: &[Kind]) -> OperationBuilder {
    // In the order of their statuses, which is that of the table.
    let kinds = || Kind::ALL.iter().copied().filter(|kind| kinds.contains(kind));
    let mut statuses: Vec<u16> = kinds().map(|kind| kind.status().as_u16()).collect();
    statuses.dedup();
    statuses.into_iter().fold(operation, |operation, status| {
        let kinds: Vec<_> = kinds().filter(|kind| kind.status() == status).collect();
        operation.response(status.to_string(), response(status, &kinds))
    })
}

fn response(status: u16, kinds: &[Kind]) -> ResponseBuilder {
    let about: Vec<_> = kinds.iter().map(|kind| format!("`{}`: {}", kind.code(), kind.when())).collect();
    let narrowed = ObjectBuilder::new()
        .property("status", whole("").enum_values(Some([status])))
        .property("code", text("").enum_values(Some(kinds.iter().map(|kind| kind.code()))));
    let narrowed = if status == 422 { narrowed.required("errors") } else { narrowed };
    let schema = AllOfBuilder::new().item(to("Problem")).item(narrowed);
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new()
        .description(about.join("; "))
        .content("application/problem+json", content)
        .header("Cache-Control", told("Always `no-store`."));
    match status {
        408 | 429 | 503 => response.header("Retry-After", retry_after()),
        _ => response,
    }
}

fn retry_after() -> Header {
    HeaderBuilder::new()
        .schema(Some(whole("").minimum(Some(1))))
        .description(Some("Seconds to wait before the same is sent again; may be absent."))
        .build()
}

/// A header whose value is a text.
pub(super) fn told(about: &str) -> Header {
    HeaderBuilder::new().schema(Some(text(""))).description(Some(about)).build()
}
