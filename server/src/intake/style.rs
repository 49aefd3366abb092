//! The style sheet that comes with a definition: `[survey.style]`, and what few questions look like.
//!
//! Whatever the brand's colour, what is written on it and what is drawn in it stays readable: it is darkened on light
//! and lightened on dark until it stands out, and what is written on it is white or black. The widget mixes its tint from it
//! (`widget/style.css`), which is held against the same figures here; its focus ring is the colour itself.

use shared::Look;

use super::assets::EmbeddedWidget;
use crate::config::{self, Color, Style, Survey};

/// The cards of `widget/style.css`, on light and on dark.
const CARDS: [Color; 2] = [Color([0xff; 3]), Color([0x17, 0x1a, 0x23])];
/// What is written on the brand's colour, the first that is readable.
const ON_BRAND: [Color; 3] = [Color([0xff; 3]), Color([0x10, 0x14, 0x26]), Color([0; 3])];
/// WCAG 2.2: the least contrast of text (1.4.3), and of what is needed to see a control (1.4.11).
const TEXT: f64 = 4.5;
const CONTROL: f64 = 3.0;
/// How much of the brand is in the widget's tint, and in a dark brand that was not named.
const TINT: f64 = 0.1;
const DARK: f64 = 0.55;

/// The style sheet of a survey; empty if the widget's own is all it needs.
pub(super) fn sheet(survey: &Survey) -> String {
    let mut sheet = own(&survey.style);
    let drawn = |question: &config::Question| match question.kind {
        config::Kind::Score { look, colors, .. } => colors || matches!(look, Look::Stars | Look::Smileys),
        _ => false,
    };
    if survey.questions.iter().any(drawn)
        && let Some(looks) = EmbeddedWidget::get("looks.css")
    {
        sheet.push_str(&String::from_utf8_lossy(&looks.data));
    }
    sheet
}

/// What the survey's configuration says; the page's own properties go before it.
fn own(style: &Style) -> String {
    let mut rules = Vec::new();
    if let Some(radius) = style.radius {
        rules.push(format!(":host{{--radius:var(--afterword-radius,{radius}px)}}"));
    }
    if let Some(font) = &style.font {
        rules.push(format!(".card{{font-family:var(--afterword-font,{font})}}"));
    }
    if let Some(brand) = style.brand {
        let [brand, on_brand] = readable(brand, CARDS[0]);
        // Without a brand of the page this is no colour, and what stands behind it in `var()` is taken.
        let page = "--page-on:color-mix(in srgb,var(--afterword-brand) 0%,#fff)";
        rules.push(format!(
            ":host{{{page};--brand:var(--afterword-brand,{brand});\
             --on-brand:var(--afterword-on-brand,var(--page-on,{on_brand}))}}"
        ));
    }
    if let Some(dark) = style.brand_dark.or_else(|| Some(mix(style.brand?, ON_BRAND[0], DARK))) {
        let [brand, on_brand] = readable(dark, CARDS[1]);
        let page = "--page:color-mix(in oklab,var(--afterword-brand) 55%,#fff);\
                    --page-on:color-mix(in srgb,var(--afterword-brand) 0%,#101426)";
        let brand = format!(
            "{{{page};--brand:var(--afterword-brand-dark,var(--page,{brand}));\
             --on-brand:var(--afterword-on-brand-dark,var(--page-on,{on_brand}))}}"
        );
        rules.push(format!("@media (prefers-color-scheme:dark){{:host(:not([theme=light])){brand}}}"));
        rules.push(format!(":host([theme=dark]){brand}"));
        // Mixed with the card it would stand out less.
        rules.push(".card{--ring:var(--brand)}".to_owned());
    }
    rules.concat()
}

/// A colour that stands out from a card, near the one wanted, and what can be read on it.
fn readable(wanted: Color, card: Color) -> [Color; 2] {
    let away = if luminance(card) > 0.5 { Color([0; 3]) } else { Color([0xff; 3]) };
    let stands_out =
        |color: Color| contrast(color, card) >= CONTROL && contrast(color, mix(color, card, TINT)) >= CONTROL;
    let steps = (0..=50).map(|step| mix(away, wanted, f64::from(step) / 50.0));
    let color = steps.into_iter().find(|color| stands_out(*color)).unwrap_or(away);
    let on_brand = ON_BRAND.into_iter().find(|text| contrast(*text, color) >= TEXT);
    [color, on_brand.unwrap_or(ON_BRAND[2])]
}

