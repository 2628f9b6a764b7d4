//! How AWS is reached: region, endpoint, credentials, TLS roots, time-outs and retries.

use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ssm::config::retry::RetryConfig;
use aws_sdk_ssm::config::timeout::TimeoutConfig;
use aws_sdk_ssm::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_types::SdkConfig;
use env::{BadVariable, Env};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::runtime::{Handle, RuntimeFlavor};

/// Within a region a connection takes milliseconds; a SYN that was lost is sent again after one second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A parameter takes tens of milliseconds, a page of a table some hundreds. Three of these and their pauses fit into
/// [`mapping::FETCH_TIMEOUT`].
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// Throttling and a broken connection are over at the next try or the one after; what lasts longer is for the caller's
/// schedule, who serves the last good map meanwhile.
const ATTEMPTS: u32 = 3;

/// The certificate authorities of AWS's endpoints: Amazon Root CA 1 to 4 and Starfield Services Root G2, from
/// <https://www.amazontrust.com/repository/>.
///
/// Embedded because the system's store costs up to 3 ms of CPU to read, which is as much as the rest of a Lambda's
/// start, and because the container has no system. Endpoints that are certified otherwise (the regions in China, an
/// inspecting proxy) need `AWS_CA_BUNDLE`.
const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");

/// Reads `AWS_REGION`, `AWS_ENDPOINT_URL`, the credentials and `AWS_CA_BUNDLE`. `own_endpoint` is the variable that
/// comes before `AWS_ENDPOINT_URL` for one service.
pub(crate) fn config(env: &Env, own_endpoint: &'static str) -> Result<SdkConfig, BadVariable> {
    let region = region(env)?;
    let http = http_client(env)?;
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(credentials(env, &region, &http)?)
        .region(region)
        .http_client(http)
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .build(),
        )
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        // The time-out of an attempt covers a stalled answer as well.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    config.set_endpoint_url(endpoint(env, own_endpoint)?);
    Ok(config.build())
}

fn region(env: &Env) -> Result<Region, BadVariable> {
    const EXPECTED: &str = "an AWS region, such as eu-west-1, because this reads from AWS";
    let name = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| Some((name, env.get(name)?))).map_or(
        Err(BadVariable::new("AWS_REGION", "", EXPECTED)),
        |(name, value)| {
            let fits = value.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
            if fits { Ok(value) } else { Err(BadVariable::new(name, value, EXPECTED)) }
        },
    )?;
    Ok(Region::new(name.to_owned()))
}

fn endpoint(env: &Env, own: &'static str) -> Result<Option<String>, BadVariable> {
    let Some((name, url)) = [own, "AWS_ENDPOINT_URL"].into_iter().find_map(|name| Some((name, env.get(name)?))) else {
        return Ok(None);
    };
    if url.starts_with("http://") || url.starts_with("https://") {
        Ok(Some(url.to_owned()))
    } else {
        Err(BadVariable::new(name, url, "a URL that begins with http:// or https://"))
    }
}

/// From the environment, as Lambda hands them over; else from the chain, where that is compiled in.
fn credentials(env: &Env, region: &Region, http: &SharedHttpClient) -> Result<SharedCredentialsProvider, BadVariable> {
    match (env.get("AWS_ACCESS_KEY_ID"), env.get("AWS_SECRET_ACCESS_KEY")) {
        (Some(id), Some(secret)) => {
            let token = env.get("AWS_SESSION_TOKEN").map(str::to_owned);
            Ok(SharedCredentialsProvider::new(Credentials::new(id, secret, token, None, "environment")))
        }
        (Some(_), None) => Err(BadVariable::secret("AWS_SECRET_ACCESS_KEY", "set, because AWS_ACCESS_KEY_ID is")),
        (None, Some(_)) => Err(BadVariable::secret("AWS_ACCESS_KEY_ID", "set, because AWS_SECRET_ACCESS_KEY is")),
        (None, None) => chain(region, http),
    }
}

#[cfg(feature = "credential-chain")]
fn chain(region: &Region, http: &SharedHttpClient) -> Result<SharedCredentialsProvider, BadVariable> {
    Ok(SharedCredentialsProvider::new(chain::Chain::new(region.clone(), http.clone())))
}

