//! The demo's shop: an invented boutique whose two pages ask a survey each.
//!
//! The pages are what an integrator would write: the order's page has the script tag where the
//! survey belongs, the delivery's page has the element and one plain tag in its head. They come
//! from another origin than Afterword's server and under a strict policy, as on a real site. This
//! module knows nothing of surveys, queues or platforms.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use shared::{Direction, Language};

/// The style sheet of both pages, to be served at `/shop.css`.
pub(super) const STYLE: &str = include_str!("shop.css");

/// The tags of the languages that the shop speaks; the first is the one to fall back to.
pub(super) const LANGUAGES: [&str; 4] = ["nl", "fr", "en", "ar"];

/// One of the shop's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// Thanks for an order; served at `/`.
    Order,
    /// Tells that a parcel has arrived; served at `/delivery`.
    Delivery,
}

/// What a page is made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// The origin of Afterword's server.
    pub(super) server: &'a str,
    /// One of [`LANGUAGES`]; any other shows the shop in the first of them.
    pub(super) language: Language,
    /// The page.
    pub(super) page: Page,
    /// Where the sandbox shows what arrives.
    pub(super) arrivals: &'a str,
    /// Where the server shows its status.
    pub(super) status: &'a str,
}

/// The `Content-Security-Policy` of both pages: the least that a page with the widget needs.
pub(super) fn csp(server: &str) -> String {
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; \
         script-src {server} 'wasm-unsafe-eval'; connect-src {server}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// One page of the shop, whole.
pub(super) fn page(view: &View) -> Markup {
    let texts = texts(view.language);
    let heading = match view.page {
        Page::Order => texts.thanks,
        Page::Delivery => texts.arrived,
    };
    let direction = match Language::matching(texts.tag).map(Language::direction) {
        Some(Direction::RightToLeft) => "rtl",
        _ => "ltr",
    };
    html! {
        (DOCTYPE)
        html lang=(texts.tag) dir=(direction) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (heading) " · Ostrelle" }
                link rel="icon" href=(ICON);
                link rel="stylesheet" href="/shop.css";
                @if view.page == Page::Delivery {
                    script async src={ (view.server) "/widget.js" } {}
                }
            }
            body {
                (header(view.page, texts))
                main class="columns" {
                    div class="story" {
                        @match view.page {
                            Page::Order => (order(view.server, texts)),
                            Page::Delivery => (delivery(texts)),
                        }
                    }
                    section class="receipt" aria-labelledby="receipt" {
                        @match view.page {
                            Page::Order => (basket(texts)),
                            Page::Delivery => (parcel(texts)),
                        }
                    }
                }
                (footer(view, texts))
            }
        }
    }
}

fn header(page: Page, texts: &Texts) -> Markup {
    let here = |it: Page| (it == page).then_some("page");
    html! {
        header {
            p class="banner" { (texts.banner) }
            div class="bar" {
                a class="wordmark" href={ "/?lang=" (texts.tag) } lang="en" dir="ltr" { "Ostrelle" }
                nav class="pages" aria-label=(texts.menu) {
                    a href={ "/?lang=" (texts.tag) } aria-current=[here(Page::Order)] { (texts.order) }
                    a href={ "/delivery?lang=" (texts.tag) } aria-current=[here(Page::Delivery)] { (texts.delivery) }
                }
                nav class="languages" aria-label=(texts.languages) {
                    @for language in LANGUAGES.into_iter().filter_map(Language::matching) {
                        a href={ (path(page)) "?lang=" (language) } hreflang=(language) title=(language.endonym())
                            aria-current=[(language.tag() == texts.tag).then_some("true")] { (language.culture()) }
                    }
                }
            }
        }
    }
}

fn order(server: &str, texts: &Texts) -> Markup {
    html! {
        p class="eyebrow" { (texts.number) " " bdi { "OS-20417" } }
        h1 { (texts.thanks) }
        p class="lead" { (texts.thanks_lead) }
        div class="survey" {
            script async src={ (server) "/widget.js?survey=checkout" } data-meta-pieces="3" {}
        }
    }
}

