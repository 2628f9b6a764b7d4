//! The client itself.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::{Element, Error};

/// A call that has no answer after this long never gets one: the control plane is busy for seconds at most, and the
/// longest that it waits on purpose, for changes or for a queue's messages, is 20 seconds.
const PATIENCE: Duration = Duration::from_secs(35);

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const ERROR_TYPE: &str = "x-amzn-errortype";

/// Nobody checks when a request was made. A constant says so.
const ANY_DATE: HeaderValue = HeaderValue::from_static("20260101T000000Z");

/// The control plane on this machine, for one region. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct AwsApi(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    authority: Authority,
    endpoint: String,
    region: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl AwsApi {
    /// `endpoint` as in `AWS_ENDPOINT_URL`, such as `http://127.0.0.1:5000`.
    ///
    /// # Errors
    /// When that is not plain HTTP to an address of the loopback interface.
    pub fn new(endpoint: &str, region: &str) -> Result<Self, Error> {
        let uri: Option<Uri> = endpoint.parse().ok();
        let local = uri.filter(|uri| {
            uri.scheme() == Some(&Scheme::HTTP)
                && uri.host().is_some_and(|host| host == "localhost" || is_loopback(host))
                && uri.path() == "/"
        });
        let authority = local.and_then(|uri| uri.into_parts().authority);
        let authority = authority.ok_or_else(|| Error::Endpoint { endpoint: endpoint.to_owned() })?;
        Ok(Self(Arc::new(Inner {
            endpoint: format!("http://{authority}"),
            authority,
            region: region.to_owned(),
            client: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
        })))
    }

    /// The region that every call is for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// What `AWS_ENDPOINT_URL` should be for others, without a slash at its end.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.0.endpoint
    }

    /// Calls an operation of a JSON 1.0 or 1.1 service. `target` is its `X-Amz-Target`, such as
    /// `AmazonEC2ContainerServiceV20141113.DescribeServices`.
    ///
    /// # Errors
    /// When no answer came, the service refused, or the answer is not JSON.
    pub async fn json(&self, service: &str, target: &str, body: &Value) -> Result<Value, Error> {
        let call = Call { service, operation: target.rsplit('.').next().unwrap_or(target) };
        let mut request = Request::new(Bytes::from(body.to_string()));
        *request.method_mut() = Method::POST;
        let content_type = HeaderValue::from_static("application/x-amz-json-1.1");
        request.headers_mut().insert(CONTENT_TYPE, content_type);
        request.headers_mut().insert(TARGET, call.header(target)?);
        call.json(self.exchange(call, request).await?)
    }

    /// Calls an operation of a REST-JSON service. `path` is encoded already, and may have a query.
    ///
    /// # Errors
    /// When no answer came, the service refused, or the answer is not JSON. No content is `Value::Null`.
    pub async fn rest(&self, service: &str, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let operation = format!("{method} {path}");
        let call = Call { service, operation: &operation };
        call.json(self.exchange(call, call.rest(method, path, body)?).await?)
    }

    /// Calls an operation of a query service. `version` is the API's, such as `2015-12-01`. The answer is the root element,
    /// `<ActionResponse>`.
    ///
    /// # Errors
    /// When no answer came, the service refused, or the answer is not XML.
    pub async fn query(
        &self,
        service: &str,
        version: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Element, Error> {
        let call = Call { service, operation: action };
        let form = [("Action", action), ("Version", version)].iter().chain(parameters).fold(
            String::new(),
            |mut form, (name, value)| {
                if !form.is_empty() {
                    form.push('&');
                }
                push_encoded(&mut form, name);
                form.push('=');
                push_encoded(&mut form, value);
                form
            },
        );
        let mut request = Request::new(Bytes::from(form));
        *request.method_mut() = Method::POST;
        let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, content_type);
        let answer = self.exchange(call, request).await?;
        let text = std::str::from_utf8(answer.body()).map_err(|cause| call.unreadable(cause))?;
        Element::parse(text).map_err(|cause| call.unreadable(cause))
    }

    /// Sends a request as it is, but to the control plane, with the headers by which it knows the service. What comes back
    /// is not looked at: an error of the service is an answer.
    ///
    /// # Errors
    /// When no answer came.
    pub async fn send(&self, service: &str, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let operation = format!("{} {}", request.method(), request.uri().path());
        self.deliver(Call { service, operation: &operation }, request).await
    }

    /// Asks for one of the control plane's own pages, below `/_control_plane/`.
    ///
    /// # Errors
    /// When no answer came, the page refused, or the answer is not JSON. No content is `Value::Null`.
    pub async fn own(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let operation = format!("{method} {path}");
        let call = Call { service: "control plane", operation: &operation };
        call.json(self.exchange(call, call.rest(method, path, body)?).await?)
    }

    /// Sends, and makes an error of a status that is one.
    async fn exchange(&self, call: Call<'_>, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let answer = self.deliver(call, request).await?;
        if answer.status().is_success() { Ok(answer) } else { Err(call.refused(&answer)) }
    }

    async fn deliver(&self, call: Call<'_>, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.into_parts().path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        parts.uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.0.authority.clone())
            .path_and_query(path)
            .build()
            .map_err(|cause| call.unreadable(cause))?;
        let scope =
            format!("AWS4-HMAC-SHA256 Credential=local/20260101/{}/{}/aws4_request", self.region(), call.service);
        let signature = ", SignedHeaders=host;x-amz-date, Signature=none";
        parts.headers.insert(AUTHORIZATION, call.header(&(scope + signature))?);
        parts.headers.insert(DATE, ANY_DATE);
        parts.headers.remove(HOST);
        let request = Request::from_parts(parts, Full::new(body));

        let exchange = async {
            let answer = self.0.client.request(request).await.map_err(|cause| call.unreachable(&cause))?;
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.map_err(|cause| call.unreachable(&cause))?.to_bytes();
            Ok(Response::from_parts(parts, body))
        };
        tokio::time::timeout(PATIENCE, exchange).await.unwrap_or_else(|_| Err(call.silent()))
    }
}

