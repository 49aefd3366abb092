//! What few surveys use: a page of questions, own words, a search, contact, another language, answers that are repeated
//! or given ahead.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::keys::{ENTER, TAB};
use tests::{Browser, Edit as _, Engine, QUICK, Stage, Visitor, with_full};

use crate::looks::{TIMERS, at_ease, tap};
use crate::visitor::arrived;

tests::in_every_engine! {
    what_few_surveys_use_reaches_the_platform
    nothing_about_the_visitor_is_sent_without_consent
    one_page_says_what_is_wrong_and_leads_there
    what_a_page_asks_follows_the_answers
    a_change_of_language_keeps_everything
    a_language_that_does_not_come_changes_nothing
    another_language_stays_in_its_frame
    a_survey_without_other_languages_has_no_list_of_them
    a_tap_on_other_or_into_a_field_does_not_go_on
    a_page_answers_ahead_and_the_visitor_goes_on_from_there
    a_search_finds_whatever_the_case_and_the_accents
    only_surveys_that_use_it_load_what_few_do
    axe_finds_nothing_in_what_few_use
}

async fn full() -> Result<Stage> {
    Stage::with(QUICK, with_full).await
}

/// Goes to the survey step by step, in a page under the strictest policy.
async fn begin<'a>(browser: &'a Browser, stage: &Stage, language: &str) -> Result<Visitor<'a>> {
    let visitor = browser.visit(&stage.pages.at(&format!("strict/{language}/steps"))).await?;
    visitor.asked("recommend").await?;
    Ok(visitor)
}

/// The same for the one with all questions on one page.
async fn open<'a>(browser: &'a Browser, stage: &Stage, language: &str) -> Result<Visitor<'a>> {
    let visitor = browser.visit(&stage.pages.at(&format!("strict/{language}/page"))).await?;
    visitor.asked("recommend").await?;
    Ok(visitor)
}

/// Gives a field a text, as typing or filling in does.
async fn fill(visitor: &Visitor<'_>, field: &str, text: &str) -> Result<()> {
    let write = "(field => seen(field) && (field.focus(), field.value = TEXT,
        field.dispatchEvent(new Event('input', { bubbles: true })), true))(root.querySelector(FIELD))";
    let write = write.replace("TEXT", &json!(text).to_string()).replace("FIELD", &json!(field).to_string());
    visitor.until(&write).await.map(drop)
}

/// Clicks what a selector finds.
async fn click(visitor: &Visitor<'_>, selector: &str) -> Result<()> {
    let selector = json!(selector);
    visitor
        .until(&format!("(found => found && (found.click(), true))(root.querySelector({selector}))"))
        .await?;
    Ok(())
}

/// Goes from the first question to the contact: a 3, with a reason, found by an aunt, in Belgium.
async fn to_the_contact(visitor: &Visitor<'_>) -> Result<()> {
    visitor.choose(&[3]).await?;
    visitor.forward().await?;
    visitor.asked("why").await?;
    visitor.write("Te traag").await?;
    visitor.forward().await?;
    visitor.asked("found").await?;
    click(visitor, "[value='0']").await?;
    click(visitor, "[data-other]").await?;
    fill(visitor, ".other input", " Een tante\n").await?;
    visitor.forward().await?;
    visitor.asked("country").await?;
    fill(visitor, "[type=search]", "belg").await?;
    visitor.until("[...root.querySelectorAll('.option')].filter(seen).length === 1").await?;
    click(visitor, "[value='1']").await?;
    visitor.forward().await?;
    visitor.asked("again").await?;
    visitor.choose(&[0]).await?;
    ensure!(visitor.look("part('next').textContent").await? == "Volgende");
    visitor.forward().await?;
    visitor.until("seen(part('contact'))").await?;
    Ok(())
}