fn delivery(texts: &Texts) -> Markup {
    html! {
        p class="eyebrow" { (texts.number) " " bdi { "OS-20389" } }
        h1 { (texts.arrived) }
        p class="lead" { (texts.arrived_lead) }
        div class="survey" {
            afterword-survey survey="delivery" meta-pieces="1" {}
        }
    }
}

fn basket(texts: &Texts) -> Markup {
    html! {
        (receipt_head(texts.your_order, texts.three))
        ul class="items" {
            (item(Some(VASE), texts.vase, &price(texts.tag, 48)))
            (item(Some(BOWL), texts.bowl, &price(texts.tag, 34)))
            (item(Some(LINEN), texts.towel, &price(texts.tag, 18)))
        }
        dl class="sums" {
            div { dt { (texts.subtotal) } dd { (price(texts.tag, 100)) } }
            div { dt { (texts.shipping) } dd { (texts.free) } }
            div class="total" { dt { (texts.total) } dd { (price(texts.tag, 100)) } }
        }
        (steps(texts, 1))
    }
}

fn parcel(texts: &Texts) -> Markup {
    html! {
        (receipt_head(texts.in_parcel, texts.one))
        div class="still" aria-hidden="true" { (PreEscaped(STILL)) }
        ul class="items" { (item(None, texts.vase, &price(texts.tag, 48))) }
        (steps(texts, 4))
        div class="care" {
            h3 { (texts.care) }
            p { (texts.care_more) }
        }
    }
}

fn receipt_head(heading: &str, pieces: &str) -> Markup {
    html! {
        div class="receipt-head" {
            h2 id="receipt" { (heading) }
            p { (pieces) }
        }
    }
}

fn item(art: Option<&str>, (name, note): (&str, &str), price: &str) -> Markup {
    html! {
        li {
            @if let Some(art) = art {
                span class="tile" aria-hidden="true" { (PreEscaped(art)) }
            }
            span class="name" { (name) small { (note) } }
            span class="price" { (price) }
        }
    }
}

/// The way of a parcel, of which `done` steps are behind it.
fn steps(texts: &Texts, done: usize) -> Markup {
    html! {
        ol class="steps" {
            @for (position, step) in texts.steps.iter().enumerate() {
                li class=[(position < done).then_some("done")]
                    aria-current=[(position + 1 == done).then_some("step")] { (step) }
            }
        }
    }
}

fn footer(view: &View, texts: &Texts) -> Markup {
    html! {
        footer class="foot" {
            p { (texts.tagline) }
            p class="demo" {
                (texts.demo) " "
                a href=(view.arrivals) { (texts.arrivals) } " · " a href=(view.status) { (texts.status) }
            }
        }
    }
}

fn path(page: Page) -> &'static str {
    match page {
        Page::Order => "/",
        Page::Delivery => "/delivery",
    }
}

/// Whole euros as the language writes them.
fn price(tag: &str, euros: u32) -> String {
    match tag {
        "nl" => format!("€\u{a0}{euros},00"),
        "fr" => format!("{euros},00\u{a0}€"),
        "ar" => format!("{euros}.00\u{a0}€"),
        _ => format!("€{euros}.00"),
    }
}

const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E\
    %3Crect width='32' height='32' rx='8' fill='%23445e4e'/%3E\
    %3Ccircle cx='16' cy='16' r='7.5' fill='none' stroke='%23f7f3ec' stroke-width='3'/%3E%3C/svg%3E";

const VASE: &str = r#"<svg viewBox="0 0 64 64"><path class="stem" d="M32 25C32 17 36 11 42 8M32 25C31 19 28 14 23 12"/><path class="leaf" d="M42 8c-1 4-4 6-8 6 1-4 4-6 8-6zM23 12c1 3 3 5 7 5-1-3-4-5-7-5z"/><path class="sage" d="M28 24h8c0 5 9 8 9 19 0 7-4 13-7 13H26c-3 0-7-6-7-13 0-11 9-14 9-19z"/><path class="shade" d="M36 24c0 5 9 8 9 19 0 7-4 13-7 13h-4c3 0 6-6 6-13 0-11-7-14-7-19z"/></svg>"#;

