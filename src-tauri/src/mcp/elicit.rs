//! The older era's way to show a person where to decide: a request to the client on the stream of the very call that waits.
//!
//! It runs beside the waiting and never holds it up. An accept means that the link was shown; a decline withdraws the payment
//! while it still waits for a person; everything else means nothing.

use countersign_core::payment::{Caller, PaymentId};
use rmcp::{
    RoleServer,
    model::{ClientResult, ElicitRequest, ElicitationAction, ServerRequest},
    service::{PeerRequestOptions, RequestContext, RequestHandle},
};

use super::link::where_to_decide;
use crate::http::App;

/// Follows `work` to its end while the client shows where to decide.
pub async fn beside<T>(
    app: &App,
    context: &RequestContext<RoleServer>,
    caller: &Caller,
    (payment, page): (&PaymentId, &str),
    work: impl Future<Output = T>,
) -> T {
    let ask = ServerRequest::ElicitRequest(ElicitRequest::new(where_to_decide(payment, page)));
    // Not asked where the client is gone.
    let mut asked = context.peer.send_cancellable_request(ask, PeerRequestOptions::no_options()).await.ok();
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                if let Some(open) = asked {
                    let _ = open.cancel(Some("the payment is decided, or the waiting over".to_owned())).await;
                }
                return done;
            }
            declined = declined(&mut asked) => {
                asked = None;
                if declined {
                    // A payment that went ahead meanwhile stays as it is.
                    let _ = app.desk.cancel(caller, payment).await;
                }
            }
        }
    }
}

async fn declined(asked: &mut Option<RequestHandle<RoleServer>>) -> bool {
    match asked {
        None => std::future::pending().await,
        Some(open) => match (&mut open.rx).await {
            Ok(Ok(ClientResult::ElicitResult(said))) => said.action == ElicitationAction::Decline,
            _ => false,
        },
    }
}
