-- Up Migration

-- Kept as it was written: jsonb costs more time at an append than all keys of the row together (docs/decisions/0015).
alter table order_center.events alter column data type json using data::text::json;