const BOWL: &str = r#"<svg viewBox="0 0 64 64"><path class="sand" d="M9 27h46c0 15-9 24-18 25v3H27v-3C18 51 9 42 9 27z"/><path class="shade" d="M45 27h10c0 15-9 24-18 25v3h-4v-3c8-3 12-12 12-25z"/><ellipse class="rim" cx="32" cy="27" rx="23" ry="5"/></svg>"#;

const LINEN: &str = r#"<svg viewBox="0 0 64 64"><path class="oat" d="M14 14h36v38c-3 2-6-1-9 0s-6 2-9 0-6-1-9 0-6 2-9 0z"/><path class="shade" d="M41 14h9v38c-3 2-6-1-9 0z"/><path class="stripe" d="M14 40h36M14 44h36"/><path class="stem" d="M32 14c-4 0-4-6 0-6s4 6 0 6"/></svg>"#;

const STILL: &str = r#"<svg viewBox="0 0 360 200"><circle class="sun" cx="246" cy="86" r="62"/><path class="table" d="M0 164h360v36H0z"/><path class="box" d="M58 92h124v72H58z"/><path class="shade" d="M142 92h40v72h-40z"/><path class="flap" d="M58 92 40 74h60l20 18zM182 92l18-18h-60l-20 18z"/><path class="label" d="M72 128h34v20H72z"/><path class="stem" d="M246 84c0-22 10-40 28-50M246 84c-2-18-10-32-26-38M246 78c2-20 0-34-4-48"/><path class="leaf" d="M274 34c-2 12-10 18-22 19 3-12 11-18 22-19zM220 46c3 10 10 15 21 15-4-10-11-15-21-15zM242 30c6 8 7 16 2 26-5-9-6-18-2-26z"/><path class="sage" d="M234 82h24c0 14 26 24 26 52 0 16-9 30-16 30h-44c-7 0-16-14-16-30 0-28 26-38 26-52z"/><path class="shade" d="M258 82c0 14 26 24 26 52 0 16-9 30-16 30h-14c9 0 16-14 16-30 0-28-21-38-21-52z"/></svg>"#;

/// What the shop says in one language.
struct Texts {
    tag: &'static str,
    banner: &'static str,
    tagline: &'static str,
    menu: &'static str,
    languages: &'static str,
    order: &'static str,
    delivery: &'static str,
    number: &'static str,
    thanks: &'static str,
    thanks_lead: &'static str,
    arrived: &'static str,
    arrived_lead: &'static str,
    your_order: &'static str,
    in_parcel: &'static str,
    three: &'static str,
    one: &'static str,
    vase: (&'static str, &'static str),
    bowl: (&'static str, &'static str),
    towel: (&'static str, &'static str),
    subtotal: &'static str,
    shipping: &'static str,
    free: &'static str,
    total: &'static str,
    steps: [&'static str; 4],
    care: &'static str,
    care_more: &'static str,
    demo: &'static str,
    arrivals: &'static str,
    status: &'static str,
}

fn texts(language: Language) -> &'static Texts {
    match language.tag() {
        "fr" => &FRENCH,
        "en" => &ENGLISH,
        "ar" => &ARABIC,
        _ => &DUTCH,
    }
}

