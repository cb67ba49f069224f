//! What shortcodes expand to, what stays as written, and how long that takes.

use super::*;
use crate::config::Limits;
use crate::digest::Digest;
use crate::entry::parse;
use crate::fact::thumbnail::Format;
use proptest::prelude::*;

fn entry() -> Entry {
    let file = "---\nid: my_plugin\ntitle: '<b>5 * 3</b> [x]'\ndescription: d\nauthor: a\nlicense: l\n\
        date: 2020-01-01\nhomepage: https://a.example/?a=1&copy=(2)\nsource: https://a.example/s\n\
        archive: https://a.example/a.zip\n---\n";
    (*parse("_plugins/my-plugin.md", file.as_bytes(), &Limits::default()).unwrap().entry).clone()
}

fn with(entry: &Entry) -> Shortcodes<'_> {
    Shortcodes {
        site_url: "https://site.example",
        base_path: "/base",
        site_title: "The Site",
        about: About::Plugin(entry),
        page_path: "/plugins/my-plugin/",
        picture: &|video| (video.as_str() == "filmed").then(picture),
    }
}

fn picture() -> Picture {
    Picture { digest: Digest::of(b""), format: Format::WebP, width: 48, height: 36 }
}

fn expanded(body: &str) -> String {
    expand(body, &with(&entry()))
}

fn found_unknown(body: &str) -> Vec<&str> {
    unknown(body, &with(&entry())).into_iter().map(|span| &body[span]).collect()
}

