//! `[survey.show]`: how a survey appears on a page, when, to whom, and how often.
//!
//! The page's loader decides by these rules; the server only hands them on.

use std::fmt::Write as _;
use std::time::Duration;

use super::reader::{Value, words};
use super::text::{Languages, PerLanguage, per_language};

/// The longest time that a page can wait before it asks.
const LONGEST_DELAY: Duration = Duration::from_hours(1);
/// The longest time after which somebody is asked again; `"never"` is longer.
const LONGEST_PAUSE: Duration = Duration::from_hours(10 * 366 * 24);
/// The most patterns of pages; they travel with the loader.
const PAGES: usize = 20;

/// How a survey appears, when, to whom, and how often.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Show {
    /// How it appears.
    pub mode: Mode,
    /// Where an overlay appears.
    pub position: Position,
    /// What makes it due, whichever comes first; as its mode says, if nothing is named.
    pub due: Due,
    /// Paths of the pages that may show it, with `*` for any characters; all, if empty.
    pub pages: Vec<String>,
    /// The devices that may show it; all, if empty.
    pub devices: Vec<Device>,
    /// How many of a hundred browsers are asked, if not all.
    pub sample: Option<u8>,
    /// When it is shown again; as its mode says, where nothing is named.
    pub again: Again,
    /// False if the browser is not to remember what was shown.
    pub remember: Option<bool>,
    /// What the button of a tab says.
    pub label: PerLanguage<String>,
}

/// How a survey appears on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// As a part of the page.
    #[default]
    Inline,
    /// As a card in a corner, which takes no focus.
    Popover,
    /// Over the page, which waits.
    Modal,
    /// As a button at the edge, which opens a card.
    Tab,
    /// Only when the page asks for it.
    None,
}

/// Where an overlay appears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Position {
    /// At the bottom, where lines end.
    #[default]
    BottomEnd,
    /// At the bottom, where lines start.
    BottomStart,
    /// At the top, where lines end.
    TopEnd,
    /// At the top, where lines start.
    TopStart,
}

/// What makes a survey due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// So long after the page was read.
    pub after: Option<Duration>,
    /// So much of the page has been seen, in percent.
    pub scroll: Option<u8>,
    /// The visitor seems to leave.
    pub exit: bool,
    /// A click on what this selector finds.
    pub click: Option<String>,
    /// An event of the page's own on `document`.
    pub event: Option<String>,
}

/// A class of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// Touched, and small.
    Phone,
    /// Touched, and larger.
    Tablet,
    /// With a mouse or the like.
    Desktop,
}

/// When a survey is shown again to one who has seen it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// After it was shown.
    pub shown: Option<Pause>,
    /// After it was closed without an answer.
    pub dismissed: Option<Pause>,
    /// After it was answered.
    pub answered: Option<Pause>,
}

/// For how long a survey is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// For so long.
    For(Duration),
    /// For ever.
    Never,
}

impl Mode {
    const WORDS: [(&'static str, Self); 5] = [
        ("inline", Self::Inline),
        ("popover", Self::Popover),
        ("modal", Self::Modal),
        ("tab", Self::Tab),
        ("none", Self::None),
    ];

    /// As tags and configurations write it.
    pub fn name(self) -> &'static str {
        name(&Self::WORDS, self)
    }
}

impl Position {
    const WORDS: [(&'static str, Self); 4] = [
        ("bottom-end", Self::BottomEnd),
        ("bottom-start", Self::BottomStart),
        ("top-end", Self::TopEnd),
        ("top-start", Self::TopStart),
    ];

    /// As tags and configurations write it.
    pub fn name(self) -> &'static str {
        name(&Self::WORDS, self)
    }
}

