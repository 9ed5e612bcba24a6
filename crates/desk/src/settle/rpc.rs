//! Questions to a chain node, over JSON-RPC. Its answers verify payments and free holds; they never decide an amount or a payee.

use alloy_primitives::{Address, B256, Bytes};
use countersign_core::{money::Amount, rail::Evidence};
use serde_json::{Value, json};
use std::time::Duration;
use url::{Host, Url};

/// How many of the newest blocks are searched for a use: less and less, for nodes that refuse long searches.
const SEARCHED: [u64; 4] = [2_000, 500, 100, 10];

/// Why a node gave no usable answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the node {node} gave no usable answer: {what}")]
pub struct RpcError {
    /// Its host.
    node: String,
    /// What happened.
    what: String,
}

/// One node of one chain.
#[derive(Debug, Clone)]
pub struct Node {
    client: reqwest::Client,
    url: Url,
}

/// What a transaction shows about one authorisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Transfer and use, both there.
    Paid,
    /// The transaction is on chain and does not pay us out.
    Contradicts,
    /// Not on chain, or not a transaction at all.
    Absent,
}

/// One block, as far as we ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// Unix seconds.
    pub time: u64,
}

impl Node {
    /// A node at this address.
    pub fn new(client: reqwest::Client, url: Url) -> Self {
        Self { client, url }
    }

    /// The host, for comparing nodes.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether this is a node on this machine, the user's own.
    pub fn is_own(&self) -> bool {
        match self.url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }

    /// An error unless this is a node of the chain: a wrong address in the configuration must not prove anything.
    pub async fn serves(&self, chain_id: u64) -> Result<(), RpcError> {
        match self.quantity("eth_chainId", json!([])).await? {
            found if found == chain_id => Ok(()),
            found => Err(self.error(&format!("it serves chain {found}, not {chain_id}"))),
        }
    }

    /// Whether this transaction moved the money and used the authorisation. `hash` may be anything a seller wrote.
    pub async fn transaction(&self, hash: &str, evidence: &Evidence) -> Result<Shown, RpcError> {
        if hash.parse::<B256>().is_err() || !hash.starts_with("0x") {
            return Ok(Shown::Absent);
        }
        let receipt = self.call("eth_getTransactionReceipt", json!([hash])).await?;
        if receipt.is_null() {
            return Ok(Shown::Absent);
        }
        let logs = receipt["logs"].as_array().cloned().unwrap_or_default();
        let ok = receipt["status"] == "0x1"
            && logs.iter().any(|log| is_log(log, evidence, &evidence.transfer.0, Some(&evidence.transfer.1)))
            && logs.iter().any(|log| is_log(log, evidence, &evidence.used, None));
        Ok(if ok { Shown::Paid } else { Shown::Contradicts })
    }

    /// All that left the payer of a form in this transaction, in the form's token: with the network's fee, where that is paid in it.
    pub async fn left(&self, hash: &str, evidence: &Evidence) -> Result<Option<Amount>, RpcError> {
        let receipt = self.call("eth_getTransactionReceipt", json!([hash])).await?;
        let logs = receipt["logs"].as_array().cloned().unwrap_or_default();
        let mut sum = Some(Amount::ZERO);
        for log in logs.iter().filter(|log| is_from(log, evidence)) {
            let units: B256 =
                log["data"].as_str().and_then(|data| data.parse().ok()).ok_or_else(|| self.error("not a number"))?;
            sum = sum.and_then(|sum| sum.checked_add(Amount::from_be_bytes(units.0)));
        }
        Ok(sum)
    }

    /// The transaction that used the authorisation, if it did so within the newest blocks this node lets us search, or in its
    /// window where only the log of its use tells.
    pub async fn find_use(&self, evidence: &Evidence) -> Result<Option<String>, RpcError> {
        let head = self.latest_block().await?;
        let newest = self.find_among_newest(evidence, head.number).await;
        if matches!(newest, Ok(Some(_))) || evidence.state_call.is_some() || head.time < evidence.valid_before {
            return newest;
        }
        self.find_in_window(evidence, head).await
    }

