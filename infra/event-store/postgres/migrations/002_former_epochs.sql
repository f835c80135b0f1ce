-- Up Migration

-- The epochs that `order-center store adopt` ended: what knows one of them knew this very store.
create table order_center.former_epochs (
  epoch    uuid        primary key,
  ended_at timestamptz not null default now()
);

-- Down Migration
drop table order_center.former_epochs;
