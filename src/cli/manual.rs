//! `shelflife completions` and `shelflife man`: completion scripts and manual pages.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Args, Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man as Page;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use miette::IntoDiagnostic as _;

use super::{Exit, show};
use crate::access::denied;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = AFTER_COMPLETIONS)]
pub(super) struct Completions {
    /// Shell to complete for
    #[arg(value_name = "SHELL", value_parser = clap::value_parser!(Shell))]
    shell: Shell,
}

/// Print the manual page, or write one page per command
#[derive(Debug, Args)]
#[command(after_help = AFTER_MAN)]
pub(super) struct Man {
    /// Write one page per command to this folder: shelflife.1, shelflife-build.1, …
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

const AFTER_COMPLETIONS: &str = "\
Examples:
  shelflife completions bash > ~/.local/share/bash-completion/completions/shelflife
  shelflife completions zsh > \"${fpath[1]}/_shelflife\"
  shelflife completions fish > ~/.config/fish/completions/shelflife.fish";

const AFTER_MAN: &str = "\
Examples:
  shelflife man | man -l -                           read the manual page
  shelflife man --output ~/.local/share/man/man1     install one page per command";

/// The command that pages are generated from.
fn command() -> Command {
    let mut command = super::Arguments::command().disable_help_subcommand(true);
    command.build();
    command
}

pub(super) fn completions(arguments: &Completions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut super::Arguments::command(),
        env!("CARGO_PKG_NAME"),
        &mut script,
    );
    print(&script);
    Exit::Done
}

pub(super) fn man(arguments: &Man) -> Exit {
    let written = match &arguments.output {
        Some(folder) => write(folder),
        None => whole(&command()).into_diagnostic().map(|page| print(&page)),
    };
    match written {
        Ok(()) => Exit::Done,
        Err(error) => {
            show::error(&error);
            Exit::Failed
        }
    }
}

fn print(text: &[u8]) {
    // A closed pipe, such as that of a pager, is not an error.
    let _ = io::stdout().lock().write_all(text);
}

/// The page of a command, with the name and version of the program.
fn page_of(command: &Command) -> Page {
    Page::new(command.clone()).source(concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")))
}

/// One page with a section for each command.
fn whole(command: &Command) -> io::Result<Vec<u8>> {
    let man = page_of(command);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    about(&man, command, &mut page)?;
    for (name, of) in commands(command, "") {
        let mut title = Roff::new();
        title.control("SH", [format!("shelflife {name}").to_uppercase().as_str()]);
        title.to_writer(&mut page)?;
        let mut text = Vec::new();
        about(&page_of(of), of, &mut text)?;
        // Sections of a command become subsections.
        page.extend_from_slice(String::from_utf8_lossy(&text).replace("\n.SH ", "\n.SS ").as_bytes());
    }
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// The synopsis, description, options and notes of a command.
fn about(man: &Page, command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    synopsis(command).to_writer(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if command.get_after_help().is_some() {
        let mut notes = Vec::new();
        man.render_extra_section(&mut notes)?;
        // Keep the line breaks of examples and exit codes.
        let notes = String::from_utf8_lossy(&notes).replace("\n.SH EXTRA\n", "\n.SH NOTES\n.nf\n");
        page.extend_from_slice(notes.as_bytes());
        page.extend_from_slice(b".fi\n");
    }
    Ok(())
}

/// The synopsis of a command. The one of `clap_mangen` omits the values of options.
fn synopsis(command: &Command) -> Roff {
    let mut line = vec![bold(command.get_bin_name().unwrap_or_else(|| command.get_name()))];
    let shown = || command.get_arguments().filter(|arg| !arg.is_hide_set());
    for option in shown().filter(|arg| !arg.is_positional()) {
        let short = option.get_short().map(|short| format!("-{short}"));
        let long = option.get_long().map(|long| format!("--{long}"));
        let mut parts = vec![];
        for name in short.into_iter().chain(long) {
            parts.extend((!parts.is_empty()).then(|| roman("|")));
            parts.push(bold(name));
        }
        if option.get_action().takes_values() {
            parts.extend([roman(" "), italic(value(option))]);
        }
        line.extend(marked(option.is_required_set(), parts));
        line.extend(matches!(option.get_action(), ArgAction::Append).then(|| roman(" ...")));
    }
    for positional in shown().filter(|arg| arg.is_positional()) {
        line.extend(marked(positional.is_required_set(), vec![italic(value(positional))]));
    }
    if command.has_subcommands() {
        line.extend(marked(command.is_subcommand_required_set(), vec![italic("command")]));
    }
    let mut synopsis = Roff::new();
    synopsis.control("SH", ["SYNOPSIS"]).text(line);
    synopsis
}

/// The placeholder of an argument's value.
fn value(arg: &Arg) -> String {
    let name = arg.get_value_names().unwrap_or_default().join(" ");
    let is_several = arg.get_num_args().is_some_and(|number| number.max_values() > 1);
    if is_several { format!("{name} ...") } else { name }
}

/// Puts optional parts in brackets.
fn marked(is_required: bool, parts: Vec<Inline>) -> Vec<Inline> {
    let (begin, end) = if is_required { (" ", "") } else { (" [", "]") };
    [vec![roman(begin)], parts, vec![roman(end)]].concat()
}

/// All subcommands below this one, each with the words that call it.
fn commands<'a>(command: &'a Command, above: &str) -> Vec<(String, &'a Command)> {
    let mut all = Vec::new();
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        let name = format!("{above}{}", below.get_name());
        let deeper = commands(below, &format!("{name} "));
        all.push((name, below));
        all.extend(deeper);
    }
    all
}

/// Writes one page for the program and one for each command.
fn write(folder: &Path) -> miette::Result<()> {
    fs::create_dir_all(folder).map_err(denied("create the folder", folder))?;
    let command = command();
    for of in std::iter::once(&command).chain(commands(&command, "").into_iter().map(|(_, of)| of)) {
        let man = page_of(of);
        let place = folder.join(man.get_filename());
        let failed = denied("write", &place);
        let mut page = Vec::new();
        let mut render = || {
            man.render_title(&mut page)?;
            man.render_name_section(&mut page)?;
            about(&man, of, &mut page)?;
            if of.has_subcommands() {
                man.render_subcommands_section(&mut page)?;
            }
            man.render_version_section(&mut page)
        };
        render().map_err(&failed)?;
        fs::write(&place, page).map_err(&failed)?;
    }
    Ok(())
}
