-- Of each sign-in: how it came about and from where, and when its person last proved who they are.
alter table login_session add column way text not null default 'password';
alter table login_session add column address text not null default '';
alter table login_session add column proved_at bigint not null default 0;
update login_session set proved_at = created_at;
alter table token_family add column way text not null default 'password';
alter table token_family add column address text not null default '';
alter table token_family add column proved_at bigint not null default 0;
update token_family set proved_at = created_at;
