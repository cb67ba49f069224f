//! The forge: the state that outlives a run, and the workflows that an event starts.

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
    /// The folders of third-party actions by `owner/name`, each with the inputs that this forge's runners add.
    pub(super) actions: BTreeMap<String, (PathBuf, BTreeMap<String, String>)>,
    /// Environment variables of every step, as on a runner that an administrator has set up.
    pub environment: BTreeMap<String, String>,
    /// Secrets, by environment and name; the repository's own secrets have an empty environment.
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
    /// The path that was saved; a restore finds the cache only with the same path.
    pub(super) path: String,
    /// The ref that saved it. Other refs see it only if this is the default branch.
    pub(super) scope: String,
    pub(super) folder: PathBuf,
}

/// An event that starts workflows.
#[derive(Debug, Clone)]
pub struct Event {
    /// The name, such as `push`.
    pub name: String,
    /// The ref that the event belongs to.
    pub reference: String,
    /// The commit to check out.
    pub sha: String,
    /// GitHub's description of the event.
    pub payload: Value,
    /// Whether the event comes from a user without write access to the repository.
    pub is_foreign: bool,
}

/// A run of a workflow.
#[derive(Debug, Clone)]
pub struct Run {
    /// The workflow's name.
    pub workflow: String,
    /// The workflow's file.
    file: String,
    /// The id, which is the same for each attempt.
    pub id: u64,
    /// How many times the workflow had been started, this run included.
    pub number: u64,
    /// How many times the run had been started, this attempt included.
    pub attempt: u64,
    /// The event that started the run.
    pub event: Event,
    /// The jobs by name.
    pub jobs: BTreeMap<String, JobRun>,
    /// Whether a newer run of its concurrency group replaced it before it began.
    pub superseded: bool,
}

impl Run {
    /// Returns `success`, `failure` or `cancelled`.
    pub fn conclusion(&self) -> &'static str {
        if self.superseded || self.jobs.values().any(|job| job.result == "cancelled") {
            "cancelled"
        } else if self.jobs.values().any(|job| job.result == "failure") {
            "failure"
        } else {
            "success"
        }
    }

    /// Returns everything that the steps wrote.
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

    /// Returns a forge with an empty repository `owner/name`.
    ///
    /// # Errors
    /// A folder can't be created, or no port is free.
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

    /// Returns the folder that GitHub Pages serves.
    pub fn pages(&self) -> PathBuf {
        self.folder.path().join("pages")
    }

    /// Returns the bare repository, to clone from and push to.
    pub fn bare(&self) -> String {
        self.folder.path().join("origin.git").to_string_lossy().into_owned()
    }

    /// Adds an action, with the inputs that this forge's runners give it in addition to those of a workflow.
    pub fn offer(&mut self, name: &str, folder: &Path, inputs: &[(&str, &str)]) {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.actions.insert(name.to_owned(), (folder.to_path_buf(), inputs));
    }

    /// Makes the next use of one of GitHub's actions fail, such as `actions/deploy-pages`.
    pub fn fail_next(&mut self, action: &str) {
        self.failing.insert(action.to_owned());
    }

    pub(super) fn is_failing(&mut self, action: &str) -> bool {
        self.failing.remove(action)
    }

    /// Cancels the next run that has a step of this name, right after that step.
    pub fn cancel_after(&mut self, step: &str) {
        self.cancelling = Some(step.to_owned());
    }

    pub(super) fn is_cancelling(&mut self, step: &str) -> bool {
        self.cancelling.take_if(|name| name == step).is_some()
    }

    /// Returns the folder of the machine that runs all jobs, one after another.
    pub(super) fn machine(&self) -> PathBuf {
        self.folder.path().join("machine")
    }

    /// Creates a new folder name.
    pub(super) fn new_folder(&mut self) -> PathBuf {
        self.files += 1;
        self.folder.path().join("files").join(self.files.to_string())
    }

    /// Returns the comments on a pull request.
    pub fn comments(&self, pull_request: u64) -> Vec<String> {
        self.api.comments(pull_request)
    }

    /// Returns the folder of an artifact that a run uploaded.
    pub fn artifact(&self, run: &Run, name: &str) -> Option<&Path> {
        self.artifacts.get(&(run.id, name.to_owned())).map(PathBuf::as_path)
    }

    /// Returns the keys of all caches, oldest first.
    pub fn caches(&self) -> Vec<String> {
        self.caches.iter().map(|cache| cache.key.clone()).collect()
    }

    /// Removes the `newest` newest caches.
    pub fn evict(&mut self, newest: usize) {
        self.caches.truncate(self.caches.len().saturating_sub(newest));
    }

    /// Returns the commit at the tip of a branch.
    pub fn head(&self, branch: &str) -> String {
        git(Path::new(&self.bare()), &["rev-parse", &format!("refs/heads/{branch}")])
    }

    /// Returns an event of this name on the tip of the default branch.
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

    /// Opens a pull request for a branch that was pushed as `refs/heads/<owner>/<branch>`, and creates its merge commit
    /// as GitHub does. The branch is in a fork unless `owner` owns the repository.
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

    /// Runs every workflow that the event starts, and the workflows that wait for these to complete.
    pub fn start(&mut self, event: &Event) -> Vec<Run> {
        self.start_together(std::slice::from_ref(event))
    }

    /// Starts events that arrive while the workflows of the first one run.
    pub fn start_together(&mut self, events: &[Event]) -> Vec<Run> {
        let mut waiting: Vec<(Run, Workflow)> = Vec::new();
        for event in events {
            for (file, workflow) in self.workflows(&event.sha) {
                if workflow.is_started_by(&event.name) {
                    waiting.push((self.begin(file, &workflow, event), workflow));
                }
            }
        }
        // The first run of a group begins. Of the runs that wait for it, only the newest remains.
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
            workflows.into_iter().find(|(file, _)| *file == run.file).expect("the workflow exists");
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

    /// Runs the workflows that wait for this run to complete.
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

/// Runs git, and returns its output.
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
    let output = command.output().expect("git is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {}: {said}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}