/// The contrast of two colours, 1 to 21, as WCAG 2.2 defines it.
fn contrast(one: Color, other: Color) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The relative luminance of a colour, 0 to 1, as WCAG 2.2 defines it.
fn luminance(color: Color) -> f64 {
    let [red, green, blue] = linear(color);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// Without the curve of sRGB: 0 to 1 each.
fn linear(color: Color) -> [f64; 3] {
    color.0.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
}

/// A share of one colour in another, as CSS mixes them with `color-mix(in oklab, …)`.
fn mix(one: Color, other: Color, share: f64) -> Color {
    let (one, other) = (oklab(one), oklab(other));
    from_oklab([0, 1, 2].map(|at| one[at] * share + other[at] * (1.0 - share)))
}

/// To Oklab and back, with the matrices of CSS Color 4, section 9.
fn oklab(color: Color) -> [f64; 3] {
    let [red, green, blue] = linear(color);
    let [long, medium, short] = [
        0.412_221_470_8 * red + 0.536_332_536_3 * green + 0.051_445_992_9 * blue,
        0.211_903_498_2 * red + 0.680_699_545_1 * green + 0.107_396_956_6 * blue,
        0.088_302_461_9 * red + 0.281_718_837_6 * green + 0.629_978_700_5 * blue,
    ]
    .map(f64::cbrt);
    [
        0.210_454_255_3 * long + 0.793_617_785_0 * medium - 0.004_072_046_8 * short,
        1.977_998_495_1 * long - 2.428_592_205_0 * medium + 0.450_593_709_9 * short,
        0.025_904_037_1 * long + 0.782_771_766_2 * medium - 0.808_675_766_0 * short,
    ]
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255, clamped")]
fn from_oklab([light, green_red, blue_yellow]: [f64; 3]) -> Color {
    let [long, medium, short] = [
        light + 0.396_337_777_4 * green_red + 0.215_803_757_3 * blue_yellow,
        light - 0.105_561_345_8 * green_red - 0.063_854_172_8 * blue_yellow,
        light - 0.089_484_177_5 * green_red - 1.291_485_548_0 * blue_yellow,
    ]
    .map(|value| value.powi(3));
    let linear = [
        4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
        -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
        -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701_0 * short,
    ];
    Color(linear.map(|value| {
        let value = value.clamp(0.0, 1.0);
        let curved = if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (curved * 255.0).round() as u8
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn any_brand_stays_readable_on_light_and_on_dark(brand in any::<[u8; 3]>()) {
            for card in CARDS {
                let [color, on_brand] = readable(Color(brand), card);
                prop_assert!(contrast(on_brand, color) >= TEXT, "{on_brand} on {color}");
                prop_assert!(contrast(color, card) >= CONTROL, "{color} on {card}");
                prop_assert!(contrast(color, mix(color, card, TINT)) >= CONTROL, "{color} on its tint");
            }
        }

        #[test]
        fn mixing_nothing_in_changes_nothing(color in any::<[u8; 3]>()) {
            prop_assert_eq!(mix(Color(color), CARDS[0], 1.0), Color(color));
        }
    }

    #[test]
    fn contrasts_are_those_of_wcag() {
        let [white, black] = [Color([0xff; 3]), Color([0; 3])];
        assert!((contrast(white, black) - 21.0).abs() < 1e-9);
        assert!((contrast(white, Color([0x76; 3])) - 4.54).abs() < 0.01);
        assert!((contrast(Color([0xff, 0, 0]), white) - 4.0).abs() < 0.01);
    }

    #[test]
    fn colors_mix_as_browsers_mix_them() {
        // What Chromium makes of color-mix(in oklab, #3b5bdb 55%, #fff).
        assert_eq!(mix(Color([0x3b, 0x5b, 0xdb]), ON_BRAND[0], DARK).to_string(), "#8da8f0");
    }

    #[test]
    fn a_brand_that_is_readable_stays_as_it_is() {
        let brand = Color([0x3b, 0x5b, 0xdb]);
        assert_eq!(readable(brand, CARDS[0]), [brand, ON_BRAND[0]]);
    }

    #[test]
    fn what_is_not_configured_is_the_widgets_own() {
        assert_eq!(own(&Style::default()), "");
        let style = Style { radius: Some(4), ..Style::default() };
        assert_eq!(own(&style), ":host{--radius:var(--afterword-radius,4px)}");
    }
}
