//! Files and rows on their way to the server, in pieces that are checked on arrival.

use super::Connection;
use crate::{
    Error, ErrorKind,
    proto::{
        AddArtifactsRequest, AddArtifactsResponse, ArtifactStatusesRequest,
        add_artifacts_request::{ArtifactChunk, Batch, BeginChunkedArtifact, Payload, SingleChunkArtifact},
    },
};
use bytes::Bytes;
use futures::{SinkExt as _, channel::mpsc};
use std::{
    collections::HashSet,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Bytes of one piece.
const PIECE: usize = 256 * 1024;

/// Something to be uploaded under a name.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    name: String,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Memory(Bytes),
    File { path: PathBuf, bytes: u64 },
}

impl Artifact {
    pub(crate) fn in_memory(name: String, content: Bytes) -> Self {
        Self { name, content: Content::Memory(content) }
    }

    /// A file, which is read while it is uploaded.
    pub(crate) fn file(name: String, path: &Path) -> Result<Self, Error> {
        let metadata = std::fs::metadata(path).map_err(|e| unreadable(path, e))?;
        if !metadata.is_file() {
            return Err(Error::invalid_input(format!("{} is not a file", path.display())));
        }
        let content = Content::File { path: path.to_owned(), bytes: metadata.len() };
        Ok(Self { name, content })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> u64 {
        match &self.content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::File { bytes, .. } => *bytes,
        }
    }
}

fn unreadable(path: &Path, e: std::io::Error) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("{} cannot be read", path.display())).with_source(e)
}

impl Connection {
    /// The names that the server has already.
    pub(crate) async fn known_artifacts(&self, names: Vec<String>) -> Result<HashSet<String>, Error> {
        let request = ArtifactStatusesRequest {
            session_id: self.session_id(),
            client_observed_server_side_session_id: self.server_session_id(),
            user_context: self.user_context(),
            client_type: self.client_type(),
            names,
        };
        let response = self
            .call("asking for artifacts", |mut c| {
                let request = request.clone();
                async move { Box::pin(c.artifact_status(request)).await }
            })
            .await?;
        self.verify(&response)?;
        Ok(response.statuses.into_iter().filter(|(_, status)| status.exists).map(|(name, _)| name).collect())
    }

    /// Uploads, in one call. What is there under the same name is left as it is when it is the same.
    pub(crate) async fn add_artifacts(&self, artifacts: Vec<Artifact>) -> Result<(), Error> {
        self.ensure_session().await?;
        let artifacts: Arc<[Artifact]> = artifacts.into();
        let failed_read = Arc::new(Mutex::new(None));
        let added = self
            .call("uploading artifacts", |mut c| {
                let requests = self.requests(&artifacts, &failed_read);
                async move { Box::pin(c.add_artifacts(requests)).await }
            })
            .await;
        if let Some(error) = failed_read.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error);
        }
        let response: AddArtifactsResponse = added?;
        self.verify(&response)?;
        match response.artifacts.iter().find(|summary| !summary.is_crc_successful) {
            None => Ok(()),
            Some(damaged) => {
                let message = format!("artifact {} arrived damaged at the server; try again", damaged.name);
                Err(Error::new(ErrorKind::Protocol, message).with_retryable(true))
            }
        }
    }

    fn requests(
        &self,
        artifacts: &Arc<[Artifact]>,
        failed_read: &Arc<Mutex<Option<Error>>>,
    ) -> mpsc::Receiver<AddArtifactsRequest> {
        let request = AddArtifactsRequest {
            session_id: self.session_id(),
            client_observed_server_side_session_id: self.server_session_id(),
            user_context: self.user_context(),
            client_type: self.client_type(),
            payload: None,
        };
        // Few pieces wait here: the rest is read when the server has taken those.
        let (mut sender, requests) = mpsc::channel(4);
        let (artifacts, failed_read) = (artifacts.clone(), failed_read.clone());
        tokio::spawn(async move {
            for artifact in artifacts.iter() {
                let mut pieces = Pieces::new(artifact);
                loop {
                    let read = tokio::task::spawn_blocking(move || (pieces.next_payload(), pieces)).await;
                    let Ok((payload, rest)) = read else { return };
                    pieces = rest;
                    match payload {
                        Ok(Some(payload)) => {
                            let request = AddArtifactsRequest { payload: Some(payload), ..request.clone() };
                            // The call has failed: nobody listens any more.
                            if sender.send(request).await.is_err() {
                                return;
                            }
                        }
                        Ok(None) => break,
                        // The server refuses an artifact that ends early.
                        Err(error) => {
                            *failed_read.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                            return;
                        }
                    }
                }
            }
        });
        requests
    }
}

