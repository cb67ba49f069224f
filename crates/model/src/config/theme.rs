//! The table `theme` of `shelflife.toml`: what can be changed without writing a template or a style sheet.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

use csscolorparser::Color;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::wording::Table;
use crate::url_path;

/// The theme's colors: each key with its light and its dark value. A style sheet refers to `on_accent` as
/// `var(--on-accent)`.
const COLORS: [(&str, &str, &str); 19] = [
    ("page", "#faf9f5", "#121715"),
    ("surface", "#ffffff", "#1a211e"),
    ("sunken", "#f1efe8", "#0d110f"),
    ("text", "#1c2420", "#e4eae6"),
    ("quiet", "#56605a", "#a0aea6"),
    ("line", "#dedbd0", "#303b35"),
    ("accent", "#0a664a", "#67d3a6"),
    ("on_accent", "#ffffff", "#06231a"),
    ("tint", "#e2f0e9", "#1d3a2f"),
    ("shade", "#1e28230f", "#00000000"),
    ("bad", "#98200f", "#ffb4a6"),
    ("bad_tint", "#fdeae6", "#3a1a15"),
    ("bad_line", "#d8563f", "#d8563f"),
    ("warn", "#6d4a00", "#f6cf7a"),
    ("warn_tint", "#fff3d1", "#33280d"),
    ("warn_line", "#d99f1c", "#b98a1d"),
    ("info", "#154f82", "#a9d1f5"),
    ("info_tint", "#e6f0fa", "#15293b"),
    ("info_line", "#4a8ac4", "#4a8ac4"),
];

/// The keys of all colors, for the error about an unknown one.
const NAMES: [&str; COLORS.len()] = {
    let mut names = [""; COLORS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = COLORS[at].0;
        at += 1;
    }
    names
};

/// Text colors, each with a background that it appears on.
const READ_ON: [(&str, &str); 16] = [
    ("text", "page"),
    ("text", "surface"),
    ("text", "sunken"),
    ("text", "tint"),
    ("quiet", "page"),
    ("quiet", "surface"),
    ("quiet", "sunken"),
    ("quiet", "tint"),
    ("accent", "page"),
    ("accent", "surface"),
    ("accent", "sunken"),
    ("accent", "tint"),
    ("on_accent", "accent"),
    ("bad", "bad_tint"),
    ("warn", "warn_tint"),
    ("info", "info_tint"),
];

/// The minimum contrast of text to its background (WCAG 2.2, 1.4.3).
const CONTRAST: f32 = 4.5;

/// The width and height of the theme's own logo, and the height of any other logo, in CSS pixels.
const LOGO: u32 = 32;

/// The theme's looks and texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Theme {
    /// The logo in the header: the name of an asset.
    pub logo: String,
    /// The width of the logo in CSS pixels.
    pub logo_width: u32,
    /// The light colors that differ from the theme's own.
    pub light: Colors,
    /// The dark colors that differ from the theme's own.
    pub dark: Colors,
    /// The texts of pages.
    pub texts: Texts,
    /// The links in the footer of every page.
    pub links: Vec<Link>,
}

/// Colors as `#rrggbb` or `#rrggbbaa`, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Colors(BTreeMap<&'static str, String>);

/// The configurable texts of pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Texts {
    /// The heading of the home page; the site's title by default.
    pub heading: Option<String>,
    /// The question above the search of the home page.
    pub search: Option<String>,
    /// The text above the search of each list.
    pub browse: Option<String>,
    /// The placeholder of every search field: examples of what to search for.
    pub placeholder: Option<String>,
    /// The last paragraph of every page, in Markdown.
    pub footer: Option<String>,
}

impl Texts {
    /// Each text with its name in templates and the key of its setting.
    pub fn all(&self) -> [(&'static str, &'static str, Option<&str>); 5] {
        let Self { heading, search, browse, placeholder, footer } = self;
        [
            ("heading", "theme.texts.heading", heading),
            ("search", "theme.texts.search", search),
            ("browse", "theme.texts.browse", browse),
            ("placeholder", "theme.texts.placeholder", placeholder),
            ("footer", "theme.texts.footer", footer),
        ]
        .map(|(name, key, text)| (name, key, text.as_deref()))
    }
}

/// A link in the footer of every page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The text of the link.
    pub title: String,
    /// The target: a path from the site's root, or an absolute URL.
    #[serde(deserialize_with = "target")]
    pub url: String,
}

