-- Up Migration

-- Card tokens between placement and authorization. Short-lived: see the port.
create table payment_tokens.tokens (
  tenant     text        not null collate "C",
  order_id   uuid        not null,
  payment_id text        not null,
  token      text        not null,
  created_at timestamptz not null default now(),
  primary key (tenant, order_id, payment_id)
);
create index tokens_created_at on payment_tokens.tokens (created_at);

-- Down Migration
drop table payment_tokens.tokens;
