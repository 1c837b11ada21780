//! A real nginx on an address of its own: as an Ingress controller or as the server of a Helm repository.

use std::{fs, net::SocketAddr, path::Path};

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
        fs::write(folder.join("nginx.conf"), configuration(place.socket(), &site, &folder)).expect("a file in the bed's folder");
        let launch = self.nginx_at(&folder);
        self.web_server(place, folder, launch).await
    }

    /// Has a running nginx serve something else. With one process, as it is here, it cannot reload.
    pub async fn change_nginx(&self, server: &mut WebServer, site: &Site) {
        let folder = server.folder().to_owned();
        fs::write(folder.join("nginx.conf"), configuration(server.socket(), site, &folder)).expect("a file in the bed's folder");
        server.restart(self, self.nginx_at(&folder)).await;
    }

    /// The directives by which nginx lets nobody in but this user.
    pub fn login_directives(&self, user: &str, password: &str) -> String {
        let file = self.folder("users").join("users");
        fs::write(&file, format!("{user}:{{PLAIN}}{password}\n")).expect("a file in the bed's folder");
        format!("auth_basic bed; auth_basic_user_file {};", file.display())
    }

    fn nginx_at(&self, folder: &Path) -> Launch {
        // Only root may say whom it runs as, and only root needs to: the bed's folder is closed to others.
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        Launch::new(self.tool("nginx"), folder.join("nginx.log"))
            .arguments(["-p", &folder.display().to_string(), "-c", "nginx.conf", "-e", "error.log"])
            .arguments(["-g", &format!("{user} daemon off; master_process off;")])
    }
}

fn configuration(socket: SocketAddr, site: &Site, folder: &Path) -> String {
    let directives = &site.directives;
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