/// One artifact, cut up.
struct Pieces {
    artifact: Artifact,
    file: Option<File>,
    sent: u64,
    has_begun: bool,
}

impl Pieces {
    fn new(artifact: &Artifact) -> Self {
        Self { artifact: artifact.clone(), file: None, sent: 0, has_begun: false }
    }

    /// The next message, or none after the last.
    fn next_payload(&mut self) -> Result<Option<Payload>, Error> {
        let total = self.artifact.len();
        if self.has_begun && self.sent >= total {
            return Ok(None);
        }
        let data = self.piece()?;
        let is_first = !self.has_begun;
        self.has_begun = true;
        self.sent += data.len() as u64;
        let chunk = ArtifactChunk { crc: crc32fast::hash(&data).into(), data };
        let name = self.artifact.name.clone();
        Ok(Some(match (is_first, self.sent == total) {
            (true, true) => {
                let artifacts = vec![SingleChunkArtifact { name, data: Some(chunk) }];
                Payload::Batch(Batch { artifacts })
            }
            (true, false) => Payload::BeginChunk(BeginChunkedArtifact {
                name,
                total_bytes: total as i64,
                num_chunks: total.div_ceil(PIECE as u64) as i64,
                initial_chunk: Some(chunk),
            }),
            (false, _) => Payload::Chunk(chunk),
        }))
    }

    fn piece(&mut self) -> Result<Bytes, Error> {
        let rest = self.artifact.len().saturating_sub(self.sent);
        let length = usize::try_from(rest).unwrap_or(PIECE).min(PIECE);
        match &self.artifact.content {
            Content::Memory(bytes) => {
                let from = self.sent as usize;
                Ok(bytes.slice(from..from + length))
            }
            Content::File { path, .. } => {
                let file = match &mut self.file {
                    Some(file) => file,
                    none => none.insert(File::open(path).map_err(|e| unreadable(path, e))?),
                };
                let mut data = vec![0; length];
                file.read_exact(&mut data).map_err(|e| unreadable(path, e))?;
                Ok(data.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payloads(artifact: &Artifact) -> Vec<Payload> {
        let mut pieces = Pieces::new(artifact);
        std::iter::from_fn(|| pieces.next_payload().unwrap()).collect()
    }

    fn data(payload: &Payload) -> Bytes {
        let chunk = match payload {
            Payload::Batch(batch) => batch.artifacts[0].data.clone(),
            Payload::BeginChunk(begin) => begin.initial_chunk.clone(),
            Payload::Chunk(chunk) => Some(chunk.clone()),
        };
        let chunk = chunk.unwrap();
        assert_eq!(chunk.crc, i64::from(crc32fast::hash(&chunk.data)));
        chunk.data
    }

    #[test]
    fn pieces_are_the_whole() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let content: Bytes = (0..length).map(|i| (i % 251) as u8).collect();
            let mut file = tempfile::NamedTempFile::new().unwrap();
            std::io::Write::write_all(&mut file, &content).unwrap();
            let in_memory = Artifact::in_memory("a".to_owned(), content.clone());
            let in_file = Artifact::file("a".to_owned(), file.path()).unwrap();
            for artifact in [in_memory, in_file] {
                let sent = payloads(&artifact);
                assert_eq!(sent.len(), length.div_ceil(PIECE).max(1), "{length}");
                if let Payload::BeginChunk(begin) = &sent[0] {
                    assert_eq!((begin.total_bytes, begin.num_chunks), (length as i64, sent.len() as i64));
                }
                let received: Vec<u8> = sent.iter().flat_map(data).collect();
                assert_eq!(received, content, "{length}");
            }
        }
    }

    #[test]
    fn a_missing_file_is_an_error() {
        assert!(Artifact::file("a".to_owned(), Path::new("/nowhere/a.jar")).is_err());
    }
}
