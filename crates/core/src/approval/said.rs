//! Every sentence of ours that a person is shown where they decide: typed here, worded in the catalogue of each language.
//!
//! The windows say them in the person's language; in a terminal, in logs and to agents they are English.

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use std::{collections::BTreeMap, fmt};

/// The words in English; `ui/messages` has them in every language.
const ENGLISH: &str = include_str!("../../../../ui/messages/en/said.json");

macro_rules! said {
    ($($name:ident = $id:literal { $($part:ident),* })+) => {
        /// One sentence, with what is filled in. Foreign text in it has been cleaned.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the catalogue says what each one says")]
        pub enum Said { $($name { $($part: String),* },)+ }

        impl Said {
            /// Name and holes of every sentence.
            pub const ALL: &'static [(&'static str, &'static [&'static str])] = &[$(($id, &[$(stringify!($part)),*]),)+];

            /// Its name in the catalogues.
            pub const fn id(&self) -> &'static str {
                match self { $(Self::$name { .. } => $id,)+ }
            }

            /// The sentence of this name, with what is filled in where `part` knows it.
            pub fn of(id: &str, part: impl Fn(&str) -> Option<String>) -> Option<Self> {
                let _ = &part;
                match id {
                    $($id => Some(Self::$name { $($part: part(stringify!($part))?),* }),)+
                    _ => None,
                }
            }

            /// What is filled in, by the name of its hole.
            pub fn parts(&self) -> Vec<(&'static str, &str)> {
                match self { $(Self::$name { $($part),* } => vec![$((stringify!($part), $part.as_str())),*],)+ }
            }
        }
    };
}

