//! One description for each public route.

use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{ContentBuilder, RefOr, Required, ResponseBuilder, Schema};

use super::problems::{self, told};
use super::schemas::{id, text, to};
use crate::intake::problem::Kind;

/// What any request may meet.
const ANY: [Kind; 3] = [Kind::Address, Kind::Timeout, Kind::Rate];

pub(super) fn loader() -> Operation {
    let about = "An id that the server does not know gets a loader that says so in the \
     page's console.";
    let survey = parameter("survey", ParameterIn::Query, false, text("").description(Some(about)));
    let ok = script("The loader: all that a page needs. With `survey`, it has that survey's rules.")
        .header("Cache-Control", told("A minute."));
    let operation = OperationBuilder::new()
        .operation_id(Some("loader"))
        .summary(Some("The script for a page"))
        .parameter(survey)
        .response("200", public(ok));
    problems::add(operation, &[&ANY[..], &[Kind::NoWidget]].concat()).build()
}

pub(super) fn file() -> Operation {
    let build = text("Names the build; any other name gets the present files, uncached.");
    let file = text("").enum_values(Some([
        "widget.js",
        "glue.js",
        "widget.wasm",
        "full-glue.js",
        "full-widget.wasm",
        "frame.js",
        "tab.js",
        "outbox.js",
        "counts.js",
        "afterword.d.ts",
    ]));
    let bytes = ObjectBuilder::new().content_media_type("application/wasm");
    let ok = script("The file.")
        .content("application/wasm", ContentBuilder::new().schema(Some(bytes)).build())
        .content("text/plain", ContentBuilder::new().schema(Some(text(""))).build())
        .header("Cache-Control", told("A year, or `no-store` for another build than the present one."));
    let operation = OperationBuilder::new()
        .operation_id(Some("file"))
        .summary(Some("What the loader loads"))
        .parameter(parameter("build", ParameterIn::Path, true, build))
        .parameter(parameter("file", ParameterIn::Path, true, file))
        .response("200", public(ok));
    problems::add(operation, &[&ANY[..], &[Kind::NotFound, Kind::NoWidget]].concat()).build()
}

pub(super) fn definition() -> Operation {
    let wishes = text(
        "Wished languages in their order, as BCP 47 tags with commas: `nl-BE,fr`. \
         The first 20 count; without a match the survey's first language is served.",
    );
    let operation = OperationBuilder::new()
        .operation_id(Some("definition"))
        .summary(Some("A survey in one language"))
        .parameter(survey())
        .parameter(parameter("lang", ParameterIn::Query, false, wishes))
        .parameter(known())
        .response(
            "200",
            json("The definition.", to("Definition"))
                .header("Content-Language", told("The definition's language.")),
        )
        .response("304", not_modified());
    problems::add(operation, &[&ANY[..], &[Kind::UnknownSurvey]].concat()).build()
}

pub(super) fn answers() -> Operation {
    let origin = text(
        "The page's origin, which browsers send by themselves; one of the survey's. \
         A survey may say that it takes submissions without it.",
    );
    let operation = OperationBuilder::new()
        .operation_id(Some("submit"))
        .summary(Some("Hand answers in"))
        .description(Some(
            "Thanks only once the submission is on disk. Send it again, with the same UUID, after 408, 429, 500, 503 or no \
             response at all: it is stored once. A 2xx without the UUID, or an error without one of the codes below, is \
             somebody else's response (a firewall, a sign-in, a service worker), and means the same as none.",
        ))
        .parameter(survey())
        .parameter(parameter("Origin", ParameterIn::Header, true, origin))
        .request_body(Some(body()))
        .response(
            "202",
            ResponseBuilder::new()
                .description("The submission is on disk; or it already was.")
                .content("application/json", ContentBuilder::new().schema(Some(to("Accepted"))).build())
                .header("Cache-Control", told("Always `no-store`.")),
        );
    let own = [
        Kind::NotJson,
        Kind::Origin,
        Kind::NoOrigin,
        Kind::UnknownSurvey,
        Kind::Body,
        Kind::Conflict,
        Kind::TooLarge,
        Kind::ContentType,
        Kind::Content,
        Kind::SurveyRate,
        Kind::Internal,
        Kind::Busy,
        Kind::Full,
        Kind::Store,
    ];
    problems::add(operation, &[&ANY[..], &own].concat()).build()
}

