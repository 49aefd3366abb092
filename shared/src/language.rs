//! The 29 languages of the platform ("Hello Customer API overview", section 4).
//!
//! Each has the platform's GUID, its culture code (upper-case two-letter), a BCP 47 tag, its name
//! in English and in itself, and a direction. The platform knows no regions or scripts, so any tag
//! of a language matches it: `nl-BE` is Dutch, `zh-Hant` Chinese; `nb`, `nn` and `no` are Norwegian.

use std::fmt;
use std::str::FromStr;

/// A way to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From left to right.
    LeftToRight,
    /// From right to left.
    RightToLeft,
}

/// One of the platform's languages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language(u8);

struct Row {
    tag: &'static str,
    culture: &'static str,
    guid: &'static str,
    name: &'static str,
    endonym: &'static str,
}

const fn row(
    tag: &'static str,
    culture: &'static str,
    guid: &'static str,
    name: &'static str,
    endonym: &'static str,
) -> Row {
    Row { tag, culture, guid, name, endonym }
}

/// In the order of the platform's page.
const ROWS: [Row; 29] = [
    row("nl", "NL", "1B5C1275-4F92-422F-B1FC-799BF8E30598", "Dutch", "Nederlands"),
    row("fr", "FR", "901AF5BC-06CB-4DE0-B523-135ECFDC882A", "French", "français"),
    row("en", "EN", "DF88D743-1B99-44EF-B47F-260C78030EE7", "English", "English"),
    row("de", "DE", "B913ECA5-638C-4B5C-80FD-4BC9E3B29587", "German", "Deutsch"),
    row("it", "IT", "3D74560A-9AED-420C-99B8-B6BA8BB92202", "Italian", "italiano"),
    row("es", "ES", "EB89AF5E-C996-47DB-AB22-60AA13A2DBF8", "Spanish", "español"),
    row("cs", "CS", "D9E0CFDF-034A-4D43-92F9-6AB246A9AA37", "Czech", "čeština"),
    row("da", "DA", "EFCA8E5D-9394-4A19-B805-F6E41AF76921", "Danish", "dansk"),
    row("et", "ET", "90B0555C-F6B0-47F3-A68D-D3A1498D9C09", "Estonian", "eesti"),
    row("ga", "GA", "5D82F48C-A6CE-400D-971D-85C2C8677665", "Irish", "Gaeilge"),
    row("hr", "HR", "0B086FBC-CFD5-4284-8800-1959D2ECB5EA", "Croatian", "hrvatski"),
    row("lv", "LV", "98CF0FB8-234B-49B2-8A6C-23B99B154D52", "Latvian", "latviešu"),
    row("lt", "LT", "E5366029-C68F-4F8D-93DF-33B9439F9216", "Lithuanian", "lietuvių"),
    row("hu", "HU", "CABFA802-7BB1-46C0-8ACD-2EE75C11C249", "Hungarian", "magyar"),
    row("mt", "MT", "D917F99B-D6B7-418C-BC35-77FBA939BBD7", "Maltese", "Malti"),
    row("no", "NO", "3AF8680C-3F2B-40F7-8ED3-2783B993CD86", "Norwegian", "norsk"),
    row("pl", "PL", "0C801A28-7504-4B54-AA8E-3B327A5191B0", "Polish", "polski"),
    row("pt", "PT", "D949E8C8-5E9E-421D-8103-6AA45083578D", "Portuguese", "português"),
    row("ro", "RO", "73EE0C78-C21E-4C0E-97FB-3039B0D0877A", "Romanian", "română"),
    row("sk", "SK", "55C30D14-3ACF-4828-8F95-30B0DC2318B6", "Slovak", "slovenčina"),
    row("sl", "SL", "FB5A68D1-23EB-46D3-B266-F364D2BA56ED", "Slovenian", "slovenščina"),
    row("fi", "FI", "A6F3B85B-817D-484F-88CC-2F5249293525", "Finnish", "suomi"),
    row("sv", "SV", "F7818F3A-7481-4B3D-BB53-2C4EFF8B5B66", "Swedish", "svenska"),
    row("tr", "TR", "B2C03D11-701B-486C-88C0-E019A8461823", "Turkish", "Türkçe"),
    row("el", "EL", "80CEBA7C-77AE-4A08-ABE9-B9C5CD3F9084", "Greek", "Ελληνικά"),
    row("bg", "BG", "28526D05-EAF5-4869-9E46-1423921A7CCF", "Bulgarian", "български"),
    row("ru", "RU", "9B576FE6-BA6D-40F4-B779-0101D8B79F7D", "Russian", "русский"),
    row("zh", "ZH", "C11106F9-E9B0-4AF3-BFE8-EF1497A9FFD0", "Chinese", "中文"),
    row("ar", "AR", "C9B76975-23A0-4277-BD0F-EBE02FA3A314", "Arabic", "العربية"),
];

