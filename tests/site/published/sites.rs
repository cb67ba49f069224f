//! The sites that are looked at: the sample as it is, the sample with every fact and with odd entries, and a
//! real registry.

use std::path::Path;
use std::sync::OnceLock;

use jiff::Timestamp;
use shelflife_testkit::replay::{Access, Release, Repository, Server, Trace, Usage, Window, World, shared};

use super::extremes;
use super::tree::Tree;
use crate::common::{Site, skip};

/// An entry with every key that there is.
const EVERY_KEY: &str = r##"---
layout: plugin
id: every_key
title: 'Every <key> & "quote"'
description: An <b>entry</b> that says everything, with 1 < 2 & "more"
authors: [Content, "Ünal Ö. <unal@example.org>", "???", "Ünal ö"]
license: AGPLv3
date: 2020-03-29
homepage: https://example.org/a?b=1&c="2"
source: https://github.com/Old/Name.git
archive: https://example.org/every'key.zip?x=1&y=2
follow_dependency_links: true
no_build_isolation: true
tags: [content, C++, C#, "!!!", "?", 日本, "a b", "a-b", Über, q, status]
screenshots:
- url: /assets/img/plugins/every_key/one%20shot.png
  alt: 'One "shot"'
  caption: <em>Caption</em> & more
- url: https://example.org/two|shots.png?a="b"&c=<d>
- url: /assets/img/plugins/every_key/one shot.png
featuredimage: /assets/img/plugins/every_key/one%20shot.png
compatibility:
  octoprint: [1.4.0, ">=1.5,<2", 1.3.4+]
  os: [posix, windows]
disabled: "It is *off* -- see [the reason](https://example.org/why)"
abandoned: Nobody is there any more.
up_for_adoption: https://example.org/adopt?a=1&b=2
note: Mind the <gap> & the "quotes"
redirect_from:
- /plugins/formerly/
- /plugins/EveryKey
- /old/every key.html
- /plugins/ümlaut/
attributes: [free-tier, cloud]
privacypolicy: https://example.org/privacy
more: { of: [everything] }
---

{% include youtube.html vid="abcdefghijk" preview="/assets/img/plugins/every_key/one%20shot.png" %}

See {% include canonic_url url="/plugins/mqtt/" %}, {{ page.homepage | absolute_url }},
{{ site.url }}{{ site.baseurl }}/plugins/mqtt/ and [here]({{ page.url | relative_url }}).

![The shot](/assets/img/plugins/every_key/one%20shot.png) and [MQTT](/plugins/mqtt/), [back up](#a-heading).

# A heading

## A heading

### A heading, again

- [x] done
- [ ] to do

| a | b |
|:--|--:|
| 1 | `2` |
"##;

/// An entry whose text is what people paste, and worse.
const ODD_HTML: &str = r##"---
layout: plugin
id: odd_html
title: Odd HTML
description: "]]> <script>alert(1)</script> <!-- "
author: Content
license: "</script><script>alert(1)</script>"
date: 2020-03-30
homepage: https://example.org
source: https://github.com/gone/away
archive: https://example.org/odd.zip
attributes: [commercial]
no_build_isolation: true
screenshots:
- url: /assets/img/plugins/every_key/one%20shot.png
---

<center><font color="red" size=7>Big <b>bold <i>both</b> italic</i></font></center>

<p>one <p>two <div>three</p> <h1>four</h3> <h6 id=_content>five</h6> <a name="_content">six</a>

<a href="#nowhere">nowhere</a> <a href="#_content">skip</a> <a href="https://example.org/"><a href="https://example.org/2">nested</a></a>
<a href="https://example.org/a b|c">blank</a> <a href="http://[bad">bad</a> <a href="">empty</a> <a href=" https://example.org/x ">padded</a>
<a href="javascript:alert(1)">code</a> <a href="data:text/html,x">data</a> <a href="ftp://example.org/">ftp</a>

<img src="/assets/img/plugins/every_key/one%20shot.png" width="50%" height=auto align=left border=0> <img> <img src="">
<img src="https://example.org/a b.png" alt="x" width="100px" srcset="a.png 2x, b.png 3q">

<table border=1 width="100%"><tr><td colspan=0 bgcolor=red>1<td rowspan="x">2<tr></table>
<table><caption>c</caption><div>foster</div><thead></thead><tr><th scope="nonsense" headers="none">h</th></tr></table>

<ul><p>not an item</p><li>item<ul><li>inner</ul></ul> <li>stray</li> <dl><dd>d<dt>t</dl> <dl></dl> <ol type=a start=x><li value=y>z</ol>

<iframe src="https://example.org/"></iframe><script>alert(1)</script><style>* { display: none }</style>
<div style="color: red" onclick="alert(1)" class="banner" id="x">styled</div><div id="x">twice</div><span id="">none</span><span id="a b">blank</span>

<details open><p>no summary</p></details> <summary>stray</summary> <details>a<summary>late</summary></details>

<button>press</button> <input type="text" value="x"> <form action="https://example.org/"><select><option>1</select></form>
<video src="https://example.org/v.mp4" controls autoplay></video> <audio></audio> <object data="x"></object> <svg><script>1</script></svg> <math><mi>x</mi></math>

<h2></h2> <h3> </h3> <a></a> <p></p> <blockquote cite="not a url">q</blockquote> <q cite="https://example.org/">q</q> <time>yesterday</time> <time datetime="x">y</time>
<del datetime="never">d</del> <ruby>r<rt>t</ruby> <abbr title>a</abbr> <bdo>b</bdo> <bdo dir="x">c</bdo> <tt>t</tt> <strike>s</strike> <big>b</big> <acronym>a</acronym> <marquee>m</marquee> <nobr>n</nobr>
<map name="m"><area href="https://example.org/" shape="poly" coords="1"></map> <kbd><kbd>k</kbd></kbd> <wbr> <hr width=3 noshade> <br clear=all> <pre width=3>p</pre> <unknown-thing a=b>u</unknown-thing>

&nbsp; &unknown; &#0; &#x8; &#xD800; &#x1FFFE; &copy &amp;lt; < & >

[link]( <https://example.org/a b> "a \"title\"") <https://example.org/?a=1&b=<2>> https://example.org/?q=a&copy=1 www.example.org

<!-- comment -- with --> <![CDATA[ cdata ]]> <?php echo 1 ?> <!doctype html> </body></html> ]]>

<div><div><section><article><main><header><footer><nav><aside><h1>deep
"##;

/// Every site, built once for all tests of this run. The real registry is left out where its data is not at hand.
pub fn sites(test: &str) -> Vec<&'static Tree> {
    static SAMPLES: OnceLock<Vec<Tree>> = OnceLock::new();
    static REGISTRY: OnceLock<Option<Tree>> = OnceLock::new();
    let samples = SAMPLES.get_or_init(|| {
        vec![
            sample("the sample without facts", "", false),
            sample("the sample without facts below /registry", "/registry", false),
            sample("the sample with facts", "", true),
            sample("the sample with facts below /registry", "/registry", true),
            extremes::build().0,
        ]
    });
    let registry = REGISTRY.get_or_init(registry);
    if registry.is_none() {
        skip(&format!("{test}, on the real registry"), "no ../shared");
    }
    samples.iter().chain(registry).collect()
}

