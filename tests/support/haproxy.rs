//! A real haproxy on an address of its own, in front of one server or several that take turns.

use std::{fmt::Write, fs, net::SocketAddr};

use super::{Bed, address::Place, authority::Identity, process::Launch, web_server::WebServer};

/// The log in the format of the other servers, for a frontend that captures `Host` and `User-Agent`.
pub const LOG: &str = r#""%ci - - [%tr] \"%HM %HU %HV\" %ST %B \"-\" \"%[capture.req.hdr(1)]\" \"%[capture.req.hdr(0)]\" %U""#;

impl Bed {
    /// Starts haproxy for one host and waits until it accepts connections.
    pub async fn haproxy(&'static self, place: Place, identity: Option<Identity>, host: &str, upstreams: &[SocketAddr]) -> WebServer {
        let mut bind = format!("bind {}", place.socket());
        if let Some(identity) = identity {
            let file = self.folder("haproxy-tls").join("tls.pem");
            fs::write(&file, identity.certificate + &identity.key).expect("a file in the bed's folder");
            let _ = write!(bind, " ssl crt {}", file.display());
        }
        let configuration = configuration(&bind, host, upstreams);
        self.haproxy_of(place, &configuration).await
    }

    /// Starts haproxy with this configuration, which listens at `place`.
    pub async fn haproxy_of(&'static self, place: Place, configuration: &str) -> WebServer {
        let folder = self.folder("haproxy");
        let file = folder.join("haproxy.cfg");
        fs::write(&file, configuration).expect("a file in the bed's folder");
        let launch = Launch::new(self.tool("haproxy"), folder.join("access.log")).separate_errors();
        let launch = launch.arguments(["-db".as_ref(), "-f".as_ref(), file.as_os_str()]);
        self.web_server(place, folder, launch).await
    }
}

/// As its Ingress controller writes it.
fn configuration(bind: &str, host: &str, upstreams: &[SocketAddr]) -> String {
    let server = |(number, upstream)| format!("    server registry{number} {upstream}\n");
    let servers: String = upstreams.iter().enumerate().map(server).collect();
    let log = LOG;
    let name = host.split(':').next().unwrap_or(host);
    format!(
        "global
    log stdout format raw local0
defaults
    mode http
    log global
    timeout connect 5s
    timeout client 50s
    timeout server 50s
    timeout http-request 5s
frontend web
    {bind}
    capture request header Host len 128
    capture request header User-Agent len 128
    log-format {log}
    http-request deny deny_status 404 unless {{ hdr(host),field(1,:) -i {name} }}
    http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
    default_backend registry
backend registry
    option forwardfor
    balance roundrobin
{servers}"
    )
}
