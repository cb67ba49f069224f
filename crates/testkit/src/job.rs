//! A program to run in a clean environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// A command line. Of the current environment it inherits only `PATH` and `HOME`.
#[derive(Debug, Clone)]
pub struct Job {
    /// The program.
    pub program: PathBuf,
    /// The arguments.
    pub arguments: Vec<OsString>,
    /// The environment variables.
    pub environment: Vec<(String, String)>,
    /// The working directory.
    pub folder: PathBuf,
}

impl Job {
    /// Returns a job without arguments, in this folder.
    pub fn new(program: impl Into<PathBuf>, folder: &Path) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: folder.to_owned(),
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn with<T: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Returns a command that starts `program` in the job's folder and environment.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env_clear().stdin(Stdio::null());
        for name in ["PATH", "HOME"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the job.
    ///
    /// # Errors
    /// The program can't be started, or fails.
    pub fn run(&self) -> Result<(), Failure> {
        let output = self.command(&self.program).args(&self.arguments).output();
        let output = output.map_err(|why| Failure::new(format!("{} doesn't run: {why}", self.name())))?;
        if output.status.success() { Ok(()) } else { Err(self.failed(&output.stderr)) }
    }

    fn name(&self) -> String {
        let words =
            std::iter::once(self.program.as_os_str()).chain(self.arguments.iter().map(OsString::as_os_str));
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    /// Returns the failure of this job, with its standard error.
    pub fn failed(&self, stderr: &[u8]) -> Failure {
        Failure::new(format!("{} failed:\n{}", self.name(), String::from_utf8_lossy(stderr).trim()))
    }
}
