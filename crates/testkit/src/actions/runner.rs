//! The runner: executes the steps of a job with the variables and files that GitHub's runners provide
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/variables>).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

use super::expression::{Scope, to_text};
use super::forge::{Forge, Run};
use super::uses;
use super::workflow::{Action, Step, Workflow};

/// The result of a job.
#[derive(Debug, Clone, Default)]
pub struct JobRun {
    /// `success`, `failure`, `cancelled` or `skipped`.
    pub result: String,
    /// The job's outputs.
    pub outputs: Map<String, Value>,
    /// The steps, including those of composite actions.
    pub steps: Vec<StepRun>,
}

/// The result of a step.
#[derive(Debug, Clone)]
pub struct StepRun {
    /// The step's name, or the action that it uses.
    pub name: String,
    /// `success`, `failure` or `skipped`.
    pub outcome: String,
    /// All environment variables of the process, or all inputs of one of GitHub's actions.
    pub environment: BTreeMap<String, String>,
    /// The standard output and standard error.
    pub log: String,
    /// The text written to the job summary.
    pub summary: String,
}

/// A running job.
pub(super) struct Runner<'f> {
    pub(super) forge: &'f mut Forge,
    pub(super) run: &'f Run,
    pub(super) job: &'f str,
    pub(super) permissions: Map<String, Value>,
    pub(super) workspace: PathBuf,
    pub(super) temporary: PathBuf,
    path: Vec<PathBuf>,
    /// The variables that steps have written to `GITHUB_ENV`.
    exported: BTreeMap<String, String>,
    default_shell: Option<String>,
    steps: Vec<StepRun>,
    cancelled: bool,
}

/// The steps of a job, or of a composite action.
struct Frame<'a> {
    contexts: Map<String, Value>,
    env: BTreeMap<String, String>,
    steps: Map<String, Value>,
    failed: bool,
    /// The folder of the composite action.
    action: Option<&'a Path>,
}

/// Returns the `github` context.
pub(super) fn github(forge: &Forge, run: &Run, token: &str) -> Value {
    let reference = &run.event.reference;
    json!({
        "actor": "ada",
        "api_url": forge.api.url(),
        "event": run.event.payload,
        "event_name": run.event.name,
        "ref": reference,
        "ref_name": reference.trim_start_matches("refs/heads/").trim_start_matches("refs/pull/"),
        "repository": forge.repository,
        "run_attempt": run.attempt.to_string(),
        "run_id": run.id.to_string(),
        "run_number": run.number.to_string(),
        "server_url": "https://github.com",
        "sha": run.event.sha,
        "token": token,
        "workflow": run.workflow,
    })
}

/// Runs a job, unless its condition or a job that it needs prevents it.
pub(super) fn run_job(forge: &mut Forge, run: &Run, workflow: &Workflow, name: &str) -> JobRun {
    let job = &workflow.jobs[name];
    let needs: Map<String, Value> = job
        .needs()
        .into_iter()
        .map(|need| {
            let JobRun { result, outputs, .. } = &run.jobs[need];
            (need.to_owned(), json!({"result": result, "outputs": outputs}))
        })
        .collect();
    let mut permissions = workflow.permissions(job).clone();
    if run.event.is_foreign {
        // A pull request from a fork never gets write access
        // (https://docs.github.com/en/actions/reference/security/secure-use).
        permissions.values_mut().for_each(|permission| *permission = json!("read"));
    }
    let token = format!("ghs_{}_{}_{name}", run.id, run.attempt);
    forge.api.grant(&token, &permissions);
    let environment =
        job.environment.as_ref().map(|environment| environment.name.clone()).unwrap_or_default();
    let secrets: Map<String, Value> = forge
        .secrets
        .iter()
        .filter(|((of, _), _)| !run.event.is_foreign && (of.is_empty() || *of == environment))
        .map(|((_, name), value)| (name.clone(), json!(value)))
        .collect();

    // Each job has a fresh machine, on which the folders have the same paths.
    let folder = forge.machine();
    let (workspace, temporary) = (folder.join("workspace"), folder.join("temporary"));
    for folder in [&workspace, &temporary, &folder.join("home")] {
        std::fs::create_dir_all(folder).expect("a folder can be created");
    }
    let mut contexts = Map::new();
    contexts.insert("github".into(), github(forge, run, &token));
    contexts.insert("needs".into(), Value::Object(needs));
    contexts.insert("secrets".into(), Value::Object(secrets));
    contexts.insert("runner".into(), json!({"os": "Linux", "arch": "X64", "temp": temporary}));

    // A failed job fails all jobs that need it, even across a skipped one.
    let has_failed = |name: &str| run.jobs[name].result != "success";
    let cancelled = run.conclusion() == "cancelled";
    let scope = Scope { contexts, failed: job.needs().into_iter().any(has_failed), cancelled };
    if !scope.admits(job.condition.as_deref()) {
        return JobRun { result: "skipped".into(), ..JobRun::default() };
    }
    let env = job.env.iter().map(|(name, value)| (name.clone(), scope.text(value))).collect();
    let mut frame = Frame { contexts: scope.contexts, env, steps: Map::new(), failed: false, action: None };
    let mut runner = Runner {
        run,
        job: name,
        permissions,
        workspace,
        temporary,
        path: Vec::new(),
        exported: BTreeMap::new(),
        default_shell: workflow.defaults.run.shell.clone(),
        steps: Vec::new(),
        cancelled,
        forge,
    };
    runner.run_steps(&job.steps, &mut frame);
    let steps = std::mem::take(&mut runner.steps);
    let result = match (runner.cancelled, frame.failed) {
        (true, _) => "cancelled",
        (false, true) => "failure",
        (false, false) => "success",
    };
    let scope = frame.scope(&BTreeMap::new());
    let outputs = job.outputs.iter().map(|(name, value)| (name.clone(), json!(scope.text(value)))).collect();
    let _ = std::fs::remove_dir_all(folder);
    JobRun { result: result.into(), outputs, steps }
}