/// The table `theme` of the file.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    #[serde(deserialize_with = "logo")]
    logo: Option<String>,
    #[serde(deserialize_with = "width")]
    logo_width: u32,
    light: Colors,
    dark: Colors,
    texts: Table<Texts>,
    links: Vec<Link>,
}

impl Default for File {
    fn default() -> Self {
        Self {
            logo: None,
            logo_width: LOGO,
            light: Colors::default(),
            dark: Colors::default(),
            texts: Table::default(),
            links: Vec::new(),
        }
    }
}

impl From<File> for Theme {
    fn from(file: File) -> Self {
        Self {
            logo: file.logo.unwrap_or_else(|| "favicon.svg".to_owned()),
            logo_width: file.logo_width,
            light: file.light,
            dark: file.dark,
            texts: file.texts.0,
            links: file.links,
        }
    }
}

impl Theme {
    /// Each setting as text, with its key.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        let Self { logo, logo_width, light, dark, texts, links } = self;
        let json = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
        let parts = [
            ("theme.logo", logo.clone()),
            ("theme.logo_width", logo_width.to_string()),
            ("theme.light", json(serde_json::to_string(light))),
            ("theme.dark", json(serde_json::to_string(dark))),
            ("theme.links", json(serde_json::to_string(links))),
        ];
        let texts = texts.all().into_iter();
        parts.into_iter().chain(texts.map(move |(_, key, text)| (key, json(serde_json::to_string(&text)))))
    }

    /// The style sheet that gives every color its value: the system's preference, unless the visitor chose a scheme;
    /// always light in print.
    pub fn style_sheet(&self) -> String {
        let mut css = String::from(":root {\n  color-scheme: light;\n");
        let declare = |css: &mut String, indent: &str, colors: &Colors, own: Own| {
            for row in COLORS {
                let value = colors.0.get(row.0).map_or_else(|| own(row), String::as_str);
                let _ = writeln!(css, "{indent}--{}: {value};", row.0.replace('_', "-"));
            }
        };
        declare(&mut css, "  ", &self.light, light);
        css.push_str("}\n@media screen {\n  :root { color-scheme: light dark; }\n");
        css.push_str("  :root[data-theme=\"light\"] { color-scheme: light; }\n");
        css.push_str("  :root[data-theme=\"dark\"] {\n    color-scheme: dark;\n");
        declare(&mut css, "    ", &self.dark, dark);
        css.push_str("  }\n}\n@media screen and (prefers-color-scheme: dark) {\n");
        css.push_str("  :root:not([data-theme=\"light\"]) {\n");
        declare(&mut css, "    ", &self.dark, dark);
        css.push_str("  }\n}\n");
        css
    }

    /// Warnings about text colors with too little contrast, one per line. Translucent colors are assumed to be
    /// intended.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (scheme, colors, own) in [("light", &self.light, light as Own), ("dark", &self.dark, dark)] {
            let value = |name: &str| {
                let row = COLORS.into_iter().find(|row| row.0 == name)?;
                Some(colors.0.get(name).map_or_else(|| own(row).to_owned(), Clone::clone))
            };
            // Pairs of the theme's own colors were checked when the theme was designed.
            let changed =
                |(one, other): &(&str, &str)| [one, other].iter().any(|it| colors.0.contains_key(**it));
            for (letters, ground) in READ_ON.into_iter().filter(changed) {
                let (Some(one), Some(other)) = (value(letters), value(ground)) else { continue };
                if let Some(contrast) = contrast(&one, &other).filter(|contrast| *contrast < CONTRAST) {
                    warnings.push(format!(
                        "shelflife.toml: `theme.{scheme}`: `{letters}` ({one}) is hard to read on `{ground}` \
                         ({other}): the contrast is {contrast:.1}, expected at least {CONTRAST}"
                    ));
                }
            }
        }
        warnings
    }
}

/// A row of [`COLORS`].
type Row = (&'static str, &'static str, &'static str);

/// Selects the theme's own value of a color.
type Own = fn(Row) -> &'static str;

fn light((_, light, _): Row) -> &'static str {
    light
}

fn dark((_, _, dark): Row) -> &'static str {
    dark
}