#[test]
fn known_constructs_are_expanded() {
    let table = [
        ("a {{ site.url }} b", "a https://site.example b"),
        ("{{site.baseurl}}/x", "/base/x"),
        ("{{  site.title\t}}", "The Site"),
        ("{{ page.source | absolute_url }}", "https://a.example/s"),
        ("{{page.url|absolute_url}}", "https://site.example/base/plugins/my-plugin/"),
        ("{{ page.url | relative_url }}", "/base/plugins/my-plugin/"),
        ("{{- page.url -}}", "/plugins/my-plugin/"),
        ("`{{ page.id }}`", "`my_plugin`"),
        ("{{ page.homepage }}", "https://a.example/?a=1&amp;copy=%282%29"),
        ("{{ page.title }}", "&#60;b&#62;5 &#42; 3&#60;&#47;b&#62; &#91;x&#93;"),
        (r#"{{ "/x/" | relative_url }}"#, "/base/x/"),
        ("[x]({{'x y.png'|relative_url}})", "[x](/base/x%20y.png)"),
        ("![i]({{ '/plugins/b/' | absolute_url }})", "![i](https://site.example/base/plugins/b/)"),
        (r#"{{- "https://a.example/)" | absolute_url -}}"#, "https://a.example/%29"),
        (r#"{{ "<b>|*" | relative_url }}"#, "/base/%3Cb%3E%7C%2A"),
        (r#"![]({% include canonic_url url="/assets/a b.png" %})"#, "![](/base/assets/a%20b.png)"),
        ("{%include canonic_url url='//cdn.example/x' %}", "//cdn.example/x"),
        ("{% include canonic_url url='x.png' %}", "x.png"),
        (
            r#"{% include youtube.html vid="dQw4w9WgXcQ" preview="/p.png" %}"#,
            r#"<a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ"><img src="/base/p.png" alt="Watch the video on YouTube"></a>"#,
        ),
        (
            "{% include youtube.html preview='https://other.example/p.png' vid='dQw4w9WgXcQ' %}",
            r#"<a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ">Watch the video on YouTube</a>"#,
        ),
        (
            "{% include youtube.html vid='filmed' preview='https://other.example/p.png' %}",
            r#"<a href="https://www.youtube.com/watch?v=filmed"><img src="/thumbnails/af1349b9f5f9a1a6.webp" alt="Watch the video on YouTube" width="48" height="36"></a>"#,
        ),
        (
            "{% include youtube.html vid='filmed' preview='/p.png' %}",
            r#"<a href="https://www.youtube.com/watch?v=filmed"><img src="/base/p.png" alt="Watch the video on YouTube"></a>"#,
        ),
        (
            r#"{% include youtube.html vid="filmed" preview="'/p.png'" %}"#,
            r#"<a href="https://www.youtube.com/watch?v=filmed"><img src="/base/p.png" alt="Watch the video on YouTube"></a>"#,
        ),
        (r#"{% include canonic_url url='"/x"' %} {% include canonic_url url="'" %}"#, "/base/x %27"),
        ("{% raw %}{{ site.url }} {% x %}{%endraw%}!", "{{ site.url }} {% x %}!"),
    ];
    for (body, expected) in table {
        assert_eq!(expanded(body).replace(BASE, "/base"), expected, "{body}");
    }
}

#[test]
fn the_base_path_is_told_from_what_people_write() {
    for (body, expected) in [
        ("{{ site.baseurl }}/x", "\u{FDEF}/x"),
        ("(/base/{{ page.url | relative_url }})", "(/base/\u{FDEF}/plugins/my-plugin/)"),
        ("{% include canonic_url url='/base/x' %}", "\u{FDEF}/base/x"),
        // Within an address, the base path can't be anything else.
        ("{{ site.url }}{{ site.baseurl }}/x", "https://site.example/base/x"),
        (
            "[x](/base/x) {{ page.url }} {{ page.url | absolute_url }}",
            "[x](/base/x) /plugins/my-plugin/ https://site.example/base/plugins/my-plugin/",
        ),
        ("\u{FDEF}/x", "\u{FFFD}/x"),
        ("{% include canonic_url url='/\u{FDEF}x' %}", "\u{FDEF}/\u{FFFD}x"),
    ] {
        assert_eq!(expanded(body), expected, "{body}");
    }
    let entry = entry();
    let at_the_root = Shortcodes { base_path: "", ..with(&entry) };
    assert_eq!(expand("{{ site.baseurl }}/x", &at_the_root), "/x");
}

#[test]
fn everything_else_stays_as_written() {
    for body in [
        "{{ site.secret }}",
        "{{ page.body }}",
        "{{ site.url | upcase }}",
        "{{ site.url | absolute_url | upcase }}",
        "{{ site.url }",
        "{{ '/x/' }}",
        "{{ '/x/' | upcase }}",
        "{{ '/x/' | relative_url | upcase }}",
        "{{ '/x/\" | relative_url }}",
        "{{ \"a\": 1 }}",
        "{{ site }}",
        "{% include other.html %}",
        "{% include canonic_url %}",
        "{% include youtube.html vid=\"a'b\" %}",
        "{% include youtube.html vid=\"../../../x\" %}",
        "{% for a in b %}{% endfor %}",
        "{% raw %}{{ x }}",
        "{%",
        "{{",
        "${HOME} {x}",
    ] {
        assert_eq!(expanded(body), body);
    }
}

#[test]
fn what_looks_like_a_shortcode_and_is_none_is_found() {
    for (body, expected) in [
        ("a {{ site.secret }} b {{ site.url }}", &["{{ site.secret }}"][..]),
        ("ä {% include other.html\n x='}' %}{{{ x }}}", &["{% include other.html\n x='}' %}", "{{{ x }}}"]),
        (
            "{% include canonic_url %} {%- for a in b -%}",
            &["{% include canonic_url %}", "{%- for a in b -%}"],
        ),
        ("{% raw %}{{ x }}", &["{% raw %}", "{{ x }}"]),
        ("{% raw %}{{ x }} {% y %}{% endraw %} {{ site.title }}", &[]),
        (
            "{{ '/x/' | upcase }} {{- \"x\" -}} {{ '/x/' | relative_url }} {% 'x' %}",
            &["{{ '/x/' | upcase }}", "{{- \"x\" -}}"],
        ),
        ("{{\"a\": 1}, {'b'}} {{ \"a }} {{ 'a' 'b' }}", &[]),
        ("{{1, 2}, {3}} {} {{ }} {%} {{ x } {% y } ${x}", &[]),
    ] {
        assert_eq!(found_unknown(body), expected, "{body}");
    }
    assert_eq!(found_unknown(&"{{ x }}".repeat(1000)).len(), MAX_UNKNOWN);
}

#[test]
fn unfinished_shortcodes_cost_linear_time() {
    for part in [
        "{% raw %}",
        "{{ ",
        "{% include canonic_url a=\"",
        "{% include canonic_url a='x' b=\"",
        "{",
        "{%-",
        "{{ \"",
        "{{ 'a' | ",
    ] {
        let body = part.repeat((1 << 20) / part.len());
        let start = std::time::Instant::now();
        assert_eq!(expanded(&body), body);
        assert!(start.elapsed().as_secs() < 5, "{part:?}: {:?}", start.elapsed());
        let start = std::time::Instant::now();
        // Each `{% raw %}` without an end is reported.
        assert_eq!(found_unknown(&body).len(), if part == "{% raw %}" { MAX_UNKNOWN } else { 0 });
        assert!(start.elapsed().as_secs() < 5, "{part:?}: {:?}", start.elapsed());
    }
}

proptest! {
    #[test]
    fn text_without_braces_is_left_alone(body in "[^{]*") {
        prop_assert_eq!(expanded(&body), body);
    }

    #[test]
    fn never_panics(body in r#"(\{\{|\{%|%\}|\}\}| |include|canonic_url|youtube.html|url=|vid=|"|'|raw|endraw|site|page|\.|url|\||absolute_url|ä|-)*"#) {
        expanded(&body);
        found_unknown(&body);
    }
}