async fn what_few_surveys_use_reaches_the_platform(engine: Engine) -> Result<()> {
    let stage = full().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = begin(&browser, &stage, "nl").await?;
    to_the_contact(&visitor).await?;
    ensure!(visitor.look("part('step').textContent").await? == "6 van 6");
    click(&visitor, "[part~=contact] [type=checkbox]").await?;
    visitor.forward().await?;
    // The first field that is wrong has the focus, and its error is tied to it.
    let wrong = "(field => field && field.type === 'email' && field.ariaInvalid === 'true'
        && root.getElementById(field.getAttribute('aria-describedby')).textContent)(root.activeElement)";
    visitor.until(&format!("({wrong}) === 'Vul dit veld in.'")).await?;
    fill(&visitor, "[type=email]", "jef@example").await?;
    visitor.forward().await?;
    visitor.until(&format!("({wrong}) === 'Dit is geen e-mailadres.'")).await?;
    fill(&visitor, "[type=email]", " jef@example.com ").await?;
    fill(&visitor, "[autocomplete=given-name]", "Jef").await?;
    let autofill =
        "[...root.querySelectorAll('.fields input')].map(field => [field.type, field.autocomplete])";
    let wanted = json!([["text", "given-name"], ["text", "family-name"], ["email", "email"], ["tel", "tel"]]);
    ensure!(visitor.look(autofill).await? == wanted);
    visitor.forward().await?;
    visitor.state("thanked").await?;
    let thanks = visitor.look("part('thanks').textContent.replace(/[\\u2068\\u2069]/g, '')").await?;
    ensure!(thanks == "Dank u wel voor uw 3!", "{thanks}");
    let body = arrived(&stage).await?;
    let respondent = &body["respondent"];
    ensure!(respondent["Email"] == "jef@example.com" && respondent["FirstName"] == "Jef", "{respondent}");
    ensure!(respondent["LastName"] == Value::Null && respondent["Phone"] == Value::Null, "{respondent}");
    let options = body["answers"].as_array().into_iter().flatten().map(|answer| &answer["Options"]);
    let options: Vec<_> = options.filter(|options| options.is_array()).collect();
    ensure!(json!(options) == json!([["Via een zoekmachine", "Ergens anders"], ["België"]]));
    let words = body["answers"].as_array().into_iter().flatten().find(|answer| answer["Text"] == "Een tante");
    let guid = words.map(|words| &words["QuestionItemUniqueID"]);
    ensure!(guid == Some(&json!("F0110001-0000-4000-8000-0000000000A1")), "{body}");
    browser.close().await
}

async fn nothing_about_the_visitor_is_sent_without_consent(engine: Engine) -> Result<()> {
    let stage = full().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = begin(&browser, &stage, "nl").await?;
    to_the_contact(&visitor).await?;
    ensure!(visitor.look("seen(root.querySelector('.fields'))").await? == json!(false));
    click(&visitor, "[part~=contact] [type=checkbox]").await?;
    fill(&visitor, "[type=email]", "jef@example.com").await?;
    // Nothing that a visitor may still take back lies around.
    let kept = "JSON.stringify(sessionStorage).includes('example.com')";
    ensure!(visitor.look(kept).await? == json!(false));
    visitor.look("part('back').click()").await?;
    visitor.asked("again").await?;
    visitor.choose(&[1]).await?;
    visitor.forward().await?;
    visitor.until("root.querySelector('[type=email]').value === 'jef@example.com'").await?;
    ensure!(visitor.look("sessionStorage.length").await? == json!(1), "there is a draft");
    ensure!(visitor.look(kept).await? == json!(false));
    // Taken back.
    click(&visitor, "[part~=contact] [type=checkbox]").await?;
    visitor.until("!seen(root.querySelector('.fields'))").await?;
    visitor.forward().await?;
    visitor.state("thanked").await?;
    let body = arrived(&stage).await?;
    let nobody = json!({"UniqueID": null, "FirstName": null, "LastName": null, "Email": null, "Phone": null});
    ensure!(body["respondent"] == nobody, "{}", body["respondent"]);
    browser.close().await
}

/// What the summary says.
const SUMMED_UP: &str = "[...root.querySelectorAll('[part~=summary] button')].map(way => way.textContent)";

