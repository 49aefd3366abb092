//! Whether everyone can read the operators' pages: each of them in each state of a server, narrow and wide, light and dark.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::ToSpan;
use server::clock::Clock;
use server::queue::{History, Kind, Options, Series, SqliteQueue};
use server::sandbox::{Fault, Misbehaviour};
use tests::{Browser, Edit as _, Engine, QUICK, Stage, Visitor};

use super::{ADMIN_TOKEN, REFUSAL, ask_for_the_score, click, refusal, says, submit, tick, until_dead};

/// How pages are looked at: the name, the width, and whether they are dark.
const LOOKS: [(&str, u32, bool); 4] =
    [("phone", 360, false), ("wide", 1_280, false), ("dark-phone", 360, true), ("dark", 1_280, true)];

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everyone_while_nothing_has_happened() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let paths = [
        "/",
        "/letters",
        "/surveys",
        "/surveys/checkout",
        "/letters/none",
        "/preview",
        "/preview/checkout?lang=nl&mode=inline",
        "/preview/nothing",
    ];
    can_be_read(&stage, "empty", &paths, async |_, _| Ok(())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everyone_while_much_happens() -> Result<()> {
    tests::prepared()?;
    let counting = |config: String| {
        let config = config.edit_first("[survey.metadata]", "counts = true\n[survey.metadata]");
        format!("admin_answers = true\n{config}")
    };
    let mut stage = Stage::prepared(Duration::from_secs(2), counting).await?;
    with_a_past(&stage).await?;
    stage.start().await?;
    stage.sandbox.misbehave(Misbehaviour::from(refusal(REFUSAL)).calls(1));
    let dead = submit(&stage, 5).await?[0];
    until_dead(&stage, 1).await?;
    let paths = [
        "/",
        "/letters",
        &format!("/letters/{dead}"),
        "/surveys",
        "/surveys/checkout?days=90",
        "/surveys/checkout?days=7&lang=nl",
        "/letters?done=discarded-2-0",
        "/letters?done=retried-0-3",
    ];
    can_be_read(&stage, "busy", &paths, async |browser, look| {
        let page = browser.visit(&format!("{}/letters", stage.admin)).await?;
        page.until(&tick(&dead)).await?;
        // Nothing is given up, since nobody says that it is meant.
        click(&page, "button", "Discard selected").await?;
        says(&page, "Discard 1 entry?").await?;
        readable(browser, &page, &format!("confirmation {look}")).await?;
        whole(browser, &page, &format!("operators-confirmation-{look}")).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everyone_while_everything_fails() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::prepared(QUICK, |config| config).await?;
    with_a_past(&stage).await?;
    stage.start().await?;
    stage.sandbox.misbehave(Fault::Status { status: 401, retry_after: None, body: None });
    submit(&stage, 3).await?;
    ask_for_the_score(&stage).await?;
    stage.until_admin("/", |page| page.contains("An operators' call failed")).await?;
    let wrong = stage.process.config.edit("kind = \"text\"", "kind = \"txt\"");
    std::fs::write(stage.process.config_file(), wrong)?;
    stage
        .until_admin("/", |page| {
            page.contains("refuses the token") && page.contains("The configuration is wrong")
        })
        .await?;
    let paths = [
        "/",
        "/letters?state=unknown",
        "/surveys/nothing",
        "/letters?state=ded",
        "/letters?survey=nothing",
        "/?lane=nothing",
        "/surveys/checkout?days=8&lang=zz",
    ];
    can_be_read(&stage, "failing", &paths, async |_, _| Ok(())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everyone_before_they_log_in() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::prepared(QUICK, |config| format!("admin_token_env = \"ADMIN\"\n{config}")).await?;
    stage.process.environment.insert("ADMIN".into(), ADMIN_TOKEN.into());
    stage.start().await?;
    can_be_read(&stage, "locked", &["/login", "/letters?state=dead"], async |browser, look| {
        let page = browser.visit(&format!("{}/login", stage.admin)).await?;
        page.until("(field => field && (field.value = 'wrong', true))(document.querySelector('#token'))")
            .await?;
        click(&page, "button", "Log in").await?;
        says(&page, "This is not the admin token.").await?;
        readable(browser, &page, &format!("wrong token {look}")).await?;
        whole(browser, &page, &format!("operators-wrong-token-{look}")).await
    })
    .await
}

/// Looks at the pages at some paths in every way, and then at what a form `leads` to; `name` is the server's state.
async fn can_be_read(
    stage: &Stage,
    name: &str,
    paths: &[&str],
    leads: impl AsyncFn(&Browser, &str) -> Result<()>,
) -> Result<()> {
    let (_, width, _) = LOOKS[0];
    let browser = Browser::open(Engine::Chromium, width, 900).await?;
    for (look, width, dark) in LOOKS {
        browser.change_look(width, 900, dark).await?;
        for (at, path) in paths.iter().enumerate() {
            let what = format!("{name} {look} {path}");
            let page = browser.visit(&format!("{}{path}", stage.admin)).await?;
            page.until("document.querySelector('main h1')").await.with_context(|| what.clone())?;
            readable(&browser, &page, &what).await?;
            whole(&browser, &page, &format!("operators-{name}-{look}-{at}")).await?;
        }
        leads(&browser, look).await.with_context(|| format!("{name} {look}"))?;
    }
    browser.close().await
}

/// A store in which much has happened.
async fn with_a_past(stage: &Stage) -> Result<()> {
    let queue = SqliteQueue::open(&stage.process.folder().join("queue.db"), Options::default())?;
    let now = Clock::wall();
    let day = |ago: i64| server::history::day(now.checked_sub((ago * 24).hours()).unwrap_or(now));
    let kind = |series, subject: &str, at, language: &str, item: &str, value: &str| Kind {
        series,
        subject: subject.into(),
        at,
        language: language.into(),
        item: item.into(),
        value: value.into(),
    };
    let mut counts = Vec::new();
    for ago in 0..90_i64 {
        for (language, share) in [("nl", 9), ("fr", 5), ("en", 3), ("ar", 1)] {
            let of =
                |item: &str, value: &str| kind(Series::Answer, "checkout", day(ago), language, item, value);
            let many = u64::try_from((ago * 7 % 11 + 3) * share)?;
            counts.push((of("", ""), many));
            for score in 0..=10_u64 {
                counts.push((
                    of("recommend", &score.to_string()),
                    many * [1, 0, 1, 0, 1, 2, 2, 6, 9, 12, 8][usize::try_from(score)?] / 42,
                ));
            }
            counts.push((of("again", "true"), many * 2 / 3));
            counts.push((of("again", "false"), many / 3));
            counts.push((of("why", ""), many / 4));
            let step = |step: &str| kind(Series::Step, "checkout", day(ago), language, step, "");
            for (name, percent) in
                [("shown", 300), ("answered recommend", 160), ("answered again", 110), ("submitted", 100)]
            {
                counts.push((step(name), many * percent / 100));
            }
        }
    }
    for minute in 0..1_440_i64 {
        let at = server::history::minute(now.checked_sub(minute.minutes())?);
        let mut call = |verdict: &str, count: i64| {
            if count > 0 {
                counts.push((kind(Series::Call, "sandbox", at, "", "", verdict), count.unsigned_abs()));
            }
        };
        let outage = (20..31).contains(&minute);
        call("delivered", if outage { 0 } else { 20 + minute * 13 % 37 });
        call("later", if outage { 3 } else { 0 });
        call("look-up", i64::from(minute % 9 == 0));
        call("operator", i64::from(minute % 5 == 0) * 4);
        call("rejected", i64::from(minute % 17 == 0));
        let other = |purpose: &str, verdict: &str| {
            (kind(Series::Call, "sandbox", at, "", purpose, verdict), u64::from(minute % 11 == 0))
        };
        counts.push(other(server::history::LOOK_UP, "delivered"));
        counts.push(other(server::history::OPERATOR, "paused"));
    }
    queue.record(counts).await.context("the past cannot be stored")
}

/// axe-core finds nothing, and nothing is wider than the page.
pub(super) async fn readable(browser: &Browser, page: &Visitor<'_>, what: &str) -> Result<()> {
    let found = browser.axe().await?;
    ensure!(found.is_empty(), "{what}: {found:#?}");
    let wide = page.look("document.documentElement.scrollWidth - innerWidth").await?;
    ensure!(wide.as_i64() <= Some(0), "{what}: {wide} pixels too wide");
    Ok(())
}

/// A picture of the whole page.
pub(super) async fn whole(browser: &Browser, page: &Visitor<'_>, name: &str) -> Result<()> {
    let Some(folder) = std::env::var_os("AFTERWORD_SHOTS") else { return Ok(()) };
    let size = page.look("[innerWidth, document.documentElement.scrollHeight]").await?;
    let [width, height] = [0, 1].map(|at| size[at].as_f64().unwrap_or_default());
    let picture = browser.part([0.0, 0.0, width, height]).await?;
    std::fs::create_dir_all(&folder)?;
    Ok(std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), picture)?)
}
