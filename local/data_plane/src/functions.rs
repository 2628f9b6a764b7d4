//! Lambda, as API Gateway calls it.

use bytes::Bytes;
use local_gateway::{BoxFuture, Functions, Invocation, Refusal};
use local_lambda::{InvokeRequest, Lambda};

/// The functions that are deployed.
pub struct Deployed(pub Lambda);

impl Functions for Deployed {
    fn invoke<'a>(
        &'a self,
        arn: &'a str,
        payload: Bytes,
        trace_id: &'a str,
        event_invocation: bool,
    ) -> BoxFuture<'a, Result<Invocation, Refusal>> {
        let request = InvokeRequest { payload, trace_id: Some(trace_id.into()), ..InvokeRequest::default() };
        Box::pin(async move {
            if event_invocation {
                self.0.invoke_event(arn, request).map_err(refusal)?;
                return Ok(Invocation { payload: Bytes::new(), function_error: false });
            }
            let invocation = self.0.invoke(arn, request).await.map_err(refusal)?;
            Ok(Invocation { payload: invocation.payload, function_error: invocation.function_error })
        })
    }
}

fn refusal(refusal: local_lambda::Refusal) -> Refusal {
    let local_lambda::Refusal { status, code, message, .. } = refusal;
    Refusal { status: status.as_u16(), code: code.into(), message }
}
