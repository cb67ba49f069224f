//! Real entries keep their look, and hostile ones do no harm.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use scraper::{Html, Selector};

use super::{Addresses, Picture, apart, is_forbidden, strip_tags, to_html_inline, to_html_part, to_text};

fn to_html(markdown: &str) -> String {
    super::to_html(markdown, Addresses::new(&|_| None))
}

fn to_html_smart(markdown: &str) -> String {
    super::to_html_smart(markdown, &|_| None)
}

fn check(markdown: &str, expected: &str) {
    assert_eq!(to_html(markdown).trim(), expected, "{markdown}");
}

#[test]
fn what_entries_use_is_kept() {
    check("a **b** `c` ~~d~~", "<p>a <strong>b</strong> <code>c</code> <del>d</del></p>");
    check(
        "https://a.example/?x&y",
        r#"<p><a href="https://a.example/?x&amp;y">https://a.example/?x&amp;y</a></p>"#,
    );
    check("<small>a &#64; b</small>", "<p><small>a @ b</small></p>");
    check("<kbd>x</kbd><sub>1</sub><br>y", "<p><kbd>x</kbd><sub>1</sub><br>y</p>");
    check("- [x] a", "<ul>\n<li><input checked=\"\" disabled=\"\" type=\"checkbox\"> a</li>\n</ul>");
    check("```rust\nx\n```", "<pre><code class=\"language-rust\">x\n</code></pre>");
    check(
        "<details markdown=1><summary>More</summary>\n\n*text*\n</details>",
        "<details>\n<summary>More</summary>\n<p><em>text</em></p>\n</details>",
    );
    check(
        "<details><summary>More</summary>\n\n*text*\n</details>\n*more*",
        "<details><summary>More</summary>\n\n*text*\n</details>\n<p><em>more</em></p>",
    );
    check(
        "|a|b|\n|:-:|--:|\n|c|d|",
        "<div aria-label=\"Table\" class=\"scroll\" role=\"group\" tabindex=\"0\"><table>\n<thead>\n<tr>\n<th class=\"align-center\">a</th>\n<th class=\"align-right\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td class=\"align-center\">c</td>\n<td class=\"align-right\">d</td>\n</tr>\n</tbody>\n</table></div>",
    );
}

#[test]
fn what_may_scroll_sideways_is_reached_by_the_keyboard() {
    let long = |text: &str| text.repeat(51 / text.len() + 1);
    let focus = "role=\"group\" tabindex=\"0\"";
    for (code, scrolls) in [
        (long("ab"), true),
        (format!("a\n{}\nb", long("c d ")), true),
        ("&lt;".repeat(60), true),
        ("\t".repeat(7) + "a", true),
        ("&lt;".repeat(50), false),
        ("a line of *50* characters\n".repeat(9), false),
    ] {
        let html = to_html(&format!("<pre>{code}</pre>"));
        assert_eq!(html.starts_with(&format!("<pre aria-label=\"Code\" {focus}>")), scrolls, "{html}");
        // Elements within a link must not be focusable, and other sites' pages use their own styles.
        let linked = to_html(&format!("<div><a href=/x><pre>{code}</pre><table><td>a</table></a></div>"));
        let elsewhere = to_html_smart(&format!("<pre>{code}</pre><table><td>a</table>"));
        assert!(!linked.contains("tabindex") && !elsewhere.contains("tabindex"), "{linked} {elsewhere}");
        assert!(!elsewhere.contains("scroll"), "{elsewhere}");
    }
    let own =
        to_html("<div class=scroll role=group tabindex=0 aria-label=Table>x</div><pre tabindex=5>y</pre>");
    assert!(!own.contains("tabindex") && !own.contains("scroll") && !own.contains("role"), "{own}");
}