async fn one_page_says_what_is_wrong_and_leads_there(engine: Engine) -> Result<()> {
    let stage = full().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = open(&browser, &stage, "nl").await?;
    ensure!(visitor.look("seen(part('back')) || seen(part('summary'))").await? == json!(false));
    click(&visitor, "[part~=contact] [type=checkbox]").await?;
    visitor.forward().await?;
    visitor.until("root.activeElement === part('summary')").await?;
    let wanted = json!([
        "Hoe waarschijnlijk is het dat u ons aanbeveelt? Kies eerst een antwoord.",
        "Hoe hebt u ons gevonden? Kies eerst een antwoord.",
        "E-mailadres: Vul dit veld in.",
    ]);
    let found = visitor.look(SUMMED_UP).await?;
    ensure!(found == wanted, "{found}");
    visitor.picture("summary").await?;
    let near =
        "[...root.querySelectorAll('[part=error]')].filter(error => error.textContent && seen(error)).length";
    ensure!(visitor.look(near).await? == json!(3));
    // By keyboard from the summary to what it names.
    visitor.keys(TAB).await?;
    visitor.keys(TAB).await?;
    visitor.keys(ENTER).await?;
    visitor.until("root.activeElement.closest('[data-question=found]')").await?;
    visitor.keys(" ").await?;
    visitor.until(&format!("({SUMMED_UP}).length === 2")).await?;
    click(&visitor, "[data-question=recommend] [value='9']").await?;
    fill(&visitor, "[type=email]", "jef@example.com").await?;
    visitor.until("!seen(part('summary'))").await?;
    visitor.forward().await?;
    visitor.state("thanked").await?;
    let body = arrived(&stage).await?;
    ensure!(body["answers"].as_array().map(Vec::len) == Some(2), "{body}");
    ensure!(body["respondent"]["Email"] == "jef@example.com");
    browser.close().await
}

async fn what_a_page_asks_follows_the_answers(engine: Engine) -> Result<()> {
    let stage = full().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = open(&browser, &stage, "nl").await?;
    let why = "root.querySelector('[data-question=why]')";
    ensure!(visitor.look(&format!("seen({why})")).await? == json!(false));
    ensure!(visitor.look("part('step').textContent").await? == "0 van 4");
    click(&visitor, "[data-question=recommend] [value='2']").await?;
    visitor.until(&format!("seen({why}) && part('step').textContent === '1 van 5'")).await?;
    let title = format!("{why}.querySelector('.title').textContent.replace(/[\\u2068\\u2069]/g, '')");
    ensure!(visitor.look(&title).await? == "Waarom geeft u ons een 2?");
    visitor.write("Te duur").await?;
    click(&visitor, "[data-question=recommend] [value='4']").await?;
    visitor.until(&format!("({title}) === 'Waarom geeft u ons een 4?'")).await?;
    ensure!(visitor.look(&format!("{why}.querySelector('textarea').value")).await? == "Te duur");
    click(&visitor, "[data-question=recommend] [value='8']").await?;
    visitor.until(&format!("!seen({why})")).await?;
    // A reload finds everything as it was.
    click(&visitor, "[data-question=found] [value='1']").await?;
    visitor.reload().await?;
    visitor.asked("recommend").await?;
    let chosen = "[...root.querySelectorAll('input:checked')].map(input => input.value)";
    ensure!(visitor.look(chosen).await? == json!(["8", "1"]));
    visitor.forward().await?;
    visitor.state("thanked").await?;
    let body = arrived(&stage).await?;
    ensure!(!body.to_string().contains("Te duur"), "{body}");
    browser.close().await
}

/// Chooses another language.
async fn change(visitor: &Visitor<'_>, language: &str) -> Result<()> {
    let change = "(list => seen(list) && (list.focus(), list.value = TAG,
        list.dispatchEvent(new Event('change', { bubbles: true })), true))(part('language'))";
    visitor.until(&change.replace("TAG", &json!(language).to_string())).await.map(drop)
}

