-- The outbox of a schema: what its owner tells others, written in the transaction of the fact (libs/pg/outbox.h).
CREATE TABLE event_generation (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  generation bigint NOT NULL,           -- Raised by a restore, since transaction ids may then begin anew.
  purged_generation bigint NOT NULL DEFAULT 0,
  purged_xid xid8 NOT NULL DEFAULT '0', -- Up to here events were deleted by age; an older cursor is too old.
  purged_sequence bigint NOT NULL DEFAULT 0
);
INSERT INTO event_generation (generation) VALUES (1);

CREATE TABLE event (
  sequence bigserial NOT NULL,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  generation bigint NOT NULL,
  type text NOT NULL,
  key text NOT NULL,          -- Of what it tells; events of one key are applied in order.
  tenant text NOT NULL,
  site_path text NOT NULL,
  customer text NOT NULL,     -- Empty: none.
  permission text NOT NULL,   -- That one needs to see it.
  payload bytea NOT NULL,
  time timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (generation, xid, sequence)
);
CREATE INDEX event_time ON event (time);

-- How far we have taken in the events of others, moved in the transaction of the effect.
CREATE TABLE event_cursor (
  source text NOT NULL,
  consumer text NOT NULL,
  generation bigint NOT NULL DEFAULT 0,
  xid xid8 NOT NULL DEFAULT '0',
  sequence bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (source, consumer)
);
