//! Messages say what cargo or uv would say: phrases that native speakers wouldn't write are named with what to write.

use super::Message;

/// A phrase that no message may have, unless it is one of `but` there.
struct Banned {
    phrase: &'static str,
    but: &'static [&'static str],
    instead: &'static str,
}

const fn banned(phrase: &'static str, but: &'static [&'static str], instead: &'static str) -> Banned {
    Banned { phrase, but, instead }
}

/// Compared without letter case, and only with whole words.
const BANNED: &[Banned] = &[
    // Negations.
    banned("is no", &["there is no", "is no longer", "is no other", "that is no"], "\"is not a …\""),
    banned("are no", &["there are no", "are no longer"], "\"are not …\""),
    banned("is none", &["there is none"], "\"is not one of …\""),
    banned("no more", &["no more than"], "\"no longer\", or name what there is"),
    banned("not any more", &[], "\"no longer\""),
    banned("is nothing", &["there is nothing"], "say what is there"),
    banned("is without", &[], "\"is missing …\""),
    banned("asks nothing of", &[], "\"does not …\""),
    banned("ask nothing of", &[], "\"do not …\""),
    // Who? Name the person: the user, the maintainer, the owner of the repository.
    banned("nobody", &[], "name who, or \"not found\", \"not maintained\", \"missing\""),
    banned("somebody", &[], "\"someone\", or name the person"),
    banned("everybody", &[], "\"everyone\", or name the people"),
    banned("whoever", &[], "name the person, such as \"the user that runs shelflife\""),
    // What the program believes, wants, knows and feels.
    banned("not believed", &[], "say what is done with it: \"ignoring this\""),
    banned("wants to know", &[], "say what the text is for"),
    banned("wants no", &[], "\"rate limited until …\""),
    banned("knew nothing", &[], "say what the cache lacks"),
    banned("knows nothing", &[], "say what is missing"),
    banned("makes no sense", &[], "\"is invalid\", and why"),
    banned("make no sense", &[], "\"are invalid\", and why"),
    banned("makes sense", &[], "\"is valid\""),
    banned("left alone", &[], "\"gave up on …\""),
    banned("went wrong", &["something went wrong while executing your query"], "\"failed\", and what"),
    banned("was learnt", &[], "\"was recorded\""),
    // Riddles.
    banned("in the way of", &[], "say what can't be written and what is there instead"),
    banned("is to be had", &[], "\"is available\""),
    banned("could not be had", &[], "\"could not be fetched\""),
    banned("not what it was", &[], "\"differs from its stored digest\", or what was compared"),
    banned("not what they were", &[], "\"differ from their stored digest\", or what was compared"),
    banned("as it was stored", &[], "\"no damage found\""),
    banned("as they were", &[], "\"unchanged\""),
    banned("things to", &[], "name the things"),
    banned("something else", &[], "name what was found"),
    banned("had no use for", &[], "\"did not use\""),
    banned("of use", &[], "\"used\""),
    banned("is meant", &[], "\"if you mean …\""),
    banned("are meant", &[], "\"if you mean …\""),
    banned("not for everybody", &[], "\"permission denied\""),
    banned("weak eyes", &[], "name the guideline, such as WCAG 2.2, 1.4.3"),
    // Words of another language.
    banned("at hand", &[], "\"available\", \"known\""),
    banned("anew", &[], "\"from scratch\", \"again\""),
    banned("a line each", &[], "\"one per line\""),
    banned("every now and then", &[], "\"periodically\", or when"),
    banned("look again", &[], "\"check again\""),
    banned("looked at", &[], "\"checked\""),
    banned("mend", &[], "\"fix\""),
    banned("mends", &[], "\"fixes\""),
    banned("mended", &[], "\"fixed\""),
    banned("tell of", &[], "\"report\""),
    banned("tells of", &[], "\"reports\""),
    banned("wait no longer than", &[], "\"longest time to wait\""),
    banned("brings it up to date", &[], "\"updates it\""),
    // Terms that have become others, in two halves: a search for such a term finds only its uses.
    banned(concat!("im", "print"), &[], "\"trace\""),
    banned(concat!("im", "prints"), &[], "\"traces\""),
    banned(concat!("compan", "ion"), &[], "\"alternate\""),
    banned(concat!("compan", "ions"), &[], "\"alternates\""),
    banned(concat!("gl", "ance"), &[], "\"output scan\""),
    banned(concat!("fa", "cet"), &[], "\"taxonomy\""),
    banned(concat!("fa", "cets"), &[], "\"taxonomies\""),
    banned(concat!("he", "ard"), &[], "\"source status\"; of times, \"last answer\""),
    banned(concat!("past its ", "life"), &[], "\"stale\""),
    banned("past their life", &[], "\"stale\""),
];

/// What is wrong with how a message says it.
fn mistakes(text: &str) -> Vec<&'static Banned> {
    let text = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    BANNED.iter().filter(|banned| has(&text, banned)).collect()
}

