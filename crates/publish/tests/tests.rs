//! The processor against stores in memory that can be made to fail, be slow, and lose whoever uses them.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use publish::{
    Begun, Bodies, Body, Failure, Id, Outcome, Processor, Reading, Receipt, Receipts, Status, StoreError, Storing,
};
use replace::{Engine, Rules};

const PREFIX: &str = "captured/";
const LEASE: u64 = 100;

/// Everything there is, and how it behaves.
#[derive(Default)]
struct World {
    now: AtomicU64,
    bodies: Mutex<HashMap<String, (String, Vec<Bytes>)>>,
    results: Mutex<HashMap<String, Bytes>>,
    writes: AtomicUsize,
    receipts: Mutex<HashMap<String, (Receipt, u64)>>,
    /// How many more calls succeed before one fails.
    calls_until_failure: Mutex<Option<usize>>,
}

impl World {
    /// Lets another task run, as a network would, then fails if it is time to.
    async fn call(&self) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        let mut left = self.calls_until_failure.lock().unwrap();
        match left.as_mut() {
            Some(0) => {
                *left = None;
                Err(StoreError::new("unplugged"))
            }
            Some(calls) => {
                *calls -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn capture(&self, id: &str, content_type: &str, pieces: &[&[u8]]) -> String {
        let pieces = pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect();
        self.bodies.lock().unwrap().insert(id.to_owned(), (content_type.to_owned(), pieces));
        format!(r#"{{"Records":[{{"s3":{{"object":{{"key":"{PREFIX}{id}"}}}}}}]}}"#)
    }

    fn status(&self, id: &str) -> Option<Status> {
        self.receipts.lock().unwrap().get(id).map(|(receipt, _)| receipt.status.clone())
    }

    fn result(&self, id: &str) -> Option<Bytes> {
        self.results.lock().unwrap().get(id).cloned()
    }

    /// Changes the receipt if it is this attempt's and still processing.
    fn end(&self, id: &Id, attempt: u64, status: Status) -> bool {
        let mut receipts = self.receipts.lock().unwrap();
        match receipts.get_mut(&id.to_string()) {
            Some((receipt, _)) if receipt.attempts == attempt && receipt.status == Status::Processing => {
                receipt.status = status;
                true
            }
            _ => false,
        }
    }
}

struct Pieces(std::vec::IntoIter<Bytes>, Arc<World>);

impl Reading for Pieces {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, StoreError>> + Send + '_>> {
        Box::pin(async {
            self.1.call().await?;
            Ok(self.0.next())
        })
    }
}

struct Shared(Arc<World>);

impl Bodies for Shared {
    fn read<'a>(&'a self, id: &'a Id) -> Storing<'a, Option<Body>> {
        Box::pin(async {
            self.0.call().await?;
            let found = self.0.bodies.lock().unwrap().get(&id.to_string()).cloned();
            Ok(found.map(|(content_type, pieces)| Body {
                principal: "alice".into(),
                content_type,
                pieces: Box::new(Pieces(pieces.into_iter(), Arc::clone(&self.0))),
            }))
        })
    }

    fn write_result<'a>(&'a self, id: &'a Id, _: &'a str, result: Bytes) -> Storing<'a, ()> {
        Box::pin(async move {
            self.0.call().await?;
            self.0.writes.fetch_add(1, SeqCst);
            self.0.results.lock().unwrap().insert(id.to_string(), result);
            Ok(())
        })
    }

    fn principal<'a>(&'a self, _: &'a Id) -> Storing<'a, Option<String>> {
        Box::pin(async { unreachable!("processing does not ask for it") })
    }

    fn result_link<'a>(&'a self, _: &'a Id, _: Duration) -> Storing<'a, String> {
        Box::pin(async { unreachable!("processing does not ask for it") })
    }
}

