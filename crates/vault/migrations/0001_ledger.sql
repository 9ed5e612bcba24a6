-- The ledger. Rows of payment, alias, hold, signable, signature, freed, known, denial, consumed, entry, checkpoint and
-- policy_version are written once. Amounts are 32 bytes big-endian; times are milliseconds UTC.

CREATE TABLE payment (
  n         INTEGER PRIMARY KEY,
  id        TEXT NOT NULL UNIQUE,
  agent     TEXT NOT NULL,
  idem      TEXT NOT NULL,
  request   BLOB NOT NULL CHECK (length(request) = 32),
  quote     BLOB NOT NULL,
  exposure  BLOB NOT NULL CHECK (length(exposure) = 32),
  asset     TEXT NOT NULL,
  purchase  BLOB NOT NULL CHECK (length(purchase) = 32),
  payee     BLOB NOT NULL CHECK (length(payee) = 32),
  at        INTEGER NOT NULL,
  epoch     INTEGER NOT NULL,
  UNIQUE (agent, idem)
) STRICT;
CREATE INDEX payment_payee ON payment (agent, payee, n);

CREATE TABLE alias (
  agent     TEXT NOT NULL,
  idem      TEXT NOT NULL,
  request   BLOB NOT NULL CHECK (length(request) = 32),
  payment   INTEGER NOT NULL REFERENCES payment (n),
  mac       BLOB NOT NULL,
  PRIMARY KEY (agent, idem)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_payment ON alias (payment);

CREATE TABLE hold (
  payment   INTEGER NOT NULL REFERENCES payment (n),
  budget    TEXT NOT NULL,
  key       TEXT NOT NULL,
  at        INTEGER NOT NULL,
  amount    BLOB NOT NULL CHECK (length(amount) = 32),
  epoch     INTEGER NOT NULL,
  PRIMARY KEY (payment, budget, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_use ON hold (budget, key, at, amount);

-- What came back: the whole hold (never signed, dead) or a part of it (settled for less).
CREATE TABLE freed (
  payment   INTEGER PRIMARY KEY REFERENCES payment (n),
  whole     INTEGER NOT NULL CHECK (whole IN (0, 1)),
  amount    BLOB NOT NULL CHECK (length(amount) = 32)
) STRICT;

CREATE TABLE signable (
  payment     INTEGER NOT NULL REFERENCES payment (n),
  i           INTEGER NOT NULL,
  wallet      TEXT NOT NULL,
  nonce       BLOB NOT NULL CHECK (length(nonce) = 32),
  valid_from  INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  bytes       BLOB NOT NULL,
  digest      BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  PRIMARY KEY (payment, i),
  UNIQUE (wallet, nonce)
) STRICT, WITHOUT ROWID;

-- Only for signers whose signatures are not deterministic.
CREATE TABLE signature (
  payment   INTEGER NOT NULL REFERENCES payment (n),
  i         INTEGER NOT NULL,
  bytes     BLOB NOT NULL,
  PRIMARY KEY (payment, i)
) STRICT, WITHOUT ROWID;

-- Payees a person said yes to. agent is empty unless the origin was only that agent's claim.
CREATE TABLE known (
  agent     TEXT NOT NULL,
  origin    TEXT NOT NULL,
  asset     TEXT NOT NULL,
  account   TEXT NOT NULL,
  payment   INTEGER NOT NULL REFERENCES payment (n),
  PRIMARY KEY (agent, origin, asset, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE denial (
  payment   INTEGER PRIMARY KEY REFERENCES payment (n),
  agent     TEXT NOT NULL,
  payee     BLOB NOT NULL CHECK (length(payee) = 32),
  at        INTEGER NOT NULL
) STRICT;
CREATE INDEX denial_recent ON denial (agent, payee, at);

CREATE TABLE consumed (
  rule      TEXT NOT NULL,
  payment   INTEGER NOT NULL REFERENCES payment (n),
  PRIMARY KEY (rule, payment)
) STRICT, WITHOUT ROWID;

-- What a person may want forgotten; outside the chain, which keeps a salted digest only.
CREATE TABLE detail (
  payment   INTEGER NOT NULL REFERENCES payment (n),
  kind      TEXT NOT NULL,
  salt      BLOB NOT NULL CHECK (length(salt) = 16),
  body      BLOB NOT NULL,
  until     INTEGER,
  PRIMARY KEY (payment, kind)
) STRICT;
CREATE INDEX detail_until ON detail (until) WHERE until IS NOT NULL;

CREATE TABLE entry (
  seq       INTEGER PRIMARY KEY,
  payment   INTEGER NOT NULL REFERENCES payment (n),
  n         INTEGER NOT NULL,
  to_state  TEXT NOT NULL,
  body      BLOB NOT NULL,
  prev      BLOB NOT NULL CHECK (length(prev) = 32),
  hash      BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  mac       BLOB NOT NULL CHECK (length(mac) = 32),
  UNIQUE (payment, n)
) STRICT;

CREATE TABLE checkpoint (
  seq       INTEGER PRIMARY KEY REFERENCES entry (seq),
  hash      BLOB NOT NULL CHECK (length(hash) = 32),
  mac       BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;

CREATE TABLE transition (
  from_state TEXT NOT NULL,
  to_state   TEXT NOT NULL,
  PRIMARY KEY (from_state, to_state)
) STRICT, WITHOUT ROWID;

-- Caches: the state of each payment, which purchases are in doubt, and what each counter holds since `since`.
CREATE TABLE head (
  payment   INTEGER PRIMARY KEY REFERENCES payment (n),
  state     TEXT NOT NULL
) STRICT;
CREATE INDEX head_open ON head (state, payment);

CREATE TABLE doubt (
  agent     TEXT NOT NULL,
  purchase  BLOB NOT NULL,
  payment   INTEGER NOT NULL REFERENCES payment (n),
  cleared   INTEGER NOT NULL CHECK (cleared IN (0, 1)),
  PRIMARY KEY (agent, purchase, payment)
) STRICT, WITHOUT ROWID;

CREATE TABLE budget_use (
  budget    TEXT NOT NULL,
  key       TEXT NOT NULL,
  since     INTEGER NOT NULL,
  cap       BLOB NOT NULL CHECK (length(cap) = 32),
  used      BLOB NOT NULL CHECK (length(used) = 32),
  max_count INTEGER NOT NULL,
  count     INTEGER NOT NULL,
  soft      INTEGER NOT NULL,
  by_human  INTEGER NOT NULL,
  PRIMARY KEY (budget, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE policy_version (
  v         INTEGER PRIMARY KEY,
  toml      TEXT NOT NULL,
  hash      BLOB NOT NULL CHECK (length(hash) = 32),
  at        INTEGER NOT NULL,
  by        TEXT NOT NULL,
  mac       BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;

CREATE TABLE agent (
  name      TEXT PRIMARY KEY,
  careful   INTEGER NOT NULL CHECK (careful IN (0, 1)),
  confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
  created   INTEGER NOT NULL,
  revoked   INTEGER
) STRICT;

CREATE TABLE token (
  id        TEXT PRIMARY KEY,
  agent     TEXT NOT NULL REFERENCES agent (name),
  hash      BLOB NOT NULL CHECK (length(hash) = 32),
  created   INTEGER NOT NULL,
  used      INTEGER NOT NULL,
  revoked   INTEGER
) STRICT;

CREATE TABLE wallet (
  address   TEXT PRIMARY KEY,
  kind      TEXT NOT NULL,
  label     TEXT NOT NULL,
  created   INTEGER NOT NULL
) STRICT;

-- Which wallet pays; agent and network empty = any.
CREATE TABLE payer (
  agent     TEXT NOT NULL,
  network   TEXT NOT NULL,
  address   TEXT NOT NULL REFERENCES wallet (address),
  PRIMARY KEY (agent, network)
) STRICT, WITHOUT ROWID;

-- Who is stopped; agent empty = everybody. until none = until somebody resumes.
CREATE TABLE pause (
  agent     TEXT PRIMARY KEY,
  until     INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
  name      TEXT PRIMARY KEY,
  value     BLOB NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO transition (from_state, to_state) VALUES
  ('', 'refused'), ('', 'waiting'), ('', 'reserved'),
  ('waiting', 'refused'), ('waiting', 'reserved'),
  ('reserved', 'reserved'), ('reserved', 'signed'), ('reserved', 'settled'), ('reserved', 'unknown'), ('reserved', 'released'),
  ('signed', 'signed'), ('signed', 'delivered'), ('signed', 'settled'), ('signed', 'unknown'), ('signed', 'released'),
  ('delivered', 'delivered'), ('delivered', 'settled'), ('delivered', 'unknown'), ('delivered', 'released'),
  ('unknown', 'unknown'), ('unknown', 'settled'), ('unknown', 'released'),
  ('settled', 'settled');

CREATE TRIGGER entry_follows BEFORE INSERT ON entry BEGIN
  SELECT RAISE(ABORT, 'illegal transition') WHERE NOT EXISTS (
    SELECT 1 FROM transition WHERE to_state = NEW.to_state
      AND from_state = coalesce((SELECT to_state FROM entry WHERE payment = NEW.payment ORDER BY n DESC LIMIT 1), ''));
  SELECT RAISE(ABORT, 'entry out of order')
    WHERE NEW.n IS NOT coalesce((SELECT max(n) FROM entry WHERE payment = NEW.payment), 0) + 1;
  SELECT RAISE(ABORT, 'chain out of order') WHERE NEW.seq IS NOT coalesce((SELECT max(seq) FROM entry), 0) + 1;
  SELECT RAISE(ABORT, 'chain broken')
    WHERE NEW.seq > 1 AND NEW.prev IS NOT (SELECT hash FROM entry WHERE seq = NEW.seq - 1);
END;
CREATE TRIGGER entry_head AFTER INSERT ON entry BEGIN
  INSERT INTO head (payment, state) VALUES (NEW.payment, NEW.to_state)
    ON CONFLICT (payment) DO UPDATE SET state = excluded.state;
END;

CREATE TRIGGER payment_key_is_no_alias BEFORE INSERT ON payment
  WHEN EXISTS (SELECT 1 FROM alias WHERE agent = NEW.agent AND idem = NEW.idem)
  BEGIN SELECT RAISE(ABORT, 'key is an alias'); END;
CREATE TRIGGER alias_key_is_no_payment BEFORE INSERT ON alias
  WHEN EXISTS (SELECT 1 FROM payment WHERE agent = NEW.agent AND idem = NEW.idem)
  BEGIN SELECT RAISE(ABORT, 'key is a payment'); END;
CREATE TRIGGER alias_only_while_waiting BEFORE INSERT ON alias
  WHEN (SELECT state FROM head WHERE payment = NEW.payment) IS NOT 'waiting'
  BEGIN SELECT RAISE(ABORT, 'not waiting'); END;
CREATE TRIGGER freed_only_at_the_end BEFORE INSERT ON freed
  WHEN (SELECT state FROM head WHERE payment = NEW.payment) IS NOT CASE NEW.whole WHEN 1 THEN 'released' ELSE 'settled' END
  BEGIN SELECT RAISE(ABORT, 'still held'); END;

CREATE TRIGGER budget_insert BEFORE INSERT ON budget_use
  WHEN (NEW.used > NEW.cap OR NEW.count > NEW.max_count) AND NOT (NEW.soft AND NEW.by_human)
    AND NOT EXISTS (SELECT 1 FROM budget_use WHERE budget = NEW.budget AND key = NEW.key)
  BEGIN SELECT RAISE(ABORT, 'over budget'); END;
CREATE TRIGGER budget_update BEFORE UPDATE ON budget_use
  WHEN (((NEW.used > OLD.used OR NEW.since <> OLD.since) AND NEW.used > NEW.cap)
      OR ((NEW.count > OLD.count OR NEW.since <> OLD.since) AND NEW.count > NEW.max_count))
    AND NOT (NEW.soft AND NEW.by_human)
  BEGIN SELECT RAISE(ABORT, 'over budget'); END;
CREATE TRIGGER budget_delete BEFORE DELETE ON budget_use BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER payment_update BEFORE UPDATE ON payment BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER payment_delete BEFORE DELETE ON payment BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER alias_update BEFORE UPDATE ON alias BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER alias_delete BEFORE DELETE ON alias BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER hold_update BEFORE UPDATE ON hold BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER hold_delete BEFORE DELETE ON hold BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER freed_update BEFORE UPDATE ON freed BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER freed_delete BEFORE DELETE ON freed BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER signable_update BEFORE UPDATE ON signable BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER signable_delete BEFORE DELETE ON signable BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER signature_update BEFORE UPDATE ON signature BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER signature_delete BEFORE DELETE ON signature BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER known_update BEFORE UPDATE ON known BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER known_delete BEFORE DELETE ON known BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER denial_update BEFORE UPDATE ON denial BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER denial_delete BEFORE DELETE ON denial BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER consumed_update BEFORE UPDATE ON consumed BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER consumed_delete BEFORE DELETE ON consumed BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER entry_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER policy_version_update BEFORE UPDATE ON policy_version BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER policy_version_delete BEFORE DELETE ON policy_version BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER transition_insert BEFORE INSERT ON transition BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER transition_update BEFORE UPDATE ON transition BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER transition_delete BEFORE DELETE ON transition BEGIN SELECT RAISE(ABORT, 'append only'); END;
