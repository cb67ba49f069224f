//! GitHub's reply to a batch: unless the whole reply is an error, every subject gets an answer, and none gets two
//! different values. (A file's content may come twice: by its object id, and along with a path.)
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use shelflife_model::fact::{Answer, IssueName, ObjectId, Repository, RepositoryName, Subject};
use shelflife_sources::github::document::{Ask, Object};
use shelflife_sources::github::read_reply;

fn asks() -> Vec<Ask> {
    let name = |name| RepositoryName::new("o", name).expect("a name");
    let object = ObjectId::new("0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a").expect("an id");
    let path = |path: &str, text| Object::Path { path: path.to_owned(), text };
    let ask = |repository, details, objects| Ask { repository, details, objects, issues: vec![] };
    let issues = [1, 2].map(|number| IssueName::new(name("a"), number).expect("a number"));
    vec![
        Ask { issues: issues.to_vec(), ..ask(name("a"), true, vec![]) },
        ask(name("b"), true, vec![path("setup.py", false), path("x.py", false)]),
        ask(name("c"), false, vec![path("setup.py", true), Object::Id(object)]),
    ]
}

fuzz_target!(|bytes: &[u8]| {
    let asks = asks();
    let Ok(answers) = read_reply(&asks, bytes, Default::default()) else { return };
    let mut values: BTreeMap<&Subject, Option<&[u8]>> = BTreeMap::new();
    for (subject, answer) in &answers {
        let known = values.entry(subject).or_default();
        if let Answer::Value(value, _) = answer {
            assert!(known.is_none_or(|known| known == &**value), "{subject}");
            *known = Some(value);
            if let Subject::Repository(_) = subject {
                serde_json::from_slice::<Repository>(value).expect("the stored value can be read");
            }
        }
    }
    for subject in asks.iter().flat_map(Ask::subjects) {
        assert!(values.contains_key(&subject), "{subject}");
    }
});
