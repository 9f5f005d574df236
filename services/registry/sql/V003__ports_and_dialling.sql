-- Several buses over one connection, and collectors that the gateways dial.
ALTER TABLE collector_bus ADD COLUMN port integer NOT NULL DEFAULT -1;    -- -1: a connection of its own
ALTER TABLE collector ADD COLUMN dial_target text NOT NULL DEFAULT '';    -- host:port; empty: it dials us
