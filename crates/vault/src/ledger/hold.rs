//! Writing a payment down: holds, forms, what the yes teaches, the entry. After this commit a signature may exist.

use countersign_core::{
    Millis,
    payment::{Digest, PaymentId, Quote},
    policy::{Approved, BudgetLine, By, Effect, Facts},
    signable::Signable,
    status::Status,
};

use super::{
    body::Body,
    facts::known_by,
    fold::{self, Stored},
    shared::Dropped,
    tx::{Stop, Tx, damaged},
    usage::blob,
};
use crate::{error::VaultError, point::point, sign, verbs::Reservation};

/// What a payment is let through with.
pub(crate) struct Grant {
    pub approved: Approved,
    pub facts: Facts,
    pub forms: Vec<Signable>,
    pub offer: String,
}

impl Tx<'_> {
    /// Holds in every covering budget, stores every form, and appends the entry. The answer is the only thing that can be signed.
    pub fn write_down(
        &mut self,
        stored: &mut Stored,
        from: Option<Status>,
        mut entry: Body,
        grant: Grant,
    ) -> Result<Reservation, Stop> {
        let Grant { approved, facts, forms, offer } = grant;
        point("reserve.judged");
        if *approved.payment() != stored.record.id {
            return Err(VaultError::Mismatch("the approved payment").into());
        }
        let decision = approved.decision().clone();
        let by = approved.by().clone();
        let person = matches!(by, By::Person(_));
        for line in &decision.budgets {
            self.hold(stored.n, line, person)?;
        }
        if let Some(rule) = &decision.consumes {
            self.conn
                .prepare_cached("INSERT INTO consumed (rule, payment) VALUES (?1, ?2)")?
                .execute((rule, stored.n))?;
        }
        if person {
            self.learn(stored.n, &stored.record.quote, &stored.record.agent)?;
        }
        for (i, form) in forms.iter().enumerate() {
            entry.forms.push(self.keep_form(stored.n, i, form)?);
        }
        point("reserve.held");
        entry.valid_before = forms.iter().map(Signable::valid_before).max();
        entry.by = Some(by);
        entry.decision = Some(decision);
        entry.facts = Some(facts);
        if from == Some(Status::Waiting) {
            entry.aliases = Some(aliases(self.conn, stored.n)?);
        }
        self.advance_chain(stored, from, &entry)?;
        Ok(self.reservation(stored, forms, offer))
    }

    /// Appends an entry and folds it into the payment.
    pub fn advance_chain(&mut self, stored: &mut Stored, from: Option<Status>, entry: &Body) -> Result<(), Stop> {
        let n = stored.entries.checked_add(1).ok_or_else(|| damaged("too many entries"))?;
        let id = stored.record.id.clone();
        let to = self.append(stored.n, &id, n, from, entry)?;
        stored.entries = n;
        fold::apply(&mut stored.record, entry, to);
        Ok(())
    }

    fn reservation(&self, stored: &Stored, forms: Vec<Signable>, offer: String) -> Reservation {
        let dropped = Dropped {
            payment: stored.record.id.clone(),
            marks: std::sync::Arc::clone(&self.shared.marks),
            armed: true,
        };
        Reservation { record: stored.record.clone(), forms, offer, dropped }
    }

    fn hold(&mut self, payment: i64, line: &BudgetLine, person: bool) -> Result<(), Stop> {
        let at = self.now.at;
        self.conn
            .prepare_cached(
                "INSERT INTO hold (payment, budget, key, at, amount, epoch) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((payment, &line.id, &line.key, at.0, blob(line.amount), self.mem.epoch))?;
        self.mem.counters.add(&line.id, &line.key, at, line.amount)?;
        let cap = line.max.map_or([0xff; 32], blob);
        let most = line.max_count.map_or(i64::MAX, |max| i64::try_from(max).unwrap_or(i64::MAX));
        let used = self.mem.counters.used(self.conn, &line.id, &line.key, line.since)?;
        let count = i64::try_from(used.count).unwrap_or(i64::MAX);
        self.conn
            .prepare_cached(
                "INSERT INTO budget_use (budget, key, since, cap, used, max_count, count, soft, by_human)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (budget, key) DO UPDATE SET since = excluded.since, cap = excluded.cap, used = excluded.used,
                   max_count = excluded.max_count, count = excluded.count, soft = excluded.soft, by_human = excluded.by_human",
            )?
            .execute((
                &line.id,
                &line.key,
                line.since.map_or(i64::MIN, |m| m.0),
                cap,
                blob(used.amount),
                most,
                count,
                line.on_exceed == Effect::Ask,
                person,
            ))?;
        Ok(())
    }

    /// A person's yes makes this payee known.
    fn learn(&self, payment: i64, quote: &Quote, agent: &countersign_core::payment::AgentName) -> Result<(), Stop> {
        self.conn
            .prepare_cached("INSERT INTO known (agent, origin, asset, account, payment) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING")?
            .execute((
                known_by(quote, agent),
                quote.payee.origin.as_str(),
                quote.exposure.asset.as_str(),
                &quote.payee.account,
                payment,
            ))?;
        super::payees::remember(self, quote, agent)
    }

    /// Refuses a form whose number belongs to an earlier payment.
    pub fn unused(&self, form: &Signable) -> Result<(), Stop> {
        let used = "SELECT EXISTS (SELECT 1 FROM signable WHERE wallet = ?1 AND nonce = ?2)";
        if self.conn.prepare_cached(used)?.query_row((form.signer(), form.nonce().0), |row| row.get(0))? {
            return Err(VaultError::Used.into());
        }
        Ok(())
    }

    fn keep_form(&self, payment: i64, i: usize, form: &Signable) -> Result<Digest, Stop> {
        let seconds = |s: u64| i64::try_from(s).map_err(|_| VaultError::Mismatch("the validity window"));
        let digest = sign::digest(form);
        self.unused(form)?;
        self.within_trade(form)?;
        let i = i64::try_from(i).map_err(|_| VaultError::Mismatch("the number of forms"))?;
        self.conn
            .prepare_cached(
                "INSERT INTO signable (payment, i, wallet, nonce, valid_from, valid_until, bytes, digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                payment,
                i,
                form.signer(),
                form.nonce().0,
                seconds(form.valid_after())?,
                seconds(form.valid_before())?,
                form.encode(),
                digest.0,
            ))?;
        Ok(Digest(digest.0))
    }
}

