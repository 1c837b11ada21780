//! chart-publisher: publishes Helm charts into the registries of a cluster, and proves that they arrived.
//!
//! ```text
//! ChartPublication ─▶ controller ─▶ plan ─▶ source ─▶ publish ─▶ verify ─▶ status ─▶ one patch
//!                     dereference   pure    reads     writes     reads     pure
//! ```
//!
//! Each arrow takes the type that the one before it gave: a [`plan::Strategy`] says where and how, a [`source::FetchedChart`] has
//! arrived whole and hashed, a [`publish::Package`] holds every byte that will be sent, a [`verify::Verified`] was pulled back.
//!
//! # Rooms
//! | room | what it does | what it may not do |
//! |---|---|---|
//! | [`api`] | the kinds, and the closed list of reasons | anything else |
//! | [`lint`] | what is wrong with a publication, from its text alone | I/O, read a clock |
//! | [`model`] | words that were checked once: digest, tag, origin, credential | I/O |
//! | [`provenance`] | whose signature a chart has, and whether that key is trusted | I/O, read a clock |
//! | [`plan`] | what to publish, by which routes and methods, and why | I/O, read a clock |
//! | [`chart`] | archive → config and manifest, as Helm makes them | I/O, unpack to disk |
//! | [`net`] | connections: dial, TLS, address policy, patience | know registries or Kubernetes |
//! | [`relay`] | tunnels to Pods, by the API server's port-forward | choose a Pod, count tunnels, know registries |
//! | [`registry`] | the OCI distribution specification, one function a step | know Kubernetes |
//! | [`spool`] | bodies between source and registry, within a budget | |
//! | [`source`] | where charts come from, read with limits | know Kubernetes |
//! | [`remedy`] | a failure → reason, class, sentence | I/O, read a clock |
//! | [`publish`] | attempt, classify, fall back, remember | know Kubernetes |
//! | [`probe`] | every method over every route, by bodies of its own | know Kubernetes |
//! | [`verify`] | pull back, compare | write |
//! | [`metrics`] | what is counted, and the text of a scrape | I/O, read a clock, tell a name or an address |
//! | [`steps`] | where a run is, for logs and for tests that end it there | anything else |
//! | [`status`] | outcome → conditions | I/O, read a clock |
//! | [`controller`] | watches, reconciles, patches | judge failures, plan routes |
//!
//! `tests/imports` reads the `use` lines and holds these walls.
//!
//! # Invariants
//! * *Invariant:* a body is complete and hashed before its first byte is sent, and every `POST`, `PUT` and `PATCH` has a
//!   `Content-Length`.
//! * *Invariant:* the manifest is written after its blobs, and the tag with it: nothing half-published is visible under a tag.
//! * *Invariant:* `Ready=True` is made of proofs, and only [`verify::pull_back`] and [`verify::pull_again`] make one.
//! * *Invariant:* where signatures are demanded, a [`publish::Package`] is made of a [`publish::Vetted`] chart alone, and only
//!   [`publish::Vetted::of`] makes one.
//! * *Invariant:* every connection to a registry or source is made by [`net::Transport`].
//! * *Invariant:* a credential goes to the origin that it was read for, to a token service that is listed, and nowhere else; it has no
//!   `Debug` and no `Display`.
//! * *Invariant:* what a registry or source sends is read with a limit, and never copied raw into a status.

pub mod api;
pub mod chart;
pub mod controller;
pub mod lint;
pub mod metrics;
pub mod model;
pub mod net;
pub mod plan;
pub mod probe;
pub mod provenance;
pub mod publish;
pub mod registry;
pub mod relay;
pub mod remedy;
pub mod source;
pub mod spool;
pub mod status;
pub mod steps;
pub mod verify;

/// Names this program to registries and sources.
pub const USER_AGENT: &str = concat!("chart-publisher/", env!("CARGO_PKG_VERSION"));