/// Which call it is, for errors.
#[derive(Clone, Copy)]
struct Call<'a> {
    service: &'a str,
    operation: &'a str,
}

impl Call<'_> {
    fn rest(self, method: Method, path: &str, body: Option<&Value>) -> Result<Request<Bytes>, Error> {
        let mut request = Request::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|cause| self.unreadable(cause))?;
        if body.is_some() {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(request)
    }

    fn header(self, text: &str) -> Result<HeaderValue, Error> {
        text.parse().map_err(|cause| self.unreadable(cause))
    }

    fn json(self, answer: Response<Bytes>) -> Result<Value, Error> {
        if answer.body().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(answer.body()).map_err(|cause| self.unreadable(cause))
    }

    fn unreachable(self, cause: &dyn std::error::Error) -> Error {
        // What hyper says first is "client error (Connect)"; what happened is at the end of the chain.
        let last = std::iter::successors(Some(cause), |cause| cause.source()).last().unwrap_or(cause);
        Error::Unreachable {
            service: self.service.to_owned(),
            operation: self.operation.to_owned(),
            cause: last.to_string(),
        }
    }

    fn silent(self) -> Error {
        Error::Unreachable {
            service: self.service.to_owned(),
            operation: self.operation.to_owned(),
            cause: format!("nothing within {} seconds", PATIENCE.as_secs()),
        }
    }

    fn unreadable(self, cause: impl std::fmt::Display) -> Error {
        Error::Unreadable {
            service: self.service.to_owned(),
            operation: self.operation.to_owned(),
            cause: cause.to_string(),
        }
    }

    /// Where each protocol says what was wrong: a header or `__type` and `message` in JSON, `<Error>` in XML.
    fn refused(self, answer: &Response<Bytes>) -> Error {
        let body = String::from_utf8_lossy(answer.body());
        let header = answer.headers().get(ERROR_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (code, message) = match (serde_json::from_str::<Value>(&body), Element::parse(&body)) {
            (Ok(json), _) => {
                let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
                let message = text("message").or_else(|| text("Message"));
                (header.or_else(|| text("__type")).or_else(|| text("code")), message)
            }
            (_, Ok(xml)) => {
                let error = xml.child("Error").cloned().unwrap_or(xml);
                let text = |name| error.text_of(name).map(str::to_owned);
                (text("Code"), text("Message"))
            }
            _ => (header, None),
        };
        // `com.amazonaws.ecs#ClusterNotFoundException:http://...` is said in short everywhere else.
        let code = code.as_deref().and_then(|code| code.rsplit('#').next()?.split(':').next());
        Error::Refused {
            service: self.service.to_owned(),
            operation: self.operation.to_owned(),
            status: answer.status(),
            code: code.unwrap_or("no error code").to_owned(),
            message: message.unwrap_or_else(|| body.chars().take(200).collect()),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
fn push_encoded(form: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            form.push(char::from(byte));
        } else {
            form.push_str(&format!("%{byte:02X}"));
        }
    }
}