    async fn find_among_newest(&self, evidence: &Evidence, head: u64) -> Result<Option<String>, RpcError> {
        let mut refused = None;
        for span in SEARCHED {
            match self.used_within(evidence, head.saturating_sub(span), "latest").await {
                Ok(found) => return Ok(found),
                Err(error) => refused = Some(error),
            }
        }
        refused.map_or(Ok(None), Err)
    }

    /// The transaction whose log says that the authorisation was used, among all blocks of its window up to this one.
    async fn find_in_window(&self, evidence: &Evidence, last: Block) -> Result<Option<String>, RpcError> {
        let from = self.first_at(evidence.valid_from, last).await?;
        let end = self.first_at(evidence.valid_before, last).await?;
        let found = self.used_within(evidence, from, &format!("{end:#x}")).await?;
        if found.is_none() {
            // A node that forgot these blocks' logs answers as if there were none.
            self.remembers(from).await?;
            self.remembers(end).await?;
        }
        Ok(found)
    }

    /// Whether this node still has what the transactions of a block did.
    async fn remembers(&self, number: u64) -> Result<(), RpcError> {
        let number = format!("{number:#x}");
        let block = self.call("eth_getBlockByNumber", json!([number, false])).await?;
        let receipts = self.call("eth_getBlockReceipts", json!([number])).await?;
        match (block["transactions"].as_array(), receipts.as_array()) {
            (Some(transactions), Some(receipts)) if transactions.len() == receipts.len() => Ok(()),
            _ => Err(self.error("no receipts of a block it has")),
        }
    }

    async fn used_within(&self, evidence: &Evidence, from: u64, to: &str) -> Result<Option<String>, RpcError> {
        let filter = json!([{
            "fromBlock": format!("{from:#x}"), "toBlock": to, "address": evidence.token, "topics": evidence.used,
        }]);
        let logs = self.call("eth_getLogs", filter).await?;
        match logs.as_array().map(Vec::as_slice) {
            None => Err(self.error("no list of logs")),
            Some(logs) => {
                let Some(log) = logs.iter().find(|log| evidence.is_used_by(log["data"].as_str().unwrap_or_default()))
                else {
                    return Ok(None);
                };
                let hash = log["transactionHash"].as_str().ok_or_else(|| self.error("a log of no transaction"))?;
                Ok(Some(hash.to_owned()))
            }
        }
    }