async fn a_change_of_language_keeps_everything(engine: Engine) -> Result<()> {
    let stage = full().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = begin(&browser, &stage, "nl").await?;
    let names = visitor.look("[...part('language').options].map(option => option.textContent)").await?;
    ensure!(names == json!(["Nederlands", "Deutsch", "العربية", "中文"]), "{names}");
    let cards = "root.querySelectorAll('section').length";
    to_the_contact(&visitor).await?;
    click(&visitor, "[part~=contact] [type=checkbox]").await?;
    fill(&visitor, "[type=email]", "jef@example.com").await?;
    change(&visitor, "ar").await?;
    visitor.until("card.lang === 'ar' && card.dir === 'rtl' && seen(part('contact'))").await?;
    visitor.until("root.activeElement === part('language') && part('language').value === 'ar'").await?;
    ensure!(visitor.look(cards).await? == json!(1));
    ensure!(visitor.look("root.querySelector('[type=email]').value").await? == "jef@example.com");
    ensure!(visitor.look("part('step').textContent").await? == "٦ من ٦");
    visitor.look("part('back').click()").await?;
    visitor.asked("again").await?;
    ensure!(visitor.look("root.querySelector('input:checked').value").await? == "0");
    visitor.forward().await?;
    visitor.until("seen(part('contact'))").await?;
    visitor.forward().await?;
    visitor.state("thanked").await?;
    ensure!(visitor.look("seen(part('language'))").await? == json!(false));
    let body = arrived(&stage).await?;
    ensure!(body["cultureInfo"] == "AR" && body.to_string().contains("Een tante"), "{body}");
    browser.close().await
}

async fn a_language_that_does_not_come_changes_nothing(engine: Engine) -> Result<()> {
    let mut stage = full().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = begin(&browser, &stage, "nl").await?;
    visitor.choose(&[3]).await?;
    stage.kill().await?;
    change(&visitor, "de").await?;
    visitor.until("part('language').value === 'nl'").await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("root.querySelector('input:checked').value").await? == "3");
    stage.start().await?;
    change(&visitor, "de").await?;
    visitor.until("card.lang === 'de'").await?;
    ensure!(visitor.look("root.querySelector('input:checked').value").await? == "3");
    browser.close().await
}

async fn another_language_stays_in_its_frame(engine: Engine) -> Result<()> {
    let stage = full().await?;
    let browser = Browser::open(engine, 1000, 800).await?;
    for mode in ["popover", "modal"] {
        let address = format!("strict/nl/steps?data-mode={mode}&data-after=0&data-remember=no");
        let visitor = browser.visit(&stage.pages.at(&address)).await?;
        visitor.asked("recommend").await?;
        if mode == "modal" {
            // On the question, not on the list of languages that stands above it.
            visitor.until("root.activeElement && root.activeElement.type === 'radio'").await?;
        }
        // Before anything is answered, but not at the first question any more.
        let place = "(({ x, y, width }) => [x, y, width, getComputedStyle(part('frame')).position])(part('frame').getBoundingClientRect())";
        let before = visitor.look(place).await?;
        change(&visitor, "de").await?;
        visitor.until("card.lang === 'de'").await?;
        ensure!(visitor.look(&format!("{place}.slice(0, 1)")).await?[0] == before[0], "{mode}");
        ensure!(visitor.look(place).await?[3] == "fixed", "{mode}");
        ensure!(
            visitor.look("part('frame').ariaLabel").await?
                == if mode == "modal" { json!("Umfrage") } else { json!(null) }
        );
        ensure!(visitor.look("getComputedStyle(part('close')).position").await? == "absolute", "{mode}");
        visitor.look("part('close').click()").await?;
        visitor.until("!card").await?;
    }
    browser.close().await
}

