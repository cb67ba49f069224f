//! Pages of a site's own, topics among them: where they are published, what they show, and what leads to them.

use crate::common::explaining::{changes, explain};
use crate::common::{Site, skip};
use serde_json::Value;
use shelflife_testkit::replay::shared;

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";
const NOW: &str = "2020-08-01T00:00:00Z";

fn site() -> Site {
    let site = Site::new(CONFIG);
    site.entry("one", "tags: [camera]\n");
    site.entry("two", "tags: [Camera, light]\n");
    site.entry("three", "");
    site
}

fn topic(site: &Site, name: &str, front: &str) {
    site.write(&format!("topics/{name}.md"), format!("---\n{front}\n---\n\nText of **{name}**.\n"));
}

fn page(site: &Site, name: &str, front: &str) {
    site.write(&format!("pages/{name}.md"), format!("---\n{front}\n---\n\nText of **{name}**.\n"));
}

/// The addresses of the plugins that a page lists, in its order.
fn listed(html: &str) -> Vec<&str> {
    let titles = html.split("row-title\"><a href=\"/plugins/").skip(1);
    titles.map(|rest| rest.split('/').next().unwrap()).collect()
}

/// What the navigation of a page leads to.
fn navigation(html: &str) -> Vec<(&str, &str)> {
    let list = html.split("<ul class=\"nav\">").nth(1).unwrap().split("</ul>").next().unwrap();
    let link = |item| {
        let (_, rest): (&str, &str) = str::split_once(item, "href=\"").unwrap();
        let (address, rest) = rest.split_once('"').unwrap();
        (address, rest.split_once('>').unwrap().1.split('<').next().unwrap())
    };
    list.split("<li>").skip(1).map(link).collect()
}

fn written(report: &Value) -> Vec<&str> {
    report["outputs"]["written_paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect()
}

#[test]
fn a_topic_lists_its_plugins_and_the_navigation_leads_to_it() {
    let site = site();
    topic(&site, "remote_access", "layout: topic\ntitle: Remote Access\nplugins:\n- Three\n- two\n- three");
    topic(&site, "cameras", "title: Cameras\ndescription: To see\ntags: [camera]\nplugins: two");
    site.build(&[]).succeeded();
    let html = site.read("public/topics/remote_access/index.html");
    assert_eq!(listed(&html), ["three", "two"]);
    assert!(html.contains("<p>Text of <strong>remote_access</strong>.</p>"), "{html}");
    assert_eq!(listed(&site.read("public/topics/cameras/index.html")), ["two", "one"]);
    let index = site.read("public/topics/index.html");
    let (cameras, remote) = (index.find("/topics/cameras/"), index.find("/topics/remote_access/"));
    assert!(cameras.unwrap() < remote.unwrap() && index.contains("To see"), "{index}");
    for page in
        ["index.html", "plugins/one/index.html", "by_tag/camera/index.html", "topics/cameras/index.html"]
    {
        let html = site.read(&format!("public/{page}"));
        assert!(navigation(&html).contains(&("/topics/", "Topics")), "{page}");
    }
    let sitemap = site.read("public/sitemap.xml");
    for address in ["/topics/", "/topics/cameras/", "/topics/remote_access/"] {
        assert!(sitemap.contains(&format!("<loc>https://plugins.example{address}</loc>")), "{sitemap}");
    }
    // Without topics, nothing leads to them.
    std::fs::remove_dir_all(site.at("topics")).unwrap();
    site.build(&[]).succeeded();
    assert!(!site.at("public/topics").exists());
    assert!(!site.read("public/plugins/one/index.html").contains("/topics/"));
}

#[test]
fn pages_have_the_addresses_that_they_ask_for() {
    let site = site();
    page(&site, "about", "title: About us\nnav: true");
    page(&site, "github", "title: GitHub integration\npermalink: /help/github_integration/\nnav: GitHub");
    page(&site, "install", "address: /help/installation/");
    page(&site, "deep/index", "title: Deep");
    site.write("_topics/old.md", "---\ntitle: Of Jekyll\npermalink: /old.html\n---\n");
    assert_eq!(site.warnings(&[]), [""; 0]);
    for (path, text) in [
        ("about/index.html", "<h1>About us</h1>"),
        ("help/github_integration/index.html", "<h1>GitHub integration</h1>"),
        ("help/installation/index.html", "Text of <strong>install</strong>"),
        ("help/data/index.html", "href=\"/help/github_integration/\">GitHub</a>"),
        ("deep/index.html", "<h1>Deep</h1>"),
        ("old.html", "<h1>Of Jekyll</h1>"),
        ("topics/index.html", "href=\"/old.html\""),
    ] {
        let html = site.read(&format!("public/{path}"));
        assert!(html.contains(text), "{path}: {html}");
    }
    let html = site.read("public/about/index.html");
    assert!(html.contains("href=\"/about/\" aria-current=\"page\">About us</a>"), "{html}");
    // What belongs to help stands there.
    assert!(!navigation(&html).iter().any(|(address, _)| *address == "/help/github_integration/"));
}

#[test]
fn what_a_page_can_not_have_is_told_with_its_place_and_fails_nothing() {
    let site = site();
    page(&site, "a", "plugins: [one, nosuch]\ntags:\n- none of these");
    page(&site, "b", "template: home.html");
    page(&site, "c", "address: /plugins/one/");
    page(&site, "d", "permalink: /feed.xml");
    page(&site, "e", "address: /A/");
    page(&site, "f", "address: /");
    site.write("pages/g.md", "no front matter");
    site.write("pages/h.md", "---\ntitle: H\n---\n{{ page.title }} {{ what }} <script>alert(1)</script>\n");
    let warnings = site.warnings(&[]);
    let expected = [
        "pages/a.md:2:16: no plugin has the id `nosuch`",
        "pages/a.md:4:3: no plugin has the tag `none of these`",
        "pages/b.md:2:11: unknown page template `home.html`: using page.html",
        "pages/d.md:2:12: bad `permalink` `/feed.xml`: expected a page's address",
        "pages/g.md:1:1: the file has no front matter: expected the first line to be `---`; the page is not published",
        "pages/h.md:4:18: `{{ what }}` is not a valid shortcode",
        "pages/c.md:2:10: the page is not published: its address /plugins/one/ is reserved for plugin pages",
        "pages/e.md:2:10: the page is not published: its address /A/ is already used by pages/a.md",
        "pages/f.md:2:10: the page is not published: the site already has index.html at its address /",
    ];
    for (told, expected) in warnings.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}");
    }
    assert_eq!(warnings.len(), expected.len(), "{warnings:#?}");
    assert_eq!(listed(&site.read("public/a/index.html")), ["one"]);
    assert!(site.read("public/plugins/one/index.html").contains("What one does"));
    assert!(site.at("public/b/index.html").exists() && site.at("public/d/index.html").exists());
    let html = site.read("public/h/index.html");
    assert!(html.contains("H {{ what }}") && !html.contains("alert(1)"), "{html}");
    // Nothing has changed, and all of it is told again; who is strict does not publish it.
    assert_eq!(site.warnings(&[]), warnings);
    assert_eq!(site.build(&["--strict"]).code, 1);
}

