//! Configurations of real nginx and haproxy that cause what users report. Each says where it was seen.

use std::{fmt::Write, net::SocketAddr};

use crate::support::{Bed, authority::Identity, haproxy::LOG, nginx::Site, web_server::WebServer};

/// What an nginx before a registry does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NginxFront {
    /// Nothing: what distribution's documentation asks for.
    Right,
    /// `client_max_body_size 1m`, the default of ingress-nginx; bodies are read whole before they go on, or not
    /// (harbor#15823, nginx/kubernetes-ingress#21).
    BodyLimit {
        /// `proxy_request_buffering`
        buffered: bool,
    },
    /// Bodies without a length get 411, as nginx before 1.3.9 and Apache before radosgw do (distribution#1873).
    Unlengthed(u16),
    /// TLS ends here, and `X-Forwarded-Proto` is missing: `Location` has `http` (harbor#6405, distribution#970).
    NoForwardedProto,
    /// `Host` goes on without its port: `Location` lacks it (distribution#2225).
    HostWithoutPort,
    /// `proxy_read_timeout 1s`: 504 while the registry still commits (distribution#1061, harbor#9394).
    ReadTimeout,
}

/// What a haproxy before a registry does wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HaproxyFront {
    /// Nothing.
    Right,
    /// `http-request deny` of bodies over 1 MiB.
    BodyLimit,
    /// `timeout server 1s`: 504 while the registry still commits.
    ServerTimeout,
    /// `option http-buffer-request` and `timeout http-request 1s`: 408 when a body, or the first 16 KiB of it, comes too slowly.
    /// (`timeout client` does not end a body that stalls while it is passed on; seen with 2.6.)
    RequestTimeout,
    /// Each request goes to the next of these replicas too (distribution#2519, #1402).
    RoundRobin(Vec<SocketAddr>),
}

impl Bed {
    /// A real nginx before a registry on loopback.
    pub async fn nginx_front(&'static self, front: NginxFront, upstream: SocketAddr, identity: Option<Identity>) -> WebServer {
        self.nginx(self.place(443), Site { identity, directives: directives(front, upstream) }).await
    }

    /// A real haproxy before a registry on loopback.
    pub async fn haproxy_front(&'static self, front: &HaproxyFront, upstream: SocketAddr) -> WebServer {
        let place = self.place(80);
        let configuration = haproxy(front, place.socket(), upstream);
        self.haproxy_of(place, &configuration).await
    }
}

fn directives(front: NginxFront, upstream: SocketAddr) -> String {
    let (mut limit, mut refusal, mut location) = ("0", String::new(), String::new());
    let (mut buffering, mut host, mut proto) = ("off", "$http_host", "proxy_set_header X-Forwarded-Proto $scheme;");
    match front {
        NginxFront::Right => {}
        NginxFront::BodyLimit { buffered } => {
            limit = "1m";
            buffering = if buffered { "on" } else { "off" };
        }
        NginxFront::Unlengthed(status) => refusal = format!("if ($http_transfer_encoding) {{ return {status}; }}"),
        NginxFront::NoForwardedProto => proto = "",
        NginxFront::HostWithoutPort => host = "$host",
        NginxFront::ReadTimeout => "proxy_read_timeout 1s;".clone_into(&mut location),
    }
    format!(
        "client_max_body_size {limit};
        {refusal}
        location / {{
            proxy_pass http://{upstream};
            proxy_http_version 1.1;
            proxy_request_buffering {buffering};
            proxy_set_header Host {host};
            {proto}
            {location}
        }}"
    )
}

fn haproxy(front: &HaproxyFront, bind: SocketAddr, upstream: SocketAddr) -> String {
    let (mut server, mut buffer, mut deny, mut more) = ("50s", "", "", String::new());
    match front {
        HaproxyFront::Right => {}
        HaproxyFront::BodyLimit => deny = "http-request deny deny_status 413 if { req.body_size gt 1048576 }",
        HaproxyFront::ServerTimeout => server = "1s",
        HaproxyFront::RequestTimeout => buffer = "option http-buffer-request\n    timeout http-request 1s",
        HaproxyFront::RoundRobin(others) => {
            for (number, other) in others.iter().enumerate() {
                let _ = writeln!(more, "    server other{number} {other}");
            }
        }
    }
    format!(
        "global
    log stdout format raw local0
defaults
    mode http
    log global
    timeout connect 5s
    timeout client 50s
    timeout server {server}
    {buffer}
frontend web
    bind {bind}
    capture request header Host len 128
    capture request header User-Agent len 128
    log-format {LOG}
    {deny}
    default_backend registry
backend registry
    balance roundrobin
    server registry {upstream}
{more}"
    )
}
