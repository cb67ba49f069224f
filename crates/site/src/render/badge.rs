//! Badges: a label and a short message, as an SVG image and as JSON for shields.io.
//!
//! Numbers are rounded and the plugin is not named, so that badges rarely change and many are identical.

use std::fmt::Write as _;

use jiff::civil::Date;
use serde::Serialize;

use super::text;
use crate::alternate::Badge;
use crate::markdown;
use crate::plugin::Plugin;

/// The content of a badge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    label: &'static str,
    message: String,
    color: Color,
}

/// The color behind the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Color {
    Good,
    Plain,
    Bad,
    Unknown,
}

impl Color {
    /// Returns the color in images, dark enough for white text.
    fn of_picture(self) -> &'static str {
        match self {
            Self::Good => "#2a7a2e",
            Self::Plain => "#0b66a0",
            Self::Bad => "#b3261e",
            Self::Unknown => "#6a6a6a",
        }
    }

    /// Returns one of the named colors of shields.io.
    fn of_endpoint(self) -> &'static str {
        match self {
            Self::Good => "green",
            Self::Plain => "blue",
            Self::Bad => "red",
            Self::Unknown => "lightgrey",
        }
    }
}

/// The maximum length of the message in characters, without the date.
const LONGEST: usize = 30;

/// Returns the content of a plugin's badge.
pub fn of(plugin: &Plugin, badge: Badge) -> Shown {
    let repository = plugin.repository.as_deref();
    let (label, known) = match badge {
        Badge::Installs => {
            let instances = plugin.usage.as_ref().map(|usage| usage.month.instances);
            ("active installs", instances.map(|count| (text::rounded(count), Color::Plain)))
        }
        Badge::Stars => {
            ("stars", repository.map(|repository| (text::rounded(repository.stars), Color::Plain)))
        }
        Badge::Release => {
            let release = repository.map(|repository| match &repository.latest_release {
                Some(release) => (release.tag.clone(), Color::Plain),
                None => ("none".to_owned(), Color::Unknown),
            });
            ("release", release)
        }
        Badge::Python => {
            let color = if plugin.python3() == Some(true) { Color::Good } else { Color::Bad };
            ("python", plugin.python.clone().map(|python| (python, color)))
        }
    };
    let is_known = known.is_some();
    let (message, color) = known.unwrap_or_else(|| (String::new(), Color::Unknown));
    let as_of = match badge {
        Badge::Installs => plugin.ages.usage,
        Badge::Stars | Badge::Release => plugin.ages.github,
        Badge::Python => None,
    };
    match shortened(&message) {
        message if message.is_empty() || !is_known => {
            Shown { label, message: "unknown".to_owned(), color: Color::Unknown }
        }
        message => Shown { label, message: dated(message, as_of), color },
    }
}

/// Adds the date of stale data to a message.
fn dated(message: String, as_of: Option<Date>) -> String {
    match as_of {
        Some(day) => format!("{message}, as of {}", day.strftime("%-d %b %Y")),
        None => message,
    }
}

/// Shortens a text to a single line, and removes invisible characters and those that change the direction of text.
fn shortened(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFF}')
            || crate::markdown::is_forbidden(c)
    };
    let visible: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !hidden(*c)).collect();
    let words = visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if words.chars().count() <= LONGEST {
        return words;
    }
    let mut short: String = words.chars().take(LONGEST - 1).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// The horizontal padding of both texts, in pixels.
const PADDING: u32 = 6;

/// The radius of the corners, in pixels.
const RADIUS: u32 = 3;

const HEIGHT: u32 = 20;

