//! The compiled templates of a site, with the functions and filters they can use.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Enumerator, Object, Serde};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};
use serde::Serialize;

use super::address::{self, Local};
use super::reads::{self, Navigation};
use super::{escape, filters, pictures, shared};
use crate::config::{Listener, Settings, View};
use crate::markdown::{self, Addresses};
use crate::problem::Problem;
use crate::trace::Input;

/// The source of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name by which templates include it, such as `plugin.html`.
    pub name: Arc<str>,
    /// The path shown in error messages.
    pub path: String,
    /// The text.
    pub text: Arc<str>,
}

/// The templates of a site.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    sources: Vec<Source>,
    /// The navigation of the page that was rendered last; most builds have only one.
    navigation: Mutex<Option<Arc<Navigation>>>,
}

/// The metadata of a page.
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
    /// Hosts from which the page may load pictures, as sources of a Content-Security-Policy.
    pub pictures_from: Vec<String>,
}

/// A navigation entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// The path from the site's root, without the base path.
    pub path: String,
    /// The label.
    pub title: String,
}

impl Templates {
    /// Compiles templates. `assets` maps each asset's name to its published path below the root.
    ///
    /// # Errors
    ///
    /// Every template that does not compile, with the place.
    pub fn compile(
        sources: Vec<Source>,
        settings: &Settings,
        assets: BTreeMap<Arc<str>, Arc<str>>,
    ) -> Result<Self, Vec<Problem>> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_auto_escape_callback(|name| {
            if has_markup(name) { AutoEscape::Html } else { AutoEscape::None }
        });
        environment.set_debug(true);
        environment.set_formatter(format);
        // Its output differs between builds.
        environment.remove_global("debug");
        // The engine calls this whenever a template refers to another one.
        environment.set_path_join_callback(|name, _| {
            reads::note(Input::Template(name.into()));
            Cow::Borrowed(name)
        });
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
        let settings = Arc::new(settings.clone());
        environment.add_global("site", Value::from_object(Site(Arc::clone(&settings))));
        let of_local = Arc::clone(&settings);
        environment
            .add_function("url", move |path: &Value| local(told(&of_local), path).map(|local| local.value()));
        let of_absolute = Arc::clone(&settings);
        environment.add_function("absolute_url", move |path: &Value| {
            local(told(&of_absolute), path).map(|local| local.absolute(told(&of_absolute)))
        });
        let of_inline = Arc::clone(&settings);
        environment
            .add_filter("inline", move |text: &str| Value::from_safe_string(inline(told(&of_inline), text)));
        environment.add_function("asset", move |name: &str| match assets.get_key_value(name) {
            Some((name, path)) => {
                reads::note(Input::Asset(Arc::clone(name)));
                Ok(Local::of(told(&settings), path).value())
            }
            None => {
                reads::note(Input::Asset(name.into()));
                Err(Error::new(ErrorKind::InvalidOperation, format!("unknown asset `{name}`")))
            }
        });
        Ok(Self { environment, sources, navigation: Mutex::default() })
    }

    /// Renders the template `name` with the site's navigation entries. Also returns the reads, in order and each once,
    /// even if rendering fails.
    ///
    /// # Errors
    ///
    /// Where and why the template fails.
    pub fn render(
        &self,
        name: &str,
        context: Value,
        navigation: &[Destination],
    ) -> (Result<String, Problem>, Arc<[Input]>) {
        reads::recorded_with(self.navigation(navigation), || {
            reads::note(Input::Template(name.into()));
            self.render_unrecorded(name, context)
        })
    }

    fn navigation(&self, entries: &[Destination]) -> Arc<Navigation> {
        let mut last = self.navigation.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(last) if last.entries == entries => Arc::clone(last),
            _ => Arc::clone(last.insert(Arc::new(Navigation::of(entries)))),
        }
    }

    fn render_unrecorded(&self, name: &str, context: Value) -> Result<String, Problem> {
        let rendered = self.environment.get_template(name).and_then(|template| template.render(context));
        rendered
            .map(|mut text| {
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text
            })
            .map_err(|error| {
                // If templates include each other, report the innermost error.
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

/// Returns the address that a template passes: a path from the site's root, or the result of `url`, `asset` or a
/// member.
fn local(settings: View<'_>, path: &Value) -> Result<Local, Error> {
    if let Some(local) = path.downcast_object_ref::<Local>() {
        return Ok(local.clone());
    }
    let path = path.as_str().ok_or_else(|| {
        Error::new(ErrorKind::InvalidOperation, format!("expected a path, found {}", path.kind()))
    })?;
    Ok(Local::of(settings, path))
}

/// Returns whether a template with this name produces HTML or XML.
pub fn has_markup(name: &str) -> bool {
    [".html", ".xml", ".atom"].iter().any(|extension| name.ends_with(extension))
}

/// Writes a value. In HTML and XML, it is escaped by [`escape::escaped`]; the engine's own formatter also escapes `/`, which makes
/// addresses longer and hard to read.
fn format(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = value.as_str().or_else(|| value.downcast_object_ref().map(Local::as_str));
    let Some(text) = text.filter(|_| *state.auto_escape() == AutoEscape::Html) else {
        return minijinja::escape_formatter(out, state, value);
    };
    let written =
        if value.is_safe() { escape::without_forbidden(text, out) } else { escape::escaped(text, out) };
    Ok(written?)
}

fn problem(error: &Error, source: &Source) -> Problem {
    let line = error.line().unwrap_or(1);
    let start: usize = source.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let end = source.text[start..].find('\n').map_or(source.text.len(), |length| start + length);
    let span = error.range().filter(|range| range.end <= source.text.len()).unwrap_or(start..end);
    let detail =
        error.detail().map_or_else(|| error.kind().to_string(), |d| format!("{}: {d}", error.kind()));
    Problem::new(&source.path, &source.text, span, detail)
        .help("see docs/templates.md for what templates can use")
}

/// Records reads of settings for the page that is being rendered.
struct OfPage;

impl Listener for OfPage {
    fn read(&self, key: &'static str) {
        reads::setting(key);
    }
}

/// Returns a view of the settings that records reads for the page that is being rendered.
fn told(settings: &Settings) -> View<'_> {
    View::new(settings, &OfPage)
}

/// The object `site` in templates. A member is in [`SITE`] as well, and in `docs/templates.md`.
#[derive(Debug)]
struct Site(Arc<Settings>);

/// The members of [`Site`].
const SITE: [&str; 13] = [
    "title",
    "description",
    "url",
    "base_path",
    "repository",
    "entries_path",
    "api",
    "badges",
    "logo",
    "logo_width",
    "texts",
    "links",
    "navigation",
];

impl Object for Site {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let settings = told(&self.0);
        let of_theme = |key| {
            reads::setting(key);
            &self.0.theme
        };
        Some(match key {
            "title" => settings.title().into(),
            "description" => settings.description().into(),
            "url" => settings.url().into(),
            "base_path" => settings.base_path().into(),
            "repository" => settings.repository().into(),
            "entries_path" => settings.entries_path().into(),
            "api" => settings.api().into(),
            "badges" => settings.badges().into(),
            "logo" => of_theme("theme.logo").logo.as_str().into(),
            "logo_width" => of_theme("theme.logo_width").logo_width.into(),
            "texts" => Value::from_object(Texts(Arc::clone(&self.0))),
            "links" => Value::from(Serde(&of_theme("theme.links").links)),
            "navigation" => {
                reads::note(Input::Navigation);
                reads::navigation()?.value.clone()
            }
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&SITE)
    }
}

/// The object `site.texts` in templates. Each text is recorded as a separate setting, because most pages use only one
/// or two.
#[derive(Debug)]
struct Texts(Arc<Settings>);

impl Object for Texts {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let (_, setting, text) = self.0.theme.texts.all().into_iter().find(|(name, ..)| *name == key)?;
        reads::setting(setting);
        Some(text.into())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.theme.texts.all().map(|(name, ..)| name.into()).into())
    }
}

