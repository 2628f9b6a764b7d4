//! An SSM that answers, refuses, fails, hangs and talks nonsense.

use aws::SsmParameter;
use mapping::{Fetched, Source, SourceError, Version};
use serde_json::json;

use crate::server::{Server, Step, env_for};

const NAME: &str = "/switchyard/map";

fn parameter(version: u64, value: &str) -> Step {
    Step::Answer(200, json!({"Parameter": {"Name": NAME, "Value": value, "Version": version}}).to_string())
}

fn refusal(status: u16, code: &str, message: &str) -> Step {
    Step::Answer(status, json!({"__type": code, "message": message}).to_string())
}

async fn fetch(server: &Server, serving: Option<&Version>) -> Result<Fetched, SourceError> {
    SsmParameter::new(NAME, &server.env()).unwrap().fetch(serving).await
}

async fn fails(script: Vec<Step>) -> (SourceError, Server) {
    let server = Server::play(script).await;
    (fetch(&server, None).await.unwrap_err(), server)
}

#[tokio::test]
async fn a_parameter_is_read_decrypted_with_its_version() {
    let server = Server::play([parameter(7, r#"{"ING": "ING BANK", "ABN": "ABN AMRO"}"#)]).await;
    let Fetched::Changed { version, rules } = fetch(&server, None).await.unwrap() else { panic!("nothing serves yet") };
    assert_eq!(version, Version::new(7));
    assert_eq!(rules.iter().map(|rule| &*rule.pattern).collect::<Vec<_>>(), ["ING", "ABN"]);
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].target, "AmazonSSM.GetParameter");
    assert_eq!(asked[0].body, json!({"Name": NAME, "WithDecryption": true}));
}

#[tokio::test]
async fn the_version_that_serves_is_unchanged() {
    let server = Server::play([parameter(7, "{}"), parameter(8, "{}")]).await;
    assert!(matches!(fetch(&server, Some(&Version::new(7))).await.unwrap(), Fetched::Unchanged));
    assert!(matches!(fetch(&server, Some(&Version::new(7))).await.unwrap(), Fetched::Changed { .. }));
}

#[tokio::test]
async fn a_refusal_is_told_in_awss_words_and_not_tried_again() {
    let (error, server) = fails(vec![refusal(400, "ParameterNotFound", "no such thing")]).await;
    assert_eq!(
        error.to_string(),
        "the source could not be read: GetParameter: ParameterNotFound: no such thing (request id the-request-id)"
    );
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn throttling_and_server_errors_are_tried_again() {
    let throttled = refusal(400, "ThrottlingException", "Rate exceeded");
    let broken = refusal(500, "InternalServerError", "sorry");
    let server = Server::play([throttled, broken, parameter(1, "{}")]).await;
    assert!(matches!(fetch(&server, None).await.unwrap(), Fetched::Changed { .. }));
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_lasting_server_error_is_given_up_after_three_tries() {
    let script = (0..5).map(|_| Step::Answer(500, "{}".to_owned())).collect();
    let (error, server) = fails(script).await;
    assert!(matches!(error, SourceError::Unavailable(_)), "{error}");
    assert!(error.to_string().contains("HTTP 500"), "{error}");
    assert_eq!(server.asked().len(), 3);
}

/// The paused clock jumps to the time-outs; elsewhere it could overtake an answer on its way through the kernel.
#[tokio::test(start_paused = true)]
async fn silence_is_a_time_out() {
    let (error, _) = fails((0..5).map(|_| Step::Hang).collect()).await;
    assert!(matches!(error, SourceError::Unavailable(_)), "{error}");
    assert!(error.to_string().contains("time"), "{error}");
}

#[tokio::test]
async fn a_broken_connection_is_tried_again() {
    let server = Server::play([Step::Break, parameter(1, "{}")]).await;
    assert!(matches!(fetch(&server, None).await.unwrap(), Fetched::Changed { .. }));
}

#[tokio::test]
async fn nobody_listening_is_told() {
    let url = Server::play([]).await.url.clone();
    tokio::task::yield_now().await; // lets the aborted server let go of its port
    let error = SsmParameter::new(NAME, &env_for(&url)).unwrap().fetch(None).await.unwrap_err().to_string();
    assert!(error.contains("GetParameter") && error.contains("refused"), "{error}");
}

#[tokio::test]
async fn nonsense_is_told_without_repeating_it() {
    let (error, _) = fails(vec![Step::Answer(200, "<html>ING BANK</html>".to_owned())]).await;
    assert!(matches!(error, SourceError::Unavailable(_)), "{error}");
    assert!(!error.to_string().contains("ING BANK"), "{error}");

    let (error, _) = fails(vec![Step::Answer(200, "{}".to_owned())]).await;
    assert!(error.to_string().contains("no value"), "{error}");
}

#[tokio::test]
async fn an_invalid_map_is_told_from_a_failure() {
    let (error, _) = fails(vec![parameter(1, r#"{"ING": 5}"#)]).await;
    assert!(matches!(error, SourceError::Invalid(_)) && error.to_string().contains("ING"), "{error}");
}

/// The message for a wrong signature quotes the request that should have been signed, with the token in it.
#[tokio::test]
async fn credentials_never_get_into_an_error() {
    let message = "The request signature we calculated does not match.\n\nThe Canonical String should have been\n\
                   'POST\n/\n\nx-amz-security-token:the-session-token'";
    let (error, _) = fails(vec![refusal(400, "InvalidSignatureException", message)]).await;
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("does not match"), "{shown}");
    assert!(!shown.contains("the-session-token") && !shown.contains("the-secret-key"), "{shown}");
}
