//! `fetch` over a real socket: broken connections, wrong content, refusals, no network at all.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::read::GzDecoder;

use super::server::{Reply, Server};
use super::{compressed, manifest, plain};
use crate::catalogue::{
    CatalogueError, DatasetManifest, FetchEvent, FetchOptions, FetchOutcome, FetchReport,
    FileStatus,
};
use crate::source::{DocumentSource, FileSource};

/// Large enough for several network packets.
fn tale() -> Vec<u8> {
    "Once upon a time there was a download.\n".repeat(5_000).into_bytes()
}

fn fetch(
    manifest: &DatasetManifest,
    root: &Path,
    attempts: u32,
) -> Result<FetchReport, CatalogueError> {
    let options =
        FetchOptions { attempts, retry_delay: Duration::from_millis(1), ..FetchOptions::default() };
    manifest.fetch(root, &options, &mut |_| {})
}

fn files(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root.join("pretrain")) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_file_arrives_under_its_name_and_nothing_else_is_left() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    let server = Server::start(&content, Vec::new());
    let mut events = Vec::new();
    let report = plain(&server.url, &content)
        .fetch(root.path(), &FetchOptions::default(), &mut |event| {
            events.push(format!("{event:?}"))
        })
        .unwrap();
    assert_eq!(report.files, [("pretrain/tale.txt".to_owned(), FetchOutcome::Downloaded)]);
    assert_eq!(files(root.path()), [root.path().join("pretrain/tale.txt")]);
    assert_eq!(fs::read(root.path().join("pretrain/tale.txt")).unwrap(), content);
    assert!(events[0].starts_with("Started"), "{events:?}");
    assert_eq!(
        events[events.len() - 2],
        format!("Received {{ have: {0}, total: {0} }}", content.len())
    );
    assert!(events[events.len() - 1].starts_with("Finished"), "{events:?}");
}

#[test]
fn a_broken_download_goes_on_where_it_stopped_in_the_next_call() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    let server = Server::start(&content, vec![Reply::BreakAfter(70_000)]);
    let dataset = plain(&server.url, &content);
    let error = fetch(&dataset, root.path(), 1).unwrap_err();
    let received = match &error {
        CatalogueError::Interrupted { received, expected, .. } => {
            assert_eq!(*expected, content.len() as u64);
            *received
        }
        other => panic!("{other}"),
    };
    assert!(received > 0 && received <= 70_000, "{error}");
    assert!(error.to_string().contains("run the command again"), "{error}");
    assert!(!root.path().join("pretrain/tale.txt").exists(), "nothing may have the final name yet");

    fetch(&dataset, root.path(), 1).unwrap();
    assert_eq!(server.requests(), [None, Some(received)]);
    assert_eq!(fs::read(root.path().join("pretrain/tale.txt")).unwrap(), content);
    assert_eq!(files(root.path()).len(), 1);
}

#[test]
fn attempts_within_a_call_go_on_too() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    let script = vec![Reply::BreakAfter(50_000), Reply::Status(503), Reply::BreakAfter(50_000)];
    let server = Server::start(&content, script);
    let mut retries = Vec::new();
    let options = FetchOptions { retry_delay: Duration::from_millis(1), ..FetchOptions::default() };
    plain(&server.url, &content)
        .fetch(root.path(), &options, &mut |event| {
            if let FetchEvent::Retrying { attempt, .. } = event {
                retries.push(attempt);
            }
        })
        .unwrap();
    assert_eq!(retries, [2, 3, 4]);
    let asked = server.requests();
    assert_eq!(asked.len(), 4);
    assert!(
        asked[0].is_none() && asked[1].is_some() && asked[1] == asked[2] && asked[2] < asked[3],
        "{asked:?}"
    );
    assert_eq!(fs::read(root.path().join("pretrain/tale.txt")).unwrap(), content);
}

#[test]
fn a_source_that_knows_no_ranges_is_read_from_the_beginning() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    let server = Server::start(&content, vec![Reply::BreakAfter(60_000), Reply::IgnoreRange]);
    fetch(&plain(&server.url, &content), root.path(), 2).unwrap();
    assert_eq!(fs::read(root.path().join("pretrain/tale.txt")).unwrap(), content);
}

