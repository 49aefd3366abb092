//! The errors of a route: what a status means there, by its codes.

use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder};
use utoipa::openapi::{ContentBuilder, Header, HeaderBuilder, ResponseBuilder};

use super::schemas::{text, to, whole};
use crate::intake::problem::KINDS;

/// Adds a response for each status of these codes; codes of one status share it.
pub(super) fn add(operation: OperationBuilder, codes: &[&str]) -> OperationBuilder {
    let mut statuses: Vec<u16> = of(codes).map(|(status, ..)| status).collect();
    statuses.dedup();
    statuses.into_iter().fold(operation, |operation, status| {
        let kinds: Vec<_> = of(codes).filter(|kind| kind.0 == status).collect();
        operation.response(status.to_string(), response(status, &kinds))
    })
}

type Kind = (u16, &'static str, &'static str);

/// The kinds of problems with these codes, in the order of their statuses.
fn of(codes: &[&str]) -> impl Iterator<Item = Kind> {
    let kinds = KINDS.iter().filter(|(_, code, _)| codes.contains(code));
    kinds.map(|(status, code, when)| (status.as_u16(), *code, *when))
}

fn response(status: u16, kinds: &[Kind]) -> ResponseBuilder {
    let about: Vec<_> = kinds.iter().map(|(_, code, when)| format!("`{code}`: {when}")).collect();
    let narrowed = ObjectBuilder::new()
        .property("status", whole("").enum_values(Some([status])))
        .property("code", text("").enum_values(Some(kinds.iter().map(|(_, code, _)| *code))));
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
