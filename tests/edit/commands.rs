//! The chores of a registry's maintainer: `mark`, `unmark`, completions and manual pages.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use crate::common::{Site, skip};

const CONFIG: &str = "url = \"https://plugins.example.org\"\nhistory.seed = \"off\"\n";

/// What a run printed, and its exit code.
#[derive(Debug)]
struct Told {
    code: i32,
    stdout: String,
    stderr: String,
}

fn told(command: &mut Command) -> Told {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Told { code: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
}

/// Runs a chore in the site's folder.
fn run(site: &Site, arguments: &[&str]) -> Told {
    told(site.program(arguments).current_dir(site.path()))
}

#[track_caller]
fn says(site: &Site, arguments: &[&str], expected: &str) {
    let told = run(site, arguments);
    assert_eq!((told.code, told.stdout.as_str(), told.stderr.as_str()), (0, expected, ""));
}

#[track_caller]
fn fails(site: &Site, arguments: &[&str], code: i32, expected: &str) {
    let told = run(site, arguments);
    assert_eq!((told.code, told.stdout.as_str()), (code, ""), "{}", told.stderr);
    assert!(told.stderr.contains(expected), "{expected:?} in:\n{}", told.stderr);
}

#[test]
fn marking_writes_one_line_and_unmarking_takes_it_back() {
    let site = Site::new(CONFIG);
    let original = "\u{feff}---\r\nid: Mqtt  # as in setup.py\r\ntitle: 'MQTT'\r\n\r\nlicense:   MIT\r\n\r\n---\r\nText\t\r\n";
    site.write("entries/mqtt_file.md", original);
    let marked = original.replace("MIT\r\n", "MIT\r\n\r\nabandoned: https://a.example/1\r\n");
    says(
        &site,
        &["mark", "abandoned", "Mqtt", "https://a.example/1"],
        "Marked entries/mqtt_file.md as abandoned: https://a.example/1\n",
    );
    assert_eq!(site.read("entries/mqtt_file.md"), marked);
    let again = "entries/mqtt_file.md is already marked as abandoned (https://a.example/1): nothing to do\n";
    says(&site, &["mark", "abandoned", "mqtt_file", "https://a.example/1"], again);
    assert_eq!(site.read("entries/mqtt_file.md"), marked);
    says(
        &site,
        &["mark", "abandoned", "entries/mqtt_file.md", "https://a.example/2"],
        "Marked entries/mqtt_file.md as abandoned: https://a.example/2 (before: https://a.example/1)\n",
    );
    assert_eq!(site.read("entries/mqtt_file.md"), marked.replace("example/1", "example/2"));
    says(&site, &["unmark", "abandoned", "mqtt"], "entries/mqtt_file.md is no longer marked as abandoned\n");
    assert_eq!(site.read("entries/mqtt_file.md"), original);
    let nothing = "entries/mqtt_file.md is not marked as abandoned: nothing to do\n";
    says(&site, &["unmark", "abandoned", "mqtt_file.md"], nothing);
    assert_eq!(site.tree("entries").len(), 1);
}

#[test]
fn what_is_marked_is_published() {
    let site = Site::new(CONFIG);
    for stem in ["one", "two", "three"] {
        site.entry(stem, "");
    }
    let reason = "It says: \"no\" # and 'yes'";
    run(&site, &["mark", "disabled", "one", reason]);
    let told = run(&site, &["mark", "adoption", "two"]);
    assert_eq!(told.stdout, "Marked entries/two.md as up for adoption: https://github.com/owner/two\n");
    run(&site, &["mark", "adoption", "three", "https://a.example/take-over"]);
    assert_eq!(site.warnings(&["--offline"]), Vec::<String>::new());
    // Without an address, an announcement that is there stays, whatever it is.
    let said = "entries/three.md is already marked as up for adoption (https://a.example/take-over): nothing to do\n";
    says(&site, &["mark", "adoption", "three"], said);
    site.entry("four", "up_for_adoption: true\n");
    let said = "entries/four.md is already marked as up for adoption (true): nothing to do\n";
    says(&site, &["mark", "adoption", "four"], said);
    assert_eq!(site.read("entries/four.md"), crate::common::entry("four", "up_for_adoption: true\n"));
    site.entry("five", "up_for_adoption: false\n");
    let marked = "Marked entries/five.md as up for adoption: https://github.com/owner/five\n";
    says(&site, &["mark", "adoption", "five"], marked);
    let state = |stem: &str| site.json(&format!("public/api/v1/plugins/{stem}.json"))["state"].clone();
    assert_eq!(state("one")["disabled"], true);
    assert!(state("one")["disabled_html"].as_str().unwrap().contains("# and"), "{}", state("one"));
    assert_eq!(state("two")["up_for_adoption_at"], "https://github.com/owner/two");
    assert_eq!(state("three")["up_for_adoption_at"], "https://a.example/take-over");
    for (what, stem) in [("disabled", "one"), ("adoption", "two"), ("adoption", "three")] {
        assert_eq!(run(&site, &["unmark", what, stem]).code, 0);
        assert_eq!(site.read(&format!("entries/{stem}.md")), crate::common::entry(stem, ""));
    }
}

#[test]
fn the_site_is_found_from_any_of_its_folders() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    let mut mark = site.program(&["mark", "abandoned", "one.md", "https://a.example/1"]);
    let told = told(mark.current_dir(site.at("entries")));
    assert_eq!(told.stdout, "Marked entries/one.md as abandoned: https://a.example/1\n", "{}", told.stderr);
}