/// Codes that name one of the languages without being its tag.
const ALIASES: [(&str, &str); 6] =
    [("nb", "no"), ("nn", "no"), ("cmn", "zh"), ("yue", "zh"), ("mo", "ro"), ("arb", "ar")];

/// The text names none of the 29 languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLanguage;

impl fmt::Display for UnknownLanguage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("not one of the platform's 29 languages")
    }
}

impl std::error::Error for UnknownLanguage {}

impl Language {
    fn row(self) -> &'static Row {
        &ROWS[usize::from(self.0)]
    }

    /// All languages, in the order of the platform's page.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..29).map(Self)
    }

    /// The BCP 47 tag: a lower-case two-letter code.
    pub fn tag(self) -> &'static str {
        self.row().tag
    }

    /// The platform's culture code: upper-case, two letters.
    pub fn culture(self) -> &'static str {
        self.row().culture
    }

    /// The platform's GUID for the language.
    pub fn guid(self) -> &'static str {
        self.row().guid
    }

    /// The English name.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The language's own name for itself.
    pub fn endonym(self) -> &'static str {
        self.row().endonym
    }

    /// The way it is written.
    pub fn direction(self) -> Direction {
        if self.row().tag == "ar" { Direction::RightToLeft } else { Direction::LeftToRight }
    }

    /// Its digits from 0 to 9, where they are not those of Latin scripts (Unicode CLDR: the default numbering system).
    pub fn digits(self) -> Option<&'static str> {
        (self.row().tag == "ar").then_some("٠١٢٣٤٥٦٧٨٩")
    }

    /// The language of a BCP 47 tag, whatever its region, script and case; `_` counts as `-`.
    pub fn matching(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        let is = |code: &str| primary.eq_ignore_ascii_case(code);
        let code = ALIASES.iter().find(|(alias, _)| is(alias)).map_or(primary, |(_, tag)| *tag);
        let position = ROWS.iter().position(|row| row.tag.eq_ignore_ascii_case(code))?;
        u8::try_from(position).ok().map(Self)
    }

    /// The language with this GUID, whatever its case.
    pub fn with_guid(guid: &str) -> Option<Self> {
        Self::all().find(|language| language.guid().eq_ignore_ascii_case(guid))
    }

    /// The first of the wanted tags that is offered.
    pub fn negotiate<'a>(wanted: impl IntoIterator<Item = &'a str>, offered: &[Self]) -> Option<Self> {
        wanted.into_iter().filter_map(Self::matching).find(|language| offered.contains(language))
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(tag: &str) -> Result<Self, UnknownLanguage> {
        Self::matching(tag).ok_or(UnknownLanguage)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.tag())
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn regions_scripts_and_cases_do_not_matter() {
        for (tag, language) in [
            ("nl-BE", "nl"),
            ("NL", "nl"),
            ("zh-Hant", "zh"),
            ("zh-Hans-CN", "zh"),
            ("nb", "no"),
            ("nn-NO", "no"),
            ("no", "no"),
            ("pt_BR", "pt"),
            ("ar-EG-u-nu-arab", "ar"),
            (" fr ", "fr"),
        ] {
            assert_eq!(Language::matching(tag).map(Language::tag), Some(language), "{tag}");
        }
        for unknown in ["", "xx", "nld", "-nl", "english", "n"] {
            assert_eq!(Language::matching(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn every_language_is_found_by_its_tag_culture_and_guid_and_none_is_there_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for language in Language::all() {
            assert_eq!(Language::matching(language.tag()), Some(language));
            assert_eq!(Language::matching(language.culture()), Some(language));
            assert_eq!(Language::with_guid(&language.guid().to_lowercase()), Some(language));
            assert_eq!(language.culture().to_lowercase(), language.tag());
            assert!(uuid::Uuid::try_parse(language.guid()).is_ok());
            assert!(seen.insert(language.guid()) && !language.endonym().is_empty());
        }
        assert_eq!(seen.len(), 29);
    }

    #[test]
    fn the_first_wanted_language_that_is_offered_wins() {
        let offered = ["nl", "fr"].map(|tag| tag.parse().unwrap());
        assert_eq!(Language::negotiate(["de-DE", "fr-CA", "nl"], &offered), Some(offered[1]));
        assert_eq!(Language::negotiate(["de", "xx", ""], &offered), None);
    }

    proptest! {
        #[test]
        fn no_tag_panics(tag in ".*") {
            Language::matching(&tag);
        }
    }
}
