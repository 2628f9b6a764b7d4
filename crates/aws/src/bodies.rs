//! Published bodies and their results, in an S3 bucket.
//!
//! API Gateway puts a body under `captured/<id>`, with its content type, and as metadata the `principal` who sent it and the
//! `trace-id`. Results go under `results/<id>`.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use env::{BadVariable, Env};
use publish::{Bodies, Body, Id, Reading, StoreError, Storing};

use crate::{AwsError, connection};

const CAPTURED: &str = "captured/";
const RESULTS: &str = "results/";

/// A bucket of bodies and results.
pub struct BodyBucket {
    client: Client,
    bucket: String,
}

impl BodyBucket {
    /// The prefix of the keys of captured bodies.
    pub const CAPTURED: &str = CAPTURED;

    /// The bucket called `bucket`; nothing is read yet.
    pub fn new(bucket: &str, env: &Env) -> Result<Self, BadVariable> {
        let config = connection::config(env, "AWS_ENDPOINT_URL_S3")?;
        // An end point of one's own has no host name for each bucket.
        let own_endpoint = config.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(own_endpoint).build();
        Ok(Self { client: Client::from_conf(config), bucket: bucket.to_owned() })
    }

    async fn sender(&self, id: &Id) -> Result<Option<String>, StoreError> {
        let answer = self.client.head_object().bucket(&self.bucket).key(format!("{CAPTURED}{id}")).send().await;
        match answer {
            Ok(head) => Ok(Some(metadata(head.metadata(), "principal"))),
            Err(error) if error.as_service_error().is_some_and(|service| service.is_not_found()) => Ok(None),
            Err(error) => Err(StoreError::new(AwsError::new("HeadObject", &error))),
        }
    }

    async fn link(&self, id: &Id, valid_for: Duration) -> Result<String, StoreError> {
        let config = PresigningConfig::expires_in(valid_for).map_err(StoreError::new)?;
        let request = self.client.get_object().bucket(&self.bucket).key(format!("{RESULTS}{id}"));
        let signed = request.presigned(config).await;
        Ok(signed.map_err(|error| StoreError::new(AwsError::new("presign GetObject", &error)))?.uri().to_owned())
    }

    async fn open(&self, id: &Id) -> Result<Option<Body>, StoreError> {
        let answer = self.client.get_object().bucket(&self.bucket).key(format!("{CAPTURED}{id}")).send().await;
        match answer {
            Ok(object) => Ok(Some(Body {
                principal: metadata(object.metadata(), "principal"),
                content_type: object.content_type().unwrap_or_default().to_owned(),
                pieces: Box::new(Pieces(object.body)),
            })),
            Err(SdkError::ServiceError(service)) if service.err().is_no_such_key() => Ok(None),
            Err(error) => Err(StoreError::new(AwsError::new("GetObject", &error))),
        }
    }

    async fn put_result(&self, id: &Id, content_type: &str, result: Bytes) -> Result<(), StoreError> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(format!("{RESULTS}{id}"))
            .set_content_type(Some(content_type).filter(|text| !text.is_empty()).map(str::to_owned))
            .body(ByteStream::from(result))
            .send()
            .await
            .map_err(|error| StoreError::new(AwsError::new("PutObject", &error)))?;
        Ok(())
    }
}

impl Bodies for BodyBucket {
    fn read<'a>(&'a self, id: &'a Id) -> Storing<'a, Option<Body>> {
        Box::pin(self.open(id))
    }

    fn write_result<'a>(&'a self, id: &'a Id, content_type: &'a str, result: Bytes) -> Storing<'a, ()> {
        Box::pin(self.put_result(id, content_type, result))
    }

    fn principal<'a>(&'a self, id: &'a Id) -> Storing<'a, Option<String>> {
        Box::pin(self.sender(id))
    }

    fn result_link<'a>(&'a self, id: &'a Id, valid_for: Duration) -> Storing<'a, String> {
        Box::pin(self.link(id, valid_for))
    }
}

struct Pieces(ByteStream);

impl Reading for Pieces {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, StoreError>> + Send + '_>> {
        Box::pin(async { self.0.try_next().await.map_err(StoreError::new) })
    }
}

fn metadata(metadata: Option<&HashMap<String, String>>, name: &str) -> String {
    metadata.and_then(|metadata| metadata.get(name)).cloned().unwrap_or_default()
}
