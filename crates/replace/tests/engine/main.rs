//! Tests of the engine by its public face.

mod naive;
mod properties;
mod refused;
mod regression;
mod seeds;
mod semantics;

use replace::{Engine, Rules, Stream};

/// The text with everything replaced.
fn replace(engine: &Engine, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    engine.replace_into(text, &mut out);
    out
}

/// The same, with the text given as a stream of `pieces`.
fn stream<'t>(engine: &Engine, pieces: impl IntoIterator<Item = &'t [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut stream = Stream::new(engine);
    for piece in pieces {
        stream.push(piece, &mut out);
    }
    stream.finish(&mut out);
    out
}

fn engine(json: &str) -> Engine {
    Engine::new(&Rules::from_json(json.as_bytes()).expect("valid rules")).expect("valid rules")
}
