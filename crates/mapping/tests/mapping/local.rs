//! The sources that need no network.

use std::path::PathBuf;

use mapping::{BuiltIn, Fetched, File, Source, Version};

/// A file of this test's own, removed with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mapping-{}-{name}.json", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn changed(source: &dyn Source, serving: Option<&Version>) -> Option<(Version, usize)> {
    match source.fetch(serving).await.unwrap() {
        Fetched::Unchanged => None,
        Fetched::Changed { version, rules } => Some((version, rules.len())),
    }
}

#[tokio::test]
async fn a_file_is_a_new_version_when_its_bytes_change() {
    let scratch = Scratch::new("changes", r#"{"ING": "ING BANK"}"#);
    let file = File::new(scratch.0.clone());
    let (first, rules) = changed(&file, None).await.unwrap();
    assert_eq!(rules, 1);
    assert_eq!(changed(&file, Some(&first)).await, None);

    std::fs::write(&scratch.0, r#"{"ING": "ING BANK", "ABN": "ABN AMRO"}"#).unwrap();
    let (second, rules) = changed(&file, Some(&first)).await.unwrap();
    assert_eq!(rules, 2);
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_file_that_is_missing_or_no_map_says_so() {
    let missing = File::new("/nonexistent/map.json".into());
    assert_eq!(missing.name(), "file:/nonexistent/map.json");
    let error = missing.fetch(None).await.unwrap_err().to_string();
    assert!(error.contains("could not be read"), "{error}");

    let scratch = Scratch::new("wrong", r#"{"ING": 5}"#);
    let error = File::new(scratch.0.clone()).fetch(None).await.unwrap_err().to_string();
    assert!(error.contains("not valid") && error.contains("ING"), "{error}");
}

#[tokio::test]
async fn the_built_in_map_never_changes() {
    let (version, rules) = changed(&BuiltIn, None).await.unwrap();
    assert_eq!(rules, 5);
    assert_eq!(changed(&BuiltIn, Some(&version)).await, None);
}
