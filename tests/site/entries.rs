//! What an entry's author writes: what becomes of it on a published site, and what the author is told.

use std::collections::BTreeSet;

use crate::common::{Site, entry, warnings};
use serde_json::json;
use shelflife_testkit::replay::{Release, Repository, Server, Usage, Window, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

#[test]
fn no_redirect_keeps_the_rest_from_being_published() {
    for (from, obstacle) in [
        ("/plugins.json/x", "plugins.json"),
        ("/feed.xml/", "feed.xml"),
        ("/FEED.XML/a/b.html", "feed.xml"),
        ("/index.html/", "index.html"),
        ("/plugins/two/index.html/y", "plugins/two/index.html"),
        ("/by_name/", "by_name/index.html"),
        ("/by%5Fname/", "by_name/index.html"),
        ("/by_name/index.html/", "by_name/index.html"),
        ("[/a.html, /a.html/b]", "a.html"),
        ("[/a.html/b, /A.html]", "a.html/b/index.html"),
    ] {
        let site = Site::new(CONFIG);
        site.entry("one", &format!("redirect_from: {from}\n"));
        site.entry("two", "");
        let report = site.report(&[]);
        let [warning] = &warnings(&report)[..] else { panic!("{from}: {report}") };
        assert!(warning.starts_with("entries/one.md:12:"), "{from}: {warning}");
        assert!(warning.contains(&format!("already has {obstacle} there")), "{from}: {warning}");
        assert!(site.read("public/index.html").contains("Plugin two"), "{from}");
        assert_eq!(site.json("public/plugins.json").as_array().unwrap().len(), 2, "{from}");
    }
}

#[test]
fn an_earlier_address_that_is_the_plugins_own_does_nothing_in_silence() {
    for from in [
        "/plugins/One/",
        "/plugins/One",
        "/plugins/One.md",
        "[/plugins/one, /plugins/one/, /plugins/one.md]",
        "[/a/, /a.html, /a/index.html]",
    ] {
        let site = Site::new(CONFIG);
        site.entry("One", &format!("redirect_from: {from}\n"));
        assert_eq!(warnings(&site.report(&[])), Vec::<String>::new(), "{from}");
        assert!(site.read("public/plugins/One/index.html").contains("What One does"), "{from}");
    }
}

#[test]
fn what_has_no_date_is_not_new() {
    let site = Site::new(CONFIG);
    site.write("entries/one.md", entry("one", "").replace("date: 2020-02-03\n", ""));
    site.entry("two", "");
    site.build(&[]).succeeded();
    for path in
        ["index.html", "by_date/index.html", "plugins/one/index.html", "feed.xml", "feed.atom", "sitemap.xml"]
    {
        assert!(!site.read(&format!("public/{path}")).contains("1970"), "{path}");
    }
    assert!(
        site.read("public/feed.xml").contains("/plugins/two/")
            && !site.read("public/feed.xml").contains("/plugins/one/")
    );
    assert!(site.read("public/by_date/index.html").contains("No date"));
}

#[test]
fn what_no_redirect_can_be_is_left_out() {
    for from in
        ["/old.json", "/.git/config.html", "/.well-known/x/", "/a/%2egit/", "/a%2Fb/", "/a%5cb/", "/a%0a/"]
    {
        let site = Site::new(CONFIG);
        site.entry("one", &format!("redirect_from: {from}\n"));
        let report = site.report(&[]);
        let [warning] = &warnings(&report)[..] else { panic!("{from}: {report}") };
        assert!(
            warning.starts_with("entries/one.md:12:") && warning.contains("left out"),
            "{from}: {warning}"
        );
        assert_eq!(site.json("public/redirects.json"), json!({}), "{from}");
    }
}

#[test]
fn a_redirect_is_found_where_web_servers_look_for_it() {
    let site = Site::new(CONFIG);
    site.entry("one", "redirect_from: [/a%20b/, /c d, /%C3%BC.html, /e.htm, /100%/]\n");
    assert_eq!(warnings(&site.report(&[])), Vec::<String>::new());
    for file in ["a b/index.html", "c d/index.html", "ü.html", "e.htm", "100%/index.html"] {
        assert!(
            site.read(&format!("public/{file}")).contains("https://plugins.example/plugins/one/"),
            "{file}"
        );
    }
    let redirects = site.json("public/redirects.json");
    assert_eq!(redirects["/a%20b/"], "https://plugins.example/plugins/one/");
}

#[test]
fn below_a_base_path_every_address_is_whole() {
    let site = Site::new(&format!("{CONFIG}\nbase_path = \"/reg\""));
    let body = "[two](/plugins/two/) [below](/reg/plugins/two/) [other](/register/) <a href=' /plugins/two/'>raw</a>\n\
                [shortcode]({{ page.url | relative_url }}) ![i](/assets/a.png) <img src=\"/assets/b.png\">\n\
                [away](//example.org/x) [part](#here) [near](near/)\n";
    let more =
        "disabled: See [two](/plugins/two/).\nfeaturedimage: /assets/a.png\nprivacypolicy: /privacy/\n";
    site.write("entries/one.md", entry("one", more).replace("Text.", body));
    site.entry("two", "");
    site.write("data/blacklist.yaml", "- plugin: one\n  reason: See [two](/plugins/two/).\n");
    site.build(&[]).succeeded();
    for path in ["public/robots.txt", "public/feed.xml", "public/plugins/one/index.html"] {
        let text = site.read(path);
        assert!(!text.contains("None"), "{path}: {text}");
        // What somebody wrote with the base path leads below it.
        assert!(!text.replace("/reg/reg/plugins/two/", "").contains("/reg/reg/"), "{path}: {text}");
    }
    assert!(site.read("public/robots.txt").contains("Sitemap: https://plugins.example/reg/sitemap.xml"));
    let page = site.read("public/plugins/one/index.html");
    for part in [
        "<a href=\"/reg/plugins/two/\">two</a>",
        "<a href=\"/reg/reg/plugins/two/\">below</a>",
        "<a href=\"/reg/register/\">other</a>",
        "<a href=\"/reg/plugins/two/\">raw</a>",
        "<a href=\"/reg/plugins/one/\">shortcode</a>",
        "src=\"/reg/assets/a.png\"",
        "src=\"/reg/assets/b.png\"",
        "<a href=\"//example.org/x\">away</a>",
        "<a href=\"near/\">near</a>",
        "<p>See <a href=\"/reg/plugins/two/\">two</a>.</p>",
        "property=\"og:image\" content=\"https://plugins.example/reg/assets/a.png\"",
        "href=\"https://plugins.example/reg/privacy/\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(page.matches(">two</a>.").count(), 2, "why it is disabled, and why it is blocked");
    assert!(site.read("public/blacklist/index.html").contains("href=\"/reg/plugins/two/\">two</a>."));
    let plugins = site.json("public/plugins.json");
    assert_eq!(plugins[0]["image"], "https://plugins.example/reg/assets/a.png");
    assert_eq!(plugins[0]["privacypolicy"], "https://plugins.example/reg/privacy/");
}

#[test]
fn every_address_in_a_feed_is_absolute() {
    for base in ["", "/reg"] {
        let site = Site::new(&format!("{CONFIG}\nbase_path = \"{base}\""));
        let body = "# Here\n\n[part](#here) [none](#nowhere) [empty]() [near](near/?a#b) [rooted](/x/) [away](//a.example/x)\n\
                    [bad](//[x) [mail](mailto:a@example.org) <img src=\"p.png\"> <a href=\"\">raw</a>\n";
        site.write("entries/one.md", entry("one", "").replace("Text.", body));
        site.build(&[]).succeeded();
        let (home, feed) = (format!("https://plugins.example{base}"), site.read("public/feed.atom"));
        for part in [
            format!("<a href=\"{home}/plugins/one/#here\">part</a>"),
            "<a>none</a>".to_owned(),
            format!("<a href=\"{home}/plugins/one/\">empty</a>"),
            format!("<a href=\"{home}/plugins/one/near/?a#b\">near</a>"),
            format!("<a href=\"{home}/x/\">rooted</a>"),
            "<a href=\"https://a.example/x\">away</a>".to_owned(),
            "<a>bad</a>".to_owned(),
            "<a href=\"mailto:a@example.org\">mail</a>".to_owned(),
            format!("src=\"{home}/plugins/one/p.png\""),
            format!("<a href=\"{home}/plugins/one/\">raw</a>"),
        ] {
            assert!(feed.contains(&part), "{part}: {feed}");
        }
    }
}

/// A world in which GitHub and the usage exports say what people may have typed.
fn odd_world() -> World {
    let now = "2020-08-01T00:00:00Z".parse().unwrap();
    let mut world = World::new(now);
    let release = Release::new("v1|<b>\u{7}\u{85}", "Rel \u{1}\u{FFFE}\u{FDD0} & \"q\"", now);
    world.add(Repository::new("owner/one").with_release(release));
    let versions = [("1.0\u{1}\u{1FFFE}".to_owned(), 3)].into();
    world.set_usage(Window::Month, "one", Usage { instances: 3, install_events: 1, versions });
    world.set_usage(Window::Week, "one", Usage::default());
    world
}

#[test]
fn no_page_has_characters_that_it_may_not_have() {
    let server = Server::start(odd_world()).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    site.write("entries/one.md", entry("one", "").replace("Text.", "a &#x8; b &#x1FFFE;"));
    site.build(&[]).succeeded();
    let page = site.read("public/plugins/one/index.html");
    assert!(page.contains("v1|&lt;b&gt; "), "{page}");
    let feed = site.read("public/releases.atom");
    assert!(feed.contains("Rel  &amp; &quot;q&quot;"), "{feed}");
    // JSON has a place for every character.
    let is_json = |path: &std::path::Path| path.extension().is_some_and(|extension| extension == "json");
    for (path, bytes) in site.tree("public").into_iter().filter(|(path, _)| !is_json(path)) {
        let text = String::from_utf8(bytes).unwrap();
        let at = text.find(shelflife::markdown::is_forbidden);
        assert_eq!(at.map(|at| &text[at.saturating_sub(20)..at]), None, "{}", path.display());
    }
    let release = &site.json("public/plugins.json")[0]["github"]["latest_release"];
    assert_eq!(release["tag"], "v1|<b>\u{7}\u{85}", "what programs read is what GitHub said");
}

#[test]
fn addresses_on_pages_hold_what_addresses_can_hold() {
    let server = Server::start(odd_world()).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    let more = "screenshots:\n- url: https://example.org/a|b.png?a=\"<b>\n- url: /assets/c d.png\n\
                featuredimage: /assets/c d.png\nabandoned: https://example.org/x|y\n\
                privacypolicy: https://example.org/{p}\n";
    let odd = entry("one", more)
        .replace("homepage: https://example.org/one", "homepage: https://example.org/?a=\"1\"&b=%20%")
        .replace("archive: https://example.org/one.zip", "archive: https://example.org/a|b'c.zip");
    site.write("entries/one.md", odd);
    site.write(
        "data/notices.yaml",
        "- plugin: one\n  date: 2020-01-01 00:00:00Z\n  text: Read\n  link: https://example.org/n|n\n",
    );
    site.build(&[]).succeeded();
    let page = site.read("public/plugins/one/index.html");
    for part in [
        "href=\"https://example.org/?a=%221%22&amp;b=%20%25\"",
        "href=\"https://example.org/a%7Cb.png?a=%22%3Cb%3E\"",
        "src=\"https://example.org/a%7Cb.png?a=%22%3Cb%3E\"",
        "src=\"/assets/c%20d.png\"",
        "content=\"https://plugins.example/assets/c%20d.png\"",
        "href=\"https://example.org/x%7Cy\"",
        "href=\"https://example.org/%7Bp%7D\"",
        "href=\"https://example.org/n%7Cn\"",
        "releases/tag/v1%7C%3Cb%3E",
        "pip install 'https://example.org/a%7Cb%27c.zip'",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(site.read("public/abandoned/index.html").contains("href=\"https://example.org/x%7Cy\""));
    assert!(site.read("public/notices/index.html").contains("href=\"https://example.org/n%7Cn\""));
    let plugin = &site.json("public/plugins.json")[0];
    assert_eq!(
        plugin["homepage"], "https://example.org/?a=\"1\"&b=%20%",
        "what programs read is what was written"
    );
    assert_eq!(plugin["archive"], "https://example.org/a|b'c.zip");
    assert_eq!(plugin["image"], "https://plugins.example/assets/c d.png");
}

#[test]
fn no_author_or_tag_takes_an_id_of_the_theme() {
    let names = "[Content, _content, group-content, _group-content, q, main, status, body-content]";
    let site = Site::new(CONFIG);
    site.write(
        "entries/one.md",
        entry("one", &format!("tags: {names}\n")).replace("author: Ada of one", &format!("authors: {names}")),
    );
    site.build(&[]).succeeded();
    for (path, bytes) in site.tree("public").into_iter().filter(|(path, _)| path.ends_with("index.html")) {
        let page = String::from_utf8(bytes).unwrap();
        let ids: Vec<_> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let different: BTreeSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), different.len(), "{}: {ids:?}", path.display());
    }
    assert!(site.read("public/by_author/index.html").contains("id=\"content\""));
    assert!(site.read("public/by_tag/index.html").contains("id=\"tag-content\""));
}

/// All ids in `page`, in its order.
fn ids(page: &str) -> Vec<&str> {
    page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn headings_have_the_ids_that_links_to_them_name() {
    let site = Site::new(CONFIG);
    let body = "## Set up!\n\n## _install\n\n## Content\n\n[a](#set-up) [b](#_install)\n";
    site.write("entries/one.md", entry("one", "").replace("Text.\n", body));
    site.build(&[]).succeeded();
    let page = site.read("public/plugins/one/index.html");
    let (theirs, own): (Vec<_>, Vec<_>) = ids(&page).into_iter().partition(|id| id.starts_with('_'));
    assert_eq!(
        own,
        ["set-up", "body-_install", "content"],
        "the theme has none that begins otherwise: {theirs:?}"
    );
    assert!(theirs.contains(&"_install"), "{theirs:?}");
    assert!(page.contains("<a href=\"#set-up\">a</a> <a href=\"#body-_install\">b</a>"), "{page}");
}

#[test]
fn a_description_gives_way_to_the_ids_of_any_template() {
    let site = Site::new(CONFIG);
    site.write(
        "templates/plugin.html",
        "<main id=setup><i id='{{ plugin.stem }}'></i>{{ plugin.body | safe }}<svg id=\"body-one\"></svg></main>",
    );
    let body = "## Setup\n\n## One\n\n## Other\n\n[a](#setup) [b](#one) [c](#other) `id=\"one\"`\n";
    site.write("entries/one.md", entry("one", "").replace("Text.\n", body));
    site.build(&[]).succeeded();
    let page = site.read("public/plugins/one/index.html");
    for part in [
        "<h2 id=\"body-setup\">",
        "<h2 id=\"body-one-1\">",
        "<h2 id=\"other\">",
        "<a href=\"#body-setup\">a</a> <a href=\"#body-one-1\">b</a> <a href=\"#other\">c</a>",
        "<code>id=\"one\"</code>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let api = site.json("public/api/v1/plugins/one.json");
    assert!(api["content_html"].as_str().unwrap().contains("id=\"setup\""), "{api}");
}

#[test]
fn authors_hear_of_what_has_no_effect() {
    let site = Site::new(CONFIG);
    let more = "compatibility:\n  pyhton: '>=3'\n  os: [linux, beos]\nscreenshot: []\nmood: curious\n";
    let body = "ä {{ site.secret }}\n\n{% include other.html %} {{ site.url }} {% raw %}{{ x }}{% endraw %}";
    site.write("entries/one.md", entry("one", more).replace("Text.", body));
    site.entry("two", "compatibility: {os: [posix, nix, windows, macos, linux, freebsd]}\n");
    let expected = [
        "entries/one.md:13:3: unknown key `pyhton` in `compatibility`: expected `octoprint`, `os` or `python`; correct the key, or remove it",
        "entries/one.md:15:1: unknown key `screenshot`: did you mean `screenshots`?; correct the key, or remove it",
        "entries/one.md:14:15: unknown operating system or group `beos`: expected `windows`, `linux`, `macos`, `freebsd`, `posix`, `nix`",
        "entries/one.md:19:3: `{{ site.secret }}` is not a valid shortcode and is published unchanged; to publish it as text, put it between `{% raw %}` and `{% endraw %}`",
        "entries/one.md:21:1: `{% include other.html %}` is not a valid shortcode and is published unchanged; to publish it as text, put it between `{% raw %}` and `{% endraw %}`",
    ];
    assert_eq!(warnings(&site.report(&[])), expected);
    assert_eq!(
        warnings(&site.report(&[])),
        expected,
        "as long as they are not mended, whatever else changed"
    );
    assert!(site.build(&["--quiet"]).succeeded().stderr.contains("\n  entries/one.md:13:3: unknown key"));

    site.write("data/compat.yaml", "os:\n  name: {beos: BeOS, linux: Linux}\n");
    assert!(!warnings(&site.report(&[])).iter().any(|warning| warning.contains("group `beos`")));
}

#[test]
fn why_a_plugin_is_abandoned_may_be_written_in_markdown() {
    let site = Site::new(&format!("{CONFIG}\nbase_path = \"/reg\""));
    let more = "abandoned: see [the *new* one](/plugins/two/) <script>x</script>\n\
                up_for_adoption: \"# Big\\n\\n- a < b\\n- [c](javascript:d)\"\n";
    site.entry("one", more);
    site.entry("two", "abandoned: true\nup_for_adoption: https://example.org/x\n");
    site.build(&[]).succeeded();
    for path in ["public/plugins/one/index.html", "public/abandoned/index.html"] {
        let page = site.read(path);
        assert!(page.contains("see <a href=\"/reg/plugins/two/\">the <em>new</em> one</a>"), "{page}");
        assert!(page.contains("Big a &lt; b c"), "blocks have no place within a sentence: {page}");
        assert!(
            !page.contains("](/plugins") && !page.contains("<script>x") && !page.contains("javascript:"),
            "{page}"
        );
    }
    let page = site.read("public/plugins/two/index.html");
    assert!(
        page.contains("Read more<span class=\"unseen\"> about its adoption</span></a>.")
            && !page.contains("true"),
        "{page}"
    );
}

#[test]
fn a_file_that_is_no_entry_but_looks_like_one_is_named() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    assert_eq!(warnings(&site.report(&[])), Vec::<String>::new());
    for file in ["two.markdown", "three.MD", "more/four.md", "more/deep/five.mkd"] {
        site.write(&format!("entries/{file}"), entry("two", ""));
    }
    for file in ["notes.txt", "_aside/six.md", ".hidden/seven.md", "more/picture.png"] {
        site.write(&format!("entries/{file}"), "");
    }
    // Neither the build that finds them nor one that finds nothing changed keeps quiet.
    for _ in 0..2 {
        let report = site.report(&[]);
        let [warning] = &warnings(&report)[..] else { panic!("{report}") };
        let names = "ignored files that look like entries: entries/more/deep/five.mkd, entries/more/four.md, entries/three.MD, \
                     entries/two.markdown; entries are files directly in entries with the extension `.md`";
        assert!(warning.starts_with(names), "{warning}");
        assert_eq!(site.json("public/plugins.json").as_array().unwrap().len(), 1);
    }
}
