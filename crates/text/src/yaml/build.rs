//! Builds a tree from the parser's events, iteratively and within limits.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::lenient::Source;
use super::text::{describe_forbidden, is_forbidden};
use super::tree::{Child, Content, Scalar, Stored, StoredField, Tag, Tree, is_bracket, quote};
use super::{Bytes, MAX_PROBLEMS, Text, YamlLimits};
use crate::problem::Problem;
use crate::rule::Rule;
use crate::warning::Warning;

/// Why a tree could not be built.
pub(super) enum Failure {
    Problem(Problem),
    /// The parser stopped at a syntax error.
    Syntax(ScanError, Progress),
}

/// How far the parser came before it stopped. All positions are bytes of the file.
pub(super) struct Progress {
    /// The start of the innermost list or mapping that is still open.
    pub(super) open: Option<usize>,
    /// The start of the innermost `[` or `{` that is still open.
    pub(super) bracket: Option<usize>,
    /// The end of what was read; the text that the parser stopped at begins after it.
    pub(super) read: usize,
}

/// Builds the tree of `source`, which is part of `text`.
pub(super) fn build(text: &Text, source: &Source, limits: YamlLimits) -> Result<Tree, Failure> {
    let mut builder = Builder {
        text,
        source,
        limits,
        values: Vec::new(),
        open: Vec::new(),
        root: None,
        overridden: Vec::new(),
        anchors: HashMap::new(),
        expanded: (0, 0),
        documents: 0,
        warnings: Vec::new(),
    };
    let mut read = source.start();
    let mut parser = Parser::new_from_str(source.as_str());
    while let Some(event) = parser.next_event() {
        match event {
            // YAML 1.1 readers stop here as well when they are asked for a single document.
            Ok((Event::DocumentStart(_), span)) if builder.documents > 0 => {
                builder.second_document(source.range(span));
                break;
            }
            Ok((event, span)) => {
                read = read.max(source.range(span).end);
                builder.take(event, span).map_err(Failure::Problem)?;
            }
            Err(error) => {
                let open = builder.open.last().map(|frame| frame.start);
                let mut begun = builder.open.iter().rev().map(|frame| frame.start);
                let bracket = begun.find(|start| is_bracket(text, Some(*start)));
                return Err(Failure::Syntax(error, Progress { open, bracket, read }));
            }
        }
    }
    let Builder { values, root, overridden, warnings, .. } = builder;
    Ok(Tree { values, root, overridden, warnings })
}

enum Open {
    Sequence(Vec<Child>),
    Mapping {
        fields: Vec<StoredField>,
        /// For each key the start of its last occurrence, and its index in `fields`.
        seen: HashMap<String, (usize, usize)>,
        key: Option<(String, Range<usize>)>,
    },
}

struct Frame {
    content: Open,
    start: usize,
    anchor: usize,
}

