-- Up Migration

-- The log. One row an event; (tx, ord) is its place in the global order, and the event row is its command's receipt.
create table order_center.events (
  tx             xid8        not null default pg_current_xact_id(),
  ord            int         not null,
  stream         text        not null collate "C",
  -- Not null is the predecessor guard: the append asks the predecessor for it (see append-statement.ts).
  revision       bigint      not null,
  event_id       uuid        not null,
  type           text        not null,
  schema_version int         not null,
  category       text        not null,
  tenant         text        not null collate "C",
  command_id     text        not null collate "C",
  -- The ordinal of the event inside its command.
  n              int         not null,
  -- On a command's first event: HMAC of the payload, and the word it claims.
  command_hash   bytea,
  claim          text        collate "C",
  recorded_at    timestamptz not null default date_trunc('milliseconds', now()),
  -- Null: it happened, nobody knows when.
  occurred_at    timestamptz,
  origin         text        not null,
  correlation_id text        not null,
  causation_id   uuid,
  data           jsonb       not null,
  constraint events_pkey primary key (tx, ord),
  constraint events_stream_revision_key unique (stream, revision),
  constraint events_command_key unique (tenant, command_id, n)
);
create unique index events_claim_key on order_center.events (tenant, claim) where claim is not null;

-- Answers that made no events: business rejections and no-op acceptances.
create table order_center.answers (
  tenant       text        not null collate "C",
  command_id   text        not null collate "C",
  command_hash bytea       not null,
  stream       text        not null collate "C",
  version      bigint      not null,
  -- Null: accepted.
  rejection    jsonb,
  answered_at  timestamptz not null default now(),
  constraint answers_pkey primary key (tenant, command_id)
);
-- Answers that belong to no stream are forgotten after 30 days.
create index answers_forgettable on order_center.answers (answered_at) where version = 0;

-- One row: what makes this store this store. Readable by its owner alone, as is the role that appends.
create table order_center.store_meta (
  only_row    boolean primary key default true check (only_row),
  epoch       uuid    not null default gen_random_uuid(),
  hash_secret bytea   not null
);
create table order_center.login_role (name text, password text);

-- Down Migration
drop table order_center.login_role;
drop table order_center.store_meta;
drop table order_center.answers;
drop table order_center.events;
