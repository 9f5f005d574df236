-- Twice is once: the first answer to a mutation, given again when the same request comes again.
CREATE TABLE idempotency (
  tenant text NOT NULL,
  principal text NOT NULL,
  method text NOT NULL,
  request_id text NOT NULL,
  request_hash bytea NOT NULL,  -- SHA-256; another hash under the same key is REQUEST_ID_REUSED.
  response bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, principal, method, request_id)
);
CREATE INDEX idempotency_created_at ON idempotency (created_at);
