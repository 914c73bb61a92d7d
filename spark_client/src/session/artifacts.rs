//! Files for the session's jobs.

use super::SparkSession;
use crate::{Error, rpc::Artifact};
use std::path::Path;

/// What a file is for.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use spark_client::ArtifactKind;
/// spark.add_artifact("target/functions.jar", ArtifactKind::Jar).await?;
/// spark.register_java_function("score", "org.example.Score", Some("double")).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArtifactKind {
    /// A jar: its classes are found by the session's queries.
    Jar,
    /// A file that each executor gets.
    File,
    /// An archive (`.zip`, `.jar`, `.tar.gz`, `.tgz`, `.tar`) that each executor gets unpacked.
    Archive,
    /// Python code (`.py`, `.zip`, `.egg`, `.jar`) for the server's Python workers.
    Python,
}

impl ArtifactKind {
    fn folder(self) -> &'static str {
        match self {
            Self::Jar => "jars",
            Self::File => "files",
            Self::Archive => "archives",
            Self::Python => "pyfiles",
        }
    }

    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Jar => &[".jar"],
            Self::File => &[""],
            Self::Archive => &[".zip", ".jar", ".tar.gz", ".tgz", ".tar"],
            Self::Python => &[".py", ".zip", ".egg", ".jar"],
        }
    }
}

impl SparkSession {
    /// Uploads a file of this machine for the jobs of this session, under its own name.
    pub async fn add_artifact(&self, path: impl AsRef<Path>, kind: ArtifactKind) -> Result<(), Error> {
        self.add_artifacts([path], kind).await
    }

    /// [`SparkSession::add_artifact`] for several files, in one call.
    pub async fn add_artifacts(
        &self,
        paths: impl IntoIterator<Item = impl AsRef<Path>>,
        kind: ArtifactKind,
    ) -> Result<(), Error> {
        let artifact = |path: &Path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.is_empty() || !kind.endings().iter().any(|ending| name.ends_with(ending)) {
                let (shown, endings) = (path.display(), kind.endings().join(", "));
                let message =
                    format!("{shown} cannot be uploaded as {kind:?}: its name must end in {endings}");
                return Err(Error::invalid_input(message));
            }
            Artifact::file(format!("{}/{name}", kind.folder()), path)
        };
        let artifacts: Vec<_> =
            paths.into_iter().map(|path| artifact(path.as_ref())).collect::<Result<_, _>>()?;
        self.connection().add_artifacts(artifacts).await
    }

    /// Copies a file of this machine to a path of the server's default file system, which must begin with `/`. The
    /// server refuses its own disk unless it was told to allow that.
    pub async fn copy_from_local_to_fs(
        &self,
        path: impl AsRef<Path>,
        destination: &str,
    ) -> Result<(), Error> {
        if !destination.starts_with('/') {
            return Err(Error::invalid_input(format!("{destination} is not an absolute path")));
        }
        let artifact = Artifact::file(format!("forward_to_fs{destination}"), path.as_ref())?;
        self.connection().add_artifacts(vec![artifact]).await
    }
}