impl Shown {
    /// Returns the badge as an SVG image with a text alternative. The text is stretched or compressed to fit, so any
    /// font works.
    pub fn svg(&self) -> String {
        let Self { label, message, color } = self;
        let (label, message) = (escaped(label), escaped(message));
        let (left_text, right_text) = (width(self.label), width(&self.message));
        let (left, right) = (left_text + 2 * PADDING, right_text + 2 * PADDING);
        let (whole, middle) = (left + right, left + PADDING);
        let (straight_left, straight_right) = (left - RADIUS, right - RADIUS);
        let straight = HEIGHT - 2 * RADIUS;
        let fill = color.of_picture();
        let mut svg = String::with_capacity(1024);
        let _ = writeln!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"{HEIGHT}\" role=\"img\" \
             aria-label=\"{label}: {message}\"><title>{label}: {message}</title>\
             <path fill=\"#484848\" d=\"M{left} 0v{HEIGHT}h-{straight_left}a{RADIUS} {RADIUS} 0 0 1-{RADIUS}-{RADIUS}v-{straight}\
             a{RADIUS} {RADIUS} 0 0 1 {RADIUS}-{RADIUS}z\"/>\
             <path fill=\"{fill}\" d=\"M{left} 0h{straight_right}a{RADIUS} {RADIUS} 0 0 1 {RADIUS} {RADIUS}v{straight}\
             a{RADIUS} {RADIUS} 0 0 1-{RADIUS} {RADIUS}h-{straight_right}z\"/>\
             <g fill=\"#fff\" font-family=\"Verdana,Geneva,DejaVu Sans,sans-serif\" font-size=\"11\">\
             <text x=\"{PADDING}\" y=\"14\" textLength=\"{left_text}\">{label}</text>\
             <text x=\"{middle}\" y=\"14\" textLength=\"{right_text}\">{message}</text></g></svg>",
        );
        svg
    }

    /// Returns the badge as JSON for shields.io (<https://shields.io/badges/endpoint-badge>).
    pub fn endpoint(&self) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Endpoint<'a> {
            schema_version: u8,
            label: &'a str,
            message: &'a str,
            color: &'a str,
        }
        let Self { label, message, color } = self;
        let endpoint = Endpoint { schema_version: 1, label, message, color: color.of_endpoint() };
        let mut json = serde_json::to_string(&endpoint).unwrap_or_default();
        json.push('\n');
        json
    }
}

/// Escapes `text` for SVG.
fn escaped(text: &str) -> String {
    markdown::escape(text).replace('\'', "&#39;")
}

/// Returns the width of `text` in Verdana at a size of 11 pixels, in pixels.
fn width(text: &str) -> u32 {
    let thousandths: u32 = text.chars().map(of_letter).sum();
    (thousandths * 11).div_ceil(1000)
}

/// The widths of the characters from U+0020 on, in thousandths of the font size.
const WIDTHS: [u16; 95] = [
    352, 394, 459, 818, 636, 1076, 727, 269, 454, 454, 636, 818, 364, 454, 364, 454, 636, 636, 636, 636, 636,
    636, 636, 636, 636, 636, 454, 454, 818, 818, 818, 545, 1000, 684, 686, 698, 771, 632, 575, 775, 751, 421,
    455, 693, 557, 843, 748, 787, 603, 787, 695, 684, 616, 732, 684, 989, 685, 615, 685, 454, 454, 454, 818,
    636, 636, 601, 623, 521, 623, 596, 352, 623, 633, 274, 344, 592, 274, 973, 633, 607, 623, 623, 427, 521,
    394, 633, 592, 818, 592, 592, 525, 635, 454, 635, 818,
];

/// Returns the width of a character in thousandths of the font size. Characters outside the table count as the widest
/// letters.
fn of_letter(c: char) -> u32 {
    let place = u32::from(c).checked_sub(u32::from(' ')).and_then(|place| usize::try_from(place).ok());
    place.and_then(|place| WIDTHS.get(place)).map_or(1000, |width| u32::from(*width))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(message: &str) -> Shown {
        Shown { label: "release", message: shortened(message), color: Color::Plain }
    }

    #[test]
    fn letters_are_as_wide_as_in_the_font() {
        assert_eq!((of_letter(' '), of_letter('0'), of_letter('@')), (352, 636, 1000));
        assert_eq!((of_letter('A'), of_letter('a'), of_letter('m'), of_letter('~')), (684, 601, 973, 818));
        assert_eq!((of_letter('é'), of_letter('漢')), (1000, 1000));
        assert_eq!(width("stars"), 28);
    }

    #[test]
    fn messages_are_short_and_on_one_line() {
        assert_eq!(shortened(" v1.0\r\n\u{202E}beta\u{0} "), "v1.0 beta");
        assert_eq!(shortened(&"x".repeat(30)), "x".repeat(30));
        assert_eq!(shortened(&"x".repeat(31)), format!("{}…", "x".repeat(29)));
        assert_eq!(shortened("\u{200B}"), "");
    }

    #[test]
    fn strangers_texts_stay_texts() {
        let svg = shown("</title><script>\"&'").svg();
        assert!(svg.contains("&lt;/title&gt;&lt;script&gt;&quot;&amp;&#39;"), "{svg}");
        assert!(!svg.contains("<script"), "{svg}");
        let json: serde_json::Value = serde_json::from_str(&shown("\"}").endpoint()).unwrap();
        assert_eq!(json["message"], "\"}");
        assert_eq!(json["schemaVersion"], 1);
    }
}