pub(super) fn steps() -> Operation {
    let origin = text("The page's origin, as with answers.");
    let content = || ContentBuilder::new().schema(Some(to("Step"))).build();
    let same = text("The same JSON as text, which saves browsers the preflight.")
        .content_media_type("application/json")
        .content_schema(Some(to("Step")));
    let body = RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content("application/json", content())
        .content("text/plain", ContentBuilder::new().schema(Some(same)).build())
        .build();
    let operation = OperationBuilder::new()
        .operation_id(Some("step"))
        .summary(Some("Count a step"))
        .description(Some(
            "That some visitor has come so far. It names nobody and says nothing of what was answered. Where the \
             survey does not count steps, nothing happens.",
        ))
        .parameter(survey())
        .parameter(parameter("Origin", ParameterIn::Header, true, origin))
        .request_body(Some(body))
        .response("204", ResponseBuilder::new().description("It was counted, if the survey counts."));
    let own = [
        Kind::NotJson,
        Kind::Origin,
        Kind::NoOrigin,
        Kind::UnknownSurvey,
        Kind::Body,
        Kind::TooLarge,
        Kind::ContentType,
        Kind::Content,
    ];
    problems::add(operation, &[&ANY[..], &own].concat()).build()
}

pub(super) fn document() -> Operation {
    let schema = ObjectBuilder::new().required("openapi").property("openapi", text(""));
    let operation = OperationBuilder::new()
        .operation_id(Some("openapi"))
        .summary(Some("This document"))
        .parameter(known())
        .response("200", public(json("This document.", schema)))
        .response("304", not_modified());
    problems::add(operation, &[Kind::Timeout, Kind::Rate]).build()
}

fn body() -> RequestBody {
    let same = text("The same JSON as text, which saves browsers the preflight.")
        .content_media_type("application/json")
        .content_schema(Some(to("Submission")));
    RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content("application/json", ContentBuilder::new().schema(Some(to("Submission"))).build())
        .content("text/plain", ContentBuilder::new().schema(Some(same)).build())
        .build()
}

fn parameter(name: &str, place: ParameterIn, required: bool, schema: ObjectBuilder) -> Parameter {
    let required = if required { Required::True } else { Required::False };
    ParameterBuilder::new().name(name).parameter_in(place).required(required).schema(Some(schema)).build()
}

fn survey() -> Parameter {
    parameter("survey", ParameterIn::Path, true, id("The survey's id."))
}

fn known() -> Parameter {
    parameter("If-None-Match", ParameterIn::Header, false, text("The `ETag` of what is there already."))
}

fn script(about: &str) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(text(""))).build();
    ResponseBuilder::new().description(about).content("text/javascript", content)
}

fn json(about: &str, schema: impl Into<RefOr<Schema>>) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    cached(ResponseBuilder::new().description(about).content("application/json", content))
}

fn not_modified() -> ResponseBuilder {
    cached(ResponseBuilder::new().description("It is the one that `If-None-Match` names."))
}

fn cached(response: ResponseBuilder) -> ResponseBuilder {
    response.header("ETag", told("Names this very content.")).header("Cache-Control", told("A minute."))
}

/// What pages of every site may load.
fn public(response: ResponseBuilder) -> ResponseBuilder {
    response
        .header("Access-Control-Allow-Origin", told("Always `*`."))
        .header("Cross-Origin-Resource-Policy", told("Always `cross-origin`."))
}
