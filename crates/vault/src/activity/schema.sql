-- The read model of the Activity page: everything here is told again by the ledger, and is thrown away when in doubt.
-- Values are millionths of the reference currency.
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE line (
  n      INTEGER PRIMARY KEY,
  id     TEXT NOT NULL,
  at     INTEGER NOT NULL,
  day    INTEGER NOT NULL,
  test   INTEGER NOT NULL CHECK (test IN (0, 1)),
  agent  INTEGER NOT NULL REFERENCES word (id),
  payee  INTEGER NOT NULL REFERENCES word (id),
  rail   INTEGER NOT NULL REFERENCES word (id),
  state  INTEGER NOT NULL REFERENCES word (id),
  rule   INTEGER NOT NULL REFERENCES word (id),
  counts INTEGER NOT NULL CHECK (counts IN (0, 1)),
  value  INTEGER,
  amount TEXT NOT NULL
) STRICT;
CREATE INDEX line_at ON line (at);
CREATE INDEX line_test ON line (test, n);
CREATE INDEX line_agent ON line (test, agent, n);
CREATE INDEX line_payee ON line (test, payee, n);
CREATE INDEX line_state ON line (test, state, n);
CREATE INDEX line_rail ON line (test, rail, n);
CREATE INDEX line_value ON line (test, value, n);
-- What was spent on each name: by = 0 agents, 1 payees, 2 protocols. Whole months are kept too, so that a year is few rows.
CREATE TABLE total (
  test    INTEGER NOT NULL,
  by      INTEGER NOT NULL CHECK (by IN (0, 1, 2)),
  month   INTEGER NOT NULL CHECK (month IN (0, 1)),
  day     INTEGER NOT NULL,
  name    INTEGER NOT NULL REFERENCES word (id),
  value   INTEGER NOT NULL,
  count   INTEGER NOT NULL,
  unknown INTEGER NOT NULL,
  PRIMARY KEY (test, by, month, day, name)
) STRICT, WITHOUT ROWID;
-- Beginnings of up to four letters have lists of their own: what many payments share is met newest first, without gathering them all.
CREATE VIRTUAL TABLE found USING fts5 (text, content = '', contentless_delete = 1, detail = 'none', prefix = '1 2 3 4');
CREATE VIRTUAL TABLE known USING fts5vocab ('found', 'instance');
