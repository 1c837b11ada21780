//! Holds the architecture: the rooms of `src/` keep to their walls, and each file to the house's style. Reads the sources as text;
//! `walls.rs` is the table, with a reason for each row.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test says what it expects by panicking")]

mod paths;
mod walls;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use paths::Source;
use walls::{Ban, EMPTY_NAMES, LONGEST_FILE, LONGEST_FUNCTION, ROOMS, Room};

/// A file of `src/`.
struct File {
    /// Below `src/`.
    name: String,
    /// `["plan", "routes"]`; the name of the file for those at the top.
    module: Vec<String>,
    text: String,
    source: Source,
}

impl File {
    fn room(&self) -> &str {
        &self.module[0]
    }
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.sort();
    let files = found.iter().map(|path| file(&root, path));
    files.collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn file(root: &Path, path: &Path) -> File {
    let below = path.strip_prefix(root).expect("below the root");
    let mut module: Vec<String> = below.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    let text = fs::read_to_string(path).expect("a source");
    let at_top = ["lib", "main"].contains(&module[0].as_str());
    let source = paths::read(&text, if at_top { &[] } else { &module });
    File { name: below.display().to_string(), module, text, source }
}

/// Files whose `mod` has `#[cfg(test)]` before it, with all below them.
fn is_for_tests(file: &File, files: &[File]) -> bool {
    files.iter().any(|parent| {
        let below = file.module.strip_prefix(parent.module.as_slice());
        below.and_then(<[String]>::first).is_some_and(|child| parent.source.test_modules.contains(child))
    })
}

fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// What is wrong with a path that a file of `room` names.
fn breach(room: &Room, path: &str) -> Option<String> {
    let (path, all) = path.strip_suffix("::*").map_or((path, false), |path| (path, true));
    let path = path.strip_suffix("::self").unwrap_or(path);
    let own = path.strip_prefix("crate::").or(path.strip_prefix("chart_publisher::"));
    match own {
        Some(own) if is_below(own, room.name) || room.uses.iter().any(|allowed| is_below(own, allowed)) => None,
        // `use crate::net` brings no more into scope than what is then named by `net::Address`.
        Some(own) if room.uses.iter().any(|allowed| !all && allowed.starts_with(&format!("{own}::"))) => None,
        Some(own) => Some(format!("`{own}` is not for `{}`: {}", room.name, room.reason)),
        None => by_name_in_scope(room, path).or_else(|| banned(room, path)),
    }
}

/// `net::Transport` after `use crate::net`.
fn by_name_in_scope(room: &Room, path: &str) -> Option<String> {
    let (first, _) = path.split_once("::")?;
    let partly = room.uses.iter().any(|allowed| allowed.starts_with(&format!("{first}::")));
    let allowed = room.uses.iter().any(|allowed| is_below(path, allowed) || is_below(allowed, path));
    (partly && first != room.name && !allowed).then(|| format!("`{path}` is not for `{}`: {}", room.name, room.reason))
}

fn banned(room: &Room, path: &str) -> Option<String> {
    let hits = |ban: &&Ban| match ban.path.strip_prefix('*') {
        Some(end) => path.ends_with(end),
        None => is_below(path, ban.path) && !ban.save.iter().any(|saved| is_below(path, saved)) && !opens(ban, path),
    };
    let ban = room.without.iter().flat_map(|bans| bans.iter()).find(hits)?;
    Some(format!("`{path}` is not for `{}`: it {}", room.name, ban.reason))
}

/// `use std::net::{self, …}` names nothing that is banned by itself, and so does a crate of which a part is saved.
fn opens(ban: &Ban, path: &str) -> bool {
    path == ban.path && !ban.save.is_empty()
}

fn check(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn every_room_stands_in_the_table_and_every_row_is_a_room_that_can_be_used() {
    let on_disk: BTreeSet<String> = files().iter().map(|file| file.room().to_owned()).collect();
    let unknown = on_disk.iter().filter(|name| room(name).is_none());
    check("rooms without a row in walls.rs", &unknown.map(|name| format!("src/{name}")).collect::<Vec<_>>());
    let names = |uses: &&&str| uses.split("::").next().is_some_and(|first| room(first).is_none() && first != "USER_AGENT");
    check(
        "rows that name no room",
        &ROOMS.iter().flat_map(|room| room.uses.iter().filter(names)).map(ToString::to_string).collect::<Vec<_>>(),
    );
}

#[test]
fn no_room_reaches_through_a_wall() {
    let files = files();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !is_for_tests(file, &files)) {
        let Some(room) = room(file.room()) else { continue };
        let breaches = file.source.paths.iter().filter_map(|(line, path)| Some((line, breach(room, path)?)));
        found.extend(breaches.map(|(line, what)| format!("src/{}:{line}: {what}", file.name)));
    }
    check("walls are broken", &found);
}

#[test]
fn http2_is_asked_for_by_the_probe_alone() {
    let files = files();
    let asking = files.iter().filter(|file| file.text.contains(".offering_http2()")).map(|file| file.name.as_str());
    // A registry offers it as its connections do, and the probe asks for it.
    assert_eq!(asking.collect::<Vec<_>>(), ["probe/run.rs", "registry/client.rs"]);
}

#[test]
fn every_file_opens_by_saying_what_it_does() {
    let silent = files().into_iter().filter(|file| !file.text.starts_with("//! "));
    check("files without `//!` on their first line", &silent.map(|file| file.name).collect::<Vec<_>>());
}

#[test]
fn files_and_functions_stay_short() {
    let mut found = Vec::new();
    for file in files() {
        let lines = file.text.lines().count();
        if lines > LONGEST_FILE {
            found.push(format!("src/{}: {lines} lines, and {LONGEST_FILE} are allowed", file.name));
        }
        let long = file.source.functions.iter().filter(|(_, _, length)| *length > LONGEST_FUNCTION);
        found.extend(long.map(|(line, name, length)| {
            format!("src/{}:{line}: `{name}` has {length} lines, and {LONGEST_FUNCTION} are allowed", file.name)
        }));
    }
    check("too long", &found);
}

#[test]
fn files_are_named_for_a_thing_or_a_step() {
    let empty = files().into_iter().filter(|file| file.module.iter().any(|part| EMPTY_NAMES.contains(&part.as_str())));
    check("names that say nothing", &empty.map(|file| file.name).collect::<Vec<_>>());
}

#[test]
fn a_breach_is_found_whichever_way_it_is_written() {
    let module = ["plan".to_owned(), "routes".to_owned()];
    let found = |text: &str| {
        let source = paths::read(text, &module);
        source.paths.iter().filter_map(|(_, path)| breach(room("plan")?, path)).count()
    };
    for (text, breaches) in [
        ("use crate::{api::Reason, net::Address, model};", 0),
        ("use crate::net::{self, Address}; fn f(_: net::Address) {}", 0),
        ("use super::{Route, facts::Facts}; fn f() { super::routes() }", 0),
        ("use std::{collections::BTreeMap, net::{IpAddr, SocketAddr}}; fn f() { u8::from(true) }", 0),
        ("// use std::fs;\nfn f() -> &'static str { \"crate::net::Transport\" }", 0),
        ("/* crate::net::Transport /* */ */ fn f() -> char { '\\'' }", 0),
        ("const R: &str = r#\"std::fs::read \"quoted\" \"#;", 0),
        ("#[cfg(test)]\nmod tests { use super::*; use crate::net::Transport; fn now() { std::fs::read(\"\") } }", 0),
        ("use crate::net::Transport;", 1),
        ("use crate::{api, net::{Address, Transport as T}};", 1),
        ("use crate::net; fn f(_: net::Transport) {}", 1),
        ("fn f(_: &crate::net::Transport) {}", 1),
        ("use super::super::net::Transport;", 1),
        ("use super::super::controller;", 1),
        ("mod inner { use super::super::super::spool::Spool; }", 1),
        ("use crate::net::*;", 1),
        ("use crate::model::*;", 0),
        ("use std::{fs, net::TcpStream};", 2),
        ("fn f() { std::time::Instant::now(); }", 1),
        ("use k8s_openapi::jiff::Timestamp; fn f() { Timestamp::now(); }", 1),
        ("use kube::Client; async fn f() { tokio::time::sleep(X).await }", 2),
        ("#[cfg(test)]\nmod tests { }\nuse std::fs;", 1),
        ("#[cfg(test)]\nuse std::fs;\nuse std::env;", 1),
    ] {
        assert_eq!(found(text), breaches, "{text}");
    }
}

#[test]
fn a_function_is_measured_from_its_first_line_to_its_brace() {
    let text = "fn one() {}\ntrait T { fn none(&self) -> [u8; 2]; }\nfn three(\n  _: [u8; 2],\n) where X: Fn() { if a { b } }\nmod m { fn inner() {\n} }\n";
    let found: Vec<_> = paths::read(text, &[]).functions.into_iter().map(|(_, name, length)| (name, length)).collect();
    assert_eq!(found, [("one".to_owned(), 1), ("three".to_owned(), 3), ("inner".to_owned(), 2)]);
}