#[test]
fn templates_of_the_site_get_the_page_and_its_plugins() {
    let site = site();
    site.write(
        "templates/mine.html",
        "{{ page.title }}|{{ page.path }}|{{ page.url }}|{{ page.description }}|{{ page.body | safe }}|\
         {{ page.extra.sort }}|{% for plugin in plugins %}{{ plugin.title }},{% endfor %}",
    );
    page(&site, "a", "title: A & B\ndescription: D\ntemplate: mine.html\nsort: 3\nplugins: [one, two]");
    site.build(&[]).succeeded();
    assert_eq!(
        site.read("public/a/index.html"),
        "A &amp; B|/a/|https://plugins.example/a/|D|<p>Text of <strong>a</strong>.</p>\n|3|Plugin one,Plugin two,\n"
    );
}

#[test]
fn a_body_changes_one_page_and_the_navigation_all_of_them() {
    let site = site();
    topic(&site, "a", "title: A\nplugins: [one]");
    page(&site, "b", "title: B\nnav: true");
    site.build(&[]).succeeded();

    site.write("topics/a.md", "---\ntitle: A\nplugins: [one]\n---\nAnother text.\n");
    let report = site.report(&[]);
    assert_eq!(written(&report), ["topics/a/index.html"]);

    site.entry("one", "tags: [camera]\nattributes: [cloud]\n");
    let report = site.report(&[]);
    let paths = written(&report);
    assert!(paths.contains(&"topics/a/index.html") && !paths.contains(&"b/index.html"), "{paths:?}");
    site.entry("three", "attributes: [cloud]\n");
    let report = site.report(&[]);
    assert!(!written(&report).contains(&"topics/a/index.html"), "{report}");

    page(&site, "b", "title: B\nnav: Other");
    let report = site.report(&[]);
    let paths = written(&report);
    for path in [
        "index.html",
        "plugins/one/index.html",
        "by_tag/camera/index.html",
        "topics/a/index.html",
        "404.html",
    ] {
        assert!(paths.contains(&path), "{path} in {paths:?}");
    }
    assert!(!paths.contains(&"plugins.json"), "{paths:?}");
    assert_eq!(site.tree("public"), site.cold());
}

