//! The running Countersign's end of the control socket.

use anyhow::Context as _;
use countersign_core::{
    approval::Said,
    payment::{AgentName, Program},
    policy::Policy,
    text::clean,
};
use countersign_desk::{
    Desk,
    approver::{Approver, Change},
    event::Event,
    request::{FetchBody, Request},
};
use countersign_vault::SetBy;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use zeroize::Zeroizing;

use super::{
    Op, Pairing, Reply, is_page, login, op, pairing,
    perform::{checked, id, perform},
};
use crate::{
    alipay::{Alipay, setup},
    door::{Door, Line},
    gateway::Gateway,
    http::Sessions,
    stripe::{self, Stripe},
};

/// Largest verb: a policy file or a fetch body.
const MAX_LINE: usize = 2 * 1024 * 1024;
/// Holds most verbs.
const USUAL_LINE: usize = 4096;

/// What a running Countersign answers verbs with.
pub struct Counter {
    /// The story of every payment.
    pub desk: Arc<Desk>,
    /// Whom a loosening is put to.
    pub approver: Arc<dyn Approver>,
    /// Who is calling; the same as over HTTP, so that a session's limits cannot be had twice.
    pub sessions: Arc<Sessions>,
    /// The MCP servers behind us.
    pub gateway: Arc<Gateway>,
    /// The merchant at Alipay.
    pub alipay: Arc<Alipay>,
    /// What pays at Stripe.
    pub stripe: Arc<Stripe>,
    /// How long a person has for a change.
    pub patience: Duration,
    /// What is asked about agents.
    pub pairing: Pairing,
}

