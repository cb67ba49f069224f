//! The facts about a generated registry, and how they change from one hour to the next.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::generate::{Entry, Registry};
use crate::replay::dice::Dice;
use crate::replay::source::{self, DEFAULT_PYTHON, Plugin};
use crate::replay::{Release, Repository, Usage, Window, World};

/// Instances of the most used plugin.
const MOST: u64 = 80_000;
/// Seconds of a day.
const DAY: i64 = 24 * 3600;

/// Returns the world at a moment, with facts about all of a registry's entries.
pub fn world(registry: &Registry, time: Timestamp, seed: &str) -> World {
    let mut world = World::new(time);
    // Popularity doesn't depend on the date of registration.
    let mut dice = Dice::new(&["popularity", seed]);
    let mut ranked: Vec<&Entry> = registry.entries.iter().collect();
    ranked.sort_by_cached_key(|_| dice.roll());
    for (rank, entry) in ranked.into_iter().enumerate() {
        let mut dice = Dice::new(&["world", seed, &entry.id]);
        // Usage of plugins roughly follows Zipf's law, with some luck; the long tail is hardly used at all.
        let instances = MOST / (1 + rank as u64) * (50 + dice.below(100)) / 100;
        let versions = 1 + dice.below(12).min(1 + instances.checked_ilog2().map_or(0, u64::from));
        for (window, share) in [(Window::Week, 70), (Window::Month, 100)] {
            let instances = instances * share / 100;
            if instances > 0 {
                let install_events = instances / 40 + dice.below(3);
                let versions = by_version(instances, versions);
                world.set_usage(
                    window,
                    entry.id.to_lowercase(),
                    Usage { instances, install_events, versions },
                );
            }
        }
        if let Some(name) = &entry.repository {
            world.add(repository(name, entry, instances, time, &mut dice));
        }
    }
    world
}

/// Splits instances over versions: half have the newest version, half of the rest the one before it, and so on.
fn by_version(instances: u64, versions: u64) -> BTreeMap<String, u64> {
    let mut left = instances;
    let mut split = BTreeMap::new();
    for number in (1..=versions).rev() {
        let have = if number == 1 { left } else { left.div_ceil(2) };
        if have > 0 {
            split.insert(format!("0.{}.{}", number / 3, number % 3), have);
        }
        left -= have;
    }
    split
}

fn repository(name: &str, entry: &Entry, instances: u64, now: Timestamp, dice: &mut Dice) -> Repository {
    let stars = instances / 150 + dice.below(12);
    let rest = i64::try_from(dice.below(1500)).unwrap_or(0);
    let pushed = now.saturating_sub(SignedDuration::from_secs(rest * DAY + 77)).unwrap_or(now);
    let mut it = Repository::new(name)
        .with_stars(stars)
        .with_issues(dice.below(3 + stars / 6), dice.below(5 + stars / 2))
        .with_push(pushed);
    it.watchers = stars / 5 + dice.below(6);
    it.archived = rest > 1000 && dice.one_in(8);
    if entry.more.get("abandoned").is_some_and(|value| value.ends_with("/issues/1")) {
        it.issues.insert(1, pushed);
    }
    let releases = dice.below(7);
    for number in 0..releases {
        let before = (releases - number) * 40;
        let days = i64::try_from(before).unwrap_or(0) * DAY;
        let at = pushed.saturating_sub(SignedDuration::from_secs(days)).unwrap_or(pushed);
        it.releases.insert(0, Release::new(format!("0.{number}.0"), format!("Version 0.{number}"), at));
    }
    if entry.python.is_none() {
        let python = if dice.one_in(3) { ">=2.7,<4" } else { DEFAULT_PYTHON };
        let tag = it.latest_release().map(|release| release.tag.clone());
        let plugin = Plugin {
            repository: name,
            identifier: &entry.id,
            title: &entry.title,
            tag: tag.as_deref(),
            python,
        };
        for (path, blob) in source::files(&plugin) {
            it.set_file(path, blob.bytes());
        }
    }
    it
}

