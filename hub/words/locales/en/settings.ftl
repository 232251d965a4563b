# What an administrator sets for the whole site.
settings-title = Settings
settings-lead = For the whole school. Every change is written into the audit log.
settings-pages = Pages of the settings
settings-recognition = Recognition
settings-recognition-for = From which score on a face is a person, and what that comes to here.
settings-rec-lead = How alike a face must be before the door is sure, and from where on a person is asked.
settings-rec-fixed = The lines are set in the hub’s own file (lines.high, lines.review), which wins. Remove them there to choose here.
settings-rec-means = What the lines come to
settings-rec-own = From { $count } passages that people decided here.
settings-rec-published = { $count ->
    [0] No passage has been decided here yet.
    [one] One passage has been decided here so far.
   *[other] { $count } passages have been decided here so far.
 } Fewer than 300 say too little: wrong names are the network’s published figure for { $people ->
    [one] one enrolled person
   *[other] { $people } enrolled people
 }.
settings-rec-nothing = { $count ->
    [0] No passage has been decided here yet.
    [one] One passage has been decided here so far.
   *[other] { $count } passages have been decided here so far.
 } Fewer than 300 say too little, and nothing is published for this network.
settings-rec-few = The other rows rest on the few passages that were decided here, or are empty.
settings-rec-now = Now
settings-rec-then = With the new lines
settings-rec-high = Sure from
settings-rec-review = A person is asked from
settings-rec-wrong = Wrong names per 1,000 passages
settings-rec-asked = Passages of 1,000 that wait for a person
settings-rec-left = Passages of 1,000 left as unknown
settings-rec-about = about { $wrong }
settings-rec-interval = { $wrong } (19 times of 20 between { $low } and { $high })
settings-rec-unknown = not known yet
settings-rec-alike = { $count } enrolled people look like somebody else who is enrolled (up to { $highest }): a person is always asked about them, whatever the score.
settings-rec-near = For { $count ->
    [one] one person near them
   *[other] { $count } people near them
 } sure begins later, at { $line } at most. Nobody else’s lines change.
