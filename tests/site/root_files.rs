//! Files that are copied to the root as they are, hidden ones too.

use crate::common::Site;

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

fn site() -> Site {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.write("root/.nojekyll", "");
    site.write("root/.well-known/security.txt", "Contact: mailto:a@plugins.example\n");
    site.write("root/deep/er/file.bin", [0, 159, 146, 150]);
    site
}

#[test]
fn they_come_and_go_as_all_outputs_do() {
    let site = site();
    // What belongs at the root may also lie beside shelflife.toml, where Jekyll takes it from.
    site.write("CNAME", "plugins.example\n");
    site.write("google0123456789abcdef.html", "google-site-verification\n");
    site.write("README.md", "no");
    site.build(&[]).succeeded();
    for (path, source) in [
        ("CNAME", "CNAME"),
        (".nojekyll", "root/.nojekyll"),
        (".well-known/security.txt", "root/.well-known/security.txt"),
        ("deep/er/file.bin", "root/deep/er/file.bin"),
        ("google0123456789abcdef.html", "google0123456789abcdef.html"),
    ] {
        let [is, expected] =
            [format!("public/{path}"), source.to_owned()].map(|it| std::fs::read(site.at(&it)).unwrap());
        assert_eq!(is, expected, "{path}");
    }
    assert!(!site.at("public/README.md").exists());

    // Nothing has changed on the site, and what somebody took away comes back.
    std::fs::remove_file(site.at("public/.well-known/security.txt")).unwrap();
    site.write("public/CNAME", "by hand");
    let report = site.report(&[]);
    assert_eq!(report["outputs"]["written_paths"], serde_json::json!([".well-known/security.txt", "CNAME"]));
    assert_eq!(report["rounds"], 0, "evaluated");

    std::fs::remove_dir_all(site.at("root/.well-known")).unwrap();
    std::fs::remove_file(site.at("CNAME")).unwrap();
    site.write("public/.hidden", "mine");
    let report = site.report(&[]);
    assert_eq!(report["outputs"]["removed_paths"], serde_json::json!([".well-known/security.txt", "CNAME"]));
    assert!(!site.at("public/.well-known").exists() && site.at("public/.hidden").exists());
    std::fs::remove_file(site.at("public/.hidden")).unwrap();
    assert_eq!(site.tree("public"), site.cold());
}

#[test]
fn they_never_replace_what_a_build_makes() {
    let site = site();
    site.write("assets/img/x.png", "asset");
    for path in
        ["index.html", "Plugins.JSON", "assets/img/x.png", "plugins/one/index.html/x", "about/index.html"]
    {
        site.write(&format!("root/{path}"), "mine");
    }
    site.write("root/.git/config", "secret");
    site.write("root/.DS_Store", "x");
    site.write("root/.shelflife/live.js", "x");
    site.write("pages/about.md", "---\n---\n");
    site.write("CNAME", "beside");
    site.write("root/CNAME", "root");
    let already =
        |file: &str, output: &str| format!("{file}:1:1: not published: the site already has {output} there");
    assert_eq!(
        site.warnings(&[]),
        [
            already("root/Plugins.JSON", "plugins.json"),
            already("root/about/index.html", "about/index.html"),
            already("root/assets/img/x.png", "assets/img/x.png"),
            already("root/index.html", "index.html"),
            already("root/plugins/one/index.html/x", "plugins/one/index.html"),
            already("CNAME", "CNAME"),
            "root/.shelflife/live.js:1:1: not published: `/.shelflife/` is reserved for `shelflife watch`"
                .to_owned(),
        ]
    );
    assert_eq!(site.read("public/CNAME"), "root");
    assert_eq!(site.read("public/assets/img/x.png"), "asset");
    assert!(site.read("public/index.html").contains("<html"));
    for path in [".git", ".DS_Store", ".shelflife"] {
        assert!(!site.at(&format!("public/{path}")).exists(), "{path}");
    }
    // A build that evaluates nothing takes the same for the same.
    std::fs::remove_file(site.at("public/index.html")).unwrap();
    std::fs::remove_file(site.at("public/CNAME")).unwrap();
    let report = site.report(&[]);
    assert_eq!((&report["outputs"]["written"], &report["rounds"]), (&2.into(), &0.into()));
    assert_eq!(site.tree("public"), site.cold());
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_out_of_the_site_is_refused() {
    let site = site();
    site.build(&[]).succeeded();
    std::os::unix::fs::symlink("/etc/hostname", site.at("root/x.txt")).unwrap();
    let run = site.build(&[]);
    assert_ne!(run.code, 0);
    run.says("root/x.txt is a symbolic link that points outside the site");
    std::fs::remove_file(site.at("root/x.txt")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", site.at("CNAME")).unwrap();
    site.build(&[]).says("CNAME is a symbolic link that points outside the site");
}

#[test]
fn watching_serves_them_and_follows_them() {
    let site = site();
    let mut watching = site.watch(&[]);
    assert!(watching.get("/.well-known/security.txt").text().contains("Contact"));
    assert_eq!(watching.get("/.nojekyll").status, 200);
    site.write("root/.well-known/security.txt", "Contact: nobody\n");
    watching.page_with("/.well-known/security.txt", "nobody");
    site.write("CNAME", "plugins.example\n");
    watching.page_with("/CNAME", "plugins.example");
    site.write(".well-known/other.txt", "other\n");
    watching.page_with("/.well-known/other.txt", "other");
    site.write("_topics/a.md", "---\ntitle: A topic\nplugins: [one]\n---\n");
    watching.page_with("/topics/a/", "Plugin one");
    watching.page_with("/plugins/one/", "Topics");
    site.write("_topics/a.md", "---\ntitle: A topic\n---\nAnother text\n");
    watching.page_with("/topics/a/", "Another text");
    site.write("pages/deep/b.md", "---\ntitle: B\n---\nDeep\n");
    watching.page_with("/deep/b/", "Deep");
    assert_eq!(watching.stop("-INT").0, Some(0), "{:#?}", watching.lines());
    assert_eq!(site.tree("public"), site.cold(), "{:#?}", watching.lines());
}