/// Answers verbs until dropped.
pub fn serve(mut door: Door, counter: Counter) {
    let counter = Arc::new(counter);
    tokio::spawn(async move {
        loop {
            match door.next().await {
                Ok((line, program)) => drop(tokio::spawn(converse(line, program, counter.clone()))),
                Err(error) => {
                    tracing::error!(%error, "the control socket failed");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    });
}

async fn converse(mut line: Line, program: Option<Program>, counter: Arc<Counter>) {
    let Ok(text) = hear(&mut line).await else { return };
    let op = serde_json::from_slice::<Op>(&text);
    drop(text);
    let reply = match op {
        Ok(op) => counter.answer(op, program, &mut line).await,
        Err(error) => Reply::Failed(format!("not a verb of this version: {error}")),
    };
    let _ = say(&mut line, &op::Line::Reply(reply)).await;
}

pub(super) async fn say(line: &mut Line, said: &op::Line) -> std::io::Result<()> {
    let mut out = serde_json::to_vec(said)?;
    out.push(b'\n');
    line.write_all(&out).await
}

/// Ends when nobody waits at the other end any more; what is sent meanwhile means nothing.
pub(super) async fn hung_up(line: &mut Line) {
    while line.read(&mut [0]).await.is_ok_and(|read| read > 0) {}
}

/// Reads one line. It may carry a key: whatever it is read into is wiped, also where it was too small.
async fn hear(line: &mut Line) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(USUAL_LINE));
    loop {
        if text.len() == text.capacity() {
            let mut wider = Zeroizing::new(Vec::with_capacity(text.len().saturating_mul(2)));
            wider.extend_from_slice(&text);
            text = wider;
        }
        if line.read_buf(&mut *text).await? == 0 || text.ends_with(b"\n") || text.len() > MAX_LINE {
            return Ok(text);
        }
    }
}

impl Counter {
    async fn answer(&self, op: Op, program: Option<Program>, line: &mut Line) -> Reply {
        let answered = match op {
            Op::Fetch { agent, body } => self.fetch(agent, program, body).await,
            Op::GatewayLogin { name, client_id, client_secret, client_metadata } => {
                self.log_in(&name, login::introduced(client_id, client_secret, client_metadata), line).await
            }
            Op::Raise { page } => match self.approver.raise(page.filter(|page| is_page(page))) {
                true => Ok(Reply::Done(json!({"raised": true}))),
                false => Err(anyhow::anyhow!("what runs has no window")),
            },
            Op::Confirm { .. } => {
                Err(anyhow::anyhow!("stop Countersign first: what start-up found odd is confirmed while nothing runs"))
            }
            op => self.carry_out(op, line).await,
        };
        answered.unwrap_or_else(|error| Reply::Failed(format!("{error:#}")))
    }

    async fn carry_out(&self, op: Op, line: &mut Line) -> anyhow::Result<Reply> {
        let (desk, vault) = (&self.desk, self.desk.vault());
        let op = checked(vault, op).await?;
        if let Op::GatewayAdd { name, target } = &op {
            self.gateway.may_add(name, target)?;
        }
        let policy = vault.policy();
        let loosening = op.loosens(policy.as_deref(), desk.registry().reference());
        let by = if loosening.is_some() { SetBy::Person } else { SetBy::Command };
        if let Some((title, mut lines)) = loosening {
            // A yes to a new policy confirms policy and configuration as a whole, so all that nobody has confirmed is shown.
            if let (Op::PolicySet { toml }, true) = (&op, vault.doubts().policy.is_some()) {
                let draft = Policy::parse(toml, desk.registry().reference())?;
                lines = vault.to_confirm(Some(&draft)).await?;
            }
            if let (Op::AlipaySetup { .. }, Some(before)) = (&op, vault.merchant().await?) {
                lines.push(Said::MerchantReplaced { app: clean(&before.app_id) });
            }
            if let (Op::StripeSetup { .. }, Some(before)) = (&op, vault.stripe().await?) {
                lines.push(Said::CardReplaced { method: clean(&before.payment_method) });
            }
            let _open = match op.pairs().then(|| self.pairing.open(desk.now())).transpose() {
                Ok(open) => open,
                Err(why) => return Ok(Reply::Refused(why.to_owned())),
            };
            if op.pairs() {
                let code = pairing::code()?;
                lines.insert(0, Said::Code { code: code.clone() });
                say(line, &op::Line::Code { code }).await?;
            }
            if let Some(not_allowed) = self.ask(op.name(), title, lines, line).await? {
                return Ok(not_allowed);
            }
        }
        let paused = match op {
            Op::Pause { agent: None } => Some(true),
            Op::Resume { agent: None } => Some(false),
            _ => None,
        };
        let value = match op {
            Op::GatewayAdd { name, target } => {
                self.gateway.add(&name, target)?;
                json!({"name": name})
            }
            Op::GatewayList => {
                let all = self.gateway.list()?;
                let row = |(name, target)| json!({"name": name, "target": target});
                json!({"upstreams": all.into_iter().map(row).collect::<Vec<_>>()})
            }
            Op::GatewayRemove { name } => {
                self.gateway.remove(&name).await?;
                json!({"name": name, "removed": true})
            }
            Op::GatewayLogout { name } => {
                self.gateway.logout(&name).await?;
                json!({"name": name, "logged_in": false})
            }
            Op::AlipayWatch { payment, watched } => {
                let record = desk.watch(&id(&payment)?, watched).await?;
                json!({"payment": record.id, "watched": record.watched})
            }
            op @ (Op::AlipaySetup { .. } | Op::AlipayRemove) => {
                let value = perform(vault, desk.registry(), op, by).await?;
                self.alipay.load().await?;
                value
            }
            op @ (Op::StripeSetup { .. } | Op::StripeRemove) => {
                let value = perform(vault, desk.registry(), op, by).await?;
                self.stripe.load().await?;
                value
            }
            Op::StripeCheck => {
                let mut value = stripe::setup::shown(&self.stripe.check().await?);
                value["tried"] = json!({"stripe": "answers"});
                value
            }
            op @ Op::WalletUnlock { .. } => {
                let value = perform(vault, desk.registry(), op, by).await?;
                self.alipay.knock().await;
                value
            }
            Op::AlipayCheck => {
                let mut value = setup::shown(&self.alipay.check().await?);
                value["tried"] = json!({"gateway": "answers", "keys": "match"});
                value
            }
            op => perform(vault, desk.registry(), op, by).await?,
        };
        if let Some(paused) = paused {
            desk.announce(Event::Paused(paused));
        }
        desk.look_again();
        Ok(Reply::Done(value))
    }

    /// Puts a loosening to the person; none after a yes.
    pub(super) async fn ask(
        &self,
        verb: &str,
        title: Said,
        lines: Vec<Said>,
        line: &mut Line,
    ) -> anyhow::Result<Option<Reply>> {
        if !self.approver.reachable() {
            return Ok(Some(Reply::Refused(format!(
                "`{verb}` loosens something and needs a person, but nobody can be asked; stop Countersign and run it again"
            ))));
        }
        let change = Change { id: change_id()?, title, lines };
        let silence = || Reply::Unanswered("nobody answered in time; nothing was changed".to_owned());
        let answered = tokio::select! {
            answered = tokio::time::timeout(self.patience, self.approver.confirm(change)) => answered,
            // A credential would be nobody's: the question is taken back.
            () = hung_up(line) => return Ok(Some(silence())),
        };
        Ok(match answered {
            Ok(true) => None,
            // Whoever could have answered went away meanwhile.
            Ok(false) if !self.approver.reachable() => Some(silence()),
            Ok(false) => Some(Reply::Refused("the person said no".to_owned())),
            Err(_) => Some(silence()),
        })
    }

    async fn fetch(
        &self,
        agent: Option<String>,
        program: Option<Program>,
        body: serde_json::Value,
    ) -> anyhow::Result<Reply> {
        let listed = self.desk.vault().list_agents().await?;
        let agents: Vec<AgentName> = listed.into_iter().filter(|a| a.revoked_at.is_none()).map(|a| a.name).collect();
        let agent = match (agent, agents.as_slice()) {
            (Some(name), all) => {
                all.iter().find(|a| a.as_str() == name).cloned().with_context(|| format!("there is no agent {name}"))?
            }
            (None, [only]) => only.clone(),
            (None, []) => anyhow::bail!("there is no agent yet: `countersign agent add NAME`"),
            (None, _) => anyhow::bail!("say which agent pays: `--agent NAME`"),
        };
        let body: FetchBody = serde_json::from_value(body)?;
        // A shell may run any number of these: no rule is made for its process.
        let program = program.map(|program| Program { process: None, ..program });
        let caller = self.sessions.caller(agent, program, self.desk.now());
        let told = match Request::fetch(body) {
            Ok(request) => self.desk.pay(caller, request).await.result,
            Err(problem) => Err(problem),
        };
        Ok(Reply::Done(match told {
            Ok(outcome) => json!({"outcome": outcome}),
            Err(problem) => json!({"problem": crate::http::problem_body(&problem)}),
        }))
    }
}

pub fn change_id() -> anyhow::Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(format!("chg_{:016x}", u64::from_be_bytes(bytes)))
}
