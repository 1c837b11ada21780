//! A real forward proxy (tinyproxy) on an address of its own: by plain HTTP, or behind TLS that haproxy ends.

use std::{fs, net::SocketAddr};

use super::{
    Bed,
    authority::{Authority, Validity},
    process::Launch,
    web_server::WebServer,
};

/// A proxy that is described and not yet started.
#[must_use]
pub struct ForwardProxyBuilder<'a> {
    bed: &'static Bed,
    login: Option<(String, String)>,
    authority: Option<&'a Authority>,
    directives: String,
}

/// A running proxy. Dropping it ends it.
pub struct ForwardProxy {
    /// Before `server`, which it leads to.
    front: Option<WebServer>,
    server: WebServer,
}

impl Bed {
    /// A proxy that leads whoever asks anywhere.
    pub fn forward_proxy(&'static self) -> ForwardProxyBuilder<'static> {
        ForwardProxyBuilder { bed: self, login: None, authority: None, directives: String::new() }
    }
}

impl<'a> ForwardProxyBuilder<'a> {
    /// Asks for a user and password.
    pub fn basic(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Speaks TLS itself, with a certificate of this authority.
    pub fn tls<'b>(self, authority: &'b Authority) -> ForwardProxyBuilder<'b>
    where
        'a: 'b,
    {
        ForwardProxyBuilder { authority: Some(authority), ..self }
    }

    /// Opens tunnels to this port and no other.
    pub fn tunnels_to(mut self, port: u16) -> Self {
        self.directives = format!("ConnectPort {port}\n");
        self
    }

    /// Starts it and waits until it accepts connections.
    pub async fn start(self) -> ForwardProxy {
        let bed = self.bed;
        let (place, folder) = (bed.place(8888), bed.folder("forward-proxy"));
        let socket = place.socket();
        let login = self.login.map(|(user, password)| format!("BasicAuth {user} {password}\n")).unwrap_or_default();
        let configuration = format!(
            "Port {}\nListen {}\nTimeout 60\nMaxClients 200\nLogLevel Connect\nLogFile \"{}\"\n{login}{}",
            socket.port(),
            socket.ip(),
            folder.join("access.log").display(),
            self.directives
        );
        let file = folder.join("tinyproxy.conf");
        fs::write(&file, configuration).expect("a file in the bed's folder");
        let launch = Launch::new(bed.tool("tinyproxy"), folder.join("log")).arguments(["-d".as_ref(), "-c".as_ref(), file.as_os_str()]);
        let server = bed.web_server(place, folder, launch).await;
        let front = match self.authority {
            None => None,
            Some(authority) => Some(front(bed, authority, server.socket()).await),
        };
        ForwardProxy { front, server }
    }
}

/// Ends TLS and passes all on.
async fn front(bed: &'static Bed, authority: &Authority, upstream: SocketAddr) -> WebServer {
    let place = bed.place(8443);
    let identity = authority.server(&[&place.socket().ip().to_string()], Validity::Now).expect("a certificate");
    let file = bed.folder("haproxy-tls").join("tls.pem");
    fs::write(&file, identity.certificate + &identity.key).expect("a file in the bed's folder");
    let configuration = format!(
        "global\n    log stdout format raw local0\n\
         defaults\n    mode tcp\n    timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n\
         frontend tls\n    bind {} ssl crt {}\n    default_backend proxy\n\
         backend proxy\n    server proxy {upstream}\n",
        place.socket(),
        file.display()
    );
    bed.haproxy_of(place, &configuration).await
}

impl ForwardProxy {
    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.front.as_ref().unwrap_or(&self.server).socket()
    }

    /// What stands in a Secret as `address`.
    pub fn address(&self) -> String {
        let scheme = if self.front.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.socket())
    }

    /// What it was asked for so far: `GET http://charts.example.com/index.yaml`, `CONNECT charts.example.com:443`.
    pub fn asked(&self) -> Vec<String> {
        let log = fs::read_to_string(self.server.folder().join("access.log")).unwrap_or_default();
        let requests = log.lines().filter_map(|line| line.split_once(": Request (")?.1.split_once("): "));
        requests.map(|(_, request)| request.rsplit_once(" HTTP/").map_or(request, |(request, _)| request).to_owned()).collect()
    }
}
