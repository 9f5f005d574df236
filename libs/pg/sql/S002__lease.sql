-- One row for each living process of a service (libs/pg/lease.h); items it works on bear its epoch.
CREATE SEQUENCE process_lease_epoch;
CREATE TABLE process_lease (
  process text PRIMARY KEY,        -- Replica and epoch: a process that lost its lease comes back under another.
  service text NOT NULL,
  epoch bigint NOT NULL UNIQUE,
  expires_at timestamptz NOT NULL  -- By the database's clock, so that replicas need not agree on theirs.
);