#[test]
fn what_cant_be_marked_is_left_alone() {
    let site = Site::new(CONFIG);
    site.entry("mqtt", "");
    site.write("entries/other.md", "---\nid: MQTT2\ntitle: &t T\nabandoned: &a x\nnote: *a\n---\n");
    site.write("entries/broken.md", "---\nid: [\n---\n");
    site.write("entries/mqtt2.md", "---\nid: third\ntitle: T\n---\n");
    site.write("elsewhere/mqtt.md", "---\nid: third\n---\n");
    let before = site.tree("entries");
    let url = "https://a.example/1";
    fails(&site, &["mark", "abandoned", "mqqt", url], 1, "did you mean `mqtt`");
    fails(
        &site,
        &["mark", "abandoned", "nothing", url],
        1,
        "no entry in entries has the id or file name `nothing`",
    );
    fails(&site, &["mark", "abandoned", "elsewhere/mqtt.md", url], 1, "no entry in entries");
    fails(&site, &["mark", "abandoned", "other", url], 1, "`abandoned` can't be set here");
    fails(&site, &["mark", "abandoned", "other", url], 1, " --> entries/other.md:4:1");
    fails(&site, &["mark", "abandoned", "broken", url], 1, " --> entries/broken.md:2:5");
    fails(&site, &["mark", "adoption", "other"], 1, "entries/other.md has no `source`");
    fails(&site, &["mark", "abandoned", "mqtt", "soon"], 2, "expected an absolute URL");
    fails(&site, &["mark", "disabled", "mqtt", " "], 2, "must not be empty");
    fails(&site, &["mark", "disabled", "mqtt", "a\u{202e}b"], 2, "direction of text");
    fails(&site, &["mark", "abandoned", "mqtt", url, "--site", "nowhere"], 2, "nowhere");
    assert_eq!(site.tree("entries"), before);
    // Named by its id in another letter case, and by its file.
    assert_eq!(run(&site, &["mark", "abandoned", "mqtt2", url]).code, 0);
    assert!(site.read("entries/mqtt2.md").contains(url));
    site.write("entries/mqtt2.md", "---\nid: other\ntitle: T\n---\n");
    fails(&site, &["mark", "abandoned", "other", url], 1, "give the file of the entry");
}