#[test]
fn wrong_content_of_the_right_size_is_rejected_and_not_kept() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    let mut other = content.clone();
    other[1000] ^= 1;
    let server = Server::start(&other, Vec::new());
    let dataset = plain(&server.url, &content);
    let message = fetch(&dataset, root.path(), 3).unwrap_err().to_string();
    let (expected, found) =
        (dataset.files[0].sha256.to_string(), crate::Fingerprint::of(&other).to_string());
    assert!(message.contains(&expected) && message.contains(&found), "{message}");
    assert_eq!(files(root.path()), [] as [PathBuf; 0]);
    assert_eq!(server.requests().len(), 1, "the same bytes would come again");
}

#[test]
fn content_of_another_size_is_rejected_announced_or_not() {
    let content = tale();
    for script in [vec![], vec![Reply::Chunked([&content[..], b"more"].concat())]] {
        let root = tempfile::tempdir().unwrap();
        let server = Server::start(&content[..1000], script);
        let error = fetch(&plain(&server.url, &content), root.path(), 1).unwrap_err();
        assert!(matches!(error, CatalogueError::WrongContent { .. }), "{error}");
        assert!(
            error.to_string().contains(&format!("expected {} bytes", content.len())),
            "{error}"
        );
        assert_eq!(files(root.path()), [] as [PathBuf; 0]);
    }
}

#[test]
fn a_wrong_git_blob_is_rejected_even_if_the_hash_is_right() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    let server = Server::start(&content, Vec::new());
    let source =
        format!("url = {:?}\ntransform = \"none\"\ngit_blob = \"{}\"", server.url, "0".repeat(40));
    let error =
        fetch(&manifest("pretrain/tale.txt", &content, &source), root.path(), 1).unwrap_err();
    assert!(error.to_string().contains("expected git blob 0000000000"), "{error}");
    assert_eq!(files(root.path()), [] as [PathBuf; 0]);
}

#[test]
fn leftovers_of_something_else_are_thrown_away() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    let server = Server::start(&content, vec![Reply::BreakAfter(50_000)]);
    let dataset = plain(&server.url, &content);
    fetch(&dataset, root.path(), 1).unwrap_err();
    let part = files(root.path()).remove(0);
    fs::write(&part, vec![b'x'; 1000]).unwrap();
    fetch(&dataset, root.path(), 1).unwrap();
    assert_eq!(server.requests()[1..], [Some(1000), None], "continued, found wrong, begun again");
    assert_eq!(fs::read(root.path().join("pretrain/tale.txt")).unwrap(), content);

    fs::remove_file(root.path().join("pretrain/tale.txt")).unwrap();
    fs::write(&part, vec![b'x'; content.len() + 1]).unwrap();
    fetch(&dataset, root.path(), 1).unwrap();
    assert_eq!(files(root.path()).len(), 1);
}

#[test]
fn a_refusal_is_reported_at_once_and_a_bad_moment_is_waited_out() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    let server = Server::start(&content, vec![Reply::Status(404)]);
    let error = fetch(&plain(&server.url, &content), root.path(), 3).unwrap_err();
    assert!(matches!(error, CatalogueError::Status { status: 404, .. }), "{error}");
    assert_eq!(server.requests().len(), 1);

    let server = Server::start(&content, vec![Reply::Status(500), Reply::Status(429)]);
    fetch(&plain(&server.url, &content), root.path(), 3).unwrap();
    assert_eq!(server.requests().len(), 3);

    let server = Server::start(&content, vec![Reply::Status(500), Reply::Status(500)]);
    fs::remove_file(root.path().join("pretrain/tale.txt")).unwrap();
    let message = fetch(&plain(&server.url, &content), root.path(), 2).unwrap_err().to_string();
    assert!(message.contains("the source answered 500"), "{message}");
}

