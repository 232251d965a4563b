# The doors: how each is, what it sees, and how a new one joins.
doors-title = Doors
doors-tally = { $count ->
    [0] No door yet
    [one] One door, { $online } connected
   *[other] { $count } doors, { $online } connected
 }
doors-list = Doors by room
doors-search = Name, room or place
doors-search-room = Room
doors-search-every = Every room
doors-search-go = Search
doors-found = { $count ->
    [0] No door found.
    [one] One door found.
   *[other] { $count } doors found.
 }
doors-found-all = Show all
doors-found-none = No door is as you asked
doors-found-none-next = Ask for less, or show all of them.
doors-no-room = Room not said
doors-none = No door yet
doors-none-next = Add the first one above; you get one command to run on the unit at the door.
doors-next = Show the next ones
doors-heard = heard { $ago }
doors-never-heard = never heard of
doors-uses = gallery { $version }
doors-uses-of = gallery { $version }, wants { $wanted }
doors-more-faults = { $count ->
    [one] one more fault
   *[other] { $count } more faults
 }
doors-day-time = { $day }, { $time }
doors-done-push = Every door that is connected is told of its gallery now.
doors-done-back = The doors go back to the people of the gallery before.

# Sending the gallery out
doors-gallery = Who the doors know
doors-push = { $done } of { $total ->
    [one] one door uses
   *[other] { $total } doors use
 } the newest gallery
doors-held = { $count ->
    [one] One door was taken back: it gets nobody new until you send the gallery out.
   *[other] { $count } doors were taken back: they get nobody new until you send the gallery out.
 }
doors-late = Not yet there
doors-late-offline = not connected: gets it when it is
doors-late-trouble = could not take it:
doors-late-fetched = has the file and is about to use it
doors-late-told = was told and has not fetched it yet
doors-late-more = { $count ->
    [one] and one more
   *[other] and { $count } more
 }
doors-push-now = Send the gallery out now
doors-push-hint = Doors get every change by themselves. Sending it out also ends what was taken back.
doors-back = Take it back …
doors-back-what = Every door goes back to the people of the gallery before this one, and gets nobody new until you send it out again. Whoever was erased or withdrew consent since stays forgotten.
doors-back-now = Take the gallery back at every door

# Adding a door
doors-add = Add a door
doors-add-go = Add and show how it joins
doors-name = Name of the unit
doors-name-hint = Small letters, digits, “-” and “.”, such as door-204
doors-room = Room behind the door
doors-room-hint = As lessons call it; it decides whose attendance the door takes
doors-location = Where it hangs
doors-location-hint = For whoever has to find it
doors-way = People pass it
doors-way-both = both ways
doors-way-entry = coming in
doors-way-exit = going out

# How a door is, and what to do
doors-cut-off = cut off
doors-cut-off-next = It can neither connect nor fetch anything. To bring it back, make a new join token and let it join again.
doors-not-joined = not joined yet
doors-not-joined-next = Make a join token below and run its command on the unit.
doors-ended = certificate ended
doors-ended-next = It was away for too long to renew it. Make a join token below and let it join again; what it recorded meanwhile is not lost.
doors-silent = joined, not connected yet
doors-silent-next = Start it on the unit. If this stays, “rollcall-edge doctor” there says why.
doors-offline = offline
doors-offline-since = offline since { $when }
doors-offline-next = It goes on recording, and everything arrives later. Look at its power and network; “rollcall-edge doctor” on the unit says what is missing.
doors-blind = blind
doors-blind-next = Its camera gives no picture. Look at the camera’s cable; it opens again by itself. “rollcall-edge doctor” on the unit says more.
doors-clock = clock not set
doors-clock-next = It does not know the time, so nobody is late by what it says. The hub gives it the time; if this stays, look at its network.
doors-hot = too hot
doors-hot-next = The processor slows itself down, and passages may be missed in a rush: give the unit air and a heat sink, and keep it out of the sun.
doors-sagged = supply too weak
doors-sagged-next = The supply sagged since the board was switched on, which damages cards: use the supply made for the board and a short cable, then switch it off and on.
doors-memory = memory nearly full
doors-memory-next = The system may end programs: end what else runs on the unit, or use a board with more memory.
doors-disk = disk nearly full
doors-disk-next = Free some space on the unit or use a larger card: when it is full, new records are refused.
doors-model = another model pack
doors-model-next = It recognises with another network than the hub. It fetches the right one by itself; what stands in the way is said below.
doors-behind = behind on the gallery
doors-behind-next = It does not use the gallery it should: new people are not known there yet. It tries again by itself; tell it to look again if you do not want to wait.
doors-unseeing = cannot recognise anybody
doors-unseeing-next = Until that is mended nobody is called absent because of this door.
doors-quiet = connected, camera not reported
doors-quiet-next = It has not said in the last quarter of an hour how its camera is. A door reports at least each ten minutes: if this stays, tell it to restart.
doors-ends-soon = certificate ends soon
doors-ends-soon-next = It should have been renewed by now. “rollcall-edge doctor” on the unit says why it was not.
doors-watching = watching
doors-watching-next = Everything is as it should be.