#[test]
fn obsolete_markup_is_translated() {
    check(r#"<p align="center">x</p>"#, r#"<p class="align-center">x</p>"#);
    check("<center>x</center>", r#"<div class="align-center">x</div>"#);
    check(r#"a <font color="red">x</font><tt>y</tt>"#, "<p>a x<code>y</code></p>");
    check(
        r#"<img src="/a b.png" align=right width=50px height="50%">"#,
        r#"<p><img alt="" class="align-right" src="/a%20b.png" width="50"></p>"#,
    );
}

#[test]
fn headings_move_down_and_can_be_linked_to() {
    check(
        "# Message *format*!\n\n[a](#message-format) [b](#other) [c](#own) <a name=own></a>",
        "<h2 id=\"message-format\">Message <em>format</em>!</h2>\n<p><a href=\"#message-format\">a</a> <a>b</a> <a href=\"#own\">c</a> <a id=\"own\"></a></p>",
    );
    check("a\n=\n# a\n###### a", "<h2 id=\"a\">a</h2>\n<h2 id=\"a-1\">a</h2>\n<h3 id=\"a-2\">a</h3>");
}

#[test]
fn the_top_of_a_page_can_always_be_linked_to() {
    let links = "<a href=\"#top\">a</a> <a href=\"#TOP\">b</a> <a href=\"#\">c</a> <a>d</a>";
    let markdown = "[a](#top) [b](#TOP) <a href='#'>c</a> [d](#topmost)";
    check(markdown, &format!("<p>{links}</p>"));
    assert_eq!(to_html_part(markdown, Addresses::new(&|_| None)).trim(), format!("<p>{links}</p>"));
    check("[a](#top)\n## Top", "<p><a href=\"#top\">a</a></p>\n<h2 id=\"top\">Top</h2>");
}

#[test]
fn a_link_stands_for_a_player() {
    let player = |id: &str| {
        format!("<iframe width=560 src=\"https://www.youtube.com/embed/{id}\" allowfullscreen>x</iframe>")
    };
    let link =
        |id: &str| format!("<a href=\"https://www.youtube.com/watch?v={id}\">Watch the video on YouTube</a>");
    check(&format!("a {} b", player("dQw4w9WgXcQ")), &format!("<p>a {} b</p>", link("dQw4w9WgXcQ")));
    check(
        &format!("<div>\n{}\n</div>", player("dQw4w9WgXcQ")),
        &format!("<div>\n{}\n</div>", link("dQw4w9WgXcQ")),
    );
    check(&player("dQw4w9WgXcQ"), &link("dQw4w9WgXcQ"));
    let two = format!("<ul>{}{}</ul>", player("first_one"), player("second_one"));
    check(&two, &format!("<ul><li>{}{}</li></ul>", link("first_one"), link("second_one")));
    let linked = to_html(&format!("<a href=/x>a {}</a>", player("dQw4w9WgXcQ")));
    assert_eq!(as_read(&linked), linked);
    check(
        &format!("`{}`", player("x")),
        &format!("<p><code>{}</code></p>", player("x").replace('<', "&lt;").replace('>', "&gt;")),
    );
    check(&player("../x"), "");
}

#[test]
fn guillemets_are_not_tags() {
    check("<<foo>> << a >> b", "<p>«foo» «&nbsp;a&nbsp;» b</p>");
    check("- a\n- <<b>>\n\n<<c>>", "<ul>\n<li>a</li>\n<li>«b»</li>\n</ul>\n<p>«c»</p>");
    check("<<i>x</i>> `<<y>>`", "<p>«i&gt;x&gt; <code>&lt;&lt;y&gt;&gt;</code></p>");
    check("<<<b>x</b>>>", "<p>«<b>x</b>»</p>");
    check("<<https://a.example/>>", "<p>«<a href=\"https://a.example/\">https://a.example/</a>»</p>");
    check("\\<<b>x</b>", "<p>&lt;<b>x</b></p>");
}

#[test]
fn broken_markup_is_put_right() {
    check("<b><div>x</div></b>", "<div>x</div>");
    check("<div><p>a<div>b</div></p></div>", "<div><p>a</p><div>b</div></div>");
    check("<li>x</li>", "<div>x\n</div>");
    check("<ul>x<li>y</ul>", "<ul><li>x</li><li>y</li></ul>");
    let table = |rows: &str| {
        format!(
            "<div aria-label=\"Table\" class=\"scroll\" role=\"group\" tabindex=\"0\"><table><tbody>{rows}</tbody></table></div>"
        )
    };
    check("<table><td>a<td>b</table>", &table("<tr><td>a</td><td>b</td></tr>"));
    check("<table>a<tr></tr></table>", &table("<tr><td>a</td></tr>"));
    check("<table><tr></tr></table>", "");
    check("<details>x</details>", "<details><summary>Details</summary>x</details>");
    check(
        "<div><a href='/x'>a <a href='/y'>b</a></a></div>",
        r#"<div><a href="/x">a </a><a href="/y">b</a></div>"#,
    );
    check("x</p></div></b>", "<p>x</p>");
}

#[test]
fn what_does_harm_vanishes() {
    check("<script>alert(1)</script>x", "<p>x</p>");
    check("<style>*{}</style>\n\nx", "<p>x</p>");
    check("a <iframe src=//x></iframe> b", "<p>a  b</p>");
    check(r#"<b onclick="x" style="y" class="z" id="q">x</b>"#, "<p><b>x</b></p>");
    check(
        "[a](javascript:x) [b](data:text/html,x) [c](//h.example)",
        r#"<p><a>a</a> <a>b</a> <a href="//h.example">c</a></p>"#,
    );
    check("<a href='java&#115;cript:x'>a</a>", "<p><a>a</a></p>");
    check("<img src=data:image/png;base64,x>", "");
    check("<form action=/x><input name=q><button>b</button></form>", "<div>b</div>");
    check("<svg><script>x</script></svg>y", "<p>y</p>");
    check("a\u{0}b\u{1b}c", "<p>a\u{FFFD}b\u{FFFD}c</p>");
}

#[test]
fn addresses_can_be_replaced() {
    let address = |address: &str| match address {
        "/a&b%20c.png" => Some("/a&b.0123.png".to_owned()),
        "#part" => Some("https://a.example/#part".to_owned()),
        _ => None,
    };
    assert_eq!(
        super::to_html("![x](</a&b c.png>) [y](/z)\n\n# Part\n[p](#part)", Addresses::new(&address)),
        "<p><img alt=\"x\" src=\"/a&amp;b.0123.png\"> <a href=\"/z\">y</a></p>\n\
         <h2 id=\"part\">Part</h2>\n<p><a href=\"https://a.example/#part\">p</a></p>\n"
    );
}

#[test]
fn a_name_stands_for_a_picture() {
    let picture = |address: &str| match address {
        "/own.png" => Picture::Shown,
        "http://a.example/shot.png" => Picture::Fetched,
        _ => Picture::Named,
    };
    let link = |to: &str, name: &str| format!("<a href=\"{to}\"><span class=\"picture\">{name}</span></a>");
    for (markdown, expected) in [
        ("![A](/own.png)", r#"<img alt="A" src="/own.png">"#.to_owned()),
        (
            "![A](http://a.example/shot.png)",
            r#"<img alt="A" loading="lazy" referrerpolicy="no-referrer" src="https://a.example/shot.png">"#
                .to_owned(),
        ),
        (
            "![A &amp; *B* <](https://a.example/b.png?c&d)",
            link("https://a.example/b.png?c&amp;d", "A &amp; B &lt;"),
        ),
        ("![](//a.example/b%20c.png#d)", link("//a.example/b%20c.png#d", "b c.png")),
        ("![ ](https://a.example/b 'T \"t\"')", link("https://a.example/b", "T \"t\"")),
        ("![](https://a.example/)", link("https://a.example/", "picture")),
        ("[![A](https://a.example/b.png)](/c)", link("/c", "A")),
        (
            "[*x* ![A](https://a.example/b.png)](/c)",
            r#"<a href="/c"><em>x</em> <span class="picture">A</span></a>"#.to_owned(),
        ),
        ("![Tests](https://img.shields.io/x.svg)", r#"<span class="picture">Tests</span>"#.to_owned()),
        ("![](https://a.example/tests/badge.svg)", r#"<span class="picture">badge.svg</span>"#.to_owned()),
        ("<span class=picture>x</span>", "<span>x</span>".to_owned()),
    ] {
        let html = super::to_html(markdown, Addresses { picture: &picture, ..Addresses::new(&|_| None) });
        assert_eq!(html.trim(), format!("<p>{expected}</p>"), "{markdown}");
        let text = super::to_text(&html);
        assert!(["", "x"].contains(&text.as_str()), "{markdown}: {text}");
    }
}

#[test]
fn what_stands_beside_a_body_has_no_ids() {
    assert_eq!(
        to_html_part(
            "# a\n[b](#a) <a name=c>c</a> [d](/d)",
            Addresses::new(&|address| Some(format!("/base{address}")))
        ),
        "<h2>a</h2>\n<p><a>b</a> <a>c</a> <a href=\"/base/d\">d</a></p>\n"
    );
}

#[test]
fn short_texts_are_as_published() {
    assert_eq!(
        to_html_smart("\"See\" [this](https://a.example/1) -- it's ..."),
        "<p>“See” <a href=\"https://a.example/1\">this</a> – it’s …</p>\n"
    );
    assert_eq!(to_html_smart("# x"), "<h1>x</h1>\n");
}

#[test]
fn tags_are_stripped_as_liquid_does() {
    for (text, expected) in [
        ("Andy <andy@a.example>", "Andy "),
        ("a <b>c</b> &amp; d", "a c &amp; d"),
        ("a<script>x<y</script>b<!-- > -->c<style>*{}</style>d", "abcd"),
        ("1 < 2", "1 < 2"),
        ("<script>a<b>c", "ac"),
        ("<!-- a > b", " b"),
        ("a\n<br\n>b", "a\nb"),
    ] {
        assert_eq!(strip_tags(text), expected, "{text}");
    }
}

#[test]
fn text_for_the_search_index() {
    assert_eq!(to_text("<h2>a</h2><p>b&amp;c <b>d</b>e<br>f</p>\n\n<script>x</script>"), "a b&c de f");
}

#[test]
fn hostile_input_costs_about_linear_time() {
    let size = 1 << 17;
    let parts = [
        "<b>",
        "<b><p>",
        "<font a><p>x",
        "<div>",
        "</p>",
        "<table><tr><td>",
        "<ul><li>",
        "<a href='/x'>",
        "<!--",
        "<script>",
        "<script </b>",
        "<",
        "</",
        "<a b=\"",
        "<a b='\"",
        "<p><b>x</p>",
        "> ",
        "* ",
        "- a\n  ",
        "[",
        "![",
        "*a_ ",
        "`",
        "<details>",
        "| a ",
        "|-|\n",
        "# a\n",
        "&",
        "a@",
        "www.a ",
        "\\",
        "~~",
        "[a]: b\n",
        "[a](",
        "<h1>",
        "<h1><p>",
        "<a><p>",
        "{:.a}\n",
        "*{: ",
        "*a*{:.a}",
        "{::comment}\n",
        "{::comment} {:/x}",
        "{:a: .b}\n",
        "a\n: b\n",
        ": a\n\n",
        "> - ",
        "1. - ",
        "999999999. a\nb\n",
        "1. > # a\n",
        "[a](b c",
        "[a]: b c\n",
        "[^1]: a\n",
        "[^1]",
        "<div>\n\n",
        "<div>a</div>",
        "<div markdown=1>\n",
        "<div markdown=1>a</div>\n",
        "</div>\n",
        "<!-- \n\n",
        "```x\n",
        "````x\n~~~\n```\n",
        "    a\nb\n",
        "a | `b\n",
        "|a|bcdefghij|\n\n",
        "|<code>",
        "x\n===\n",
        "- a\n\n",
        "^\n",
        "\"'",
        "--",
        "<<",
        "\u{a7}",
        "{:|}\n",
        "|{{",
        "{{ | }}",
        "{:`|`}\n",
        "{:a}\n",
    ];
    let half = |part: &str| part.repeat(size / 2 / part.len());
    let attributes = format!("{{:x:{}}}\n", ".a".repeat(200));
    let title = format!("{{:x: title=\"{}\" id=\"{}\"}}\n", "b".repeat(200), "c".repeat(200));
    let texts = [
        half(&attributes) + &half("{:x x x}\n"),
        half(&attributes) + &half("*a*{:x} "),
        half(&title) + &half("# a\n{:x x}\n"),
        format!("-{}1. a\n{}", half(" "), half("1. x\n")),
        format!("{}. 1. a\n{}", half("1"), half("1. x\n")),
        "p\n".to_owned() + &half("{:a}\n") + &half("{:a}\n"),
    ];
    let parts = parts.map(|part| (part, part.repeat(size / part.len())));
    let texts = texts.iter().map(|text| (&text[..30], text.clone()));
    for (part, text) in parts.into_iter().chain(texts) {
        let start = Instant::now();
        let html = to_html(&text);
        strip_tags(&text);
        to_text(&text);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(10), "{part:?} took {took:?}");
        assert!(html.len() < 64 * size, "{part:?} grew to {}", html.len());
    }
}

#[test]
fn nesting_is_survived() {
    for (begin, end) in
        [("**", "**"), ("[", "](x)"), ("![", "](x)"), ("*_", "_*"), ("> ", ""), ("- ", ""), ("<b>", "")]
    {
        let text = format!("{}a{}", begin.repeat(20_000), end.repeat(20_000));
        assert_harmless(&to_html(&text));
    }
}

fn assert_harmless(html: &str) {
    let lower = html.to_ascii_lowercase();
    assert!(!lower.contains("<script"), "{html}");
    let tree = Html::parse_fragment(html);
    let mut ids = HashSet::new();
    for element in tree.select(&Selector::parse("*").unwrap()) {
        let value = element.value();
        assert!(
            !matches!(value.name(), "script" | "style" | "iframe" | "form" | "object" | "embed" | "h1"),
            "{html}"
        );
        if value.name() == "img" {
            assert!(value.attr("alt").is_some() && value.attr("src").is_some(), "{html}");
        }
        for (key, content) in value.attrs() {
            assert!(!key.starts_with("on") && key != "style", "{html}");
            if matches!(key, "href" | "src") {
                let scheme = url::Url::parse(content).map(|url| url.scheme().to_owned());
                assert!(
                    scheme.is_err() || matches!(scheme.as_deref(), Ok("http" | "https" | "mailto")),
                    "{html}"
                );
            }
            if key == "id" {
                assert!(!content.starts_with('_') && ids.insert(content.to_owned()), "{html}");
            }
        }
    }
}

/// The HTML after a browser has parsed and serialized `html`, by the standard's rules for broken markup.
fn as_read(html: &str) -> String {
    Html::parse_fragment(html).root_element().inner_html()
}

const PIECES: &str = r#"(<|>|</|/>|"|'|=| |\n|&|;|#|\*|_|`|\[|\]|\(|\)|!|-|\||a|x|<b>|</b>|<p>|</p>|<div>|</div>|<a href=|<a name=|</a>|<img src=|<table>|</table>|<tr>|<td>|<th align=left>|<thead>|<caption>|<ul>|<ol>|<li>|</ul>|<h1>|</h1>|<h3>|<pre>|</pre>|<details>|<summary>|</summary>|</details>|<script>|</script>|<style>|<svg>|<math>|<!--|-->|javascript:|data:|onclick=|style=|&#106;|&Tab;|<br>|<hr>|<input type=checkbox>|<small>|<code>|<center>|<form>|<select>|<template>|<iframe src=//youtube.com/embed/abcdef>|</iframe>|<<|>>|#top|\x00|\u{e4})*"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn output_is_harmless_and_reads_as_written(markdown in PIECES) {
        let html = to_html(&markdown);
        assert_harmless(&html);
        prop_assert_eq!(as_read(&html), html);
        let inline = format!("<p>{}</p>", to_html_inline(&markdown, Addresses::new(&|_| None)));
        assert_harmless(&inline);
        prop_assert_eq!(as_read(&inline), inline);
        to_html_smart(&markdown);
        to_text(&markdown);
        prop_assert!(!strip_tags(&markdown).contains("<script>"));
    }

    #[test]
    fn any_text_is_survived(markdown in any::<String>()) {
        assert_harmless(&to_html(&markdown));
        to_html_smart(&markdown);
        to_text(&markdown);
        strip_tags(&markdown);
    }
}

#[test]
fn no_heading_is_more_than_one_level_below_the_one_before() {
    for (markdown, levels) in [
        ("# a\n# b", "22"),
        ("### a\n### b\n#### c\n### d", "2232"),
        ("# a\n##### b\n##### c\n## d\n### e", "23334"),
        ("## a\n# b\n## c", "223"),
        ("# a\n## b\n### c\n#### d\n##### e\n###### f", "234566"),
        ("> #### a\n\n- ###### b\n\n# c", "232"),
        ("<h5></h5>\n\n# a\n\n<h3>b</h3>", "23"),
    ] {
        let html = to_html(markdown);
        let found: String = html.split("<h").skip(1).filter_map(|rest| rest.chars().next()).collect();
        assert_eq!(found, levels, "{html}");
    }
}

#[test]
fn forbidden_characters_do_not_come_back_out_of_references() {
    for reference in
        ["&#x8;", "&#1;", "&#x1FFFE;", "&#xFDD0;", "&#x7f;", "&#xB;", "&#x85;", "&#xffff;", "&#x9F;"]
    {
        for text in [
            format!("a{reference}b"),
            format!("<div>a{reference}b</div>"),
            format!("`{reference}` <i title=\"{reference}\">x</i> <abbr title=\"a{reference}\">x</abbr>"),
            format!("[a](https://a.example/{reference} \"{reference}\") ![{reference}](/{reference})"),
            format!("# {reference}\n\n```\n{reference}\n```\n<pre>{reference}</pre>"),
        ] {
            for html in [to_html(&text), to_html_smart(&text), to_html_part(&text, Addresses::new(&|_| None))]
            {
                assert!(!html.contains(is_forbidden), "{text}: {html:?}");
                assert_eq!(as_read(&html), html, "{text}");
            }
        }
    }
}

#[test]
fn text_within_a_sentence_has_no_blocks() {
    for (markdown, expected) in [
        ("plain text", "plain text"),
        ("a *b* [c](/d)\ne", "a <em>b</em> <a href=\"/x/d\">c</a>\ne"),
        ("a\n\nb & <i>c</i>", "a b &amp; c"),
        ("- a\n- b", "a b"),
        ("# a < b", "a &lt; b"),
        ("<p>a</p><div>b</div><p>c</p>", "a b c"),
        ("<div>a", "a"),
        ("", ""),
    ] {
        assert_eq!(
            to_html_inline(markdown, Addresses::new(&|link| Some(format!("/x{link}")))),
            expected,
            "{markdown}"
        );
    }
}

#[test]
fn a_path_gets_the_base_path_once_whoever_wrote_it() {
    let another = |address: &str| address.starts_with('/').then(|| format!("/plugins{address}"));
    let addresses = Addresses { base_path: "/plugins", ..Addresses::new(&another) };
    for (markdown, expected) in [
        ("[x](/plugins/a/)", r#"<p><a href="/plugins/plugins/a/">x</a></p>"#),
        ("[x](\u{FDEF}/plugins/a/)", r#"<p><a href="/plugins/plugins/a/">x</a></p>"#),
        ("![](\u{FDEF}/ü.png)", r#"<p><img alt="" src="/plugins/%C3%BC.png"></p>"#),
        ("<img src='\u{FDEF}/a.png'>", r#"<p><img alt="" src="/plugins/a.png"></p>"#),
        ("[x](\u{FDEF}) [y](\u{FDEF}#z)", r#"<p><a href="/plugins/">x</a> <a href="/plugins/#z">y</a></p>"#),
        ("[x](\u{FDEF}//a.example/)", r#"<p><a href="/plugins/a.example/">x</a></p>"#),
        ("![](\u{FDEF}a.png)", r#"<p><img alt="" src="/plugins/a.png"></p>"#),
        ("[x](https://a.example\u{FDEF}/)", r#"<p><a href="https://a.example/plugins/">x</a></p>"#),
        ("`\u{FDEF}/a` and \u{FDEF}/b", "<p><code>/plugins/a</code> and /plugins/b</p>"),
    ] {
        assert_eq!(super::to_html(markdown, addresses).trim(), expected, "{markdown}");
    }
}

#[test]
fn blocks_begin_and_end_as_kramdown_has_it() {
    check(
        "<figure>\n<figcaption>a</figcaption>\n</figure>\n## b",
        "<div>\n<div>a</div>\n</div>\n<h2 id=\"b\">b</h2>",
    );
    check("<div>a</div> *b*", "<div>a</div>\n<p><em>b</em></p>");
    check("<br/>\n**a**", "<p><br>\n<strong>a</strong></p>");
    check(
        "1. a\n<img src=\"/b.png\">\n2. c",
        "<ol>\n<li>a\n<img alt=\"\" src=\"/b.png\"></li>\n<li>c</li>\n</ol>",
    );
    check("a\n<b@c.example> *d*", "<p>a\n<a href=\"mailto:b@c.example\">b@c.example</a> <em>d</em></p>");
    check("1) a\n2) b", "<p>1) a\n2) b</p>");
    check(
        "`a`\n: b\n: *c*",
        "<dl>\n<dt>\n<code>a</code>\n</dt>\n<dd>\nb\n</dd>\n<dd>\n<em>c</em>\n</dd>\n</dl>",
    );
    check("a\n\n: b\n\n  c", "<dl>\n<dt>\na\n</dt>\n<dd>\n<p>b</p>\n<p>c</p>\n</dd>\n</dl>");
    let one = to_html("\na\n: b\n\nc\n: d\n\n- e\n  : f\n- g\n  : h\n");
    assert_eq!((one.matches("<dl>").count(), one.matches("<dt>").count()), (3, 4), "{one}");
    check("<dl>a<dd>b</dl>", "<div><div>a</div><div>b</div></div>");
    let table = to_html("a | b\nc | d\n{:.table}");
    assert!(!table.contains("<th") && table.matches("<td>").count() == 4 && !table.contains("{:"), "{table}");
}

#[test]
fn pipes_in_what_looks_like_a_shortcode_make_no_table() {
    check("a {{ b | c }} d", "<p>a {{ b | c }} d</p>");
    check("{% b | c %}{{d|e}}", "<p>{% b | c %}{{d|e}}</p>");
    for (row, cells) in [("{{ b | c }} | d", 2), ("{{ b | c", 2), ("{{ b }} | {{ c | {% d %}", 3)] {
        assert_eq!(to_html(row).matches("<td>").count(), cells, "{row}");
    }
    assert!(to_html("{{ b | c }} | d").contains("<td>{{ b | c }}</td>"));
}

#[test]
fn attributes_live_where_they_may() {
    check("[a](/b){:target=\"_blank\" title=\"c\"}", "<p><a href=\"/b\" title=\"c\">a</a></p>");
    check("![a](/b){: width=\"50\" .c}", "<p><img alt=\"a\" src=\"/b\" width=\"50\"></p>");
    check("a\n{:align=\"right\" onclick=\"x\" style=\"y\" #z}", "<p class=\"align-right\" id=\"z\">a</p>");
    check("{:#b .c}\n## a", "<h2 id=\"b\">a</h2>");
    check("## a {#b}\n[c](#b)", "<h2 id=\"b\">a</h2>\n<p><a href=\"#b\">c</a></p>");
    check("a {:.b}", "<p>a {:.b}</p>");
    check("`*a*{:.b}`", "<p><code>*a*{:.b}</code></p>");
    check("`a`&#xFDD0;0&#xFDD1;{:.b}", "<p><code>a</code>{:.b}</p>");
}

#[test]
fn ids_are_those_of_kramdown_and_never_those_of_pages() {
    for (markdown, ids) in [
        ("## Set up!\n## Set up\n## Set  up", &["set-up", "set-up-1", "set--up"][..]),
        ("## \u{c9}t\u{e9} *50%* `x_y`", &["\u{e9}t\u{e9}-50-x_y"]),
        ("<h2>a</h2>\n## a\n<a name=a></a>", &["a-2", "a", "a-1"]),
        ("## _x\n## body _x\n## body-_x", &["body-_x", "body-_x-1", "body-_x-2"]),
        ("## ?", &["part"]),
    ] {
        let html = to_html(markdown);
        let found: Vec<_> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(found, ids, "{markdown}");
    }
    check("[a](#%C3%BC)\n## \u{fc}", "<p><a href=\"#\u{fc}\">a</a></p>\n<h2 id=\"\u{fc}\">\u{fc}</h2>");
}

#[test]
fn a_body_gives_way_to_the_page_around_it() {
    let body = to_html("## a\n## b\n[x](#a \" id=&quot;a&quot;\") `<i id=\"a\">`");
    let page = |around: &str| format!("<main{around}>{body}</main>");
    assert_eq!(apart(&page(" id=main"), &body), None);
    let other = apart(&page(" id='a'"), &body).unwrap();
    assert_eq!(other, body.replacen("id=\"a\"", "id=\"body-a\"", 1).replace("\"#a\"", "\"#body-a\""));
    let other = apart(&page(" id='a'><i id=body-a></i"), &body).unwrap();
    assert!(other.contains("<h2 id=\"body-a-1\">") && other.contains("<h2 id=\"b\">"), "{other}");
}

#[test]
fn a_body_gives_way_to_the_same_page_in_the_same_way() {
    let body = to_html("<p id=x>a</p>\n<p id=x-1>b</p>\n<p id=body-x>c</p>");
    let page = format!("<i id=x></i><i id=x-1></i>{body}");
    let expected = body.replace("\"x\"", "\"body-x-1\"").replace("\"x-1\"", "\"body-x-1-1\"");
    for _ in 0..50 {
        assert_eq!(apart(&page, &body).as_ref(), Some(&expected));
    }
}

const LINES: &str = r#"( {0,5}(a|\*|-|1\.|2\)|:|>|#|##|```|~~~|<div>|</div>|<br>|<p>|<!--|-->|\{:\.a\}|\{:#b\}|\{::comment\}|\{:/\}|\[\^1\]:|\[a\]:|\|b|---|===|\^|\*\[a\]:|<div markdown=1>|\\|\{:\|\}|\{\{ a \| b \}\})( a| \*b\*| \[a\]\(b c\)|\{:\.a\}|`c|"|'|\.\.\.|--| \||)?\n{1,2})*"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_blocks_are_survived(markdown in LINES) {
        let html = to_html(&markdown);
        assert_harmless(&html);
        prop_assert_eq!(as_read(&html), html);
    }

    #[test]
    fn code_is_left_alone(code in r#"([a-z{}:.#<>*_"'|\\!\[\]()&~-]| |\n)*x"#, begin in r"(a\n|- |> |1\. |)") {
        let indented = |fence: &str| {
            let indent = if begin.ends_with('\n') { 0 } else { begin.len() };
            let others = if begin == "> " { "> ".to_owned() } else { " ".repeat(indent) };
            let lines = format!("{fence}\n{code}\n{fence}");
            format!("{begin}{}", lines.replace('\n', &format!("\n{others}")))
        };
        let html = to_html(&indented("`````"));
        let tree = Html::parse_fragment(&html);
        let found: Vec<String> = tree.select(&Selector::parse("pre > code").unwrap()).map(|e| e.text().collect()).collect();
        let found: Vec<&str> = found.iter().map(|code| code.trim_start_matches('\n')).collect();
        prop_assert_eq!(found, [format!("{}\n", code.trim_start_matches('\n'))]);
    }
}