    /// The number of the first block of this moment or later; `last`'s own where there is none before it.
    async fn first_at(&self, time: u64, last: Block) -> Result<u64, RpcError> {
        let (mut low, mut high) = (0, last.number);
        while low < high {
            let middle = low.midpoint(high);
            if self.block(&format!("{middle:#x}")).await?.time < time {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        Ok(high)
    }

    /// Whether the authorisation is used or cancelled, by the newest block.
    pub async fn is_used(&self, evidence: &Evidence) -> Result<bool, RpcError> {
        match &evidence.state_call {
            Some(call) => self.answers_one(evidence, call, "latest").await,
            None => Ok(self.find_use(evidence).await?.is_some()),
        }
    }

    /// Whether the authorisation was used or cancelled up to this very block.
    pub async fn is_used_by(&self, evidence: &Evidence, block: Block) -> Result<bool, RpcError> {
        match &evidence.state_call {
            Some(call) => self.answers_one(evidence, call, &format!("{:#x}", block.number)).await,
            None => Ok(self.find_in_window(evidence, block).await?.is_some()),
        }
    }

    async fn answers_one(&self, evidence: &Evidence, call: &Bytes, block: &str) -> Result<bool, RpcError> {
        let word = self.word(evidence, call, block).await?;
        Ok(word.bytes().any(|b| b != b'0'))
    }

    /// The newest block.
    pub async fn latest_block(&self) -> Result<Block, RpcError> {
        self.block("latest").await
    }

    /// The newest final block.
    pub async fn final_block(&self) -> Result<Block, RpcError> {
        self.block("finalized").await
    }

    /// The payer's balance, atomic units as 64 hex digits.
    pub async fn balance(&self, evidence: &Evidence) -> Result<String, RpcError> {
        self.word(evidence, &evidence.balance_call, "latest").await
    }

    /// What an account holds of a token (`balanceOf`), by the newest block.
    pub async fn balance_of(&self, token: Address, account: Address) -> Result<Amount, RpcError> {
        let call = [&[0x70, 0xa0, 0x82, 0x31][..], &[0; 12], account.as_slice()].concat();
        let hex = self.word_of(token, &Bytes::from(call), "latest").await?;
        let bytes: B256 = hex.parse().map_err(|_| self.error("not a number"))?;
        Ok(Amount::from_be_bytes(bytes.0))
    }

    async fn block(&self, which: &str) -> Result<Block, RpcError> {
        let block = self.call("eth_getBlockByNumber", json!([which, false])).await?;
        Ok(Block { number: self.number(&block["number"])?, time: self.number(&block["timestamp"])? })
    }

    async fn word(&self, evidence: &Evidence, data: &Bytes, block: &str) -> Result<String, RpcError> {
        self.word_of(evidence.token, data, block).await
    }

    async fn word_of(&self, token: Address, data: &Bytes, block: &str) -> Result<String, RpcError> {
        let answer = self.call("eth_call", json!([{"to": token, "data": data}, block])).await?;
        let hex = answer.as_str().and_then(|t| t.strip_prefix("0x")).unwrap_or_default();
        if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(hex.to_owned())
        } else {
            Err(self.error("the token contract did not answer as it should"))
        }
    }

    async fn quantity(&self, method: &str, params: Value) -> Result<u64, RpcError> {
        let answer = self.call(method, params).await?;
        self.number(&answer)
    }

    fn number(&self, value: &Value) -> Result<u64, RpcError> {
        let hex = value.as_str().and_then(|t| t.strip_prefix("0x")).ok_or_else(|| self.error("not a number"))?;
        u64::from_str_radix(hex, 16).map_err(|_| self.error("not a number"))
    }

    async fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .timeout(Duration::from_secs(5));
        let mut response = request.body(body).send().await.map_err(|error| self.broken(error))?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(error))? {
            if bytes.len().saturating_add(chunk.len()) > 1024 * 1024 {
                return Err(self.error("more than 1 MiB"));
            }
            bytes.extend_from_slice(&chunk);
        }
        let mut answer: Value = serde_json::from_slice(&bytes).map_err(|_| self.error("not JSON"))?;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(self.error(answer["error"]["message"].as_str().unwrap_or("no result"))),
        }
    }

    /// The address of a node may hold its owner's key, so errors name the host alone.
    fn broken(&self, error: reqwest::Error) -> RpcError {
        self.error(&error.without_url().to_string())
    }

    fn error(&self, what: &str) -> RpcError {
        RpcError { node: self.host().to_owned(), what: countersign_core::text::clean(what) }
    }
}

/// Whether a log is a transfer of the token by the form's payer.
fn is_from(log: &Value, evidence: &Evidence) -> bool {
    let topics = log["topics"].as_array().map(Vec::as_slice).unwrap_or_default();
    let first = evidence.transfer.0.get(..2).unwrap_or_default();
    let same = |value: &Value, expected: String| value.as_str().is_some_and(|t| t.eq_ignore_ascii_case(&expected));
    same(&log["address"], format!("{:#x}", evidence.token))
        && topics.len() == evidence.transfer.0.len()
        && first.len() == 2
        && topics.iter().zip(first).all(|(a, b)| same(a, b.to_string()))
}

/// Whether a log is the token's, with these topics and this data.
fn is_log(log: &Value, evidence: &Evidence, topics: &[B256], data: Option<&Bytes>) -> bool {
    let same =
        |value: &Value, expected: String| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(&expected));
    let found = log["topics"].as_array().cloned().unwrap_or_default();
    same(&log["address"], format!("{:#x}", evidence.token))
        && found.len() == topics.len()
        && found.iter().zip(topics).all(|(a, b)| same(a, b.to_string()))
        && data.is_none_or(|d| same(&log["data"], d.to_string()))
}
