-- Agents whose own wallet was removed: nothing pays for them there until somebody says what does; network empty = any.

CREATE TABLE unpaid (
  agent     TEXT NOT NULL,
  network   TEXT NOT NULL,
  PRIMARY KEY (agent, network)
) STRICT, WITHOUT ROWID;
