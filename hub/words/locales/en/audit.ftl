# Who did what.
audit-title = Audit log
audit-lead = Who did what. It holds numbers, never names, so it stays whole when a person is erased.
audit-chain = Is the log whole?
audit-chain-lead = Each row carries a seal over all rows before it. Checking walks the whole log; a row that was changed or taken out is named.
audit-head = The last signed seal is of { $day }, over { $count ->
    [one] one row
   *[other] { $count } rows
 }.
audit-no-head = No seal has been signed yet: the first follows within a day.
audit-verify = Check the log
audit-rate = { $rate } rows a second
audit-whole = { $count ->
    [one] The log is whole: one row, unbroken.
   *[other] The log is whole: { $count } rows, unbroken.
 }
audit-cancelled = { $count ->
    [one] The check was stopped after one row, which is whole.
   *[other] The check was stopped after { $count } rows; those are whole.
 }
audit-rows = Rows, the newest first
audit-who = Who
audit-who-hint = E-mail, number, “hub”, or “cli:” with a number
audit-action = What
audit-target = About
audit-target-hint = A table, or a table and an id
audit-from = From
audit-to = To
audit-show = Show
audit-none = Nothing fits
audit-none-next = No row fits what you asked for. Ask for less.
audit-all = Show everything
audit-number = No.
audit-when = When
audit-next = Show older ones