/// The contrast of two colors as defined by WCAG 2.2; `None` if one of them is translucent.
fn contrast(one: &str, other: &str) -> Option<f32> {
    let luminance = |text: &str| {
        let color: Color = text.parse().ok()?;
        let [red, green, blue, alpha] = color.to_linear_rgba();
        (alpha >= 1.0).then_some(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    };
    let (one, other) = (luminance(one)?, luminance(other)?);
    Some((one.max(other) + 0.05) / (one.min(other) + 0.05))
}

impl<'de> Deserialize<'de> for Colors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Colors;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Colors, A::Error> {
                let mut colors = Colors::default();
                while let Some((Name(name), Value(value))) = map.next_entry()? {
                    colors.0.insert(name, value);
                }
                Ok(colors)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// The key of a color.
struct Name(&'static str);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = String::deserialize(deserializer)?;
        let name = NAMES.into_iter().find(|name| *name == key);
        name.map(Self).ok_or_else(|| D::Error::unknown_field(&key, &NAMES))
    }
}

/// A color as it is published. The text is parsed and serialized again, so that only a color can get into the style
/// sheet.
struct Value(String);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let color = text.parse::<Color>().map_err(|_| {
            D::Error::custom(format!(
                "`{text}` is not a color, expected one such as \"#0a664a\", \"rgb(10 102 74)\", \
                 \"oklch(45% 0.1 165)\" or \"teal\""
            ))
        })?;
        Ok(Self(color.to_css_hex().to_string()))
    }
}

fn logo<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let is_below = name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    if is_below && !name.contains(['\\', ':']) {
        return Ok(Some(name));
    }
    Err(D::Error::custom(format!(
        "`{name}` is not the path of an asset, expected one below the folder of assets such as \"logo.svg\" or \
         \"img/logo.svg\""
    )))
}

fn width<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = i64::deserialize(deserializer)?;
    match u32::try_from(number) {
        Ok(width @ 8..=400) => Ok(width),
        _ => Err(D::Error::custom(format!("`{number}` is not a width, expected 8 to 400"))),
    }
}

fn target<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if url_path::is_web(&text) || url_path::is_rooted(&text) || text.starts_with("mailto:") {
        return Ok(text);
    }
    Err(D::Error::custom(format!(
        "`{text}` is not a link target, expected a URL or a path such as \"/privacy.html\""
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(text: &str) -> Theme {
        toml::from_str::<File>(text).unwrap().into()
    }

    #[test]
    fn a_colour_is_published_as_nothing_but_a_colour() {
        for (written, published) in [
            ("#0a664a", "#0a664a"),
            ("#FFF", "#ffffff"),
            ("rgb(10 102 74 / 50%)", "#0a664a80"),
            ("hsl(0, 100%, 50%)", "#ff0000"),
            ("RebeccaPurple", "#663399"),
        ] {
            let css = theme(&format!("light.accent = '{written}'")).style_sheet();
            assert!(css.contains(&format!("--accent: {published};")), "{written}: {css}");
        }
        for hostile in
            ["red; } body { display: none", "red}", "url(//a)", "var(--page)", "</style>", "red/**/", ""]
        {
            let error =
                toml::from_str::<File>(&format!("dark.page = '{hostile}'")).err().unwrap().to_string();
            assert!(error.contains("is not a color"), "{hostile}: {error}");
        }
    }

    #[test]
    fn light_and_dark_follow_the_system_and_the_visitor() {
        let css = theme("light.on_accent = 'white'\ndark.on_accent = 'black'").style_sheet();
        let of = |selector: &str| css.split_once(selector).unwrap().1.split_once('}').unwrap().0.to_owned();
        assert!(of(":root {").contains("--on-accent: #ffffff;"));
        assert!(of(":root:not([data-theme=\"light\"]) {").contains("--on-accent: #000000;"));
        assert!(of(":root[data-theme=\"dark\"] {").contains("--on-accent: #000000;"));
        assert_eq!(css.matches("--on-accent:").count(), 3);
    }

    #[test]
    fn own_colours_that_are_hard_to_read_are_told() {
        assert_eq!(theme("").warnings(), Vec::<String>::new());
        assert_eq!(theme("light.accent = '#00309080'").warnings(), Vec::<String>::new());
        let warnings = theme("light.accent = 'yellow'").warnings();
        assert!(
            warnings[0].contains("`accent` (#ffff00) is hard to read on `page` (#faf9f5)"),
            "{warnings:?}"
        );
        assert!(warnings[0].contains("the contrast is 1.0"), "{warnings:?}");
    }

    #[test]
    fn the_themes_own_colours_can_be_read() {
        for row in COLORS {
            for (scheme, value) in [("light", row.1), ("dark", row.2)] {
                let own = theme(&format!("{scheme}.{} = '{value}'", row.0));
                assert_eq!(own.warnings(), Vec::<String>::new());
            }
        }
    }
}
