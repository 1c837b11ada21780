//! One connection of a fault proxy, request by request.
//!
//! The body goes on to the registry while its answer is awaited: an early answer is passed on early.

use std::{
    collections::HashMap,
    future::pending,
    io,
    pin::pin,
    sync::{Arc, atomic::Ordering},
};

use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use super::{
    super::{
        Close,
        ledger::{Asked, Entry, Framing},
        quirk::Balanced,
        rule::Page,
    },
    Shared,
    message::{Head, Length, Piece, Pieces},
    near::Near,
    plan::{Own, Plan},
};

/// A connection of a client, with those that it has to upstreams.
pub struct Line {
    near: Near,
    far: HashMap<usize, Far>,
    number: usize,
    shared: Arc<Shared>,
}

struct Far {
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
}

/// What follows a request.
enum Next {
    Request,
    End(Close),
}

/// What became of the body of a request on its way.
enum Passed {
    /// All of it went on.
    Whole,
    /// Nobody takes more of it; there may be an answer.
    Unwanted,
    /// The client went away.
    Abandoned,
    /// A rule ends the connection.
    Cut(Close),
    /// It is longer than a rule allows.
    TooLong(Own),
}

impl Line {
    /// The connection with this number.
    pub fn new(stream: TcpStream, number: usize, shared: Arc<Shared>) -> Self {
        Self { near: Near::new(stream), far: HashMap::new(), number, shared }
    }

    /// Serves it to its end.
    pub async fn run(mut self) {
        let mut first = true;
        let how = loop {
            let Ok(Some(head)) = Head::read(&mut self.near.read).await else { break Close::AtOnce };
            match self.request(head, first).await {
                Ok(Next::Request) => first = false,
                Ok(Next::End(how)) => break how,
                Err(_) => break Close::AtOnce,
            }
        };
        self.near.end(how).await;
    }

    async fn request(&mut self, head: Head, first: bool) -> io::Result<Next> {
        let asked = asked(self.number, &head);
        let acting = self.shared.rules.lock().expect("the rules").act(&asked, first);
        let entry = self.shared.ledger.begin(asked);
        let plan = Plan::of(acting, head.request_body());
        if let Some(how) = plan.cut_head {
            return Ok(Next::End(how));
        }
        if let Some(own) = plan.own {
            let read = read_some(&mut self.near, Pieces::of(head.request_body()), own.read, &entry).await;
            return if read { self.answer(own, &entry).await } else { Ok(Next::End(Close::AtOnce)) };
        }
        let Some((time, status)) = plan.time else { return self.pass(head, &plan, &entry).await };
        let Ok(next) = timeout(time, self.pass(head, &plan, &entry)).await else {
            return self.answer(Own { status, page: Some(Page::Nginx), close: Some(Close::Lingering), ..Own::default() }, &entry).await;
        };
        next
    }

    async fn answer(&mut self, own: Own, entry: &Entry) -> io::Result<Next> {
        entry.answer(own.status);
        let page = own.page.unwrap_or(Page::Empty);
        let is_head = entry.asked().method == "HEAD";
        self.near.answer(own.status, &own.fields, &page, own.close.is_none(), is_head).await?;
        Ok(own.close.map_or(Next::Request, Next::End))
    }

    async fn pass(&mut self, mut head: Head, plan: &Plan, entry: &Entry) -> io::Result<Next> {
        let method = head.word(0).to_owned();
        let body = Pieces::of(head.request_body());
        if plan.swallow {
            head.remove("transfer-encoding");
            head.remove("content-length");
            head.fields.push(("Content-Length".to_owned(), "0".to_owned()));
        }
        let upstream = self.upstream();
        let mut far = match self.far.remove(&upstream) {
            Some(far) => far,
            None => match self.shared.upstreams[upstream].connect().await {
                Ok(stream) => Far::new(stream),
                Err(_) => return self.answer(bad_gateway(), entry).await,
            },
        };
        far.write.write_all(&head.bytes()).await?;
        let (passed, answered) = exchange(&mut self.near, &mut far, body, plan, entry).await;
        let Some(answer) = answered else {
            return match passed {
                Some(Passed::Cut(how)) => Ok(Next::End(how)),
                Some(Passed::TooLong(own)) => self.answer(own, entry).await,
                _ => Ok(Next::End(Close::AtOnce)),
            };
        };
        if let Some(how) = plan.lose {
            return Ok(Next::End(how));
        }
        let whole = matches!(passed, Some(Passed::Whole));
        if let Some((status, page)) = plan.instead.clone() {
            let close = (!whole).then_some(Close::Lingering);
            return self.answer(Own { status, page: Some(page), close, ..Own::default() }, entry).await;
        }
        let stays = self.pass_back(answer, &mut far, &method, plan, entry).await?;
        if let Some(how) = stays {
            return Ok(Next::End(how));
        }
        if !whole {
            return Ok(Next::End(Close::Lingering));
        }
        self.far.insert(upstream, far);
        Ok(Next::Request)
    }

