-- What exists and who may. Every table of a tenant's data is under row-level security, FORCEd since the service owns them: a
-- transaction sees the tenant it names in voltwell.tenant, or all if it names '*' (which no tenant is called): sign-in, the
-- directory, the link stream and lists for other services run so.

CREATE TABLE tenant (
  id text PRIMARY KEY,
  display_name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (id <> '*' AND id <> '')
);

CREATE TABLE person (
  id text PRIMARY KEY,
  tenant text NOT NULL REFERENCES tenant,
  login text NOT NULL UNIQUE,          -- Lower case; unique in the installation, since Login finds the tenant by it.
  display_name text NOT NULL,
  password_hash text NOT NULL,         -- Argon2id, PHC format.
  permissions text[] NOT NULL,         -- '*' is all.
  site_scope text[] NOT NULL DEFAULT '{}',  -- Site paths; empty: all sites of the tenant.
  disabled boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE session (
  id text PRIMARY KEY,
  tenant text NOT NULL REFERENCES tenant,
  person text NOT NULL REFERENCES person,
  token_hash text NOT NULL UNIQUE,     -- SHA-256 in hexadecimal; the token itself is never kept.
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE INDEX session_expires_at ON session (expires_at);

-- Failed sign-ins by the name that was tried, whether it exists or not: the answer must not tell which names do.
CREATE TABLE login_failure (
  login text PRIMARY KEY,
  failures integer NOT NULL,
  last_at timestamptz NOT NULL
);
CREATE INDEX login_failure_last_at ON login_failure (last_at);

CREATE TABLE site (
  id text PRIMARY KEY,
  tenant text NOT NULL REFERENCES tenant,
  parent text REFERENCES site,
  display_name text NOT NULL,
  kind smallint NOT NULL,              -- voltwell.registry.v1.Site.Kind
  path text NOT NULL,                  -- '/{root id}/.../{own id}/'
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz
);
CREATE INDEX site_tenant ON site (tenant, id);
CREATE INDEX site_parent ON site (parent);
CREATE INDEX site_path ON site (path text_pattern_ops);

CREATE TABLE collector (
  id text PRIMARY KEY,
  tenant text NOT NULL REFERENCES tenant,
  registration_id text NOT NULL,
  display_name text NOT NULL,
  site text NOT NULL REFERENCES site,
  dialect text NOT NULL,
  heartbeat_hex text NOT NULL,
  source_network text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz
);
CREATE UNIQUE INDEX collector_registration_id ON collector (registration_id) WHERE archived_at IS NULL;
CREATE INDEX collector_tenant ON collector (tenant, id);
CREATE INDEX collector_site ON collector (site);

-- The buses of collectors that are not archived: what the directory publishes.
CREATE TABLE collector_bus (
  collector text NOT NULL REFERENCES collector,
  tenant text NOT NULL REFERENCES tenant,
  number integer NOT NULL,
  registration_id text NOT NULL CONSTRAINT bus_registration_id UNIQUE,
  baud integer NOT NULL,
  link_time_ms integer NOT NULL,
  PRIMARY KEY (collector, number)
);

CREATE TABLE meter (
  id text PRIMARY KEY,
  tenant text NOT NULL REFERENCES tenant,
  display_name text NOT NULL,
  kind smallint NOT NULL,              -- voltwell.registry.v1.Meter.Kind
  site text NOT NULL REFERENCES site,
  collector text NOT NULL REFERENCES collector,
  bus integer NOT NULL,
  address text NOT NULL,
  protocol text NOT NULL,              -- voltwell.codec.v1.Protocol without prefix
  profile text NOT NULL,
  ratio text NOT NULL,                 -- CT x PT, an exact decimal
  revision bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz
);
CREATE UNIQUE INDEX meter_address ON meter (collector, bus, address) WHERE archived_at IS NULL;
CREATE INDEX meter_tenant ON meter (tenant, id);
CREATE INDEX meter_site ON meter (site);

-- Where each bus stands, by the latest fact of a gateway; facts of an older epoch are passed over.
CREATE TABLE collector_presence (
  collector text NOT NULL REFERENCES collector,
  bus integer NOT NULL,
  tenant text NOT NULL REFERENCES tenant,
  online boolean NOT NULL,
  since timestamptz NOT NULL,
  pod text NOT NULL,
  peer text NOT NULL,
  reason text NOT NULL,                -- Why offline.
  generation bigint NOT NULL,          -- Epoch of the session, with counter.
  counter bigint NOT NULL,
  PRIMARY KEY (collector, bus)
);
CREATE INDEX collector_presence_online ON collector_presence (collector, bus) WHERE online;

-- What gateways told, kept 30 days: how often does a box drop, and why.
CREATE TABLE collector_link (
  stream_id text PRIMARY KEY,          -- Of the link stream: a fact that comes twice is kept once.
  collector text NOT NULL REFERENCES collector,
  tenant text NOT NULL REFERENCES tenant,
  bus integer NOT NULL,
  kind text NOT NULL,
  pod text NOT NULL,
  peer text NOT NULL,
  reason text NOT NULL,
  time timestamptz NOT NULL
);
CREATE INDEX collector_link_collector ON collector_link (collector, time);
CREATE INDEX collector_link_time ON collector_link (time);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['person', 'session', 'site', 'collector', 'collector_bus', 'meter', 'collector_presence',
                              'collector_link'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY own_tenant ON %I USING (tenant = current_setting(''voltwell.tenant'', true) '
                   'OR current_setting(''voltwell.tenant'', true) = ''*'')', name);
  END LOOP;
END $$;

-- Ids that nobody owns; at most 1,000. Of the platform, hence without a tenant.
CREATE TABLE quarantine (
  registration_id text PRIMARY KEY,
  peer text NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  attempts bigint NOT NULL
);
CREATE INDEX quarantine_last_at ON quarantine (last_at);

-- Entries of the directory that must be written anew, in the transaction of the change. No payload, so without row security.
CREATE SEQUENCE directory_generation;
CREATE TABLE directory_dirty (
  id bigserial PRIMARY KEY,
  registration_id text NOT NULL        -- Of a bus.
);