impl Receipts for Shared {
    fn begin<'a>(&'a self, id: &'a Id, principal: &'a str) -> Storing<'a, Begun> {
        Box::pin(async {
            self.0.call().await?;
            let now = self.0.now.load(SeqCst);
            let mut receipts = self.0.receipts.lock().unwrap();
            let (attempts, begun) = match receipts.get(&id.to_string()) {
                Some((Receipt { status: Status::Done { .. }, .. }, _)) => return Ok(Begun::Done),
                Some((Receipt { status: Status::Processing, .. }, until)) if *until > now => return Ok(Begun::Busy),
                Some((receipt, _)) => (receipt.attempts + 1, Begun::Attempt(receipt.attempts + 1)),
                None => (1, Begun::Attempt(1)),
            };
            let receipt = Receipt { principal: principal.into(), status: Status::Processing, attempts };
            receipts.insert(id.to_string(), (receipt, now + LEASE));
            Ok(begun)
        })
    }

    fn done<'a>(&'a self, id: &'a Id, attempt: u64, size: u64) -> Storing<'a, bool> {
        Box::pin(async move {
            self.0.call().await?;
            Ok(self.0.end(id, attempt, Status::Done { size }))
        })
    }

    fn failed<'a>(&'a self, id: &'a Id, attempt: u64, reason: &'a str) -> Storing<'a, bool> {
        Box::pin(async move {
            self.0.call().await?;
            Ok(self.0.end(id, attempt, Status::Failed { reason: reason.into() }))
        })
    }

    fn find<'a>(&'a self, id: &'a Id) -> Storing<'a, Option<Receipt>> {
        Box::pin(async { Ok(self.0.receipts.lock().unwrap().get(&id.to_string()).map(|(receipt, _)| receipt.clone())) })
    }
}

fn world() -> (Arc<World>, Processor, Engine) {
    let world = Arc::<World>::default();
    let processor =
        Processor::new(Box::new(Shared(Arc::clone(&world))), Box::new(Shared(Arc::clone(&world))), PREFIX.into());
    (world, processor, Engine::new(&Rules::built_in()).unwrap())
}

async fn process(processor: &Processor, engine: &Engine, message: &str) -> Result<Outcome, Failure> {
    Ok(processor.process(engine, message).await?.remove(0).outcome)
}

#[tokio::test]
async fn a_body_is_processed_by_what_it_is() {
    type Pieces = &'static [&'static [u8]];
    let table: [(&str, Pieces, &[u8]); 4] = [
        ("text/plain", &[b"Ra", b"bo and A", b"BN"], b"Rabobank and ABN AMRO"),
        ("application/json", &[br#"{"ABN":"#, br#""ABN"}"#], br#"{"ABN":"ABN AMRO"}"#),
        ("application/octet-stream", &[b"ABN", b"\xff\x00"], b"ABN\xff\x00"),
        ("text/plain", &[], b""),
    ];
    for (content_type, pieces, expected) in table {
        let (world, processor, engine) = world();
        let message = world.capture("1", content_type, pieces);
        let size = expected.len() as u64;
        assert_eq!(process(&processor, &engine, &message).await.unwrap(), Outcome::Processed { size });
        assert_eq!(world.result("1").unwrap(), expected);
        assert_eq!(world.status("1"), Some(Status::Done { size }));
    }
}

#[tokio::test]
async fn a_second_message_has_no_effect() {
    let (world, processor, engine) = world();
    let message = world.capture("1", "text/plain", &[b"ABN"]);
    process(&processor, &engine, &message).await.unwrap();
    assert_eq!(process(&processor, &engine, &message).await.unwrap(), Outcome::Repeated);
    assert_eq!(world.writes.load(SeqCst), 1);
}

#[tokio::test]
async fn of_two_at_the_same_time_one_processes_and_the_other_comes_back() {
    let (world, processor, engine) = world();
    let message = world.capture("1", "text/plain", &[b"ABN", b" ", b"ING"]);
    let (one, other) = tokio::join!(process(&processor, &engine, &message), process(&processor, &engine, &message));
    let outcomes = [one, other];
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Processed { .. }))).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Err(Failure::Busy(_)))).count(), 1);
    assert_eq!(world.writes.load(SeqCst), 1);
    assert_eq!(process(&processor, &engine, &message).await.unwrap(), Outcome::Repeated);
}

