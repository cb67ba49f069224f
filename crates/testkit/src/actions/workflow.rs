//! Workflows and composite actions, read from YAML.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A workflow. A key that isn't listed here is an error: it is misspelled, or the runner doesn't support it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Workflow {
    pub(super) name: String,
    pub(super) on: Value,
    permissions: Map<String, Value>,
    #[serde(default)]
    pub(super) defaults: Defaults,
    pub(super) concurrency: Option<Concurrency>,
    pub(super) jobs: BTreeMap<String, Job>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Defaults {
    #[serde(default)]
    pub(super) run: DefaultRun,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DefaultRun {
    pub(super) shell: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Concurrency {
    pub(super) group: String,
    #[serde(default)]
    pub(super) cancel_in_progress: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Job {
    #[serde(default, rename = "name")]
    _name: String,
    #[serde(default)]
    needs: Needs,
    #[serde(rename = "if")]
    pub(super) condition: Option<String>,
    #[serde(rename = "runs-on")]
    _runs_on: String,
    #[serde(default, rename = "timeout-minutes")]
    _timeout_minutes: u64,
    pub(super) permissions: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    pub(super) environment: Option<Environment>,
    #[serde(default)]
    pub(super) outputs: BTreeMap<String, String>,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(untagged)]
enum Needs {
    #[default]
    Nothing,
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Environment {
    pub(super) name: String,
    #[serde(default, rename = "url")]
    _url: String,
    #[serde(default, rename = "deployment")]
    _deployment: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Step {
    #[serde(default)]
    pub(super) name: String,
    pub(super) id: Option<String>,
    #[serde(rename = "if")]
    pub(super) condition: Option<String>,
    pub(super) uses: Option<String>,
    #[serde(default)]
    pub(super) with: BTreeMap<String, Value>,
    pub(super) run: Option<String>,
    pub(super) shell: Option<String>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    pub(super) working_directory: Option<String>,
    #[serde(default)]
    pub(super) continue_on_error: bool,
}

/// A composite action.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Action {
    #[serde(default)]
    pub(super) inputs: BTreeMap<String, Input>,
    #[serde(default)]
    pub(super) outputs: BTreeMap<String, Output>,
    pub(super) runs: Runs,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Input {
    #[serde(default)]
    pub(super) default: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Output {
    pub(super) value: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Runs {
    pub(super) using: String,
    pub(super) steps: Vec<Step>,
}

impl Workflow {
    pub(super) fn read(text: &str) -> Self {
        serde_yaml_ng::from_str(text).unwrap_or_else(|error| panic!("can't read the workflow: {error}"))
    }

    /// Returns whether an event of this name starts the workflow.
    pub(super) fn is_started_by(&self, event: &str) -> bool {
        match &self.on {
            Value::Object(events) => events.contains_key(event),
            other => panic!("expected a mapping of events, found {other}"),
        }
    }

    /// Returns the permissions of a job's token.
    pub(super) fn permissions<'w>(&'w self, job: &'w Job) -> &'w Map<String, Value> {
        job.permissions.as_ref().unwrap_or(&self.permissions)
    }

    /// Returns the names of the jobs, each after the jobs that it needs.
    pub(super) fn order(&self) -> Vec<&str> {
        let mut order: Vec<&str> = Vec::new();
        while order.len() < self.jobs.len() {
            let ready = self.jobs.iter().find(|(name, job)| {
                !order.contains(&name.as_str()) && job.needs().iter().all(|need| order.contains(need))
            });
            order.push(ready.expect("jobs don't need each other in a cycle").0);
        }
        order
    }
}

impl Job {
    /// Returns the jobs that have to finish first.
    pub(super) fn needs(&self) -> Vec<&str> {
        match &self.needs {
            Needs::Nothing => Vec::new(),
            Needs::One(name) => vec![name],
            Needs::Many(names) => names.iter().map(String::as_str).collect(),
        }
    }
}

impl Action {
    pub(super) fn read(text: &str) -> Self {
        let action: Self =
            serde_yaml_ng::from_str(text).unwrap_or_else(|error| panic!("can't read the action: {error}"));
        assert_eq!(action.runs.using, "composite");
        action
    }
}
