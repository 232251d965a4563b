-- Capture tokens end. Those of before are good for a year from their making.
alter table capture_token add column expires_at bigint not null default 0;
update capture_token set expires_at = created_at + 31536000000;
