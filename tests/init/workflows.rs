//! The workflows that `shelflife init --github` writes, run by GitHub in miniature on a registry that lives for a year.

mod registry;

use std::sync::Arc;

use crate::common::{entry, lacks};
use registry::{ACTION, COMMIT, Registry, SECRET, run_of};
use shelflife_testkit::actions::Run;
use shelflife_testkit::replay::{FaultAction, Kind};

#[test]
fn a_year_of_publications_loses_nothing() {
    if lacks(&["bash", "git", "curl", "jq"]) {
        return;
    }
    let mut registry = Registry::new(&["one", "two", "three"]);
    registry.tick();
    let first = registry.publish();
    assert!(first.log().contains("nothing is published at"), "{}", first.log());
    registry.tick();
    let second = registry.publish();
    assert!(!second.log().contains("published since"), "{}", second.log());
    registry.assert_like_a_first_build();

    // Somebody adds a plugin.
    registry.tick();
    registry.write("entries/four.md", &entry("four", "compatibility:\n  python: '>=3,<4'\n"));
    registry.push("Add four");
    registry.tick();
    let event = registry.forge.event("push");
    let run = registry.start(&event, "Publish");
    assert_eq!(run.conclusion(), "success", "{}", run.log());
    registry.observe();
    registry.assert_published();

    // GitHub evicts every cache.
    registry.forge.evict(usize::MAX);
    registry.tick();
    let run = registry.publish();
    assert!(run.log().contains("note: restored"), "{}", run.log());
    registry.assert_like_a_first_build();
    registry.tick();
    registry.publish();

    // An older cache is what is left.
    registry.tick();
    registry.publish();
    registry.forge.evict(2);
    registry.tick();
    let run = registry.publish();
    assert!(run.log().contains("Restored"), "{}", run.log());

    // The deployment fails, and a person runs it again the day after.
    registry.tick();
    registry.forge.fail_next("actions/deploy-pages");
    let before = registry.pages();
    let event = registry.forge.event("schedule");
    let failed = registry.start(&event, "Publish");
    assert_eq!(failed.conclusion(), "failure");
    assert_eq!(registry.pages(), before);
    assert_eq!(registry.told().len(), 1);
    registry.observe();
    let again = registry.forge.rerun(&failed);
    assert_eq!(again.conclusion(), "success", "{}", again.log());
    registry.assert_published();
    let keys = registry.forge.caches();
    assert!(keys.last().unwrap().ends_with(&format!("-{}-2", failed.id)), "{keys:?}");

    // A plugin goes, and is gone also where an older cache knows nothing of that.
    registry.tick();
    registry.publish();
    std::fs::remove_file(registry.clone.path().join("entries/two.md")).unwrap();
    registry.push("Remove two");
    registry.tick();
    registry.publish();
    registry.forge.evict(1);
    registry.tick();
    registry.publish();
    registry.assert_like_a_first_build();

    // Months pass.
    for _ in 0..8 {
        registry.tick();
        registry.publish();
    }

    // A site that can't be built is not published, and what it was built from is kept.
    registry.tick();
    registry.write("shelflife.toml", "titel = 'x'\n");
    registry.push("Break it");
    let before = registry.pages();
    let event = registry.forge.event("push");
    let run = registry.start(&event, "Publish");
    assert_eq!((run.conclusion(), &*run.jobs["deploy"].result), ("failure", "skipped"));
    assert_eq!(registry.pages(), before);
    let told = registry.told();
    assert!(told.len() == 1 && told[0].starts_with("ada/registry was not published: https://"), "{told:?}");
    let config = registry.config();
    registry.write("shelflife.toml", &config);

    // An entry that can't be read stays as it was, and everything else is published.
    let good = std::fs::read_to_string(registry.clone.path().join("entries/one.md")).unwrap();
    registry.write("entries/one.md", "---\nlayout: [\n---\n");
    registry.push("Mend it, and break an entry");
    registry.tick();
    let event = registry.forge.event("push");
    let run = registry.start(&event, "Publish");
    assert_eq!((run.conclusion(), &*run.jobs["deploy"].result), ("failure", "success"), "{}", run.log());
    let told = registry.told();
    assert!(told.len() == 1 && told[0].contains("was published, but some entries can't be read"), "{told:?}");
    registry.observe();
    registry.assert_published();
    registry.write("entries/one.md", &good);
    registry.push("Mend the entry");
    registry.tick();
    registry.publish();

    // Three pushes at once: the second run never begins, and its commit is in what the third publishes.
    registry.tick();
    let mut events = Vec::new();
    for stem in ["five", "six", "seven"] {
        registry.write(&format!("entries/{stem}.md"), &entry(stem, "compatibility:\n  python: '>=3,<4'\n"));
        registry.push(stem);
        events.push(registry.forge.event("push"));
    }
    registry.tick();
    let runs = registry.forge.start_together(&events);
    let conclusions: Vec<_> = runs.iter().map(Run::conclusion).collect();
    assert_eq!(conclusions, ["success", "cancelled", "success"]);
    // What the first of them observed of the plugins that it did not know yet is nothing.
    registry.observe();
    registry.assert_published();

    // Everything is lost but what is published, and the deployment of what comes after fails.
    registry.tick();
    registry.forge.evict(usize::MAX);
    registry.forge.fail_next("actions/deploy-pages");
    let event = registry.forge.event("schedule");
    let failed = registry.start(&event, "Publish");
    assert_eq!(failed.conclusion(), "failure");
    registry.observe();
    for _ in 0..10 {
        registry.tick();
        registry.publish();
    }
    registry.assert_like_a_first_build();
    assert!(registry.ticks * 10 > 300, "not a year yet: {} days", registry.ticks * 10);
}