#[cfg(not(feature = "credential-chain"))]
fn chain(_: &Region, _: &SharedHttpClient) -> Result<SharedCredentialsProvider, BadVariable> {
    Err(BadVariable::secret("AWS_ACCESS_KEY_ID", "set (Lambda sets it), because this reads from AWS"))
}

#[cfg(feature = "credential-chain")]
mod chain {
    use aws_config::default_provider::credentials::DefaultCredentialsChain;
    use aws_config::provider_config::ProviderConfig;
    use aws_credential_types::provider::{ProvideCredentials, future};
    use aws_sdk_ssm::config::{Region, SharedHttpClient};
    use tokio::sync::OnceCell;

    /// The default chain of `aws-config`, built at first use, because building it is asynchronous and opens files.
    #[derive(Debug)]
    pub(super) struct Chain {
        region: Region,
        http: SharedHttpClient,
        built: OnceCell<DefaultCredentialsChain>,
    }

    impl Chain {
        pub(super) fn new(region: Region, http: SharedHttpClient) -> Self {
            Self { region, http, built: OnceCell::new() }
        }

        async fn built(&self) -> &DefaultCredentialsChain {
            self.built
                .get_or_init(|| async {
                    let provider = ProviderConfig::without_region()
                        .with_region(Some(self.region.clone()))
                        .with_http_client(self.http.clone());
                    DefaultCredentialsChain::builder().configure(provider).build().await
                })
                .await
        }
    }

    impl ProvideCredentials for Chain {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(async { self.built().await.provide_credentials().await })
        }
    }
}

fn http_client(env: &Env) -> Result<SharedHttpClient, BadVariable> {
    let mut trusted = TrustStore::empty();
    match ["AWS_CA_BUNDLE", "SSL_CERT_FILE"].into_iter().find_map(|name| Some((name, env.get(name)?))) {
        None => trusted = trusted.with_pem_certificate(AMAZON_ROOTS),
        Some((name, path)) => {
            let pem = std::fs::read_to_string(path)
                .map_err(|error| BadVariable::new(name, path, format!("a readable PEM file ({error})")))?;
            let roots = usable_roots(&pem);
            if roots.is_empty() {
                return Err(BadVariable::new(name, path, "a PEM file with at least one CA certificate"));
            }
            for root in roots {
                trusted = trusted.with_pem_certificate(root);
            }
        }
    }
    let tls = TlsContext::builder().with_trust_store(trusted).build().expect("the trust store is only stored here");
    let ring = Provider::Rustls(CryptoMode::Ring);
    Ok(aws_smithy_http_client::Builder::new()
        .tls_provider(ring)
        .tls_context(tls)
        .build_with_resolver(Resolver::default()))
}

/// Looks up names as the system does, in a thread of the runtime's pool: except the very first where the runtime has
/// one thread only, as in a Lambda's INIT. There is nothing else to do then, and starting a pool costs a tenth of INIT.
#[derive(Debug, Clone, Default)]
struct Resolver {
    has_looked_up: Arc<AtomicBool>,
}

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        let is_first = !self.has_looked_up.swap(true, Relaxed);
        let name = name.to_owned();
        let look_up = move || Ok((name.as_str(), 0).to_socket_addrs()?.map(|address| address.ip()).collect());
        DnsFuture::new(async move {
            let found: std::io::Result<_> =
                if is_first && Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
                    look_up()
                } else {
                    tokio::task::spawn_blocking(look_up).await.map_err(ResolveDnsError::new)?
                };
            found.map_err(ResolveDnsError::new)
        })
    }
}

