-- How sure gateways must be of who dials, and the collector's key, which only gateways can unseal (libs/directory): registry holds
-- the public half of the sealing key and so can write a key, never read one.
ALTER TABLE collector
  ADD COLUMN assurance smallint NOT NULL DEFAULT 1,   -- voltwell.registry.v1.Collector.Assurance
  ADD COLUMN sealed_key text NOT NULL DEFAULT '',     -- Base64url; empty: no key was set.
  ADD COLUMN key_set_at timestamptz;                  -- When it was set last; null: never, or taken away.
