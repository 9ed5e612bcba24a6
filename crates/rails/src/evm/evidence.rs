//! What on the token's chain proves that an authorisation was used: its logs and the two calls that ask about it.

use alloy_primitives::Bytes;
use alloy_sol_types::{SolCall as _, SolEvent as _, sol};
use countersign_core::{rail::Evidence, signable::Signable};

sol! {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);
    function balanceOf(address account) external view returns (uint256);
}

/// Topics, log data and call data for one form.
pub(crate) fn of(signable: &Signable) -> Option<Evidence> {
    let Signable::Eip3009(form) = signable else { return None };
    let transfer = Transfer { from: form.from, to: form.to, value: form.value.units() };
    let used = AuthorizationUsed { authorizer: form.from, nonce: form.nonce };
    Some(Evidence {
        chain_id: form.chain_id,
        token: form.token,
        transfer: (
            transfer.encode_topics().into_iter().map(|topic| topic.0).collect(),
            Bytes::from(transfer.encode_data()),
        ),
        used: used.encode_topics().into_iter().map(|topic| topic.0).collect(),
        state_call: authorizationStateCall { authorizer: form.from, nonce: form.nonce }.abi_encode().into(),
        balance_call: balanceOfCall { account: form.from }.abi_encode().into(),
        valid_before: form.valid_before,
    })
}