impl Frame<'_> {
    fn scope(&self, env: &BTreeMap<String, String>) -> Scope {
        let mut contexts = self.contexts.clone();
        contexts.insert("steps".into(), Value::Object(self.steps.clone()));
        contexts.insert("env".into(), json!(env));
        Scope { contexts, failed: self.failed, cancelled: false }
    }
}

impl Runner<'_> {
    fn run_steps(&mut self, steps: &[Step], frame: &mut Frame<'_>) {
        for step in steps {
            let mut env = frame.env.clone();
            env.extend(self.exported.clone());
            let scope = Scope { cancelled: self.cancelled, ..frame.scope(&env) };
            let (outcome, outputs) = if !scope.admits(step.condition.as_deref()) {
                self.note(step, "skipped", BTreeMap::new(), String::new(), String::new());
                ("skipped", Map::new())
            } else {
                env.extend(step.env.iter().map(|(name, value)| (name.clone(), scope.text(value))));
                let (succeeded, outputs) = match (&step.uses, &step.run) {
                    (Some(uses), None) => self.use_action(step, uses, &scope, env),
                    (None, Some(script)) => self.run_script(step, script, &scope, env, frame.action),
                    _ => panic!("a step needs either `uses` or `run`: {step:?}"),
                };
                (if succeeded { "success" } else { "failure" }, outputs)
            };
            let is_failure = outcome == "failure" && !step.continue_on_error;
            frame.failed |= is_failure;
            self.cancelled |= self.forge.is_cancelling(&step.name);
            if let Some(id) = &step.id {
                let conclusion = if outcome == "failure" && !is_failure { "success" } else { outcome };
                let of_step = json!({"outputs": outputs, "outcome": outcome, "conclusion": conclusion});
                frame.steps.insert(id.clone(), of_step);
            }
        }
    }

    fn note(
        &mut self,
        step: &Step,
        outcome: &str,
        environment: BTreeMap<String, String>,
        log: String,
        summary: String,
    ) {
        let name =
            if step.name.is_empty() { step.uses.clone().unwrap_or_default() } else { step.name.clone() };
        self.steps.push(StepRun { name, outcome: outcome.to_owned(), environment, log, summary });
    }

    fn use_action(
        &mut self,
        step: &Step,
        uses: &str,
        scope: &Scope,
        env: BTreeMap<String, String>,
    ) -> (bool, Map<String, Value>) {
        let (name, commit) = uses.split_once('@').unwrap_or_else(|| panic!("{uses} is not pinned"));
        assert!(
            commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{uses} is not pinned"
        );
        let with: BTreeMap<String, String> = step
            .with
            .iter()
            .map(|(name, value)| {
                let value = value.as_str().map_or_else(|| value.clone(), |text| scope.fill(text));
                (name.clone(), to_text(&value))
            })
            .collect();
        let Some((folder, more)) = self.forge.actions.get(name).cloned() else {
            let outcome = match self.forge.is_failing(name) {
                true => Err("failed on request of the test".to_owned()),
                false => uses::run(self, name, &with),
            };
            let (succeeded, outputs, log) = match outcome {
                Ok((outputs, log)) => (true, outputs, log),
                Err(log) => (false, Map::new(), log),
            };
            let outcome = if succeeded { "success" } else { "failure" };
            self.note(step, outcome, with, log, String::new());
            return (succeeded, outputs);
        };
        let text = std::fs::read_to_string(folder.join("action.yml")).expect("the action exists");
        let action = Action::read(&text);
        let mut inputs = Map::new();
        for (name, input) in &action.inputs {
            let given = more.get(name).or_else(|| with.get(name)).cloned();
            inputs.insert(name.clone(), json!(given.unwrap_or_else(|| scope.text(&input.default))));
        }
        for name in with.keys().chain(more.keys()) {
            assert!(action.inputs.contains_key(name), "the action has no input `{name}`");
        }
        // A composite action sees neither the secrets nor the needs of the job.
        let mut contexts = scope.contexts.clone();
        contexts.retain(|name, _| matches!(name.as_str(), "github" | "runner"));
        contexts.insert("inputs".into(), Value::Object(inputs));
        let mut frame = Frame { contexts, env, steps: Map::new(), failed: false, action: Some(&folder) };
        let default_shell = self.default_shell.take();
        self.run_steps(&action.runs.steps, &mut frame);
        self.default_shell = default_shell;
        let scope = frame.scope(&BTreeMap::new());
        let output = |(name, output): (&String, &super::workflow::Output)| {
            (name.clone(), json!(scope.text(&output.value)))
        };
        (!frame.failed, action.outputs.iter().map(output).collect())
    }

    fn run_script(
        &mut self,
        step: &Step,
        script: &str,
        scope: &Scope,
        env: BTreeMap<String, String>,
        action: Option<&Path>,
    ) -> (bool, Map<String, Value>) {
        assert!(
            !script.contains("${{"),
            "a script contains an expression, which lets strangers' text become code:\n{script}"
        );
        let shell = step.shell.as_ref().or(self.default_shell.as_ref());
        let shell = shell.unwrap_or_else(|| panic!("the step `{}` names no shell", step.name));
        assert_eq!(shell, "bash", "unsupported shell");
        let files = self.forge.new_folder();
        std::fs::create_dir_all(&files).expect("a folder can be created");
        let (script_file, log_file) = (files.join("script.sh"), files.join("log"));
        std::fs::write(&script_file, script).expect("the script can be written");
        let mut variables = self.variables(&files);
        for name in ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"] {
            std::fs::write(&variables[name], "").expect("a file can be written");
        }
        if let Some(folder) = action {
            variables.insert("GITHUB_ACTION_PATH".into(), folder.to_string_lossy().into_owned());
        }
        variables.extend(env);
        let folder = step
            .working_directory
            .as_ref()
            .map_or_else(|| self.workspace.clone(), |folder| self.workspace.join(scope.text(folder)));
        let log = std::fs::File::create(&log_file).expect("the log can be written");
        let status = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(&script_file)
            .current_dir(folder)
            .env_clear()
            .envs(&variables)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .status()
            .expect("bash is installed");
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        let pairs = |name: &str| -> Vec<(String, String)> {
            let text = read(&variables[name]);
            let pair =
                |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
            text.lines()
                .map(|line| pair(line).unwrap_or_else(|| panic!("invalid line in {name}: `{line}`")))
                .collect()
        };
        let outputs = pairs("GITHUB_OUTPUT").into_iter().map(|(name, value)| (name, json!(value))).collect();
        self.exported.extend(pairs("GITHUB_ENV"));
        for folder in read(&variables["GITHUB_PATH"]).lines() {
            self.path.insert(0, folder.into());
        }
        let log = String::from_utf8_lossy(&std::fs::read(&log_file).unwrap_or_default()).into_owned();
        let summary = read(&variables["GITHUB_STEP_SUMMARY"]);
        self.note(step, if status.success() { "success" } else { "failure" }, variables, log, summary);
        let _ = std::fs::remove_dir_all(files);
        (status.success(), outputs)
    }

    fn variables(&self, files: &Path) -> BTreeMap<String, String> {
        let mut variables = self.forge.environment.clone();
        let context = github(self.forge, self.run, "");
        for name in [
            "actor",
            "api_url",
            "event_name",
            "ref",
            "ref_name",
            "repository",
            "run_attempt",
            "run_id",
            "run_number",
            "server_url",
            "sha",
            "workflow",
        ] {
            let of_github = format!("GITHUB_{}", name.to_ascii_uppercase());
            variables.entry(of_github).or_insert_with(|| to_text(&context[name]));
        }
        let own = std::env::var("PATH").unwrap_or_default();
        let path = self.path.iter().map(|folder| folder.to_string_lossy().into_owned()).chain([own]);
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let home = self.workspace.with_file_name("home");
        variables.extend([
            ("PATH".to_owned(), path.collect::<Vec<_>>().join(":")),
            ("HOME".to_owned(), text(home)),
            ("CI".to_owned(), "true".to_owned()),
            ("GITHUB_ACTIONS".to_owned(), "true".to_owned()),
            ("GITHUB_JOB".to_owned(), self.job.to_owned()),
            ("GITHUB_WORKSPACE".to_owned(), text(self.workspace.clone())),
            ("GITHUB_OUTPUT".to_owned(), text(files.join("output"))),
            ("GITHUB_ENV".to_owned(), text(files.join("env"))),
            ("GITHUB_PATH".to_owned(), text(files.join("path"))),
            ("GITHUB_STEP_SUMMARY".to_owned(), text(files.join("summary"))),
            ("RUNNER_OS".to_owned(), "Linux".to_owned()),
            ("RUNNER_ARCH".to_owned(), "X64".to_owned()),
            ("RUNNER_TEMP".to_owned(), text(self.temporary.clone())),
        ]);
        variables
    }
}
