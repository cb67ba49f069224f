//! From the parser's events to a tree, without recursion and within the limits.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::lenient::Source;
use super::text::{describe_forbidden, forbidden, is_forbidden};
use super::tree::{Child, Content, Scalar, Stored, StoredField, Tag, Tree, is_bracket, quote};
use super::{MAX_PROBLEMS, Text};
use crate::config::{Bytes, YamlLimits};
use crate::problem::Problem;

/// Why there is no tree.
pub(super) enum Failure {
    Problems(Vec<Problem>),
    /// The parser stopped, after these problems.
    Syntax(Vec<Problem>, ScanError, Progress),
}

/// How far the parser came before it stopped, in bytes of the file.
pub(super) struct Progress {
    /// Where the innermost list or mapping begins that has not ended.
    pub(super) open: Option<usize>,
    /// Where the innermost `[` or `{` is that has not ended.
    pub(super) bracket: Option<usize>,
    /// Where what could be read ends: what the parser stopped at begins behind it.
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
        anchors: HashMap::new(),
        unfolded: (0, 0),
        documents: 0,
        problems: Vec::new(),
    };
    let mut read = source.start();
    let mut parser = Parser::new_from_str(source.as_str());
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => {
                read = read.max(source.range(span).end);
                if let Err(problem) = builder.take(event, span) {
                    builder.problems.push(problem);
                    break;
                }
            }
            Err(error) => {
                let open = builder.open.last().map(|frame| frame.start);
                let mut begun = builder.open.iter().rev().map(|frame| frame.start);
                let bracket = begun.find(|start| is_bracket(text, Some(*start)));
                return Err(Failure::Syntax(builder.problems, error, Progress { open, bracket, read }));
            }
        }
    }
    if builder.problems.is_empty() {
        Ok(Tree { values: builder.values, root: builder.root })
    } else {
        Err(Failure::Problems(builder.problems))
    }
}

