//! What the readers of the configuration ask for, table by table. The examples are those of one survey, in
//! Dutch and French; its GUIDs are invented.

use super::{Key, Section, Value, Without};
use crate::platform::{BASE_URL_IN_TOML, IMPORT_URL_IN_TOML};

/// A value for each of the example's languages.
macro_rules! both {
    ($nl:literal, $fr:literal) => {
        concat!("{ nl = \"", $nl, "\", fr = \"", $fr, "\" }")
    };
}

/// A table with a link.
macro_rules! link {
    (url: $url:expr, text: $text:expr $(,)?) => {
        Section {
            variant: "",
            doc: "A link that opens a page of its own.",
            keys: &[
                Key {
                    name: "url",
                    value: Value::PerLanguage(&WEB),
                    without: Without::Wrong,
                    doc: "The page's address.",
                    example: $url,
                },
                Key {
                    name: "text",
                    value: TEXTS,
                    without: Without::Wrong,
                    doc: "What is written on it.",
                    example: $text,
                },
            ],
        }
    };
}

const ID: Value = Value::Text("an id: 1 to 64 of a-z, 0-9, _ and -, a letter or a digit first");
const TEXTS: Value = Value::PerLanguage(&Value::Text("a text"));
const GUIDS: Value = Value::PerLanguage(&Value::Guid);
const VARIABLE: Value = Value::Text("the name of a variable of the environment");
const FILE: Value = Value::Text("the path of a file");
const PEM: Value = Value::Text("the path of a file in PEM form");
const ADDRESS: Value = Value::Text("an address and a port");
const WEB: Value = Value::Text("a web address");
const COLOR: Value = Value::Text("a colour: red, green and blue in hexadecimal");
const LIMIT: Value = Value::Limit(1, 1_000_000);
const NUMBER: Value = Value::Integer(1, 1_000_000);
/// Any whole number that can be read; a scale's steps are so.
const STEP: Value = Value::Integer(-2_147_483_648, 2_147_483_647);
const PERCENT: Value = Value::Integer(0, 100);
const PAUSE: Value = Value::Either(&[Value::Span("0s", "3660d"), Value::Words(&["never"])]);
const ASKED: Value = Value::Words(&["optional", "required"]);

const NONE: Without = Without::Otherwise("none");
const FALSE: Without = Without::Default("false");
const NOT_ASKED: Without = Without::Otherwise("not asked");

