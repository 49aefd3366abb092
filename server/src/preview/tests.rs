//! The routes, without a browser; what browsers make of them is tested end to end.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use tokio::sync::watch;

use super::*;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::tests::{GOOD, good};
use crate::live::{InForce, Live, ReloadError};

async fn ask(source: &Source, method: Method, path: &str, body: &str) -> (u16, String, Response<()>) {
    let request = axum::http::Request::builder().method(method).uri(path).body(Body::from(body.to_owned()));
    let (head, body) = routes(source).oneshot(request.unwrap()).await.unwrap().into_parts();
    let text = String::from_utf8_lossy(&axum::body::to_bytes(body, usize::MAX).await.unwrap()).into_owned();
    (head.status.as_u16(), text, Response::from_parts(head, ()))
}

async fn get(source: &Source, path: &str) -> (u16, String, Response<()>) {
    ask(source, Method::GET, path, "").await
}

fn fixed() -> Source {
    Source::new(Live::fixed(good().into()), Clock::start())
}

#[tokio::test]
async fn every_mode_language_theme_and_width_has_its_frame() {
    let (status, page, _) = get(&fixed(), "/preview/checkout").await;
    assert_eq!((status, page.matches("<iframe").count()), (200, 4 * 2 * 2 * 3));
    for (filter, frames) in [("lang=fr", 24), ("mode=tab", 12), ("theme=dark&width=320", 8)] {
        let (_, page, _) = get(&fixed(), &format!("/preview/checkout?{filter}")).await;
        assert_eq!(page.matches("<iframe").count(), frames, "{filter}");
        assert!(!page.contains("it is left out"), "{filter}");
    }
    for wrong in ["lang=de", "mode=x", "theme=x", "width=321", "width=wide", "lang=nl&lang=fr"] {
        let (status, page, _) = get(&fixed(), &format!("/preview/checkout?{wrong}")).await;
        assert_eq!((status, page.matches("<iframe").count()), (200, 48), "{wrong}");
        assert!(page.contains("it is left out"), "{wrong}");
        let (status, frame, _) = get(&fixed(), &format!("/preview/checkout/frame?{wrong}")).await;
        assert!(status == 200 && frame.contains("survey=\"checkout\""), "{wrong}: {frame}");
    }
    let (status, page, _) = get(&fixed(), "/preview/nope%3Cb%3E").await;
    assert!(status == 404 && page.contains("nope&lt;b&gt;") && page.contains("href=\"/preview\""));
    assert!(get(&fixed(), "/preview").await.1.contains("href=\"/preview/checkout\""));
}

#[tokio::test]
async fn a_frame_shows_its_survey_whatever_the_rules_say() {
    let (_, page, head) = get(&fixed(), "/preview/checkout/frame?lang=fr&mode=tab&theme=dark").await;
    for part in [
        "lang=\"fr\"",
        "mode=\"tab\"",
        "theme=\"dark\"",
        "after=\"0\"",
        "meta-pieces=\"preview\"",
        "remember=\"no\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(head.headers()["x-frame-options"], "SAMEORIGIN");
    assert!(head.headers()["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'self'"));
    let (_, page, _) = get(&fixed(), "/preview/checkout/frame?mode=inline").await;
    assert!(page.contains("lang=\"nl\"") && page.contains("after=\"0\""), "{page}");
    assert_eq!(get(&fixed(), "/preview/nope/frame").await.0, 404);
}

#[tokio::test]
async fn answers_are_checked_and_go_nowhere() {
    let body = |score| {
        json!({"submission": uuid::Uuid::new_v4(), "language": "nl", "metadata": {"pieces": "preview"},
               "answers": [{"question": "recommend", "score": score}]})
        .to_string()
    };
    let source = fixed();
    let place = format!("{DOOR}/v1/surveys/checkout/answers");
    let (status, taken, _) = ask(&source, Method::POST, &place, &body(9)).await;
    assert!(status == 202 && taken.contains("submission"), "{taken}");
    let (status, refused, _) = ask(&source, Method::POST, &place, &body(11)).await;
    assert!(status == 422 && refused.contains("off_scale"), "{refused}");
    assert_eq!(ask(&source, Method::POST, &place, "{").await.0, 400);
    let (status, definition, _) = get(&source, &format!("{DOOR}/v1/surveys/checkout?lang=fr")).await;
    assert!(status == 200 && definition.contains("Nous recommandez-vous"), "{definition}");
    let (_, _, head) = get(&source, &format!("{DOOR}/v1/surveys/checkout?lang=fr")).await;
    assert_eq!(head.headers()["cache-control"], "no-store");
    for public in ["access-control-allow-origin", "cross-origin-resource-policy"] {
        assert!(!head.headers().contains_key(public), "{public}");
        let (_, _, loader) = get(&source, &format!("{DOOR}/widget.js?survey=checkout")).await;
        assert!(!loader.headers().contains_key(public), "{public}");
    }
}

#[tokio::test]
async fn what_is_in_force_is_shown_and_a_wrong_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("afterword.toml");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Config::load_and_follow(&path, &|_| Some("c2VjcmV0".into()))
    };
    let in_force = |text: &str| {
        let (config, files) = read(text);
        Arc::new(InForce::new(Arc::new(config.unwrap()), files, Clock::wall()))
    };
    let (live, news) = watch::channel(in_force(GOOD));
    let source = Source::new(Live::new(news), Clock::start());
    let question = async || get(&source, &format!("{DOOR}/v1/surveys/checkout?lang=nl")).await.1;
    let page = async || get(&source, "/preview/checkout").await.1;
    let before = page().await;
    assert!(!before.contains("notice") && question().await.contains("Beveelt u ons aan?"));

    live.send_replace(in_force(&GOOD.replace("Beveelt u ons aan?", "Raadt u ons aan?")));
    let changed = page().await;
    assert_ne!(changed, before, "frames are loaded anew");
    assert!(question().await.contains("Raadt u ons aan?"));

    let error = read(&GOOD.replace("kind = \"yes_no\"", "kind = \"yes_or_no\"")).0.unwrap_err();
    live.send_modify(|now| {
        let trouble = Some(Arc::new(ReloadError::from(error)));
        *now = Arc::new(InForce { trouble, ..InForce::clone(now) });
    });
    let wrong = page().await;
    assert!(wrong.contains("is wrong") && wrong.contains("question[2].kind"), "{wrong}");
    assert!(question().await.contains("Raadt u ons aan?"), "the last good one stays");
    let version = |page: &str| page.split("&amp;v=").nth(1).map(|rest| rest[..16].to_owned());
    assert_eq!(version(&wrong), version(&changed));

    live.send_replace(in_force(GOOD));
    assert_eq!(page().await, before);
}