settings-rec-save = Use the new lines
settings-rec-keep = Keep those of now
settings-rec-back = Back to the network’s own lines
settings-rec-choose = Choose other lines
settings-rec-budget = Wrong names per 1,000 passages, at most
settings-rec-budget-hint = Fewer wrong names mean more questions to people.
settings-rec-show = Show what follows
settings-rec-exact = Set the lines exactly
settings-rec-scores = The scores here
settings-rec-scores-lead = Each bar counts passages with a score. The rows are drawn to different heights: compare their shapes, not their sizes.
settings-rec-right = Right names
settings-rec-wrongs = Wrong names
settings-rec-pairs = Different enrolled people, compared
settings-rec-drawn = Bars of scores in three rows, with the lines across them. The same numbers are in the table below.
settings-rec-table = The same as a table
settings-rec-none = There are no scores yet: enrol people, and decide passages at the review desk.
settings-rec-score = Score
settings-rec-saved = The new lines count from now on. Every door gets them with its next gallery.
settings-rec-usual = The network’s own lines count again. Every door gets them with its next gallery.
settings-save = Save
settings-next = Show the next ones
settings-from-day = From
settings-to-day = To, the last day
settings-users = People who sign in
settings-users-for = Teachers, administrators and students with an account, and what they may do.
settings-users-all = Every account
settings-users-back = Back to every account
settings-user-name = Name
settings-user-email = E-mail
settings-user-role = Role
settings-user-role-hint = A new role ends their sign-ins.
settings-user-state = State
settings-user-is-closed = closed
settings-user-no-way = cannot sign in yet
settings-user-two-steps = two steps
settings-user-one-step = password only
settings-user-add = Add an account
settings-user-teacher-id = Teacher’s number
settings-user-student-id = Student’s number, for a student
settings-user-first-password = First password
settings-user-first-hint = At least 8 characters. Leave it empty to set one later.
settings-user-invite = Invite: may sign in with { $name } under this address
settings-user-may-link = Invited: the first sign-in elsewhere with this address takes the account over
settings-user-profile = Who they are
settings-user-teaches = Classes they teach
settings-user-teaches-none = They teach no class, so they see none.
settings-user-from = from { $day }
settings-user-to = until { $day }
settings-user-stop = End
settings-user-stop-of = End teaching { $class }
settings-user-class = Class
settings-user-no-class = There is no class yet: make one first.
settings-user-substitute = For a substitute; empty is until further notice.
settings-user-teach = Let them teach it
settings-user-entry = Signing in
settings-user-new-password = New password
settings-user-new-hint = Tell them yourself; all their sign-ins end.
settings-user-set-password = Set the password
settings-user-factor = Take the second step away
settings-user-unlink = End the sign-in elsewhere
settings-user-open = Open the account again
settings-user-close = Close the account
settings-user-close-hint = A closed account signs in nowhere, and keeps its place in the audit log.
settings-user-log = What they did
settings-user-sign-ins = Where they are signed in
settings-user-nowhere = They are signed in nowhere.
settings-user-end-sign-ins = End all their sign-ins
settings-user-signed-out = All their sign-ins have ended.
settings-steps = Who must have the second step
settings-steps-lead = Whoever has one of these roles and no second step gets no further than setting it up. Who signs in elsewhere is asked there.
settings-steps-saved = Saved.
settings-user-added = The account is there.
settings-user-saved = Saved.
settings-user-closed = The account is closed, and all its sign-ins have ended.
settings-user-opened = The account is open again.
settings-user-password-set = The new password counts; all their sign-ins have ended, and their passkeys open nothing any more.
settings-user-factor-gone = The second step is gone: the password alone opens the account.
settings-user-unlinked = The sign-in elsewhere has ended.
settings-user-teaching = Saved.
settings-add = Add
settings-remove = Remove
settings-remove-of = Remove { $name }
settings-timetable = Timetable
settings-timetable-for = Lessons that come each week, and days on which they differ.
settings-time-skipped = What was left out of the file
settings-time-no-class = There is no class yet
settings-time-no-class-next = Lessons belong to classes. Make a class first; then its week is planned here.
settings-time-week = The week of { $day }
settings-time-class = Class
settings-time-or-room = Or a room
settings-time-show = Show
settings-time-before = The week before
settings-time-today = This week
settings-time-after = The week after
settings-time-free = No lessons
settings-time-is-cancelled = cancelled
settings-time-moved = moved
settings-time-is-moved = moved: { $times }, { $room }
settings-time-add = Add a weekly lesson
settings-time-weekday = Day
settings-time-starts = Begins
settings-time-ends = Ends
settings-time-room = Room
settings-time-room-hint = Empty is the class’s usual room.
settings-time-open = Empty is until further notice.
settings-time-import = Take over a file
settings-time-import-lead = A calendar (.ics) or a table (.csv). The same file twice changes nothing.
settings-time-file = File
settings-time-of = Class, where the file names none
settings-time-feed = For your own calendar there is a secret address:
settings-time-taken = { $new } new, { $same } were there already.
settings-time-back = Back to the week
settings-time-every = Every week
settings-time-end = End this lesson
settings-time-end-hint = What took place stays; what lies ahead goes.
settings-time-days = Days that differ
settings-time-days-none = No day ahead differs.
settings-time-usual = As usual
settings-time-usual-of = As usual on { $day }
settings-time-day = Day
settings-time-how = What happens
settings-time-cancel = There is no lesson
settings-time-move = Other time or room
settings-time-differ = Let that day differ
settings-time-added = The lesson is planned.
settings-time-saved = Saved.
settings-time-ended = The lesson has ended; what took place stays.
settings-time-differs = Saved.
settings-holidays = Holidays
settings-holidays-for = Days without lessons: nobody is absent then.
settings-holidays-ahead = Ahead
settings-holidays-none = No holiday is known. Add one below, or take a calendar file over on the timetable’s page.
settings-holidays-over = Those that are over
settings-holiday-add = Add days without lessons
settings-holiday-name = Name
settings-holiday-one = Empty is one day.
settings-holiday-saved = Saved: there are no lessons on those days.
settings-holiday-gone = Removed: the lessons of those days are back.
settings-rooms = Rooms
settings-rooms-for = Where lessons and doors are. A door and a lesson that name the same room belong together.
settings-rooms-all = Every room
settings-rooms-none = No room is known yet. Add one, or name it when you plan a lesson or add a door.
settings-room-add = Add a room
settings-room-name = Name
settings-room-where = How to get there
settings-room-where-of = How to get to { $name }
settings-room-saved = Saved.
settings-room-gone = The room is removed.
settings-waiting = waiting
settings-sent = sent
settings-failed = failed
settings-retention = What is kept
settings-retention-for = After how many days things go by themselves.
settings-keep-days = Days
settings-keep-lead = What is over goes once a day, shortly after midnight; an empty field keeps it for ever.
settings-keep-last = The last run was { $ago }.
settings-keep-no-run = There has been no run yet: the first follows within a day.
settings-keep-what = What
settings-keep-after = Goes after days
settings-keep-never = never
settings-keep-due = Would go now
settings-keep-gone = Went last time
settings-keep-crops = Pictures of passages, after they were decided
settings-keep-pending = Passages that nobody decided
settings-keep-logged = Passages that are only a log
settings-keep-decided = Passages that were decided; the roll stays without them
settings-keep-leavers = People who left: erased with everything
settings-keep-undo = Steps that reviewers can take back
settings-keep-mail = Mail and messages that were sent or given up
settings-keep-sign-ins = Sign-ins that are over
settings-keep-health = What doors said about themselves
settings-keep-dead-letters = Messages that could not be understood
settings-keep-saved = Saved. It counts from the next run on.
settings-keep-runs = Runs
settings-keep-next = The next one is on { $day }, shortly after midnight.
settings-keep-next-soon = The next one is within a minute.
settings-keep-due-all = { $count ->
    [0] Nothing would go now.
    [one] One thing would go now; the table below says of which kind.
   *[other] { $count } things would go now; the table below says of which kinds.
}
settings-keep-run = Run now …
settings-keep-run-hint = What goes cannot be brought back, also not from a backup where a person’s key goes with it.
settings-keep-run-now = { $count ->
    [one] Take one thing away now
   *[other] Take { $count } things away now
}
settings-keep-ran = { $count ->
    [0] The run is done: nothing was due.
    [one] The run is done: one thing is gone.
   *[other] The run is done: { $count } things are gone.
}
settings-keep-stopped = { $count ->
    [0] The run was stopped before anything went.
    [one] The run was stopped: one thing is gone, the rest goes with the next run.
   *[other] The run was stopped: { $count } things are gone, the rest goes with the next run.
}
settings-mail = Mail
settings-mail-for = Whether mail leaves, what it says, and what did not arrive.
settings-mail-server = Mail server
settings-mail-set = set
settings-mail-unset = not set
settings-mail-by = Mail leaves by { $host }, from { $from }. Both are set in the hub’s own file.
settings-mail-none = No mail leaves: the hub’s own file names no mail server. Add one there and start the hub again:
settings-mail-test = Send a mail to { $email }
settings-mail-test-subject = Rollcall can send mail
settings-mail-test-body = Somebody asked on the settings page for this mail. Nothing is to be done.
settings-mail-tested = The mail server took a mail to { $email }.
settings-mail-sample = What families read
settings-mail-sample-lead = About an absence, half an hour after the lesson at the earliest. Teachers switch it on or off on their own page.
settings-mail-written = The texts are saved; the next mail says them.
settings-mail-texts = What mails say
settings-mail-texts-lead = Mails that the hub writes by itself, in the school’s language or in your own words. What is typed as it was stays the usual text and follows the language.
settings-mail-language = Language of the usual texts
settings-mail-language-hint = Of mails to families and teachers, whatever language whoever reads this page has chosen.
settings-mail-policy = A class that needs a person again
settings-mail-account = A change of what opens an account, to its owner
settings-mail-alerts = What is wrong with doors, to admins
settings-mail-own = own words
settings-mail-gaps = These are filled in:
settings-mail-subject = Subject
settings-mail-body = Text
settings-mail-body-hint = Leave subject and text empty to have the usual ones again.
settings-mail-lesson = Algebra
settings-mail-somebody = Ada Lovelace
settings-mail-newest = The newest mails
settings-mail-absence = Absence
settings-mail-low = Low attendance
settings-mail-custom = Message
settings-webhooks = Webhooks
settings-webhooks-for = Other programs that are told what happens here, by numbers only.
settings-hook-secret = The secret of the new webhook
settings-hook-once = Messages are signed with it (Standard Webhooks). Copy it now: it is not shown again.
settings-hook-none = No program is told anything
settings-hook-none-next = Add the address of one below. Without any, nothing leaves.
settings-hook-is-on = on
settings-hook-is-off = off
settings-hook-failing = failing
settings-hook-since = failing since { $ago }; after five days it is switched off
settings-hook-everything = Everything is told.
settings-hook-event = Event
settings-hook-written = Written
settings-hook-outcome = What became of it
settings-hook-ping = Send a test message
settings-hook-switch-off = Switch off
settings-hook-switch-on = Switch on
settings-hook-add = Add a webhook
settings-hook-url = Address
settings-hook-which = What is told
settings-hook-which-hint = Nothing chosen is everything.
settings-hook-on = It is on.
settings-hook-off = It is off: nothing is told.
settings-hook-gone = It is removed.
settings-hook-pinged = A test message is on its way; look again in a few seconds.
settings-keep-copies = Copies of the database from before an update
