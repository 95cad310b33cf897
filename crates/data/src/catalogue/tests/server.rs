//! An HTTP server for one test: answers each request as the test's script says, and remembers what was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// How one request is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The content, from the requested offset if there is one.
    Content,
    /// As `Content`, but the connection closes after this many bytes of body.
    BreakAfter(usize),
    /// The whole content, whatever offset was asked for.
    IgnoreRange,
    /// A status without content.
    Status(u16),
    /// Other content, whole, in chunks and therefore without an announced size.
    Chunked(Vec<u8>),
}

/// A server that runs until the test ends.
pub struct Server {
    /// Where the content is.
    pub url: String,
    ranges: Arc<Mutex<Vec<Option<u64>>>>,
}

impl Server {
    /// Serves `content`: the first request as `script[0]` says, and so on; beyond the script as [`Reply::Content`].
    pub fn start(content: &[u8], script: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/folder/file.txt", listener.local_addr().expect("bound"));
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let (seen, content) = (ranges.clone(), content.to_vec());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let range = read_request(&stream);
                let number = {
                    let mut seen = seen.lock().expect("no thread panics");
                    seen.push(range);
                    seen.len() - 1
                };
                let reply = script.get(number).cloned().unwrap_or(Reply::Content);
                // The client may hang up first; that is its right.
                drop(answer(stream, &content, range, &reply));
            }
        });
        Self { url, ranges }
    }

    /// The offsets of all requests so far; `None` for a request of the whole.
    pub fn requests(&self) -> Vec<Option<u64>> {
        self.ranges.lock().expect("no thread panics").clone()
    }
}

/// Reads the request's head; returns N of `Range: bytes=N-`.
fn read_request(stream: &TcpStream) -> Option<u64> {
    let mut range = None;
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("range: bytes=") {
            range = value.trim_end_matches('-').parse().ok();
        }
    }
    range
}

fn answer(
    mut stream: TcpStream,
    content: &[u8],
    range: Option<u64>,
    reply: &Reply,
) -> std::io::Result<()> {
    let range = range.filter(|_| !matches!(reply, Reply::IgnoreRange));
    let offset = usize::try_from(range.unwrap_or(0)).unwrap_or(usize::MAX);
    let (head, body) = match reply {
        Reply::Status(status) => (format!("{status} Scripted"), &[][..]),
        Reply::Chunked(other) => {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x}\r\n",
                other.len()
            )?;
            stream.write_all(other)?;
            return stream.write_all(b"\r\n0\r\n\r\n");
        }
        _ if offset >= content.len() => ("416 Range Not Satisfiable".to_owned(), &[][..]),
        _ if range.is_some() => (
            format!(
                "206 Partial Content\r\nContent-Range: bytes {offset}-{}/{}",
                content.len() - 1,
                content.len()
            ),
            &content[offset..],
        ),
        _ => ("200 OK".to_owned(), content),
    };
    write!(
        stream,
        "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    let sent = if let Reply::BreakAfter(bytes) = reply { *bytes } else { body.len() };
    stream.write_all(&body[..sent.min(body.len())])
}