#[test]
fn without_a_network_the_error_names_the_data_set_and_the_way_out() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    // A port that was free a moment ago and that nobody listens on.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error =
        fetch(&plain(&format!("http://{address}/tale.txt"), &content), root.path(), 2).unwrap_err();
    assert!(matches!(error, CatalogueError::Offline { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("\"tale\"") && message.contains("--data-root"), "{message}");
    assert!(!message.contains("127.0.0.1"), "{message}");
}

#[test]
fn what_is_there_is_not_downloaded_again_and_what_is_wrong_is_replaced() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    let server = Server::start(&content, Vec::new());
    let dataset = plain(&server.url, &content);
    fs::create_dir(root.path().join("pretrain")).unwrap();
    fs::write(root.path().join("pretrain/tale.txt"), "damaged").unwrap();
    assert_eq!(fetch(&dataset, root.path(), 1).unwrap().files[0].1, FetchOutcome::Downloaded);
    assert_eq!(fetch(&dataset, root.path(), 1).unwrap().files[0].1, FetchOutcome::Present);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_compressed_copy_is_made_from_the_plain_source_and_verifies() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    let server = Server::start(&content, vec![Reply::BreakAfter(40_000)]);
    // The collected copy was written by another gzip; only its content can be the same.
    let dataset = compressed(&server.url, &content, b"bytes of another gzip program");
    fetch(&dataset, root.path(), 2).unwrap();
    let path = root.path().join("pretrain/tale.txt.gz");
    let mut plain = Vec::new();
    GzDecoder::new(fs::File::open(&path).unwrap()).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, content);
    assert_eq!(files(root.path()), std::slice::from_ref(&path));
    assert_eq!(dataset.verify(root.path()).unwrap()[0].status, FileStatus::SameContent);
    let first = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fetch(&dataset, root.path(), 1).unwrap();
    assert_eq!(fs::read(&path).unwrap(), first, "fetching twice gives the same bytes");

    fs::write(&path, &first[..first.len() / 2]).unwrap();
    assert!(matches!(dataset.verify(root.path()).unwrap()[0].status, FileStatus::WrongSize { .. }));
}

#[test]
fn what_was_transformed_further_needs_a_local_copy() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    let mut dataset = manifest(
        "pretrain/tale.txt",
        &content,
        "transform = \"manual\"\nsteps = \"merged from 9 files\"",
    );
    let message = fetch(&dataset, root.path(), 1).unwrap_err().to_string();
    assert!(
        message.contains("merged from 9 files") && message.contains("--data-root"),
        "{message}"
    );

    let server = Server::start(&content, Vec::new());
    let mut second = plain(&server.url, &content).files.remove(0);
    second.path = "pretrain/second.txt".to_owned();
    dataset.files.push(second);
    let report = fetch(&dataset, root.path(), 1).unwrap();
    assert!(!report.is_complete());
    assert_eq!(report.files[1].1, FetchOutcome::Downloaded);

    fs::write(root.path().join("pretrain/tale.txt"), &content).unwrap();
    assert!(fetch(&dataset, root.path(), 1).unwrap().is_complete());
}

#[test]
fn an_unusable_proxy_or_data_root_is_an_error() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    let dataset = plain("http://127.0.0.1:9/tale.txt", &content);
    let options = FetchOptions { proxy: Some("not a proxy".to_owned()), ..FetchOptions::default() };
    let error = dataset.fetch(root.path(), &options, &mut |_| {}).unwrap_err();
    assert!(matches!(error, CatalogueError::Proxy { .. }), "{error}");

    fs::write(root.path().join("pretrain"), "a file where a folder should be").unwrap();
    let error = fetch(&dataset, root.path(), 1).unwrap_err();
    assert!(matches!(error, CatalogueError::Io { .. }), "{error}");
}

#[test]
fn each_fault_of_a_file_has_its_status() {
    let (root, content) = (tempfile::tempdir().unwrap(), tale());
    let dataset = plain("http://127.0.0.1:9/tale.txt", &content);
    let status = || dataset.verify(root.path()).unwrap().remove(0).status;
    assert_eq!(status(), FileStatus::Missing);
    let path = root.path().join("pretrain/tale.txt");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "short").unwrap();
    assert_eq!(status(), FileStatus::WrongSize { expected: content.len() as u64, found: 5 });
    fs::write(&path, vec![0; content.len()]).unwrap();
    assert!(matches!(status(), FileStatus::WrongHash { .. }));
    fs::write(&path, &content).unwrap();
    assert!(status().is_good());
}

#[test]
fn a_prepared_data_set_is_read_as_its_manifest_says() {
    let root = tempfile::tempdir().unwrap();
    let content = b"First line.\n\nSecond line.\n";
    let mut dataset = plain("http://127.0.0.1:9/tale.txt", content);
    let message = dataset.prepare(root.path()).unwrap_err().to_string();
    assert!(message.contains("wuji data fetch tale") && message.contains("tale.txt"), "{message}");

    fs::create_dir(root.path().join("pretrain")).unwrap();
    fs::write(root.path().join("pretrain/tale.txt"), content).unwrap();
    let options = dataset.prepare(root.path()).unwrap();
    assert_eq!(options.name.as_deref(), Some("tale"));
    let parts = FileSource::open(&options).unwrap().parts().unwrap();
    let texts: Vec<String> = parts.map(|part| part.unwrap().text).collect();
    assert_eq!(texts, ["First line.", "Second line."]);

    dataset.text = None;
    assert!(matches!(dataset.prepare(root.path()), Err(CatalogueError::NoText { .. })));
}
