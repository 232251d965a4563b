-- Several hubs of one school side by side: at which of them a door is connected, and which of them
-- does a job. Empty where a hub is alone.
alter table device add column hub text not null default '';
alter table job add column hub text not null default '';
