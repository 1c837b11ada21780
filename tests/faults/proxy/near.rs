//! The client's side of a fault proxy: reading, answering, and the ways in which a connection ends.

use std::{fmt::Write, io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use super::super::{Close, rule::Page};

/// How long what still comes is read at a lingering end.
const LINGER: Duration = Duration::from_secs(2);

/// A connection of a client.
#[derive(Debug)]
pub struct Near {
    /// What it sends.
    pub read: BufReader<OwnedReadHalf>,
    /// What it gets.
    pub write: OwnedWriteHalf,
}

impl Near {
    /// Takes a connection over.
    pub fn new(stream: TcpStream) -> Self {
        let _ = stream.set_nodelay(true);
        let (read, write) = stream.into_split();
        Self { read: BufReader::new(read), write }
    }

    /// Sends an answer of the proxy's own: to `HEAD` without its body (RFC 9110, section 9.3.2).
    pub async fn answer(&mut self, status: u16, fields: &[(&str, String)], page: &Page, stays: bool, is_head: bool) -> io::Result<()> {
        let (kind, body) = render(status, page);
        let mut head = format!("HTTP/1.1 {status} {}\r\ncontent-length: {}\r\n", title(status), body.len());
        head += kind;
        for (name, value) in fields {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head += if stays { "\r\n" } else { "connection: close\r\n\r\n" };
        if !is_head {
            head += &body;
        }
        self.write.write_all(head.as_bytes()).await
    }

    /// Ends the connection.
    pub async fn end(mut self, how: Close) {
        match how {
            Close::Lingering => {
                let _ = self.write.shutdown().await;
                let mut thrown = vec![0; 64 * 1024];
                let drain = async { while matches!(self.read.read(&mut thrown).await, Ok(length) if length > 0) {} };
                let _ = timeout(LINGER, drain).await;
            }
            Close::AtOnce => {}
            Close::Reset => drop(socket2::SockRef::from(self.write.as_ref()).set_linger(Some(Duration::ZERO))),
        }
        // Without this a FIN would go out before the reset.
        self.write.forget();
    }
}

fn render(status: u16, page: &Page) -> (&'static str, String) {
    match page {
        Page::Nginx => {
            let title = format!("{status} {}", nginx_title(status));
            let body = format!(
                "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
            );
            ("server: nginx\r\ncontent-type: text/html\r\n", body)
        }
        Page::Text(text) => ("content-type: text/plain\r\n", (*text).to_owned()),
        Page::Oci(code, message) => {
            let fields = "content-type: application/json\r\ndocker-distribution-api-version: registry/2.0\r\n";
            (fields, serde_json::json!({"errors": [{"code": code, "message": message}]}).to_string())
        }
        Page::Empty => ("", String::new()),
    }
}

/// Some of nginx's own words.
fn nginx_title(status: u16) -> &'static str {
    match status {
        405 => "Not Allowed",
        413 => "Request Entity Too Large",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        _ => title(status),
    }
}

fn title(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Unknown")
}