#[test]
fn the_site_is_found_from_a_folder_in_it() {
    let site = Site::new(CONFIG);
    site.entry("mqtt", "");
    site.build(&[]).succeeded();
    std::fs::create_dir_all(site.at("assets/img")).unwrap();
    let below = |arguments: &[&str]| told(site.program(arguments).current_dir(site.at("assets/img")));
    assert_eq!(
        below(&["mark", "disabled", "mqtt", "gone"]).stdout,
        "Marked entries/mqtt.md as disabled: gone\n"
    );
    assert_eq!(
        below(&["unmark", "disabled", "mqtt"]).stdout,
        "entries/mqtt.md is no longer marked as disabled\n"
    );
    let new =
        ["new", "bed", "--title", "Bed", "--description", "Heats.", "--author", "Ada", "--license", "MIT"];
    let new = below(&[&new[..], &["--source", "https://github.com/a/b", "--branch", "main"]].concat());
    assert_eq!((new.code, new.stderr.as_str()), (0, ""));
    assert!(site.read("entries/bed.md").contains("id: bed"));
    for arguments in [&["explain", "mqtt"][..], &["cache", "stats"], &["check"]] {
        let told = below(arguments);
        assert_eq!(told.code, 0, "{arguments:?}: {}", told.stderr);
    }
    // A folder that is named is meant, and no other one.
    fails(&site, &["mark", "disabled", "mqtt", "gone", "--site", "assets"], 2, "assets is not a site");
    let outside = tempfile::tempdir().unwrap();
    for arguments in [&["mark", "disabled", "mqtt", "gone"][..], &["explain", "mqtt"], &["build"], &["check"]]
    {
        let told = told(site.program(arguments).current_dir(outside.path()));
        assert!(told.code == 2 && told.stderr.contains(". is not a site"), "{arguments:?}: {}", told.stderr);
        assert!(
            told.stderr.contains("help: ") && !told.stderr.contains("shelflife build"),
            "{}",
            told.stderr
        );
    }
}

#[cfg(unix)]
#[test]
fn of_a_link_the_file_that_it_leads_to_is_edited() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let site = Site::new(CONFIG);
    site.write("shared/a.md", crate::common::entry("a", ""));
    std::fs::set_permissions(site.at("shared/a.md"), std::fs::Permissions::from_mode(0o664)).unwrap();
    symlink("../shared/a.md", site.at("entries/a.md")).unwrap();
    assert_eq!(run(&site, &["mark", "disabled", "a", "gone"]).code, 0);
    assert!(std::fs::symlink_metadata(site.at("entries/a.md")).unwrap().is_symlink());
    assert!(site.read("shared/a.md").contains("disabled: gone\n"));
    assert_eq!(std::fs::metadata(site.at("shared/a.md")).unwrap().permissions().mode() & 0o777, 0o664);
    symlink("/etc/hostname", site.at("entries/b.md")).unwrap();
    fails(
        &site,
        &["mark", "disabled", "a", "gone"],
        1,
        "entries/b.md is a symbolic link that points outside the site",
    );
}

/// The program's commands, as its help lists them.
fn commands(site: &Site) -> Vec<String> {
    let help = run(site, &["--help"]).stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    let names: Vec<String> =
        names.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect();
    assert!(names.len() >= 8, "{help}");
    names
}

/// Feeds `script` to a shell that only checks it; false if the shell isn't there.
#[track_caller]
fn parses(shell: &str, script: &str) -> bool {
    let program = Command::new(shell).arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut program) = program else { return false };
    program.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    true
}

#[test]
fn completions_know_every_command() {
    let site = Site::new(CONFIG);
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&site, &["completions", shell]).stdout;
        for command in commands(&site) {
            assert!(script.contains(&command), "{shell}: {command}");
        }
        for option in ["strict", "max-wait", "abandoned", "keep"] {
            assert!(script.contains(option), "{shell}: {option}");
        }
        // Few machines have all three.
        assert!(parses(shell, &script) || shell != "bash");
    }
}