/// Converts Markdown within a sentence to HTML. This is the filter `inline`.
pub fn inline(settings: View<'_>, text: &str) -> String {
    let another = |link: &str| address::based(settings.base_path(), link);
    let picture = |address: &str| pictures::becomes(settings, &[], address);
    markdown::to_html_inline(text, Addresses { picture: &picture, ..Addresses::new(&another) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn templates(sources: &[(&str, &str)]) -> Templates {
        let source = |(name, text): &(&str, &str)| Source {
            name: (*name).into(),
            path: format!("templates/{name}"),
            text: (*text).into(),
        };
        let sources = sources.iter().map(source).collect();
        let assets = BTreeMap::from([("a.css".into(), "/assets/a.1.css".into())]);
        Templates::compile(sources, &Settings::default(), assets).unwrap()
    }

    fn render(templates: &Templates, name: &str, context: Value) -> String {
        templates.render(name, context, &[]).0.unwrap()
    }

    fn reads(templates: &Templates, name: &str, context: Value) -> Vec<String> {
        let reads = templates.render(name, context, &[]).1;
        reads.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_template_reads_is_what_it_reads_and_not_what_it_mentions() {
        let templates = templates(&[
            ("base.html", "{{ site.title }}{% block main %}{% endblock %}"),
            ("macros.html", "{% macro m() %}{{ asset('a.css') }}{% endmacro %}"),
            ("page.html", "{% extends 'ba' ~ 'se.html' %}{% block main %}{{ m() }}{% endblock %}"),
            (
                "calls.html",
                "{% from 'MACROS.HTML' | lower import m %}{{ m() }}{{ shared('pa' ~ 'rt.html', 1) }}",
            ),
            ("part.html", "{{ site.navigation | length }}{{ url('/') }}"),
            ("never.html", "{% if false %}{% include 'part.html' %}{{ site.url }}{% endif %}"),
            (
                "missing.html",
                "{% include ['not.html', 'never.html'] %}{% include 'no.html' ignore missing %}",
            ),
            ("all.html", "{{ site }}"),
            ("texts.html", "{{ site.texts.footer }}{% if false %}{{ site.texts.heading }}{% endif %}"),
        ]);
        let of =
            |name: &str| reads(&templates, name, minijinja::context! { m => Value::from_function(|| 1) });
        assert_eq!(of("page.html"), ["setting title", "template base.html", "template page.html"]);
        let expected = [
            "setting base_path",
            "template calls.html",
            "template macros.html",
            "template part.html",
            "address of a.css",
            "navigation",
        ];
        // The second time, the shared result is reused.
        assert_eq!(
            (of("calls.html"), of("calls.html")),
            (expected.map(String::from).into(), expected.map(String::from).into())
        );
        assert_eq!(of("never.html"), ["template never.html"]);
        let expected = ["missing.html", "never.html", "no.html", "not.html"];
        assert_eq!(of("missing.html"), expected.map(|name| format!("template {name}")));
        // Each text is a separate setting.
        assert_eq!(of("all.html").len(), SITE.len() + Settings::default().theme.texts.all().len());
        assert_eq!(of("texts.html"), ["setting theme.texts.footer", "template texts.html"]);
    }

    #[test]
    fn values_that_compare_equal_are_not_the_same() {
        let templates = templates(&[("one.html", "{{ shared('b.html', here) }}"), ("b.html", "{{ here }}")]);
        let safe = Value::from_safe_string("<i>".to_owned());
        let values = [
            1.into(),
            true.into(),
            1.0.into(),
            "1".into(),
            "<i>".into(),
            safe,
            vec![1].into(),
            vec![true].into(),
        ];
        let shown = |here: &Value| render(&templates, "one.html", minijinja::context! { here });
        let expected = ["1\n", "True\n", "1.0\n", "1\n", "&lt;i&gt;\n", "<i>\n", "[1]\n", "[True]\n"];
        for _ in 0..2 {
            assert_eq!(values.iter().map(shown).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn nothing_shows_the_state_of_the_engine() {
        let templates = templates(&[("a.html", "\n{{ debug() }}")]);
        let problem = templates.render("a.html", Value::from(()), &[]).0.unwrap_err();
        assert_eq!((problem.path(), problem.line_column().0), ("templates/a.html", 2), "{problem}");
    }

    #[test]
    fn html_is_escaped_where_it_means_something() {
        let text = "{{ text }} {{ text | safe }}";
        let templates = templates(&[("a.html", text), ("a.txt", text)]);
        let context = || minijinja::context! { text => "<a href='/x'>\u{7}&\u{FFFE}\"\u{85}" };
        let raw = "<a href='/x'>&\"";
        assert_eq!(
            render(&templates, "a.html", context()),
            format!("&lt;a href=&#39;/x&#39;&gt;&amp;&quot; {raw}\n")
        );
        let written = "<a href='/x'>\u{7}&\u{FFFE}\"\u{85}";
        assert_eq!(render(&templates, "a.txt", context()), format!("{written} {written}\n"));
    }

    #[test]
    fn what_pages_share_depends_on_here_alone() {
        let templates = templates(&[
            ("a.html", "{{ shared('b.html', at) }} {{ shared('b.html', at) }} {{ shared('b.html') }}"),
            ("b.html", "<b>{{ here or site.title }}</b>"),
            ("c.html", "{{ shared('d.html') }}"),
            ("d.html", "\n{{ at }}"),
        ]);
        let title = Settings::default().title;
        for at in ["<", "x", "<"] {
            let expected = if at == "<" { "&lt;" } else { at };
            assert_eq!(
                render(&templates, "a.html", minijinja::context! { at }),
                format!("<b>{expected}</b> <b>{expected}</b> <b>{title}</b>\n")
            );
        }
        let problem = templates.render("c.html", minijinja::context! { at => "x" }, &[]).0.unwrap_err();
        assert_eq!((problem.path(), problem.line_column().0), ("templates/d.html", 2), "{problem}");
    }
}