/// Moves on to the `number`th hour: new usage of 4 plugins in 5, and changes in 1 repository in 40.
pub fn tick(world: &mut World, number: u32) {
    let hour = world.time().saturating_add(SignedDuration::from_hours(1)).unwrap_or(world.time());
    world.set_time(hour);
    let number = number.to_string();
    for window in [Window::Week, Window::Month] {
        let usage = world.usage(window).clone();
        for (id, mut usage) in usage {
            let mut dice = Dice::new(&["tick", &number, &id]);
            if dice.one_in(5) {
                continue;
            }
            let more = 1 + dice.below(1 + usage.instances / 100);
            usage.instances += more;
            usage.install_events += dice.below(1 + more);
            if let Some((_, newest)) = usage.versions.iter_mut().next_back() {
                *newest += more;
            }
            world.set_usage(window, id, usage);
        }
    }
    let names: Vec<String> = world.repositories().map(Repository::name_with_owner).collect();
    for name in names {
        let mut dice = Dice::new(&["tick", &number, &name]);
        if !dice.one_in(40) {
            continue;
        }
        let Some(repository) = world.repository_mut(&name) else { continue };
        match dice.below(4) {
            0 => repository.stars += 1,
            1 => repository.open_issues += 1,
            2 => (repository.committed_at, repository.pushed_at) = (hour, hour),
            _ => {
                let version = format!("1.{number}.0");
                repository.releases.insert(0, Release::new(version.clone(), version, hour));
                (repository.committed_at, repository.pushed_at) = (hour, hour);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::registry::generate::Material;

    fn registry(size: usize) -> Registry {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../site/entries");
        match Material::read(&folder) {
            Ok(material) => Registry::generate(&material, size, "world"),
            Err(why) => panic!("{why}"),
        }
    }

    #[test]
    fn a_few_plugins_are_used_by_nearly_everyone() {
        let registry = registry(1000);
        let world = world(&registry, Timestamp::UNIX_EPOCH, "s");
        let mut instances: Vec<u64> = world.usage(Window::Month).values().map(|it| it.instances).collect();
        instances.sort_unstable_by(|a, b| b.cmp(a));
        let (top, all): (u64, u64) = (instances[..50].iter().sum(), instances.iter().sum());
        assert!(top * 2 > all, "{top} of {all}");
        for usage in world.usage(Window::Week).values() {
            assert_eq!(usage.versions.values().sum::<u64>(), usage.instances);
        }
        for entry in &registry.entries {
            let Some(name) = &entry.repository else { continue };
            let repository = world.exact(name);
            let has_sources = repository.is_some_and(|it| !it.files().is_empty());
            assert_eq!(has_sources, entry.python.is_none(), "{name}");
        }
    }

    #[test]
    fn a_tick_changes_four_plugins_in_five_and_one_repository_in_forty() {
        let registry = registry(2000);
        let before = world(&registry, Timestamp::UNIX_EPOCH, "s");
        let mut after = before.clone();
        tick(&mut after, 1);
        let usage = |world: &World| world.usage(Window::Month).clone();
        let (old, new) = (usage(&before), usage(&after));
        let changed = old.iter().filter(|(id, usage)| new.get(*id) != Some(usage)).count();
        assert!((75..85).contains(&(changed * 100 / old.len())), "{changed} of {}", old.len());
        let state = |it: &Repository| (it.stars, it.open_issues, it.pushed_at, it.releases.len());
        let news = before.repositories().filter(|it| {
            let now = after.exact(&it.name_with_owner());
            now.is_none_or(|now| state(now) != state(it))
        });
        let (news, all) = (news.count(), before.repositories().count());
        assert!((15..40).contains(&(news * 1000 / all)), "{news} of {all}");
        let mut again = before.clone();
        tick(&mut again, 2);
        assert_ne!(usage(&again), new);
    }
}
