//! An entry in a history, as it is meant to be.

use super::event::{DATES, Redirects, STEMS, VIDEOS};
use crate::common::entry;

/// What decides about an entry's file, beside its name.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: String,
    /// The name of the repository.
    pub source: &'static str,
    pub tags: u8,
    pub text: u8,
    pub redirects: Redirects,
    /// The number of the issue that says that it is abandoned.
    pub abandoned: Option<u8>,
    /// The number of its date; `None` for a draft.
    pub date: Option<u8>,
}

impl Entry {
    /// The content of its file, which is called as the stem at this position.
    pub fn file(&self, at: usize) -> String {
        let Self { id, source, tags, text, redirects, abandoned, date } = self;
        let stem = STEMS[at];
        let [next, after_next] = [1, 2].map(|further| STEMS[(at + further) % STEMS.len()]);
        let redirects = match redirects {
            Redirects::Own => format!("/old/{stem}{tags}/"),
            Redirects::Shared => "/shared/".to_owned(),
            Redirects::OfOthers => format!("/old/{next}{tags}/, /old/{after_next}{tags}/"),
            Redirects::Taken => format!("/plugins/{next}/, /plugins.json"),
        };
        let declared = if *text == 3 { "compatibility: {python: '>=3.9'}\n" } else { "" };
        let replaced = if *tags == 2 {
            format!("replaced: By [another](/plugins/{next}/), {text}.\nnote: \"**Mind** {text}\"\n")
        } else {
            String::new()
        };
        let film = match text {
            1 => format!("\n{{% include youtube.html vid=\"{}\" %}}", VIDEOS[0]),
            2 => format!(
                "\n![a](https://i.ytimg.com/vi/{}/0.jpg) {{% include youtube.html vid='{}' %}}",
                VIDEOS[0], VIDEOS[1]
            ),
            _ => String::new(),
        };
        let abandoned =
            abandoned.map(|issue| format!("abandoned: https://github.com/owner/{source}/issues/{issue}\n"));
        let abandoned = abandoned.unwrap_or_default();
        let picture = if *tags == 1 { "featured_image: /assets/img/x.png\n" } else { "" };
        let draft = if date.is_none() { "draft: true\n" } else { "" };
        let more = format!(
            "tags: [t{tags}, all]\nredirect_from: [{redirects}]\n{declared}{abandoned}{replaced}\
             {picture}{draft}"
        );
        entry(stem, &more)
            .replace(&format!("\nid: {stem}\n"), &format!("\nid: {id}\n"))
            .replace(DATES[0], DATES[usize::from(date.unwrap_or_default())])
            .replace(&format!("/owner/{stem}\n"), &format!("/owner/{source}\n"))
            .replace("Text.", &format!("Text **{text}**, [x](/plugins/{stem}/).{film}"))
    }
}

/// The path of the file that is called as the stem at this position.
pub fn path_of(entry: u8) -> String {
    format!("entries/{}.md", STEMS[usize::from(entry)])
}

/// The content of a page of the site's own.
pub fn page(text: u8) -> String {
    let front = match text {
        1 => "nav: true\nplugins: [alpha, BETA, nosuch]",
        2 => "title: Tagged\ntags: [all, t1]",
        3 => "permalink: /help/data/\nnav: Another name",
        4 => "address: /plugins/gamma/\nnav: true\nplugins: [gamma]",
        5 => "template: mine.html\ndescription: Mine",
        _ => "published: false",
    };
    format!("---\n{front}\n---\nText **{text}**, [x](/plugins/alpha/), {{{{ page.title }}}}.\n")
}
