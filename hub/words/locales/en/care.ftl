# What waits for whoever runs the system, and what to do about it.
shell-care = Care
care-title = What needs care
care-for = Everything that waits for a person who runs the system. What is mended goes from here by itself.
care-nothing = Nothing waits for you
care-nothing-next = Doors, mail, backups, certificates and the disk are as they should be.
care-grave = act now
care-soon = soon
care-go = To its page
care-when = { $day }, { $time }

care-recognition = Nobody can be recognised in pictures
care-recognition-next = The model pack in use is missing or damaged. Doors, registers and reports go on; enrolling, photos and pictures sent to the hub wait. Bring the pack back (rollcall-hub models fetch) and start the hub again.
care-clock = The hub’s clock has leapt: it should have said { $when }
care-clock-next = Until it is believed again, nothing goes because its time is over and no lesson is closed. Set the clock right; or, if it is right now (the hub was off for long), say so.
care-clock-right = The clock is right: go on
care-clock-done = The clock is believed again.
care-disk = The disk is nearly full: { $count } MiB are free
care-disk-next = Free some space or use a larger disk. When it is full nothing new is stored; doors keep what they record, and pages still open.
care-disk-full = The disk is full
care-disk-full-next = Nothing new is stored until there is space; doors keep what they record, and pages still open. Free some space: everything goes on by itself.
care-dead-letters = { $count ->
    [one] One record of a door could not be used
   *[other] { $count } records of doors could not be used
 }
care-dead-letters-next = They are kept as they came. See why with “rollcall-hub dead-letters list”; once the cause is mended, “rollcall-hub dead-letters replay” brings them in.
care-held = what this door saw waits, since { $when }
care-held-next = It was made with an older model pack, of which somebody known has no template. Nothing is lost: enrol them with that pack, or wait until the door has fetched the new one and they are enrolled with it.
care-lost = { $count ->
    [one] One record of this door is gone for ever, told { $when }
   *[other] { $count } records of this door are gone for ever, told { $when }
 }
care-lost-next = Its log says which and why. Look through its lessons of that time and mark by hand who was there; this line goes after a week.
care-doors-offline = { $count ->
    [one] One door is not connected
   *[other] { $count } doors are not connected
 }
care-doors-offline-next = They go on recording, and everything arrives later. Look at their power and network; where many went at once, at the switch they hang on.
care-old-programs = { $count ->
    [one] One door runs an old program
   *[other] { $count } doors run an old program
 }
care-old-programs-next = It is older than the hub’s, or than that of most doors. The alerts below name each; install the newer package there.
care-backup = The newest backup is of { $when }
care-backup-next = Backups are made every night by rollcall-hub-backup.timer. Look at what it said: journalctl -u rollcall-hub-backup.
care-no-backup = There is no backup
care-no-backup-next = If this disk breaks, everything is lost. Set up a backup every night to another disk: rollcall-hub backup, or rollcall-hub-backup.timer.
care-backup-here = The newest backup, of { $when }, lies on the disk of the data
care-backup-here-next = If this disk breaks, both are lost. Back up to another disk; until then doors keep what they recorded.
care-twin = its certificate was shown from two places, last on { $when }
care-twin-next = Somebody may have copied it. Cut the door off on its page and let the unit join again.
care-certificate = ends on { $when }
care-certificate-next = After it browsers and doors refuse this hub. It should have been renewed by now: the hub’s log says why it was not.
care-certificate-ca-next = After it browsers and doors refuse this hub. Replace it before that: rollcall-hub keys rotate ca. Doors follow by themselves.
care-certificate-over = ended on { $when }
care-tls = A certificate of the hub cannot be used, or was not renewed
care-tls-next = Until it is mended the one before is shown, as long as it lasts; without one before, the hub’s own. Look at what is said here: often the files of tls.cert and tls.key are missing, unreadable, or do not belong together. The hub reads them again by itself.
care-authority = does not follow to the hub’s next authority, which signs doors since { $when }
care-authority-next = Until every door has followed, the old authority counts too, for 90 days at most. Switch the door on where it reaches the hub: it follows by itself within minutes. If it is gone for good, cut it off on its page. If it comes back only after the old authority has ended, let it join again with a new token.
care-found = showed a certificate on { $when } that this hub does not remember giving
care-found-next = If this hub was restored from a backup lately, the door got it after that backup: all is well, but when the authority is replaced it has to join again with a new token. If not, somebody else signs with the hub’s authority: replace it (rollcall-hub keys rotate ca).
care-refused = showed a certificate of the authority before on { $when } that this hub did not give
care-refused-next = It gets none of the next authority. If this hub was restored from a backup, let the door join again with a new token: it keeps what it recorded. If not, somebody has the key of the authority before: end it now (rollcall-hub keys rotate ca --end).
care-keys = The hub’s keys were replaced on { $when }, and no backup holds them yet
care-keys-next = Make a backup now: rollcall-hub backup. A hub that is restored with the keys of before is one that doors no longer follow: each would have to join again.
care-mail = { $count ->
    [one] One mail was given up
   *[other] { $count } mails were given up
 }
care-mail-next = The page says why for each. Look at the mail server’s settings, then tell the families in another way.
care-webhook = this address takes no messages
care-webhook-next = Messages are tried again for five days; then it is switched off. Look at the program that should answer there.
care-lesson = this lesson could not be closed, since { $when }
care-period = the lessons of this period could not be made, since { $when }
care-outgoing = this message could not be written, since { $when }
care-leaver = this person left and could not be erased when it was due, since { $when }
care-leaver-next = The hub tries again each day, and everything else goes on. Erase them by hand, or see the hub’s log for why.
care-aside-next = It is set aside, tried again by itself, and everything else goes on. If it stays, the hub’s log says why.
care-broker = this broker hears nothing of the doors, since { $when }
care-broker-next = What Home Assistant shows of them is old; everything else goes on, and the hub tries again by itself. Look at the broker, and at [broker] in hub.toml.
care-work = does not get on, since { $when }
care-work-next = The hub tries again by itself. If it stays, the hub’s log says why.
