-- Settings that the hub says, instead of what a door's own file says: JSON, {} says nothing.
alter table device add column settings text not null default '{}';