# Alerts: what was wrong for long enough to be told, and its end
doors-alert-blind = sees nothing
doors-alert-blind-next = Its camera gives no picture or always the same one, its lens is covered or out of focus, or it is too dark. Look at lens, light and cable; it goes on by itself. “rollcall-edge doctor” on the unit says more.
doors-alert-program = old program
doors-alert-program-next = Its program is older than the hub’s, or than that of most doors. Install the newer package on the unit.
doors-alert-place = { $door } (room { $room })
doors-alert-since = { $door }, since { $when }
doors-alert-over = Over: { $what }
doors-alert-span = { $from } to { $to }
doors-alert-was = { $door }, { $span }
doors-alert-open = since { $when }
doors-alerts = Alerts
doors-alerts-none = Nothing was wrong for long enough to be told.
doors-alerts-lead = What was wrong for some minutes, and when it was over. Admins who want it get a mail.

# One door
doors-to-all = Back to all doors
doors-how = How it is
doors-never = never
doors-no-clock = at a time it does not know
doors-no-gallery = none made for it yet
doors-fact-heard = Last heard of
doors-fact-report = Last report
doors-fact-camera = Camera
doors-camera-sees = sees
doors-camera-blind = no picture
doors-fact-watched = Watched, of that minute
doors-percent = { $share } %
doors-fact-disk = Free on its disk
doors-fact-heat = Processor
doors-celsius = { $count } °C
doors-fact-memory = Free memory
doors-mib = { $count } MiB
doors-fact-light = Brightness of the picture
doors-of-255 = { $count } of 255
doors-fact-focus = Sharpness of the picture
doors-fact-waiting = Records that wait for the hub
doors-fact-dropped = Dropped since its start
doors-dropped = { $looks } looks, { $frames } frames
doors-fact-clock = Its clock
doors-clock-unset = not set
doors-clock-floor = not before the last time it remembers
doors-clock-rtc = battery-backed clock
doors-clock-ntp = network time
doors-clock-hub = told by the hub
doors-clock-off = at most { $count } ms off
doors-fact-gallery = Gallery in use
doors-fact-trouble = What it says
doors-fact-software = Software
doors-fact-model = Model pack
doors-hub-model = the hub uses { $model }
doors-fact-certificate = Certificate
doors-certificate-ends = until { $day }
doors-certificate-auto = It is renewed by itself.
doors-certificate-soon = It should have been renewed by itself: see above.
doors-certificate-none = none: it has not joined, or was cut off
doors-reload = Look again for its gallery
doors-restart = Restart it
doors-is-offline = The door is not connected, so it cannot be told anything. Try again when it is.
doors-done-restart = The door was told to restart. It is back in about a minute.
doors-done-reload = The door was told to look again for its gallery.
doors-done-place = Saved. The door gets it as soon as it is connected.
doors-done-one-back = The door goes back to the people of that gallery.
doors-done-revoke = The door is cut off.
doors-done-settings = Saved. The door starts again with it as soon as it is connected.
doors-done-snap = The door was asked for a picture.

# A picture on request
doors-picture = What its camera sees
doors-picture-lead = One picture, when you ask for it. Who asks and who looks is written into the audit log. The picture is kept for five minutes and never on a disk.
doors-picture-ask = Ask for a picture
doors-picture-waiting = The door was asked. The picture is on its way.
doors-picture-again = Look for it
doors-picture-here = A picture is here.
doors-picture-look = Look at the picture
doors-picture-alt = What the camera of { $name } saw a moment ago
doors-picture-silent = The door was asked for a picture and did not answer within a minute. Ask again, or restart it.
doors-picture-trouble = The door could take no picture: { $why }
doors-picture-lost = The hub did not answer. Ask again.

# Where it is
doors-place = Where it is
doors-save = Save
doors-conflict = { $who } changed this door meanwhile; your change was not saved. Now it says: room { $room }, place { $location }, { $way }. Look at it, then change it again.

