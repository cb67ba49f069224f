//! The templates of a site, compiled, with everything they may call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};
use serde::Serialize;

use super::address::{self, Local};
use super::{filters, pictures, shared};
use crate::config::Settings;
use crate::markdown::{self, Addresses, is_forbidden};
use crate::problem::Problem;

/// One template's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name by which templates include each other, such as `plugin.html`.
    pub name: Arc<str>,
    /// The path to name in a problem.
    pub path: String,
    /// The text.
    pub text: Arc<str>,
}

/// A site's templates.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    sources: Vec<Source>,
}

/// What every page says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The page's title, without the site's.
    pub title: String,
    /// The path from the site's root, without the base path.
    pub path: String,
    /// The absolute address.
    pub url: String,
    /// One sentence about the page, for search engines.
    pub description: String,
    /// Where pictures may come from beside the site itself, as a Content-Security-Policy has it.
    pub pictures_from: Vec<String>,
}

/// Where the navigation leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// The path from the site's root, without the base path.
    pub path: String,
    /// What it is called.
    pub title: String,
}

impl Templates {
    /// Compiles templates. `assets` maps each asset's name to its published path below the root; `navigation` is what
    /// stands in it beside the pages that each site has.
    ///
    /// # Errors
    ///
    /// Every template that does not compile, with the place.
    pub fn compile(
        sources: Vec<Source>,
        settings: &Settings,
        assets: BTreeMap<String, String>,
        navigation: &[Destination],
    ) -> Result<Self, Vec<Problem>> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_auto_escape_callback(|name| {
            if has_markup(name) { AutoEscape::Html } else { AutoEscape::None }
        });
        environment.set_debug(true);
        environment.set_formatter(format);
        filters::add(&mut environment);
        shared::add(&mut environment);
        let mut problems = Vec::new();
        for source in &sources {
            let added = environment.add_template_owned(source.name.to_string(), source.text.to_string());
            if let Err(error) = added {
                problems.push(problem(&error, source));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        environment.add_global("site", site(settings, navigation));
        let of_local = settings.clone();
        environment
            .add_function("url", move |path: &Value| local(&of_local, path).map(|local| local.value()));
        let of_absolute = settings.clone();
        environment.add_function("absolute_url", move |path: &Value| {
            local(&of_absolute, path).map(|local| local.absolute(&of_absolute))
        });
        let of_inline = settings.clone();
        environment.add_filter("inline", move |text: &str| Value::from_safe_string(inline(&of_inline, text)));
        let of_assets = settings.clone();
        environment.add_function("asset", move |name: &str| match assets.get(name) {
            Some(path) => Ok(Local::of(&of_assets, path).value()),
            None => Err(Error::new(ErrorKind::InvalidOperation, format!("there is no asset `{name}`"))),
        });
        Ok(Self { environment, sources })
    }

    /// Renders the template `name`.
    ///
    /// # Errors
    ///
    /// Where and why the template fails.
    pub fn render(&self, name: &str, context: Value) -> Result<String, Problem> {
        let rendered = self.environment.get_template(name).and_then(|template| template.render(context));
        rendered
            .map(|mut text| {
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text
            })
            .map_err(|error| {
                // Where one template includes another, the innermost place is the one to mend.
                let mut innermost = &error;
                while let Some(inner) =
                    std::error::Error::source(innermost).and_then(|e| e.downcast_ref::<Error>())
                {
                    innermost = inner;
                }
                let place = innermost.name().unwrap_or(name);
                let fallback =
                    || Source { name: name.into(), path: format!("templates/{name}"), text: "".into() };
                let source = self.sources.iter().find(|source| &*source.name == place);
                problem(innermost, &source.cloned().unwrap_or_else(fallback))
            })
    }
}

/// The address on pages that a template gives: a path from the site's root, or what `url`, `asset` or a member gave.
fn local(settings: &Settings, path: &Value) -> Result<Local, Error> {
    if let Some(local) = path.downcast_object_ref::<Local>() {
        return Ok(local.clone());
    }
    let path = path.as_str().ok_or_else(|| {
        Error::new(ErrorKind::InvalidOperation, format!("expected a path, found {}", path.kind()))
    })?;
    Ok(Local::of(settings, path))
}

/// Whether a template with this name makes HTML or XML.
pub fn has_markup(name: &str) -> bool {
    [".html", ".xml", ".atom"].iter().any(|extension| name.ends_with(extension))
}

/// For each template, itself and all that it can include, in the order of names.
///
/// A template that is mentioned anywhere in another's text counts as included by it. One whose tag has anything
/// but a plain name could include any.
pub fn dependencies(sources: &[Source]) -> BTreeMap<&Arc<str>, Vec<&Source>> {
    let quoted: Vec<[String; 2]> =
        sources.iter().map(|it| [format!("\"{}\"", it.name), format!("'{}'", it.name)]).collect();
    let included: Vec<Vec<usize>> = sources
        .iter()
        .map(|from| {
            let any = includes_by_value(&from.text);
            let mentions = |to: &usize| any || quoted[*to].iter().any(|name| from.text.contains(name));
            (0..sources.len()).filter(mentions).collect()
        })
        .collect();
    let mut all = BTreeMap::new();
    for (first, source) in sources.iter().enumerate() {
        let mut reached = BTreeSet::from([first]);
        let mut pending = vec![first];
        while let Some(from) = pending.pop() {
            pending.extend(included[from].iter().filter(|to| reached.insert(**to)));
        }
        let mut reached: Vec<&Source> = reached.into_iter().map(|at| &sources[at]).collect();
        reached.sort_by(|a, b| a.name.cmp(&b.name));
        all.insert(&source.name, reached);
    }
    all
}

/// Whether a tag that names a template does so by anything but a quoted name.
fn includes_by_value(text: &str) -> bool {
    text.split("{%").skip(1).any(|tag| {
        let tag = tag.trim_start_matches(['-', '+', ' ', '\t', '\r', '\n']);
        ["include", "extends", "import", "from"].iter().any(|keyword| {
            tag.strip_prefix(keyword).is_some_and(|rest| {
                let name = rest.trim_start();
                let end = name.find("%}").unwrap_or(name.len());
                name.len() < rest.len() && (!name.starts_with(['"', '\'']) || name[..end].contains('~'))
            })
        })
    })
}

/// Writes a value. In HTML and XML exactly the characters that mean something there are escaped; the engine's
/// own formatter also escapes `/`, which makes every address longer and unreadable. Characters that neither has a
/// place for are left out, since facts may hold any.
fn format(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = value.as_str().or_else(|| value.downcast_object_ref().map(Local::as_str));
    let Some(text) = text.filter(|_| *state.auto_escape() == AutoEscape::Html) else {
        return minijinja::escape_formatter(out, state, value);
    };
    let escapes = !value.is_safe();
    let special = |c: char| (escapes && matches!(c, '&' | '<' | '>' | '"' | '\'')) || is_forbidden(c);
    // Most texts have nothing of that kind, which bytes tell faster than characters.
    let is_plain =
        |byte: u8| matches!(byte, b' '..=b'~' | b'\n') && !matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'');
    let is_harmless = |byte: u8| matches!(byte, b' '..=b'~' | b'\n');
    if text.bytes().all(if escapes { is_plain } else { is_harmless }) {
        return Ok(out.write_str(text)?);
    }
    let mut rest = text;
    while let Some((at, c)) = rest.char_indices().find(|&(_, c)| special(c)) {
        out.write_str(&rest[..at])?;
        out.write_str(match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            _ => "",
        })?;
        rest = &rest[at + c.len_utf8()..];
    }
    Ok(out.write_str(rest)?)
}