#[test]
fn a_cache_that_lacks_history_never_passes_for_the_newest() {
    if lacks(&["bash", "git", "curl", "jq"]) {
        return;
    }
    let mut registry = Registry::new(&["one", "two"]);
    for _ in 0..3 {
        registry.tick();
        registry.publish();
    }
    let index = registry.forge.pages().join("api/v1/plugins.json");
    let published = std::fs::read(&index).unwrap();

    // An older cache is what is left, and what was published since can't be read, or the run ends before that.
    registry.forge.evict(1);
    let caches = registry.forge.caches();
    std::fs::write(&index, "<html>Be right back").unwrap();
    registry.tick();
    let event = registry.forge.event("schedule");
    let run = registry.start(&event, "Publish");
    assert_eq!(run.conclusion(), "failure", "{}", run.log());
    assert_eq!(registry.forge.caches(), caches, "{}", run.log());
    registry.forge.cancel_after("Restore the cache");
    registry.tick();
    std::fs::write(&index, &published).unwrap();
    let event = registry.forge.event("schedule");
    let run = registry.start(&event, "Publish");
    assert_eq!(run.conclusion(), "cancelled", "{}", run.log());
    assert_eq!(registry.forge.caches(), caches, "{}", run.log());
    registry.tick();
    let run = registry.publish();
    assert!(run.log().contains("Restored"), "{}", run.log());
    registry.assert_like_a_first_build();

    // No cache at all is left. What is saved then has no history, and doesn't pass for one that has.
    registry.forge.evict(usize::MAX);
    let published = std::fs::read(&index).unwrap();
    std::fs::write(&index, "<html>Be right back").unwrap();
    registry.tick();
    let event = registry.forge.event("schedule");
    let run = registry.start(&event, "Publish");
    assert_eq!(run.conclusion(), "failure", "{}", run.log());
    std::fs::write(&index, &published).unwrap();
    registry.tick();
    registry.publish();
    registry.assert_like_a_first_build();
}

