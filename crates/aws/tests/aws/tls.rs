//! Whom the connection trusts.

use std::sync::{Arc, Mutex};

use aws::SsmParameter;
use env::Env;
use mapping::{Fetched, Source};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::server::{Step, answer};

/// A server whose certificate comes from a CA of its own; returns its URL and the CA's certificate.
async fn serve() -> (String, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust this server hangs up here.
                if let Ok(connection) = acceptor.accept(connection).await {
                    let step = Step::Answer(200, r#"{"Parameter": {"Value": "{}", "Version": 1}}"#.to_owned());
                    answer(connection, Arc::new(Mutex::new([step].into())), Arc::default()).await;
                }
            });
        }
    });
    (url, ca.pem())
}

fn parameter(url: &str, bundle: Option<&str>) -> SsmParameter {
    let mut variables = vec![
        ("AWS_ENDPOINT_URL_SSM", url),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    variables.extend(bundle.map(|path| ("AWS_CA_BUNDLE", path)));
    SsmParameter::new("/map", &Env::from_iter(variables)).unwrap()
}

#[tokio::test]
async fn only_amazons_roots_are_trusted_unless_a_bundle_says_otherwise() {
    let (url, ca) = serve().await;
    let error = parameter(&url, None).fetch(None).await.unwrap_err().to_string();
    assert!(error.contains("GetParameter") && error.to_lowercase().contains("certificate"), "{error}");

    let path = std::env::temp_dir().join(format!("aws-tls-{}.pem", std::process::id()));
    std::fs::write(&path, ca).unwrap();
    let trusting = parameter(&url, path.to_str());
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(trusting.fetch(None).await.unwrap(), Fetched::Changed { .. }));
}