fn problem(error: &Error, source: &Source) -> Problem {
    let line = error.line().unwrap_or(1);
    let start: usize = source.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let end = source.text[start..].find('\n').map_or(source.text.len(), |length| start + length);
    let span = error.range().filter(|range| range.end <= source.text.len()).unwrap_or(start..end);
    let detail =
        error.detail().map_or_else(|| error.kind().to_string(), |d| format!("{}: {d}", error.kind()));
    Problem::new(&source.path, &source.text, span, detail)
        .help("docs/templates.md lists what templates can use")
}

fn site(settings: &Settings, navigation: &[Destination]) -> Value {
    minijinja::context! {
        title => settings.title.as_str(),
        description => settings.description.as_str(),
        url => settings.url.as_str(),
        base_path => settings.base_path.as_str(),
        repository => settings.repository.as_deref(),
        entries_path => settings.entries_path.as_str(),
        api => settings.api,
        badges => settings.badges,
        logo => settings.theme.logo.as_str(),
        logo_width => settings.theme.logo_width,
        texts => Value::from(Serde(&settings.theme.texts)),
        links => Value::from(Serde(&settings.theme.links)),
        navigation => Value::from(Serde(navigation)),
    }
}

/// The HTML of a text that stands within a sentence, which is what the filter `inline` gives.
pub fn inline(settings: &Settings, text: &str) -> String {
    let another = |link: &str| address::based(&settings.base_path, link);
    let picture = |address: &str| pictures::becomes(settings, &[], address);
    markdown::to_html_inline(text, Addresses { picture: &picture, ..Addresses::new(&another) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn included(sources: &[(&str, &str)], of: &str) -> Vec<String> {
        let sources: Vec<Source> = sources
            .iter()
            .map(|(name, text)| Source { name: (*name).into(), path: String::new(), text: (*text).into() })
            .collect();
        let all = dependencies(&sources);
        all.into_iter()
            .find(|(name, _)| &***name == of)
            .map(|(_, found)| found.iter().map(|source| source.name.to_string()).collect())
            .unwrap_or_default()
    }

    #[test]
    fn a_template_depends_on_all_that_it_can_include() {
        let sources = [
            ("base.html", "{%- import 'macros.html' as m -%}"),
            ("macros.html", ""),
            ("page.html", "{% extends \"base.html\" %}"),
            ("other.html", ""),
            ("any.html", "{% include page.layout %}"),
        ];
        assert_eq!(included(&sources, "page.html"), ["base.html", "macros.html", "page.html"]);
        assert_eq!(included(&sources, "other.html"), ["other.html"]);
        assert_eq!(included(&sources, "any.html").len(), sources.len());
    }

    #[test]
    fn html_is_escaped_where_it_means_something() {
        let source = |name: &str| Source {
            name: name.into(),
            path: name.to_owned(),
            text: "{{ text }} {{ text | safe }}".into(),
        };
        let settings = crate::config::Settings::default();
        let sources = vec![source("a.html"), source("a.txt")];
        let templates = Templates::compile(sources, &settings, BTreeMap::new(), &[]).unwrap();
        let context = || minijinja::context! { text => "<a href='/x'>\u{7}&\u{FFFE}\"\u{85}" };
        let raw = "<a href='/x'>&\"";
        assert_eq!(
            templates.render("a.html", context()).unwrap(),
            format!("&lt;a href=&#39;/x&#39;&gt;&amp;&quot; {raw}\n")
        );
        let written = "<a href='/x'>\u{7}&\u{FFFE}\"\u{85}";
        assert_eq!(templates.render("a.txt", context()).unwrap(), format!("{written} {written}\n"));
    }

    #[test]
    fn what_pages_share_depends_on_here_alone() {
        let source = |name: &str, text: &str| Source {
            name: name.into(),
            path: format!("templates/{name}"),
            text: text.into(),
        };
        let sources = vec![
            source("a.html", "{{ shared('b.html', at) }} {{ shared('b.html', at) }} {{ shared('b.html') }}"),
            source("b.html", "<b>{{ here or site.title }}</b>"),
            source("c.html", "{{ shared('d.html') }}"),
            source("d.html", "\n{{ at }}"),
        ];
        let templates = Templates::compile(sources, &Settings::default(), BTreeMap::new(), &[]).unwrap();
        let title = Settings::default().title;
        for at in ["<", "x", "<"] {
            let expected = if at == "<" { "&lt;" } else { at };
            assert_eq!(
                templates.render("a.html", minijinja::context! { at }).unwrap(),
                format!("<b>{expected}</b> <b>{expected}</b> <b>{title}</b>\n")
            );
        }
        let problem = templates.render("c.html", minijinja::context! { at => "x" }).unwrap_err();
        assert_eq!((problem.path(), problem.line_column().0), ("templates/d.html", 2), "{problem}");
    }
}