static DUTCH: Texts = Texts {
    tag: "nl",
    banner: "Gratis levering vanaf € 60 · 14 dagen bedenktijd",
    tagline: "Keramiek en linnen, in kleine oplages gemaakt",
    menu: "Uw aankopen",
    languages: "Taal",
    order: "Bestelling",
    delivery: "Levering",
    number: "Bestelling",
    thanks: "Bedankt voor uw bestelling",
    thanks_lead: "We pakken alles met de hand in. De bevestiging zit in uw mailbox, en morgen staat uw pakket voor de deur.",
    arrived: "Uw pakket is aangekomen",
    arrived_lead: "Vandaag om 10.42 uur afgeleverd aan uw voordeur. Veel plezier ermee!",
    your_order: "Uw bestelling",
    in_parcel: "In dit pakket",
    three: "3 stuks",
    one: "1 stuk",
    vase: ("Vaas Mira", "Steengoed, salie"),
    bowl: ("Schaal Tarn", "Steengoed, zand"),
    towel: ("Theedoek Avena", "Gewassen linnen, haver"),
    subtotal: "Subtotaal",
    shipping: "Verzending",
    free: "Gratis",
    total: "Totaal",
    steps: ["Besteld", "Ingepakt", "Onderweg", "Geleverd"],
    care: "Goed om te weten",
    care_more: "Spoel de vaas voor het eerste gebruik om met lauw water. Daarna mag ze gewoon in de vaatwasser.",
    demo: "Ostrelle bestaat niet: dit is de demo van Afterword. Uw antwoorden gaan naar een proefplatform op deze computer.",
    arrivals: "Zie de antwoorden aankomen",
    status: "Statuspagina",
};

static FRENCH: Texts = Texts {
    tag: "fr",
    banner: "Livraison offerte dès 60 € · Retours sous 14 jours",
    tagline: "Céramique et lin, en petites séries",
    menu: "Vos achats",
    languages: "Langue",
    order: "Commande",
    delivery: "Livraison",
    number: "Commande",
    thanks: "Merci pour votre commande",
    thanks_lead: "Nous emballons tout à la main. La confirmation vous attend dans votre boîte mail, et votre colis sera chez vous demain.",
    arrived: "Votre colis est arrivé",
    arrived_lead: "Déposé aujourd’hui à 10 h 42 devant votre porte. Profitez-en bien !",
    your_order: "Votre commande",
    in_parcel: "Dans ce colis",
    three: "3 articles",
    one: "1 article",
    vase: ("Vase Mira", "Grès, sauge"),
    bowl: ("Coupe Tarn", "Grès, sable"),
    towel: ("Torchon Avena", "Lin lavé, avoine"),
    subtotal: "Sous-total",
    shipping: "Livraison",
    free: "Offerte",
    total: "Total",
    steps: ["Commandé", "Emballé", "En route", "Livré"],
    care: "Bon à savoir",
    care_more: "Rincez le vase à l’eau tiède avant la première utilisation. Ensuite, il passe au lave-vaisselle.",
    demo: "Ostrelle n’existe pas : ceci est la démo d’Afterword. Vos réponses vont à une plateforme d’essai sur cet ordinateur.",
    arrivals: "Voir les réponses arriver",
    status: "Page d’état",
};

static ENGLISH: Texts = Texts {
    tag: "en",
    banner: "Free delivery from €60 · 14 days to change your mind",
    tagline: "Ceramics and linen, made in small batches",
    menu: "Your purchases",
    languages: "Language",
    order: "Order",
    delivery: "Delivery",
    number: "Order",
    thanks: "Thank you for your order",
    thanks_lead: "We are wrapping everything by hand. Your confirmation is in your inbox, and your parcel will be with you tomorrow.",
    arrived: "Your parcel has arrived",
    arrived_lead: "Left at your front door today at 10:42. Enjoy!",
    your_order: "Your order",
    in_parcel: "In this parcel",
    three: "3 pieces",
    one: "1 piece",
    vase: ("Mira vase", "Stoneware, sage"),
    bowl: ("Tarn bowl", "Stoneware, sand"),
    towel: ("Avena tea towel", "Washed linen, oat"),
    subtotal: "Subtotal",
    shipping: "Shipping",
    free: "Free",
    total: "Total",
    steps: ["Ordered", "Packed", "On its way", "Delivered"],
    care: "Good to know",
    care_more: "Rinse the vase with lukewarm water before you first use it. After that, the dishwasher is fine.",
    demo: "Ostrelle is invented: this is Afterword’s demo. Your answers go to a sandbox on this computer.",
    arrivals: "Watch the answers arrive",
    status: "Status page",
};