async fn a_survey_without_other_languages_has_no_list_of_them(engine: Engine) -> Result<()> {
    let stage = Stage::with(QUICK, |config| with_full(config).edit("language_switch = true\n", "")).await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("strict/nl/page?data-meta-color=red")).await?;
    visitor.asked("recommend").await?;
    click(&visitor, "[data-question=recommend] [value='9']").await?;
    click(&visitor, "[data-question=found] [value='0']").await?;
    visitor.forward().await?;
    visitor.state("refused").await?;
    ensure!(visitor.look("root.querySelectorAll('select').length").await? == json!(0));
    browser.close().await
}

async fn a_tap_on_other_or_into_a_field_does_not_go_on(engine: Engine) -> Result<()> {
    let one = |config: String| {
        let steps = "layout = \"steps\"\n";
        with_full(config).edit(steps, &format!("{steps}autoprogress = true\n")).edit(
            "several = true\nrequired = true\noptions = [\n    { id = \"search\"",
            "required = true\noptions = [\n    { id = \"search\"",
        )
    };
    let stage = Stage::with(QUICK, one).await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/steps")).await?;
    visitor.asked("recommend").await?;
    browser.run(TIMERS).await?;
    tap(&visitor, "input[value='9']").await?;
    visitor.asked("found").await?;
    let waits = async || browser.run("return !!pending").await;
    visitor.tap("[data-other]").await?;
    visitor.until("seen(root.querySelector('.other input'))").await?;
    ensure!(waits().await? == json!(false), "there is something to write");
    visitor.tap(".other input").await?;
    ensure!(waits().await? == json!(false));
    tap(&visitor, "input[value='1']").await?;
    visitor.asked("country").await?;
    visitor.tap("[type=search]").await?;
    ensure!(waits().await? == json!(false));
    tap(&visitor, "input[value='1']").await?;
    visitor.asked("again").await?;
    browser.close().await
}

async fn a_page_answers_ahead_and_the_visitor_goes_on_from_there(engine: Engine) -> Result<()> {
    let stage = full().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let ahead = "strict/nl/steps?data-answer-recommend=4&data-answer-found=friend&data-answer-again=no&data-answer-none=1";
    let visitor = browser.visit(&stage.pages.at(ahead)).await?;
    visitor.asked("why").await?;
    ensure!(stage.sandbox.arrivals().is_empty(), "nothing is sent that the visitor did not send");
    visitor.forward().await?;
    visitor.asked("found").await?;
    ensure!(visitor.look("root.querySelector('input:checked').value").await? == "1");
    visitor.look("part('back').click()").await?;
    visitor.look("part('back').click()").await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("root.querySelector('input:checked').value").await? == "4");
    // What the visitor has changed stays, whatever the page says when it is loaded again.
    visitor.choose(&[7]).await?;
    visitor.reload().await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("root.querySelector('input:checked').value").await? == "7");
    // By a call, in the usual module; what does not fit its question is no answer.
    let call = "<script>(window.afterword = window.afterword || []).push(
        ['prefill', { recommend: 6, again: 'maybe' }], ['prefill', { found: ['social', 'store'] }]);</script>";
    let tag = format!("<script async src=\"{}/widget.js?survey=checkout\"></script>", stage.server);
    stage.pages.put("ahead", "", &[call, &tag].concat());
    let visitor = browser.visit(&stage.pages.at("own/ahead")).await?;
    visitor.asked("why").await?;
    visitor.forward().await?;
    visitor.asked("found").await?;
    ensure!(visitor.look("root.querySelectorAll('input:checked').length").await? == json!(2));
    visitor.forward().await?;
    visitor.asked("again").await?;
    ensure!(visitor.look("root.querySelectorAll('input:checked').length").await? == json!(0));
    visitor.forward().await?;
    visitor.state("thanked").await?;
    let body = arrived(&stage).await?;
    ensure!(body["answers"][0]["Score"] == 6, "{body}");
    browser.close().await
}

