//! A site that is published elsewhere than its configuration says: `--url`, `--base-path` and their variables.

use crate::common::Site;

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"\nbase_path = \"/sub\"\n";

/// Where the site says that it is.
fn home(site: &Site) -> String {
    let sitemap = site.read("public/sitemap.xml");
    let (_, address) = sitemap.split_once("<loc>").unwrap();
    address.split_once("</loc>").unwrap().0.to_owned()
}

#[test]
fn an_option_goes_before_the_environment_and_that_before_the_file() {
    let mut site = Site::new(CONFIG);
    site.entry("one", "");
    site.build(&[]).succeeded();
    let published = site.tree("public");
    assert!(home(&site).starts_with("https://plugins.example/sub/"));
    site.build(&["--url", "https://preview.example/", "--base-path", "/pr/7/"]).succeeded();
    assert!(home(&site).starts_with("https://preview.example/pr/7/"), "{}", home(&site));
    assert!(site.read("public/index.html").contains("href=\"/pr/7/"));
    site.set("SHELFLIFE_URL", "http://127.0.0.1:8000");
    site.set("SHELFLIFE_BASE_PATH", "/");
    site.build(&[]).succeeded();
    assert!(home(&site).starts_with("http://127.0.0.1:8000/"), "{}", home(&site));
    assert!(!home(&site).contains("/sub"));
    site.build(&["--url", "https://preview.example", "--base-path", ""]).succeeded();
    assert!(home(&site).starts_with("https://preview.example/") && !home(&site).contains("/sub"));
    site.set("SHELFLIFE_URL", " ");
    site.set("SHELFLIFE_BASE_PATH", "");
    site.build(&[]).succeeded();
    assert!(site.tree("public") == published);
}

#[test]
fn an_address_that_is_given_is_enough_in_ci() {
    let mut site = Site::new("title = \"Test\"");
    site.entry("one", "");
    site.set("CI", "true");
    assert_eq!(site.build(&[]).code, 2);
    let run = site.build(&["--url", "https://preview.example"]).succeeded();
    assert!(!run.stderr.contains("no `url`"), "{}", run.stderr);
}

#[test]
fn what_is_wrong_is_named_where_it_was_given() {
    let cases = [
        ("--url", "SHELFLIFE_URL", "preview.example", "is not a URL"),
        ("--url", "SHELFLIFE_URL", "https://preview.example/x", "has a path"),
        ("--url", "SHELFLIFE_URL", "https://me:secret@preview.example", "a user name or password"),
        ("--base-path", "SHELFLIFE_BASE_PATH", "preview", "is not a base path"),
        ("--base-path", "SHELFLIFE_BASE_PATH", "/a/../b", "is not a base path"),
    ];
    for (option, variable, value, reason) in cases {
        let mut site = Site::new(CONFIG);
        let check = |run: crate::common::Run, name: &str| {
            let said = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(run.code, 2, "{said}");
            assert!(said.contains(name) && said.contains(reason) && !said.contains("secret"), "{said}");
            assert!(!site.at("public").exists());
        };
        check(site.build(&[option, value]), &format!("the option {option} is invalid: "));
        site.set(variable, value);
        let run = site.build(&[]);
        let said = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            run.code == 2 && said.contains(&format!("the environment variable {variable} is invalid")),
            "{said}"
        );
    }
}