static ARABIC: Texts = Texts {
    tag: "ar",
    banner: "توصيل مجاني ابتداءً من 60 € · إرجاع خلال 14 يومًا",
    tagline: "خزف وكتّان بكميات صغيرة",
    menu: "مشترياتك",
    languages: "اللغة",
    order: "الطلب",
    delivery: "التوصيل",
    number: "رقم الطلب",
    thanks: "شكرًا على طلبك",
    thanks_lead: "نغلّف كل قطعة يدويًا. رسالة التأكيد في بريدك الإلكتروني، وسيصلك الطرد غدًا.",
    arrived: "وصل طردك",
    arrived_lead: "سُلّم اليوم الساعة 10:42 أمام باب منزلك. نتمنى أن ينال إعجابك!",
    your_order: "طلبك",
    in_parcel: "في هذا الطرد",
    three: "3 قطع",
    one: "قطعة واحدة",
    vase: ("مزهرية ميرا", "خزف حجري، أخضر مريمي"),
    bowl: ("وعاء تارن", "خزف حجري، رملي"),
    towel: ("منشفة مطبخ أفينا", "كتّان مغسول، بيج"),
    subtotal: "المجموع الفرعي",
    shipping: "الشحن",
    free: "مجاني",
    total: "الإجمالي",
    steps: ["تم الطلب", "تم التغليف", "في الطريق", "تم التسليم"],
    care: "معلومة مفيدة",
    care_more: "يُفضّل شطف المزهرية بماء فاتر قبل أول استعمال، وبعدها يمكن غسلها في غسالة الأطباق.",
    demo: "متجر أوستريل غير حقيقي، فهذا عرض تجريبي لبرنامج Afterword. تُرسل إجاباتك إلى منصة تجريبية على هذا الجهاز.",
    arrivals: "مشاهدة الإجابات عند وصولها",
    status: "صفحة الحالة",
};

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(tag: &str, page: Page) -> String {
        let language = tag.parse().expect("a language");
        let (server, arrivals, status) =
            ("http://127.0.0.1:8081", "http://127.0.0.1:8082/", "http://127.0.0.1:9090/");
        super::page(&View { server, language, page, arrivals, status }).into_string()
    }

    #[test]
    fn the_order_asks_with_the_tag_and_the_delivery_with_the_element() {
        let order = shown("nl", Page::Order);
        assert!(order.contains(
            r#"<script async src="http://127.0.0.1:8081/widget.js?survey=checkout" data-meta-pieces="3"></script>"#
        ));
        assert_eq!(order.matches("<script").count(), 1);
        let delivery = shown("nl", Page::Delivery);
        assert!(delivery.contains(r#"<script async src="http://127.0.0.1:8081/widget.js"></script></head>"#));
        assert!(
            delivery.contains(r#"<afterword-survey survey="delivery" meta-pieces="1"></afterword-survey>"#)
        );
        assert_eq!(delivery.matches("<script").count(), 1);
    }

    #[test]
    fn each_language_has_its_own_page_and_arabic_is_mirrored() {
        for tag in LANGUAGES {
            for page in [Page::Order, Page::Delivery] {
                let direction = if tag == "ar" { "rtl" } else { "ltr" };
                let html = shown(tag, page);
                assert!(html.contains(&format!(r#"<html lang="{tag}" dir="{direction}">"#)));
                let links = LANGUAGES.map(|tag| format!(r#"href="{}?lang={tag}""#, path(page)));
                assert!(links.iter().all(|link| html.contains(link)), "{tag}");
            }
        }
        assert!(shown("de", Page::Order).contains(r#"<html lang="nl" dir="ltr">"#));
    }

    #[test]
    fn the_policy_leaves_room_for_nothing_inline() {
        let policy = csp("http://127.0.0.1:8081");
        assert!(policy.contains("script-src http://127.0.0.1:8081 'wasm-unsafe-eval';"));
        assert!(!policy.contains("unsafe-inline"));
        for page in [Page::Order, Page::Delivery] {
            let html = shown("en", page);
            assert!(!html.contains(" style=") && !html.contains("<style") && !html.contains(" onload"));
        }
    }
}
