//! A disk that is full: one message that names the file, and nothing left behind.
//!
//! The test runs itself again under a limit on the size of files, which fails a write as a full
//! disk does, in the middle of a shard.
#![cfg(target_os = "linux")]

use std::fs;

use wuji_data::{ByteEncoder, Corpus, DataError, MemorySource, SplitOptions};

use crate::support::{directory, limited_job, run_limited};

const TEST: &str = "full_disk::a_full_disk_is_one_message_and_leaves_nothing_behind";

#[test]
fn a_full_disk_is_one_message_and_leaves_nothing_behind() {
    if let Some(out) = limited_job() {
        let error = prepare(&out).expect_err("a full disk");
        assert!(matches!(error, DataError::Io { action: "write", .. }), "{error}");
        println!("message: {error}");
        return;
    }
    let directory = directory();
    let out = directory.path().join("out");
    // Without the trap the limit ends the process by a signal rather than failing the write.
    let child = run_limited(TEST, &out, "trap '' XFSZ && ulimit -f 1024");
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{output}{}", String::from_utf8_lossy(&child.stderr));
    assert!(output.contains("0-train.tokens: File too large"), "{output}");
    assert_eq!(fs::read_dir(&out).expect("exists").count(), 0);

    assert!(prepare(&out).is_ok(), "with enough space the same call succeeds");
}

fn prepare(out: &std::path::Path) -> Result<(), DataError> {
    let corpus = Corpus::single(MemorySource::new("m", ["some text ".repeat(300_000)]));
    let split = SplitOptions::default();
    wuji_data::prepare(&corpus, &ByteEncoder::default(), &split, out).map(|_| ())
}
