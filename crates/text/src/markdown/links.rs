//! Finds and replaces addresses in HTML from this module, without reading the Markdown again.

use std::ops::Range;

use super::plain::{decode, escape};

/// An address in HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address, without character references.
    pub to: String,
    /// Whether it is the address of a picture; otherwise it is a link's.
    pub is_picture: bool,
    /// The bytes of the HTML that contain the address.
    place: Range<usize>,
}

/// All addresses in HTML from this module, in the order of the text.
pub fn addresses(html: &str) -> Vec<Address> {
    let mut found = Vec::new();
    let mut at = 0;
    // The HTML has `<` only at tags, and `"` only around the values of attributes.
    while let Some(tag) = html.get(at..).and_then(|rest| rest.find('<')) {
        at += tag + 1;
        while let Some(next) = html.get(at..).and_then(|rest| rest.find(['"', '>'])) {
            let (before, rest) = html[at..].split_at(next);
            let Some(value) = rest.strip_prefix('"') else {
                at += next + 1;
                break;
            };
            let Some(length) = value.find('"') else { return found };
            let place = at + next + 1..at + next + 1 + length;
            at = place.end + 1;
            let is_picture = before.ends_with(" src=");
            if is_picture || before.ends_with(" href=") {
                let to = decode(&html[place.clone()]).into_owned();
                found.push(Address { to, is_picture, place });
            }
        }
    }
    found
}

/// Replaces the addresses in HTML from this module for which `another` returns a replacement.
pub fn with_addresses(html: &str, another: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(html.len());
    let mut copied = 0;
    for Address { to, place, .. } in addresses(html) {
        let Some(another) = another(&to) else { continue };
        out.push_str(&html[copied..place.start]);
        out.push_str(&escape(&another));
        copied = place.end;
    }
    out.push_str(&html[copied..]);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::markdown::{self, Addresses};

    fn html(markdown: &str) -> String {
        markdown::to_html(markdown, Addresses::new(&|_| None))
    }

    #[test]
    fn addresses_are_those_of_links_and_pictures_alone() {
        let html = html(
            "[a](/a?b&c) ![ href=\"/no\"](/b.png \"x > y src='/no'\") `<a href=\"/no\">` href=\"/no\" <b title='&quot; href='>c</b>\n\n\
             <a href='/d'><img src=e.png alt=\"/no\"></a>",
        );
        let found: Vec<(String, bool)> =
            addresses(&html).into_iter().map(|address| (address.to, address.is_picture)).collect();
        let expected = [("/a?b&c", false), ("/b.png", true), ("/d", false), ("e.png", true)];
        assert_eq!(found, expected.map(|(to, is_picture)| (to.to_owned(), is_picture)), "{html}");
        let other = with_addresses(&html, |address| (address == "/d").then(|| "/&\"".to_owned()));
        assert_eq!(other, html.replace("\"/d\"", "\"/&amp;&quot;\""));
    }

    proptest! {
        #[test]
        fn what_is_replaced_by_itself_stays(markdown in "[ -~\\n]{0,80}|(\\[a\\]\\([!-~]{0,10}\\)|<img src=[ -~]{0,10}>|[<>\"'=]){0,8}") {
            let html = html(&markdown);
            let same = with_addresses(&html, |address| Some(address.to_owned()));
            // Apart from `>`, which is written as a reference or not.
            prop_assert_eq!(same.replace("&gt;", ">"), html.replace("&gt;", ">"));
            let told = std::cell::RefCell::new(Vec::new());
            let tell = |address: &str| { told.borrow_mut().push(address.to_owned()); None };
            markdown::to_html(&markdown, Addresses::new(&tell));
            prop_assert!(addresses(&html).len() <= told.borrow().len());
        }
    }
}
