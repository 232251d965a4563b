-- Which authority signed a certificate that a door showed, by the number of its key: while the
-- authority is replaced, it tells which doors have followed.
alter table device_cert add column authority text not null default '';
