//! The compiled-in catalogue against the collected copies of the data sets, where they are at hand.

#![expect(clippy::print_stderr, reason = "a test that cannot run says so")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::catalogue::{Catalogue, FileStatus, GitBlobId, Transform};
use crate::source::{DocumentSource, FileSource};

/// The folder of collected copies, if it is there.
fn data_root() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("WUJI_SHARED").map_or(beside, PathBuf::from).join("data");
    if root.join("MANIFEST.toml").is_file() {
        return Some(root);
    }
    eprintln!("SKIPPED: {} not found", root.join("MANIFEST.toml").display());
    None
}

fn text<'a>(value: &'a toml::Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(toml::Value::as_str)
}

#[test]
fn manifests_say_what_the_records_of_the_collection_say() {
    let Some(root) = data_root() else { return };
    let records = std::fs::read_to_string(root.join("MANIFEST.toml")).unwrap();
    let records: toml::Value = toml::from_str(&records).unwrap();
    let records = records["dataset"].as_array().unwrap();
    let catalogue = Catalogue::embedded().unwrap();
    assert_eq!(catalogue.list().len(), records.len());
    for record in records {
        let manifest = &catalogue.get(text(record, "id").unwrap()).unwrap().manifest;
        let id = &manifest.id;
        assert_eq!(Some(manifest.area.as_str()), text(record, "area"), "{id}");
        assert_eq!(Some(manifest.licence.as_str()), text(record, "licence"), "{id}");
        assert_eq!(Some(manifest.noncommercial), record["noncommercial"].as_bool(), "{id}");
        assert_eq!(Some(manifest.bytes() as i64), record["bytes"].as_integer(), "{id}");
        let repository =
            text(record, "source_repo").unwrap().replace("github:", "https://github.com/");
        assert_eq!(manifest.homepage, repository, "{id}");
        let files: BTreeMap<&str, _> =
            manifest.files.iter().map(|file| (file.path.as_str(), file)).collect();
        let recorded = record["file"].as_array().unwrap();
        assert_eq!(files.len(), recorded.len(), "{id}");
        for entry in recorded {
            let path = text(entry, "path").unwrap().trim_start_matches("shared/data/");
            let file = files[path];
            assert_eq!(Some(file.sha256.to_string().as_str()), text(entry, "sha256"), "{path}");
            assert_eq!(Some(file.bytes as i64), entry["bytes"].as_integer(), "{path}");
            assert_eq!(
                file.rows.map(|rows| rows as i64),
                entry.get("rows").and_then(toml::Value::as_integer),
                "{path}"
            );
            assert_eq!(
                file.source.git_blob.map(|blob| blob.to_string()).as_deref(),
                text(entry, "source_blob"),
                "{path}"
            );
            let transform = match text(entry, "transform").unwrap() {
                "as in the source" => Transform::None,
                "as in the source ; gzip" => Transform::Gzip,
                _ => Transform::Manual,
            };
            assert_eq!(file.source.transform, transform, "{path}");
        }
    }
}

#[test]
fn every_collected_file_verifies() {
    let Some(root) = data_root() else { return };
    let reports = Catalogue::embedded().unwrap().verify(&root).unwrap();
    assert_eq!(reports.len(), 258);
    for report in reports {
        assert_eq!(report.status, FileStatus::Ok, "{}", report.path);
    }
}

/// The hash of the uncompressed source and git's id of it belong to the content of the collected copy, so a download
/// that passes both is what was collected.
#[test]
fn source_hashes_belong_to_the_collected_content() {
    let Some(root) = data_root() else { return };
    for dataset in Catalogue::embedded().unwrap().list() {
        for file in dataset.manifest.files.iter().filter(|file| file.source.url.is_some()) {
            let raw = std::fs::read(root.join(&file.path)).unwrap();
            let mut content = Vec::new();
            if file.source.transform == Transform::Gzip {
                std::io::copy(&mut flate2::read::MultiGzDecoder::new(&raw[..]), &mut content)
                    .unwrap();
            } else {
                content = raw;
            }
            let (bytes, sha256) = file.download();
            assert_eq!(
                (content.len() as u64, crate::Fingerprint::of(&content)),
                (bytes, sha256),
                "{}",
                file.path
            );
            assert_eq!(Some(GitBlobId::of(&content)), file.source.git_blob, "{}", file.path);
        }
    }
}

#[test]
fn every_text_corpus_can_be_read() {
    let Some(root) = data_root() else { return };
    let mut read = 0;
    for dataset in
        Catalogue::embedded().unwrap().list().filter(|dataset| dataset.manifest.text.is_some())
    {
        let id = &dataset.manifest.id;
        let source = FileSource::open(&dataset.manifest.prepare(&root).unwrap()).unwrap();
        let parts: Vec<_> = source
            .parts()
            .unwrap()
            .take(50)
            .map(|part| part.unwrap_or_else(|e| panic!("{id}: {e}")))
            .collect();
        assert!(parts.iter().any(|part| part.text.trim().len() > 10), "{id}: no text");
        read += 1;
    }
    assert!(read >= 20, "only {read} corpora");
}