#[tokio::test]
async fn whoever_dies_on_the_way_is_followed_by_another() {
    // However far the first one comes: it is dropped after each number of steps.
    for steps in 0..12 {
        let (world, processor, engine) = world();
        let message = world.capture("1", "text/plain", &[b"ABN", b" ", b"ING"]);
        {
            let mut first = Box::pin(process(&processor, &engine, &message));
            for _ in 0..steps {
                if futures_poll(&mut first).await {
                    break;
                }
            }
        }
        let died_within = world.status("1") == Some(Status::Processing);
        if died_within {
            let busy = process(&processor, &engine, &message).await;
            assert!(matches!(busy, Err(Failure::Busy(_))), "its lease is not over: {busy:?}");
            world.now.fetch_add(LEASE, SeqCst);
        }
        process(&processor, &engine, &message).await.unwrap();
        assert_eq!(world.result("1").unwrap(), "ABN AMRO ING BANK", "after {steps} steps");
        assert_eq!(world.status("1"), Some(Status::Done { size: 17 }));
    }
}

#[tokio::test]
async fn whatever_fails_the_message_comes_back_and_is_processed_once() {
    for calls in 0..9 {
        let (world, processor, engine) = world();
        let message = world.capture("1", "text/plain", &[b"ABN", b" ", b"ING"]);
        *world.calls_until_failure.lock().unwrap() = Some(calls);
        let mut tries = 0;
        while process(&processor, &engine, &message).await.is_err() {
            world.now.fetch_add(LEASE, SeqCst);
            tries += 1;
            assert!(tries < 5, "it never succeeds");
        }
        assert_eq!(world.result("1").unwrap(), "ABN AMRO ING BANK", "after {calls} calls");
        assert_eq!(world.status("1"), Some(Status::Done { size: 17 }));
    }
}

#[tokio::test]
async fn a_poisoned_body_says_why_and_holds_up_nobody() {
    let (world, processor, engine) = world();
    let poison = world.capture("1", "application/json", &[b"{\"a\": ABN"]);
    let good = world.capture("2", "application/json", &[b"[]"]);
    for attempt in 1..=3 {
        assert!(matches!(process(&processor, &engine, &poison).await, Err(Failure::Unusable { .. })));
        assert_eq!(world.receipts.lock().unwrap()["1"].0.attempts, attempt);
        let Some(Status::Failed { reason }) = world.status("1") else { panic!("{:?}", world.status("1")) };
        assert!(reason.contains("says JSON") && !reason.contains("ABN"), "{reason}");
    }
    assert!(process(&processor, &engine, &good).await.is_ok());
    assert_eq!(world.result("1"), None);
}

#[tokio::test]
async fn a_body_that_is_gone_says_so() {
    let (world, processor, engine) = world();
    let message = world.capture("1", "text/plain", &[]);
    world.bodies.lock().unwrap().clear();
    assert!(matches!(process(&processor, &engine, &message).await, Err(Failure::Gone(_))));
    assert!(matches!(world.status("1"), Some(Status::Failed { .. })));
}

#[tokio::test]
async fn a_message_of_somebody_else_is_not_lost() {
    let (_, processor, engine) = world();
    assert!(matches!(processor.process(&engine, "hello").await, Err(Failure::NotANotification(_))));
    assert_eq!(processor.process(&engine, r#"{"Event":"s3:TestEvent"}"#).await.unwrap(), []);
}

/// Polls once; whether it is ready.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(Pin::new(&mut *future).poll(context).is_ready())).await
}
