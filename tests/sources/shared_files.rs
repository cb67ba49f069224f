//! Repositories that hold the same file, which is common for a `setup.py` that only calls setuptools.

use crate::common::{Site, entry};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shelflife_testkit::replay::{Repository, Server, World};

#[test]
fn each_repository_is_looked_into_though_another_has_the_same_file() {
    // So few facts are looked up one by one, and so many are read at once.
    for plugins in [60, 200] {
        each_is_looked_into(plugins);
    }
}

fn each_is_looked_into(plugins: usize) {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let names: Vec<String> = (0..plugins).map(|number| format!("p{number:03}")).collect();
    for name in &names {
        let project = format!("[project.entry-points.\"octoprint.plugin\"]\n{name} = \"octoprint_{name}\"\n");
        let repository = Repository::new(&format!("owner/{name}"))
            .with_file("setup.py", "import setuptools\n\nsetuptools.setup()\n")
            .with_file("pyproject.toml", project)
            .with_file(format!("octoprint_{name}/__init__.py"), "__plugin_pythoncompat__ = \">=3.7,<4\"\n");
        world.add(repository);
    }
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, "", "6h");
    for name in &names {
        site.write(&format!("entries/{name}.md"), entry(name, ""));
    }
    site.build(&[]).succeeded();
    let cold = site.json("public/plugins.json");
    let python = |plugin: &Value| plugin["compatibility"]["python"].as_str() == Some(">=3.7,<4");
    assert!(cold.as_array().unwrap().iter().all(python), "{cold:#}");
    let asked = server.counts().requests;
    site.build(&[]).succeeded();
    assert_eq!(site.json("public/plugins.json"), cold, "a second build knows no more");
    assert_eq!(server.counts().requests, asked);
    // Once facts are stale, all of them are compared, and none can be asked for.
    let later = Timestamp::now() + SignedDuration::from_hours(48);
    site.build(&["--offline", "--now", &later.to_string()]).succeeded();
    let all = site.json("public/plugins.json");
    assert!(all.as_array().unwrap().iter().all(python), "{all:#}");
}
