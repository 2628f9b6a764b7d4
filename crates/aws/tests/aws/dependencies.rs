//! What must not be linked.

use std::process::Command;

/// AWS-LC would be a second TLS stack, and its start-up costs ten times the rest of a Lambda's. Any crate of the
/// workspace can bring it back by a default feature.
#[test]
fn no_crate_of_the_workspace_brings_aws_lc() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--all-features", "--edges", "normal,build", "--prefix", "none", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.lines().any(|line| line.starts_with("aws-sdk-ssm ")), "the wrong tree:\n{tree}");
    let found: Vec<_> = tree.lines().filter(|line| line.starts_with("aws-lc")).collect();
    assert!(found.is_empty(), "{found:?}; `cargo tree -i aws-lc-rs` says who brings it");
}
