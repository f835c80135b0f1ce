-- Up Migration

-- Who works on what. A row stays when its lease ends, so that tokens only grow. Ends are this server's clock's.
create table leases.leases (
  name        text        primary key collate "C",
  token       bigint      not null,
  -- host:process:random, for operators.
  owner       text        not null,
  acquired_at timestamptz not null default clock_timestamp(),
  ends_at     timestamptz not null
);

-- Down Migration
drop table leases.leases;
