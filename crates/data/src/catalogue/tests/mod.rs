//! Downloads against a server that misbehaves on request, and the catalogue against the collected copies.

mod fetching;
mod server;
mod shared;

use super::DatasetManifest;
use crate::catalogue::GitBlobId;
use crate::fingerprint::Fingerprint;

/// A data set "tale" with one file, `pretrain/tale.txt`, to be had at `url`.
fn plain(url: &str, content: &[u8]) -> DatasetManifest {
    let source =
        format!("url = {url:?}\ntransform = \"none\"\ngit_blob = \"{}\"", GitBlobId::of(content));
    manifest("pretrain/tale.txt", content, &source)
}

/// The same, kept as `pretrain/tale.txt.gz` with `copy` as the collected bytes.
fn compressed(url: &str, content: &[u8], copy: &[u8]) -> DatasetManifest {
    let (bytes, sha256, blob) = (content.len(), Fingerprint::of(content), GitBlobId::of(content));
    let source = format!(
        "url = {url:?}\ntransform = \"gzip\"\ngit_blob = \"{blob}\"\nbytes = {bytes}\nsha256 = \"{sha256}\""
    );
    manifest("pretrain/tale.txt.gz", copy, &source)
}

fn manifest(path: &str, copy: &[u8], source: &str) -> DatasetManifest {
    let (bytes, sha256) = (copy.len(), Fingerprint::of(copy));
    let text = format!(
        "id = \"tale\"\ntitle = \"A tale\"\narea = \"pretrain\"\ntask = \"test\"\nlanguage = [\"en\"]\nlicence = \"MIT\"\n\
         noncommercial = false\nhomepage = \"https://example.org\"\ncolumns = \"text\"\ntest_withheld = false\n\
         [text]\nfiles = [{path:?}]\ndocuments = \"line\"\n\
         [[file]]\npath = {path:?}\nsplit = \"all\"\nbytes = {bytes}\nsha256 = \"{sha256}\"\n[file.source]\n{source}\n"
    );
    DatasetManifest::parse("tale/manifest.toml", "tale", &text).expect("a valid manifest")
}
