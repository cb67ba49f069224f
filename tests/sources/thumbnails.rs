//! Pictures of videos: the site has them itself, however they come and go where they are from.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::common::builder::{Silent, learn};
use crate::common::{Site, entry, picture};
use serde_json::Value;
use shelflife::build::{Afterwards, Builder};
use shelflife::config::{Config, Keep, Overrides};
use shelflife::digest::Digest;
use shelflife_testkit::replay::{FaultAction, Kind, Server, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"\nbase_path = \"/registry\"";
const VIDEO: &str = "dQw4w9WgXcQ";
const LINK: &str = r#"<a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ">Watch the video on YouTube</a>"#;

/// A site with one plugin whose description has this text, and its world.
struct Lab {
    site: Site,
    server: Server,
}

impl Lab {
    fn new(text: &str) -> Self {
        let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
        world.set_thumbnail(VIDEO, Some(picture(48)));
        let server = Server::start(world).unwrap();
        let site = Site::asking(&server, CONFIG, "1h");
        let lab = Self { site, server };
        lab.say(text);
        lab
    }

    fn say(&self, text: &str) {
        let one = entry("one", "compatibility: {python: '>=3'}\n");
        self.site.write("entries/one.md", one.replace("github.com/", "git.example/").replace("Text.", text));
    }

    fn show(&self, picture: Option<Vec<u8>>) {
        self.server.change(|world| {
            world.set_thumbnail(VIDEO, picture);
        });
    }

    /// Builds at an hour of a day, and returns the report and how many pictures were asked for.
    #[track_caller]
    fn build(&self, hour: &str, arguments: &[&str]) -> (Value, u64) {
        self.server.reset_log();
        let now = format!("2020-08-01T{hour}:00:00Z");
        let report = self.site.report(&[&["--now", &now], arguments].concat());
        (report, self.server.counts().thumbnails)
    }

    #[track_caller]
    fn assert_like_a_first_build(&self, hour: &str) {
        self.site.assert_like_a_first_build(&format!("2020-08-01T{hour}:00:00Z"));
    }

    fn page(&self) -> String {
        self.site.read("public/plugins/one/index.html")
    }

    /// The pictures that are published.
    fn pictures(&self) -> Vec<Vec<u8>> {
        let folder = self.site.at("public/thumbnails");
        if folder.exists() { self.site.tree("public/thumbnails").into_values().collect() } else { Vec::new() }
    }
}

fn path(picture: &[u8]) -> String {
    format!("/registry/thumbnails/{}.jpg", Digest::of(picture).short(16))
}

fn shown(picture: &[u8], pixels: u8) -> String {
    let path = path(picture);
    format!(
        r#"<a href="https://www.youtube.com/watch?v={VIDEO}"><img alt="Watch the video on YouTube" height="{pixels}" src="{path}" width="{pixels}"></a>"#
    )
}

const SHORTCODE: &str = r#"{% include youtube.html vid="dQw4w9WgXcQ" %}"#;

#[test]
fn a_video_is_a_picture_of_the_sites_own_and_a_link() {
    let lab = Lab::new(SHORTCODE);
    let (_, asked) = lab.build("00", &[]);
    assert_eq!((asked, lab.pictures()), (1, vec![picture(48)]));
    assert!(lab.page().contains(&shown(&picture(48), 48)), "{}", lab.page());
    let absolute = format!("https://plugins.example{}", path(&picture(48)));
    assert!(lab.site.read("public/feed.atom").contains(&absolute));
    assert!(
        !lab.server
            .log()
            .iter()
            .any(|request| request.info.authorized && request.info.kind == Kind::Thumbnail)
    );
    lab.assert_like_a_first_build("00");

    let (report, asked) = lab.build("00", &[]);
    assert_eq!((&report["queries"], asked), (&serde_json::json!({}), 0));
    lab.build("02", &[]);
    assert_eq!((lab.server.counts().thumbnails, lab.server.counts().thumbnails_not_modified), (1, 1));

    // Another entry shows it, too; then nobody does.
    lab.say("No more.");
    lab.build("02", &[]);
    assert_eq!(lab.pictures(), Vec::<Vec<u8>>::new());
    lab.say(SHORTCODE);
    let (_, asked) = lab.build("02", &[]);
    assert_eq!((asked, lab.pictures()), (0, vec![picture(48)]), "the cache has it still");
}

#[test]
fn another_picture_has_another_address() {
    let lab = Lab::new(SHORTCODE);
    lab.build("00", &[]);
    lab.show(Some(picture(64)));
    let (report, _) = lab.build("02", &[]);
    assert_eq!(lab.pictures(), vec![picture(64)]);
    assert!(lab.page().contains(&shown(&picture(64), 64)));
    assert_eq!(report["outputs"]["removed"], 1);
    let why = report["why"]["plugins/one/index.html"].to_string();
    assert!(why.contains("thumbnail:youtube:dQw4w9WgXcQ"), "{why}");
    lab.assert_like_a_first_build("02");
}

#[test]
fn a_picture_stays_through_failures_and_one_refusal() {
    let lab = Lab::new(SHORTCODE);
    lab.build("00", &[]);
    let fails = |it: &shelflife_testkit::replay::RequestInfo| {
        (it.kind == Kind::Thumbnail).then(|| FaultAction::status(403, "no"))
    };
    lab.server.set_fault(Some(Arc::new(fails)));
    let (report, asked) = lab.build("02", &[]);
    assert_eq!((asked, lab.pictures()), (1, vec![picture(48)]));
    assert!(report["unrefreshed"].to_string().contains("video thumbnails: "), "{report}");
    lab.server.set_fault(None);
    lab.show(None);
    for (hour, left) in [("04", 1), ("06", 0)] {
        lab.build(hour, &[]);
        assert_eq!(lab.pictures().len(), left, "{hour}");
    }
    assert!(lab.page().contains(LINK));
    lab.show(Some(b"<html>no picture</html>".to_vec()));
    lab.build("08", &[]);
    assert!(lab.page().contains(LINK));
    assert_eq!(lab.build("08", &[]).1, 0, "that there is none is an answer, too");
    lab.assert_like_a_first_build("08");
}

#[test]
fn without_a_picture_there_is_a_link() {
    let lab = Lab::new(SHORTCODE);
    assert_eq!(lab.build("00", &["--offline"]).1, 0);
    assert!(lab.page().contains(LINK));
    lab.build("00", &[]);
    assert!(lab.page().contains(&shown(&picture(48), 48)));

    // Whoever wants none has none.
    let config = lab.site.read("shelflife.toml").replace(&lab.server.thumbnails_url(), "");
    lab.site.write("shelflife.toml", config);
    assert_eq!(lab.build("02", &[]).1, 0);
    assert!(lab.page().contains(LINK) && lab.pictures().is_empty());
}

#[test]
fn an_entrys_own_picture_comes_first() {
    let lab = Lab::new(r#"{% include youtube.html vid="dQw4w9WgXcQ" preview="/assets/p.png" %}"#);
    assert_eq!(lab.build("00", &[]).1, 0);
    assert!(lab.page().contains(r#"src="/registry/assets/p.png""#) && lab.pictures().is_empty());
}

#[test]
fn youtubes_pictures_in_texts_become_the_sites_own() {
    let there = "https://img.youtube.com/vi/dQw4w9WgXcQ/0.jpg";
    let lab = Lab::new(&format!(
        "[![Film]({there})](https://www.youtube.com/watch?v=dQw4w9WgXcQ)\n\n<img src=\"{there}\">\n\n\
         <iframe src=\"https://www.youtube.com/embed/dQw4w9WgXcQ\"></iframe>\n"
    ));
    lab.build("00", &[]);
    let page = lab.page();
    assert_eq!(page.matches(&path(&picture(48))).count(), 2, "{page}");
    assert!(!page.contains("img.youtube.com") && !page.contains("iframe"), "{page}");
    lab.assert_like_a_first_build("00");
}

#[test]
fn one_entry_has_not_everything_fetched() {
    let many = (0..40).map(|n| format!("{{% include youtube.html vid=\"video{n:06}\" %}}\n\n"));
    let lab = Lab::new(&many.collect::<String>());
    assert_eq!(lab.build("00", &[]).1, 12);
}

#[test]
fn a_server_that_is_down_is_soon_left_alone() {
    let lab = Lab::new("Text.");
    for n in 0..30 {
        let text = format!("{{% include youtube.html vid=\"video{n:06}\" %}}");
        lab.site.write(&format!("entries/e{n}.md"), entry(&format!("e{n}"), "").replace("Text.", &text));
    }
    let fails = |it: &shelflife_testkit::replay::RequestInfo| {
        (it.kind == Kind::Thumbnail).then(|| FaultAction::status(503, "no"))
    };
    lab.server.set_fault(Some(Arc::new(fails)));
    let (_, asked) = lab.build("00", &[]);
    assert!(asked < 30, "{asked} requests");
}

#[test]
fn a_picture_is_explained() {
    let lab = Lab::new(SHORTCODE);
    lab.build("00", &[]);
    let output = path(&picture(48)).replace("/registry/", "");
    let program =
        lab.site.program(&["explain", &output, "--json", "--site"]).arg(lab.site.path()).output().unwrap();
    let told: Value = serde_json::from_slice(&program.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&program.stderr)));
    assert_eq!(told["kind"], "picture");
    assert_eq!(told["depends_on"]["facts"][0]["subject"], "thumbnail:youtube:dQw4w9WgXcQ");
}

/// A process that goes on has the picture in mind longer than the cache has its bytes.
#[test]
fn a_picture_comes_back_after_the_cache_has_forgotten_it() {
    let lab = Lab::new(SHORTCODE);
    let config = lab.site.config(&lab.server, &Overrides::default()).unwrap();
    let config = Config { keep: Keep { builds: 1, bytes: 1 }, ..config };
    let mut builder = Builder::new(Afterwards::GoOn);
    builder.build(&config, None, &[], &Silent).unwrap();
    learn(&mut builder, &config).unwrap();
    assert_eq!(lab.pictures(), vec![picture(48)]);
    let mut say = |text: &str| {
        lab.say(text);
        let edited = BTreeSet::from([lab.site.at("entries/one.md")]);
        builder.build(&config, Some(&edited), &[], &Silent).unwrap().report.warnings
    };
    for number in 0..8 {
        // So much is stored that garbage is collected.
        let noise = (0..1900).map(|word| format!("{} ", Digest::of(format!("{number}:{word}").as_bytes())));
        say(&noise.collect::<String>());
    }
    assert!(lab.pictures().is_empty());
    assert_eq!((say(SHORTCODE), lab.pictures()), (Vec::new(), vec![picture(48)]));
}