    fn upstream(&self) -> usize {
        let number = match self.shared.balanced {
            Balanced::ByRequest => self.shared.requests.fetch_add(1, Ordering::SeqCst),
            Balanced::ByConnection => self.number,
        };
        number % self.shared.upstreams.len()
    }

    /// Passes an answer on; says how the connection ends when it does.
    async fn pass_back(&mut self, mut head: Head, far: &mut Far, method: &str, plan: &Plan, entry: &Entry) -> io::Result<Option<Close>> {
        let length = head.answer_body(method);
        let closes = head.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        plan.edit(&mut head);
        entry.answer(head.status());
        self.near.write.write_all(&head.bytes()).await?;
        let (mut pieces, mut sent) = (Pieces::of(length), 0);
        while let Some(piece) = pieces.next(&mut far.read).await? {
            let mut bytes = piece.bytes();
            if let (Some((after, how)), Piece::Content(content)) = (plan.cut_answer, &piece) {
                if sent + content.len() as u64 >= after {
                    bytes = &bytes[..usize::try_from(after - sent).unwrap_or(0)];
                    self.near.write.write_all(bytes).await?;
                    return Ok(Some(how));
                }
                sent += content.len() as u64;
            }
            self.near.write.write_all(bytes).await?;
        }
        Ok((closes || length == Length::UntilEnd).then_some(Close::AtOnce))
    }
}

impl Far {
    fn new(stream: TcpStream) -> Self {
        let (read, write) = stream.into_split();
        Self { read: BufReader::new(read), write }
    }
}

fn bad_gateway() -> Own {
    Own { status: 502, page: Some(Page::Nginx), close: Some(Close::Lingering), ..Own::default() }
}

fn asked(connection: usize, head: &Head) -> Asked {
    let fields = head.fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    let framing = match head.request_body() {
        Length::Chunked | Length::UntilEnd => Framing::Chunked,
        Length::Sized(length) if head.field("content-length").is_some() => Framing::Sized(length),
        Length::Sized(_) => Framing::Unsaid,
    };
    let (method, target) = (head.word(0).to_owned(), head.word(1).to_owned());
    Asked { connection, method, target, fields, framing, received: 0, whole: false, status: None }
}

/// Reads up to so much of a body and throws it away. False when the client went away.
async fn read_some(near: &mut Near, mut pieces: Pieces, most: u64, entry: &Entry) -> bool {
    while entry.asked().received < most {
        match pieces.next(&mut near.read).await {
            Ok(Some(Piece::Content(bytes))) => entry.receive(bytes.len()),
            Ok(Some(Piece::Framing(_))) => {}
            Ok(None) => {
                entry.complete();
                return true;
            }
            Err(_) => return false,
        }
    }
    true
}

/// Passes the body on and awaits the answer, both at once.
async fn exchange(near: &mut Near, far: &mut Far, body: Pieces, plan: &Plan, entry: &Entry) -> (Option<Passed>, Option<Head>) {
    let mut passing = pin!(pass_body(&mut near.read, &mut far.write, body, plan, entry));
    let mut answering = pin!(final_head(&mut far.read));
    let mut passed = None;
    loop {
        tokio::select! {
            now = &mut passing, if passed.is_none() => {
                if matches!(now, Passed::Abandoned | Passed::Cut(_) | Passed::TooLong(_)) {
                    return (Some(now), None);
                }
                passed = Some(now);
            }
            answer = &mut answering => return (passed, answer),
        }
    }
}

/// The head of an answer that is not one of those in between.
async fn final_head(read: &mut BufReader<OwnedReadHalf>) -> Option<Head> {
    loop {
        let head = Head::read(read).await.ok().flatten()?;
        if head.status() >= 200 {
            return Some(head);
        }
    }
}

async fn pass_body(
    read: &mut BufReader<OwnedReadHalf>,
    write: &mut OwnedWriteHalf,
    mut body: Pieces,
    plan: &Plan,
    entry: &Entry,
) -> Passed {
    let mut gone = 0_u64;
    loop {
        match plan.stall {
            Some((after, false)) if gone >= after => pending::<()>().await,
            _ => {}
        }
        let Ok(piece) = body.next(read).await else { return Passed::Abandoned };
        let Some(piece) = piece else { break };
        let mut bytes = piece.bytes();
        if let Piece::Content(content) = &piece {
            entry.receive(content.len());
            gone += content.len() as u64;
        }
        if let Some((limit, own)) = &plan.limit
            && gone > *limit
        {
            return Passed::TooLong(own.clone());
        }
        let last = plan.cut.filter(|(after, _)| gone >= *after);
        if let (Some((after, _)), Piece::Content(_)) = (last, &piece) {
            bytes = &bytes[..bytes.len().saturating_sub(usize::try_from(gone - after).unwrap_or(usize::MAX))];
        }
        let held = plan.swallow || plan.stall.is_some_and(|(after, _)| gone > after);
        if !held && write.write_all(bytes).await.is_err() {
            return Passed::Unwanted;
        }
        if let Some((_, how)) = last {
            return Passed::Cut(how);
        }
    }
    entry.complete();
    if plan.stall.is_some_and(|(after, _)| gone > after) {
        pending::<()>().await;
    }
    Passed::Whole
}
