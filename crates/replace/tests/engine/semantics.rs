//! The table of the documentation, row by row: in one piece, in every two pieces, byte by byte, and as JSON.

use replace::{Engine, JsonText};

use super::{engine, replace, stream};

#[test]
fn every_row_of_the_table_holds() {
    let rows = include_str!("../../semantics.md").lines().skip(2);
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, rules, text, result, _, _] = cells[..] else { panic!("not a row of four cells: {row}") };
        let engine = engine(rules);
        let text = text.as_bytes();
        let is_result = |out: Vec<u8>, how: &str| assert_eq!(String::from_utf8_lossy(&out), result, "{how}: {row}");

        is_result(replace(&engine, text), "whole");
        for cut in 0..=text.len() {
            let (before, after) = text.split_at(cut);
            is_result(stream(&engine, [before, after]), "in two pieces");
        }
        is_result(stream(&engine, text.chunks(1)), "byte by byte");

        let json = serde_json::to_string(std::str::from_utf8(text).unwrap()).unwrap();
        let mut out = vec![b'"'];
        engine.replace_json_into(JsonText::read(&json.as_bytes()[1..]).unwrap().0, &mut out);
        out.push(b'"');
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), result, "JSON: {row}");
        count += 1;
    }
    assert!(count > 30, "the table was read");
}

/// A buffer that grows is copied, and is too large then for whoever keeps such buffers.
#[test]
fn a_buffer_with_room_does_not_grow() {
    let engine = engine(r#"{"ING":"ING BANK"}"#);
    let json = format!(
        r#"{}""#,
        "of all the words in this one sentence only ING is to be replaced, which makes it longer by a little. "
            .repeat(1000)
    );
    let text = JsonText::read(json.as_bytes()).unwrap().0;
    let mut out = Vec::with_capacity(1 + Engine::room(text.as_bytes().len()));
    let capacity = out.capacity();
    for as_json in [false, true] {
        out.clear();
        out.push(b'"');
        let count = if as_json {
            engine.replace_json_into(text, &mut out)
        } else {
            engine.replace_into(text.as_bytes(), &mut out)
        };
        assert_eq!((count, out.capacity()), (1000, capacity));
    }
}
