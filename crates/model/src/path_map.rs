//! A map by path, which is built at once: sorted in one buffer, so that walking through it beside another sorted list is
//! fast.

use std::sync::Arc;

/// Values by path, sorted by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathMap<T> {
    items: Vec<(Arc<str>, T)>,
}

impl<T> Default for PathMap<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl<T> PathMap<T> {
    /// A map of values whose paths are sorted and different already.
    pub fn of_sorted(items: Vec<(Arc<str>, T)>) -> Self {
        debug_assert!(items.is_sorted_by(|(a, _), (b, _)| a < b));
        Self { items }
    }

    /// The number of paths.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no paths.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The value at a path.
    pub fn get(&self, path: &str) -> Option<&T> {
        let at = self.items.binary_search_by(|(other, _)| (**other).cmp(path)).ok()?;
        self.items.get(at).map(|(_, value)| value)
    }

    /// Whether there is a value at a path.
    pub fn contains(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// All paths and values.
    pub fn items(&self) -> &[(Arc<str>, T)] {
        &self.items
    }

    /// The paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|(path, _)| &**path)
    }

    /// The paths and values from this path on.
    pub fn starting_at(&self, path: &str) -> &[(Arc<str>, T)] {
        let start = self.items.partition_point(|(other, _)| **other < *path);
        self.items.get(start..).unwrap_or_default()
    }

    /// A path below this one, if there is any.
    pub fn below(&self, path: &str) -> Option<&str> {
        let inside = format!("{path}/");
        self.starting_at(&inside)
            .first()
            .map(|(below, _)| &**below)
            .filter(|below| below.starts_with(&inside))
    }

    /// The topmost folders of the paths that are in a folder.
    pub fn topmost(&self) -> Vec<&str> {
        let (mut folders, mut rest) = (Vec::new(), &*self.items);
        while let Some(((path, _), others)) = rest.split_first() {
            rest = others;
            if let Some((folder, _)) = path.split_once('/') {
                folders.push(folder);
                let is_inside =
                    |other: &str| other.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
                rest = &rest[rest.partition_point(|(other, _)| is_inside(other))..];
            }
        }
        folders
    }
}

impl<P: Into<Arc<str>>, T> FromIterator<(P, T)> for PathMap<T> {
    /// A map of values in any order. Of several with the same path, the last one counts.
    fn from_iter<I: IntoIterator<Item = (P, T)>>(items: I) -> Self {
        let mut items: Vec<(Arc<str>, T)> =
            items.into_iter().map(|(path, value)| (path.into(), value)).collect();
        // Stable, because of equal paths; and fast where long runs are sorted already.
        items.sort_by(|(a, _), (b, _)| a.cmp(b));
        items.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                std::mem::swap(later, kept);
            }
            is_same
        });
        Self { items }
    }
}

impl<T> Extend<(Arc<str>, T)> for PathMap<T> {
    /// Adds values, or replaces those with the same path.
    fn extend<I: IntoIterator<Item = (Arc<str>, T)>>(&mut self, more: I) {
        let mut more = more.into_iter().peekable();
        if more.peek().is_some() {
            let items = std::mem::take(&mut self.items);
            *self = items.into_iter().chain(more).collect();
        }
    }
}

impl<'a, T> IntoIterator for &'a PathMap<T> {
    type Item = &'a (Arc<str>, T);
    type IntoIter = std::slice::Iter<'a, (Arc<str>, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(paths: &[&str]) -> PathMap<usize> {
        paths.iter().enumerate().map(|(number, path)| (*path, number)).collect()
    }

    #[test]
    fn the_last_of_several_counts() {
        let mut map = map(&["b", "a", "b", "c", "b"]);
        assert_eq!(map.items(), [("a".into(), 1), ("b".into(), 4), ("c".into(), 3)]);
        map.extend([("d".into(), 7), ("a".into(), 8)]);
        assert_eq!((map.get("a"), map.get("d"), map.get("e"), map.len()), (Some(&8), Some(&7), None, 4));
    }

    #[test]
    fn folders_are_found_among_paths_that_look_alike() {
        let map = map(&["a", "a-b/c", "a.b", "a/b", "a/c/d", "ab/c", "b/x/y", "c"]);
        assert_eq!(map.topmost(), ["a-b", "a", "ab", "b"]);
        assert_eq!((map.below("a"), map.below("a/b"), map.below("b/x")), (Some("a/b"), None, Some("b/x/y")));
        assert_eq!(map.starting_at("b").len(), 2);
    }
}
