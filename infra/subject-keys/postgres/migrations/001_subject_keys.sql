-- Up Migration

-- Keys of personal data, apart from what they open: dropping a row is what forgets a person.
create table subject_keys.keys (
  key_id     text        not null collate "C" primary key,
  subject    text        not null collate "C",
  key        bytea       not null,
  created_at timestamptz not null default now()
);
create index keys_subject on subject_keys.keys (subject, created_at);
create table subject_keys.login_role (name text, password text);

-- Down Migration
drop table subject_keys.login_role;
drop table subject_keys.keys;
