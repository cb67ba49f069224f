//! The forge: what outlasts a run, and which workflows an event starts.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::api::Api;
use super::expression::Scope;
use super::runner::{self, JobRun};
use super::workflow::Workflow;

/// A forge with one repository.
#[derive(Debug)]
pub struct Forge {
    folder: TempDir,
    /// The repository's `owner/name`.
    pub(super) repository: String,
    /// The folders of actions that are not GitHub's own, by `owner/name`, each with inputs that runners here add.
    pub(super) actions: BTreeMap<String, (PathBuf, BTreeMap<String, String>)>,
    /// Variables that every step has, as on a runner that was set up for it.
    pub environment: BTreeMap<String, String>,
    /// Secrets by the name of their environment and their own; those of the repository have an empty environment.
    pub secrets: BTreeMap<(String, String), String>,
    pub(super) caches: Vec<Cache>,
    pub(super) artifacts: BTreeMap<(u64, String), PathBuf>,
    pub(super) api: Api,
    failing: BTreeSet<String>,
    cancelling: Option<String>,
    numbers: BTreeMap<String, u64>,
    runs: u64,
    files: u64,
}

/// A saved cache.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    pub(super) key: String,
    /// The path that it was saved from, without which it isn't found.
    pub(super) path: String,
    /// The ref that it belongs to: others don't see it, unless it is the default branch.
    pub(super) scope: String,
    pub(super) folder: PathBuf,
}

/// What starts workflows.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its name, such as `push`.
    pub name: String,
    /// The ref that it belongs to.
    pub reference: String,
    /// The commit that is checked out.
    pub sha: String,
    /// What GitHub says about it.
    pub payload: Value,
    /// Whether it comes from somebody who may not write to the repository.
    pub is_foreign: bool,
}

/// A run of a workflow.
#[derive(Debug, Clone)]
pub struct Run {
    /// The workflow's name.
    pub workflow: String,
    /// The file of the workflow.
    file: String,
    /// Its id, the same for each attempt.
    pub id: u64,
    /// How often the workflow was started by then.
    pub number: u64,
    /// How often the run was started by then.
    pub attempt: u64,
    /// What started it.
    pub event: Event,
    /// Its jobs.
    pub jobs: BTreeMap<String, JobRun>,
    /// Whether another run of its concurrency group took its place before it began.
    pub superseded: bool,
}

impl Run {
    /// `success`, `failure` or `cancelled`.
    pub fn conclusion(&self) -> &'static str {
        if self.superseded || self.jobs.values().any(|job| job.result == "cancelled") {
            "cancelled"
        } else if self.jobs.values().any(|job| job.result == "failure") {
            "failure"
        } else {
            "success"
        }
    }

    /// All that its steps wrote.
    pub fn log(&self) -> String {
        let steps = self.jobs.iter().flat_map(|(name, job)| job.steps.iter().map(move |step| (name, step)));
        steps
            .map(|(job, step)| format!("== {job}: {} ({})\n{}\n", step.name, step.outcome, step.log))
            .collect()
    }
}

impl Forge {
    /// The default branch.
    pub const BRANCH: &'static str = "main";