said! {
    // Why a payment is asked about.
    WhyDefault = "why.default" {}
    WhyFirstPayee = "why.first_payee" {}
    WhyFirstBuyer = "why.first_buyer" {}
    WhyFirstPage = "why.first_page" {}
    WhyAskAbove = "why.ask_above" {}
    WhyPayeeChanged = "why.payee_changed" {}
    WhyUnknownValue = "why.unknown_value" {}
    WhyDuplicate = "why.duplicate" {}
    WhyRefundOpen = "why.refund_open" {}
    WhyOtherResource = "why.other_resource" {}
    WhyRedirected = "why.redirected" {}
    WhyUpfront = "why.upfront" {}
    WhyCallerChanged = "why.caller_changed" {}
    WhyTermsChanged = "why.terms_changed" {}
    WhyShared = "why.shared" {}
    WhyProof = "why.proof" {}
    WhyClock = "why.clock" {}
    WhyUnconfirmed = "why.unconfirmed" {}
    WhyObserve = "why.observe" {}
    WhyRule = "why.rule" { rule }
    WhyBudget = "why.budget" { budget, after, max }
    WhyOverBudget = "why.over_budget" { budget }
    // Something odd.
    WarnOtherProgram = "warning.other_program" { program, bound }
    WarnPayeeChanged = "warning.payee_changed" {}
    WarnDuplicate = "warning.duplicate" {}
    WarnRefundOpen = "warning.refund_open" {}
    WarnLookalikeHost = "warning.lookalike_host" {}
    WarnLookalikeAddress = "warning.lookalike_address" {}
    WarnRedirected = "warning.redirected" {}
    WarnUnverified = "warning.unverified" {}
    WarnPriceUp = "warning.price_up" {}
    WarnNetworkChanged = "warning.network_changed" {}
    WarnShortLife = "warning.short_life" {}
    WarnHighExposure = "warning.high_exposure" {}
    WarnUpfront = "warning.upfront" {}
    WarnCallerChanged = "warning.caller_changed" {}
    WarnTermsChanged = "warning.terms_changed" {}
    WarnShared = "warning.shared" { payee, others }
    WarnUntried = "warning.untried" {}
    WarnProof = "warning.proof" {}
    WarnNoValue = "warning.no_value" {}
    WarnFirstPayee = "warning.first_payee" {}
    WarnFirstBuyer = "warning.first_buyer" {}
    WarnFirstPage = "warning.first_page" {}
    WarnTestnet = "warning.testnet" {}
    // The program behind a connection.
    ProgramUnseen = "program.unseen" {}
    ProgramUnbound = "program.unbound" { path }
    ProgramUnboundBy = "program.unbound_by" { path, parent }
    ProgramBound = "program.bound" { path }
    ProgramBoundBy = "program.bound_by" { path, parent }
    ProgramOther = "program.other" { path }
    ProgramOtherBy = "program.other_by" { path, parent }
    // What was paid before, and on what terms.
    PaidNever = "paid.never" {}
    PaidOnce = "paid.once" {}
    PaidTimes = "paid.times" { n }
    TermsFinal = "terms.final" { network }
    TermsFee = "terms.fee" { network, fee }
    TermsRefund = "terms.refund" { network }
    TermsDispute = "terms.dispute" { network }
    // What the button does.
    ActPay = "act.pay" { amount }
    ActProve = "act.prove" {}
    ActRefund = "act.refund" { amount }
    ActPage = "act.page" { amount }
    // What will be signed.
    SignForm = "sign.form" {}
    SignToken = "sign.token" {}
    SignContract = "sign.contract" {}
    SignFrom = "sign.from" {}
    SignTo = "sign.to" {}
    SignValue = "sign.value" {}
    SignFee = "sign.fee" {}
    SignShare = "sign.share" {}
    SignSeconds = "sign.seconds" {}
    SignNonce = "sign.nonce" {}
    // How a payment ended.
    EndRefused = "end.refused" { rule }
    EndExpired = "end.expired" {}
    EndProblem = "end.problem" { code }
    EndPaused = "end.paused" {}
    EndLocked = "end.locked" {}
    EndUnhealthy = "end.unhealthy" { why }
    EndNoKey = "end.no_key" { account }
    EndUnsigned = "end.unsigned" { why }
    EndUnwritten = "end.unwritten" {}
    EndClaimed = "end.claimed" {}
    EndDelivered = "end.delivered" {}
    EndSeen = "end.seen" {}
    EndConfirmed = "end.confirmed" {}
    EndUnchecked = "end.unchecked" {}
    EndContradicted = "end.contradicted" {}
    EndDeclined = "end.declined" {}
    EndOpen = "end.open" {}
    EndSilence = "end.silence" {}
    EndSlept = "end.slept" {}
    EndDenied = "end.denied" {}
    EndRemoved = "end.removed" {}
    // What a change is called.
    AskLimits = "change.limits" {}
    AskForget = "change.forget" {}
    AskSettings = "change.settings" {}
    AskResume = "change.resume" {}
    AskResumeAgent = "change.resume_agent" { agent }
    AskPays = "change.pays" { wallet, network }
    AskPaysAll = "change.pays_all" { wallet }
    AskOffline = "change.offline" {}
    AskClock = "change.clock" {}
    AskHistory = "change.history" {}
    AskTools = "change.tools" { upstream }
    AskWallet = "change.wallet" { label }
    AskImport = "change.import" { label }
    AskCareful = "change.careful" { agent }
    AskAgent = "change.agent" { agent }
    AskToken = "change.token" { agent }
    AskRebind = "change.rebind" { agent }
    AskAssign = "change.assign" { agent }
    AskUpstream = "change.upstream" { upstream }
    AskLogin = "change.login" { upstream }
    AskMerchant = "change.merchant" {}
    AskMerchantGone = "change.merchant_gone" {}
    AskCard = "change.card" {}
    AskCardGone = "change.card_gone" {}
    AskRestore = "change.restore" {}
    // What a change comes to.
    FirstWallet = "line.first_wallet" {}
    AsksAll = "line.asks_all" {}
    RulesApply = "line.rules_apply" {}
    NewToken = "line.new_token" {}
    Rebinds = "line.rebinds" {}
    PaysFrom = "line.pays_from" { wallet }
    Resumes = "line.resumes" {}
    ResumesAgent = "line.resumes_agent" {}
    OthersPayFrom = "line.others_pay_from" { address }
    Code = "line.code" { code }
    UpstreamPaid = "line.upstream_paid" {}
    Address = "line.address" { url }
    Host = "line.host" { host }
    Runs = "line.program" { program }
    Argument = "line.argument" { n, text }
    Starts = "line.starts" {}
    Browser = "line.browser" { host }
    Issuer = "line.issuer" { issuer }
    Server = "line.server" { url }
    FormerLogin = "line.former_login" { issuer }
    NoScope = "line.no_scope" {}
    Scopes = "line.scopes" { scopes }
    LoginShared = "line.login_shared" {}
    MerchantAt = "line.merchant" { app, gateway }
    MerchantKey = "line.merchant_key" { fingerprint }
    MerchantReturns = "line.merchant_returns" { url }
    MerchantNotifies = "line.merchant_notifies" { url }
    MerchantPages = "line.merchant_pages" {}
    MerchantRefunds = "line.merchant_refunds" {}
    MerchantReplaced = "line.merchant_replaced" { app }
    MerchantGone = "line.merchant_gone" {}
    CardPays = "line.card" { method }
    CardLive = "line.card_live" {}
    CardPlay = "line.card_play" {}
    CardReplaced = "line.card_replaced" { method }
    CardGone = "line.card_gone" {}
    Paired = "line.paired" { agent }
    WholePolicy = "line.whole_policy" {}
    Config = "line.config" { key, now, was }
    ConfigNew = "line.config_new" { key, now }
    ConfigGone = "line.config_gone" { key, was }
    ToolNew = "tool.new" { tool, says, takes }
    ToolChanged = "tool.changed" { tool, says, takes }
    ToolChangedIn = "tool.changed_in" { parts, tool, says, takes }
    // What start-up found odd.
    DoubtBehind = "doubt.behind" {}
    DoubtAnchor = "doubt.anchor" {}
    DoubtPolicy = "doubt.policy" {}
    DoubtConfig = "doubt.config" {}
    DoubtClockBack = "doubt.clock_back" { seconds }
    DoubtClockJump = "doubt.clock_jump" { seconds }
    DoubtServersBehind = "doubt.servers_behind" { seconds }
    DoubtServersAhead = "doubt.servers_ahead" { seconds }
    DoubtBlock = "doubt.block" { network, seconds }
    DoubtHistory = "doubt.history" { end, written }
    DoubtRestored = "doubt.restored" { made }
    // What is looser.
    Reference = "looser.reference" { now, was }
    Timezone = "looser.timezone" { now, was }
    Acts = "looser.acts" {}
    Known = "looser.known" { origin, account }
    Unpinned = "looser.unpinned" { origin, account }
    RuleAdded = "looser.rule_added" { rule }
    RulePayeeMayChange = "looser.rule_payee_may_change" { rule }
    RuleNoLongerRefuses = "looser.rule_no_longer_refuses" { rule }
    RuleNoLongerAsks = "looser.rule_no_longer_asks" { rule }
    RuleRemovedWithCount = "looser.rule_removed_with_count" { rule }
    RuleCountsLess = "looser.rule_counts_less" { rule }
    RuleAsks = "looser.rule_asks" { rule }
    RulePaysRefused = "looser.rule_pays_refused" { rule }
    RulePaysAsked = "looser.rule_pays_asked" { rule }
    RuleExcepts = "looser.rule_excepts" { rule }
    RuleFitsMore = "looser.rule_fits_more" { rule }
    RuleLastsLonger = "looser.rule_lasts_longer" { rule }
    RuleUsedMoreOften = "looser.rule_used_more_often" { rule }
    RuleFitsFewer = "looser.rule_fits_fewer" { rule }
    RuleEndsSooner = "looser.rule_ends_sooner" { rule }
    BudgetRemoved = "looser.budget_removed" { budget }
    BudgetAmount = "looser.budget_amount" { budget, now, was }
    BudgetAnyAmount = "looser.budget_any_amount" { budget, was }
    BudgetCount = "looser.budget_count" { budget, now, was }
    BudgetAnyCount = "looser.budget_any_count" { budget, was }
    BudgetAsks = "looser.budget_asks" { budget }
    BudgetWindow = "looser.budget_window" { budget }
    BudgetScope = "looser.budget_scope" { budget }
    BudgetCoversFewer = "looser.budget_covers_fewer" { budget }
    BudgetEndsSooner = "looser.budget_ends_sooner" { budget }
    Forgotten = "looser.forgotten" { origin, account }
    // What changes in the settings.
    ReferenceSet = "setting.reference" { now, was }
    RateNew = "setting.rate_new" { currency, now }
    RateSet = "setting.rate" { currency, now, was }
    RateGone = "setting.rate_gone" { currency, was }
    NodeNew = "setting.node_new" { network, url }
    NodeGone = "setting.node_gone" { network, url }
    NodeFirst = "setting.node_first" { network, url }
    // What a person should know about limits that are valid all the same.
    OddTask = "odd.task" { budget }
    OddSession = "odd.session" { budget }
    OddRail = "odd.rail" { rule, rail, rails }
    OddAllows = "odd.allows" { rule, example }
    OddExcepts = "odd.excepts" { rule, example }
    // Where the limits' file is wrong.
    AtFile = "at.file" {}
    AtKey = "at.key" { key }
    AtRule = "at.rule" { rule }
    AtBudget = "at.budget" { budget }
    AtKnown = "at.known" { known }
    // What is wrong there, and what to write instead.
    FileSize = "file.size" {}
    FileSyntax = "file.syntax" { line, text }
    FileReference = "file.reference" { file, config }
    FileFormat = "file.format" {}
    FileUnknown = "file.unknown" { key, keys }
    FileMissing = "file.missing" { key, example }
    FileNoWhen = "file.no_when" { example }
    FileNoTable = "file.no_table" { example }
    FileWhen = "file.when" { example }
    FileNumber = "file.number" { key }
    FileQuotes = "file.quotes" { key }
    FileCount = "file.count" { key }
    FileMoment = "file.moment" { key }
    FileNoMoment = "file.no_moment" { key, text }
    FileYears = "file.years" { key }
    FileList = "file.list" { key }
    FileChoice = "file.choice" { key, text, names }
    FileScope = "file.scope" { text, names }
    FileNoFact = "file.no_fact" { key }
    FileEmptyWhen = "file.empty_when" {}
    FileNoOperator = "file.no_operator" { key, example }
    FileOperator = "file.operator" { key, operator, operators }
    FileEq = "file.eq" { key }
    FileIn = "file.in" { key }
    FileExists = "file.exists" { key }
    FileCompared = "file.compared" { key }
    FileNoValue = "file.no_value" { key }
    FileTwice = "file.twice" { key }
    FileNever = "file.never" { key }
    FileEmptyList = "file.empty_list" { key }
    FileEmptyPrefix = "file.empty_prefix" { key }
    FileUseValue = "file.use_value" { key, operator }
    FileUseHost = "file.use_host" { key, operator }
    FileUseWhole = "file.use_whole" { key, operator }
    FileUseOrigin = "file.use_origin" { key, operator }
    FileAmount = "file.amount" { key, text }
    FilePrecise = "file.precise" { key, text }
    FileHuge = "file.huge" { key, text }
    FileAmountText = "file.amount_text" { key }
    FileFlag = "file.flag" { key }
    FileAgent = "file.agent" { key, text }
    FileOrigin = "file.origin" { key, text }
    FileChecksum = "file.checksum" { key, text }
    FileAsset = "file.asset" { key, text }
    FileNetwork = "file.network" { key, text }
    FileName = "file.name" { key, text }
    FileMethod = "file.method" { key, text }
    FileNoneOf = "file.none_of" { key, text, names }
    FilePrefix = "file.prefix" { key, text }
    FileHost = "file.host" { key, text }
    FileSuffix = "file.suffix" { key, text }
    FileLength = "file.length" {}
    FileMany = "file.many" { most }
    FileAtMost = "file.at_most" { key, most }
    FileGrantsAll = "file.grants_all" { effect }
    FileGrantsTask = "file.grants_task" { effect }
    FileUnbounded = "file.unbounded" { rule }
    FileNoCap = "file.no_cap" {}
    FileOneRule = "file.one_rule" {}
    FileNoRule = "file.no_rule" { rule }
    FileId = "file.id" {}
    FileIdTwice = "file.id_twice" {}
    FileZone = "file.zone" { text }
    FileConverted = "file.converted" {}
    // What a backup holds, and what restoring it comes to.
    RestoreMade = "restore.made" { made }
    RestorePayments = "restore.payments" { n }
    RestorePaymentsUntil = "restore.payments_until" { n, last }
    RestoreAgents = "restore.agents" { agents }
    RestoreLost = "restore.lost" { n }
    RestoreNoneLost = "restore.none_lost" {}
    RestoreUncounted = "restore.uncounted" {}
    RestoreReplaces = "restore.replaces" { dir }
    RestoreTokens = "restore.tokens" {}
    RestoreAsks = "restore.asks" {}
    RestoreFull = "restore.full" {}
    RestoreTwice = "restore.twice" {}
    // What came of restoring it.
    RestoreDone = "restore.done" { made }
    RestoreAside = "restore.aside" { path }
    RestoreUnread = "restore.unread" { why }
    RestoreFileAside = "restore.file_aside" { file, path }
    RestoreConfigOut = "restore.config_out" { why }
    RestoreConfigBeside = "restore.config_beside" { path }
    RestoreFileNot = "restore.file_not" { file, why }
    RestoreNext = "restore.next" {}
    RestoreFailed = "restore.failed" {}
    RestorePartly = "restore.partly" {}
    RestoreGivenUp = "restore.given_up" {}
    // Why a file is not restored.
    BackupNot = "backup.not" { file }
    BackupPlain = "backup.plain" { file }
    BackupNoKey = "backup.no_key" {}
    BackupOther = "backup.other" {}
    BackupDamaged = "backup.damaged" { why }
    BackupNewer = "backup.newer" {}
    BackupLarge = "backup.large" { needs }
    // Words of others, and of the system.
    Told = "told" { text }
}

