//! `[survey.style]`: what a survey looks like, without a line of CSS.

use std::fmt;
use std::str::FromStr;

use super::reader::{Value, words};

/// The widest radius of a card's corners, in pixels: beyond it they cut into what is written.
const WIDEST: i32 = 32;
/// The longest list of fonts, in characters.
const FONT: usize = 200;

/// What a survey looks like; where nothing is said, as the widget does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Style {
    /// Light or dark, whatever the visitor's system says.
    pub theme: Option<Theme>,
    /// The brand's colour, on light.
    pub brand: Option<Color>,
    /// The brand's colour, on dark; a lighter one of `brand`, if absent.
    pub brand_dark: Option<Color>,
    /// The radius of the card's corners, in pixels.
    pub radius: Option<u8>,
    /// A list of fonts, as CSS writes it.
    pub font: Option<String>,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark letters on light.
    Light,
    /// Light letters on dark.
    Dark,
}

impl Theme {
    /// The value of the element's attribute.
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// A colour: red, green and blue of sRGB, 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color(pub [u8; 3]);

impl FromStr for Color {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "not a colour";
        let digits = text.strip_prefix('#').ok_or(WRONG)?;
        let digit = |at: usize| digits.get(at..=at).and_then(|digit| u8::from_str_radix(digit, 16).ok());
        let pair = |high, low| Some(digit(high)? * 16 + digit(low)?);
        let color = match digits.len() {
            3 => [(0, 0), (1, 1), (2, 2)],
            6 => [(0, 1), (2, 3), (4, 5)],
            _ => return Err(WRONG),
        };
        let [red, green, blue] = color.map(|(high, low)| pair(high, low));
        Ok(Self([red.ok_or(WRONG)?, green.ok_or(WRONG)?, blue.ok_or(WRONG)?]))
    }
}

impl fmt::Display for Color {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(out, "#{red:02x}{green:02x}{blue:02x}")
    }
}

pub(super) fn read(value: &Value<'_>) -> Option<Style> {
    const COLOR: &str = "write \"#3b5bdb\": red, green and blue in hexadecimal";
    let table = value.table()?;
    let color = |key| table.optional(key, |value| value.parse(COLOR));
    let theme = table.optional("theme", |value| {
        value.one_of(&[("auto", None), ("light", Some(Theme::Light)), ("dark", Some(Theme::Dark))])
    });
    let (brand, brand_dark) = (color("brand"), color("brand_dark"));
    let radius = table.optional("radius", read_radius);
    let font = table.optional("font", read_font);
    table.finish();
    Some(Style {
        theme: theme.ok()?.flatten(),
        brand: brand.ok()?,
        brand_dark: brand_dark.ok()?,
        radius: radius.ok()?,
        font: font.ok()?,
    })
}

fn read_radius(value: &Value<'_>) -> Option<u8> {
    let radius = value.integer()?;
    if !(0..=WIDEST).contains(&radius) {
        value.problem(format!("a radius is 0 to {WIDEST} pixels"), "");
    }
    u8::try_from(radius).ok()
}

/// Whatever could end the declaration is refused, since this goes into a style sheet as it is.
fn read_font(value: &Value<'_>) -> Option<String> {
    let font = words(value)?;
    if font.chars().count() > FONT || !is_list_of_fonts(&font) {
        value.problem("not a list of fonts", "write \"Inter, system-ui, sans-serif\"");
        return None;
    }
    Some(font)
}

/// Names with a comma between them, in quotes or of words that begin with a letter.
fn is_list_of_fonts(text: &str) -> bool {
    let plain = |text: &str| text.chars().all(|one| one.is_alphanumeric() || " -_".contains(one));
    let word = |word: &str| word.starts_with(|first: char| first.is_alphabetic() || first == '-');
    text.split(',').map(str::trim).all(|name| {
        let quoted = ['\'', '"'].into_iter().find_map(|quote| name.strip_prefix(quote)?.strip_suffix(quote));
        match quoted {
            Some(inside) => !inside.trim().is_empty() && plain(inside),
            None => !name.is_empty() && plain(name) && name.split_whitespace().all(word),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_fonts_cannot_end_what_it_stands_in() {
        for fine in ["Inter", "'My Font', serif", "\"3270\", -apple-system, sans-serif", "Noto Sans 日本, x"]
        {
            assert!(is_list_of_fonts(fine), "{fine}");
        }
        for wrong in [
            "",
            ",",
            "a,,b",
            "'a\"b'c\"",
            "'",
            "'a",
            "''",
            "3270 Font",
            "a;b",
            "a}b",
            "url(x)",
            "a\\b",
            "'a'b'",
        ] {
            assert!(!is_list_of_fonts(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_color_is_read_in_both_its_forms_and_written_in_one() {
        for (written, read) in
            [("#3b5bdb", [0x3b, 0x5b, 0xdb]), ("#FA0", [0xff, 0xaa, 0]), ("#000000", [0; 3])]
        {
            assert_eq!(written.parse(), Ok(Color(read)));
        }
        assert_eq!(Color([0x3b, 0x5b, 0xdb]).to_string(), "#3b5bdb");
        for wrong in ["", "#", "3b5bdb", "#3b5bd", "#3b5bdg", "red", "#3b5bdb80", "#é00", "#-1-1-1"] {
            assert!(wrong.parse::<Color>().is_err(), "{wrong}");
        }
    }
}