# Its settings
doors-settings = Its settings
doors-settings-lead = What is empty is as edge.toml at the unit says. The door starts again with what you save, which takes about a minute: best between lessons.
doors-settings-range = { $least } to { $most }
doors-settings-face = Smallest face, pixels across
doors-settings-frames = Frames in a burst
doors-settings-hold = An unsure look waits, milliseconds
doors-settings-cooldown = Unseen before the next passage counts, milliseconds
doors-settings-crops = Pictures of faces
doors-settings-crops-hint = sealed, so that a teacher can decide
doors-settings-file = as edge.toml says
doors-settings-yes = sent
doors-settings-no = not sent
doors-settings-save = Use these settings

# The newest lines of its log
doors-tail-link = Its log …
doors-tail-title = The log of { $name }
doors-tail-lead = The newest lines that its program wrote, when you ask for them. They name nobody. Who asks and who reads is written into the audit log; the lines are kept for five minutes and never on a disk.
doors-tail-ask = Ask for the newest lines
doors-tail-lines = Newest lines
doors-tail-none = Nobody asked in the last five minutes.
doors-tail-waiting = The door was asked. Its lines are on their way.
doors-tail-again = Look for them
doors-tail-silent = The door was asked and did not answer within a minute. Ask again; a door whose program is older than this hub’s does not know the question.
doors-tail-when = As of { $when }, the newest first.
doors-tail-missed = { $count ->
    [one] One older line is not kept any more.
   *[other] { $count } older lines are not kept any more.
 }
doors-tail-empty = It wrote nothing since its start.
doors-tail-error = fault
doors-tail-warn = warning
doors-tail-info = note

# What it runs with
doors-runs = What it runs with
doors-runs-none = The door has not told what it runs with: it was not connected since this hub started, or its program is older than the hub’s.
doors-runs-agree = It runs with everything as it was said.
doors-runs-setting = Setting
doors-runs-said = Said here
doors-runs-with = It runs with
doors-runs-from = From
doors-runs-hub = this hub
doors-runs-file = edge.toml at the unit
doors-runs-default = nobody said it
doors-runs-untold = not told
doors-runs-unsaid = left to the unit
doors-dispute-pending = You said { $asked }; it still runs with { $got }. It starts again with what you said as soon as it is connected and has heard it.
doors-dispute-lingering = You leave it to the unit now; it still runs with { $got }, which this hub said before, until it is connected and has heard so.
doors-dispute-refused = It takes only { $got }, so it follows none of the settings that were said here. Say another value, or update its program.
doors-dispute-not-kept = Its disk does not keep what you say, so it goes on as before. Look at its card.
doors-dispute-size = The camera was asked for { $asked } pixels and gives { $got }, the nearest that it offers. Ask for a size that it offers in edge.toml at the unit.
doors-dispute-control = The camera does not take { $asked } for this setting of its own. Take it out of edge.toml at the unit, or give a value that the camera offers.
doors-dispute-line = This line of the header cannot be used, and whatever hangs on it does nothing. Look at the unit’s edge.toml and wiring.

# Its galleries
doors-releases = Its galleries
doors-releases-lead = Going back makes a new gallery of the people of that one, without whoever was erased or withdrew since.
doors-releases-none = None yet: the first is made when it is active and somebody is enrolled.
doors-release = Gallery
doors-release-people = People
doors-release-when = Made
doors-release-far = State
doors-release-used = in use
doors-release-replaced = replaced
doors-release-skipped = never used
doors-release-fetched = fetched, not in use yet
doors-release-made = not fetched yet
doors-release-back-to = Go back to gallery { $version }
doors-is-held = This door was taken back: it gets nobody new until the gallery is sent out again.
doors-todo = What to do

# Its past
doors-log = What happened here
doors-log-none = Nothing yet.
doors-log-add = added
doors-log-place = room, place or direction changed
doors-log-settings = settings changed
doors-log-token = join token made
doors-log-join = joined
doors-log-renew = certificate renewed
doors-log-revoke = cut off
doors-log-supersede = the certificate before ended
doors-log-twin = its certificate is shown from two addresses: cut it off and let it join again
doors-log-find = showed a certificate that this hub does not remember giving
doors-log-refuse = refused: this hub did not give the certificate that it showed. Let it join again
doors-log-snap = picture asked for
doors-log-look = picture looked at
doors-log-log = its log asked for
doors-log-read = its log read
doors-log-restart = told to restart
doors-log-reload = told to look again for its gallery
doors-log-back = gallery taken back
doors-log-capture = capture token made
doors-log-capture-end = capture token ended
doors-log-letter = a record could not be used and was put aside
doors-log-lost = records were lost
doors-log-lost-full = records were lost: its disk was full
doors-log-lost-damaged = records were lost: its outbox was damaged
doors-log-lost-health = old reports were dropped to make space
doors-log-lost-restored = records were lost when the hub was restored from an older backup
doors-log-lost-not-kept = records were lost: the door sent too many in a day that could not be used
doors-log-lost-nobody = passages were lost: nobody was enrolled whom they could have been
doors-log-lost-card = its card was replaced, emptied or put back: what it had not sent by then is lost
doors-log-blind = camera gave no picture any more
doors-log-sees = camera sees again

