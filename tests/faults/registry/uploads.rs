//! Upload sessions of a scripted registry: POST, PATCH, PUT, GET and DELETE.

use http::{Method, Response};

use super::{
    super::quirk::{Balanced, Quirk},
    Shared,
    answer::{self, Body, Outcome},
    gate, location,
    serve::Question,
    store::{self, Upload},
};
use crate::support::random_word;

/// `POST`: a mount, a whole blob, or a session.
pub fn begin(shared: &Shared, question: &Question, repository: &str) -> Response<Body> {
    if let Some(digest) = question.parameter("mount")
        && let Some(answer) = mount(shared, question, repository, &digest)
    {
        return answer;
    }
    if let Some(digest) = question.parameter("digest")
        && !shared.switches.shows(&Quirk::SinglePostIgnored)
    {
        return if question.whole { store_blob(shared, repository, &digest, question.body.clone()) } else { answer::bare(400) };
    }
    let id = random_word();
    let upload = Upload {
        repository: repository.to_owned(),
        replica: replica(shared, question).map_or(0, |(replica, _)| replica),
        query: location::query(shared),
        ..Upload::default()
    };
    let response = progress(shared, question, &id, &upload, 202, 0);
    shared.sessions.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    shared.store.lock().expect("the store").uploads.insert(id, upload);
    response
}

fn mount(shared: &Shared, question: &Question, repository: &str, digest: &str) -> Option<Response<Body>> {
    match shared.switches.show(|quirk| if let Quirk::MountAnswers(status) = quirk { Some(*status) } else { None }) {
        Some(202) => return None,
        Some(status) => return Some(answer::error(status, "UNSUPPORTED", "no mount")),
        None => {}
    }
    let from = question.parameter("from")?;
    let blob = shared.store.lock().expect("the store").blobs.get(&(from, digest.to_owned())).cloned()?;
    Some(store_blob(shared, repository, digest, blob.to_vec()))
}

/// What comes to the `Location` of a session.
pub fn go_on(shared: &Shared, question: &Question, repository: &str, id: &str) -> Outcome {
    let mut store = shared.store.lock().expect("the store");
    let Some(upload) = store.uploads.get_mut(id).filter(|upload| upload.repository == repository) else { return Ok(unknown()) };
    if let Some((_, status)) = replica(shared, question).filter(|(replica, _)| *replica != upload.replica) {
        return Ok(answer::error(status, "BLOB_UPLOAD_INVALID", "blob upload invalid"));
    }
    if !location::is_kept(question, upload.query.as_deref()) {
        return Ok(answer::error(400, "BLOB_UPLOAD_INVALID", "blob upload invalid"));
    }
    let chunks = upload.chunks;
    let is_lost = |quirk: &Quirk| matches!(quirk, Quirk::SessionLost(after) if chunks >= *after).then_some(());
    if question.method != Method::DELETE && shared.switches.show(is_lost).is_some() {
        store.uploads.remove(id);
        return Ok(unknown());
    }
    if !question.whole && shared.switches.shows(&Quirk::SessionLostByCut) {
        store.uploads.remove(id);
        return Ok(unknown());
    }
    match question.method {
        Method::GET => {
            let answer = progress(shared, question, id, upload, 204, upload.data.len());
            upload.write_late();
            Ok(answer)
        }
        Method::PATCH => {
            upload.write_late();
            Ok(patch(shared, question, id, upload))
        }
        Method::DELETE => {
            store.uploads.remove(id);
            Ok(answer::bare(204))
        }
        Method::PUT => {
            if let Some(refusal) = out_of_order(shared, question, id, upload) {
                return Ok(refusal);
            }
            upload.data.extend_from_slice(&question.body);
            if !question.whole {
                return Ok(answer::bare(400));
            }
            let data = store.uploads.remove(id).expect("the session that was just there").data;
            drop(store);
            close(shared, question, repository, data)
        }
        _ => Ok(answer::error(405, "UNSUPPORTED", "the operation is unsupported")),
    }
}

