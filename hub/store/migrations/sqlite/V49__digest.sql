-- SHA-256 of a certificate, in hexadecimal digits: its number is no secret, and whoever has the
-- key of an authority can give it again. Null for what was given before, until it is shown.
alter table device_cert add column digest text;