#[test]
fn pull_requests_from_forks_are_checked_and_see_no_secret() {
    if lacks(&["bash", "git", "curl", "jq"]) {
        return;
    }
    let mut registry = Registry::new(&["one", "two"]);
    registry.forge.secrets.insert((String::new(), "DEPLOY_KEY".into()), SECRET.to_owned());
    registry.tick();
    registry.publish();
    let (pages, caches) = (registry.pages(), registry.forge.caches());

    let new = entry("three", "compatibility:\n  python: '>=3,<4'\n");
    let wrong = new.replace("license: MIT\n", "").replace("Text.", "Text. ``` @everyone <img src=x>");
    let event = registry.propose(7, &[("entries/three.md", &wrong)]);
    let runs = registry.forge.start(&event);
    let check = run_of(&runs, "Check");
    assert_eq!(check.conclusion(), "failure", "{}", check.log());
    assert!(check.log().contains("::error file=entries/three.md,line="), "{}", check.log());
    assert_eq!(run_of(&runs, "Comment").conclusion(), "success", "{}", run_of(&runs, "Comment").log());
    let comments = registry.forge.comments(7);
    assert_eq!(comments.len(), 1, "{}", run_of(&runs, "Comment").log());
    let comment = &comments[0];
    assert!(comment.starts_with("<!-- shelflife check -->\n**The check found errors.**"), "{comment}");
    assert!(comment.contains("entries/three.md") && comment.contains("license"), "{comment}");

    // The comment is updated, not repeated.
    let event = registry.propose(7, &[("entries/three.md", &new)]);
    let runs = registry.forge.start(&event);
    assert_eq!(run_of(&runs, "Check").conclusion(), "success", "{}", run_of(&runs, "Check").log());
    let comments = registry.forge.comments(7);
    assert!(comments.len() == 1 && comments[0].contains("**The check found no errors.**"), "{comments:?}");

    // What runs strangers' versions of files, also of the workflows themselves, is given nothing.
    for run in runs.iter().filter(|run| run.event.is_foreign) {
        for step in run.jobs.values().flat_map(|job| &job.steps) {
            for (name, value) in &step.environment {
                assert!(!value.contains(SECRET) && !value.contains("ghs_"), "{}: {name}", step.name);
                assert!(name != "GITHUB_TOKEN", "{}", step.name);
            }
        }
    }
    assert_eq!(registry.pages(), pages, "nothing is published");
    assert_eq!(registry.forge.caches(), caches, "nothing is cached");
    assert!(registry.told().is_empty());
}

#[test]
fn a_summary_can_be_anything_and_does_nothing() {
    if lacks(&["bash", "git", "curl", "jq"]) {
        return;
    }
    let mut registry = Registry::new(&["one"]);
    // The pull request brings its own version of the check, which writes what it likes. Where that is cut is within a
    // character.
    let path = ".github/workflows/check.yml";
    let text = std::fs::read_to_string(registry.clone.path().join(path)).unwrap();
    let (before, rest) = text.split_once("          unset GITHUB_ACTIONS").unwrap();
    let after = rest.split_once("exit-code.txt\"\n").unwrap().1;
    let propose = |registry: &mut Registry, summary: &str| {
        let script = format!(
            "          printf '%s\\n' '```' '@everyone' '<!-- x -->' '[link](https://evil.example)' \
             >\"$RUNNER_TEMP/check/summary.txt\"\n          {summary} >>\"$RUNNER_TEMP/check/summary.txt\"\n"
        );
        registry.propose(9, &[(path, &format!("{before}{script}{after}"))])
    };
    let event = propose(&mut registry, "head -c 100000 /dev/zero | tr '\\000' x | sed 's/x/€/g'");
    // Another pull request is open, which it would like to comment on.
    let _ = registry.propose(8, &[("entries/two.md", &entry("two", ""))]);
    let runs = registry.forge.start(&event);
    assert_eq!(run_of(&runs, "Comment").conclusion(), "success", "{}", run_of(&runs, "Comment").log());
    assert!(registry.forge.comments(8).is_empty());
    let comment = registry.forge.comments(9).pop().unwrap();
    assert!(comment.len() < 21_000, "{}", comment.len());
    let (_, block) = comment.split_once("```text\n").unwrap();
    assert!(block.starts_with("'''\n@everyone\n") && block.ends_with("€\n```"), "{}", &block[..80]);
    assert_eq!(block.matches("```").count(), 1, "nothing gets out of the block");

    // One of these is cut within a character.
    for first in ["", "x"] {
        let event = propose(&mut registry, &format!("printf '%s' {first} é{{1..15000}}"));
        let runs = registry.forge.start(&event);
        assert_eq!(run_of(&runs, "Comment").conclusion(), "success", "{}", run_of(&runs, "Comment").log());
        let comment = registry.forge.comments(9).pop().unwrap();
        assert!(comment.contains("\n… truncated\n") && comment.ends_with("é14999é15000\n```"), "{comment}");
    }

    // It ends within a character, has bytes that are none, and characters that aren't seen.
    let event = propose(&mut registry, "printf '\\000a\\377\\033b\\302\\205c\\303'");
    let runs = registry.forge.start(&event);
    assert_eq!(run_of(&runs, "Comment").conclusion(), "success", "{}", run_of(&runs, "Comment").log());
    let comment = registry.forge.comments(9).pop().unwrap();
    assert!(comment.ends_with("\na\u{fffd}bc\u{fffd}\n```"), "{comment:?}");
}