/// The certificates of a bundle that can be trust anchors. The rest is left out here, because the HTTP client panics on
/// it, and system bundles do hold an odd one now and then.
fn usable_roots(pem: &str) -> Vec<&str> {
    pem.split_inclusive("-----END CERTIFICATE-----")
        .filter(|block| {
            CertificateDer::from_pem_slice(block.as_bytes())
                .is_ok_and(|certificate| RootCertStore::empty().add(certificate).is_ok())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAMBDA: [(&str, &str); 3] =
        [("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "hush")];

    fn read(more: &[(&'static str, &'static str)]) -> Result<SdkConfig, String> {
        let env = Env::from_iter(LAMBDA.iter().chain(more).copied());
        config(&env, "AWS_ENDPOINT_URL_SSM").map_err(|error| error.to_string())
    }

    #[test]
    fn the_embedded_roots_are_amazons_and_mozilla_trusts_each() {
        let roots = usable_roots(AMAZON_ROOTS);
        assert_eq!(roots.len(), AMAZON_ROOTS.matches("BEGIN CERTIFICATE").count());
        let mut names = Vec::new();
        for root in roots {
            let der = CertificateDer::from_pem_slice(root.as_bytes()).unwrap();
            assert!(webpki_root_certs::TLS_SERVER_ROOT_CERTS.contains(&der), "not one of Mozilla's: {root}");
            let subject = String::from_utf8_lossy(&der).into_owned();
            names.extend(
                ["Amazon Root CA 1", "Amazon Root CA 2", "Amazon Root CA 3", "Amazon Root CA 4", "Starfield Services"]
                    .into_iter()
                    .find(|name| subject.contains(name)),
            );
        }
        assert_eq!(
            names,
            ["Amazon Root CA 1", "Amazon Root CA 2", "Amazon Root CA 3", "Amazon Root CA 4", "Starfield Services"]
        );
    }

    #[test]
    fn a_region_is_needed_and_checked() {
        let error = config(&Env::from_iter([("PATH", "/bin")]), "AWS_ENDPOINT_URL_SSM").unwrap_err().to_string();
        assert!(error.starts_with("AWS_REGION=") && error.contains("eu-west-1"), "{error}");
        let error = read(&[("AWS_REGION", "eu west")]).unwrap_err();
        assert!(error.starts_with(r#"AWS_REGION="eu west""#), "{error}");

        let others = LAMBDA[1..].iter().copied().chain([("AWS_DEFAULT_REGION", "eu-north-1")]);
        let config = config(&Env::from_iter(others), "AWS_ENDPOINT_URL_SSM").unwrap();
        assert_eq!(config.region().map(Region::as_ref), Some("eu-north-1"));
    }

    #[test]
    fn a_services_own_endpoint_comes_first() {
        let all = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        let own = ("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:2");
        assert_eq!(read(&[]).unwrap().endpoint_url(), None);
        assert_eq!(read(&[all]).unwrap().endpoint_url(), Some(all.1));
        assert_eq!(read(&[all, own]).unwrap().endpoint_url(), Some(own.1));
        let error = read(&[all, ("AWS_ENDPOINT_URL_SSM", "127.0.0.1:2")]).unwrap_err();
        assert!(error.starts_with("AWS_ENDPOINT_URL_SSM=") && error.contains("http://"), "{error}");
    }

    #[test]
    fn half_a_pair_of_credentials_is_refused_without_repeating_it() {
        let half = LAMBDA[..1].iter().copied().chain([("AWS_SECRET_ACCESS_KEY", "hush")]);
        let error = config(&Env::from_iter(half), "AWS_ENDPOINT_URL_SSM").unwrap_err().to_string();
        assert!(error.starts_with("AWS_ACCESS_KEY_ID") && !error.contains("hush"), "{error}");
    }

    #[test]
    fn a_ca_bundle_must_hold_a_certificate() {
        let error = read(&[("AWS_CA_BUNDLE", "/nonexistent.pem")]).unwrap_err();
        assert!(error.starts_with("AWS_CA_BUNDLE=") && error.contains("readable"), "{error}");
        let error = read(&[("SSL_CERT_FILE", "/dev/null")]).unwrap_err();
        assert!(error.starts_with("SSL_CERT_FILE=") && error.contains("certificate"), "{error}");
    }

    #[test]
    fn what_cannot_be_a_root_is_left_out_of_a_bundle() {
        let odd = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let bundle = format!("# a comment\n{odd}{AMAZON_ROOTS}");
        assert_eq!(usable_roots(&bundle).len(), 5);
    }
}