#[test]
fn bash_completes_commands_and_their_options() {
    let site = Site::new(CONFIG);
    let script = run(&site, &["completions", "bash"]).stdout;
    site.write("completions.bash", script);
    let complete = |line: &str| {
        let words: Vec<String> = line.split(' ').map(|word| format!("'{word}'")).collect();
        let ask = format!(
            "source completions.bash; COMP_WORDS=({}); COMP_CWORD={}; _shelflife shelflife '{}' ''; echo \"${{COMPREPLY[*]}}\"",
            words.join(" "),
            words.len() - 1,
            line.rsplit(' ').next().unwrap()
        );
        told(Command::new("bash").args(["-c", &ask]).current_dir(site.path()))
    };
    assert_eq!(complete("shelflife unm").stdout, "unmark\n");
    assert_eq!(complete("shelflife mark ab").stdout, "abandoned\n");
    assert_eq!(complete("shelflife build --str").stdout, "--strict\n");
}

#[test]
fn the_manual_has_every_command() {
    let site = Site::new(CONFIG);
    let whole = run(&site, &["man"]).stdout;
    assert!(whole.starts_with(".ie \\n(.g") && whole.contains("\n.TH shelflife 1"), "{whole}");
    let folder = site.at("man/man1");
    assert_eq!(run(&site, &["man", "--output", folder.to_str().unwrap()]).code, 0);
    for command in commands(&site).iter().filter(|command| *command != "help") {
        assert!(whole.contains(&format!("\n.SH \"SHELFLIFE {}\"", command.to_uppercase())), "{command}");
        let page = site.read(&format!("man/man1/shelflife-{command}.1"));
        assert!(page.contains(&format!("\n.TH shelflife-{command} 1")), "{page}");
    }
    let mark = site.read("man/man1/shelflife-mark.1");
    let title = mark.lines().find(|line| line.starts_with(".TH ")).unwrap();
    assert!(title.contains(concat!("\"shelflife ", env!("CARGO_PKG_VERSION"), "\"")), "{title}");
    let synopsis = |page: &str| {
        let page = site.read(&format!("man/man1/{page}.1"));
        let line = page.lines().skip_while(|line| *line != ".SH SYNOPSIS").nth(1).unwrap();
        ["\\fB", "\\fI", "\\fR", "\\"].iter().fold(line.to_owned(), |line, font| line.replace(font, ""))
    };
    let expected =
        "shelflife mark abandoned [--site SITE] [--config FILE] [-h|--help] [-V|--version] ENTRY URL";
    assert_eq!(synopsis("shelflife-mark-abandoned"), expected);
    assert!(
        synopsis("shelflife-build").contains(" [-o|--output FOLDER] "),
        "{}",
        synopsis("shelflife-build")
    );
    assert!(synopsis("shelflife-new").contains(" [--author NAME] ... "), "{}", synopsis("shelflife-new"));
    assert!(synopsis("shelflife-check").ends_with(" [PATH ...]"), "{}", synopsis("shelflife-check"));
    assert!(site.read("man/man1/shelflife-mark-abandoned.1").contains("a GitHub issue"));
    assert!(site.read("man/man1/shelflife.1").contains("shelflife\\-mark(1)"));
    let groff = Command::new("groff")
        .args(["-man", "-Tutf8", "-ww", "-z"])
        .arg(site.at("man/man1/shelflife-build.1"))
        .output();
    match groff {
        Ok(output) => assert_eq!(String::from_utf8_lossy(&output.stderr), ""),
        Err(_) => skip("the_manual_has_every_command", "no groff"),
    }
    let nowhere = run(&site, &["man", "--output", "shelflife.toml/x"]);
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.stderr.contains("can't create the folder shelflife.toml/x"), "{}", nowhere.stderr);
}