/// `site/` in a folder of its own. With facts it also has the entries above, and a world in which every kind of
/// fact is known of some plugin and unknown of another.
fn sample(name: &'static str, base_path: &str, with_facts: bool) -> Tree {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("site");
    let config = std::fs::read_to_string(source.join("shelflife.toml")).unwrap();
    let mut config = changed(&config, "base_path = \"\"", &format!("base_path = \"{base_path}\""));
    let server = Server::start(world(&source.join("entries"))).unwrap();
    for window in [Window::Week, Window::Month] {
        let real = format!("https://data.octoprint.org/export/{}", window.file());
        config = changed(&config, &real, &server.export_url(window));
    }
    let mut site = Site::new(&config);
    for folder in ["assets", "data", "entries", "templates"] {
        for file in std::fs::read_dir(source.join(folder)).unwrap() {
            let file = file.unwrap();
            let path = format!("{folder}/{}", file.file_name().to_str().unwrap());
            site.write(&path, std::fs::read(file.path()).unwrap());
        }
    }
    if with_facts {
        site.set("GITHUB_TOKEN", "replay");
        site.set("GITHUB_GRAPHQL_URL", &server.graphql_url());
        site.write("entries/every_key.md", EVERY_KEY);
        site.write("entries/odd_html.md", ODD_HTML);
        site.write("assets/img/plugins/every_key/one shot.png", b"\x89PNG\r\n\x1a\n");
        site.build(&[]).succeeded();
    } else {
        site.build(&["--offline"]).succeeded();
        assert_eq!(server.counts().requests, 0);
    }
    Tree::read(name, &format!("https://plugins.example.org{base_path}/"), &site.at("public"))
}

