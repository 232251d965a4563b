-- When a certificate was first shown that this hub does not remember giving; those that were given
-- for it since have the same. No later authority gives them a successor.
alter table device_cert add column found_at bigint;
create index device_cert_found on device_cert (found_at) where found_at is not null;
