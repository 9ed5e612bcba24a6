//! RLP, as far as one transaction needs it, on `alloy-rlp`.

use alloy_rlp::{Decodable, Encodable, Header};

/// A text of bytes.
pub(super) fn bytes(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().saturating_add(9));
    bytes.encode(&mut out);
    out
}

/// A number, without zeros before it.
pub(super) fn number(number: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(9);
    number.encode(&mut out);
    out
}

/// A list of items that are encoded already.
pub(super) fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let payload: Vec<u8> = items.concat();
    let mut out = Vec::with_capacity(payload.len().saturating_add(9));
    Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend_from_slice(&payload);
    out
}

/// Reads items one after another; none where one is not what it is wanted as.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next list.
    pub(super) fn list(&mut self) -> Option<Self> {
        Header::decode_bytes(&mut self.0, true).ok().map(Reader)
    }

    /// The next text of bytes.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        Header::decode_bytes(&mut self.0, false).ok()
    }

    /// The next number.
    pub(super) fn number(&mut self) -> Option<u64> {
        u64::decode(&mut self.0).ok()
    }

    /// Whether the next item is one without content.
    pub(super) fn empty(&mut self) -> Option<()> {
        self.bytes()?.is_empty().then_some(())
    }

    /// Whether nothing is left.
    pub(super) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}