fn patch(shared: &Shared, question: &Question, id: &str, upload: &mut Upload) -> Response<Body> {
    let size = question.body.len();
    if let Some(refusal) = out_of_order(shared, question, id, upload) {
        return refusal;
    }
    let refused = shared.switches.show(|quirk| match quirk {
        Quirk::PatchUnsatisfiable => Some(true),
        Quirk::ChunkMaximum(maximum) if size as u64 > *maximum => Some(true),
        Quirk::ChunkMinimum(minimum) if upload.smallest.is_some_and(|smallest| smallest < *minimum) => Some(false),
        _ => None,
    });
    match refused {
        Some(true) => return progress(shared, question, id, upload, 416, upload.data.len()),
        Some(false) => return answer::error(400, "BLOB_UPLOAD_INVALID", "a chunk before the last one was too small"),
        None => {}
    }
    let before = upload.data.len();
    if !question.whole && shared.switches.shows(&Quirk::CutWrittenLate) {
        let (now, late) = question.body.split_at(size / 2);
        upload.data.extend_from_slice(now);
        late.clone_into(&mut upload.late);
        return progress(shared, question, id, upload, 202, before + now.len());
    }
    let kept = shared.switches.show(|quirk| match quirk {
        Quirk::RangeShort => Some((size / 2, before + size / 2)),
        Quirk::ChunkLost => Some((size / 2, before + size)),
        Quirk::RangeWrong => Some((size, before + size + 1)),
        _ => None,
    });
    let (kept, claimed) = kept.unwrap_or((size, before + size));
    upload.data.extend_from_slice(question.body.get(..kept).unwrap_or_default());
    upload.chunks += 1;
    upload.smallest = Some(upload.smallest.map_or(size as u64, |smallest| smallest.min(size as u64)));
    let status = if shared.switches.shows(&Quirk::PatchCreated) { 201 } else { 202 };
    progress(shared, question, id, upload, status, claimed)
}

impl Upload {
    fn write_late(&mut self) {
        self.data.append(&mut self.late);
    }
}

/// 416, when a `Content-Range` does not begin where the session ends.
fn out_of_order(shared: &Shared, question: &Question, id: &str, upload: &Upload) -> Option<Response<Body>> {
    let range = question.field("content-range")?.trim_start_matches("bytes").trim().split('/').next()?;
    let begin = range.split_once('-').and_then(|(begin, _)| begin.parse::<usize>().ok());
    (begin != Some(upload.data.len())).then(|| progress(shared, question, id, upload, 416, upload.data.len()))
}

/// `PUT`: what came is compared with its digest.
fn close(shared: &Shared, question: &Question, repository: &str, mut data: Vec<u8>) -> Outcome {
    let Some(digest) = question.parameter("digest") else {
        return Ok(answer::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content"));
    };
    if shared.switches.shows(&Quirk::DigestInvalid) {
        data.push(0);
    }
    let response = store_blob(shared, repository, &digest, data);
    if response.status() != 201 {
        return Ok(response);
    }
    if let Some(how) = gate::lost(shared, |quirk| if let Quirk::PutAnswerLost(how) = quirk { Some(*how) } else { None }) {
        return Err(how);
    }
    Ok(if shared.switches.shows(&Quirk::PutNoContent) { answer::bare(204) } else { response })
}

fn store_blob(shared: &Shared, repository: &str, digest: &str, data: Vec<u8>) -> Response<Body> {
    if store::digest(&data) != digest {
        return answer::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    }
    let named = (repository.to_owned(), digest.to_owned());
    let mut store = shared.store.lock().expect("the store");
    store.hollow.retain(|hollow| *hollow != named);
    store.blobs.insert(named, data.into());
    let there = format!("/v2/{repository}/blobs/{digest}");
    answer::with(201, &[("location", &there), ("docker-content-digest", digest)], "")
}

/// An answer that says where to go on and how much is there.
fn progress(shared: &Shared, question: &Question, id: &str, upload: &Upload, status: u16, there: usize) -> Response<Body> {
    let path = format!("/v2/{}/blobs/uploads/{id}", upload.repository);
    let mut fields = vec![("docker-upload-uuid".to_owned(), id.to_owned())];
    if let Some(value) = location::of(shared, question, &path, upload.query.as_deref()) {
        fields.push(("location".to_owned(), value));
    }
    let begins = question.method == Method::POST;
    if begins || !shared.switches.shows(&Quirk::NoRange) {
        fields.push(("range".to_owned(), format!("0-{}", there.saturating_sub(1))));
    }
    let minimum = shared.switches.show(|quirk| match quirk {
        Quirk::ChunkMinimum(minimum) if begins => Some(*minimum),
        _ => None,
    });
    fields.extend(minimum.map(|minimum| ("oci-chunk-min-length".to_owned(), minimum.to_string())));
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if status == 416 {
        return answer::error_with(416, "BLOB_UPLOAD_INVALID", "the range does not fit what was uploaded", &fields);
    }
    answer::with(status, &fields, "")
}

fn unknown() -> Response<Body> {
    answer::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
}

/// Which of two replicas this request came to, and how it refuses the other's sessions; `None` when there is but one.
fn replica(shared: &Shared, question: &Question) -> Option<(usize, u16)> {
    shared.switches.show(|quirk| match quirk {
        Quirk::Replicas(Balanced::ByRequest, status) => Some((question.number % 2, *status)),
        Quirk::Replicas(Balanced::ByConnection, status) => Some((question.connection % 2, *status)),
        _ => None,
    })
}
