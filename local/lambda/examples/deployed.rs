//! Runs what a control plane has: `cargo run -p local-lambda --example deployed http://127.0.0.1:5000 eu-west-1`.
//!
//! Prints the functions, invokes each with `{}`, and then polls the queues of their event source mappings until Ctrl-C or
//! the end of standard input.

use std::time::Duration;

use local_aws_api::AwsApi;
use local_lambda::{InvokeRequest, Lambda, Settings, read};
use tokio::io::AsyncReadExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let endpoint = arguments.next().ok_or("the control plane's URL, such as http://127.0.0.1:5000")?;
    let region = arguments.next().ok_or("a region, such as eu-west-1")?;
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();

    let folder = tempfile::tempdir()?;
    let aws = AwsApi::new(&endpoint, &region)?;
    let functions = read(&aws, folder.path()).await?;
    println!("{functions:#?}");
    let lambda = Lambda::new(aws, Settings { idle: Duration::from_secs(60), ..Settings::default() })?;
    lambda.update(functions.clone());
    for function in &functions.functions {
        match lambda.invoke(&function.arn, InvokeRequest::default()).await {
            Ok(invocation) => println!("{}: {}", function.name, String::from_utf8_lossy(&invocation.payload)),
            Err(refusal) => println!("{}: {refusal}", function.name),
        }
    }
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    lambda.shutdown().await;
    Ok(())
}
