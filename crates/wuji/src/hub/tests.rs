//! A cache made by hand, a closed port, and a server with one small model.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn name(text: &str) -> ModelName {
    text.parse().unwrap()
}

fn resolve(hub: &Hub, text: &str) -> Result<PathBuf, WujiError> {
    hub.resolve(&name(text), &mut |_| {})
}

/// A cache with `files` as the snapshot of `org/tiny`.
fn cache(root: &Path, files: &[&str]) -> PathBuf {
    let cache = root.join("hub");
    let folder = cache.join("models--org--tiny");
    let snapshot = folder.join("snapshots").join(COMMIT);
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(folder.join("refs")).unwrap();
    fs::write(folder.join("refs/main"), COMMIT).unwrap();
    for file in files {
        fs::write(snapshot.join(file), "{}").unwrap();
    }
    cache
}

#[test]
fn a_model_in_the_cache_is_taken_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let cache = cache(dir.path(), &["config.json", "model.safetensors"]);
    let hub = Hub::new(&cache).offline(true);
    let expected = cache.join("models--org--tiny/snapshots").join(COMMIT);
    assert_eq!(resolve(&hub, "org/tiny").unwrap(), expected);
    assert_eq!(resolve(&hub, &format!("org/tiny@{COMMIT}")).unwrap(), expected);
    let error = resolve(&hub, "org/tiny@other").unwrap_err().to_string();
    assert!(error.contains("org/tiny@other"), "{error}");
}

#[test]
fn a_snapshot_with_one_gguf_file_is_that_file() {
    let dir = tempfile::tempdir().unwrap();
    let cache = cache(dir.path(), &["README.md", "tiny-q8_0.gguf"]);
    let found = resolve(&Hub::new(&cache).offline(true), "org/tiny").unwrap();
    assert!(found.ends_with("tiny-q8_0.gguf"), "{}", found.display());
}

#[test]
fn shards_must_all_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let cache = cache(dir.path(), &["config.json", "a.safetensors"]);
    let snapshot = cache.join("models--org--tiny/snapshots").join(COMMIT);
    let index = r#"{"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}"#;
    fs::write(snapshot.join("model.safetensors.index.json"), index).unwrap();
    let hub = Hub::new(&cache).offline(true);
    let error = resolve(&hub, "org/tiny").unwrap_err().to_string();
    assert!(error.contains("no b.safetensors"), "{error}");
    fs::write(snapshot.join("b.safetensors"), "").unwrap();
    assert_eq!(resolve(&hub, "org/tiny").unwrap(), snapshot);
}

#[test]
fn without_a_network_the_error_says_what_was_tried_and_what_helps() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("hub");
    // A port that was free a moment ago, where nobody listens.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let hub = Hub::new(&cache).with_endpoint(&endpoint);
    let error = resolve(&hub, "org/tiny").unwrap_err().to_string();
    let mentions = ["org/tiny", "no models--org--tiny", &endpoint, "HF_HUB_CACHE", "directory"];
    for mention in mentions.into_iter().chain(cache.to_str()) {
        assert!(error.contains(mention), "{mention} in {error}");
    }
    let error = resolve(&hub.offline(true), "org/tiny").unwrap_err().to_string();
    assert!(error.contains("offline"), "{error}");
}

