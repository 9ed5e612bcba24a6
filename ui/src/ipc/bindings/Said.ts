// Made from the core by the test `the_bindings_are_current`. Do not edit.

/** One sentence of the core, with what is filled in. */
export type Said =
  | { id: "why.default"; parts: {  } }
  | { id: "why.first_payee"; parts: {  } }
  | { id: "why.first_buyer"; parts: {  } }
  | { id: "why.first_page"; parts: {  } }
  | { id: "why.ask_above"; parts: {  } }
  | { id: "why.payee_changed"; parts: {  } }
  | { id: "why.unknown_value"; parts: {  } }
  | { id: "why.duplicate"; parts: {  } }
  | { id: "why.refund_open"; parts: {  } }
  | { id: "why.other_resource"; parts: {  } }
  | { id: "why.redirected"; parts: {  } }
  | { id: "why.upfront"; parts: {  } }
  | { id: "why.caller_changed"; parts: {  } }
  | { id: "why.terms_changed"; parts: {  } }
  | { id: "why.shared"; parts: {  } }
  | { id: "why.proof"; parts: {  } }
  | { id: "why.clock"; parts: {  } }
  | { id: "why.unconfirmed"; parts: {  } }
  | { id: "why.observe"; parts: {  } }
  | { id: "why.rule"; parts: { rule: string } }
  | { id: "why.budget"; parts: { budget: string; after: string; max: string } }
  | { id: "why.over_budget"; parts: { budget: string } }
  | { id: "warning.other_program"; parts: { program: string; bound: string } }
  | { id: "warning.payee_changed"; parts: {  } }
  | { id: "warning.duplicate"; parts: {  } }
  | { id: "warning.refund_open"; parts: {  } }
  | { id: "warning.lookalike_host"; parts: {  } }
  | { id: "warning.lookalike_address"; parts: {  } }
  | { id: "warning.redirected"; parts: {  } }
  | { id: "warning.unverified"; parts: {  } }
  | { id: "warning.price_up"; parts: {  } }
  | { id: "warning.network_changed"; parts: {  } }
  | { id: "warning.short_life"; parts: {  } }
  | { id: "warning.high_exposure"; parts: {  } }
  | { id: "warning.upfront"; parts: {  } }
  | { id: "warning.caller_changed"; parts: {  } }
  | { id: "warning.terms_changed"; parts: {  } }
  | { id: "warning.shared"; parts: { payee: string; others: string } }
  | { id: "warning.untried"; parts: {  } }
  | { id: "warning.proof"; parts: {  } }
  | { id: "warning.no_value"; parts: {  } }
  | { id: "warning.first_payee"; parts: {  } }
  | { id: "warning.first_buyer"; parts: {  } }
  | { id: "warning.first_page"; parts: {  } }
  | { id: "warning.testnet"; parts: {  } }
  | { id: "program.unseen"; parts: {  } }
  | { id: "program.unbound"; parts: { path: string } }
  | { id: "program.unbound_by"; parts: { path: string; parent: string } }
  | { id: "program.bound"; parts: { path: string } }
  | { id: "program.bound_by"; parts: { path: string; parent: string } }
  | { id: "program.other"; parts: { path: string } }
  | { id: "program.other_by"; parts: { path: string; parent: string } }
  | { id: "paid.never"; parts: {  } }
  | { id: "paid.once"; parts: {  } }
  | { id: "paid.times"; parts: { n: string } }
  | { id: "terms.final"; parts: { network: string } }
  | { id: "terms.fee"; parts: { network: string; fee: string } }
  | { id: "terms.refund"; parts: { network: string } }
  | { id: "terms.dispute"; parts: { network: string } }
  | { id: "act.pay"; parts: { amount: string } }
  | { id: "act.prove"; parts: {  } }
  | { id: "act.refund"; parts: { amount: string } }
  | { id: "act.page"; parts: { amount: string } }
  | { id: "sign.form"; parts: {  } }
  | { id: "sign.token"; parts: {  } }
  | { id: "sign.contract"; parts: {  } }
  | { id: "sign.from"; parts: {  } }
  | { id: "sign.to"; parts: {  } }
  | { id: "sign.value"; parts: {  } }
  | { id: "sign.fee"; parts: {  } }
  | { id: "sign.share"; parts: {  } }
  | { id: "sign.seconds"; parts: {  } }
  | { id: "sign.nonce"; parts: {  } }
  | { id: "end.refused"; parts: { rule: string } }
  | { id: "end.expired"; parts: {  } }
  | { id: "end.problem"; parts: { code: string } }
  | { id: "end.paused"; parts: {  } }
  | { id: "end.locked"; parts: {  } }
  | { id: "end.unhealthy"; parts: { why: string } }
  | { id: "end.no_key"; parts: { account: string } }
  | { id: "end.unsigned"; parts: { why: string } }
  | { id: "end.unwritten"; parts: {  } }
  | { id: "end.claimed"; parts: {  } }
  | { id: "end.delivered"; parts: {  } }
  | { id: "end.seen"; parts: {  } }
  | { id: "end.confirmed"; parts: {  } }
  | { id: "end.unchecked"; parts: {  } }
  | { id: "end.contradicted"; parts: {  } }
  | { id: "end.declined"; parts: {  } }
  | { id: "end.open"; parts: {  } }
  | { id: "end.silence"; parts: {  } }
  | { id: "end.slept"; parts: {  } }
  | { id: "end.denied"; parts: {  } }
  | { id: "end.removed"; parts: {  } }
  | { id: "change.limits"; parts: {  } }
  | { id: "change.forget"; parts: {  } }
  | { id: "change.settings"; parts: {  } }
  | { id: "change.resume"; parts: {  } }
  | { id: "change.resume_agent"; parts: { agent: string } }
  | { id: "change.pays"; parts: { wallet: string; network: string } }
  | { id: "change.pays_all"; parts: { wallet: string } }
  | { id: "change.offline"; parts: {  } }
  | { id: "change.clock"; parts: {  } }
  | { id: "change.history"; parts: {  } }
  | { id: "change.tools"; parts: { upstream: string } }
  | { id: "change.wallet"; parts: { label: string } }
  | { id: "change.import"; parts: { label: string } }
  | { id: "change.careful"; parts: { agent: string } }
  | { id: "change.agent"; parts: { agent: string } }
  | { id: "change.token"; parts: { agent: string } }
  | { id: "change.rebind"; parts: { agent: string } }
  | { id: "change.assign"; parts: { agent: string } }
  | { id: "change.upstream"; parts: { upstream: string } }
  | { id: "change.login"; parts: { upstream: string } }
  | { id: "change.merchant"; parts: {  } }
  | { id: "change.merchant_gone"; parts: {  } }
  | { id: "change.card"; parts: {  } }
  | { id: "change.card_gone"; parts: {  } }
  | { id: "change.restore"; parts: {  } }
  | { id: "line.first_wallet"; parts: {  } }
  | { id: "line.asks_all"; parts: {  } }
  | { id: "line.rules_apply"; parts: {  } }
  | { id: "line.new_token"; parts: {  } }
  | { id: "line.rebinds"; parts: {  } }
  | { id: "line.pays_from"; parts: { wallet: string } }
  | { id: "line.resumes"; parts: {  } }
  | { id: "line.resumes_agent"; parts: {  } }
  | { id: "line.others_pay_from"; parts: { address: string } }
  | { id: "line.code"; parts: { code: string } }
  | { id: "line.upstream_paid"; parts: {  } }
  | { id: "line.address"; parts: { url: string } }
  | { id: "line.host"; parts: { host: string } }
  | { id: "line.program"; parts: { program: string } }
  | { id: "line.argument"; parts: { n: string; text: string } }
  | { id: "line.starts"; parts: {  } }
  | { id: "line.browser"; parts: { host: string } }
  | { id: "line.issuer"; parts: { issuer: string } }
  | { id: "line.server"; parts: { url: string } }
  | { id: "line.former_login"; parts: { issuer: string } }
  | { id: "line.no_scope"; parts: {  } }
  | { id: "line.scopes"; parts: { scopes: string } }
  | { id: "line.login_shared"; parts: {  } }
  | { id: "line.merchant"; parts: { app: string; gateway: string } }
  | { id: "line.merchant_key"; parts: { fingerprint: string } }
  | { id: "line.merchant_returns"; parts: { url: string } }
  | { id: "line.merchant_notifies"; parts: { url: string } }
  | { id: "line.merchant_pages"; parts: {  } }
  | { id: "line.merchant_refunds"; parts: {  } }
  | { id: "line.merchant_replaced"; parts: { app: string } }
  | { id: "line.merchant_gone"; parts: {  } }
  | { id: "line.card"; parts: { method: string } }
  | { id: "line.card_live"; parts: {  } }
  | { id: "line.card_play"; parts: {  } }
  | { id: "line.card_replaced"; parts: { method: string } }
  | { id: "line.card_gone"; parts: {  } }
  | { id: "line.paired"; parts: { agent: string } }
  | { id: "line.whole_policy"; parts: {  } }
  | { id: "line.config"; parts: { key: string; now: string; was: string } }
  | { id: "line.config_new"; parts: { key: string; now: string } }
  | { id: "line.config_gone"; parts: { key: string; was: string } }
  | { id: "tool.new"; parts: { tool: string; says: string; takes: string } }
  | { id: "tool.changed"; parts: { tool: string; says: string; takes: string } }
  | { id: "tool.changed_in"; parts: { parts: string; tool: string; says: string; takes: string } }
  | { id: "doubt.behind"; parts: {  } }
  | { id: "doubt.anchor"; parts: {  } }
  | { id: "doubt.policy"; parts: {  } }
  | { id: "doubt.config"; parts: {  } }
  | { id: "doubt.clock_back"; parts: { seconds: string } }
  | { id: "doubt.clock_jump"; parts: { seconds: string } }
  | { id: "doubt.servers_behind"; parts: { seconds: string } }
  | { id: "doubt.servers_ahead"; parts: { seconds: string } }
  | { id: "doubt.block"; parts: { network: string; seconds: string } }
  | { id: "doubt.history"; parts: { end: string; written: string } }
  | { id: "doubt.restored"; parts: { made: string } }
  | { id: "looser.reference"; parts: { now: string; was: string } }
  | { id: "looser.timezone"; parts: { now: string; was: string } }
  | { id: "looser.acts"; parts: {  } }
  | { id: "looser.known"; parts: { origin: string; account: string } }
  | { id: "looser.unpinned"; parts: { origin: string; account: string } }
  | { id: "looser.rule_added"; parts: { rule: string } }
  | { id: "looser.rule_payee_may_change"; parts: { rule: string } }
  | { id: "looser.rule_no_longer_refuses"; parts: { rule: string } }
  | { id: "looser.rule_no_longer_asks"; parts: { rule: string } }
  | { id: "looser.rule_removed_with_count"; parts: { rule: string } }
  | { id: "looser.rule_counts_less"; parts: { rule: string } }
  | { id: "looser.rule_asks"; parts: { rule: string } }
  | { id: "looser.rule_pays_refused"; parts: { rule: string } }
  | { id: "looser.rule_pays_asked"; parts: { rule: string } }
  | { id: "looser.rule_excepts"; parts: { rule: string } }
  | { id: "looser.rule_fits_more"; parts: { rule: string } }
  | { id: "looser.rule_lasts_longer"; parts: { rule: string } }
  | { id: "looser.rule_used_more_often"; parts: { rule: string } }
  | { id: "looser.rule_fits_fewer"; parts: { rule: string } }
  | { id: "looser.rule_ends_sooner"; parts: { rule: string } }
  | { id: "looser.budget_removed"; parts: { budget: string } }
  | { id: "looser.budget_amount"; parts: { budget: string; now: string; was: string } }
  | { id: "looser.budget_any_amount"; parts: { budget: string; was: string } }
  | { id: "looser.budget_count"; parts: { budget: string; now: string; was: string } }
  | { id: "looser.budget_any_count"; parts: { budget: string; was: string } }
  | { id: "looser.budget_asks"; parts: { budget: string } }
  | { id: "looser.budget_window"; parts: { budget: string } }
  | { id: "looser.budget_scope"; parts: { budget: string } }
  | { id: "looser.budget_covers_fewer"; parts: { budget: string } }
  | { id: "looser.budget_ends_sooner"; parts: { budget: string } }
  | { id: "looser.forgotten"; parts: { origin: string; account: string } }
  | { id: "setting.reference"; parts: { now: string; was: string } }
  | { id: "setting.rate_new"; parts: { currency: string; now: string } }
  | { id: "setting.rate"; parts: { currency: string; now: string; was: string } }
  | { id: "setting.rate_gone"; parts: { currency: string; was: string } }
  | { id: "setting.node_new"; parts: { network: string; url: string } }
  | { id: "setting.node_gone"; parts: { network: string; url: string } }
  | { id: "setting.node_first"; parts: { network: string; url: string } }
  | { id: "odd.task"; parts: { budget: string } }
  | { id: "odd.session"; parts: { budget: string } }
  | { id: "odd.rail"; parts: { rule: string; rail: string; rails: string } }
  | { id: "odd.allows"; parts: { rule: string; example: string } }
  | { id: "odd.excepts"; parts: { rule: string; example: string } }
  | { id: "at.file"; parts: {  } }
  | { id: "at.key"; parts: { key: string } }
  | { id: "at.rule"; parts: { rule: string } }
  | { id: "at.budget"; parts: { budget: string } }
  | { id: "at.known"; parts: { known: string } }
  | { id: "file.size"; parts: {  } }
  | { id: "file.syntax"; parts: { line: string; text: string } }
  | { id: "file.reference"; parts: { file: string; config: string } }
  | { id: "file.format"; parts: {  } }
  | { id: "file.unknown"; parts: { key: string; keys: string } }
  | { id: "file.missing"; parts: { key: string; example: string } }
  | { id: "file.no_when"; parts: { example: string } }
  | { id: "file.no_table"; parts: { example: string } }
  | { id: "file.when"; parts: { example: string } }
  | { id: "file.number"; parts: { key: string } }
  | { id: "file.quotes"; parts: { key: string } }
  | { id: "file.count"; parts: { key: string } }
  | { id: "file.moment"; parts: { key: string } }
  | { id: "file.no_moment"; parts: { key: string; text: string } }
  | { id: "file.years"; parts: { key: string } }
  | { id: "file.list"; parts: { key: string } }
  | { id: "file.choice"; parts: { key: string; text: string; names: string } }
  | { id: "file.scope"; parts: { text: string; names: string } }
  | { id: "file.no_fact"; parts: { key: string } }
  | { id: "file.empty_when"; parts: {  } }
  | { id: "file.no_operator"; parts: { key: string; example: string } }
  | { id: "file.operator"; parts: { key: string; operator: string; operators: string } }
  | { id: "file.eq"; parts: { key: string } }
  | { id: "file.in"; parts: { key: string } }
  | { id: "file.exists"; parts: { key: string } }
  | { id: "file.compared"; parts: { key: string } }
  | { id: "file.no_value"; parts: { key: string } }
  | { id: "file.twice"; parts: { key: string } }
  | { id: "file.never"; parts: { key: string } }
  | { id: "file.empty_list"; parts: { key: string } }
  | { id: "file.empty_prefix"; parts: { key: string } }
  | { id: "file.use_value"; parts: { key: string; operator: string } }
  | { id: "file.use_host"; parts: { key: string; operator: string } }
  | { id: "file.use_whole"; parts: { key: string; operator: string } }
  | { id: "file.use_origin"; parts: { key: string; operator: string } }
  | { id: "file.amount"; parts: { key: string; text: string } }
  | { id: "file.precise"; parts: { key: string; text: string } }
  | { id: "file.huge"; parts: { key: string; text: string } }
  | { id: "file.amount_text"; parts: { key: string } }
  | { id: "file.flag"; parts: { key: string } }
  | { id: "file.agent"; parts: { key: string; text: string } }
  | { id: "file.origin"; parts: { key: string; text: string } }
  | { id: "file.checksum"; parts: { key: string; text: string } }
  | { id: "file.asset"; parts: { key: string; text: string } }
  | { id: "file.network"; parts: { key: string; text: string } }
  | { id: "file.name"; parts: { key: string; text: string } }
  | { id: "file.method"; parts: { key: string; text: string } }
  | { id: "file.none_of"; parts: { key: string; text: string; names: string } }
  | { id: "file.prefix"; parts: { key: string; text: string } }
  | { id: "file.host"; parts: { key: string; text: string } }
  | { id: "file.suffix"; parts: { key: string; text: string } }
  | { id: "file.length"; parts: {  } }
  | { id: "file.many"; parts: { most: string } }
  | { id: "file.at_most"; parts: { key: string; most: string } }
  | { id: "file.grants_all"; parts: { effect: string } }
  | { id: "file.grants_task"; parts: { effect: string } }
  | { id: "file.unbounded"; parts: { rule: string } }
  | { id: "file.no_cap"; parts: {  } }
  | { id: "file.one_rule"; parts: {  } }
  | { id: "file.no_rule"; parts: { rule: string } }
  | { id: "file.id"; parts: {  } }
  | { id: "file.id_twice"; parts: {  } }
  | { id: "file.zone"; parts: { text: string } }
  | { id: "file.converted"; parts: {  } }
  | { id: "restore.made"; parts: { made: string } }
  | { id: "restore.payments"; parts: { n: string } }
  | { id: "restore.payments_until"; parts: { n: string; last: string } }
  | { id: "restore.agents"; parts: { agents: string } }
  | { id: "restore.lost"; parts: { n: string } }
  | { id: "restore.none_lost"; parts: {  } }
  | { id: "restore.uncounted"; parts: {  } }
  | { id: "restore.replaces"; parts: { dir: string } }
  | { id: "restore.tokens"; parts: {  } }
  | { id: "restore.asks"; parts: {  } }
  | { id: "restore.full"; parts: {  } }
  | { id: "restore.twice"; parts: {  } }
  | { id: "restore.done"; parts: { made: string } }
  | { id: "restore.aside"; parts: { path: string } }
  | { id: "restore.unread"; parts: { why: string } }
  | { id: "restore.file_aside"; parts: { file: string; path: string } }
  | { id: "restore.config_out"; parts: { why: string } }
  | { id: "restore.config_beside"; parts: { path: string } }
  | { id: "restore.file_not"; parts: { file: string; why: string } }
  | { id: "restore.next"; parts: {  } }
  | { id: "restore.failed"; parts: {  } }
  | { id: "restore.partly"; parts: {  } }
  | { id: "restore.given_up"; parts: {  } }
  | { id: "backup.not"; parts: { file: string } }
  | { id: "backup.plain"; parts: { file: string } }
  | { id: "backup.no_key"; parts: {  } }
  | { id: "backup.other"; parts: {  } }
  | { id: "backup.damaged"; parts: { why: string } }
  | { id: "backup.newer"; parts: {  } }
  | { id: "backup.large"; parts: { needs: string } }
  | { id: "told"; parts: { text: string } };
