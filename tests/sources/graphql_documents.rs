//! Every GraphQL document that the program can send is valid by GitHub's own schema.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use shelflife::fact::{IssueName, ObjectId, RepositoryName, Subject};
use shelflife::source::github::{batches, document};
use shelflife_testkit::replay::{Schema, shared};

fn subject() -> impl Strategy<Value = Subject> {
    let name = (0..8u8).prop_map(|n| RepositoryName::new("owner", &format!("name{n}")).unwrap());
    let object = (0..200u8).prop_map(|n| ObjectId::new(&format!("{n:02x}").repeat(20)).unwrap());
    (name, object, "[a-z\"{}$\\\\\n]{0,12}", 0..4).prop_map(|(repository, object, path, kind)| match kind {
        0 => Subject::Repository(repository),
        1 => Subject::File { repository, path },
        2 => {
            Subject::Issue(IssueName::new(repository, 1 + u32::from(object.as_str().as_bytes()[0])).unwrap())
        }
        _ => Subject::Content { repository, object },
    })
}

#[test]
fn whatever_is_asked_is_asked_validly() {
    let Some(shared) = shared() else {
        crate::common::skip("whatever_is_asked_is_asked_validly", "no ../shared");
        return;
    };
    let schema = Schema::load(&shared.join("github/schema.graphql")).unwrap();
    let mut runner = TestRunner::new(Config { cases: 100, failure_persistence: None, ..Config::default() });
    let batch_sizes = 1..100usize;
    runner
        .run(&(prop::collection::vec(subject(), 1..40), batch_sizes), |(subjects, size)| {
            for batch in batches(&subjects, size) {
                let text = document::document(&batch.asks);
                let names: Vec<String> = document::variables(&batch.asks).keys().cloned().collect();
                let declared = names.iter().all(|name| text.contains(&format!("${name}:")));
                prop_assert!(declared, "not every variable is declared");
                if let Err(why) = schema.check(&text) {
                    return Err(TestCaseError::fail(format!("{why}\n{text}")));
                }
            }
            Ok(())
        })
        .unwrap();
}
