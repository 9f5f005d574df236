-- What the scheduler keeps. Tables of a tenant are behind row-level security (transaction-local voltwell.tenant); the queue
-- tables, which workers read for all tenants and which hold no payload, and the projection of the registry's facts stand
-- outside it. Names of runs and operations are their numbers, drawn from one sequence, so that a reading's origin is eight bytes.

CREATE SEQUENCE origin_number;

-- Projection of the registry: who, which bus, which meter. Numbers are ours and narrow.
CREATE TABLE tenant (
  number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL UNIQUE
);
CREATE TABLE bus (
  number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  collector text NOT NULL,        -- collectors/{collector}, without the prefix.
  bus integer NOT NULL,
  registration_id text NOT NULL,  -- What the collector sends when it registers.
  baud integer NOT NULL,          -- bit/s
  UNIQUE (collector, bus)
);
CREATE TABLE meter (
  number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL UNIQUE,        -- meters/{meter}, without the prefix.
  tenant_no integer NOT NULL REFERENCES tenant,
  site_path text NOT NULL,        -- "/s1/s4/"
  bus_no integer NOT NULL REFERENCES bus,
  address text NOT NULL,
  protocol text NOT NULL,         -- "DLT645_2007"
  profile text NOT NULL,
  revision bigint NOT NULL,       -- Of the registry; an older one never overwrites a newer one.
  archived boolean NOT NULL
);
CREATE INDEX meter_of_tenant ON meter (tenant_no, number);
CREATE INDEX meter_of_bus ON meter (bus_no);

-- Ids of registers with their units, as small numbers.
CREATE TABLE register (
  number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  register text NOT NULL,         -- OBIS id
  unit text NOT NULL,
  UNIQUE (register, unit)
);

CREATE TABLE schedule (
  id text PRIMARY KEY,
  tenant text NOT NULL,
  display_name text NOT NULL,
  cron text NOT NULL,
  time_zone text NOT NULL,
  gap_rule smallint NOT NULL,
  registers text[] NOT NULL,
  meters text[] NOT NULL,         -- The selection, ids without prefix; all three empty: every meter of the tenant.
  sites text[] NOT NULL,
  collectors text[] NOT NULL,
  paused boolean NOT NULL,
  max_attempts integer NOT NULL,
  window_ms bigint,               -- NULL: until the next run is due.
  create_time timestamptz NOT NULL,
  archive_time timestamptz
);
CREATE INDEX schedule_of_tenant ON schedule (tenant, id);
-- Queue: when each schedule fires next; no row while it is paused or archived.
CREATE TABLE schedule_due (
  schedule text PRIMARY KEY,
  tenant text NOT NULL,
  next_fire_time timestamptz NOT NULL
);
CREATE INDEX schedule_due_time ON schedule_due (next_fire_time);
-- Firings that downtime swallowed: all but the last of a pause are recorded, not run.
CREATE TABLE missed_firing (
  schedule text NOT NULL,
  tenant text NOT NULL,
  first_time timestamptz NOT NULL,
  last_time timestamptz NOT NULL,
  firings integer NOT NULL,
  PRIMARY KEY (schedule, first_time)
);

CREATE TABLE run (
  number bigint PRIMARY KEY,
  tenant text NOT NULL,
  schedule text NOT NULL,
  fire_time timestamptz NOT NULL,
  state smallint NOT NULL,        -- voltwell.scheduler.v1.Run.State
  items_total bigint NOT NULL DEFAULT 0,
  items_stored bigint NOT NULL DEFAULT 0,
  items_failed bigint NOT NULL DEFAULT 0,
  items_cancelled bigint NOT NULL DEFAULT 0,
  end_time timestamptz,
  UNIQUE (schedule, fire_time)
) WITH (fillfactor = 50);
CREATE INDEX run_of_tenant ON run (tenant, number);
CREATE TABLE run_failure (
  run bigint NOT NULL,
  tenant text NOT NULL,
  reason text NOT NULL,
  items bigint NOT NULL,
  PRIMARY KEY (run, reason)
);