fn has(text: &str, banned: &Banned) -> bool {
    let is_apart = |at: usize, phrase: &str| {
        let (before, after) = (&text[..at], &text[at + phrase.len()..]);
        !before.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_')
            && !after.starts_with(|sign: char| sign.is_alphanumeric() || sign == '_')
    };
    let places = |phrase: &'static str| {
        text.match_indices(phrase).map(|(at, _)| at).filter(move |at| is_apart(*at, phrase))
    };
    let excused = |at: usize| {
        banned
            .but
            .iter()
            .any(|but| text.match_indices(but).any(|(begin, _)| (begin..begin + but.len()).contains(&at)))
    };
    places(banned.phrase).any(|at| !excused(at))
}

/// Whether a message begins with a relative clause that stands for nobody: `who runs it may …`.
fn begins_with_who(text: &str) -> bool {
    text.to_lowercase().starts_with("who ") && !text.trim_end().ends_with('?')
}

fn findings(path: &str, Message { line, text }: &Message) -> Vec<String> {
    let shown = text.replace('\n', "\\n");
    let mut findings: Vec<String> = mistakes(text)
        .iter()
        .map(|banned| format!("{path}:{line}: `{}` in `{shown}`; instead: {}", banned.phrase, banned.instead))
        .collect();
    if begins_with_who(text) {
        findings.push(format!("{path}:{line}: `{shown}` begins with \"who\": name the person"));
    }
    findings
}

#[test]
fn messages_are_plain_english() {
    let all = super::all();
    let findings: Vec<String> = all
        .iter()
        .flat_map(|(path, messages)| messages.iter().flat_map(|message| findings(path, message)))
        .collect();
    assert!(findings.is_empty(), "{} phrases to replace:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn riddles_are_found() {
    for (text, phrases) in [
        ("this is no address", &["is no"][..]),
        ("This  IS\nno address", &["is no"]),
        ("there is no address, and this is no longer one", &[]),
        ("there is no address, and this is no port", &["is no"]),
        ("GitHub shows it to nobody; at hand: {}", &["nobody", "at hand"]),
        ("it was recommended, canewood, and stored in anew_a", &[]),
        ("they are no more", &["are no", "no more"]),
        ("no more than {} of them", &[]),
    ] {
        let found: Vec<&str> = mistakes(text).iter().map(|banned| banned.phrase).collect();
        assert_eq!(found, phrases, "{text}");
    }
    assert!(begins_with_who("Who wrote it") && !begins_with_who("Who uses it?") && !begins_with_who("whose"));
    for (at, banned) in BANNED.iter().enumerate() {
        assert!(
            BANNED[..at].iter().all(|other| other.phrase != banned.phrase),
            "{} is there twice",
            banned.phrase
        );
        // What excuses a phrase has it.
        assert!(banned.but.iter().all(|but| but.contains(banned.phrase)), "{}", banned.phrase);
    }
}
