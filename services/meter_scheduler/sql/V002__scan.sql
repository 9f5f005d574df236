-- Searches for the meters of a bus. `scan` and what was found are the tenant's; `scan_work` is the queue of those that run, which
-- workers read for all tenants and which holds no payload.

CREATE TABLE scan (
  number bigint PRIMARY KEY,
  tenant text NOT NULL,
  collector text NOT NULL,        -- collectors/{collector}, without the prefix.
  bus integer NOT NULL,
  registration_id text NOT NULL,  -- What the collector sends when it registers.
  site_path text NOT NULL,        -- Of the collector, when the search began.
  baud integer NOT NULL,          -- bit/s
  protocols bigint[] NOT NULL,    -- voltwell.codec.v1.Protocol, as asked.
  patience_ms bigint NOT NULL,    -- 0: the codec's.
  thorough boolean NOT NULL,
  without_primary boolean NOT NULL,
  state smallint NOT NULL,        -- voltwell.scheduler.v1.Scan.State
  reason text NOT NULL DEFAULT '',
  position text NOT NULL,         -- Where the search stands; the codec's, opaque.
  done_per_mille integer NOT NULL DEFAULT 0,
  protocol smallint NOT NULL,
  pattern text NOT NULL,
  questions bigint NOT NULL DEFAULT 0,
  failures text[] NOT NULL DEFAULT '{}',  -- "4 BUS_BABBLES": protocol and reason.
  author text NOT NULL,
  create_time timestamptz NOT NULL,
  end_time timestamptz,
  give_up_time timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX scan_of_tenant ON scan (tenant, number);
CREATE TABLE scan_meter (
  scan bigint NOT NULL REFERENCES scan ON DELETE CASCADE,
  tenant text NOT NULL,
  protocol smallint NOT NULL,     -- voltwell.codec.v1.Protocol
  address text NOT NULL,
  unresolved boolean NOT NULL,
  aliases text[] NOT NULL,
  medium text NOT NULL,
  manufacturer text NOT NULL,
  version integer,
  find_time timestamptz NOT NULL,
  PRIMARY KEY (scan, protocol, address, unresolved)
);
-- Queue: one row a search that runs, and one a bus.
CREATE TABLE scan_work (
  scan bigint PRIMARY KEY,
  tenant text NOT NULL,
  collector text NOT NULL,
  bus integer NOT NULL,
  lease bigint NOT NULL DEFAULT 0,  -- Epoch of the process that works on it; 0: nobody.
  due_time timestamptz NOT NULL,
  UNIQUE (collector, bus)
);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['scan', 'scan_meter'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant ON %I USING (tenant = current_setting(''voltwell.tenant'', true))', name);
  END LOOP;
END $$;
