//! What must not be linked, or imported.

use std::process::Command;

/// The packages that `cargo tree` shows with `arguments`, each with its version.
fn tree(arguments: &[&str]) -> Vec<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--all-features", "--edges", "normal,build", "--prefix", "none", "--offline"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    String::from_utf8(tree.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Those of `packages` whose name is `name`, or starts with it and a hyphen.
fn named<'a>(packages: &'a [String], name: &str) -> Vec<&'a String> {
    let is_named = |package: &&String| package.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '-']));
    packages.iter().filter(is_named).collect()
}

/// AWS-LC would be a second TLS stack, and its start-up costs ten times the rest of a Lambda's. Any crate of the
/// workspace can bring it back by a default feature.
#[test]
fn no_crate_of_the_workspace_brings_aws_lc() {
    let packages = tree(&["--workspace"]);
    assert!(!named(&packages, "aws-sdk-ssm").is_empty(), "the wrong tree: {packages:#?}");
    let found: Vec<_> = packages.iter().filter(|package| package.starts_with("aws-lc")).collect();
    assert!(found.is_empty(), "{found:?}; `cargo tree -i aws-lc-rs` says who brings it");
}

/// The engine can be used, tested and measured without either.
#[test]
fn the_engine_knows_no_aws_and_no_http() {
    let packages = tree(&["--package", "replace"]);
    assert!(!named(&packages, "aho-corasick").is_empty(), "the wrong tree: {packages:#?}");
    for name in ["api", "aws", "axum", "env", "http", "hyper", "lambda_http", "mapping", "mio", "tokio", "tower"] {
        assert_eq!(
            named(&packages, name),
            Vec::<&String>::new(),
            "`cargo tree -p replace -i {name}` says who brings it"
        );
    }
}

/// The API is served without AWS, and the map is read without HTTP of our own: only a binary joins the two.
#[test]
fn the_api_and_aws_do_not_import_each_other() {
    for (package, other) in [("api", "aws"), ("aws", "api")] {
        let packages = tree(&["--package", package]);
        assert!(!named(&packages, "mapping").is_empty(), "the wrong tree: {packages:#?}");
        let found = named(&packages, other);
        assert_eq!(found, Vec::<&String>::new(), "`cargo tree -p {package} -i {other}` says who brings it");
    }
}
