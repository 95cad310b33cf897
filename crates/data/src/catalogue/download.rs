//! One file over HTTP into a partial file that a broken download leaves behind and the next one continues.
//!
//! Knows sizes and bytes, not hashes: whether the content is right is for [`super::fetch`] to say.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use ureq::Agent;
use ureq::http::{Response, StatusCode, header};

use super::{CatalogueError, FetchOptions, Result};

/// A connection that gives no byte for this long is taken for broken.
const STALLED: Duration = Duration::from_secs(30);

/// The client that all downloads of a call share.
pub(super) struct Client {
    agent: Agent,
}

/// What one attempt came to.
#[derive(Debug)]
pub(super) enum Attempt {
    /// The partial file has all bytes.
    Complete,
    /// No complete answer; another attempt may do better.
    Broken { reason: String, connected: bool },
    /// The source refuses, and would again.
    Refused(u16),
    /// The source has, or sends, another number of bytes than the manifest says.
    WrongSize(u64),
}

impl Client {
    pub fn new(options: &FetchOptions) -> Result<Self> {
        let proxy = match &options.proxy {
            Some(proxy) => Some(
                ureq::Proxy::new(proxy)
                    .map_err(|_| CatalogueError::Proxy { proxy: proxy.clone() })?,
            ),
            None => None,
        };
        let config = Agent::config_builder()
            // Without a proxy of its own ureq would look into the environment, which a library must not.
            .proxy(proxy)
            // A compressed transfer would make offsets of the body differ from offsets of the file.
            .accept_encoding("identity")
            .user_agent("wuji-data")
            .http_status_as_error(false)
            .timeout_connect(Some(STALLED))
            .timeout_recv_response(Some(2 * STALLED))
            .timeout_per_read(Some(STALLED))
            .build();
        Ok(Self { agent: Agent::new_with_config(config) })
    }

    /// Continues `part`, a file of at most `expected` bytes, with what `url` has beyond its end.
    pub fn attempt(
        &self,
        url: &str,
        part: &Path,
        expected: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Attempt> {
        let have = part_size(part, expected)?;
        if have == expected && have > 0 {
            return Ok(Attempt::Complete);
        }
        let mut request = self.agent.get(url);
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        let mut response = match request.call() {
            Ok(response) => response,
            Err(error) => return Ok(Attempt::Broken { reason: reason(&error), connected: false }),
        };
        let start = match response.status() {
            StatusCode::PARTIAL_CONTENT if range_start(&response) == Some(have) => have,
            // The server does not know ranges, or not this one: from the beginning.
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                remove(part)?;
                return Ok(Attempt::Broken {
                    reason: "the source cannot continue there".to_owned(),
                    connected: true,
                });
            }
            status if status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429) => {
                return Ok(Attempt::Broken {
                    reason: format!("the source answered {}", status.as_u16()),
                    connected: true,
                });
            }
            status => return Ok(Attempt::Refused(status.as_u16())),
        };
        // A changed file is told from a broken connection by the size that the source announces.
        if let Some(rest) = response.body().content_length()
            && start + rest != expected
        {
            return Ok(Attempt::WrongSize(start + rest));
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(part)
            .map_err(CatalogueError::io("create", part))?;
        file.set_len(start).map_err(CatalogueError::io("write", part))?;
        receive(response.body_mut().as_reader(), file, part, start..expected, progress)
    }
}

/// Copies the body behind `range.start`; stops at the first byte beyond `range.end`.
fn receive(
    mut body: impl Read,
    mut file: File,
    part: &Path,
    range: std::ops::Range<u64>,
    progress: &mut dyn FnMut(u64),
) -> Result<Attempt> {
    let mut received = range.start;
    let mut buffer = vec![0; 1 << 16];
    let broken = |reason: String| Ok(Attempt::Broken { reason, connected: true });
    loop {
        match body.read(&mut buffer) {
            Ok(0) if received == range.end => {
                file.sync_all().map_err(CatalogueError::io("write", part))?;
                return Ok(Attempt::Complete);
            }
            Ok(0) => return broken("the connection was closed early".to_owned()),
            Ok(count) => {
                received += count as u64;
                if received > range.end {
                    return Ok(Attempt::WrongSize(received));
                }
                file.write_all(&buffer[..count]).map_err(CatalogueError::io("write", part))?;
                progress(received);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return broken(error.to_string()),
        }
    }
}

/// Size of the partial file; one that is too large belongs to something else and is removed.
pub(super) fn part_size(part: &Path, expected: u64) -> Result<u64> {
    match fs::metadata(part) {
        Ok(metadata) if metadata.len() <= expected => Ok(metadata.len()),
        Ok(_) => remove(part).map(|()| 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(CatalogueError::io("read", part)(error)),
    }
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CatalogueError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// The first byte of a partial answer, from `Content-Range: bytes 100-199/200`.
fn range_start<B>(response: &Response<B>) -> Option<u64> {
    let value = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    value.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

/// Why there was no answer, without the name of the host.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::HostNotFound => {
            "the name of the source's server cannot be resolved".to_owned()
        }
        ureq::Error::ConnectionFailed => "no connection".to_owned(),
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::BadUri(_) => "the address in the manifest is malformed".to_owned(),
        other => other.to_string(),
    }
}