#[test]
fn a_long_summary_is_cut_and_keeps_its_totals() {
    if lacks(&["bash", "git", "curl", "jq"]) {
        return;
    }
    let mut registry = Registry::new(&["one"]);
    let stems: Vec<_> = (0..120).map(|stem| format!("wrong-{stem}")).collect();
    let text = |stem: &str| entry(stem, "").replace("license: MIT\n", "");
    let files: Vec<_> = stems.iter().map(|stem| (format!("entries/{stem}.md"), text(stem))).collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let event = registry.propose(3, &files);
    let runs = registry.forge.start(&event);
    assert_eq!(run_of(&runs, "Comment").conclusion(), "success", "{}", run_of(&runs, "Comment").log());
    let comment = registry.forge.comments(3).pop().unwrap();
    assert!((19_000..21_000).contains(&comment.len()), "{}", comment.len());
    let (_, end) = comment.split_once("\n… truncated\n").expect(&comment);
    assert!(end.contains("Checked 120 entries: ") && end.contains(" errors"), "{end}");
}

#[test]
fn a_check_that_can_not_run_is_not_told_as_one_that_found_errors() {
    if lacks(&["bash", "git", "curl", "jq"]) {
        return;
    }
    let mut registry = Registry::new(&["one"]);
    let event = registry.propose(6, &[("shelflife.toml", "titel = 'x'\n")]);
    let runs = registry.forge.start(&event);
    let check = run_of(&runs, "Check");
    assert_eq!(check.conclusion(), "failure", "{}", check.log());
    let annotations = check.log().lines().filter(|line| line.starts_with("::error ")).count();
    assert_eq!(annotations, 1, "{}", check.log());
    let comment = registry.forge.comments(6).pop().unwrap();
    assert!(comment.contains("**The check could not run.**"), "{comment}");
    assert!(comment.contains("titel") && !comment.contains("::error"), "{comment}");

    registry.forge.cancel_after("Upload the summary");
    let event = registry.propose(6, &[("entries/two.md", &entry("two", ""))]);
    let runs = registry.forge.start(&event);
    assert_eq!(run_of(&runs, "Check").conclusion(), "cancelled");
    let comment = registry.forge.comments(6).pop().unwrap();
    assert!(comment.contains("**The check did not finish.**"), "{comment}");
}