    /// A forge with an empty repository of this `owner/name`.
    ///
    /// # Errors
    /// The system has no room or no port left.
    pub fn new(repository: &str) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let forge = Self {
            api: Api::start(repository)?,
            repository: repository.to_owned(),
            actions: BTreeMap::new(),
            environment: BTreeMap::new(),
            secrets: BTreeMap::new(),
            caches: Vec::new(),
            artifacts: BTreeMap::new(),
            failing: BTreeSet::new(),
            cancelling: None,
            numbers: BTreeMap::new(),
            runs: 0,
            files: 0,
            folder,
        };
        std::fs::create_dir(forge.pages())?;
        let bare = forge.bare();
        git(forge.folder.path(), &["init", "--quiet", "--bare", "--initial-branch", Self::BRANCH, &bare]);
        git(Path::new(&bare), &["config", "uploadpack.allowAnySHA1InWant", "true"]);
        Ok(forge)
    }

    /// The folder that GitHub Pages serves.
    pub fn pages(&self) -> PathBuf {
        self.folder.path().join("pages")
    }

    /// The bare repository, to clone from and push to.
    pub fn bare(&self) -> String {
        self.folder.path().join("origin.git").to_string_lossy().into_owned()
    }

    /// Offers an action, and the inputs that it has on this forge's runners beside those of a workflow.
    pub fn offer(&mut self, name: &str, folder: &Path, inputs: &[(&str, &str)]) {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.actions.insert(name.to_owned(), (folder.to_path_buf(), inputs));
    }

    /// Makes the next use of an action of GitHub's fail, such as `actions/deploy-pages`.
    pub fn fail_next(&mut self, action: &str) {
        self.failing.insert(action.to_owned());
    }

    pub(super) fn is_failing(&mut self, action: &str) -> bool {
        self.failing.remove(action)
    }

    /// Cancels the next run that has a step of this name, as soon as that has ended.
    pub fn cancel_after(&mut self, step: &str) {
        self.cancelling = Some(step.to_owned());
    }

    pub(super) fn is_cancelling(&mut self, step: &str) -> bool {
        self.cancelling.take_if(|name| name == step).is_some()
    }

    /// The folder of the machine that runs jobs, one after the other.
    pub(super) fn machine(&self) -> PathBuf {
        self.folder.path().join("machine")
    }

    /// A folder that nobody has yet.
    pub(super) fn new_folder(&mut self) -> PathBuf {
        self.files += 1;
        self.folder.path().join("files").join(self.files.to_string())
    }

    /// The comments on a pull request.
    pub fn comments(&self, pull_request: u64) -> Vec<String> {
        self.api.comments(pull_request)
    }

    /// The folder of an artifact that a run has uploaded.
    pub fn artifact(&self, run: &Run, name: &str) -> Option<&Path> {
        self.artifacts.get(&(run.id, name.to_owned())).map(PathBuf::as_path)
    }

    /// The keys of all caches, the oldest first.
    pub fn caches(&self) -> Vec<String> {
        self.caches.iter().map(|cache| cache.key.clone()).collect()
    }

    /// Forgets the newest caches, so many.
    pub fn evict(&mut self, newest: usize) {
        self.caches.truncate(self.caches.len().saturating_sub(newest));
    }

    /// The commit at the top of a branch.
    pub fn head(&self, branch: &str) -> String {
        git(Path::new(&self.bare()), &["rev-parse", &format!("refs/heads/{branch}")])
    }

    /// The event of this name on the default branch as it is.
    pub fn event(&self, name: &str) -> Event {
        let reference = format!("refs/heads/{}", Self::BRANCH);
        Event {
            name: name.to_owned(),
            sha: self.head(Self::BRANCH),
            payload: json!({"ref": reference}),
            reference,
            is_foreign: false,
        }
    }

    /// A pull request for a branch that was pushed as `refs/heads/<owner>/<branch>`, as GitHub merges it. `owner` has a
    /// fork, unless it is the repository's own.
    pub fn pull_request(&mut self, number: u64, owner: &str, branch: &str) -> Event {
        let (base, head) = (self.head(Self::BRANCH), self.head(&format!("{owner}/{branch}")));
        let (bare, merge) = (self.bare(), self.new_folder());
        std::fs::create_dir_all(&merge).expect("a folder can be created");
        git(&merge, &["clone", "--quiet", &bare, "."]);
        git(&merge, &["checkout", "--quiet", "--detach", &base]);
        git(
            &merge,
            &["merge", "--quiet", "--no-ff", "--message", &format!("Merge {head} into {base}"), &head],
        );
        let reference = format!("refs/pull/{number}/merge");
        git(&merge, &["push", "--quiet", "--force", "origin", &format!("HEAD:{reference}")]);
        let sha = git(&merge, &["rev-parse", "HEAD"]);
        self.api.open(number, owner, branch, &head);
        let (own, _) = self.repository.split_once('/').expect("owner/name");
        Event {
            name: "pull_request".to_owned(),
            is_foreign: own != owner,
            payload: json!({
                "number": number,
                "pull_request": {
                    "number": number,
                    "head": {"sha": head, "ref": branch, "user": {"login": owner}},
                    "base": {"sha": base, "ref": Self::BRANCH},
                },
            }),
            reference,
            sha,
        }
    }

    /// Runs every workflow that the event starts, and those that these start when they have ended.
    pub fn start(&mut self, event: &Event) -> Vec<Run> {
        self.start_together(std::slice::from_ref(event))
    }

    /// The same for events that come while the workflows of the first of them run.
    pub fn start_together(&mut self, events: &[Event]) -> Vec<Run> {
        let mut waiting: Vec<(Run, Workflow)> = Vec::new();
        for event in events {
            for (file, workflow) in self.workflows(&event.sha) {
                if workflow.is_started_by(&event.name) {
                    waiting.push((self.begin(file, &workflow, event), workflow));
                }
            }
        }
        // The first run of a group begins. Of those that wait for it, only the newest stays.
        let groups: Vec<_> = waiting.iter().map(|(run, workflow)| self.group(run, workflow)).collect();
        for (at, group) in groups.iter().enumerate() {
            let Some((group, cancels)) = group else { continue };
            let same: Vec<_> =
                groups.iter().map(|other| other.as_ref().is_some_and(|(other, _)| other == group)).collect();
            let is_first = !same[..at].contains(&true);
            let is_last = !same[at + 1..].contains(&true);
            waiting[at].0.superseded = !is_last && (!is_first || *cancels);
        }
        let mut runs = Vec::new();
        for (run, workflow) in waiting {
            let run = self.carry_out(run, &workflow);
            if !run.superseded {
                runs.extend(self.completed(&run));
            }
            runs.push(run);
        }
        runs.sort_by_key(|run| run.id);
        runs
    }

    /// Runs all jobs of a run again, with the same commit.
    pub fn rerun(&mut self, run: &Run) -> Run {
        let workflows = self.workflows(&run.event.sha);
        let (_, workflow) =
            workflows.into_iter().find(|(file, _)| *file == run.file).expect("the workflow is there");
        let again = Run { attempt: run.attempt + 1, jobs: BTreeMap::new(), ..run.clone() };
        self.carry_out(again, &workflow)
    }

    fn workflows(&self, sha: &str) -> Vec<(String, Workflow)> {
        let bare = self.bare();
        let show = |what: &str| git(Path::new(&bare), &["show", &format!("{sha}:{what}")]);
        let files = git(Path::new(&bare), &["ls-tree", "--name-only", sha, ".github/workflows/"]);
        files.lines().map(|file| (file.to_owned(), Workflow::read(&show(file)))).collect()
    }

    fn begin(&mut self, file: String, workflow: &Workflow, event: &Event) -> Run {
        self.runs += 1;
        let number = self.numbers.entry(file.clone()).or_default();
        *number += 1;
        Run {
            workflow: workflow.name.clone(),
            file,
            id: 1000 + self.runs,
            number: *number,
            attempt: 1,
            event: event.clone(),
            jobs: BTreeMap::new(),
            superseded: false,
        }
    }

    fn group(&self, run: &Run, workflow: &Workflow) -> Option<(String, bool)> {
        let concurrency = workflow.concurrency.as_ref()?;
        let mut scope = Scope::default();
        scope.contexts.insert("github".to_owned(), runner::github(self, run, ""));
        Some((scope.text(&concurrency.group), concurrency.cancel_in_progress))
    }

    fn carry_out(&mut self, mut run: Run, workflow: &Workflow) -> Run {
        if run.superseded {
            return run;
        }
        for name in workflow.order() {
            let job = runner::run_job(self, &run, workflow, name);
            run.jobs.insert(name.to_owned(), job);
        }
        run
    }

    /// Runs the workflows that wait for this one to end.
    fn completed(&mut self, run: &Run) -> Vec<Run> {
        let head = &run.event.payload["pull_request"]["head"];
        let mut event = self.event("workflow_run");
        let own = run.event.payload["pull_request"].is_null();
        event.payload = json!({"workflow_run": {
            "id": run.id,
            "name": run.workflow,
            "event": run.event.name,
            "conclusion": run.conclusion(),
            "html_url": format!("https://github.com/{}/actions/runs/{}", self.repository, run.id),
            "head_sha": if own { json!(run.event.sha) } else { head["sha"].clone() },
            "head_branch": if own { json!(Self::BRANCH) } else { head["ref"].clone() },
            "head_repository": {"owner": head["user"].clone()},
        }});
        let mut runs = Vec::new();
        for (file, workflow) in self.workflows(&event.sha) {
            let names = &workflow.on["workflow_run"]["workflows"];
            if names.as_array().is_some_and(|names| names.contains(&json!(run.workflow))) {
                let next = self.begin(file, &workflow, &event);
                runs.push(self.carry_out(next, &workflow));
            }
        }
        runs
    }
}

/// Runs git, and returns what it says.
pub(super) fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments);
    for (name, value) in
        [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null"), ("GIT_TERMINAL_PROMPT", "0")]
    {
        command.env(name, value);
    }
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Ada").env(format!("GIT_{role}_EMAIL"), "ada@example.org");
    }
    let output = command.output().expect("git is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {}: {said}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}