-- Queue: what the items of a run or an operation have in common; goes when it is over.
CREATE TABLE work (
  origin bigint PRIMARY KEY,
  tenant text NOT NULL,
  tenant_no integer NOT NULL,
  kind smallint NOT NULL,         -- domain::Kind
  registers text[] NOT NULL,
  max_attempts integer NOT NULL,
  give_up_time timestamptz NOT NULL
);
CREATE INDEX work_relay ON work (origin) WHERE kind >= 2;
-- Queue: runs whose items are still being planned, with the frozen selection and the last meter planned.
CREATE TABLE run_plan (
  run bigint PRIMARY KEY,
  tenant text NOT NULL,
  tenant_no integer NOT NULL,
  last_meter integer NOT NULL,
  ceiling integer NOT NULL,       -- The youngest meter when the selection was frozen.
  meters text[] NOT NULL,
  sites text[] NOT NULL,
  collectors text[] NOT NULL
);
-- Queue: one item is one meter of a run or operation that is not over. A claim writes only lease and phase, in no index, and
-- pages keep room for it: the update stays in its page (HOT). Closing deletes the row and writes run_item_end.
CREATE TABLE run_item (
  origin bigint NOT NULL,
  meter_no integer NOT NULL,
  bus_no integer NOT NULL,
  tenant_no integer NOT NULL,
  priority smallint NOT NULL,     -- voltwell.gateway.v1.Priority
  phase smallint NOT NULL DEFAULT 0,  -- domain::Phase
  attempts smallint NOT NULL DEFAULT 0,
  lease bigint NOT NULL DEFAULT 0,    -- Epoch of the process that works on it; 0: nobody.
  due_time timestamptz NOT NULL,
  reason text,                        -- Why the last attempt failed.
  PRIMARY KEY (origin, meter_no)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX run_item_lane ON run_item (bus_no, priority DESC, due_time) WHERE priority <= 2;
CREATE INDEX run_item_fast ON run_item (priority DESC, due_time) WHERE priority >= 3;
-- One relay operation of a meter is in flight.
CREATE UNIQUE INDEX run_item_relay ON run_item (meter_no) WHERE priority = 4;
-- The book: the one final state of each planned read. Written by COPY.
CREATE TABLE run_item_end (
  origin bigint NOT NULL,
  meter_no integer NOT NULL,
  state smallint NOT NULL,        -- voltwell.scheduler.v1.RunItem.State
  attempts smallint NOT NULL,
  reason text,
  end_time timestamptz NOT NULL,
  PRIMARY KEY (origin, meter_no)
);

-- Append-only, narrow, one partition a month. Partitions have no policy of their own, so that COPY may write them (COPY
-- refuses tables behind row-level security); readers go through this table and its policy.
CREATE TABLE reading (
  meter_no integer NOT NULL,
  register_no integer NOT NULL,
  tenant_no integer NOT NULL,
  time timestamptz NOT NULL,
  origin bigint NOT NULL,         -- Number of the run or operation; 0 where the meter stamped the value: one a meter time.
  units bigint,                   -- value = units / 10^scale; NULL: not a number, or none.
  scale smallint,
  source smallint NOT NULL,       -- voltwell.scheduler.v1.Reading.Source
  store_time timestamptz NOT NULL DEFAULT now(),
  text text,
  PRIMARY KEY (meter_no, register_no, time, origin)
) PARTITION BY RANGE (time);
-- Which registers a meter has ever shown: where GetLatestReadings looks.
CREATE TABLE meter_register (
  meter_no integer NOT NULL,
  register_no integer NOT NULL,
  PRIMARY KEY (meter_no, register_no)
);
-- The bytes of each exchange, kept 90 days beside its readings.
CREATE TABLE exchange_bytes (
  time timestamptz NOT NULL,
  meter_no integer NOT NULL,
  origin bigint NOT NULL,
  tenant_no integer NOT NULL,
  request bytea NOT NULL,
  reply bytea NOT NULL
) PARTITION BY RANGE (time);
CREATE INDEX exchange_bytes_time ON exchange_bytes USING brin (time);

-- Creates the partitions of the month that holds the given day, unless they are there.
CREATE FUNCTION create_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  first timestamptz := date_trunc('month', day::timestamp) AT TIME ZONE 'UTC';
  beyond timestamptz := (date_trunc('month', day::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
  suffix text := to_char(day, '"_y"YYYY"m"MM');
BEGIN
  EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF reading FOR VALUES FROM (%L) TO (%L)', 'reading' || suffix, first, beyond);
  EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF exchange_bytes FOR VALUES FROM (%L) TO (%L)',
                 'exchange_bytes' || suffix, first, beyond);
END $$;
SELECT create_month((date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month')::date) FROM generate_series(-1, 2) AS n;

CREATE TABLE operation (
  number bigint PRIMARY KEY,
  tenant text NOT NULL,
  meter text NOT NULL,
  meter_no integer NOT NULL,
  kind smallint NOT NULL,         -- domain::Kind
  registers text[] NOT NULL,
  action smallint NOT NULL,       -- voltwell.codec.v1.RelayAction
  permit text NOT NULL,           -- Empty for all but opening.
  state smallint NOT NULL,        -- voltwell.scheduler.v1.Operation.State
  reason text NOT NULL DEFAULT '',
  observed smallint NOT NULL DEFAULT 0,  -- voltwell.codec.v1.RelayState
  author text NOT NULL,
  create_time timestamptz NOT NULL,
  end_time timestamptz
);
CREATE INDEX operation_of_tenant ON operation (tenant, number);
CREATE INDEX operation_of_meter ON operation (meter_no, number);
-- Relay operations that wait until the one in flight is over.
CREATE INDEX operation_open_relay ON operation (meter_no, number) WHERE kind >= 2 AND state < 4;

CREATE TABLE hold (
  id text PRIMARY KEY,
  tenant text NOT NULL,
  meter text NOT NULL,
  meter_no integer NOT NULL,
  owner smallint NOT NULL,        -- voltwell.scheduler.v1.Hold.Owner
  reason text NOT NULL,
  author text NOT NULL,
  create_time timestamptz NOT NULL,
  lift_time timestamptz           -- NULL while it stands.
);
CREATE INDEX hold_standing ON hold (meter_no, owner) WHERE lift_time IS NULL;
CREATE INDEX hold_of_tenant ON hold (tenant, id);
CREATE TABLE permit (
  id text PRIMARY KEY,
  tenant text NOT NULL,
  meter text NOT NULL,
  hold text NOT NULL,
  not_after timestamptz NOT NULL,
  guard_record text NOT NULL,
  author text NOT NULL,
  operation bigint NOT NULL
);
-- Queue: relays whose state we know or care for. Wanted closed unless a hold stands.
CREATE TABLE relay (
  meter_no integer PRIMARY KEY,
  tenant_no integer NOT NULL,
  holds integer NOT NULL DEFAULT 0,      -- Standing ones.
  opened boolean NOT NULL DEFAULT false, -- A permit was used since it was last seen closed.
  observed smallint NOT NULL DEFAULT 0,  -- voltwell.codec.v1.RelayState; 0 as soon as an opening may be sent.
  observed_time timestamptz
);
CREATE INDEX relay_to_close ON relay (meter_no) WHERE holds = 0 AND (observed = 2 OR (opened AND observed = 0));
-- The stop of all cuts.
CREATE TABLE cut_stop (
  tenant_no integer PRIMARY KEY,
  stopped boolean NOT NULL,
  reason text NOT NULL,
  author text NOT NULL,
  time timestamptz NOT NULL
);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['schedule', 'missed_firing', 'run', 'run_failure', 'operation', 'hold', 'permit'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant ON %I USING (tenant = current_setting(''voltwell.tenant'', true))', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['reading', 'exchange_bytes'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant ON %I USING (tenant_no = (SELECT number FROM tenant WHERE id = current_setting(''voltwell.tenant'', true)))', name);
  END LOOP;
END $$;
