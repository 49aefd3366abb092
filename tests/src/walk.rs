//! A way through a survey that comes by every state: empty, in error, answered, sending, kept, thanked and refused.

use crate::{Browser, Stage, Visitor};
use anyhow::Result;

/// The demo's surveys have every kind, `looks` every look, `steps` and `page` what few use.
pub const SURVEYS: [&str; 5] = ["checkout", "delivery", "looks", "steps", "page"];

/// One question: its id, whether it has to be answered, and a script that answers it.
type Step = (&'static str, bool, &'static str);

const fn steps(survey: &str) -> &'static [Step] {
    match survey.as_bytes() {
        b"checkout" => &[
            ("recommend", true, "choose(3)"),
            ("why", false, "write('Te traag. '.repeat(20))"),
            ("found", false, "choose(1)"),
            ("again", false, "choose(0)"),
        ],
        b"delivery" => &[
            ("satisfied", true, "choose(1)"),
            ("effort", false, "choose(2)"),
            ("late", false, "choose(2)"),
            ("more", false, "write('x')"),
        ],
        b"looks" => &[
            ("stars", true, "choose(1)"),
            ("smileys", true, "choose(2)"),
            ("faces", false, "choose(0)"),
            ("list", true, "choose(4)"),
            ("colors", false, "choose(7)"),
            ("effort", false, "choose(2)"),
            ("ten", false, "choose(6)"),
            ("why", false, "write('Langer\\nText')"),
            ("found", false, "choose(0, 1)"),
            ("again", false, "choose(0)"),
        ],
        b"steps" => &[
            ("recommend", true, "choose(2)"),
            ("why", false, "write('x')"),
            ("found", true, "choose(1), other('Eine Tante, die ganz in der Nähe wohnt und oft vorbeikommt')"),
            ("country", false, "search('a'), choose(9)"),
            ("again", false, "choose(1)"),
        ],
        _ => &[],
    }
}

/// How answers are given in the scripts.
const HANDS: &str = "const inside = root.querySelector(`[data-question=${id}]`);
    const choose = (...places) => places.forEach(place => inside.querySelectorAll('.option input')[place].click());
    const put = (field, text) => {
        field.value = text;
        field.dispatchEvent(new Event('input', { bubbles: true }));
    };
    const write = text => put(inside.querySelector('textarea'), text);
    const search = text => put(inside.querySelector('[type=search]'), text);
    const other = text => (inside.querySelector('[data-other]').click(), put(inside.querySelector('.other input'), text));";

/// Agrees to be reached.
const AGREE: &str = "root.querySelector('[part~=contact] [type=checkbox]').click()";

/// The net as a test wants it: `hold` keeps what is posted, `fail` breaks it off, `real` lets it through.
const NET: &str = "window.net = 'real';
    window.fetched = window.fetched || window.fetch;
    window.fetch = (address, how) => how && how.method === 'POST' && window.net !== 'real'
        ? new Promise((_, fail) => { window.breakOff = () => fail(new TypeError('away')); if (window.net === 'fail') window.breakOff(); })
        : window.fetched.call(window, address, how);";

/// One visit.
pub struct Walk<'a> {
    /// The server and its pages.
    pub stage: &'a Stage,
    /// Where it takes place.
    pub browser: &'a Browser,
    /// The survey's id, of [`SURVEYS`].
    pub survey: &'a str,
    /// The page's language.
    pub language: &'a str,
    /// `light` or `dark`.
    pub theme: &'a str,
    /// How the survey appears.
    pub mode: &'a str,
    /// Of the page, in CSS pixels.
    pub width: u32,
}

