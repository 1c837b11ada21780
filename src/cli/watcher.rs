//! What is seen of `publish` while it works: on a terminal one line that changes, elsewhere a line for each thing that is done.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chart_publisher::{
    api::ChartPublication,
    controller::{Onlooker, SurveyError},
    net::Transport,
    plan::Wanted,
    publish::{Done, Failed, Follower, TargetRun},
};

use super::{
    api_server::Place,
    bar::{self, Bar},
    note,
    publish::shown,
};

/// Sees all publications of one command.
pub(super) struct Watcher {
    publications: usize,
    /// Who is asked for Services and Secrets.
    api_server: Option<Place>,
    is_terminal: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    transport: Option<Transport>,
    publication: String,
    /// `2 of 5`; empty where there is only one.
    place: String,
    done: usize,
    total: usize,
    under_way: Vec<String>,
    /// What was said last of each thing: the same is not said again.
    said: HashMap<String, String>,
    /// What was said last of the versions of each target that failed.
    failures: BTreeMap<String, Failures>,
    /// So many are to be tried again.
    left: usize,
}

/// Versions of one target that failed alike.
struct Failures {
    sentence: String,
    /// Those after the first.
    more: usize,
}

impl Watcher {
    pub(super) fn of(publications: usize, api_server: Option<Place>) -> Self {
        Self { publications, api_server, is_terminal: bar::is_shown(), state: Arc::default() }
    }

    /// The line, on a terminal, until it is dropped.
    pub(super) fn bar(&self) -> Bar {
        let state = self.state.clone();
        Bar::showing(move || locked(&state).line())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    fn say(&self, what: &str, news: &str) {
        if self.is_terminal {
            return;
        }
        let line = {
            let mut state = self.state();
            let key = format!("{}: {what}", state.publication);
            if state.said.get(&key).is_some_and(|before| before == news) {
                return;
            }
            let line = format!("{key}: {news}");
            state.said.insert(key, news.to_owned());
            line
        };
        note(&line);
    }
}

impl Watcher {
    /// Says of how many versions more the same is true, before something else is spoken of.
    pub(super) fn turns_away(&self) {
        let lines = self.state().rests();
        for line in lines {
            note(&line);
        }
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// A registry that is away fails for each version alike: that is said of the first, and of the others how many they are.
    fn failed(&mut self, name: &str, target: &str, sentence: String) -> Vec<String> {
        let key = format!("{}: {name}", self.publication);
        if self.said.get(&key).is_some_and(|before| *before == sentence) {
            return Vec::new();
        }
        let line = format!("{key}: {sentence}");
        self.said.insert(key, sentence.clone());
        if let Some(alike) = self.failures.get_mut(target).filter(|alike| alike.sentence == sentence) {
            alike.more += 1;
            return Vec::new();
        }
        let before = self.failures.insert(target.to_owned(), Failures { sentence, more: 0 });
        before.and_then(|before| self.rest(target, &before)).into_iter().chain([line]).collect()
    }

    fn rests(&mut self) -> Vec<String> {
        let failures = std::mem::take(&mut self.failures);
        failures.iter().filter_map(|(target, alike)| self.rest(target, alike)).collect()
    }

    fn rest(&self, target: &str, Failures { more, .. }: &Failures) -> Option<String> {
        let versions = if *more == 1 { "version" } else { "versions" };
        Some(format!("{}: the same for {more} more {versions} → {target}", self.publication)).filter(|_| *more > 0)
    }

    fn line(&self) -> String {
        let under_way = match (self.under_way.last(), self.under_way.len()) {
            (Some(last), 1) => last.clone(),
            (Some(last), more) => format!("{last} +{}", more - 1),
            (None, _) => String::new(),
        };
        let sent = self.transport.as_ref().map_or(0, Transport::sent);
        let parts = [self.publication.clone(), self.place.clone(), under_way, in_mib(sent)];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        bar::many(self.done, self.total, &parts.join("  "))
    }
}

/// Nothing for nothing.
fn in_mib(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 20;
    if bytes == 0 { String::new() } else { format!("{}.{} MiB sent", tenths / 10, tenths % 10) }
}

fn named(wanted: &Wanted, target: &TargetRun) -> String {
    format!("{} {} → {}", wanted.name, wanted.version, target.name)
}

impl Follower for Watcher {
    fn begins(&self, wanted: &Wanted, target: &TargetRun) {
        self.state().under_way.push(named(wanted, target));
    }