impl Device {
    const WORDS: [(&'static str, Self); 3] =
        [("phone", Self::Phone), ("tablet", Self::Tablet), ("desktop", Self::Desktop)];

    /// As tags and configurations write it.
    pub fn name(self) -> &'static str {
        name(&Self::WORDS, self)
    }
}

fn name<T: PartialEq + Copy>(words: &[(&'static str, T)], wanted: T) -> &'static str {
    words.iter().find(|(_, known)| *known == wanted).map_or("", |(word, _)| word)
}

pub(super) fn read(value: &Value<'_>, languages: &Languages) -> Option<Show> {
    let table = value.table()?;
    let mut show = Show::default();
    let mut complete = Some(());
    // Each key that is there is read, whatever became of the others.
    let mut with = |key, read: &mut dyn FnMut(&mut Show, &Value<'_>) -> Option<()>| {
        if let Some(value) = table.get(key)
            && read(&mut show, &value).is_none()
        {
            complete = None;
        }
    };
    with("mode", &mut |show, value| value.one_of(&Mode::WORDS).map(|mode| show.mode = mode));
    with("position", &mut |show, value| value.one_of(&Position::WORDS).map(|at| show.position = at));
    with("after", &mut |show, value| {
        value.duration(Duration::ZERO, LONGEST_DELAY).map(|after| show.due.after = Some(after))
    });
    with("scroll", &mut |show, value| percent(value).map(|scroll| show.due.scroll = Some(scroll)));
    with("exit", &mut |show, value| value.boolean().map(|exit| show.due.exit = exit));
    with("click", &mut |show, value| words(value).map(|click| show.due.click = Some(click)));
    with("event", &mut |show, value| words(value).map(|event| show.due.event = Some(event)));
    with("pages", &mut |show, value| pages(value).map(|pages| show.pages = pages));
    with("devices", &mut |show, value| {
        super::list(value, |value| value.one_of(&Device::WORDS)).map(|devices| show.devices = devices)
    });
    with("sample", &mut |show, value| percent(value).map(|sample| show.sample = Some(sample)));
    with("again", &mut |show, value| again(value).map(|again| show.again = again));
    with("remember", &mut |show, value| value.boolean().map(|remember| show.remember = Some(remember)));
    with("label", &mut |show, value| {
        per_language(value, languages, "label", words).map(|label| show.label = label)
    });
    let has_label = table.get("label").is_some();
    table.finish();
    complete?;
    if show.mode == Mode::Tab && !has_label {
        let hint = format!("add label = {}, in every language", languages.sample("…"));
        value.problem("a tab needs words on its button", hint);
        return None;
    }
    if show.mode == Mode::None && show.due != Due::default() {
        value.problem("with mode \"none\" nothing makes it due but the page", "remove the triggers");
        return None;
    }
    Some(show)
}

fn percent(value: &Value<'_>) -> Option<u8> {
    let percent = value.integer()?;
    let fits = u8::try_from(percent).ok().filter(|percent| *percent <= 100);
    if fits.is_none() {
        value.problem(format!("{percent} is no share of a hundred"), "use 0 to 100");
    }
    fits
}

fn pages(value: &Value<'_>) -> Option<Vec<String>> {
    let pages = super::list(value, |value| {
        let page = value.string()?;
        if !page.starts_with(['/', '*']) || page.contains(['?', '#']) || page.contains(char::is_whitespace) {
            value.problem(
                format!("{page:?} is no path"),
                "write \"/thanks\" or \"/orders/*\": what follows the host, without ? and #",
            );
            return None;
        }
        Some(as_in_an_address(page))
    })?;
    if pages.len() > PAGES {
        value.problem(format!("more than {PAGES} pages"), "use * for the part in which they differ");
        return None;
    }
    Some(pages)
}

/// A path as browsers have it in an address: what is not ASCII as its percent-encoded bytes.
fn as_in_an_address(path: &str) -> String {
    path.bytes().fold(String::new(), |mut written, byte| {
        if byte.is_ascii() {
            written.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            write!(written, "%{byte:02X}").ok();
        }
        written
    })
}

fn again(value: &Value<'_>) -> Option<Again> {
    let table = value.table()?;
    let pause = |key| {
        table.optional(key, |value| {
            if value.string()? == "never" {
                return Some(Pause::Never);
            }
            value.duration(Duration::ZERO, LONGEST_PAUSE).map(Pause::For)
        })
    };
    let (shown, dismissed, answered) = (pause("shown"), pause("dismissed"), pause("answered"));
    table.finish();
    Some(Again { shown: shown.ok()?, dismissed: dismissed.ok()?, answered: answered.ok()? })
}
