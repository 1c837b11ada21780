//! A real nginx on an address of its own: as an Ingress controller or as the server of a Helm repository.

use std::{fs, path::Path};

use super::{Bed, address::Place, authority::Identity, process::Launch, web_server::WebServer};

/// What one nginx serves.
pub struct Site {
    /// The certificate, when it speaks TLS.
    pub identity: Option<Identity>,
    /// What stands in its one `server` block.
    pub directives: String,
}

impl Bed {
    /// Starts nginx and waits until it accepts connections.
    pub async fn nginx(&'static self, place: Place, site: Site) -> WebServer {
        let folder = self.folder("nginx");
        fs::write(folder.join("nginx.conf"), configuration(&place, &site, &folder)).expect("a file in the bed's folder");
        // Only root may say whom it runs as, and only root needs to: the bed's folder is closed to others.
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        let launch = Launch::new(self.tool("nginx"), folder.join("nginx.log"))
            .arguments(["-p", &folder.display().to_string(), "-c", "nginx.conf", "-e", "error.log"])
            .arguments(["-g", &format!("{user} daemon off; master_process off;")]);
        self.web_server(place, folder, launch).await
    }
}

fn configuration(place: &Place, site: &Site, folder: &Path) -> String {
    let (socket, directives) = (place.socket(), &site.directives);
    let (mut tls, mut listen) = (String::new(), String::new());
    if let Some(identity) = &site.identity {
        fs::write(folder.join("tls.crt"), &identity.certificate).expect("a file in the bed's folder");
        fs::write(folder.join("tls.key"), &identity.key).expect("a file in the bed's folder");
        tls = format!("ssl_certificate {0}/tls.crt; ssl_certificate_key {0}/tls.key;", folder.display());
        listen = " ssl".to_owned();
    }
    format!(
        r#"
worker_processes 1;
pid nginx.pid;
events {{ worker_connections 512; }}
http {{
    log_format bed '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$host" $request_length';
    access_log access.log bed;
    server_tokens off;
    client_body_temp_path client; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    types {{ application/yaml yaml; application/gzip tgz; }}
    server {{
        listen {socket}{listen};
        {tls}
        {directives}
    }}
}}
"#
    )
}