/// The file itself.
pub(super) static ROOT: Section = Section {
    variant: "",
    doc: "Where the server listens, where submissions wait, the platforms and the surveys. Paths that are \
          relative start at the file's own folder.",
    keys: &[
        Key {
            name: "store",
            value: Value::Text("sqlite: and the path of a file, or a PostgreSQL address without a password"),
            without: Without::Wrong,
            doc: "Where submissions wait: `\"sqlite:…\"`, a file on a local disk, or \
                  `\"postgres://user@host:5432/database\"`, which several servers may share. Read at \
                  the start only.",
            example: r#""sqlite:/var/lib/afterword/queue.db""#,
        },
        Key {
            name: "store_password_env",
            value: VARIABLE,
            without: Without::Otherwise("no password"),
            doc: "Holds the password that the database wants. Only with a PostgreSQL `store`, and not beside \
                  `store_password_file`.",
            example: r#""AFTERWORD_STORE_PASSWORD""#,
        },
        Key {
            name: "store_password_file",
            value: FILE,
            without: Without::Otherwise("no password"),
            doc: "Holds the password that the database wants. Only with a PostgreSQL `store`, and not beside \
                  `store_password_env`.",
            example: r#""/run/secrets/store_password""#,
        },
        Key {
            name: "store_ca_file",
            value: PEM,
            without: Without::Otherwise("the public ones"),
            doc: "The certificate authorities to trust for the database, and no others. Only with a \
                  PostgreSQL `store`.",
            example: r#""db-ca.pem""#,
        },
        Key {
            name: "listen",
            value: ADDRESS,
            without: Without::Default(r#""0.0.0.0:8080""#),
            doc: "Where browsers reach the server; `\"[::]:8080\"` for IPv6. Read at the start only.",
            example: r#""127.0.0.1:8080""#,
        },
        Key {
            name: "admin_listen",
            value: ADDRESS,
            without: Without::Default(r#""127.0.0.1:9090""#),
            doc: "Health, metrics and the status page; never public. An address that is not loopback needs \
                  `admin_token_env` or `admin_token_file`. Read at the start only.",
            example: r#""127.0.0.1:9090""#,
        },
        Key {
            name: "admin_token_env",
            value: VARIABLE,
            without: Without::Otherwise("no token"),
            doc: "Holds the secret that operators show. Not beside `admin_token_file`.",
            example: r#""AFTERWORD_ADMIN_TOKEN""#,
        },
        Key {
            name: "admin_token_file",
            value: FILE,
            without: Without::Otherwise("no token"),
            doc: "Holds the secret that operators show. Not beside `admin_token_env`.",
            example: r#""/run/secrets/admin_token""#,
        },
        Key {
            name: "admin_answers",
            value: Value::Boolean,
            without: FALSE,
            doc: "The operators' pages may show what visitors have answered.",
            example: "true",
        },
        Key {
            name: "public_url",
            value: WEB,
            without: NONE,
            doc: "Where browsers reach the server from outside; `afterword embed` writes it into its \
                  snippets.",
            example: r#""https://feedback.example.com""#,
        },
        Key {
            name: "trusted_proxies",
            value: Value::List(&Value::Text("an address, or a network in CIDR form")),
            without: Without::Default("[]"),
            doc: "Your reverse proxies, every one that a request goes through, and nobody else: only they \
                  may tell a visitor's address.",
            example: r#"["127.0.0.1", "10.0.0.0/28"]"#,
        },
        Key {
            name: "surveys",
            value: Value::Text("the path of a folder"),
            without: Without::Otherwise("`surveys`, where that is there"),
            doc: "A folder with more surveys: files that end in `.toml`, each with one `[[survey]]` or more \
                  and nothing else. A folder that is named has to be there.",
            example: r#""surveys""#,
        },
        Key {
            name: "queue",
            value: Value::Table(&QUEUE),
            without: Without::Otherwise("the defaults of its keys"),
            doc: "How much may wait, and what is kept. Read at the start only.",
            example: "",
        },
        Key {
            name: "limits",
            value: Value::Table(&LIMITS),
            without: Without::Otherwise("the defaults of its keys"),
            doc: "How much one visitor, and all of them together, may ask.",
            example: "",
        },
        Key {
            name: "platform",
            value: Value::Named("platform's name", &Value::Table(&PLATFORM)),
            without: Without::Wrong,
            doc: "Where answers go; one at least. The name, of the shape of an id, is yours: it names the \
                  lane in metrics, logs and in the store.",
            example: "",
        },
        Key {
            name: "survey",
            value: Value::Tables(&[&SURVEY]),
            without: Without::Wrong,
            doc: "What is asked where; may be left out where the folder of `surveys` has one.",
            example: "",
        },
    ],
};

/// `[queue]`.
static QUEUE: Section = Section {
    variant: "",
    doc: "How much may wait, and what is kept of what has arrived.",
    keys: &[
        Key {
            name: "max_entries",
            value: Value::Integer(1, 2_147_483_647),
            without: Without::Default("1000000"),
            doc: "The most answers that are neither delivered nor discarded; beyond it the server says 503, \
                  and browsers keep theirs.",
            example: "200000",
        },
        Key {
            name: "max_bytes",
            value: Value::Text("a whole number, and MiB, GiB or TiB"),
            without: Without::Default(r#""16GiB""#),
            doc: "What the store may use at most, likewise; SQLite's log comes on top.",
            example: r#""4GiB""#,
        },
        Key {
            name: "keep_delivered",
            value: Value::Span("0s", "30d"),
            without: Without::Default(r#""0s""#),
            doc: "For how long the content of a delivered answer is kept; `\"0s\"` forgets it on delivery.",
            example: r#""7d""#,
        },
    ],
};

/// `[limits]`.
static LIMITS: Section = Section {
    variant: "",
    doc: "What the public listener bears. One address is an IPv4 address, or the /64 of an IPv6 address; who \
          asks for more is answered with 429.",
    keys: &[
        Key {
            name: "visitor_per_minute",
            value: LIMIT,
            without: Without::Default("30"),
            doc: "Submissions from one address, in the long run.",
            example: "60",
        },
        Key {
            name: "visitor_burst",
            value: NUMBER,
            without: Without::Default("60"),
            doc: "Submissions from one address at once, after a while without any. Not beside \
                  `visitor_per_minute = false`.",
            example: "120",
        },
        Key {
            name: "requests_per_minute",
            value: LIMIT,
            without: Without::Default("1200"),
            doc: "All other requests from one address: loader, widget, definitions.",
            example: "2400",
        },
        Key {
            name: "requests_burst",
            value: NUMBER,
            without: Without::Default("600"),
            doc: "Those at once. Not beside `requests_per_minute = false`.",
            example: "1200",
        },
        Key {
            name: "connections",
            value: LIMIT,
            without: Without::Default("8192"),
            doc: "Connections that are open at a time, of all addresses together; fewer where the system has \
                  not enough file descriptors.",
            example: "4096",
        },
        Key {
            name: "connections_per_address",
            value: LIMIT,
            without: Without::Default("256"),
            doc: "Those of one address, unless it is one of `trusted_proxies`.",
            example: "128",
        },
    ],
};

/// `[platform.NAME]`.
static PLATFORM: Section = Section {
    variant: "",
    doc: "One token of Hello Customer: everything sent with it goes through one lane, at one pace. Do not \
          rename it while submissions wait.",
    keys: &[
        Key {
            name: "token_env",
            value: VARIABLE,
            without: Without::Wrong,
            doc: "Holds the token, which goes behind `Authorization: basic`. May be left out where \
                  `token_file` is there; not beside it. Each platform has a token of its own.",
            example: r#""HELLO_CUSTOMER_TOKEN""#,
        },
        Key {
            name: "token_file",
            value: FILE,
            without: Without::Otherwise("`token_env`"),
            doc: "Holds the token, in the place of `token_env`.",
            example: r#""/run/secrets/hello_customer_token""#,
        },
        Key {
            name: "base_url",
            value: WEB,
            without: Without::Default(BASE_URL_IN_TOML),
            doc: "Where calls start. `https://`, or `http://` to loopback.",
            example: BASE_URL_IN_TOML,
        },
        Key {
            name: "import_url",
            value: WEB,
            without: Without::Otherwise("`base_url`, with `/V2.0/` in the place of `/V1.0/`"),
            doc: "Where the call starts by which a survey is imported.",
            example: IMPORT_URL_IN_TOML,
        },
        Key {
            name: "allow_http",
            value: Value::Boolean,
            without: FALSE,
            doc: "Allows `http://` to other hosts than loopback; the token can then be read on the way.",
            example: "true",
        },
        Key {
            name: "ca_file",
            value: PEM,
            without: NONE,
            doc: "Certificate authorities to trust besides the public ones that are built in.",
            example: r#""proxy-ca.pem""#,
        },
        Key {
            name: "interval",
            value: Value::Span("1ms", "1h"),
            without: Without::Default(r#""1s""#),
            doc: "The least time between two calls as they arrive; the platform asks for one second.",
            example: r#""1s""#,
        },
        Key {
            name: "timeout",
            value: Value::Span("100ms", "10m"),
            without: Without::Default(r#""30s""#),
            doc: "How long a call may take.",
            example: r#""30s""#,
        },
        Key {
            name: "settle",
            value: Value::Span("0s", "7d"),
            without: Without::Default(r#""2h""#),
            doc: "For so long a look-up after a lost reply may still miss the answer.",
            example: r#""2h""#,
        },
    ],
};

/// `[[survey]]`.
static SURVEY: Section = Section {
    variant: "",
    doc: "What is asked, in which languages, on which pages, and where the answers go.",
    keys: &[
        Key {
            name: "id",
            value: ID,
            without: Without::Wrong,
            doc: "Its name on pages, in addresses and metrics. No two surveys share one.",
            example: r#""checkout""#,
        },
        Key {
            name: "platform",
            value: Value::Text("the NAME of a [platform.NAME]"),
            without: Without::Wrong,
            doc: "Where its answers go.",
            example: r#""main""#,
        },
        Key {
            name: "company",
            value: Value::Guid,
            without: Without::Wrong,
            doc: "The platform's company.",
            example: r#""03840c18-b502-4f29-b60e-2519fa47352a""#,
        },
        Key {
            name: "touchpoint",
            value: Value::Guid,
            without: Without::Wrong,
            doc: "The platform's touchpoint, also called campaign.",
            example: r#""d4994c4b-7a8a-4637-9831-25b4ce70a601""#,
        },
        Key {
            name: "origins",
            value: Value::List(&Value::Text(
                "an origin: scheme, host, and a port unless it is the usual one",
            )),
            without: Without::Wrong,
            doc: "The pages that may show it; no path, and no slash at the end. May be left out or empty \
                  with `allow_no_origin = true`.",
            example: r#"["https://shop.example", "https://www.shop.example"]"#,
        },
        Key {
            name: "allow_no_origin",
            value: Value::Boolean,
            without: FALSE,
            doc: "Takes submissions without an `Origin` header too, as from apps.",
            example: "true",
        },
        Key {
            name: "languages",
            value: Value::List(&Value::Text("the code of one of the platform's languages")),
            without: Without::Wrong,
            doc: "The languages it is offered in; the first is the fallback. Every text of the survey is \
                  there in each of them.",
            example: r#"["nl", "fr"]"#,
        },
        Key {
            name: "per_minute",
            value: NUMBER,
            without: Without::Otherwise("no limit"),
            doc: "Submissions that it takes from all visitors together; a minute's worth may come at once. \
                  Keep it well above `visitor_per_minute` of `[limits]`.",
            example: "600",
        },
        Key {
            name: "max_delay",
            value: Value::Span("1m", "30d"),
            without: Without::Otherwise("no limit"),
            doc: "How long an answer should wait at most for its call: nearer to it, fewer visitors are \
                  asked. An answer that comes is stored all the same.",
            example: r#""2h""#,
        },
        Key {
            name: "on_unknown",
            value: Value::Words(&["resend", "park"]),
            without: Without::Default(r#""resend""#),
            doc: "What happens to an answer that may or may not have arrived, and that cannot be looked up: \
                  `resend` sends it again, `park` sets it aside for an operator.",
            example: r#""park""#,
        },
        Key {
            name: "autoprogress",
            value: Value::Boolean,
            without: FALSE,
            doc: "A tap on the answer of a question that has one goes on to the next question. Not with \
                  `layout = \"page\"`.",
            example: "true",
        },
        Key {
            name: "layout",
            value: Value::Words(&["steps", "page"]),
            without: Without::Default(r#""steps""#),
            doc: "The questions one by one, or all on one page, where a summary leads to what is missing. \
                  `page` does not go with `autoprogress`.",
            example: r#""steps""#,
        },
        Key {
            name: "counts",
            value: Value::Boolean,
            without: FALSE,
            doc: "How far visitors come is counted: how many see it, answer each question, and send it. \
                  Nothing is kept of who they are.",
            example: "true",
        },
        Key {
            name: "language_switch",
            value: Value::Boolean,
            without: FALSE,
            doc: "A list of the survey's languages for the visitor to change to; what was answered stays. \
                  Only with two `languages` or more.",
            example: "true",
        },
        Key {
            name: "metadata",
            value: Value::Named(
                "platform's key",
                &Value::Either(&[
                    Value::Text("always this text"),
                    Value::Table(&METADATA_PAGE),
                    Value::Table(&METADATA_CONTEXT),
                ]),
            ),
            without: Without::Default("{}"),
            doc: "What goes along with each answer: up to 50 of the platform's keys, of 1 to 100 characters \
                  each. List `submission`: with it an answer can be found at the platform.",
            example: "{ shop = \"1\", \"number of pieces\" = { page = \"pieces\", required = false }, \
                      page = { context = \"page_url\" }, submission = { context = \"submission\" } }",
        },
        Key {
            name: "show",
            value: Value::Table(&SHOW),
            without: Without::Otherwise("a part of the page"),
            doc: "How it appears, when, to whom, and how often. The tag's attributes win over it.",
            example: "",
        },
        Key {
            name: "style",
            value: Value::Table(&STYLE),
            without: Without::Otherwise("the widget's own"),
            doc: "The looks of its brand.",
            example: "",
        },
        Key {
            name: "intro",
            value: Value::Table(&INTRO),
            without: NONE,
            doc: "What stands before the first question.",
            example: "",
        },
        Key {
            name: "question",
            value: Value::Tables(&[&QUESTION_SCORE, &QUESTION_TEXT, &QUESTION_YES_NO, &QUESTION_CHOICE]),
            without: Without::Wrong,
            doc: "What is asked, in the file's order: 1 to 100 questions.",
            example: "",
        },
        Key {
            name: "contact",
            value: Value::Table(&CONTACT),
            without: Without::Otherwise("nobody is asked"),
            doc: "How the visitor may be reached, asked behind the last question.",
            example: "",
        },
        Key {
            name: "thanks",
            value: Value::Tables(&[&THANKS]),
            without: Without::Otherwise("the widget's own"),
            doc: "What stands after the last question: at most 10 endings, of which a visitor sees the first \
                  whose `show_if` fits.",
            example: "",
        },
    ],
};

/// `[survey.metadata]`: a value that comes from the page.
static METADATA_PAGE: Section = Section {
    variant: r#"page = "…""#,
    doc: "A value that the page tells, of at most 1,000 characters. Nothing else of the page gets through.",
    keys: &[
        Key {
            name: "page",
            value: ID,
            without: Without::Wrong,
            doc: "The page's key, which becomes the attribute `meta-KEY`, or `data-meta-KEY` on the tag. Not \
                  beside `context`.",
            example: r#""pieces""#,
        },
        Key {
            name: "required",
            value: Value::Boolean,
            without: FALSE,
            doc: "A submission without it is refused.",
            example: "true",
        },
    ],
};

/// `[survey.metadata]`: a value that the server knows.
static METADATA_CONTEXT: Section = Section {
    variant: r#"context = "…""#,
    doc: "What the server knows about the visit; what is not known is left out.",
    keys: &[Key {
        name: "context",
        value: Value::Words(&["page_url", "referrer", "device", "language", "answered_at", "submission"]),
        without: Without::Wrong,
        doc: "The page's address or the one before, without query and fragment; `desktop`, `tablet` or \
              `mobile`; the language answered in; when it was answered; the submission's UUID. Not beside \
              `page`.",
        example: r#""page_url""#,
    }],
};

/// `[survey.show]`.
static SHOW: Section = Section {
    variant: "",
    doc: "How a survey appears, when, to whom, and how often. Of `after`, `scroll`, `exit`, `click` and \
          `event`, whichever comes first makes it due.",
    keys: &[
        Key {
            name: "mode",
            value: Value::Words(&["inline", "popover", "modal", "tab", "none"]),
            without: Without::Default(r#""inline""#),
            doc: "In the page, in a corner, over the page, as a button at the edge that opens a card, or \
                  only by `afterword.open()`. `tab` needs a `label`; `none` has nothing that makes it due.",
            example: r#""popover""#,
        },
        Key {
            name: "position",
            value: Value::Words(&["bottom-end", "bottom-start", "top-end", "top-start"]),
            without: Without::Default(r#""bottom-end""#),
            doc: "Where a popover or a tab's card appears; `end` is where lines end.",
            example: r#""bottom-start""#,
        },
        Key {
            name: "after",
            value: Value::Span("0s", "1h"),
            without: NONE,
            doc: "Due so long after the page was read. Not with `mode = \"none\"`.",
            example: r#""20s""#,
        },
        Key {
            name: "scroll",
            value: PERCENT,
            without: NONE,
            doc: "Due when so much of the page has been seen, in percent. Not with `mode = \"none\"`.",
            example: "50",
        },
        Key {
            name: "exit",
            value: Value::Boolean,
            without: FALSE,
            doc: "Due when the visitor seems to leave. Not with `mode = \"none\"`.",
            example: "true",
        },
        Key {
            name: "click",
            value: Value::Text("a CSS selector"),
            without: NONE,
            doc: "Due on a click on what this selector finds. Not with `mode = \"none\"`.",
            example: r##""#feedback""##,
        },
        Key {
            name: "event",
            value: Value::Text("the name of an event"),
            without: NONE,
            doc: "Due on this event of the page's own on `document`. Not with `mode = \"none\"`.",
            example: r#""order:placed""#,
        },
        Key {
            name: "pages",
            value: Value::List(&Value::Text("a path that begins with / or *, without ? and #")),
            without: Without::Default("[]"),
            doc: "Only on these paths, at most 20; `*` stands for any characters. An empty list is all \
                  pages.",
            example: r#"["/thanks", "/orders/*"]"#,
        },
        Key {
            name: "devices",
            value: Value::List(&Value::Words(&["phone", "tablet", "desktop"])),
            without: Without::Default("[]"),
            doc: "Only on these: `phone` and `tablet` are touched, `desktop` is not. An empty list is all \
                  devices.",
            example: r#"["phone", "desktop"]"#,
        },
        Key {
            name: "sample",
            value: PERCENT,
            without: Without::Otherwise("everybody"),
            doc: "How many of 100 browsers are asked, always the same ones.",
            example: "25",
        },
        Key {
            name: "remember",
            value: Value::Boolean,
            without: Without::Otherwise("true"),
            doc: "With `false` the browser stores nothing for these rules, and no draft.",
            example: "false",
        },
        Key {
            name: "label",
            value: TEXTS,
            without: NONE,
            doc: "What a tab's button says. Needed with `mode = \"tab\"`.",
            example: both!("Uw mening", "Votre avis"),
        },
        Key {
            name: "again",
            value: Value::Table(&AGAIN),
            without: Without::Otherwise("as the `mode` says"),
            doc: "When it is shown again to one who has seen it.",
            example: "",
        },
    ],
};

/// `[survey.show.again]`.
static AGAIN: Section = Section {
    variant: "",
    doc: "For how long a survey is not shown again; `\"never\"` is for ever.",
    keys: &[
        Key {
            name: "shown",
            value: PAUSE,
            without: Without::Otherwise("at any time"),
            doc: "After it was shown.",
            example: r#""7d""#,
        },
        Key {
            name: "dismissed",
            value: PAUSE,
            without: Without::Otherwise("30 days for a popover and a modal, else at any time"),
            doc: "After it was closed without an answer.",
            example: r#""30d""#,
        },
        Key {
            name: "answered",
            value: PAUSE,
            without: Without::Otherwise("never for a popover and a modal, else at any time"),
            doc: "After it was answered.",
            example: r#""never""#,
        },
    ],
};

/// `[survey.style]`.
static STYLE: Section = Section {
    variant: "",
    doc: "The looks of a brand. A page can still say otherwise.",
    keys: &[
        Key {
            name: "brand",
            value: COLOR,
            without: Without::Otherwise("the widget's blue"),
            doc: "The choice made, the way forward, progress: `\"#00754a\"` or `\"#074\"`. It is darkened or \
                  lightened where it could not be read.",
            example: r##""#00754a""##,
        },
        Key {
            name: "brand_dark",
            value: COLOR,
            without: Without::Otherwise("a lighter `brand`"),
            doc: "The same on dark.",
            example: r##""#4ecb9b""##,
        },
        Key {
            name: "theme",
            value: Value::Words(&["auto", "light", "dark"]),
            without: Without::Default(r#""auto""#),
            doc: "Light or dark; `auto` as the visitor's system says.",
            example: r#""light""#,
        },
        Key {
            name: "radius",
            value: Value::Integer(0, 32),
            without: Without::Otherwise("14"),
            doc: "The card's corners, in pixels; buttons and fields follow.",
            example: "6",
        },
        Key {
            name: "font",
            value: Value::Text("a list of fonts, as CSS writes it, of at most 200 characters"),
            without: Without::Otherwise("the system's"),
            doc: "They have to be on the page already: nothing is loaded.",
            example: r#""Inter, system-ui, sans-serif""#,
        },
    ],
};

/// `[survey.intro]`.
static INTRO: Section = Section {
    variant: "",
    doc: "What stands before the first question. Who comes back to a draft does not see it again.",
    keys: &[
        Key {
            name: "title",
            value: TEXTS,
            without: Without::Wrong,
            doc: "A line that says what this is.",
            example: both!("Hoe was het bij ons?", "Comment s’est passée votre visite ?"),
        },
        Key {
            name: "text",
            value: TEXTS,
            without: NONE,
            doc: "More about it.",
            example: both!("Vier korte vragen.", "Quatre questions courtes."),
        },
        Key {
            name: "button",
            value: TEXTS,
            without: Without::Wrong,
            doc: "Leads to the first question.",
            example: both!("Beginnen", "Commencer"),
        },
    ],
};

/// `[[survey.thanks]]`.
static THANKS: Section = Section {
    variant: "",
    doc: "An ending, in the place of the widget's own thanks. One without `show_if` is for everybody, and \
          comes last.",
    keys: &[
        Key {
            name: "show_if",
            value: Value::Condition,
            without: Without::Otherwise("everybody"),
            doc: "For whom.",
            example: r#"{ question = "recommend", at_least = 9 }"#,
        },
        Key {
            name: "title",
            value: TEXTS,
            without: Without::Wrong,
            doc: "A line that thanks. `{recommend}` in it repeats the answer to that question.",
            example: both!("Fijn om te horen!", "Cela fait plaisir à entendre !"),
        },
        Key {
            name: "text",
            value: TEXTS,
            without: NONE,
            doc: "More about it; may repeat answers as well.",
            example: both!("Vertel het gerust verder.", "N’hésitez pas à en parler autour de vous."),
        },
        Key {
            name: "link",
            value: Value::Table(&THANKS_LINK),
            without: NONE,
            doc: "Where to go from here.",
            example: "",
        },
    ],
};

/// `[survey.thanks.link]`.
static THANKS_LINK: Section = link! {
    url: both!("https://shop.example/vrienden", "https://shop.example/amis"),
    text: both!("Nodig een vriend uit", "Inviter un proche"),
};

/// `[survey.contact]`.
static CONTACT: Section = Section {
    variant: "",
    doc: "How the visitor may be reached: only who agrees to `consent` sees the fields. At least one of \
          `first_name`, `last_name`, `email` and `phone` has to be here.",
    keys: &[
        Key {
            name: "title",
            value: TEXTS,
            without: Without::Wrong,
            doc: "A line that asks for it.",
            example: both!("Mogen we u hierover contacteren?", "Pouvons-nous vous contacter à ce sujet ?"),
        },
        Key {
            name: "text",
            value: TEXTS,
            without: NONE,
            doc: "More about it.",
            example: both!(
                "We gebruiken dit alleen om op uw antwoord terug te komen.",
                "Nous l’utilisons uniquement pour revenir sur votre réponse."
            ),
        },
        Key {
            name: "consent",
            value: TEXTS,
            without: Without::Wrong,
            doc: "What the visitor agrees to.",
            example: both!("Ja, neem contact met mij op", "Oui, vous pouvez me contacter"),
        },
        Key {
            name: "show_if",
            value: Value::Condition,
            without: Without::Otherwise("everybody"),
            doc: "Of whom it is asked.",
            example: r#"{ question = "recommend", at_most = 6 }"#,
        },
        Key {
            name: "first_name",
            value: ASKED,
            without: NOT_ASKED,
            doc: "The first name.",
            example: r#""optional""#,
        },
        Key {
            name: "last_name",
            value: ASKED,
            without: NOT_ASKED,
            doc: "The last name.",
            example: r#""optional""#,
        },
        Key {
            name: "email",
            value: ASKED,
            without: NOT_ASKED,
            doc: "The e-mail address.",
            example: r#""required""#,
        },
        Key {
            name: "phone",
            value: ASKED,
            without: NOT_ASKED,
            doc: "The phone number.",
            example: r#""optional""#,
        },
        Key {
            name: "link",
            value: Value::Table(&CONTACT_LINK),
            without: NONE,
            doc: "Where to read what becomes of it.",
            example: "",
        },
    ],
};

/// `[survey.contact.link]`.
static CONTACT_LINK: Section = link! {
    url: both!("https://shop.example/nl/privacy", "https://shop.example/fr/privacy"),
    text: both!("Hoe we met uw gegevens omgaan", "Comment nous traitons vos données"),
};

/// A `[[survey.question]]` of one kind: the keys of every question, then its own.
macro_rules! question {
    (
        kind: $kind:literal, doc: $doc:literal,
        id: $id:literal, text: $text:expr, hint: $hint:expr, guid: $guid:expr, show_if: $show_if:expr,
        own: [$($own:expr),* $(,)?]
    ) => {
        Section {
            variant: concat!("kind = \"", $kind, "\""),
            doc: $doc,
            keys: &[
                Key {
                    name: "id",
                    value: ID,
                    without: Without::Wrong,
                    doc: "Its name between page and server. No two questions of a survey share one.",
                    example: concat!("\"", $id, "\""),
                },
                Key {
                    name: "kind",
                    value: Value::Words(&["score", "text", "yes_no", "choice"]),
                    without: Without::Wrong,
                    doc: "How it is answered.",
                    example: concat!("\"", $kind, "\""),
                },
                Key {
                    name: "text",
                    value: TEXTS,
                    without: Without::Wrong,
                    doc: "What is asked. `{recommend}` in it repeats the answer to that earlier question.",
                    example: $text,
                },
                Key {
                    name: "guid",
                    value: GUIDS,
                    without: Without::Wrong,
                    doc: "The platform's GUID of the question in that language. It may stand only once in a \
                          survey.",
                    example: $guid,
                },
                Key {
                    name: "hint",
                    value: TEXTS,
                    without: NONE,
                    doc: "A second, quieter line; may repeat answers as well.",
                    example: $hint,
                },
                Key {
                    name: "required",
                    value: Value::Boolean,
                    without: FALSE,
                    doc: "It has to be answered, where it is shown.",
                    example: "true",
                },
                Key {
                    name: "show_if",
                    value: Value::Condition,
                    without: Without::Otherwise("always"),
                    doc: "When it is shown, by the answers to earlier questions; not on the first one.",
                    example: $show_if,
                },
                $($own),*
            ],
        }
    };
}

/// `[[survey.question]]`, a step of a scale.
static QUESTION_SCORE: Section = question! {
    kind: "score", doc: "A step of a scale; the platform gets a number.",
    id: "recommend",
    text: both!(
        "Hoe waarschijnlijk is het dat u ons aanbeveelt?",
        "Quelle est la probabilité que vous nous recommandiez ?"
    ),
    hint: both!("Eén tik is genoeg.", "Un seul geste suffit."),
    guid: both!("ADB06B4F-2F3B-4331-A058-4267E417BFBE", "2C4D3374-D7B1-4906-B85F-AE62C150EE46"),
    show_if: r#"{ question = "again", is = true }"#,
    own: [
        Key {
            name: "scale",
            value: Value::Words(&["nps", "csat", "ces"]),
            without: Without::Wrong,
            doc: "0 to 10, 1 to 5, or 1 to 7. May be left out where both `min` and `max` are there; not \
                  beside them.",
            example: r#""nps""#,
        },
        Key {
            name: "min",
            value: STEP,
            without: Without::Otherwise("as `scale` says"),
            doc: "The lowest step, in the place of `scale`. Only together with `max`.",
            example: "1",
        },
        Key {
            name: "max",
            value: STEP,
            without: Without::Otherwise("as `scale` says"),
            doc: "The highest step; 2 to 11 of them, from `min`. Only together with `min`.",
            example: "10",
        },
        Key {
            name: "low",
            value: TEXTS,
            without: NONE,
            doc: "What the lowest step means. Not beside `labels`.",
            example: both!("Heel onwaarschijnlijk", "Pas du tout probable"),
        },
        Key {
            name: "high",
            value: TEXTS,
            without: NONE,
            doc: "What the highest step means. Not beside `labels`.",
            example: both!("Heel waarschijnlijk", "Très probable"),
        },
        Key {
            name: "labels",
            value: Value::List(&TEXTS),
            without: NONE,
            doc: "What each step means, the lowest first, in the place of `low` and `high`. One for each \
                  step.",
            example: concat!(
                "[",
                both!("Zeker niet", "Certainement pas"), ", ",
                both!("Bijna zeker niet", "Presque certainement pas"), ", ",
                both!("Heel onwaarschijnlijk", "Très improbable"), ", ",
                both!("Onwaarschijnlijk", "Improbable"), ", ",
                both!("Eerder onwaarschijnlijk", "Plutôt improbable"), ", ",
                both!("Misschien", "Peut-être"), ", ",
                both!("Eerder waarschijnlijk", "Plutôt probable"), ", ",
                both!("Waarschijnlijk", "Probable"), ", ",
                both!("Heel waarschijnlijk", "Très probable"), ", ",
                both!("Bijna zeker", "Presque certainement"), ", ",
                both!("Zeker", "Certainement"),
                "]"
            ),
        },
        Key {
            name: "look",
            value: Value::Words(&["numbers", "stars", "smileys", "list"]),
            without: Without::Default(r#""numbers""#),
            doc: "What the steps look like. `stars` begin at 1 and are at most 10; `smileys` are at most 7, \
                  and need `labels`, or both `low` and `high`; a `list` has them one below the other, in \
                  words.",
            example: r#""list""#,
        },
        Key {
            name: "colors",
            value: Value::Boolean,
            without: FALSE,
            doc: "The steps go from red over yellow to green. Colours suggest an answer: leave them out \
                  where the figure has to be compared with that of others.",
            example: "true",
        },
    ]
};

/// `[[survey.question]]`, the visitor's own words.
static QUESTION_TEXT: Section = question! {
    kind: "text", doc: "The visitor's own words.",
    id: "why",
    text: both!("Wat kunnen we beter doen?", "Que pourrions-nous améliorer ?"),
    hint: both!("Eén zin is al genoeg.", "Une phrase suffit."),
    guid: both!("C5317873-0984-40C6-A516-4C9A917DD3AC", "A972E788-D16B-435A-8199-6276A2BA848A"),
    show_if: r#"{ question = "recommend", at_most = 6 }"#,
    own: [
        Key {
            name: "max_length",
            value: Value::Integer(1, 10_000),
            without: Without::Default("2000"),
            doc: "The longest answer, in characters; all texts of a survey together at most 12,000.",
            example: "500",
        },
    ]
};

/// `[[survey.question]]`, yes or no.
static QUESTION_YES_NO: Section = question! {
    kind: "yes_no", doc: "Yes or no.",
    id: "again",
    text: both!("Zou u nog eens bij ons bestellen?", "Commanderiez-vous à nouveau chez nous ?"),
    hint: both!("Denk aan uw laatste bestelling.", "Pensez à votre dernière commande."),
    guid: both!("DBBFF912-4A72-428E-A425-1A29161D7C06", "88E57269-56A1-49DF-B38D-D58AB34694B9"),
    show_if: r#"{ question = "recommend", answered = true }"#,
    own: []
};

/// `[[survey.question]]`, one or several of a list.
static QUESTION_CHOICE: Section = question! {
    kind: "choice", doc: "One or several of a list; the platform gets a list of values, also with one.",
    id: "found",
    text: both!("Hoe hebt u ons gevonden?", "Comment nous avez-vous connus ?"),
    hint: both!("Kies wat het best past.", "Choisissez ce qui convient le mieux."),
    guid: both!("2CD33FB8-35C2-4E24-B40D-979613E91EC6", "D3359D36-15E3-42E5-A6AB-7EF802FF55B7"),
    show_if: r#"{ all = [{ question = "recommend", at_least = 7 }, { question = "again", is = true }] }"#,
    own: [
        Key {
            name: "several",
            value: Value::Boolean,
            without: FALSE,
            doc: "Allows more than one.",
            example: "true",
        },
        Key {
            name: "min",
            value: Value::Integer(1, 200),
            without: NONE,
            doc: "The fewest that may be chosen, where any is. Only with `several = true`, and no more than \
                  there are options.",
            example: "1",
        },
        Key {
            name: "max",
            value: Value::Integer(1, 200),
            without: NONE,
            doc: "The most that may be chosen. Only with `several = true`, and no more than there are \
                  options.",
            example: "2",
        },
        Key {
            name: "shuffle",
            value: Value::Boolean,
            without: FALSE,
            doc: "Gives each visitor an order of their own, which stays the same while they answer.",
            example: "true",
        },
        Key {
            name: "search",
            value: Value::Boolean,
            without: Without::Otherwise("true from 16 options on"),
            doc: "The visitor can search the options, whatever the case and the accents.",
            example: "true",
        },
        Key {
            name: "options",
            value: Value::List(&Value::Table(&OPTION)),
            without: Without::Wrong,
            doc: "What there is to choose from: 2 to 200, in their order.",
            example: concat!(
                "[{ id = \"web\", text = ",
                both!("Via een zoekmachine", "Grâce à un moteur de recherche"),
                " }, { id = \"shop\", text = ",
                both!("In de winkel", "En magasin"),
                " }, { id = \"other\", text = ",
                both!("Ergens anders", "Autrement"),
                ", other = { guid = ",
                both!("EBEFC594-55A6-4959-8EF7-66BE58622402", "39C65B19-A273-432C-8F72-7E7A391CFB48"),
                " } }]"
            ),
        },
    ]
};

/// One of `options`.
static OPTION: Section = Section {
    variant: "",
    doc: "One option of a choice.",
    keys: &[
        Key {
            name: "id",
            value: ID,
            without: Without::Wrong,
            doc: "Its name between page and server. No two options of a question share one.",
            example: r#""web""#,
        },
        Key {
            name: "text",
            value: TEXTS,
            without: Without::Wrong,
            doc: "What the visitor reads.",
            example: both!("Via een zoekmachine", "Grâce à un moteur de recherche"),
        },
        Key {
            name: "value",
            value: TEXTS,
            without: Without::Otherwise("the `text`"),
            doc: "What the platform gets.",
            example: both!("Zoekmachine", "Moteur de recherche"),
        },
        Key {
            name: "fixed",
            value: Value::Boolean,
            without: Without::Otherwise("true with `other`, else false"),
            doc: "It stays in its place where the others are shuffled.",
            example: "true",
        },
        Key {
            name: "other",
            value: Value::Table(&OTHER),
            without: Without::Otherwise("it takes no words"),
            doc: "Who chooses it may say in up to 200 characters what they mean. Only on one option of a \
                  question.",
            example: "",
        },
    ],
};

/// `other` of an option.
static OTHER: Section = Section {
    variant: "",
    doc: "The platform's text question that takes the words.",
    keys: &[Key {
        name: "guid",
        value: GUIDS,
        without: Without::Wrong,
        doc: "That question's GUID in each language. It may stand only once in a survey.",
        example: both!("8D3574F7-4A2A-4E67-9948-C8955D83A46A", "ADE60F11-3956-4004-9EED-E57F39572C01"),
    }],
};

/// A table with a test of an earlier answer, and with more keys.
macro_rules! condition {
    (doc: $doc:literal, question: $without:expr, more: [$($more:expr),* $(,)?]) => {
        Section {
            variant: "",
            doc: $doc,
            keys: &[
                Key {
                    name: "question",
                    value: Value::Text("the id of an earlier question"),
                    without: $without,
                    doc: "Whose answer is looked at.",
                    example: r#""recommend""#,
                },
                Key {
                    name: "at_least",
                    value: STEP,
                    without: NONE,
                    doc: "The score is this or more. Only for a score, and a step of its scale.",
                    example: "9",
                },
                Key {
                    name: "at_most",
                    value: STEP,
                    without: NONE,
                    doc: "The score is this or less. Only for a score, and a step of its scale.",
                    example: "6",
                },
                Key {
                    name: "is",
                    value: Value::Either(&[STEP, Value::Boolean, Value::Text("the id of an option")]),
                    without: NONE,
                    doc: "The answer is exactly this: a score's step, yes or no, or one option alone. Not \
                          for a text.",
                    example: "10",
                },
                Key {
                    name: "includes",
                    value: Value::Text("the id of an option"),
                    without: NONE,
                    doc: "The options chosen include this one. Only for a choice.",
                    example: r#""web""#,
                },
                Key {
                    name: "answered",
                    value: Value::Boolean,
                    without: NONE,
                    doc: "There is an answer, or there is none. A question that is hidden has none.",
                    example: "true",
                },
                $($more),*
            ],
        }
    };
}

/// `show_if`, wherever it stands.
pub(super) static CONDITION: Section = condition! {
    doc: "An earlier question and one test of its answer; or several of these, in `all` or in `any`.",
    question: Without::Otherwise("needed, unless `all` or `any` is there"),
    more: [
        Key {
            name: "all",
            value: Value::List(&Value::Table(&TEST)),
            without: NONE,
            doc: "Every one of these holds; one at least. With it there is no other key.",
            example: r#"[{ question = "recommend", at_most = 6 }, { question = "again", is = false }]"#,
        },
        Key {
            name: "any",
            value: Value::List(&Value::Table(&TEST)),
            without: NONE,
            doc: "One of these holds; one at least. With it there is no other key.",
            example: r#"[{ question = "found", includes = "web" }, { question = "why", answered = true }]"#,
        },
    ]
};

/// One of several conditions.
pub(super) static TEST: Section = condition! {
    doc: "An earlier question and one test of its answer.",
    question: Without::Wrong,
    more: []
};