struct Builder<'a> {
    text: &'a Text,
    source: &'a Source,
    limits: YamlLimits,
    values: Vec<Stored>,
    open: Vec<Frame>,
    root: Option<Child>,
    overridden: Vec<StoredField>,
    anchors: HashMap<usize, usize>,
    /// The number of values and of bytes of text that aliases have expanded to so far.
    expanded: (usize, usize),
    documents: usize,
    warnings: Vec<Warning>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let range = self.source.range(span);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                Ok(())
            }
            Event::Scalar(mut text, style, anchor, tag) => {
                // libyaml doesn't add a line end to a block scalar that the file ends without one.
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                if is_block && range.end >= self.source.end() && self.source.is_cut_off() {
                    let whole = text.strip_suffix('\n').map(str::to_owned);
                    text = whole.map_or(text, Into::into);
                }
                let tag = tag.and_then(|tag| self.scalar_tag(&tag, &range));
                self.scalar(text.into_owned(), style, tag, anchor, range);
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", &range);
                self.begin(Open::Sequence(Vec::new()), anchor, range)
            }
            Event::MappingStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", &range);
                let content = Open::Mapping { fields: Vec::new(), seen: HashMap::new(), key: None };
                self.begin(content, anchor, range)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.end(range.end);
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, range),
        }
    }

    fn warn(&mut self, rule: Rule, problem: &Problem) {
        if self.warnings.len() < MAX_PROBLEMS {
            self.warnings.push(Warning::at(rule, problem));
        }
    }

    fn second_document(&mut self, range: Range<usize>) {
        let problem = self.text.problem(range, "found a second YAML document; only the first one is read");
        self.warn(
            Rule::BadType,
            &problem.help("delete the `---` line between them: a file holds one document"),
        );
    }

    /// The type that a tag gives to a single value. Tags of other types are ignored, because values are plain data.
    fn scalar_tag(&mut self, tag: &saphyr_parser::Tag, range: &Range<usize>) -> Option<Tag> {
        match (tag.is_yaml_core_schema(), tag.suffix.as_str()) {
            (true, "str") => Some(Tag::Text),
            (true, "null" | "bool" | "int" | "float" | "timestamp") => Some(Tag::Plain),
            (false, "!") if tag.handle.is_empty() => Some(Tag::Text),
            (false, "") if tag.handle == "!" => Some(Tag::Text),
            _ => {
                self.ignore_tag(tag, range);
                None
            }
        }
    }

    fn collection_tag(&mut self, tag: Option<&saphyr_parser::Tag>, own: &str, range: &Range<usize>) {
        if let Some(tag) = tag.filter(|tag| !(tag.is_yaml_core_schema() && tag.suffix == own)) {
            self.ignore_tag(tag, range);
        }
    }

    fn ignore_tag(&mut self, tag: &saphyr_parser::Tag, range: &Range<usize>) {
        let name = if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() };
        let message = format!("found the tag {}, expected plain data; the tag is ignored", quote(&name));
        let help = "delete the tag: values are text, numbers, booleans, dates, lists and mappings";
        self.warn(Rule::YamlTag, &self.text.problem(range.clone(), message).help(help));
    }

    fn scalar(
        &mut self,
        text: String,
        style: ScalarStyle,
        tag: Option<Tag>,
        anchor: usize,
        range: Range<usize>,
    ) {
        let text = self.without_forbidden(text, &range);
        let scalar = Scalar { text, plain: style == ScalarStyle::Plain, tag };
        let bytes = scalar.text.len();
        let stored = Stored { content: Content::Scalar(scalar), nodes: 1, bytes, height: 0 };
        self.store(stored, anchor, range);
    }

    /// Removes invisible characters, which escapes may have produced, with a warning.
    fn without_forbidden(&mut self, text: String, range: &Range<usize>) -> String {
        let Some(found) = text.chars().find(|&c| is_forbidden(c)) else { return text };
        let message = format!("{}; it is removed", describe_forbidden(found));
        self.warn(Rule::ForbiddenCharacter, &self.text.problem(range.clone(), message).help("delete it"));
        text.chars().filter(|&c| !is_forbidden(c)).collect()
    }

    fn begin(&mut self, content: Open, anchor: usize, range: Range<usize>) -> Result<(), Problem> {
        if self.key_expected() {
            return Err(self.not_a_key(range));
        }
        if self.open.len() >= self.limits.depth {
            return Err(self.too_deep(range));
        }
        self.open.push(Frame { content, start: range.start, anchor });
        Ok(())
    }

    fn end(&mut self, end: usize) {
        let Some(frame) = self.open.pop() else { return };
        let content = match frame.content {
            Open::Sequence(items) => Content::Sequence(items),
            Open::Mapping { fields, .. } => Content::Mapping(self.merge(fields)),
        };
        let (mut nodes, mut bytes, mut height) = (1_usize, 0_usize, 0);
        let mut add = |child: &Child, key: usize| {
            if let Some(stored) = self.values.get(child.value) {
                nodes = nodes.saturating_add(stored.nodes);
                bytes = bytes.saturating_add(stored.bytes).saturating_add(key);
                height = height.max(stored.height);
            }
        };
        match &content {
            Content::Scalar(_) => {}
            Content::Sequence(items) => items.iter().for_each(|child| add(child, 0)),
            Content::Mapping(fields) => fields.iter().for_each(|field| add(&field.value, field.key.len())),
        }
        let stored = Stored { content, nodes, bytes, height: height + 1 };
        self.store(stored, frame.anchor, frame.start..end.max(frame.start));
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>) -> Result<(), Problem> {
        let Some((value, stored)) =
            self.anchors.get(&anchor).and_then(|&value| Some((value, self.values.get(value)?)))
        else {
            return Err(self.text.problem(range, "found an alias inside the value that it refers to"));
        };
        self.expanded.0 = self.expanded.0.saturating_add(stored.nodes);
        self.expanded.1 = self.expanded.1.saturating_add(stored.bytes);
        let YamlLimits { alias_values, alias_size, .. } = self.limits;
        let too_many = if self.expanded.0 > alias_values {
            Some(("alias_values", format!("{alias_values} values")))
        } else if self.expanded.1 > alias_size {
            Some(("alias_size", format!("{} of text", Bytes(alias_size))))
        } else {
            None
        };
        if let Some((setting, limit)) = too_many {
            let message = format!(
                "the aliases up to here expand to {} values with {} bytes of text, more than `limits.{setting}` \
                 allows: {limit}",
                self.expanded.0, self.expanded.1
            );
            let help = format!("use fewer aliases, or raise `limits.{setting}` in shelflife.toml");
            return Err(self.text.problem(range, message).label("this alias").help(help));
        }
        if self.open.len() + stored.height > self.limits.depth {
            return Err(self.too_deep(range));
        }
        if self.key_expected() {
            return match &stored.content {
                Content::Scalar(scalar) => {
                    let key = scalar.text.clone();
                    self.key(key, range);
                    Ok(())
                }
                _ => Err(self.not_a_key(range)),
            };
        }
        self.place(Child { value, span: range });
        Ok(())
    }

    fn key_expected(&self) -> bool {
        matches!(self.open.last(), Some(Frame { content: Open::Mapping { key: None, .. }, .. }))
    }

    fn not_a_key(&self, range: Range<usize>) -> Problem {
        self.text
            .problem(range, "found a list or mapping as a key, expected a name")
            .help("put text that begins with `[` or `{` in quotes")
    }

    fn too_deep(&self, range: Range<usize>) -> Problem {
        let limit = self.limits.depth;
        let message =
            format!("lists and mappings are nested deeper than `limits.yaml_depth` allows: {limit} levels");
        self.text
            .problem(range, message)
            .help("reduce the nesting, or raise `limits.yaml_depth` in shelflife.toml")
    }

    fn store(&mut self, stored: Stored, anchor: usize, span: Range<usize>) {
        let key = match &stored.content {
            Content::Scalar(scalar) if self.key_expected() => Some(scalar.text.clone()),
            _ => None,
        };
        let value = self.values.len();
        self.values.push(stored);
        if anchor > 0 {
            self.anchors.insert(anchor, value);
        }
        match key {
            Some(key) => self.key(key, span),
            None => self.place(Child { value, span }),
        }
    }

    fn key(&mut self, name: String, span: Range<usize>) {
        let mut first = None;
        if let Some(Frame { content: Open::Mapping { fields, seen, key }, .. }) = self.open.last_mut() {
            match seen.get_mut(&name) {
                Some((start, _)) => first = Some((std::mem::replace(start, span.start), name.clone())),
                None => drop(seen.insert(name.clone(), (span.start, fields.len()))),
            }
            *key = Some((name, span.clone()));
        }
        // Counting lines takes time proportional to the file's size.
        if let Some((earlier, name)) = first.filter(|_| self.warnings.len() < MAX_PROBLEMS) {
            let (first, second) = (self.text.line(earlier), self.text.line(span.start));
            let message = format!(
                "the key {} is given twice, on lines {first} and {second}; the last one is used",
                quote(&name)
            );
            self.warn(Rule::DuplicateKey, &self.text.problem(span, message).help("keep one of the two"));
        }
    }

    fn place(&mut self, child: Child) {
        let is_outermost = self.open.len() == 1;
        match self.open.last_mut() {
            None => self.root = Some(child),
            Some(Frame { content: Open::Sequence(items), .. }) => items.push(child),
            Some(Frame { content: Open::Mapping { fields, seen, key }, .. }) => {
                let Some((key, key_span)) = key.take() else { return };
                let place = seen.get(&key).map_or(fields.len(), |(_, place)| *place);
                let field = StoredField { key, key_span, value: child, merged: false };
                match fields.get_mut(place) {
                    Some(earlier) => {
                        let earlier = std::mem::replace(earlier, field);
                        self.overridden.extend(is_outermost.then_some(earlier));
                    }
                    None => fields.push(field),
                }
            }
        }
    }

    /// Merges the fields of `<<: *other` (<https://yaml.org/type/merge.html>); existing keys take precedence.
    fn merge(&mut self, fields: Vec<StoredField>) -> Vec<StoredField> {
        let is_merge = |field: &StoredField| {
            field.key == "<<" && self.text.as_str().get(field.key_span.clone()) == Some("<<")
        };
        if !fields.iter().any(is_merge) {
            return fields;
        }
        let mut invalid = Vec::new();
        let (merges, mut own): (Vec<_>, Vec<_>) = fields.into_iter().partition(is_merge);
        let mut seen: HashSet<String> = own.iter().map(|field| field.key.clone()).collect();
        for merge in merges {
            let listed = match self.values.get(merge.value.value).map(|stored| &stored.content) {
                Some(Content::Sequence(items)) => items.as_slice(),
                _ => std::slice::from_ref(&merge.value),
            };
            for child in listed {
                let Some(Content::Mapping(other)) =
                    self.values.get(child.value).map(|stored| &stored.content)
                else {
                    invalid.push(child.span.clone());
                    continue;
                };
                let taken = other.iter().filter(|field| seen.insert(field.key.clone()));
                own.extend(taken.map(|field| StoredField { merged: true, ..field.clone() }));
            }
        }
        for span in invalid {
            let message = "`<<` must be a mapping or a list of mappings; this value is left out";
            self.warn(Rule::BadType, &self.text.problem(span, message));
        }
        own
    }
}
