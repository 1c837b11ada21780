//! The API server in trouble while many publications are worked on: it is killed and comes back, what it knew is compacted, and it
//! refuses, hesitates and loses its answers. Transfers go on, results are written when it is back, and nothing is published twice.
#![cfg(test)]

#[path = "api_server_trouble/etcd.rs"]
mod etcd;
#[path = "api_server_trouble/restarts.rs"]
mod restarts;
#[expect(dead_code, reason = "each test uses a part of the bed")]
mod support;
#[path = "api_server_trouble/way.rs"]
mod way;
