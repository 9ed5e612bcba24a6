-- Which program an agent was first seen in, by the path of its executable; and until when a replaced token still works.

CREATE TABLE binding (
  agent     TEXT PRIMARY KEY REFERENCES agent (name),
  program   TEXT NOT NULL,
  at        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE replaced (
  token     TEXT PRIMARY KEY REFERENCES token (id),
  until     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