enum Open {
    Sequence(Vec<Child>),
    Mapping { fields: Vec<StoredField>, seen: HashMap<String, usize>, key: Option<(String, Range<usize>)> },
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
    anchors: HashMap<usize, usize>,
    /// Values and bytes that aliases have unfolded to so far.
    unfolded: (usize, usize),
    documents: usize,
    problems: Vec<Problem>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let range = self.source.range(span);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "found a second YAML document, expected the file to hold one";
                    return Err(self.text.problem(range, message));
                }
                Ok(())
            }
            Event::Scalar(mut text, style, anchor, tag) => {
                // libyaml adds no line end to a block of lines that the file ends without one.
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                if is_block && range.end >= self.source.end() && self.source.is_cut_off() {
                    let whole = text.strip_suffix('\n').map(str::to_owned);
                    text = whole.map_or(text, Into::into);
                }
                let tag = match tag {
                    None => None,
                    Some(tag) => Some(self.scalar_tag(&tag, &range)?),
                };
                self.scalar(text.into_owned(), style, tag, anchor, range)
            }
            Event::SequenceStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", &range)?;
                self.begin(Open::Sequence(Vec::new()), anchor, range)
            }
            Event::MappingStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", &range)?;
                let content = Open::Mapping { fields: Vec::new(), seen: HashMap::new(), key: None };
                self.begin(content, anchor, range)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(range.end),
            Event::Alias(anchor) => self.alias(anchor, range),
        }
    }

    fn complain(&mut self, problem: Problem) -> Result<(), Problem> {
        if self.problems.len() + 1 >= MAX_PROBLEMS {
            return Err(problem);
        }
        self.problems.push(problem);
        Ok(())
    }

    fn scalar_tag(&self, tag: &saphyr_parser::Tag, range: &Range<usize>) -> Result<Tag, Problem> {
        match (tag.is_yaml_core_schema(), tag.suffix.as_str()) {
            (true, "str") => Ok(Tag::Text),
            (true, "null" | "bool" | "int" | "float" | "timestamp") => Ok(Tag::Plain),
            (false, "!") if tag.handle.is_empty() => Ok(Tag::Text),
            (false, "") if tag.handle == "!" => Ok(Tag::Text),
            _ => Err(self.unknown_tag(tag, range)),
        }
    }

    fn collection_tag(
        &self,
        tag: Option<&saphyr_parser::Tag>,
        own: &str,
        range: &Range<usize>,
    ) -> Result<(), Problem> {
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == own) => {
                Err(self.unknown_tag(tag, range))
            }
            _ => Ok(()),
        }
    }

    fn unknown_tag(&self, tag: &saphyr_parser::Tag, range: &Range<usize>) -> Problem {
        let name = if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() };
        self.text
            .problem(range.clone(), format!("found the tag {}, expected plain data", quote(&name)))
            .help("delete the tag: values are text, numbers, booleans, dates, lists and mappings")
    }

    fn scalar(
        &mut self,
        text: String,
        style: ScalarStyle,
        tag: Option<Tag>,
        anchor: usize,
        range: Range<usize>,
    ) -> Result<(), Problem> {
        if let Some(found) = text.chars().find(|&c| is_forbidden(c)) {
            let problem = self.text.problem(range.clone(), describe_forbidden(found));
            self.complain(forbidden(problem).label("in this value"))?;
        }
        let scalar = Scalar { text, plain: style == ScalarStyle::Plain, tag };
        let bytes = scalar.text.len();
        let stored = Stored { content: Content::Scalar(scalar), nodes: 1, bytes, height: 0 };
        self.store(stored, anchor, range)
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

    fn end(&mut self, end: usize) -> Result<(), Problem> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let content = match frame.content {
            Open::Sequence(items) => Content::Sequence(items),
            Open::Mapping { fields, .. } => Content::Mapping(self.merge(fields)?),
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
        self.store(stored, frame.anchor, frame.start..end.max(frame.start))
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>) -> Result<(), Problem> {
        let Some((value, stored)) =
            self.anchors.get(&anchor).and_then(|&value| Some((value, self.values.get(value)?)))
        else {
            return Err(self.text.problem(range, "found an alias for the very value that it stands in"));
        };
        self.unfolded.0 = self.unfolded.0.saturating_add(stored.nodes);
        self.unfolded.1 = self.unfolded.1.saturating_add(stored.bytes);
        let YamlLimits { alias_values, alias_size, .. } = self.limits;
        let too_many = if self.unfolded.0 > alias_values {
            Some(("alias_values", format!("{alias_values} values")))
        } else if self.unfolded.1 > alias_size {
            Some(("alias_size", format!("{} of text", Bytes(alias_size))))
        } else {
            None
        };
        if let Some((setting, limit)) = too_many {
            let message = format!(
                "the aliases up to here unfold to {} values with {} bytes of text, more than `limits.{setting}` allows: \
                 {limit}",
                self.unfolded.0, self.unfolded.1
            );
            let help = format!("write out less, or raise `limits.{setting}` in shelflife.toml");
            return Err(self.text.problem(range, message).label("this alias").help(help));
        }
        if self.open.len() + stored.height > self.limits.depth {
            return Err(self.too_deep(range));
        }
        if self.key_expected() {
            return match &stored.content {
                Content::Scalar(scalar) => {
                    let key = scalar.text.clone();
                    self.key(key, range)
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
            format!("lists and mappings nest deeper than `limits.yaml_depth` allows: {limit} levels");
        self.text.problem(range, message).help("nest less, or raise `limits.yaml_depth` in shelflife.toml")
    }

    fn store(&mut self, stored: Stored, anchor: usize, span: Range<usize>) -> Result<(), Problem> {
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
            None => {
                self.place(Child { value, span });
                Ok(())
            }
        }
    }

    fn key(&mut self, name: String, span: Range<usize>) -> Result<(), Problem> {
        let mut first = None;
        if let Some(Frame { content: Open::Mapping { seen, key, .. }, .. }) = self.open.last_mut() {
            if let Some(&earlier) = seen.get(&name) {
                first = Some((earlier, name.clone()));
            } else {
                seen.insert(name.clone(), span.start);
            }
            *key = Some((name, span.clone()));
        }
        let Some((earlier, name)) = first else { return Ok(()) };
        let (first, second) = (self.text.line(earlier), self.text.line(span.start));
        let message = format!("found the key {} twice, in line {first} and in line {second}", quote(&name));
        self.complain(
            self.text
                .problem(span, message)
                .label("the second time")
                .help("keep one of the two: a key may stand only once in a mapping"),
        )
    }

    fn place(&mut self, child: Child) {
        match self.open.last_mut() {
            None => self.root = Some(child),
            Some(Frame { content: Open::Sequence(items), .. }) => items.push(child),
            Some(Frame { content: Open::Mapping { fields, key, .. }, .. }) => {
                if let Some((key, key_span)) = key.take() {
                    fields.push(StoredField { key, key_span, value: child });
                }
            }
        }
    }

    /// Takes the fields of `<<: *other` in (<https://yaml.org/type/merge.html>): those that are not there yet.
    fn merge(&self, fields: Vec<StoredField>) -> Result<Vec<StoredField>, Problem> {
        let is_merge = |field: &StoredField| {
            field.key == "<<" && self.text.as_str().get(field.key_span.clone()) == Some("<<")
        };
        if !fields.iter().any(is_merge) {
            return Ok(fields);
        }
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
                    let message = "found something else than a mapping to merge at `<<`";
                    return Err(self.text.problem(child.span.clone(), message));
                };
                own.extend(other.iter().filter(|field| seen.insert(field.key.clone())).cloned());
            }
        }
        Ok(own)
    }
}
