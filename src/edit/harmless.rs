//! Finds the edits that change nothing visible, by trying them.

use super::Edit;

/// The maximum number of tries. Ordinary files need few; only crafted ones reach the limit.
const ATTEMPTS: usize = 200;

/// The edits that together satisfy `changes_nothing`; empty if finding them takes too many tries.
pub(super) fn among(edits: Vec<Edit>, changes_nothing: impl Fn(&[Edit]) -> bool) -> Vec<Edit> {
    let mut attempts = ATTEMPTS;
    let mut approves = |edits: &[Edit]| {
        attempts = attempts.checked_sub(1)?;
        Some(changes_nothing(edits))
    };
    let mut approved: Vec<Edit> = Vec::new();
    let mut waiting = vec![edits];
    while let Some(mut some) = waiting.pop() {
        if some.is_empty() {
            continue;
        }
        // Try them together with the approved edits, because one may be harmless only without another.
        let together = [&approved[..], &some[..]].concat();
        match approves(&together) {
            Some(true) => approved = together,
            Some(false) if some.len() == 1 => {}
            Some(false) => {
                let rest = some.split_off(some.len() / 2);
                waiting.push(rest);
                waiting.push(some);
            }
            None => return Vec::new(),
        }
    }
    approved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(count: usize) -> Vec<Edit> {
        (0..count).map(|at| Edit::delete(at..at + 1)).collect()
    }

    #[test]
    fn what_shows_is_left_out() {
        let bad = [3, 4, 17];
        let approved = among(edits(40), |edits| edits.iter().all(|edit| !bad.contains(&edit.span.start)));
        let at: Vec<usize> = approved.iter().map(|edit| edit.span.start).collect();
        assert_eq!(at, (0..40).filter(|at| !bad.contains(at)).collect::<Vec<_>>());
    }

    #[test]
    fn it_ends_soon() {
        let attempts = std::cell::Cell::new(0);
        let approved = among(edits(1000), |_| {
            attempts.set(attempts.get() + 1);
            false
        });
        assert!(approved.is_empty() && attempts.get() <= ATTEMPTS);
    }
}