impl Said {
    /// Reads what [`Serialize`] wrote.
    pub fn read(json: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(json).ok()?;
        let parts = value.get("parts")?;
        Self::of(value.get("id")?.as_str()?, |part| Some(parts.get(part)?.as_str()?.to_owned()))
    }
}

/// As `{"id": …, "parts": {…}}`.
impl Serialize for Said {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let parts: BTreeMap<&str, &str> = self.parts().into_iter().collect();
        let mut map = to.serialize_map(Some(2))?;
        map.serialize_entry("id", self.id())?;
        map.serialize_entry("parts", &parts)?;
        map.end()
    }
}

/// In English.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: BTreeMap<String, String> = serde_json::from_str(ENGLISH).unwrap_or_default();
        f.write_str(&fill(words.get(self.id()).map_or("", String::as_str), &self.parts()))
    }
}

/// A text with its holes filled in. One pass, so that a part that looks like a hole stays as it is.
pub fn fill(text: &str, parts: &[(&str, &str)]) -> String {
    let (mut said, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        said.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        said.push_str(parts.iter().find(|(part, _)| *part == name).map_or("", |(_, value)| value));
        rest = after;
    }
    said.push_str(rest);
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_language_words_every_sentence_with_the_same_holes_and_no_other() {
        for catalogue in [ENGLISH, include_str!("../../../../ui/messages/zh-CN/said.json")] {
            let words: BTreeMap<String, String> = serde_json::from_str(catalogue).unwrap();
            assert_eq!(words.len(), Said::ALL.len());
            for (id, parts) in Said::ALL {
                let text = &words[*id];
                let holes: BTreeSet<&str> =
                    text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or_default()).collect();
                assert_eq!(holes, parts.iter().copied().collect(), "{id}: {text}");
            }
        }
    }

    #[test]
    fn a_sentence_is_english_by_itself_and_is_filled_in_once() {
        let said = Said::Told { text: "{text}".into() };
        assert_eq!(said.to_string(), "{text}");
        let why = Said::WhyBudget { budget: "week".into(), after: "61.00".into(), max: "60.00 USD".into() };
        assert_eq!(why.to_string(), "this payment takes the budget week to 61.00 of 60.00 USD");
        assert_eq!(
            serde_json::to_string(&Said::EndOpen {}).unwrap() + &serde_json::to_string(&said).unwrap(),
            r#"{"id":"end.open","parts":{}}{"id":"told","parts":{"text":"{text}"}}"#
        );
        let json = serde_json::to_string(&why).unwrap();
        assert_eq!((Said::read(&json), Said::read("policy was changed")), (Some(why), None));
        assert_eq!(fill("{who}: {n} of {n}", &[("who", "{n}"), ("n", "3")]), "{n}: 3 of 3");
        assert_eq!(fill("a {missing} b", &[]), "a  b");
    }
}