#[test]
fn explanations_name_pages_and_their_inputs() {
    let site = site();
    topic(&site, "a", "title: A\nplugins: [one]");
    site.write("root/CNAME", "plugins.example\n");
    site.build(&["--now", NOW]).succeeded();
    let told = explain(&site, "topics/a.md", NOW);
    assert_eq!((&told["kind"], &told["page"]), (&"page".into(), &"topics/a.md".into()), "{told}");
    assert_eq!(told["output"], "topics/a/index.html");
    let file = explain(&site, "/CNAME", NOW);
    assert_eq!((&file["kind"], &file["file"]), (&"copy".into(), &"root/CNAME".into()), "{file}");
    assert_eq!(explain(&site, "/topics/", NOW)["kind"], "site");

    topic(&site, "a", "title: A\nplugins: [one, two]");
    site.write("root/CNAME", "other.example\n");
    site.build(&["--now", NOW]).succeeded();
    let inputs: Vec<String> = changes(&site, "topics/a/index.html").into_keys().collect();
    assert_eq!(inputs, ["page topics/a.md", "plugins on the page, as shown in lists"]);
    assert_eq!(changes(&site, "CNAME").into_keys().collect::<Vec<_>>(), ["file root/CNAME"]);
    topic(&site, "a", "title: A\nnav: true\nplugins: [one, two]");
    site.build(&["--now", NOW]).succeeded();
    let why = changes(&site, "plugins/one/index.html");
    let of_navigation = &why["navigation"];
    assert_eq!(of_navigation.0, "Topics (/topics/)");
    assert_eq!(of_navigation.1, "Topics (/topics/), A (/topics/a/)");
}

#[test]
fn a_folder_can_be_called_otherwise() {
    let site = site();
    site.write(
        "shelflife.toml",
        format!("{CONFIG}\n[paths]\npages = \"web\"\ntopics = \"themes\"\nroot = \"static\"\n"),
    );
    site.write("web/a.md", "---\n---\n");
    site.write("themes/b.md", "---\n---\n");
    site.write("static/c.txt", "c");
    site.write("pages/no.md", "---\n---\n");
    // Named, and so the only one.
    site.write("CNAME", "no");
    site.build(&[]).succeeded();
    for path in ["a/index.html", "topics/b/index.html", "c.txt"] {
        assert!(site.at(&format!("public/{path}")).exists(), "{path}");
    }
    assert!(!site.at("public/no/index.html").exists() && !site.at("public/CNAME").exists());
}

#[test]
fn the_cases_of_real_registries_are_published() {
    const TEST: &str = "the_cases_of_real_registries_are_published";
    let Some(shared) = shared().filter(|shared| shared.join("cases/topics").is_dir()) else {
        return skip(TEST, "no ../shared/cases");
    };
    let built = |case: &str| {
        let site = Site::new("");
        for (path, content) in Site::files(&shared.join("cases").join(case)) {
            site.write(path.to_str().unwrap(), content);
        }
        site.build(&["--offline"]).succeeded();
        site
    };
    let topics = built("topics");
    assert_eq!(listed(&topics.read("public/topics/remote_access/index.html")), ["one"]);
    let hidden = built("hidden-file");
    assert!(hidden.at("public/plugins/one/index.html").exists());
    assert_eq!(hidden.json("public/plugins.json").as_array().unwrap().len(), 1);
}

#[test]
fn a_broken_link_on_a_page_is_told_with_its_place() {
    let site = site();
    let body = "[one](/plugins/one/)\n[later](/plugins/later/)\n\n![nothing](/assets/none.png)\n";
    site.write("pages/help.md", format!("---\ntitle: Help\n---\n{body}"));
    let told = || {
        let report = site.report(&["--offline", "--now", NOW]);
        let of_links = |warning: &&String| warning.contains("broken") || warning.contains("does not exist");
        crate::common::warnings(&report).iter().filter(of_links).cloned().collect::<Vec<String>>()
    };
    let expected = [
        "pages/help.md:5:9: the link to `/plugins/later/` is broken: the site has no such page or file; correct the link",
        "pages/help.md:7:12: the picture `/assets/none.png` does not exist; add the file or correct the path",
    ];
    assert_eq!(told(), expected);
    assert_eq!(told(), expected, "also where nothing has changed");
    site.entry("later", "");
    site.write("assets/none.png", "");
    assert_eq!(told(), Vec::<String>::new(), "also where the page has not");
}

