//! Writes Events. One that comes again soon is counted; one that says something else is another one.
//!
//! kube's recorder takes two Events for the same when only their notes differ, and shows the first note: the second version of a
//! chart would be told as the first one, twice.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use k8s_openapi::{
    api::{
        core::v1::ObjectReference,
        events::v1::{Event, EventSeries},
    },
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::{SignedDuration, Timestamp},
};
use kube::{
    Api, Client,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use serde_json::json;

use super::events::{Kind, Told};
use crate::api::FIELD_MANAGER;

/// As long as Kubernetes itself counts: after it, the same is told anew.
const COUNTED_FOR: SignedDuration = SignedDuration::from_mins(6);
/// Of one publication and reason, so many Events with other words are made within that time; what comes then is counted.
const MOST_WORDS: usize = 5;
/// Characters at the beginning of a note that say of what it is.
const ALIKE: usize = 32;
/// Leaves room for an ending in a name's 253 characters.
const LONGEST_NAME: usize = 230;

/// Writes the Events of all publications, and knows what it wrote lately.
pub(super) struct Recorder {
    client: Client,
    instance: String,
    lately: Mutex<HashMap<Key, Written>>,
}

/// What makes two Events the same.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    uid: Option<String>,
    told: Told,
}

/// An Event that was written.
#[derive(Clone)]
struct Written {
    name: String,
    count: i32,
    last: Timestamp,
}

impl Recorder {
    /// `instance` names this replica.
    pub(super) fn new(client: Client, instance: Option<String>) -> Self {
        Self { client, instance: instance.unwrap_or_else(|| FIELD_MANAGER.to_owned()), lately: Mutex::default() }
    }

    /// Writes an Event of `object`, or counts the one that is there.
    pub(super) async fn write(&self, told: &Told, object: &ObjectReference) -> Result<(), kube::Error> {
        let now = Timestamp::now();
        let key = Key { uid: object.uid.clone(), told: told.clone() };
        let events = Api::namespaced(self.client.clone(), object.namespace.as_deref().unwrap_or("default"));
        let before = {
            let mut lately = self.lately();
            lately.retain(|_, written| now.duration_since(written.last) < COUNTED_FOR);
            same(&lately, &key)
        };
        if let Some((key, written)) = before {
            let counted = Written { count: written.count.saturating_add(1), last: now, ..written };
            match count(&events, &counted).await {
                // Somebody deleted it.
                Err(kube::Error::Api(answer)) if answer.code == 404 => {}
                result => {
                    result?;
                    self.lately().insert(key, counted);
                    return Ok(());
                }
            }
        }
        let event = self.event(told, object, now);
        let written = Written { name: event.metadata.name.clone().unwrap_or_default(), count: 1, last: now };
        events.create(&PostParams::default(), &event).await?;
        self.lately().insert(key, written);
        Ok(())
    }

    fn lately(&self) -> MutexGuard<'_, HashMap<Key, Written>> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event(&self, told: &Told, object: &ObjectReference, now: Timestamp) -> Event {
        let name: String = object.name.iter().flat_map(|name| name.chars()).take(LONGEST_NAME).collect();
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{}.{:x}", name.trim_end_matches(['.', '-']), now.as_nanosecond())),
                namespace: object.namespace.clone(),
                ..ObjectMeta::default()
            },
            action: Some("Publish".to_owned()),
            event_time: Some(MicroTime(now)),
            note: Some(told.note.clone()),
            reason: Some(told.reason.clone()),
            regarding: Some(object.clone()),
            reporting_controller: Some(FIELD_MANAGER.to_owned()),
            reporting_instance: Some(self.instance.chars().take(128).collect()),
            type_: Some(told.kind.as_str().to_owned()),
            ..Event::default()
        }
    }
}

/// The Event that `key` is another one of: with the same words, or the last of many that differ only in them, as where a server puts the
/// number of the request into each of its errors.
fn same(lately: &HashMap<Key, Written>, key: &Key) -> Option<(Key, Written)> {
    if let Some(written) = lately.get(key) {
        return Some((key.clone(), written.clone()));
    }
    let begin = |told: &Told| told.note.chars().take(ALIKE).collect::<String>();
    let is_alike = |other: &Key| {
        let has_cause = other.uid == key.uid && (other.told.kind, &other.told.reason) == (Kind::Warning, &key.told.reason);
        has_cause && begin(&other.told) == begin(&key.told)
    };
    let alike: Vec<_> = lately.iter().filter(|(other, _)| key.told.kind == Kind::Warning && is_alike(other)).collect();
    let last = alike.iter().max_by_key(|(_, written)| written.last).filter(|_| alike.len() >= MOST_WORDS)?;
    Some((last.0.clone(), last.1.clone()))
}

async fn count(events: &Api<Event>, written: &Written) -> Result<(), kube::Error> {
    let series = EventSeries { count: written.count, last_observed_time: MicroTime(written.last) };
    events.patch(&written.name, &PatchParams::default(), &Patch::Merge(json!({"series": series}))).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(uid: &str, kind: Kind, reason: &str, note: &str) -> Key {
        Key { uid: Some(uid.to_owned()), told: Told { kind, reason: reason.to_owned(), note: note.to_owned() } }
    }

    #[test]
    fn warnings_whose_words_never_end_are_counted_and_news_is_not() {
        let mut lately = HashMap::new();
        let mut write = |key: Key, second: i64| {
            let told = same(&lately, &key);
            let known = told.as_ref().map(|(key, _)| key.told.note.clone());
            let last = Timestamp::from_second(second).expect("a time");
            lately.insert(told.map_or(key, |(key, _)| key), Written { name: String::new(), count: 1, last });
            known
        };
        for number in 0..5 {
            assert_eq!(
                write(key("a", Kind::Warning, "Denied", &format!("target `main`: the registry answered 503 to request {number}")), number),
                None
            );
        }
        assert_eq!(
            write(key("a", Kind::Warning, "Denied", "target `main`: the registry answered 503 to request 5"), 5).as_deref(),
            Some("target `main`: the registry answered 503 to request 4")
        );
        assert_eq!(
            write(key("a", Kind::Warning, "Denied", "target `main`: the registry answered 503 to request 2"), 6).as_deref(),
            Some("target `main`: the registry answered 503 to request 2"),
            "the same words"
        );
        assert_eq!(
            write(key("a", Kind::Warning, "Denied", "target `main`: the registry answered 503 to request 6"), 7).as_deref(),
            Some("target `main`: the registry answered 503 to request 2"),
            "the last one"
        );
        assert_eq!(
            write(key("a", Kind::Warning, "TlsFailed", "target `main`: the registry answered 503 to request 7"), 8),
            None,
            "another reason"
        );
        assert_eq!(
            write(key("b", Kind::Warning, "Denied", "target `main`: the registry answered 503 to request 8"), 9),
            None,
            "another publication"
        );
        for number in 0..9 {
            assert_eq!(
                write(key("a", Kind::Warning, "Denied", &format!("target `{number}`: the registry answered 503")), 9),
                None,
                "others"
            );
        }
        for number in 0..9 {
            assert_eq!(write(key("a", Kind::Normal, "Published", &format!("version {number}")), 10), None, "good news");
        }
    }
}
