//! The table of the documentation, row by row: in one piece, in every two pieces, byte by byte, and as JSON.

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
        engine.replace_json_into(&json.as_bytes()[1..json.len() - 1], &mut out);
        out.push(b'"');
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), result, "JSON: {row}");
        count += 1;
    }
    assert!(count > 30, "the table was read");
}
