//! What on the token's chain proves that a form was used: its logs, and the calls that ask about it.

use alloy_primitives::Bytes;
use alloy_sol_types::{SolCall as _, SolEvent as _, sol};
use countersign_core::{
    rail::Evidence,
    signable::{Eip3009, Signable, tempo},
};

sol! {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    event TransferWithMemo(address indexed from, address indexed to, uint256 amount, bytes32 indexed memo);
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);
    function balanceOf(address account) external view returns (uint256);
}

/// Topics, log data and call data for one form.
pub(crate) fn of(signable: &Signable) -> Option<Evidence> {
    match signable {
        Signable::Eip3009(form) => Some(authorised(form)),
        Signable::Tempo(charge) => Some(charged(charge)),
        Signable::Proof(_) | Signable::Alipay(_) | Signable::Handed(_) | Signable::Spt(_) => None,
    }
}

fn authorised(form: &Eip3009) -> Evidence {
    let transfer = Transfer { from: form.from, to: form.to, value: form.value.units() };
    let used = AuthorizationUsed { authorizer: form.from, nonce: form.nonce };
    Evidence {
        chain_id: form.chain_id,
        token: form.token,
        transfer: (
            transfer.encode_topics().into_iter().map(|topic| topic.0).collect(),
            Bytes::from(transfer.encode_data()),
        ),
        used: used.encode_topics().into_iter().map(|topic| topic.0).collect(),
        state_call: Some(authorizationStateCall { authorizer: form.from, nonce: form.nonce }.abi_encode().into()),
        balance_call: balanceOfCall { account: form.from }.abi_encode().into(),
        valid_from: 0,
        valid_before: form.valid_before,
    }
}

/// The memo is one challenge's, so its log is the mark of this charge and of no other; the chain takes none in a block that is
/// earlier than the longest window before its end.
fn charged(charge: &tempo::Charge) -> Evidence {
    let transfer = Transfer { from: charge.from, to: charge.to, value: charge.value.units() };
    let used = TransferWithMemo { from: charge.from, to: charge.to, amount: charge.value.units(), memo: charge.memo() };
    Evidence {
        chain_id: charge.chain_id,
        token: charge.token,
        transfer: (
            transfer.encode_topics().into_iter().map(|topic| topic.0).collect(),
            Bytes::from(transfer.encode_data()),
        ),
        used: used.encode_topics().into_iter().map(|topic| topic.0).collect(),
        state_call: None,
        balance_call: balanceOfCall { account: charge.from }.abi_encode().into(),
        valid_from: charge.valid_before.saturating_sub(tempo::LONGEST),
        valid_before: charge.valid_before,
    }
}