impl Walk<'_> {
    /// Goes the whole way; `look` is called at each state.
    pub async fn on(&self, look: impl AsyncFn(&Visitor<'_>, &str) -> Result<()>) -> Result<()> {
        let visitor = self.visit("").await?;
        if self.mode == "tab" {
            visitor.until("seen(part('tab'))").await?;
            look(&visitor, "tab").await?;
        }
        self.enter(&visitor).await?;
        self.answer(&visitor, Some(&look)).await?;
        self.send(&visitor, &look).await?;
        // What a visitor says is refused where the page says what nobody knows.
        let visitor = self.visit("&data-meta-color=red").await?;
        self.enter(&visitor).await?;
        self.answer(&visitor, None::<&Unlooked>).await?;
        visitor.forward().await?;
        visitor.state("refused").await?;
        look(&visitor, "refused").await
    }

    async fn visit(&self, more: &str) -> Result<Visitor<'_>> {
        let Self { survey, language, theme, mode, .. } = self;
        let label = match *language {
            "de" => "Ihre Meinung",
            "ar" => "رأيك",
            "zh" => "您的意见",
            _ => "Uw mening",
        };
        let when = match *mode {
            "inline" => "data-remember=no".to_owned(),
            _ => format!("data-remember=no&data-after=0&data-label={label}"),
        };
        let address = format!("strict/{language}/{survey}?data-theme={theme}&data-mode={mode}&{when}{more}");
        self.browser.without_surveys().await?;
        self.browser.visit(&self.stage.pages.at(&address)).await
    }

    /// Has the survey shown.
    async fn enter(&self, visitor: &Visitor<'_>) -> Result<()> {
        if self.mode == "tab" {
            visitor.until("(tab => seen(tab) && (tab.click(), true))(part('tab'))").await?;
        }
        visitor.until("seen(part('intro')) || seen(question)").await?;
        self.browser.run(NET).await?;
        // A window of WebKit's is never as narrow as a phone.
        let narrow = format!("if (innerWidth > {0}) document.body.style.width = '{0}px'", self.width);
        self.browser.run(&narrow).await.map(drop)
    }

    /// Answers every question.
    async fn answer(
        &self,
        visitor: &Visitor<'_>,
        look: Option<&impl AsyncFn(&Visitor<'_>, &str) -> Result<()>>,
    ) -> Result<()> {
        let at = async |state: &str| match look {
            Some(look) => look(visitor, state).await,
            None => Ok(()),
        };
        let act = async |id: &str, script: &str| {
            visitor.look(&format!("(id => {{ {HANDS} {script}; return true }})('{id}')")).await.map(drop)
        };
        if self.survey == "looks" {
            at("intro").await?;
            visitor.forward().await?;
        }
        if self.survey == "page" {
            at("page-empty").await?;
            visitor.forward().await?;
            visitor.until("seen(part('summary'))").await?;
            at("page-error").await?;
            act("recommend", "choose(2)").await?;
            act("found", "other('Eine Tante')").await?;
            act("country", "search('e')").await?;
            act("again", AGREE).await?;
            act("again", "put(root.querySelector('[type=email]'), 'jef')").await?;
            visitor.forward().await?;
            visitor.until("seen(part('summary'))").await?;
            at("page-answered").await?;
            act("again", "put(root.querySelector('[type=email]'), 'jef@example.com')").await?;
        }
        for (id, required, script) in steps(self.survey) {
            visitor.asked(id).await?;
            at(&format!("{id}-empty")).await?;
            if *required {
                visitor.forward().await?;
                visitor.until("seen(part('error')) && part('error').textContent !== ''").await?;
                at(&format!("{id}-error")).await?;
            }
            act(id, script).await?;
            at(&format!("{id}-answered")).await?;
            if Some(id) != steps(self.survey).last().map(|(last, ..)| last) || self.survey == "steps" {
                visitor.forward().await?;
            }
        }
        if self.survey == "steps" {
            visitor.until("seen(part('contact'))").await?;
            at("contact-empty").await?;
            act("again", AGREE).await?;
            visitor.forward().await?;
            visitor
                .until("[...root.querySelectorAll('[part=error]')].some(error => error.textContent !== '')")
                .await?;
            at("contact-error").await?;
            act("again", "put(root.querySelector('[type=email]'), 'jef@example.com')").await?;
            at("contact-answered").await?;
        }
        Ok(())
    }

    /// Sends, by way of a net that keeps silent and then breaks off.
    async fn send(
        &self,
        visitor: &Visitor<'_>,
        look: &impl AsyncFn(&Visitor<'_>, &str) -> Result<()>,
    ) -> Result<()> {
        self.browser.run("window.net = 'hold'").await?;
        visitor.forward().await?;
        visitor.state("sending").await?;
        look(visitor, "sending").await?;
        self.browser.run("window.net = 'fail'; window.breakOff()").await?;
        visitor.state("kept").await?;
        look(visitor, "kept").await?;
        self.browser.run("window.net = 'real'").await?;
        visitor.again().await?;
        visitor.state("thanked").await?;
        look(visitor, "thanked").await
    }
}

/// The type of a look that is never taken.
type Unlooked = fn(&Visitor<'_>, &str) -> std::future::Ready<Result<()>>;
