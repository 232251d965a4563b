# What students see of themselves.
me-title = About me
me-nobody = This account belongs to no student yet. The school’s office can say to which.
me-known = Doors know your face
me-new = Doors do not know your face
me-verified = A teacher verified your photo
me-marks-hint = The last 30 days. If a mark is wrong, tell the teacher of that class: they can correct it.
me-photos = Your photos
me-photos-hint = The photos themselves are not kept. From each one the doors’ numbers are made, which are stored sealed and nobody can look at.
me-photos-none = There is none, so no door recognises you.
me-photo-counts = Counts
me-photo-off = Switched off
me-consent-hint = Nobody is recognised without consent. To withdraw it, or to see or erase everything that is kept of you, ask the school’s office: everything that was made of your face is deleted at once.