#[test]
fn what_is_not_published_does_not_stand_in_the_navigation() {
    let site = site();
    let refused = [
        ("/plugins/one/", "plugin pages"),
        ("/Plugins/none/", "plugin pages"),
        ("/plugins/one.html", "plugin pages"),
        ("/plugins/one/index.html/", "plugin pages"),
        ("/by_tag/camera/", "tag pages"),
        ("/by_author/ada-of-one/x/", "author pages"),
        ("/api/v1/", "plugin data"),
        ("/badges/one/", "plugin data"),
        ("/assets/x/", "assets"),
    ];
    for (nth, (address, _)) in refused.iter().enumerate() {
        page(&site, &format!("p{nth}"), &format!("title: P{nth}\nnav: true\naddress: {address}"));
    }
    page(&site, "plugins/index", "title: All\nnav: true");
    page(&site, "plugins/one/help", "title: Help\nnav: true");
    let expected: Vec<String> = refused
        .iter()
        .enumerate()
        .map(|(nth, (address, what))| {
            format!("pages/p{nth}.md:4:10: the page is not published: its address {address} is reserved for {what}")
        })
        .collect();
    let warnings = site.warnings(&[]);
    assert_eq!(warnings, expected);
    let html = site.read("public/index.html");
    let own: Vec<_> =
        navigation(&html).into_iter().filter(|(address, _)| address.starts_with("/p")).collect();
    assert_eq!(own, [("/plugins/", "All"), ("/plugins/one/help/", "Help")]);
    assert!(!html.contains(">P0<") && !html.contains(">P8<"), "{html}");
    assert!(site.read("public/plugins/one/index.html").contains("What one does"));
}

#[test]
fn an_address_belongs_to_the_file_that_is_called_so() {
    let site = site();
    page(&site, "steal", "title: Thief\naddress: /topics/t/");
    page(&site, "a", "title: Asks\naddress: /b/");
    page(&site, "b", "title: Has\naddress: /b/");
    topic(&site, "t", "title: Topic");
    let expected = [
        "pages/a.md:3:10: the page is not published: its address /b/ is already used by pages/b.md",
        "pages/steal.md:3:10: the page is not published: its address /topics/t/ is already used by topics/t.md",
    ];
    assert_eq!(site.warnings(&[]), expected);
    assert!(site.read("public/topics/t/index.html").contains("<h1>Topic</h1>"));
    assert!(site.read("public/b/index.html").contains("<h1>Has</h1>"));
}

#[test]
fn a_page_lists_the_plugin_that_it_names_exactly() {
    let site = Site::new(CONFIG);
    for (stem, id) in [("first", "X"), ("second", "x"), ("UPPER", "u"), ("upper2", "V")] {
        site.write(
            &format!("entries/{stem}.md"),
            crate::common::entry(stem, "").replace(&format!("id: {stem}"), &format!("id: {id}")),
        );
    }
    for (name, plugins, expected) in [
        ("a", "[X]", &["first"][..]),
        ("b", "[x]", &["second"]),
        ("c", "[x, X, v, upper, UPPER2]", &["second", "first", "upper2", "UPPER"]),
    ] {
        page(&site, name, &format!("plugins: {plugins}"));
        site.build(&[]).succeeded();
        assert_eq!(listed(&site.read(&format!("public/{name}/index.html"))), expected, "{plugins}");
    }
}

#[test]
fn a_page_lists_no_more_than_the_limit_allows() {
    let site = site();
    site.write("shelflife.toml", format!("{CONFIG}\n[limits]\nlist_items = 2\n"));
    page(&site, "a", "plugins: [one, two, three]");
    page(&site, "b", "tags:\n- light\n- camera\n- x");
    let expected = [
        "pages/a.md:2:21: `plugins` has 3 items, more than `limits.list_items` allows: 2; the rest are left out",
        "pages/b.md:5:3: `tags` has 3 items, more than `limits.list_items` allows: 2; the rest are left out",
    ];
    assert_eq!(site.warnings(&[]), expected);
    assert_eq!(listed(&site.read("public/a/index.html")), ["one", "two"]);
}

#[test]
fn one_item_of_the_navigation_is_the_one_that_a_page_is_on() {
    let site = site();
    topic(&site, "own", "title: Own\nnav: true");
    topic(&site, "other", "title: Other");
    site.build(&[]).succeeded();
    for (page, current) in [
        ("topics/own", "href=\"/topics/own/\" aria-current=\"page\">Own"),
        ("topics/other", "href=\"/topics/\" aria-current=\"true\">Topics"),
        ("topics", "href=\"/topics/\" aria-current=\"page\">Topics"),
    ] {
        let html = site.read(&format!("public/{page}/index.html"));
        let header = html.split("</header>").next().unwrap();
        assert_eq!(header.matches("aria-current").count(), 1, "{header}");
        assert!(header.contains(current), "{header}");
    }
}