    fn ended(&self, wanted: &Wanted, target: &TargetRun, result: &Result<Done, Failed>) {
        let name = named(wanted, target);
        self.state().under_way.retain(|other| *other != name);
        match result {
            Ok(done) if done.is_new() => self.say(&name, "published and pulled back"),
            Ok(Done::Found(_)) => self.say(&name, "was there already, pulled back"),
            Ok(_) => {}
            Err(_) if self.is_terminal => {}
            Err(failed) => {
                let lines = self.state().failed(&name, &target.name, format!("{}: {}", failed.reason, failed.sentence));
                for line in lines {
                    note(&line);
                }
            }
        }
    }
}

impl Onlooker for Watcher {
    fn connects(&self, transport: &Transport) {
        self.state().transport = Some(transport.clone());
    }

    fn awaits_cluster(&self, error: &SurveyError) {
        let said = self.api_server.as_ref().map_or_else(|| error.to_string(), |api_server| api_server.sentence(error));
        let sentence = format!("{said}; tried again while `--wait` lasts");
        let before = self.state().said.insert("the cluster".to_owned(), sentence.clone());
        if before.is_none_or(|before| before != sentence) {
            bar::erase();
            note(&sentence);
        }
    }

    fn misses(&self, kind: &str) {
        bar::erase();
        note(&format!("objects of the kind {kind} may not be read: routes through them are not seen"));
    }

    fn turns_to(&self, publication: &ChartPublication, place: usize) {
        self.turns_away();
        let mut state = self.state();
        state.publication = shown(publication);
        state.place = if self.publications > 1 { format!("({place} of {})", self.publications) } else { String::new() };
        (state.done, state.total) = (0, 0);
        state.under_way.clear();
    }

    fn progressed(&self, done: usize, total: usize) {
        let mut state = self.state();
        (state.done, state.total) = (done, total);
    }

    fn refused(&self, target: Option<&str>, failed: &Failed) {
        let what = target.map_or_else(|| "source".to_owned(), |target| format!("target {target}"));
        self.say(&what, &format!("{}: {}", failed.reason, failed.sentence));
    }

    fn waits(&self, left: usize, pause: Duration) {
        self.turns_away();
        let before = {
            let mut state = self.state();
            state.publication = format!("{left} to be tried again, the next one in {} s", pause.as_secs().max(1));
            state.place.clear();
            std::mem::replace(&mut state.left, left)
        };
        if before != left && !self.is_terminal {
            note(&format!("{left} {} tried again while `--wait` lasts", if left == 1 { "publication is" } else { "publications are" }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_true_of_many_versions_is_said_once_with_their_number() {
        let mut state = State { publication: "a/b".to_owned(), ..State::default() };
        let mut fails = |version: &str, sentence: &str| state.failed(&format!("web {version} → main"), "main", sentence.to_owned());
        assert_eq!(fails("1", "away"), ["a/b: web 1 → main: away"]);
        assert!(fails("2", "away").is_empty() && fails("3", "away").is_empty());
        assert_eq!(fails("4", "other"), ["a/b: the same for 2 more versions → main", "a/b: web 4 → main: other"]);
        assert!(fails("5", "other").is_empty());
        assert_eq!(state.rests(), ["a/b: the same for 1 more version → main"]);
        assert!(state.rests().is_empty());
        assert!(state.failed("web 5 → main", "main", "other".to_owned()).is_empty(), "it was said in an earlier pass");
    }

    #[test]
    fn the_line_says_what_is_under_way() {
        let mut state = State { publication: "platform/podinfo".to_owned(), done: 1, total: 4, ..State::default() };
        assert_eq!(state.line(), format!("\r[#####{}] 1/4 platform/podinfo\x1b[K", " ".repeat(15)));
        state.place = "(2 of 5)".to_owned();
        state.under_way = vec!["podinfo 6.5.0 → main".to_owned(), "podinfo 6.4.0 → main".to_owned()];
        let line = state.line();
        assert!(line.ends_with("1/4 platform/podinfo  (2 of 5)  podinfo 6.4.0 → main +1\x1b[K") || line.ends_with("…\x1b[K"), "{line}");
        assert_eq!((in_mib(0), in_mib(1), in_mib(15 << 19)), (String::new(), "0.0 MiB sent".to_owned(), "7.5 MiB sent".to_owned()));
    }
}
