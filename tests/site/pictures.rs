//! Pictures that lie elsewhere: what pages show of them, and what they may load.

use crate::common::{Site, entry};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

const BODY: &str = "![Status](https://img.shields.io/x.svg) [![Donate](https://pay.example/b.gif)](https://pay.example/)\n\
                    ![Shot](http://shots.example/1.png) ![Own](https://plugins.example/assets/a.png) ![Here](/assets/b.png)\n\
                    ![](https://else.example/c.png)\n";

const MORE: &str = "disabled: See ![why](https://else.example/why.png).\nscreenshots:\n- url: https://shots.example/1.png\n\
                    - url: https://github.com/a/b/raw/main/2.png\n- url: https://port.example:8443/3.png\n- url: /assets/4.png\n";

fn site(config: &str) -> Site {
    let site = Site::new(&format!("{CONFIG}\n{config}"));
    site.write("entries/one.md", entry("one", MORE).replace("Text.", BODY));
    site.entry("two", "");
    site.write("data/blacklist.yaml", "- plugin: one\n  reason: \"![x](https://else.example/black.png)\"\n");
    site
}

/// Where a page may load pictures from.
fn sources(page: &str) -> &str {
    page.split_once("img-src ").unwrap().1.split_once(';').unwrap().0
}

/// The addresses of all pictures in the text of a page.
fn pictures(page: &str) -> Vec<&str> {
    let text = page.split_once("<main").unwrap().1;
    text.split("<img ").skip(1).filter_map(|tag| tag.split_once("src=\"")?.1.split('"').next()).collect()
}

#[test]
fn a_page_loads_nothing_from_elsewhere_but_its_own_screenshots() {
    let site = site("");
    site.build(&[]).succeeded();
    let page = site.read("public/plugins/one/index.html");
    assert_eq!(
        pictures(&page),
        [
            "https://shots.example/1.png",
            "https://plugins.example/assets/a.png",
            "/assets/b.png",
            "https://shots.example/1.png",
            "https://github.com/a/b/raw/main/2.png",
            "https://port.example:8443/3.png",
            "/assets/4.png",
        ]
    );
    for part in [
        "<p><span class=\"picture\">Status</span> <a href=\"https://pay.example/\"><span class=\"picture\">Donate</span></a>",
        "<img alt=\"Shot\" loading=\"lazy\" referrerpolicy=\"no-referrer\" src=\"https://shots.example/1.png\">",
        "<a href=\"https://else.example/c.png\"><span class=\"picture\">c.png</span></a>",
        "<p>See <a href=\"https://else.example/why.png\"><span class=\"picture\">why</span></a>.</p>",
        "<p><a href=\"https://else.example/black.png\"><span class=\"picture\">x</span></a></p>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(
        sources(&page),
        "'self' https://*.githubusercontent.com https://github-production-user-asset-6210df.s3.amazonaws.com \
         https://github.com https://port.example:8443 https://shots.example"
    );
    for path in
        ["plugins/two/index.html", "index.html", "by_name/index.html", "blacklist/index.html", "404.html"]
    {
        let page = site.read(&format!("public/{path}"));
        assert_eq!((sources(&page), pictures(&page)), ("'self'", vec![]), "{path}");
    }
    // What programs read of why it is disabled is what it always was.
    let plugins = site.json("public/plugins.json");
    let disabled = plugins.as_array().unwrap().iter().find_map(|plugin| plugin["disabled"].as_str());
    assert_eq!(disabled, Some("<p>See <img alt=\"why\" src=\"https://else.example/why.png\">.</p>\n"));
    assert!(!site.read("public/search.json").contains("Donate"));
}

#[test]
fn pictures_are_loaded_where_the_site_wants_them() {
    let site = site("");
    site.build(&[]).succeeded();
    site.write("shelflife.toml", format!("{CONFIG}\n[markdown]\nremote_pictures = \"load\"\n"));
    site.build(&[]).succeeded();
    let page = site.read("public/plugins/one/index.html");
    assert!(!page.contains("class=\"picture\""), "{page}");
    assert!(
        page.contains("<img alt=\"\" loading=\"lazy\" referrerpolicy=\"no-referrer\" src=\"https://else.example/c.png\">"),
        "{page}"
    );
    for path in ["plugins/one/index.html", "plugins/two/index.html", "index.html"] {
        assert_eq!(sources(&site.read(&format!("public/{path}"))), "'self' https:", "{path}");
    }
}

#[test]
fn another_screenshot_shows_another_picture_of_the_description() {
    let site = site("");
    site.build(&[]).succeeded();
    let more = MORE.replace("shots.example/1.png", "else.example/c.png");
    site.write("entries/one.md", entry("one", &more).replace("Text.", BODY));
    site.build(&[]).succeeded();
    let page = site.read("public/plugins/one/index.html");
    assert_eq!(pictures(&page)[2], "https://else.example/c.png", "{page}");
    assert!(
        page.contains("<a href=\"http://shots.example/1.png\"><span class=\"picture\">Shot</span></a>"),
        "{page}"
    );
}

#[test]
fn no_screenshot_writes_into_the_policy() {
    let site = Site::new(CONFIG);
    let shots = "screenshots:\n- url: https://a;connect-src*;.example/1.png\n- url: \"https://a,b/2.png\"\n\
                 - url: https://*.example/3.png\n";
    site.entry("one", shots);
    site.build(&[]).succeeded();
    let page = site.read("public/plugins/one/index.html");
    assert_eq!(sources(&page), "'self'");
}