#[test]
fn a_preview_shows_what_a_pull_request_changes() {
    if lacks(&["bash", "git", "curl", "jq"]) {
        return;
    }
    let mut registry = Registry::new(&["one", "two"]);
    registry.tick();
    registry.publish();
    let text = entry("two", "compatibility:\n  python: '>=3,<4'\n").replace("Text.", "Another text.");
    let text = text.replace("Ada of two", "Ada of three");
    let three = entry("three", "compatibility:\n  python: '>=3,<4'\n");
    let event = registry.propose(5, &[("entries/two.md", &text), ("entries/three.md", &three)]);
    let runs = registry.forge.start(&event);
    let preview = run_of(&runs, "Preview");
    assert_eq!(preview.conclusion(), "success", "{}", preview.log());
    let job = &preview.jobs["preview"];
    let summary = &job.steps.iter().find(|step| step.name == "List the changed pages").unwrap().summary;
    for line in [
        "- <http://localhost:8000/plugins/two/> (changed)\n",
        "- <http://localhost:8000/plugins/three/> (added)\n",
    ] {
        assert!(summary.contains(line), "{summary}");
    }
    assert!(!summary.contains("/plugins/one/>"), "{summary}");
    let what = |line: &str| line.rsplit_once("> (").map(|(_, what)| what.trim_end_matches(')').to_owned());
    let mut order: Vec<_> = summary.lines().filter_map(what).collect();
    order.dedup();
    assert_eq!(order, ["added", "changed", "removed"], "{summary}");
    let site = registry.forge.artifact(preview, "preview").unwrap();
    let page = std::fs::read_to_string(site.join("plugins/two/index.html")).unwrap();
    assert!(page.contains("Another text.") && page.contains("http://localhost:8000/plugins/two/"), "{page}");
    assert!(page.contains("201"), "the stars are those of the last publication");
    assert!(!page.contains(&registry.host.origin()), "nothing leads to the real site");
}

#[test]
fn the_action_says_what_came_of_the_build() {
    if lacks(&["bash", "git", "curl", "jq"]) {
        return;
    }
    let mut registry = Registry::new(&["one", "two"]);
    let workflow = format!(
        "name: Mine\non:\n  workflow_dispatch:\npermissions:\n  contents: read\njobs:\n  build:\n    runs-on: x\n    \
         steps:\n      - uses: actions/checkout@{COMMIT}\n        with:\n          persist-credentials: false\n      \
         - id: build\n        uses: {ACTION}@{COMMIT}\n        with:\n          base-path: /list\n          \
         arguments: |\n            --strict\n            --quiet\n      - name: Say\n        if: always()\n        \
         shell: bash\n        env:\n          SAID: ${{{{ steps.build.outputs.exit-code }}}} \
         ${{{{ steps.build.outputs.changed }}}} ${{{{ steps.build.outputs.entries }}}} \
         ${{{{ steps.build.outputs.missing }}}} ${{{{ steps.build.outputs.warnings }}}}\n          \
         SITE: ${{{{ steps.build.outputs.site }}}}\n        run: |\n          \
         echo \"$SAID\"; grep -c /list/plugins/one/ \"$SITE/plugins/one/index.html\" || true\n"
    );
    registry.write(".github/workflows/mine.yml", &workflow);
    // It has the same cache, and publishes at another address.
    std::fs::remove_file(registry.clone.path().join(".github/workflows/publish.yml")).unwrap();
    registry.push("Use the action");
    registry.tick();
    let said = |registry: &mut Registry| {
        let event = registry.forge.event("workflow_dispatch");
        let run = registry.start(&event, "Mine");
        let job = &run.jobs["build"];
        (job.result.clone(), job.steps.last().unwrap().log.lines().map(str::to_owned).collect::<Vec<_>>())
    };
    let (result, lines) = said(&mut registry);
    assert_eq!((&*result, &*lines[0]), ("success", "0 true 2 0 0"), "{lines:?}");
    assert_ne!(lines[1], "0", "the pages are below the base path");
    assert_eq!(said(&mut registry).1[0], "0 false 2 0 0", "nothing has changed");

    // A strict build publishes what it has, and says that it isn't all.
    registry.write("entries/three.md", &entry("three", "compatibility:\n  python: '>=3,<4'\n"));
    registry.push("Add one while GitHub is down");
    registry.server.set_fault(Some(Arc::new(|request| {
        (request.kind == Kind::Repositories).then(|| FaultAction::status(401, "Bad credentials"))
    })));
    let (result, lines) = said(&mut registry);
    assert_eq!((&*result, &*lines[0]), ("success", "4 true 3 1 0"), "{lines:?}");

    // What is wrong with the configuration is told in the outputs, too, and fails the job.
    registry.write("shelflife.toml", "titel = 'x'\n");
    registry.push("Break it");
    let (result, lines) = said(&mut registry);
    assert_eq!(result, "failure");
    assert!(lines[0].starts_with("2 false   "), "{lines:?}");
}
