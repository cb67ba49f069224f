//! Entries that are written to hurt whoever reads them, opened in a real browser: no script runs, nothing is asked of
//! anybody else, and nothing is written outside of its folder.
//!
//! The vectors in `hostile_entries/` follow public lists (OWASP's cheat sheet on filter evasion, the HTML5 Security
//! Cheatsheet, what DOMPurify and ammonia have mended), in words of our own.

use std::collections::BTreeMap;

use crate::common::{Site, skip};
use serde_json::json;
use shelflife_testkit::browser::{Browser, Look};
use shelflife_testkit::host::Host;

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"\n[thumbnails]\nyoutube = \"\"\n";

/// What every vector tries to run, and where it tries to go.
const SCRIPT: &str = "window.ran=1";
const AWAY: &str = "https://hostile.invalid";

/// Texts for front matter.
const FIELDS: [&str; 8] = [
    "\"><script>{js}</script>",
    "'><img src=x onerror={js}>",
    "</title><script>{js}</script>",
    "</script><script>{js}</script>",
    "<!-- x",
    "javascript:{js}",
    "{{ site.title }}{% raw %}",
    "\u{202e}gpj.<b onclick={js}>x</b>",
];

/// Keys that take any text, and keys that take an address.
const TEXTS: [&str; 7] = ["title", "description", "author", "license", "abandoned", "disabled", "note"];

fn armed(text: &str) -> String {
    let deep = "<div><b>".repeat(2000);
    text.replace("{js}", SCRIPT)
        .replace("{away}", AWAY)
        .replace("{host}", "hostile.invalid")
        .replace("{deep}", &deep)
}

/// Each vector for a body by its name.
fn bodies() -> Vec<(String, String)> {
    let file = include_str!("hostile_entries/bodies.txt");
    let blocks = file.split("=== ").skip(1).filter_map(|block| block.split_once('\n'));
    blocks.map(|(name, body)| (name.to_owned(), armed(body))).collect()
}

/// Writes an entry for each vector; returns what each file's name stands for.
fn write(site: &Site) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for (number, (name, body)) in bodies().into_iter().enumerate() {
        let stem = format!("body{number:03}");
        site.write(&format!("entries/{stem}.md"), crate::common::entry(&stem, "").replace("Text.", &body));
        names.insert(stem, name);
    }
    for key in TEXTS {
        for (number, text) in FIELDS.iter().enumerate() {
            let stem = format!("{key}{number}");
            let value = serde_json::to_string(&armed(text)).unwrap();
            let entry = crate::common::entry(&stem, "");
            let with: Vec<String> = entry
                .lines()
                .filter(|line| !line.starts_with(&format!("{key}:")))
                .map(str::to_owned)
                .collect();
            let with = with.join("\n").replacen("---\n", &format!("---\n{key}: {value}\n"), 1);
            site.write(&format!("entries/{stem}.md"), with + "\n");
            names.insert(stem, format!("{key}: {text}"));
        }
    }
    names
}

#[test]
fn no_vector_does_what_it_is_meant_to() {
    let browser = match Browser::open(Look::default()) {
        Ok(browser) => browser,
        Err(lacking) => return skip("no_vector_does_what_it_is_meant_to", &lacking),
    };
    let site = Site::new(CONFIG);
    let names = write(&site);
    assert!(names.len() >= 150, "{} vectors", names.len());
    let run = site.build(&["--offline"]);
    assert!([0, 3].contains(&run.code), "{}", run.stderr);
    let host = Host::start(site.at("public"), "").unwrap();
    let mut faults = Vec::new();
    let mut seen = 0;
    for (stem, name) in &names {
        if !site.at(&format!("public/plugins/{stem}/index.html")).exists() {
            assert!(
                run.stderr.contains(&format!("entries/{stem}.md")),
                "{name} is neither built nor refused"
            );
            continue;
        }
        browser.go(&host.url(&format!("/plugins/{stem}/")));
        let found = browser.run(LOOK);
        seen += 1;
        if found != json!([]) {
            faults.push(format!("{name}: {found}"));
        }
    }
    for list in ["/", "/by_name/", "/search/", "/by_author/", "/by_tag/", "/abandoned/"] {
        browser.go(&host.url(list));
        let found = browser.run(LOOK);
        if found != json!([]) {
            faults.push(format!("{list}: {found}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(seen >= 100, "only {seen} pages were looked at");
    let mut foreign = browser.requests();
    foreign.retain(|url| {
        !["data:", "about:", "chrome:", &host.origin()].iter().any(|start| url.starts_with(start))
    });
    assert!(foreign.is_empty(), "{foreign:#?}");
    // And who looks does see.
    browser.go(&host.url("/plugins/body000/"));
    browser.run("document.querySelector('main').innerHTML = '<p class=prose><b onclick=x>y</b></p>'");
    assert_ne!(browser.run(LOOK), json!([]));
    let outside: Vec<_> =
        std::fs::read_dir(site.path()).unwrap().map(|item| item.unwrap().file_name()).collect();
    let expected = ["entries", "public", "shelflife.toml", ".shelflife"];
    assert!(outside.iter().all(|name| expected.iter().any(|known| name == known)), "{outside:?}");
}

/// Uses what is on a page as a visitor would who clicks on everything, and says what is wrong.
const LOOK: &str = "
    const wrong = [];
    const own = location.origin;
    for (const it of document.querySelectorAll('*')) {
      for (const {name, value} of it.attributes) {
        if (name.startsWith('on') || name === 'style') wrong.push(name + '=' + value);
        if (/^(href|src|action|formaction|poster|data|srcset|ping|background)$/.test(name)
            && /^[\\s\\u0000-\\u0020]*(javascript|vbscript|data|file|blob):/i.test(value)) wrong.push(name + '=' + value);
      }
      const tag = it.localName;
      if (tag === 'script' && it.type !== 'application/ld+json' && !it.src.startsWith(own + '/assets/')) wrong.push(it.outerHTML);
      if (/^(iframe|object|embed|applet|frame|base|portal|math|template)$/.test(tag)) wrong.push(it.outerHTML);
      if (tag === 'link' && !it.href.startsWith('https://plugins.example') && !it.href.startsWith(own)) wrong.push(it.outerHTML);
      if (tag === 'form' && !it.action.startsWith(own)) wrong.push(it.outerHTML);
      if (tag === 'meta' && /refresh/i.test(it.httpEquiv)) wrong.push(it.outerHTML);
    }
    for (const it of document.querySelectorAll('.prose *')) {
      if (/^(input|button|select|textarea|form|style|link|meta|svg)$/.test(it.localName)
          && !(it.type === 'checkbox' && it.disabled)) wrong.push(it.outerHTML);
      it.dispatchEvent(new MouseEvent('mouseover', {bubbles: true}));
      it.dispatchEvent(new Event('focus'));
    }
    for (const it of document.querySelectorAll('[type=\"application/ld+json\"]')) {
      try { JSON.parse(it.textContent) } catch { wrong.push(it.textContent) }
    }
    return new Promise(next => setTimeout(next, 30)).then(() => {
      if (window.ran) wrong.push('a script ran');
      if (!document.querySelector('footer.site-footer')) wrong.push('the page is torn');
      return wrong;
    });";