/// Serves files as the Hub does, and remembers the paths that were asked for.
struct Server {
    endpoint: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(files: &[(&str, &[u8])]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let files: HashMap<String, Vec<u8>> =
            files.iter().map(|(name, content)| ((*name).to_string(), content.to_vec())).collect();
        let seen = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                drop(answer(stream, &files, &seen));
            }
        });
        Self { endpoint, asked }
    }

    fn requests(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn answer(
    mut stream: TcpStream,
    files: &HashMap<String, Vec<u8>>,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    let path = request.split(' ').nth(1).unwrap_or_default().to_string();
    let mut range = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some(value) = line.to_lowercase().strip_prefix("range: bytes=") {
            range = value.split_once('-').map(|(from, to)| (from.to_string(), to.to_string()));
        }
    }
    asked.lock().unwrap().push(path.clone());
    if path == "/api/models/org/tiny/revision/main" {
        let listed: Vec<_> =
            files.keys().map(|name| serde_json::json!({ "rfilename": name })).collect();
        let body = serde_json::json!({ "sha": COMMIT, "siblings": listed }).to_string();
        return write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    }
    let file = path.strip_prefix("/org/tiny/resolve/main/").unwrap_or_default();
    let Some(content) = files.get(file) else {
        return write!(
            stream,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    };
    let (from, to) = range.unwrap_or_default();
    let from: usize = from.parse().unwrap_or(0);
    let end = to.parse().map_or(content.len(), |to: usize| (to + 1).min(content.len()));
    let body = &content[from.min(end)..end];
    write!(
        stream,
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {from}-{}/{}\r\n\
         ETag: \"{}-tag\"\r\nX-Repo-Commit: {COMMIT}\r\nConnection: close\r\n\r\n",
        body.len(),
        end.max(1) - 1,
        content.len(),
        file.replace('/', "-"), // A tag is the name of a file in the cache.
    )?;
    stream.write_all(body)
}

#[test]
fn a_model_is_downloaded_once_with_what_belongs_to_it_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let index = br#"{"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}"#;
    let files: [(&str, &[u8]); 9] = [
        ("config.json", b"{\"model_type\": \"gpt2\"}"),
        ("tokenizer.json", b"{}"),
        ("modules.json", b"[]"),
        ("1_Pooling/config.json", b"{}"),
        ("model.safetensors.index.json", index),
        ("a.safetensors", b"first"),
        ("b.safetensors", &[7; 100_000]),
        ("tf_model.h5", b"not wanted"),
        ("onnx/model.onnx", b"not wanted"),
    ];
    let server = Server::start(&files);
    let cache = dir.path().join("hub");
    let hub = Hub::new(&cache).with_endpoint(&server.endpoint);
    let (mut begun, mut received) = (Vec::new(), 0);
    let found = hub.resolve(&name("org/tiny"), &mut |event| match event {
        DownloadEvent::Begins { file, bytes } => begun.push((file.to_string(), bytes)),
        DownloadEvent::Received(bytes) => received += bytes,
        DownloadEvent::Ends => {}
    });
    let found = found.unwrap();
    assert_eq!(found, cache.join("models--org--tiny/snapshots").join(COMMIT));
    for (file, content) in &files[..7] {
        assert_eq!(fs::read(found.join(file)).unwrap(), *content, "{file}");
    }
    assert!(!found.join("tf_model.h5").exists() && !found.join("onnx").exists());
    assert!(begun.contains(&("b.safetensors".to_string(), 100_000)), "{begun:?}");
    assert!(received >= 100_005, "{received}");
    // The next time, nobody is asked.
    let requests = server.requests();
    assert_eq!(resolve(&hub, "org/tiny").unwrap(), found);
    assert_eq!(server.requests(), requests);
}

#[test]
fn what_the_hub_does_not_have_is_an_error_with_its_answer() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&[("config.json", b"{}"), ("model.onnx", b"")]);
    let hub = Hub::new(dir.path().join("hub")).with_endpoint(&server.endpoint);
    let error = resolve(&hub, "org/other").unwrap_err().to_string();
    assert!(error.contains("404"), "{error}");
    let error = resolve(&hub, "org/tiny").unwrap_err().to_string();
    assert!(error.contains("none of model.safetensors"), "{error}");
}

#[test]
fn an_index_that_leads_out_of_the_cache_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let index = br#"{"weight_map": {"x": "../../../../secret"}}"#;
    let server = Server::start(&[("config.json", b"{}"), ("model.safetensors.index.json", index)]);
    let hub = Hub::new(dir.path().join("hub")).with_endpoint(&server.endpoint);
    let error = resolve(&hub, "org/tiny").unwrap_err().to_string();
    assert!(error.contains("is no name of a shard"), "{error}");
}