#[track_caller]
fn changed(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

/// A world that knows the repositories of these entries, each a bit different from the one before.
fn world(entries: &Path) -> World {
    let now: Timestamp = "2020-08-03T12:00:00Z".parse().unwrap();
    let mut world = World::new(now);
    let mut files: Vec<_> = std::fs::read_dir(entries).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for (n, path) in (0_u64..).zip(&files) {
        let text = std::fs::read_to_string(path).unwrap();
        let value =
            |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_owned();
        let id = value("id:").to_lowercase();
        if let Some(repository) = value("source:").strip_prefix("https://github.com/") {
            world.add(repository_like(repository.trim_end_matches('/'), n, now));
        }
        if n % 5 != 4 {
            let versions = (0..n).map(|minor| (format!("1.{minor}"), 10 * minor)).collect();
            let usage = Usage { instances: 1000 * n, install_events: 10 * n, versions };
            world.set_usage(Window::Week, &id, usage.clone()).set_usage(Window::Month, &id, usage);
        }
    }
    let tracker = Repository::new("OctoPrint/plugins.octoprint.org");
    world.add(tracker.with_issue(411, now).with_issue(471, now));
    let odd = [("", 3), ("1.0 <beta> & \"more\"", 2), ("1.0\u{1}\u{FFFE}", 1)];
    let versions = odd.map(|(version, n)| (version.to_owned(), n)).into();
    world.set_usage(Window::Month, "every_key", Usage { instances: 6, install_events: 1, versions });
    let release = Release::new("v1/<b>\u{7}&", "Rel <b>\u{1}\u{FFFE} & \"q\" ]]>", now);
    world.add(repository_like("Old/Name", 1, now).with_release(release));
    world.rename("Old/Name", "New-Owner/New.Name");
    world
}

fn repository_like(name: &str, n: u64, now: Timestamp) -> Repository {
    let mut repository =
        Repository::new(name).with_stars(n * n * 17).with_issues(n % 4, n * 40).with_push(now);
    repository.watchers = n;
    repository.archived = n % 6 == 5;
    repository.access = if n % 7 == 6 { Access::Private } else { Access::Public };
    for release in 0..n % 5 {
        repository = repository.with_release(Release::new(format!("0.{release}"), "", now));
    }
    let python = "__plugin_name__ = \"Sample\"\n__plugin_pythoncompat__ = \">=3.7,<4\"\n";
    repository
        .with_file("setup.py", "plugin_identifier = \"sample\"\nplugin_package = \"octoprint_sample\"\n")
        .with_file("octoprint_sample/__init__.py", python)
}

/// What entries of the trace link to and the trace leaves out: pictures, and plugins of the registry's other half.
const ABSENT: [&str; 5] = [
    "assets/img/",
    "plugins/PrintTimeGenius/",
    "plugins/SlicerSettingsParser",
    "plugins/YouTubeLive/",
    "plugins/detailedprogress/",
];

/// The last build of the trace.
fn registry() -> Option<Tree> {
    let trace = Trace::open(&shared()?.join("trace")).unwrap();
    let tick = *trace.ticks().last().unwrap();
    let server = Server::start(trace.world(tick).unwrap()).unwrap();
    let home = "https://plugins.octoprint.org/";
    let config = "title = \"OctoPrint Plugin Repository\"\nurl = \"https://plugins.octoprint.org\"\n\
                  timezone = \"America/Chicago\"\nhistory.seed = \"off\"\n[paths]\nentries = \"_plugins\"\ndata = \"_data\"\n";
    let site = Site::asking(&server, config, "6h");
    trace.checkout(tick, site.path()).unwrap();
    site.build(&[]).succeeded();
    let tree = Tree::read("the real registry", home, &site.at("public"));
    Some(Tree { exempt: &ABSENT, ..tree })
}