/// Digest of every alias of a payment, in order.
pub(crate) fn aliases(conn: &rusqlite::Connection, payment: i64) -> Result<Digest, Stop> {
    let mut statement = conn.prepare_cached("SELECT mac FROM alias WHERE payment = ?1 ORDER BY agent, idem")?;
    let macs = statement.query_map([payment], |row| row.get(0))?.collect::<rusqlite::Result<Vec<Vec<u8>>>>()?;
    Ok(Digest::of(&macs.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

/// What an alias's MAC is about.
pub(crate) fn alias_mac(
    key: &super::chain::MacKey,
    agent: &str,
    idem: &str,
    request: &Digest,
    payment: &PaymentId,
) -> [u8; 32] {
    key.mac("alias", &[agent.as_bytes(), idem.as_bytes(), &request.0, payment.as_str().as_bytes()])
}

/// The forms of a payment. One that does not encode to its stored digest is refused, never signed.
pub(crate) fn forms(conn: &rusqlite::Connection, payment: i64) -> Result<Vec<Signable>, Stop> {
    let mut statement = conn.prepare_cached("SELECT bytes, digest FROM signable WHERE payment = ?1 ORDER BY i")?;
    let mut rows = statement.query([payment])?;
    let mut forms = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(0)?;
        let form = Signable::decode(&bytes).ok_or_else(|| damaged("a form does not decode"))?;
        if sign::digest(&form).0 != row.get::<_, [u8; 32]>(1)? {
            return Err(damaged("a form does not have its stored digest"));
        }
        forms.push(form);
    }
    Ok(forms)
}

/// Whether every form can still be used.
pub(crate) fn window_open(forms: &[Signable], wall: Millis) -> bool {
    !forms.is_empty() && forms.iter().all(|form| wall.seconds() < form.valid_before())
}
