//! What visitors see and do on pages with a list that they can search.

use shelflife_testkit::browser::{Browser, Element};

use super::watching::eventually;

/// What is to be seen and done on a page with a list.
pub trait Lists {
    /// The browser that shows it.
    fn browser(&self) -> &Browser;

    /// The titles of what was found, in order, once the list is there.
    fn found(&self) -> Vec<String> {
        let list = eventually("a list", || {
            let list = self.browser().run(
                "if (document.querySelector('#_results').hidden || !/plugin/.test(document.querySelector('#_status').textContent)) return null;
                 return Array.from(document.querySelectorAll('#_list h2 a'), it => it.textContent)",
            );
            list.as_array().cloned()
        });
        list.iter().map(|title| title.as_str().unwrap().to_owned()).collect()
    }

    /// Waits until what was found is this.
    #[track_caller]
    fn finds(&self, what: &str, expected: impl Fn(&[String]) -> bool) -> Vec<String> {
        eventually(what, || Some(self.found()).filter(|found| expected(found)))
    }

    /// Chooses in a control of the form.
    fn choose(&self, name: &str, value: &str) {
        self.browser().run(&format!(
            "const control = document.forms._browse.elements.{name};
             if (control.type === 'checkbox') control.checked = {value:?} === '1'; else control.value = {value:?};
             if (control.type !== 'checkbox' && control.value !== {value:?}) throw new Error('no such choice');
             control.dispatchEvent(new Event('change', {{bubbles: true}}))"
        ));
    }

    fn field(&self) -> Element {
        self.browser().only("#_browse input[name=q]")
    }
}

impl Lists for Browser {
    fn browser(&self) -> &Browser {
        self
    }
}