# Joining and cutting off
doors-join-or-cut = Join again, or cut off
doors-join-lead = A new unit at this door, or one that was set up afresh, joins with a new token. Cut a unit off that was lost or stolen.
doors-new-token = New join token
doors-to-door = Back to { $name }
doors-join-title = Join { $name }
doors-join-until = The token works once, until { $when }. It is shown only now.
doors-join-steps = Three steps at the door
doors-join-1 = Switch the unit on, connect it to the network, and open a command line on it.
doors-join-2 = Run this command:
doors-join-square = The join command as a square code
doors-join-square-hint = A phone reads the same command from this code.
doors-join-3 = Start the door, and let it say what is still missing:
doors-card = Or without a keyboard
doors-card-lead = Put this file onto the boot partition of the unit’s card before its first start, and do not change its name. The unit joins by itself, and gets from here what it needs.
doors-card-get = Get the file
doors-card-once = It works once, for seven days, for whoever has it. Once you have it, the command above works no more.
doors-join-is = Has it joined?
doors-join-wait = Waiting for { $name } …
doors-join-done = { $name } has joined.
doors-join-look = Look at the door
doors-revoke = Cut off …
doors-revoke-title = Cut { $name } off?
doors-revoke-back = Back, cut nothing off
doors-revoke-what = What follows
doors-revoke-1 = Its connection ends within a second, and its certificates and tokens do not count any more.
doors-revoke-2 = Records that it has not sent yet do not arrive while it is cut off. What has arrived stays.
doors-revoke-3 = Only a new join token brings it back.
doors-revoke-now = Cut it off

# A program that sends pictures for a door.
doors-program = Pictures by a program …
doors-program-title = A program that sends pictures for { $name }
doors-program-lead = With a token of this door a program, such as an old camera’s, sends pictures. They count for this door and its room, and wait for a person.
doors-program-new = The new token
doors-program-once = Copy it now: it is not shown again. Whoever has it sends pictures as this door.
doors-program-where = The program sends pictures to this address:
doors-program-token = Its token
doors-program-until = It has one that counts until { $when }.
doors-program-none = It has none.
doors-program-days = How many days a new one counts
doors-program-overlap = Hours for which the old one counts besides
doors-program-give = Make a new token
doors-program-end = End the token
doors-program-ended = The token does not count any more.

# Updates
updates-title = Updates of the doors
updates-back = All doors
updates-lead = A new program goes to one door first, then to every tenth, then to all, each time only after it proved itself. A door where it does not come up goes back by itself.
updates-link = Updates
updates-trust = Whose programs the doors take
updates-trust-how = Nobody’s yet. Whoever releases programs makes a key and tells you its public half; then type on the hub:
updates-version = Version { $version } for { $machine }
updates-began = begun { $when }
updates-far = { $done } of { $total ->
    [one] one door runs
   *[other] { $total } doors run
 } it
updates-nobody = No door has said yet that it takes programs for { $machine }.
updates-going = on its way
updates-everywhere = everywhere
updates-paused = paused
updates-halted = halted: doors refuse it
updates-ended = ended
updates-stage-one = One door tries it.
updates-stage-tenth = Every tenth door gets it.
updates-stage-all = Every door gets it.
updates-pause = Pause
updates-go-on = Go on
updates-end = End it
updates-door-refused = runs what ran before:
updates-door-offline = not connected: goes on when it is
updates-door-told = was told
updates-door-fetching = fetches it
updates-door-waiting = waits until nobody comes by
updates-door-trial = tries it
updates-here = Programs on this hub
updates-none = None yet. Add the signed file of a program.
updates-added = added { $when } by { $by }
updates-size = { $size } MiB
updates-first = Door that tries it first
updates-first-hint = The first by name, if you leave it out
updates-begin = Let version { $version } for { $machine } go to the doors
updates-add = Add a program
updates-file = Signed file
updates-file-hint = As whoever releases it signed it
updates-add-go = Add
updates-done-added = The program is here. It goes to the doors when you say so.
updates-done-begun = It is on its way: one door tries it first.
updates-done-said = Done.