async fn a_search_finds_whatever_the_case_and_the_accents(engine: Engine) -> Result<()> {
    let stage = full().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = open(&browser, &stage, "nl").await?;
    let left = "[...root.querySelectorAll('[data-question=country] .option')].filter(seen).map(one => one.textContent)";
    let said = "root.querySelector('.found').textContent";
    ensure!(visitor.look(said).await? == "");
    fill(&visitor, "[type=search]", "  ITALIE ").await?;
    visitor.until(&format!("({left}).join() === 'Italië' && ({said}) === '1 van 20'")).await?;
    click(&visitor, "[data-question=country] [value='12']").await?;
    // What is chosen stays in sight.
    fill(&visitor, "[type=search]", "land").await?;
    visitor.until(&format!("({left}).includes('Italië') && ({left}).includes('Nederland')")).await?;
    fill(&visitor, "[type=search]", "xyz").await?;
    visitor.until(&format!("({left}).join() === 'Italië' && ({said}) === 'Niets gevonden.'")).await?;
    visitor.keys(ENTER).await?;
    ensure!(visitor.look("seen(part('summary'))").await? == json!(false), "Enter in a search sends nothing");
    fill(&visitor, "[type=search]", "").await?;
    visitor.until(&format!("({left}).length === 20 && ({said}) === ''")).await?;
    // A number that is searched is no choice.
    fill(&visitor, "[type=search]", "3").await?;
    visitor
        .look("root.querySelector('[type=search]').dispatchEvent(new Event('change', { bubbles: true }))")
        .await?;
    let chosen = "root.querySelector('[data-question=country] :checked').value";
    ensure!(visitor.look(chosen).await? == "12");
    browser.close().await
}

async fn only_surveys_that_use_it_load_what_few_do(engine: Engine) -> Result<()> {
    let stage = full().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let loaded = "performance.getEntriesByType('resource').map(entry => entry.name.split('/').pop())
        .filter(name => name.includes('glue') || name.includes('.wasm')).sort()";
    for (survey, wanted) in [
        ("checkout", json!(["glue.js", "widget.wasm"])),
        ("page", json!(["full-glue.js", "full-widget.wasm"])),
    ] {
        let visitor = browser.visit(&stage.pages.at(&format!("nl/{survey}"))).await?;
        visitor.asked("recommend").await?;
        visitor.until(&format!("JSON.stringify({loaded}) === {}", json!(wanted.to_string()))).await?;
    }
    // A loader without rules, and both on one page.
    let tag = format!("<script async src=\"{}/widget.js\"></script>", stage.server);
    let both = "<afterword-survey survey=\"page\"></afterword-survey><afterword-survey survey=\"checkout\"></afterword-survey>";
    stage.pages.put("both", &tag, both);
    let visitor = browser.visit(&stage.pages.at("own/both")).await?;
    let shown = "[...document.querySelectorAll('afterword-survey')].every(one =>
        one.shadowRoot.querySelector('[data-question]'))";
    visitor.until(shown).await?;
    // Asked for before anything is known of it.
    let early = "<script>(window.afterword = window.afterword || []).push(['open', 'page']);</script>";
    stage.pages.put("early", &[early, &tag].concat(), "");
    let visitor = browser.visit(&stage.pages.at("own/early")).await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("root.querySelectorAll('[data-question]').length").await? == json!(5));
    browser.close().await
}

async fn axe_finds_nothing_in_what_few_use(engine: Engine) -> Result<()> {
    let stage = full().await?;
    let browser = Browser::open(engine, 360, 800).await?;
    for language in ["nl", "ar"] {
        let visitor = open(&browser, &stage, language).await?;
        at_ease(&browser).await?;
        click(&visitor, "[data-question=recommend] [value='2']").await?;
        click(&visitor, "[data-other]").await?;
        click(&visitor, "[part~=contact] [type=checkbox]").await?;
        fill(&visitor, "[type=search]", "e").await?;
        at_ease(&browser).await?;
        visitor.forward().await?;
        visitor.until("seen(part('summary'))").await?;
        at_ease(&browser).await?;
        visitor.picture(&format!("page-{language}")).await?;
        browser.run("sessionStorage.clear()").await?;
    }
    browser.close().await
}
